"""Disputes of one gift: several of them, parts that come back, and what comes back though it was said to be lost."""

from datetime import timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from ledger.giving import disputes, donations
from ledger.giving.bookings import Reason
from ledger.giving.donations import State
from ledger.giving.movements import Movement
from ledger.money import Money
from tests.bookcheck import BELOW_THE_ACTS, found
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import DAY, a_charge, a_dispute, a_dispute_won, book, changed
from tests.cast import NOW, eur
from tests.ledger.giving.test_movements_in_any_order import stands, the_gift

CHARGE = a_charge(eur("100.00"))
FIRST, SECOND = (a_dispute(CHARGE, eur(amount), nth=nth) for nth, amount in ((1, "40.00"), (2, "30.00")))
WON = {one.source: a_dispute_won(one, nth=nth) for nth, one in ((1, FIRST), (2, SECOND))}


def lose(session: Session, movement: Movement, *, days: int = 60) -> None:
    dispute = disputes.find(session, movement.source or "")
    assert dispute is not None
    on = DAY + timedelta(days=days)
    disputes.lose(session, dispute.alias, on=on, recorded_at=NOW, recorded_by=RECORDER)


def a_part_back(of: Movement, amount: str, *, nth: int) -> Movement:
    return changed(a_dispute_won(of, nth=nth), gross=eur(amount), net=eur(amount))


@pytest.mark.parametrize("order", list(permutations((FIRST, SECOND, WON[FIRST.source], WON[SECOND.source])))[::5])
def test_two_disputes_of_one_gift_are_won_each_by_itself(card_book: Session, order: tuple[Movement, ...]) -> None:
    book(card_book, CHARGE)
    for movement in order:
        book(card_book, movement)

    assert {one.state for one in disputes.listed(card_book)} == {disputes.State.WON}
    assert (the_gift(card_book).state, stands(card_book, "1150")) == (State.WON, eur("0.00"))
    assert stands(card_book, CARD_LEAF) == eur("100.00")
    assert found(card_book) == []


def test_a_gift_of_which_one_dispute_is_won_and_one_is_open_is_disputed_and_then_lost(card_book: Session) -> None:
    book(card_book, CHARGE, FIRST, SECOND, WON[FIRST.source])
    assert the_gift(card_book).state is State.DISPUTED

    lose(card_book, SECOND)

    assert (the_gift(card_book).state, stands(card_book, "4195")) == (State.LOST, eur("30.00"))
    assert found(card_book, but=BELOW_THE_ACTS) == []


def test_both_disputes_of_a_gift_can_be_lost(card_book: Session) -> None:
    book(card_book, CHARGE, FIRST, SECOND)

    for one in (FIRST, SECOND):
        lose(card_book, one)

    assert (stands(card_book, "1150"), stands(card_book, "4195")) == (eur("0.00"), eur("70.00"))
    assert found(card_book, but=BELOW_THE_ACTS) == []


def test_what_comes_back_though_it_was_said_to_be_lost_undoes_the_loss(card_book: Session) -> None:
    book(card_book, CHARGE, FIRST)
    lose(card_book, FIRST)

    (won,) = book(card_book, WON[FIRST.source])

    assert (won.recipe, the_gift(card_book).state) == ("dispute_won", State.WON)
    assert (stands(card_book, "1150"), stands(card_book, "4195")) == (eur("0.00"), eur("0.00"))
    assert stands(card_book, CARD_LEAF) == eur("100.00")
    assert found(card_book, but=BELOW_THE_ACTS) == []

    book(card_book, changed(FIRST, balance_transaction="txn_Again0001"))
    lose(card_book, FIRST, days=61)

    assert (stands(card_book, "4195"), the_gift(card_book).state) == (eur("40.00"), State.LOST)
    assert found(card_book, but=BELOW_THE_ACTS) == []


def test_of_what_comes_back_in_part_the_rest_can_be_lost_or_come_too(card_book: Session) -> None:
    book(card_book, CHARGE, FIRST, SECOND, a_part_back(FIRST, "25.00", nth=3), a_part_back(SECOND, "10.00", nth=4))
    assert stands(card_book, "1150") == eur("35.00")
    assert {one.outstanding() for one in disputes.listed(card_book)} == {eur("15.00"), eur("20.00")}

    lose(card_book, FIRST)
    (rest,) = book(card_book, a_part_back(SECOND, "20.00", nth=5))

    assert (rest.recipe, the_gift(card_book).state) == ("dispute_won", State.LOST)
    assert (stands(card_book, "1150"), stands(card_book, "4195")) == (eur("0.00"), eur("15.00"))
    assert found(card_book, but=BELOW_THE_ACTS) == []


def test_more_than_is_outstanding_waits_for_a_person(card_book: Session) -> None:
    (_, _, waiting) = book(card_book, CHARGE, FIRST, a_part_back(FIRST, "40.01", nth=3))

    assert waiting.reason is Reason.NO_RECIPE


def test_a_fee_that_is_taken_with_each_withdrawal_is_counted_each_time(card_book: Session) -> None:
    again = changed(FIRST, balance_transaction="txn_Again0001", fee=eur("2.00"), net=FIRST.gross - eur("2.00"))

    book(card_book, CHARGE, FIRST, WON[FIRST.source], again)

    (dispute,) = disputes.listed(card_book)
    assert Money(dispute.fee_minor, "EUR") == eur("17.00")
    assert found(card_book) == []


def test_a_gift_that_is_no_gift_is_not_disputed(card_book: Session) -> None:
    book(card_book, CHARGE)
    gift = the_gift(card_book)
    gift.state = State.NO_GIFT

    with pytest.raises(donations.WrongState):
        disputes.begin(card_book, "dp_X", donation=gift, withdrawn=eur("1.00"), fee=eur("0.00"), on=DAY)
