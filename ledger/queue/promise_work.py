"""What waits of promises: approvals that nobody has told the beneficiary of, before they lapse and after."""

from datetime import date, timedelta

from sqlalchemy import func, select, text
from sqlmodel import col

from ledger.aid import cases, disbursements, obligations
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.books.holds import EXPIRED, Hold, HoldMovement
from ledger.queue.questions import Question

_SOON, _JOB_MAY_BE_DOWN = timedelta(days=14), timedelta(days=30)
"""How long before its last day a promise is told of, and how long after it, where no job ran meanwhile."""

_NOT_DUE, _NOT_APPROVED = (
    tuple(state for state in obligations.State if state is not one)
    for one in (obligations.State.DUE, obligations.State.APPROVED)
)
_NOT_UNPAID = tuple(state for state in cases.State if state not in cases.UNPAID)
"""Said the other way round: a planner that sees an index of states would begin with all that anybody ever owed."""


def ending(_operator: str, on: date) -> list[Question]:
    """Obligations that are approved and told to nobody, and lapse soon; and those that lapsed and nobody asked for."""
    return [_lapsing(on), _lapsed()]


def _lapsing(on: date) -> Question:
    day, alias = col(Hold.expires_on), col(Obligation.alias)
    moved = select(col(HoldMovement.number)).where(col(HoldMovement.hold_key) == col(Hold.source_key))
    rows = (
        select(day, alias, col(Obligation.case_alias))
        .join(Obligation, alias == col(Hold.held_for))
        .where(
            day.between(on - _JOB_MAY_BE_DOWN, on + _SOON),
            col(Obligation.state).not_in(_NOT_APPROVED),
            col(Obligation.told_on).is_(None),
            ~moved.exists(),
        )
    )
    return Question(rows, day, alias)


def _lapsed() -> Question:
    """By the last day of the last promise."""
    day, alias = func.max(col(Hold.expires_on)), col(Obligation.alias)
    standing = select(col(Disbursement.alias)).where(
        col(Disbursement.obligation_alias) == alias, col(Disbursement.state).not_in(disbursements.GONE)
    )
    rows = (
        select(day, alias, col(Obligation.case_alias))
        .select_from(HoldMovement)
        .join(Hold, col(Hold.source_key) == col(HoldMovement.hold_key))
        .join(Obligation, alias == col(Hold.held_for))
        .join(Case, col(Case.alias) == col(Obligation.case_alias))
        .where(
            text(EXPIRED),
            col(Obligation.state).not_in(_NOT_DUE),
            col(Case.state).not_in(_NOT_UNPAID),
            ~standing.exists(),
        )
        .group_by(alias, col(Obligation.case_alias))
    )
    return Question(rows, day, alias, is_grouped=True)
