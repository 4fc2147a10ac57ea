from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from ledger import checks
from ledger.aid import agent_acts, agents, outlays, purse_movements
from ledger.aid.agents import Agent, AgentNotActive
from ledger.aid.outlays import BadRepayment, NewRepayment, OverOwed, Repayment, RepaymentNotReady, State
from ledger.aid.purse_movements import NewMovement, OverPurse, What
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, Agreed, SamePerson
from ledger.books import balances, spending
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.exceptions import Difference
from ledger.limits import OverLimit
from ledger.money import Money
from ledger.people import Limit, Role
from ledger.reconciliation import issued
from ledger.reconciliation.aid_answers import LeftTooEarly
from ledger.reconciliation.answers import Answer, Because
from tests import places
from tests.cast import (
    LEAF,
    NOW,
    SECOND_LEAF,
    TODAY,
    House,
    Person,
    agreed_by,
    byn,
    enrol,
    eur,
    give,
    nothing_written,
    race,
)
from tests.cast import the_next as next_roster
from tests.office import on_one_database
from tests.purses import (
    EUR_LEAF,
    a_released_batch,
    an_advance,
    an_agent,
    enter,
    give_euros,
    items,
    on_outlay,
    tell_movement,
    unproven,
    verified,
)
from tests.saying import resolve, say, saying, show, shown
from tests.told import a_version

pytestmark = pytest.mark.place("agent_who_is_owed")

SHOWN_ON = date(2020, 11, 20)
OWED_SINCE = date(2020, 11, 15)
"""The end of the week in which the receipt was found right."""


@pytest.fixture
def agent(house: House) -> Agent:
    """An agent who had 600.00 BYN and paid 810.00: the fines' fund, which has 5,000.00, owes them 210.00."""
    agent = places.the(house.session, Agent)
    assert agents.owed_by_fund(house.session, agent, currency="BYN") == {"fines": 21_000}
    return agent


def ask(house: House, agent: Agent, amount: Money | None = None, **other: Any) -> Repayment:
    """Clara asks; all that is owed unless told."""
    moved = amount or byn("210.00")
    stated: dict[str, Any] = {"fund": "fines", "account": LEAF, "settles": moved}
    new = NewRepayment(alias=draw(Kind.OUTLAY), agent=agent.alias, amount=moved, **(stated | other))
    repayment = outlays.request(house.session, new, by=house.fund.clara.alias)
    house.session.commit()
    return repayment


def approve(house: House, repayment: Repayment, *, by: Person | None = None, **other: Any) -> Repayment:
    agreed = on_outlay(repayment, by=by or house.fund.boris, **other)
    agent_acts.approve_outlay(house.session, repayment.alias, agreed)
    house.session.commit()
    return repayment


def difference(house: House, repayment: Repayment, moved: Money, *, account: str = LEAF) -> Difference | None:
    found = issued.find(house.session, repayment.reference)
    assert found is repayment
    return issued.difference(house.session, found, account=account, moved=moved, on=SHOWN_ON)


def see(house: House, repayment: Repayment) -> None:
    """The bank shows that it left."""
    issued.book(
        house.session,
        repayment,
        source_key=f"bank:{repayment.alias}",
        account=repayment.account_code,
        moved=-repayment.amount(),
        on=SHOWN_ON,
        recorded_at=NOW,
        recorded_by="test",
    )
    house.session.commit()


def agrees(house: House) -> None:
    relevant = {"owed-to-agents", "outlays-held", "signed", "four-eyes", "references", "holds", "third-person"}
    chosen = [check for check in checks.CHECKS if check.name in relevant]
    assert len(chosen) == len(relevant)
    assert checks.findings(house.session, checks=chosen) == []


