from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from ledger import exceptions
from ledger.aid import advances, agents, batches, results, returns
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import Item, Outcome, Receipt
from ledger.aid.batches import Batch, BatchNotReady, UnknownBatch
from ledger.aid.results import BadResult, Early, NotYet, ReceiptNotKept, Result, ResultConflict, UnknownCode
from ledger.aliases import AliasTaken, Kind, draw
from ledger.books import balances
from ledger.checks.aid import find_receipts
from ledger.checks.aid_facts import find_early
from ledger.checks.findings import silent
from ledger.errors import LedgerError
from ledger.exceptions import Difference
from ledger.identities import shelves
from ledger.identities.shelves import NewBox
from ledger.money import Money
from ledger.reconciliation.advances import reconcile
from tests import places
from tests.bookcheck import owning
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, give, nothing_written, sealed
from tests.purses import (
    LATER,
    PAID_BY,
    VERIFIED_ON,
    a_released_batch,
    an_agent,
    enter,
    failed,
    items,
    state_of,
    unproven,
    verified,
)

pytestmark = pytest.mark.place("agent_with_a_line")


@pytest.fixture
def agent(house: House) -> Agent:
    """An agent with 1,000.00 BYN of the fines' fund in their purse."""
    return places.the(house.session, Agent)


def a_list(house: House, agent: Agent, *, lines: int = 1) -> tuple[Batch, list[Item]]:
    """A released list of fines of 810.00 BYN each: the one of the place, if it is to have one line."""
    if lines == 1 and house.stock.batches:
        batch = house.stock.batches.pop()
        return batch, items(house, batch)
    give(house.session, Money(81_000 * lines, "BYN"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case() for _ in range(lines)])
    return batch, items(house, batch)


def a_receipt(house: House, item: Item, *, version: int = 1, **other: str) -> NewBox:
    key = house.session.get_one(shelves.Shelf, item.case.beneficiary_alias).sealing_key
    place = {"kind": "disbursement", "alias": item.disbursement.alias, "field": "receipt"} | other
    return sealed(key, content="An invented receipt", version=version, **place)


@pytest.mark.place("agent_with_a_purse")
def test_a_verified_receipt_is_booked_at_its_weeks_end_from_the_purse_and_the_rest_is_owed(
    house: House, agent: Agent
) -> None:
    batch, (first, second) = a_list(house, agent, lines=2)

    enter(house, batch, verified(first), verified(second))

    assert batch.state is batches.State.RECONCILED
    assert [state_of(house, item) for item in items(house, batch)] == [("paid", "paid", "confirmed")] * 2
    assert [item.line.charged_minor for item in items(house, batch)] == [81_000, 19_000]
    assert {item.disbursement.paid_on for item in items(house, batch)} == {date(2020, 11, 15)}
    assert agents.balance(house.session, agent, currency="BYN") == byn("0.00")
    assert balances.balance(house.session, "2150", currency="BYN", fund="fines") == byn("-620.00")
    assert balances.balance(house.session, "2100", currency="BYN") == byn("0.00")
    (advance,) = advances.listed(house.session, agent=agent.alias)
    assert advance.state is advances.State.SETTLED
    (found,) = reconcile(house.session, agent, on=TODAY)
    assert (found.claimed, found.difference) == (byn("1000.00"), byn("0.00"))


def test_what_is_announced_to_come_back_pays_no_receipt(house: House, agent: Agent) -> None:
    (advance,) = advances.listed(house.session, agent=agent.alias)
    returns.announce(house.session, advance, stands_for=byn("900.00"), by="test", on=TODAY)
    batch, (item,) = a_list(house, agent)

    enter(house, batch, verified(item))

    assert agents.balance(house.session, agent, currency="BYN") == byn("900.00")
    assert balances.balance(house.session, "2150", currency="BYN") == byn("-710.00")


