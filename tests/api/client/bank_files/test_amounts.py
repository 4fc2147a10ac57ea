"""Amounts as banks write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client.bank_files.amounts import read_unsigned, was_withdrawn
from ledger.money import BadAmount, BadCurrency, Money


@given(minor=st.integers(0, 2**63 - 1), currency=st.sampled_from(["EUR", "JPY", "KWD"]), zeros=st.integers(0, 5))
def test_zeros_behind_the_last_decimal_change_nothing(minor: int, currency: str, zeros: int) -> None:
    money = Money(minor, currency)
    text = money.decimal()
    if zeros:
        text = (text if "." in text else text + ".") + "0" * zeros

    assert read_unsigned(text, currency=currency) == money


@pytest.mark.parametrize("text", ["5", "5.0", "5.00", "5.00000", "005.00"])
def test_five_euros_are_five_euros(text: str) -> None:
    assert read_unsigned(text, currency="EUR") == Money(500, "EUR")


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", ".5", "5.", "5.00.0", "0.005", "5.001", "-5.00", "+5.00", "--5"),
        *("1e3", "NaN", "INF", "1.234,56", "1 000.00", "1_000", "0x10", "999999999999999999.99"),
        *("\u0661\u0662\u0663", "\uff11\uff12\uff13"),  # Arabic-Indic and full-width digits
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(BadAmount):
        read_unsigned(text, currency="EUR")


@pytest.mark.parametrize("currency", [None, "", "XXX", "XAU", "eur", "ZZZ", "EURO"])
def test_an_amount_without_a_real_currency_is_refused(currency: str | None) -> None:
    with pytest.raises(BadCurrency):
        read_unsigned("5.00", currency=currency)


def test_a_currency_ends_with_its_last_day() -> None:
    assert not was_withdrawn("BYR", on=date(2016, 12, 31))
    assert was_withdrawn("BYR", on=date(2017, 1, 1))
    assert not was_withdrawn("BYR", on=None)
    assert not was_withdrawn("BYN", on=date(2030, 1, 1))
