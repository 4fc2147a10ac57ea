"""What comes together is written together: in the order in which it was told, and with nothing read that is past."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select

from ledger.books.journal import Entry
from ledger.giving import bookings, donations, parts
from ledger.giving.bookings import Reason, State
from tests.bookcheck import found
from tests.cards import a_charge, a_fee, a_refund, book, changed, paying_out
from tests.cast import NOW, eur
from tests.office import on_one_database

FIRST, SECOND, THIRD = (a_charge(eur("10.00"), fee=eur("0.30"), nth=nth) for nth in (1, 2, 3))
REFUND = a_refund(FIRST, eur("4.00"))
FEE = a_fee(eur("0.50"))
SEASON = (FIRST, SECOND, REFUND, FEE, THIRD, paying_out(FIRST, SECOND, REFUND, FEE, THIRD))


def keys(session: Session) -> list[str]:
    """The source keys of the journal, by number."""
    return list(session.exec(select(Entry.source_key).order_by(col(Entry.id))))


@contextmanager
def reading(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """The questions that the block puts."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan_of(session: Session, asked: list[tuple[str, Any]]) -> list[str]:
    """How SQLite finds what was asked for."""
    connection = session.connection()
    return [row[3] for query, told in asked for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", told)]


@pytest.mark.parametrize("most", [1, 2, 500])
def test_what_comes_together_is_numbered_as_it_was_told(
    card_book: Session, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST", most)

    booked = book(card_book, *SEASON)

    assert keys(card_book) == [one.source_key for one in SEASON]
    assert [one.state for one in booked] == [State.BOOKED] * len(SEASON)
    assert found(card_book) == []


def test_a_booking_knows_the_entry_that_was_written_with_others(card_book: Session) -> None:
    book(card_book, *SEASON)

    numbers = {entry.source_key: entry.id for entry in card_book.exec(select(Entry))}
    assert {row.balance_transaction: booking.entry_id for booking, row in bookings.listed(card_book)} == {
        one.balance_transaction: numbers[one.source_key] for one in SEASON
    }


def test_of_a_part_in_which_one_is_refused_the_others_are_booked_once(card_book: Session) -> None:
    late = changed(SECOND, created_on=NOW.date() + timedelta(days=9))

    booked = book(card_book, FIRST, late, THIRD)

    assert [(one.state, one.reason) for one in booked] == [
        (State.BOOKED, None),
        (State.WAITING, Reason.REFUSED),
        (State.BOOKED, None),
    ]
    assert keys(card_book) == [FIRST.source_key, THIRD.source_key]
    assert [gift.charge for gift in donations.listed(card_book) if gift.charge == late.charge] == []
    assert found(card_book) == []


def test_a_charge_whose_gift_stands_already_holds_no_other_of_its_part_up(card_book: Session) -> None:
    (first,) = book(card_book, FIRST)
    twin = changed(FIRST, balance_transaction="txn_Invented0009")

    booked = book(card_book, SECOND, twin, THIRD)

    assert [one.state for one in booked] == [State.BOOKED, State.WAITING, State.BOOKED]
    assert booked[1].reason is Reason.TWICE
    assert first.about in {gift.alias for gift in donations.listed(card_book)}
    assert found(card_book) == []


@on_one_database
def test_nothing_of_the_past_is_read_to_book_what_comes(card_book: Session) -> None:
    """Neither all that ever moved on the leaf nor all that was ever booked: both grow for ever."""
    with reading(card_book) as asked:
        book(card_book, *SEASON)

    shares = plan_of(card_book, [one for one in asked if "sum(CASE" in one[0]])
    before = plan_of(card_book, [one for one in asked if "SELECT movement.category, movement.source" in one[0]])
    assert any("payout_item USING PRIMARY KEY (payout=?)" in step for step in shares)
    assert any("ix_movement_source (source=?)" in step for step in before)
    assert not [step for step in (*shares, *before) if "line_by_account" in step or "(state=?" in step]
