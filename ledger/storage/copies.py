"""Rows copied out of a database and back into one, the same form from SQLite and PostgreSQL: one JSON value a line.

The first line is a header, then each table's name with its columns and its rows, and at the end how many rows there
were and the SHA-256 of all lines before: a copy cut short, or altered by accident, is refused before anything is
written.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy import Date as SqlDate
from sqlalchemy.types import TypeDecorator, TypeEngine

from ledger.errors import BadInput, Conflict

FORMAT = "solidarity-copy-1"
_AT_ONCE = 1000
_REVISIONS = "alembic_version"
_SEQUENCES = {"entry_number": ("entry", "id")}
"""Sequences of PostgreSQL that no column owns, and which column they number."""

Keep = Callable[[str, dict[str, Any]], bool]
"""Whether a row of the table is written."""


class CopyDamaged(BadInput):
    """Not a copy of this program, cut short, or altered."""

    rule = "copy_damaged"


class NotEmpty(Conflict):
    """A copy is written into an empty database only."""

    rule = "not_empty"


class TablesDiffer(Conflict):
    """The database has other tables than this program, or the copy other ones than those asked for."""

    rule = "tables_differ"


def write(connection: Connection, tables: Collection[Table], *, header: dict[str, Any]) -> Iterator[bytes]:
    """The lines of a copy of `tables`, each with its end of line, in the order of their foreign keys.

    `connection` is in a transaction that sees one moment.
    """
    digest, rows = hashlib.sha256(), 0

    def line(value: Any) -> bytes:
        encoded = json.dumps(value, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        digest.update(encoded)
        return encoded

    yield line(header | {"format": FORMAT, "tables": [table.name for table in _sorted(tables)]})
    for table in _sorted(tables):
        yield line({"table": table.name, "columns": [column.name for column in table.columns]})
        query = select(table).order_by(*_order(connection, table))
        for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
            rows += 1
            yield line([_encoded(value) for value in row])
    yield line({"rows": rows, "sha256": digest.hexdigest()})


def check(lines: Iterable[bytes]) -> dict[str, Any]:
    """Reads a copy to its end and gives its header, to which `sha256` is added.

    Raises:
        CopyDamaged: see there.
    """
    digest, rows, header, end = hashlib.sha256(), 0, None, None
    for line in lines:
        if end is not None:
            raise CopyDamaged("the copy goes on after its end", where="end")
        value = _read(line)
        header = header or value
        if isinstance(value, list):
            rows += 1
        elif "sha256" in value:
            end = value
            continue
        digest.update(line)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise CopyDamaged("not a copy of this program", where="header")
    if end is None or (end["rows"], end["sha256"]) != (rows, digest.hexdigest()):
        raise CopyDamaged("the copy is cut short or altered", where="end")
    return header | {"sha256": digest.hexdigest()}


def load(connection: Connection, lines: Iterable[bytes], tables: Collection[Table], *, keep: Keep | None = None) -> int:
    """Writes the rows of a checked copy into empty tables without guards; how many were written.

    Raises:
        TablesDiffer: the copy holds other tables. NotEmpty: one of them has rows.
    """
    known = {table.name: table for table in tables}
    written = 0
    batch: list[dict[str, Any]] = []
    current: Table | None = None
    columns: list[str] = []
    for line in lines:
        value = _read(line)
        if isinstance(value, list):
            row = dict(zip(columns, value, strict=True))
            if current is not None and (keep is None or keep(current.name, row)):
                batch.append(row)
        if batch and (len(batch) == _AT_ONCE or not isinstance(value, list)):
            written += _insert(connection, current, batch)
            batch = []
        if isinstance(value, dict) and "table" in value:
            current, columns = known.pop(value["table"], None), value["columns"]
            _require_fitting(connection, current, columns)
    if known:
        raise TablesDiffer("the copy holds other tables", missing=len(known))
    _set_sequences(connection, tables)
    return written


def tables_of(connection: Connection, metadata: MetaData) -> dict[str, Table]:
    """Every table of the database.

    Raises:
        TablesDiffer: the database has a table that the program does not know, or the other way round.
    """
    standing = set(inspect(connection).get_table_names()) - {_REVISIONS}
    if standing != set(metadata.tables):
        raise TablesDiffer("the database has other tables", unknown=len(standing ^ set(metadata.tables)))
    return dict(metadata.tables)


def _sorted(tables: Collection[Table]) -> list[Table]:
    metadata = next(iter(tables)).metadata
    return [table for table in metadata.sorted_tables if table in tables]


def _order(connection: Connection, table: Table) -> Iterator[ColumnElement[Any]]:
    """By primary key, texts by their bytes: the same order on both databases, whatever the server's language."""
    for column in table.primary_key.columns:
        is_sorted_by_language = connection.dialect.name == "postgresql" and isinstance(column.type, String)
        yield column.collate("C") if is_sorted_by_language else column


def _require_fitting(connection: Connection, table: Table | None, columns: list[str]) -> None:
    if table is None or columns != [column.name for column in table.columns]:
        raise TablesDiffer("the copy holds other tables or columns")
    if connection.execute(select(table).limit(1)).first() is not None:
        raise NotEmpty("the database has rows", table=table.name)


def _insert(connection: Connection, table: Table | None, rows: list[dict[str, Any]]) -> int:
    if table is None:
        raise CopyDamaged("a row stands before its table", where="table")
    decoders = {column.name: _decoder(column.type) for column in table.columns}
    decoded = [{name: None if value is None else decoders[name](value) for name, value in row.items()} for row in rows]
    connection.execute(table.insert(), decoded)
    return len(rows)


def _set_sequences(connection: Connection, tables: Collection[Table]) -> None:
    if connection.dialect.name != "postgresql":
        return
    known = {table.name: table for table in tables}
    numbered = {name: place for name, place in _SEQUENCES.items() if place[0] in known}
    owner = text("SELECT pg_get_serial_sequence(:table, :column)")
    for table in tables:
        for column in table.primary_key.columns:
            name = connection.scalar(owner, {"table": table.name, "column": column.name})
            if name:
                numbered[name] = (table.name, column.name)
    for name, (table_name, column_name) in numbered.items():
        newest = connection.scalar(select(func.max(known[table_name].columns[column_name])))
        if newest:
            connection.execute(text("SELECT setval(:name, :newest)"), {"name": name, "newest": newest})


def _encoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date


def _decoder(kind: TypeEngine[Any]) -> Callable[[Any], Any]:
    plain = kind.impl if isinstance(kind, TypeDecorator) else kind
    if isinstance(plain, LargeBinary):
        return base64.b64decode
    if isinstance(plain, DateTime):
        return datetime.fromisoformat
    return date.fromisoformat if isinstance(plain, SqlDate) else lambda value: value


def _read(line: bytes) -> Any:
    try:
        value = json.loads(line)
    except ValueError:
        raise CopyDamaged("a line cannot be read", where="line") from None
    if not isinstance(value, (list, dict)):
        raise CopyDamaged("a line is neither row nor head", where="line")
    return value
