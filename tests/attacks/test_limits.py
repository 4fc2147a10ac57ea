"""Attacks on the limits of roles: in one act, split over a day, at once, in another currency, and without the third."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from ledger import people, suspensions
from ledger.aid import acts, agent_acts, batch_acts, batches
from ledger.aid.advances import Advance
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement
from ledger.approvals import Agreed, NotAgreed, SamePerson
from ledger.checks import thirds
from ledger.checks.findings import silent
from ledger.limits import OverLimit
from ledger.people import BadRoster, Limit, Role, Roster
from tests.cast import LEAF, NOW, House, Person, byn, enrol, give, nothing_written, race, signatures_of, the_next
from tests.purses import (
    a_locked_batch,
    a_requested_advance,
    an_agent,
    approve,
    create,
    give_euros,
    lines_for,
    on_advance,
    on_batch,
)

pytestmark = pytest.mark.place("verified_cases")

APPROVER = Role.APPROVER


def set_limits(house: House, *limits: Limit) -> Roster:
    """The officers sign the next roster, with these limits."""
    before = people.current(house.session)
    roster = the_next(before, format="solidarity-roster-3", limits=limits)
    enrol(house.session, roster, house.fund.olga, house.fund.oleg)
    house.session.commit()
    return roster


def a_limit(role: Role = APPROVER, currency: str = "BYN", **most: str) -> Limit:
    return Limit.model_validate({"role": role, "currency": currency, **most})


def payments(house: House, *amounts: str) -> list[Disbursement]:
    give(house.session, byn("9000.00"))
    cases = [house.verify(house.a_case(amount=byn(amount)), by=house.fund.anton) for amount in amounts]
    return [house.a_requested_payment(of=case) for case in cases]


def approve_one(house: House, payment: Disbursement, *, by: Person | None = None, hours_later: int = 0) -> None:
    now = NOW + timedelta(hours=hours_later)
    agreed = house.on_payment("approve_disbursement", payment, by=by or house.fund.boris, now=now)
    acts.approve_disbursement(house.session, payment.alias, agreed)
    house.session.commit()


def over(house: House, attempt: Callable[[], object]) -> Mapping[str, object]:
    with nothing_written(house.session), pytest.raises(OverLimit) as refusal:
        attempt()
    return refusal.value.data


# --- how limits are set


def test_limits_are_set_by_two_officers_and_by_nobody_alone(house: House) -> None:
    before = people.current(house.session)
    roster = the_next(before, format="solidarity-roster-3", limits=(a_limit(per_act="1.00"),))

    with nothing_written(house.session), pytest.raises(people.RosterNotSigned):
        enrol(house.session, roster, house.fund.olga, house.fund.boris)

    enrol(house.session, roster, house.fund.olga, house.fund.oleg)
    assert people.current(house.session).limits == (a_limit(per_act="1.00"),)


@pytest.mark.parametrize(
    "limits",
    [
        (a_limit(per_act="1.001"),),
        (a_limit(per_day="NaN"),),
        (a_limit(third_above="-1.00"),),
        (a_limit(currency="XXX", per_act="1.00"),),
        (a_limit(per_act="1.00"), a_limit(per_act="2.00")),
    ],
)
def test_what_is_no_limit_is_not_enrolled(house: House, limits: tuple[Limit, ...]) -> None:
    before = people.current(house.session)
    roster = the_next(before, format="solidarity-roster-3", limits=limits)

    with nothing_written(house.session), pytest.raises(BadRoster):
        people.enrol(
            house.session, roster.canonical(), signatures_of(roster, house.fund.olga, house.fund.oleg), recorded_at=NOW
        )


def test_limits_are_in_what_the_officers_sign_and_older_forms_keep_their_bytes(house: House) -> None:
    first = people.current(house.session)
    second = the_next(first, format="solidarity-roster-2")
    third = the_next(first, format="solidarity-roster-3", limits=(a_limit(per_act="1.00"),))

    assert b"limits" not in first.canonical() + second.canonical()
    assert people.digest(third) != people.digest(third.model_copy(update={"limits": ()}))


# --- one act, one day


def test_an_act_beyond_its_limit_is_refused_on_every_way(house: House) -> None:
    (single,) = payments(house, "500.01")
    batch = a_locked_batch(house, None, LEAF, [house.verify(house.a_case(amount=byn("500.01")), by=house.fund.anton)])
    give_euros(house)
    advance = a_requested_advance(house, an_agent(house))
    set_limits(house, a_limit(per_act="500.00"), a_limit(currency="EUR", per_act="5.00"))

    assert over(house, lambda: approve_one(house, single))["limit"] == "act"
    assert over(house, lambda: approve(house, batch))["most_minor"] == 50_000
    told = over(house, lambda: _approve_advance(house, advance))
    assert (told["limit"], told["currency"]) == ("act", "EUR")


def test_exactly_the_limit_is_admitted(house: House) -> None:
    (single,) = payments(house, "500.00")
    set_limits(house, a_limit(per_act="500.00", per_day="500.00"))

    approve_one(house, single)

    assert single.state == "approved"


def test_small_ones_of_several_people_of_a_role_add_up_to_the_limit_of_the_day(house: House) -> None:
    first, second, third = payments(house, "400.00", "400.00", "400.00")
    set_limits(house, a_limit(per_act="500.00", per_day="1000.00"))
    approve_one(house, first)
    approve_one(house, second, by=house.fund.bella)

    told = over(house, lambda: approve_one(house, third, by=house.fund.bella))

    assert (told["limit"], told["minor"], told["most_minor"]) == ("day", 120_000, 100_000)
    approve_one(house, third, by=house.fund.bella, hours_later=24)


def test_a_batch_and_a_single_payment_share_the_day(house: House) -> None:
    (single,) = payments(house, "600.00")
    batch = a_locked_batch(house, None, LEAF, [house.verify(house.a_case(amount=byn("600.00")), by=house.fund.anton)])
    set_limits(house, a_limit(per_day="1000.00"))
    approve(house, batch)

    assert over(house, lambda: approve_one(house, single, by=house.fund.bella))["limit"] == "day"


def test_a_role_with_limits_has_none_to_spend_in_another_currency(house: House) -> None:
    (single,) = payments(house, "1.00")
    set_limits(house, a_limit(currency="EUR", per_act="1000000.00"))

    assert over(house, lambda: approve_one(house, single))["limit"] == "currency"


def test_who_releases_has_limits_of_their_own(house: House) -> None:
    give(house.session, byn("9000.00"))
    payment = house.an_approved_payment()
    house.tell(payment)
    set_limits(house, a_limit(Role.TREASURER, per_act="809.99"))
    agreed = house.on_payment("release_disbursement", payment, by=house.fund.clara)

    told = over(house, lambda: acts.release_disbursement(house.session, payment.alias, agreed))

    assert (told["role"], told["minor"]) == ("treasurer", 81_000)


def test_of_two_at_once_only_one_fits_the_day(house: House) -> None:
    first, second = payments(house, "600.00", "600.00")
    set_limits(house, a_limit(per_day="1000.00"))
    boris, bella = (
        house.on_payment("approve_disbursement", one, by=by)
        for one, by in ((first, house.fund.boris), (second, house.fund.bella))
    )

    answers = race(house.session, _approval(first.alias, boris), _approval(second.alias, bella))

    assert sorted(type(one) is OverLimit for one in answers) == [False, True]


# --- the third person


def test_above_the_limit_a_third_person_agrees_too(house: House) -> None:
    (single,) = payments(house, "810.00")
    set_limits(house, a_limit(third_above="500.00", per_day="810.00"))

    approve_one(house, single)
    assert (single.state, single.approved_by) == ("requested", None)
    with nothing_written(house.session), pytest.raises(SamePerson):
        approve_one(house, single)
    approve_one(house, single, by=house.fund.bella)

    assert single.state == "approved"


def test_at_the_limit_two_people_are_enough(house: House) -> None:
    (single,) = payments(house, "500.00")
    set_limits(house, a_limit(third_above="500.00"))

    approve_one(house, single)

    assert single.state == "approved"


def test_a_batch_and_an_advance_need_the_third_too(house: House) -> None:
    (case,) = [house.verify(house.a_case(amount=byn("810.00")), by=house.fund.anton)]
    give(house.session, byn("9000.00"))
    batch = a_locked_batch(house, None, LEAF, [case])
    give_euros(house)
    advance = a_requested_advance(house, an_agent(house))
    set_limits(house, a_limit(third_above="500.00"), a_limit(currency="EUR", third_above="5.00"))

    approve(house, batch)
    _approve_advance(house, advance)
    assert (batch.state, advance.state) == ("locked", "requested")
    house.session.commit()
    for table in ("batch", "advance"):  # as if the third had signed
        house.session.connection().execute(text(f"UPDATE {table} SET approved_by = 'OP-X'"))  # noqa: S608  # ours
    assert {one.kind for one in thirds.find_missing(house.session, silent)} == {"batch", "advance"}
    house.session.rollback()
    agreed = on_batch(house, "approve_batch", batch, by=house.fund.bella)
    batch_acts.approve_batch(house.session, batch.alias, agreed)
    _approve_advance(house, advance, by=house.fund.bella)

    assert (batch.state, advance.state) == ("approved", "approved")
    assert list(thirds.find_missing(house.session, silent)) == []


def test_who_is_suspended_meanwhile_does_not_count(house: House) -> None:
    (single,) = payments(house, "810.00")
    set_limits(house, a_limit(third_above="500.00"))
    approve_one(house, single)
    house.session.add(
        suspensions.Suspension(operator=house.fund.boris.alias, suspended_by=house.fund.olga.alias, roster=2, at=NOW)
    )
    house.session.commit()

    approve_one(house, single, by=house.fund.bella)

    assert single.state == "requested"


@pytest.mark.parametrize("amount", ["810.00", "300.00"])
def test_a_state_that_was_written_without_the_third_signature_is_not_released(house: House, amount: str) -> None:
    give(house.session, byn("9000.00"))
    single = house.a_requested_payment(amount=byn(amount))
    case = house.a_verified_case()
    batch = create(house, [replace(line, amount=byn(amount)) for line in lines_for(house, [case])], account=LEAF)
    batches.lock(house.session, batch)
    house.open(case, by=house.fund.boris)
    set_limits(house, a_limit(third_above="500.00"))
    approve_one(house, single)
    approve(house, batch)
    for table in ("disbursement", "batch"):
        told = f"UPDATE {table} SET state = 'approved', approved_by = requested_by || 'X'"  # noqa: S608  # ours
        house.session.connection().execute(text(told))
    house.session.expire_all()
    agreed = house.on_payment("release_disbursement", single, by=house.fund.clara)
    agreed_together = on_batch(house, "release_batch", batch, by=house.fund.clara)

    with nothing_written(house.session), pytest.raises(NotAgreed):
        acts.release_disbursement(house.session, single.alias, agreed)
    with nothing_written(house.session), pytest.raises(NotAgreed):
        batch_acts.release_batch(house.session, batch.alias, agreed_together)


def test_what_lacks_the_third_signature_is_found(house: House) -> None:
    (single,) = payments(house, "810.00")
    set_limits(house, a_limit(third_above="500.00"))
    approve_one(house, single)
    assert list(thirds.find_missing(house.session, silent)) == []
    house.session.connection().execute(
        text("UPDATE disbursement SET state = 'approved', approved_by = :by"), {"by": house.fund.boris.alias}
    )

    found = list(thirds.find_missing(house.session, silent))

    assert [(one.check, one.kind, one.name, one.facts["minor"]) for one in found] == [
        ("third-person", "disbursement", single.alias, 81_000)
    ]


def test_a_part_that_lacks_the_third_signature_of_its_whole_is_found(house: House) -> None:
    give(house.session, byn("9000.00"))
    single, batched = (house.obligation_of(house.a_verified_case()) for _ in range(2))
    part = house.a_requested_payment(of=house.session.get_one(Case, single.case_alias), amount=byn("300.00"))
    (line,) = lines_for(house, [house.session.get_one(Case, batched.case_alias)])
    batch = create(house, [replace(line, amount=byn("300.00"))], account=LEAF)
    batches.lock(house.session, batch)
    house.open(house.session.get_one(Case, batched.case_alias), by=house.fund.boris)
    set_limits(house, a_limit(third_above="500.00"))
    approve_one(house, part)
    approve(house, batch)
    assert (part.state, batch.state) == ("requested", "locked")
    for table in ("disbursement", "batch"):
        told = text(f"UPDATE {table} SET state = 'approved', approved_by = :by")  # noqa: S608  # ours
        house.session.connection().execute(told, {"by": house.fund.boris.alias})

    found = list(thirds.find_missing(house.session, silent))

    assert sorted((one.kind, one.name) for one in found) == [("batch", batch.alias), ("disbursement", part.alias)]


def test_two_first_signatures_at_once_are_two(house: House) -> None:
    (single,) = payments(house, "810.00")
    set_limits(house, a_limit(third_above="500.00"))
    boris, bella = (
        house.on_payment("approve_disbursement", single, by=by) for by in (house.fund.boris, house.fund.bella)
    )

    race(house.session, _approval(single.alias, boris), _approval(single.alias, bella))

    house.session.refresh(single)
    assert single.state == "approved"


def _approval(alias: str, agreed: Agreed) -> Callable[[Session], object]:
    return lambda session: acts.approve_disbursement(session, alias, agreed)


def _approve_advance(house: House, advance: Advance, *, by: Person | None = None) -> None:
    agreed = on_advance(house, "approve_advance", advance, by=by or house.fund.boris)
    agent_acts.approve_advance(house.session, agreed.act.object, agreed)
