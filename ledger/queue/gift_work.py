"""What waits of gifts: what they are for, that they go back, what two people count or value, and disputes."""

from datetime import date

from sqlalchemy import exists
from sqlalchemy.orm import aliased
from sqlmodel import col

from ledger.giving import cash, cash_deposits, disputes, donations, gift_returns, in_kind, refund_orders
from ledger.giving.cash import CashCount
from ledger.giving.cash_deposits import CashDeposit
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation
from ledger.giving.gift_returns import GiftReturn
from ledger.giving.in_kind import GiftInKind
from ledger.giving.refund_orders import RefundOrder
from ledger.giving.steps import GiftStep, Step
from ledger.queue.conditions import has_signed, may_sign_next
from ledger.queue.questions import Question, ask, day_of


def gifts_to_match(_operator: str, _on: date) -> list[Question]:
    """Gifts by bank of which nobody knows whose they are or what for."""
    unidentified = col(Donation.state) == donations.State.UNIDENTIFIED
    return [ask(col(Donation.received_on), col(Donation.alias), unidentified)]


def conditions_to_meet(operator: str, _on: date) -> list[Question]:
    """Conditional gifts that somebody else has placed: their condition is met some day, or they go back."""
    alias = col(Donation.alias)
    placed = exists().where(
        col(GiftStep.donation_alias) == alias,
        col(GiftStep.step) == Step.CONDITIONAL,
        col(GiftStep.taken_by) == operator,
    )
    conditional = col(Donation.state) == donations.State.CONDITIONAL
    return [ask(col(Donation.received_on), alias, conditional, ~placed)]


def refund_orders_to_approve(operator: str, _on: date) -> list[Question]:
    """Refunds of gifts that somebody else has asked for."""
    requested = col(RefundOrder.state) == refund_orders.State.REQUESTED
    asked = col(RefundOrder.requested_by) != operator
    return [ask(day_of(col(RefundOrder.requested_at)), col(RefundOrder.alias), requested, asked)]


def refunds_failed(_operator: str, _on: date) -> list[Question]:
    """Refunds that the giver's bank did not take: owed, until somebody asks for them again."""
    gift, since, other = col(RefundOrder.donation_alias), col(RefundOrder.requested_at), aliased(RefundOrder)
    asked = exists().where(
        col(other.donation_alias) == gift,
        col(other.requested_at) >= since,
        col(other.state).not_in(refund_orders.OVER),
    )
    returned = exists().where(
        col(GiftReturn.donation_alias) == gift,
        col(GiftReturn.requested_at) >= since,
        col(GiftReturn.state).not_in((gift_returns.State.CANCELLED, gift_returns.State.RETURNED)),
    )
    failed = (col(RefundOrder.state) == refund_orders.State.FAILED, col(RefundOrder.by_bank).is_(False))
    return [ask(day_of(since), col(RefundOrder.alias), *failed, ~asked, ~returned)]


def gift_returns_to_approve(operator: str, _on: date) -> list[Question]:
    """Gifts that somebody else wants sent back from the bank."""
    alias, requested = col(GiftReturn.alias), col(GiftReturn.state) == gift_returns.State.REQUESTED
    asked = col(GiftReturn.requested_by) != operator
    first = may_sign_next(alias, "approve_gift_return", operator)
    return [ask(day_of(col(GiftReturn.requested_at)), alias, requested, asked, first)]


def gifts_in_kind_to_approve(operator: str, _on: date) -> list[Question]:
    """Gifts in kind that somebody else has valued."""
    valued = col(GiftInKind.state) == in_kind.State.VALUED
    by_another = col(GiftInKind.valued_by) != operator
    return [ask(day_of(col(GiftInKind.valued_at)), col(GiftInKind.alias), valued, by_another)]


def cash_to_witness(operator: str, _on: date) -> list[Question]:
    """Cash that somebody else has counted."""
    alias, counted = col(CashCount.alias), col(CashCount.state) == cash.State.COUNTED
    by_another = (col(CashCount.counted_by) != operator, ~has_signed(alias, "count_cash", operator))
    return [ask(day_of(col(CashCount.counted_at)), alias, counted, *by_another)]


def cash_on_its_way(_operator: str, _on: date) -> list[Question]:
    """Cash that was taken to the bank, since when, and that the bank has not shown."""
    taken = col(CashDeposit.state) == cash_deposits.State.TAKEN
    return [ask(day_of(col(CashDeposit.taken_at)), col(CashDeposit.alias), taken)]


def disputes_open(_operator: str, _on: date) -> list[Question]:
    """Gifts that their givers' bank calls back, since when: answered at the processor, and said here when lost."""
    return [ask(col(Dispute.opened_on), col(Dispute.alias), col(Dispute.state) == disputes.State.OPEN)]
