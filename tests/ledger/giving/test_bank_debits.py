"""Payouts below zero: what refunds and fees took beyond the gifts, the processor takes from the bank."""

from datetime import timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from ledger import exceptions
from ledger.books.balances import balance
from ledger.exceptions import Difference
from ledger.giving.bookings import Reason
from ledger.giving.movements import Movement
from ledger.money import Money
from ledger.reconciliation import processor
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF, EUR_LEAF, RECORDER
from tests.cards import DAY, TRANSIT, a_charge, a_fee, a_payout, a_refund, book, changed, paying_out
from tests.cast import NOW, eur
from tests.ledger.reconciliation.test_payouts_at_the_bank import credited, receive

CHARGE = a_charge(eur("50.00"))
PAID = paying_out(CHARGE)
REFUND, FEE = a_refund(CHARGE, eur("50.00")), a_fee(eur("3.00"))
DEBIT = changed(a_payout(eur("-53.00"), nth=2), transactions=(REFUND.balance_transaction, FEE.balance_transaction))
BACK = changed(a_payout(eur("53.00"), nth=3), category="payout_reversal", source=DEBIT.source, transactions=None)


def book_as_pulled(session: Session, *some: Movement) -> None:
    processor.receive(session, some, received_at=NOW, received_by=RECORDER)


def shares(session: Session, account: str) -> dict[str, Money]:
    funds = {fund: balance(session, account, currency="EUR", fund=fund) for fund in ("fines", "general")}
    return {fund: money for fund, money in funds.items() if money.minor}


@pytest.mark.parametrize("order", list(permutations((REFUND, FEE, DEBIT))))
def test_each_fund_gives_back_what_its_own_took(card_book: Session, order: tuple[Movement, ...]) -> None:
    book(card_book, CHARGE, PAID)
    for movement in order:
        book(card_book, movement)

    assert shares(card_book, CARD_LEAF) == {}
    assert shares(card_book, TRANSIT) == {"general": eur("-3.00")}  # fines' 50.00 are on their way there, and back
    assert found(card_book) == []


@pytest.mark.parametrize("bank_first", [True, False])
def test_the_banks_debit_is_the_end_of_it(card_book: Session, *, bank_first: bool) -> None:
    book_as_pulled(card_book, CHARGE, REFUND, FEE)
    line = credited(eur("-53.00"), on=DAY + timedelta(days=2))
    first, second = (receive, book_as_pulled) if bank_first else (book_as_pulled, receive)
    for tell in (first, second):
        tell(card_book, line if tell is receive else DEBIT)  # type: ignore[arg-type]  # each its own

    assert shares(card_book, TRANSIT) == {}
    assert shares(card_book, EUR_LEAF) == {"fines": eur("-50.00"), "general": eur("-3.00")}
    assert [one for one in exceptions.listed(card_book) if one.difference is not Difference.BELOW_ZERO] == []


@pytest.mark.parametrize("order", [(DEBIT, BACK), (BACK, DEBIT)])
def test_one_that_fails_goes_back_as_it_came(card_book: Session, order: tuple[Movement, ...]) -> None:
    book(card_book, CHARGE, PAID, REFUND, FEE)
    before = shares(card_book, CARD_LEAF)
    for movement in order:
        book(card_book, movement)

    assert shares(card_book, CARD_LEAF) == before
    assert found(card_book) == []
    (again,) = book(card_book, changed(BACK, balance_transaction="txn_Again0001"))
    assert again.reason is Reason.TWICE


def test_one_that_somebody_asked_for_comes_from_who_is_below_zero(card_book: Session) -> None:
    book(card_book, CHARGE, PAID, REFUND, FEE, changed(DEBIT, transactions=None))

    assert shares(card_book, CARD_LEAF) == {}
    (again,) = book(card_book, changed(DEBIT, balance_transaction="txn_Again0001", transactions=None))
    assert again.reason is Reason.TWICE
