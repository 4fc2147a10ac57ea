"""What stands in a database, compared with what should: guards, tables, settings. It only reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, case, create_engine, func, select, text
from sqlalchemy import column as column_clause
from sqlalchemy import table as table_clause
from sqlmodel import SQLModel

from ledger.storage import guards, schema

SQLITE_SETTINGS = {"foreign_keys": 1, "recursive_triggers": 1, "secure_delete": 1, "synchronous": 2}
"""The settings of a connection to SQLite on which guarantees rest, as PRAGMA tells them."""

NUMBERED = (("entry_number", "entry", "id"), ("access_id_seq", "access", "id"))
"""Which sequences of PostgreSQL number the rows of which column."""

_TRIGGER = re.compile(
    r"CREATE TRIGGER (\w+) (BEFORE|AFTER|INSTEAD OF) ([A-Z ]+?) ON (\S+) FOR EACH (ROW|STATEMENT) "
    r"EXECUTE FUNCTION (\S+)\(\)"
)
_POSTING_FUNCTION = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION \S*post_entry\(.*?\) (?:RETURNS record )?(LANGUAGE .*?) AS \$\w*\$(.*)\$\w*\$"
)
_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\S+)\(\) RETURNS trigger (.*?) AS \$\w*\$(.*)\$\w*\$")


POST_ENTRY = "post_entry"
"""The function by which entries are posted on PostgreSQL: it stands among the guards, and is compared as they are."""

_FUNCTION_THAT_POSTS = text(
    "SELECT pg_get_functiondef(oid) FROM pg_proc "
    "WHERE proname = 'post_entry' AND pronamespace = current_schema()::regnamespace"
)


class Deviation(StrEnum):
    """How something is not as it should."""

    MISSING = "missing"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Deviating:
    """A guard, a table, an index or a setting by its name, and how it deviates."""

    kind: str
    name: str
    deviation: Deviation


def deviating_guards(connection: Connection) -> Iterator[Deviating]:
    """Guards that are dropped, disabled or replaced by others of the same name, and triggers that are none of ours."""
    expected, standing = _expected_guards(connection), _standing_guards(connection)
    for name in sorted({*expected, *standing}):
        if name not in standing:
            yield Deviating("guard", name, Deviation.MISSING)
        elif name not in expected:
            yield Deviating("guard", name, Deviation.UNKNOWN)
        elif standing[name] is None:
            yield Deviating("guard", name, Deviation.DISABLED)
        elif standing[name] != expected[name]:
            yield Deviating("guard", name, Deviation.CHANGED)


def deviating_tables(connection: Connection) -> Iterator[Deviating]:
    """Tables, columns, keys, indexes and checks that are not those of this version's migrations."""
    if connection.dialect.name == "sqlite":
        yield from _deviating_statements(connection)
        return
    for difference in compare_metadata(MigrationContext.configure(connection), SQLModel.metadata):
        yield Deviating("table", _named(difference), Deviation.CHANGED)
    standing = {
        (table, name): valid
        for table, name, valid in connection.execute(
            text(
                "SELECT conrelid::regclass::text, conname, convalidated FROM pg_constraint "
                "WHERE connamespace = current_schema()::regnamespace"
            )
        )
    }
    for (table, name), valid in sorted(standing.items()):
        if not valid:
            yield Deviating("constraint", f"{table}.{name}", Deviation.DISABLED)
    found = {(table.strip('"'), name) for table, name in standing}
    for table in SQLModel.metadata.sorted_tables:
        for constraint in table.constraints:
            named = isinstance(constraint, CheckConstraint) and constraint.name and _applies(constraint, connection)
            if named and (table.name.strip('"'), str(constraint.name)) not in found:
                yield Deviating("constraint", f"{table.name}.{constraint.name}", Deviation.MISSING)


def deviating_settings(connection: Connection) -> Iterator[Deviating]:
    """Settings of this connection under which guarantees do not hold."""
    if connection.dialect.name == "sqlite":
        for name, needed in SQLITE_SETTINGS.items():
            if connection.exec_driver_sql(f"PRAGMA {name}").scalar() != needed:
                yield Deviating("setting", name, Deviation.CHANGED)
        if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
            yield Deviating("setting", "journal_mode", Deviation.CHANGED)
        return
    told = {"session_replication_role": "origin", "TimeZone": "UTC", "fsync": "on"}
    for name, value in told.items():
        if connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar() != value:
            yield Deviating("setting", name, Deviation.CHANGED)


def powers(connection: Connection) -> Iterator[str]:
    """By which power the connected role could get past the guards: `superuser`, `owner of tables`; else nothing.

    On SQLite whoever can write the file can do anything with it.
    """
    if connection.dialect.name != "postgresql":
        return
    role = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if connection.execute(role).scalar():
        yield "superuser"
    owned = text(
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' "
        "AND pg_has_role(current_user, relowner, 'USAGE')"
    )
    if connection.execute(owned).scalar():
        yield "owner of tables"