def test_an_outlay_is_repaid_by_two_people_and_booked_when_the_bank_shows_it(house: House, agent: Agent) -> None:
    repayment = approve(house, ask(house, agent))
    assert spending.available(house.session, LEAF, currency="BYN") == byn("4790.00")
    assert balances.balance(house.session, agents.OWED, currency="BYN") == byn("-210.00")
    agrees(house)

    assert difference(house, repayment, byn("-210.00")) is None
    see(house, repayment)

    assert (repayment.state, repayment.paid_on) == (State.PAID, SHOWN_ON)
    assert balances.balance(house.session, agents.OWED, currency="BYN") == byn("0.00")
    assert balances.balance(house.session, LEAF, currency="BYN") == byn("4790.00")
    assert spending.available(house.session, LEAF, currency="BYN") == byn("4790.00")
    assert difference(house, repayment, byn("-210.00")) is Difference.NOT_RELEASED
    agrees(house)


def test_an_outlay_is_repaid_in_another_currency_for_what_it_settles(house: House, agent: Agent) -> None:
    repayment = approve(house, ask(house, agent, eur("70.00"), settles=byn("210.00"), account=EUR_LEAF))

    see(house, repayment)

    assert balances.balance(house.session, agents.OWED, currency="BYN") == byn("0.00")
    assert balances.balance(house.session, EUR_LEAF, currency="EUR") == eur("9730.00")
    agrees(house)


def test_what_the_bank_shows_otherwise_is_not_booked(house: House, agent: Agent) -> None:
    asked = ask(house, agent)

    assert difference(house, asked, byn("-210.00")) is Difference.NOT_RELEASED
    approve(house, asked)
    assert difference(house, asked, byn("-210.01")) is Difference.AMOUNT_DIFFERS
    assert difference(house, asked, byn("-210.00"), account=SECOND_LEAF) is Difference.AMOUNT_DIFFERS
    assert difference(house, asked, byn("210.00")) is Difference.PAYMENT_RETURNED


def test_what_cannot_be_repaid_is_not_asked_for(house: House, agent: Agent) -> None:
    for amount, other, error in (
        (byn("210.01"), {}, OverOwed),
        (byn("0.00"), {}, BadRepayment),
        (byn("1.00"), {"fund": "general"}, OverOwed),
        (byn("1.00"), {"settles": byn("2.00")}, BadRepayment),
        (byn("1.00"), {"account": agent.purse()}, BadRepayment),
    ):
        with nothing_written(house.session), pytest.raises(error):
            ask(house, agent, amount, **other)


def test_only_another_approver_agrees_to_what_was_asked(house: House, agent: Agent) -> None:
    asked = ask(house, agent)

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, asked, by=house.fund.clara)
    with nothing_written(house.session), pytest.raises(ActDiffers):
        approve(house, asked, amount="1.00")
    approve(house, asked)
    with nothing_written(house.session), pytest.raises(RepaymentNotReady):
        approve(house, asked, by=house.fund.bella)


def test_what_is_promised_is_neither_promised_again_nor_set_off(house: House, agent: Agent) -> None:
    first, second = ask(house, agent), ask(house, agent)
    an_advance(house, agent, received=byn("600.00"), fines=eur("200.00"))
    approve(house, first)

    with nothing_written(house.session), pytest.raises(OverOwed):
        approve(house, second)
    with nothing_written(house.session), pytest.raises(OverPurse):
        set_off(house, agent, "0.01")
    outlays.cancel(house.session, first, on=NOW.date())
    set_off(house, agent, "110.00")
    with nothing_written(house.session), pytest.raises(OverOwed):
        approve(house, second)
    agrees(house)


def test_two_who_approve_the_same_debt_at_once_repay_it_once(house: House, agent: Agent) -> None:
    first, second = ask(house, agent), ask(house, agent)
    acts = [(one.alias, on_outlay(one, by=house.fund.boris)) for one in (first, second)]

    def run(alias: str, agreed: Agreed) -> Callable[[Session], object]:
        return lambda session: agent_acts.approve_outlay(session, alias, agreed)

    answers = race(house.session, run(*acts[0]), run(*acts[1]))

    assert sorted(isinstance(one, LedgerError) for one in answers) == [False, True]


