from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.books import exchange
from ledger.books.exchange import BadRate, ExchangeRate, NoRate, Rate, RateAddedMeanwhile, parse, rate, translate, write
from ledger.errors import LedgerError
from ledger.money import LARGEST_MINOR, BadCurrency, CurrencyMismatch, Money
from tests.cast import NOW, TODAY, byn, eur, nothing_written, race

QUOTED = date(2020, 10, 1)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def add(session: Session, quoted: str = "0.33", *, currency: str = "BYN", **facts: Any) -> ExchangeRate:
    stated: dict[str, Any] = {"on": QUOTED, "source": "nbrb", "recorded_at": NOW, "recorded_by": "test"}
    return exchange.add(session, currency, value=parse(quoted), **(stated | facts))


def a_rate(quoted: str, currency: str = "BYN", into: str = "EUR") -> Rate:
    return Rate(currency, into, QUOTED, parse(quoted))


# --- which rate counts


def test_a_rate_is_that_of_its_day_exactly(founded: Session) -> None:
    add(founded, "0.330512345678")

    assert rate(founded, "BYN", on=QUOTED) == Rate("BYN", "EUR", QUOTED, Fraction(330512345678, 10**12))


def test_between_two_quotes_the_earlier_one_counts(founded: Session) -> None:
    add(founded, "0.33")
    add(founded, "0.32", on=date(2020, 10, 20))

    found = [rate(founded, "BYN", on=date(2020, 10, day)) for day in (1, 19, 20, 31)]

    assert [(one.quoted_on.day, write(one.value)) for one in found] == [
        (1, "0.33"),
        (1, "0.33"),
        (20, "0.32"),
        (20, "0.32"),
    ]


@pytest.mark.parametrize(("days", "oldest_days"), [(35, 35), (61, 61), (0, 0)])
def test_a_rate_is_used_until_it_is_too_old(founded: Session, days: int, oldest_days: int) -> None:
    add(founded)
    day = QUOTED + timedelta(days=days)

    assert rate(founded, "BYN", on=day, oldest_days=oldest_days).quoted_on == QUOTED
    with pytest.raises(NoRate) as refusal:
        rate(founded, "BYN", on=day + timedelta(days=1), oldest_days=oldest_days)

    assert refusal.value.data == {
        "currency": "BYN",
        "on": (day + timedelta(days=1)).isoformat(),
        "oldest_days": oldest_days,
    }


def test_a_later_quote_is_no_rate_of_an_earlier_day(founded: Session) -> None:
    add(founded)

    with pytest.raises(NoRate):
        rate(founded, "BYN", on=QUOTED - timedelta(days=1))


def test_rates_of_another_currency_do_not_count(founded: Session) -> None:
    add(founded, currency="USD")

    with pytest.raises(NoRate):
        rate(founded, "BYN", on=QUOTED)


def test_the_functional_currency_is_worth_itself_on_every_day(founded: Session) -> None:
    assert rate(founded, "EUR", on=date(1990, 1, 1)) == Rate("EUR", "EUR", date(1990, 1, 1), Fraction(1))


def test_what_is_no_currency_has_no_rate(founded: Session) -> None:
    with pytest.raises(BadCurrency):
        rate(founded, "byn", on=QUOTED)


# --- corrections


def test_a_correction_counts_from_when_it_was_recorded(founded: Session) -> None:
    add(founded, "0.33")
    corrected = add(founded, "0.34", recorded_at=NOW + timedelta(hours=1))

    values = [
        write(rate(founded, "BYN", on=QUOTED, as_known_at=moment).value)
        for moment in (NOW, NOW + timedelta(minutes=59), NOW + timedelta(hours=1), None)
    ]

    assert corrected.version == 2
    assert values == ["0.33", "0.33", "0.34", "0.34"]


def test_nothing_was_known_before_the_first_was_recorded(founded: Session) -> None:
    add(founded)

    with pytest.raises(NoRate):
        rate(founded, "BYN", on=QUOTED, as_known_at=NOW - timedelta(seconds=1))


