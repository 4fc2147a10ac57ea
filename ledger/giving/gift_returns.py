"""Gifts that go back from the bank: two people sign, the money is held on its leaf, and the bank's line books it.

What goes back is owed: an unidentified gift, a conditional one, a refund that did not reach a card. Or it was a gift:
then its fund must have it free.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import rfc8785
from sqlalchemy import CheckConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals, limits, references
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.books import accounts, holds, recipes, spending
from ledger.books.holds import NewHold, Reserve
from ledger.books.journal import Line, Posted
from ledger.books.postings import Posting
from ledger.errors import BadInput, Conflict, NotFound
from ledger.giving import donations, refund_orders, steps
from ledger.giving.donations import Donation, Source
from ledger.giving.donations import State as GiftState
from ledger.giving.steps import NewStep, NothingLeft, Step
from ledger.money import Money
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked

BANK = "1000"


class State(StrEnum):
    """Where it stands. Approved: the bank may be told. Paid: it has shown that the money left. Returned: it is back."""

    REQUESTED = "requested"
    APPROVED = "approved"
    PAID = "paid"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class UnknownGiftReturn(NotFound):
    """Nothing that goes back has this alias."""

    rule = "unknown_gift_return"


class BadGiftReturn(BadInput):
    """Not above zero, not from a bank leaf, or in another currency than the gift."""

    rule = "bad_gift_return"


class GiftReturnNotReady(Conflict):
    """It is not in the state the verb needs."""

    rule = "gift_return_not_ready"


class GiftReturn(SQLModel, table=True):
    """`minor` of a gift goes back from a bank leaf; `owed_code` is the account it is booked against.

    The giver's account stands in the sealed rest of the statement that brought the gift; `reference` is told the bank.
    """

    __tablename__ = "gift_return"
    alias: str = Field(primary_key=True, max_length=20)
    donation_alias: str = Field(foreign_key="donation.alias", max_length=20, index=True)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    owed_code: str = Field(foreign_key="account.code", max_length=45)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    state: State = Field(sa_type=enumeration(State))
    version: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    reference: str = Field(max_length=25, unique=True)
    requested_by: str = Field(max_length=20)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str | None = Field(default=None, max_length=20)
    approved_on: date | None = None
    paid_on: date | None = None
    returned_on: date | None = None

    __table_args__ = (
        CheckConstraint("minor > 0", name="gift_return_is_above_zero"),
        CheckConstraint("approved_by <> requested_by", name="gift_return_is_of_two_people"),
        CheckConstraint(
            "approved_by IS NOT NULL OR state IN ('requested', 'cancelled')", name="gift_return_leaves_when_approved"
        ),
        CheckConstraint("(state IN ('paid', 'returned')) = (paid_on IS NOT NULL)", name="gift_return_is_paid_on_a_day"),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """What goes back."""
        return Money(self.minor, self.currency)

    def commitment(self) -> str:
        """What an act about it restates beside its amount."""
        return commitment(donation=self.donation_alias, account=self.account_code, owed=self.owed_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGiftReturn:
    """What is asked for: `amount` of the gift `donation` goes back from the bank leaf `account`."""

    alias: str
    donation: str
    account: str
    amount: Money


def request(session: Session, new: NewGiftReturn, agreed: Agreed) -> GiftReturn:
    """Asks for a gift, or a part of it, to go back: the first signature, a treasurer's.

    Raises:
        AliasTaken, BadAlias, UnknownDonation, UnknownAccount, NotPostable, BadGiftReturn, and what `approvals.accept`
        raises. WrongState: the gift is not here, or its giver's bank calls it back. NothingLeft: less of it is left.
        Nothing was written.
    """
    check(new.alias, Kind.GIFT_RETURN)
    if session.get(GiftReturn, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    gift = donations.require(session, new.donation)
    if new.amount.minor <= 0 or new.amount.currency != gift.currency:
        raise BadGiftReturn("an amount is above zero, in the currency of the gift", where="amount")
    if accounts.postable(session, new.account, currency=gift.currency).parent_code != BANK:
        raise BadGiftReturn("a gift goes back from a bank leaf", where="account")
    owed = owed_on(gift)
    _require_left(session, gift, owed, new.amount)
    order = GiftReturn(
        alias=new.alias,
        donation_alias=gift.alias,
        account_code=new.account,
        owed_code=owed,
        fund_code=recipes.UNASSIGNED if owed == recipes.UNIDENTIFIED else gift.fund_code,
        state=State.REQUESTED,
        version=1,
        minor=new.amount.minor,
        currency=new.amount.currency,
        reference=references.draw(),
        requested_by=agreed.signer.alias,
        requested_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "request_gift_return", order)
        session.add(order)
        session.flush()
    return order


def approve(session: Session, alias: str, agreed: Agreed) -> GiftReturn:
    """Releases to the bank what another person asked for: the second signature, an approver's.

    Above the limit for a third person it stays requested until two of them have signed the very same thing.

    Raises:
        UnknownGiftReturn, GiftReturnNotReady, SamePerson, NotAgreed, OverLimit, WrongState, NothingLeft, WouldOverdraw,
        NoRate, and what `approvals.accept` raises. Nothing was written.
    """
    order = require(session, alias, lock=True)
    _require_state(order, State.REQUESTED)
    asked = {one.signer for one in approvals.of_object(session, alias) if one.verb == "request_gift_return"}
    approvals.require_other(agreed.signer.alias, than={order.requested_by, *asked})  # whatever the row says
    amount = order.amount()
    approvals.require_agreed(
        session, alias, verb="request_gift_return", amount=amount, payee_commitment=order.commitment()
    )
    gift = donations.require(session, order.donation_alias)
    if owed_on(gift) != order.owed_code:
        raise donations.WrongState("the gift is in another state", donation=gift.alias, state=gift.state)
    _require_left(session, gift, order.owed_code, amount, but=alias)
    with session.begin_nested():
        limits.require_within(session, agreed, verb="approve_gift_return", object_alias=alias, amount=amount)
        _accept(session, agreed, "approve_gift_return", order)
        if limits.is_enough(session, agreed):
            spending.reserve(session, _orders(order), on=agreed.now.date())
            order.approved_by, order.approved_on = agreed.signer.alias, agreed.now.date()
            _move(session, order, State.APPROVED)
    return order


def cancel(session: Session, alias: str, *, on: date) -> GiftReturn:
    """Gives up what the bank has not shown; should it leave all the same, its line opens an exception.

    Raises:
        UnknownGiftReturn. GiftReturnNotReady: it was paid, or cancelled before.
    """
    order = require(session, alias, lock=True)
    _require_state(order, State.REQUESTED, State.APPROVED)
    holds.void_for(session, alias, on=on)
    return _move(session, order, State.CANCELLED)


def pay(
    session: Session, order: GiftReturn, *, source_key: str, on: date, recorded_at: datetime, recorded_by: str
) -> Posted:
    """Books what the bank's line says: it left on the day `on`.

    Raises:
        GiftReturnNotReady: it was not approved, or is paid.
    """
    _require_state(order, State.APPROVED)
    gift = donations.require(session, order.donation_alias)
    for held in _orders(order):
        holds.capture(session, held.source_key, held.amount, source_key=f"{source_key}:{held.reserves}", on=on)
    order.paid_on = on
    _move(session, order, State.PAID)
    new = _leaving(gift, order, Step.SENT_BACK, source_key=source_key)
    posted = steps.take(session, gift, new, on=on, recorded_at=recorded_at, recorded_by=recorded_by)
    if order.owed_code == recipes.DONATION_REFUNDS:
        donations.refund(session, gift, order.amount())
    return posted


def come_back(
    session: Session, order: GiftReturn, *, source_key: str, on: date, recorded_at: datetime, recorded_by: str
) -> Posted:
    """Books that the bank has given back what was sent: it is owed, or a gift, again.

    Raises:
        GiftReturnNotReady: it was not paid.
    """
    _require_state(order, State.PAID)
    gift = donations.require(session, order.donation_alias)
    order.returned_on = on
    _move(session, order, State.RETURNED)
    if order.owed_code == recipes.DONATION_REFUNDS:
        donations.call_off_refund(session, gift, order.amount())
    # a gift without a purpose may have got one since
    fund = gift.fund_code if order.owed_code == recipes.DONATION_REFUNDS else order.fund_code
    new = NewStep(
        step=Step.CAME_BACK,
        amount=order.amount(),
        fund=fund,
        postings=_came_back(order, fund=fund),
        credit=order.owed_code,
        about=order.alias,
        source_key=source_key,
    )
    return steps.take(session, gift, new, on=on, recorded_at=recorded_at, recorded_by=recorded_by)


def take_back(
    session: Session,
    gift: Donation,
    amount: Money,
    *,
    leaf: str,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> Posted:
    """Books that the giver's bank has called back a gift that came by bank, or a part of it.

    Raises:
        WrongState: it did not come by bank, or is not here. NothingLeft: less of it is left.
    """
    if gift.source is not Source.BANK:
        raise donations.WrongState("the gift did not come by bank", donation=gift.alias, state=gift.state)
    owed = owed_on(gift)
    _require_left(session, gift, owed, amount)
    fund = recipes.UNASSIGNED if owed == recipes.UNIDENTIFIED else gift.fund_code
    new = NewStep(
        step=Step.TAKEN_BACK,
        amount=amount,
        fund=fund,
        postings=_left(owed, leaf=leaf, amount=amount, fund=fund, donation=gift.alias),
        debit=owed,
        source_key=source_key,
    )
    posted = steps.take(session, gift, new, on=on, recorded_at=recorded_at, recorded_by=recorded_by)
    if owed == recipes.DONATION_REFUNDS:
        donations.refund(session, gift, amount)
    return posted


def owed_on(gift: Donation) -> str:
    """The account that a gift which goes back from the bank is booked against.

    Raises:
        WrongState: nothing of it is here, or it is disputed.
    """
    if gift.source is Source.CARD and gift.state is not GiftState.PENDING:
        return recipes.DONOR_REFUNDS_PAYABLE
    by_state = {
        GiftState.UNIDENTIFIED: recipes.UNIDENTIFIED,
        GiftState.CONDITIONAL: recipes.CONDITIONAL_GIFTS,
        GiftState.RECEIVED: recipes.DONATION_REFUNDS,
        GiftState.MATCHED: recipes.DONATION_REFUNDS,
        GiftState.REFUNDED: recipes.DONATION_REFUNDS,
    }
    if gift.state not in by_state or gift.source is Source.IN_KIND:
        raise donations.WrongState("the gift is in another state", donation=gift.alias, state=gift.state)
    return by_state[gift.state]


def left_to_send(session: Session, gift: Donation, owed: str, *, but: str = "") -> Money:
    """What of a gift can still go back, or be matched: what is left less what is asked to go back (`but` one)."""
    promised = select(func.sum(GiftReturn.minor)).where(
        GiftReturn.donation_alias == gift.alias,
        GiftReturn.owed_code == owed,
        GiftReturn.alias != but,
        col(GiftReturn.state).in_((State.REQUESTED, State.APPROVED)),
    )
    asked = Money(int(session.exec(promised).one() or 0), gift.currency)
    if owed == recipes.DONATION_REFUNDS:
        given = steps.left(session, gift, recipes.DONATIONS)
        return given - Money(gift.refunded_minor, gift.currency) - asked
    if owed == recipes.DONOR_REFUNDS_PAYABLE:
        booked = select(func.sum(Line.minor)).where(
            Line.subject == gift.alias, Line.account_code == owed, Line.currency == gift.currency
        )
        owing = Money(-int(session.exec(booked).one() or 0), gift.currency)
        return owing - asked - refund_orders.ordered_by_bank(session, gift)
    return steps.left(session, gift, owed) - asked


def goes_back(session: Session, gift: Donation) -> bool:
    """Whether what is income of a gift, or a part of it, is asked to go back and the bank has not shown it."""
    query = select(GiftReturn.alias).where(
        GiftReturn.donation_alias == gift.alias,
        GiftReturn.owed_code == recipes.DONATION_REFUNDS,
        col(GiftReturn.state).in_((State.REQUESTED, State.APPROVED)),
    )
    return session.exec(query.limit(1)).first() is not None


def commitment(*, donation: str, account: str, owed: str) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of gift, leaf and the account it is owed on."""
    return hashlib.sha256(rfc8785.dumps(["gift return", donation, account, owed])).hexdigest()


