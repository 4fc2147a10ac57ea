"""The records of an entries file and the one form in which each is written: docs/entries-format.md."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ledger.books.accounts import AccountClass
from ledger.books.journal import Because
from ledger.books.postings import Posting

FORMAT = "solidarity-entries"
VERSION = 1


@dataclass(frozen=True, slots=True)
class BookRecord:
    """The first line: which format this is, and in which currency the book reports."""

    functional_currency: str


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account that the entries may name."""

    code: str
    name: str
    account_class: AccountClass
    currency: str | None
    closed: bool


@dataclass(frozen=True, slots=True)
class FundRecord:
    """A fund that the entries may name."""

    code: str
    name: str
    restricted: bool


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """One entry with its lines. A reversal names the source key of its original, and why.

    `recorded_at` and `recorded_by` may be missing in a file that another program wrote.
    """

    source_key: str
    kind: str
    happened_on: date
    effective_on: date
    recorded_at: datetime | None
    recorded_by: str | None
    postings: tuple[Posting, ...]
    reverses: str | None = None
    because: Because | None = None


@dataclass(frozen=True, slots=True)
class EndRecord:
    """The last line: how many entries came before it, so that a file that was cut is known."""

    entries: int


Record = BookRecord | AccountRecord | FundRecord | EntryRecord | EndRecord


def write(record: Record) -> bytes:
    """The one line of a record, with its line feed: keys in a fixed order, no blanks, nothing that is absent."""
    present = {name: value for name, value in _WRITERS[type(record)](record).items() if value is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _write_book(book: BookRecord) -> dict[str, Any]:
    return {
        "record": "book",
        "format": FORMAT,
        "version": VERSION,
        "functional_currency": book.functional_currency,
    }


def _write_account(account: AccountRecord) -> dict[str, Any]:
    return {
        "record": "account",
        "code": account.code,
        "name": account.name,
        "class": account.account_class,
        "currency": account.currency,
        "closed": account.closed,
    }


def _write_fund(fund: FundRecord) -> dict[str, Any]:
    return {"record": "fund", "code": fund.code, "name": fund.name, "restricted": fund.restricted}


def _write_entry(entry: EntryRecord) -> dict[str, Any]:
    return {
        "record": "entry",
        "source_key": entry.source_key,
        "kind": entry.kind,
        "happened_on": entry.happened_on.isoformat(),
        "effective_on": entry.effective_on.isoformat(),
        "recorded_at": None if entry.recorded_at is None else write_moment(entry.recorded_at),
        "recorded_by": entry.recorded_by,
        "reverses": entry.reverses,
        "because": entry.because,
        "lines": [_write_posting(posting) for posting in entry.postings],
    }


def _write_posting(posting: Posting) -> dict[str, Any]:
    fields = {
        "side": posting.side,
        "account": posting.account,
        "amount": posting.money.decimal(),
        "currency": posting.money.currency,
        "fund": posting.fund,
        "subject": posting.subject,
        "case": posting.case,
        "rate_on": None if posting.rate_on is None else posting.rate_on.isoformat(),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _write_end(end: EndRecord) -> dict[str, Any]:
    return {"record": "end", "entries": end.entries}


def write_moment(moment: datetime) -> str:
    """A moment as the format has it: in UTC, with microseconds where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_WRITERS: dict[type[Record], Callable[[Any], dict[str, Any]]] = {
    BookRecord: _write_book,
    AccountRecord: _write_account,
    FundRecord: _write_fund,
    EntryRecord: _write_entry,
    EndRecord: _write_end,
}
