"""What the books are worth; and random journals at random rates, whose results are explained and add up."""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from ledger.books import cash_movements, exchange, exchange_results, valuation
from ledger.books.exchange import NoRate, Rate, RateTable, rate
from ledger.books.postings import Posting, Side, mirrored
from ledger.books.valuation import Valuation
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, DONATION, EUR_LEAF, OBLIGATION, post
from tests.worked_months import RATES, RECORDED_AT, book_two_months, quote

FIRST, DAYS = date(2020, 10, 1), 20
LAST = FIRST + timedelta(DAYS - 1)
SUBJECTS = {"2100": OBLIGATION, "5000": OBLIGATION, "4000": DONATION}


def test_net_assets_are_told_by_fund(founded: Session) -> None:
    book_two_months(founded)

    assert valuation.net_assets(founded, on=date(2020, 9, 30)) == {}
    assert valuation.net_assets(founded, on=date(2020, 10, 31)) == {"fines": 7680}
    assert valuation.net_assets(founded, on=date(2020, 11, 30)) == {"fines": -3520}


def test_a_cell_is_rounded_once_half_to_even(founded: Session) -> None:
    quote(founded, "0.5", on=FIRST)
    for number, (fund, minor) in enumerate((("fines", 1), ("general", 3), ("detention", 5))):
        post(
            founded,
            line_pair(BYN_LEAF, "4000", minor, fund=fund),
            source_key=f"half:{number}",
            on=FIRST,
            recorded_at=RECORDED_AT,
        )

    assert valuation.net_assets(founded, on=FIRST) == {"detention": 2, "fines": 0, "general": 2}


# --- the table of rates


@pytest.mark.parametrize("moment", [None, RECORDED_AT, RECORDED_AT + timedelta(days=1)])
def test_the_table_gives_what_one_rate_gives(founded: Session, moment: datetime | None) -> None:
    for day, quoted in RATES.items():
        quote(founded, quoted, on=day)
    quote(founded, "0.45", on=date(2020, 11, 1), recorded_at=RECORDED_AT + timedelta(days=2))
    table = RateTable(founded, as_known_at=moment)

    for number in range(-3, 90):
        day = FIRST + timedelta(number)
        assert told(lambda day=day: table.rate("BYN", on=day)) == told(
            lambda day=day: rate(founded, "BYN", on=day, as_known_at=moment)
        )
    assert table.rate("EUR", on=FIRST) == rate(founded, "EUR", on=FIRST)


def told(look: Any) -> Rate | dict[str, Any]:
    """The rate, or the facts of its refusal."""
    try:
        found: Rate = look()
    except NoRate as refusal:
        return refusal.data
    return found


# --- random journals


def line_pair(
    one: str, other: str, minor: int, *, currency: str = "BYN", fund: str, rate_on: date | None = None
) -> list[Posting]:
    """Debit one account, credit the other."""
    return [
        Posting(side, account, Money(minor, currency), fund, subject=SUBJECTS.get(account), rate_on=rate_on)
        for side, account in ((Side.DEBIT, one), (Side.CREDIT, other))
    ]


def an_entry(facts: tuple[Any, ...]) -> list[Posting]:
    """A flow in roubles, a payment, or an exchange of roubles for euros; turned round when it is told so."""
    kind, fund, minor, other_minor, rate_on, is_turned = facts
    if kind == "exchange":
        lines = [
            *line_pair(BYN_LEAF, "3900", minor, fund=fund),
            *line_pair("3900", EUR_LEAF, other_minor, currency="EUR", fund=fund),
        ]
    elif kind == "paid_in_euros":
        lines = [
            *line_pair("2100", "3900", minor, fund=fund),
            *line_pair("3900", EUR_LEAF, other_minor, currency="EUR", fund=fund),
        ]
    else:
        lines = line_pair(kind[0], kind[1], minor, fund=fund, rate_on=rate_on)
    if not is_turned:
        return lines
    return [
        Posting(turned.side, turned.account, turned.money, turned.fund, subject=turned.subject, rate_on=line.rate_on)
        for line in lines
        for turned in [mirrored(line, rate_on=FIRST)]
    ]