def require(session: Session, alias: str, *, lock: bool = False) -> GiftReturn:
    """The order; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownGiftReturn: there is none.
    """
    query = select(GiftReturn).where(GiftReturn.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownGiftReturn("nothing that goes back has this alias")
    return found


def by_reference(session: Session, reference: str) -> GiftReturn | None:
    """What the bank was told with this reference, or None; locked."""
    return session.exec(locked(select(GiftReturn).where(GiftReturn.reference == reference))).one_or_none()


def listed(session: Session) -> Sequence[GiftReturn]:
    """All of them, oldest first."""
    return sorted(session.exec(select(GiftReturn)), key=lambda one: (one.requested_at, one.alias))


def _leaving(gift: Donation, order: GiftReturn, step: Step, *, source_key: str) -> NewStep:
    return NewStep(
        step=step,
        amount=order.amount(),
        fund=order.fund_code,
        postings=_left(
            order.owed_code,
            leaf=order.account_code,
            amount=order.amount(),
            fund=order.fund_code,
            donation=gift.alias,
        ),
        debit=order.owed_code,
        about=order.alias,
        source_key=source_key,
    )


def _left(owed: str, *, leaf: str, amount: Money, fund: str, donation: str) -> list[Posting]:
    """How it is booked that a gift goes back, by the account that it is owed on."""
    if owed == recipes.UNIDENTIFIED:
        return recipes.unidentified_sent_back(leaf=leaf, gift=amount, donation=donation)
    facts: dict[str, Any] = {"leaf": leaf, "fund": fund, "donation": donation}
    if owed == recipes.CONDITIONAL_GIFTS:
        return recipes.conditional_gift_returned(amount=amount, **facts)
    if owed == recipes.DONOR_REFUNDS_PAYABLE:
        return recipes.refund_paid_by_bank(refund=amount, **facts)
    return recipes.gift_refunded(refund=amount, **facts)


def _came_back(order: GiftReturn, *, fund: str) -> list[Posting]:
    """The other way round."""
    leaf, amount, donation = order.account_code, order.amount(), order.donation_alias
    if order.owed_code == recipes.UNIDENTIFIED:
        return recipes.bank_gift_unidentified(leaf=leaf, gift=amount, donation=donation)
    facts: dict[str, Any] = {"leaf": leaf, "fund": fund, "donation": donation}
    if order.owed_code == recipes.CONDITIONAL_GIFTS:
        return recipes.conditional_gift(gift=amount, **facts)
    if order.owed_code == recipes.DONOR_REFUNDS_PAYABLE:
        return recipes.refund_failed(refund=amount, **facts)
    return recipes.refund_cancelled(refund=amount, **facts)


def _orders(order: GiftReturn) -> list[NewHold]:
    """What is held from the approval to the bank's line: on the leaf, and of a fund that owed nothing before."""
    on_leaf = NewHold(
        source_key=f"gift-return:{order.alias}:leaf",
        reserves=Reserve.LEAF,
        amount=order.amount(),
        held_for=order.alias,
        account=order.account_code,
    )
    if order.owed_code != recipes.DONATION_REFUNDS:
        return [on_leaf]
    of_fund = NewHold(
        source_key=f"gift-return:{order.alias}:fund",
        reserves=Reserve.SPENDABLE,
        amount=order.amount(),
        held_for=order.alias,
        fund=order.fund_code,
    )
    return [on_leaf, of_fund]


def _require_left(session: Session, gift: Donation, owed: str, amount: Money, *, but: str = "") -> None:
    free = left_to_send(session, gift, owed, but=but)
    if free < amount:
        raise NothingLeft(
            "of the gift less is left",
            donation=gift.alias,
            account=owed,
            left_minor=free.minor,
            currency=gift.currency,
        )


def _accept(session: Session, agreed: Agreed, verb: Verb, order: GiftReturn) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=order.alias,
        version=order.version,
        amount=order.amount(),
        payee_commitment=order.commitment(),
    )


def _require_state(order: GiftReturn, *admitted: State) -> None:
    if order.state not in admitted:
        raise GiftReturnNotReady("it is in another state", gift_return=order.alias, state=order.state)


def _move(session: Session, order: GiftReturn, state: State) -> GiftReturn:
    order.state = state
    order.version += 1
    session.add(order)
    session.flush()
    return order
