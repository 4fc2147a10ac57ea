from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger import references
from ledger.aid import advances, agents, batches, disbursements, order_failures, payee_retention, payment_files
from ledger.aid.disbursements import Disbursement
from ledger.aid.order_failures import (
    NoOrderFailure,
    Order,
    OrderFailure,
    OrderFiled,
    OrderNotReady,
    Reason,
    UnknownOrder,
)
from ledger.aid.payment_files import NewPaymentFile, PaymentFile
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.books import holds, spending
from ledger.errors import Conflict
from ledger.money import Money
from tests import places, purses
from tests.bookcheck import found
from tests.cast import LEAF, NOW, TODAY, House, byn, eur, give, nothing_written, one_after_the_other
from tests.purses import EUR_LEAF, a_released_batch, items
from tests.unexecuted import (
    a_payment,
    a_released_advance,
    agree,
    an_approved_repayment,
    ask_for_repayment,
    end,
    on_order,
    tell,
)

pytestmark = pytest.mark.place("released_payment")

CHECKS = {
    *("payments-held", "advances-held", "outlays-held", "promises-held", "holds", "signed", "four-eyes", "acts"),
    *("orders-failed", "orders-forgotten", "payment-files", "payments", "cases", "batches"),
}


@pytest.fixture
def released(house: House) -> Disbursement:
    return places.the(house.session, Disbursement)


def a_file(house: House, *paying: Disbursement) -> PaymentFile:
    new = NewPaymentFile(
        alias=draw(Kind.PAYMENT_FILE),
        message_id=references.draw(),
        account=LEAF,
        references=[one.reference for one in paying],
        control_sum=sum((one.amount() for one in paying), byn("0.00")),
        commitment="ab" * 32,
    )
    return payment_files.register(house.session, new, by=house.fund.clara.alias, at=NOW)


def pay(session: Session, payment: Disbursement) -> None:
    told: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": "test"}
    disbursements.pay(session, payment, source_key=f"bank:{payment.alias}", **told)


def free(house: House, leaf: str, money: Money) -> None:
    """Nothing is held on the leaf any more, and so much may be spent from it; whatever is checked holds."""
    assert holds.held_on_leaf(house.session, leaf, currency=money.currency).minor == 0
    assert spending.available(house.session, leaf, currency=money.currency) == money
    assert found(house.session, by=CHECKS) == []


def test_a_payment_that_two_people_end_is_owed_again_and_asked_for_under_another_reference(
    house: House, released: Disbursement
) -> None:
    failure = end(house, released, because=Reason.BANK_REFUSED)

    assert (failure.told_by, failure.agreed_by) == (house.fund.clara.alias, house.fund.boris.alias)
    assert released.state is disbursements.State.FAILED
    free(house, LEAF, byn("5000.00"))
    again = house.a_released_payment(of=house.case_of(released))
    assert again.reference != released.reference
    assert again.amount() == released.amount()


@pytest.mark.place("verified_cases")
def test_a_line_of_a_batch_that_the_bank_did_not_pay_ends_alone(house: House) -> None:
    give(house.session, byn("5000.00"))
    batch = a_released_batch(house, None, LEAF, [house.a_verified_case(), house.a_verified_case()])
    first, second = (item.disbursement for item in items(house, batch))
    a_file(house, first, second)
    with nothing_written(house.session), pytest.raises(OrderFiled):
        tell(house, second)
    pay(house.session, first)

    end(house, second)

    assert (first.state, second.state) == (disbursements.State.PAID, disbursements.State.FAILED)
    assert batches.require(house.session, batch.alias).state is batches.State.RECONCILED
    free(house, LEAF, byn("4190.00"))


def test_a_file_of_which_the_bank_paid_nothing_is_withdrawn_first(house: House, released: Disbursement) -> None:
    tell(house, released)
    file = a_file(house, released)
    with nothing_written(house.session), pytest.raises(OrderFiled) as refusal:
        agree(house, released)
    assert refusal.value.data == {"order": released.alias, "file": file.alias}
    line = payment_files.lines_of(house.session, file.alias)[0]
    line.withdrawn = True

    agree(house, released)

    assert released.state is disbursements.State.FAILED


def test_an_advance_that_never_left_frees_its_leaf_its_funds_and_the_agents_cap(house: House) -> None:
    advance = a_released_advance(house)
    agent = agents.require(house.session, advance.agent_alias)

    end(house, advance)

    assert advance.state is advances.State.FAILED
    assert advances.exposure(house.session, agent) == eur("0.00")
    assert holds.open_for(house.session, advance.alias) == []
    free(house, EUR_LEAF, eur("10000.00"))


