"""What waits of exceptions, and of what is said of them, of refunds and of disputes."""

from datetime import date

from sqlalchemy import exists, func, or_, text
from sqlalchemy.orm import aliased
from sqlmodel import col

from ledger.aid.refunds import Refund
from ledger.aid.returns import Return
from ledger.exceptions import OPEN, Difference, OpenException
from ledger.giving import disputes
from ledger.giving.disputes import Dispute
from ledger.queue.conditions import another, may_sign_next
from ledger.queue.questions import Question, ask
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.clearings import Clearing, ClearingAgreement
from ledger.reconciliation.resolutions import OF_TWO, Resolution, ResolutionAgreement
from ledger.reconciliation.statements import StatementLine


def exceptions_open(_operator: str, _on: date) -> list[Question]:
    """Every exception that waits, for whatever, since it was opened."""
    return [ask(col(OpenException.opened_on), col(OpenException.alias), text(OPEN))]


def exceptions_to_agree(operator: str, _on: date) -> list[Question]:
    """Exceptions that somebody else wants dismissed, as was said last, and that are not about the operator."""
    agreed = exists().where(col(ClearingAgreement.clearing_alias) == col(Clearing.alias))
    later = aliased(Clearing)
    replaced = exists().where(
        col(later.exception_alias) == col(Clearing.exception_alias), col(later.asked_at) > col(Clearing.asked_at)
    )
    said = exists().where(
        col(Clearing.exception_alias) == col(OpenException.alias),
        ~col(Clearing.alone),
        col(Clearing.asked_by) != operator,
        ~agreed,
        ~replaced,
    )
    about_them = col(OpenException.about).startswith(f"{Difference.TOO_MANY_READINGS}:{operator}:", autoescape=True)
    return [ask(col(OpenException.opened_on), col(OpenException.alias), text(OPEN), said, ~about_them)]


def returns_to_confirm(operator: str, _on: date) -> list[Question]:
    """Exceptions about a line that can be a return which others have announced, or withdrawn."""
    difference, about = col(OpenException.difference), col(OpenException.about)
    line, announced = StatementLine, Return
    fits = or_(col(line.currency) != col(announced.currency), col(line.minor) == col(announced.minor))
    shown = exists().where(
        col(line.source_key) == func.substr(about, func.length(difference) + len(": ")),
        col(line.minor) > 0,
        ~col(line.reversal),
        col(announced.reference) == col(line.reference),
        col(announced.received_on).is_(None),
        col(announced.announced_by) != operator,
        another(col(announced.withdrawn_by), operator),
        fits,
    )
    of_these = difference.in_((Difference.AMOUNT_DIFFERS, Difference.NOT_RELEASED))
    return [ask(col(OpenException.opened_on), col(OpenException.alias), text(OPEN), of_these, shown)]


def resolutions_to_agree(operator: str, _on: date) -> list[Question]:
    """What somebody else has said last of an exception that is open, a refund, or a dispute that is not decided."""
    about, later = col(Resolution.about), aliased(Resolution)
    replaced = exists().where(col(later.about) == about, col(later.number) > col(Resolution.number))
    agreed = exists().where(
        col(ResolutionAgreement.about) == about, col(ResolutionAgreement.number) == col(Resolution.number)
    )
    closed = exists().where(col(OpenException.alias) == about, col(OpenException.resolved_on).is_not(None))
    decided = exists().where(col(Dispute.alias) == about, col(Dispute.state) != disputes.State.OPEN)
    settled = exists().where(
        col(Refund.reference) == col(Resolution.of),
        col(Resolution.answer).in_([Answer.GIVEN_UP, Answer.KEPT_BY_BENEFICIARY]),
        or_(col(Refund.received_on).is_not(None), col(Refund.given_up_on).is_not(None)),
    )
    asked = col(Resolution.asked_by) != operator
    ended = (replaced, agreed, closed, decided, settled)
    first = may_sign_next(about, "agree_loss", operator)
    return [ask(col(Resolution.asked_on), about, text(OF_TWO), asked, first, *(~one for one in ended))]
