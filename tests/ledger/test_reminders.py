"""What is looked at every night, and who is told: once, until it is put right."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from ledger import exceptions, reminders
from ledger.books import exchange, periods
from ledger.exceptions import Difference
from ledger.money import Money
from tests.bookkeeping import DAY, RECORDER, a_gift, post
from tests.cast import NOW

DUE = date(2020, 12, 15)


def waiting(session: Session) -> list[str]:
    return [one.difference for one in exceptions.listed(session)]


def test_a_month_that_should_be_closed_is_told_of_once_and_until_it_is_closed(founded: Session) -> None:
    post(founded, a_gift(Money(100, "EUR")))
    assert reminders.tell_of_open_months(founded, on=date(2020, 12, 10)) == {"open_months": 0}
    for _ in range(2):
        assert reminders.tell_of_open_months(founded, on=DUE) == {"open_months": 1}
    assert waiting(founded) == [Difference.PERIOD_OPEN]

    periods.soft_close(founded, f"{DAY:%Y-%m}", by="OP-0000-0000-0001", at=NOW + timedelta(days=60))
    reminders.tell_of_open_months(founded, on=DUE)

    assert waiting(founded) == []


def test_months_that_nobody_closed_are_one_exception_that_names_their_span(founded: Session) -> None:
    post(founded, a_gift(Money(100, "EUR")))

    def told() -> list[tuple[str, date]]:
        return [(one.about.partition("@")[0], one.opened_on) for one in exceptions.listed(founded)]

    reminders.tell_of_open_months(founded, on=DUE)
    before = told()
    reminders.tell_of_open_months(founded, on=date(2026, 9, 30))
    grown = told()
    periods.soft_close(founded, f"{DAY:%Y-%m}", by="OP-0000-0000-0001", at=NOW + timedelta(days=60))
    reminders.tell_of_open_months(founded, on=date(2026, 9, 30))

    assert [one[0] for one in before] == ["period_open:2020-11..2020-11:1"]
    assert [one[0] for one in grown] == ["period_open:2020-11..2026-08:70"]
    assert [one[0] for one in told()] == ["period_open:2020-12..2026-08:69"]
    assert {one[1] for one in (*before, *grown, *told())} == {DUE}


def test_an_exception_for_each_month_of_an_earlier_version_becomes_one(founded: Session) -> None:
    post(founded, a_gift(Money(100, "EUR")))
    for month in ("2020-10", "2020-11"):
        exceptions.open_anew(founded, Difference.PERIOD_OPEN, about=month, on=DUE)

    reminders.tell_of_open_months(founded, on=DUE)

    assert waiting(founded) == [Difference.PERIOD_OPEN]


def test_a_currency_that_is_held_needs_a_rate_that_counts(founded: Session) -> None:
    post(founded, a_gift(Money(100, "BYN")))
    post(founded, a_gift(Money(100, "EUR")), source_key="test:2")
    assert reminders.tell_of_missing_rates(founded, on=DUE) == {"currencies": 2, "missing_rates": 1}
    facts: dict[str, Any] = {"source": "nbrb", "recorded_at": NOW + timedelta(days=60), "recorded_by": RECORDER}
    exchange.add(founded, "BYN", on=DUE, value=exchange.parse("0.33"), **facts)

    assert reminders.tell_of_missing_rates(founded, on=DUE) == {"currencies": 2, "missing_rates": 0}
    assert waiting(founded) == []


def test_what_was_resolved_by_a_person_and_is_wrong_again_is_told_of_again(founded: Session) -> None:
    for _ in range(2):
        reminders.tell_of_checks(founded, ["balanced"], on=DUE)
        reminders.tell_of_checks(founded, ["balanced"], on=DUE)
        (told,) = exceptions.listed(founded)
        exceptions.resolve(founded, told, on=DUE)

    assert waiting(founded) == []
    assert founded.connection().execute(text("SELECT count(*) FROM exception")).scalar_one() == 2


def test_a_check_that_finds_something_is_named(founded: Session) -> None:
    post(founded, a_gift(Money(100, "EUR")))
    assert "schema" not in reminders.failed_checks(founded)
    founded.connection().execute(text("DROP INDEX ix_job_run_job"))

    assert "schema" in reminders.failed_checks(founded)
