"""Refunds by bank: what the processor could not give back is owed, and goes by an order that two people signed.

Agreed to, it is held on its leaf until the bank has shown it.
"""

from datetime import date, datetime

from sqlmodel import Session

from ledger.approvals import Agreed
from ledger.books import accounts, journal, recipes
from ledger.books.accounts import Account
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
    return refund_orders.finish(session, order, source_key=source_key, on=on), posted


def _require_owed(session: Session, gift: Donation, amount: Money) -> None:
    """Refuses more than is owed of a gift, without what is asked to go back already; the gift's row is locked."""
    owed = gift_returns.left_to_send(session, gift, recipes.DONOR_REFUNDS_PAYABLE)
    if owed < amount:
        raise NotRefundable("so much is not owed", donation=gift.alias, left_minor=owed.minor, currency=gift.currency)
