from datetime import date
from typing import Any

import pytest

from ledger import checks, exceptions
from ledger.aid import advances, agents, returns
from ledger.aid.advances import Advance, AdvanceNotReady
from ledger.aid.agents import Agent
from ledger.aid.returns import Return
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, Agreed, SamePerson
from ledger.books import balances, exchange
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation import bank, confirmations
from ledger.reconciliation.advances import reconcile
from ledger.reconciliation.confirmations import NoReturn
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import LEAF, NOW, TODAY, House, Person, agreed_by, byn, eur, give, nothing_written
from tests.purses import EUR_LEAF, a_released_batch, an_advance, an_agent, enter, give_euros, items, verified

DAY = date(2020, 11, 20)


@pytest.fixture
def agent(house: House) -> Agent:
    """An agent who received 3,000.00 BYN for 1,000.00 EUR."""
    give_euros(house)
    return an_agent(house)


@pytest.fixture
def advance(house: House, agent: Agent) -> Advance:
    return an_advance(house, agent, received=byn("3000.00"))


def announce(house: House, advance: Advance, amount: str = "1500.00") -> Return:
    clara = house.fund.clara.alias
    announced = returns.announce(house.session, advance, stands_for=byn(amount), by=clara, on=TODAY)
    house.session.commit()
    return announced


def arrives(house: House, announced: Return, came: Money) -> list[OpenException]:
    """The bank shows it; what waits afterwards."""
    new = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=EUR_LEAF,
        currency="EUR",
        opened_on=date(2020, 11, 1),
        closed_on=DAY,
        opening=None,
        closing=None,
        content_token=draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
        lines=[NewLine(DAY, None, came, announced.reference, reversal=False)],
    )
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)
    house.session.commit()
    waiting = exceptions.listed(house.session)  # agents of tests pay before the release, which is another exception
    return [one for one in waiting if one.difference is not Difference.PAID_BEFORE_RELEASE]


def on_return(opened: OpenException, announced: Return, came: Money, *, by: Person, **other: Any) -> Agreed:
    seen: dict[str, Any] = {
        "object": opened.alias,
        "amount": came.decimal(),
        "currency": came.currency,
        "payee_commitment": confirmations.commitment(advance=announced.advance_alias, stands_for=announced.amount()),
    }
    return agreed_by(by, "confirm_return", **(seen | other))


def agrees(house: House, agent: Agent) -> None:
    chosen = [check for check in checks.CHECKS if check.name in {"purses", "owed-to-agents"}]
    assert [outcome.findings for outcome in checks.run(house.session, checks=chosen)] == [[], []]
    assert {one.difference.minor for one in reconcile(house.session, agent, on=TODAY)} == {0}


@pytest.mark.parametrize("came", ["475.00", "500.00", "525.00"])
def test_what_comes_back_near_the_rate_is_booked_by_itself(house: House, advance: Advance, came: str) -> None:
    announced = announce(house, advance)

    assert arrives(house, announced, eur(came)) == []
    assert announced.received_on == DAY


@pytest.mark.parametrize("came", ["474.99", "525.01"])
def test_what_comes_back_far_from_the_rate_waits_for_a_second_person(
    house: House, agent: Agent, advance: Advance, boris: Person, came: str
) -> None:
    announced = announce(house, advance)
    (opened,) = arrives(house, announced, eur(came))
    assert (opened.difference, announced.received_on) == (Difference.AMOUNT_DIFFERS, None)
    assert [found[0].alias for found in confirmations.waiting(house.session)] == [opened.alias]

    confirmations.confirm_return(house.session, opened.alias, on_return(opened, announced, eur(came), by=boris))

    assert (announced.received_on, exceptions.listed(house.session)) == (DAY, [])
    assert agents.balance(house.session, agent, currency="BYN") == byn("1500.00")
    agrees(house, agent)


def test_the_stored_rate_is_asked_before_the_advances_own(house: House, advance: Advance) -> None:
    exchange.add(
        house.session,
        currency="BYN",
        on=DAY,
        value=exchange.parse("0.30"),
        source="ecb",
        recorded_at=NOW,
        recorded_by="test",
    )
    announced = announce(house, advance)

    assert [one.difference for one in arrives(house, announced, eur("500.00"))] == [Difference.AMOUNT_DIFFERS]


def test_who_announced_it_does_not_confirm_and_who_confirms_agrees_to_this(
    house: House, advance: Advance, clara: Person, boris: Person
) -> None:
    announced = announce(house, advance)
    (opened,) = arrives(house, announced, eur("100.00"))

    with nothing_written(house.session), pytest.raises(SamePerson):
        confirmations.confirm_return(house.session, opened.alias, on_return(opened, announced, eur("100.00"), by=clara))
    for lie in ({"amount": "500.00"}, {"payee_commitment": "0" * 64}):
        with nothing_written(house.session), pytest.raises(ActDiffers):
            confirmations.confirm_return(
                house.session, opened.alias, on_return(opened, announced, eur("100.00"), by=boris, **lie)
            )


def test_what_was_withdrawn_may_be_claimed_and_what_comes_then_was_the_agents_own(
    house: House, agent: Agent, advance: Advance, boris: Person
) -> None:
    announced = announce(house, advance, "3000.00")
    returns.withdraw(house.session, announced, by=house.fund.clara.alias, on=TODAY)
    with pytest.raises(AdvanceNotReady):
        returns.withdraw(house.session, announced, by=boris.alias, on=TODAY)
    give(house.session, byn("810.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    enter(house, batch, verified(items(house, batch)[0]))
    (opened,) = arrives(house, announced, eur("1000.00"))
    assert opened.difference is Difference.NOT_RELEASED

    confirmations.confirm_return(house.session, opened.alias, on_return(opened, announced, eur("1000.00"), by=boris))

    assert agents.balance(house.session, agent, currency="BYN") == byn("0.00")
    assert balances.balance(house.session, agents.OWED, currency="BYN") == byn("-810.00")
    assert advances.require(house.session, advance.alias).state is advances.State.SETTLED
    agrees(house, agent)


def test_an_exception_about_something_else_is_no_return(house: House, advance: Advance, boris: Person) -> None:
    announced = announce(house, advance)
    arrives(house, announced, eur("500.00"))
    with nothing_written(house.session), pytest.raises(AdvanceNotReady):
        returns.withdraw(house.session, announced, by=boris.alias, on=TODAY)
    opened = [one for one in arrives(house, announced, eur("500.01")) if one.difference is Difference.NOT_RELEASED]

    with nothing_written(house.session), pytest.raises(AdvanceNotReady):
        confirmations.confirm_return(
            house.session, opened[0].alias, on_return(opened[0], announced, eur("500.01"), by=boris)
        )
    assert confirmations.waiting(house.session) == []
    waiting = arrives(house, announced, eur("-1.00"))
    (left,) = [one for one in waiting if one.difference is Difference.UNMATCHED_DEBIT]
    with nothing_written(house.session), pytest.raises(NoReturn):
        confirmations.confirm_return(house.session, left.alias, on_return(left, announced, eur("-1.00"), by=boris))
