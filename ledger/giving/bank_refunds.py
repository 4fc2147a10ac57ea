"""Refunds by bank: what the processor could not give back is owed, and goes by an order that two people signed."""

from datetime import date, datetime

from sqlmodel import Session

from ledger.books import journal, recipes
from ledger.giving import refund_orders
from ledger.giving.donations import Donation
from ledger.giving.refund_orders import BadRefundOrder, RefundOrder, RefundOrderNotReady, State
from ledger.money import Money

KIND = "refund_paid_by_bank"


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
    return refund_orders.finish(session, order), posted
