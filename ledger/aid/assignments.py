"""Assignments: whose shelves an operator opens because work waits for them, so that no daily limit stops it."""

from collections.abc import Collection

from sqlmodel import Session, col, or_, select

from ledger.aid import batches, cases, disbursements
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement

_AGREED = (batches.State.APPROVED, batches.State.RELEASED)


def assigned(session: Session, shelves: Collection[str], *, operator: str) -> set[str]:
    """Those of these shelves that belong to a received case, or to a payment that waits or was agreed to.

    A requested payment or a locked batch is work for others than who asked for it: nobody assigns shelves to
    themselves. A batch that a second person has approved is work for all who pay and reconcile it.
    """
    received = select(Case.beneficiary_alias).where(
        col(Case.beneficiary_alias).in_(shelves), Case.state == cases.State.RECEIVED
    )
    paying = (
        select(Case.beneficiary_alias)
        .join(Disbursement, col(Disbursement.case_alias) == Case.alias)
        .outerjoin(BatchLine, col(BatchLine.disbursement_alias) == Disbursement.alias)
        .outerjoin(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .where(
            col(Case.beneficiary_alias).in_(shelves),
            or_(
                col(Batch.state).in_(_AGREED),
                (col(Batch.state) == batches.State.LOCKED) & (col(Batch.requested_by) != operator),
                col(Batch.alias).is_(None)
                & (col(Disbursement.state) == disbursements.State.REQUESTED)
                & (col(Disbursement.requested_by) != operator),
            ),
        )
    )
    return {*session.exec(received), *session.exec(paying)}
