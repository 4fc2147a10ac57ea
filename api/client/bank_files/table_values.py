"""The values of a bank's table: amounts as that bank writes them, days in its order, words for a side or status.

What cannot be read exactly raises UnreadableFile with the column, by our name for it, as what is wrong.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache

from api.client.bank_files import amounts
from api.client.bank_files.lines import Status, UnreadableFile
from api.client.bank_files.profiles import DayOrder, Profile
from ledger.errors import BadInput
from ledger.money import Money

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_DAY = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})\.?", re.ASCII)
_NAMED = re.compile(r"(\d{1,2})[ -]([A-Z][a-z]{2})[ -](\d{4}|\d{2})(?!\d)", re.ASCII)
_TIME = re.compile(r"(?:[T ,]+\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\.\d+)?)?(?: ?(?:Z|UTC|[AP]M|[+-]\d\d:?\d\d))?", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BLANKS = "\u00a0\u202f\u2009"
_MINUS = "\u2212"
_CENTURY = 100


def read_signed(text: str, *, profile: Profile, currency: str | None, is_number: bool = False) -> Money | None:
    """The amount in a cell with its sign; None where the cell is empty. A number of a spreadsheet has a point."""
    text = _squeeze(text)
    if not text:
        return None
    sign = text[0] if text[0] in "+-" else ""
    text = text.removeprefix(sign).strip()
    if profile.symbol and not is_number:
        text = text.removeprefix(profile.symbol).removesuffix(profile.symbol).strip()
    if not sign and text[:1] in {"+", "-"}:
        sign, text = text[0], text[1:].strip()
    plain = r"(?P<whole>\d{1,18})(?:\.(?P<fraction>\d*))?"
    match = (
        re.fullmatch(plain, text, re.ASCII) if is_number else _shape(profile.decimal, profile.thousands).fullmatch(text)
    )
    if match is None:
        raise UnreadableFile("no amount as this bank writes them", where="amount")
    whole = match["whole"].replace(profile.thousands, "") if profile.thousands and not is_number else match["whole"]
    fraction = match["fraction"]
    try:
        money = amounts.read_unsigned(f"{whole}.{fraction}" if fraction else whole, currency=currency)
    except BadInput as error:
        raise UnreadableFile(error.message, where="amount") from None
    return -money if sign == "-" else money


def read_day(text: str, *, order: DayOrder) -> date | None:
    """The calendar day in a cell, in `order`, in ISO 8601 or with an English month; a time behind it is no part."""
    text = _squeeze(text)
    if not text:
        return None
    named, iso, plain = _NAMED.match(text), _ISO.match(text), _DAY.match(text)
    match = named or iso or plain
    if match is None or not _TIME.fullmatch(text[match.end() :]):
        raise UnreadableFile("no day as this bank writes them", where="day")
    parts = dict(zip("YMD" if iso and not named else "DMY" if named else order, match.groups(), strict=True))
    month = _MONTHS.index(parts["M"]) + 1 if parts["M"] in _MONTHS else parts["M"]
    try:
        year = int(parts["Y"])
        return date(year + 2000 if year < _CENTURY else year, int(month), int(parts["D"]))
    except ValueError:
        raise UnreadableFile("no day of the calendar", where="day") from None


def is_debit(text: str, *, profile: Profile) -> bool:
    """Which side a word means."""
    word = _squeeze(text).casefold()
    if word in _fold(profile.debit_words):
        return True
    if word in _fold(profile.credit_words):
        return False
    raise UnreadableFile("neither debit nor credit in this bank's words", where="side")


def read_status(text: str, *, profile: Profile) -> Status:
    """What a word means; one that the profile does not know is never booked, so the file is refused."""
    word = _squeeze(text).casefold()
    words: tuple[tuple[Status, list[str]], ...] = (
        ("booked", profile.booked),
        ("pending", profile.pending),
        ("info", profile.info),
    )
    for status, known in words:
        if word in _fold(known):
            return status
    raise UnreadableFile("a status that the profile does not know", where="status")


def read_reference(text: str) -> str | None:
    """The reference; None for what only says that there is none."""
    text = text.strip()
    return None if text.upper() in {"", "-", "NOTPROVIDED", "NONREF"} else text


@cache
def _shape(decimal: str, thousands: str) -> re.Pattern[str]:
    """Digits, or groups of three where the bank sets thousands apart: `1.234` is no number where `.` would be wrong."""
    groups = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|" if thousands else ""
    fraction = rf"(?:{re.escape(decimal)}(?P<fraction>\d*))?"
    return re.compile(rf"(?P<whole>{groups}\d{{1,18}}){fraction}", re.ASCII)


def _squeeze(text: str) -> str:
    """Without blanks around it, every kind of blank and minus as the plain one; a spreadsheet's quote is no text."""
    for blank in _BLANKS:
        text = text.replace(blank, " ")
    return text.replace(_MINUS, "-").strip()


def _fold(words: Iterable[str]) -> set[str]:
    return {word.casefold() for word in words}