@pytest.mark.place("verified_cases")
def test_a_repayment_that_never_left_is_owed_again_and_its_payee_goes_in_time(house: House) -> None:
    repayment = an_approved_repayment(house)

    end(house, repayment)

    assert holds.open_for(house.session, repayment.alias) == []
    assert payee_retention.kept_until(repayment) is not None
    assert ask_for_repayment(house, repayment.agent_alias).reference != repayment.reference
    free(house, LEAF, byn("5000.00"))


def test_two_people_sign_the_same_reason(house: House, released: Disbursement) -> None:
    fund = house.fund
    with nothing_written(house.session), pytest.raises(NoOrderFailure):
        agree(house, released)
    with nothing_written(house.session), pytest.raises(NotInRole):
        tell(house, released, by=fund.boris)
    tell(house, released, because=Reason.NOT_HANDED_IN)
    told = tell(house, released)
    assert (told.number, released.state) == (2, disbursements.State.RELEASED)

    for refusal, lie in (
        (ActDiffers, {"because": Reason.NOT_HANDED_IN}),
        (ActDiffers, {"amount": "1.00"}),
        (ActDiffers, {"payee_commitment": "ab" * 32}),
        (ActDiffers, {"version": 1}),
        (SamePerson, {"by": fund.clara}),
        (NotInRole, {"by": fund.ana}),
    ):
        with nothing_written(house.session), pytest.raises(refusal):
            agree(house, released, **lie)


@pytest.mark.parametrize("statement", ["agreed_by = told_by, agreed_on = told_on", "agreed_by = 'OP-0000-0000-0001'"])
def test_the_database_refuses_one_person_and_a_name_without_a_day(
    house: House, released: Disbursement, statement: str
) -> None:
    tell(house, released)

    with pytest.raises(DBAPIError), house.session.begin_nested():
        house.session.connection().execute(text(f"UPDATE order_failure SET {statement}"))  # noqa: S608  # our words
    for change in ("told_by = 'OP-0000-0000-0001'", None):
        change_it = f"UPDATE order_failure SET {change}" if change else "DELETE FROM order_failure"  # noqa: S608
        with pytest.raises(DBAPIError, match="guard"), house.session.begin_nested():
            house.session.connection().execute(text(change_it))


@pytest.mark.parametrize("made", [a_payment, a_released_advance, an_approved_repayment])
def test_the_database_lets_no_order_fail_that_one_person_told_of(house: House, made: Callable[[House], Order]) -> None:
    order = made(house)
    tell(house, order)
    house.session.flush()
    past_it = f"UPDATE {order.__tablename__} SET state = 'failed' WHERE alias = '{order.alias}'"  # noqa: S608  # our own words

    with pytest.raises(DBAPIError, match="guard: an order has failed"), house.session.begin_nested():
        house.session.connection().execute(text(past_it))
    agree(house, order)

    assert order.state == "failed"


def test_what_is_no_order_of_the_bank_or_does_not_wait_is_not_ended(house: House, released: Disbursement) -> None:
    approved = house.an_approved_payment()
    pay(house.session, released)
    agent = purses.an_agent(house, cap=byn("9000.00"))
    through_agent = a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    (line,) = items(house, through_agent)
    for order in (approved, released, line.disbursement):
        with nothing_written(house.session), pytest.raises(OrderNotReady):
            tell(house, order)
    agreed = on_order(house, "tell_unexecuted", released, by=house.fund.clara)

    with nothing_written(house.session), pytest.raises(UnknownOrder):
        order_failures.tell(house.session, draw(Kind.CASE), because=Reason.BANK_REFUSED, agreed=agreed)


def test_what_was_told_is_not_agreed_to_once_the_bank_has_shown_it(house: House, released: Disbursement) -> None:
    tell(house, released)
    pay(house.session, released)

    with nothing_written(house.session), pytest.raises(OrderNotReady):
        agree(house, released)


def test_bank_and_second_person_at_once_one_of_them_is_first(house: House, released: Disbursement) -> None:
    tell(house, released)
    agreed = on_order(house, "agree_unexecuted", released, by=house.fund.boris)
    alias = released.alias

    def agree_to(session: Session) -> OrderFailure:
        return order_failures.agree(session, alias, agreed)

    def bank(session: Session) -> None:
        pay(session, disbursements.require(session, alias, lock=True))

    answers = one_after_the_other(
        house.session, bank, look=lambda session: disbursements.require(session, alias), then=agree_to
    )

    assert [type(answer) for answer in answers] == [type(None), OrderNotReady]


def test_an_order_that_never_failed_is_not_taken_up_again(house: House, released: Disbursement) -> None:
    advance = a_released_advance(house)
    for order in (released, advance):
        with nothing_written(house.session), pytest.raises(Conflict):
            order_failures.take_up(house.session, order, on=TODAY)