@pytest.mark.parametrize("receipt", [Receipt.REJECTED, Receipt.MISSING])
def test_without_a_receipt_that_holds_nothing_is_booked_and_it_ages(
    house: House, agent: Agent, receipt: Receipt
) -> None:
    batch, (item,) = a_list(house, agent)
    booked = balances.trial_balance(house.session)

    enter(house, batch, unproven(item, receipt))

    assert balances.trial_balance(house.session) == booked
    assert state_of(house, items(house, batch)[0]) == ("released", "recognised", "approved")
    (waiting,) = results.ageing(house.session, agent.alias)
    assert (waiting.receipt, waiting.amount, waiting.paid_by) == (receipt, byn("810.00"), PAID_BY)


def test_a_better_receipt_is_booked_once(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)
    enter(house, batch, unproven(item, Receipt.MISSING))
    enter(house, batch, unproven(item, receipt_box=a_receipt(house, item)))
    better = a_receipt(house, item, version=2)

    enter(house, batch, verified(item, receipt_box=better))

    assert results.ageing(house.session, agent.alias) == []
    assert items(house, batch)[0].line.receipt_commitment == better.commitment
    assert agents.balance(house.session, agent, currency="BYN") == byn("190.00")
    with nothing_written(house.session):
        enter(house, batch, verified(item))


def test_a_result_twice_changes_nothing(house: House, agent: Agent) -> None:
    batch, (first, second, third) = a_list(house, agent, lines=3)
    told = (verified(first, receipt_box=a_receipt(house, first)), unproven(second), failed(third))
    enter(house, batch, *told)

    with nothing_written(house.session):
        enter(house, batch, *told)


@pytest.mark.parametrize("stands", ["verified", "rejected", "failed"])
def test_another_result_under_the_same_code_is_a_conflict(house: House, agent: Agent, stands: str) -> None:
    batch, (item,) = a_list(house, agent)
    standing = {"verified": verified(item), "rejected": unproven(item), "failed": failed(item)}
    enter(house, batch, standing.pop(stands))
    others = [verified(item, paid_by=date(2020, 11, 8)), unproven(item, Receipt.MISSING), failed(item)]
    if stands != "rejected":  # a better receipt may follow a rejected one
        others += standing.values()

    for other in others:
        if (other.outcome, stands) == (Outcome.FAILED, "failed"):
            continue
        with nothing_written(house.session), pytest.raises(ResultConflict):
            enter(house, batch, other)


def test_codes_are_those_of_this_batch_only(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)
    another = an_agent(house)
    _, (of_another_list,) = a_list(house, agent)
    _, (of_another_agent,) = a_list(house, another)

    for stranger in (of_another_list, of_another_agent):
        with nothing_written(house.session), pytest.raises(UnknownCode) as refusal:
            enter(house, batch, verified(item), verified(stranger))
        assert refusal.value.data["position"] == 2
    with nothing_written(house.session), pytest.raises(UnknownCode):
        enter(house, batch, Result("", Outcome.FAILED, Receipt.MISSING))


def test_results_are_entered_all_or_none(house: House, agent: Agent) -> None:
    batch, (first, second) = a_list(house, agent, lines=2)
    misplaced = a_receipt(house, first)

    for other in (verified(second, verified_on=None), verified(second, receipt_box=misplaced), verified(first)):
        with nothing_written(house.session), pytest.raises(BadResult):
            enter(house, batch, verified(first), other)


def test_a_result_that_cannot_be_is_refused(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)
    box = a_receipt(house, item)
    said: list[tuple[Result, type[LedgerError]]] = [
        (verified(item, verified_on=None), BadResult),
        (unproven(item, verified_on=VERIFIED_ON), BadResult),
        (unproven(item, paid_by=None), BadResult),
        (verified(item, paid_by=date(2020, 11, 14)), BadResult),
        (verified(item, paid_by=date(2020, 11, 22), verified_on=VERIFIED_ON), BadResult),
        (unproven(item, paid_by=date(2020, 11, 29)), BadResult),
        (Result(item.line.code or "", Outcome.FAILED, Receipt.REJECTED), BadResult),
        (Result(item.line.code or "", Outcome.FAILED, Receipt.MISSING, paid_by=PAID_BY), BadResult),
        (Result(item.line.code or "", Outcome.FAILED, Receipt.MISSING, receipt_box=box), BadResult),
        (verified(item, receipt_box=a_receipt(house, item, field="payee")), BadResult),
        (verified(item, receipt_box=a_receipt(house, item, alias=draw(Kind.DISBURSEMENT))), BadResult),
        (verified(item, verified_on=TODAY), NotYet),
    ]

    for result, error in said:
        with nothing_written(house.session), pytest.raises(error):
            enter(house, batch, result)