def test_a_correction_at_the_same_moment_counts_too(founded: Session) -> None:
    add(founded, "0.33")
    add(founded, "0.34")

    assert write(rate(founded, "BYN", on=QUOTED).value) == "0.34"


def test_a_rate_may_be_corrected_back(founded: Session) -> None:
    versions = [add(founded, quoted).version for quoted in ("0.33", "0.34", "0.33")]

    assert versions == [1, 2, 3]
    assert write(rate(founded, "BYN", on=QUOTED).value) == "0.33"


@pytest.mark.parametrize("again", ["0.33", "0.330", "33/100"])
def test_the_rate_that_counts_is_not_added_again(founded: Session, again: str) -> None:
    first = add(founded, "0.33")
    founded.flush()

    with nothing_written(founded):
        assert add(founded, again, recorded_at=NOW + timedelta(days=1)) == first


def test_the_same_rate_by_another_source_is_another_version(founded: Session) -> None:
    add(founded)

    assert add(founded, source="ecb").version == 2


def test_two_who_add_at_once_get_different_versions_or_are_told(founded: Session) -> None:
    answers = race(founded, *(lambda own, quoted=quoted: add(own, quoted).version for quoted in ("0.33", "0.34")))

    versions = sorted(answer for answer in answers if isinstance(answer, int))
    assert versions in ([1], [1, 2])
    assert {type(answer) for answer in answers if isinstance(answer, LedgerError)} <= {RateAddedMeanwhile}


# --- what is no rate


@pytest.mark.parametrize(
    "told",
    [
        "",
        "0",
        "0.0",
        "0/1",
        "1/0",
        "-1",
        "+1",
        "1e3",
        "1_0",
        "NaN",
        "inf",
        "0,33",
        " 1",
        "1 ",
        "\uff11",
        ".5",
        "1.",
        "1/",
        "1/2/3",
        "1" * 20,
        "0." + "1" * 19,
    ],
)
def test_what_is_no_exact_decimal_above_zero_is_no_rate(told: str) -> None:
    with pytest.raises(BadRate) as refusal:
        parse(told)

    assert refusal.value.data == {"where": "rate"}


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"currency": "EUR"}, "currency"),
        ({"on": date(1989, 12, 31)}, "on"),
        ({"on": TODAY + timedelta(days=2)}, "on"),
        ({"source": ""}, "source"),
        ({"source": "National Bank"}, "source"),
        ({"source": "n" * 31}, "source"),
        ({"quoted": "9223372036854775807.5"}, "rate"),
        ({"quoted": "9223372036854775807/3.0257"}, "rate"),
    ],
)
def test_a_rate_that_cannot_be_is_not_added(founded: Session, facts: dict[str, Any], where: str) -> None:
    with nothing_written(founded), pytest.raises(BadRate) as refusal:
        add(founded, **facts)

    assert refusal.value.data["where"] == where


def test_a_quote_for_tomorrow_is_taken_today(founded: Session) -> None:
    assert add(founded, on=TODAY + timedelta(days=1)).version == 1


@given(numerator=st.integers(1, LARGEST_MINOR), scale=st.integers(1, LARGEST_MINOR) | st.sampled_from([10**9, 2**18]))
def test_a_written_rate_is_read_as_the_same(numerator: int, scale: int) -> None:
    value = Fraction(numerator, scale)

    assert parse(write(value)) == value


@pytest.mark.parametrize(
    ("told", "written"),
    [("0.3300", "0.33"), ("12", "12"), ("1/3.0257", "10000/30257"), ("3.44/100", "0.0344"), ("1/8", "0.125")],
)
def test_a_rate_is_written_as_a_decimal_when_it_is_one(told: str, written: str) -> None:
    assert write(parse(told)) == written


# --- translation


