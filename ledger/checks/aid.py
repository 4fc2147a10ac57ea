"""Checks of aid: states that fit together, payments after their rulings, batches that are what was locked."""

from collections.abc import Iterator, Sequence

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.aid import (
    bail_parts,
    batch_lines,
    batches,
    cases,
    disbursements,
    eligibility,
    jurisdictions,
    obligations,
    purse_movements,
    results,
)
from ledger.aid.bail import BailReturn
from ledger.aid.bail_parts import BailPart
from ledger.aid.batch_lines import BatchLine, items
from ledger.aid.batches import Batch, BatchAltered
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.hearings import Hearing
from ledger.aid.line_failures import LineFailure
from ledger.aid.obligations import Obligation, ObligationKind, State
from ledger.aid.purse_changes import Place, PurseChange
from ledger.aid.purse_movements import PurseMovement
from ledger.aid.quashing import Appeal, Outcome, Quashing
from ledger.aid.refunds import Debtor, Refund
from ledger.aid.rulings import Ruling
from ledger.books.journal import Entry
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.identities.shelves import Box
from ledger.references import is_reference

_PAID: set[State] = {State.PAID, State.REFUND_DUE, State.REFUNDED}
"""States of an obligation that was paid."""
_UNDER_WAY: set[State] = {State.APPROVED, *obligations.BOOKED} | _PAID
_ISSUED = (
    "disbursement",
    "advance",
    "advance_return",
    "refund",
    "bail_return",
    "purpose",
    "conversion",
    "outlay_repayment",
)
"""Tables with references of ours."""


