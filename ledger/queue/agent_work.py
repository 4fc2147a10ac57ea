"""What waits of agents, their money and their lists, of payment files, and of bail."""

from datetime import date, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from ledger.aid import advances, agents, batches, disbursements, outlays, purse_movements
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import WITHOUT_RECEIPT, BatchLine
from ledger.aid.batches import Batch
from ledger.aid.disbursements import Disbursement
from ledger.aid.hearings import Hearing
from ledger.aid.line_failures import LineFailure
from ledger.aid.obligations import Obligation
from ledger.aid.order_failures import OrderFailure
from ledger.aid.outlays import Repayment
from ledger.aid.payment_files import STANDS, PaymentFile, PaymentFileLine, PaymentFileRepayment
from ledger.aid.purse_movements import PurseMovement
from ledger.queue.conditions import has_signed, is_with_a_court, may_sign_next
from ledger.queue.questions import Question, ask, today

NEAR_DAYS = 14
"""How many days ahead a hearing is near."""


def advances_to_approve(operator: str, on: date) -> list[Question]:
    """Advances that somebody else has asked for."""
    alias, requested = col(Advance.alias), col(Advance.state) == advances.State.REQUESTED
    asked, first = col(Advance.requested_by) != operator, may_sign_next(alias, "approve_advance", operator)
    return [ask(today(on), alias, requested, asked, first)]


def advances_to_release(operator: str, on: date) -> list[Question]:
    """Advances that others have approved."""
    alias, approved = col(Advance.alias), col(Advance.state) == advances.State.APPROVED
    signed = has_signed(alias, "approve_advance", operator)
    return [ask(today(on), alias, approved, col(Advance.approved_by) != operator, ~signed)]


def advances_to_acknowledge(_operator: str, _on: date) -> list[Question]:
    """Advances that left the bank, since when, and of which the agent has not said what came."""
    return [ask(col(Advance.sent_on), col(Advance.alias), col(Advance.state) == advances.State.SENT)]


def agents_to_activate(operator: str, on: date) -> list[Question]:
    """Vetted agents whom somebody else has entered."""
    vetted = col(Agent.state) == agents.State.VETTED
    return [ask(today(on), col(Agent.alias), vetted, col(Agent.added_by) != operator)]


def movements_to_agree(operator: str, _on: date) -> list[Question]:
    """Movements of purses that somebody else has told, since they happened."""
    alias, requested = col(PurseMovement.alias), col(PurseMovement.state) == purse_movements.State.REQUESTED
    told, first = col(PurseMovement.requested_by) != operator, may_sign_next(alias, "approve_purse_movement", operator)
    return [ask(col(PurseMovement.happened_on), alias, requested, told, first)]


def outlays_to_approve(operator: str, on: date) -> list[Question]:
    """Repayments of outlays that somebody else has asked for."""
    alias, requested = col(Repayment.alias), col(Repayment.state) == outlays.State.REQUESTED
    asked, first = col(Repayment.requested_by) != operator, may_sign_next(alias, "approve_outlay", operator)
    return [ask(today(on), alias, requested, asked, first)]


def outlays_to_pay(_operator: str, on: date) -> list[Question]:
    """Approved repayments that the bank was not told by a file that stands; approval is all that they need."""
    filed = exists().where(col(PaymentFileRepayment.repayment_alias) == col(Repayment.alias), STANDS)
    return [ask(today(on), col(Repayment.alias), col(Repayment.state) == outlays.State.APPROVED, ~filed)]


def results_missing(_operator: str, on: date) -> list[Question]:
    """Batches that agents pay, since their release, of whose lines some have no result yet."""
    alias = col(Batch.alias)
    open_line = exists().where(
        col(BatchLine.batch_alias) == alias, col(BatchLine.outcome).is_(None), col(BatchLine.excluded).is_(None)
    )
    released = col(Batch.state) == batches.State.RELEASED
    since = func.coalesce(col(Batch.released_on), on)
    return [ask(since, alias, released, col(Batch.agent_alias).is_not(None), open_line)]


def failures_to_agree(operator: str, _on: date) -> list[Question]:
    """Lines of which somebody else has told that they failed, and no receipt has come since."""
    day, alias = col(LineFailure.told_on), col(LineFailure.disbursement_alias)
    rows = (
        select(day, alias, col(Disbursement.case_alias))
        .join(Disbursement, col(Disbursement.alias) == alias)
        .join(BatchLine, col(BatchLine.disbursement_alias) == alias)
        .where(col(LineFailure.agreed_by).is_(None), col(LineFailure.told_by) != operator, WITHOUT_RECEIPT)
    )
    return [Question(rows, day, alias)]


def unexecuted_to_agree(operator: str, _on: date) -> list[Question]:
    """Orders of which somebody else told that the bank never carried them out, and which it has not shown since."""
    later = aliased(OrderFailure)
    replaced = exists().where(
        col(later.order_alias) == col(OrderFailure.order_alias), col(later.number) > col(OrderFailure.number)
    )
    told = (col(OrderFailure.agreed_by).is_(None), col(OrderFailure.told_by) != operator, ~replaced)
    day, alias = col(OrderFailure.told_on), col(OrderFailure.order_alias)
    released = col(Disbursement.state) == disbursements.State.RELEASED
    payments = select(day, alias, col(Disbursement.case_alias)).join(Disbursement, col(Disbursement.alias) == alias)
    sent = exists().where(col(Advance.alias) == alias, col(Advance.state) == advances.State.RELEASED)
    approved = exists().where(col(Repayment.alias) == alias, col(Repayment.state) == outlays.State.APPROVED)
    return [Question(payments.where(released, *told), day, alias), ask(day, alias, sent | approved, *told)]


def withdrawals_to_agree(operator: str, on: date) -> list[Question]:
    """Payment files that somebody else wants withdrawn, and of which the bank has paid nothing."""
    paid = exists().where(
        col(PaymentFileLine.file_alias) == col(PaymentFile.alias),
        col(Disbursement.alias) == col(PaymentFileLine.disbursement_alias),
        col(Disbursement.state) != disbursements.State.RELEASED,
    )
    repaid = exists().where(
        col(PaymentFileRepayment.file_alias) == col(PaymentFile.alias),
        col(Repayment.alias) == col(PaymentFileRepayment.repayment_alias),
        col(Repayment.state) != outlays.State.APPROVED,
    )
    asked = col(PaymentFile.withdrawal_asked_by) != operator  # nobody, and it is not asked for
    return [ask(today(on), col(PaymentFile.alias), col(PaymentFile.withdrawn_by).is_(None), asked, ~paid, ~repaid)]


def hearings_near(_operator: str, on: date) -> list[Question]:
    """Bail of which a court holds a part and hears soon, by the end of the days that its pack lets be known."""
    day, alias = col(Hearing.held_by), col(Hearing.obligation_alias)
    held = exists().where(col(Obligation.alias) == alias, is_with_a_court())
    # The case is looked up beside: joined, a planner begins with all that was ever paid.
    case = select(col(Obligation.case_alias)).where(col(Obligation.alias) == alias).scalar_subquery()
    rows = select(day, alias, case).where(day.between(on, on + timedelta(days=NEAR_DAYS)), held)
    return [Question(rows, day, alias)]
