"""Routes of periods: months, and their closing by a signed act."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import SignedActOnWire, Wire
from api.transactions import Tx
from ledger import closing
from ledger.approvals import Agreed
from ledger.books import periods
from ledger.books.periods import Period

router = APIRouter()

Month = Annotated[str, Path(pattern=r"^\d{4}-\d{2}$", examples=["2020-10"])]


class PeriodOut(Wire):
    """A month; `state` is `open` or `closed`."""

    month: str
    last_day: date
    state: str
    closed_by: str | None
    closed_at: datetime | None

    @classmethod
    def of(cls, period: Period) -> "PeriodOut":
        """A month as the wire has it."""
        return cls(
            month=period.month,
            last_day=periods.last_day_of(period.month),
            state="closed" if period.closed else "open",
            closed_by=period.closed.closed_by if period.closed else None,
            closed_at=period.closed.closed_at if period.closed else None,
        )


class PeriodsOut(Wire):
    """Every month from the first in which something was booked until this one."""

    periods: list[PeriodOut]


class CloseIn(Wire):
    """The treasurer's signed act; its object is the month."""

    agreed: SignedActOnWire


@router.get("/v1/periods")
def list_periods(session: Tx, _caller: Admitted, now: Now) -> PeriodsOut:
    """The months, closed and open."""
    return PeriodsOut(periods=[PeriodOut.of(period) for period in periods.listed(session, today=now.date())])


@router.post("/v1/periods/{month}/close", status_code=201)
def close_period(month: Month, body: CloseIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> PeriodOut:
    """Closes a month for good: nothing is booked in it any more."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    closed = closing.close(session, month, agreed)
    return once.keep(PeriodOut.of(Period(month, closed)))
