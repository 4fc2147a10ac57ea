"""What waits of agents, their batches and advances, of outlays, and of orders that the bank never carried out."""

from typing import Any

from bench.databases import DAY, RECORDER
from bench.unguarded import APPROVER, Rows, alias, row
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import BatchLine
from ledger.aid.batches import Batch
from ledger.aid.line_failures import LineFailure
from ledger.aid.order_failures import OrderFailure
from ledger.aid.outlays import Repayment
from ledger.aid.purse_movements import PurseMovement
from ledger.aid.returns import Return

_ADVANCES = ("requested", "approved", "released", "sent", "settled")
_OUTLAYS = ("requested", "approved", "cancelled")
_BATCHES = {"draft": 5, "locked": 5, "approved": 7, "released": 9}
"""Their states, and the last digit of the payments that are in them (see `queued_cases`)."""
_LINES = 10
_UNSEEN = 200
"""Of each two hundred payments one was released, and is in no file of the bank: the 105th."""


def make(some: int) -> Rows:
    """`some` of most kinds, of which a fifth or a half waits."""
    lines = [_line(batch, number) for batch in range(some // 4) for number in range(_LINES)]
    return {
        Agent: [row(Agent, nth, state="vetted" if nth % 10 == 0 else "active") for nth in range(some // 10)],
        Advance: [
            row(Advance, nth, alias=alias("V", nth), state=_ADVANCES[nth % 5], approved_by=APPROVER, sent_on=DAY)
            for nth in range(some)
        ],
        Batch: [
            row(Batch, nth, state=_state(nth), approved_by=APPROVER, agent_alias=alias("A", 0))
            for nth in range(some // 4)
        ],
        BatchLine: lines,
        PurseMovement: [
            row(PurseMovement, nth, what="fee", state="requested" if nth % 10 == 0 else "booked") for nth in range(some)
        ],
        Repayment: [
            row(Repayment, nth, alias=alias("J", nth), state=_OUTLAYS[nth % 3], approved_by=APPROVER, returned_minor=0)
            for nth in range(some)
        ],
        LineFailure: [
            {
                "disbursement_alias": line["disbursement_alias"],
                "because": "money_kept",
                "told_by": RECORDER,
                "told_on": DAY,
                "agreed_by": None,
            }
            for line in [one for one in lines if one["receipt"] == "missing"][::2]
        ],
        OrderFailure: [
            *(_failure(alias("D", _UNSEEN * nth + 104), agreed=nth % 5 == 0) for nth in range(some // 4)),
            *(_failure(alias("V", nth), agreed=False) for nth in range(2, some, 50)),
            *(_failure(alias("J", nth), agreed=False) for nth in range(1, some, 30)),
        ],
        Return: [
            row(Return, nth, advance_alias=alias("V", nth % some), minor=1, received_on=None if nth % 5 else DAY)
            for nth in range(3, some * 3, 6)
        ],
    }


def _state(nth: int) -> str:
    return tuple(_BATCHES)[nth % len(_BATCHES)]


def _line(batch: int, number: int) -> dict[str, Any]:
    """Of a released batch two lines have no result, and two no receipt."""
    state = _state(batch)
    is_paid = state == "released" and number < _LINES - 2
    return {
        "batch_alias": alias("BT", batch),
        "number": number + 1,
        "disbursement_alias": alias("D", (batch * _LINES + number) * 10 + _BATCHES[state]),
        "outcome": "paid" if is_paid else None,
        "receipt": ("missing" if number < 2 else "verified") if is_paid else None,  # noqa: PLR2004
        "paid_by": DAY if is_paid else None,
    }


def _failure(order: str, *, agreed: bool) -> dict[str, Any]:
    return row(
        OrderFailure,
        0,
        order_alias=order,
        number=1,
        told_by=RECORDER,
        told_on=DAY,
        agreed_by=APPROVER if agreed else None,
        agreed_on=DAY if agreed else None,
    )
