"""Attacks on batches: one signature over many payments must not carry a payment that nobody agreed to."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from ledger.aid import (
    acts,
    agent_acts,
    agents,
    batch_acts,
    batches,
    disbursements,
    obligations,
    quashing,
    results,
    rulings,
)
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.agents import AgentNotActive, AgentNotReady, OverCap
from ledger.aid.batch_lines import InBatch, digest
from ledger.aid.batch_lines import items as batch_items
from ledger.aid.batches import Batch, BatchAltered, BatchNotReady, State
from ledger.aid.cases import Case
from ledger.aid.disbursements import AlreadyRequested, DisbursementNotReady, Payee
from ledger.aid.eligibility import NotEligible
from ledger.aid.obligations import Obligation
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, Agreed, NonceUsed, NotAgreed, NotInRole, SamePerson
from ledger.books import balances, spending
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.identities import evidence
from ledger.identities.shelves import Reason
from ledger.people import Role
from ledger.storage import guards
from tests import filing
from tests.bookcheck import owning
from tests.cast import (
    LEAF,
    NOW,
    SECOND_LEAF,
    TODAY,
    House,
    Person,
    a_person,
    byn,
    engine_of,
    enrol,
    eur,
    give,
    nothing_written,
    one_after_the_other,
    race,
    the_next,
)
from tests.purses import (
    a_locked_batch,
    a_released_batch,
    a_requested_advance,
    a_vetted_agent,
    an_agent,
    an_approved_batch,
    approve,
    approve_advance,
    create,
    enter,
    give_euros,
    items,
    lines_for,
    on_advance,
    on_batch,
    release,
    release_advance,
    tell,
    unproven,
    verified,
)

pytestmark = pytest.mark.place("verified_cases")


def two_cases(house: House) -> list[Case]:
    give(house.session, byn("1620.00"))
    return [house.a_verified_case(), house.a_verified_case()]


def joins(house: House, *roles: Role) -> Person:
    """Somebody joins with roster 2, long enough ago to act now."""
    newcomer = a_person(*roles)
    roster = house.fund.roster()
    following = the_next(roster, operators=(*roster.operators, newcomer.operator))
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    house.session.commit()
    return newcomer


def forge(house: House, *statements: str, **values: Any) -> None:
    """Somebody with the database's password changes rows past every verb."""
    for statement in statements:
        assert house.session.execute(text(statement), values).rowcount > 0  # type: ignore[attr-defined]  # of DML
    house.session.commit()
    house.session.expire_all()


# --- one person, two steps


def test_nobody_approves_their_own_case_or_request_by_way_of_a_batch(house: House) -> None:
    give(house.session, byn("4860.00"))
    mila = joins(house, Role.INTAKE, Role.APPROVER, Role.TREASURER)
    entered, checked = house.a_verified_case(entered_by=mila), house.a_verified_case(verified_by=mila)
    ways: list[tuple[list[Case], str | None]] = [
        ([house.a_verified_case(), entered], None),
        ([checked, house.a_verified_case()], None),
        ([house.a_verified_case()], mila.alias),
    ]

    for found, by in ways:
        batch = create(house, lines_for(house, found), account=LEAF, **({"requested_by": by} if by else {}))
        batches.lock(house.session, batch)
        for case in found:
            house.open(case, by=mila)
        with nothing_written(house.session), pytest.raises(SamePerson):
            batch_acts.approve_batch(house.session, batch.alias, on_batch(house, "approve_batch", batch, by=mila))


def test_who_brought_evidence_of_one_line_does_not_approve_the_batch(house: House) -> None:
    mila = joins(house, Role.INTAKE, Role.APPROVER)
    found = two_cases(house)
    file = filing.bring(house, found[1], by=mila)
    batch = a_locked_batch(house, None, LEAF, found)
    for case in found:
        house.open(case, by=mila)
    evidence.hand_out(house.session, file.alias, 1, operator=house.fund.boris.alias, reason=Reason.APPROVAL, at=NOW)

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve(house, batch, by=mila)

    assert approve(house, batch).state is State.APPROVED


