"""Payouts among the credits of a bank statement: recognised when only one can be meant, never guessed."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import accounts, balances
from ledger.exceptions import Difference
from ledger.giving import donations, payouts, purposes
from ledger.money import Money
from ledger.reconciliation import bank, statements
from ledger.reconciliation.bank import Outcome
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookkeeping import EUR_LEAF, RECORDER
from tests.cards import DAY, TRANSIT, a_charge, a_payout, book, furnish
from tests.cast import NOW, eur, nothing_written

PAID = eur("96.80")
NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture
def furnished(founded: Session) -> Session:
    """A gift of 200.00 for fines by card, its fee of 6.40 borne by general."""
    furnish(founded)
    book(founded, a_charge(eur("200.00"), fee=eur("6.40")))
    return founded


def credited(amount: Money, *, on: date = NEXT_DAY, reference: str | None = None, reversal: bool = False) -> NewLine:
    return NewLine(on, None, amount, reference, reversal)


def receive(session: Session, *lines: NewLine, content: str = "ab", account: str = EUR_LEAF) -> Outcome:
    said = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=account,
        currency=lines[0].amount.currency,
        opened_on=None,
        closed_on=None,
        opening=None,
        closing=None,
        content_token=content * 32,
        lines=lines,
    )
    return bank.receive(session, said, received_at=NOW, received_by=RECORDER)


def differences(session: Session) -> list[tuple[Difference, Money | None]]:
    return [(one.difference, one.amount()) for one in exceptions.listed(session)]


def states(session: Session) -> list[str]:
    return [payout.state for payout in payouts.listed(session)]


def is_a_gift(session: Session) -> bool:
    return any(gift.source is donations.Source.BANK for gift in donations.listed(session))


def test_a_credit_of_a_payouts_amount_is_that_payout_with_its_shares(furnished: Session) -> None:
    book(furnished, a_payout(PAID), a_payout(eur("50.00"), nth=2))

    outcome = receive(furnished, credited(PAID))

    assert (outcome.fresh, outcome.booked) == (1, 1)
    assert states(furnished) == [payouts.State.PAID, payouts.State.CREATED]
    assert balances.balance(furnished, EUR_LEAF, currency="EUR", fund="fines") == eur("100.00")
    assert balances.balance(furnished, EUR_LEAF, currency="EUR", fund="general") == eur("-3.20")
    assert balances.balance(furnished, TRANSIT, currency="EUR") == eur("50.00")
    assert statements.unmatched(furnished, EUR_LEAF) == []
    assert (differences(furnished), is_a_gift(furnished)) == ([], False)


def test_two_payouts_that_a_credit_can_be_are_not_guessed(furnished: Session) -> None:
    book(furnished, a_payout(eur("50.00")), a_payout(eur("50.00"), nth=2))

    outcome = receive(furnished, credited(eur("50.00")))

    assert (outcome.fresh, outcome.booked) == (1, 0)
    assert states(furnished) == [payouts.State.CREATED] * 2
    assert len(statements.unmatched(furnished, EUR_LEAF)) == 1
    assert (differences(furnished), is_a_gift(furnished)) == ([(Difference.AMBIGUOUS_PAYOUT, eur("50.00"))], False)


def test_a_second_credit_of_the_same_amount_is_a_gift(furnished: Session) -> None:
    book(furnished, a_payout(PAID))

    outcome = receive(furnished, credited(PAID), credited(PAID))

    assert outcome.booked == 2
    assert balances.balance(furnished, "2000", currency="EUR") == -PAID
    assert balances.balance(furnished, EUR_LEAF, currency="EUR") == PAID + PAID


@pytest.mark.parametrize(
    "line",
    [
        credited(PAID + eur("0.01")),
        credited(PAID, on=DAY - timedelta(days=1)),
        credited(PAID, on=DAY + timedelta(days=11)),
    ],
)
def test_another_amount_or_another_time_is_no_payout(furnished: Session, line: NewLine) -> None:
    book(furnished, a_payout(PAID))

    receive(furnished, line)

    assert (states(furnished), is_a_gift(furnished)) == ([payouts.State.CREATED], True)


def test_the_same_amount_in_another_currency_is_no_payout(furnished: Session) -> None:
    accounts.add_leaf(furnished, "1000:usd", name="A leaf", currency="USD")
    book(furnished, a_payout(PAID))

    receive(furnished, credited(Money(PAID.minor, "USD")), account="1000:usd")

    assert (states(furnished), is_a_gift(furnished)) == ([payouts.State.CREATED], True)


def test_a_gift_with_our_reference_is_no_payout(furnished: Session) -> None:
    book(furnished, a_payout(PAID))
    purpose = purposes.by_code(furnished, "FINES")
    assert purpose is not None

    receive(furnished, credited(PAID, reference=purpose.reference))

    assert (states(furnished), is_a_gift(furnished)) == ([payouts.State.CREATED], True)


def test_a_reversal_is_no_payout(furnished: Session) -> None:
    book(furnished, a_payout(PAID))

    receive(furnished, credited(PAID, reversal=True))

    assert states(furnished) == [payouts.State.CREATED]
    assert differences(furnished) == [(Difference.REVERSAL, PAID)]


def test_the_same_line_again_moves_nothing_twice(furnished: Session) -> None:
    book(furnished, a_payout(PAID))
    receive(furnished, credited(PAID))

    assert receive(furnished, credited(PAID), content="cd").fresh == 0
    with nothing_written(furnished):
        receive(furnished, credited(PAID))
