from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, select

from ledger import exceptions
from ledger.aid import disbursements
from ledger.aid.disbursements import Disbursement
from ledger.aliases import Kind, draw
from ledger.books import balances, journal, spending
from ledger.books.journal import BadEntry, Entry
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference
from ledger.giving import donations, purposes
from ledger.money import Money
from ledger.reconciliation import bank, chain, statements
from ledger.reconciliation.bank import Outcome, Reconciliation
from ledger.reconciliation.statements import BadStatement, ContentConflict, NewLine, NewStatement
from tests.cast import LEAF, NOW, SECOND_LEAF, TODAY, House, byn, give, nothing_written, one_after_the_other, race

DAY = date(2020, 11, 20)


def line(amount: Money, *, on: date = DAY, reference: str | None = None, reversal: bool = False) -> NewLine:
    return NewLine(on, None, amount, reference, reversal)


def statement(*lines: NewLine, **other: Any) -> NewStatement:
    """November's statement of the main leaf; its content is another one each time unless told."""
    said: dict[str, Any] = {
        "alias": draw(Kind.STATEMENT),
        "account": LEAF,
        "currency": "BYN",
        "opened_on": date(2020, 11, 1),
        "closed_on": date(2020, 11, 20),
        "opening": None,
        "closing": None,
        "content_token": draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
    }
    return NewStatement(lines=lines, **(said | other))


