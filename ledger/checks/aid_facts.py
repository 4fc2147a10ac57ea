"""Checks of what rows of aid say beside their states: kinds and days as they were booked, signed for, or told twice."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy import exists
from sqlmodel import Session, col, select

from ledger.aid import assessments, eligibility, jurisdictions, results
from ledger.aid.assessments import Assessment
from ledger.aid.batch_lines import BatchLine, Item, items
from ledger.aid.batches import Batch
from ledger.aid.beneficiaries import Beneficiary
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.disbursements import State as PaymentState
from ledger.aid.intake import PERSON, RULING
from ledger.aid.obligations import Obligation, ObligationKind, State, recognition_key
from ledger.aid.results import EXCEPTION_OF, Early
from ledger.aid.rulings import Ruling
from ledger.approvals import SignedAct
from ledger.books.holds import Hold, HoldMovement, Move, Reserve
from ledger.books.journal import Entry, Line
from ledger.books.recipes.aid import AID_EXPENSE
from ledger.books.recipes.codes import OWED_TO_AGENTS
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.exceptions import OpenException
from ledger.identities.shelves import PersonKey, Token

_RECOGNISED = {State.RECOGNISED, State.PART_PAID, State.PAID, State.REFUND_DUE, State.REFUNDED}
"""States of an obligation whose expense was booked, unless it is bail."""


def find_untold(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Obligations of which somebody was told before ruling or approval, or after the expense was booked."""
    for page in paged(session, Obligation, Obligation.alias, col(Obligation.told_on).is_not(None)):
        rulings = _rulings(session, [one.ruling_alias for one in page])
        promised = select(col(Hold.held_for), col(Hold.placed_on)).order_by(col(Hold.placed_on).desc())
        promised = promised.where(Hold.reserves == Reserve.SPENDABLE, col(Hold.held_for).in_([o.alias for o in page]))
        approved_on = dict(session.exec(promised).all())  # of several the first stays
        booked = _recognitions(session, page)
        for one in page:
            earliest = max(rulings[one.ruling_alias].ruled_by, approved_on.get(one.alias, date.min))
            entry = booked.get(one.alias)
            if one.told_on is None or earliest <= one.told_on <= (entry.happened_on if entry else date.max):
                continue
            facts: dict[str, Fact] = {"told_on": one.told_on.isoformat(), "earliest": earliest.isoformat()}
            yield Finding("told", "obligation", one.alias, facts)


