from datetime import timedelta

import pyrage
import pytest

from ledger import exceptions
from ledger.aid import advances, agent_acts, agents, exposures
from ledger.aid.agents import AgentNotReady, BadAgent, State, UnknownAgent
from ledger.aid.batch_lines import Receipt
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.books import accounts, spending
from ledger.books.holds import NewHold, Reserve
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.people import Role
from tests.cast import TODAY, House, Person, a_person, byn, enrol, eur, give, nothing_written, the_next
from tests.purses import (
    a_locked_batch,
    a_requested_advance,
    a_sent_advance,
    a_vetted_agent,
    an_advance,
    an_agent,
    approve,
    enter,
    give_euros,
    items,
    on_agent,
    release,
    tell,
    unproven,
    verified,
)


def test_an_agent_is_entered_as_vetted_with_a_purse_and_a_transit_of_their_own(house: House) -> None:
    agent = a_vetted_agent(house, cap=eur("5000.00"), cap_lines=40)

    body = agent.alias.removeprefix("A-")
    assert (agent.state, agent.version) == (State.VETTED, 1)
    assert (agent.cap(), agent.cap_lines) == (eur("5000.00"), 40)
    assert (agent.purse(), agent.transit()) == (f"1200:{body}", f"1210:{body}")
    assert accounts.postable(house.session, agent.purse(), currency="BYN").subject == "advance,agent"
    assert agents.listed(house.session) == [agent]


@pytest.mark.parametrize(("cap", "cap_lines"), [("0.00", 10), ("-1.00", 10), ("1.00", 0), ("1.00", 10_001)])
def test_caps_are_above_zero(house: House, cap: str, cap_lines: int) -> None:
    with nothing_written(house.session), pytest.raises(BadAgent):
        a_vetted_agent(house, cap=eur(cap), cap_lines=cap_lines)


def test_an_alias_names_one_agent_and_nothing_else(house: House, clara: Person) -> None:
    agent = a_vetted_agent(house)

    with nothing_written(house.session), pytest.raises(AliasTaken):
        agents.add(house.session, agent.alias, cap=eur("1.00"), cap_lines=1, added_by=clara.alias)
    with nothing_written(house.session), pytest.raises(BadAlias):
        agents.add(house.session, draw(Kind.ADVANCE), cap=eur("1.00"), cap_lines=1, added_by=clara.alias)
    with pytest.raises(UnknownAgent):
        agents.require(house.session, draw(Kind.AGENT))


def test_a_second_person_activates_an_agent(house: House, boris: Person) -> None:
    agent = a_vetted_agent(house)

    agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris))

    assert (agent.state, agent.activated_by, agent.version) == (State.ACTIVE, boris.alias, 2)


def test_who_entered_an_agent_does_not_activate_them(house: House) -> None:
    mila = a_person(Role.TREASURER, Role.APPROVER)
    roster = house.fund.roster()
    following = the_next(roster, operators=(*roster.operators, mila.operator))
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    agent = a_vetted_agent(house, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=mila))


def test_an_activation_needs_an_approver(house: House, ana: Person) -> None:
    agent = a_vetted_agent(house)

    with nothing_written(house.session), pytest.raises(NotInRole):
        agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=ana))


@pytest.mark.parametrize(
    ("field", "lie"),
    [("amount", "50000.00"), ("currency", "BYN"), ("payee_commitment", agents.commitment(cap_lines=9)), ("version", 2)],
)
def test_who_activates_agrees_to_both_caps(house: House, boris: Person, field: str, lie: object) -> None:
    agent = a_vetted_agent(house)

    with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
        agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris, **{field: lie}))

    assert refusal.value.data == {"field": field}


def test_an_active_agent_is_not_activated_again(house: House, boris: Person) -> None:
    agent = an_agent(house)

    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris))


def test_what_a_frozen_agent_holds_is_not_spendable(house: House, clara: Person) -> None:
    give_euros(house, "1500.00")
    agent = an_agent(house)
    an_advance(house, agent, received=byn("3000.00"))
    before = spending.spendable(house.session, "fines")

    agents.freeze(house.session, agent, by=clara.alias, on=TODAY)

    assert before == {"EUR": eur("500.00"), "BYN": byn("3000.00")}
    assert spending.spendable(house.session, "fines") == {"EUR": eur("500.00")}


def test_a_fund_that_promised_what_a_frozen_agent_holds_is_an_exception(house: House, clara: Person) -> None:
    give_euros(house, "1000.00")
    agent = an_agent(house)
    a_sent_advance(house, agent, fines=eur("1000.00"))
    promise = NewHold(
        source_key="test:promise",
        reserves=Reserve.SPENDABLE,
        amount=eur("600.00"),
        held_for="O-0000-0000-0001",
        fund="fines",
    )
    spending.reserve(house.session, [promise], on=TODAY)

    agents.freeze(house.session, agent, by=clara.alias, on=TODAY)

    (short,) = exceptions.listed(house.session)
    assert (short.difference, short.fund_code, short.account_code) == (
        Difference.BELOW_ZERO,
        "fines",
        agent.purse(),
    )
    assert (short.minor, short.currency) == (-60_000, "EUR")


def test_what_an_agent_holds_who_works_again_is_spendable_again(house: House, clara: Person, boris: Person) -> None:
    give_euros(house, "1000.00")
    agent = an_agent(house)
    a_sent_advance(house, agent, fines=eur("1000.00"))
    agents.freeze(house.session, agent, by=clara.alias, on=TODAY)

    agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris))

    assert spending.spendable(house.session, "fines") == {"EUR": eur("1000.00")}


