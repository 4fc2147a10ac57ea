"""Who is one person: compared by a reviewer, signed, counted together, taken back, and never changed by hand."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import select

from ledger import approvals
from ledger.aid import (
    bail,
    cases,
    disbursements,
    intake,
    likenesses,
    person_acts,
    persons,
    quashing,
    retention,
    rulings,
    sequels,
    subledger,
)
from ledger.aid.beneficiaries import UnknownBeneficiary
from ledger.aid.cases import Case
from ledger.aid.eligibility import Rejection
from ledger.aid.persons import BadPair, PersonsContradict, SaidAlready
from ledger.aid.retention import OthersNotAsked
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.checks import bail as bail_checks
from ledger.checks import persons as checks_of_persons
from ledger.checks.findings import silent
from ledger.errors import LedgerError
from ledger.identities.erasure import ErasureStands
from ledger.identities.erasure_list import FILE_NAME, ErasureList
from ledger.identities.shelves import NotOpened, PersonKey
from ledger.people import Role
from ledger.queue import sections
from ledger.storage import guards
from tests.cast import NOW, TODAY, House, a_row, agreed_by, byn, give, nothing_written, race
from tests.comparing import join, on_persons, tell_apart
from tests.courts import a_recognised_fine, apply, open_dollars, posted_bail, usd
from tests.erasing import ask, erase, signed
from tests.sequences import a_sequel

NAME = "Invented Person of Two Lists"


def alike(house: House, count: int = 2, name: str = NAME) -> list[Case]:
    """Cases of as many beneficiaries who have one name."""
    return [house.a_case(name=name) for _ in range(count)]


def waiting(house: House) -> dict[str, str | None]:
    """Whom the reviewers' queue shows, each with one of their cases."""
    told: dict[str, Any] = {"roles": {Role.INTAKE}, "operator": "OP-ANY", "on": TODAY}
    found = sections.page(house.session, "persons_to_compare", after=None, limit=10, **told)
    counted = sections.counts(house.session, **told)["persons_to_compare"]
    assert counted == len(found)
    return {one.object: one.case for one in found}


def aliases(*cases: Case) -> set[str]:
    return {case.beneficiary_alias for case in cases}


def pay(house: House, case: Case) -> None:
    payment = house.a_released_payment(of=house.verify(case, by=house.fund.anton))
    disbursements.pay(house.session, payment, source_key=case.alias, on=TODAY, recorded_at=NOW, recorded_by="test")
    house.session.commit()


# --- who is shown


def test_who_has_the_name_of_somebody_known_waits_for_a_reviewer_until_they_are_compared(house: House) -> None:
    first, second = alike(house)
    house.a_case()

    assert waiting(house) == {case.beneficiary_alias: case.alias for case in (first, second)}
    assert likenesses.undecided(house.session, first.beneficiary_alias) == [second.beneficiary_alias]

    join(house, first, second)

    assert waiting(house) == {}
    third = house.a_case(name=NAME)
    assert aliases(first, second, third) == waiting(house).keys()
    tell_apart(house, second, third)  # the first is the second: nobody is asked about the first and the third
    assert waiting(house) == {}
    assert likenesses.undecided(house.session, third.beneficiary_alias) == []


def test_a_new_ruling_on_one_person_makes_nobody_wait(house: House) -> None:
    case = house.verify(house.a_case(name=NAME), by=house.fund.anton)
    (ruling,) = rulings.of_case(house.session, case.alias)
    quashing.quash(house.session, ruling, by=house.fund.anton.alias, on=TODAY, recorded_at=NOW)
    named = [token for token in a_row(house.fund, name=NAME).tokens if token[1] != "row"]
    sequel = a_sequel(house, case, tokens=named)
    told: dict[str, Any] = {"of_case": case.alias, "entered_by": house.fund.ana.alias, "recorded_at": NOW}

    again = sequels.receive(house.session, ruling.alias, sequel, **told)

    assert again.beneficiary_alias == case.beneficiary_alias
    assert intake.same_person(house.session, case.alias) == [again.alias]
    assert waiting(house) == {}


def refused(house: House, error: type[LedgerError], verb: Verb, first: Case, second: Case) -> None:
    """Anton opens both and signs, and nothing comes of it."""
    for case in (first, second):
        house.open(case, by=house.fund.anton)
    agreed = on_persons(house, verb, first, second)
    say = person_acts.join if verb == "join_beneficiaries" else person_acts.tell_apart
    with nothing_written(house.session), pytest.raises(error):
        say(house.session, first.beneficiary_alias, second.beneficiary_alias, agreed)


