"""Routes of refund orders: asked for by one signature, agreed to by another (`POST /v1/approvals`), or withdrawn."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Code, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.giving import bank_refunds, refund_orders
from ledger.giving.refund_orders import RefundOrder

router = APIRouter()


class RefundOrderIn(Wire):
    """Asks for a gift by card, or a part of it, to go back, with the treasurer's signed act.

    By bank, from the leaf `account`, goes what the processor could not give back.
    """

    alias: Alias
    donation: Alias
    amount: AmountOnWire
    agreed: SignedActOnWire
    account: Code | None = None


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
    account: str | None

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
            account=order.account_code,
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
    facts: dict[str, Any] = {"donation": body.donation, "amount": body.amount.money(), "agreed": agreed}
    if body.account is None:
        order = refund_orders.request(session, body.alias, **facts)
    else:
        order = bank_refunds.request(session, body.alias, account=body.account, **facts)
    return once.keep(RefundOrderOut.of(order))


@router.post("/v1/refund-orders/{alias}/withdraw", status_code=201)
def withdraw_refund(alias: Alias, session: Tx, _caller: Admitted, now: Now, once: Claimed) -> RefundOrderOut:
    """Gives up an order that was not sent."""
    return once.keep(RefundOrderOut.of(refund_orders.withdraw(session, alias, on=now.date())))
