"""The sealed payee of a repayment is proposed for erasure once the bank can hardly give the money back any more."""

from datetime import date, timedelta

import pytest

from ledger.aid import outlays, payee_retention
from ledger.aid.agents import Agent
from ledger.aid.outlays import NewRepayment, Repayment
from ledger.aid.retention import Due, NotDue
from ledger.aliases import Kind, draw
from ledger.identities import shelves
from ledger.identities.erasure_list import Reason
from ledger.identities.shelves import NewShelf
from ledger.reconciliation import shelf_retention
from tests.cast import LEAF, NOW, TODAY, House, a_shelf, byn, give, nothing_written, sealed
from tests.erasing import signed
from tests.purses import a_released_batch, an_agent, enter, items, verified

DUE = date(2022, 1, 20)


@pytest.fixture
def agent(house: House) -> Agent:
    """An agent who has paid a fine of 810.00 of their own."""
    give(house.session, byn("2000.00"))
    agent = an_agent(house)
    batch = a_released_batch(house, agent, "", [house.a_verified_case()])
    enter(house, batch, verified(items(house, batch)[0]))
    return agent


def a_repayment(house: House, agent: Agent) -> Repayment:
    """With its payee on a shelf of its own."""
    alias = draw(Kind.OUTLAY)
    shelf = a_shelf(house.fund, alias, by=house.fund.clara)
    new = NewShelf(shelf.alias, shelf.vault, shelf.epoch, shelf.public, shelf.signature, shelf.wrap)
    shelves.put_up(house.session, new, signer=house.fund.clara.operator, shred_keys=house.shred_keys)
    payee = sealed(shelf.public, kind="outlay", alias=alias, field="payee", content="Invented Agent")
    shelves.keep(house.session, [payee], shelf=alias)
    told = NewRepayment(
        alias=alias,
        agent=agent.alias,
        fund="fines",
        account=LEAF,
        amount=byn("10.00"),
        settles=byn("10.00"),
        payee_commitment=payee.commitment,
    )
    return outlays.request(house.session, told, by=house.fund.clara.alias)


def test_a_payee_is_due_so_many_months_after_the_bank_has_shown_it_or_it_was_given_up(
    house: House, agent: Agent
) -> None:
    paid, given_up, waiting = (a_repayment(house, agent) for _ in range(3))
    outlays.approve(house.session, paid, by=house.fund.boris.alias, on=TODAY)
    fact = {"on": TODAY, "recorded_at": NOW, "recorded_by": "test"}
    outlays.pay(house.session, paid, source_key="bank:1", **fact)  # type: ignore[arg-type]  # days and moments
    outlays.cancel(house.session, given_up, on=TODAY)

    assert payee_retention.kept_until(waiting) is None
    assert shelf_retention.due(house.session, on=DUE - timedelta(days=1)) == []
    assert shelf_retention.due(house.session, on=DUE) == sorted(
        [Due(paid.alias, DUE), Due(given_up.alias, DUE)], key=lambda one: one.shelf
    )
    for early in (paid, waiting):
        agreed = signed(house.fund.ana, "request_erasure", early.alias, Reason.RETENTION)
        with nothing_written(house.session), pytest.raises(NotDue):
            shelf_retention.request_erasure(house.session, early.alias, reason=Reason.RETENTION, agreed=agreed)
    agreed = signed(house.fund.ana, "request_erasure", paid.alias, Reason.DANGER)
    shelf_retention.request_erasure(house.session, paid.alias, reason=Reason.DANGER, agreed=agreed)
    assert [one.shelf for one in shelf_retention.due(house.session, on=DUE)] == [given_up.alias]
