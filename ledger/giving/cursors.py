"""The place up to which the processor's movements are booked: the next pull begins there, and a little before."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from ledger.storage.columns import UtcDateTime
from ledger.storage.locks import locked

STRIPE = "stripe"
OVERLAP_SECONDS = 3 * 24 * 60 * 60
"""How far before its place a pull begins: what the processor lists late is still found, and what was booked is not
booked again."""

WIDER_SECONDS = 35 * 24 * 60 * 60
"""How far before it the first pull of a day begins while the processor's balance is not what was received."""


class PullCursor(SQLModel, table=True):
    """`second` is the newest booked movement's on the processor's clock, `looked_at` when the last whole pull began."""

    __tablename__ = "pull_cursor"
    source: str = Field(primary_key=True, max_length=20)
    second: int = Field(sa_type=BigInteger)
    looked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def find_start(session: Session, *, now: datetime | None = None, differs: bool = False) -> int:
    """The second from which the next pull asks: further back, once a day, while something `differs`."""
    cursor = session.get(PullCursor, STRIPE)
    if cursor is None:
        return 0
    is_first = now is not None and (cursor.looked_at is None or cursor.looked_at.date() < now.date())
    return max(0, cursor.second - (WIDER_SECONDS if differs and is_first else OVERLAP_SECONDS))


def advance(session: Session, second: int, *, looked_at: datetime | None = None) -> PullCursor:
    """Moves the place on, never back; in the transaction that books what came before it, so that neither is alone."""
    query = locked(select(PullCursor).where(PullCursor.source == STRIPE))
    cursor = session.exec(query).one_or_none()
    if cursor is None:
        cursor = PullCursor(source=STRIPE, second=second)
        try:
            with session.begin_nested():
                session.add(cursor)
        except IntegrityError:  # on PostgreSQL another pull was first
            cursor = session.exec(query).one()
    cursor.second = max(cursor.second, second)
    if looked_at is not None:
        cursor.looked_at = max(cursor.looked_at or looked_at, looked_at)
    session.add(cursor)
    session.flush()
    return cursor