def test_the_week_of_verification_must_be_over(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)
    early = verified(item, verified_on=TODAY)

    with nothing_written(house.session), pytest.raises(NotYet) as refusal:
        enter(house, batch, early, at=NOW)
    enter(house, batch, early, at=LATER)

    assert refusal.value.data["until"] == "2020-11-22"
    assert items(house, batch)[0].disbursement.paid_on == date(2020, 11, 22)


def early(house: House) -> list[tuple[Difference, str]]:
    """The exceptions about what was paid too early, and about which disbursements."""
    found = [one for one in exceptions.listed(house.session) if one.difference in results.EXCEPTION_OF.values()]
    return [(one.difference, one.about.partition(":")[2]) for one in found]


def released_a_week_before(house: House) -> None:
    """As if it had been released on the ninth: the agent paid in the week of it."""
    with owning(engine_of(house.session)) as connection:
        connection.execute(text("UPDATE disbursement SET released_on = '2020-11-09'"))
    house.session.expire_all()


@pytest.mark.parametrize("receipt", ["verified", "missing"])
def test_what_was_paid_before_its_ruling_was_in_force_is_booked_as_a_fact_and_an_exception(
    house: House, agent: Agent, receipt: str
) -> None:
    batch, (item, other) = a_list(house, agent, lines=2)
    released_a_week_before(house)
    day = item.ruling.payable_from - timedelta(days=7)
    told = {"verified": verified(item, paid_by=day), "missing": unproven(item, Receipt.MISSING, paid_by=day)}

    enter(house, batch, told[receipt], verified(other))

    assert early(house) == [(Difference.PAID_BEFORE_FORCE, item.disbursement.alias)]
    state = "paid" if receipt == "verified" else "released"
    assert [one.disbursement.state for one in items(house, batch)] == [state, "paid"]
    assert list(find_early(house.session, silent)) == []


def test_what_was_paid_before_its_release_is_booked_as_a_fact_and_an_exception(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)

    enter(house, batch, verified(item))

    assert early(house) == [(Difference.PAID_BEFORE_RELEASE, item.disbursement.alias)]
    assert balances.balance(house.session, "2100", currency="BYN") == byn("0.00")


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (Early.BEFORE_FORCE, Difference.PAID_BEFORE_FORCE),
        (Early.BEFORE_RELEASE, Difference.PAID_BEFORE_RELEASE),
    ],
)
def test_what_a_device_found_within_a_week_is_an_exception_too(
    house: House, agent: Agent, found: Early, difference: Difference
) -> None:
    batch, (item,) = a_list(house, agent)
    released_a_week_before(house)

    enter(house, batch, verified(item, early=found))

    assert early(house) == [(difference, item.disbursement.alias)]


def test_what_was_paid_in_time_is_no_exception_and_what_failed_was_not_early(house: House, agent: Agent) -> None:
    batch, (first, second) = a_list(house, agent, lines=2)
    released_a_week_before(house)

    with nothing_written(house.session), pytest.raises(BadResult):
        enter(house, batch, replace(failed(first), early=Early.BEFORE_RELEASE))
    enter(house, batch, failed(first), verified(second))

    assert early(house) == []


