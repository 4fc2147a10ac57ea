from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from ledger.books import balances, exchange, periods, seals, valuation
from ledger.books.exchange import NoRate
from ledger.books.postings import credit, debit
from ledger.books.seals import Difference, Figures, NotSealed
from ledger.storage import guards
from tests.bookkeeping import BYN_LEAF, EUR_LEAF, RECORDER, a_gift, post
from tests.cast import byn, eur, nothing_written
from tests.worked_months import book_two_months

AT = datetime(2021, 2, 10, 9, tzinfo=UTC)
NOVEMBER, DECEMBER, JANUARY = date(2020, 11, 20), date(2020, 12, 5), date(2021, 1, 7)


def close(session: Session, *months: str, at: datetime = AT) -> None:
    for month in months:
        seals.close(session, month, by=RECORDER, at=at)


def add_rate(session: Session, on: date, value: str, *, at: datetime = AT) -> None:
    facts: dict[str, Any] = {"source": "nbrb", "recorded_at": at, "recorded_by": RECORDER}
    exchange.add(session, "BYN", on=on, value=Fraction(value), **facts)


@pytest.fixture
def year(founded: Session) -> Session:
    """Gifts and costs in two funds and currencies from November to January, with rates; committed."""
    costs = [debit("6020", eur("3.00"), "general"), credit(EUR_LEAF, eur("3.00"), "general")]
    booked = [
        (NOVEMBER, a_gift(eur("100.00"), fund="general")),
        (NOVEMBER, a_gift(byn("810.05"))),
        (DECEMBER, costs),
        (JANUARY, a_gift(byn("90.00"))),
    ]
    for nth, (day, postings) in enumerate(booked):
        post(founded, postings, source_key=f"test:{nth}", on=day, recorded_at=AT)
    for day, value in ((date(2020, 11, 30), "0.33"), (date(2020, 12, 31), "0.31"), (date(2021, 1, 29), "0.30")):
        add_rate(founded, day, value)
    founded.commit()
    return founded


def test_a_closing_seals_balances_rates_and_net_assets(year: Session) -> None:
    gathered = seals.gather(year, "2020-11")
    close(year, "2020-11")

    sealed = seals.sealed(year, "2020-11")

    assert sealed == gathered
    assert sealed.balances == (
        ((BYN_LEAF, "fines", "BYN"), 81_005),
        ((EUR_LEAF, "general", "EUR"), 10_000),
        (("4000", "fines", "BYN"), -81_005),
        (("4000", "general", "EUR"), -10_000),
    )
    assert [(one.currency, one.quoted_on, one.value) for one in sealed.rates] == [
        ("BYN", date(2020, 11, 30), Fraction("0.33"))
    ]
    assert sealed.net_assets == (("fines", 26_732), ("general", 10_000))  # 810.05 at 0.33 is 267.3165


def test_what_is_signed_changes_with_every_figure(year: Session) -> None:
    figures = seals.gather(year, "2020-11")
    (rate,) = figures.rates
    others: list[dict[str, Any]] = [
        {"month": "2020-12"},
        {"currency": "USD"},
        {"balances": figures.balances[:-1]},
        {"balances": (*figures.balances[:-1], (("4000", "general", "EUR"), -10_001))},
        {"rates": (exchange.Rate("BYN", "EUR", rate.quoted_on, Fraction("0.34")),)},
        {"rates": (exchange.Rate("BYN", "EUR", date(2020, 11, 29), rate.value),)},
        {"net_assets": (("fines", 26_733), ("general", 10_000))},
    ]

    facts = {name: getattr(figures, name) for name in ("month", "currency", "balances", "rates", "net_assets")}
    digests = {Figures(**(facts | other)).digest() for other in [{}, *others]}
    assert len(digests) == len(others) + 1


def test_half_a_cent_goes_to_the_even_one_once_per_cell(founded: Session) -> None:
    for nth, (amount, fund) in enumerate([("0.05", "fines"), ("0.15", "general"), ("0.25", "detention")]):
        post(founded, a_gift(byn(amount), fund=fund), source_key=f"test:{nth}", on=NOVEMBER, recorded_at=AT)
    add_rate(founded, date(2020, 11, 30), "0.5")

    assert seals.gather(founded, "2020-11").net_assets == (("detention", 12), ("fines", 2), ("general", 8))


