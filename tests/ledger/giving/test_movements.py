from typing import Any

import pytest
from sqlmodel import Session

from ledger.books.journal import SourceKeyConflict
from ledger.giving.leaves import NoLeaf
from ledger.giving.movements import (
    BookedElsewhere,
    Category,
    Movement,
    UnknownMovement,
    check,
    keep,
    newest_on,
    total,
)
from ledger.money import CurrencyMismatch
from tests.bookkeeping import CARD_LEAF
from tests.cards import DAY, USD_CARD_LEAF, a_charge, a_dispute, a_fee, a_payout, a_refund, changed, usd
from tests.cast import eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
REFUND = a_refund(CHARGE, eur("40.00"))
DISPUTE = a_dispute(CHARGE, eur("100.00"))
PAYOUT = a_payout(eur("50.00"))
FEE = a_fee(eur("12.00"))


def test_each_category_has_a_form_that_is_admitted() -> None:
    for movement in (CHARGE, REFUND, DISPUTE, PAYOUT, FEE):
        check(movement)

    assert {movement.category for movement in (CHARGE, REFUND, DISPUTE, PAYOUT, FEE)} == set(Category)


@pytest.mark.parametrize(
    ("movement", "where"),
    [
        (changed(CHARGE, net=eur("96.81")), "net"),
        (changed(CHARGE, gross=eur("-100.00"), net=eur("-103.20")), "gross"),
        (changed(CHARGE, gross=eur("0.00"), net=eur("-3.20")), "gross"),
        (changed(CHARGE, fee=eur("-1.00"), net=eur("101.00")), "fee"),
        (changed(CHARGE, source=None), "source"),
        (changed(CHARGE, source="re_Invented0001"), "source"),
        (changed(CHARGE, charge="ch_Invented0002"), "charge"),
        (changed(CHARGE, charge=None), "charge"),
        (changed(REFUND, gross=eur("40.00"), net=eur("40.00")), "gross"),
        (changed(REFUND, charge=None), "charge"),
        (changed(REFUND, source="dp_Invented0001"), "source"),
        (changed(DISPUTE, fee=eur("-1.00"), net=eur("-99.00")), "fee"),
        (changed(DISPUTE, charge="re_Invented0001"), "charge"),
        (changed(PAYOUT, gross=eur("50.00"), net=eur("50.00")), "gross"),
        (changed(PAYOUT, source=None), "source"),
        (changed(PAYOUT, charge="ch_Invented0001"), "charge"),
        (changed(FEE, fee=eur("1.00"), net=eur("-13.00")), "fee"),
        (changed(FEE, source="ch_Invented0001"), "source"),
        (changed(FEE, charge="ch_Invented0001"), "charge"),
    ],
)
def test_what_no_recipe_can_book_is_refused_with_its_place(movement: Movement, where: str) -> None:
    with pytest.raises(UnknownMovement) as refusal:
        check(movement)

    assert refusal.value.data == {"where": where}


def test_amounts_in_two_currencies_are_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        check(changed(CHARGE, fee=usd("3.20")))


def kept(session: Session, *received: Movement, leaf: str = CARD_LEAF) -> list[bool]:
    return keep(session, received, leaf_of=lambda _: leaf)


def test_a_movement_is_kept_once_also_within_one_list(furnished: Session) -> None:
    assert kept(furnished, CHARGE, REFUND, CHARGE) == [True, True, False]
    assert kept(furnished, REFUND, FEE) == [False, True]
    assert kept(furnished) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"gross": eur("100.01"), "net": eur("96.81")},
        {"fee": eur("3.21"), "net": eur("96.79")},
        {"gross": usd("100.00"), "fee": usd("3.20"), "net": usd("96.80")},
        {"created_on": DAY.replace(day=15)},
        {"source": "ch_Invented0002", "charge": "ch_Invented0002"},
        {"purpose": "DETENTION"},
    ],
)
def test_the_same_balance_transaction_with_another_content_is_a_conflict(
    furnished: Session, facts: dict[str, Any]
) -> None:
    other = changed(CHARGE, **facts)
    with nothing_written(furnished), pytest.raises(SourceKeyConflict):
        kept(furnished, CHARGE, other)
    kept(furnished, CHARGE)

    with nothing_written(furnished), pytest.raises(SourceKeyConflict) as refusal:
        kept(furnished, FEE, other)

    assert refusal.value.data == {"movement": 2}


def test_a_purpose_that_was_added_after_its_gift_came_is_no_contradiction(furnished: Session) -> None:
    kept(furnished, changed(CHARGE, purpose=None))

    assert kept(furnished, CHARGE) == [False]


def test_one_charge_under_two_balance_transactions_is_a_conflict(furnished: Session) -> None:
    other = changed(CHARGE, balance_transaction="txn_Other0001")
    with nothing_written(furnished), pytest.raises(BookedElsewhere):
        kept(furnished, CHARGE, other)
    kept(furnished, CHARGE)

    with nothing_written(furnished), pytest.raises(BookedElsewhere) as refusal:
        kept(furnished, FEE, other)

    assert refusal.value.data == {"category": "charge", "movement": 2}


def test_fees_have_no_source_and_are_told_apart_by_their_balance_transactions(furnished: Session) -> None:
    assert kept(furnished, *(a_fee(eur("1.00"), nth=nth) for nth in (1, 2, 2))) == [True, True, False]


def test_without_a_leaf_nothing_is_kept(furnished: Session) -> None:
    def leaf_of(currency: str) -> str:
        raise NoLeaf("no leaf", currency=currency)

    with nothing_written(furnished), pytest.raises(NoLeaf) as refusal:
        keep(furnished, [CHARGE], leaf_of=leaf_of)

    assert refusal.value.data == {"currency": "EUR", "movement": 1}


def test_the_total_and_the_newest_day_are_of_one_leaf(furnished: Session) -> None:
    assert (total(furnished, CARD_LEAF, currency="EUR"), newest_on(furnished, CARD_LEAF)) == (eur("0.00"), None)

    kept(furnished, CHARGE, changed(REFUND, created_on=DAY.replace(day=20)))
    kept(furnished, a_charge(usd("7.00"), nth=9), leaf=USD_CARD_LEAF)

    assert total(furnished, CARD_LEAF, currency="EUR") == eur("56.80")
    assert newest_on(furnished, CARD_LEAF) == DAY.replace(day=20)
