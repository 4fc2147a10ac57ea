"""An advance that the bank gives back before its agent had it."""

import pytest

from ledger.aid import advances
from ledger.aid.advances import Advance, AdvanceNotReady, BadAdvance
from ledger.books import balances
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation.answers import Answer
from tests.bookcheck import found
from tests.cast import TODAY, House, byn, eur, nothing_written
from tests.office import on_one_database
from tests.purses import EUR_LEAF, acknowledge, an_agent, give_euros, give_to_general, release_advance
from tests.purses import a_requested_advance as ask
from tests.purses import approve_advance as approve
from tests.saying import resolve, say, saying, show, shown

CHECKS = {"advances-in-transit", "purses", "advances", "resolutions", "signed"}


@pytest.fixture
def sent(house: House) -> Advance:
    """700.00 EUR of the fines' fund and 300.00 of general, of 11,000.00, which have left."""
    give_euros(house)
    give_to_general(house, eur("1000.00"))
    asked = ask(house, an_agent(house), fines=eur("700.00"), general=eur("300.00"))
    advance = release_advance(house, approve(house, asked))
    assert show(house, eur("-1000.00"), advance.reference, leaf=EUR_LEAF) == []
    return advance


def on_leaf(house: House, fund: str | None = None) -> Money:
    return balances.balance(house.session, EUR_LEAF, currency="EUR", fund=fund)


@pytest.mark.parametrize(("came", "general"), [("1000.00", "1000.00"), ("990.00", "990.00")])
def test_it_is_of_its_funds_again_when_two_people_say_so_and_a_fee_is_generals(
    house: House, sent: Advance, came: str, general: str
) -> None:
    opened = shown(house, eur(came), sent.reference, leaf=EUR_LEAF)
    assert opened.difference is Difference.PAYMENT_RETURNED

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, sent.alias, eur("1000.00"))

    house.session.refresh(sent)
    assert sent.state is advances.State.RETURNED
    assert (on_leaf(house, "fines"), on_leaf(house, "general")) == (eur("10000.00"), eur(general))
    assert found(house.session, by=CHECKS) == []


@on_one_database
def test_it_comes_back_in_another_currency_whole(house: House, sent: Advance) -> None:
    opened = shown(house, byn("3000.00"), sent.reference)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, sent.alias, eur("1000.00"))

    house.session.refresh(sent)
    assert sent.state is advances.State.RETURNED
    assert found(house.session, by=CHECKS) == []


def test_a_part_and_what_the_agent_has_are_not_given_back_by_the_bank(house: House, sent: Advance) -> None:
    opened = shown(house, eur("400.00"), sent.reference, leaf=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(BadAdvance):
        say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, sent.alias, eur("400.00")))
    house.session.refresh(sent)
    acknowledge(house, sent, byn("3000.00"), on=TODAY)

    with nothing_written(house.session), pytest.raises(AdvanceNotReady):
        say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, sent.alias, eur("1000.00")))
