from datetime import timedelta

import pytest
from sqlmodel import Session

from ledger import exceptions
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference
from ledger.giving.movements import Movement, UnknownMovement
from ledger.giving.processor import Booked
from ledger.money import Money
from ledger.reconciliation import processor
from ledger.reconciliation.processor import Reconciliation
from tests import bookkeeping
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF, EUR_LEAF, RECORDER
from tests.cards import (
    DAY,
    USD_CARD_LEAF,
    a_charge,
    a_fee,
    a_move,
    a_payout,
    a_payout_failure,
    a_refund,
    changed,
    furnish,
    paying_out,
    usd,
)
from tests.cast import NOW, eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))


@pytest.fixture
def card_book(founded: Session) -> Session:
    """Leaves in EUR and USD at the processor and in transit, and three purposes: see `tests/cards.py`."""
    return furnish(founded)


def receive(session: Session, *received: Movement, reported: tuple[Money, ...] = ()) -> list[Booked]:
    return processor.receive(session, received, reported=reported, received_at=NOW, received_by=RECORDER)


def differences(session: Session, *, fund: str | None = None) -> list[tuple[Difference, str | None, Money | None]]:
    """Those of leaves, or of a fund."""
    return [
        (one.difference, one.account_code, one.amount()) for one in exceptions.listed(session) if one.fund_code == fund
    ]


def move_by_hand(session: Session, money: Money) -> None:
    """Somebody moves money from the bank's leaf to the processor's, without a movement."""
    postings = [debit(CARD_LEAF, money, "general"), credit(EUR_LEAF, money, "general")]
    bookkeeping.post(session, postings, source_key="test:by hand")


def test_a_leaf_equals_the_sum_of_everything_that_moved(card_book: Session) -> None:
    later = DAY + timedelta(days=3)
    moved = (CHARGE, a_refund(CHARGE, eur("20.00")), a_fee(eur("1.00")), a_payout(eur("50.00"), on=later))

    receive(card_book, *moved, a_charge(usd("7.00"), nth=2))

    assert processor.reconcile(card_book, CARD_LEAF) == Reconciliation(
        CARD_LEAF, "EUR", later, eur("25.80"), eur("25.80"), eur("0.00"), eur("0.00")
    )
    assert processor.reconcile(card_book, USD_CARD_LEAF) == Reconciliation(
        USD_CARD_LEAF, "USD", DAY, usd("7.00"), usd("7.00"), usd("0.00"), usd("0.00")
    )
    assert differences(card_book) == []


def test_a_leaf_on_which_nothing_moved_has_no_reconciliation(card_book: Session) -> None:
    assert processor.reconcile(card_book, CARD_LEAF) is None


def test_what_somebody_posted_by_hand_is_a_difference_with_its_amount(card_book: Session) -> None:
    move_by_hand(card_book, eur("5.00"))

    receive(card_book, CHARGE)

    one = processor.reconcile(card_book, CARD_LEAF)
    assert one is not None
    assert (one.per_processor, one.per_books, one.difference) == (eur("96.80"), eur("101.80"), eur("-5.00"))
    assert differences(card_book) == [(Difference.BALANCE_DIFFERS, CARD_LEAF, eur("-5.00"))]


def test_the_balance_that_the_processor_tells_agrees_with_what_moved(card_book: Session) -> None:
    receive(card_book, CHARGE, reported=(eur("96.80"), usd("0.00"), Money(0, "JPY")))

    assert differences(card_book) == []


def test_a_balance_that_differs_is_an_exception_also_when_nothing_moved(card_book: Session) -> None:
    receive(card_book, CHARGE)

    receive(card_book, reported=(eur("90.00"),))
    receive(card_book, CHARGE, reported=(eur("90.00"),))

    assert differences(card_book) == [(Difference.PROCESSOR_DIFFERS, CARD_LEAF, eur("-6.80"))]


def test_a_balance_of_zero_that_should_be_none_is_an_exception(card_book: Session) -> None:
    receive(card_book, CHARGE, reported=(eur("0.00"),))

    assert differences(card_book) == [(Difference.PROCESSOR_DIFFERS, CARD_LEAF, eur("-96.80"))]


def test_a_balance_in_a_currency_without_a_leaf_is_an_exception_with_its_amount(card_book: Session) -> None:
    receive(card_book, CHARGE, reported=(Money(100, "JPY"),))

    assert differences(card_book) == [(Difference.PROCESSOR_DIFFERS, "1100", Money(100, "JPY"))]


