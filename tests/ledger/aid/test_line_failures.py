from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.aid import batches, line_failures, results
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import Item, Receipt
from ledger.aid.batches import Batch
from ledger.aid.disbursements import UnknownDisbursement
from ledger.aid.line_failures import LineFailure, LineNotReady, NoFailure, Reason
from ledger.aid.results import ResultConflict
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, Agreed, SamePerson
from ledger.books import balances
from tests import places
from tests.cast import TODAY, House, Person, agreed_by, byn, give, nothing_written
from tests.purses import enter, items, state_of, unproven, verified

pytestmark = pytest.mark.place("agent_with_a_line")


@pytest.fixture
def agent(house: House) -> Agent:
    return places.the(house.session, Agent)


@pytest.fixture
def batch(house: House) -> Batch:
    """A list of one fine that the agent says they paid, without a receipt."""
    batch = places.the(house.session, Batch)
    (item,) = items(house, batch)
    return enter(house, batch, unproven(item, Receipt.MISSING))


def line(house: House, batch: Batch) -> Item:
    (item,) = items(house, batch)
    return item


def tell(house: House, batch: Batch, *, because: Reason = Reason.MONEY_KEPT) -> LineFailure:
    told = line_failures.tell(
        house.session,
        line(house, batch).disbursement.alias,
        because=because,
        by=house.fund.clara.alias,
        on=TODAY,
    )
    house.session.commit()
    return told


def on_failure(house: House, batch: Batch, *, by: Person, **other: Any) -> Agreed:
    paid = line(house, batch).disbursement
    seen: dict[str, Any] = {
        "object": paid.alias,
        "version": paid.version,
        "amount": paid.amount().decimal(),
        "currency": paid.currency,
        "payee_commitment": line_failures.commitment(Reason.MONEY_KEPT),
    }
    return agreed_by(by, "agree_failure", **(seen | other))


def test_two_people_end_a_line_that_nobody_can_prove(house: House, agent: Agent, batch: Batch, boris: Person) -> None:
    tell(house, batch)

    agreed = line_failures.agree(
        house.session, line(house, batch).disbursement.alias, on_failure(house, batch, by=boris)
    )

    assert agreed.agreed_by == boris.alias
    assert state_of(house, line(house, batch)) == ("failed", "recognised", "approved")
    assert balances.balance(house.session, agent.purse(), currency="BYN") == byn("1000.00")
    assert results.ageing(house.session, agent.alias) == []
    assert batches.require(house.session, batch.alias).state is batches.State.RECONCILED
    assert batches.open_lines(house.session, agent.alias) == 0


def test_what_one_person_tells_changes_nothing_yet(house: House, agent: Agent, batch: Batch) -> None:
    tell(house, batch, because=Reason.NOT_PAID)
    tell(house, batch)

    assert state_of(house, line(house, batch)) == ("released", "recognised", "approved")
    assert len(results.ageing(house.session, agent.alias)) == 1
    (told,) = line_failures.listed(house.session)
    assert told.because is Reason.MONEY_KEPT


def test_who_tells_does_not_agree_and_agrees_to_this_reason(
    house: House, batch: Batch, clara: Person, boris: Person
) -> None:
    alias = line(house, batch).disbursement.alias
    with nothing_written(house.session), pytest.raises(NoFailure):
        line_failures.agree(house.session, alias, on_failure(house, batch, by=boris))
    tell(house, batch)

    with nothing_written(house.session), pytest.raises(SamePerson):
        line_failures.agree(house.session, alias, on_failure(house, batch, by=clara))
    other = line_failures.commitment(Reason.NOT_PAID)
    with nothing_written(house.session), pytest.raises(ActDiffers):
        line_failures.agree(house.session, alias, on_failure(house, batch, by=boris, payee_commitment=other))
    with pytest.raises(DBAPIError), house.session.begin_nested():
        house.session.connection().execute(text("UPDATE line_failure SET agreed_by = told_by"))
    for past_it in ("disbursement SET state = 'failed'", "batch_line SET outcome = 'failed'"):
        with pytest.raises(DBAPIError, match="guard: an order has failed"), house.session.begin_nested():
            house.session.connection().execute(text(f"UPDATE {past_it}"))  # the words of this file


def test_only_a_paid_line_without_a_receipt_that_holds_fails_so(house: House, batch: Batch, boris: Person) -> None:
    tell(house, batch)
    enter(house, batch, verified(line(house, batch)))

    with nothing_written(house.session), pytest.raises(LineNotReady):
        tell(house, batch)
    with nothing_written(house.session), pytest.raises(LineNotReady):
        line_failures.agree(house.session, line(house, batch).disbursement.alias, on_failure(house, batch, by=boris))
    with pytest.raises(UnknownDisbursement):
        line_failures.tell(house.session, draw(Kind.DISBURSEMENT), because=Reason.NOT_PAID, by=boris.alias, on=TODAY)


def test_a_receipt_that_turns_up_after_two_people_gave_up_is_a_conflict(
    house: House, batch: Batch, boris: Person
) -> None:
    tell(house, batch)
    line_failures.agree(house.session, line(house, batch).disbursement.alias, on_failure(house, batch, by=boris))
    house.session.commit()

    with nothing_written(house.session), pytest.raises(ResultConflict):
        enter(house, batch, verified(line(house, batch)))


def test_a_single_payment_is_no_line(house: House) -> None:
    give(house.session, byn("810.00"))
    paid = house.a_released_payment()

    with nothing_written(house.session), pytest.raises(LineNotReady):
        line_failures.tell(house.session, paid.alias, because=Reason.NOT_PAID, by=house.fund.clara.alias, on=TODAY)
