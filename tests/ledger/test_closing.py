from datetime import date

import pytest

from ledger import approvals, closing
from ledger.approvals import ActDiffers, Agreed, NotInRole
from ledger.books import periods
from ledger.books.periods import AlreadyClosed, BadMonth, MonthNotOver, MonthOutOfOrder
from tests.cast import House, Person, agreed_by, byn, give, nothing_written

MONTH = "2020-10"


def closing_of(month: str, *, by: Person, signed: str | None = None) -> Agreed:
    return agreed_by(by, "close_period", object=signed or month)


@pytest.fixture
def booked(house: House) -> House:
    """With a gift in October."""
    give(house.session, byn("100.00"), on=date(2020, 10, 5))
    return house


def test_the_treasurer_closes_a_month_and_the_act_is_kept(booked: House, clara: Person) -> None:
    closed = closing.close(booked.session, MONTH, closing_of(MONTH, by=clara))

    (kept,) = approvals.of_object(booked.session, MONTH)
    assert (closed.last_day, closed.closed_by) == (date(2020, 10, 31), clara.alias)
    assert (kept.verb, kept.signer) == ("close_period", clara.alias)
    assert approvals.still_holds(booked.session, kept)


def test_nobody_else_closes_a_month(booked: House, boris: Person, ana: Person) -> None:
    for somebody in (boris, ana, booked.fund.olga, booked.fund.oleg, booked.fund.dina):
        with nothing_written(booked.session), pytest.raises(NotInRole):
            closing.close(booked.session, MONTH, closing_of(MONTH, by=somebody))


def test_an_act_on_another_month_closes_nothing(booked: House, clara: Person) -> None:
    with nothing_written(booked.session), pytest.raises(ActDiffers) as refusal:
        closing.close(booked.session, MONTH, closing_of(MONTH, by=clara, signed="2020-11"))

    assert refusal.value.data == {"field": "object"}


@pytest.mark.parametrize(
    ("month", "refusal"), [("2020-11", MonthNotOver), ("2020-09", MonthOutOfOrder), ("x", BadMonth)]
)
def test_a_refused_closing_keeps_no_act(booked: House, clara: Person, month: str, refusal: type[Exception]) -> None:
    with nothing_written(booked.session), pytest.raises(refusal):
        closing.close(booked.session, month, closing_of(month, by=clara))


def test_a_month_is_closed_once_whoever_signs(booked: House, clara: Person) -> None:
    closing.close(booked.session, MONTH, closing_of(MONTH, by=clara))

    with nothing_written(booked.session), pytest.raises(AlreadyClosed):
        closing.close(booked.session, MONTH, closing_of(MONTH, by=clara))
    assert periods.closed_through(booked.session) == date(2020, 10, 31)
