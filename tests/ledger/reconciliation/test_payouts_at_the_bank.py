"""Payouts among the credits of a bank statement: recognised when only one can be meant, never guessed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import accounts, balances
from ledger.errors import LedgerError
from ledger.exceptions import Difference
from ledger.giving import donations, payouts, purposes
from ledger.giving.movements import Movement
from ledger.money import Money
from ledger.reconciliation import bank, processor, statements
from ledger.reconciliation.bank import Outcome
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookcheck import found
from tests.bookkeeping import BYN_LEAF, EUR_LEAF, RECORDER
from tests.cards import (
    DAY,
    TRANSIT,
    a_charge,
    a_payout,
    a_payout_failure,
    a_top_up,
    a_top_up_reversal,
    book,
    changed,
    furnish,
    paying_out,
)
from tests.cast import NOW, byn, eur, nothing_written

PAID = eur("96.80")
NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture
def card_book(founded: Session) -> Session:
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


def test_a_credit_of_a_payouts_amount_is_that_payout_with_its_shares(card_book: Session) -> None:
    book(card_book, a_payout(PAID), a_payout(eur("50.00"), nth=2))

    outcome = receive(card_book, credited(PAID))

    assert (outcome.fresh, outcome.booked) == (1, 1)
    assert states(card_book) == [payouts.State.PAID, payouts.State.CREATED]
    assert balances.balance(card_book, EUR_LEAF, currency="EUR", fund="fines") == eur("100.00")
    assert balances.balance(card_book, EUR_LEAF, currency="EUR", fund="general") == eur("-3.20")
    assert balances.balance(card_book, TRANSIT, currency="EUR") == eur("50.00")
    assert statements.unmatched(card_book, EUR_LEAF) == []
    assert (differences(card_book), is_a_gift(card_book)) == ([], False)


def test_two_payouts_that_a_credit_can_be_are_not_guessed(card_book: Session) -> None:
    book(card_book, a_payout(eur("50.00")), a_payout(eur("50.00"), nth=2))

    outcome = receive(card_book, credited(eur("50.00")))

    assert (outcome.fresh, outcome.booked) == (1, 0)
    assert states(card_book) == [payouts.State.CREATED] * 2
    assert len(statements.unmatched(card_book, EUR_LEAF)) == 1
    assert (differences(card_book), is_a_gift(card_book)) == ([(Difference.AMBIGUOUS_PAYOUT, eur("50.00"))], False)


def naming(amount: Money, nth: int) -> NewLine:
    """A credit whose text names a payout by its id."""
    return NewLine(NEXT_DAY, None, amount, None, reversal=False, payout=payouts.digest(f"po_Invented{nth:04d}"))


def test_a_credit_that_names_its_payout_is_that_one(card_book: Session) -> None:
    book(card_book, a_payout(eur("50.00")), a_payout(eur("50.00"), nth=2))

    outcome = receive(card_book, naming(eur("50.00"), 2))

    assert outcome.booked == 1
    assert states(card_book) == [payouts.State.CREATED, payouts.State.PAID]
    assert differences(card_book) == []


def test_a_credit_that_names_a_payout_waits_for_it_and_is_no_gift(card_book: Session) -> None:
    outcome = receive(card_book, naming(eur("50.00"), 2))
    book(card_book, a_payout(eur("50.00")))
    before = bank.look_again(card_book, recorded_at=NOW, recorded_by=RECORDER)
    book(card_book, a_payout(eur("50.00"), nth=2))

    assert (outcome.booked, before, is_a_gift(card_book)) == (0, 0, False)
    assert bank.look_again(card_book, recorded_at=NOW, recorded_by=RECORDER) == 1
    assert states(card_book) == [payouts.State.CREATED, payouts.State.PAID]
    assert differences(card_book) == []


def test_what_had_left_and_comes_back_is_no_gift_though_the_bank_does_not_say_so(card_book: Session) -> None:
    trace = ("cd" * 32,)
    receive(card_book, NewLine(DAY, None, eur("-9.00"), None, reversal=False, traces=trace))

    receive(card_book, NewLine(NEXT_DAY, None, eur("9.00"), None, reversal=False, traces=trace), content="ef")

    assert {one for one, _ in differences(card_book)} == {Difference.UNMATCHED_DEBIT, Difference.REVERSAL}
    assert not is_a_gift(card_book)
    with nothing_written(card_book), pytest.raises(LedgerError):
        receive(card_book, NewLine(NEXT_DAY, None, eur("9.00"), None, reversal=False, traces=("po_1",)), content="ba")


def test_a_second_credit_of_the_same_amount_is_a_gift(card_book: Session) -> None:
    book(card_book, a_payout(PAID))

    outcome = receive(card_book, credited(PAID), credited(PAID))

    assert outcome.booked == 2
    assert balances.balance(card_book, "2000", currency="EUR") == -PAID
    assert balances.balance(card_book, EUR_LEAF, currency="EUR") == PAID + PAID


@pytest.mark.parametrize(
    "line",
    [
        credited(PAID + eur("0.01")),
        credited(PAID, on=DAY - timedelta(days=1)),
        credited(PAID, on=DAY + timedelta(days=11)),
    ],
)
def test_another_amount_or_another_time_is_no_payout(card_book: Session, line: NewLine) -> None:
    book(card_book, a_payout(PAID))

    receive(card_book, line)

    assert (states(card_book), is_a_gift(card_book)) == ([payouts.State.CREATED], True)


def test_the_same_amount_in_another_currency_is_no_payout(card_book: Session) -> None:
    accounts.add_leaf(card_book, "1000:usd", name="A leaf", currency="USD")
    book(card_book, a_payout(PAID))

    receive(card_book, credited(Money(PAID.minor, "USD")), account="1000:usd")

    assert (states(card_book), is_a_gift(card_book)) == ([payouts.State.CREATED], True)


def test_a_gift_with_our_reference_is_no_payout(card_book: Session) -> None:
    book(card_book, a_payout(PAID))
    purpose = purposes.by_code(card_book, "FINES")
    assert purpose is not None

    receive(card_book, credited(PAID, reference=purpose.reference))

    assert (states(card_book), is_a_gift(card_book)) == ([payouts.State.CREATED], True)


def test_a_reversal_is_no_payout(card_book: Session) -> None:
    book(card_book, a_payout(PAID))

    receive(card_book, credited(PAID, reversal=True))

    assert states(card_book) == [payouts.State.CREATED]
    assert differences(card_book) == [(Difference.REVERSAL, PAID)]


def test_a_payout_that_is_paid_again_leaves_the_first_to_its_own_end(card_book: Session) -> None:
    first, later = a_payout(PAID), DAY + timedelta(days=60)
    again = changed(first, balance_transaction="txn_PaidAgain0001", created_on=later)
    book(card_book, first)
    receive(card_book, credited(PAID))
    book(card_book, a_payout_failure(first, on=DAY + timedelta(days=5)), again)

    receive(card_book, credited(-PAID, on=later), content="cd")
    seen = receive(card_book, credited(PAID, on=later + timedelta(days=1)), content="ef")

    ended, standing = payouts.listed(card_book)
    assert (ended.state, ended.paid_on, ended.pulled_back_on) == (payouts.State.FAILED, NEXT_DAY, later)
    assert (standing.state, standing.paid_on, seen.booked) == (payouts.State.PAID, later + timedelta(days=1), 1)
    assert balances.balance(card_book, TRANSIT, currency="EUR") == eur("0.00")
    assert balances.balance(card_book, EUR_LEAF, currency="EUR") == PAID
    assert (differences(card_book), found(card_book)) == ([], [])


def test_of_two_under_one_id_a_credit_is_the_newer_and_a_debit_ends_the_older(card_book: Session) -> None:
    first = a_payout(PAID)
    again = changed(first, balance_transaction="txn_PaidAgain0001", created_on=NEXT_DAY)
    book(card_book, first, a_payout_failure(first, on=NEXT_DAY), again)

    one = receive(card_book, credited(PAID, on=DAY + timedelta(days=2)))
    other = receive(card_book, credited(PAID, on=DAY + timedelta(days=3)), content="cd")
    back = receive(card_book, credited(-PAID, on=DAY + timedelta(days=4)), content="ef")

    ended, standing = payouts.listed(card_book)
    assert (ended.paid_on, ended.pulled_back_on) == (DAY + timedelta(days=3), DAY + timedelta(days=4))
    assert (standing.state, standing.paid_on) == (payouts.State.PAID, DAY + timedelta(days=2))
    assert (one.booked, other.booked, back.booked) == (1, 1, 1)
    assert (differences(card_book), found(card_book)) == ([], [])


def test_the_same_line_again_moves_nothing_twice(card_book: Session) -> None:
    book(card_book, a_payout(PAID))
    receive(card_book, credited(PAID))

    assert receive(card_book, credited(PAID), content="cd").fresh == 0
    with nothing_written(card_book):
        receive(card_book, credited(PAID))


LATER = DAY + timedelta(days=4)
PAYOUT = a_payout(PAID)


def book_at_processor(session: Session, *moved: Movement) -> None:
    processor.receive(session, moved, received_at=NOW, received_by=RECORDER)


def in_transit(session: Session) -> Money:
    return balances.balance(session, TRANSIT, currency="EUR")


STEPS: dict[str, Callable[[Session], object]] = {
    "failed at the processor": lambda session: book_at_processor(session, a_payout_failure(PAYOUT, on=LATER)),
    "seen at the bank": lambda session: receive(session, credited(PAID), content="01"),
    "pulled back by the bank": lambda session: receive(session, credited(-PAID, on=LATER), content="02"),
}


@pytest.mark.parametrize("order", list(permutations(STEPS)), ids=" - ".join)
def test_a_payout_that_is_seen_fails_and_is_pulled_back_is_where_it_was_in_whatever_order(
    card_book: Session, order: tuple[str, ...]
) -> None:
    book_at_processor(card_book, PAYOUT)

    for step in order:
        STEPS[step](card_book)

    assert balances.balance(card_book, EUR_LEAF, currency="EUR") == eur("0.00")
    assert in_transit(card_book) == eur("0.00")
    (payout,) = payouts.listed(card_book)
    assert (payout.state, payout.paid_on, payout.pulled_back_on) == ("failed", NEXT_DAY, LATER)
    assert not {one for one, _ in differences(card_book)} - {Difference.BELOW_ZERO}


def test_a_credit_of_a_payout_that_waits_is_no_gift_and_is_booked_with_it(card_book: Session) -> None:
    late = a_charge(eur("50.00"), nth=2)
    book_at_processor(card_book, paying_out(late))
    receive(card_book, credited(eur("50.00")))
    assert (Difference.AMBIGUOUS_PAYOUT, eur("50.00")) in differences(card_book)

    book_at_processor(card_book, late)

    assert states(card_book) == ["paid"]
    assert balances.balance(card_book, EUR_LEAF, currency="EUR", fund="fines") == eur("50.00")
    assert [gift.state for gift in donations.listed(card_book) if gift.minor == 50_00] == [donations.State.SETTLED]
    assert Difference.AMBIGUOUS_PAYOUT not in dict(differences(card_book))


@pytest.mark.parametrize("bank_first", [True, False])
def test_a_top_up_is_seen_at_the_bank_before_or_after_the_processor_has_it(
    card_book: Session, *, bank_first: bool
) -> None:
    receive(card_book, credited(eur("40.00")), content="03")
    sides: list[Callable[[], object]] = [
        lambda: receive(card_book, credited(eur("-25.00")), content="04"),
        lambda: book_at_processor(card_book, a_top_up(eur("25.00"), on=NEXT_DAY)),
    ]

    for side in sides if bank_first else reversed(sides):
        side()

    assert (in_transit(card_book), balances.balance(card_book, EUR_LEAF, currency="EUR")) == (eur("0.00"), eur("15.00"))
    assert not {one for one, _ in differences(card_book)} - {Difference.BELOW_ZERO}


def test_a_payout_that_arrives_in_another_currency_is_split_as_it_left(card_book: Session) -> None:
    book_at_processor(card_book, changed(PAYOUT, arriving=byn("300.00")))

    receive(card_book, credited(byn("300.00")), account=BYN_LEAF)

    assert (states(card_book), in_transit(card_book)) == (["paid"], eur("0.00"))
    assert balances.balance(card_book, BYN_LEAF, currency="BYN") == byn("300.00")
    assert balances.balance(card_book, "3900", currency="EUR") == PAID


def test_a_payout_that_the_banks_statements_should_have_shown_is_an_exception_until_it_is(card_book: Session) -> None:
    book_at_processor(card_book, PAYOUT)
    after = payouts.LONGEST_WAY + timedelta(days=1)
    silent = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=EUR_LEAF,
        currency="EUR",
        opened_on=DAY,
        closed_on=DAY + after,
        opening=None,
        closing=None,
        content_token="05" * 32,
        lines=[],
    )
    bank.receive(card_book, silent, received_at=NOW, received_by=RECORDER)
    assert (Difference.PAYOUT_NOT_SEEN, PAID) in differences(card_book)

    receive(card_book, credited(PAID), content="06")

    assert Difference.PAYOUT_NOT_SEEN not in dict(differences(card_book))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_top_up_that_goes_back_is_where_it_was_in_whatever_order_its_sides_are_told(
    card_book: Session, order: tuple[int, ...]
) -> None:
    top_up = a_top_up(eur("25.00"), on=NEXT_DAY)
    sides: list[Callable[[], object]] = [
        lambda: receive(card_book, credited(eur("-25.00")), content="04"),
        lambda: book_at_processor(card_book, top_up),
        lambda: book_at_processor(card_book, a_top_up_reversal(top_up, on=NEXT_DAY)),
    ]
    for place in order:
        sides[place]()
    assert in_transit(card_book) == eur("25.00")

    receive(card_book, credited(eur("25.00"), on=NEXT_DAY + timedelta(days=2)), content="05")

    assert (in_transit(card_book), balances.balance(card_book, EUR_LEAF, currency="EUR")) == (eur("0.00"), eur("0.00"))
    assert (is_a_gift(card_book), {one for one, _ in differences(card_book)} - {Difference.BELOW_ZERO}) == (
        False,
        set(),
    )


@pytest.mark.parametrize(("days", "told"), [(10, []), (11, [Difference.PAYOUT_NOT_SEEN])])
def test_a_payout_is_missed_when_the_banks_statements_go_beyond_its_ten_days(
    card_book: Session, *, days: int, told: list[Difference]
) -> None:
    book(card_book, a_payout(PAID))
    day = DAY + timedelta(days=days)
    said = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=EUR_LEAF,
        currency="EUR",
        opened_on=DAY,
        closed_on=day,
        opening=eur("0.00"),
        closing=eur("0.00"),
        content_token="cd" * 32,
        lines=(),
    )
    bank.receive(card_book, said, received_at=NOW, received_by=RECORDER)

    processor.receive(card_book, [], received_at=datetime.combine(day, time(), UTC), received_by=RECORDER)

    assert [difference for difference, _ in differences(card_book)] == told
