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

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

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
NOBODY_SIGNED = "one person said it under a bearer key, without a signature, and no entry rests on it"
WHO_ASKED = "who asked needs no signature; whoever agrees is another person than stands there, and signs"
OF_WORK = "it orders work, and decides nothing: a version, or when somebody came to it"
OF_A_DEVICE = "it is made on a device by a key that the server has not: altered, it opens or tells nothing"
BY_MACHINES = "a machine writes it anew, from what is checked"
UNSEALED = "it is sealed with its month, and until then as one person said it"
ELSEWHERE = {
    "account.name, account.closed, fund.name, fund.restricted": NOBODY_SIGNED,
    "agent.state, agent.added_by, agent.frozen_by, agent.compromised_by": NOBODY_SIGNED,
    "book.organisation, book.created_at, bearer_key.revoked_at": NOBODY_SIGNED,
    "aid_case.entered_by, aid_case.is_suspect, correction.case_alias, correction.corrected_by": NOBODY_SIGNED,
    "bail_hearing.held_by, bail_return.announced_by, advance_return.announced_by": NOBODY_SIGNED,
    "advance.requested_by, batch.requested_by, conversion.requested_by, disbursement.requested_by": WHO_ASKED,
    "outlay_repayment.requested_by, matching_rule.added_by": WHO_ASKED,
    "advance.version, agent.version, aid_case.version, batch.version, conversion.version": OF_WORK,
    "disbursement.version, gift_return.version, outlay_repayment.version, refund_order.version": OF_WORK,
    "purse_movement.version, transfer.version, aid_case.state_since, movement_booking.reason": OF_WORK,
    "movement_booking.awaits, beneficiary.alike_since, bearer_key.created_at, bearer_key.last_used_on": OF_WORK,
    "evidence_file.declared_at, evidence_file.completed_at, roster.recorded_at, hold.expires_on": OF_WORK,
    "token.value, box.commitment, vault_wrap.wrap, person_key.wrapped_by": OF_A_DEVICE,
    "job.held_until, job.failures": BY_MACHINES,
    "exchange_rate.numerator, exchange_rate.quoted_on, entry.recorded_at, entry.recorded_by": UNSEALED,
}
"""What nobody finds in the other tables, and why; docs/threat-model.md says it to operators, and what is left to do."""


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


def is_found(connection: Connection, statement: str) -> bool:
    """Whether any check tells of it: they look one after the other, first the one that told last."""
    savepoint = connection.begin_nested()
    connection.exec_driver_sql(statement)
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        telling = next((check for check in LOOKING if checks.findings(session, checks=[check])), None)
    savepoint.rollback()
    if telling is not None:
        LOOKING.sort(key=lambda check: check is not telling)
    return telling is not None


def told_after(connection: Connection, statement: str) -> list[Finding]:
    savepoint = connection.begin_nested()
    connection.exec_driver_sql(statement)
    told = look(connection)
    savepoint.rollback()
    return told


@on_sqlite
def test_whatever_column_is_altered_it_is_found_or_known_why_not(attacked: Connection) -> None:
    tables = [SQLModel.metadata.tables[name] for name in TABLES]
    assert look(attacked) == []

    unfound = {
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if not is_found(attacked, altering(table, column))
    }

    assert unfound == set(UNFOUND)


@on_sqlite
def test_no_row_that_is_gone_ends_the_checks(attacked: Connection) -> None:
    filled = [table for table in SQLModel.metadata.sorted_tables if _has_rows(attacked, table)]
    filled = [table for table in filled if EVERYTHING or table.name in TABLES]
    assert {*TABLES} <= {table.name for table in filled}

    unfound = {table.name for table in filled if not told_after(attacked, removing(table))}

    assert not unfound & {*TABLES}


def test_what_is_known_to_be_unfound_stands_in_a_table() -> None:
    named = [name.split(".") for names in ELSEWHERE for name in names.split(", ")]

    unknown = [name for name in named if name[1] not in SQLModel.metadata.tables[name[0]].columns]

    assert unknown == []
    assert not {table for table, _ in named} & {*TABLES}


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
