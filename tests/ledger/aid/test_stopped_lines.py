"""Released lines of agents that two people stop: the ruling may fall, and what is paid all the same is a fact."""

import pytest
from sqlalchemy import text
from sqlmodel import select

from ledger import exceptions
from ledger.aid import cases, obligations, order_failures, quashing, rulings
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import Item, Outcome
from ledger.aid.batches import Batch
from ledger.aid.order_failures import OrderNotReady, Reason
from ledger.aid.refunds import Debtor, Refund
from ledger.aid.unwinding import MoneyUnderWay
from ledger.books import balances
from ledger.exceptions import Difference
from tests import places
from tests.bookcheck import assert_it_holds, told_after
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, give, nothing_written
from tests.purses import a_released_batch, enter, failed, items, unproven, verified
from tests.unexecuted import a_payment, end, tell

pytestmark = pytest.mark.place("agent_with_a_purse")


@pytest.fixture
def agent(house: House) -> Agent:
    """An agent with 1,000.00 BYN of the fines' fund in their purse."""
    return places.the(house.session, Agent)


@pytest.fixture
def listed(house: House, agent: Agent) -> tuple[Batch, list[Item]]:
    """A released list of two fines of 810.00 BYN."""
    give(house.session, byn("1620.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case() for _ in range(2)])
    return batch, items(house, batch)


def quash(house: House, item: Item) -> None:
    ruling = rulings.require(house.session, item.ruling.alias)
    quashing.quash(house.session, ruling, by=house.fund.anton.alias, on=TODAY, recorded_at=NOW)
    house.session.commit()


def after_stop(house: House) -> list[str]:
    found = [one for one in exceptions.listed(house.session) if one.difference is Difference.PAID_AFTER_STOP]
    return [one.about.partition(":")[2] for one in found]


def broken(house: House) -> None:
    """Nothing is: but a ruling that is quashed past its act is for other tests."""
    assert_it_holds(engine_of(house.session), but=("schema", "signed", "sources"))


def test_a_line_that_two_people_stop_lets_its_ruling_fall_and_the_agent_say_that_nothing_was_paid(
    house: House, listed: tuple[Batch, list[Item]]
) -> None:
    batch, (stopped, other) = listed
    with nothing_written(house.session), pytest.raises(MoneyUnderWay):
        quash(house, stopped)
    house.session.rollback()

    end(house, stopped.disbursement, because=Reason.STOPPED)
    quash(house, stopped)
    enter(house, batch, failed(stopped), verified(other))

    assert obligations.require(house.session, stopped.obligation.alias).state is obligations.State.QUASHED
    assert cases.require(house.session, stopped.case.alias).state is cases.State.CLOSED
    assert [item.line.outcome for item in items(house, batch)] == [Outcome.FAILED, Outcome.PAID]
    assert after_stop(house) == []
    broken(house)


def test_what_an_agent_paid_after_the_stop_and_the_quash_is_booked_as_owed_back(
    house: House, listed: tuple[Batch, list[Item]]
) -> None:
    batch, (stopped, other) = listed
    end(house, stopped.disbursement, because=Reason.STOPPED)
    quash(house, stopped)

    enter(house, batch, verified(stopped), verified(other))
    enter(house, batch, verified(stopped))

    assert after_stop(house) == [stopped.disbursement.alias]
    assert balances.balance(house.session, "1380", currency="BYN") == byn("810.00")
    assert balances.balance(house.session, "2100", currency="BYN") == byn("0.00")
    assert balances.balance(house.session, "2150", currency="BYN") == byn("-620.00")
    (refund,) = house.session.exec(select(Refund)).all()
    assert (refund.debtor, refund.minor, refund.obligation_alias) == (Debtor.PAYEE, 81_000, stopped.obligation.alias)
    broken(house)


def test_what_an_agent_paid_after_the_stop_is_the_payment_while_it_is_owed_and_an_exception(
    house: House, listed: tuple[Batch, list[Item]]
) -> None:
    batch, (stopped, _) = listed
    end(house, stopped.disbursement, because=Reason.STOPPED)

    enter(house, batch, unproven(stopped))
    enter(house, batch, verified(stopped))

    assert after_stop(house) == [stopped.disbursement.alias]
    assert obligations.require(house.session, stopped.obligation.alias).state is obligations.State.PAID
    broken(house)


def test_what_was_asked_for_again_meanwhile_is_not_paid_twice_by_the_stopped_line(
    house: House, listed: tuple[Batch, list[Item]]
) -> None:
    batch, (stopped, _) = listed
    end(house, stopped.disbursement, because=Reason.STOPPED)
    again = house.a_requested_payment(of=cases.require(house.session, stopped.case.alias))

    enter(house, batch, verified(stopped))

    assert balances.balance(house.session, "1380", currency="BYN") == byn("810.00")
    assert again.obligation_alias == stopped.obligation.alias
    broken(house)


def test_only_a_line_of_which_its_agent_has_said_nothing_is_stopped_and_for_no_other_reason(
    house: House, listed: tuple[Batch, list[Item]]
) -> None:
    batch, (told, other) = listed
    enter(house, batch, unproven(told))
    by_bank = a_payment(house)

    for payment, because in (
        (told.disbursement, Reason.STOPPED),
        (other.disbursement, Reason.NEVER_EXECUTED),
        (by_bank, Reason.STOPPED),
    ):
        with nothing_written(house.session), pytest.raises(OrderNotReady):
            tell(house, payment, because=because)


def test_a_line_that_somebody_stops_past_the_verbs_is_found(house: House, listed: tuple[Batch, list[Item]]) -> None:
    _, (stopped, other) = listed
    end(house, stopped.disbursement, because=Reason.STOPPED)
    assert order_failures.told_of(house.session, stopped.disbursement.alias)[-1].agreed_by == house.fund.boris.alias
    attacks = {
        "stopped by nobody": f"UPDATE disbursement SET state = 'failed' WHERE alias = '{other.disbursement.alias}'",  # noqa: S608  # our own
        "stopped no more": f"UPDATE disbursement SET state = 'released' WHERE alias = '{stopped.disbursement.alias}'",  # noqa: S608  # our own
    }

    told = told_after(engine_of(house.session), {name: (one, "orders-failed") for name, one in attacks.items()})

    assert told == {name: {"orders-failed"} for name in attacks}
    assert house.session.connection().scalar(text("SELECT count(*) FROM order_failure")) == 1