def test_who_approved_a_batch_does_not_release_it(house: House) -> None:
    mila = joins(house, Role.APPROVER, Role.TREASURER)
    found = two_cases(house)
    batch = a_locked_batch(house, None, LEAF, found)
    for case in found:
        house.open(case, by=mila)
    tell(house, approve(house, batch, by=mila))

    with nothing_written(house.session), pytest.raises(SamePerson):
        release(house, batch, by=mila)


def test_a_line_is_not_agreed_to_or_released_alone(house: House, boris: Person, clara: Person) -> None:
    batch = a_locked_batch(house, None, LEAF, two_cases(house))
    line = items(house, batch)[0].disbursement

    agreed = house.on_payment("approve_disbursement", line, by=boris)
    with nothing_written(house.session), pytest.raises(InBatch):
        acts.approve_disbursement(house.session, line.alias, agreed)
    tell(house, approve(house, batch))
    agreed = house.on_payment("release_disbursement", line, by=clara)
    with nothing_written(house.session), pytest.raises(InBatch):
        acts.release_disbursement(house.session, line.alias, agreed)


def test_each_step_needs_its_role(house: House, ana: Person, clara: Person, boris: Person) -> None:
    batch = a_locked_batch(house, None, LEAF, two_cases(house))
    mila = joins(house, Role.TREASURER)
    for item in items(house, batch):
        house.open(item.case, by=mila)

    with nothing_written(house.session), pytest.raises(NotInRole):
        approve(house, batch, by=mila)
    tell(house, approve(house, batch))
    for person in (ana, house.fund.bella):
        with nothing_written(house.session), pytest.raises(NotInRole):
            release(house, batch, by=person)
    assert {boris.alias, clara.alias} == {batch.approved_by, batch.requested_by}


def test_nobody_agrees_to_a_batch_of_which_they_have_not_opened_every_line(house: House, boris: Person) -> None:
    found = two_cases(house)
    batch = create(house, lines_for(house, found), account=LEAF)
    batches.lock(house.session, batch)
    house.open(found[0], by=boris)
    house.session.commit()

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        approve(house, batch)


# --- something else than was locked

ALTERATIONS = {
    "an amount": ("UPDATE disbursement SET minor = minor - 1 WHERE alias = :line",),
    "an amount, and all that it must agree with": (
        "UPDATE disbursement SET minor = minor - 1 WHERE alias = :line",
        "UPDATE obligation SET minor = minor - 1 WHERE alias = :obligation",
        "UPDATE batch SET minor = minor - 1 WHERE alias = :batch",
    ),
    "a payee": ("UPDATE disbursement SET payee_commitment = :zeros WHERE alias = :line",),
    "who is paid": ("UPDATE disbursement SET payee = 'beneficiary' WHERE alias = :line",),
    "a fund": ("UPDATE disbursement SET fund_code = 'general' WHERE alias = :line",),
    "the leaf of a line": ("UPDATE disbursement SET account_code = :second WHERE alias = :line",),
    "the leaf of all": (
        "UPDATE disbursement SET account_code = :second WHERE alias IN (:line, :other)",
        "UPDATE batch SET account_code = :second WHERE alias = :batch",
    ),
    "the agent": ("UPDATE batch SET agent_alias = :agent WHERE alias = :batch",),
    "a line removed": (
        "DELETE FROM batch_line WHERE disbursement_alias = :line",
        "UPDATE batch SET minor = minor - 81000 WHERE alias = :batch",
    ),
    "a line added": (
        "INSERT INTO batch_line (batch_alias, number, disbursement_alias) VALUES (:batch, 3, :third)",
        "UPDATE batch SET minor = minor + 81000 WHERE alias = :batch",
    ),
    "the order": ("UPDATE batch_line SET number = 9 WHERE disbursement_alias = :line",),
    "what a line pays": (
        "UPDATE disbursement SET state = 'cancelled' WHERE alias = :third",
        "UPDATE disbursement SET obligation_alias = :third_obligation WHERE alias = :line",
    ),
}


