"""Checks of trust: the chain of rosters, every signed act, and that what was agreed to has its act."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from ledger import book, people
from ledger.aid import agents, corrections, line_failures, outlays, purse_movements
from ledger.aid.advances import Advance, commitment_of
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.cases import Case, State
from ledger.aid.disbursements import Disbursement
from ledger.aid.line_failures import LineFailure
from ledger.aid.outlays import Repayment
from ledger.aid.payment_files import PaymentFile
from ledger.aid.purse_movements import PurseMovement
from ledger.aid.quashing import Appeal, Outcome, Quashing
from ledger.aid.rulings import Ruling
from ledger.approvals import ACT_DOMAIN, CLOCK_SKEW, OLDEST_ACT, ROLE_OF, Act, SignedAct
from ledger.bearer_keys import BearerKey
from ledger.books.periods import ClosedMonth
from ledger.checks import gift_steps, order_failures
from ledger.checks.effects import Effect
from ledger.checks.effects import effect as _effect
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.errors import LedgerError
from ledger.giving import purpose_texts
from ledger.giving.donations import Donation
from ledger.giving.purpose_versions import PurposeDraft, PurposeVersion
from ledger.giving.refund_orders import RefundOrder
from ledger.money import Money
from ledger.people import Operator, RosterVersion
from ledger.publications import Draft, Publication
from ledger.reconciliation import clearings, matchings, resolutions, sheets, unbookings
from ledger.reconciliation.statements import StatementLine
from ledger.suspensions import Suspension
from ledger.treasury import conversions
from ledger.treasury.conversions import Conversion
from ledger.treasury.gift_assignments import GiftAssignment
from ledger.treasury.transfers import Transfer


def find_rosters(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Rosters that do not follow the one before, or lack signatures."""
    book_id = book.require(session).book_id
    before: people.Roster | None = None
    for version in people.versions(session):
        try:
            roster = people.read_roster(version.document)
            people.verify_roster(roster, people.signatures_of(version), before=before, on=version.recorded_at.date())
        except (LedgerError, ValueError):
            yield Finding("rosters", "roster", str(version.number))
            continue
        if (roster.number, people.digest(roster), roster.book) != (version.number, version.digest, book_id):
            yield Finding("rosters", "roster", str(version.number), {"where": "digest"})
        before = roster


def find_acts(session: Session, tell: Tell) -> Iterator[Finding]:
    """Acts whose signature does not hold by the roster of their time, or that say something else than their row."""
    book_id = book.require(session).book_id
    operators = {version.number: _operators(version) for version in people.versions(session)}
    done = 0
    for page in paged(session, SignedAct, SignedAct.nonce):
        for kept in page:
            where = _why_not(kept, operators.get(kept.roster, {}).get(kept.signer), book_id=book_id)
            if where is not None:
                yield Finding("acts", "act", kept.nonce, {"verb": kept.verb, "object": kept.object, "where": where})
        done += len(page)
        tell(done, done)


def find_unsigned(session: Session, _tell: Tell) -> Iterator[Finding]:
    """What stands without the signed act that it needs, or with one that restates something else."""
    for page in effects(session):
        query = select_rows(SignedAct).where(col(SignedAct.object).in_({effect.object for effect in page}))
        acts: dict[tuple[str, str, str], list[tuple[dict[str, Any], datetime]]] = {}
        for kept in session.exec(query):
            acts.setdefault((kept.object, kept.verb, kept.signer), []).append((_content(kept), kept.recorded_at))
        for effect in page:
            signed = acts.get((effect.object, effect.verb, effect.signer), [])
            if not any(_restates(act, effect, recorded_at=at) for act, at in signed):
                facts: dict[str, Fact] = {"verb": effect.verb, "signer": effect.signer, "acts": len(signed)}
                yield Finding("signed", effect.kind, effect.object, facts)


def _restates(act: dict[str, Any], effect: Effect, *, recorded_at: datetime) -> bool:
    same = all(act.get(name) == value for name, value in effect.restated.items())
    return same and effect.recorded_at in {None, recorded_at}


