"""Routes of orders that the bank never carried out: told by one, ended when another agrees by `/v1/approvals`."""

from datetime import date

from fastapi import APIRouter
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import order_failures
from ledger.aid.order_failures import OrderFailure, Reason
from ledger.approvals import Agreed

router = APIRouter()


class OrderFailureIn(Wire):
    """The treasurer's signed act on a payment, an advance or a repayment, and why the bank did not carry it out."""

    order: Alias
    because: Reason
    agreed: SignedActOnWire


class OrderOut(Wire):
    """What the bank was told to pay, with everything an act about it restates."""

    order: str
    state: str
    version: int
    amount: AmountOnWire
    account: str
    commitment: str | None


class OrderFailureOut(OrderOut):
    """What was told of it last; it has failed when somebody agreed."""

    because: str
    told_by: str
    told_on: date
    agreed_by: str | None
    agreed_on: date | None


class OrderFailuresOut(Wire):
    """What was told, oldest first."""

    failures: list[OrderFailureOut]


@router.get("/v1/order-failures")
def list_order_failures(session: Tx, _caller: Admitted) -> OrderFailuresOut:
    """The orders that somebody told were never carried out."""
    return OrderFailuresOut(failures=[_failure(session, one) for one in order_failures.listed(session)])


@router.get("/v1/order-failures/{alias}")
def read_order(alias: Alias, session: Tx, _caller: Admitted) -> OrderOut:
    """A payment, an advance or a repayment as somebody who tells of it restates it."""
    return _order(session, alias)


@router.post("/v1/order-failures", status_code=201)
def tell_order_failure(body: OrderFailureIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> OrderFailureOut:
    """Tells that the bank never carried an order out; another person agrees."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(_failure(session, order_failures.tell(session, body.order, because=body.because, agreed=agreed)))


def _failure(session: Session, told: OrderFailure) -> OrderFailureOut:
    return OrderFailureOut(
        **_order(session, told.order_alias).model_dump(),
        because=told.because,
        told_by=told.told_by,
        told_on=told.told_on,
        agreed_by=told.agreed_by,
        agreed_on=told.agreed_on,
    )


def _order(session: Session, alias: str) -> OrderOut:
    order = order_failures.find(session, alias)
    return OrderOut(
        order=alias,
        state=order.state,
        version=order.version,
        amount=AmountOnWire.of(order.amount()),
        account=order.account_code,
        commitment=order_failures.commitment_of(session, order),
    )
