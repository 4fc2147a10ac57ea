"""What the bank carries out after two people had ended it as failed."""

from collections.abc import Callable

import pytest

from ledger.aid.advances import Advance
from ledger.aid.disbursements import AlreadyRequested, Disbursement, DisbursementNotReady
from ledger.aid.order_failures import Order
from ledger.aid.outlays import OverOwed, Repayment
from ledger.books import holds
from ledger.errors import Conflict, LedgerError
from ledger.exceptions import Difference
from ledger.reconciliation.answers import Answer, Because
from tests.bookcheck import found
from tests.cast import House, nothing_written
from tests.courts import USD_LEAF, a_case, open_dollars
from tests.office import on_one_database
from tests.saying import resolve, say, saying, shown
from tests.unexecuted import (
    a_payment,
    a_released_advance,
    an_approved_repayment,
    approve_repayment,
    ask_for_repayment,
    end,
)

CHECKS = {
    "payments-held",
    "advances-held",
    "outlays-held",
    "payments",
    "cases",
    "signed",
    "orders-failed",
    "resolutions",
}


def refused(house: House, error: type[LedgerError], *said: object) -> None:
    with nothing_written(house.session), pytest.raises(error):
        say(house, saying(*said))  # type: ignore[arg-type]  # what a resolution says, in its order


def ask_again(house: House, order: Order) -> Order:
    """The same is asked for, and waits for the bank, under another reference."""
    if isinstance(order, Disbursement):
        return house.a_requested_payment(of=house.case_of(order))
    assert isinstance(order, Repayment)
    return approve_repayment(house, ask_for_repayment(house, order.agent_alias))


@pytest.mark.parametrize("make", [a_payment, a_released_advance, an_approved_repayment])
def test_what_the_bank_carries_out_all_the_same_waits_and_is_the_payment_if_two_people_say_so(
    house: House, make: Callable[[House], Order]
) -> None:
    order = make(house)
    end(house, order)

    opened = shown(house, -order.amount(), order.reference, leaf=order.account_code)

    assert (opened.difference, opened.minor) == (Difference.NOT_RELEASED, -order.minor)
    assert order.state == "failed"
    refused(house, Conflict, opened.alias, Answer.PAYMENT, order.alias, order.amount())
    resolve(house, opened.alias, Answer.CARRIED_OUT, order.alias, order.amount(), Because.TOLD_BY_BANK)
    assert order.state == ("sent" if isinstance(order, Advance) else "paid")
    assert holds.open_for(house.session, order.alias) == []
    assert found(house.session, by=CHECKS) == []


@pytest.mark.parametrize(("make", "refusal"), [(a_payment, AlreadyRequested), (an_approved_repayment, OverOwed)])
def test_what_was_asked_for_again_is_not_paid_twice_by_saying_so(
    house: House, make: Callable[[House], Order], refusal: type[LedgerError]
) -> None:
    order = make(house)
    end(house, order)
    ask_again(house, order)
    opened = shown(house, -order.amount(), order.reference)

    refused(house, refusal, opened.alias, Answer.CARRIED_OUT, order.alias, order.amount())

    if isinstance(order, Disbursement):
        resolve(house, opened.alias, Answer.EXPECTED_BACK, order.alias, order.amount(), Because.TOLD_BY_BANK)
        assert found(house.session, by=CHECKS) == []


@on_one_database
def test_bail_that_left_late_is_no_posted_bail(house: House) -> None:
    open_dollars(house)
    bail = house.a_released_payment(of=a_case(house, "1500.00"), leaf=USD_LEAF)
    end(house, bail)
    late = shown(house, -bail.amount(), bail.reference, leaf=USD_LEAF)

    refused(house, DisbursementNotReady, late.alias, Answer.CARRIED_OUT, bail.alias, bail.amount())

    resolve(house, late.alias, Answer.EXPECTED_BACK, bail.alias, bail.amount(), Because.TOLD_BY_BANK)
