"""Opening a database and running one transaction on it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import OperationalError
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, ExceptionContext, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, create_engine

from ledger.errors import BadInput, Conflict

LOCK_WAIT_MS = 5_000
"""How long a write waits for another one before the database gives up, in milliseconds."""

TRIED_AFTER_IDLE_SECONDS = 2.0
"""A connection to PostgreSQL that lay unused for longer is tried before it is used: the server may have gone since.

Trying it each time would cost every transaction one more journey to the server.
"""

FAILED = "failed"
"""Set in the `info` of a connection to SQLite by who wrote half of something: it can only be rolled back."""

_SQLITE_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "recursive_triggers = ON",  # so that INSERT OR REPLACE meets the triggers against deletion
    "secure_delete = ON",
    f"busy_timeout = {LOCK_WAIT_MS}",
)

_POSTGRESQL_OPTIONS = (
    f"-c lock_timeout={LOCK_WAIT_MS} -c timezone=UTC "
    "-c default_transaction_isolation=read\\ committed"  # after waiting for a duplicate, the next look must see it
)

_READING: dict[str, dict[str, Any]] = {
    "sqlite": {"sqlite_reading": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


class TransactionFailed(Conflict):
    """A statement of the transaction failed, so nothing of it can be committed: roll back, and do all of it again.

    PostgreSQL would answer COMMIT with a silent ROLLBACK, and the caller would believe that it was booked; SQLite would
    commit the half that was written.
    """

    rule = "transaction_failed"


class BadDatabaseUrl(BadInput):
    """Neither `sqlite:///FILE` (a plain file, without options) nor `postgresql://…`."""

    rule = "bad_database_url"


def open_database(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://…`; every connection carries the settings the guarantees need.

    Raises:
        BadDatabaseUrl: any other kind of database, or SQLite in memory (a second connection would see another one).
    """
    parsed = _read(url)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            connect_args={"options": _POSTGRESQL_OPTIONS},
        )
        event.listen(engine, "handle_error", _shorten_error)
        event.listen(engine, "commit", _refuse_to_commit_a_failure)
        event.listen(engine, "checkin", _note_the_time)
        event.listen(engine, "checkout", _try_after_idling)
    else:
        engine = create_engine(parsed.set(drivername="sqlite"), hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "commit", _refuse_to_commit_half)
    return engine


@contextmanager
def transaction(engine: Engine, *, write: bool = True) -> Iterator[Session]:
    """One session in one transaction: committed at the end of the block, rolled back when it raises.

    On SQLite a writing transaction takes its lock at once (`BEGIN IMMEDIATE`): one that reads first and writes
    later would fail when another has written in between. `write=False` never waits for writers, and sees one moment
    throughout, so that its figures agree; it is refused to write.
    """
    bound = engine if write else engine.execution_options(**_READING[engine.dialect.name])
    with Session(bound, expire_on_commit=False) as session:
        yield session
        session.commit()


def looked_up(session: Session, kind: str) -> dict[str, Any]:
    """Where this transaction keeps what it has looked up of a kind; each transaction and savepoint begins with nothing.

    The next transaction may see other rows, and a savepoint that is rolled back takes its own with it.
    """
    current = session.get_nested_transaction() or session.get_transaction()
    if current is None:
        session.connection()
        current = session.get_transaction()
    holder, kept = session.info.get(kind, (None, {}))
    if holder is not current:
        kept = {}
        session.info[kind] = (current, kept)
    found: dict[str, Any] = kept
    return found


def shorten(error: BaseException) -> None:
    """Keeps the first line, which names the rule. In the lines below PostgreSQL repeats the whole row that failed."""
    if error.args:
        error.args = (str(error.args[0]).partition("\n")[0],)


def _read(url: str) -> URL:
    """The parts of an admitted address."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = URL.create("unreadable")
    backend = parsed.get_backend_name()
    file = parsed.database or ":memory:"
    is_plain_file = not (parsed.host or parsed.query or file.startswith((":memory:", "file:")))
    if backend != "postgresql" and not (backend == "sqlite" and is_plain_file):
        # Never with what was given: it may hold a password.
        raise BadDatabaseUrl("the database is sqlite:///FILE or postgresql://…", where="SOLIDARITY_DATABASE_URL")
    return parsed


def _shorten_error(context: ExceptionContext) -> None:
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:
            shorten(error)


def _refuse_to_commit_a_failure(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status == TransactionStatus.INERROR:
        raise TransactionFailed("a statement of this transaction failed: nothing was committed")


def _refuse_to_commit_half(connection: Connection) -> None:
    if connection.info.get(FAILED, False):
        raise TransactionFailed("a statement of this transaction failed: nothing was committed")


def _note_the_time(_driver: Any, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _try_after_idling(driver: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    if time.monotonic() - record.info.get("idle_since", time.monotonic()) < TRIED_AFTER_IDLE_SECONDS:
        return
    try:
        driver.execute("")
        driver.rollback()
    except OperationalError:
        raise DisconnectionError from None  # the pool opens another one


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: see _begin_sqlite
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("sqlite_reading", False)
    if connection.info.get("reading", False) is not reading:  # not each time: SQLite would prepare all statements anew
        connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
        connection.info["reading"] = reading
    connection.info[FAILED] = False
    driver: Any = connection.connection.driver_connection
    begin = "BEGIN" if reading else "BEGIN IMMEDIATE"
    try:
        driver.execute(begin)  # not through the layer above: each transaction would pay for it
    except sqlite3.Error as error:
        raise DBAPIError.instance(begin, None, error, sqlite3.Error, hide_parameters=True) from error
