"""What is told of a purse is signed by who tells it; else nothing is booked and nobody frozen."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from ledger.aid import agent_acts, agents
from ledger.aid.agents import Agent
from ledger.aid.purse_movements import NewMovement, What
from ledger.aliases import AliasTaken, Kind, draw
from ledger.approvals import ActDiffers, ActExpired, BadSignature, NotInRole
from tests.cast import NOW, TODAY, House, byn, eur, nothing_written
from tests.purses import an_advance, an_agent, give_euros, on_told


@pytest.fixture
def agent(house: House) -> Agent:
    """An agent with 3,000.00 BYN."""
    give_euros(house)
    agent = an_agent(house)
    an_advance(house, agent, received=byn("3000.00"), fines=eur("1000.00"))
    return agent


@pytest.mark.parametrize(
    ("by", "other", "error"),
    [
        ("clara", {"amount": "3000.00"}, ActDiffers),
        ("clara", {"currency": "EUR"}, ActDiffers),
        ("clara", {"version": 2}, ActDiffers),
        ("clara", {"object": "PM-0000-0000-0000"}, ActDiffers),
        ("clara", {"payee_commitment": "0" * 64}, ActDiffers),
        ("clara", {"act": "approve_purse_movement"}, ActDiffers),
        ("clara", {"at": NOW - timedelta(days=2)}, ActExpired),
        ("boris", {}, NotInRole),
    ],
    ids=["amount", "currency", "version", "alias", "what is told", "verb", "too late", "no treasurer"],
)
def test_nothing_is_booked_and_nobody_frozen_on_an_act_that_says_something_else(
    house: House, agent: Agent, by: str, other: dict[str, Any], error: type[Exception]
) -> None:
    new = a_seizure(agent)
    agreed = on_told(house, new, by=getattr(house.fund, by), **other)

    with nothing_written(house.session), pytest.raises(error):
        agent_acts.tell_movement(house.session, new, agreed)

    assert agent.state is agents.State.ACTIVE


def test_what_somebody_else_signed_is_nobodys_seizure_and_the_same_act_is_not_told_twice(
    house: House, agent: Agent
) -> None:
    new = a_seizure(agent)
    agreed = on_told(house, new, by=house.fund.clara)
    with nothing_written(house.session), pytest.raises(BadSignature):
        agent_acts.tell_movement(house.session, new, replace(agreed, signature="0" * 128))

    agent_acts.tell_movement(house.session, new, agreed)

    with nothing_written(house.session), pytest.raises(AliasTaken):
        agent_acts.tell_movement(house.session, new, agreed)
    with nothing_written(house.session), pytest.raises(ActDiffers):
        agent_acts.tell_movement(house.session, a_seizure(agent), agreed)


def test_an_act_on_another_agent_or_another_day_books_nothing(house: House, agent: Agent) -> None:
    new, other = a_seizure(agent), an_agent(house)
    for said in ({"agent": other.alias}, {"happened_on": date(2020, 11, 19)}, {"what": What.LOST}):
        agreed = on_told(house, replace(new, **said), by=house.fund.clara)

        with nothing_written(house.session), pytest.raises(ActDiffers):
            agent_acts.tell_movement(house.session, new, agreed)


def a_seizure(agent: Agent) -> NewMovement:
    alias = draw(Kind.PURSE_MOVEMENT)
    return NewMovement(alias=alias, agent=agent.alias, what=What.SEIZED, amount=byn("10.00"), happened_on=TODAY)