def test_net_assets_are_sealed_as_they_are_valued(founded: Session) -> None:
    book_two_months(founded)
    post(founded, a_gift(eur("3.00"), fund="general"), source_key="test:came")
    gone = [debit("6300", eur("3.00"), "general"), credit(EUR_LEAF, eur("3.00"), "general")]
    post(founded, gone, source_key="test:gone")

    sealed = {month: dict(seals.gather(founded, month).net_assets) for month in ("2020-10", "2020-11")}

    assert sealed == {"2020-10": {"fines": 7_680}, "2020-11": {"fines": -3_520, "general": 0}}
    assert valuation.net_assets(founded, on=periods.last_day_of("2020-10")) == sealed["2020-10"]
    valued = valuation.net_assets(founded, on=periods.last_day_of("2020-11"))
    assert valued == {fund: minor for fund, minor in sealed["2020-11"].items() if minor}


def test_what_is_owed_lowers_net_assets_and_income_does_not_count(founded: Session) -> None:
    post(founded, a_gift(eur("20.00")), source_key="test:1", on=NOVEMBER)
    owed = [debit("6300", eur("6.00"), "fines"), credit("2200", eur("6.00"), "fines")]
    post(founded, owed, source_key="test:2", on=NOVEMBER)

    assert seals.gather(founded, "2020-11").net_assets == (("fines", 1_400),)


def test_a_month_without_a_rate_is_not_closed(founded: Session) -> None:
    post(founded, a_gift(byn("20.00")), on=NOVEMBER)
    founded.commit()

    with nothing_written(founded), pytest.raises(NoRate) as refusal:
        close(founded, "2020-11")
    assert refusal.value.data["currency"] == "BYN"


def test_a_currency_in_which_nothing_stands_needs_no_rate(founded: Session) -> None:
    post(founded, a_gift(byn("20.00")), source_key="test:1", on=NOVEMBER)
    spent = [debit("6300", byn("20.00"), "fines"), credit(BYN_LEAF, byn("20.00"), "fines")]
    post(founded, spent, source_key="test:2", on=NOVEMBER)

    close(founded, "2020-11")

    assert seals.sealed(founded, "2020-11").rates == ()
    assert seals.differences(founded) == []


@pytest.mark.parametrize("month", ["2020-10", "2020-12"])
def test_an_open_month_has_no_seal(year: Session, month: str) -> None:
    close(year, "2020-11")

    with pytest.raises(NotSealed):
        seals.sealed(year, month)


# --- the next opening


def test_a_month_opens_with_what_the_last_was_sealed_with(year: Session) -> None:
    close(year, "2020-11", "2020-12", "2021-01")

    assert seals.differences(year) == []
    assert seals.opening_net_assets(year, "2020-12") == {"fines": eur("267.32"), "general": eur("100.00")}
    assert seals.opening_net_assets(year, "2021-01") == {"fines": eur("251.12"), "general": eur("97.00")}
    with pytest.raises(NotSealed):
        seals.opening_net_assets(year, "2020-11")


def test_a_fact_of_a_closed_month_booked_on_the_first_open_day_changes_no_seal(year: Session) -> None:
    """Three dates: it happened in November, counts from 1 December, and was recorded in February."""
    close(year, "2020-11")
    later = datetime(2021, 2, 11, 9, tzinfo=UTC)
    post(year, a_gift(eur("7.00"), fund="general"), source_key="test:late", on=NOVEMBER, recorded_at=later)

    stood = {
        (on, known): balances.balance(year, EUR_LEAF, currency="EUR", on=on, as_known_at=known)
        for on in (NOVEMBER, date(2020, 11, 30), date(2020, 12, 1), DECEMBER)
        for known in (AT, later)
    }

    assert seals.differences(year) == []
    assert stood == {
        (NOVEMBER, AT): eur("100.00"),
        (NOVEMBER, later): eur("100.00"),
        (date(2020, 11, 30), AT): eur("100.00"),
        (date(2020, 11, 30), later): eur("100.00"),
        (date(2020, 12, 1), AT): eur("100.00"),
        (date(2020, 12, 1), later): eur("107.00"),
        (DECEMBER, AT): eur("97.00"),
        (DECEMBER, later): eur("104.00"),
    }