def find_unsteered(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Cases on hold or gone by a side exit that nobody signed so, with the code or the case that stands there."""
    for page in paged(session, Case, Case.alias):
        reduced = _reductions(session, [case.alias for case in page])
        steered = {
            case.alias: _steered_by(case, changes=case.version - 1 - reduced.get(case.alias, 0)) for case in page
        }
        needed = {alias: told for alias, told in steered.items() if told}
        acts: dict[str, set[str]] = {alias: set() for alias in needed}
        for kept in session.exec(select_rows(SignedAct).where(col(SignedAct.object).in_(needed))):
            acts[kept.object].add(str(_content(kept).get("act")))
        for alias, told in needed.items():
            if not told & acts[alias]:
                yield Finding("steered", "case", alias, {"verb": min(told).partition(":")[0]})


def _steered_by(case: Case, *, changes: int) -> set[str]:
    """Any one of these acts stands for where the case is; none for most states.

    `changes` are those of the case itself: a ruling may be reduced whatever became of its case.
    """
    if case.state is State.REJECTED and case.verified_by is None and changes == 0:
        return set()  # rejected on its list already
    return {
        State.REJECTED: {"reject_case", f"reject_case:{case.rejection}"},  # before the code stood in the act
        State.DUPLICATE: {f"mark_duplicate:{case.duplicate_of}"},
        State.WITHDRAWN: {"withdraw_case"},
        State.ON_HOLD: {"hold_case"},
    }.get(case.state, set())


def _reductions(session: Session, aliases: Sequence[str]) -> dict[str, int]:
    """By case: how often a ruling of it was reduced, which changes what the case says."""
    query = select_rows(Ruling.case_alias, func.count()).join(Appeal, col(Appeal.ruling_alias) == Ruling.alias)
    query = query.where(col(Ruling.case_alias).in_(aliases), Appeal.outcome == Outcome.REDUCED)
    return dict(session.exec(query.group_by(Ruling.case_alias)).all())


def find_same_person(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Steps that were taken by somebody who took one of the steps before."""
    for page in effects(session):
        for effect in page:
            if effect.signer in effect.others:
                yield Finding("four-eyes", effect.kind, effect.object, {"verb": effect.verb, "signer": effect.signer})


def find_keys(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Bearer keys of nobody, with roles that no roster gave their operator, or that outlive everything it said."""
    said: dict[str, list[Operator]] = {}
    for version in people.versions(session):
        for alias, operator in _operators(version).items():
            said.setdefault(alias, []).append(operator)
    for page in paged(session, BearerKey, BearerKey.alias):
        for key in page:
            admitted = any(
                {*key.roles.split(",")} <= {*operator.roles} and key.expires_on <= operator.expires_on
                for operator in said.get(key.operator, ())
            )
            if not admitted:
                yield Finding("keys", "key", key.alias, {"operator": key.operator})


def find_suspensions(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Signed suspensions whose row is gone: the server lets in again whom nobody reinstated."""
    kept = {(one.operator, one.suspended_by, one.roster) for one in session.exec(select_rows(Suspension))}
    for act in session.exec(select_rows(SignedAct).where(SignedAct.verb == "suspend_operator")):
        if (act.object, act.signer, act.roster) not in kept:
            yield Finding("suspensions", "suspension", act.object, {"signer": act.signer})


def _operators(version: RosterVersion) -> dict[str, Operator]:
    try:
        return {operator.alias: operator for operator in people.read_roster(version.document).operators}
    except LedgerError:  # found by the check of rosters; nobody can be shown to have signed by it
        return {}


def _why_not(kept: SignedAct, signer: Operator | None, *, book_id: str) -> str | None:
    """Which part of a kept act does not hold, or None."""
    if signer is None:
        return "signer"
    if not people.holds(signer.signing_key, ACT_DOMAIN + kept.document.encode(), kept.signature):
        return "signature"
    act = Act.model_validate_json(kept.document)  # what was signed was an act once
    columns = (kept.verb, kept.signer, kept.object, kept.nonce)
    if (act.verb, act.signer, act.object, act.nonce, act.book) != (*columns, book_id):
        return "columns"
    if ROLE_OF[act.verb] not in {None, *signer.roles} or kept.recorded_at.date() > signer.expires_on:
        return "role"
    in_time = kept.recorded_at - OLDEST_ACT <= act.at <= kept.recorded_at + CLOCK_SKEW
    return None if in_time else "at"


def _content(kept: SignedAct) -> dict[str, Any]:
    try:
        content = json.loads(kept.document)
    except ValueError:  # found by the check of acts
        return {}
    return content if isinstance(content, dict) else {}


def effects(session: Session) -> Iterator[list[Effect]]:
    """Everything that stands because somebody has signed it, page by page."""
    for cases_page in paged(session, Case, Case.alias):
        yield [_effect("case", c.alias, "verify_case", c.verified_by, set()) for c in cases_page if c.verified_by]
    for page in paged(session, Disbursement, Disbursement.alias):
        yield list(_of_disbursements(session, page))
    for batch_page in paged(session, Batch, Batch.alias):
        yield list(_of_batches(batch_page))
    for files_page in paged(session, PaymentFile, PaymentFile.alias):
        yield list(_of_payment_files(files_page))
    for advances_page in paged(session, Advance, Advance.alias):
        yield list(_of_advances(session, advances_page))
    for transfers_page in paged(session, Transfer, Transfer.alias):
        yield list(_of_transfers(transfers_page))
    for conversions_page in paged(session, Conversion, Conversion.alias):
        yield list(_of_conversions(session, conversions_page))
    for orders_page in paged(session, RefundOrder, RefundOrder.alias):
        yield list(_of_refund_orders(orders_page))
    for assignments_page in paged(session, GiftAssignment, GiftAssignment.donation_alias):
        yield list(_of_assignments(session, assignments_page))
    yield list(_of_purposes(session))
    yield from gift_steps.effects(session)
    yield list(_of_agents(session))
    yield from _of_movements(session)
    yield list(_of_resolutions(session))
    yield list(_of_failures(session))
    yield list(order_failures.effects(session))
    quashed = session.exec(select_rows(Quashing))
    yield [_effect("ruling", q.ruling_alias, "quash_ruling", q.quashed_by, set()) for q in quashed]
    months = session.exec(select_rows(ClosedMonth))
    yield [_effect("month", f"{m.last_day:%Y-%m}", "close_period", m.closed_by, set()) for m in months]
    stopped = session.exec(select_rows(Suspension))
    yield [_effect("suspension", s.operator, "suspend_operator", s.suspended_by, {s.operator}) for s in stopped]
    yield list(_of_publications(session))
    yield list(_of_sheets(session))
    yield list(_of_clearings(session))
    yield list(_of_pairings(session))


def _of_disbursements(session: Session, page: list[Disbursement]) -> Iterator[Effect]:
    aliases = [one.alias for one in page]
    lines = select_rows(BatchLine.disbursement_alias, BatchLine.batch_alias)
    batch_of = dict(session.exec(lines.where(col(BatchLine.disbursement_alias).in_(aliases))).all())
    found = session.exec(select_rows(Case).where(col(Case.alias).in_({one.case_alias for one in page})))
    cases = {case.alias: case for case in found}
    authors = corrections.authors_of(session, list(cases.values()))
    for one in page:
        case, batch = cases[one.case_alias], batch_of.get(one.alias)
        before = {one.requested_by, *authors[case.alias], case.verified_by}
        for step, signer, others in (
            ("approve", one.approved_by, before),
            ("release", one.released_by, {one.approved_by}),
        ):
            if signer is None:
                continue
            if batch is not None:  # agreed to with its batch, by somebody who took no step before with this line
                yield _effect("batch", batch, f"{step}_batch", signer, others)
            else:
                restated = {"amount": one.amount().decimal(), "currency": one.currency}
                restated |= {"payee_commitment": one.payee_commitment}
                yield _effect("disbursement", one.alias, f"{step}_disbursement", signer, others, **restated)


def _of_batches(page: list[Batch]) -> Iterator[Effect]:
    for one in page:
        restated = {"amount": one.amount().decimal(), "currency": one.currency, "payee_commitment": one.digest}
        if one.approved_by is not None:
            yield _effect("batch", one.alias, "approve_batch", one.approved_by, {one.requested_by}, **restated)
        if one.released_by is not None:
            yield _effect("batch", one.alias, "release_batch", one.released_by, {one.approved_by}, **restated)


def _of_payment_files(page: list[PaymentFile]) -> Iterator[Effect]:
    for one in page:
        restated = {"amount": one.amount().decimal(), "currency": one.currency, "payee_commitment": one.commitment}
        for verb, signer, others in (
            ("request_withdrawal", one.withdrawal_asked_by, set()),
            ("agree_withdrawal", one.withdrawn_by, {one.withdrawal_asked_by}),
        ):
            if signer is not None:
                yield _effect("payment_file", one.alias, verb, signer, others, **restated)


def _of_advances(session: Session, page: list[Advance]) -> Iterator[Effect]:
    for one in page:
        restated = {"amount": one.amount().decimal(), "currency": one.currency}
        restated |= {"payee_commitment": commitment_of(session, one)}
        if one.approved_by is not None:
            yield _effect("advance", one.alias, "approve_advance", one.approved_by, {one.requested_by}, **restated)
        if one.released_by is not None:
            yield _effect("advance", one.alias, "release_advance", one.released_by, {one.approved_by}, **restated)


def _of_agents(session: Session) -> Iterator[Effect]:
    for one in session.exec(select_rows(Agent).where(col(Agent.activated_by).is_not(None))):
        restated = {"amount": one.cap().decimal(), "currency": one.currency}
        restated |= {"payee_commitment": agents.commitment_of(one)}
        yield _effect("agent", one.alias, "activate_agent", one.activated_by or "", {one.added_by}, **restated)
    for repayment in session.exec(select_rows(Repayment).where(col(Repayment.approved_by).is_not(None))):
        restated = {"amount": repayment.amount().decimal(), "currency": repayment.currency}
        restated |= {"payee_commitment": outlays.commitment_of(repayment)}
        signer, others = repayment.approved_by or "", {repayment.requested_by}
        yield _effect("repayment", repayment.alias, "approve_outlay", signer, others, **restated)


def _of_movements(session: Session) -> Iterator[list[Effect]]:
    for page in paged(session, PurseMovement, PurseMovement.alias):
        found = []
        for one in page:
            restated = {"amount": one.amount().decimal(), "currency": one.currency}
            restated |= {"payee_commitment": purse_movements.commitment_of(one)}
            found.append(_effect("movement", one.alias, "tell_movement", one.requested_by, set(), **restated))
            if one.agreed_by is not None:
                signer, others = one.agreed_by, {one.requested_by}
                found.append(_effect("movement", one.alias, "approve_purse_movement", signer, others, **restated))
        yield found


def _of_resolutions(session: Session) -> Iterator[Effect]:
    for one, told in resolutions.listed(session):
        restated = {"amount": resolutions.restated_by(one).decimal(), "currency": one.currency, "version": one.number}
        restated |= {"payee_commitment": resolutions.commitment_of(one)}
        yield _effect("resolution", one.about, resolutions.verb_of_request(one), one.asked_by, set(), **restated)
        if told is not None:
            yield _effect("resolution", one.about, resolutions.verb_of(one), told.agreed_by, {one.asked_by}, **restated)


def _of_failures(session: Session) -> Iterator[Effect]:
    for one in session.exec(select_rows(LineFailure).where(col(LineFailure.agreed_by).is_not(None))):
        restated = {"payee_commitment": line_failures.commitment(one.because)}
        alias, signer = one.disbursement_alias, one.agreed_by or ""
        yield _effect("disbursement", alias, "agree_failure", signer, {one.told_by}, **restated)


def _of_transfers(page: list[Transfer]) -> Iterator[Effect]:
    for one in page:
        restated: dict[str, Any] = {"amount": one.amount().decimal(), "currency": one.currency}
        restated |= {"payee_commitment": one.commitment(), "evidence_commitments": one.evidence()}
        yield _effect("transfer", one.alias, "request_transfer", one.requested_by, set(), **restated)
        if one.approved_by is not None:
            yield _effect("transfer", one.alias, "approve_transfer", one.approved_by, {one.requested_by}, **restated)


def _of_conversions(session: Session, page: list[Conversion]) -> Iterator[Effect]:
    for one in page:
        restated = {"amount": one.sold().decimal(), "currency": one.currency}
        restated |= {"payee_commitment": conversions.commitment_of(session, one)}
        agreed = {one.approved_by, one.confirmed_by} - {None}
        for verb, signer, others in (
            ("approve_conversion", one.approved_by, {one.requested_by}),
            ("approve_conversion", one.confirmed_by, {one.requested_by, one.approved_by}),
            ("release_conversion", one.released_by, agreed),
        ):
            if signer is not None:
                yield _effect("conversion", one.alias, verb, signer, others, **restated)


def _of_refund_orders(page: list[RefundOrder]) -> Iterator[Effect]:
    for one in page:
        restated = {"amount": one.amount().decimal(), "currency": one.currency, "payee_commitment": one.commitment()}
        yield _effect("refund_order", one.alias, "request_refund", one.requested_by, set(), **restated)
        if one.approved_by is not None:
            yield _effect("refund_order", one.alias, "approve_refund", one.approved_by, {one.requested_by}, **restated)


def _of_purposes(session: Session) -> Iterator[Effect]:
    """Drafts and versions by the hash of what stands in their own rows."""
    drafts = {one.alias: one for one in session.exec(select_rows(PurposeDraft))}
    for draft in drafts.values():
        hashed = [purpose_texts.digest(draft.document)]
        yield _effect(
            "purpose_draft", draft.alias, "draft_purpose", draft.drafted_by, set(), evidence_commitments=hashed
        )
    for version in session.exec(select_rows(PurposeVersion)):
        hashed = [purpose_texts.digest(version.document)]
        others = {drafts[version.alias].drafted_by}
        yield _effect(
            "purpose", version.alias, "approve_purpose", version.approved_by, others, evidence_commitments=hashed
        )


def _of_assignments(session: Session, page: list[GiftAssignment]) -> Iterator[Effect]:
    aliases = [one.donation_alias for one in page]
    gifts = {gift.alias: gift for gift in session.exec(select_rows(Donation).where(col(Donation.alias).in_(aliases)))}
    for one in page:
        gift = gifts[one.donation_alias]
        left = gift.amount() - Money(one.refunded_minor, gift.currency)
        restated = {"amount": left.decimal(), "currency": gift.currency, "payee_commitment": one.commitment()}
        yield _effect("donation", one.donation_alias, "assign_gift", one.assigned_by, set(), **restated)


def _of_publications(session: Session) -> Iterator[Effect]:
    for draft in session.exec(select_rows(Draft)):
        yield _effect("publication", draft.alias, "draft_publication", draft.drafted_by, set())
    rows = session.exec(select_rows(Publication, Draft).join(Draft, col(Draft.alias) == Publication.alias))
    for publication, draft in rows:
        others = {draft.drafted_by}
        yield _effect("publication", publication.alias, "approve_publication", publication.approved_by, others)


def _of_sheets(session: Session) -> Iterator[Effect]:
    for sheet, review in sheets.listed(session):
        signed = {"evidence_commitments": [sheet.digest]}
        yield _effect("sheet", sheet.alias, "prepare_reconciliation", sheet.prepared_by, set(), **signed).at(
            sheet.prepared_at
        )
        if review is not None:
            others = {sheet.prepared_by}
            yield _effect("sheet", sheet.alias, "review_reconciliation", review.reviewed_by, others, **signed).at(
                review.reviewed_at
            )


def _of_clearings(session: Session) -> Iterator[Effect]:
    for said, agreement in clearings.listed(session):
        amount, note = said.amount(), said.note_commitment
        restated = {"payee_commitment": clearings.commitment_of(said), "currency": said.currency}
        restated |= {"amount": amount.decimal() if amount is not None else None}
        signed = restated | {"evidence_commitments": [note] if note is not None else []}
        yield _effect("clearing", said.alias, "clear_exception", said.asked_by, set(), **signed).at(said.asked_at)
        if agreement is not None:
            others, at = {said.asked_by}, agreement.agreed_at
            yield _effect("clearing", said.alias, "agree_clearing", agreement.agreed_by, others, **signed).at(at)


def _of_pairings(session: Session) -> Iterator[Effect]:
    for pairing, undone in matchings.listed(session):
        parts = matchings.parts_of(session, pairing.alias)
        keys = [one.source_key for one in parts if one.source_key is not None]
        entries = [one.entry_id for one in parts if one.entry_id is not None]
        restated = {"payee_commitment": matchings.commitment(lines=keys, entries=entries)}
        lines = session.exec(select_rows(StatementLine).where(col(StatementLine.source_key).in_(keys))).all()
        if lines:  # a pairing whose lines are gone is found by the check of pairings
            moved = matchings.came_and_went(lines)
            restated |= {"amount": moved.decimal(), "currency": moved.currency}
        if not pairing.automatic:
            at = pairing.paired_at
            yield _effect("pairing", pairing.alias, "match_lines", pairing.paired_by, set(), **restated).at(at)
        if undone is not None:
            verb = f"unmatch_lines:{undone.because}"
            signed = _effect("pairing", pairing.alias, "unmatch_lines", undone.undone_by, set(), act=verb, **restated)
            yield signed.at(undone.undone_at)
    for gift, line, entry, unbooked in unbookings.listed(session):
        if unbooked is not None:
            payee = matchings.commitment(lines=[line.source_key], entries=[entry.id])
            restated = {"act": f"unmatch_lines:{unbooked.because}", "payee_commitment": payee}
            signed = _effect("donation", gift.alias, "unmatch_lines", unbooked.undone_by, set(), **restated)
            yield signed.at(unbooked.undone_at)


CHECKS = (
    Check("rosters", "every roster follows the one before and is signed by its officers", find_rosters),
    Check("acts", "every signed act holds by the roster of its time and says what its row says", find_acts),
    Check("signed", "what was verified, agreed to, released, closed or published has its signed act", find_unsigned),
    Check("steered", "who put a case on hold or out has signed so", find_unsteered),
    Check("suspensions", "every signed suspension stands", find_suspensions),
    Check("keys", "every bearer key carries what a roster gave its operator, and not longer", find_keys),
    Check("four-eyes", "nobody took two steps that two people take", find_same_person),
)
