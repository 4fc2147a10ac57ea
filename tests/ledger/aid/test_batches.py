from datetime import date, timedelta
from typing import Any

import pytest

from ledger.aid import agents, batches, disbursements, obligations
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.agents import AgentNotActive, OverCap
from ledger.aid.batch_lines import LinesRefused
from ledger.aid.batches import BadBatch, BatchNotReady, NewLine, State, UnknownBatch
from ledger.aid.cases import Case
from ledger.aid.disbursements import AlreadyRequested, Payee
from ledger.aid.obligations import NotToldYet, ObligationKind, ObligationNotReady, UnknownObligation
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.books import balances, spending
from ledger.books.funds import UnknownFund
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.reconciliation import issued
from tests.cast import LEAF, NOW, TODAY, House, Person, byn, give, nothing_written
from tests.purses import (
    FUNDS,
    a_locked_batch,
    a_released_batch,
    an_agent,
    an_approved_batch,
    approve,
    create,
    enter,
    failed,
    items,
    lines_for,
    release,
    state_of,
    tell,
    unproven,
    verified,
)

pytestmark = pytest.mark.place("verified_cases")


def cases_of(house: House, count: int) -> list[Case]:
    return [house.a_verified_case() for _ in range(count)]


@pytest.mark.place("house")
def test_a_batch_goes_from_draft_to_the_bank_and_is_reconciled_when_every_line_is(house: House, clara: Person) -> None:
    give(house.session, byn("2000.00"))
    found = cases_of(house, 2)

    batch = create(house, lines_for(house, found), account=LEAF)
    assert (batch.state, batch.amount(), batch.digest) == (State.DRAFT, byn("1620.00"), None)
    assert batches.candidates(house.session, limit=10) == []
    batches.lock(house.session, batch)
    for case in found:
        house.open(case, by=house.fund.boris)
    approve(house, batch)
    tell(house, batch)
    release(house, batch)

    assert (batch.state, batch.released_by, batch.released_on) == (State.RELEASED, clara.alias, TODAY)
    assert spending.available(house.session, LEAF, currency="BYN") == byn("380.00")
    assert balances.balance(house.session, "2100", currency="BYN") == byn("-1620.00")
    assert [item.line.code for item in items(house, batch)] == [None, None]
    for item, state in zip(items(house, batch), (State.RELEASED, State.RECONCILED), strict=True):
        line = issued.find(house.session, item.disbursement.reference)
        assert line is not None
        issued.book(
            house.session,
            line,
            source_key=f"bank:{item.line.number}",
            account=LEAF,
            moved=byn("-810.00"),
            on=TODAY,
            recorded_at=NOW,
            recorded_by=clara.alias,
        )
        assert state_of(house, item) == ("paid", "paid", "paid")
        assert batch.state is state


def test_the_lines_of_an_agent_get_codes_of_their_own_at_release(house: House) -> None:
    give(house.session, byn("3000.00"))
    agent = an_agent(house)

    batch = a_released_batch(house, agent, LEAF, cases_of(house, 3))

    codes = [item.line.code or "" for item in items(house, batch)]
    assert len(set(codes)) == 3
    assert all(len(code) == 6 for code in codes)
    assert batches.open_lines(house.session, agent.alias) == 3
    assert spending.available(house.session, LEAF, currency="BYN") == byn("3000.00")


# --- asked for