# --- what counts together


def test_the_ledger_of_a_person_shows_both_sides_of_all_their_cases_as_was_known_then(house: House) -> None:
    give(house.session, byn("5000.00"))
    first, second = alike(house)
    for case in (first, second):
        pay(house, case)
    first_alias, second_alias = first.beneficiary_alias, second.beneficiary_alias
    assert {row.case for row in subledger.of_beneficiary(house.session, first_alias)} == {first.alias}

    join(house, first, second)

    rows = subledger.of_beneficiary(house.session, first_alias)
    assert rows == subledger.of_beneficiary(house.session, second_alias)
    assert [(row.case, row.amount.minor) for row in rows].count((second.alias, 81_000)) == 1
    assert {row.case for row in rows} == {first.alias, second.alias}
    assert sorted(row.amount.minor for row in rows) == [-81_000, -81_000, 81_000, 81_000]
    assert rows[-1].balance == byn("0.00")
    before = subledger.of_beneficiary(house.session, first_alias, as_known_at=NOW - timedelta(seconds=1))
    assert {row.case for row in before} <= {first.alias}
    assert {row.case for row in subledger.of_case(house.session, first.alias)} == {first.alias}


def test_other_cases_of_a_person_are_those_that_were_signed_and_not_those_that_were_signed_away(house: House) -> None:
    first, second = alike(house)
    stranger = house.a_case(name="Invented Person in other letters")
    assert intake.same_person(house.session, first.alias) == [second.alias]

    tell_apart(house, first, second)
    join(house, first, stranger)

    assert intake.same_person(house.session, first.alias) == [stranger.alias]
    assert intake.same_person(house.session, second.alias) == []
    groups = likenesses.cases_of_persons(house.session, [first.alias, second.alias])
    assert groups == {first.alias: {first.alias, stranger.alias}, second.alias: {second.alias}}
    root = min(aliases(first, stranger))
    expected = {first.beneficiary_alias: root, stranger.beneficiary_alias: root}
    assert likenesses.roots(house.session) == {**expected, second.beneficiary_alias: second.beneficiary_alias}


def test_bail_pays_for_whoever_was_signed_to_be_the_same_person_and_they_stay_it(house: House) -> None:
    open_dollars(house)
    posted = posted_bail(house)
    fine, _ = a_recognised_fine(house)
    accused, fined = (cases.require(house.session, one.case_alias) for one in (posted, fine))
    tell_apart(house, accused, fined)
    with nothing_written(house.session), pytest.raises(bail.AnotherPersons):
        bail.apply(
            house.session,
            posted.alias,
            fine=fine.alias,
            amount=usd("100.00"),
            by=house.fund.boris.alias,
            on=TODAY,
            recorded_at=NOW,
        )
    join(house, accused, fined)
    apply(house, posted, fine)

    refused(house, person_acts.PaidAsOne, "tell_apart", accused, fined)

    assert persons.joined(house.session, aliases(accused))[accused.beneficiary_alias] == aliases(accused, fined)
    assert list(bail_checks.find_other_persons(house.session, silent)) == []


def test_bail_that_paid_for_who_was_one_by_their_name_is_in_order_after_their_erasure(
    house: House, tmp_path: Path
) -> None:
    open_dollars(house)
    posted = posted_bail(house)
    fine, _ = a_recognised_fine(house)
    apply(house, posted, fine)

    erase(house, cases.require(house.session, fine.case_alias), ErasureList(tmp_path / "shred" / FILE_NAME))

    assert list(bail_checks.find_other_persons(house.session, silent)) == []


@pytest.mark.parametrize("joined_to", [0, 1])
def test_nobody_is_joined_to_who_is_somebody_else_than_whom_their_bail_has_paid_for(
    house: House, joined_to: int
) -> None:
    """The two are one by their name only, and a third comes between them, from either side."""
    open_dollars(house)
    posted = posted_bail(house)
    fine, _ = a_recognised_fine(house)
    apply(house, posted, fine)
    two = [cases.require(house.session, one.case_alias) for one in (posted, fine)]
    third = house.a_case(name=NAME)
    tell_apart(house, two[1 - joined_to], third)

    refused(house, person_acts.PaidAsOne, "join_beneficiaries", two[joined_to], third)

    assert list(bail_checks.find_other_persons(house.session, silent)) == []


