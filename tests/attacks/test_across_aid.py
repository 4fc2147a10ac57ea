"""Attacks that go from one part of aid to another: what each part forbids, asked for through its neighbour."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from ledger.aid import (
    acts,
    advances,
    agent_acts,
    bail,
    batch_acts,
    case_acts,
    cases,
    corrections,
    disbursements,
    retention,
    returns,
)
from ledger.aid.cases import CaseNotReady, State
from ledger.aid.corrections import Amended
from ledger.aid.eligibility import Bounds
from ledger.aid.obligations import ObligationKind
from ledger.aid.purse_movements import NewMovement, What
from ledger.aliases import Kind, draw
from ledger.approvals import SamePerson
from ledger.books import balances, exchange
from ledger.exceptions import Difference, listed
from ledger.identities import evidence
from ledger.identities.evidence import EvidenceKind
from ledger.identities.shelves import Reason
from ledger.people import Limit, Role
from ledger.reconciliation import issued
from tests.bookcheck import found
from tests.cast import (
    LEAF,
    NOW,
    TODAY,
    House,
    Person,
    a_person,
    a_row,
    byn,
    enrol,
    give,
    nothing_written,
    the_next,
)
from tests.courts import USD_LEAF, a_case, forfeit, open_dollars, posted_bail, see_at_the_bank, usd
from tests.filing import bring
from tests.purses import (
    EUR_LEAF,
    RECEIVED_ON,
    a_locked_batch,
    a_released_batch,
    a_requested_advance,
    a_sent_advance,
    acknowledge,
    an_advance,
    an_agent,
    approve,
    approve_advance,
    enter,
    give_euros,
    items,
    on_advance,
    on_batch,
    release_advance,
    tell,
    tell_movement,
    verified,
)

pytestmark = pytest.mark.place("verified_cases")

ALL_ROLES = (Role.INTAKE, Role.APPROVER, Role.TREASURER)


@pytest.fixture
def mila(house: House) -> Person:
    """Somebody with all roles joins; above 5.00 two people agree beside the one who asks."""
    newcomer = a_person(*ALL_ROLES)
    limits = [
        Limit.model_validate({"role": Role.APPROVER, "currency": currency, "third_above": "5.00"})
        for currency in ("BYN", "EUR", "USD")
    ]
    roster = house.fund.roster()
    following = the_next(
        roster, format="solidarity-roster-3", limits=tuple(limits), operators=(*roster.operators, newcomer.operator)
    )
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    house.session.commit()
    return newcomer


# --- two who approve are two who do not release


def test_the_first_of_two_who_approved_a_payment_does_not_release_it(house: House, mila: Person) -> None:
    give(house.session, byn("810.00"))
    payment = house.a_requested_payment()
    house.open(house.case_of(payment), by=mila)
    for signer in (mila, house.fund.bella):
        agreed = house.on_payment("approve_disbursement", payment, by=signer)
        acts.approve_disbursement(house.session, payment.alias, agreed)
    house.tell(payment)
    agreed = house.on_payment("release_disbursement", payment, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        acts.release_disbursement(house.session, payment.alias, agreed)

    agreed = house.on_payment("release_disbursement", payment, by=house.fund.clara)
    assert acts.release_disbursement(house.session, payment.alias, agreed).state == "released"


def test_the_first_of_two_who_approved_a_batch_does_not_release_it(house: House, mila: Person) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    batch = a_locked_batch(house, None, LEAF, [case])
    house.open(case, by=mila)
    for signer in (mila, house.fund.bella):
        approve(house, batch, by=signer)
    tell(house, batch)
    agreed = on_batch(house, "release_batch", batch, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        batch_acts.release_batch(house.session, batch.alias, agreed)


def test_the_first_of_two_who_approved_an_advance_does_not_release_it(house: House, mila: Person) -> None:
    give_euros(house)
    advance = a_requested_advance(house, an_agent(house))
    for signer in (mila, house.fund.bella):
        agreed = on_advance(house, "approve_advance", advance, by=signer)
        agent_acts.approve_advance(house.session, advance.alias, agreed)
    agreed = on_advance(house, "release_advance", advance, by=mila)

    with nothing_written(house.session), pytest.raises(SamePerson):
        agent_acts.release_advance(house.session, advance.alias, agreed)


# --- bail knows the same hands as every payment


@pytest.fixture
def helper(house: House) -> Person:
    """Somebody with all roles joins, without limits."""
    newcomer = a_person(*ALL_ROLES)
    roster = house.fund.roster()
    following = the_next(roster, operators=(*roster.operators, newcomer.operator))
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    house.session.commit()
    return newcomer


def test_who_corrected_the_intake_of_bail_does_not_forfeit_it(house: House, helper: Person) -> None:
    open_dollars(house)
    ordered_on = date(2020, 11, 2)
    row = a_row(house.fund, kind=ObligationKind.BAIL, article="240.20", amount=usd("1500.00"))
    bounds = Bounds(ordered_on, ordered_on, ordered_on, force_presumed=False)
    row = replace(row, jurisdiction="us-bail", region="county", bounds=bounds)
    case = house.receive(row)
    tokens = [token for token in row.tokens if token[1] != "row"]
    amended = Amended(row.article, row.region, row.kind, usd("1400.00"), row.bounds, [], tokens)
    corrections.correct(house.session, case.alias, amended, version=case.version, by=helper.alias, on=TODAY)
    house.verify(case, by=house.fund.anton)
    payment = house.a_released_payment(of=case, leaf=USD_LEAF)
    see_at_the_bank(house, -payment.amount(), reference=payment.reference)
    posted = house.obligation_of(case)

    with pytest.raises(SamePerson):
        forfeit(house, posted, usd("100.00"), by=helper)

    assert bail.outstanding(house.session, posted) == usd("1400.00")


def test_who_brought_the_evidence_of_bail_does_not_forfeit_it(house: House, helper: Person) -> None:
    open_dollars(house)
    posted = posted_bail(house)
    bring(house, cases.require(house.session, posted.case_alias), by=helper)

    with pytest.raises(SamePerson):
        forfeit(house, posted, usd("100.00"), by=helper)

    assert bail.outstanding(house.session, posted) == usd("1500.00")


# --- bail that a court holds is not over


def test_a_case_is_not_closed_while_a_court_holds_its_bail(house: House) -> None:
    open_dollars(house)
    posted, ana = posted_bail(house), house.fund.ana
    case = cases.require(house.session, posted.case_alias)
    file = bring(house, case, by=house.fund.ana, kind=EvidenceKind.RECEIPT)
    house.open(case, by=ana)
    case_acts.confirm_case(house.session, case.alias, house.on_case("confirm_case", case, by=ana))
    house.session.commit()

    with nothing_written(house.session), pytest.raises(CaseNotReady):
        case_acts.close_case(house.session, case.alias, house.on_case("close_case", case, by=ana))

    boris = house.fund.boris.alias
    evidence.hand_out(house.session, file.alias, 1, operator=boris, reason=Reason.APPROVAL, at=NOW)
    forfeit(house, posted, usd("1500.00"))
    case_acts.close_case(house.session, case.alias, house.on_case("close_case", case, by=ana))
    assert case.state is State.CLOSED


def test_nobody_is_forgotten_while_a_court_holds_their_bail(house: House) -> None:
    open_dollars(house)
    posted = posted_bail(house)
    case = cases.require(house.session, posted.case_alias)

    assert list(retention.due_among(house.session, [case.beneficiary_alias])) == []

    forfeit(house, posted, usd("1500.00"))
    assert [one.shelf for one in retention.due_among(house.session, [case.beneficiary_alias])] == [
        case.beneficiary_alias
    ]


# --- the bank's days, and an agent's word


def test_money_that_left_before_anybody_released_it_is_a_difference(house: House) -> None:
    """The reference is known from the request on: who sends the money at once shows the line later."""
    open_dollars(house)
    payment = house.a_released_payment(of=a_case(house, "1500.00"), leaf=USD_LEAF)
    assert payment.released_on == TODAY

    outcome = see_at_the_bank(house, -payment.amount(), reference=payment.reference, on=TODAY - timedelta(days=2))

    assert (outcome.booked, payment.state) == (0, disbursements.State.RELEASED)
    assert [one.difference for one in listed(house.session)] == [Difference.NOT_RELEASED]
    assert balances.balance(house.session, "1300", currency="USD") == usd("0.00")


def test_a_bank_west_of_greenwich_is_a_day_behind(house: House) -> None:
    open_dollars(house)
    payment = house.a_released_payment(of=a_case(house, "1500.00"), leaf=USD_LEAF)

    outcome = see_at_the_bank(house, -payment.amount(), reference=payment.reference, on=TODAY - timedelta(days=1))

    assert (outcome.booked, payment.state) == (1, disbursements.State.PAID)


def test_an_advance_that_left_before_its_release_is_a_difference(house: House) -> None:
    give_euros(house)
    advance = release_advance(house, approve_advance(house, a_requested_advance(house, an_agent(house))))
    early = TODAY - timedelta(days=2)

    assert issued.difference(house.session, advance, account=EUR_LEAF, moved=-advance.amount(), on=early) == (
        Difference.NOT_RELEASED
    )


@pytest.mark.parametrize(("received", "differences"), [("3000.00", 0), ("2700.00", 1), ("100.00", 1)])
def test_an_advance_of_which_less_arrives_than_the_rate_says_opens_an_exception(
    house: House, received: str, differences: int
) -> None:
    give_euros(house)
    third = exchange.parse("1/3")
    told: dict[str, Any] = {"source": "nbrb", "recorded_at": NOW, "recorded_by": "test"}
    exchange.add(house.session, "BYN", on=RECEIVED_ON, value=third, **told)
    advance = a_sent_advance(house, an_agent(house))

    acknowledge(house, advance, byn(received))

    assert [one.about for one in listed(house.session)] == [
        f"amount_differs:advance:{advance.alias}:acknowledged"
    ] * differences


def test_what_comes_back_of_a_seized_advance_may_be_returned(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    advance = an_advance(house, agent, received=byn("3000.00"))
    lost = _tell(house, agent.alias, What.SEIZED, "3000.00")
    assert advance.state is advances.State.SEIZED
    _tell(house, agent.alias, What.RECOVERED, "500.00", loss=lost)

    announced = returns.announce(
        house.session, advance, stands_for=byn("500.00"), by=house.fund.clara.alias, on=RECEIVED_ON
    )

    assert announced.amount() == byn("500.00")


def test_a_case_that_its_agent_paid_while_it_was_held_is_confirmed_when_it_goes_on(house: House) -> None:
    give(house.session, byn("810.00"))
    case, ana = house.a_verified_case(), house.fund.ana
    batch = a_released_batch(house, an_agent(house), "", [case])
    case_acts.hold_case(house.session, case.alias, house.on_case("hold_case", case, by=ana))
    enter(house, batch, verified(items(house, batch)[0]))
    assert case.resumes_as is State.PAID

    case_acts.resume_case(house.session, case.alias, house.on_case("resume_case", case, by=ana))

    assert case.state is State.CONFIRMED
    assert found(house.session) == []


def _tell(house: House, agent: str, what: What, amount: str, *, loss: str | None = None) -> str:
    alias = draw(Kind.PURSE_MOVEMENT)
    new = NewMovement(alias=alias, agent=agent, what=what, amount=byn(amount), happened_on=TODAY, loss=loss)
    tell_movement(house, new)
    house.session.commit()
    return alias