def test_a_rate_corrected_after_the_closing_changes_no_seal(year: Session) -> None:
    close(year, "2020-11")
    add_rate(year, date(2020, 11, 30), "0.40", at=datetime(2021, 2, 11, 9, tzinfo=UTC))

    assert seals.differences(year) == []
    assert seals.opening_net_assets(year, "2020-12")["fines"] == eur("267.32")


@pytest.mark.parametrize("seconds", [-299, -1, 0, 1, 300])
def test_a_rate_recorded_while_the_month_was_closed_makes_no_difference(year: Session, seconds: int) -> None:
    """Whether or not the closing saw it: clocks differ, and a moment is taken before its row can be seen."""
    close(year, "2020-11", at=AT + timedelta(hours=1))
    add_rate(year, date(2020, 11, 30), "0.40", at=AT + timedelta(hours=1, seconds=seconds))

    assert seals.differences(year) == []


def test_a_rate_that_the_closing_must_have_seen_and_did_not_is_a_difference(year: Session) -> None:
    close(year, "2020-11", at=AT + timedelta(hours=1))
    add_rate(year, date(2020, 11, 30), "0.40", at=AT + timedelta(minutes=54))

    assert seals.differences(year) == [
        Difference("2020-11", "rate", ("BYN",), "2020-11-30 0.33", "2020-11-30 0.4"),
    ]


def test_a_sealed_rate_that_nobody_quoted_is_found_though_another_was_recorded_while_the_month_was_closed(
    year: Session,
) -> None:
    close(year, "2020-11", at=AT + timedelta(hours=1))
    add_rate(year, date(2020, 11, 30), "0.40", at=AT + timedelta(hours=1))
    year.commit()
    guards.remove(year.connection())
    year.execute(text("UPDATE sealed_rate SET numerator = 41, scale = 100"))

    found = [(one.what, one.sealed) for one in seals.differences(year)]

    assert ("rate", "2020-11-30 0.41") in found


def test_a_rate_that_was_deleted_after_the_closing_is_found(year: Session) -> None:
    close(year, "2020-11")
    year.commit()
    guards.remove(year.connection())
    year.execute(text("DELETE FROM exchange_rate"))

    assert Difference("2020-11", "rate", ("BYN",), "2020-11-30 0.33", None) in seals.differences(year)


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        (
            "UPDATE sealed_balance SET minor = 1 WHERE account_code = '4000' AND fund_code = 'general'",
            [("digest", ()), ("balance", ("4000", "general", "EUR"))],
        ),
        (
            "UPDATE sealed_rate SET numerator = 1, scale = 3",
            [("digest", ()), ("rate", ("BYN",)), ("net_assets", ("fines",))],
        ),
        (
            "UPDATE sealed_net_assets SET minor = 1 WHERE fund_code = 'general'",
            [("digest", ()), ("net_assets", ("general",))],
        ),
        ("UPDATE sealed_month SET digest = 'x'", [("digest", ())]),
        ("DELETE FROM sealed_month", [("missing", ())]),
        (
            "UPDATE line SET minor = minor * 2 WHERE account_code IN ('4000', '1000:eur-main') AND entry_id = 1",
            [
                ("balance", (EUR_LEAF, "general", "EUR")),
                ("balance", ("4000", "general", "EUR")),
                ("net_assets", ("general",)),
            ],
        ),
    ],
)
def test_what_was_changed_past_the_guards_is_found(
    year: Session, attack: str, found: list[tuple[str, tuple[str, ...]]]
) -> None:
    close(year, "2020-11")
    year.commit()
    guards.remove(year.connection())
    year.execute(text(attack))
    year.expire_all()

    assert [(one.what, one.name) for one in seals.differences(year)] == found


