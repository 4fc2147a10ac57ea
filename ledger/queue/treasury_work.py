"""What waits of the fund's own money and books: transfers, conversions, orders to the bank, sheets and months."""

from datetime import date

from sqlalchemy import String, cast, exists, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from ledger.aid import advances, disbursements
from ledger.aid.advances import Advance
from ledger.aid.disbursements import Disbursement
from ledger.aid.payment_files import STANDS, PaymentFileLine
from ledger.books.periods import ClosedMonth, SoftClosedMonth
from ledger.giving import gift_returns, refund_orders
from ledger.giving.gift_returns import GiftReturn
from ledger.giving.refund_orders import RefundOrder
from ledger.queue.conditions import another, has_signed
from ledger.queue.questions import Question, ask, day_of, of_case, today
from ledger.reconciliation.sheets import Review, Sheet
from ledger.treasury import conversions, transfers
from ledger.treasury.conversions import Conversion
from ledger.treasury.transfers import Transfer


def transfers_to_approve(operator: str, _on: date) -> list[Question]:
    """Transfers that somebody else has asked for."""
    requested = col(Transfer.state) == transfers.State.REQUESTED
    day, asked = day_of(col(Transfer.requested_at)), col(Transfer.requested_by) != operator
    return [ask(day, col(Transfer.alias), requested, asked)]


def conversions_to_approve(operator: str, _on: date) -> list[Question]:
    """Conversions that somebody else has asked for, and of the doubtful ones those that they have not agreed to."""
    waits = col(Conversion.state).in_((conversions.State.REQUESTED, conversions.State.DOUBTFUL))
    others = (col(Conversion.requested_by) != operator, another(col(Conversion.approved_by), operator))
    return [ask(day_of(col(Conversion.requested_at)), col(Conversion.alias), waits, *others)]


def conversions_to_release(operator: str, _on: date) -> list[Question]:
    """Conversions that others have approved."""
    alias, approved = col(Conversion.alias), col(Conversion.state) == conversions.State.APPROVED
    signed = has_signed(alias, "approve_conversion", operator)
    return [ask(day_of(col(Conversion.requested_at)), alias, approved, ~signed)]


def orders_for_the_bank(_operator: str, on: date) -> list[Question]:
    """What the bank is told by hand, under its reference, until it shows it: no payment file holds it."""
    approved = col(GiftReturn.state) == gift_returns.State.APPROVED
    refund = (col(RefundOrder.state) == refund_orders.State.APPROVED, col(RefundOrder.by_bank).is_(True))
    released, agreed = (func.coalesce(col(day), on) for day in (Conversion.released_on, GiftReturn.approved_on))
    return [
        ask(today(on), col(Advance.alias), col(Advance.state) == advances.State.RELEASED),
        ask(released, col(Conversion.alias), col(Conversion.state) == conversions.State.RELEASED),
        ask(agreed, col(GiftReturn.alias), approved),
        ask(day_of(col(RefundOrder.requested_at)), col(RefundOrder.alias), *refund),
    ]


def payments_to_file(_operator: str, _on: date) -> list[Question]:
    """Released payments from a leaf of the bank that no payment file holds which stands."""
    alias, day = col(Disbursement.alias), col(Disbursement.due_by)
    filed = exists().where(col(PaymentFileLine.disbursement_alias) == alias, STANDS)
    released = col(Disbursement.state) == disbursements.State.RELEASED
    from_bank = col(Disbursement.account_code).startswith(f"{disbursements.BANK}:", autoescape=True)
    return [of_case(day, alias, col(Disbursement.case_alias), released, from_bank, ~filed)]


def sheets_to_review(operator: str, _on: date) -> list[Question]:
    """Reconciliations that somebody else has prepared and nobody has reviewed, nor a later one of the same."""
    reviewed, account = aliased(Sheet), func.coalesce(col(Sheet.account), "")
    kind, leaf = col(reviewed.compared), func.coalesce(col(reviewed.account), "").label("leaf")
    newest = select(kind, leaf, func.max(col(reviewed.prepared_at)).label("prepared_at"))
    newest = newest.join(Review, col(Review.sheet) == col(reviewed.alias)).group_by(kind, leaf)
    last = newest.subquery()
    day, alias = day_of(col(Sheet.prepared_at)), col(Sheet.alias)
    question = ask(
        day,
        alias,
        col(Sheet.prepared_by) != operator,
        or_(last.c.prepared_at.is_(None), col(Sheet.prepared_at) > last.c.prepared_at),
    )
    of_the_same = (last.c.compared == col(Sheet.compared)) & (last.c.leaf == account)
    return [Question(question.rows.outerjoin(last, of_the_same), day, alias)]


def months_to_close(_operator: str, _on: date) -> list[Question]:
    """Months such as `2020-10` that are closed softly and not for good, since their last day."""
    last_day = col(SoftClosedMonth.last_day)
    closed = exists().where(col(ClosedMonth.last_day) == last_day)
    return [ask(last_day, func.substr(cast(last_day, String), 1, len("2020-10")), ~closed)]
