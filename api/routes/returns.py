"""Routes of returns: what the bank shows of them that waits for a second person."""

from fastapi import APIRouter

from api.authentication import Admitted
from api.routes.wire import AmountOnWire, Wire
from api.transactions import Tx
from ledger.reconciliation import confirmations

router = APIRouter()


class WaitingReturnOut(Wire):
    """What came, and what it is said to stand for in the agent's purse; the act names the exception."""

    exception: str
    advance: str
    came: AmountOnWire
    stands_for: AmountOnWire
    withdrawn: bool


class WaitingReturnsOut(Wire):
    """Returns that came far from the rate of the day, or after they were withdrawn, oldest first."""

    returns: list[WaitingReturnOut]


@router.get("/v1/returns/waiting")
def list_waiting_returns(session: Tx, _caller: Admitted) -> WaitingReturnsOut:
    """Returns that are booked when a second person confirms them."""
    return WaitingReturnsOut(
        returns=[
            WaitingReturnOut(
                exception=opened.alias,
                advance=announced.advance_alias,
                came=AmountOnWire.of(line.amount()),
                stands_for=AmountOnWire.of(announced.amount()),
                withdrawn=announced.withdrawn_on is not None,
            )
            for opened, line, announced in confirmations.waiting(session)
        ]
    )
