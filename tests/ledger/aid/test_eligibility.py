import calendar
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.aid import eligibility, jurisdictions, rules
from ledger.aid.eligibility import Bounds, NotEligible, Rejection
from ledger.aid.jurisdictions import Article, Pack

BY = jurisdictions.load("by")
BY_DAY = BY.model_copy(update={"grain": "day"})
DAYS = st.dates(date(2010, 1, 1), date(2035, 12, 31))
SPANS = st.integers(0, 400).map(timedelta)


@st.composite
def exact_dates(draw: st.DrawFn) -> dict[str, Any]:
    """A ruling's exact dates: issued, perhaps known to be in force, perhaps served; and what it asks for."""
    issued_on = draw(DAYS)
    in_force_on = draw(st.none() | SPANS.map(lambda span: issued_on + span))
    served_on = draw(st.none() | SPANS.map(lambda span: issued_on + span))
    kind = draw(st.sampled_from(["fine", "detention", "court_fee"]))
    return {"kind": kind, "issued_on": issued_on, "in_force_on": in_force_on, "served_on": served_on}


def service(exact: dict[str, Any]) -> date | None:
    """The day of service, of a bill: of nothing else is anything payable from it."""
    served_on: date | None = exact["served_on"]
    return served_on if exact["kind"] == "detention" else None


def bounds_of(pack: Pack, exact: dict[str, Any]) -> Bounds:
    return eligibility.bounds(pack, **exact)


def payable_on(exact: dict[str, Any]) -> date:
    """The first day on which the exact dates admit a payment."""
    presumed = exact["issued_on"] + timedelta(days=10)
    payable: date = service(exact) or exact["in_force_on"] or presumed
    return payable


# --- bounds


@given(exact_dates())
def test_bounds_are_never_earlier_than_the_exact_dates(exact: dict[str, Any]) -> None:
    kept = bounds_of(BY, exact)

    assert exact["issued_on"] <= kept.ruled_by
    assert payable_on(exact) <= kept.payable_from


@given(exact_dates())
def test_bounds_are_at_most_six_days_late(exact: dict[str, Any]) -> None:
    kept = bounds_of(BY, exact)

    assert (kept.payable_from - payable_on(exact)).days <= 6
    assert (kept.ruled_by - exact["issued_on"]).days <= 6


@given(exact_dates())
def test_a_day_that_is_known_is_kept_as_the_end_of_its_iso_week(exact: dict[str, Any]) -> None:
    assume(service(exact) or exact["in_force_on"])

    kept = bounds_of(BY, exact)

    assert kept.payable_from.isoweekday() == kept.ruled_by.isoweekday() == 7
    assert kept.payable_from.isocalendar()[:2] == payable_on(exact).isocalendar()[:2]


@given(exact_dates())
def test_the_deadline_kept_is_a_monday_and_never_after_the_true_day(exact: dict[str, Any]) -> None:
    kept = bounds_of(BY, exact)
    exact_deadline = bounds_of(BY_DAY, exact).due_by

    # the week of what it is reckoned from, its own week, and up to three days by which months differ
    assert kept.due_by <= exact_deadline < kept.due_by + timedelta(days=7 + 7 + 3)
    assert kept.due_by.isoweekday() == 1


@given(exact_dates(), st.lists(st.integers(0, 6), min_size=3, max_size=3))
def test_all_days_of_one_week_leave_the_same_bounds(exact: dict[str, Any], weekdays: list[int]) -> None:
    """Of each date that is known by itself: of the ruling, of legal force, of service."""
    moved = {
        name: exact[name] and exact[name] + timedelta(days=weekday - exact[name].weekday())
        for name, weekday in zip(("issued_on", "in_force_on", "served_on"), weekdays, strict=True)
    }

    assert bounds_of(BY, exact) == bounds_of(BY, exact | moved)


MONDAY = 0


