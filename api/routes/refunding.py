"""Routes of refund orders: asked for by one signature, agreed to by another (`POST /v1/approvals`), or withdrawn."""

from datetime import datetime

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.giving import refund_orders
from ledger.giving.refund_orders import RefundOrder

router = APIRouter()


class RefundOrderIn(Wire):
    """Asks for a gift by card, or a part of it, to go back, with the treasurer's signed act.

    `by_bank` goes what the processor could not give back.
    """

    alias: Alias
    donation: Alias
    amount: AmountOnWire
    agreed: SignedActOnWire
    by_bank: bool = False


class RefundOrderOut(Wire):
    """A refund order with everything an act about it restates; `refund` is the processor's id once it was told."""

    alias: str
    donation: str
    amount: AmountOnWire
    state: str
    version: int
    commitment: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None
    refund: str | None
    by_bank: bool

    @classmethod
    def of(cls, order: RefundOrder) -> "RefundOrderOut":
        """An order as the wire has it."""
        return cls(
            alias=order.alias,
            donation=order.donation_alias,
            amount=AmountOnWire.of(order.amount()),
            state=order.state,
            version=order.version,
            commitment=order.commitment(),
            requested_by=order.requested_by,
            requested_at=order.requested_at,
            approved_by=order.approved_by,
            refund=order.refund,
            by_bank=order.by_bank,
        )


class RefundOrdersOut(Wire):
    """All refund orders, oldest first."""

    refund_orders: list[RefundOrderOut]


@router.get("/v1/refund-orders")
def list_refund_orders(session: Tx, _caller: Admitted) -> RefundOrdersOut:
    """All refund orders."""
    return RefundOrdersOut(refund_orders=[RefundOrderOut.of(one) for one in refund_orders.listed(session)])


@router.post("/v1/refund-orders", status_code=201)
def request_refund(body: RefundOrderIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> RefundOrderOut:
    """Asks for a gift to go back."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    order = refund_orders.request(
        session,
        body.alias,
        donation=body.donation,
        amount=body.amount.money(),
        agreed=agreed,
        by_bank=body.by_bank,
    )
    return once.keep(RefundOrderOut.of(order))


@router.post("/v1/refund-orders/{alias}/withdraw", status_code=201)
def withdraw_refund(alias: Alias, session: Tx, _caller: Admitted, once: Claimed) -> RefundOrderOut:
    """Gives up an order that was not sent."""
    return once.keep(RefundOrderOut.of(refund_orders.withdraw(session, alias)))
