"""The journal: the one writer of entries and lines. Nothing here is ever changed or removed, only reversed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    insert,
)
from sqlalchemy import (
    Sequence as DatabaseSequence,
)
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from ledger.books.postings import Posting, Side, check_postings, mirrored
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.money import Money
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.engine import is_postgresql

FEWEST_LINES = 2
"""The fewest lines of one entry."""
MOST_LINES = 10_000
"""The most lines of one entry."""
EARLIEST = date(1990, 1, 1)
"""No entry is dated before this day."""


class Because(StrEnum):
    """Why an entry was reversed: a code, never free text."""

    WRONG_AMOUNT = "wrong_amount"
    WRONG_ACCOUNT = "wrong_account"
    WRONG_FUND = "wrong_fund"
    WRONG_DATE = "wrong_date"
    BOOKED_TWICE = "booked_twice"
    FACT_WITHDRAWN = "fact_withdrawn"


class BadEntry(BadInput):
    """Too few lines, too many, or dates that cannot be."""

    rule = "bad_entry"


class SourceKeyConflict(Conflict):
    """The source key is booked already, with another content."""

    rule = "source_key_conflict"


class AlreadyReversed(Refused):
    """An entry is reversed once; a reversal is not reversed."""

    rule = "already_reversed"


class UnknownEntry(NotFound):
    """No entry has this number."""

    rule = "unknown_entry"


class Entry(SQLModel, table=True):
    """The seal of its lines: who, when, which fact. Three dates: happened, effective (booked on), recorded."""

    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    xact_id: int = Field(sa_type=BigInteger, default=0)
    source_key: str = Field(max_length=200, unique=True)
    fingerprint: str = Field(max_length=64)
    kind: str = Field(max_length=60)
    happened_on: date
    effective_on: date = Field(index=True)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str = Field(max_length=40)
    reverses_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="entry.id", unique=True)
    because: Because | None = Field(default=None, sa_type=enumeration(Because))

    __table_args__ = (UniqueConstraint("id", "xact_id", name="entry_of_transaction"),)


class Line(SQLModel, table=True):
    """One side of an entry. `minor` is above zero for a debit and below for a credit."""

    entry_id: int = Field(sa_type=BigInteger, primary_key=True)
    number: int = Field(primary_key=True)
    xact_id: int = Field(sa_type=BigInteger, default=0)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    currency: str = Field(max_length=3)
    minor: int = Field(sa_type=MinorUnits)
    subject: str | None = Field(default=None, max_length=40, index=True)
    case_alias: str | None = Field(default=None, max_length=40, index=True)
    rate_on: date | None = None

    __table_args__ = (
        ForeignKeyConstraint(
            ["entry_id", "xact_id"], ["entry.id", "entry.xact_id"], deferrable=True, initially="DEFERRED"
        ),
        CheckConstraint("minor <> 0", name="minor_is_not_zero"),
        *whole_minor("minor"),
        Index("line_by_account", "account_code", "fund_code", "currency", "minor", "entry_id"),
    )


@dataclass(frozen=True, slots=True)
class Posted:
    """What `post` made, or found: the entry's number, and whether it stood there before."""

    entry_id: int
    replayed: bool


def post(
    session: Session,
    *,
    source_key: str,
    kind: str,
    postings: Sequence[Posting],
    happened_on: date,
    recorded_at: datetime,
    recorded_by: str,
    effective_on: date | None = None,
) -> Posted:
    """Books one fact, once. `effective_on` is `happened_on` unless the fact is booked on another day.

    The same `source_key` with the same content is a replay and books nothing new.

    Raises:
        SourceKeyConflict: the key stands for another content.
        BadEntry, BadPosting, UnbalancedEntry, UnknownAccount, NotPostable, UnknownFund: nothing was written.
    """
    entry = {
        "source_key": source_key,
        "kind": kind,
        "happened_on": happened_on,
        "effective_on": effective_on or happened_on,
        "reverses_id": None,
        "because": None,
    }
    return _post(session, entry, postings, recorded_at=recorded_at, recorded_by=recorded_by)


