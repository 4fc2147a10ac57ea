"""Unspent money that an agent gives back, and of which a bank keeps something on its way, or which is more."""

import pytest

from ledger.aid import advances, agents, returns
from ledger.aid.advances import Advance
from ledger.aid.returns import Return
from ledger.books import balances
from ledger.exceptions import Difference, OpenException
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.waits import BadResolution
from tests.bookcheck import found
from tests.cast import TODAY, House, byn, nothing_written
from tests.purses import a_requested_advance as ask
from tests.purses import acknowledge, an_agent, give_euros, release_advance
from tests.purses import approve_advance as approve
from tests.saying import resolve, say, saying, show, shown

CHECKS = {"advances-in-transit", "purses", "advances", "resolutions", "signed", "returns-confirmed"}


@pytest.fixture
def advance(house: House) -> Advance:
    """The agent has 3,000.00 BYN."""
    give_euros(house)
    sent = release_advance(house, approve(house, ask(house, an_agent(house))))
    assert show(house, -sent.amount(), sent.reference, leaf=sent.account_code) == []
    return acknowledge(house, sent, byn("3000.00"), on=TODAY)


def comes(house: House, advance: Advance, amount: str) -> tuple[OpenException, Return]:
    """Of an announced return of 1,500.00."""
    by = house.fund.clara.alias
    announced = returns.announce(house.session, advance, stands_for=byn("1500.00"), by=by, on=TODAY)
    house.session.commit()
    return shown(house, byn(amount), announced.reference), announced


@pytest.mark.parametrize(("came", "account", "moved"), [("1490.00", "6020", "10.00"), ("1505.00", "2000", "-5.00")])
def test_two_people_say_that_it_is_the_return_and_the_rest_a_fee_or_nobodys(
    house: House, advance: Advance, came: str, account: str, moved: str
) -> None:
    opened, announced = comes(house, advance, came)
    assert opened.difference is Difference.AMOUNT_DIFFERS

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, advance.alias, byn("1500.00"))

    assert announced.received_on == TODAY
    agent = agents.require(house.session, advance.agent_alias)
    assert agents.balance(house.session, agent, currency="BYN") == byn("1500.00")
    assert balances.balance(house.session, account, currency="BYN") == byn(moved)
    assert found(house.session, by=CHECKS) == []


def test_a_part_of_it_is_not_the_return_nor_the_advance(house: House, advance: Advance) -> None:
    opened, _ = comes(house, advance, "400.00")

    for settles in ("400.00", "1400.00"):
        with nothing_written(house.session), pytest.raises(BadResolution):
            say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, advance.alias, byn(settles)))

    assert advances.require(house.session, advance.alias).state is advances.State.ACKNOWLEDGED