def find_cases(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Cases whose state is not one that their obligations admit; side exits without their code or their original."""
    for page in paged(session, Case, Case.alias):
        query = select_rows(Obligation.case_alias, Obligation.state)
        states: dict[str, set[State]] = {case.alias: set() for case in page}
        for case_alias, state in session.exec(query.where(col(Obligation.case_alias).in_(states))):
            states[case_alias].add(State(state))
        proven = select_rows(Disbursement.case_alias).where(col(Disbursement.receipt_on).is_(None))
        proven = proven.where(Disbursement.state == disbursements.State.PAID)
        unproven = set(session.exec(proven.where(col(Disbursement.case_alias).in_(states))))
        for case in page:
            standing = case.resumes_as if case.state is cases.State.ON_HOLD else case.state
            fits = standing is not None and _fits(standing, states[case.alias])
            fits &= (case.state is cases.State.ON_HOLD) == (case.resumes_as is not None)
            fits &= (case.state is cases.State.REJECTED) == (case.rejection is not None)
            fits &= (case.state is cases.State.DUPLICATE) == (case.duplicate_of is not None)
            fits &= case.state is not cases.State.CONFIRMED or case.alias not in unproven
            if not fits:
                is_open = any(state in obligations.OPEN for state in states[case.alias])
                yield Finding("cases", "case", case.alias, {"state": case.state, "open": is_open})


def _fits(standing: cases.State, states: set[State]) -> bool:
    """Whether a case may stand there, on hold or not, with obligations in these states."""
    is_open = any(state in obligations.OPEN for state in states)
    if standing in {cases.State.RECEIVED, cases.State.VERIFIED, *cases.LEFT}:
        return not states & _UNDER_WAY
    if standing is cases.State.APPROVED:
        return is_open
    if standing is cases.State.CLOSED:
        return not is_open and State.REFUND_DUE not in states
    return not is_open and bool(states & _PAID)


def find_payments(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Obligations whose disbursements are not those that their state and their amount admit."""
    for page in paged(session, Obligation, Obligation.alias):
        standing = disbursements.standing(session, [one.alias for one in page])
        applied = bail_parts.applied(session, [one.alias for one in page])
        by_obligation: dict[str, list[Disbursement]] = {}
        for disbursement in standing:
            by_obligation.setdefault(disbursement.obligation_alias, []).append(disbursement)
        for obligation in page:
            found = by_obligation.get(obligation.alias, [])
            by_bail, payable = applied[obligation.alias], obligation.payable().minor
            asked = by_bail + sum(one.minor for one in found)
            paid = by_bail + sum(one.minor for one in found if one.state is disbursements.State.PAID)
            if asked > payable or not _is_paid(obligation, paid):
                facts: dict[str, Fact] = {"state": obligation.state, "disbursements": len(found)}
                facts |= {"payable_minor": payable, "asked_minor": asked, "paid_minor": paid}
                yield Finding("payments", "obligation", obligation.alias, facts)
            for one in found:
                promised = one.state is not disbursements.State.REQUESTED
                same_fund = obligation.fund_code == one.fund_code or not promised
                fits = one.minor > 0 and one.currency == obligation.currency
                if not fits or one.case_alias != obligation.case_alias or not same_fund:
                    yield Finding("payments", "disbursement", one.alias, {"minor": one.minor})


def find_returned(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payments called returned without the entry that booked it, or the other way round."""
    query = select_rows(Disbursement, Entry.kind).join(
        Entry, col(Entry.source_key) == Disbursement.returned_key, isouter=True
    )
    returned = disbursements.State.RETURNED
    query = query.where(or_(col(Disbursement.state) == returned, col(Disbursement.returned_key).is_not(None)))
    for one, kind in session.exec(query):
        booked = kind in {"aid_payment_returned", "bail_payment_returned"}
        if one.state is not returned or one.returned_on is None or not booked:
            yield Finding("returned", "disbursement", one.alias, {"state": one.state})


def _is_paid(obligation: Obligation, paid: int) -> bool:
    """Whether so much may be paid of an obligation where it stands."""
    if obligation.state in _PAID:
        return paid == obligation.payable().minor
    if obligation.state is State.PART_PAID:
        return 0 < paid < obligation.payable().minor
    return paid == 0


def find_unlawful(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payments before their ruling was in force, and releases of what nobody was told of: after, not before."""
    query = (
        select_rows(Disbursement, Ruling, Obligation, Case.jurisdiction)
        .join(Obligation, col(Obligation.alias) == Disbursement.obligation_alias)
        .join(Ruling, col(Ruling.alias) == Obligation.ruling_alias)
        .join(Case, col(Case.alias) == Ruling.case_alias)
        .where(col(Disbursement.released_on).is_not(None))
    )
    for disbursement, ruling, obligation, pack in session.exec(query.execution_options(yield_per=500)):
        kept = ruling.bounds()
        payable_from = eligibility.payable_from(jurisdictions.load(pack), kept, kind=obligation.kind)
        days = {"released_on": disbursement.released_on, "paid_on": disbursement.paid_on}
        for name, day in days.items():
            if day is not None and day < max(payable_from, kept.ruled_by):
                facts = {name: day.isoformat(), "payable_from": payable_from.isoformat()}
                yield Finding("after-not-before", "disbursement", disbursement.alias, facts)
        if obligation.told_on is None:
            yield Finding("after-not-before", "disbursement", disbursement.alias, {"where": "told_on"})


def find_altered_batches(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Batches whose lines are not those that were locked."""
    for page in paged(session, Batch, Batch.alias):
        for batch in page:
            found = items(session, batch.alias)
            if [item.line.number for item in found] != list(range(1, len(found) + 1)):
                yield Finding("batches", "batch", batch.alias, {"lines": len(found)})
            if batch.digest is None and batch.state not in {batches.State.DRAFT, batches.State.CANCELLED}:
                yield Finding("batches", "batch", batch.alias, {"state": batch.state})
            if batch.digest is not None:
                try:
                    batches.require_unaltered(batch, found)
                except BatchAltered:
                    yield Finding("batches", "batch", batch.alias, {"lines": len(found), "minor": batch.minor})


def find_quashed(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Obligations that do not stand as their ruling and their refunds say, and refunds that nobody owes."""
    fallen = {State.QUASHED, State.REFUND_DUE, State.REFUNDED}
    for page in paged(session, Obligation, Obligation.alias):
        of = {one.ruling_alias for one in page}
        quashings = select_rows(Quashing.ruling_alias).where(col(Quashing.ruling_alias).in_(of))
        reductions = select_rows(Appeal.ruling_alias).where(
            Appeal.outcome == Outcome.REDUCED, col(Appeal.ruling_alias).in_(of)
        )
        quashed, reduced = set(session.exec(quashings)), set(session.exec(reductions))
        owed_back = col(Refund.debtor) != Debtor.PAYEE  # what was no payment is for the control accounts
        mine: dict[str, list[Refund]] = {one.alias: [] for one in page}
        for refund in session.exec(select_rows(Refund).where(col(Refund.obligation_alias).in_(mine), owed_back)):
            mine[refund.obligation_alias].append(refund)
        for one in page:
            told = _told_by(mine[one.alias], one)
            is_quashed = one.ruling_alias in quashed
            fits = one.state is told if told is not None else one.state not in {State.REFUND_DUE, State.REFUNDED}
            fits &= not is_quashed or one.state in fallen
            fits &= is_quashed or one.state is not State.QUASHED
            by_authority = any(refund.debtor is not Debtor.ORGANISATION for refund in mine[one.alias])
            if not fits or (by_authority and one.ruling_alias not in quashed | reduced):
                yield Finding("quashed", "obligation", one.alias, {"state": one.state})


def find_receipts(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Lines called verified without a receipt where the pack has them kept, or with one that is not there."""
    kept = and_(col(Box.alias) == BatchLine.disbursement_alias, col(Box.commitment) == BatchLine.receipt_commitment)
    query = (
        select_rows(BatchLine, Case, Obligation.kind, Box.field)
        .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
        .join(Obligation, col(Obligation.alias) == Disbursement.obligation_alias)
        .join(Case, col(Case.alias) == Disbursement.case_alias)
        .join(Box, kept, isouter=True)
        .where(BatchLine.receipt == batch_lines.Receipt.VERIFIED)
    )
    for line, case, kind, field in session.exec(query.execution_options(yield_per=500)):
        waived = line.receipt_commitment is None and not results.keeps_receipt(case, kind)
        if field != "receipt" and not waived:
            yield Finding("receipts-kept", "disbursement", line.disbursement_alias, {"batch": line.batch_alias})


def find_failures(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Failures that two people agreed to of lines that have not failed."""
    query = (
        select_rows(LineFailure, BatchLine)
        .join(BatchLine, col(BatchLine.disbursement_alias) == LineFailure.disbursement_alias)
        .where(
            col(LineFailure.agreed_by).is_not(None), col(BatchLine.outcome).is_distinct_from(batch_lines.Outcome.FAILED)
        )
    )
    for failure, line in session.exec(query):
        yield Finding("failures", "disbursement", failure.disbursement_alias, {"outcome": line.outcome})


def find_movements(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Movements of purses booked without entry or changes, or the other way round, or decided by one person."""
    keys = select_rows(Entry.source_key)
    key = (col(PurseChange.movement_alias), col(PurseChange.agent_alias), col(PurseChange.currency))
    changes = select(*key, func.sum(PurseChange.minor)).where(col(PurseChange.place) != Place.OWED).group_by(*key)
    for page in paged(session, PurseMovement, PurseMovement.alias):
        posted = set(session.exec(keys.where(col(Entry.source_key).in_([f"purse:{one.alias}" for one in page]))))
        of_page = col(PurseChange.movement_alias).in_([one.alias for one in page])
        moved = {tuple(place): int(minor) for *place, minor in session.connection().execute(changes.where(of_page))}
        for one in page:
            booked = one.state is purse_movements.State.BOOKED
            decided_alone = booked and one.what in purse_movements.DECIDED and one.agreed_by is None
            changed = abs(moved.get((one.alias, one.agent_alias, one.currency), 0))
            if booked != (f"purse:{one.alias}" in posted) or decided_alone or changed != (one.minor if booked else 0):
                yield Finding("purse-movements", "movement", one.alias, {"state": one.state, "what": one.what})


def _told_by(expected: Sequence[Refund], obligation: Obligation) -> State | None:
    """Where the refunds of an obligation say that it stands; None without any."""
    if not expected:
        return None
    if any(refund.is_waiting() for refund in expected):
        return State.REFUND_DUE
    return State.REFUNDED if sum(refund.minor for refund in expected) == obligation.payable().minor else State.PAID


def find_references(session: Session, _tell: Tell) -> Iterator[Finding]:
    """References whose check digits are wrong, or that stand for two things. The references themselves are not told."""
    seen: set[str] = set()
    for name in _ISSUED:
        rows = SQLModel.metadata.tables[name]
        key = next(iter(rows.primary_key.columns))
        for place, (shown, reference) in enumerate(
            session.connection().execute(select(key, rows.c.reference)), start=1
        ):
            if not is_reference(reference) or reference in seen:
                told = str(place) if key.name == "reference" else shown
                yield Finding("references", name, told, {"valid": is_reference(reference)})
            seen.add(reference)


def find_agents(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Advances whose shares are not their sum."""
    advances = SQLModel.metadata.tables["advance"]
    shares = SQLModel.metadata.tables["advance_share"]
    query = (
        select(
            advances.c.alias,
            advances.c.minor,
            func.sum(shares.c.minor),
            advances.c.local_minor,
            func.sum(shares.c.local_minor),
        )
        .join(shares, shares.c.advance_alias == advances.c.alias, isouter=True)
        .group_by(advances.c.alias, advances.c.minor, advances.c.local_minor)
    )
    for alias, minor, shared, local, shared_local in session.connection().execute(query):
        if (minor, local or 0) != (shared, shared_local or 0):
            yield Finding("advances", "advance", alias, {"minor": minor, "shares_minor": int(shared or 0)})


def find_hearings(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Hearings, returns and parts of what is no bail that was posted."""
    for table in (Hearing, BailReturn, BailPart):
        query = (
            select_rows(Obligation.alias, Obligation.kind, Obligation.state)
            .join(table, col(table.obligation_alias) == Obligation.alias)
            .where(or_(col(Obligation.kind) != ObligationKind.BAIL, col(Obligation.state) != State.PAID))
            .distinct()
        )
        if table is BailReturn:
            query = query.where(col(BailReturn.withdrawn_on).is_(None))
        if table is Hearing:  # it was posted then, and the bank has given it back since
            gone = select_rows(Disbursement.obligation_alias).where(Disbursement.state == disbursements.State.RETURNED)
            query = query.where(col(Obligation.alias).not_in(gone))
        for alias, kind, state in session.exec(query):
            yield Finding("bail-posted", "obligation", alias, {"kind": kind, "state": state})


CHECKS = (
    Check("cases", "a case stands where its obligations say, and left with a code or for another case", find_cases),
    Check(
        "payments", "payments that stand are never over their obligation, which is paid as far as they", find_payments
    ),
    Check("returned", "what the bank gave back is booked, and called returned", find_returned),
    Check("after-not-before", "nothing was released or paid before its ruling was in force", find_unlawful),
    Check("batches", "the lines of a batch are those that were locked", find_altered_batches),
    Check(
        "quashed", "what is quashed or owed back rests on a ruling that fell, or on another who had paid", find_quashed
    ),
    Check("advances", "an advance is the sum of its shares", find_agents),
    Check("receipts-kept", "a receipt that counts as verified is kept where the pack asks for it", find_receipts),
    Check("failures", "a line that two people call failed has failed", find_failures),
    Check(
        "purse-movements", "a movement of a purse is booked when its state says so, a decision by two", find_movements
    ),
    Check("references", "our references are valid and name one thing", find_references),
    Check("bail-posted", "hearings, returns and parts are of bail that was posted", find_hearings),
)