def reverse(
    session: Session,
    entry_id: int,
    *,
    source_key: str,
    because: Because,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> Posted:
    """Books the mirror image of an entry on the day `on`; each line keeps the rate date of the original.

    Raises:
        UnknownEntry: there is no such entry.
        AlreadyReversed: it is reversed already, or is itself a reversal.
        BadEntry: `on` lies before the original's effective date.
    """
    original = session.get(Entry, entry_id)
    if original is None:
        raise UnknownEntry("no entry has this number", entry=entry_id)
    if on < original.effective_on:
        raise BadEntry("a reversal is not dated before its original", where="on")
    entry = {
        "source_key": source_key,
        "kind": "reversal",
        "happened_on": on,
        "effective_on": on,
        "reverses_id": entry_id,
        "because": because,
    }
    taken_by = session.exec(select(Entry.source_key).where(Entry.reverses_id == entry_id)).first()
    if original.reverses_id is not None or taken_by not in (None, source_key):
        raise AlreadyReversed("an entry is reversed once, and a reversal never", entry=entry_id)
    mirror = [mirrored(posting, rate_on=original.effective_on) for posting in postings_of(session, entry_id)]
    return _post(session, entry, mirror, recorded_at=recorded_at, recorded_by=recorded_by)


def postings_of(session: Session, entry_id: int) -> list[Posting]:
    """The lines of an entry as the postings that made them, in their order."""
    lines = session.exec(select(Line).where(Line.entry_id == entry_id).order_by(_LINES.c.number))
    return [
        Posting(
            side=Side.DEBIT if line.minor > 0 else Side.CREDIT,
            account=line.account_code,
            money=Money(abs(line.minor), line.currency),
            fund=line.fund_code,
            subject=line.subject,
            case=line.case_alias,
            rate_on=line.rate_on,
        )
        for line in lines
    ]


_ENTRIES = SQLModel.metadata.tables["entry"]
_LINES = SQLModel.metadata.tables["line"]
_ENTRY_NUMBERS = DatabaseSequence("entry_number", metadata=SQLModel.metadata, data_type=BigInteger)


def _post(
    session: Session,
    entry: dict[str, Any],
    postings: Sequence[Posting],
    *,
    recorded_at: datetime,
    recorded_by: str,
) -> Posted:
    """Checks everything, looks for a replay before a line is written, then writes lines first and the entry last."""
    _check_entry(entry, postings, recorded_at=recorded_at)
    check_postings(session, postings)
    fingerprint = _fingerprint(entry, postings)
    standing = _standing(session, entry["source_key"], fingerprint)
    if standing is not None:
        return standing
    row = entry | {"fingerprint": fingerprint, "recorded_at": recorded_at, "recorded_by": recorded_by}
    try:
        with session.begin_nested():
            return Posted(_write(session, row, postings), replayed=False)
    except IntegrityError:
        # On PostgreSQL another transaction booked the same key between our look and our insert.
        standing = _standing(session, entry["source_key"], fingerprint)
        if standing is None:
            raise
        return standing


def _write(session: Session, row: dict[str, Any], postings: Sequence[Posting]) -> int:
    connection = session.connection()
    if is_postgresql(session):
        entry_id = int(connection.execute(_ENTRY_NUMBERS).scalar_one())
    else:  # BEGIN IMMEDIATE: nobody else writes between this look and the insert
        entry_id = int(connection.execute(select(func.coalesce(func.max(_ENTRIES.c.id), 0) + 1)).scalar_one())
    connection.execute(
        insert(_LINES),
        [
            {
                "entry_id": entry_id,
                "number": number,
                "account_code": posting.account,
                "fund_code": posting.fund,
                "currency": posting.money.currency,
                "minor": posting.money.minor if posting.side is Side.DEBIT else -posting.money.minor,
                "subject": posting.subject,
                "case_alias": posting.case,
                "rate_on": posting.rate_on,
            }
            for number, posting in enumerate(postings, start=1)
        ],
    )
    connection.execute(insert(_ENTRIES), {"id": entry_id, **row})
    return entry_id


def _standing(session: Session, source_key: str, fingerprint: str) -> Posted | None:
    """The entry that stands under `source_key`, if any; another content is a loud conflict."""
    found = session.exec(select(Entry.id, Entry.fingerprint).where(Entry.source_key == source_key)).first()
    if found is None:
        return None
    entry_id, standing = found
    if standing != fingerprint:
        raise SourceKeyConflict("the source key is booked with another content", entry=entry_id)
    return Posted(entry_id, replayed=True)


def _check_entry(entry: dict[str, Any], postings: Sequence[Posting], *, recorded_at: datetime) -> None:
    if not FEWEST_LINES <= len(postings) <= MOST_LINES:
        raise BadEntry(f"an entry has {FEWEST_LINES} to {MOST_LINES} lines", where="postings", lines=len(postings))
    latest = recorded_at.date() + timedelta(days=1)  # east of Greenwich tomorrow has begun
    for name in ("happened_on", "effective_on"):
        if not EARLIEST <= entry[name] <= latest:
            raise BadEntry("the date is before 1990 or in the future", where=name)
    if not entry["source_key"]:
        raise BadEntry("an entry needs a source key", where="source_key")


def _fingerprint(entry: dict[str, Any], postings: Sequence[Posting]) -> str:
    """A hash of everything that was agreed: equal content, equal fingerprint."""
    content = {
        "entry": {name: str(value) for name, value in entry.items()},
        "lines": [
            [p.side, p.account, p.money.minor, p.money.currency, p.fund, p.subject, p.case, str(p.rate_on)]
            for p in postings
        ],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
