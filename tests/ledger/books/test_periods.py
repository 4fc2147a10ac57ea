from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session

from ledger.books import journal, periods, seals
from ledger.books.journal import Because, Entry, Posted, SourceKeyConflict
from ledger.books.periods import (
    AlreadyClosed,
    BadMonth,
    ClosedMonth,
    MonthNotOver,
    MonthOutOfOrder,
    PeriodClosed,
    closed_through,
    last_day_of,
)
from ledger.errors import LedgerError
from tests.bookkeeping import RECORDER, a_gift, post
from tests.cast import eur, nothing_written, race

SEPTEMBER, OCTOBER, NOVEMBER = date(2020, 9, 10), date(2020, 10, 5), date(2020, 11, 2)
FIRST_OF_OCTOBER = date(2020, 10, 1)
AT = datetime(2020, 11, 20, 9, tzinfo=UTC)


def close(session: Session, month: str, *, at: datetime = AT) -> ClosedMonth:
    return seals.close(session, month, by=RECORDER, at=at)


def reverse(session: Session, posted: Posted, *, on: date, source_key: str = "test:reversal") -> Posted:
    return journal.reverse(
        session,
        posted.entry_id,
        source_key=source_key,
        because=Because.WRONG_AMOUNT,
        on=on,
        recorded_at=AT,
        recorded_by=RECORDER,
    )


@pytest.fixture
def september(founded: Session) -> Posted:
    """The first entry of the book, committed."""
    posted = post(founded, a_gift(eur("20.00")), on=SEPTEMBER)
    founded.commit()
    return posted


@pytest.fixture
def closed(founded: Session, september: Posted) -> Posted:
    """September's entry, with September closed; committed."""
    close(founded, "2020-09")
    founded.commit()
    return september


# --- closing


@pytest.mark.usefixtures("september")
def test_the_first_month_with_an_entry_is_closed_first(founded: Session) -> None:
    made = close(founded, "2020-09")

    assert (made.last_day, made.closed_by, made.closed_at) == (date(2020, 9, 30), RECORDER, AT)
    assert closed_through(founded) == date(2020, 9, 30)


@pytest.mark.usefixtures("closed")
def test_months_are_closed_one_after_the_other_also_when_nothing_was_booked(founded: Session) -> None:
    close(founded, "2020-10")

    assert closed_through(founded) == date(2020, 10, 31)


@pytest.mark.usefixtures("september")
@pytest.mark.parametrize("month", ["2020-08", "2020-10"])
def test_no_other_month_is_closed_first(founded: Session, month: str) -> None:
    with nothing_written(founded), pytest.raises(MonthOutOfOrder) as refusal:
        close(founded, month)

    assert refusal.value.data == {"month": month, "next": "2020-09"}


