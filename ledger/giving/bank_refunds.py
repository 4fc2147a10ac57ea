"""Refunds by bank: what the processor could not give back is owed, and goes by an order that two people signed.

Agreed to, it is held on its leaf until the bank has shown it.
"""

import math
from datetime import date, datetime

from sqlmodel import Session

from ledger.approvals import Agreed
from ledger.books import accounts, exchange, holds, journal, recipes, spending
from ledger.books.accounts import Account
from ledger.books.holds import NewHold, Reserve
from ledger.giving import donations, gift_returns, refund_orders
from ledger.giving.donations import Donation
from ledger.giving.refund_orders import BadRefundOrder, NotRefundable, RefundOrder, RefundOrderNotReady, State
from ledger.money import Money

KIND = "refund_paid_by_bank"


def request(session: Session, alias: str, *, donation: str, account: str, amount: Money, agreed: Agreed) -> RefundOrder:
    """Asks for what the processor could not give back to go from a bank leaf: the first signature, a treasurer's.

    The leaf may have another currency than the gift.

    Raises:
        UnknownDonation, UnknownAccount, NotPostable, and what `refund_orders.enter` raises. BadRefundOrder: the leaf is
        not the bank's. NotRefundable: so much is not owed, or asked to go back already. Nothing was written.
    """
    gift = donations.require(session, donation)
    leaf = session.get(Account, account)
    if leaf is None or leaf.parent_code != gift_returns.BANK or leaf.currency is None:
        raise BadRefundOrder("what goes by bank goes from a leaf of the bank", where="account")
    accounts.postable(session, account, currency=leaf.currency)
    return refund_orders.enter(
        session, alias, gift=gift, amount=amount, agreed=agreed, require=_require_owed, account=account
    )


def approve(session: Session, alias: str, agreed: Agreed) -> RefundOrder:
    """Agrees to what another person asked for, by card or by bank: the second signature, an approver's.

    What goes by bank is held on its leaf until the bank has shown it, what goes by card on its fund and on the leaf of
    the processor until the refund is booked; or until the order is given up.

    Raises:
        What `refund_orders.approve` raises. WouldOverdraw: the fund or the leaf has not so much. NoRate: it cannot be
        told what it is in the leaf's currency, or what the fund has. NotRefundable: no leaf of the processor is open.
        Nothing was written.
    """
    today = agreed.now.date()
    with session.begin_nested():
        order = refund_orders.approve(session, alias, agreed)
        spending.reserve(session, _holds(session, order, on=today), on=today)
    return order


def pay(
    session: Session,
    alias: str,
    *,
    source_key: str,
    bank: str,
    spent: Money,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> tuple[RefundOrder, journal.Posted]:
    """Books an order as the bank shows it paid: `spent` left the leaf, the order's amount unless in another currency.

    Raises:
        UnknownRefundOrder, NotAgreed: see there. RefundOrderNotReady: it is not approved, or goes by card.
        BadRefundOrder: in its own currency the bank paid another amount.
    """
    order = refund_orders.require_agreed(session, alias, State.APPROVED)
    if not order.by_bank:
        raise RefundOrderNotReady("the order goes by card", refund_order=alias, state=order.state)
    if spent.minor <= 0 or (spent.currency == order.currency and spent != order.amount()):
        raise BadRefundOrder("the bank paid another amount", where="amount")
    gift = session.get_one(Donation, order.donation_alias)
    posted = journal.post(
        session,
        source_key=source_key,
        kind=KIND,
        postings=recipes.refund_paid_by_bank(
            leaf=bank, refund=order.amount(), fund=gift.fund_code, donation=gift.alias, spent=spent
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    for held in holds.open_for(session, alias):
        left = holds.left(session, held)
        holds.capture(session, held.source_key, left, source_key=f"{source_key}:{held.reserves}", on=on)
    return refund_orders.finish(session, order), posted


def _holds(session: Session, order: RefundOrder, *, on: date) -> list[NewHold]:
    """What an order sets aside: on a leaf of another currency what it is worth there at the latest rates, rounded up.

    What goes by bank the fund owes already (2050): nothing more is set aside of it.
    """
    if order.account_code is None:
        return [] if order.by_bank else refund_orders.holds_of(session, order)
    leaf, amount = session.get_one(Account, order.account_code), order.amount()
    if leaf.currency is not None and leaf.currency != amount.currency:
        worth, unit = (
            exchange.translate(one, exchange.rate(session, one.currency, on=on))
            for one in (amount, Money(1, leaf.currency))
        )
        amount = Money(math.ceil(worth / unit), leaf.currency)
    key = f"refund:{order.alias}:leaf"
    return [NewHold(source_key=key, reserves=Reserve.LEAF, amount=amount, held_for=order.alias, account=leaf.code)]


def _require_owed(session: Session, gift: Donation, amount: Money) -> None:
    """Refuses more than is owed of a gift, without what is asked to go back already; the gift's row is locked."""
    owed = gift_returns.left_to_send(session, gift, recipes.DONOR_REFUNDS_PAYABLE)
    if owed < amount:
        raise NotRefundable("so much is not owed", donation=gift.alias, left_minor=owed.minor, currency=gift.currency)
