"""A gift is settled while the bank has the payout that brings it, whatever is refunded or called off meanwhile."""

from datetime import timedelta

from sqlmodel import Session

from ledger.giving import donations
from ledger.giving.donations import State
from ledger.giving.movements import Movement
from tests.bookcheck import found
from tests.cards import DAY, a_charge, a_payout_failure, a_refund, a_refund_failure, book, paying_out
from tests.cast import eur
from tests.ledger.reconciliation.test_payouts_at_the_bank import credited, receive

CHARGE = a_charge(eur("100.00"))
PAYOUT = paying_out(CHARGE)
REFUND = a_refund(CHARGE, eur("40.00"))
CALLED_OFF = a_refund_failure(REFUND, cancelled=True)


def arrive(session: Session) -> None:
    receive(session, credited(eur("100.00")), content="01")


def state(session: Session) -> State:
    (gift,) = donations.listed(session)
    return gift.state


def test_a_refund_that_is_called_off_leaves_a_settled_gift_settled(card_book: Session) -> None:
    book(card_book, CHARGE, PAYOUT)
    arrive(card_book)
    assert state(card_book) is State.SETTLED

    book(card_book, REFUND, CALLED_OFF)

    assert state(card_book) is State.SETTLED
    assert found(card_book) == []


def test_so_does_one_that_was_refunded_when_the_payout_came(card_book: Session) -> None:
    book(card_book, CHARGE, PAYOUT, REFUND)
    arrive(card_book)
    assert state(card_book) is State.REFUNDED

    book(card_book, CALLED_OFF)

    assert state(card_book) is State.SETTLED
    assert found(card_book) == []


def gone_back(session: Session, *moved: Movement) -> State:
    book(session, CHARGE, PAYOUT, REFUND)
    arrive(session)
    book(session, *moved)
    receive(session, credited(eur("-100.00"), on=DAY + timedelta(days=3), reversal=True), content="02")
    book(session, CALLED_OFF)
    return state(session)


def test_the_payout_that_the_bank_pulled_back_settles_nothing(card_book: Session) -> None:
    assert gone_back(card_book) is State.RECEIVED


def test_nor_does_one_that_failed(card_book: Session) -> None:
    assert gone_back(card_book, a_payout_failure(PAYOUT)) is State.RECEIVED


def test_a_payout_that_the_bank_pulls_back_takes_its_gifts_back_with_it(card_book: Session) -> None:
    book(card_book, CHARGE, PAYOUT)
    arrive(card_book)

    receive(card_book, credited(eur("-100.00"), on=DAY + timedelta(days=3), reversal=True), content="02")

    assert state(card_book) is State.RECEIVED
    assert found(card_book) == []
