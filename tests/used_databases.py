"""Databases of PostgreSQL that tests use one after the other.

A new one costs more than most tests do: some thousand files, and a process of the server that knows nothing yet. So
what a test leaves behind is put back as it was, over the test's own connection, whose process goes on. In any doubt the
database is given up: when the test changed its schema, statistics or rights, or when others are still connected.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
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


@dataclass(frozen=True)
class Content:
    """What stands in a database: the rows of each table as COPY writes them, the sequences, and the schema's size."""

    rows: dict[str, bytes]
    sequences: dict[str, int | None]
    schema: dict[str, int]
    itself: tuple[Any, ...]


@dataclass
class UsedDatabase:
    """A database with its content at first, and the transaction since which every row was written by a test."""

    name: str
    content: Content
    since: int
    driver: Driver | None
    """Its only connection, between two tests."""


def take(name: str, engine: Engine) -> UsedDatabase:
    """A new database, with an engine on it that is not needed afterwards."""
    driver = take_back(engine)
    engine.dispose()
    with driver.transaction():
        since = _now(driver)
        tables = driver.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = {table: _copied(driver, table) for (table,) in tables}
        itself = driver.execute(_OF_ITSELF).fetchone() or ()
        schema = {name: n for name, n, _ in _counted(driver, _SCHEMA, since)}
        return UsedDatabase(name, Content(rows, _sequences(driver), schema, itself), since, driver)


def bring_back(used: UsedDatabase, driver: Driver) -> bool:
    """Puts every row and sequence back as they were; whether that sufficed. If not, the database is to be dropped."""
    try:
        if driver.info.transaction_status is not TransactionStatus.IDLE:
            return False
        with driver.transaction():
            driver.execute("RESET SESSION AUTHORIZATION; RESET ALL; SET LOCAL session_replication_role = replica")
            (others,) = driver.execute(_OTHERS).fetchone() or (1,)
            itself = driver.execute(_OF_ITSELF).fetchone()
            now = _counted(driver, _SCHEMA, used.since)
            if (
                others
                or itself != used.content.itself
                or any(new or n != used.content.schema[name] for name, n, new in now)
            ):
                return False
            _put_back(driver, used)
            used.since = _now(driver)
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


def _put_back(driver: Driver, used: UsedDatabase) -> None:
    content = used.content
    at_first = {name: rows.count(b"\n") for name, rows in content.rows.items()}
    for name, n, new in _counted(driver, content.rows, used.since):
        if not new and n == at_first[name]:
            continue
        driver.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        if rows := content.rows[name]:
            with driver.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                copy.write(rows)
    for name, value in _sequences(driver).items():
        if value != content.sequences[name]:
            at = content.sequences[name]
            driver.execute("SELECT setval(%s::regclass, %s, %s)", (name, at or 1, at is not None))


def _counted(driver: Driver, tables: Iterable[str], since: int) -> list[tuple[str, int, int]]:
    """Of each table the number of rows, and of those written after a transaction."""
    return driver.execute(_count(tuple(tables)), {"since": since}).fetchall()


@cache
def _count(tables: tuple[str, ...]) -> sql.Composed:
    one = sql.SQL("SELECT {}, count(*), count(*) FILTER (WHERE xmin::text::bigint > %(since)s) FROM {}")
    return sql.SQL(" UNION ALL ").join(one.format(sql.Literal(name), sql.Identifier(name)) for name in tables)


def _sequences(driver: Driver) -> dict[str, int | None]:
    return dict(
        driver.execute("SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences").fetchall()
    )


def _copied(driver: Driver, table: str) -> bytes:
    with driver.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(bytes(part) for part in copy)


def _now(driver: Driver) -> int:
    (xid,) = driver.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,)
    return int(xid)