def test_a_better_receipt_of_what_was_paid_too_early_opens_nothing_anew(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)

    enter(house, batch, unproven(item))
    enter(house, batch, verified(item))

    assert early(house) == [(Difference.PAID_BEFORE_RELEASE, item.disbursement.alias)]


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE exception SET about = 'gone'", "before_release"),
        ("UPDATE batch_line SET paid_by = '2020-01-05'", "before_force"),
        ("UPDATE batch_line SET paid_by = '2020-11-29'", "paid_by"),
        ("UPDATE batch_line SET verified_by = '2020-11-29'", "verified_by"),
    ],
)
def test_what_was_paid_too_early_and_is_no_exception_is_found(
    house: House, agent: Agent, statement: str, where: str
) -> None:
    batch, (item,) = a_list(house, agent)
    enter(house, batch, verified(item))
    assert list(find_early(house.session, silent)) == []

    with owning(engine_of(house.session)) as connection:
        connection.execute(text(statement))

    found = list(find_early(house.session, silent))
    assert [(one.check, one.name, one.facts) for one in found] == [
        ("paid-early", item.disbursement.alias, {"where": where})
    ]


def test_only_a_released_list_of_an_agent_has_results(house: House) -> None:
    give(house.session, byn("1620.00"))
    batch = a_released_batch(house, None, LEAF, [house.a_verified_case()])

    with nothing_written(house.session), pytest.raises(BatchNotReady):
        enter(house, batch, Result("ABCDEF", Outcome.FAILED, Receipt.MISSING))
    with pytest.raises(UnknownBatch):
        results.enter(house.session, draw(Kind.BATCH), [], recorded_at=NOW, recorded_by="test")


def test_what_a_frozen_agent_has_paid_is_a_fact(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)
    agents.freeze(house.session, agent, by="test", on=TODAY)

    enter(house, batch, verified(item))

    assert state_of(house, items(house, batch)[0]) == ("paid", "paid", "confirmed")


def test_a_receipt_does_not_take_the_place_of_another(house: House, agent: Agent) -> None:
    batch, (item,) = a_list(house, agent)
    enter(house, batch, unproven(item, receipt_box=a_receipt(house, item)))

    with nothing_written(house.session), pytest.raises(AliasTaken):
        enter(
            house,
            batch,
            verified(item, receipt_box=a_receipt(house, item)),
            at=datetime(2020, 11, 23, tzinfo=NOW.tzinfo),
        )


# --- receipts that are kept


@pytest.fixture
def kept(house: House, agent: Agent) -> tuple[Batch, Item]:
    """A line of a case that was received when the pack has receipts kept."""
    batch, _ = a_list(house, agent)
    with owning(engine_of(house.session)) as connection:
        connection.execute(text("UPDATE aid_case SET received_on = '2026-01-05'"))
    house.session.expire_all()
    return batch, items(house, batch)[0]


def test_without_its_receipt_a_line_stays_unverified_and_the_refusal_names_what_is_missing(
    house: House, kept: tuple[Batch, Item]
) -> None:
    batch, item = kept

    with nothing_written(house.session), pytest.raises(ReceiptNotKept) as refusal:
        enter(house, batch, verified(item))

    assert refusal.value.data == {"position": 1, "files": "receipt"}


def test_a_receipt_that_came_with_an_earlier_result_is_enough(house: House, kept: tuple[Batch, Item]) -> None:
    batch, item = kept
    enter(house, batch, unproven(item, receipt_box=a_receipt(house, item)))

    enter(house, batch, verified(items(house, batch)[0]))

    assert items(house, batch)[0].disbursement.state == "paid"
    assert list(find_receipts(house.session, silent)) == []


@pytest.mark.parametrize("commitment", ["NULL", f"'{'0' * 64}'"])
def test_a_verified_line_whose_receipt_is_not_there_is_found(
    house: House, kept: tuple[Batch, Item], commitment: str
) -> None:
    batch, item = kept
    enter(house, batch, verified(item, receipt_box=a_receipt(house, item)))
    house.session.connection().execute(text(f"UPDATE batch_line SET receipt_commitment = {commitment}"))  # noqa: S608  # ours

    (found,) = find_receipts(house.session, silent)

    assert (found.check, found.name) == ("receipts-kept", item.disbursement.alias)
