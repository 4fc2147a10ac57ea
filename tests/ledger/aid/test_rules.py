from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.aid import eligibility, jurisdictions, rules
from ledger.aid.eligibility import Rejection
from ledger.aid.rules import Answer, Application, EvidenceMissing, Outcome, Span
from tests.cast import byn

BY = jurisdictions.load("by")
ISSUED = date(2020, 9, 28)
TODAY = date(2020, 10, 20)


def on(day: date) -> Span:
    return Span(day, day)


FINE = Application(
    ruling_kind="administrative",
    article="23.34",
    part="1",
    kind="fine",
    amount=byn("810.00"),
    issued=on(ISSUED),
    payable=on(date(2020, 10, 8)),
    due=on(date(2020, 11, 8)),
    received_on=date(2020, 10, 1),
    files=(),
)
BILL = replace(FINE, kind="detention", amount=byn("135.00"), detained_days=10)


def said(rule: str, application: Application, *, today: date = TODAY) -> Answer:
    (one,) = [one for one in rules.answer(BY, application, on=today) if one.rule == rule]
    return one


def test_every_rule_names_itself_once() -> None:
    names = [one.rule for one in rules.answer(BY, FINE, on=TODAY)]

    assert len(set(names)) == len(names) == len(rules.RULES)


def test_a_fine_in_order_waits_for_nothing() -> None:
    outcomes = {one.rule: one.outcome for one in rules.answer(BY, FINE, on=TODAY)}

    assert outcomes.pop("detention_tariff") is Outcome.UNKNOWN
    assert set(outcomes.values()) == {Outcome.HOLDS}


@pytest.mark.parametrize(
    ("change", "rule", "because"),
    [
        ({"ruling_kind": "criminal"}, "ruling_kind", Rejection.CRIMINAL_CHARGE),
        ({"issued": None}, "after_not_before", Rejection.NO_RULING),
        ({"issued": on(date(2020, 10, 21))}, "after_not_before", Rejection.NO_RULING),
        ({"paid_on": date(2020, 9, 27)}, "not_paid_before", Rejection.NO_RULING),
        ({"paid_on": date(2020, 9, 28)}, "not_paid_before", Rejection.ALREADY_PAID),
        ({"article": "17.1"}, "assembly_articles", Rejection.NOT_ASSEMBLY_RELATED),
        ({"kind": "bail"}, "assembly_articles", Rejection.NOT_ASSEMBLY_RELATED),
    ],
)
def test_a_refusal_names_its_rule_and_its_code(change: dict[str, Any], rule: str, because: Rejection) -> None:
    answer = said(rule, replace(FINE, **change))

    assert (answer.outcome, answer.because) == (Outcome.REFUSED, because)


@pytest.mark.parametrize(("ruling_kind", "kind"), [("sentence", "bail"), ("bail_order", "fine")])
def test_an_obligation_that_this_kind_of_ruling_does_not_lead_to_has_no_ruling(ruling_kind: str, kind: str) -> None:
    told = replace(FINE, article="240.20", ruling_kind=ruling_kind, kind=kind, part=None)

    (answer,) = [
        one for one in rules.answer(jurisdictions.load("us-bail"), told, on=TODAY) if one.outcome is Outcome.REFUSED
    ]
    assert (answer.rule, answer.because) == ("obligation_of_ruling", Rejection.NO_RULING)


def test_what_a_list_says_of_the_kind_of_ruling_is_not_told_back() -> None:
    assert said("ruling_kind", replace(FINE, ruling_kind="Invented Person")).facts == {}


@pytest.mark.parametrize(
    ("part", "amount", "outcome", "facts"),
    [
        ("1", "810.00", Outcome.HOLDS, {"least": "0.00", "most": "810.00"}),
        ("1", "810.01", Outcome.SHOWN, {"least": "0.00", "most": "810.00", "difference": "0.01"}),
        ("3", "1350.00", Outcome.HOLDS, {"least": "0.00", "most": "1350.00"}),
        (None, "1350.00", Outcome.HOLDS, {"least": "0.00", "most": "1350.00"}),
        ("9", "1360.00", Outcome.SHOWN, {"least": "0.00", "most": "1350.00", "difference": "10.00"}),
    ],
)
def test_a_fine_beyond_what_its_part_threatens_is_shown(
    part: str | None, amount: str, outcome: Outcome, facts: dict[str, str]
) -> None:
    answer = said("sanction_within_article", replace(FINE, part=part, amount=byn(amount)))

    assert answer.outcome is outcome
    assert answer.facts == {"amount": amount} | facts | ({"part": part} if part else {})


def test_a_fine_below_the_least_is_shown_too() -> None:
    organiser = replace(FINE, article="24.23", part="2", issued=on(date(2021, 4, 1)), amount=byn("500.00"))

    answer = said("sanction_within_article", organiser, today=date(2021, 5, 1))

    assert (answer.outcome, answer.facts["difference"]) == (Outcome.SHOWN, "-80.00")


