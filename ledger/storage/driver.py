"""The database's own driver under a session: for the few statements that run so often that a layer above costs more."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.storage.engine import shorten

_BASES: dict[str, type[Exception]] = {"sqlite": sqlite3.Error, "postgresql": psycopg.Error}


class Driver(NamedTuple):
    """A `sqlite3` or `psycopg` connection, which of the two (`sqlite` or `postgresql`), and what is noted about it."""

    connection: Any
    dialect: str
    info: dict[Any, Any]


def driver_of(session: Session) -> Driver:
    """The driver on which the session's transaction runs; begun, if it was not. Found once per transaction.

    And once per savepoint: the session sets it on the database when it is first asked for the connection within it.
    """
    kept: tuple[object, Driver] | None = session.info.get("driver")
    current = session.get_nested_transaction() or session.get_transaction()
    if kept is None or current is None or kept[0] is not current:
        connection = session.connection()
        driver = Driver(connection.connection.driver_connection, connection.dialect.name, connection.info)
        kept = session.get_nested_transaction() or session.get_transaction(), driver
        session.info["driver"] = kept
    return kept[1]


@contextmanager
def told_shortly(driver: Driver) -> Iterator[Any]:
    """The connection, with its errors as SQLAlchemy's and their first line only: those below repeat the row.

    Raises:
        DBAPIError: IntegrityError and the like, as from any other statement of the session.
    """
    base = _BASES[driver.dialect]
    try:
        yield driver.connection
    except base as error:
        shorten(error)
        raise DBAPIError.instance(None, None, error, base, hide_parameters=True) from error