@pytest.mark.usefixtures("closed")
def test_no_month_is_left_out(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(MonthOutOfOrder):
        close(founded, "2020-11", at=datetime(2020, 12, 1, tzinfo=UTC))


@pytest.mark.usefixtures("founded")
def test_a_book_without_entries_has_no_month_to_close(founded: Session) -> None:
    with pytest.raises(MonthOutOfOrder) as refusal:
        close(founded, "2020-09")

    assert refusal.value.data["next"] is None


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("month", ["2020-09", "2020-08"])
def test_a_month_is_closed_once(founded: Session, month: str) -> None:
    with nothing_written(founded), pytest.raises(AlreadyClosed):
        close(founded, month)


@pytest.mark.usefixtures("september")
def test_a_month_is_not_closed_on_its_last_day(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(MonthNotOver):
        close(founded, "2020-09", at=datetime(2020, 9, 30, 23, 59, tzinfo=UTC))

    assert close(founded, "2020-09", at=datetime(2020, 10, 1, tzinfo=UTC)).last_day == date(2020, 9, 30)


@pytest.mark.parametrize("month", ["", "2020", "2020-13", "2020-00", "2020-9", "2020-09-30", "0000-01", "9999-12"])
def test_what_is_no_month_is_refused(founded: Session, month: str) -> None:
    with pytest.raises(BadMonth) as refusal:
        close(founded, month)

    assert refusal.value.data == {"where": "month"}


@pytest.mark.parametrize(("month", "last"), [("2020-02", 29), ("2021-02", 28), ("2020-12", 31), ("2020-04", 30)])
def test_a_months_last_day(month: str, last: int) -> None:
    assert last_day_of(month).isoformat() == f"{month}-{last}"


@pytest.mark.usefixtures("september")
def test_two_who_close_at_once_close_it_once(founded: Session) -> None:
    answers = race(founded, *[lambda own: close(own, "2020-09")] * 2)

    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyClosed", "ClosedMonth"]


def test_months_are_listed_from_the_first_entry_until_today(founded: Session, closed: Posted) -> None:
    found = periods.listed(founded, today=NOVEMBER)

    assert closed.entry_id
    assert [(one.month, one.closed is not None) for one in found] == [
        ("2020-09", True),
        ("2020-10", False),
        ("2020-11", False),
    ]


def test_a_book_without_entries_lists_no_month(founded: Session) -> None:
    assert periods.listed(founded, today=NOVEMBER) == []


# --- booking


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("happened_on", [SEPTEMBER, date(2020, 9, 30), date(2020, 2, 1)])
def test_what_happened_in_a_closed_month_is_booked_on_the_first_open_day(founded: Session, happened_on: date) -> None:
    posted = post(founded, a_gift(eur("5.00")), on=happened_on, source_key="test:late")

    entry = founded.get_one(Entry, posted.entry_id)
    assert (entry.happened_on, entry.effective_on) == (happened_on, FIRST_OF_OCTOBER)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("happened_on", [FIRST_OF_OCTOBER, NOVEMBER])
def test_what_happened_since_is_booked_on_its_day(founded: Session, happened_on: date) -> None:
    posted = post(founded, a_gift(eur("5.00")), on=happened_on, source_key="test:late")

    assert founded.get_one(Entry, posted.entry_id).effective_on == happened_on


@pytest.mark.usefixtures("closed")
def test_a_day_that_is_told_and_closed_is_refused(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(PeriodClosed) as refusal:
        post(founded, a_gift(eur("5.00")), on=NOVEMBER, effective_on=date(2020, 9, 30), source_key="test:late")

    assert refusal.value.data == {"month": "2020-09", "closed_through": "2020-09-30"}


def test_a_fact_of_a_month_closed_since_is_the_same_fact(founded: Session, closed: Posted) -> None:
    again = post(founded, a_gift(eur("20.00")), on=SEPTEMBER)

    assert again == Posted(closed.entry_id, replayed=True)


@pytest.mark.usefixtures("closed")
def test_a_fact_booked_late_is_the_same_fact_after_the_next_closing_too(founded: Session) -> None:
    late = post(founded, a_gift(eur("5.00")), on=SEPTEMBER, source_key="test:late")
    close(founded, "2020-10")

    again = post(founded, a_gift(eur("5.00")), on=SEPTEMBER, source_key="test:late")

    assert again == Posted(late.entry_id, replayed=True)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("facts", [{"on": OCTOBER}, {"postings": a_gift(eur("6.00"))}])
def test_another_fact_under_its_key_is_a_conflict_also_when_the_month_is_closed(
    founded: Session, facts: dict[str, Any]
) -> None:
    stated: dict[str, Any] = {"postings": a_gift(eur("20.00")), "on": SEPTEMBER}

    with nothing_written(founded), pytest.raises(SourceKeyConflict):
        post(founded, **(stated | facts))


# --- reversal


def test_an_entry_of_a_closed_month_is_reversed_on_an_open_day(founded: Session, closed: Posted) -> None:
    reversal = reverse(founded, closed, on=OCTOBER)

    assert founded.get_one(Entry, reversal.entry_id).effective_on == OCTOBER


def test_a_reversal_is_not_dated_in_a_closed_month(founded: Session, closed: Posted) -> None:
    with nothing_written(founded), pytest.raises(PeriodClosed):
        reverse(founded, closed, on=date(2020, 9, 30))


def test_a_reversal_whose_month_was_closed_since_is_the_same(founded: Session, september: Posted) -> None:
    reversal = reverse(founded, september, on=SEPTEMBER)
    close(founded, "2020-09")

    assert reverse(founded, september, on=SEPTEMBER) == Posted(reversal.entry_id, replayed=True)


# --- at once


@pytest.mark.usefixtures("september")
def test_who_posts_while_the_month_is_closed_is_before_or_after_or_told(founded: Session) -> None:
    answers = race(
        founded,
        lambda own: close(own, "2020-09"),
        *(
            lambda own, nth=nth: post(own, a_gift(eur("5.00")), on=SEPTEMBER, source_key=f"race:{nth}")
            for nth in range(4)
        ),
    )

    assert {type(answer) for answer in answers if isinstance(answer, LedgerError)} <= {PeriodClosed}
    assert closed_through(founded) == date(2020, 9, 30)
    late = post(founded, a_gift(eur("5.00")), on=SEPTEMBER, source_key="race:late")
    assert founded.get_one(Entry, late.entry_id).effective_on == FIRST_OF_OCTOBER
