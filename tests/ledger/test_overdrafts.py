from datetime import date

import pytest
from sqlmodel import Session

from ledger import exceptions, overdrafts
from ledger.books import exchange, holds
from ledger.books.holds import NewHold, Reserve
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, EUR_LEAF, OBLIGATION, a_gift, post
from tests.cast import NOW, TODAY, byn, eur, nothing_written

Found = tuple[Difference, str | None, str | None, Money | None]


def spend(session: Session, amount: Money, nth: int, *, fund: str = "fines", leaf: str = EUR_LEAF) -> None:
    """A fact: the bank took it."""
    postings = [debit("6020", amount, fund), credit(leaf, amount, fund)]
    with overdrafts.noted(session, on=TODAY):
        post(session, postings, source_key=f"test:spent:{nth}")


def promise(session: Session, amount: Money) -> None:
    new = NewHold(source_key="test:hold", reserves=Reserve.SPENDABLE, amount=amount, held_for=OBLIGATION, fund="fines")
    holds.place(session, new, on=TODAY)


def found(session: Session) -> list[Found]:
    listed = exceptions.listed(session)
    return sorted(((o.difference, o.account_code, o.fund_code, o.amount()) for o in listed), key=str)


def test_what_stays_above_zero_opens_nothing(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))

    spend(founded, eur("100.00"), 1)

    assert exceptions.listed(founded) == []


def test_a_fact_that_takes_a_fund_below_what_it_promised_is_booked_and_opens_one_exception(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))
    promise(founded, eur("60.00"))

    spend(founded, eur("50.00"), 1)
    spend(founded, eur("5.00"), 2)

    assert found(founded) == [(Difference.BELOW_ZERO, EUR_LEAF, "fines", eur("-10.00"))]


def test_a_leaf_below_zero_opens_one_exception_though_its_fund_has_enough(founded: Session) -> None:
    post(founded, a_gift(byn("1000.00")))
    post(founded, a_gift(eur("100.00"), fund="general"), source_key="test:2")
    exchange.add(
        founded, "BYN", on=TODAY, value=exchange.parse("0.33"), source="nbrb", recorded_at=NOW, recorded_by="test"
    )

    spend(founded, eur("130.00"), 1)
    spend(founded, eur("1.00"), 2)

    assert found(founded) == [(Difference.BELOW_ZERO, EUR_LEAF, None, eur("-30.00"))]


def test_each_leaf_and_each_fund_has_its_own(founded: Session) -> None:
    spend(founded, eur("1.00"), 1)
    spend(founded, byn("2.00"), 2, fund="general", leaf=BYN_LEAF)

    assert [one[:3] for one in found(founded)] == sorted(
        [
            (Difference.BELOW_ZERO, EUR_LEAF, None),
            (Difference.BELOW_ZERO, EUR_LEAF, "fines"),
            (Difference.BELOW_ZERO, BYN_LEAF, None),
            (Difference.BELOW_ZERO, BYN_LEAF, "general"),
        ],
        key=str,
    )


def test_what_was_resolved_and_falls_again_opens_again(founded: Session) -> None:
    spend(founded, eur("1.00"), 1)
    for one in exceptions.listed(founded):
        one.resolved_on = TODAY
        founded.add(one)

    spend(founded, eur("1.00"), 2)

    assert [one[3] for one in found(founded)] == [eur("-2.00"), eur("-2.00")]


def test_money_that_comes_in_opens_nothing_though_all_is_below_zero(founded: Session) -> None:
    post(founded, [debit("6020", eur("9.00"), "fines"), credit(EUR_LEAF, eur("9.00"), "fines")])

    with overdrafts.noted(founded, on=TODAY):
        post(founded, a_gift(eur("1.00")), source_key="test:2")

    assert exceptions.listed(founded) == []


def test_a_fund_is_looked_at_over_all_its_currencies(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))
    post(founded, a_gift(byn("5.00"), fund="general"), source_key="test:2")
    exchange.add(
        founded, "BYN", on=TODAY, value=exchange.parse("0.33"), source="nbrb", recorded_at=NOW, recorded_by="test"
    )

    spend(founded, byn("5.00"), 1, leaf=BYN_LEAF)
    between = exceptions.listed(founded)
    promise(founded, eur("100.00"))
    spend(founded, eur("0.35"), 2)

    assert between == []
    assert found(founded) == [(Difference.BELOW_ZERO, EUR_LEAF, "fines", eur("-2.00"))]


def test_without_a_rate_the_fact_is_booked_and_the_missing_currency_told(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))
    post(founded, a_gift(byn("5.00"), fund="general"), source_key="test:2")

    spend(founded, byn("5.00"), 1, leaf=BYN_LEAF)

    assert found(founded) == [(Difference.BELOW_ZERO, BYN_LEAF, "fines", byn("-5.00"))]


def test_a_block_that_is_refused_opens_nothing(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(ZeroDivisionError), overdrafts.noted(founded, on=date(2020, 11, 20)):
        raise ZeroDivisionError
