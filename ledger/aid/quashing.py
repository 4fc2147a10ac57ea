"""Quashing: a ruling falls away. What was not paid is not owed any more; what was paid, the authority owes back."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Field, Session, SQLModel, col, select

from ledger import references
from ledger.aid import cases, disbursements, obligations
from ledger.aid.obligations import Obligation, State
from ledger.aid.rulings import Ruling
from ledger.books import journal, recipes
from ledger.errors import Conflict, NotFound
from ledger.money import Money
from ledger.storage.locks import locked


class UnknownRuling(NotFound):
    """No ruling has this alias."""

    rule = "unknown_ruling"


class AlreadyQuashed(Conflict):
    """The ruling was quashed before."""

    rule = "already_quashed"


class MoneyUnderWay(Conflict):
    """A payment for it was released: quash it when the bank or the agent has told what became of it."""

    rule = "money_under_way"


class Quashing(SQLModel, table=True):
    """That a ruling was quashed, who says so, and when that was recorded."""

    ruling_alias: str = Field(foreign_key="ruling.alias", primary_key=True, max_length=20)
    quashed_by: str = Field(max_length=20)
    recorded_on: date


class Refund(SQLModel, table=True):
    """What the authority owes back for one obligation; the bank's credit is to carry the reference (ISO 11649)."""

    obligation_alias: str = Field(foreign_key="obligation.alias", primary_key=True, max_length=20)
    reference: str = Field(max_length=25, unique=True)
    due_since: date
    received_on: date | None = None


def quash(session: Session, ruling: Ruling, *, by: str, on: date, recorded_at: datetime) -> list[Obligation]:
    """Takes back what the ruling's obligations had led to, on the day `on`; a payment not released yet is cancelled.

    Raises:
        AlreadyQuashed: see there. MoneyUnderWay: a payment was released and neither paid nor failed. Nothing was done.
    """
    found = session.exec(select(Obligation.alias).where(Obligation.ruling_alias == ruling.alias)).all()
    paying = disbursements.standing(session, found, lock=True)
    if session.get(Quashing, ruling.alias) is not None:
        raise AlreadyQuashed("the ruling was quashed before", ruling=ruling.alias)
    if any(one.state is disbursements.State.RELEASED for one in paying):
        raise MoneyUnderWay("a payment for it was released", ruling=ruling.alias)
    for disbursement in paying:
        if disbursement.state is not disbursements.State.PAID:
            disbursements.cancel(session, disbursement, on=on)
    owed = [obligations.require(session, alias, lock=True) for alias in sorted(found)]
    for disbursement in disbursements.standing(session, found):  # asked for while nobody held the obligation
        if disbursement.state is disbursements.State.REQUESTED:
            disbursements.cancel(session, disbursement, on=on)
    for obligation in owed:
        _take_back(session, obligation, by=by, on=on, recorded_at=recorded_at)
    session.add(Quashing(ruling_alias=ruling.alias, quashed_by=by, recorded_on=on))
    session.flush()
    case = cases.require(session, ruling.case_alias, lock=True)
    if case.state is cases.State.APPROVED and obligations.all_paid(session, case.alias):
        cases.mark_paid(session, case)
    return owed


def receive(
    session: Session,
    refund: Refund,
    *,
    source_key: str,
    leaf: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books what the bank's line says: the authority has paid back the whole of what it owed.

    Raises:
        ObligationNotReady: it was received before.
    """
    obligation = obligations.require(session, refund.obligation_alias, lock=True)
    obligations.quash(session, obligation, State.REFUNDED)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="refund_received",
        postings=recipes.refund_received(
            leaf=leaf,
            amount=obligation.amount(),
            fund=_fund(obligation),
            obligation=obligation.alias,
            case=obligation.case_alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    refund.received_on = on
    session.add(refund)
    session.flush()
    return posted


def owed_by(session: Session, refund: Refund) -> Money:
    """What the authority owes back."""
    return obligations.require(session, refund.obligation_alias).amount()


def by_reference(session: Session, reference: str) -> Refund | None:
    """The refund whose payment carries this reference, or None; locked."""
    return session.exec(locked(select(Refund).where(Refund.reference == reference))).one_or_none()


def listed(session: Session) -> list[tuple[Refund, Obligation]]:
    """All refunds with what they are of, by obligation."""
    query = select(Refund, Obligation).join(Obligation, col(Obligation.alias) == Refund.obligation_alias)
    return sorted(session.exec(query), key=lambda pair: pair[1].alias)


def require_ruling(session: Session, alias: str) -> Ruling:
    """The ruling.

    Raises:
        UnknownRuling: there is none.
    """
    ruling = session.get(Ruling, alias)
    if ruling is None:
        raise UnknownRuling("no ruling has this alias")
    return ruling


def _take_back(session: Session, obligation: Obligation, *, by: str, on: date, recorded_at: datetime) -> None:
    if obligation.state in {State.DUE, State.APPROVED}:
        obligations.quash(session, obligation, State.QUASHED)
        return
    recognised_on = obligations.recognised_on(session, obligation)
    earlier_year = recognised_on.year < on.year
    told: dict[str, Any] = {
        "kind": obligation.kind,
        "amount": obligation.amount(),
        "fund": _fund(obligation),
        "obligation": obligation.alias,
        "case": obligation.case_alias,
        "earlier_year": earlier_year,
    }
    paid = obligation.state is State.PAID
    journal.post(
        session,
        source_key=f"obligation:{obligation.alias}:quashed",
        kind="refund_due" if paid else "aid_cancelled",
        postings=recipes.refund_due(**told) if paid else recipes.aid_cancelled(**told, rate_on=recognised_on),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=by,
    )
    obligations.quash(session, obligation, State.REFUND_DUE if paid else State.QUASHED)
    if paid:
        session.add(Refund(obligation_alias=obligation.alias, reference=references.draw(), due_since=on))
        session.flush()


def _fund(obligation: Obligation) -> str:
    """The fund that took it on: whoever recognised it knew one."""
    if obligation.fund_code is None:
        raise obligations.ObligationNotReady("no fund took it on", obligation=obligation.alias)
    return obligation.fund_code
