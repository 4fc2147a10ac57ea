"""Reading the lines of an entries file strictly: pure, lines to records. What they mean to a book is for `imports`."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from ledger.books.accounts import AccountClass
from ledger.books.journal import MOST_LINES, Because
from ledger.books.postings import Posting, Side
from ledger.books.records import FORMAT, VERSION, AccountRecord, BookRecord, EndRecord, EntryRecord, FundRecord, Record
from ledger.errors import BadInput
from ledger.money import Money

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of one line: an entry of the most lines that the journal takes fits, whatever its codes and aliases are."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_Member = TypeVar("_Member", bound=StrEnum)


class BadRecord(BadInput):
    """A line that is no record of this format. `where` names the field, `posting` the line of the entry, from 1."""

    rule = "bad_record"


def read(line: bytes) -> Record:
    r"""The record of a line with its line feed.

    Raises:
        BadRecord: a line that is too long, cut, not UTF-8, not one JSON object, or has a key twice, one too many or too
            few, or a value of another type. BadAmount, BadCurrency: see `money.Money.parse`.
    """
    told = _Fields(_load(line), {})
    reader = _READERS.get(told.text("record"))
    if reader is None:
        raise BadRecord("a record is a book, an account, a fund, an entry or the end", where="record")
    record = reader(told)
    told.require_all_read()
    return record


class _Fields:
    """The fields of one JSON object, taken by name and type; `place` goes into every refusal."""

    def __init__(self, told: dict[str, Any], place: dict[str, int]) -> None:
        self._told = told
        self._place = place

    def refuse(self, message: str, name: str | None) -> NoReturn:
        raise BadRecord(message, where=name, **self._place)

    def text(self, name: str) -> str:
        value = self._told.pop(name, None)
        return value if isinstance(value, str) else self.refuse("a text is missing here", name)

    def has(self, name: str) -> bool:
        return name in self._told

    def text_or_none(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else None

    def flag(self, name: str) -> bool:
        value = self._told.pop(name, None)
        return value if isinstance(value, bool) else self.refuse("true or false is missing here", name)

    def count(self, name: str) -> int:
        value = self._told.pop(name, None)
        return value if type(value) is int else self.refuse("a whole number is missing here", name)

    def objects(self, name: str) -> list[Any]:
        value = self._told.pop(name, None)
        return value if isinstance(value, list) else self.refuse("a list is missing here", name)

    def day(self, name: str) -> date:
        text = self.text(name)
        try:
            return date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            self.refuse("a day is written as 2020-10-31", name)

    def day_or_none(self, name: str) -> date | None:
        return self.day(name) if self.has(name) else None

    def moment_or_none(self, name: str) -> datetime | None:
        text = self.text_or_none(name)
        if text is None:
            return None
        try:
            return datetime.fromisoformat(text if _MOMENT.fullmatch(text) else "")
        except ValueError:
            self.refuse("a moment is written as 2020-10-31T23:59:59Z, in UTC", name)

    def member(self, name: str, kind: type[_Member]) -> _Member:
        try:
            return kind(self.text(name))
        except ValueError:
            self.refuse("not one of the words that may stand here", name)

    def require_all_read(self) -> None:
        if self._told:  # which ones is not told: they may be anything
            self.refuse("the object has keys that the format does not know", None)


def _load(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise BadRecord("the line is longer than 4 MiB", where="line")
    if not line.endswith(b"\n"):
        raise BadRecord("the line does not end in a line feed: the file is cut", where="line")
    if line.endswith(b"\r\n"):
        raise BadRecord("the line ends in a carriage return and a line feed, not in a line feed alone", where="line")
    if line.startswith(_BYTE_ORDER_MARK):
        raise BadRecord("a byte order mark stands before the line", where="line")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise BadRecord("the line is not UTF-8", where="line") from None
    try:
        told = json.loads(
            text, object_pairs_hook=_without_repeats, parse_float=_refuse_float, parse_constant=_refuse_float
        )
    except (ValueError, RecursionError):  # also whole numbers of thousands of digits
        raise BadRecord("the line is not JSON", where="line") from None
    return _object(told, {})


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise BadRecord("an object has a key twice", where="line")
    return told


def _refuse_float(_text: str) -> NoReturn:
    raise BadRecord("a number with decimals or an exponent, or none at all: amounts are texts", where="line")


def _object(told: Any, place: dict[str, int]) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise BadRecord("an object is missing here", where="line", **place)
    return told


def _read_book(told: _Fields) -> BookRecord:
    if told.text("format") != FORMAT:
        told.refuse("the file is of another format", "format")
    if told.count("version") != VERSION:
        told.refuse("the file is of another version of the format", "version")
    return BookRecord(told.text("functional_currency"))


def _read_account(told: _Fields) -> AccountRecord:
    return AccountRecord(
        code=told.text("code"),
        name=told.text("name"),
        account_class=told.member("class", AccountClass),
        currency=told.text_or_none("currency"),
        closed=told.flag("closed"),
    )


def _read_fund(told: _Fields) -> FundRecord:
    return FundRecord(code=told.text("code"), name=told.text("name"), restricted=told.flag("restricted"))


def _read_entry(told: _Fields) -> EntryRecord:
    lines = told.objects("lines")
    if len(lines) > MOST_LINES:  # before they are read one by one
        told.refuse(f"an entry has at most {MOST_LINES} lines", "lines")
    record = EntryRecord(
        source_key=told.text("source_key"),
        kind=told.text("kind"),
        happened_on=told.day("happened_on"),
        effective_on=told.day("effective_on"),
        recorded_at=told.moment_or_none("recorded_at"),
        recorded_by=told.text_or_none("recorded_by"),
        reverses=told.text_or_none("reverses"),
        because=told.member("because", Because) if told.has("because") else None,
        postings=tuple(_read_posting(line, {"posting": number}) for number, line in enumerate(lines, start=1)),
    )
    if (record.reverses is None) is not (record.because is None):
        told.refuse("a reversal, and nothing else, says what it reverses and because of what", "because")
    return record


def _read_posting(line: Any, place: dict[str, int]) -> Posting:
    told = _Fields(_object(line, place), place)
    amount, currency = told.text("amount"), told.text("currency")
    try:
        money = Money.parse(amount, currency)
    except BadInput as refusal:
        refusal.data |= place
        raise
    posting = Posting(
        side=told.member("side", Side),
        account=told.text("account"),
        money=money,
        fund=told.text("fund"),
        subject=told.text_or_none("subject"),
        case=told.text_or_none("case"),
        rate_on=told.day_or_none("rate_on"),
    )
    told.require_all_read()
    return posting


def _read_end(told: _Fields) -> EndRecord:
    return EndRecord(told.count("entries"))


_READERS: dict[str, Callable[[_Fields], Record]] = {
    "book": _read_book,
    "account": _read_account,
    "fund": _read_fund,
    "entry": _read_entry,
    "end": _read_end,
}
