from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import checks
from ledger.aid import advances, agent_acts, agents, purse_movements, returns
from ledger.aid.agents import Agent, AgentNotActive, OverCap
from ledger.aid.purse_changes import Place, PurseChange
from ledger.aid.purse_movements import (
    BadMovement,
    MovementNotReady,
    NewMovement,
    OverPurse,
    PurseMovement,
    State,
    UnknownMovement,
    What,
)
from ledger.aliases import Kind, draw
from ledger.approvals import Agreed, SamePerson
from ledger.books import balances, exchange
from ledger.checks.findings import Finding
from ledger.limits import OverLimit
from ledger.money import Money
from ledger.people import Limit, Role
from ledger.reconciliation.advances import reconcile
from tests import places
from tests.cast import LEAF, NOW, House, Person, agreed_by, byn, enrol, eur, give, nothing_written, race, the_next
from tests.purses import (
    RECEIVED_ON,
    a_released_batch,
    a_sent_advance,
    an_advance,
    an_agent,
    enter,
    items,
    tell_movement,
    verified,
)

pytestmark = pytest.mark.place("agent_with_two_funds")

TODAY = NOW.date()
NEXT_YEAR = datetime(2021, 3, 1, 9, tzinfo=UTC)


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


@pytest.fixture
def agent(house: House) -> Agent:
    """An agent with 3,000.00 BYN for 1,000.00 EUR: 2,100.00 of the fines' fund, 900.00 of the general one."""
    return places.the(house.session, Agent)


def told(house: House, agent: Agent, what: What, amount: Money | None, *, at: datetime = NOW, **more: Any) -> Any:
    said: dict[str, Any] = {"happened_on": at.date()} | more
    new = NewMovement(alias=draw(Kind.PURSE_MOVEMENT), agent=agent.alias, what=what, amount=amount, **said)
    movement = tell_movement(house, new, at=at)
    house.session.commit()
    return movement


def on_movement(movement: PurseMovement, *, by: Person, **other: Any) -> Agreed:
    seen: dict[str, Any] = {
        "object": movement.alias,
        "version": movement.version,
        "amount": movement.amount().decimal(),
        "currency": movement.currency,
        "payee_commitment": purse_movements.commitment_of(movement),
    }
    return agreed_by(by, "approve_purse_movement", **(seen | other))


def approve(house: House, movement: PurseMovement, *, by: Person | None = None) -> PurseMovement:
    agreed = on_movement(movement, by=by or house.fund.boris)
    agent_acts.approve_movement(house.session, movement.alias, agreed)
    house.session.commit()
    return movement


def held(house: House, agent: Agent, currency: str = "BYN") -> dict[str, int]:
    return {
        fund: minor for fund, minor in agents.held_by_fund(house.session, agent, currency=currency).items() if minor
    }


def balance(house: House, account: str, currency: str = "BYN") -> Money:
    return balances.balance(house.session, account, currency=currency)


def found_by(house: House, *names: str) -> list[Finding]:
    """What these checks find."""
    chosen = [check for check in checks.CHECKS if check.name in names]
    assert len(chosen) == len(names)
    return [finding for outcome in checks.run(house.session, checks=chosen) for finding in outcome.findings]


def agrees(house: House, *some: Agent) -> None:
    """Sub-ledgers and journal say the same of every purse."""
    assert found_by(house, "purses", "owed-to-agents", "purse-movements", "advances-in-transit") == []
    for agent in some:
        assert {one.difference.minor for one in reconcile(house.session, agent, on=TODAY)} == {0}


# --- facts


def test_what_is_seized_is_a_loss_of_its_funds_and_freezes_the_agent(house: House, agent: Agent) -> None:
    seized = told(house, agent, What.SEIZED, byn("3000.00"))

    assert (seized.state, agent.state) == (State.BOOKED, agents.State.FROZEN)
    assert held(house, agent) == {}
    assert balance(house, "6200") == byn("3000.00")
    (advance,) = advances.listed(house.session, agent=agent.alias)
    assert advance.state is advances.State.SEIZED
    agrees(house, agent)


