"""Routes that show what the card processor holds or has sent: gifts that are called back, money on its way."""

from datetime import date

from fastapi import APIRouter

from api.authentication import Admitted
from api.routes.wire import AmountOnWire, Wire
from api.transactions import Tx
from ledger.giving import disputes, payouts
from ledger.giving.disputes import Dispute
from ledger.giving.payouts import Payout
from ledger.money import Money

router = APIRouter()


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


@router.get("/v1/payouts")
def list_payouts(session: Tx, _caller: Admitted) -> PayoutsOut:
    """All payouts."""
    return PayoutsOut(payouts=[PayoutOut.of(one) for one in payouts.listed(session)])
