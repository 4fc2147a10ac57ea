"""What the rules answered: signed by who verified, held against the books, kept without a day, found if altered."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import approvals
from ledger.aid import acts, assessments, eligibility, jurisdictions, rules
from ledger.aid.assessments import BY_BOUNDS, Assessed, AssessmentDiffers, BadAssessment, PackDiffers
from ledger.aid.cases import Case
from ledger.aid.obligations import ObligationKind
from ledger.aid.rules import Application, Outcome, Span
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.money import Money
from tests.bookcheck import found, told_after
from tests.cast import TODAY, House, agreed_by, engine_of, nothing_written, sealed

BY = jurisdictions.load("by")
Change = Callable[[dict[str, Any]], None]


def sign(house: House, case: Case, changed: Change, **box: Any) -> None:
    """Anton signs an assessment after a change to it, and hands it in with a box that agrees, but for `box`."""
    right = house.assessed(case)
    content = right.assessed.model_dump(mode="json")
    changed(content)
    assessed = Assessed.model_validate(content)
    agreed = house.on_case("verify_case", case, by=house.fund.anton, payee_commitment=assessed.commitment())
    acts.verify_case(
        house.session,
        case.alias,
        agreed,
        assessment=assessments.NewAssessment(assessed, replace(right.box, **box)),
    )


def with_outcome(rule: str, outcome: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        (one,) = [told for told in content["answers"] if told["rule"] == rule]
        one["outcome"] = outcome

    return change


def outcomes(document: str) -> dict[str, str]:
    return {one["rule"]: one["outcome"] for one in json.loads(document)["answers"]}


def opened_case(house: House, **facts: Any) -> Case:
    case = house.a_case(**facts)
    house.open(case, by=house.fund.anton)
    return case


def test_what_the_rules_answered_is_kept_as_it_was_signed_with_its_pack_and_no_exact_day(house: House) -> None:
    case = house.a_verified_case()

    document = assessments.of_case(house.session, case.alias)
    assert document is not None
    (act,) = approvals.of_object(house.session, case.alias)
    said = json.loads(document)
    assert json.loads(act.document)["payee_commitment"] == assessments.commitment_to(document)
    assert (said["pack"], said["pack_digest"], said["on"]) == ("by", jurisdictions.digest(BY), TODAY.isoformat())
    assert list(outcomes(document)) == [rule.__name__.removeprefix("_") for rule in rules.RULES]
    assert outcomes(document)["in_force_at_payment"] == "holds"
    assert said["sealed"] in shelves.commitments(house.session, [case.alias])
    assert "2020-09-28" not in document
    assert Assessed.model_validate_json(document).canonical() == document


def test_an_assessment_that_the_books_do_not_give_is_refused(house: House) -> None:
    case = opened_case(house)
    wrong: dict[str, tuple[Change, type[LedgerError]]] = {
        "another version of the pack": (lambda said: said.update(pack_digest="0" * 64), PackDiffers),
        "another pack": (lambda said: said.update(pack="us-bail"), PackDiffers),
        "another case": (lambda said: said.update(case="C-0000-0000-0001"), AssessmentDiffers),
        "another day": (lambda said: said.update(on="2020-11-19"), AssessmentDiffers),
        "another box": (lambda said: said.update(sealed="0" * 64), BadAssessment),
        "a rule less": (lambda said: said["answers"].pop(), AssessmentDiffers),
        "a rule twice": (lambda said: said["answers"].append(said["answers"][0]), AssessmentDiffers),
        "another order": (lambda said: said["answers"].reverse(), AssessmentDiffers),
        "a refusal": (with_outcome("ruling_kind", "refused"), AssessmentDiffers),
        "nobody knows": (with_outcome("not_paid_before", "unknown"), AssessmentDiffers),
        "a fine that waits": (with_outcome("sanction_within_article", "waits"), AssessmentDiffers),
        "a tariff of a fine": (with_outcome("detention_tariff", "holds"), AssessmentDiffers),
    }
    for rule in BY_BOUNDS:
        other = "shown" if rule != "payment_deadline" else "holds"
        wrong[rule] = (with_outcome(rule, other), AssessmentDiffers)

    with nothing_written(house.session):
        for change, refusal in wrong.values():
            with pytest.raises(refusal):
                sign(house, case, change)

    sign(house, case, with_outcome("sanction_within_article", "shown"))  # the part of the article decides, sealed
    assert outcomes(assessments.of_case(house.session, case.alias) or "")["sanction_within_article"] == "shown"


def test_a_case_under_an_article_that_no_day_of_its_week_admits_is_not_verified(house: House) -> None:
    case = opened_case(house, article="17.1")

    for said in ("refused", "waits", "holds"):
        with nothing_written(house.session), pytest.raises(AssessmentDiffers) as refusal:
            sign(house, case, with_outcome("assembly_articles", said))
        assert refusal.value.data == {"field": "outcome", "name": "assembly_articles"}


def test_a_box_of_another_thing_or_that_the_document_does_not_name_is_refused(house: House) -> None:
    case, other = opened_case(house), house.a_case()
    key = house.session.get_one(shelves.Shelf, case.beneficiary_alias).sealing_key
    another = sealed(key, kind="case", alias=case.alias, field="assessment", content="another")

    lies: list[dict[str, Any]] = [
        {"alias": other.alias},
        {"kind": "ruling"},
        {"field": "details"},
        {"data": another.data, "commitment": another.commitment},
    ]
    with nothing_written(house.session):
        for lie in lies:
            with pytest.raises(BadAssessment):
                sign(house, case, lambda _: None, **lie)


def test_an_act_that_commits_to_other_answers_or_to_none_verifies_nothing(house: House) -> None:
    case = opened_case(house)

    for commitment in (None, "0" * 64):
        agreed = house.on_case("verify_case", case, by=house.fund.anton, payee_commitment=commitment)
        with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
            acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case))
        assert refusal.value.data == {"field": "payee_commitment"}


def test_a_bill_over_the_tariff_and_a_ruling_whose_week_is_not_over_are_verified_and_say_so(house: House) -> None:
    bill = house.verify(
        opened_case(house, kind=ObligationKind.DETENTION, amount=Money(2001, "BYN")), by=house.fund.anton
    )
    young = house.verify(opened_case(house, issued_on=TODAY, is_force_presumed=True), by=house.fund.anton)

    assert outcomes(assessments.of_case(house.session, bill.alias) or "")["detention_tariff"] == "shown"
    told = outcomes(assessments.of_case(house.session, young.alias) or "")
    assert {told[rule] for rule in ("after_not_before", "in_force_at_payment", "appeal_deadline")} == {"waits"}


@given(
    st.dates(date(2019, 1, 1), date(2023, 12, 31)),
    st.integers(0, 6),
    st.integers(0, 60),
    st.sampled_from(["fine", "detention"]),
)
def test_every_day_of_a_week_gives_the_same_words(issued_on: date, later: int, asked: int, kind: str) -> None:
    monday = issued_on - timedelta(days=issued_on.weekday())

    def words(day: date) -> Assessed:
        bounds = eligibility.bounds(BY, kind=kind, issued_on=day, in_force_on=None)
        exact = Application(
            article="23.34", kind=kind, issued=Span(day, day), amount=Money(81000, "BYN"), detained_days=3
        )
        on = monday + timedelta(days=6 + asked)
        return assessments.assess(
            BY, "C-1", {"O-1111-1111-1111": assessments.by_bounds(BY, exact, bounds, on=on)}, on=on, sealed="0" * 64
        )

    assert words(monday) == words(monday + timedelta(days=later))


def test_by_bounds_nothing_is_refused_that_exact_days_admit_and_the_grain_of_a_day_is_exact() -> None:
    bail = jurisdictions.load("us-bail")
    day = date(2020, 9, 30)
    bounds = eligibility.bounds(bail, kind="bail", issued_on=day, in_force_on=day)
    exact = Application(article=bail.articles[0].code, kind="bail", issued=Span(day, day), payable=Span(day, day))

    answers = {one.rule: one for one in assessments.by_bounds(bail, exact, bounds, on=day)}

    assert answers["after_not_before"].outcome is answers["in_force_at_payment"].outcome is Outcome.HOLDS
    assert all(one.outcome is not Outcome.REFUSED for one in answers.values())


def test_a_pack_has_another_digest_when_a_word_of_it_is_another() -> None:
    article = BY.articles[0]
    other = BY.model_copy(update={"articles": (article.model_copy(update={"source": "hearsay"}), *BY.articles[1:])})

    assert jurisdictions.digest(other) != jurisdictions.digest(BY) == jurisdictions.digest(BY.model_copy())


def test_answers_that_were_altered_taken_away_or_slipped_in_are_found(house: House) -> None:
    verified, received = house.a_verified_case(), house.a_case()
    assert found(house.session, by={"assessments"}) == []
    attacks = {
        "an answer": "UPDATE assessment SET document = replace(document, 'holds', 'shown')",
        "the pack": "UPDATE assessment SET document = replace(document, '\"by\"', '\"xx\"')",
        "gone": "DELETE FROM assessment",
        "slipped in": "INSERT INTO assessment SELECT alias, '[]' FROM aid_case WHERE verified_by IS NULL",
        "its act": "DELETE FROM signed_act",
    }
    told = told_after(engine_of(house.session), {name: (attack, "assessments") for name, attack in attacks.items()})

    assert [name for name, by in told.items() if by != {"assessments"}] == []
    assert (verified.state, received.state) == ("verified", "received")


def test_a_ruling_that_says_something_else_than_what_the_rules_were_asked_about_is_found(house: House) -> None:
    house.a_verified_case()
    house.session.commit()
    assert found(house.session, by={"rules-asked-again"}) == []
    soon = TODAY + timedelta(days=70)
    changes = {
        "another article": "ruling SET article = '24.23'",
        "in force later": f"ruling SET payable_from = '{soon}'",
        "to be paid later": f"ruling SET due_by = '{soon}'",
        "issued later": f"ruling SET ruled_by = '{soon}'",
        "before there were deadlines": "ruling SET ruled_by = '2006-10-08'",
        "of another obligation": f"obligation SET alias = '{draw(Kind.OBLIGATION)}'",
    }
    attacks = {name: f"UPDATE {change}" for name, change in changes.items()}

    told = told_after(
        engine_of(house.session), {name: (attack, "rules-asked-again") for name, attack in attacks.items()}
    )

    assert [name for name, by in told.items() if by != {"rules-asked-again"}] == []


def test_a_verification_of_before_answers_were_signed_is_no_finding(house: House) -> None:
    case = house.a_case()
    before = agreed_by(house.fund.anton, "verify_case", object=case.alias)
    approvals.accept(house.session, before, verb="verify_case", object_alias=case.alias, version=1)

    assert found(house.session, by={"assessments"}) == []
    assert assessments.of_case(house.session, case.alias) is None