def forge_batch(house: House, batch: Batch, what: str) -> None:
    first, second = items(house, batch)
    third = house.a_requested_payment()
    facts = {
        "batch": batch.alias,
        "line": first.disbursement.alias,
        "obligation": first.obligation.alias,
        "other": second.disbursement.alias,
        "other_obligation": second.obligation.alias,
        "third": third.alias,
        "third_obligation": third.obligation_alias,
        "agent": an_agent(house).alias,
        "second": SECOND_LEAF,
        "zeros": "0" * 64,
    }
    if what == "a line removed":
        guards.remove(house.session.connection())  # while they stand no line is removed
    for statement in ALTERATIONS[what]:
        forge(house, statement, **{name: value for name, value in facts.items() if f":{name}" in statement})


@pytest.mark.parametrize("what", ALTERATIONS)
def test_lines_altered_after_the_lock_are_not_approved(house: House, boris: Person, what: str) -> None:
    batch = a_locked_batch(house, None, LEAF, two_cases(house))
    agreed = on_batch(house, "approve_batch", batch, by=boris)
    forge_batch(house, batch, what)

    with nothing_written(house.session), pytest.raises(BatchAltered):
        batch_acts.approve_batch(house.session, batch.alias, agreed)


@pytest.mark.parametrize("what", ["an amount, and all that it must agree with", "the agent", "a line added"])
def test_lines_altered_together_with_their_digest_are_not_what_was_approved(
    house: House, clara: Person, what: str
) -> None:
    batch = an_approved_batch(house, None, LEAF, two_cases(house))
    forge_batch(house, batch, what)
    altered = [item.disbursement for item in items(house, batch)]
    fitting = digest(altered, agent=batch.agent_alias, account=batch.account_code)
    forge(house, "UPDATE batch SET digest = :digest WHERE alias = :batch", digest=fitting, batch=batch.alias)
    forge(house, "UPDATE disbursement SET state = 'approved' WHERE alias <> ''")

    with nothing_written(house.session), pytest.raises(NotAgreed):
        batch_acts.release_batch(house.session, batch.alias, on_batch(house, "release_batch", batch, by=clara))


def test_a_state_that_somebody_wrote_is_no_approval(house: House, clara: Person) -> None:
    give_euros(house)
    batch = a_locked_batch(house, None, LEAF, two_cases(house))
    payment = house.a_requested_payment()
    advance = a_requested_advance(house, an_agent(house))
    forge(house, "UPDATE batch SET state = 'approved', approved_by = :by", by=house.fund.boris.alias)
    forge(house, "UPDATE disbursement SET state = 'approved', approved_by = :by", by=house.fund.boris.alias)
    forge(house, "UPDATE advance SET state = 'approved', approved_by = :by", by=house.fund.boris.alias)

    with nothing_written(house.session), pytest.raises(NotAgreed):
        release(house, batch)
    with nothing_written(house.session), pytest.raises(NotAgreed):
        release_advance(house, advance)
    agreed = house.on_payment("release_disbursement", payment, by=clara)
    with nothing_written(house.session), pytest.raises(NotAgreed):
        acts.release_disbursement(house.session, payment.alias, agreed)


def test_an_approved_payment_or_advance_whose_amount_was_changed_is_not_released(house: House, clara: Person) -> None:
    give(house.session, byn("900.00"))
    give_euros(house)
    payment = house.an_approved_payment()
    house.tell(payment)
    advance = approve_advance(house, a_requested_advance(house, an_agent(house)))
    forge(house, "UPDATE disbursement SET minor = minor - 1")
    forge(house, "UPDATE advance_share SET minor = minor + 1")
    forge(house, "UPDATE advance SET minor = minor + 1")

    agreed = house.on_payment("release_disbursement", payment, by=clara)
    with nothing_written(house.session), pytest.raises(NotAgreed):
        acts.release_disbursement(house.session, payment.alias, agreed)
    told = on_advance(house, "release_advance", advance, by=clara)
    with nothing_written(house.session), pytest.raises(NotAgreed):
        agent_acts.release_advance(house.session, advance.alias, told)


