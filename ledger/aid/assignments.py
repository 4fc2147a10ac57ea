"""Assignments: whose shelves an operator opens because work waits for them, so that no daily limit stops it."""

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from ledger.aid import batches, cases, disbursements, obligations
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation
from ledger.people import Role

_AGREED_BATCHES = (batches.State.APPROVED, batches.State.RELEASED)
_AGREED = (disbursements.State.APPROVED, disbursements.State.RELEASED)
_TO_ASK = (cases.State.VERIFIED, cases.State.APPROVED)


def assigned(session: Session, shelves: Collection[str], *, operator: str, roles: Collection[Role]) -> set[str]:
    """Those of these shelves that are work of these roles, brought there by others than the operator.

    Intake: received cases to be verified, and paid ones whose receipts are to be confirmed. Approvers: requested
    payments and lines of locked batches that somebody else has asked for. Treasurers: what somebody else has verified
    and nobody has asked to pay, and what an approver has agreed to. Nobody assigns a shelf to themselves.
    """
    waiting: list[Any] = []
    if Role.INTAKE in roles:
        waiting.append(_cases(col(Case.state).in_((cases.State.RECEIVED, cases.State.PAID))))
    if Role.APPROVER in roles:
        locked = (col(Batch.state) == batches.State.LOCKED) & (col(Batch.requested_by) != operator)
        requested = col(Batch.alias).is_(None) & (col(Disbursement.state) == disbursements.State.REQUESTED)
        waiting.append(_payments(or_(locked, requested & (col(Disbursement.requested_by) != operator))))
    if Role.TREASURER in roles:
        waiting.append(_to_ask(operator))
        single = col(Batch.alias).is_(None) & col(Disbursement.state).in_(_AGREED)
        waiting.append(_payments(or_(single, col(Batch.state).in_(_AGREED_BATCHES))))
    found: set[str] = set()
    for query in waiting:
        found.update(session.exec(query.where(col(Case.beneficiary_alias).in_(shelves))))
    return found


def _cases(condition: Any) -> Any:
    return select(Case.beneficiary_alias).where(condition)


def _payments(condition: Any) -> Any:
    """Cases of payments, alone or as lines of batches, that stand and for which the condition holds."""
    return (
        select(Case.beneficiary_alias)
        .join(Disbursement, col(Disbursement.case_alias) == Case.alias)
        .outerjoin(BatchLine, col(BatchLine.disbursement_alias) == Disbursement.alias)
        .outerjoin(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .where(condition, col(Disbursement.state).in_(disbursements.STANDING))
    )


def _to_ask(operator: str) -> Any:
    """Cases with an obligation of which nothing is asked for or paid, verified by somebody else."""
    asked = select(Disbursement.alias).where(
        Disbursement.obligation_alias == Obligation.alias, col(Disbursement.state).in_(disbursements.STANDING)
    )
    unasked = and_(col(Obligation.state).in_(obligations.OPEN), ~asked.exists())
    return (
        select(Case.beneficiary_alias)
        .join(Obligation, col(Obligation.case_alias) == Case.alias)
        .where(col(Case.state).in_(_TO_ASK), col(Case.verified_by) != operator, unasked)
    )