def test_a_part_that_is_lost_is_shared_by_the_funds_and_leaves_the_rest(house: House, agent: Agent) -> None:
    told(house, agent, What.LOST, byn("1000.00"))

    assert held(house, agent) == {"fines": 140_000, "general": 60_000}
    (advance,) = advances.listed(house.session, agent=agent.alias)
    assert (advance.state, agent.state) == (advances.State.ACCOUNTED, agents.State.ACTIVE)
    agrees(house, agent)


def test_an_advance_seized_on_its_way_is_gone_whole(house: House, agent: Agent) -> None:
    sent = a_sent_advance(house, agent, fines=eur("50.00"))

    told(house, agent, What.SEIZED, None, advance=sent.alias)

    assert sent.state is advances.State.SEIZED
    assert balance(house, agent.transit(), "EUR") == eur("0.00")
    assert balance(house, "6200", "EUR") == eur("50.00")
    assert advances.exposure(house.session, agent) == eur("1000.00")
    assert found_by(house, "advances-in-transit") == []


@pytest.mark.parametrize(("at", "account"), [(NOW, "6200"), (NEXT_YEAR, "4200")], ids=["the same year", "a later year"])
def test_what_comes_back_is_the_funds_again(house: House, agent: Agent, at: datetime, account: str) -> None:
    seized = told(house, agent, What.SEIZED, byn("3000.00"))
    before = balance(house, account)

    told(house, agent, What.RECOVERED, byn("1000.00"), loss=seized.alias, at=at)

    assert held(house, agent) == {"fines": 70_000, "general": 30_000}
    assert balance(house, account) == before - byn("1000.00")
    assert advances.exposure(house.session, agent) == eur("333.34")
    agrees(house, agent)


def test_no_more_comes_back_than_was_lost(house: House, agent: Agent) -> None:
    lost = told(house, agent, What.LOST, byn("1000.00"))
    told(house, agent, What.RECOVERED, byn("600.00"), loss=lost.alias)

    with nothing_written(house.session), pytest.raises(OverPurse) as refusal:
        told(house, agent, What.RECOVERED, byn("400.01"), loss=lost.alias)

    assert refusal.value.data["there_is_minor"] == 40_000


def test_a_conversion_near_the_stored_rate_is_a_fact_and_keeps_its_worth(house: House, agent: Agent) -> None:
    rates(house)

    converted = told(house, agent, What.CONVERTED, byn("1500.00"), bought=usd("590.00"))

    assert converted.state is State.BOOKED
    assert held(house, agent, "USD") == {"fines": 41_300, "general": 17_700}
    assert advances.exposure(house.session, agent) == eur("1000.00")
    agrees(house, agent)


@pytest.mark.parametrize("known", [True, False], ids=["far off", "no rate"])
def test_a_conversion_that_no_rate_bears_out_waits_for_a_second_person(
    house: House, agent: Agent, *, known: bool
) -> None:
    if known:
        rates(house)

    converted = told(house, agent, What.CONVERTED, byn("1500.00"), bought=usd("500.00"))

    assert (converted.state, held(house, agent, "USD")) == (State.REQUESTED, {})
    assert approve(house, converted).state is State.BOOKED
    assert sum(held(house, agent, "USD").values()) == 50_000
    agrees(house, agent)


def rates(house: House) -> None:
    for currency, rate in (("BYN", "0.33"), ("USD", "0.85")):
        exchange.add(
            house.session,
            currency=currency,
            on=RECEIVED_ON,
            value=exchange.parse(rate),
            source="ecb",
            recorded_at=NOW,
            recorded_by="test",
        )


# --- decisions


