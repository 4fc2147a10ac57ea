"""Lines that an agent says they paid and nobody can prove: two people may end them as failed, with a reason."""

import hashlib
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from ledger import approvals
from ledger.aid import agents, batch_lines, batches, disbursements
from ledger.aid.batch_lines import BatchLine, Outcome, Receipt
from ledger.approvals import Agreed
from ledger.errors import Conflict, NotFound
from ledger.storage.columns import enumeration
from ledger.storage.locks import locked


class Reason(StrEnum):
    """Why a line that was said to be paid counts as failed."""

    NOT_PAID = "not_paid"
    MONEY_KEPT = "money_kept"
    RECEIPT_DESTROYED = "receipt_destroyed"
    CANNOT_BE_ASKED = "cannot_be_asked"


class NoFailure(NotFound):
    """Nobody told that this line has failed."""

    rule = "no_failure"


class LineNotReady(Conflict):
    """The line is not one that an agent says they paid, without a receipt that holds."""

    rule = "line_not_ready"


class LineFailure(SQLModel, table=True):
    """That a line has failed: as one person told it, and another agreed."""

    __tablename__ = "line_failure"
    disbursement_alias: str = Field(foreign_key="disbursement.alias", primary_key=True, max_length=20)
    because: Reason = Field(sa_type=enumeration(Reason))
    told_by: str = Field(max_length=20)
    told_on: date
    agreed_by: str | None = Field(default=None, max_length=20)

    __table_args__ = (CheckConstraint("agreed_by <> told_by", name="failure_is_of_two_people"),)


def tell(session: Session, disbursement: str, *, because: Reason, by: str, on: date) -> LineFailure:
    """Tells that a paid line without a receipt that holds has failed; nothing changes before another agrees.

    What another person did not agree to may be told again, with another reason.

    Raises:
        UnknownDisbursement: there is none. LineNotReady: see there.
    """
    _require_unproven(session, disbursement)
    failure = _find(session, disbursement)
    if failure is None:
        failure = LineFailure(disbursement_alias=disbursement, because=because, told_by=by, told_on=on)
    failure.because, failure.told_by, failure.told_on = because, by, on
    session.add(failure)
    session.flush()
    return failure


def agree(session: Session, disbursement: str, agreed: Agreed) -> LineFailure:
    """Agrees that a line has failed: what it was to pay is owed again, and the money is in the purse as before.

    Raises:
        NoFailure: nobody told so. SamePerson, LineNotReady, and what `approvals.accept` raises.
    """
    line = _require_unproven(session, disbursement)
    failure = _find(session, disbursement)
    if failure is None:
        raise NoFailure("nobody told that this line has failed", disbursement=disbursement)
    approvals.require_other(agreed.signer.alias, than={failure.told_by})
    paid = disbursements.require(session, disbursement)
    with session.begin_nested():
        approvals.accept(
            session,
            agreed,
            verb="agree_failure",
            object_alias=disbursement,
            version=paid.version,
            amount=paid.amount(),
            payee_commitment=commitment(failure.because),
        )
        failure.agreed_by = agreed.signer.alias
        session.add(failure)
        session.flush()  # the database asks for both before it lets the line fail
        line.outcome = Outcome.FAILED
        session.add(line)
        session.flush()
        disbursements.fail(session, paid, on=agreed.now.date())
        batches.note_finished(session, line.batch_alias)
    return failure


def commitment(because: Reason) -> str:
    """What an act restates beside the amount: SHA-256 of the reason."""
    return hashlib.sha256(because.value.encode()).hexdigest()


def listed(session: Session) -> list[LineFailure]:
    """What was told, oldest first."""
    return sorted(session.exec(select(LineFailure)), key=lambda one: (one.told_on, one.disbursement_alias))


def _find(session: Session, disbursement: str) -> LineFailure | None:
    query = select(LineFailure).where(LineFailure.disbursement_alias == disbursement)
    return session.exec(locked(query)).one_or_none()


def _require_unproven(session: Session, disbursement: str) -> BatchLine:
    """The line, its batch, agent and disbursement locked as results lock them."""
    alias = batch_lines.batch_of(session, disbursement)
    if alias is None:
        disbursements.require(session, disbursement)
        raise LineNotReady("it is no line of a batch", disbursement=disbursement)
    batch = batches.require(session, alias, lock=True)
    if batch.agent_alias is not None:
        agents.require(session, batch.agent_alias, lock=True)
    (item,) = (one for one in batch_lines.items(session, alias, lock=True) if one.disbursement.alias == disbursement)
    if item.line.outcome is not Outcome.PAID or item.line.receipt is Receipt.VERIFIED:
        raise LineNotReady("it is not paid without a receipt that holds", disbursement=disbursement)
    return item.line
