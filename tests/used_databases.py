"""Databases of PostgreSQL that tests use one after the other.

A new one costs more than most tests do: some thousand files, and a process of the server that knows nothing yet. So
what a test leaves behind is put back as it was, over the test's own connection, whose process goes on. In any doubt the
database is given up: when the test changed its schema, statistics or rights, or when others are still connected.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

Driver = psycopg.Connection[Any]

_SCHEMA = (
    *("pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_event_trigger", "pg_extension"),
    *("pg_index", "pg_namespace", "pg_policy", "pg_proc", "pg_rewrite", "pg_statistic", "pg_trigger", "pg_type"),
)
_OF_ITSELF = (
    "SELECT d.datacl::text, (SELECT array_agg(s.setconfig::text) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)"
    " FROM pg_database d WHERE d.datname = current_database()"
)
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_WRITTEN = """
    SELECT c.relname, n.nspname = 'public', c.relfilenode::bigint, pg_stat_get_tuples_inserted(c.oid)
        + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND (n.nspname = 'public' OR n.nspname = 'pg_catalog' AND c.relname = ANY(%s))
"""
_USES_BETWEEN_VACUUMS = 8
"""What was deleted is read again by every question that goes through a whole table."""

Written = dict[str, tuple[bool, int, int]]
"""By table: whether it is one of the book's, the file it stands in, and how many rows were ever written in it."""


@dataclass(frozen=True)
class Content:
    """What stands in a database: the rows of each table as COPY writes them, the sequences, and its own settings."""

    rows: dict[str, bytes]
    sequences: dict[str, int | None]
    itself: tuple[Any, ...]


@dataclass
class UsedDatabase:
    """A database with its content at first, and what had been written when it was last as at first."""

    name: str
    content: Content
    written: Written
    driver: Driver | None
    """Its only connection, between two tests."""
    uses: int = 0
    unclean: set[str] = field(default_factory=set)
    """The tables in which rows were deleted since the last vacuum."""


def take(name: str, engine: Engine) -> UsedDatabase:
    """A new database, with an engine on it that is not needed afterwards."""
    driver = take_back(engine)
    engine.dispose()
    written = _written(driver)
    with driver.transaction():
        rows = {table: _copied(driver, table) for table, (ours, _, _) in written.items() if ours}
        itself = driver.execute(_OF_ITSELF).fetchone() or ()
        return UsedDatabase(name, Content(rows, _sequences(driver), itself), written, driver)


def bring_back(used: UsedDatabase, driver: Driver) -> bool:
    """Puts every row and sequence back as they were; whether that sufficed. If not, the database is to be dropped."""
    try:
        if driver.info.transaction_status is not TransactionStatus.IDLE:
            return False
        with driver.transaction():
            driver.execute("RESET SESSION AUTHORIZATION; RESET ALL")
            (others,) = driver.execute(_OTHERS).fetchone() or (1,)
            itself = driver.execute(_OF_ITSELF).fetchone()
        now = _written(driver)
        changed = {table for table, written in now.items() if written != used.written.get(table)}
        # Other files are those of a table that was emptied or altered, and the rest of what is counted is the schema.
        kept = all(now[table][:2] == used.written.get(table, ())[:2] and now[table][0] for table in changed)
        if others or itself != used.content.itself or not kept or now.keys() != used.written.keys():
            return False
        with driver.transaction():
            driver.execute("SET LOCAL session_replication_role = replica")
            _put_back(driver, used, changed)
        used.uses += 1
        used.unclean |= changed
        if used.uses % _USES_BETWEEN_VACUUMS == 0 and used.unclean:
            _clean(driver, used)
        used.written = _written(driver)
    except psycopg.Error:
        return False
    used.driver = driver
    return True


def lend(used: UsedDatabase, engine: Engine) -> None:
    """Gives an engine the database's connection as its first."""

    @event.listens_for(engine, "do_connect")
    def connect(*_: object) -> Driver | None:
        driver, used.driver = used.driver, None
        return driver


def take_back(engine: Engine) -> Driver:
    """A connection of an engine, which forgets it."""
    fairy = engine.raw_connection()
    driver = fairy.driver_connection
    assert isinstance(driver, psycopg.Connection)
    fairy.detach()
    return driver


def _put_back(driver: Driver, used: UsedDatabase, changed: Iterable[str]) -> None:
    content = used.content
    for name in changed:
        driver.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        if rows := content.rows[name]:
            with driver.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                copy.write(rows)
    for name, value in _sequences(driver).items():
        if value != content.sequences[name]:
            at = content.sequences[name]
            driver.execute("SELECT setval(%s::regclass, %s, %s)", (name, at or 1, at is not None))


def _clean(driver: Driver, used: UsedDatabase) -> None:
    driver.autocommit = True
    tables = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(used.unclean))
    driver.execute(sql.SQL("VACUUM (INDEX_CLEANUP ON) {}").format(tables))
    driver.autocommit = False
    used.unclean.clear()


def _written(driver: Driver) -> Written:
    with driver.transaction():
        driver.execute("SELECT pg_stat_force_next_flush()")  # else this connection tells of its rows a second later
    with driver.transaction():
        told = driver.execute(_WRITTEN, (list(_SCHEMA),)).fetchall()
    return {name: (ours, file, rows) for name, ours, file, rows in told}


def _sequences(driver: Driver) -> dict[str, int | None]:
    return dict(
        driver.execute("SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences").fetchall()
    )


def _copied(driver: Driver, table: str) -> bytes:
    with driver.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(bytes(part) for part in copy)