def test_a_batch_that_cannot_be_is_refused(house: House) -> None:
    give(house.session, byn("3000.00"))
    agent, other = an_agent(house), an_agent(house)
    first, second = lines_for(house, cases_of(house, 2))
    taken = create(house, [first], account=LEAF)
    house.session.commit()
    swapped = NewLine(second.disbursement, draw(Kind.OBLIGATION), Payee.AUTHORITY, second.payee_commitment)
    said: list[tuple[dict[str, object], type[LedgerError]]] = [
        ({"alias": taken.alias}, AliasTaken),
        ({"alias": draw(Kind.ADVANCE)}, BadAlias),
        ({"lines": []}, BadBatch),
        ({"lines": [second] * (batches.MOST_LINES + 1)}, BadBatch),
        ({"lines": [second, second]}, BadBatch),
        ({"lines": [second, NewLine(draw(Kind.DISBURSEMENT), *astuple(second)[1:])]}, BadBatch),
        ({"lines": [NewLine(first.disbursement, *astuple(second)[1:])]}, AliasTaken),
        ({"lines": [swapped]}, UnknownObligation),
        ({"fund_of": {ObligationKind.DETENTION: "detention"}}, BadBatch),
        ({"fund_of": {ObligationKind.FINE: "nowhere"}}, UnknownFund),
        ({"account": agent.purse()}, BadBatch),
        ({"agent": agent.alias}, BadBatch),
        ({"agent": agent.alias, "account": other.purse()}, BadBatch),
    ]

    for lie, error in said:
        with nothing_written(house.session), pytest.raises(error):
            create(house, **({"lines": [second], "account": LEAF} | lie))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(UnknownBatch):
        batches.require(house.session, draw(Kind.BATCH))


def astuple(line: NewLine) -> tuple[str, str, Payee, str]:
    return (line.disbursement, line.obligation, line.payee, line.payee_commitment)


def test_an_obligation_stands_in_one_batch(house: House) -> None:
    (case,) = cases_of(house, 1)
    create(house, lines_for(house, [case]), account=LEAF)
    again = lines_for(house, [case])

    with nothing_written(house.session), pytest.raises(AlreadyRequested) as refusal:
        create(house, again, account=LEAF)

    assert refusal.value.data["line"] == 1


def test_a_line_of_a_batch_is_not_asked_for_alone_and_a_payment_not_in_a_batch(house: House) -> None:
    first, second = cases_of(house, 2)
    create(house, lines_for(house, [first]), account=LEAF)
    house.a_requested_payment(of=second)
    again = lines_for(house, [second])

    with nothing_written(house.session), pytest.raises(AlreadyRequested):
        create(house, again, account=LEAF)
    with pytest.raises(AlreadyRequested):
        house.a_requested_payment(of=first)


def test_only_verified_cases_are_asked_for(house: House) -> None:
    lines = lines_for(house, [house.a_verified_case(), house.a_case()])

    with nothing_written(house.session), pytest.raises(BatchNotReady) as refusal:
        create(house, lines, account=LEAF)

    assert refusal.value.data["line"] == 2


@pytest.mark.parametrize("state", ["vetted", "frozen", "closed"])
def test_no_list_is_made_for_an_agent_who_is_not_active(house: House, state: str) -> None:
    agent = an_agent(house)
    agent.state = agents.State(state)
    lines = lines_for(house, cases_of(house, 1))

    with nothing_written(house.session), pytest.raises(AgentNotActive):
        create(house, lines, agent=agent.alias, account=agent.purse())


# --- agreed to


def test_a_fund_bears_the_whole_batch_or_nothing_of_it(house: House) -> None:
    give(house.session, byn("1619.99"))
    batch = a_locked_batch(house, None, LEAF, cases_of(house, 2))

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        approve(house, batch)


def test_a_leaf_bears_the_whole_batch_or_nothing_of_it(house: House) -> None:
    give(house.session, byn("1619.99"))
    give(house.session, byn("0.01"), leaf="1000:byn-reserve")
    batch = an_approved_batch(house, None, LEAF, cases_of(house, 2))

    with nothing_written(house.session), pytest.raises(WouldOverdraw) as refusal:
        release(house, batch)

    assert refusal.value.data["account"] == LEAF


def test_nothing_of_a_batch_is_released_before_all_were_told(house: House) -> None:
    give(house.session, byn("1620.00"))
    batch = approve(house, a_locked_batch(house, None, LEAF, cases_of(house, 2)))
    house.tell(items(house, batch)[0].disbursement)

    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        release(house, batch)