dates = st.integers(0, DAYS - 1).map(lambda number: FIRST + timedelta(number))
minors = st.integers(1, 10**6)
flows = [(BYN_LEAF, "4000"), ("5000", "2100"), ("2100", BYN_LEAF), ("6300", BYN_LEAF), (BYN_LEAF, "3000")]
facts = st.tuples(
    st.sampled_from([*flows, "exchange", "paid_in_euros"]),
    st.sampled_from(["fines", "general"]),
    minors,
    minors,
    st.none() | dates,
    st.booleans(),
)
quotients = st.builds(Fraction, st.integers(1, 50_000), st.integers(10_000, 99_999))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    quoted=st.lists(quotients, min_size=DAYS + 1, max_size=DAYS + 1),
    entries=st.lists(st.tuples(dates, facts), max_size=10),
    cut=dates,
)
def test_results_are_explained_and_spans_add_up(
    founded: Session, quoted: list[Fraction], entries: list[tuple[date, tuple[Any, ...]]], cut: date
) -> None:
    savepoint = founded.begin_nested()
    try:
        _book(founded, quoted, entries)
        whole = valuation.value(founded, since=FIRST, until=LAST)
        parts = [valuation.value(founded, since=FIRST, until=cut)]
        if cut < LAST:
            parts.append(valuation.value(founded, since=cut + timedelta(1), until=LAST))

        results = exchange_results.find(whole)
        assert all(result.is_proved for result in results.values())
        assert _revaluation_day_by_day(whole, quoted) == {
            fund: pytest.approx(float(result.revaluation)) for fund, result in results.items()
        }
        for figures in (_results, _flows, _effects):
            sums: Counter[Any] = Counter()
            for part in parts:
                sums.update(figures(founded, part))
            assert {key: minor for key, minor in figures(founded, whole).items() if minor} == {
                key: minor for key, minor in sums.items() if minor
            }
        assert valuation.by_fund(whole.closing) == valuation.net_assets(founded, on=LAST)
        for part, following in pairwise(parts):
            assert valuation.by_fund(part.closing) == valuation.by_fund(following.opening)
        effects = cash_movements.effect_of_rates(whole, cash_movements.find(founded, whole))
        assert all(effect.is_proved for effect in effects.values())
    finally:
        savepoint.rollback()


def _book(session: Session, quoted: list[Fraction], entries: list[tuple[date, tuple[Any, ...]]]) -> None:
    for number, worth in enumerate(quoted):
        quote(session, exchange.write(worth), on=FIRST + timedelta(number - 1))
    for number, (on, what) in enumerate(entries):
        post(session, an_entry(what), source_key=f"random:{number}", on=on, recorded_at=RECORDED_AT)


def _results(_session: Session, valued: Valuation) -> dict[Any, int]:
    return {fund: result.reported_minor for fund, result in exchange_results.find(valued).items()}


def _flows(_session: Session, valued: Valuation) -> Counter[Any]:
    totals: Counter[Any] = Counter()
    for cell in valued.flows:
        totals[cell.account.code, cell.fund] += cell.worth_minor
    return totals


def _effects(session: Session, valued: Valuation) -> Counter[Any]:
    moved = cash_movements.find(session, valued)
    totals: Counter[Any] = Counter()
    for cell in (*moved.classed, *moved.converted):
        totals[cell.account.code, cell.fund] += cell.worth_minor
    for fund, effect in cash_movements.effect_of_rates(valued, moved).items():
        totals["effect", fund] += effect.reported_minor
    return totals


def _revaluation_day_by_day(valued: Valuation, quoted: list[Fraction]) -> dict[str, float]:
    """Net position times change of rate, each day by itself, from what was booked."""
    gains = {one.fund: Fraction(0) for one in valued.movements}
    for number in range(1, DAYS):
        day = FIRST + timedelta(number)
        for one in valued.movements:
            if one.currency == "BYN" and one.account.code in {BYN_LEAF, "2100"} and one.on < day:
                gains[one.fund] += one.minor * (quoted[number + 1] - quoted[number])
    return {fund: float(gain) for fund, gain in gains.items()}
