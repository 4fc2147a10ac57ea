"""Periods: months are open, perhaps closed softly while they are looked over, and then closed for good, in their order.

What happened in a closed month and is learned later is booked on the first open day; its own day is kept beside it.
So it is in a softly closed month, but for the entries that the treasurer admits, each by its fingerprint. No month is
ever opened again.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, Select, String, bindparam, column, func, table
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from ledger.errors import BadInput, Conflict, Refused
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime
from ledger.storage.engine import looked_up

IN_FLIGHT = timedelta(minutes=5)
"""How far the clocks of two processes may differ, and how long something may be in flight while its month is closed."""

_MONTH = re.compile(r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)


class BadMonth(BadInput):
    """Not a month such as `2020-10`."""

    rule = "bad_month"


class PeriodClosed(Refused):
    """The day lies in a closed month, in which nothing is booked any more."""

    rule = "period_closed"


class PeriodSoftClosed(Refused):
    """The day lies in a softly closed month, in which nothing is booked but what the treasurer has admitted."""

    rule = "period_soft_closed"


class NotSoftClosed(Refused):
    """An entry is admitted to a month that is closed softly; this one is open, or closed for good."""

    rule = "not_soft_closed"


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


class SoftClosedMonth(SQLModel, table=True):
    """A month closed softly, by its last day; it stays here when it is closed for good."""

    __tablename__ = "soft_closed_month"
    last_day: date = Field(primary_key=True)
    closed_by: str = Field(max_length=20)
    closed_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


@dataclass(frozen=True, slots=True)
class Period:
    """A month such as `2020-10`, and how it was closed."""

    month: str
    soft_closed: SoftClosedMonth | None
    closed: ClosedMonth | None

    @property
    def state(self) -> str:
        """`open`, `soft_closed` or `closed`."""
        return "closed" if self.closed else "soft_closed" if self.soft_closed else "open"


def close(session: Session, month: str, *, by: str, at: datetime) -> ClosedMonth:
    """Closes a month for good, open or softly closed; what it comes to is sealed already (see `seals.close`).

    Raises:
        BadMonth, AlreadyClosed, MonthNotOver, MonthOutOfOrder: nothing was written.
    """
    last_day = require_closable(session, month, at=at)
    closed = ClosedMonth(last_day=last_day, closed_by=by, closed_at=at)
    try:
        with session.begin_nested():
            session.add(closed)
    except IntegrityError:  # on PostgreSQL another transaction closed it between our look and our insert
        raise AlreadyClosed("the month is closed already", month=month) from None
    look_again(session)
    return closed


def soft_close(session: Session, month: str, *, by: str, at: datetime) -> SoftClosedMonth:
    """Closes a month softly, so that it stands still while it is looked over.

    Raises:
        BadMonth, AlreadyClosed, MonthNotOver, MonthOutOfOrder: nothing was written.
    """
    last_day = _require_next(session, month, through=still_through(session), at=at)
    closed = SoftClosedMonth(last_day=last_day, closed_by=by, closed_at=at)
    try:
        with session.begin_nested():
            session.add(closed)
    except IntegrityError:
        raise AlreadyClosed("the month is closed already", month=month) from None
    look_again(session)
    return closed


def require_closable(session: Session, month: str, *, at: datetime) -> date:
    """The last day of a month that can be closed for good now.

    Raises:
        BadMonth, AlreadyClosed, MonthNotOver, MonthOutOfOrder: it cannot.
    """
    return _require_next(session, month, through=closed_through(session), at=at)


def require_soft_closed(session: Session, month: str) -> None:
    """Refuses a month that is not closed softly.

    Raises:
        BadMonth: it is none. NotSoftClosed: see there.
    """
    last_day = last_day_of(month)
    through, closed = still_through(session), closed_through(session)
    if through is None or last_day > through or (closed is not None and last_day <= closed):
        raise NotSoftClosed("the month is not closed softly", month=month)


def booking_day(session: Session, happened_on: date, *, fingerprint: str | None = None) -> date:
    """The day on which a fact is booked: when it happened, or the first open day after the closed months.

    `fingerprint` is the entry's: one that the treasurer admitted stays in its softly closed month.
    """
    closed, through = closed_through(session), still_through(session)
    if through is None or happened_on > through:
        return happened_on
    if (closed is None or happened_on > closed) and _is_admitted(session, fingerprint):
        return happened_on
    return through + timedelta(days=1)


def require_open(session: Session, day: date, *, fingerprint: str | None = None) -> None:
    """Refuses a day in a closed month, and in a softly closed one for an entry that is not admitted to it.

    Raises:
        PeriodClosed, PeriodSoftClosed: see there.
    """
    closed, through = closed_through(session), still_through(session)
    if closed is not None and day <= closed:
        raise PeriodClosed("the month is closed", month=f"{day:%Y-%m}", closed_through=closed.isoformat())
    if through is not None and day <= through and not _is_admitted(session, fingerprint):
        raise PeriodSoftClosed(
            "the month is closed softly", month=f"{day:%Y-%m}", soft_closed_through=through.isoformat()
        )


def closed_through(session: Session) -> date | None:
    """The last day of the last month closed for good, or None; read once per transaction."""
    return _read_once(session)["closed"]


def still_through(session: Session) -> date | None:
    """The last day of the last month that is closed, softly or for good, or None."""
    return _read_once(session)["still"]


def is_known(session: Session) -> bool:
    """Whether this transaction has read which months are closed."""
    return bool(looked_up(session, _CLOSED))


def remember(session: Session, *, closed: date | None, softly: date | None) -> None:
    """Keeps for this transaction the last days of the last months closed for good, and softly."""
    still = max((day for day in (closed, softly) if day is not None), default=None)
    looked_up(session, _CLOSED).update(closed=closed, still=still)


def look_again(session: Session) -> None:
    """Forgets what this transaction has read: on PostgreSQL another one may have closed a month since."""
    looked_up(session, _CLOSED).clear()


def listed(session: Session, *, today: date) -> list[Period]:
    """Every month from the first in which something was booked until that of `today`, closed or open."""
    closed = {f"{one.last_day:%Y-%m}": one for one in session.exec(select(ClosedMonth))}
    softly = {f"{one.last_day:%Y-%m}": one for one in session.exec(select(SoftClosedMonth))}
    first = _first_booked_month(session)
    months = {*closed, *softly}
    while first is not None and first <= f"{today:%Y-%m}":
        months.add(first)
        first = _month_after(last_day_of(first))
    return [Period(month, softly.get(month), closed.get(month)) for month in sorted(months)]


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
_THROUGH = select_columns(
    select_columns(func.max(SQLModel.metadata.tables["closed_month"].c.last_day)).scalar_subquery().label("closed"),
    select_columns(func.max(SQLModel.metadata.tables["soft_closed_month"].c.last_day))
    .scalar_subquery()
    .label("softly"),
)
# By name: the journal stands above the periods, which it asks before every entry, and so do the treasurer's acts.
_FIRST_BOOKED = select_columns(func.min(column("effective_on", Date))).select_from(table("entry"))
_ADMITTED: Select[Any] = (
    select_columns(column("fingerprint", String))
    .select_from(table("admitted_entry"))
    .where(column("fingerprint", String) == bindparam("fingerprint"))
)


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month when it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _require_next(session: Session, month: str, *, through: date | None, at: datetime) -> date:
    last_day = last_day_of(month)
    if through is not None and last_day <= through:
        raise AlreadyClosed("the month is closed already", month=month)
    if at.astimezone(UTC).date() <= last_day:
        raise MonthNotOver("the month is not over", month=month, last_day=last_day.isoformat())
    following = _month_after(through) if through is not None else _first_booked_month(session)
    if month != following:
        raise MonthOutOfOrder("months are closed one after the other", month=month, next=following)
    return last_day


def _read_once(session: Session) -> dict[str, date | None]:
    known = looked_up(session, _CLOSED)
    if not known:
        closed, softly = session.connection().execute(_THROUGH).one()
        remember(session, closed=closed, softly=softly)
    return known


def _is_admitted(session: Session, fingerprint: str | None) -> bool:
    if fingerprint is None:
        return False
    return session.connection().execute(_ADMITTED, {"fingerprint": fingerprint}).first() is not None


def _first_booked_month(session: Session) -> str | None:
    day = session.connection().execute(_FIRST_BOOKED).scalar()
    return None if day is None else f"{day:%Y-%m}"


def _month_after(last_day: date) -> str:
    return f"{last_day + timedelta(days=1):%Y-%m}"