def test_freezing_twice_is_freezing_once(house: House, clara: Person, boris: Person) -> None:
    agent = an_agent(house)
    agents.freeze(house.session, agent, by=clara.alias, on=TODAY)

    with nothing_written(house.session):
        agents.freeze(house.session, agent, by=boris.alias, on=TODAY)

    assert (agent.state, agent.frozen_by) == (State.FROZEN, clara.alias)


def test_another_person_than_who_froze_them_lets_an_agent_work_again(house: House, boris: Person) -> None:
    agent = an_agent(house)
    agents.freeze(house.session, agent, by=boris.alias, on=TODAY)

    with nothing_written(house.session), pytest.raises(SamePerson):
        agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris))
    agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=house.fund.bella))

    assert agent.state is State.ACTIVE


def test_an_agent_who_holds_money_is_not_closed(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    an_advance(house, agent, received=byn("3000.00"))

    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agents.close(house.session, agent)


def test_a_closed_agent_stays_closed(house: House, clara: Person, boris: Person) -> None:
    agent = an_agent(house)
    agents.close(house.session, agent)

    assert agent.state is State.CLOSED
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agents.freeze(house.session, agent, by=clara.alias, on=TODAY)
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris))
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agents.close(house.session, agent)


def test_an_agent_who_holds_nothing_is_worth_nothing(house: House) -> None:
    agent = an_agent(house)

    assert agents.balance(house.session, agent, currency="BYN") == Money(0, "BYN")
    assert agents.held_by_fund(house.session, agent, currency="BYN") == {}


# --- compromised, and closed


def test_a_compromised_agent_is_never_active_again(house: House, clara: Person, boris: Person) -> None:
    give_euros(house)
    agent = an_agent(house)
    an_advance(house, agent, received=byn("3000.00"))

    agents.compromise(house.session, agent, by=clara.alias, on=TODAY)
    agents.compromise(house.session, agent, by=boris.alias, on=TODAY)
    agents.freeze(house.session, agent, by=boris.alias, on=TODAY)

    assert (agent.state, agent.compromised_by, agent.frozen_by) == (State.COMPROMISED, clara.alias, None)
    assert spending.spendable(house.session, "fines")["EUR"] == eur("9000.00")
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris))
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agents.close(house.session, agent)


def test_a_compromised_agent_for_whom_nothing_is_open_is_closed_and_stays_so(house: House, clara: Person) -> None:
    agent = an_agent(house)
    agents.compromise(house.session, agent, by=clara.alias, on=TODAY)

    agent_acts.close_agent(house.session, agent.alias)

    assert agent.state is State.CLOSED
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agents.compromise(house.session, agent, by=clara.alias, on=TODAY)


def test_an_agent_for_whom_something_is_open_is_not_closed(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    asked = a_requested_advance(house, agent)
    with nothing_written(house.session), pytest.raises(AgentNotReady):
        agent_acts.close_agent(house.session, agent.alias)

    advances.cancel(house.session, asked, on=TODAY)

    assert agent_acts.close_agent(house.session, agent.alias).state is State.CLOSED


def test_who_activates_agrees_to_the_courts_and_to_the_key(house: House, boris: Person) -> None:
    key, other = (str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2))
    agent = a_vetted_agent(house, cap_courts=3, list_key=key)
    for lie in ({"cap_courts": 4, "list_key": key}, {"cap_courts": 3, "list_key": other}, {}):
        lied = agents.commitment(cap_lines=agent.cap_lines, **lie)  # type: ignore[arg-type]  # a dict of both
        with nothing_written(house.session), pytest.raises(ActDiffers):
            agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris, payee_commitment=lied))

    agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=boris))

    assert agent.state is State.ACTIVE


# --- what is at stake


def test_the_exposure_tells_cash_lines_courts_and_ages_and_no_name(house: House) -> None:
    give_euros(house)
    give(house.session, byn("2430.00"))
    agent = an_agent(house, cap_courts=2)
    an_advance(house, agent, received=byn("3000.00"))
    found = [house.verify(house.a_case(name="Kanarejka"), by=house.fund.anton) for _ in range(3)]
    courts = ["c" * 64, "c" * 64, "d" * 64]
    batch = approve(house, a_locked_batch(house, agent, "", found, courts=courts))
    tell(house, batch)
    lines = items(house, release(house, batch))
    enter(house, batch, verified(lines[0]), unproven(lines[1]), unproven(lines[2], Receipt.MISSING))

    exposure = exposures.find(house.session, agent, on=TODAY + timedelta(days=10))

    assert (exposure.holds, exposure.worth, exposure.on_the_way) == ([byn("2190.00")], eur("730.00"), eur("0.00"))
    assert (exposure.open_lines, exposure.courts, exposure.open_lists) == (2, 2, 0)
    assert (exposure.rejected_receipts, exposure.missing_receipts) == (1, 1)
    assert (exposure.oldest_days, exposure.rejected_days, exposure.missing_days) == (14, 15, 15)
    assert exposures.listed(house.session, on=TODAY)[0].agent == agent.alias
    assert "Kanarejka" not in repr(exposure)
    known = exposures.cases_known(house.session, agent)
    assert [one.open for one in known] == [True, True, False]
    assert known[2].case == lines[0].case.alias


def test_who_is_closed_is_at_no_stake(house: House) -> None:
    agents.close(house.session, an_agent(house))

    assert exposures.listed(house.session, on=TODAY) == []
