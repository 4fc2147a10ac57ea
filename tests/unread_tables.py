"""Checks that need not be asked again: one that has read nothing but empty tables finds as much in every such book.

A check is told apart by what it reads, never by its name: it is asked by itself once, in a session that knows nothing
yet, and its statements say which tables those were. As soon as one of them holds a row, it is asked like any other.
"""

import re
from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, event
from sqlmodel import Session, SQLModel

from ledger import checks
from ledger.checks.entries import EntryCheck
from ledger.checks.findings import Check

_READ: dict[tuple[str, Check], frozenset[str]] = {}
"""By kind of database and check: the tables that it read when it was asked by itself."""
_FOUND_NOTHING: set[tuple[str, Check]] = set()
"""Those of which all these tables were empty then, and which found nothing."""
_BOUND_TO_ASK: set[tuple[str, Check]] = set()
"""Those that read something else than tables of the book."""
_BEYOND = re.compile(r"\b(sqlite_|pg_|pragma|information_schema|current_setting|alembic_version|show\b)", re.IGNORECASE)
"""What reads something else than the tables of the book."""


def worth_asking(session: Session, chosen: Sequence[Check | EntryCheck]) -> list[Check | EntryCheck]:
    """The checks that may find something in what the session sees, its changes being flushed."""
    connection = session.connection()
    filled = {name for (name,) in connection.exec_driver_sql(_which_hold_rows(*SQLModel.metadata.tables))}
    kind = connection.dialect.name
    asked: list[Check | EntryCheck] = []
    for check in chosen:
        if isinstance(check, Check) and not _READ.get((kind, check), frozenset()) & filled:
            if (kind, check) not in _FOUND_NOTHING:
                _ask_alone(connection, check, filled)
            if (kind, check) in _FOUND_NOTHING:
                continue
        asked.append(check)
    return asked


def _ask_alone(connection: Connection, check: Check, filled: set[str]) -> None:
    """Learns what a check reads in this book, and whether it need not be asked in another such book."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    known = connection.dialect.name, check
    if known in _BOUND_TO_ASK:
        return
    event.listen(connection, "before_cursor_execute", note)
    try:
        with Session(connection, join_transaction_mode="create_savepoint") as alone:
            told = checks.findings(alone, checks=[check])
    finally:
        event.remove(connection, "before_cursor_execute", note)
    read = frozenset(re.findall(r"\w+", " ".join(statements))) & SQLModel.metadata.tables.keys()
    if not read or any(map(_BEYOND.search, statements)):
        _BOUND_TO_ASK.add(known)
        return
    _READ[known] = read
    if not told and not read & filled:
        _FOUND_NOTHING.add(known)


@cache
def _which_hold_rows(*tables: str) -> str:
    one = "SELECT '{0}' WHERE EXISTS (SELECT 1 FROM \"{0}\")"
    return " UNION ALL ".join(map(one.format, tables))
