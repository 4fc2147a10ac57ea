from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import LARGEST_MINOR, BadAmount, BadCurrency, CurrencyMismatch, Money, exponent

CURRENCIES = ["JPY", "EUR", "BYN", "KWD"]
minor_units = st.integers(-LARGEST_MINOR, LARGEST_MINOR)


@given(minor_units, st.sampled_from(CURRENCIES))
def test_what_decimal_writes_parse_reads(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert Money.parse(money.decimal(), currency) == money


@given(minor_units, st.sampled_from(CURRENCIES))
def test_decimal_writes_all_decimals_of_the_currency_and_nothing_else(minor: int, currency: str) -> None:
    whole, _, fraction = Money(minor, currency).decimal().removeprefix("-").partition(".")

    assert len(fraction) == exponent(currency)
    assert whole.isdecimal()
    assert whole == "0" or not whole.startswith("0")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("810.00", "BYN", 81_000),
        ("810", "BYN", 81_000),
        ("810.5", "BYN", 81_050),
        ("-0.01", "EUR", -1),
        ("-0", "EUR", 0),
        ("0.001", "KWD", 1),
        ("5", "JPY", 5),
        ("007.10", "EUR", 710),
        ("92233720368547758.07", "EUR", LARGEST_MINOR),
    ],
)
def test_plain_decimals_are_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "-", "5.", ".5", "-.5", "--5", "+5", "- 5", " 5", "5 ", "5\n", "\t5", "5,00", "1,000", "1'000"),
        *("NaN", "nan", "Infinity", "-inf", "1e3", "1E3", "0x10", "1_000", "1.2.3", "5€", "EUR 5", "½", "五"),
        *("\uff15", "\u0665", "\u096b", "5.\uff10\uff10", "\u22125", "5\u200b", "5\u00a0", "5\x00", "\ud800"),
        *("0.001", "5.000", "92233720368547758.08", "-92233720368547758.08", "9" * 19, "9" * 20, "0" * 20),
    ],
)
def test_anything_but_a_plain_decimal_of_the_currency_is_refused(text: str) -> None:
    with pytest.raises(BadAmount):
        Money.parse(text, "EUR")


@given(st.text(max_size=30))
def test_whatever_is_read_was_ascii_digits(text: str) -> None:
    try:
        Money.parse(text, "EUR")
    except BadAmount:
        return

    assert set(text) <= set("-.0123456789")


@pytest.mark.parametrize("text", [5.0, 5, None, b"5", True])
def test_what_is_not_text_is_not_parsed(text: Any) -> None:
    with pytest.raises(BadAmount):
        Money.parse(text, "EUR")


def test_a_currency_without_decimals_admits_none() -> None:
    with pytest.raises(BadAmount) as refusal:
        Money.parse("5.0", "JPY")

    assert refusal.value.data == {"where": "amount", "decimals": 0}


@pytest.mark.parametrize("minor", [5.0, True, "5", None, 2**63, -(2**63)])
def test_minor_units_are_a_whole_number_below_two_to_the_63(minor: Any) -> None:
    with pytest.raises(BadAmount):
        Money(minor, "EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XXX", "XAU", "XTS", "E\u00dcR", "\uff25\uff35\uff32", " EUR"])
def test_what_is_no_currency_with_minor_units_is_refused(currency: str) -> None:
    with pytest.raises(BadCurrency) as refusal:
        Money(1, currency)

    assert currency not in refusal.value.message.split()


@pytest.mark.parametrize(
    ("currency", "digits"), [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4), ("BYR", 0), ("BGN", 2)]
)
def test_decimals_are_those_of_iso_4217_also_of_retired_currencies(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_a_refusal_never_repeats_what_was_given() -> None:
    with pytest.raises(BadAmount) as refusal:
        Money.parse("Invented Person 5", "EUR")

    assert "Invented" not in f"{refusal.value} {refusal.value.data}"


@given(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18))
def test_sums_and_comparisons_are_those_of_whole_numbers(left: int, right: int) -> None:
    assert Money(left, "EUR") + Money(right, "EUR") == Money(left + right, "EUR")
    assert Money(left, "EUR") - Money(right, "EUR") == Money(left - right, "EUR")
    assert -Money(left, "EUR") == Money(-left, "EUR")
    assert (Money(left, "EUR") < Money(right, "EUR")) == (left < right)
    assert (Money(left, "EUR") <= Money(right, "EUR")) == (left <= right)


def test_a_sum_beyond_the_largest_amount_is_refused() -> None:
    with pytest.raises(BadAmount):
        Money(LARGEST_MINOR, "EUR") + Money(1, "EUR")


def test_two_currencies_do_not_mix() -> None:
    euro, rouble = Money(1, "EUR"), Money(1, "BYN")

    with pytest.raises(CurrencyMismatch):
        euro + rouble
    with pytest.raises(CurrencyMismatch):
        euro - rouble
    with pytest.raises(CurrencyMismatch):
        assert euro < rouble
    with pytest.raises(CurrencyMismatch):
        assert euro <= rouble
    assert euro != rouble


def test_money_reads_as_amount_and_currency() -> None:
    assert str(Money(-81_000, "BYN")) == "-810.00 BYN"
