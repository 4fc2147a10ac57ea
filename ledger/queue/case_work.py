"""What waits of cases, their payments, their batches and what is owed back, and of gifts without a purpose."""

from datetime import date
from typing import Any

from sqlalchemy import exists, func, null, or_, select, text
from sqlalchemy.orm import aliased
from sqlmodel import col

from ledger.aid import batches, cases, disbursements, obligations
from ledger.aid.batch_lines import WITHOUT_RECEIPT, BatchLine
from ledger.aid.batches import Batch
from ledger.aid.beneficiaries import ALIKE, Beneficiary
from ledger.aid.cases import SUSPECT, Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.aid.refunds import Refund
from ledger.books.recipes import UNASSIGNED
from ledger.giving.donations import ASSIGNABLE, Donation
from ledger.queue.conditions import (
    brought_by,
    has_signed,
    is_left_to_ask,
    is_with_a_court,
    looked_up,
    may_sign_next,
    stands,
)
from ledger.queue.questions import Question

_ON_THEIR_WAY = (disbursements.State.APPROVED, disbursements.State.RELEASED)
_SOMETHING_PAID = tuple(
    state for state in obligations.State if state is obligations.State.PART_PAID or state not in obligations.OPEN
)
"""All but those open of which nothing is paid: named this way round a case's sums are looked up once, not by state."""


def to_verify(_operator: str, _on: date) -> list[Question]:
    """Received cases."""
    return [_of_cases(col(Case.due_by), col(Case.state) == cases.State.RECEIVED)]


def suspects(_operator: str, _on: date) -> list[Question]:
    """Received cases that may be others again."""
    return [_of_cases(col(Case.due_by), text(SUSPECT))]


def persons_to_compare(_operator: str, _on: date) -> list[Question]:
    """Beneficiaries who carry the name of another one, since when; with one of their cases, which is opened."""
    since, alias = col(Beneficiary.alike_since), col(Beneficiary.alias)
    of_case = select(func.min(col(Case.alias))).where(col(Case.beneficiary_alias) == alias).scalar_subquery()
    return [Question(select(since, alias, of_case).where(text(ALIKE)), since, alias)]


def overdue(_operator: str, on: date) -> list[Question]:
    """Unpaid cases whose deadline has passed, wherever they stand."""
    due_by = col(Case.due_by)  # each state along its own part of the index, merged after
    return [_of_cases(due_by, col(Case.state) == state, due_by < on) for state in cases.UNPAID]


def on_hold(_operator: str, _on: date) -> list[Question]:
    """Held cases, since when."""
    return [_of_cases(col(Case.state_since), col(Case.state) == cases.State.ON_HOLD)]


def unconfirmed(_operator: str, _on: date) -> list[Question]:
    """Paid cases without confirmed receipts, since when."""
    return [_of_cases(col(Case.state_since), col(Case.state) == cases.State.PAID)]


def to_ask_for(_operator: str, _on: date) -> list[Question]:
    """Verified cases of which nothing is asked for, and approved ones of which a sum or the rest of one is not.

    Whoever asks for one of several sums, or for a part, leaves the others for when it is approved, or paid: to sum up
    what was asked of every verified case would take longer than a page may.
    """
    alias, state = col(Case.alias), col(Case.state)
    of_case, as_it_is = col(Obligation.case_alias) == alias, col(Obligation.state)
    asked = stands(col(Disbursement.case_alias) == alias)
    owed = exists().where(of_case, as_it_is.in_(obligations.OPEN))
    rest = exists().where(of_case, as_it_is == obligations.State.PART_PAID, is_left_to_ask())
    unasked = ~stands(col(Disbursement.obligation_alias) == col(Obligation.alias))
    sums = select(col(Obligation.alias)).where(of_case, as_it_is.not_in(_SOMETHING_PAID))  # all of it from the index
    requested = select(col(Disbursement.case_alias)).where(col(Disbursement.state) == disbursements.State.REQUESTED)
    on_their_way = select(col(Disbursement.obligation_alias)).where(col(Disbursement.state).in_(_ON_THEIR_WAY))
    # Most of what is asked for is among these few, gathered once from an index: what is left is looked up one by one.
    # Not joined: a planner that may begins with all that anybody ever owed.
    whole = looked_up(sums.where(col(Obligation.alias).not_in(on_their_way), unasked))
    with_rest = select(col(Obligation.case_alias)).where(as_it_is == obligations.State.PART_PAID)
    return [
        _of_cases(col(Case.due_by), state == cases.State.VERIFIED, alias.not_in(requested), ~asked, owed),
        _of_cases(col(Case.due_by), state == cases.State.APPROVED, whole, ~rest),
        _of_cases(col(Case.due_by), state == cases.State.APPROVED, alias.in_(with_rest), rest),
    ]


def to_approve(operator: str, _on: date) -> list[Question]:
    """Requested payments that stand alone, of cases that others have brought."""
    alias = col(Disbursement.alias)
    first = may_sign_next(alias, "approve_disbursement", operator)
    others = [~one for one in brought_by(col(Disbursement.case_alias), operator)]
    asked = col(Disbursement.requested_by) != operator
    return [_payments(disbursements.State.REQUESTED, asked, *others, first)]