def test_nothing_goes_to_who_is_frozen_and_nothing_beyond_the_leaf(house: House, agent: Agent) -> None:
    empty = ask(house, agent, eur("9800.01"), settles=byn("210.00"), account=EUR_LEAF)
    asked = ask(house, agent)
    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        approve(house, empty)
    agents.freeze(house.session, agent, by=house.fund.clara.alias, on=NOW.date())
    house.session.commit()

    with nothing_written(house.session), pytest.raises(AgentNotActive):
        approve(house, asked)
    with nothing_written(house.session), pytest.raises(AgentNotActive):
        ask(house, agent)


def test_limits_and_the_third_person_count_for_outlays_too(house: House, agent: Agent) -> None:
    asked, foreign = ask(house, agent), ask(house, agent, eur("70.00"), settles=byn("210.00"), account=EUR_LEAF)
    limited = (Limit(role=Role.APPROVER, currency="BYN", per_act="210.00", third_above="100.00"),)
    following = next_roster(house.fund.roster(), format="solidarity-roster-3", limits=limited)
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    house.session.commit()

    approve(house, asked)
    alone = str(asked.state)
    with nothing_written(house.session), pytest.raises(OverLimit):
        approve(house, foreign)
    approve(house, asked, by=house.fund.bella)
    assert (alone, asked.state) == ("requested", State.APPROVED)


def test_a_repayment_given_up_is_not_paid(house: House, agent: Agent) -> None:
    given_up = approve(house, ask(house, agent))
    outlays.cancel(house.session, given_up, on=NOW.date())
    house.session.commit()

    assert difference(house, given_up, byn("-210.00")) is Difference.NOT_RELEASED
    assert spending.available(house.session, LEAF, currency="BYN") == byn("5000.00")
    with nothing_written(house.session), pytest.raises(RepaymentNotReady):
        outlays.cancel(house.session, given_up, on=NOW.date())
    agrees(house)


def paid_outlay(house: House, agent: Agent, amount: Money | None = None, **other: Any) -> Repayment:
    repayment = approve(house, ask(house, agent, amount, **other))
    see(house, repayment)
    return repayment


def test_a_repayment_that_comes_back_less_a_fee_is_owed_again(house: House, agent: Agent) -> None:
    repayment = paid_outlay(house, agent)
    opened = shown(house, byn("207.00"), repayment.reference)

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, repayment.alias, byn("210.00"), Because.FEE_TAKEN)

    assert (repayment.state, repayment.returned_minor) == (State.RETURNED, 21_000)
    assert balances.balance(house.session, agents.OWED, currency="BYN") == byn("-210.00")
    assert balances.balance(house.session, "6020", currency="BYN", fund="general") == byn("3.00")
    assert outlays.owed_by_fund(house.session, agent, currency="BYN") == {"fines": 21_000}
    agrees(house)


def test_a_fee_on_a_returned_repayment_is_borne_by_its_fund_when_its_purposes_say_so(
    house: House, agent: Agent
) -> None:
    a_version(house, net_of_costs=True)  # from tomorrow on
    repayment = paid_outlay(house, agent)
    opened = shown(house, byn("207.00"), repayment.reference, on=TODAY + timedelta(days=1), at=NOW + timedelta(days=1))

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, repayment.alias, byn("210.00"), Because.FEE_TAKEN)

    borne = [balances.balance(house.session, "6020", currency="BYN", fund=fund) for fund in ("fines", "general")]
    assert borne == [byn("3.00"), byn("0.00")]
    agrees(house)


def test_a_repayment_that_comes_back_in_parts_is_owed_again_part_by_part(house: House, agent: Agent) -> None:
    repayment = paid_outlay(house, agent)
    for amount, over, state in (("150.00", "210.01", State.PAID), ("60.00", "60.01", State.RETURNED)):
        opened = shown(house, byn(amount), repayment.reference)
        with nothing_written(house.session), pytest.raises(BadRepayment):
            say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, repayment.alias, byn(over)))

        resolve(house, opened.alias, Answer.PAYMENT_RETURNED, repayment.alias, byn(amount))

        assert repayment.state is state
        agrees(house)
    again = shown(house, byn("60.00"), repayment.reference, on=date(2020, 11, 19))
    with nothing_written(house.session), pytest.raises(RepaymentNotReady):
        say(house, saying(again.alias, Answer.PAYMENT_RETURNED, repayment.alias, byn("60.00")))


