"""Refunds: what is owed back of aid that was paid, and what else left for it and is to come back.

It comes whole or in parts, to the fund or to the beneficiary, or two people give it up; see
docs/payments-that-come-back.md.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import references
from ledger.aid import cases, obligations
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.books import journal, recipes
from ledger.books.postings import Posting
from ledger.errors import Conflict, NotFound
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked


class Debtor(StrEnum):
    """Who owes it back: the authority whose ruling fell, or another organisation that had paid the same fine.

    The beneficiary, when the authority has paid it back to them; a payee of money that was no payment.
    """

    AUTHORITY = "authority"
    ORGANISATION = "organisation"
    BENEFICIARY = "beneficiary"
    PAYEE = "payee"


class OverRefund(Conflict):
    """More would be owed back than is left of what was paid; the amount is in minor units."""

    rule = "over_refund"


class UnknownRefund(NotFound):
    """No refund has this reference."""

    rule = "unknown_refund"


class NotWaiting(Conflict):
    """The refund is not what the verb needs: it was received or given up, or somebody else owes it."""

    rule = "refund_not_waiting"


_WAITING = text("received_on IS NULL")


class Refund(SQLModel, table=True):
    """A sum that is owed back; the bank's credit is to carry the reference (ISO 11649).

    One that comes in parts is as many refunds. `fund_code` is of money that was no payment; all else is of the fund
    that took the obligation on.
    """

    reference: str = Field(primary_key=True, max_length=25)
    obligation_alias: str = Field(foreign_key="obligation.alias", max_length=20, index=True)
    debtor: Debtor = Field(sa_type=enumeration(Debtor))
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    due_since: date
    received_on: date | None = None
    given_up_on: date | None = None
    fund_code: str | None = Field(default=None, foreign_key="fund.code", max_length=30)

    __table_args__ = (
        CheckConstraint("received_on IS NULL OR given_up_on IS NULL", name="received_or_given_up"),
        CheckConstraint("(debtor = 'payee') = (fund_code IS NOT NULL)", name="of_a_payees_fund"),
        *whole_minor("minor"),
        Index("refunds_by_age", "due_since", "reference", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    def amount(self) -> Money:
        """What is owed back."""
        return Money(self.minor, self.currency)

    def is_waiting(self) -> bool:
        """Whether it is still to come."""
        return self.received_on is None and self.given_up_on is None


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
    return _add(session, obligation, amount, debtor=debtor, on=on)


def expect_from_payee(session: Session, obligation: Obligation, amount: Money, *, fund: str, on: date) -> Refund:
    """Notes that `amount` of a fund, which the caller books, left for an obligation, and is to come back."""
    return _add(session, obligation, amount, debtor=Debtor.PAYEE, on=on, fund=fund)


def receive(
    session: Session,
    refund: Refund,
    *,
    source_key: str,
    leaf: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
    settles: Money | None = None,
    came: Money | None = None,
    beside: Sequence[Posting] = (),
) -> journal.Posted:
    """Books what the bank's line says: a refund has come, or the part of it that the line `settles`.

    `came` is what the line brought, when that is another currency; `beside` is what else it says: a fee that its bank
    took, or what came beyond.

    Raises:
        NotWaiting: it was received before, or given up. OverRefund: it settles more, or nothing.
    """
    obligation = obligations.require(session, refund.obligation_alias, lock=True)
    part = _part(session, refund, settles)
    come = _told(refund, part.amount(), obligation) | {"leaf": leaf, "came": came}
    is_authority = part.debtor is Debtor.AUTHORITY
    postings = recipes.refund_received(**come) if is_authority else recipes.recoverable_repaid(**come)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="refund_received" if is_authority else "recoverable_repaid",
        postings=[*postings, *beside],
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    part.received_on = on
    _follow(session, part, obligation, on=recorded_at.date())
    return posted


def keep_by_beneficiary(
    session: Session,
    refund: Refund,
    part: Money,
    *,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> Refund:
    """Books that the authority has paid a part of a refund, or all of it, to the beneficiary, who owes it now.

    Raises:
        NotWaiting, OverRefund: see there; or no authority owes it.
    """
    obligation = obligations.require(session, refund.obligation_alias, lock=True)
    if refund.debtor is not Debtor.AUTHORITY:
        raise NotWaiting("no authority owes it", obligation=obligation.alias)
    moved = _part(session, refund, part)
    journal.post(
        session,
        source_key=source_key,
        kind="refund_kept_by_beneficiary",
        postings=recipes.refund_kept_by_beneficiary(**_told(refund, part, obligation)),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    moved.debtor = Debtor.BENEFICIARY
    session.add(moved)
    session.flush()
    return moved


def give_up(
    session: Session,
    refund: Refund,
    part: Money,
    *,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
    rightly_kept: bool = False,
) -> Refund:
    """Books that a part of a refund, or all of it, will not come: left to the beneficiary as assistance, else lost.

    What a payee has `rightly_kept`, such as an authority its costs of what it gave back, is a cost of that assistance.

    Raises:
        NotWaiting, OverRefund: see there.
    """
    obligation = obligations.require(session, refund.obligation_alias, lock=True)
    lost = _part(session, refund, part)
    told = _told(refund, part, obligation)
    is_kept = rightly_kept and refund.debtor is Debtor.PAYEE and obligation.kind is not ObligationKind.BAIL
    is_left = is_kept or refund.debtor is Debtor.BENEFICIARY
    by_authority = refund.debtor is Debtor.AUTHORITY
    journal.post(
        session,
        source_key=source_key,
        kind="recoverable_kept" if is_kept else "recoverable_waived" if is_left else "recoverable_lost",
        postings=recipes.recoverable_waived(**told, kind=obligation.kind)
        if is_left
        else recipes.recoverable_lost(**told, by_authority=by_authority),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    lost.given_up_on = on
    _follow(session, lost, obligation, on=recorded_at.date())
    return lost


def void(session: Session, obligation: Obligation, amount: Money, *, on: date) -> None:
    """Notes, on the day `on`, that so much of what the authority owes back has come with the payment itself.

    The oldest first. What was never paid in the end is owed back by nobody: it counts among what was no payment.
    """
    fund = obligations.fund_of(obligation)
    for refund in of_obligation(session, obligation.alias):
        if amount.minor and refund.is_waiting():
            part = _part(session, refund, min(amount, refund.amount(), key=lambda one: one.minor))
            amount -= part.amount()
            part.debtor, part.fund_code, part.received_on = Debtor.PAYEE, fund, on
            session.add(part)
    session.flush()


def left(session: Session, obligation: Obligation) -> Money:
    """What was paid for an obligation and is not owed back, nor has come back."""
    expected = sum(one.minor for one in of_obligation(session, obligation.alias))
    return obligation.payable() - Money(expected, obligation.currency)


def of_obligation(session: Session, alias: str) -> list[Refund]:
    """What is owed back of what was paid for an obligation, the oldest first; not what was no payment of it."""
    query = select(Refund).where(Refund.obligation_alias == alias, Refund.debtor != Debtor.PAYEE)
    return sorted(session.exec(query), key=lambda one: (one.due_since, one.reference))


def require(session: Session, reference: str) -> Refund:
    """The refund with this reference, locked.

    Raises:
        UnknownRefund: there is none.
    """
    found = by_reference(session, reference)
    if found is None:
        raise UnknownRefund("no refund has this reference")
    return found


def by_reference(session: Session, reference: str) -> Refund | None:
    """The refund whose payment carries this reference, or None; locked."""
    return session.exec(locked(select(Refund).where(Refund.reference == reference))).one_or_none()


def listed(session: Session) -> list[tuple[Refund, Obligation]]:
    """All refunds with what they are of, by obligation."""
    query = select(Refund, Obligation).join(Obligation, col(Obligation.alias) == Refund.obligation_alias)
    return sorted(session.exec(query), key=lambda pair: (pair[1].alias, pair[0].due_since, pair[0].reference))


def _add(
    session: Session, obligation: Obligation, amount: Money, *, debtor: Debtor, on: date, fund: str | None = None
) -> Refund:
    refund = Refund(
        reference=references.draw(),
        obligation_alias=obligation.alias,
        debtor=debtor,
        minor=amount.minor,
        currency=amount.currency,
        due_since=on,
        fund_code=fund,
    )
    session.add(refund)
    session.flush()
    return refund


def _part(session: Session, refund: Refund, amount: Money | None) -> Refund:
    """The part of a waiting refund that an event is about, as a refund of its own; the rest keeps the reference."""
    if not refund.is_waiting():
        raise NotWaiting("the refund was received before, or given up", obligation=refund.obligation_alias)
    whole = refund.amount()
    if amount is None or amount == whole:
        return refund
    if amount.currency != whole.currency or not 0 < amount.minor < whole.minor:
        raise OverRefund(
            "more would come back than is owed", obligation=refund.obligation_alias, left_minor=refund.minor
        )
    refund.minor -= amount.minor
    part = Refund(**refund.model_dump() | {"reference": references.draw(), "minor": amount.minor})
    session.add_all([refund, part])
    session.flush()
    return part


def _told(refund: Refund, amount: Money, obligation: Obligation) -> dict[str, Any]:
    fund = refund.fund_code or obligations.fund_of(obligation)
    return {"amount": amount, "fund": fund, "obligation": obligation.alias, "case": obligation.case_alias}


def _follow(session: Session, part: Refund, obligation: Obligation, *, on: date) -> None:
    """What an obligation and its case make of a refund that waits no more."""
    session.add(part)
    session.flush()
    if part.debtor is Debtor.PAYEE:
        return
    if not any(one.is_waiting() for one in of_obligation(session, obligation.alias)):
        obligations.mark_refunded(session, obligation, wholly=not left(session, obligation).minor)
    obligations.follow(session, cases.require(session, obligation.case_alias, lock=True), on=on)