def batches_to_lock(_operator: str, _on: date) -> list[Question]:
    """Batches whose lines are put together, and not locked."""
    return [_batches(batches.State.DRAFT)]


def batches_to_approve(operator: str, _on: date) -> list[Question]:
    """Locked batches of which others have asked for every line and brought every case."""
    alias = col(Batch.alias)
    line, paid = aliased(BatchLine), aliased(Disbursement)
    lines = exists().where(col(line.batch_alias) == alias, col(paid.alias) == col(line.disbursement_alias))
    own = (col(paid.requested_by) == operator, *brought_by(col(paid.case_alias), operator))
    first = may_sign_next(alias, "approve_batch", operator)
    return [
        _batches(batches.State.LOCKED, col(Batch.requested_by) != operator, *(~lines.where(one) for one in own), first)
    ]


def to_release(operator: str, _on: date) -> list[Question]:
    """Approved payments that stand alone, which others have approved."""
    signed = has_signed(col(Disbursement.alias), "approve_disbursement", operator)
    return [_payments(disbursements.State.APPROVED, col(Disbursement.approved_by) != operator, ~signed)]


def batches_to_release(operator: str, _on: date) -> list[Question]:
    """Approved batches, which others have approved."""
    signed = has_signed(col(Batch.alias), "approve_batch", operator)
    return [_batches(batches.State.APPROVED, col(Batch.approved_by) != operator, ~signed)]


def to_close(_operator: str, _on: date) -> list[Question]:
    """Confirmed cases, since when, of which nothing is open, owed back, or with a court."""
    waits = or_(col(Obligation.state).in_((*obligations.OPEN, obligations.State.REFUND_DUE)), is_with_a_court())
    is_open = exists().where(col(Obligation.case_alias) == col(Case.alias), waits)
    return [_of_cases(col(Case.state_since), col(Case.state) == cases.State.CONFIRMED, ~is_open)]


def agents_receipts(_operator: str, _on: date) -> list[Question]:
    """Lines that an agent says they paid, and no receipt shows it."""
    rows = (
        select(col(BatchLine.paid_by), col(BatchLine.disbursement_alias), col(Disbursement.case_alias))
        .join(Disbursement, col(Disbursement.alias) == col(BatchLine.disbursement_alias))
        .where(WITHOUT_RECEIPT)
    )
    return [Question(rows, col(BatchLine.paid_by), col(BatchLine.disbursement_alias))]


def refunds(_operator: str, _on: date) -> list[Question]:
    """What is owed back and was neither received nor given up."""
    rows = (
        select(col(Refund.due_since), col(Refund.reference), col(Obligation.case_alias))
        .join(Obligation, col(Obligation.alias) == col(Refund.obligation_alias))
        .where(text("received_on IS NULL"), col(Refund.given_up_on).is_(None))
    )
    return [Question(rows, col(Refund.due_since), col(Refund.reference))]


def unassigned(_operator: str, _on: date) -> list[Question]:
    """Gifts of which nobody knows what for."""
    rows = select(col(Donation.received_on), col(Donation.alias), null().label("of_case")).where(
        col(Donation.fund_code) == UNASSIGNED,
        col(Donation.state).in_(ASSIGNABLE),
        col(Donation.refunded_minor) < col(Donation.minor),
    )
    return [Question(rows, col(Donation.received_on), col(Donation.alias))]


def _of_cases(day: Any, *conditions: Any) -> Question:
    rows = select(day, col(Case.alias), col(Case.alias).label("of_case")).where(*conditions)
    return Question(rows, day, col(Case.alias))


def _payments(state: disbursements.State, *conditions: Any) -> Question:
    """Payments in a state that stand alone."""
    in_batch = select(col(BatchLine.number)).where(col(BatchLine.disbursement_alias) == col(Disbursement.alias))
    rows = select(col(Disbursement.due_by), col(Disbursement.alias), col(Disbursement.case_alias)).where(
        col(Disbursement.state) == state, ~in_batch.exists(), *conditions
    )
    return Question(rows, col(Disbursement.due_by), col(Disbursement.alias))


def _batches(state: batches.State, *conditions: Any) -> Question:
    """Batches in a state, by the earliest deadline of their lines."""
    # Chosen before their lines are joined: a planner that may do it after asks everything again for each line.
    chosen = select(col(Batch.alias)).where(col(Batch.state) == state, *conditions).offset(0).subquery()
    day = func.min(col(Disbursement.due_by))
    rows = (
        select(day, chosen.c.alias, null().label("of_case"))
        .select_from(chosen)
        .join(BatchLine, col(BatchLine.batch_alias) == chosen.c.alias)
        .join(Disbursement, col(Disbursement.alias) == col(BatchLine.disbursement_alias))
        .group_by(chosen.c.alias)
    )
    return Question(rows, day, chosen.c.alias, is_grouped=True)
