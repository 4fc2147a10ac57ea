"""The journal: the one writer of entries and lines. Nothing here is ever changed or removed, only reversed."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    bindparam,
    func,
    insert,
)
from sqlalchemy import (
    Sequence as DatabaseSequence,
)
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from ledger.books import periods
from ledger.books.postings import Posting, Side, check_postings, mirrored
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.money import Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, UtcDateTime, enumeration, whole_minor

FEWEST_LINES = 2
"""The fewest lines of one entry."""
MOST_LINES = 10_000
"""The most lines of one entry."""
EARLIEST = date(1990, 1, 1)
"""No entry is dated before this day."""

_SOURCE_KEY = re.compile(r"[ -~]{1,200}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,59}")
_RECORDER = re.compile(r"[!-~]{1,40}")


class Because(StrEnum):
    """Why an entry was reversed: a code, never free text."""

    WRONG_AMOUNT = "wrong_amount"
    WRONG_ACCOUNT = "wrong_account"
    WRONG_FUND = "wrong_fund"
    WRONG_DATE = "wrong_date"
    BOOKED_TWICE = "booked_twice"
    FACT_WITHDRAWN = "fact_withdrawn"


class BadEntry(BadInput):
    """Too few lines, too many, dates that cannot be, or a key, a kind or a recorder that is none."""

    rule = "bad_entry"


class SourceKeyConflict(Conflict):
    """The source key is booked already, with another content."""

    rule = "source_key_conflict"


class AlreadyReversed(Refused):
    """An entry is reversed once; a reversal is never reversed."""

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

    __table_args__ = (UniqueConstraint("id", "xact_id", name="entry_of_transaction"), WITHOUT_ROWID)


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
        WITHOUT_ROWID,
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

    What happened in a closed month is booked on the first open day: tell `happened_on` only.
    The same `source_key` with the same content is a replay and books nothing new, also when its month was closed since.

    Raises:
        SourceKeyConflict: the key stands for another content. PeriodClosed: `effective_on` is told, and closed.
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
    return _post(
        session, entry, postings, recorded_at=recorded_at, recorded_by=recorded_by, movable=effective_on is None
    )


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

    What could be booked can be reversed: that an account was closed since, or got leaves, does not hinder it.

    Raises:
        UnknownEntry: there is no such entry.
        AlreadyReversed: it is reversed already, or is itself a reversal.
        BadEntry: `on` lies before the original's effective date. PeriodClosed: it lies in a closed month.
    """
    original = session.get(Entry, entry_id)
    if original is None:
        raise UnknownEntry("no entry has this number", entry=entry_id)
    if original.reverses_id is not None:
        raise AlreadyReversed("a reversal is not reversed", entry=entry_id)
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
    mirror = [mirrored(posting, rate_on=original.effective_on) for posting in postings_of(session, entry_id)]
    return _post(session, entry, mirror, recorded_at=recorded_at, recorded_by=recorded_by)


def postings_of(session: Session, entry_id: int) -> list[Posting]:
    """The lines of an entry as the postings that made them, in their order."""
    lines = session.exec(select(Line).where(Line.entry_id == entry_id).order_by(_LINES.c.number))
    return [posting_of(line) for line in lines]


def posting_of(line: Line) -> Posting:
    """A line as the posting that made it."""
    return Posting(
        side=Side.DEBIT if line.minor > 0 else Side.CREDIT,
        account=line.account_code,
        money=Money(abs(line.minor), line.currency),
        fund=line.fund_code,
        subject=line.subject,
        case=line.case_alias,
        rate_on=line.rate_on,
    )


def fingerprint_of(
    postings: Sequence[Posting],
    *,
    source_key: str,
    kind: str,
    happened_on: date,
    effective_on: date,
    reverses_id: int | None = None,
    because: str | None = None,
) -> str:
    """The fingerprint of an entry with this content, to be compared with the one that was kept.

    Of an entry that was moved out of a closed month, it is the one with `effective_on` as it was agreed: `happened_on`.
    """
    entry = {
        "source_key": source_key,
        "kind": kind,
        "happened_on": happened_on,
        "effective_on": effective_on,
        "reverses_id": reverses_id,
        "because": because,
    }
    return _fingerprint(entry, postings)


def count(session: Session) -> int:
    """How many entries the journal holds."""
    return session.exec(select(func.count()).select_from(Entry)).one()