@pytest.mark.parametrize(
    "field", ["object", "payee_commitment", "amount", "currency", "evidence_commitments", "version"]
)
def test_a_signature_on_another_batch_agrees_to_nothing(house: House, boris: Person, field: str) -> None:
    give(house.session, byn("5000.00"))
    batch = a_locked_batch(house, None, LEAF, [house.a_verified_case()])
    other = a_locked_batch(house, None, LEAF, two_cases(house))
    of_other = on_batch(house, "approve_batch", other, by=boris).act
    lies = {"currency": "EUR", "version": 1} | {
        name: getattr(of_other, name) for name in ("object", "payee_commitment", "amount", "evidence_commitments")
    }

    agreed = on_batch(house, "approve_batch", batch, by=boris, **{field: lies[field]})

    with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
        batch_acts.approve_batch(house.session, batch.alias, agreed)
    assert refusal.value.data == {"field": field}


def test_an_act_is_handed_in_once(house: House, boris: Person) -> None:
    give(house.session, byn("1620.00"))
    first, second = (a_locked_batch(house, None, LEAF, [house.a_verified_case()]) for _ in range(2))
    batch_acts.approve_batch(
        house.session, first.alias, on_batch(house, "approve_batch", first, by=boris, nonce="5" * 32)
    )
    again = on_batch(house, "approve_batch", second, by=boris, nonce="5" * 32)

    with nothing_written(house.session), pytest.raises(NonceUsed):
        batch_acts.approve_batch(house.session, second.alias, again)


def test_one_line_of_a_law_that_does_not_fit_stops_the_batch(house: House) -> None:
    give(house.session, byn("1620.00"))
    unlawful = house.a_verified_case()
    with owning(engine_of(house.session)) as connection:  # altered since: no case under it is verified
        connection.execute(
            text("UPDATE ruling SET article = '24.23' WHERE case_alias = :alias"), {"alias": unlawful.alias}
        )
    house.session.expire_all()
    batch = a_locked_batch(house, None, LEAF, [house.a_verified_case(), unlawful])

    with nothing_written(house.session), pytest.raises(NotEligible):
        approve(house, batch)


# --- agents


@pytest.mark.parametrize("state", ["frozen", "closed"])
def test_an_agent_stopped_between_approval_and_release_gets_no_list(house: House, state: str) -> None:
    agent = an_agent(house)
    batch = an_approved_batch(house, agent, LEAF, two_cases(house))
    if state == "frozen":
        agents.freeze(house.session, agent, by=house.fund.clara.alias, on=TODAY)
    else:
        agents.close(house.session, agent)
    house.session.commit()

    with nothing_written(house.session), pytest.raises(AgentNotActive):
        release(house, batch)
    batches.cancel(house.session, batch, on=TODAY)
    assert batch.state is State.CANCELLED


def test_an_agent_frozen_before_the_approval_gets_no_approval(house: House) -> None:
    agent = an_agent(house)
    batch = a_locked_batch(house, agent, LEAF, two_cases(house))
    agents.freeze(house.session, agent, by=house.fund.clara.alias, on=TODAY)

    with nothing_written(house.session), pytest.raises(AgentNotActive):
        approve(house, batch)


def test_an_agent_with_an_open_list_or_an_advance_on_its_way_is_not_closed(house: House) -> None:
    give_euros(house)
    lister, payee, idle = an_agent(house), an_agent(house), a_vetted_agent(house)
    batch = a_released_batch(house, lister, LEAF, two_cases(house))
    release_advance(house, approve_advance(house, a_requested_advance(house, payee)))

    for agent in (lister, payee):
        with nothing_written(house.session), pytest.raises(AgentNotReady):
            agent_acts.close_agent(house.session, agent.alias)
    assert agent_acts.close_agent(house.session, idle.alias).state is agents.State.CLOSED
    assert batch.state is State.RELEASED


