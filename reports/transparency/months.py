"""Months as text, `2020-08`: they sort as they follow one another."""

import re
from datetime import date

from ledger.errors import BadInput

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)


class BadMonth(BadInput):
    """Not a month written YYYY-MM."""

    rule = "bad_month"


def check(month: object, *, where: str = "month") -> str:
    """`month` itself when it is written YYYY-MM.

    Raises:
        BadMonth: it is not; `where` tells the place.
    """
    if not isinstance(month, str) or not _MONTH.fullmatch(month):
        raise BadMonth("a month is written YYYY-MM", where=where)
    return month


def shift(month: str, *, months: int) -> str:
    """The month that many months later (or earlier, when negative)."""
    years, rest = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + months, 12)
    return f"{years:04}-{rest + 1:02}"


def span(first: str, *, last: str) -> tuple[str, ...]:
    """All months from `first` to `last`, both included; empty when `last` comes before."""
    reached, found = first, []
    while reached <= last:
        found.append(reached)
        reached = shift(reached, months=1)
    return tuple(found)


def of(day: date) -> str:
    """The month `day` lies in."""
    return f"{day.year:04}-{day.month:02}"
