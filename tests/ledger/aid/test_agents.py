import pytest

from ledger import exceptions
from ledger.aid import agent_acts, agents
from ledger.aid.agents import AgentNotReady, BadAgent, State, UnknownAgent
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.books import accounts, spending
from ledger.books.holds import NewHold, Reserve
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.people import Role
from tests.cast import TODAY, House, Person, a_person, byn, enrol, eur, nothing_written, the_next
from tests.purses import a_sent_advance, a_vetted_agent, an_advance, an_agent, give_euros, on_agent


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
