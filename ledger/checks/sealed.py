"""Entries as they stand in the tables, read without trust: what no longer is a day or a number is told, not raised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlmodel import Session, SQLModel

from ledger.books.postings import Posting, Side
from ledger.errors import LedgerError
from ledger.money import Money

PAGE = 1000
"""Entries that are held at a time, with their lines."""

_ENTRIES = SQLModel.metadata.tables["entry"]
_LINES = SQLModel.metadata.tables["line"]
_TEXTS = {"happened_on", "effective_on", "recorded_at", "because", "rate_on"}
"""Columns that are read as text: whatever somebody has written into a file of SQLite must not end the check."""


@dataclass(frozen=True, slots=True)
class SealedLine:
    """One line; `minor` is above zero for a debit."""

    number: int
    minor: int
    posting: Posting


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """One entry with its lines, in the order of their numbers."""

    id: int
    source_key: str
    fingerprint: str
    kind: str
    happened_on: date
    effective_on: date
    recorded_at: datetime
    reverses_id: int | None
    because: str | None
    lines: Sequence[SealedLine]

    def postings(self) -> list[Posting]:
        """What its lines were made of."""
        return [line.posting for line in self.lines]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry one of whose values is of no kind that it can be; `where` names the column."""

    id: int
    where: str


def pages(session: Session) -> Iterator[list[SealedEntry | Unreadable]]:
    """All entries in the order of their numbers, page by page."""
    after: int | None = None
    while True:
        query = select(*_columns(_ENTRIES)).order_by(_ENTRIES.c.id).limit(PAGE)
        rows = session.connection().execute(query if after is None else query.where(_ENTRIES.c.id > after)).all()
        if not rows:
            return
        after = rows[-1].id
        yield _with_lines(session, rows)


def numbered(session: Session, numbers: Sequence[int]) -> dict[int, SealedEntry]:
    """Those of these entries that stand and can be read."""
    rows = session.connection().execute(select(*_columns(_ENTRIES)).where(_ENTRIES.c.id.in_(numbers))).all()
    return {entry.id: entry for entry in _with_lines(session, rows) if isinstance(entry, SealedEntry)}


def count(session: Session) -> int:
    """How many entries there are."""
    return session.connection().execute(select(func.count()).select_from(_ENTRIES)).scalar_one()


def moment(text: str) -> datetime:
    """What either database tells as the moment of a row: SQLite without a zone, which is UTC."""
    told = datetime.fromisoformat(text)
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def _columns(table: Any) -> list[Any]:
    return [cast(c, String).label(c.name) if c.name in _TEXTS else c for c in table.c]


def _with_lines(session: Session, rows: Sequence[Any]) -> list[SealedEntry | Unreadable]:
    lines: dict[int, list[Any]] = {row.id: [] for row in rows}
    query = select(*_columns(_LINES)).order_by(_LINES.c.entry_id, _LINES.c.number)
    for line in session.connection().execute(query.where(_LINES.c.entry_id.in_(lines))):
        lines[line.entry_id].append(line)
    return [_read(row, lines[row.id]) for row in rows]


def _read(row: Any, lines: Sequence[Any]) -> SealedEntry | Unreadable:
    where = "line"
    try:
        read = [_read_line(line) for line in lines]
        where = "entry"
        return SealedEntry(
            id=row.id,
            source_key=row.source_key,
            fingerprint=row.fingerprint,
            kind=row.kind,
            happened_on=date.fromisoformat(row.happened_on),
            effective_on=date.fromisoformat(row.effective_on),
            recorded_at=moment(row.recorded_at),
            reverses_id=row.reverses_id,
            because=row.because,
            lines=read,
        )
    except (ValueError, TypeError, LedgerError):
        return Unreadable(row.id, where)


def _read_line(line: Any) -> SealedLine:
    posting = Posting(
        side=Side.DEBIT if line.minor > 0 else Side.CREDIT,
        account=line.account_code,
        money=Money(abs(line.minor), line.currency),
        fund=line.fund_code,
        subject=line.subject,
        case=line.case_alias,
        rate_on=None if line.rate_on is None else date.fromisoformat(line.rate_on),
    )
    return SealedLine(line.number, line.minor, posting)
