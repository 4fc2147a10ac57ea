"""Notices: the processor says that something moved. They book nothing, and only tell that it is time to look."""

import re
from datetime import datetime, timedelta

from sqlalchemy import Executable, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.errors import BadInput
from ledger.giving.cursors import STRIPE, PullCursor
from ledger.storage.columns import UtcDateTime

_ID = re.compile(r"evt_[A-Za-z0-9_]{4,59}", re.ASCII)
_KIND = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)
_ABOUT = re.compile(r"(txn|ch|py|re|pyr|dp|du|po|tu)_[A-Za-z0-9]{4,58}", re.ASCII)
"""The objects whose ids stand in the books anyway. Others, such as customers, are not kept."""


KEPT = timedelta(days=30)
"""How long a notice is kept: so long the processor keeps an event, and may send it again. One that comes later still
would be taken for new, and at worst have somebody look once more."""
QUIET = timedelta(seconds=20)
"""How long a notice lies before somebody looks: its movement is listed by then, and what came with it."""


class BadNotice(BadInput):
    """Not a notice: an id or a kind is missing, or of another form."""

    rule = "bad_notice"


class Notice(SQLModel, table=True):
    """One notice by the processor's `id`; `kind` is its type, `about` the object's id where it moves money."""

    id: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=100)
    about: str | None = Field(default=None, max_length=64)
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)


_NOTICES = SQLModel.metadata.tables["notice"]
_INSERT: dict[str, Executable] = {
    "sqlite": sqlite.insert(_NOTICES).on_conflict_do_nothing().returning(_NOTICES.c.id),
    "postgresql": postgresql.insert(_NOTICES).on_conflict_do_nothing().returning(_NOTICES.c.id),
}
"""One statement, and not a look before: notices come in numbers, and again and again."""


def take(session: Session, notice: str, *, kind: str, about: str | None, received_at: datetime) -> bool:
    """Keeps a notice whose signature was checked; False when it came before, and nothing is written.

    Raises:
        BadNotice: see there.
    """
    if not _ID.fullmatch(notice) or not _KIND.fullmatch(kind):
        raise BadNotice("an id or a type is missing, or of another form", where="id, type")
    kept = about if about is not None and _ABOUT.fullmatch(about) else None
    row = {"id": notice, "kind": kind, "about": kept, "received_at": received_at}
    connection = session.connection()
    return connection.execute(_INSERT[connection.dialect.name], row).first() is not None


def is_time_to_look(session: Session, *, now: datetime) -> bool:
    """Whether a notice has come since the last whole pull began and lain for `QUIET`: one look is for a burst."""
    cursor = session.get(PullCursor, STRIPE)
    query = select(Notice.id).where(col(Notice.received_at) <= now - QUIET)
    if cursor is not None and cursor.looked_at is not None:
        query = query.where(col(Notice.received_at) >= cursor.looked_at)
    return session.exec(query.limit(1)).first() is not None


def prune(session: Session, *, now: datetime) -> int:
    """Removes notices older than `KEPT` after which everything was looked at; gives how many.

    One after which nobody has looked stays, however old: it still says that it is time.
    """
    cursor = session.get(PullCursor, STRIPE)
    if cursor is None or cursor.looked_at is None:
        return 0
    until = min(now - KEPT, cursor.looked_at)
    done = session.connection().execute(delete(_NOTICES).where(_NOTICES.c.received_at < until))
    return done.rowcount