def test_a_difference_says_what_was_sealed_and_what_is_found(year: Session) -> None:
    close(year, "2020-11")
    year.commit()
    guards.remove(year.connection())
    year.execute(text("UPDATE sealed_net_assets SET minor = 1 WHERE fund_code = 'general'"))
    year.expire_all()

    assert seals.differences(year)[1] == Difference("2020-11", "net_assets", ("general",), "0.01", "100.00")


# --- a year changes without closing entries


def test_a_new_year_opens_with_prior_results_and_no_income(year: Session) -> None:
    new_year = balances.year_to_date(year, on=date(2021, 1, 1))

    assert {(one.account.code, one.fund): one.minor for one in new_year.balances} == {
        (BYN_LEAF, "fines"): 81_005,
        (EUR_LEAF, "general"): 9_700,
        ("4000", "fines"): 0,
        ("4000", "general"): 0,
        ("6020", "general"): 0,
    }
    assert [(one.fund, one.currency, one.minor) for one in new_year.prior_results] == [
        ("fines", "BYN", -81_005),
        ("general", "EUR", -9_700),
    ]


def test_within_a_year_results_are_the_years_own(year: Session) -> None:
    january = balances.year_to_date(year, on=date(2021, 1, 31))
    december = balances.year_to_date(year, on=date(2020, 12, 31))

    income = {(one.account.code, one.fund): one.minor for one in january.balances}
    assert (income["4000", "fines"], income["4000", "general"]) == (-9_000, 0)
    assert december.prior_results == []
    assert december.balances == balances.trial_balance(year, on=date(2020, 12, 31))
    for one in (january, december):
        totals: dict[tuple[str, str], int] = {}
        rows = [(row.fund, row.currency, row.minor) for row in one.balances]
        rows += [(row.fund, row.currency, row.minor) for row in one.prior_results]
        for fund, currency, minor in rows:
            totals[fund, currency] = totals.get((fund, currency), 0) + minor
        assert set(totals.values()) == {0}


def test_a_year_opens_with_the_net_assets_it_closed_with(year: Session) -> None:
    close(year, "2020-11", "2020-12")
    opening = balances.year_to_date(year, on=date(2021, 1, 1))

    prior = {one.fund: -one.minor for one in opening.prior_results if one.currency == "EUR"}
    assert seals.opening_net_assets(year, "2021-01")["general"] == eur("97.00")
    assert prior == {"general": 9_700}


# --- soft closing


def test_a_softly_closed_month_moves_facts_to_the_next(year: Session) -> None:
    periods.soft_close(year, "2020-11", by=RECORDER, at=AT)

    posted = post(year, a_gift(eur("1.00")), source_key="test:late", on=NOVEMBER, recorded_at=AT)
    entry = year.connection().execute(text("SELECT effective_on FROM entry WHERE id = :id"), {"id": posted.entry_id})
    assert str(entry.scalar_one()) == "2020-12-01"
    assert [(one.month, one.state) for one in periods.listed(year, today=JANUARY)] == [
        ("2020-11", "soft_closed"),
        ("2020-12", "open"),
        ("2021-01", "open"),
    ]


def test_months_are_closed_softly_in_order_once_and_before_they_are_closed_for_good(year: Session) -> None:
    with nothing_written(year), pytest.raises(periods.MonthOutOfOrder):
        periods.soft_close(year, "2020-12", by=RECORDER, at=AT)
    with nothing_written(year), pytest.raises(periods.MonthNotOver):
        periods.soft_close(year, "2021-02", by=RECORDER, at=AT)
    periods.soft_close(year, "2020-11", by=RECORDER, at=AT)
    with nothing_written(year), pytest.raises(periods.AlreadyClosed):
        periods.soft_close(year, "2020-11", by=RECORDER, at=AT)
    close(year, "2020-11", "2020-12")
    with nothing_written(year), pytest.raises(periods.AlreadyClosed):
        periods.soft_close(year, "2020-12", by=RECORDER, at=AT)

    periods.soft_close(year, "2021-01", by=RECORDER, at=AT)

    assert [one.state for one in periods.listed(year, today=JANUARY)] == ["closed", "closed", "soft_closed"]
