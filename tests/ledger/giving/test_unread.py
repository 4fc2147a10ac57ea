"""What moved in a currency that nobody knows: it waits as it was told, and nothing else waits for it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlmodel import Session, select

from ledger import exceptions
from ledger.books import journal
from ledger.books.balances import balance
from ledger.books.journal import SourceKeyConflict
from ledger.exceptions import Difference, OpenException
from ledger.giving import bookings, payouts, processor, unread
from ledger.giving.movements import UnknownMovement
from ledger.giving.processor import Booked
from ledger.giving.unread import Told
from ledger.money import Money
from ledger.reconciliation import processor as reconciliation
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import a_charge, a_payout, a_refund, book, paying_out
from tests.cast import NOW, eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
STRANGE = replace(Told.of(a_charge(eur("5.00"), nth=2)), currency="ZZZ")
ARRIVING = replace(Told.of(paying_out(CHARGE)), arriving=81, arriving_currency="ZZZ")


def receive(session: Session, *told: Told, known: Sequence[object] = ()) -> list[Booked]:
    movements = [one.movement() for one in known if isinstance(one, Told)]
    return reconciliation.receive(session, movements, told=told, received_at=NOW, received_by=RECORDER)


def the_exceptions(session: Session) -> dict[str, bool]:
    """Of unknown currencies: what they are about, and whether they wait."""
    query = select(OpenException).where(OpenException.difference == Difference.UNKNOWN_CURRENCY)
    return {one.about.partition(":")[2]: one.resolved_on is None for one in session.exec(query)}


def test_what_nobody_can_read_waits_as_it_was_told_and_the_rest_is_booked(card_book: Session) -> None:
    (booked,) = receive(card_book, STRANGE, ARRIVING, known=[Told.of(CHARGE)])

    assert (booked.recipe, journal.count(card_book)) == ("card_gift", 1)
    assert unread.listed(card_book) == [STRANGE, ARRIVING]
    assert the_exceptions(card_book) == {STRANGE.source_key: True, ARRIVING.source_key: True}
    assert found(card_book) == []


def test_told_again_it_is_known_and_told_otherwise_it_is_a_conflict(card_book: Session) -> None:
    receive(card_book, STRANGE)

    with nothing_written(card_book):
        receive(card_book, STRANGE)
    with nothing_written(card_book), pytest.raises(SourceKeyConflict) as refusal:
        receive(card_book, ARRIVING, replace(STRANGE, fee=1, net=499))
    assert refusal.value.data == {"told": 2}


def test_what_an_older_version_tells_of_a_movement_that_is_known_says_nothing_new(card_book: Session) -> None:
    receive(card_book, known=[Told.of(CHARGE)])

    with nothing_written(card_book):
        receive(card_book, Told.of(CHARGE))
    with nothing_written(card_book), pytest.raises(SourceKeyConflict):
        receive(card_book, replace(Told.of(CHARGE), fee=0, net=10_000))


def test_what_could_be_a_movement_in_no_currency_is_refused(card_book: Session) -> None:
    with nothing_written(card_book), pytest.raises(UnknownMovement):
        receive(card_book, replace(STRANGE, net=1))


def test_a_version_that_knows_the_currency_books_it_and_what_waited_for_it(card_book: Session) -> None:
    """An older version did not know the euro."""
    unread.keep(card_book, [Told.of(CHARGE), replace(ARRIVING, arriving=None, arriving_currency=None)])
    for one in unread.listed(card_book):
        exceptions.open_once(
            card_book, difference=Difference.UNKNOWN_CURRENCY, about=one.source_key, on=CHARGE.created_on
        )
    book(card_book, a_refund(CHARGE, eur("40.00")))

    receive(card_book, known=[Told.of(CHARGE)])

    assert {booking.state for booking, _ in bookings.listed(card_book)} == {bookings.State.BOOKED}
    assert balance(card_book, CARD_LEAF, currency="EUR") == eur("-40.00")
    assert [one.items_of for one in payouts.listed(card_book)] == [ARRIVING.balance_transaction]
    assert (unread.listed(card_book), set(the_exceptions(card_book).values())) == ([], {False})
    assert found(card_book) == []
    with nothing_written(card_book):
        receive(card_book, known=[Told.of(CHARGE)])


def test_the_next_look_is_enough_for_that(card_book: Session) -> None:
    unread.keep(card_book, [Told.of(CHARGE)])

    processor.refresh(card_book, recorded_at=NOW, recorded_by=RECORDER)

    assert balance(card_book, CARD_LEAF, currency="EUR") == eur("96.80")


def test_what_is_kept_otherwise_than_it_was_told_is_found(card_book: Session) -> None:
    unread.keep(card_book, [STRANGE])

    assert [(one.check, one.name) for one in found(card_book)] == [("unread", STRANGE.balance_transaction)]


def test_a_movement_that_is_told_is_the_one_that_is_read() -> None:
    payout = replace(a_payout(eur("5.00")), arriving=Money(900, "USD"), transactions=("txn_Charge0001",))

    assert [Told.of(one).movement() for one in (CHARGE, payout)] == [CHARGE, payout]
