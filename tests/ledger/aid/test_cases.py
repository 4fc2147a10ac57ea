from collections.abc import Callable
from datetime import date

import pytest
from sqlmodel import Session

from ledger.aid import beneficiaries, cases
from ledger.aid.cases import Case, CaseNotReady, OnHold, State, UnknownCase
from ledger.aid.eligibility import Rejection
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from tests.cast import NOW, House, nothing_written, one_after_the_other

DAY = date(2020, 11, 2)
VERBS: dict[str, Callable[[Session, Case], None]] = {
    "verify": lambda session, case: cases.verify(session, case, by="OP-0000-0000-0001", on=DAY),
    "reject": lambda session, case: cases.reject(session, case, because=Rejection.ILLEGIBLE, on=DAY),
    "withdraw": lambda session, case: cases.withdraw(session, case, on=DAY),
    "approve": lambda session, case: cases.approve(session, case, on=DAY),
    "hold": lambda session, case: cases.hold(session, case, on=DAY),
    "resume": lambda session, case: cases.resume(session, case, on=DAY),
    "mark_paid": lambda session, case: cases.mark_paid(session, case, on=DAY),
    "confirm": lambda session, case: cases.confirm(session, case, on=DAY),
    "close": lambda session, case: cases.close(session, case, on=DAY),
    "reopen": lambda session, case: cases.reopen(session, case, on=DAY),
}
LIFE = {
    (State.RECEIVED, "verify"): State.VERIFIED,
    (State.VERIFIED, "approve"): State.APPROVED,
    (State.APPROVED, "approve"): State.APPROVED,
    (State.APPROVED, "mark_paid"): State.PAID,
    (State.PAID, "confirm"): State.CONFIRMED,
    (State.CLOSED, "reopen"): State.CONFIRMED,
    (State.ON_HOLD, "resume"): State.RECEIVED,
}
LIFE |= {(state, "hold"): State.ON_HOLD for state in cases.UNPAID}
LIFE |= {(state, "reject"): State.REJECTED for state in (*cases.UNPAID, State.ON_HOLD)}
LIFE |= {(state, "withdraw"): State.WITHDRAWN for state in (*cases.UNPAID, State.ON_HOLD)}
LIFE |= {(state, "close"): State.CLOSED for state in State if state not in {*cases.LEFT, State.CLOSED}}


def add(house: House, alias: str, *, rejection: Rejection | None = None) -> Case:
    beneficiary = beneficiaries.add(house.session, draw(Kind.BENEFICIARY), created_at=NOW)
    return cases.add(
        house.session,
        alias,
        beneficiary=beneficiary.alias,
        jurisdiction="by",
        rejection=rejection,
        entered_by=house.fund.ana.alias,
        received_on=date(2020, 11, 1),
        due_by=date(2020, 12, 1),
    )


def in_state(house: House, state: State) -> Case:
    """A case that went there by its verbs."""
    case = add(house, draw(Kind.CASE))
    path = {
        State.RECEIVED: [],
        State.VERIFIED: ["verify"],
        State.APPROVED: ["verify", "approve"],
        State.PAID: ["verify", "approve", "mark_paid"],
        State.CONFIRMED: ["verify", "approve", "mark_paid", "confirm"],
        State.CLOSED: ["verify", "close"],
        State.ON_HOLD: ["hold"],
        State.REJECTED: ["reject"],
        State.WITHDRAWN: ["withdraw"],
        State.DUPLICATE: [],
    }
    if state is State.DUPLICATE:
        cases.mark_duplicate(house.session, case, of=add(house, draw(Kind.CASE)).alias, on=DAY)
    for verb in path[state]:
        VERBS[verb](house.session, case)
    return case


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", State)
def test_each_verb_leads_on_from_its_states_and_is_refused_in_all_others(house: House, state: State, verb: str) -> None:
    case = in_state(house, state)
    version = case.version

    if (state, verb) in LIFE:
        VERBS[verb](house.session, case)
        assert case.state is LIFE[state, verb]
        assert case.version == version + (case.state is not state)
        return
    refused = OnHold if (state, verb) == (State.ON_HOLD, "approve") else CaseNotReady
    with nothing_written(house.session), pytest.raises(refused) as refusal:
        VERBS[verb](house.session, case)
    assert refusal.value.data["case"] == case.alias