def test_a_person_of_several_aliases_is_due_at_once_and_erased_under_each(house: House, tmp_path: Path) -> None:
    listed = ErasureList(tmp_path / "shred" / FILE_NAME)
    refused, going = (house.a_case(name=NAME, rejection=code) for code in (Rejection.CRIMINAL_CHARGE, None))
    assert [one.shelf for one in retention.due_among(house.session, [*aliases(refused, going)])] == [
        refused.beneficiary_alias
    ]
    join(house, refused, going)
    assert list(retention.due_among(house.session, [*aliases(refused, going)])) == []

    ask(house, refused)
    agreed = signed(house.fund.boris, "agree_erasure", refused.beneficiary_alias)
    with nothing_written(house.session), pytest.raises(OthersNotAsked) as told:
        retention.carry_out_erasure(house.session, refused.beneficiary_alias, agreed=agreed, listed=listed)
    assert (told.value.data["others"], listed.path.exists()) == (going.beneficiary_alias, False)

    ask(house, going)
    for case in (refused, going):
        by_boris = signed(house.fund.boris, "agree_erasure", case.beneficiary_alias)
        retention.carry_out_erasure(house.session, case.beneficiary_alias, agreed=by_boris, listed=listed)
    assert house.session.exec(select(PersonKey)).all() == []
    assert list(checks_of_persons.find_half_erased(house.session, silent)) == []


def test_nobody_waits_for_a_comparison_with_somebody_who_was_erased(house: House, tmp_path: Path) -> None:
    listed = ErasureList(tmp_path / "shred" / FILE_NAME)
    first, second = alike(house)
    for case in (first, second):
        house.open(case, by=house.fund.anton)
    early = on_persons(house, "join_beneficiaries", first, second)
    erase(house, first, listed)

    assert waiting(house) == {}
    with nothing_written(house.session), pytest.raises(ErasureStands):
        person_acts.join(house.session, first.beneficiary_alias, second.beneficiary_alias, early)


# --- what is refused


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (approvals.ActDiffers, {"version": 2}),
        (approvals.ActDiffers, {"detail": "B-0000-0000-0000"}),
        (approvals.ActDiffers, {"evidence_commitments": ()}),
        (approvals.ActDiffers, {"verb": "tell_apart"}),
        (approvals.NotInRole, {"by": "boris"}),
    ],
)
def test_what_is_not_signed_so_joins_nobody(house: House, refusal: type[LedgerError], told: Mapping[str, Any]) -> None:
    first, second = alike(house)
    by = getattr(house.fund, told.get("by", "anton"))
    for case in (first, second):
        house.open(case, by=by)
    lies = {name: value for name, value in told.items() if name not in {"by", "verb"}}
    agreed = on_persons(house, told.get("verb", "join_beneficiaries"), first, second, by=by, **lies)

    with nothing_written(house.session), pytest.raises(refusal):
        person_acts.join(house.session, first.beneficiary_alias, second.beneficiary_alias, agreed)


def test_who_has_not_opened_both_says_nothing_of_them(house: House) -> None:
    first, second = alike(house)
    house.open(first, by=house.fund.anton)
    agreed = on_persons(house, "join_beneficiaries", first, second)

    with nothing_written(house.session), pytest.raises(NotOpened):
        person_acts.join(house.session, first.beneficiary_alias, second.beneficiary_alias, agreed)


def test_nobody_is_compared_with_themselves_or_with_nobody(house: House) -> None:
    (case,) = alike(house, 1)
    house.open(case, by=house.fund.anton)
    agreed = agreed_by(house.fund.anton, "join_beneficiaries", object=case.beneficiary_alias)

    with nothing_written(house.session), pytest.raises(BadPair):
        person_acts.join(house.session, case.beneficiary_alias, case.beneficiary_alias, agreed)
    with nothing_written(house.session), pytest.raises(UnknownBeneficiary):
        person_acts.join(house.session, case.beneficiary_alias, draw(Kind.BENEFICIARY), agreed)


def test_what_was_said_last_counts_and_is_not_said_twice(house: House) -> None:
    first, second = alike(house)
    join(house, first, second)
    refused(house, SaidAlready, "join_beneficiaries", second, first)

    taken_back = tell_apart(house, second, first)

    assert (taken_back.number, taken_back.is_one) == (2, False)
    assert persons.joined(house.session, aliases(first))[first.beneficiary_alias] == aliases(first)
    refused(house, SaidAlready, "tell_apart", first, second)
    assert join(house, first, second).number == 3
    assert list(checks_of_persons.find_altered_words(house.session, silent)) == []


