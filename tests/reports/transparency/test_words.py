import pytest

from reports.transparency.words import name_kinds, name_period, write_sum


@pytest.mark.parametrize(
    ("kinds", "name"),
    [
        (["fine"], "Fines"),
        (["detention", "court_fee"], "Detention bills and court fees"),
        (["fine", "detention", "bail"], "Fines, detention bills and bail"),
        (["legal_advice"], "Legal advice"),
    ],
)
def test_kinds_are_named_in_plain_words(kinds: list[str], name: str) -> None:
    assert name_kinds(kinds) == name


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("2020-08", "2020-08", "August 2020"),
        ("2020-08", "2020-10", "August to October 2020"),
        ("2020-11", "2021-01", "November 2020 to January 2021"),
    ],
)
def test_periods_are_named_shortly(first: str, last: str, name: str) -> None:
    assert name_period(first, last_month=last) == name


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1_230_000, "EUR", "12,300"), (1_230_050, "EUR", "12,300.50"), (1_234_500, "JPY", "1,234,500")],
)
def test_sums_have_decimals_only_where_they_say_something(minor: int, currency: str, text: str) -> None:
    assert write_sum(minor, currency=currency) == text