def find_kinds(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Obligations whose expense is booked as another kind, or is booked though they are bail, or is not booked."""
    for page in paged(session, Obligation, Obligation.alias):
        booked = _recognitions(session, page)
        lines = _accounts(session, [entry.id for entry in booked.values()])
        for one in page:
            entry = booked.get(one.alias)
            accounts = lines[entry.id] if entry is not None else set()
            if one.kind is ObligationKind.BAIL:
                fits = entry is None
            else:
                fits = AID_EXPENSE[one.kind] in accounts if entry is not None else one.state not in _RECOGNISED
            if not fits:
                yield Finding("kinds", "obligation", one.alias, {"kind": one.kind, "booked": entry is not None})


def find_payments(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payments whose day or place is not that of their entry."""
    for page in paged(session, Disbursement, Disbursement.alias, col(Disbursement.paid_on).is_not(None)):
        keys = _keys_of(session, page)
        query = select(Entry).where(col(Entry.source_key).in_(keys.values()))
        entries = {entry.source_key: entry for entry in session.exec(query)}
        leaves = _accounts(session, [entry.id for entry in entries.values()], whole=True)
        for one in page:
            entry = entries.get(keys.get(one.alias, ""))
            places = leaves[entry.id] if entry is not None else set()
            if entry is None or entry.happened_on != one.paid_on or not places & {one.account_code, OWED_TO_AGENTS}:
                yield Finding("paid", "disbursement", one.alias, {"booked": entry is not None})


def find_early(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payments by agents that came before force or release, of which no exception tells; or after their receipt."""
    told = select(OpenException.about).where(col(OpenException.difference).in_(EXCEPTION_OF.values()))
    known = set(session.exec(told))
    for page in paged(session, Batch, Batch.alias, col(Batch.agent_alias).is_not(None)):
        for batch in page:
            for item in items(session, batch.alias):
                for where in _wrong_result(item, known):
                    yield Finding("paid-early", "disbursement", item.disbursement.alias, {"where": where})


def _wrong_result(item: Item, known: Collection[str]) -> Iterator[str]:
    line, payment = item.line, item.disbursement
    early = results.early_for(item, paid_by=line.paid_by)
    enough = {EXCEPTION_OF[early], EXCEPTION_OF[Early.BEFORE_FORCE]} if early else set()
    if early is not None and not any(f"{difference}:{payment.alias}" in known for difference in enough):
        yield early
    if payment.state is PaymentState.PAID and line.verified_by != payment.paid_on:
        yield "verified_by"
    if line.verified_by is not None and line.paid_by is not None and line.verified_by < line.paid_by:
        yield "paid_by"


def find_days(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Cases whose deadline or arrival is another than their ruling, payments and acts say; rulings that cannot be."""
    for page in paged(session, Case, Case.alias):
        aliases = [case.alias for case in page]
        born = select(Beneficiary).where(col(Beneficiary.alias).in_({case.beneficiary_alias for case in page}))
        since = {one.alias: one.created_at.date() for one in session.exec(born)}
        acts = select(SignedAct.object, SignedAct.recorded_at)
        acts = acts.where(SignedAct.verb == "verify_case", col(SignedAct.object).in_(aliases))
        verified = {alias: at.date() for alias, at in session.exec(acts)}
        asked = select(col(Disbursement.case_alias), col(Disbursement.due_by)).where(
            col(Disbursement.case_alias).in_(aliases)
        )
        shown = {(alias, due_by) for alias, due_by in session.exec(asked)}
        ruled: dict[str, list[Ruling]] = {alias: [] for alias in aliases}
        for ruling in session.exec(select(Ruling).where(col(Ruling.case_alias).in_(aliases))):
            ruled[ruling.case_alias].append(ruling)
        for case in page:
            wrong = list(_wrong_days(case, ruled[case.alias], since=since[case.beneficiary_alias]))
            if case.received_on > verified.get(case.alias, date.max):
                wrong.append("received_on")
            if any(alias == case.alias and due_by != case.due_by for alias, due_by in shown):
                wrong.append("payment_due_by")
            for where in wrong:
                yield Finding("days", "case", case.alias, {"where": where})


def _wrong_days(case: Case, ruled: Sequence[Ruling], *, since: date) -> Iterator[str]:
    pack = jurisdictions.load(case.jurisdiction)
    if case.due_by != min((ruling.due_by for ruling in ruled), default=case.due_by):
        yield "due_by"
    if case.received_on < since:
        yield "received_on"
    for ruling in ruled:
        kept = ruling.bounds()
        if kept.payable_from < kept.ruled_by or not eligibility.at_grain(pack, kept):
            yield "bounds"
        listed = any(one.code == ruling.article for one in pack.articles)
        if ruling.region not in pack.regions or (case.verified_by is not None and not listed):
            yield "ruling"


def find_payees(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payments to somebody else than who approved them has signed; of a batch's lines its digest tells.

    Acts of before this was told say nothing of it.
    """
    for page in paged(session, Disbursement, Disbursement.alias, col(Disbursement.approved_by).is_not(None)):
        query = select(SignedAct).where(SignedAct.verb == "approve_disbursement")
        signed: dict[str, set[str]] = {one.alias: set() for one in page}
        for act in session.exec(query.where(col(SignedAct.object).in_(signed))):
            signed[act.object] |= {_detail(act)} - {""}
        for one in page:
            if signed[one.alias] - {one.payee}:
                yield Finding("payees", "disbursement", one.alias, {"payee": one.payee})


def _detail(act: SignedAct) -> str:
    try:
        said = json.loads(act.document)
    except ValueError:  # found by the check of acts
        return ""
    return str(said.get("act")).partition(":")[2] if isinstance(said, dict) else ""


def find_answered_otherwise(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Cases whose article or bounds are not those on which the rules answered what a verifier has signed."""
    for page in paged(session, Assessment, Assessment.case_alias):
        aliases = [one.case_alias for one in page]
        cases = {one.alias: one for one in session.exec(select(Case).where(col(Case.alias).in_(aliases)))}
        packs = {name: jurisdictions.load(name) for name in {one.jurisdiction for one in cases.values()}}
        known = {name: (pack, jurisdictions.digest(pack)) for name, pack in packs.items()}
        query = select(Obligation, Ruling).join(Ruling, col(Ruling.alias) == Obligation.ruling_alias)
        ruled: dict[str, dict[str, tuple[Obligation, Ruling]]] = {alias: {} for alias in aliases}
        for owed, ruling in session.exec(query.where(col(Obligation.case_alias).in_(aliases))):
            ruled[owed.case_alias][owed.alias] = (owed, ruling)
        for one in page:
            case = cases.get(one.case_alias)
            if case is None:  # found by the checks of acts
                continue
            pack, digest = known[case.jurisdiction]
            told = assessments.differing(case, one.document, ruled[case.alias], pack=pack, pack_digest=digest)
            for rule in told:
                yield Finding("rules-asked-again", "case", one.case_alias, {"where": rule})


def find_tokens(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Cases of people who are not erased, without the tokens by which a second application of theirs is found."""
    for field in (PERSON, RULING):
        query = select(Case.alias).where(
            exists().where(col(PersonKey.alias) == col(Case.beneficiary_alias)),
            ~exists().where(col(Token.alias) == col(Case.alias), col(Token.field) == field),
        )
        for alias in session.exec(query):
            yield Finding("tokens", "case", alias, {"where": field})


def _rulings(session: Session, aliases: Sequence[str]) -> dict[str, Ruling]:
    return {one.alias: one for one in session.exec(select(Ruling).where(col(Ruling.alias).in_(aliases)))}


def _recognitions(session: Session, page: Sequence[Obligation]) -> dict[str, Entry]:
    """By obligation: the entry of its expense, if there is one."""
    of = {recognition_key(one.alias): one.alias for one in page}
    return {of[entry.source_key]: entry for entry in session.exec(select(Entry).where(col(Entry.source_key).in_(of)))}


def _accounts(session: Session, entries: Sequence[int], *, whole: bool = False) -> Mapping[int, set[str]]:
    """By entry: the accounts of its lines, as codes without their leaves unless `whole`."""
    found: dict[int, set[str]] = {entry: set() for entry in entries}
    for entry, account in session.exec(select(Line.entry_id, Line.account_code).where(col(Line.entry_id).in_(found))):
        code = account.partition(":")[0]
        found[entry].add(account if whole and code != OWED_TO_AGENTS else code)
    return found


def _keys_of(session: Session, page: Sequence[Disbursement]) -> dict[str, str]:
    """By disbursement: the source key of the entry that paid it: it took the hold of the release, or is of its line.

    What was carried out after it had been ended is held anew.
    """
    of = {f"disbursement:{one.alias}:{step}": one.alias for one in page for step in ("released", "carried_out")}
    taken = select(HoldMovement.hold_key, HoldMovement.source_key)
    taken = taken.where(col(HoldMovement.hold_key).in_(of), HoldMovement.move == Move.CAPTURED)
    keys = {of[hold]: key for hold, key in session.exec(taken)}
    lines = select(BatchLine).where(col(BatchLine.disbursement_alias).in_(of.values()))
    for line in session.exec(lines):
        keys.setdefault(line.disbursement_alias, f"batch:{line.batch_alias}:{line.number}")
    return keys


CHECKS = (
    Check("told", "beneficiaries were told after ruling and approval, and before the expense", find_untold),
    Check("kinds", "the expense of an obligation is booked as its kind", find_kinds),
    Check("paid", "payments are of the day and the place of their entries", find_payments),
    Check("paid-early", "what an agent paid too early is an exception", find_early),
    Check("days", "deadlines, arrivals and rulings say the same wherever they stand", find_days),
    Check("payees", "payments go to whom their approver has signed: the authority, or the beneficiary", find_payees),
    Check(
        "rules-asked-again",
        "articles and bounds give the answers of rules that a verifier signed",
        find_answered_otherwise,
    ),
    Check("tokens", "a second application of the same person or ruling can be found", find_tokens),
)
