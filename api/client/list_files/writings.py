"""Amounts and days as people write them: one reading, or none."""

import re
from datetime import date
from typing import Literal

from ledger.money import Money

DayOrder = Literal["day_first", "month_first"]

_SPACE = "[ \u00a0\u2009\u202f']"
_SPACES = re.compile(f"{_SPACE}|\u2019")
_AMOUNT = re.compile(
    rf"\d+(?:[.,]\d+)?|\d{{1,3}}(?:(?:{_SPACE}|\u2019)\d{{3}})+(?:[.,]\d+)?"
    # A comma and a point together, or one of them twice, tell which of them parts the thousands.
    r"|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:,\d{3}){2,}|\d{1,3}(?:\.\d{3}){2,}",
    re.ASCII,
)
_COUNT = re.compile(r"[1-9]\d{0,2}", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})", re.ASCII)
_NAMED = re.compile(r"(\d{1,2})\.? ([^\W\d_]+) (\d{4})(?: ?\u0433(?:\u043e\u0434\u0430)?\.?)?", re.IGNORECASE)


class NotRead(ValueError):
    """A writing with no reading, or with two; the sentence says which and never what was written."""


def amount(text: str, currency: str) -> Money:
    """`810`, `810.5`, `810,00`, `1 110,00`, `1,110.00` or `1.110,00`: above zero, with its currency's decimals at most.

    Raises:
        NotRead: anything else; `1,110` has too many decimals for a sum of roubles and is not taken for thousands.
        BadCurrency: not a currency.
    """
    if re.fullmatch(r"[-\u2212(].*\d.*|0+(?:[.,]0+)?", text, re.DOTALL):
        raise NotRead("an amount is above zero")
    if not _AMOUNT.fullmatch(text):
        raise NotRead("not an amount")
    plain = _SPACES.sub("", text)
    if "," in plain and "." in plain:
        grouping = min(",.", key=plain.index)
        plain = plain.replace(grouping, "")
    elif plain.count(",") > 1 or plain.count(".") > 1:
        plain = plain.replace(",", "").replace(".", "")
    return Money.parse(plain.replace(",", "."), currency)


def count(text: str) -> int:
    """`3`: a whole number of days, from 1 to 999.

    Raises:
        NotRead: anything else.
    """
    if not _COUNT.fullmatch(text):
        raise NotRead("not a whole number of days, from 1 to 999")
    return int(text)


def day(
    text: str, *, order: DayOrder | None = None, century: int | None = None, months: dict[str, int] | None = None
) -> date:
    """`2020-09-14`, `14.09.2020`, `14/09/2020` or `14 September 2020`.

    `order` says what stands first between slashes; without it, only what can be read in one way is read. `century` is
    that of years of two digits (2000 makes `20` the year 2020); without it they are refused. `months` are the names of
    months, in small letters.

    Raises:
        NotRead: anything else, and days that are in no calendar.
    """
    if match := _ISO.fullmatch(text):
        return _real(int(match[1]), int(match[2]), int(match[3]))
    if match := _DOTTED.fullmatch(text):
        return _real(_year(match[3], century), int(match[2]), int(match[1]))
    if match := _SLASHED.fullmatch(text):
        return _slashed(int(match[1]), int(match[2]), _year(match[3], century), order)
    if (match := _NAMED.fullmatch(text)) and match[2].lower() in (months or {}):
        return _real(int(match[3]), (months or {})[match[2].lower()], int(match[1]))
    raise NotRead("not a day such as 2020-09-14 or 14.09.2020")


def _slashed(first: int, second: int, year: int, order: DayOrder | None) -> date:
    most_months = 12
    if order is None and first <= most_months and second <= most_months and first != second:
        raise NotRead("day and month cannot be told apart: a profile says which stands first")
    is_day_first = second <= most_months if order is None else order == "day_first"
    return _real(year, second, first) if is_day_first else _real(year, first, second)


def _year(text: str, century: int | None) -> int:
    if len(text) == len("2020"):
        return int(text)
    if century is None:
        raise NotRead("a year of two digits: a profile says of which century")
    return century + int(text)


def _real(year: int, month: int, day_of_month: int) -> date:
    try:
        return date(year, month, day_of_month)
    except ValueError:
        raise NotRead("a day that is in no calendar") from None