def test_two_batches_approved_at_once_stay_within_an_agents_cap_on_lines(house: House) -> None:
    give(house.session, byn("3240.00"))
    agent = an_agent(house, cap_lines=3)
    chosen = [a_locked_batch(house, agent, LEAF, two_cases(house)) for _ in range(2)]
    agreed = [on_batch(house, "approve_batch", batch, by=house.fund.boris) for batch in chosen]

    answers = race(house.session, *(approving(yes) for yes in agreed))

    assert [type(one) for one in answers if isinstance(one, LedgerError)] == [OverCap]


def test_two_batches_approved_at_once_do_not_promise_the_same_money(house: House) -> None:
    chosen = [a_locked_batch(house, None, LEAF, [house.a_verified_case(), house.a_verified_case()]) for _ in range(2)]
    give(house.session, byn("3239.99"))
    agreed = [on_batch(house, "approve_batch", batch, by=house.fund.boris) for batch in chosen]

    answers = race(house.session, *(approving(yes) for yes in agreed))

    assert [type(one) for one in answers if isinstance(one, LedgerError)] == [WouldOverdraw]


def test_two_advances_approved_at_once_stay_within_an_agents_cap_on_cash(house: House) -> None:
    give_euros(house)
    agent = an_agent(house, cap=eur("1500.00"))
    chosen = [a_requested_advance(house, agent) for _ in range(2)]
    agreed = [on_advance(house, "approve_advance", one, by=house.fund.boris) for one in chosen]

    answers = race(house.session, *(approving_advance(yes) for yes in agreed))

    assert [type(one) for one in answers if isinstance(one, LedgerError)] == [OverCap]


# --- twice, and at once


def test_an_obligation_asked_for_in_two_batches_at_once_stands_in_one(house: House) -> None:
    case = house.a_verified_case()
    lines = [lines_for(house, [case]) for _ in range(2)]

    answers = race(house.session, *(lambda session, line=line: creating(house, session, line) for line in lines))

    assert [type(one) for one in answers if isinstance(one, LedgerError)] == [AlreadyRequested]


def test_a_batch_released_twice_at_once_leaves_once(house: House) -> None:
    agent = an_agent(house)
    batch = an_approved_batch(house, agent, LEAF, two_cases(house))
    agreed = [on_batch(house, "release_batch", batch, by=house.fund.clara) for _ in range(2)]

    answers = race(house.session, *(releasing(yes) for yes in agreed))

    assert [type(one) for one in answers if isinstance(one, LedgerError)] in ([ActDiffers], [BatchNotReady])
    with Session(house.session.get_bind()) as session:
        assert balances.balance(session, "2100", currency="BYN") == byn("-1620.00")
        assert batches.open_lines(session, agent.alias) == 2


def test_results_entered_twice_at_once_are_booked_once(house: House) -> None:
    agent = an_agent(house)
    batch = a_released_batch(house, agent, LEAF, two_cases(house))
    told = [verified(item) for item in items(house, batch)]

    def bring(session: Session) -> Batch:
        return results.enter(session, batch.alias, told, recorded_at=NOW, recorded_by=house.fund.clara.alias)

    answers = race(house.session, bring, bring)

    assert not [one for one in answers if isinstance(one, LedgerError)]
    with Session(house.session.get_bind()) as session:
        assert balances.balance(session, "2150", currency="BYN") == byn("-1620.00")


