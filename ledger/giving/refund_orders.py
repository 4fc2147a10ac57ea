"""Refund orders: two people sign that a gift by card, or a part of it, goes back. A job tells the processor.

Nothing is booked here: what goes back is booked from the processor's balance transaction, as everything it moves. What
came back to the processor and is still owed goes by bank: see `bank_refunds`.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import rfc8785
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.books import holds
from ledger.books.holds import NewHold, Reserve
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.giving import bookings, donations
from ledger.giving.donations import Donation
from ledger.giving.leaves import PROCESSOR, find_leaf
from ledger.giving.movements import Category, ReceivedMovement
from ledger.money import Money, exponent
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked


class State(StrEnum):
    """Where an order stands. Sending: the processor is being told. From pending on the words are the processor's own.

    Refused: the processor does not do it. Withdrawn: we gave it up before it was sent.
    """

    REQUESTED = "requested"
    APPROVED = "approved"
    SENDING = "sending"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_THREE_DECIMALS = 3
OVER = (State.FAILED, State.CANCELED, State.REFUSED, State.WITHDRAWN)
"""Nothing goes back by an order in one of these."""


class UnknownRefundOrder(NotFound):
    """No refund order has this alias."""

    rule = "unknown_refund_order"


class BadRefundOrder(BadInput):
    """Not above zero, or in another currency than the gift."""

    rule = "bad_refund_order"


class RefundOrderNotReady(Conflict):
    """The order is not in the state the verb needs."""

    rule = "refund_order_not_ready"


class NotRefundable(Refused):
    """The gift did not come by card, its giver's bank calls it back, or less of it is left, or owed; in minor units."""

    rule = "not_refundable"


