"""Amounts as banks write them: unsigned decimals, with as many zeros behind the point as they like."""

from datetime import date

from ledger.money import BadAmount, BadCurrency, Money, exponent

_LAST_DAYS = {
    "EEK": date(2010, 12, 31),
    "LVL": date(2013, 12, 31),
    "LTL": date(2014, 12, 31),
    "BYR": date(2016, 12, 31),
    "HRK": date(2022, 12, 31),
    "BGN": date(2025, 12, 31),
}
"""The last day on which a bank can have booked in a currency that was replaced since (ISO 4217, list three)."""


def read_unsigned(text: str, *, currency: str | None) -> Money:
    """The amount that `text` writes, exactly: `5`, `5.0`, `5.00` and `5.00000` euros are the same five.

    Raises:
        BadAmount: a sign, a comma, an exponent, a digit beyond the currency's decimals that is not zero, or too large.
        BadCurrency: none, or not one with minor units.
    """
    if currency is None:
        raise BadCurrency("no currency is given", where="currency")
    if text.startswith("-"):
        raise BadAmount("an amount here has no sign of its own", where="amount")
    decimals = exponent(currency)
    whole, _, fraction = text.partition(".")
    if len(fraction) > decimals and not fraction[decimals:].strip("0"):
        text = f"{whole}.{fraction[:decimals]}" if decimals else whole
    return Money.parse(text, currency)


def was_withdrawn(currency: str, *, on: date | None) -> bool:
    """Whether `currency` had been replaced by that day: an old code on a new line is off by the factor of exchange."""
    last = _LAST_DAYS.get(currency)
    return last is not None and on is not None and on > last
