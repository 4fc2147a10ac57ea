"""Checks of aid: states that fit together, payments after their rulings, batches that are what was locked."""

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.aid import bail, batches, cases, disbursements, obligations, purse_movements, quashing
from ledger.aid.bail import BailPart, BailReturn
from ledger.aid.batch_lines import BatchLine, Outcome, items
from ledger.aid.batches import Batch, BatchAltered
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.hearings import Hearing
from ledger.aid.line_failures import LineFailure
from ledger.aid.obligations import Obligation, ObligationKind, State
from ledger.aid.purse_changes import Place, PurseChange
from ledger.aid.purse_movements import PurseMovement
from ledger.aid.quashing import Refund
from ledger.aid.rulings import Ruling
from ledger.books.journal import Entry
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.references import is_reference

_PAID: set[State] = {State.PAID, State.REFUND_DUE, State.REFUNDED}
"""States of an obligation that was paid."""
_UNDER_WAY: set[State] = {State.APPROVED, State.RECOGNISED} | _PAID
_ISSUED = ("disbursement", "advance", "advance_return", "refund", "bail_return", "purpose", "conversion")
"""Tables with references of ours."""


def find_cases(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Cases that are paid while something is owed, or the other way round; rejections without a code."""
    for page in paged(session, Case, Case.alias):
        query = select_rows(Obligation.case_alias, Obligation.state)
        states: dict[str, set[State]] = {case.alias: set() for case in page}
        for case_alias, state in session.exec(query.where(col(Obligation.case_alias).in_(states))):
            states[case_alias].add(State(state))
        for case in page:
            is_open = any(state in obligations.OPEN for state in states[case.alias])
            under_way = states[case.alias] & _UNDER_WAY
            fits = {
                cases.State.RECEIVED: not under_way,
                cases.State.VERIFIED: not under_way,
                cases.State.REJECTED: not under_way,
                cases.State.APPROVED: is_open,
                cases.State.PAID: not is_open,
            }[case.state]
            if not fits or (case.state is cases.State.REJECTED) != (case.rejection is not None):
                yield Finding("cases", "case", case.alias, {"state": case.state, "open": is_open})


def find_payments(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Obligations whose disbursements are not those that their state and their amount admit."""
    for page in paged(session, Obligation, Obligation.alias):
        standing = disbursements.standing(session, [one.alias for one in page])
        applied = bail.paid_by_bail(session, [one.alias for one in page])
        by_obligation: dict[str, list[Disbursement]] = {}
        for disbursement in standing:
            by_obligation.setdefault(disbursement.obligation_alias, []).append(disbursement)
        for obligation in page:
            found = by_obligation.get(obligation.alias, [])
            paid = [one for one in found if one.state is disbursements.State.PAID] or obligation.alias in applied
            if len(found) > 1 or bool(paid) != (obligation.state in _PAID):
                facts: dict[str, Fact] = {"state": obligation.state, "disbursements": len(found), "paid": bool(paid)}
                yield Finding("payments", "obligation", obligation.alias, facts)
            for one in found:
                same_fund = obligation.fund_code in {None, one.fund_code}
                if one.amount() != obligation.amount() or one.case_alias != obligation.case_alias or not same_fund:
                    yield Finding("payments", "disbursement", one.alias, {"minor": one.minor})


def find_unlawful(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payments before their ruling was in force, and releases of what nobody was told of: after, not before."""
    query = (
        select_rows(Disbursement, Ruling, Obligation)
        .join(Obligation, col(Obligation.alias) == Disbursement.obligation_alias)
        .join(Ruling, col(Ruling.alias) == Obligation.ruling_alias)
        .where(col(Disbursement.released_on).is_not(None))
    )
    for disbursement, ruling, obligation in session.exec(query.execution_options(yield_per=500)):
        days = {"released_on": disbursement.released_on, "paid_on": disbursement.paid_on}
        for name, day in days.items():
            if day is not None and (day < ruling.payable_from or day < ruling.ruled_by):
                facts = {name: day.isoformat(), "payable_from": ruling.payable_from.isoformat()}
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
    """Obligations that are quashed or refunded without a quashed ruling, and the other way round."""
    fallen = {State.QUASHED, State.REFUND_DUE, State.REFUNDED}
    rulings = select_rows(quashing.Quashing.ruling_alias)
    for page in paged(session, Obligation, Obligation.alias):
        quashed = set(
            session.exec(rulings.where(col(quashing.Quashing.ruling_alias).in_({o.ruling_alias for o in page})))
        )
        mine = select_rows(Refund).where(col(Refund.obligation_alias).in_([one.alias for one in page]))
        refunds = {refund.obligation_alias: refund for refund in session.exec(mine)}
        for one in page:
            refund = refunds.get(one.alias)
            state = None if refund is None else (State.REFUND_DUE if refund.received_on is None else State.REFUNDED)
            told = one.state if one.state in fallen - {State.QUASHED} else None
            if (one.ruling_alias in quashed) != (one.state in fallen) or state != told:
                yield Finding("quashed", "obligation", one.alias, {"state": one.state})


def find_failures(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Failures that two people agreed to of lines that have not failed."""
    query = (
        select_rows(LineFailure, BatchLine)
        .join(BatchLine, col(BatchLine.disbursement_alias) == LineFailure.disbursement_alias)
        .where(col(LineFailure.agreed_by).is_not(None), col(BatchLine.outcome).is_distinct_from(Outcome.FAILED))
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
        for alias, kind, state in session.exec(query):
            yield Finding("bail-posted", "obligation", alias, {"kind": kind, "state": state})


CHECKS = (
    Check("cases", "a case is paid when everything it owes is paid or quashed, and rejected with a code", find_cases),
    Check("payments", "an obligation has one standing payment, of its whole amount, paid when it is", find_payments),
    Check("after-not-before", "nothing was released or paid before its ruling was in force", find_unlawful),
    Check("batches", "the lines of a batch are those that were locked", find_altered_batches),
    Check("quashed", "what is quashed or refunded rests on a quashed ruling", find_quashed),
    Check("advances", "an advance is the sum of its shares", find_agents),
    Check("failures", "a line that two people call failed has failed", find_failures),
    Check(
        "purse-movements", "a movement of a purse is booked when its state says so, a decision by two", find_movements
    ),
    Check("references", "our references are valid and name one thing", find_references),
    Check("bail-posted", "hearings, returns and parts are of bail that was posted", find_hearings),
)