class RefundOrder(SQLModel, table=True):
    """`minor` of a gift is to go back; `refund` is the processor's id of it, once it was told.

    From the second signature until the refund is booked, what goes by card is held on its fund and on its leaf.
    `by_bank` goes what the processor could not give back and is owed, from the bank leaf `account_code`: it is told of
    no processor. Orders of older versions name no leaf, and nothing is held for them.
    """

    __tablename__ = "refund_order"
    alias: str = Field(primary_key=True, max_length=20)
    donation_alias: str = Field(foreign_key="donation.alias", max_length=20, index=True)
    state: State = Field(sa_type=enumeration(State), index=True)
    version: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    requested_by: str = Field(max_length=20)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str | None = Field(default=None, max_length=20)
    refund: str | None = Field(default=None, max_length=64, unique=True)
    by_bank: bool = False
    account_code: str | None = Field(default=None, foreign_key="account.code", max_length=45)

    __table_args__ = (
        CheckConstraint("minor > 0", name="refund_order_is_above_zero"),
        CheckConstraint("approved_by <> requested_by", name="refund_order_is_of_two_people"),
        CheckConstraint(
            "approved_by IS NOT NULL OR state IN ('requested', 'withdrawn')", name="refund_order_is_sent_when_approved"
        ),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """What is to go back."""
        return Money(self.minor, self.currency)

    def commitment(self) -> str:
        """What an act about it restates beside its amount."""
        return commitment(self.donation_alias, by_bank=self.by_bank, account=self.account_code)


def request(session: Session, alias: str, *, donation: str, amount: Money, agreed: Agreed) -> RefundOrder:
    """Asks for a gift by card, or a part of it, to go back: the first signature, a treasurer's.

    Raises:
        What `enter` raises. NotRefundable: see there. BadRefundOrder: of a currency with three decimals the processor
        gives back tens of the smallest unit. Nothing was written.
    """
    gift = donations.require(session, donation)
    if exponent(amount.currency) == _THREE_DECIMALS and amount.minor % 10:
        raise BadRefundOrder("the processor gives back whole tens of the smallest unit", where="amount")
    return enter(session, alias, gift=gift, amount=amount, agreed=agreed, require=_require_left)


def enter(
    session: Session,
    alias: str,
    *,
    gift: Donation,
    amount: Money,
    agreed: Agreed,
    require: Callable[[Session, Donation, Money], None],
    account: str | None = None,
) -> RefundOrder:
    """Keeps what somebody asks for, with their signature; by bank when it names a leaf. The gift's row is locked.

    Raises:
        AliasTaken, BadAlias, BadRefundOrder, and what `require` and `approvals.accept` raise. Nothing was written.
    """
    check(alias, Kind.REFUND_ORDER)
    if session.get(RefundOrder, alias) is not None:
        raise AliasTaken("the alias is taken")
    if amount.minor <= 0 or amount.currency != gift.currency:
        raise BadRefundOrder("an amount is above zero, in the currency of the gift", where="amount")
    require(session, gift, amount)
    order = RefundOrder(
        alias=alias,
        donation_alias=gift.alias,
        state=State.REQUESTED,
        version=1,
        minor=amount.minor,
        currency=amount.currency,
        requested_by=agreed.signer.alias,
        requested_at=agreed.now,
        by_bank=account is not None,
        account_code=account,
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "request_refund", order)
        session.add(order)
        session.flush()
    return order


def approve(session: Session, alias: str, agreed: Agreed) -> RefundOrder:
    """Agrees to what another person asked for: the second signature, an approver's.

    One that goes by bank is agreed to by `bank_refunds.approve`.

    Raises:
        UnknownRefundOrder, RefundOrderNotReady, SamePerson, NotAgreed, and what `approvals.accept` raises. Nothing was
        written.
    """
    order = require(session, alias, lock=True)
    _require_state(order, State.REQUESTED)
    signers = {kept.signer for kept in approvals.of_object(session, alias)}  # whatever the row says
    approvals.require_other(agreed.signer.alias, than={order.requested_by, *signers})
    _require_signed(session, order, "request_refund")
    with session.begin_nested():
        _accept(session, agreed, "approve_refund", order)
        order.approved_by = agreed.signer.alias
        _move(session, order, State.APPROVED)
    return order


def withdraw(session: Session, alias: str, *, on: date) -> RefundOrder:
    """Gives up an order that was not sent; nothing is held for it any more.

    Raises:
        UnknownRefundOrder. RefundOrderNotReady: the processor may know of it.
    """
    order = require(session, alias, lock=True)
    _require_state(order, State.REQUESTED, State.APPROVED)
    holds.void_for(session, alias, on=on)
    return _move(session, order, State.WITHDRAWN)


def begin_sending(session: Session, alias: str) -> tuple[RefundOrder, str]:
    """Takes an order up for sending, or takes it up again, and gives the charge that it is about.

    Both signatures are checked once more, and the charge is the one that was received, whatever the rows say now.

    Raises:
        UnknownRefundOrder, RefundOrderNotReady. NotAgreed: no two signatures cover what stands here. NotRefundable: the
        giver's bank has called the gift back since.
    """
    order = require_agreed(session, alias, State.APPROVED, State.SENDING)
    if order.by_bank:
        raise RefundOrderNotReady("the order goes by bank", refund_order=alias, state=order.state)
    gift = donations.find(session, order.donation_alias, lock=True)
    charge = _received_charge(session, gift) if gift else None
    if gift is None or charge is None:
        raise NotRefundable("the gift did not come by card", donation=order.donation_alias)
    if order.state is State.APPROVED:
        _require_undisputed(gift)
        _move(session, order, State.SENDING)
    return order, charge


def require_agreed(session: Session, alias: str, *admitted: State) -> RefundOrder:
    """The order, which nobody else changes until the transaction ends; both signatures are checked once more.

    Raises:
        UnknownRefundOrder, RefundOrderNotReady. NotAgreed: no two signatures cover what stands here.
    """
    order = require(session, alias, lock=True)
    _require_state(order, *admitted)
    asked, agreed = (_signers(session, order, verb) for verb in ("request_refund", "approve_refund"))
    if not any(one != other for one in asked for other in agreed):
        raise approvals.NotAgreed("no two kept signatures cover what stands here", object=alias, verb="approve_refund")
    return order


def note(session: Session, alias: str, *, state: State, refund: str | None, on: date) -> RefundOrder:
    """Notes what the processor says of an order that it was told of.

    What is held for it is free when nothing goes back by it, and taken when the refund is booked already.

    Raises:
        UnknownRefundOrder. RefundOrderNotReady: it was not told, or told another refund.
    """
    order = require(session, alias, lock=True)
    _require_state(order, State.SENDING, State.PENDING, State.SUCCEEDED)
    if order.refund not in {None, refund}:
        raise RefundOrderNotReady("the order is another refund", refund_order=alias, state=order.state)
    order.refund = refund
    if state in OVER:
        holds.void_for(session, alias, on=on)
    elif refund is not None and (Category.REFUND, refund) in bookings.booked_sources(session, [refund]):
        _take_held(session, order, on=on)
    return order if order.state is state else _move(session, order, state)


def note_booked(session: Session, refund: str, *, on: date) -> None:
    """Takes what is held for the order that a refund carries out, as its movement is booked; there may be none."""
    order = session.exec(locked(select(RefundOrder).where(RefundOrder.refund == refund))).one_or_none()
    if order is not None:
        _take_held(session, order, on=on)


def _take_held(session: Session, order: RefundOrder, *, on: date) -> None:
    for held in holds.open_for(session, order.alias):
        key = f"{held.source_key}:booked"
        holds.capture(session, held.source_key, holds.left(session, held), source_key=key, on=on)


def holds_of(session: Session, order: RefundOrder) -> list[NewHold]:
    """What an order by card sets aside until its refund is booked: of the gift's fund, and on the processor's leaf.

    Raises:
        NotRefundable: the chart has no open leaf for it.
    """
    leaf = find_leaf(session, PROCESSOR, currency=order.currency)
    if leaf is None:
        raise NotRefundable("no leaf holds the gift's currency", donation=order.donation_alias)
    fund = session.get_one(Donation, order.donation_alias).fund_code
    facts: dict[str, Any] = {"amount": order.amount(), "held_for": order.alias}
    key = f"refund:{order.alias}"
    return [
        NewHold(source_key=f"{key}:leaf", reserves=Reserve.LEAF, account=leaf, **facts),
        NewHold(source_key=f"{key}:fund", reserves=Reserve.SPENDABLE, fund=fund, **facts),
    ]


def is_under_way(session: Session, order: RefundOrder) -> bool:
    """Whether an order by card is agreed to, and its refund is neither booked nor given up."""
    if order.by_bank or order.state in {*OVER, State.REQUESTED}:
        return False
    return order.refund is None or (Category.REFUND, order.refund) not in bookings.booked_sources(
        session, [order.refund]
    )


def goes_back(session: Session, gift: Donation) -> bool:
    """Whether an order stands for the gift, or a part of it, that no booked refund has carried out yet."""
    return gift.charge is not None and _ordered_minor(session, gift) > 0


def commitment(donation: str, *, by_bank: bool = False, account: str | None = None) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of the way, the gift's alias and the leaf."""
    leaf = [account] if account is not None else []
    return hashlib.sha256(rfc8785.dumps(["refund by bank" if by_bank else "refund", donation, *leaf])).hexdigest()


def ordered_by_bank(session: Session, gift: Donation) -> Money:
    """What of a gift orders by bank send back that the bank has not shown."""
    orders = select(RefundOrder).where(RefundOrder.donation_alias == gift.alias, col(RefundOrder.by_bank))
    waiting = (one.minor for one in session.exec(orders) if one.state not in {*OVER, State.SUCCEEDED})
    return Money(sum(waiting), gift.currency)


def require(session: Session, alias: str, *, lock: bool = False) -> RefundOrder:
    """The order; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownRefundOrder: there is none.
    """
    query = select(RefundOrder).where(RefundOrder.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownRefundOrder("no refund order has this alias")
    return found


def listed(session: Session, *states: State) -> Sequence[RefundOrder]:
    """All orders, or those in these states, oldest first."""
    query = select(RefundOrder)
    if states:
        query = query.where(col(RefundOrder.state).in_(states))
    return sorted(session.exec(query), key=lambda one: (one.requested_at, one.alias))


def _require_left(session: Session, gift: Donation, amount: Money) -> None:
    """Refuses more than is left of a gift by card when all orders are carried out; the gift's row is locked."""
    if gift.charge is None:
        raise NotRefundable("the gift did not come by card", donation=gift.alias)
    _require_undisputed(gift)
    ordered = _ordered_minor(session, gift)
    left = gift.minor - gift.refunded_minor - ordered
    if left < amount.minor:
        raise NotRefundable("of the gift less is left", donation=gift.alias, left_minor=left, currency=gift.currency)


def _ordered_minor(session: Session, gift: Donation) -> int:
    """What orders say goes back, and no refund that is booked says yet."""
    booked = select(ReceivedMovement.source).where(
        ReceivedMovement.category == Category.REFUND, ReceivedMovement.charge == gift.charge
    )
    known = {source for source in session.exec(booked) if source}
    return sum(
        one.minor
        for one in session.exec(select(RefundOrder).where(RefundOrder.donation_alias == gift.alias))
        if one.state not in OVER and one.refund not in known and not one.by_bank
    )


def _require_undisputed(gift: Donation) -> None:
    if gift.state is donations.State.DISPUTED:
        raise NotRefundable("the giver's bank calls the gift back", donation=gift.alias)


def _received_charge(session: Session, gift: Donation) -> str | None:
    """The charge of the movement that the gift was booked from."""
    query = select(ReceivedMovement.charge).where(
        ReceivedMovement.balance_transaction == gift.source_key.removeprefix("stripe:").partition(":")[0],
        ReceivedMovement.category == Category.CHARGE,
    )
    return session.exec(query).first()


def _require_signed(session: Session, order: RefundOrder, verb: Verb) -> None:
    if not _signers(session, order, verb):
        raise approvals.NotAgreed("no kept signature covers what stands here", object=order.alias, verb=verb)


def _signers(session: Session, order: RefundOrder, verb: Verb) -> set[str]:
    return approvals.agreed_by(
        session, order.alias, verb=verb, amount=order.amount(), payee_commitment=order.commitment()
    )


def _accept(session: Session, agreed: Agreed, verb: Verb, order: RefundOrder) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=order.alias,
        version=order.version,
        amount=order.amount(),
        payee_commitment=order.commitment(),
    )


def _require_state(order: RefundOrder, *admitted: State) -> None:
    if order.state not in admitted:
        raise RefundOrderNotReady("the order is in another state", refund_order=order.alias, state=order.state)


def finish(session: Session, order: RefundOrder) -> RefundOrder:
    """Notes that the bank has shown the payment of an order that went by bank."""
    return _move(session, order, State.SUCCEEDED)


def _move(session: Session, order: RefundOrder, state: State) -> RefundOrder:
    order.state = state
    order.version += 1
    session.add(order)
    session.flush()
    return order