def test_everybody_is_told_who_can_have_been_and_the_others_are_named(house: House) -> None:
    give(house.session, byn("2000.00"))
    begun, new = cases_of(house, 2)
    yesterday = TODAY - timedelta(days=1)
    part = house.a_requested_payment(of=begun, amount=byn("400.00"))
    disbursements.approve(house.session, part, by=house.fund.boris.alias, on=yesterday)
    batch = approve(house, a_locked_batch(house, None, LEAF, [begun, new]))
    told: dict[str, Any] = {"today": TODAY, "recorded_at": NOW, "recorded_by": house.fund.ana.alias}

    (untold,) = batches.tell(house.session, batch, told_on=yesterday, **told)

    assert (untold.item.case.alias, untold.refusal.rule) == (new.alias, "not_told_yet")
    assert untold.refusal.data["earliest"] == TODAY.isoformat()
    assert {item.case.alias: item.obligation.told_on for item in items(house, batch)} == {
        begun.alias: yesterday,
        new.alias: None,
    }
    with nothing_written(house.session), pytest.raises(NotToldYet):
        batches.tell(house.session, batch, told_on=TODAY + timedelta(days=1), **told)
    assert batches.tell(house.session, batch, told_on=TODAY, **told) == []
    assert [item.obligation.told_on for item in items(house, batch)] == [yesterday, TODAY]


def test_all_lines_that_keep_a_batch_from_being_agreed_to_are_named_at_once(house: House) -> None:
    give(house.session, byn("9000.00"))
    found = cases_of(house, 3)
    batch = create(house, lines_for(house, found), account=LEAF)
    batches.lock(house.session, batch)
    house.session.commit()
    seen, *unseen = found

    house.open(seen, by=house.fund.boris)
    with nothing_written(house.session), pytest.raises(LinesRefused) as several:
        approve(house, batch)
    house.open(unseen[0], by=house.fund.boris)
    with nothing_written(house.session), pytest.raises(EvidenceNotOpened) as one:
        approve(house, batch)

    assert several.value.data == {
        "lines": 2,
        "refused": ", ".join(f"{case.alias} evidence_not_opened" for case in unseen),
    }
    assert one.value.data["case"] == unseen[1].alias


def test_an_agents_lines_stay_within_their_cap_counting_those_agreed_to_before(house: House) -> None:
    give(house.session, byn("5000.00"))
    agent = an_agent(house, cap_lines=3)
    first, second = (a_locked_batch(house, agent, LEAF, cases_of(house, 2)) for _ in range(2))
    approve(house, first)

    with nothing_written(house.session), pytest.raises(OverCap) as refusal:
        approve(house, second)

    assert (refusal.value.data["open_lines"], refusal.value.data["lines"]) == (2, 2)


def test_each_step_of_a_batch_needs_the_one_before(house: House) -> None:
    give(house.session, byn("810.00"))
    batch = create(house, lines_for(house, cases_of(house, 1)), account=LEAF)
    house.session.commit()

    for step in (approve, release):
        with nothing_written(house.session), pytest.raises(BatchNotReady):
            step(house, batch)
    with nothing_written(house.session), pytest.raises(BatchNotReady):
        tell(house, batch)
    batches.lock(house.session, batch)
    house.session.commit()
    with nothing_written(house.session), pytest.raises(BatchNotReady):
        release(house, batch)
    with nothing_written(house.session), pytest.raises(BatchNotReady):
        batches.lock(house.session, batch)


# --- withdrawn, or failed


def test_a_cancelled_batch_frees_everything_and_its_obligations_are_asked_for_again(house: House) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    batch = approve(house, a_locked_batch(house, None, LEAF, [case]))

    batches.cancel(house.session, batch, on=TODAY)

    assert batch.state is State.CANCELLED
    assert house.obligation_of(case).state is obligations.State.DUE
    again = an_approved_batch(house, None, LEAF, [case])
    assert again.state is State.APPROVED


