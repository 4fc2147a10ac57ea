"""Periods: months are open until they are closed, one after the other, for good.

What happened in a closed month and is learned later is booked on the first open day; its own day is kept beside it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Date, column, func, table
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from ledger.errors import BadInput, Conflict, Refused
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime
from ledger.storage.engine import looked_up

_MONTH = re.compile(r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)


class BadMonth(BadInput):
    """Not a month such as `2020-10`."""

    rule = "bad_month"


class PeriodClosed(Refused):
    """The day lies in a closed month, in which nothing is booked any more."""

    rule = "period_closed"


class AlreadyClosed(Conflict):
    """The month is closed already."""

    rule = "already_closed"


class MonthNotOver(Refused):
    """A month is closed after its last day."""

    rule = "month_not_over"


class MonthOutOfOrder(Refused):
    """Months are closed one after the other, from the first in which something was booked; `next` tells which."""

    rule = "month_out_of_order"


class ClosedMonth(SQLModel, table=True):
    """A closed month, by its last day. Nothing is booked on that day or any before it."""

    __tablename__ = "closed_month"
    last_day: date = Field(primary_key=True)
    closed_by: str = Field(max_length=20)
    closed_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


@dataclass(frozen=True, slots=True)
class Period:
    """A month such as `2020-10`; `closed` is None while it is open."""

    month: str
    closed: ClosedMonth | None


def close(session: Session, month: str, *, by: str, at: datetime) -> ClosedMonth:
    """Closes a month for good.

    Raises:
        BadMonth, AlreadyClosed, MonthNotOver, MonthOutOfOrder: nothing was written.
    """
    last_day = last_day_of(month)
    through = closed_through(session)
    if through is not None and last_day <= through:
        raise AlreadyClosed("the month is closed already", month=month)
    if at.astimezone(UTC).date() <= last_day:
        raise MonthNotOver("the month is not over", month=month, last_day=last_day.isoformat())
    first = _first_open_month(session)
    if month != first:
        raise MonthOutOfOrder("months are closed one after the other", month=month, next=first)
    closed = ClosedMonth(last_day=last_day, closed_by=by, closed_at=at)
    try:
        with session.begin_nested():
            session.add(closed)
    except IntegrityError:  # on PostgreSQL another transaction closed it between our look and our insert
        raise AlreadyClosed("the month is closed already", month=month) from None
    looked_up(session, _CLOSED).clear()
    return closed


def require_open(session: Session, day: date) -> None:
    """Refuses a day in a closed month.

    Raises:
        PeriodClosed: see there.
    """
    check_open(day, closed_through=closed_through(session))


def first_open(day: date, *, closed_through: date | None) -> date:
    """`day` itself, or the first one after the closed months."""
    return day if closed_through is None or day > closed_through else closed_through + timedelta(days=1)


def check_open(day: date, *, closed_through: date | None) -> None:
    """Refuses a day in a closed month.

    Raises:
        PeriodClosed: see there.
    """
    if closed_through is not None and day <= closed_through:
        raise PeriodClosed("the month is closed", month=f"{day:%Y-%m}", closed_through=closed_through.isoformat())


def closed_through(session: Session) -> date | None:
    """The last day of the last closed month, or None; read once per transaction."""
    if not is_known(session):
        remember(session, session.connection().execute(_CLOSED_THROUGH).scalar())
    through: date | None = looked_up(session, _CLOSED)["through"]
    return through


def is_known(session: Session) -> bool:
    """Whether this transaction has read which months are closed."""
    return "through" in looked_up(session, _CLOSED)


def remember(session: Session, through: date | None) -> None:
    """Keeps the last day of the last closed month for this transaction."""
    looked_up(session, _CLOSED)["through"] = through


def look_again(session: Session) -> None:
    """Forgets what this transaction has read: on PostgreSQL another one may have closed a month since."""
    looked_up(session, _CLOSED).clear()


def listed(session: Session, *, today: date) -> list[Period]:
    """Every month from the first in which something was booked until that of `today`, closed or open."""
    closed = {f"{one.last_day:%Y-%m}": one for one in session.exec(select(ClosedMonth))}
    first = _first_booked_month(session)
    months = set(closed)
    while first is not None and first <= f"{today:%Y-%m}":
        months.add(first)
        first = _month_after(last_day_of(first))
    return [Period(month, closed.get(month)) for month in sorted(months)]


def last_day_of(month: str) -> date:
    """The last day of a month such as `2020-10`.

    Raises:
        BadMonth: it is none.
    """
    if not _MONTH.fullmatch(month) or month == "9999-12":  # whose next day no calendar has
        raise BadMonth("a month is its year and number, such as 2020-10", where="month")
    in_the_next = date.fromisoformat(f"{month}-01") + timedelta(days=31)
    return in_the_next.replace(day=1) - timedelta(days=1)


_CLOSED = "closed_month"
_CLOSED_THROUGH = select_columns(func.max(SQLModel.metadata.tables["closed_month"].c.last_day))
# By name: the journal stands above the periods, which it asks before every entry.
_FIRST_BOOKED = select_columns(func.min(column("effective_on", Date))).select_from(table("entry"))


def _first_open_month(session: Session) -> str | None:
    through = closed_through(session)
    return _month_after(through) if through is not None else _first_booked_month(session)


def _first_booked_month(session: Session) -> str | None:
    day = session.connection().execute(_FIRST_BOOKED).scalar()
    return None if day is None else f"{day:%Y-%m}"


def _month_after(last_day: date) -> str:
    return f"{last_day + timedelta(days=1):%Y-%m}"
