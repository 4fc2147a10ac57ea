"""Every column of what reconciliations rest on, altered, and a row less of every table: who finds it, and what nobody.

What no check can find is written down with its reason; a column that is neither found nor written down fails here.
"""

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import Boolean, Column, Connection, Date, Enum, Integer, Table
from sqlmodel import Session, SQLModel

from ledger import checks
from ledger.checks.findings import Finding
from ledger.storage.columns import UtcDateTime
from tests.bookcheck import owning
from tests.cast import House, engine_of
from tests.reconciling import reconcile

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

OF_THE_DATABASE = {"schema", "settings", "guards", "integrity", "sequences"}
EVERYTHING = "TRY_EVERY_TABLE" in os.environ
"""Then every check looks, and a row is taken from every table that has one: that takes minutes."""
NEAREST = {
    "clearings",
    "exceptions",
    "exceptions-dated",
    "idle-acts",
    "pairings",
    "sheets",
    "signed",
    "statement-lines",
    "statements",
    "statements-as-told",
}
LOOKING = [
    check for check in checks.CHECKS if (check.name not in OF_THE_DATABASE if EVERYTHING else check.name in NEAREST)
]
TABLES = (
    "statement",
    "statement_line",
    "exception",
    "clearing",
    "clearing_agreement",
    "pairing",
    "pairing_part",
    "pairing_undone",
    "reconciliation_sheet",
    "reconciliation_review",
)
UNFOUND = {
    "statement.content_token": "it is made on a device, by a key that the server has not, and changes with that key",
    "pairing.score": "how good a proposal was when it was taken: of no effect since",
    "pairing_part.number": "the order in which parts are shown",
}
"""What nobody finds, and why that is no matter."""


@pytest.fixture
def attacked(house: House) -> Iterator[Connection]:
    """A reconciled book in the hands of its owner, who puts up with no constraint."""
    reconcile(house)
    with owning(engine_of(house.session)) as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        yield connection


def look(connection: Connection) -> list[Finding]:
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        return checks.findings(session, checks=LOOKING)


def told_after(connection: Connection, statement: str) -> list[Finding]:
    savepoint = connection.begin_nested()
    connection.exec_driver_sql(statement)
    told = look(connection)
    savepoint.rollback()
    return told


def test_whatever_column_is_altered_it_is_found_or_known_why_not(attacked: Connection) -> None:
    tables = [SQLModel.metadata.tables[name] for name in TABLES]
    assert look(attacked) == []

    unfound = {
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if not told_after(attacked, altering(table, column))
    }

    assert unfound == set(UNFOUND)


def test_no_row_that_is_gone_ends_the_checks(attacked: Connection) -> None:
    filled = [table for table in SQLModel.metadata.sorted_tables if _has_rows(attacked, table)]
    filled = [table for table in filled if EVERYTHING or table.name in TABLES]
    assert {*TABLES} <= {table.name for table in filled}

    unfound = {table.name for table in filled if not told_after(attacked, removing(table))}

    assert not unfound & {*TABLES}


def altering(table: Table, column: Column[object]) -> str:
    return f'UPDATE "{table.name}" SET "{column.name}" = {_another(column)}'  # noqa: S608  # names of our own


def removing(table: Table) -> str:
    keys = ", ".join(column.name for column in table.primary_key.columns)
    first = f'SELECT {keys} FROM "{table.name}" ORDER BY {keys} LIMIT 1'  # noqa: S608  # names of our own
    if table.name == "exception":  # of one that waits nothing tells but itself
        first = "SELECT exception_alias FROM clearing"
    return f'DELETE FROM "{table.name}" WHERE ({keys}) IN ({first})'  # noqa: S608  # names of our own


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.exec_driver_sql(f'SELECT 1 FROM "{table.name}" LIMIT 1').first() is not None  # noqa: S608


def _another(column: Column[object]) -> str:
    """Another value of its kind, in SQLite's words; of keys, each row another one."""
    name, kind = f'"{column.name}"', column.type
    if isinstance(kind, Boolean):
        return f"1 - {name}"
    if isinstance(kind, Integer):
        return f"coalesce({name} + 1000, 1)"
    if isinstance(kind, Date):
        return f"date(coalesce({name}, '2020-10-05'), '+1 day')"
    if isinstance(kind, UtcDateTime):
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', {name}, '+1 day')"
    if isinstance(kind, Enum):
        first, second = kind.enums[:2]
        return f"CASE {name} WHEN '{first}' THEN '{second}' ELSE '{first}' END"
    return f"coalesce({name} || 'X', 'X')"