@given(exact_dates())
def test_a_pack_with_the_grain_of_a_day_keeps_the_dates(exact: dict[str, Any]) -> None:
    kept = bounds_of(BY_DAY, exact)

    assert (kept.ruled_by, kept.payable_from) == (exact["issued_on"], payable_on(exact))


@given(exact_dates())
def test_force_is_presumed_exactly_when_nobody_knows_it(exact: dict[str, Any]) -> None:
    assert bounds_of(BY, exact).force_presumed == (exact["in_force_on"] is None)


@given(exact_dates())
def test_bounds_pass_the_servers_check_of_grain_and_exact_dates_seldom_do(exact: dict[str, Any]) -> None:
    kept, precise = bounds_of(BY, exact), bounds_of(BY_DAY, exact)

    assert eligibility.at_grain(BY, kept)
    assert eligibility.at_grain(BY_DAY, precise)
    if eligibility.at_grain(BY, precise):  # days that happen to lie where their weeks end and begin
        assert precise.ruled_by == kept.ruled_by
        assert (precise.due_by.weekday(), kept.due_by.weekday()) == (MONDAY, MONDAY)


@pytest.mark.parametrize("part", ["ruled_by", "payable_from", "due_by"])
def test_one_exact_date_is_too_fine_for_a_weekly_pack(part: str) -> None:
    kept = {"ruled_by": date(2020, 10, 4), "payable_from": date(2020, 10, 11), "due_by": date(2020, 11, 2)}

    assert eligibility.at_grain(BY, Bounds(**kept, force_presumed=True))
    kept[part] = date(2020, 10, 8)
    assert not eligibility.at_grain(BY, Bounds(**kept, force_presumed=True))


def test_ten_days_after_the_week_are_no_exact_day_where_force_is_presumed_and_one_where_it_is_known() -> None:
    days = (date(2020, 10, 4), date(2020, 10, 14), date(2020, 11, 2))

    assert eligibility.at_grain(BY, Bounds(*days, force_presumed=True))
    assert not eligibility.at_grain(BY, Bounds(*days, force_presumed=False))


def test_a_ruling_without_a_date_of_force_is_in_force_after_the_days_of_appeal() -> None:
    kept = eligibility.bounds(BY_DAY, kind="fine", issued_on=date(2020, 9, 28), in_force_on=None)

    assert kept == Bounds(date(2020, 9, 28), date(2020, 10, 8), date(2020, 11, 8), force_presumed=True)


def test_the_weeks_of_an_example() -> None:
    presumed = eligibility.bounds(BY, kind="fine", issued_on=date(2020, 9, 28), in_force_on=None)
    known = eligibility.bounds(BY, kind="fine", issued_on=date(2020, 9, 28), in_force_on=date(2020, 10, 8))

    assert presumed == Bounds(date(2020, 10, 4), date(2020, 10, 14), date(2020, 11, 2), force_presumed=True)
    assert known == Bounds(date(2020, 10, 4), date(2020, 10, 11), date(2020, 11, 2), force_presumed=False)


def test_a_detention_bill_is_payable_from_its_service() -> None:
    kept = eligibility.bounds(
        BY_DAY,
        kind="detention",
        issued_on=date(2020, 9, 28),
        in_force_on=date(2020, 10, 8),
        served_on=date(2020, 9, 30),
    )

    assert kept == Bounds(date(2020, 9, 28), date(2020, 9, 30), date(2020, 10, 30), force_presumed=False)


@pytest.mark.parametrize("kind", ["fine", "court_fee", "bail"])
@pytest.mark.parametrize("in_force_on", [None, date(2020, 12, 1)])
def test_what_is_no_bill_is_payable_from_its_legal_force_whenever_it_was_served(
    kind: str, in_force_on: date | None
) -> None:
    exact: dict[str, Any] = {"kind": kind, "issued_on": date(2020, 9, 28), "in_force_on": in_force_on}

    for pack in (BY, BY_DAY):
        served = eligibility.bounds(pack, **exact, served_on=date(2020, 9, 28))
        assert served == eligibility.bounds(pack, **exact)


