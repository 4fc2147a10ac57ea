from typing import Any

import pytest
from sqlmodel import Session

from ledger.books.journal import SourceKeyConflict
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.giving.forms import has_recipe
from ledger.giving.movements import (
    Category,
    Movement,
    UnknownMovement,
    as_movement,
    by_transaction,
    check,
    keep,
    newest_on,
    total,
)
from ledger.money import CurrencyMismatch, Money
from tests.cards import (
    DAY,
    a_charge,
    a_dispute,
    a_dispute_won,
    a_fee,
    a_move,
    a_payout,
    a_payout_failure,
    a_refund,
    a_refund_failure,
    a_top_up,
    a_top_up_reversal,
    changed,
    paying_out,
    usd,
)
from tests.cast import eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
REFUND = a_refund(CHARGE, eur("40.00"))
DISPUTE = a_dispute(CHARGE, eur("100.00"))
PAYOUT = a_payout(eur("50.00"))
FEE = a_fee(eur("12.00"))


def test_each_category_has_a_form_that_is_admitted() -> None:
    admitted = [
        *(CHARGE, REFUND, DISPUTE, PAYOUT, FEE),
        *(a_refund_failure(REFUND), a_dispute_won(DISPUTE), a_payout_failure(PAYOUT), a_top_up(eur("1.00"))),
        *(a_move(category, eur("-1.00")) for category in ("tax", "network_cost", "risk_reserved_funds")),
        a_move("connect_reserved_funds", eur("-1.00")),
        *(changed(REFUND, category=category) for category in ("partial_capture_reversal", "charge_failure")),
        a_top_up_reversal(a_top_up(eur("1.00"))),
        *(a_move("payout_minimum_balance_hold", eur("-1.00")), a_move("payout_minimum_balance_release", eur("1.00"))),
    ]
    for movement in admitted:
        check(movement)

    assert all(has_recipe(movement) for movement in admitted)
    assert {movement.category for movement in admitted} == set(Category)


@pytest.mark.parametrize(
    ("movement", "where"),
    [
        (changed(CHARGE, net=eur("96.81")), "net"),
        (changed(FEE, category="Fee"), "category"),
        (changed(FEE, category=""), "category"),
        (changed(CHARGE, arriving=usd("1.00")), "arriving"),
        (changed(PAYOUT, arriving=usd("0.00")), "arriving"),
        (changed(CHARGE, transactions=()), "transactions"),
    ],
)
def test_what_does_not_tie_is_refused_with_its_place(movement: Movement, where: str) -> None:
    with pytest.raises(UnknownMovement) as refusal:
        check(movement)

    assert refusal.value.data == {"where": where}


@pytest.mark.parametrize(
    "movement",
    [
        changed(CHARGE, gross=eur("-100.00"), net=eur("-103.20")),
        changed(CHARGE, gross=eur("0.00"), net=eur("-3.20")),
        changed(CHARGE, fee=eur("-1.00"), net=eur("101.00")),
        changed(CHARGE, source=None),
        changed(CHARGE, source="re_Invented0001"),
        changed(CHARGE, charge="ch_Invented0002"),
        changed(CHARGE, charge=None),
        changed(REFUND, gross=eur("40.00"), net=eur("40.00")),
        changed(REFUND, charge=None),
        changed(REFUND, source="dp_Invented0001"),
        changed(DISPUTE, fee=eur("-1.00"), net=eur("-99.00")),
        changed(DISPUTE, charge="re_Invented0001"),
        changed(PAYOUT, gross=eur("0.00"), fee=eur("1.00"), net=eur("-1.00")),
        changed(PAYOUT, source=None),
        changed(FEE, fee=eur("1.00"), net=eur("-13.00")),
        a_charge(Money(LARGEST_POSTING_MINOR + 1, "EUR")),
        a_charge(Money(LARGEST_POSTING_MINOR, "EUR"), fee=eur("-0.01")),
        a_fee(Money(LARGEST_POSTING_MINOR + 1, "EUR")),
    ],
)
def test_what_no_recipe_can_book_has_none(movement: Movement) -> None:
    check(movement)

    assert not has_recipe(movement)


def test_amounts_in_two_currencies_are_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        check(changed(CHARGE, fee=usd("3.20")))


def test_a_movement_is_kept_once_also_within_one_list(card_book: Session) -> None:
    assert keep(card_book, [CHARGE, REFUND, CHARGE]) == [True, True, False]
    assert keep(card_book, [REFUND, FEE]) == [False, True]
    assert keep(card_book, []) == []


def test_two_amounts_under_one_balance_transaction_are_two_movements(card_book: Session) -> None:
    rest = changed(FEE, gross=eur("-1.00"), net=eur("-1.00"))

    assert keep(card_book, [FEE, rest, FEE]) == [True, True, False]
    assert keep(card_book, [rest]) == [False]
    assert total(card_book, currency="EUR") == eur("-13.00")


@pytest.mark.parametrize(
    "facts",
    [
        {"fee": eur("3.21"), "net": eur("96.79")},
        {"gross": usd("100.00"), "fee": usd("3.20"), "net": usd("96.80")},
        {"created_on": DAY.replace(day=15)},
        {"source": "ch_Invented0002", "charge": "ch_Invented0002"},
        {"purpose": "DETENTION"},
        {"category": "refund"},
    ],
)
def test_the_same_balance_transaction_with_another_content_is_a_conflict(
    card_book: Session, facts: dict[str, Any]
) -> None:
    other = changed(CHARGE, **facts)
    with nothing_written(card_book), pytest.raises(SourceKeyConflict):
        keep(card_book, [CHARGE, other])
    keep(card_book, [CHARGE])

    with nothing_written(card_book), pytest.raises(SourceKeyConflict) as refusal:
        keep(card_book, [FEE, other])

    assert refusal.value.data == {"movement": 2}


def test_a_purpose_that_was_added_after_its_gift_came_is_no_contradiction(card_book: Session) -> None:
    keep(card_book, [changed(CHARGE, purpose=None)])

    assert keep(card_book, [CHARGE]) == [False]


def test_a_movement_comes_back_as_it_came(card_book: Session) -> None:
    manual = changed(PAYOUT, arriving=usd("55.00"))
    automatic = paying_out(CHARGE, FEE, nth=2)
    cancelled = a_refund_failure(REFUND, cancelled=True)
    received = [CHARGE, manual, automatic, cancelled]
    keep(card_book, received)

    rows = by_transaction(card_book, {one.balance_transaction for one in received})

    assert {as_movement(card_book, row) for row in rows} == set(received)


def test_the_total_and_the_newest_day_are_of_one_currency(card_book: Session) -> None:
    assert (total(card_book, currency="EUR"), newest_on(card_book, currency="EUR")) == (eur("0.00"), None)

    later = DAY.replace(day=20)
    keep(card_book, [CHARGE, changed(FEE, created_on=later), a_charge(usd("7.00"), nth=2)])

    assert (total(card_book, currency="EUR"), newest_on(card_book, currency="EUR")) == (eur("84.80"), later)
    assert total(card_book, currency="USD") == usd("7.00")
