"""Position, activities and cash flows of two worked months: see `tests/worked_months.py` for the sums."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from sqlmodel import Session

from ledger.books.exchange import NoRate
from ledger.books.exchange_results import ExchangeResult
from ledger.books.postings import credit, debit
from ledger.books.valuation import BadSpan
from reports.audit import activities, cash_flows, position
from tests.bookkeeping import BYN_LEAF, EUR_LEAF
from tests.cast import byn, eur
from tests.worked_months import (
    NOVEMBER,
    OCTOBER,
    RECORDED_AT,
    a_fine,
    a_gift_of_euros,
    an_exchange,
    book_two_months,
    fact,
    quote,
)


@pytest.fixture
def worked(founded: Session) -> Session:
    """The book with both months."""
    book_two_months(founded)
    return founded


def columns(figures: activities.Figures) -> dict[str, tuple[int, int]]:
    """The rows that are not empty, over all funds: unrestricted, restricted."""
    rows = {row.key: row.all_funds for row in figures.rows}
    return {
        key: (amounts.unrestricted_minor, amounts.restricted_minor)
        for key, amounts in rows.items()
        if amounts != activities.Columns()
    }


def lines(figures: cash_flows.Figures) -> dict[str, int]:
    """The lines that are not zero, over all funds."""
    rows = [
        figures.opening,
        figures.brought_in,
        *figures.operating,
        figures.positions,
        figures.conversions,
        figures.closing,
    ]
    return {row.key: row.total_minor for row in rows if row.total_minor}


def test_the_position_is_told_at_the_rate_of_its_day(worked: Session) -> None:
    october, november = (position.gather(worked, on=days[1]) for days in (OCTOBER, NOVEMBER))

    assert [(row.account_code, row.total_minor) for row in october.assets] == [("1000", 7000 + 1480)]
    assert [(row.account_code, row.total_minor) for row in october.liabilities] == [("2100", 800)]
    assert october.net_assets == {"detention": 0, "fines": 7680, "general": 0, "unassigned": 0}
    assert november.net_assets["fines"] == -3520


def test_the_position_tells_its_rates_and_their_age(worked: Session) -> None:
    told = position.as_json(position.gather(worked, on=date(2020, 11, 30)))

    assert told["rates"] == [{"currency": "BYN", "rate": "0.4", "quoted_on": "2020-11-15", "age_days": 15}]
    assert told["net_assets"]["unrestricted"] == "-35.20"
    assert told["net_assets"]["restricted"] == "0.00"


def test_the_restricted_column_gives_what_the_fund_spent(worked: Session) -> None:
    figures = activities.gather(worked, since=OCTOBER[0], until=OCTOBER[1])

    assert columns(figures) == {
        "donations": (0, 10_000),
        "exchange": (0, 80),
        "release": (2400, -2400),
        "fines": (-2400, 0),
        "closing": (0, 7680),
    }
    assert figures.overspent == {"detention": 0, "fines": 0}


def test_it_gives_no_more_than_it_has_and_the_rest_is_overspent(worked: Session) -> None:
    figures = activities.gather(worked, since=NOVEMBER[0], until=NOVEMBER[1])

    assert columns(figures) == {
        "opening": (0, 7680),
        "exchange": (0, 3200),
        "release": (10_880, -10_880),
        "fines": (-14_400, 0),
        "closing": (-3520, 0),
    }
    assert figures.overspent["fines"] == 3520


def test_what_is_overspent_is_made_good_when_the_fund_gets_more(worked: Session) -> None:
    a_gift_of_euros(worked, "50.00", on=date(2020, 12, 1))

    figures = activities.gather(worked, since=date(2020, 12, 1), until=date(2020, 12, 5))

    assert columns(figures) == {
        "opening": (-3520, 0),
        "donations": (0, 5000),
        "release": (3520, -3520),
        "closing": (0, 1480),
    }


def test_what_is_lost_stays_in_the_funds_own_column(worked: Session) -> None:
    lost = [debit("6200", byn("10.00"), "fines"), credit(BYN_LEAF, byn("10.00"), "fines")]
    fact(worked, lost, key="lost", on=date(2020, 10, 31))

    figures = activities.gather(worked, since=OCTOBER[0], until=OCTOBER[1])

    assert columns(figures)["losses"] == (0, -400)
    assert columns(figures)["release"] == (2400, -2400)


def test_an_unrestricted_fund_releases_nothing(worked: Session) -> None:
    rent = [debit("6300", eur("5.00"), "general"), credit(EUR_LEAF, eur("5.00"), "general")]
    fact(worked, rent, key="rent", on=date(2020, 10, 31))

    figures = activities.gather(worked, since=OCTOBER[0], until=OCTOBER[1])

    general = {row.key: row.by_fund["general"] for row in figures.rows}
    assert general["administration"] == general["closing"] == activities.Columns(-500, 0)
    assert general["release"] == activities.Columns()


def test_the_exchange_result_is_proved_by_its_causes(worked: Session) -> None:
    october, november = (
        activities.gather(worked, since=since, until=until).exchange_results["fines"]
        for since, until in (OCTOBER, NOVEMBER)
    )

    assert october == ExchangeResult(80, Fraction(80), Fraction(170), Fraction(-90), Fraction(0), rounded_cells=3)
    assert november == ExchangeResult(3200, Fraction(3200), Fraction(2800), Fraction(0), Fraction(400), rounded_cells=6)
    assert october.is_proved
    assert november.is_proved


def test_cash_is_classed_by_what_it_was_for(worked: Session) -> None:
    october, november = (cash_flows.gather(worked, since=since, until=until) for since, until in (OCTOBER, NOVEMBER))

    assert lines(october) == {
        "donations": 10_000,
        "assistance": -2400,
        "positions": 970,
        "conversions": -90,
        "closing": 8480,
    }
    assert lines(november) == {"opening": 8480, "closing": 8480}
    assert october.closing_by_account == {"1000": 8480}
    assert october.is_proved


def test_what_is_paid_in_another_currency_is_classed_by_what_it_paid(worked: Session) -> None:
    paid = [
        debit("2100", byn("30.00"), "fines", subject="O-0000-0000-0001"),
        credit("3900", byn("30.00"), "fines"),
        debit("3900", eur("16.00"), "fines"),
        debit("6020", eur("1.00"), "fines"),
        credit(EUR_LEAF, eur("17.00"), "fines"),
    ]
    fact(worked, paid, key="directly", on=date(2020, 11, 13))

    figures = cash_flows.gather(worked, since=NOVEMBER[0], until=NOVEMBER[1])

    assert lines(figures) == {"opening": 8480, "assistance": -1600, "administration": -100, "closing": 6780}


def test_cash_that_only_changes_its_place_is_no_flow(worked: Session) -> None:
    swapped = [
        debit(EUR_LEAF, eur("5.00"), "general"),
        credit("1020", eur("5.00"), "general"),
        debit("5000", byn("1.00"), "general", subject="O-0000-0000-0001"),
        credit("2100", byn("1.00"), "general", subject="O-0000-0000-0001"),
    ]
    fact(worked, swapped, key="banked", on=date(2020, 11, 13))

    figures = cash_flows.gather(worked, since=NOVEMBER[0], until=NOVEMBER[1])

    assert lines(figures) == {"opening": 8480, "closing": 8480}


def test_balances_brought_in_are_neither_a_gift_nor_a_flow(founded: Session) -> None:
    brought = [debit(EUR_LEAF, eur("50.00"), "general"), credit("3000", eur("50.00"), "general")]
    fact(founded, brought, key="migration", on=date(2020, 10, 1))

    flows = cash_flows.gather(founded, since=OCTOBER[0], until=OCTOBER[1])
    figures = activities.gather(founded, since=OCTOBER[0], until=OCTOBER[1])

    assert lines(flows) == {"balances_brought_in": 5000, "closing": 5000}
    assert columns(figures) == {"balances_brought_in": (5000, 0), "closing": (5000, 0)}


def test_months_add_up_to_the_whole(worked: Session) -> None:
    october, november, both = (
        columns(activities.gather(worked, since=since, until=until))
        for since, until in (OCTOBER, NOVEMBER, (OCTOBER[0], NOVEMBER[1]))
    )

    for key in both.keys() - {"opening", "closing"}:
        parts = [one.get(key, (0, 0)) for one in (october, november)]
        assert both[key] == (parts[0][0] + parts[1][0], parts[0][1] + parts[1][1])


# --- as known at a moment


def test_what_was_recorded_later_is_not_in_the_figures_of_then(worked: Session) -> None:
    then = RECORDED_AT + timedelta(days=1)
    later = RECORDED_AT + timedelta(days=2)
    before = [gather_all(worked, as_known_at=then)]
    fact(worked, a_fine("7.00"), key="late", on=date(2020, 11, 30), recorded_at=later)
    fact(worked, an_exchange(), key="late exchange", on=date(2020, 11, 29), recorded_at=later)
    quote(worked, "0.45", on=date(2020, 11, 15), recorded_at=later)

    assert [gather_all(worked, as_known_at=then)] == before
    assert [gather_all(worked, as_known_at=later)] != before
    assert position.gather(worked, on=NOVEMBER[1]).net_assets["fines"] == 7000 - 3000 + (37 + 97 - 307) * 45


def gather_all(session: Session, *, as_known_at: datetime) -> list[object]:
    """All three statements of November as JSON."""
    since, until = NOVEMBER
    return [
        position.as_json(position.gather(session, on=until, as_known_at=as_known_at)),
        activities.as_json(activities.gather(session, since=since, until=until, as_known_at=as_known_at)),
        cash_flows.as_json(cash_flows.gather(session, since=since, until=until, as_known_at=as_known_at)),
    ]


def test_before_anything_was_known_all_figures_are_zero(worked: Session) -> None:
    early = datetime(2020, 12, 1, tzinfo=UTC)

    figures = activities.gather(worked, since=OCTOBER[0], until=NOVEMBER[1], as_known_at=early)

    assert columns(figures) == {}


# --- refusals


def test_without_a_rate_nothing_is_guessed(worked: Session) -> None:
    on = date(2020, 12, 21)

    assert position.gather(worked, on=on - timedelta(days=1)).rates[0].quoted_on == date(2020, 11, 15)
    with pytest.raises(NoRate) as refusal:
        position.gather(worked, on=on)

    assert refusal.value.data == {"currency": "BYN", "on": "2020-12-21", "oldest_days": 35}


def test_a_currency_that_stands_nowhere_any_more_needs_no_rate(worked: Session) -> None:
    settled = [
        debit("2100", byn("263.00"), "fines", subject="O-0000-0000-0001"),
        credit("3900", byn("263.00"), "fines"),
    ]
    repaid = [debit("2100", byn("37.00"), "fines", subject="O-0000-0000-0001"), credit(BYN_LEAF, byn("37.00"), "fines")]
    euros = [debit("3900", eur("100.00"), "fines"), credit(EUR_LEAF, eur("100.00"), "fines")]
    fact(worked, [*settled, *repaid, *euros], key="settled", on=date(2020, 11, 30))

    assert position.gather(worked, on=date(2020, 12, 31)).net_assets["fines"] == -3000


@pytest.mark.parametrize(
    ("since", "until"),
    [(date(2020, 11, 1), date(2020, 10, 31)), (date(1990, 1, 1), date(2020, 10, 31)), (date(1, 1, 1), date(1, 1, 1))],
)
def test_what_is_no_span_is_refused(founded: Session, since: date, until: date) -> None:
    for gather in (activities.gather, cash_flows.gather):
        with pytest.raises(BadSpan) as refusal:
            gather(founded, since=since, until=until)

        assert refusal.value.data == {"where": "since"}