@pytest.mark.parametrize("state", cases.UNPAID)
def test_a_held_case_goes_on_from_where_it_was_held(house: House, state: State) -> None:
    case = in_state(house, state)

    cases.hold(house.session, case, on=DAY)
    held = (case.state, case.resumes_as, case.state_since)
    cases.resume(house.session, case, on=DAY)

    assert held == (State.ON_HOLD, state, DAY)
    assert (case.state, case.resumes_as) == (state, None)


def test_a_fact_about_a_held_case_is_noted_and_it_goes_on_from_there(house: House) -> None:
    case = in_state(house, State.APPROVED)
    cases.hold(house.session, case, on=DAY)

    cases.mark_paid(house.session, case, on=DAY)

    with nothing_written(house.session), pytest.raises(CaseNotReady):
        cases.withdraw(house.session, case, on=DAY)
    cases.resume(house.session, case, on=DAY)
    assert case.state is State.PAID


def test_a_rejection_keeps_its_code_and_a_verification_its_person(house: House) -> None:
    rejected, verified = in_state(house, State.REJECTED), in_state(house, State.VERIFIED)

    assert (rejected.rejection, rejected.verified_by) == (Rejection.ILLEGIBLE, None)
    assert (verified.rejection, verified.verified_by) == (None, "OP-0000-0000-0001")


def test_a_case_that_enters_with_a_rejection_is_rejected(house: House) -> None:
    case = add(house, draw(Kind.CASE), rejection=Rejection.CRIMINAL_CHARGE)

    assert (case.state, case.rejection) == (State.REJECTED, Rejection.CRIMINAL_CHARGE)


def test_a_cases_alias_is_a_cases_and_not_taken(house: House) -> None:
    taken = add(house, draw(Kind.CASE)).alias
    beneficiary = beneficiaries.add(house.session, draw(Kind.BENEFICIARY), created_at=NOW)

    for alias, kind in ((taken, AliasTaken), ("B-0000-0000-0001", BadAlias)):
        with nothing_written(house.session), pytest.raises(kind):
            cases.add(
                house.session,
                alias,
                beneficiary=beneficiary.alias,
                jurisdiction="by",
                rejection=None,
                entered_by=house.fund.ana.alias,
                received_on=date(2020, 11, 1),
                due_by=date(2020, 12, 1),
            )


@pytest.mark.parametrize("lock", [False, True])
def test_an_unknown_case_is_told(house: House, lock: bool) -> None:
    with pytest.raises(UnknownCase):
        cases.require(house.session, "C-0000-0000-0001", lock=lock)


def test_a_locked_case_is_read_as_it_stands_now(house: House) -> None:
    case = in_state(house, State.VERIFIED)

    answers = one_after_the_other(
        house.session,
        lambda own: cases.reject(own, cases.require(own, case.alias, lock=True), because=Rejection.ILLEGIBLE, on=DAY),
        look=lambda own: cases.require(own, case.alias),
        then=lambda own: cases.approve(own, cases.require(own, case.alias, lock=True), on=DAY),
    )

    assert isinstance(answers[1], CaseNotReady)
    assert answers[1].data["state"] == State.REJECTED


def test_pages_go_through_all_cases_once_in_the_order_of_aliases(house: House) -> None:
    aliases = sorted(add(house, draw(Kind.CASE)).alias for _ in range(7))
    seen: list[str] = []

    while page := cases.page(house.session, state=None, after=seen[-1] if seen else "", limit=3):
        seen += [case.alias for case in page]

    assert seen == aliases


def test_a_page_may_be_of_one_state(house: House) -> None:
    rejected = in_state(house, State.REJECTED)
    in_state(house, State.RECEIVED)

    assert cases.page(house.session, state=State.REJECTED, after="", limit=10) == [rejected]
    assert cases.page(house.session, state=State.PAID, after="", limit=10) == []


def test_many_are_locked_together_or_not_at_all(house: House) -> None:
    found = [house.a_case() for _ in range(2)]

    locked = cases.lock_all(house.session, {case.alias for case in found})

    assert locked == sorted(found, key=lambda case: case.alias)
    with pytest.raises(UnknownCase):
        cases.lock_all(house.session, [found[0].alias, draw(Kind.CASE)])