@pytest.mark.parametrize(
    ("money", "by", "minor"),
    [
        (byn("810.00"), a_rate("0.33"), Fraction(26_730)),
        (byn("0.01"), a_rate("0.3305"), Fraction(3305, 10_000)),
        (byn("-810.00"), a_rate("0.33"), Fraction(-26_730)),
        (byn("1.00"), a_rate("1/3.0257"), Fraction(1_000_000, 30_257)),
        (Money(1000, "JPY"), a_rate("0.008", "JPY"), Fraction(800)),
        (Money(1500, "KWD"), a_rate("2.8", "KWD"), Fraction(420)),
        (eur("1.00"), a_rate("125", "EUR", "JPY"), Fraction(125)),
    ],
)
def test_money_is_translated_exactly_between_currencies_of_any_decimals(
    money: Money, by: Rate, minor: Fraction
) -> None:
    assert translate(money, by) == minor


def test_a_rate_of_another_currency_translates_nothing() -> None:
    with pytest.raises(CurrencyMismatch):
        translate(eur("1.00"), a_rate("0.33"))


@given(parts=st.lists(st.integers(-(10**15), 10**15), max_size=20), quoted=st.fractions(Fraction(1, 10**9), 10**9))
def test_parts_are_worth_together_what_the_whole_is_worth(parts: list[int], quoted: Fraction) -> None:
    by = Rate("BYN", "EUR", QUOTED, quoted)

    assert sum(translate(Money(part, "BYN"), by) for part in parts) == translate(Money(sum(parts), "BYN"), by)


# --- the list


def test_rates_are_listed_in_their_order_and_page_by_page(founded: Session) -> None:
    add(founded, currency="USD")
    for quoted in ("0.33", "0.34"):
        add(founded, quoted)
    add(founded, on=date(2020, 9, 1))

    def places(**which: Any) -> list[tuple[str, str, int]]:
        found = exchange.listed(founded, **({"limit": 9} | which))
        return [(row.currency, row.quoted_on.isoformat(), row.version) for row in found]

    everything = [
        ("BYN", "2020-09-01", 1),
        ("BYN", "2020-10-01", 1),
        ("BYN", "2020-10-01", 2),
        ("USD", "2020-10-01", 1),
    ]
    assert places() == everything
    assert places(limit=2) == everything[:2]
    assert places(after=("BYN", QUOTED, 1)) == everything[2:]
    assert places(currency="USD") == everything[3:]


# --- attacks with SQL of one's own


@pytest.mark.parametrize("statement", ["UPDATE exchange_rate SET numerator = 34", "DELETE FROM exchange_rate"])
def test_no_rate_is_changed_or_removed(founded: Session, statement: str) -> None:
    add(founded)

    with pytest.raises(DBAPIError, match=r"guard: (UPDATE|DELETE) of exchange_rate is refused"):
        founded.connection().execute(text(statement))


ROW = "VALUES ('BYN', '2020-10-01', 1, {numerator}, {scale}, 'nbrb', '2020-10-01 09:00:00', 'attacker')"
COLUMNS = "(currency, quoted_on, version, numerator, scale, source, recorded_at, recorded_by)"


@on_sqlite
def test_no_rate_is_replaced(founded: Session) -> None:
    add(founded)

    statement = f"REPLACE INTO exchange_rate {COLUMNS} {ROW.format(numerator=34, scale=100)}"
    with pytest.raises(DBAPIError, match="guard: a rate is corrected by a new version"):
        founded.connection().execute(text(statement))


@pytest.mark.parametrize(("numerator", "scale"), [("0", "1"), ("-1", "1"), ("1", "0"), ("1", "-1")])
def test_the_database_takes_no_rate_at_or_below_zero(founded: Session, numerator: str, scale: str) -> None:
    statement = f"INSERT INTO exchange_rate {COLUMNS} {ROW.format(numerator=numerator, scale=scale)}"

    with pytest.raises(DBAPIError, match="rate_is_above_zero"):
        founded.connection().execute(text(statement))


@on_sqlite
def test_the_database_takes_no_float(founded: Session) -> None:
    statement = f"INSERT INTO exchange_rate {COLUMNS} {ROW.format(numerator='0.33', scale='1')}"

    with pytest.raises(DBAPIError, match="numerator_is_whole"):
        founded.connection().execute(text(statement))