def moment(connection: Connection) -> datetime:
    """What time it is by the database's clock, in UTC; SQLite's is that of this machine."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    told: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return told.astimezone(UTC)


def damage(connection: Connection) -> Iterator[str]:
    """Tables whose rows SQLite itself finds damaged, or whose foreign keys lead nowhere; `file` for the file as such.

    PostgreSQL checks its foreign keys itself; what its files are worth, `pg_amcheck` tells.
    """
    if connection.dialect.name != "sqlite":
        return
    if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() != "ok":
        yield "file"
    yield from sorted({row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")})


def late_sequences(connection: Connection) -> Iterator[tuple[str, int, int]]:
    """Sequences of PostgreSQL that would give out a number again: name, last number given, highest number in use."""
    if connection.dialect.name != "postgresql":
        return
    for sequence, table, column in NUMBERED:
        place = table_clause(sequence, column_clause("last_value"), column_clause("is_called"))
        rows = table_clause(table, column_clause(column))
        given = connection.execute(select(case((place.c.is_called, place.c.last_value), else_=0))).scalar_one()
        highest = connection.execute(select(func.coalesce(func.max(rows.c[column]), 0))).scalar_one()
        if given < highest:
            yield sequence, given, highest


def _expected_guards(connection: Connection) -> dict[str, Any]:
    """By name: what each guard is made of, by this version's source."""
    dialect = connection.dialect.name
    name = connection.scalar(text("SELECT current_schema()")) if dialect == "postgresql" else "main"
    statements = [" ".join(one.split()) for one in guards.statements(dialect, schema=str(name))]
    if dialect == "sqlite":
        return {one.split()[2]: one for one in statements}
    functions = {}
    expected: dict[str, Any] = {}
    for one in statements:
        if made := _FUNCTION.match(one):
            functions[made[1]] = _function(made)
        elif made := _POSTING_FUNCTION.match(one):
            expected[POST_ENTRY] = _function(made)
    for one in statements:
        if made := _TRIGGER.match(one):
            expected[made[1]] = (*_trigger(made), functions.get(made[6]))
    return expected


def _standing_guards(connection: Connection) -> dict[str, Any]:
    """By name: what each trigger is made of; None when it is disabled."""
    if connection.dialect.name == "sqlite":
        return dict(guards.installed(connection))
    rows = connection.execute(
        text(
            "SELECT tgname, tgenabled::text, pg_get_triggerdef(t.oid), pg_get_functiondef(tgfoid) FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = tgrelid "
            "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
        )
    )
    standing: dict[str, Any] = {}
    for name, enabled, told, body in rows:
        trigger = _TRIGGER.fullmatch(" ".join(told.split()))
        function = _FUNCTION.fullmatch(" ".join(body.split()))
        made = (*_trigger(trigger), _function(function)) if trigger and function else told
        standing[name] = made if enabled == "O" else None
    for body in connection.scalars(_FUNCTION_THAT_POSTS):
        function = _POSTING_FUNCTION.fullmatch(" ".join(body.split()))
        standing[POST_ENTRY] = _function(function) if function else body
    return standing


def _trigger(made: re.Match[str]) -> tuple[Any, ...]:
    """Timing, events, table, level and function of a trigger, however the database writes them."""
    bare = [made[place].rpartition(".")[2].strip('"') for place in (4, 6)]
    return made[2], frozenset(made[3].split(" OR ")), bare[0], made[5], bare[1]


def _function(made: re.Match[str]) -> tuple[Any, ...]:
    """Options and body of a function: PostgreSQL gives the body back as it was written."""
    told, body = made[made.re.groups - 1], made[made.re.groups]
    options = told.replace(" TO ", " = ").replace("'", "").replace('"', "")
    return tuple(sorted(options.replace(",", " ").split())), body.strip()


def _deviating_statements(connection: Connection) -> Iterator[Deviating]:
    """SQLite keeps the statement that made each table and index: compared with those of a new database in memory."""
    expected, standing = _expected_statements(), _statements(connection)
    for kind, name in sorted({*expected, *standing}):
        if (kind, name) not in standing:
            yield Deviating(kind, name, Deviation.MISSING)
        elif (kind, name) not in expected:
            yield Deviating(kind, name, Deviation.UNKNOWN)
        elif standing[kind, name] != expected[kind, name]:
            yield Deviating(kind, name, Deviation.CHANGED)


@cache  # the migrations of a running program stay as they are, and take half a second
def _expected_statements() -> dict[tuple[str, str], str]:
    fresh = create_engine("sqlite://")
    try:
        with fresh.begin() as empty:
            schema.upgrade(empty)
            return _statements(empty)
    finally:
        fresh.dispose()


def _statements(connection: Connection) -> dict[tuple[str, str], str]:
    rows = connection.execute(
        text(
            "SELECT type, name, sql FROM sqlite_master "
            "WHERE type <> 'trigger' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
    )
    return {(kind, name): re.sub(r'[\s"]+', "", sql or "") for kind, name, sql in rows}


def _applies(constraint: CheckConstraint, connection: Connection) -> bool:
    """Whether a check is made on this database: some are for SQLite only."""
    told = getattr(constraint, "_ddl_if", None)
    return told is None or told.dialect in {None, connection.dialect.name}


def _named(difference: Any) -> str:
    """The table or column that one of alembic's differences is about."""
    first = difference[0] if isinstance(difference, list) else difference
    parts = [getattr(part, "name", part) for part in first[1:] if isinstance(getattr(part, "name", part), str)]
    return ".".join([first[0], *parts[:2]])