def receive(house: House, new: NewStatement, *, session: Session | None = None) -> Outcome:
    return bank.receive(session or house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def differences(house: House) -> list[tuple[Difference, Money | None]]:
    return [(one.difference, one.amount()) for one in exceptions.listed(house.session)]


def a_payment(house: House) -> Disbursement:
    """A released payment of 810.00, with the money for it on the leaf."""
    give(house.session, byn("810.00"))
    return house.a_released_payment()


# --- what a line answers


def test_a_released_payment_seen_at_the_bank_is_paid(house: House) -> None:
    payment = a_payment(house)

    outcome = receive(house, statement(line(byn("-810.00"), reference=payment.reference)))

    assert (outcome.fresh, outcome.booked) == (1, 1)
    assert (payment.state, payment.paid_on) == (disbursements.State.PAID, DAY)
    assert statements.unmatched(house.session, LEAF) == []
    assert differences(house) == []


def test_a_gift_with_our_reference_goes_to_its_fund_and_another_is_unidentified(house: House) -> None:
    purpose = purposes.by_code(house.session, "FINES")
    assert purpose is not None

    outcome = receive(house, statement(line(byn("50.00"), reference=purpose.reference), line(byn("7.00"))))

    assert (outcome.fresh, outcome.booked) == (2, 2)
    assert [
        (one.fund_code, one.minor) for one in sorted(donations.listed(house.session), key=lambda one: one.minor)
    ] == [
        ("unassigned", 700),
        ("fines", 5_000),
    ]
    assert differences(house) == []


def test_the_entry_that_answers_a_line_bears_the_lines_key(house: House) -> None:
    receive(house, statement(line(byn("7.00"))))

    (entry,) = house.session.exec(select(Entry)).all()
    (match,) = house.session.exec(select(statements.Match)).all()
    assert entry.source_key == match.source_key == f"bank:{LEAF}:2020-11-20:700:1"
    assert match.entry_id == entry.id


DIFFERENT: dict[str, tuple[Callable[[Disbursement], NewLine], Difference]] = {
    "too much": (lambda one: line(byn("-810.01"), reference=one.reference), Difference.AMOUNT_DIFFERS),
    "too little": (lambda one: line(byn("-809.99"), reference=one.reference), Difference.AMOUNT_DIFFERS),
    "returned": (lambda one: line(byn("810.00"), reference=one.reference), Difference.PAYMENT_RETURNED),
    "reversed": (lambda one: line(byn("-810.00"), reference=one.reference, reversal=True), Difference.REVERSAL),
    "a debit of nobody's": (lambda _: line(byn("-810.00")), Difference.UNMATCHED_DEBIT),
    "a credit reversed": (lambda _: line(byn("5.00"), reversal=True), Difference.REVERSAL),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_a_line_does_not_answer_exactly_is_a_difference_with_its_amount(house: House, what: str) -> None:
    payment = a_payment(house)
    told, difference = DIFFERENT[what]

    outcome = receive(house, statement(told(payment)))

    assert (outcome.fresh, outcome.booked) == (1, 0)
    assert differences(house) == [(difference, told(payment).amount)]
    assert payment.state is disbursements.State.RELEASED
    assert len(statements.unmatched(house.session, LEAF)) == 1


def test_a_debit_that_names_a_gifts_purpose_answers_nothing(house: House) -> None:
    purpose = purposes.by_code(house.session, "FINES")
    assert purpose is not None

    receive(house, statement(line(byn("-5.00"), reference=purpose.reference)))

    assert differences(house)[0] == (Difference.UNMATCHED_DEBIT, byn("-5.00"))


def test_a_payment_that_left_from_another_leaf_is_a_difference(house: House) -> None:
    payment = a_payment(house)

    receive(house, statement(line(byn("-810.00"), reference=payment.reference), account=SECOND_LEAF))

    assert differences(house) == [(Difference.AMOUNT_DIFFERS, byn("-810.00"))]
    assert payment.state is disbursements.State.RELEASED


def test_money_that_left_before_its_release_is_a_difference(house: House) -> None:
    give(house.session, byn("810.00"))
    payment = house.an_approved_payment()

    receive(house, statement(line(byn("-810.00"), reference=payment.reference)))

    assert differences(house) == [(Difference.NOT_RELEASED, byn("-810.00"))]
    assert payment.state is disbursements.State.APPROVED


def test_a_payment_that_left_twice_is_paid_once_and_a_difference_once(house: House) -> None:
    payment = a_payment(house)
    give(house.session, byn("810.00"))

    told = line(byn("-810.00"), reference=payment.reference)
    outcome = receive(house, statement(told, told))

    assert (outcome.fresh, outcome.booked) == (2, 1)
    assert differences(house) == [(Difference.NOT_RELEASED, byn("-810.00"))]
    assert balances.balance(house.session, "2100", currency="BYN") == byn("0.00")


# --- once


def test_the_same_statement_again_changes_nothing_whatever_its_alias(house: House) -> None:
    new = statement(line(byn("7.00")), line(byn("-3.00")), content_token="ab" * 32)
    first = receive(house, new)

    for again in (new, statement(*new.lines, content_token="ab" * 32)):
        with nothing_written(house.session):
            outcome = receive(house, again)
        assert outcome == Outcome(first.statement, fresh=0, booked=0)


def test_a_statement_known_by_an_older_token_is_the_same_and_from_then_on_known_by_the_newest(house: House) -> None:
    lines = [line(byn("7.00")), line(byn("7.00"))]
    first = receive(house, statement(*lines, content_token="ab" * 32))

    again = receive(house, statement(*lines, content_token="cd" * 32, older_tokens=["ef" * 32, "ab" * 32]))
    without_old_keys = receive(house, statement(*lines, content_token="cd" * 32))

    assert again == without_old_keys == Outcome(first.statement, fresh=0, booked=0)
    assert len(chain.of_account(house.session, LEAF)) == 1


def test_an_older_token_of_a_statement_with_other_balances_is_refused(house: House) -> None:
    receive(house, statement(line(byn("7.00")), content_token="ab" * 32))
    other = statement(line(byn("7.00")), closing=byn("7.00"), content_token="cd" * 32, older_tokens=["ab" * 32])

    with nothing_written(house.session), pytest.raises(ContentConflict):
        receive(house, other)


def test_the_same_lines_in_another_file_are_booked_once(house: House) -> None:
    receive(house, statement(line(byn("7.00"))))

    outcome = receive(house, statement(line(byn("7.00")), line(byn("8.00"))))

    assert (outcome.fresh, outcome.booked) == (1, 1)
    assert balances.balance(house.session, LEAF, currency="BYN") == byn("15.00")


def test_one_statement_sent_twice_at_once_is_booked_once(house: House) -> None:
    new = statement(line(byn("7.00")), content_token="ab" * 32)

    answers = race(house.session, *[lambda own: receive(house, new, session=own)] * 3)

    assert sorted(answer.fresh for answer in answers if isinstance(answer, Outcome)) == [0, 0, 1]
    assert balances.balance(house.session, LEAF, currency="BYN") == byn("7.00")


def test_two_overlapping_statements_at_once_book_each_line_once(house: House) -> None:
    first, second = statement(line(byn("7.00"))), statement(line(byn("7.00")), line(byn("8.00")))

    answers = one_after_the_other(
        house.session,
        lambda own: receive(house, first, session=own),
        look=lambda own: statements.unmatched(own, LEAF),
        then=lambda own: receive(house, second, session=own),
    )

    assert [answer.fresh for answer in answers if isinstance(answer, Outcome)] == [1, 1]
    assert balances.balance(house.session, LEAF, currency="BYN") == byn("15.00")


def test_a_release_and_the_statement_that_pays_another_do_not_hold_each_other_up(house: House) -> None:
    payment = a_payment(house)
    give(house.session, byn("810.00"))
    ready = house.an_approved_payment()
    house.tell(ready)
    new = statement(line(byn("-810.00"), reference=payment.reference))

    def release(own: Session) -> None:
        disbursement = disbursements.require(own, ready.alias, lock=True)
        disbursements.release(own, disbursement, by="test", on=TODAY, recorded_at=NOW)

    answers = race(house.session, lambda own: receive(house, new, session=own).booked, release)

    assert answers == [1, None]
    assert spending.available(house.session, LEAF, currency="BYN") == byn("0.00")


# --- refusals


def test_a_statement_with_one_line_that_cannot_be_booked_is_refused_whole(house: House) -> None:
    payment = a_payment(house)
    good = line(byn("-810.00"), reference=payment.reference)

    for bad in (line(byn("7.00"), on=date(2020, 11, 22)), line(byn("7.00"), on=date(1989, 12, 31))):
        with nothing_written(house.session), pytest.raises(BadEntry):
            receive(house, statement(good, bad))
    with nothing_written(house.session), pytest.raises(BadStatement):
        receive(house, statement(good, line(byn("0.00"))))

    assert payment.state is disbursements.State.RELEASED
    assert receive(house, statement(good)).booked == 1


def test_a_file_of_one_account_imported_as_another_is_a_conflict(house: House) -> None:
    receive(house, statement(line(byn("7.00")), account=SECOND_LEAF, content_token="ab" * 32))

    with nothing_written(house.session), pytest.raises(ContentConflict):
        receive(house, statement(line(byn("7.00")), content_token="ab" * 32))


# --- the statement itself


def test_a_statement_that_adds_up_and_agrees_with_the_books_leaves_no_difference(house: House) -> None:
    give(house.session, byn("100.00"))

    receive(house, statement(line(byn("7.00")), line(byn("8.00")), opening=byn("100.00"), closing=byn("115.00")))

    assert differences(house) == []


def test_a_statement_that_does_not_add_up_is_a_difference_of_what_is_missing(house: House) -> None:
    give(house.session, byn("100.00"))

    receive(house, statement(line(byn("7.00")), opening=byn("100.00"), closing=byn("107.01")))

    assert differences(house) == [(Difference.STATEMENT_DOES_NOT_ADD_UP, byn("0.01"))]


def test_a_statement_without_balances_cannot_fail_to_add_up(house: House) -> None:
    receive(house, statement(line(byn("7.00")), opening=byn("100.00")))
    receive(house, statement(line(byn("9.00")), closing=None))

    assert differences(house) == []


def month(number: int, *, opening: str, closing: str) -> NewStatement:
    """A statement of a month without movements of its own: only its place in the chain matters."""
    moved = byn(closing) - byn(opening)
    lines = [line(moved, on=date(2020, number, 10))] if moved.minor else []
    return statement(
        *lines,
        opened_on=date(2020, number, 1),
        closed_on=date(2020, number, 20),
        opening=byn(opening),
        closing=byn(closing),
    )


@pytest.mark.parametrize(
    "order",
    [(8, 9, 10), (10, 9, 8), (9, 8, 10), (8, 10, 9)],
)
def test_a_gap_between_two_statements_is_found_in_whatever_order_they_come(
    house: House, order: tuple[int, ...]
) -> None:
    chain = {
        8: month(8, opening="0.00", closing="10.00"),
        9: month(9, opening="10.00", closing="20.00"),
        10: month(10, opening="25.00", closing="30.00"),
    }

    for number in order:
        receive(house, chain[number])

    found = exceptions.listed(house.session)
    assert [one.minor for one in found if one.difference is Difference.STATEMENT_MISSING] == [500]


def test_statements_that_follow_each_other_leave_no_difference(house: House) -> None:
    for new in (
        month(8, opening="0.00", closing="10.00"),
        month(9, opening="10.00", closing="10.00"),
        month(10, opening="10.00", closing="30.00"),
    ):
        receive(house, new)

    assert differences(house) == []


def test_a_leaf_below_zero_is_a_difference(house: House) -> None:
    payment = a_payment(house)
    spend(house, byn("5.00"))

    receive(house, statement(line(byn("-810.00"), reference=payment.reference)))

    assert differences(house) == [(Difference.BELOW_ZERO, byn("-5.00"))]
    assert payment.state is disbursements.State.PAID


def spend(house: House, amount: Money) -> None:
    """A fee leaves the leaf by an entry of its own."""
    journal.post(
        house.session,
        source_key="test:fee",
        kind="bank_fee",
        postings=[debit("6020", amount, "general"), credit(LEAF, amount, "general")],
        happened_on=DAY,
        recorded_at=NOW,
        recorded_by="test",
    )


# --- the reconciliation


def test_without_a_closing_balance_there_is_nothing_to_reconcile(house: House) -> None:
    receive(house, statement(line(byn("7.00"))))

    assert bank.reconcile(house.session, LEAF) is None
    assert bank.reconcile(house.session, SECOND_LEAF) is None


def test_books_and_bank_agree_but_for_lines_that_are_differences_themselves(house: House) -> None:
    give(house.session, byn("100.00"))

    receive(house, statement(line(byn("-3.00")), line(byn("7.00")), opening=byn("100.00"), closing=byn("104.00")))

    assert bank.reconcile(house.session, LEAF) == Reconciliation(
        account=LEAF,
        currency="BYN",
        on=date(2020, 11, 20),
        per_bank=byn("104.00"),
        coming=byn("0.00"),
        going=byn("0.00"),
        not_booked=byn("-3.00"),
        per_books=byn("107.00"),
        difference=byn("0.00"),
    )
    assert differences(house) == [(Difference.UNMATCHED_DEBIT, byn("-3.00"))]


def test_what_the_books_have_and_the_bank_has_not_is_the_difference(house: House) -> None:
    give(house.session, byn("100.00"))

    receive(house, statement(opening=byn("90.00"), closing=byn("90.00")))

    found = bank.reconcile(house.session, LEAF)
    assert found is not None
    assert (found.per_bank, found.per_books, found.difference) == (byn("90.00"), byn("100.00"), byn("-10.00"))
    assert differences(house) == [(Difference.BALANCE_DIFFERS, byn("-10.00"))]


def test_what_happens_after_the_closing_day_does_not_count(house: House) -> None:
    give(house.session, byn("100.00"))
    receive(house, statement(opening=byn("100.00"), closing=byn("100.00"), closed_on=date(2020, 11, 10)))

    receive(house, statement(line(byn("7.00")), line(byn("-3.00")), closed_on=None))

    found = bank.reconcile(house.session, LEAF)
    assert found is not None
    assert (found.on, found.per_books, found.not_booked) == (date(2020, 11, 10), byn("100.00"), byn("0.00"))
