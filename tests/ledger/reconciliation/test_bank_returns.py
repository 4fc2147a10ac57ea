"""What the bank gives back, as its statements tell: booked when it is a whole payment, an exception when it is not."""

from typing import Any

import pytest

from ledger import exceptions
from ledger.aid import disbursements, obligations
from ledger.aid.disbursements import Disbursement
from ledger.aliases import Kind, draw
from ledger.books import balances
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import bank, statements
from ledger.reconciliation.bank import Outcome
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import LEAF, NOW, SECOND_LEAF, TODAY, House, byn, give


def receive(house: House, *lines: tuple[str, str | None], account: str = LEAF, reversal: bool = False) -> Outcome:
    """A statement of the leaf with these amounts and references."""
    new = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=account,
        currency="BYN",
        opened_on=None,
        closed_on=None,
        opening=None,
        closing=None,
        content_token=draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
        lines=[NewLine(TODAY, None, byn(amount), reference, reversal) for amount, reference in lines],
    )
    return bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def a_paid_payment(house: House) -> Disbursement:
    payment = a_released_payment(house)
    receive(house, ("-810.00", payment.reference))
    return payment


def a_released_payment(house: House) -> Disbursement:
    give(house.session, byn("810.00"))
    return house.a_released_payment()


def differences(house: House) -> list[tuple[Difference, Money | None]]:
    return [(one.difference, one.amount()) for one in exceptions.listed(house.session)]


def owed(house: House) -> Money:
    return balances.balance(house.session, "2100", currency="BYN")


@pytest.mark.parametrize("reversal", [False, True])
def test_a_payment_that_comes_back_whole_is_booked_and_owed_again(house: House, *, reversal: bool) -> None:
    payment = a_paid_payment(house)

    outcome = receive(house, ("810.00", payment.reference), reversal=reversal)

    assert (outcome.fresh, outcome.booked) == (1, 1)
    assert (payment.state, payment.returned_on) == (disbursements.State.RETURNED, TODAY)
    assert obligations.require(house.session, payment.obligation_alias).state is obligations.State.RECOGNISED
    assert (owed(house), differences(house)) == (byn("-810.00"), [])


def test_a_return_that_is_told_twice_is_booked_once(house: House) -> None:
    payment = a_paid_payment(house)
    receive(house, ("810.00", payment.reference))

    again = receive(house, ("810.00", payment.reference))

    assert (again.fresh, owed(house)) == (0, byn("-810.00"))


def test_a_second_return_of_the_same_payment_is_an_exception(house: House) -> None:
    payment = a_paid_payment(house)

    receive(house, ("810.00", payment.reference), ("810.00", payment.reference))

    assert differences(house) == [(Difference.PAYMENT_RETURNED, byn("810.00"))]
    assert owed(house) == byn("-810.00")


@pytest.mark.parametrize("amount", ["809.99", "810.01", "790.00"])
def test_less_or_more_than_the_payment_waits_for_a_person(house: House, amount: str) -> None:
    payment = a_paid_payment(house)

    receive(house, (amount, payment.reference))

    assert differences(house) == [(Difference.PAYMENT_RETURNED, byn(amount))]
    assert (payment.state, owed(house)) == (disbursements.State.PAID, byn("0.00"))


def test_what_comes_back_to_another_leaf_waits_for_a_person(house: House) -> None:
    payment = a_paid_payment(house)

    receive(house, ("810.00", payment.reference), account=SECOND_LEAF)

    assert differences(house) == [(Difference.PAYMENT_RETURNED, byn("810.00"))]
    assert payment.state is disbursements.State.PAID


def test_a_payment_and_its_return_in_one_statement_are_both_booked(house: House) -> None:
    payment = a_released_payment(house)

    outcome = receive(house, ("-810.00", payment.reference), ("810.00", payment.reference))

    assert (outcome.fresh, outcome.booked, differences(house)) == (2, 2, [])
    assert payment.state is disbursements.State.RETURNED


@pytest.mark.parametrize("together", [True, False])
def test_a_return_that_is_told_before_its_payment_is_booked_with_it(house: House, *, together: bool) -> None:
    payment = a_released_payment(house)
    back: Any = ("810.00", payment.reference)
    out: Any = ("-810.00", payment.reference)

    if together:
        receive(house, back, out)
    else:
        receive(house, back)
        receive(house, out)

    assert payment.state is disbursements.State.RETURNED
    assert (owed(house), differences(house)) == (byn("-810.00"), [])
    assert statements.unmatched(house.session, LEAF) == []