@on_one_database
def test_more_than_is_left_of_a_repayment_is_unidentified_beyond_that(house: House, agent: Agent) -> None:
    repayment = paid_outlay(house, agent)
    first = shown(house, byn("150.00"), repayment.reference)
    resolve(house, first.alias, Answer.PAYMENT_RETURNED, repayment.alias, byn("150.00"))
    rest = shown(house, byn("65.00"), repayment.reference, on=date(2020, 11, 19))

    resolve(house, rest.alias, Answer.PAYMENT_RETURNED, repayment.alias, byn("60.00"))

    assert repayment.state is State.RETURNED
    assert balances.balance(house.session, "2000", currency="BYN") == byn("-5.00")
    agrees(house)


def test_a_repayment_in_another_currency_comes_back_whole_or_not_at_all(house: House, agent: Agent) -> None:
    repayment = paid_outlay(house, agent, eur("70.00"), settles=byn("210.00"), account=EUR_LEAF)
    opened = shown(house, eur("69.00"), repayment.reference, leaf=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(BadRepayment):
        say(house, saying(opened.alias, Answer.PAYMENT_RETURNED, repayment.alias, eur("69.00")))

    resolve(house, opened.alias, Answer.PAYMENT_RETURNED, repayment.alias, eur("70.00"), Because.FEE_TAKEN)

    assert balances.balance(house.session, agents.OWED, currency="BYN") == byn("-210.00")
    agrees(house)


@pytest.mark.place("house")
def test_nothing_is_repaid_before_its_receipt_is_found_right(house: House) -> None:
    give_euros(house)
    give(house.session, byn("5000.00"))
    agent = an_agent(house)
    an_advance(house, agent, received=byn("600.00"), fines=eur("200.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    (line,) = items(house, batch)
    enter(house, batch, unproven(line))

    with nothing_written(house.session), pytest.raises(OverOwed):
        ask(house, agent)

    enter(house, batch, verified(line))
    assert ask(house, agent).state is State.REQUESTED


def test_what_left_before_the_outlay_is_owed_is_no_repayment_whoever_says_so(house: House, agent: Agent) -> None:
    repayment = approve(house, ask(house, agent))
    before = shown(house, byn("-210.00"), repayment.reference, on=OWED_SINCE - timedelta(days=1))
    assert before.difference is Difference.NOT_RELEASED
    with nothing_written(house.session), pytest.raises(LeftTooEarly):
        say(house, saying(before.alias, Answer.PAYMENT, repayment.alias, byn("210.00")))

    (owed,) = [one for one in show(house, byn("-210.00"), repayment.reference, on=OWED_SINCE) if one is not before]
    resolve(house, owed.alias, Answer.PAYMENT, repayment.alias, byn("210.00"), Because.SENT_BY_HAND)

    assert (repayment.state, repayment.paid_on) == (State.PAID, OWED_SINCE)
    agrees(house)


def set_off(house: House, agent: Agent, amount: str) -> None:
    """Clara tells, Boris agrees."""
    new = NewMovement(
        alias=draw(Kind.PURSE_MOVEMENT),
        agent=agent.alias,
        what=What.SET_OFF,
        amount=byn(amount),
        happened_on=NOW.date(),
    )
    movement = tell_movement(house, new)
    agreed = agreed_by(
        house.fund.boris,
        "approve_purse_movement",
        object=movement.alias,
        version=movement.version,
        amount=amount,
        currency="BYN",
        payee_commitment=purse_movements.commitment_of(movement),
    )
    agent_acts.approve_movement(house.session, movement.alias, agreed)
