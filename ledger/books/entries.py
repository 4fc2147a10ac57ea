"""Entries: the journal's two tables, the form of an entry to be posted, and what makes one a form at all."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import Sequence as DatabaseSequence
from sqlmodel import Field, SQLModel

from ledger.books.postings import Posting
from ledger.errors import BadInput, Conflict, NotFound, Refused
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

    # The transaction first: the roll-ups look for the entries of the newest ones.
    __table_args__ = (UniqueConstraint("xact_id", "id", name="entry_of_transaction"), WITHOUT_ROWID)


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


NUMBERS = DatabaseSequence("entry_number", metadata=SQLModel.metadata, data_type=BigInteger)
"""Where entries get their numbers on PostgreSQL; on SQLite, with its one writer, it is the last one plus one."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One fact to be booked. `effective_on` is told only when it is booked on another day than it happened."""

    source_key: str
    kind: str
    postings: Sequence[Posting]
    happened_on: date
    effective_on: date | None = None


class Draft(NamedTuple):
    """An entry in the right form, as it will stand in the journal; `movable`: a closed month does not hinder it.

    The fields before `postings` are the columns of the entry's row, in the order in which they are written.
    """

    source_key: str
    fingerprint: str
    kind: str
    happened_on: date
    effective_on: date
    recorded_at: datetime
    recorded_by: str
    reverses_id: int | None
    because: Because | None
    postings: Sequence[Posting]
    movable: bool


def draft(
    new: NewEntry,
    *,
    recorded_at: datetime,
    recorded_by: str,
    reverses_id: int | None = None,
    because: Because | None = None,
) -> Draft:
    """The entry that `new` will be, fingerprinted as it was agreed: before its day moves out of a closed month.

    Raises:
        BadEntry: it has no entry's form; `where` names the field.
    """
    effective_on = new.effective_on or new.happened_on
    recorded_at, latest = _moment(recorded_at)
    _check_lines_and_dates(new, effective_on, latest)
    for where, form, text in (
        ("source_key", _SOURCE_KEY, new.source_key),
        ("kind", _KIND, new.kind),
        ("recorded_by", _RECORDER, recorded_by),
    ):
        if not form.fullmatch(text):
            raise BadEntry("an entry needs a source key, a kind and a recorder", where=where)
    return Draft(
        source_key=new.source_key,
        fingerprint=fingerprint_of(
            new.postings,
            source_key=new.source_key,
            kind=new.kind,
            happened_on=new.happened_on,
            effective_on=effective_on,
            reverses_id=reverses_id,
            because=because,
        ),
        kind=new.kind,
        happened_on=new.happened_on,
        effective_on=effective_on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
        reverses_id=reverses_id,
        because=because,
        postings=new.postings,
        movable=new.effective_on is None and reverses_id is None,
    )


def fingerprint_of(
    postings: Sequence[Posting],
    *,
    source_key: str,
    kind: str,
    happened_on: date,
    effective_on: date | None = None,
    reverses_id: int | None = None,
    because: str | None = None,
) -> str:
    """A hash of everything that was agreed, in 64 hexadecimal digits: equal content, equal fingerprint.

    `effective_on` is `happened_on` unless another day was agreed.

    Of an entry that was moved out of a closed month, it is the one with `effective_on` as it was agreed: `happened_on`.
    It is of the same bytes as `json.dumps(…, sort_keys=True)` gives, put together by hand in a third of the time. They
    are kept as they are: every replay is compared with what was written years ago.
    """
    quote = encode_basestring_ascii
    lines = ",".join(
        f'["{p.side}",{quote(p.account)},{p.money.minor},{quote(p.money.currency)},{quote(p.fund)},'
        f"{'null' if p.subject is None else quote(p.subject)},{'null' if p.case is None else quote(p.case)},"
        f'"{p.rate_on}"]'
        for p in postings
    )
    content = (
        f'{{"entry":{{"because":"{because}","effective_on":"{effective_on or happened_on}",'
        f'"happened_on":"{happened_on}","kind":{quote(kind)},"reverses_id":"{reverses_id}","source_key":{quote(source_key)}}},'
        f'"lines":[{lines}]}}'
    )
    return hashlib.sha256(content.encode()).hexdigest()


@lru_cache(maxsize=16)
def _moment(recorded_at: datetime) -> tuple[datetime, date]:
    """The moment in UTC, and the last day that has begun anywhere: east of Greenwich tomorrow has."""
    if recorded_at.utcoffset() is None:
        raise BadEntry("a moment needs its time zone", where="recorded_at")
    in_utc = recorded_at.astimezone(UTC)
    return in_utc, in_utc.date() + timedelta(days=1)


def _check_lines_and_dates(new: NewEntry, effective_on: date, latest: date) -> None:
    """Counts the lines first: a list too long is not walked through."""
    lines = len(new.postings)
    if not FEWEST_LINES <= lines <= MOST_LINES:
        raise BadEntry(f"an entry has {FEWEST_LINES} to {MOST_LINES} lines", where="postings", lines=lines)
    for where, day in (("happened_on", new.happened_on), ("effective_on", effective_on)):
        if not EARLIEST <= day <= latest:
            raise BadEntry("the date is before 1990 or in the future", where=where)
    for number, posting in enumerate(new.postings, start=1):
        if posting.rate_on is not None and not EARLIEST <= posting.rate_on <= latest:
            raise BadEntry("the date is before 1990 or in the future", where="rate_on", line=number)