_ENTRIES = SQLModel.metadata.tables["entry"]
_LINES = SQLModel.metadata.tables["line"]
_ENTRY_NUMBERS = DatabaseSequence("entry_number", metadata=SQLModel.metadata, data_type=BigInteger)
_NEXT_ON_SQLITE = select(func.coalesce(func.max(_ENTRIES.c.id), 0) + 1)
_BY_SOURCE_KEY = select(_ENTRIES.c.id, _ENTRIES.c.fingerprint).where(_ENTRIES.c.source_key == bindparam("source_key"))
_REVERSAL_OF = select(_ENTRIES.c.id).where(_ENTRIES.c.reverses_id == bindparam("entry_id"))
_INSERT_LINES = insert(_LINES)
_INSERT_ENTRY = insert(_ENTRIES)


def _post(
    session: Session,
    entry: dict[str, Any],
    postings: Sequence[Posting],
    *,
    recorded_at: datetime,
    recorded_by: str,
    movable: bool = False,
) -> Posted:
    """Looks for a replay, checks everything, and only then writes: lines first, the entry last.

    The fingerprint is of what was agreed, before the day of a `movable` entry moves out of a closed month.
    With Core on the session's own connection: the unit of work would write the entry first, and costs twice the time.
    """
    row = entry | {"recorded_at": recorded_at, "recorded_by": recorded_by}
    _check_entry(row, postings)
    row["fingerprint"] = _fingerprint(entry, postings)
    connection = session.connection()
    standing = _standing(connection, row)
    if standing is not None:
        return standing
    if movable:
        row["effective_on"] = periods.booking_day(session, row["effective_on"])
    periods.require_open(session, row["effective_on"])
    if entry["reverses_id"] is None:  # the mirror image of what was checked once needs no second check
        check_postings(session, postings)
    try:
        with connection.begin_nested():  # whatever fails in here, no line stays behind
            return Posted(_write(connection, row, postings), replayed=False)
    except IntegrityError:
        # On PostgreSQL another transaction booked the same, or closed the month, between our look and our insert.
        standing = _standing(connection, row)
        if standing is None:
            periods.look_again(session)
            periods.require_open(session, row["effective_on"])
            raise
        return standing


def _write(connection: Connection, row: dict[str, Any], postings: Sequence[Posting]) -> int:
    if connection.dialect.name == "postgresql":
        entry_id = int(connection.scalar(_ENTRY_NUMBERS))
    else:  # BEGIN IMMEDIATE: nobody else writes between this look and the insert
        entry_id = connection.execute(_NEXT_ON_SQLITE).scalar_one()
    lines = [
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
    ]
    connection.execute(_INSERT_LINES, lines)
    connection.execute(_INSERT_ENTRY, {"id": entry_id, **row})
    return entry_id


def _standing(connection: Connection, row: dict[str, Any]) -> Posted | None:
    """The same entry, when it stands already.

    Raises:
        SourceKeyConflict: another content stands under the source key.
        AlreadyReversed: another entry reverses what this one would.
    """
    found = connection.execute(_BY_SOURCE_KEY, {"source_key": row["source_key"]}).first()
    if found is not None:
        if found.fingerprint != row["fingerprint"]:
            raise SourceKeyConflict("the source key is booked with another content", entry=found.id)
        return Posted(found.id, replayed=True)
    reversed_id = row["reverses_id"]
    if reversed_id is not None and connection.execute(_REVERSAL_OF, {"entry_id": reversed_id}).first() is not None:
        raise AlreadyReversed("an entry is reversed once", entry=reversed_id)
    return None


def _check_entry(row: dict[str, Any], postings: Sequence[Posting]) -> None:
    if not FEWEST_LINES <= len(postings) <= MOST_LINES:
        raise BadEntry(f"an entry has {FEWEST_LINES} to {MOST_LINES} lines", where="postings", lines=len(postings))
    latest = row["recorded_at"].astimezone(UTC).date() + timedelta(days=1)  # east of Greenwich tomorrow has begun
    for name in ("happened_on", "effective_on"):
        if not EARLIEST <= row[name] <= latest:
            raise BadEntry("the date is before 1990 or in the future", where=name)
    for number, posting in enumerate(postings, start=1):
        if posting.rate_on is not None and not EARLIEST <= posting.rate_on <= latest:
            raise BadEntry("the date is before 1990 or in the future", where="rate_on", line=number)
    for name, form in (("source_key", _SOURCE_KEY), ("kind", _KIND), ("recorded_by", _RECORDER)):
        if not form.fullmatch(row[name]):
            raise BadEntry("an entry needs a source key, a kind and a recorder", where=name)


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
