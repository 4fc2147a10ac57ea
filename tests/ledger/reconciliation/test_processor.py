from datetime import timedelta

import pytest
from sqlmodel import Session

from ledger import exceptions
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference
from ledger.giving.donations import UnknownCharge
from ledger.giving.leaves import NoLeaf
from ledger.giving.movements import Movement
from ledger.giving.processor import Booked
from ledger.money import Money
from ledger.reconciliation import processor
from ledger.reconciliation.processor import Reconciliation
from tests import bookkeeping
from tests.bookkeeping import CARD_LEAF, EUR_LEAF, RECORDER
from tests.cards import DAY, USD_CARD_LEAF, a_charge, a_fee, a_payout, a_refund, furnish, usd
from tests.cast import NOW, eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))


@pytest.fixture
def furnished(founded: Session) -> Session:
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


def test_a_leaf_equals_the_sum_of_everything_that_moved(furnished: Session) -> None:
    later = DAY + timedelta(days=3)
    moved = (CHARGE, a_refund(CHARGE, eur("20.00")), a_fee(eur("1.00")), a_payout(eur("50.00"), on=later))

    receive(furnished, *moved, a_charge(usd("7.00"), nth=2))

    assert processor.reconcile(furnished, CARD_LEAF) == Reconciliation(
        CARD_LEAF, "EUR", later, eur("25.80"), eur("25.80"), eur("0.00")
    )
    assert processor.reconcile(furnished, USD_CARD_LEAF) == Reconciliation(
        USD_CARD_LEAF, "USD", DAY, usd("7.00"), usd("7.00"), usd("0.00")
    )
    assert differences(furnished) == []


def test_a_leaf_on_which_nothing_moved_has_no_reconciliation(furnished: Session) -> None:
    assert processor.reconcile(furnished, CARD_LEAF) is None


def test_what_somebody_posted_by_hand_is_a_difference_with_its_amount(furnished: Session) -> None:
    move_by_hand(furnished, eur("5.00"))

    receive(furnished, CHARGE)

    found = processor.reconcile(furnished, CARD_LEAF)
    assert found is not None
    assert (found.per_processor, found.per_books, found.difference) == (eur("96.80"), eur("101.80"), eur("-5.00"))
    assert differences(furnished) == [(Difference.BALANCE_DIFFERS, CARD_LEAF, eur("-5.00"))]


def test_the_balance_that_the_processor_tells_agrees_with_what_moved(furnished: Session) -> None:
    receive(furnished, CHARGE, reported=(eur("96.80"), usd("0.00"), Money(0, "JPY")))

    assert differences(furnished) == []


def test_a_balance_that_differs_is_an_exception_also_when_nothing_moved(furnished: Session) -> None:
    receive(furnished, CHARGE)

    receive(furnished, reported=(eur("90.00"),))
    receive(furnished, CHARGE, reported=(eur("90.00"),))

    assert differences(furnished) == [(Difference.PROCESSOR_DIFFERS, CARD_LEAF, eur("-6.80"))]


def test_a_balance_of_zero_that_should_be_none_is_an_exception(furnished: Session) -> None:
    receive(furnished, CHARGE, reported=(eur("0.00"),))

    assert differences(furnished) == [(Difference.PROCESSOR_DIFFERS, CARD_LEAF, eur("-96.80"))]


def test_a_balance_in_a_currency_without_a_leaf_is_refused_with_all(furnished: Session) -> None:
    with nothing_written(furnished), pytest.raises(NoLeaf):
        receive(furnished, CHARGE, reported=(Money(100, "JPY"),))


def test_a_leaf_below_zero_is_booked_and_is_an_exception(furnished: Session) -> None:
    receive(furnished, CHARGE, a_payout(eur("100.00")))

    assert differences(furnished) == [(Difference.BELOW_ZERO, CARD_LEAF, eur("-3.20"))]


def test_a_fund_that_bears_fees_without_money_is_an_exception_once(furnished: Session) -> None:
    receive(furnished, CHARGE)
    receive(furnished, a_charge(eur("50.00"), fee=eur("1.00"), nth=2))

    assert differences(furnished, fund="general") == [(Difference.BELOW_ZERO, CARD_LEAF, eur("-3.20"))]
    assert differences(furnished) == []


def test_one_refusal_leaves_nothing_of_all(furnished: Session) -> None:
    with nothing_written(furnished), pytest.raises(UnknownCharge) as refusal:
        receive(furnished, a_fee(eur("1.00")), a_refund(CHARGE, eur("1.00")))

    assert refusal.value.data["movement"] == 2
