"""A fine that became less after it was paid, and whose payment comes back whole: only the rest is owed again."""

from typing import Any

import pytest

from ledger.aid import disbursements, obligations, quashing, refunds, rulings
from ledger.aid.disbursements import Disbursement, DisbursementNotReady, Payee
from ledger.aid.obligations import Obligation, State
from ledger.aliases import Kind, draw
from ledger.books import balances
from ledger.money import Money
from ledger.reconciliation.answers import Answer, Because
from tests.bookcheck import found
from tests.cast import LEAF, NOW, TODAY, House, byn, give, nothing_written
from tests.saying import resolve, say, saying, show, shown

pytestmark = pytest.mark.place("verified_cases")

BOOKED = (
    "approved-assistance",
    "refunds-receivable",
    "recoverable-from-others",
    "payments",
    "returned",
    "quashed",
    "cases",
    "overpaid",
)


def standing(house: House, *accounts: str) -> list[Money]:
    return [balances.balance(house.session, account, currency="BYN") for account in accounts]


def a_part(house: House, owed: Obligation, amount: str) -> Disbursement:
    """Asked for, agreed to and released, and shown by the bank."""
    alias, session = draw(Kind.DISBURSEMENT), house.session
    told: dict[str, Any] = {"payee": Payee.AUTHORITY, "payee_commitment": "0" * 64, "fund": "fines", "account": LEAF}
    part = disbursements.request(
        session, alias, obligation=owed, amount=byn(amount), requested_by=house.fund.clara.alias, **told
    )
    disbursements.approve(session, part, by=house.fund.boris.alias, on=TODAY)
    house.tell(part)
    disbursements.release(session, part, by=house.fund.clara.alias, on=TODAY, recorded_at=NOW)
    assert show(house, byn(f"-{amount}"), part.reference) == []
    return part


def reduce(house: House, owed: Obligation, to: str) -> None:
    ruling = obligations.ruling_of(house.session, owed)
    quashing.reduce(house.session, ruling, byn(to), by=house.fund.ana.alias, on=TODAY, recorded_at=NOW)
    house.session.commit()


@pytest.fixture
def owed(house: House) -> Obligation:
    give(house.session, byn("2000.00"))
    return house.obligation_of(house.a_verified_case())


def test_what_comes_back_whole_settles_the_refund_and_the_rest_is_owed_and_paid_again(
    house: House, owed: Obligation
) -> None:
    payment = a_part(house, owed, "810.00")
    reduce(house, owed, "400.00")
    assert (owed.state, standing(house, "1350")) == (State.REFUND_DUE, [byn("410.00")])
    opened = shown(house, byn("810.00"), payment.reference)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, payment.alias, byn("810.00"), Because.SENT_BACK)

    assert (payment.state, owed.state, owed.payable()) == (
        disbursements.State.RETURNED,
        State.RECOGNISED,
        byn("400.00"),
    )
    assert standing(house, "1350", "2100", LEAF) == [byn("0.00"), byn("-400.00"), byn("2000.00")]
    assert refunds.of_obligation(house.session, owed.alias) == []
    assert found(house.session, by=BOOKED) == []

    # Less still, and then it is paid: once, and no more than is left.
    reduce(house, owed, "300.00")
    assert (owed.payable(), owed.amount(), standing(house, "2100")) == (byn("300.00"), byn("810.00"), [byn("-300.00")])
    with nothing_written(house.session), pytest.raises(disbursements.OverObligation):
        a_part(house, owed, "300.01")
    a_part(house, owed, "300.00")
    assert (owed.state, standing(house, "2100", LEAF)) == (State.PAID, [byn("0.00"), byn("1700.00")])
    assert found(house.session, by=BOOKED) == []


@pytest.mark.parametrize(
    ("to", "state", "books"),
    [
        ("600.00", State.REFUND_DUE, ["110.00", "0.00"]),
        ("710.00", State.PAID, ["0.00", "0.00"]),
        ("750.00", State.PART_PAID, ["0.00", "-40.00"]),
    ],
)
def test_one_of_two_payments_that_comes_back_lessens_what_is_owed_back_first(
    house: House, owed: Obligation, to: str, state: State, books: list[str]
) -> None:
    small, _ = a_part(house, owed, "100.00"), a_part(house, owed, "710.00")
    reduce(house, owed, to)
    opened = shown(house, byn("100.00"), small.reference)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, small.alias, byn("100.00"))

    assert (owed.state, standing(house, "1350", "2100")) == (state, [byn(amount) for amount in books])
    assert found(house.session, by=BOOKED) == []


def test_a_part_of_it_or_what_was_quashed_or_refunded_does_not_come_back_so(house: House, owed: Obligation) -> None:
    payment = a_part(house, owed, "810.00")
    reduce(house, owed, "400.00")
    opened = shown(house, byn("800.00"), payment.reference)
    with nothing_written(house.session), pytest.raises(DisbursementNotReady):
        say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, payment.alias, byn("800.00")))
    ((refund, _),) = refunds.listed(house.session)
    assert show(house, byn("410.00"), refund.reference) == [opened]
    with nothing_written(house.session), pytest.raises(DisbursementNotReady):
        say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, payment.alias, byn("810.00"), Because.FEE_TAKEN))


def test_the_payment_of_a_quashed_ruling_comes_back_as_its_refund(house: House, owed: Obligation) -> None:
    payment = a_part(house, owed, "810.00")
    (ruling,) = rulings.of_case(house.session, owed.case_alias)
    quashing.quash(house.session, ruling, by=house.fund.ana.alias, on=TODAY, recorded_at=NOW)
    opened = shown(house, byn("810.00"), payment.reference)
    with nothing_written(house.session), pytest.raises(DisbursementNotReady):
        say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, payment.alias, byn("810.00")))
    ((refund, _),) = refunds.listed(house.session)

    resolve(house, opened.alias, Answer.REFUND, refund.reference, byn("810.00"))

    assert (owed.state, standing(house, "1350")) == (State.REFUNDED, [byn("0.00")])


@pytest.mark.parametrize(
    ("because", "books"),
    [(Because.DECIDED_SO, ["0.00", "820.00", "0.00"]), (Because.UNCOLLECTABLE, ["0.00", "810.00", "10.00"])],
)
def test_what_an_authority_kept_of_a_returned_payment_becomes_a_cost_or_a_loss_by_two_people(
    house: House, owed: Obligation, because: Because, books: list[str]
) -> None:
    payment = a_part(house, owed, "810.00")
    opened = shown(house, byn("800.00"), payment.reference)
    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, payment.alias, byn("800.00"))
    ((kept, _),) = refunds.listed(house.session)

    resolve(house, owed.alias, Answer.GIVEN_UP, kept.reference, byn("10.00"), because)

    assert standing(house, "1380", "5000", "6200") == [byn(amount) for amount in books]
    assert (owed.state, kept.given_up_on) == (State.RECOGNISED, TODAY)
    assert found(house.session, by=BOOKED) == []