def test_where_a_week_straddles_two_base_values_either_fits() -> None:
    at_new_year = replace(FINE, issued=Span(date(2020, 12, 28), date(2021, 1, 3)), amount=byn("870.00"))

    assert said("sanction_within_article", at_new_year, today=date(2021, 2, 1)).outcome is Outcome.HOLDS
    assert said("sanction_within_article", replace(FINE, amount=byn("870.00"))).outcome is Outcome.SHOWN


def test_a_bill_by_the_formula_holds() -> None:
    answer = said("detention_tariff", BILL)

    assert answer.outcome is Outcome.HOLDS
    assert answer.facts == {"days": 10, "a_day": "13.50", "formula": "135.00", "bill": "135.00"}


def test_a_bill_over_the_formula_is_shown_and_refuses_nothing() -> None:
    dear = replace(BILL, amount=byn("187.40"))

    answer = said("detention_tariff", dear)

    assert (answer.outcome, answer.facts["difference"], answer.because) == (Outcome.SHOWN, "52.40", None)
    assert not any(one.because for one in rules.answer(BY, dear, on=TODAY))


def test_without_days_the_bill_tells_them_and_what_is_no_whole_day_is_shown() -> None:
    untold = replace(BILL, detained_days=None)

    assert said("detention_tariff", untold).facts["days_by_the_bill"] == 10
    answer = said("detention_tariff", replace(untold, amount=byn("136.00")))
    assert (answer.outcome, answer.facts["difference"]) == (Outcome.SHOWN, "1.00")


def test_more_days_than_an_arrest_can_have_are_shown() -> None:
    answer = said("detention_tariff", replace(BILL, detained_days=16, amount=byn("216.00")))

    assert (answer.outcome, answer.facts["most_days"]) == (Outcome.SHOWN, 15)


@given(st.integers(1, 15))
def test_a_bill_at_the_tariff_holds_whether_the_days_are_told_or_not(days: int) -> None:
    amount = byn("13.50")
    told = replace(BILL, detained_days=days, amount=replace(amount, minor=amount.minor * days))

    assert said("detention_tariff", told).outcome is Outcome.HOLDS
    assert said("detention_tariff", replace(told, detained_days=None)).outcome is Outcome.HOLDS


def test_deadlines_are_told() -> None:
    assert said("appeal_deadline", FINE, today=date(2020, 10, 8)).outcome is Outcome.WAITS
    assert said("appeal_deadline", FINE, today=date(2020, 10, 9)).facts == {"appeal_until": "2020-10-08"}
    assert said("in_force_at_payment", FINE, today=date(2020, 10, 7)).outcome is Outcome.WAITS
    assert said("in_force_at_payment", FINE, today=date(2020, 10, 8)).outcome is Outcome.HOLDS
    assert said("payment_deadline", FINE, today=date(2020, 11, 8)).outcome is Outcome.HOLDS
    assert said("payment_deadline", FINE, today=date(2020, 11, 9)).outcome is Outcome.SHOWN


def test_a_file_that_the_pack_asks_for_is_waited_for() -> None:
    later = replace(FINE, received_on=date(2026, 1, 1))

    assert said("evidence_at_hand", FINE).outcome is Outcome.HOLDS
    assert said("evidence_at_hand", later).facts == {"needed": "ruling", "missing": "ruling"}
    assert said("evidence_at_hand", replace(later, files=["bill"])).outcome is Outcome.WAITS
    assert said("evidence_at_hand", replace(later, files=["ruling", "bill"])).outcome is Outcome.HOLDS


def test_missing_files_are_named_by_their_kinds() -> None:
    with pytest.raises(EvidenceMissing) as refusal:
        rules.require_files(BY, kind="detention", received_on=date(2026, 5, 1), files={"ruling"})

    assert refusal.value.data == {"kind": "detention", "files": "bill"}
    rules.require_files(BY, kind="detention", received_on=date(2026, 5, 1), files={"bill"})
    rules.require_files(BY, kind="detention", received_on=date(2025, 5, 1), files=set())


@given(st.dates(date(2016, 7, 1), date(2026, 12, 31)), st.integers(0, 40))
def test_what_is_refused_by_bounds_is_never_less_than_what_is_refused_exactly(issued_on: date, later: int) -> None:
    today = issued_on + timedelta(days=later)
    kept = eligibility.bounds(BY, kind="fine", issued_on=issued_on, in_force_on=None)
    exact = replace(FINE, issued=on(issued_on), part=None)
    article = "23.34" if issued_on < date(2021, 3, 1) else "24.23"
    exact = replace(exact, article=article)
    coarse = replace(exact, issued=rules.ruled_within(BY, kept.ruled_by))

    refused = {one.rule for one in rules.answer(BY, exact, on=today) if one.because}

    assert not refused
    coarsely = {one.rule for one in rules.answer(BY, coarse, on=today) if one.because}
    assert coarsely <= {"after_not_before"}
    assert bool(coarsely) == (kept.ruled_by > today)
