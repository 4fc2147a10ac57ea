"""Rows written past all guards, by the thousand, with something in every column: for measuring only."""

import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Column, Engine, text
from sqlmodel import SQLModel

from bench.databases import DAY, NOW, RECORDER
from ledger.aid.agents import Agent
from ledger.aid.batches import Batch
from ledger.aid.disbursements import Disbursement
from ledger.exceptions import OpenException
from ledger.giving.donations import Donation
from ledger.storage.columns import UtcDateTime
from ledger.storage.engine import transaction

APPROVER = "OP-0000-0000-0008"
Rows = dict[type[SQLModel], list[dict[str, Any]]]


_PREFIXES: Mapping[type[SQLModel], str] = {
    Agent: "A",
    OpenException: "X",
    Donation: "G",
    Batch: "BT",
    Disbursement: "D",
}


def row(table: type[SQLModel], nth: int, **told: Any) -> dict[str, Any]:
    """A row with what is told of it, and something in every other column that must have something."""
    made = dict(_bare(table))
    named = {"alias": alias(_PREFIXES.get(table, "Z"), nth), "reference": alias("RF", nth)}
    return made | {name: value for name, value in named.items() if name in _columns(table)} | told


@cache
def _bare(table: type[SQLModel]) -> dict[str, Any]:
    bare = {name: _something(column.type) for name, column in _columns(table).items() if not column.nullable}
    return bare | ({"currency": "EUR"} if "currency" in _columns(table) else {})


@cache
def _columns(table: type[SQLModel]) -> dict[str, Column[Any]]:
    return {column.name: column for column in SQLModel.metadata.tables[str(table.__tablename__)].columns}


def _something(kind: Any) -> Any:
    plain = {int: 1, bool: False, date: DAY, bytes: b""}
    if isinstance(kind, UtcDateTime):
        return NOW
    if issubclass(kind.python_type, StrEnum):
        return next(iter(kind.python_type)).value
    return plain.get(kind.python_type, RECORDER[-(getattr(kind, "length", None) or len(RECORDER)) :])


def act(nth: int, verb: str, about: str) -> dict[str, Any]:
    """A signed act of the approver."""
    return {
        "nonce": f"{nth:032}",
        "verb": verb,
        "signer": APPROVER,
        "object": about,
        "document": "{}",
        "signature": "",
        "roster": 1,
        "recorded_at": NOW,
    }


def write(engine: Engine, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """By the drivers' own means: foreign keys are not looked up, and on SQLite every row has all columns."""
    if not rows:
        return
    name, columns = str(table.__tablename__), list({column: None for one in rows for column in one})
    if engine.dialect.name == "sqlite":
        with sqlite3.connect(str(engine.url.database)) as connection:
            places = ", ".join("?" for _ in columns)
            insert = f'INSERT INTO "{name}" ({", ".join(columns)}) VALUES ({places})'  # noqa: S608  # names of ours
            connection.executemany(insert, ([_plain(one.get(column)) for column in columns] for one in rows))
        connection.close()
        return
    with transaction(engine) as session:
        session.connection().execute(text("SET LOCAL session_replication_role = replica"))
        cursor: Any = session.connection().connection.cursor()
        with cursor.copy(f'COPY "{name}" ({", ".join(columns)}) FROM STDIN') as copy:
            for one in rows:
                copy.write_row([one.get(column) for column in columns])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


def alias(prefix: str, nth: int) -> str:
    """The nth alias of a kind."""
    return f"{prefix}-0000-{nth // 10_000:04}-{nth % 10_000:04}"