def test_an_agent_hands_to_another_when_a_second_person_agrees(house: House, agent: Agent, boris: Person) -> None:
    taker = an_agent(house)

    asked = told(house, agent, What.HANDED_OVER, byn("600.00"), taker=taker.alias)
    assert held(house, taker) == {}
    approve(house, asked)

    assert (asked.state, asked.agreed_by) == (State.BOOKED, boris.alias)
    assert (held(house, taker), held(house, agent)) == (
        {"fines": 42_000, "general": 18_000},
        {"fines": 168_000, "general": 72_000},
    )
    assert [advances.exposure(house.session, one) for one in (agent, taker)] == [eur("800.00"), eur("200.00")]
    agrees(house, agent, taker)


def test_nothing_is_handed_to_who_is_not_active_or_would_hold_too_much(house: House, agent: Agent) -> None:
    small, frozen = an_agent(house, cap=eur("199.99")), an_agent(house)
    agents.freeze(house.session, frozen, by=house.fund.clara.alias, on=TODAY)
    house.session.commit()

    for taker, error in ((small, OverCap), (frozen, AgentNotActive)):
        with nothing_written(house.session), pytest.raises(error):
            told(house, agent, What.HANDED_OVER, byn("600.00"), taker=taker.alias)


def test_a_fee_is_of_the_fund_that_bears_it(house: House, agent: Agent) -> None:
    approve(house, told(house, agent, What.FEE, byn("100.00")))

    assert held(house, agent) == {"fines": 210_000, "general": 80_000}
    assert balance(house, "6030") == byn("100.00")
    with nothing_written(house.session), pytest.raises(OverPurse):
        told(house, agent, What.FEE, byn("800.01"))
    agrees(house, agent)