def test_what_waits_is_told_beside_the_difference(card_book: Session) -> None:
    receive(card_book, CHARGE, a_move("climate_contribution", eur("-2.00")), reported=(eur("94.80"),))

    one = processor.reconcile(card_book, CARD_LEAF)
    assert one is not None
    assert (one.per_processor, one.per_books, one.not_booked, one.difference) == (
        eur("94.80"),
        eur("96.80"),
        eur("-2.00"),
        eur("0.00"),
    )
    assert differences(card_book) == [(Difference.MOVEMENT_WAITS, CARD_LEAF, eur("-2.00"))]


def test_a_leaf_below_zero_is_booked_and_is_an_exception(card_book: Session) -> None:
    receive(card_book, CHARGE, a_payout(eur("100.00")))

    assert differences(card_book) == [(Difference.BELOW_ZERO, CARD_LEAF, eur("-3.20"))]


def test_a_fund_that_bears_fees_without_money_is_an_exception_once(card_book: Session) -> None:
    receive(card_book, CHARGE)
    receive(card_book, a_charge(eur("50.00"), fee=eur("1.00"), nth=2))

    assert differences(card_book, fund="general") == [(Difference.BELOW_ZERO, CARD_LEAF, eur("-3.20"))]
    assert differences(card_book) == []


def test_one_refusal_leaves_nothing_of_all(card_book: Session) -> None:
    untied = changed(CHARGE, net=eur("96.81"))
    with nothing_written(card_book), pytest.raises(UnknownMovement) as refusal:
        receive(card_book, a_fee(eur("1.00")), untied)

    assert refusal.value.data["movement"] == 2


# --- attacks: what is made up, left out, or moved at the processor or in the books is told with its amount


def test_a_difference_that_is_none_any_more_waits_no_more_and_one_that_comes_again_is_told(card_book: Session) -> None:
    receive(card_book, CHARGE, reported=(eur("90.00"),))
    receive(card_book, reported=(eur("96.80"),))
    assert differences(card_book) == []

    receive(card_book, reported=(eur("90.01"),))

    assert differences(card_book) == [(Difference.PROCESSOR_DIFFERS, CARD_LEAF, eur("-6.79"))]


def test_what_is_posted_by_hand_is_found_by_the_checks_before_anything_moves(card_book: Session) -> None:
    receive(card_book, CHARGE)
    move_by_hand(card_book, eur("5.00"))

    assert [(one.check, one.name) for one in found(card_book)] == [("processor", CARD_LEAF)]
    receive(card_book, reported=(eur("96.80"),))
    assert differences(card_book) == [(Difference.BALANCE_DIFFERS, CARD_LEAF, eur("-5.00"))]
    assert found(card_book) == []


@pytest.mark.parametrize("lost", [CHARGE, a_fee(eur("1.00")), a_refund(CHARGE, eur("20.00"))])
def test_a_movement_that_is_never_told_is_a_difference_of_its_net(card_book: Session, lost: Movement) -> None:
    moved = [CHARGE, a_fee(eur("1.00")), a_refund(CHARGE, eur("20.00"))]
    balance = sum((one.net for one in moved), eur("0.00"))

    receive(card_book, *(one for one in moved if one != lost), reported=(balance,))

    assert (Difference.PROCESSOR_DIFFERS, CARD_LEAF, lost.net) in differences(card_book)


def test_a_movement_that_two_payouts_pay_out_is_told_with_its_amount(card_book: Session) -> None:
    other = a_charge(eur("30.00"), nth=2)
    receive(card_book, CHARGE, other, paying_out(CHARGE))

    receive(card_book, paying_out(CHARGE, other, nth=2))

    assert (Difference.PAYOUT_DIFFERS, CARD_LEAF, eur("96.80")) in differences(card_book)


def test_what_a_failed_payout_brought_back_the_next_one_pays_out(card_book: Session) -> None:
    first = paying_out(CHARGE)
    receive(card_book, CHARGE, first, a_payout_failure(first), paying_out(CHARGE, nth=2))

    assert differences(card_book) == []


def test_a_payout_that_leaves_one_of_its_movements_behind_is_told_with_its_amount(card_book: Session) -> None:
    other = a_charge(eur("30.00"), nth=2)

    receive(card_book, CHARGE, other, changed(paying_out(CHARGE, other), transactions=(CHARGE.balance_transaction,)))

    assert differences(card_book) == [(Difference.PAYOUT_DIFFERS, CARD_LEAF, eur("30.00"))]
