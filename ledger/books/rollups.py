"""Roll-ups: what moved per account, fund and currency on each day and in each month, so that balances are quick.

Posting never touches them. A job takes in what was booked since (`advance`), as far as the horizon; what lies behind
it, the tail, is read from the lines. Roll-ups are no source of truth: they can be built from nothing, and compared.

Entry numbers become visible out of order on PostgreSQL: number 5 may be committed after number 9 was rolled up. So the
horizon is no number there, but a transaction: everything of older transactions is committed or gone for good. On SQLite
writers take turns, and the horizon is a number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Connection,
    Date,
    Index,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import Field, Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.books.journal import Entry, Line
from ledger.money import LARGEST_MINOR
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked

MOST_ENTRIES = 100_000
"""How many entries `advance` takes in at once on SQLite, where nobody else writes meanwhile: about half a second."""

Columns = ReadOnlyColumnCollection[str, Any]
Choice = Callable[[Columns], list[ColumnElement[bool]]]
"""Conditions on columns named `account_code`, `fund_code` and `currency`."""


class Level(StrEnum):
    """How long a time a roll-up adds up. A balance adds whole months, and the days of the last one."""

    DAY = "day"
    MONTH = "month"


class RollUp(SQLModel, table=True):
    """What moved from `starts_on` on for a day or a month; `minor` above zero is more debit than credit."""

    __tablename__ = "rollup"
    account_code: str = Field(primary_key=True, max_length=45)
    currency: str = Field(primary_key=True, max_length=3)
    level: Level = Field(primary_key=True, sa_type=enumeration(Level))
    starts_on: date = Field(primary_key=True)
    fund_code: str = Field(primary_key=True, max_length=30)
    minor: int = Field(sa_type=MinorUnits)

    __table_args__ = (
        *whole_minor("minor"),
        Index("rollup_by_time", "level", "starts_on", "account_code", "fund_code", "currency", "minor"),
        WITHOUT_ROWID,
    )


class Horizon(SQLModel, table=True):
    """The one row: how far the roll-ups reach. An entry is in when its transaction is older, or its number not above.

    `known_at` is when the last of them was recorded, None while there are no roll-ups.
    """

    __tablename__ = "rollup_horizon"
    id: int = Field(default=1, primary_key=True)
    xact_id: int = Field(default=0, sa_type=BigInteger)
    entry_id: int = Field(default=0, sa_type=BigInteger)
    known_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    __table_args__ = (CheckConstraint("id = 1", name="one_horizon"),)


@dataclass(frozen=True, slots=True)
class Difference:
    """A roll-up that is not what its lines give; None where there is no roll-up, or there are no lines."""

    level: Level
    starts_on: date
    account: str
    fund: str
    currency: str
    rolled_up: int | None
    recomputed: int | None


def advance(session: Session, *, most_entries: int = MOST_ENTRIES) -> int:
    """Takes in what was booked behind the horizon, and tells how many entries that were.

    A job calls it in a transaction of its own until the answer is 0. Two at once wait for each other. On PostgreSQL it
    takes in what was booked by transactions older than every one in flight, and never waits for those that post; on
    SQLite the oldest `most_entries`. Roll-ups that come from another server with a backup are built anew.
    """
    horizon = session.exec(locked(select_rows(Horizon))).one()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        if horizon.xact_id > int(connection.scalar(select(_NEXT_TRANSACTION)) or 0):
            _clear(session, horizon)  # restored on another server, where transactions are counted anew
        if horizon.known_at is None:  # of transactions that this server has not yet come to: all of them are here
            restored = select(func.max(_ENTRIES.c.id)).where(_ENTRIES.c.xact_id >= _NEXT_TRANSACTION)
            through = int(connection.scalar(restored) or 0)
        else:
            through = horizon.entry_id
        after = (max(horizon.xact_id, int(connection.scalar(select(_OLDEST_IN_FLIGHT)) or 0)), through)
    else:
        last = connection.scalar(select(func.max(_ENTRIES.c.id)))
        after = (0, min(int(last or 0), horizon.entry_id + most_entries))
    taken = and_(_behind(horizon.xact_id, horizon.entry_id), _before(*after))
    count, known_at = connection.execute(
        select(func.count(), func.max(_ENTRIES.c.recorded_at)).select_from(_ENTRIES).where(taken)
    ).one()
    if count:
        for level in Level:
            connection.execute(_addition(connection, level, taken))
        horizon.known_at = max(known_at, horizon.known_at or known_at)
    horizon.xact_id, horizon.entry_id = after
    session.flush()
    return int(count)


def rebuild(session: Session) -> int:
    """Drops all roll-ups and begins anew with a first `advance`; tells how many entries it took in."""
    _clear(session, session.exec(locked(select_rows(Horizon))).one())
    return advance(session)


def differences(session: Session) -> list[Difference]:
    """Every roll-up that is not what the lines before the horizon give; none is read while they are not in force."""
    if not in_force(session):
        return []
    horizon = select(col(Horizon.xact_id)).scalar_subquery(), select(col(Horizon.entry_id)).scalar_subquery()
    parts: list[Select[Any]] = [
        select(_ROLLUPS.c.level, _ROLLUPS.c.starts_on, *_cell(_ROLLUPS.c), _ROLLUPS.c.minor, literal(1).label("stored"))
    ]
    parts += [_grouped(session.connection(), level, _before(*horizon), literal(0).label("stored")) for level in Level]
    rows = union_all(*parts).subquery()
    key = [rows.c[name] for name in ("level", "starts_on", "account_code", "fund_code", "currency")]
    stored = func.sum(case((rows.c.stored == 1, rows.c.minor)))
    computed = func.sum(case((rows.c.stored == 0, rows.c.minor)))
    differing: Select[Any] = select(*key, stored, computed).group_by(*key).having(stored.is_distinct_from(computed))
    found = [
        Difference(Level(level), day, account, fund, currency, _whole(one), _whole(other))
        for level, day, account, fund, currency, one, other in session.connection().execute(differing)
    ]
    return sorted(found, key=lambda one: (one.level, one.starts_on, one.account, one.fund, one.currency))


def recomputed_by_month(session: Session) -> list[tuple[date, tuple[str, str, str], int]]:
    """What moved in each month by nothing but the lines: its first day, account, fund and currency, and the amount.

    In the order of months; so many rows as months and cells, however many lines.
    """
    rows = session.connection().execute(_grouped(session.connection(), Level.MONTH, true()))
    return sorted((day, (account, fund, currency), int(minor)) for _, day, account, fund, currency, minor in rows)


def in_force(session: Session, *, as_known_at: datetime | None = None) -> bool:
    """Whether balances come quicker from the roll-ups: there are some, and they hold nothing recorded later.

    It only chooses between two ways to the same figures.
    """
    connection = session.connection()
    query = _in_force_query(connection.dialect.name, known=as_known_at is not None)
    return connection.execute(query, moments(on=None, as_known_at=as_known_at)).first() is not None


def movements(*, choice: Choice, dated: bool, known: bool) -> Subquery:
    """What moved: rows of account, fund, currency and `minor` to be added, to be executed with `moments`.

    `dated`: until the end of a day; `known`: as known at a moment. Roll-ups and tail are read by one statement, so that
    they meet at one horizon though it moves meanwhile. What the roll-ups know too early makes all entries the tail.
    """
    is_known = _is_known(bindparam("as_known_at", type_=UtcDateTime) if known else None)
    rolled_up = select(*_cell(_ROLLUPS.c), _ROLLUPS.c.minor).where(
        select(col(Horizon.id)).where(is_known).exists(), *choice(_ROLLUPS.c)
    )
    # Written out: of a parameter PostgreSQL's plan for all values would not know that months are few.
    months, days = (
        rolled_up.where(_ROLLUPS.c.level == literal_column(f"'{level.value}'")) for level in (Level.MONTH, Level.DAY)
    )
    parts = [months]
    if dated:
        first, on = bindparam("month_of_on", type_=Date), bindparam("on", type_=Date)
        parts = [months.where(_ROLLUPS.c.starts_on < first), days.where(_ROLLUPS.c.starts_on.between(first, on))]
    tail = _tail(is_known, dated=dated, known=known)
    parts.append(select(*_cell(tail.c), tail.c.minor).where(*choice(tail.c)))
    return union_all(*parts).subquery("movement")


def moments(*, on: date | None, as_known_at: datetime | None) -> dict[str, date | datetime]:
    """The parameters of `movements` and `until`."""
    dates = {} if on is None else {"on": on, "month_of_on": on.replace(day=1)}
    return dates if as_known_at is None else {**dates, "as_known_at": as_known_at}


def until(*, dated: bool, known: bool) -> list[ColumnElement[bool]]:
    """Conditions on entries: effective until the end of a day, recorded until a moment."""
    conditions: list[ColumnElement[bool]] = []
    if dated:
        conditions.append(_ENTRIES.c.effective_on <= bindparam("on", type_=Date))
    if known:
        conditions.append(_ENTRIES.c.recorded_at <= bindparam("as_known_at", type_=UtcDateTime))
    return conditions


_ENTRIES = SQLModel.metadata.tables[str(Entry.__tablename__)]
_LINES = SQLModel.metadata.tables[str(Line.__tablename__)]
_ROLLUPS = SQLModel.metadata.tables["rollup"]
_SNAPSHOT = func.pg_current_snapshot()
_OLDEST_IN_FLIGHT = cast(cast(func.pg_snapshot_xmin(_SNAPSHOT), postgresql.TEXT), BigInteger)
_NEXT_TRANSACTION = cast(cast(func.pg_snapshot_xmax(_SNAPSHOT), postgresql.TEXT), BigInteger)


@cache
def _in_force_query(dialect: str, *, known: bool) -> Select[Any]:
    query = select(col(Horizon.id)).where(_is_known(bindparam("as_known_at", type_=UtcDateTime) if known else None))
    return query.where(col(Horizon.xact_id) <= _NEXT_TRANSACTION) if dialect == "postgresql" else query


def _tail(is_known: ColumnElement[bool], *, dated: bool, known: bool) -> Any:
    xact_id = func.coalesce(select(col(Horizon.xact_id)).where(is_known).scalar_subquery(), 0)
    entry_id = func.coalesce(select(col(Horizon.entry_id) + 1).where(is_known).scalar_subquery(), -LARGEST_MINOR)
    # With both ends: of a range with one unknown end PostgreSQL expects a third of the table, and reads it all, or has
    # workers read it.
    behind = [_ENTRIES.c.xact_id.between(xact_id, LARGEST_MINOR), _ENTRIES.c.id.between(entry_id, LARGEST_MINOR)]
    lines = select(*_cell(_LINES.c), _LINES.c.minor).join_from(_ENTRIES, _LINES, _LINES.c.entry_id == _ENTRIES.c.id)
    # Materialised, so that the few entries lead to the lines, and not the many lines of an account to the entries.
    return lines.where(*behind, *until(dated=dated, known=known)).cte("tail").prefix_with("MATERIALIZED")


def _is_known(as_known_at: Any) -> ColumnElement[bool]:
    known_at = col(Horizon.known_at)
    return known_at.is_not(None) if as_known_at is None else known_at <= as_known_at


def _addition(connection: Connection, level: Level, taken: ColumnElement[bool]) -> Any:
    """Adds what moved in some entries to the roll-ups of a level."""
    columns = ["level", "starts_on", "account_code", "fund_code", "currency", "minor"]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = insert(_ROLLUPS).from_select(columns, _grouped(connection, level, taken))
    return added.on_conflict_do_update(
        index_elements=[column.name for column in _ROLLUPS.primary_key],
        set_={"minor": _ROLLUPS.c.minor + added.excluded.minor},
    )


def _grouped(connection: Connection, level: Level, taken: Any, *more: ColumnElement[Any]) -> Select[Any]:
    """What moved in some entries, by the days or months of a level."""
    day = _ENTRIES.c.effective_on
    starts_on: ColumnElement[date] = day
    if level is Level.MONTH and connection.dialect.name == "postgresql":
        starts_on = cast(func.date_trunc("month", cast(day, postgresql.TIMESTAMP)), Date)
    elif level is Level.MONTH:
        starts_on = type_coerce(func.date(day, "start of month"), Date)
    total = cast(func.sum(_LINES.c.minor), BigInteger).label("minor")
    name = literal(level.value).label("level")
    return (
        select(name, starts_on.label("starts_on"), *_cell(_LINES.c), total, *more)
        .join_from(_ENTRIES, _LINES, _LINES.c.entry_id == _ENTRIES.c.id)
        .where(taken)
        .group_by(starts_on, *_cell(_LINES.c))
    )


def _cell(columns: Any) -> list[ColumnElement[Any]]:
    return [columns.account_code, columns.fund_code, columns.currency]


def _before(xact_id: Any, entry_id: Any) -> ColumnElement[bool]:
    return or_(_ENTRIES.c.xact_id < xact_id, _ENTRIES.c.id <= entry_id)


def _behind(xact_id: int, entry_id: int) -> ColumnElement[bool]:
    return and_(_ENTRIES.c.xact_id >= xact_id, _ENTRIES.c.id > entry_id)


def _clear(session: Session, horizon: Horizon) -> None:
    session.connection().execute(delete(_ROLLUPS))
    horizon.xact_id, horizon.entry_id, horizon.known_at = 0, 0, None
    session.flush()


def _whole(total: Any) -> int | None:
    return None if total is None else int(total)  # PostgreSQL sums to Decimal