def test_a_ruling_quashed_while_its_batch_is_released_is_either_paid_or_not_owed(house: House) -> None:
    found = two_cases(house)
    batch = an_approved_batch(house, None, LEAF, found)
    agreed = on_batch(house, "release_batch", batch, by=house.fund.clara)
    ruling = house.obligation_of(found[0]).ruling_alias

    answers = one_after_the_other(
        house.session,
        quashing_of(ruling),
        look=lambda session: batches.require(session, batch.alias),
        then=releasing(agreed),
    )

    assert [one for one in answers if isinstance(one, LedgerError)] == []
    with Session(house.session.get_bind()) as session:  # what is not owed any more is left out, the other line goes on
        assert spending.available(session, LEAF, currency="BYN") == byn("810.00")
        assert [item.line.excluded for item in batch_items(session, batch.alias)] == ["quashed", None]


def test_a_ruling_quashed_twice_at_once_is_taken_back_once(house: House) -> None:
    give(house.session, byn("810.00"))
    payment = house.a_released_payment()
    disbursements.pay(house.session, payment, source_key="bank:1", on=TODAY, recorded_at=NOW, recorded_by="test")
    owed = obligations.require(house.session, payment.obligation_alias)

    answers = race(house.session, *[quashing_of(owed.ruling_alias)] * 2)

    assert len([one for one in answers if isinstance(one, LedgerError)]) == 1
    with Session(house.session.get_bind()) as session:
        assert balances.balance(session, "1350", currency="BYN") == byn("810.00")


def test_a_payment_asked_for_while_its_ruling_is_quashed_stands_nowhere(house: House) -> None:
    case = house.a_verified_case()
    (line,) = lines_for(house, [case])
    owed = house.obligation_of(case)

    def ask(session: Session) -> disbursements.Disbursement:
        return disbursements.request(
            session,
            line.disbursement,
            obligation=owed,
            payee=Payee.AUTHORITY,
            payee_commitment=line.payee_commitment,
            fund="fines",
            account=LEAF,
            requested_by=house.fund.clara.alias,
        )

    asked = one_after_the_other(
        house.session,
        quashing_of(owed.ruling_alias),
        look=lambda session: session.get(Obligation, owed.alias),
        then=ask,
    )
    assert isinstance(asked[1], DisbursementNotReady)


def test_a_ruling_quashed_while_its_payment_is_asked_for_cancels_it(house: House) -> None:
    case = house.a_verified_case()
    owed = house.obligation_of(case)
    lines = lines_for(house, [case])

    answers = one_after_the_other(
        house.session,
        lambda session: creating(house, session, lines),
        look=lambda session: disbursements.standing(session, [owed.alias]),
        then=quashing_of(owed.ruling_alias),
    )

    assert not [one for one in answers if isinstance(one, LedgerError)]
    with Session(house.session.get_bind()) as session:
        assert disbursements.standing(session, [owed.alias]) == []


def test_a_line_that_ages_is_neither_asked_for_again_nor_cancelled(house: House) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    batch = a_released_batch(house, an_agent(house), LEAF, [case])
    enter(house, batch, unproven(items(house, batch)[0]))
    lines = lines_for(house, [case])

    with nothing_written(house.session), pytest.raises(AlreadyRequested):
        create(house, lines, account=LEAF)
    with nothing_written(house.session), pytest.raises(BatchNotReady):
        batches.cancel(house.session, batch, on=TODAY)


def approving(agreed: Agreed) -> Callable[[Session], object]:
    return lambda session: batch_acts.approve_batch(session, agreed.act.object, agreed)


def approving_advance(agreed: Agreed) -> Callable[[Session], object]:
    return lambda session: agent_acts.approve_advance(session, agreed.act.object, agreed)


def releasing(agreed: Agreed) -> Callable[[Session], object]:
    return lambda session: batch_acts.release_batch(session, agreed.act.object, agreed)


def quashing_of(ruling: str) -> Callable[[Session], object]:
    return lambda session: quashing.quash(
        session, rulings.require(session, ruling), by="test", on=TODAY, recorded_at=NOW
    )


def creating(house: House, session: Session, lines: Sequence[batches.NewLine]) -> Batch:
    return create(house.in_another(session), lines, account=LEAF, alias=draw(Kind.BATCH))
