"""Checks of orders that two people ended since the bank never carried them out: each by both signatures."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlmodel import Session, col, select

from ledger.aid import advances, disbursements, order_failures, outlays
from ledger.aid.advances import Advance
from ledger.aid.batch_lines import BatchLine, Outcome
from ledger.aid.batches import Batch
from ledger.aid.disbursements import BANK, Disbursement
from ledger.aid.order_failures import Order, OrderFailure
from ledger.aid.outlays import Repayment
from ledger.approvals import SignedAct
from ledger.checks.effects import Effect, effect
from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.errors import NotFound
from ledger.exceptions import Difference, OpenException
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.resolutions import Resolution, ResolutionAgreement

_SIGNED = {"tell_unexecuted": "told_by", "agree_unexecuted": "agreed_by"}
"""By verb: the column that names who signed it."""


def effects(session: Session) -> Iterator[Effect]:
    """Who told of each order, and who agreed: both restate the reason, the amount, and what was agreed to before."""
    for one in _told(session):
        yield from _of_failure(session, one)


def _of_failure(session: Session, one: OrderFailure) -> Iterator[Effect]:
    order = _order(session, one.order_alias)
    restated: dict[str, Any] = {}
    if order is not None:
        restated = {"amount": order.amount().decimal(), "currency": order.currency}
        restated["payee_commitment"] = order_failures.commitment_of(session, order)
    for verb, signer, others in (
        ("tell_unexecuted", one.told_by, set()),
        ("agree_unexecuted", one.agreed_by, {one.told_by}),
    ):
        if signer is not None:
            yield effect("order", one.order_alias, verb, signer, others, act=f"{verb}:{one.because}", **restated)


def find_failed(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Orders that have failed and no two people said so, or that two people ended and that have not, nor left late."""
    from_bank = col(Disbursement.account_code).startswith(f"{BANK}:")
    failed = {
        *session.exec(select(Disbursement.alias).where(Disbursement.state == disbursements.State.FAILED, from_bank)),
        *session.exec(select(Advance.alias).where(Advance.state == advances.State.FAILED)),
        *session.exec(select(Repayment.alias).where(Repayment.state == outlays.State.FAILED)),
    }
    agreed = {one.order_alias for one in _told(session) if one.agreed_by is not None}
    lines = _of_agents(session)
    failed |= {line.disbursement_alias for line in lines if line.outcome is not Outcome.FAILED}
    for alias in sorted(failed - agreed):
        yield Finding("orders-failed", "order", alias, {"where": "failure"})
    late = _carried_out(session)
    agreed -= {line.disbursement_alias for line in lines} | _paid_all_the_same(session)
    for alias in sorted(agreed - failed):
        order = _order(session, alias)
        if alias not in late or order is None or order_failures.waits(order) or order.state in _BEFORE:
            yield Finding("orders-failed", "order", alias, {"where": "state"})


def find_forgotten(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Signatures that an order was not carried out, of which nothing is left."""
    said = {(one.order_alias, one.told_by, one.agreed_by) for one in _told(session)}
    kept = {("tell_unexecuted", order, told) for order, told, _ in said}
    kept |= {("agree_unexecuted", order, agreed) for order, _, agreed in said if agreed is not None}
    for page in paged(session, SignedAct, SignedAct.nonce, col(SignedAct.verb).in_(_SIGNED)):
        for act in page:
            if (act.verb, act.object, act.signer) not in kept:
                yield Finding("orders-forgotten", "order", act.object, {"verb": act.verb, "signer": act.signer})


def _of_agents(session: Session) -> Sequence[BatchLine]:
    """The lines of agents whose payments have failed: as they said, or as two people who stopped them."""
    query = select(BatchLine).join(Batch, col(Batch.alias) == BatchLine.batch_alias)
    query = query.join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
    query = query.where(col(Batch.agent_alias).is_not(None), Disbursement.state == disbursements.State.FAILED)
    return session.exec(query).all()


def _paid_all_the_same(session: Session) -> set[str]:
    """What agents paid though it was stopped, and an exception tells of."""
    query = select(OpenException.about).where(OpenException.difference == Difference.PAID_AFTER_STOP)
    return {about.partition(":")[2] for about in session.exec(query)}


def _told(session: Session) -> Sequence[OrderFailure]:
    query = select(OrderFailure).order_by(col(OrderFailure.order_alias), col(OrderFailure.number))
    return session.exec(query.execution_options(populate_existing=True)).all()


def _carried_out(session: Session) -> set[str | None]:
    """Of what two people said that it was carried out after all."""
    both = (col(ResolutionAgreement.about) == Resolution.about) & (ResolutionAgreement.number == Resolution.number)
    query = select(Resolution.of).join(ResolutionAgreement, both).where(Resolution.answer == Answer.CARRIED_OUT)
    return set(session.exec(query))


def _order(session: Session, alias: str) -> Order | None:
    try:
        return order_failures.find(session, alias)
    except NotFound:
        return None


_BEFORE = {"requested", "approved", "cancelled"}
"""States of an order before it might fail, or instead."""

CHECKS = (
    Check(
        "orders-failed", "what the bank was told to pay has failed when two people say so, and only then", find_failed
    ),
    Check("orders-forgotten", "every signature that an order was not carried out has its row", find_forgotten),
)