@given(exact_dates())
def test_bounds_that_follow_from_exact_dates_are_payable_when_they_say(exact: dict[str, Any]) -> None:
    for pack in (BY, BY_DAY):
        kept = bounds_of(pack, exact)

        assert eligibility.payable_from(pack, kept, kind=exact["kind"]) == kept.payable_from


def test_bounds_that_put_a_presumed_force_too_early_are_payable_after_the_days_of_appeal_all_the_same() -> None:
    by_service = Bounds(date(2020, 10, 4), date(2020, 10, 4), date(2020, 11, 2), force_presumed=True)

    assert eligibility.payable_from(BY, by_service, kind="fine") == date(2020, 10, 14)
    assert eligibility.payable_from(BY, by_service, kind="detention") == date(2020, 10, 4)
    assert eligibility.payable_from(BY, replace(by_service, force_presumed=False), kind="fine") == date(2020, 10, 4)


@pytest.mark.parametrize(
    ("in_force_on", "due_by"),
    [
        (date(2021, 1, 31), date(2021, 2, 28)),
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2020, 12, 15), date(2021, 1, 15)),
        (date(2020, 11, 30), date(2020, 12, 30)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_one(in_force_on: date, due_by: date) -> None:
    kept = eligibility.bounds(BY_DAY, kind="fine", issued_on=date(2020, 9, 28), in_force_on=in_force_on)

    assert kept.due_by == due_by


@given(DAYS, st.integers(0, 36))
def test_the_deadline_is_so_many_months_after_force(force: date, months: int) -> None:
    deadlines = tuple(one.model_copy(update={"payment_months": months}) for one in BY_DAY.deadlines)
    pack = BY_DAY.model_copy(update={"deadlines": deadlines})
    due = eligibility.bounds(pack, kind="fine", issued_on=force, in_force_on=force).due_by

    assert (due.year * 12 + due.month) - (force.year * 12 + force.month) == months
    assert due.day in {force.day, calendar.monthrange(due.year, due.month)[1]}
    assert due.day <= force.day


# --- the client's test of exact facts

FACTS: dict[str, Any] = {
    "ruling_kind": "administrative",
    "article": "23.34",
    "kind": "fine",
    "issued_on": date(2020, 9, 28),
    "paid_on": None,
    "on": date(2020, 10, 1),
}


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({}, None),
        ({"kind": "detention"}, None),
        ({"on": date(2020, 9, 28)}, None),
        ({"ruling_kind": "criminal"}, Rejection.CRIMINAL_CHARGE),
        ({"ruling_kind": ""}, Rejection.CRIMINAL_CHARGE),
        ({"issued_on": None}, Rejection.NO_RULING),
        ({"issued_on": date(2020, 10, 2)}, Rejection.NO_RULING),
        ({"paid_on": date(2020, 9, 27)}, Rejection.NO_RULING),
        ({"paid_on": date(2020, 9, 28)}, Rejection.ALREADY_PAID),
        ({"paid_on": date(2020, 9, 30)}, Rejection.ALREADY_PAID),
        ({"article": "19.11"}, Rejection.NOT_ASSEMBLY_RELATED),
        ({"article": "24.23"}, Rejection.NOT_ASSEMBLY_RELATED),
        ({"kind": "bail"}, Rejection.NOT_ASSEMBLY_RELATED),
        ({"issued_on": date(2021, 2, 28), "on": date(2021, 4, 1)}, None),
        ({"issued_on": date(2021, 3, 1), "on": date(2021, 4, 1)}, Rejection.NOT_ASSEMBLY_RELATED),
        ({"issued_on": date(2021, 3, 1), "on": date(2021, 4, 1), "article": "24.23"}, None),
        ({"issued_on": date(2021, 2, 28), "on": date(2021, 4, 1), "article": "24.23"}, Rejection.NOT_ASSEMBLY_RELATED),
    ],
)
def test_the_exact_facts_decide(change: dict[str, Any], because: Rejection | None) -> None:
    assert rules.rejection(BY, **(FACTS | change)) is because


