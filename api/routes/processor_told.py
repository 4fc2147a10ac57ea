"""Routes of what a person tells about the card processor: what moved, what a line of the bank is, a dispute lost."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.giving import BookedOut, TransactionId
from api.routes.refunding import RefundOrderOut
from api.routes.wire import Alias, AmountOnWire, Day, Wire
from api.transactions import Tx
from ledger.giving import disputes, payouts
from ledger.giving.disputes import Dispute
from ledger.giving.explanations import What
from ledger.giving.payouts import Payout
from ledger.money import Money
from ledger.reconciliation import processor, told

router = APIRouter()

PayoutId = Annotated[str, StringConstraints(pattern=r"^(po|txn)_[A-Za-z0-9]{4,58}$")]


class ExplanationIn(Wire):
    """What a movement of this amount was; a refund names its `gift`, `counted` in its currency if that is another."""

    amount: AmountOnWire
    what: What
    gift: Alias | None = None
    counted: AmountOnWire | None = None


class LineIn(Wire):
    """The exception that a bank's line has opened."""

    exception: Alias


class LostIn(Wire):
    """The day on which a dispute was decided for the giver."""

    on: Day


class DisputeOut(Wire):
    """A gift that its giver's bank calls back."""

    alias: str
    donation: str
    state: str
    amount: AmountOnWire
    fee: AmountOnWire
    opened_on: date

    @classmethod
    def of(cls, dispute: Dispute) -> "DisputeOut":
        """A dispute as the wire has it."""
        return cls(
            alias=dispute.alias,
            donation=dispute.donation_alias,
            state=dispute.state,
            amount=AmountOnWire.of(dispute.withdrawn()),
            fee=AmountOnWire.of(Money(dispute.fee_minor, dispute.currency)),
            opened_on=dispute.opened_on,
        )


class DisputesOut(Wire):
    """All disputes, oldest first."""

    disputes: list[DisputeOut]


class PayoutOut(Wire):
    """Money on its way from the processor to the bank; `arriving` is what comes there, in the bank's currency."""

    id: str
    state: str
    amount: AmountOnWire
    arriving: AmountOnWire
    automatic: bool
    created_on: date
    paid_on: date | None
    failed_on: date | None

    @classmethod
    def of(cls, payout: Payout) -> "PayoutOut":
        """A payout as the wire has it."""
        return cls(
            id=payout.id,
            state=payout.state,
            amount=AmountOnWire.of(payout.amount()),
            arriving=AmountOnWire.of(payout.arriving()),
            automatic=payout.items_of is not None,
            created_on=payout.created_on,
            paid_on=payout.paid_on,
            failed_on=payout.failed_on,
        )


class PayoutsOut(Wire):
    """All payouts, oldest first."""

    payouts: list[PayoutOut]


@router.get("/v1/disputes")
def list_disputes(session: Tx, _caller: Admitted) -> DisputesOut:
    """All disputes."""
    return DisputesOut(disputes=[DisputeOut.of(one) for one in disputes.listed(session)])


@router.post("/v1/disputes/{alias}/lose", status_code=201)
def lose_dispute(alias: Alias, body: LostIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DisputeOut:
    """Books a dispute that was decided for the giver: nothing moves at the processor, so somebody says it."""
    lost, _ = disputes.lose(session, alias, on=body.on, recorded_at=now, recorded_by=caller.operator.alias)
    return once.keep(DisputeOut.of(lost))


@router.get("/v1/payouts")
def list_payouts(session: Tx, _caller: Admitted) -> PayoutsOut:
    """All payouts."""
    return PayoutsOut(payouts=[PayoutOut.of(one) for one in payouts.listed(session)])


@router.post("/v1/payouts/{payout}/answer", status_code=201)
def answer_with_payout(
    payout: PayoutId, body: LineIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> PayoutOut:
    """Books a line of the bank that waits as this payout."""
    found = told.is_payout(
        session, payout, exception=body.exception, recorded_at=now, recorded_by=caller.operator.alias
    )
    return once.keep(PayoutOut.of(found))


@router.post("/v1/refund-orders/{alias}/answer", status_code=201)
def answer_with_refund(
    alias: Alias, body: LineIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> RefundOrderOut:
    """Books a line of the bank that waits as the refund by bank that two people signed."""
    paid = told.is_refund(session, alias, exception=body.exception, recorded_at=now, recorded_by=caller.operator.alias)
    return once.keep(RefundOrderOut.of(paid))


@router.post("/v1/movements/{balance_transaction}/explain", status_code=201)
def explain_movement(
    balance_transaction: TransactionId, body: ExplanationIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> BookedOut:
    """Books a movement that waits as what a person says it was."""
    booked = processor.explain(
        session,
        balance_transaction,
        gross=body.amount.money(),
        what=body.what,
        gift=body.gift,
        counted=body.counted.money() if body.counted else None,
        explained_at=now,
        explained_by=caller.operator.alias,
    )
    return once.keep(BookedOut.of(booked))
