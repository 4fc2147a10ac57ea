"""Readings of shelves: how many an operator may fetch a day beyond their work, and the log for the auditors."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import exceptions
from ledger.errors import Refused
from ledger.exceptions import Difference
from ledger.identities.shelves import Access, Shelf, UnknownShelf
from ledger.people import Role
from ledger.storage.locks import locked

READERS = {"donors": frozenset({Role.TREASURER})}
"""Vaults whose boxes are handed out to these roles only, of all whom the route admits."""


class TooManyReadings(Refused):
    """More shelves than one operator opens a day beyond the work that waits for them; `ends_at` tells until when."""

    rule = "too_many_readings"


class ReadingDay(SQLModel, table=True):
    """How many shelves an operator has opened on a day (UTC) `beyond` their work. Its row is their lock."""

    __tablename__ = "reading_day"
    operator: str = Field(primary_key=True, max_length=20)
    day: date = Field(primary_key=True)
    beyond: int


def require_room(
    session: Session, shelves: Collection[str], *, operator: str, at: datetime, assigned: Collection[str], limit: int
) -> None:
    """Counts the shelves an operator is about to open: those that are neither `assigned` nor opened by them today.

    Requests of one operator take turns here, so that many at once pass no more than one after the other.

    Raises:
        TooManyReadings: it would be more than `limit` on this day. Nothing was counted.
    """
    beyond = set(shelves) - set(assigned)
    if not beyond:
        return
    counted = _counted(session, operator, at.date())
    start, end = _bounds(at.date())
    opened = select(Access.shelf_alias).where(
        Access.operator == operator, col(Access.at) >= start, col(Access.at) < end, col(Access.shelf_alias).in_(beyond)
    )
    today = session.exec(opened).all()
    fresh = len(beyond.difference(today))
    if counted.beyond + fresh > limit:
        raise TooManyReadings(
            "more shelves than are opened a day beyond assigned work",
            limit=limit,
            opened=counted.beyond,
            ends_at=end.isoformat(),
        )
    counted.beyond += fresh
    session.add(counted)
    session.flush()


def require_role(session: Session, shelves: Collection[str], *, roles: Collection[Role]) -> None:
    """Refuses who has none of the roles to which boxes of these shelves' vaults are handed out.

    Raises:
        UnknownShelf: so a shelf that is not theirs looks like one that is not there.
    """
    vaults = set(session.exec(select(Shelf.vault).where(col(Shelf.alias).in_(shelves))))
    if any(not READERS[vault] & set(roles) for vault in vaults & READERS.keys()):
        raise UnknownShelf("no shelf has this alias")


def report(session: Session, *, operator: str, on: date) -> None:
    """Opens an exception about somebody who met the limit, once a day."""
    exceptions.open_once(session, difference=Difference.TOO_MANY_READINGS, about=f"{operator}:{on}", on=on)


def page(
    session: Session,
    *,
    operator: str | None = None,
    shelf: str | None = None,
    on: date | None = None,
    before: int | None = None,
    limit: int,
) -> list[Access]:
    """Up to `limit` readings, the newest first: of an operator, a shelf, a day (UTC); `before` is the last one seen."""
    query = select(Access)
    if operator is not None:
        query = query.where(Access.operator == operator)
    if shelf is not None:
        query = query.where(Access.shelf_alias == shelf)
    if on is not None:
        start, end = _bounds(on)
        query = query.where(col(Access.at) >= start, col(Access.at) < end)
    if before is not None:
        query = query.where(col(Access.id) < before)
    return list(session.exec(query.order_by(col(Access.id).desc()).limit(limit)))


def _counted(session: Session, operator: str, day: date) -> ReadingDay:
    """The operator's row of the day, locked."""
    query = select(ReadingDay).where(ReadingDay.operator == operator, ReadingDay.day == day)
    if session.exec(query).one_or_none() is None:
        try:
            with session.begin_nested():
                session.add(ReadingDay(operator=operator, day=day, beyond=0))
        except IntegrityError:  # another request of theirs was first
            session.expire_all()
    return session.exec(locked(query)).one()


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)