def test_a_released_or_cancelled_batch_is_not_cancelled(house: House) -> None:
    give(house.session, byn("1620.00"))
    released = a_released_batch(house, None, LEAF, cases_of(house, 1))
    gone = create(house, lines_for(house, cases_of(house, 1)), account=LEAF)
    batches.cancel(house.session, gone, on=TODAY)

    for batch in (released, gone):
        with nothing_written(house.session), pytest.raises(BatchNotReady):
            batches.cancel(house.session, batch, on=TODAY)


@pytest.mark.place("house")
def test_a_failed_line_is_asked_for_again_by_its_own_fund_and_paid(house: House, clara: Person) -> None:
    give(house.session, byn("810.00"))
    agent, case = an_agent(house), house.a_verified_case()
    first = a_released_batch(house, agent, LEAF, [case])
    enter(house, first, failed(items(house, first)[0]))
    assert state_of(house, items(house, first)[0]) == ("failed", "recognised", "approved")
    (waiting,) = batches.candidates(house.session, limit=10)
    lines = lines_for(house, [case])

    with nothing_written(house.session), pytest.raises(BatchNotReady):
        create(house, lines, account=LEAF, fund_of=dict.fromkeys(ObligationKind, "general"))
    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        disbursements.request(
            house.session,
            draw(Kind.DISBURSEMENT),
            obligation=waiting,
            payee=Payee.AUTHORITY,
            payee_commitment=lines[0].payee_commitment,
            fund="general",
            account=LEAF,
            requested_by=clara.alias,
        )
    second = a_released_batch(house, agent, LEAF, [case])
    enter(house, second, verified(items(house, second)[0]))

    assert state_of(house, items(house, second)[0]) == ("paid", "paid", "confirmed")
    assert balances.balance(house.session, "5000", currency="BYN") == byn("810.00")
    assert balances.balance(house.session, "2100", currency="BYN") == byn("0.00")


@pytest.mark.place("house")
def test_candidates_come_in_pages_once_each_the_next_deadline_first(house: House) -> None:
    issued = [date(2020, 9, 14), date(2020, 8, 31), date(2020, 9, 7), date(2020, 9, 7)]
    found = [house.verify(house.a_case(issued_on=day), by=house.fund.anton) for day in issued]
    due_by = {case.alias: case.due_by for case in found}
    house.a_case(issued_on=date(2020, 8, 24))

    first = batches.candidates(house.session, limit=2)
    place = (due_by[first[-1].case_alias], first[-1].alias)
    rest = batches.candidates(house.session, after=place, limit=3)

    assert [due_by[one.case_alias] for one in (*first, *rest)] == sorted(due_by.values())
    assert len({one.alias for one in (*first, *rest)}) == len(issued)


@pytest.mark.place("house")
def test_candidates_are_of_a_kind_a_currency_and_a_jurisdiction_where_told(house: House) -> None:
    (case,) = cases_of(house, 1)
    fitting: dict[str, Any] = {"kind": ObligationKind.FINE, "currency": "BYN", "jurisdiction": "by"}
    other = {"kind": ObligationKind.DETENTION, "currency": "EUR", "jurisdiction": "us-bail"}

    assert [one.case_alias for one in batches.candidates(house.session, limit=9, **fitting)] == [case.alias]
    for name, value in other.items():
        assert batches.candidates(house.session, limit=9, **fitting | {name: value}) == []


def test_batches_are_listed_by_state(house: House) -> None:
    draft = create(house, lines_for(house, cases_of(house, 1)), account=LEAF)

    assert batches.listed(house.session) == [draft]
    assert batches.listed(house.session, state=State.LOCKED) == []
    assert FUNDS[ObligationKind.FINE] == items(house, draft)[0].disbursement.fund_code


def test_a_line_without_a_receipt_keeps_its_batch_open(house: House) -> None:
    give(house.session, byn("1620.00"))
    agent = an_agent(house)
    batch = a_released_batch(house, agent, LEAF, cases_of(house, 2))
    first, second = items(house, batch)

    enter(house, batch, verified(first), unproven(second))

    assert batch.state is State.RELEASED
    assert batches.open_lines(house.session, agent.alias) == 1
