"""Refunds: what is owed back of aid that was paid, by the authority or by an organisation that paid the same."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import references
from ledger.aid import cases, obligations
from ledger.aid.obligations import Obligation
from ledger.books import journal, recipes
from ledger.errors import Conflict
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked


class Debtor(StrEnum):
    """Who owes it back: the authority whose ruling fell, or another organisation that had paid the same fine."""

    AUTHORITY = "authority"
    ORGANISATION = "organisation"


class OverRefund(Conflict):
    """More would be owed back than is left of what was paid; the amount is in minor units."""

    rule = "over_refund"


_WAITING = text("received_on IS NULL")


class Refund(SQLModel, table=True):
    """A sum that is owed back; the bank's credit is to carry the reference (ISO 11649)."""

    reference: str = Field(primary_key=True, max_length=25)
    obligation_alias: str = Field(foreign_key="obligation.alias", max_length=20, index=True)
    debtor: Debtor = Field(sa_type=enumeration(Debtor))
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    due_since: date
    received_on: date | None = None

    __table_args__ = (
        *whole_minor("minor"),
        Index("refunds_by_age", "due_since", "reference", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    def amount(self) -> Money:
        """What is owed back."""
        return Money(self.minor, self.currency)


def expect(
    session: Session,
    obligation: Obligation,
    amount: Money,
    *,
    debtor: Debtor,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> Refund:
    """Books that `amount` of what was paid for a locked obligation is owed back, and draws the refund's reference.

    Raises:
        ObligationNotReady: nothing was paid, or all came back. OverRefund: it is not above zero, or more than is left.
    """
    rest = left(session, obligation)
    if amount.currency != rest.currency or not 0 < amount.minor <= rest.minor:
        raise OverRefund("more would come back than was paid", obligation=obligation.alias, left_minor=rest.minor)
    told: dict[str, Any] = {
        "kind": obligation.kind,
        "amount": amount,
        "fund": obligations.fund_of(obligation),
        "obligation": obligation.alias,
        "case": obligation.case_alias,
        "earlier_year": obligations.recognised_on(session, obligation).year < on.year,
    }
    is_authority = debtor is Debtor.AUTHORITY
    obligations.owe_back(session, obligation)
    journal.post(
        session,
        source_key=source_key,
        kind="refund_due" if is_authority else "duplicate_acknowledged",
        postings=recipes.refund_due(**told) if is_authority else recipes.duplicate_acknowledged(**told),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    refund = Refund(
        reference=references.draw(),
        obligation_alias=obligation.alias,
        debtor=debtor,
        minor=amount.minor,
        currency=amount.currency,
        due_since=on,
    )
    session.add(refund)
    session.flush()
    return refund


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
    """Books what the bank's line says: the whole of a refund has come.

    Raises:
        ObligationNotReady: it was received before.
    """
    obligation = obligations.require(session, refund.obligation_alias, lock=True)
    if refund.received_on is not None:
        raise obligations.ObligationNotReady("the refund was received before", obligation=obligation.alias)
    come: dict[str, Any] = {
        "leaf": leaf,
        "amount": refund.amount(),
        "fund": obligations.fund_of(obligation),
        "obligation": obligation.alias,
        "case": obligation.case_alias,
    }
    is_authority = refund.debtor is Debtor.AUTHORITY
    posted = journal.post(
        session,
        source_key=source_key,
        kind="refund_received" if is_authority else "recoverable_repaid",
        postings=recipes.refund_received(**come) if is_authority else recipes.recoverable_repaid(**come),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    refund.received_on = on
    session.add(refund)
    session.flush()
    expected = of_obligation(session, obligation.alias)
    if all(one.received_on is not None for one in expected):
        obligations.mark_refunded(session, obligation, wholly=not left(session, obligation).minor)
    obligations.follow(session, cases.require(session, obligation.case_alias, lock=True), on=recorded_at.date())
    return posted


def left(session: Session, obligation: Obligation) -> Money:
    """What was paid for an obligation and is not owed back, nor has come back."""
    expected = sum(one.minor for one in of_obligation(session, obligation.alias))
    return obligation.payable() - Money(expected, obligation.currency)


def of_obligation(session: Session, alias: str) -> list[Refund]:
    """The refunds of an obligation, the oldest first."""
    found = session.exec(select(Refund).where(Refund.obligation_alias == alias)).all()
    return sorted(found, key=lambda one: (one.due_since, one.reference))


def by_reference(session: Session, reference: str) -> Refund | None:
    """The refund whose payment carries this reference, or None; locked."""
    return session.exec(locked(select(Refund).where(Refund.reference == reference))).one_or_none()


def listed(session: Session) -> list[tuple[Refund, Obligation]]:
    """All refunds with what they are of, by obligation."""
    query = select(Refund, Obligation).join(Obligation, col(Obligation.alias) == Refund.obligation_alias)
    return sorted(session.exec(query), key=lambda pair: (pair[1].alias, pair[0].due_since, pair[0].reference))