def test_nobody_becomes_one_person_and_two_over_a_third(house: House) -> None:
    first, second, third = alike(house, 3)
    join(house, first, second)
    tell_apart(house, second, third)
    refused(house, PersonsContradict, "join_beneficiaries", first, third)
    refused(house, SaidAlready, "join_beneficiaries", second, first)
    join(house, second, third)  # taken back

    refused(house, PersonsContradict, "tell_apart", first, third)
    refused(house, SaidAlready, "join_beneficiaries", first, third)


def test_two_who_contradict_each_other_at_once_are_not_both_heard(house: House) -> None:
    first, second, third = alike(house, 3)
    join(house, first, second)
    one = on_persons(house, "join_beneficiaries", first, third)
    two = on_persons(house, "tell_apart", second, third)
    house.open(third, by=house.fund.anton)
    house.session.commit()
    of, also = ((case.beneficiary_alias, third.beneficiary_alias) for case in (first, second))

    answers = race(
        house.session,
        lambda session: person_acts.join(session, *of, one).number,
        lambda session: person_acts.tell_apart(session, *also, two).number,
    )

    assert sorted(isinstance(answer, PersonsContradict) for answer in answers) == [False, True]
    assert list(checks_of_persons.find_contradictions(house.session, silent)) == []


# --- what somebody changes by hand


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM same_person", {("persons-signed", "row")}),
        ("UPDATE same_person SET is_one = NOT is_one", {("persons-signed", "row"), ("persons-signed", "act")}),
        ("UPDATE same_person SET said_by = 'OP-NOBODY'", {("persons-signed", "row"), ("persons-signed", "act")}),
        ("UPDATE same_person SET number = 2", {("persons-signed", "row"), ("persons-signed", "act")}),
    ],
)
def test_what_somebody_makes_of_it_by_hand_is_refused_and_found(
    house: House, statement: str, found: set[tuple[str, str]]
) -> None:
    join(house, *alike(house))
    with pytest.raises(DatabaseError):
        house.session.connection().execute(text(statement))
    house.session.rollback()
    guards.remove(house.session.connection())
    house.session.connection().execute(text(statement))
    guards.install(house.session.connection())

    told = list(checks_of_persons.find_altered_words(house.session, silent))

    assert {(one.check, one.facts["where"]) for one in told} == found


def test_a_merge_that_no_act_covers_is_found(house: House) -> None:
    """By who owns the database: under the nonce of another act, for there is no other."""
    first, second = alike(house)
    of = persons.pair(first.beneficiary_alias, second.beneficiary_alias)
    house.verify(first, by=house.fund.anton)
    nonce = house.session.exec(select(approvals.SignedAct.nonce)).one()
    told: dict[str, Any] = {"nonce": nonce, "by": house.fund.anton.alias, "at": NOW}
    persons.say(house.session, of, is_one=True, **told)

    (found,) = checks_of_persons.find_altered_words(house.session, silent)

    assert (found.name, found.facts["other"], found.facts["where"]) == (*of, "act")


def test_who_is_left_of_somebody_who_was_erased_is_found(house: House, tmp_path: Path) -> None:
    first, second = alike(house)
    erase(house, first, ErasureList(tmp_path / "shred" / FILE_NAME))
    of = persons.pair(first.beneficiary_alias, second.beneficiary_alias)
    house.verify(second, by=house.fund.anton)
    nonce = next(iter(house.session.exec(select(approvals.SignedAct.nonce))))
    persons.say(house.session, of, is_one=True, nonce=nonce, by="OP-X", at=NOW)

    (found,) = checks_of_persons.find_half_erased(house.session, silent)

    assert found.name == second.beneficiary_alias


# --- what holds of any order of words


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=14))
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_in_any_order_nobody_is_one_person_and_two(words: list[tuple[int, int, bool]]) -> None:
    newest: dict[tuple[str, str], bool] = {}
    for a, b, is_one in words:
        if a == b:
            continue
        of = persons.pair(str(a), str(b))
        if persons.admits(newest, of, is_one=is_one):
            newest[of] = is_one
        together = {x: {y for y in "012345" if is_reached(newest, x, y)} for x in "012345"}
        assert not any(not one and b in together[a] for (a, b), one in newest.items())


def is_reached(newest: Mapping[tuple[str, str], bool], start: str, goal: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        steps = {x for of, one in newest.items() if one and here in of for x in of} - seen
        seen |= steps
        waiting += steps
    return goal in seen