def test_what_an_agent_laid_out_is_set_off_against_the_next_advance(house: House, agent: Agent) -> None:
    give(house.session, byn("2430.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case() for _ in range(3)])
    enter(house, batch, *(verified(item) for item in items(house, batch)))
    assert agents.owed_by_fund(house.session, agent, currency="BYN") == {"fines": 33_000}
    an_advance(house, agent, received=byn("600.00"), fines=eur("200.00"))

    with nothing_written(house.session), pytest.raises(OverPurse):
        told(house, agent, What.SET_OFF, byn("330.01"))
    approve(house, told(house, agent, What.SET_OFF, byn("330.00")))

    assert balance(house, agents.OWED) == byn("0.00")
    assert held(house, agent) == {"fines": 27_000, "general": 90_000}
    agrees(house, agent)


def test_no_more_is_set_off_than_the_same_funds_have_in_the_purse_beside_what_is_to_come_back(
    house: House, agent: Agent
) -> None:
    give(house.session, byn("2430.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case() for _ in range(3)])
    enter(house, batch, *(verified(item) for item in items(house, batch)))
    advance = an_advance(house, agent, received=byn("100.00"), fines=eur("30.00"))
    returns.announce(house.session, advance, stands_for=byn("40.00"), by=house.fund.clara.alias, on=TODAY)
    assert held(house, agent) == {"fines": 10_000, "general": 90_000}

    with nothing_written(house.session), pytest.raises(OverPurse):
        told(house, agent, What.SET_OFF, byn("60.01"))
    approve(house, told(house, agent, What.SET_OFF, byn("60.00")))

    assert (balance(house, agents.OWED), held(house, agent)) == (byn("-270.00"), {"fines": 4_000, "general": 90_000})
    agrees(house, agent)


def test_what_was_told_by_one_is_agreed_to_by_another(house: House, agent: Agent, clara: Person) -> None:
    fee = told(house, agent, What.FEE, byn("100.00"))

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, fee, by=clara)


def test_limits_and_the_third_person_count_for_purses_too(house: House, agent: Agent) -> None:
    small, great = (told(house, agent, What.FEE, byn(amount)) for amount in ("90.00", "210.01"))
    middle = told(house, agent, What.FEE, byn("110.00"))
    limited = (Limit(role=Role.APPROVER, currency="BYN", per_act="210.00", third_above="100.00"),)
    following = the_next(house.fund.roster(), format="solidarity-roster-3", limits=limited)
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    house.session.commit()

    approve(house, small)
    approve(house, middle)
    alone = middle.state
    with nothing_written(house.session), pytest.raises(OverLimit):
        approve(house, great)
    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, middle)
    approve(house, middle, by=house.fund.bella)

    assert (small.state, alone, middle.state) == (State.BOOKED, State.REQUESTED, State.BOOKED)
    assert found_by(house, "third-person", "signed", "purse-movements") == []


def test_a_movement_that_lacks_the_third_signature_is_found(house: House, agent: Agent) -> None:
    fee = told(house, agent, What.FEE, byn("110.00"))
    limited = (Limit(role=Role.APPROVER, currency="BYN", third_above="100.00"),)
    following = the_next(house.fund.roster(), format="solidarity-roster-3", limits=limited)
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    approve(house, fee)
    written = text("UPDATE purse_movement SET agreed_by = :by WHERE alias = :alias")
    house.session.connection().execute(written, {"by": house.fund.boris.alias, "alias": fee.alias})

    (one,) = found_by(house, "third-person")

    assert (one.kind, one.name) == ("movement", fee.alias)


def test_a_movement_withdrawn_is_not_agreed_to_and_nothing_is_booked_twice(house: House, agent: Agent) -> None:
    given_up, done = (told(house, agent, What.FEE, byn("1.00")) for _ in range(2))
    purse_movements.withdraw(house.session, given_up)
    approve(house, done)
    house.session.commit()

    for movement in (given_up, done):
        with nothing_written(house.session), pytest.raises(MovementNotReady):
            approve(house, movement)
        with pytest.raises(MovementNotReady):
            purse_movements.withdraw(house.session, movement)


def test_what_was_asked_for_is_refused_when_the_purse_is_empty_meanwhile(house: House, agent: Agent) -> None:
    fee = told(house, agent, What.FEE, byn("900.00"))
    told(house, agent, What.LOST, byn("1000.00"))

    with nothing_written(house.session), pytest.raises(OverPurse):
        approve(house, fee)


# --- refused


def test_a_movement_that_cannot_be_is_refused(house: House, agent: Agent) -> None:
    other = an_agent(house)
    lost = told(house, agent, What.LOST, byn("1.00"))
    unknown = draw(Kind.PURSE_MOVEMENT)
    (received,) = advances.listed(house.session, agent=agent.alias)
    for what, amount, more, error in (
        (What.LOST, None, {}, BadMovement),
        (What.LOST, byn("0.00"), {}, BadMovement),
        (What.LOST, byn("1.00"), {"happened_on": date(2020, 11, 21)}, BadMovement),
        (What.LOST, byn("1.00"), {"taker": other.alias}, BadMovement),
        (What.LOST, byn("1.00"), {"fund": "general"}, BadMovement),
        (What.LOST, byn("1.00"), {"advance": received.alias}, BadMovement),
        (What.LOST, byn("2999.01"), {}, OverPurse),
        (What.SEIZED, eur("1.00"), {}, OverPurse),
        (What.SEIZED, None, {"advance": received.alias}, advances.AdvanceNotReady),
        (What.HANDED_OVER, byn("1.00"), {}, BadMovement),
        (What.HANDED_OVER, byn("1.00"), {"taker": agent.alias}, BadMovement),
        (What.HANDED_OVER, byn("1.00"), {"taker": draw(Kind.AGENT)}, agents.UnknownAgent),
        (What.CONVERTED, byn("1.00"), {}, BadMovement),
        (What.CONVERTED, byn("1.00"), {"bought": byn("1.00")}, BadMovement),
        (What.SET_OFF, byn("1.00"), {}, OverPurse),
        (What.RECOVERED, byn("1.00"), {}, BadMovement),
        (What.RECOVERED, byn("1.00"), {"loss": unknown}, UnknownMovement),
        (What.RECOVERED, eur("1.00"), {"loss": lost.alias}, BadMovement),
    ):
        with nothing_written(house.session), pytest.raises(error):
            told(house, agent, what, amount, **more)
    with nothing_written(house.session), pytest.raises(BadMovement):
        told(house, other, What.RECOVERED, byn("1.00"), loss=lost.alias)


def test_two_losses_at_once_never_take_more_than_there_is(house: House, agent: Agent) -> None:
    def lose(session: Any) -> PurseMovement:
        there = house.in_another(session)
        new = NewMovement(
            alias=draw(Kind.PURSE_MOVEMENT),
            agent=alias,
            what=What.LOST,
            amount=byn("2000.00"),
            happened_on=TODAY,
        )
        return tell_movement(there, new)

    alias = agent.alias
    answers = race(house.session, lose, lose)

    assert sorted(type(answer).__name__ for answer in answers) == ["OverPurse", "PurseMovement"]


# --- attacks


def test_what_a_movement_changed_is_only_added(house: House, agent: Agent) -> None:
    told(house, agent, What.LOST, byn("1.00"))

    for attack in ("UPDATE purse_change SET minor = 0", "DELETE FROM purse_change"):
        with pytest.raises(DBAPIError, match="rows are only added"), house.session.begin_nested():
            house.session.connection().execute(text(attack))


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE purse_movement SET state = 'booked', agreed_by = 'OP-0000-0000-0000'",
        "UPDATE purse_movement SET state = 'booked'",
    ],
)
def test_a_decision_that_nobody_booked_is_found(house: House, agent: Agent, attack: str) -> None:
    alias = told(house, agent, What.FEE, byn("1.00")).alias

    house.session.connection().execute(text(attack))
    house.session.expire_all()

    assert [finding.name for finding in found_by(house, "purse-movements")] == [alias]


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE purse_movement SET happened_on = '2020-11-19'",
        "UPDATE purse_movement SET fund_code = 'fines'",
        "UPDATE agent SET list_key = 'age1'",
        "UPDATE agent SET cap_courts = 99",
        "UPDATE agent SET cap_minor = cap_minor + 1",
    ],
)
def test_what_was_agreed_to_and_is_altered_afterwards_is_found(house: House, agent: Agent, attack: str) -> None:
    alias = approve(house, told(house, agent, What.FEE, byn("1.00"))).alias
    assert found_by(house, "signed", "four-eyes") == []

    house.session.connection().execute(text(attack))
    house.session.expire_all()

    expected = agent.alias if "UPDATE agent" in attack else alias
    assert {finding.name for finding in found_by(house, "signed")} == {expected}


def test_a_movement_altered_after_it_was_booked_is_found(house: House, agent: Agent) -> None:
    alias = told(house, agent, What.LOST, byn("1.00")).alias
    assert found_by(house, "purse-movements") == []

    house.session.connection().execute(text("UPDATE purse_movement SET minor = minor + 1"))
    house.session.expire_all()

    assert [finding.name for finding in found_by(house, "purse-movements")] == [alias]


def test_one_person_twice_is_refused_by_the_database_too(house: House, agent: Agent) -> None:
    told(house, agent, What.FEE, byn("1.00"))

    with pytest.raises(DBAPIError), house.session.begin_nested():
        house.session.connection().execute(text("UPDATE purse_movement SET agreed_by = requested_by"))


def test_a_change_slipped_in_beside_the_journal_is_found(house: House, agent: Agent) -> None:
    lost = told(house, agent, What.LOST, byn("1.00"))
    session, alias = house.session, agent.alias

    session.add(
        PurseChange(
            movement_alias=lost.alias,
            number=9,
            agent_alias=alias,
            place=Place.PURSE,
            fund_code="fines",
            minor=-5,
            currency="BYN",
        )
    )
    session.flush()

    assert {finding.name for finding in found_by(house, "purses")} == {alias}