# --- the server's tests of bounds


@given(exact_dates(), SPANS)
def test_the_server_never_admits_a_payment_before_the_exact_day(exact: dict[str, Any], early: timedelta) -> None:
    kept = bounds_of(BY, exact)
    too_early = payable_on(exact) - timedelta(days=1) - early

    with pytest.raises(NotEligible) as refusal:
        eligibility.require_payable(payable_from=kept.payable_from, on=too_early)

    assert refusal.value.data["because"] == Rejection.NOT_IN_FORCE
    eligibility.require_payable(payable_from=kept.payable_from, on=kept.payable_from)


@given(exact_dates(), SPANS)
def test_the_server_never_admits_an_approval_before_the_ruling(exact: dict[str, Any], early: timedelta) -> None:
    too_early = exact["issued_on"] - timedelta(days=1) - early

    with pytest.raises(NotEligible) as refusal:
        rules.require_lawful(BY, article="23.34", kind="fine", ruled_by=bounds_of(BY, exact).ruled_by, on=too_early)

    assert refusal.value.data == {"because": Rejection.NO_RULING, "rule_name": "after_not_before"}


def lawful(article: str, kind: str, ruled_by: date, *, pack: Pack = BY) -> None:
    rules.require_lawful(pack, article=article, kind=kind, ruled_by=ruled_by, on=date(2030, 1, 1))


@pytest.mark.parametrize(
    ("article", "kind", "ruled_by"),
    [
        ("19.11", "fine", date(2020, 10, 4)),
        ("23.34", "bail", date(2020, 10, 4)),
        ("23.34", "fine", date(2021, 3, 7)),
        ("24.23", "fine", date(2021, 2, 28)),
        ("", "fine", date(2020, 10, 4)),
    ],
)
def test_an_article_that_is_not_on_the_list_is_refused(article: str, kind: str, ruled_by: date) -> None:
    with pytest.raises(NotEligible) as refusal:
        lawful(article, kind, ruled_by)

    assert refusal.value.data == {"because": Rejection.NOT_ASSEMBLY_RELATED, "rule_name": "assembly_articles"}


def test_the_law_changed_between_two_weeks() -> None:
    lawful("23.34", "fine", date(2021, 2, 28))
    lawful("24.23", "fine", date(2021, 3, 7))


def test_in_a_week_in_which_the_law_changes_both_articles_may_stand() -> None:
    wednesday = date(2020, 10, 7)
    named: dict[str, Any] = {"title": "Invented", "source": "Invented", "kinds": ("fine",)}
    old = Article(code="1", valid_from=date(2010, 1, 1), valid_until=wednesday, **named)
    new = Article(code="2", valid_from=wednesday + timedelta(days=1), **named)
    pack = BY.model_copy(update={"articles": (old, new)})
    sunday = date(2020, 10, 11)

    for article in ("1", "2"):
        lawful(article, "fine", sunday, pack=pack)
    with pytest.raises(NotEligible):
        lawful("2", "fine", sunday - timedelta(days=7), pack=pack)
    with pytest.raises(NotEligible):
        lawful("1", "fine", sunday + timedelta(days=7), pack=pack)


def test_with_the_grain_of_a_day_the_day_of_the_ruling_decides() -> None:
    lawful("23.34", "fine", date(2021, 2, 28), pack=BY_DAY)

    with pytest.raises(NotEligible):
        lawful("23.34", "fine", date(2021, 3, 1), pack=BY_DAY)


@given(exact_dates())
def test_what_the_exact_facts_admit_the_server_admits_too(exact: dict[str, Any]) -> None:
    assume(exact["issued_on"] <= date(2021, 2, 28))
    facts = FACTS | {"issued_on": exact["issued_on"], "on": date(2030, 1, 1)}
    assert rules.rejection(BY, **facts) is None

    lawful("23.34", "fine", bounds_of(BY, exact).ruled_by)
