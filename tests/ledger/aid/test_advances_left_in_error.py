"""What left for an advance and was none is in transit, of its funds, until the agent has given it back."""

import pytest

from ledger.aid import advances, returns
from ledger.aid.advances import AdvanceNotReady
from ledger.aid.agent_acts import close_agent
from ledger.aid.agents import Agent, AgentNotReady
from ledger.books import balances
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.waits import BadResolution
from tests.bookcheck import found
from tests.cast import TODAY, House, eur, nothing_written
from tests.purses import EUR_LEAF, a_requested_advance, a_sent_advance, an_agent, give_euros, give_to_general
from tests.saying import agree, resolve, say, saying, show, shown

BOOKED = ("advances-in-transit", "purses", "advances", "references")


@pytest.fixture
def agent(house: House) -> Agent:
    give_euros(house)
    give_to_general(house, eur("1000.00"))
    return an_agent(house)


def in_transit(house: House, agent: Agent) -> dict[str, int]:
    """By fund, in minor units."""
    funds = ("fines", "general")
    told = {fund: balances.balance(house.session, agent.transit(), currency="EUR", fund=fund) for fund in funds}
    return {fund: money.minor for fund, money in told.items()}


def test_what_left_before_anybody_released_it_is_in_transit_and_comes_back(house: House, agent: Agent) -> None:
    advance = a_requested_advance(house, agent, fines=eur("700.00"), general=eur("300.00"))
    opened = shown(house, eur("-1000.00"), advance.reference, leaf=EUR_LEAF)

    resolve(house, opened.alias, Answer.EXPECTED_BACK, advance.alias, eur("1000.00"), Because.SENT_BY_HAND)

    (awaited,) = returns.listed(house.session, advance.alias)
    assert (advance.state, awaited.amount()) == (advances.State.REQUESTED, eur("1000.00"))
    assert in_transit(house, agent) == {"fines": 70_000, "general": 30_000}
    assert found(house.session, by=BOOKED) == []
    assert show(house, eur("1000.00"), awaited.reference, leaf=EUR_LEAF) == []
    assert (awaited.received_on, in_transit(house, agent)) == (TODAY, {"fines": 0, "general": 0})
    assert balances.balance(house.session, EUR_LEAF, currency="EUR") == eur("11000.00")
    assert found(house.session, by=BOOKED) == []


def test_what_left_twice_is_expected_back_and_the_advance_goes_on(house: House, agent: Agent) -> None:
    advance = a_sent_advance(house, agent)
    opened = shown(house, eur("-1000.00"), advance.reference, leaf=EUR_LEAF)

    with nothing_written(house.session), pytest.raises(BadResolution):
        say(house, saying(opened.alias, Answer.EXPECTED_BACK, advance.alias, eur("999.99")))
    said = say(house, saying(opened.alias, Answer.EXPECTED_BACK, advance.alias, eur("1000.00"), Because.IN_ERROR))
    agree(house, said)

    assert (advance.state, in_transit(house, agent)["fines"]) == (advances.State.SENT, 200_000)
    assert returns.unspent_by_fund(house.session, agent, currency="EUR") == {}
    assert found(house.session, by=BOOKED) == []


def test_it_is_neither_withdrawn_nor_forgotten_with_its_agent(house: House, agent: Agent) -> None:
    advance = a_requested_advance(house, agent)
    opened = shown(house, eur("-1000.00"), advance.reference, leaf=EUR_LEAF)
    resolve(house, opened.alias, Answer.EXPECTED_BACK, advance.alias, eur("1000.00"), Because.IN_ERROR)
    (awaited,) = returns.listed(house.session, advance.alias)
    advances.cancel(house.session, advance, on=TODAY)

    with nothing_written(house.session), pytest.raises(AdvanceNotReady):
        returns.withdraw(house.session, awaited, by=house.fund.clara.alias, on=TODAY)
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        close_agent(house.session, agent.alias)
