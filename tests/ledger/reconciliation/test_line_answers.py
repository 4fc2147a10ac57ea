"""What a line of the bank is that waits: a treasurer says it, signed, and the exception is closed with it."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, NotInRole
from ledger.books import accounts, balances
from ledger.exceptions import Difference, UnknownException
from ledger.giving import donations, payouts
from ledger.giving.donations import State, UnknownDonation
from ledger.giving.steps import NothingLeft
from ledger.money import Money
from ledger.reconciliation import line_answers
from ledger.reconciliation.line_answers import Answer, BadAnswer, LineAnswer, LineDiffers
from ledger.treasury.conversions import Conversion
from ledger.treasury.conversions import State as ConversionState
from tests import cards
from tests.bookcheck import assert_it_holds, found
from tests.bookkeeping import CARD_LEAF
from tests.cast import LEAF, TODAY, House, byn, engine_of, eur, nothing_written, race
from tests.coffers import a_released_conversion, give_freely, prepare_conversions
from tests.given import a_stray_gift, answer, match, shown, signed, the_exception
from tests.office import on_one_database
from tests.purses import EUR_LEAF, give_euros

NEAR = "297.00"
"""300.00 BYN are expected."""


@pytest.fixture
def converting(house: House) -> Conversion:
    """100.00 EUR are to become 300.00 BYN, and 297.00 BYN came in without a reference."""
    give_euros(house, "1000.00")
    give_freely(house, eur("300.00"))
    prepare_conversions(house)
    conversion = a_released_conversion(house)
    shown(house, byn(NEAR))
    return conversion


def balance(house: House, account: str) -> Money:
    return balances.balance(house.session, account, currency="BYN")


def test_a_credit_near_a_conversion_is_a_gift_when_a_treasurer_says_so(house: House, converting: Conversion) -> None:
    opened = the_exception(house)
    assert (opened.difference, balance(house, LEAF)) == (Difference.AMOUNT_DIFFERS, byn("0.00"))

    answer(house, opened, Answer.GIFT)

    (gift,) = [one for one in donations.listed(house.session) if one.state is State.UNIDENTIFIED]
    assert (gift.amount(), opened.resolved_on, converting.arrived_key) == (byn(NEAR), TODAY, None)
    match(house, gift)
    shown(house, byn("300.00"))
    assert (converting.arrived(), balance(house, LEAF)) == (byn("300.00"), byn("597.00"))
    assert exceptions.listed(house.session) == []
    assert_it_holds(engine_of(house.session))


def test_a_credit_that_might_be_two_payouts_is_a_gift_when_a_treasurer_says_so(house: House) -> None:
    give_euros(house, "1000.00")
    for leaf in (CARD_LEAF, cards.TRANSIT):
        accounts.add_leaf(house.session, leaf, name="A leaf", currency="EUR")
    cards.book(house.session, cards.a_payout(eur("50.00")), cards.a_payout(eur("50.00"), nth=2))
    shown(house, eur("50.00"), leaf=EUR_LEAF, on=cards.DAY)
    (opened,) = [one for one in exceptions.listed(house.session) if one.difference is Difference.AMBIGUOUS_PAYOUT]

    answer(house, opened, Answer.GIFT)

    (gift,) = [one for one in donations.listed(house.session) if one.state is State.UNIDENTIFIED]
    assert (gift.amount(), opened.resolved_on) == (eur("50.00"), TODAY)
    assert {one.state for one in payouts.listed(house.session)} == {payouts.State.CREATED}
    assert found(house.session) == []


@on_one_database
def test_it_is_the_conversions_other_side_when_a_treasurer_says_so(house: House, converting: Conversion) -> None:
    answer(house, the_exception(house), Answer.CONVERSION, converting.alias)
    shown(house, eur("-100.00"), leaf=EUR_LEAF)

    assert (converting.state, converting.arrived()) == (ConversionState.DONE, byn(NEAR))
    assert exceptions.listed(house.session) == []
    assert_it_holds(engine_of(house.session))


@on_one_database
@pytest.mark.usefixtures("converting")
def test_an_answer_is_given_once_by_a_treasurer_who_says_all_of_it(house: House) -> None:
    opened = the_exception(house)
    with nothing_written(house.session), pytest.raises(NotInRole):
        answer(house, opened, Answer.GIFT, by=house.fund.boris)
    lies: tuple[dict[str, Any], ...] = (
        {"amount": "1.00"},
        {"detail": "deposit"},
        {"payee_commitment": line_answers.commitment(answer=Answer.GIFT, about="x")},
        {"object": draw(Kind.EXCEPTION)},
    )
    for lie in lies:
        with nothing_written(house.session), pytest.raises(ActDiffers):
            answer(house, opened, Answer.GIFT, **lie)
    with nothing_written(house.session), pytest.raises(BadAnswer):
        answer(house, opened, Answer.GIFT, "x")
    with nothing_written(house.session), pytest.raises(BadAnswer):
        answer(house, opened, Answer.CONVERSION)
    answer(house, opened, Answer.GIFT)

    with nothing_written(house.session), pytest.raises(UnknownException):
        answer(house, opened, Answer.GIFT)


@pytest.mark.usefixtures("converting")
def test_of_two_answers_at_once_one_is_booked(house: House) -> None:
    opened = the_exception(house)
    alias = opened.alias
    commitment = line_answers.commitment(answer=Answer.GIFT, about=None)
    acts = [
        signed("answer_line", alias, by=house.fund.clara, of=byn(NEAR), commitment=commitment, detail="gift")
        for _ in range(2)
    ]

    def run(own: Session) -> LineAnswer:
        return line_answers.answer(own, alias, answer=Answer.GIFT, about=None, agreed=acts.pop())

    answers = race(house.session, run, run)

    assert sorted(type(one).__name__ for one in answers) == ["LineAnswer", "UnknownException"]


@pytest.mark.usefixtures("converting")
def test_answers_are_only_added_and_one_that_nobody_signed_is_found(house: House) -> None:
    answer(house, the_exception(house), Answer.GIFT)

    for statement in ("DELETE FROM line_answer", "UPDATE line_answer SET answered_by = 'OP-0000-0000-0000'"):
        with pytest.raises(DBAPIError, match="guard"), house.session.begin_nested():
            house.session.connection().execute(text(statement))
    shown(house, byn("-5.00"))
    house.session.connection().execute(
        text(
            "INSERT INTO line_answer SELECT :key, :alias, 'payout', 'po_Thief0001', answered_by, answered_at "
            "FROM line_answer"
        ),
        {"key": the_exception(house).about.partition(":")[2], "alias": the_exception(house).alias},
    )
    assert {one.check for one in found(house.session)} == {"signed"}


@on_one_database
def test_a_debit_is_no_gift(house: House) -> None:
    shown(house, byn("-5.00"))

    with nothing_written(house.session), pytest.raises(LineDiffers):
        answer(house, the_exception(house), Answer.GIFT)


@on_one_database
def test_a_gift_that_its_givers_bank_takes_back_is_none_any_more(house: House) -> None:
    stray, other = a_stray_gift(house, byn("70.00")), match(house, a_stray_gift(house, byn("80.00")))
    shown(house, byn("-70.00"), reversal=True)
    with nothing_written(house.session), pytest.raises(UnknownDonation):
        answer(house, the_exception(house), Answer.TAKEN_BACK, draw(Kind.DONATION))

    answer(house, the_exception(house), Answer.TAKEN_BACK, stray.alias)
    shown(house, byn("-30.00"), reversal=True)
    answer(house, the_exception(house), Answer.TAKEN_BACK, other.alias)

    assert donations.require(house.session, stray.alias).state is State.SENT_BACK
    assert donations.require(house.session, other.alias).refunded_minor == 3_000
    assert (balance(house, "2000"), balance(house, "4190"), balance(house, LEAF)) == (
        byn("0.00"),
        byn("30.00"),
        byn("50.00"),
    )
    shown(house, byn("-50.01"), reversal=True)
    with nothing_written(house.session), pytest.raises(NothingLeft):
        answer(house, the_exception(house), Answer.TAKEN_BACK, other.alias)
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_a_debit_that_is_no_reversal_takes_no_gift_back(house: House) -> None:
    stray = a_stray_gift(house, byn("70.00"))
    shown(house, byn("-70.00"))

    with nothing_written(house.session), pytest.raises(LineDiffers):
        answer(house, the_exception(house), Answer.TAKEN_BACK, stray.alias)
