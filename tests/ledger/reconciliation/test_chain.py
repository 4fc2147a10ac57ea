from datetime import date
from typing import Any

import pytest

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import bank, chain, statements
from ledger.reconciliation.bank import Outcome
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookcheck import found
from tests.cast import LEAF, NOW, House, byn


def day(number: int) -> date:
    return date(2020, 11, number)


def tell(
    house: House, opened: int | None, closed: int, *lines: str, opening: str | None, on: int | None = None
) -> Outcome:
    """A statement of November of so many lines of its last day, or of the day `on`."""
    amounts = [byn(line) for line in lines]
    start = None if opening is None else byn(opening)
    facts: dict[str, Any] = {
        "alias": draw(Kind.STATEMENT),
        "account": LEAF,
        "currency": "BYN",
        "opened_on": None if opened is None else day(opened),
        "closed_on": day(closed),
        "opening": start,
        "closing": None if start is None else sum(amounts, start),
        "content_token": draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
        "lines": [NewLine(day(on or closed), None, amount, None, reversal=False) for amount in amounts],
    }
    return bank.receive(house.session, NewStatement(**facts), received_at=NOW, received_by=house.fund.clara.alias)


def breaks(house: House) -> list[tuple[Difference, Money | None]]:
    return [
        (one.difference, one.amount()) for one in exceptions.listed(house.session) if one.difference in chain.BREAKS
    ]


# --- what follows


def test_statements_that_follow_each_other_break_nowhere_in_whatever_order_they_come(house: House) -> None:
    tell(house, 3, 3, "5.00", opening="30.00")
    tell(house, 1, 1, "10.00", opening="0.00")
    tell(house, 2, 2, "20.00", opening="10.00")

    assert breaks(house) == []
    assert found(house.session, by={"statements", "exceptions"}) == []


def test_a_missing_statement_is_a_gap_by_its_amount_until_it_comes(house: House) -> None:
    tell(house, 1, 1, "10.00", opening="0.00")
    tell(house, 3, 3, "5.00", opening="30.00")
    told = breaks(house)

    tell(house, 2, 2, "20.00", opening="10.00")

    assert told == [(Difference.STATEMENT_MISSING, byn("20.00"))]
    assert breaks(house) == []
    assert found(house.session, by={"statements", "exceptions"}) == []


def test_the_next_day_that_opens_otherwise_does_not_follow(house: House) -> None:
    tell(house, 1, 1, "10.00", opening="0.00")
    tell(house, 2, 2, "5.00", opening="11.00")

    assert breaks(house) == [(Difference.STATEMENT_DOES_NOT_FOLLOW, byn("1.00"))]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_statements_of_one_day_are_ordered_by_their_balances(house: House, order: tuple[int, ...]) -> None:
    of_the_day = [("10.00", "1.00"), ("11.00", "2.00"), ("13.00", "-3.00")]
    tell(house, 1, 1, "10.00", opening="0.00")
    for nth in order:
        opening, line = of_the_day[nth]
        tell(house, 2, 2, line, opening=opening)

    opens_with = [one.opening_minor for one in chain.of_account(house.session, LEAF)]
    assert opens_with == [0, 1_000, 1_100, 1_300]
    newest = chain.newest_with_balance(house.session, LEAF)
    assert newest is not None
    assert newest.closing_minor == 1_000
    assert breaks(house) == []


def test_a_month_told_after_its_days_breaks_nothing_and_brings_nothing(house: House) -> None:
    tell(house, 1, 1, "10.00", opening="0.00")
    tell(house, 2, 2, "5.00", opening="10.00")
    facts = [NewLine(day(1), None, byn("10.00"), None, False), NewLine(day(2), None, byn("5.00"), None, False)]
    month = NewStatement(
        draw(Kind.STATEMENT), LEAF, "BYN", day(1), day(30), byn("0.00"), byn("15.00"), "ab" * 32, facts
    )

    outcome = bank.receive(house.session, month, received_at=NOW, received_by=house.fund.clara.alias)

    assert outcome.fresh == 0
    assert breaks(house) == []


def test_a_statement_that_begins_amid_another_is_held_against_its_lines(house: House) -> None:
    tell(house, 1, 10, "10.00", opening="0.00", on=3)
    tell(house, 5, 15, "1.00", opening="10.00")
    fits = breaks(house)

    tell(house, 6, 16, "2.00", opening="12.00")

    assert fits == []
    assert breaks(house) == [(Difference.STATEMENTS_OVERLAP, byn("2.00"))]


def test_what_a_bank_does_not_tell_is_not_held_against_it(house: House) -> None:
    tell(house, 1, 1, "10.00", opening=None)
    tell(house, 2, 2, "5.00", opening="11.00")
    tell(house, None, 3, "5.00", opening=None)

    assert breaks(house) == []


# --- the same line never twice, two lines always


def test_the_same_day_in_another_format_brings_no_line_and_breaks_nothing(house: House) -> None:
    """MT940 dates its opening balance by the day before, and may book a line a day later than CAMT does."""
    tell(house, 4, 5, "10.00", "10.00", "-3.00", opening="0.00")

    again = tell(house, 5, 5, "10.00", "-3.00", "10.00", opening="0.00", on=4)

    assert again.fresh == 0
    assert len(statements.unmatched(house.session, LEAF)) == 1  # the debit, once
    assert breaks(house) == []


def test_two_equal_lines_of_a_day_told_by_two_statements_that_follow_are_two(house: House) -> None:
    tell(house, 5, 5, "10.00", opening="0.00")

    second = tell(house, 5, 5, "10.00", opening="10.00")
    retold = tell(house, 5, 5, "10.00", "10.00", opening="0.00")

    assert (second.fresh, retold.fresh) == (1, 0)
    assert breaks(house) == []


def test_a_line_of_an_earlier_day_is_another_when_the_statements_lie_apart(house: House) -> None:
    tell(house, 1, 5, "10.00", opening="0.00")

    late = tell(house, 6, 7, "10.00", opening="10.00", on=5)

    assert late.fresh == 1


def test_statements_that_may_overlap_tell_the_same_line_once(house: House) -> None:
    tell(house, None, 5, "10.00", opening=None)

    assert tell(house, 1, 6, "10.00", opening="0.00", on=5).fresh == 0
    assert tell(house, 5, 6, "10.00", opening="0.00", on=5).fresh == 0
