"""Money: whole minor units of an ISO 4217 currency. No floats, no silent rounding."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Self

from iso4217 import Currency as IsoCurrency

from ledger.errors import BadInput

LARGEST_MINOR = 2**63 - 1
"""The largest amount in minor units that a column holds."""

_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,19})(?:\.(?P<fraction>\d{1,9}))?", re.ASCII)

_RETIRED = {"DEM": 2, "BYR": 0, "BGN": 2, "HRK": 2, "LTL": 2, "LVL": 2, "EEK": 2}
"""Exponents of retired currencies that old statements still carry (ISO 4217 list three)."""


class BadAmount(BadInput):
    """An amount that is not a plain ASCII decimal, has more digits than its currency, or is too large."""

    rule = "bad_amount"


class BadCurrency(BadInput):
    """Not the code of a currency with minor units."""

    rule = "bad_currency"


class CurrencyMismatch(BadInput):
    """Two currencies in one sum."""

    rule = "currency_mismatch"


@cache
def exponent(currency: str) -> int:
    """How many decimals `currency` has (EUR 2, JPY 0, KWD 3).

    Raises:
        BadCurrency: not an ISO 4217 code with a defined exponent (so not XXX, XAU, nor lower case).
    """
    if currency in _RETIRED:
        return _RETIRED[currency]
    try:
        digits = IsoCurrency(currency).exponent
    except ValueError:
        digits = None
    if digits is None:
        raise BadCurrency("not an ISO 4217 currency with minor units", where="currency")
    return int(digits)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` units (cents, kopecks) of `currency`; may be negative or zero."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise BadAmount("minor units are a whole number", where="amount")
        if abs(self.minor) > LARGEST_MINOR:
            raise BadAmount("the amount is over 2^63 minor units", where="amount")
        exponent(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Reads `-1234.56`: ASCII digits, one point, no more decimals than the currency has, no exponent.

        Raises:
            BadAmount: anything else, including `NaN`, `1e3`, `1_000`, `+5`, full-width digits and floats.
            BadCurrency: see `exponent`.
        """
        digits = exponent(currency)
        try:
            match = _DECIMAL.fullmatch(text)
        except TypeError:  # a float, from a caller without types
            match = None
        if match is None:
            raise BadAmount("an amount is ASCII digits with at most one point", where="amount")
        fraction = match["fraction"] or ""
        if len(fraction) > digits:
            raise BadAmount(f"{currency} has {digits} decimals", where="amount", decimals=digits)
        minor = int(match["whole"] + fraction.ljust(digits, "0"))
        return cls(-minor if match["sign"] else minor, currency)

    def decimal(self) -> str:
        """The amount as `parse` reads it, with all its decimals: `810.00`."""
        digits = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        text = str(abs(self.minor)).rjust(digits + 1, "0")
        return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch("amounts in two currencies", left=self.currency, right=other.currency)

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"
