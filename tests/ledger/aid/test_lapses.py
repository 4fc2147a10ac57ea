"""Approvals that led to nothing lapse after the days of the pack: the money is free, nothing is released on them."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from ledger import queue
from ledger.aid import acts, advances, batches, disbursements, jurisdictions, lapses, obligations
from ledger.aid.batch_lines import Exclusion
from ledger.aid.disbursements import Disbursement, DisbursementNotReady
from ledger.books import holds
from ledger.books.holds import Hold, HoldMovement, Reserve
from ledger.people import Role
from tests.bookcheck import found, told_after
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, eur, give, nothing_written, one_after_the_other
from tests.packs import belarus_with, standing
from tests.purses import (
    a_locked_batch,
    a_requested_advance,
    an_agent,
    approve,
    approve_advance,
    give_euros,
    give_to_general,
    items,
    release_advance,
)

pytestmark = pytest.mark.place("requested_payments")

DAYS = 30
LAST = TODAY + timedelta(days=DAYS)
AFTER = LAST + timedelta(days=1)
HELD = ("holds", "holds-expired", "promises-held", "payments-held", "advances-held")


@pytest.fixture(autouse=True)
def _within_thirty_days(tmp_path: Path) -> Iterator[None]:
    with belarus_with(tmp_path, standing(DAYS)):
        yield


def waiting(house: House, *, on: date) -> list[tuple[str, date, bool]]:
    found = queue.page(
        house.session, "promises_ending", roles=[Role.INTAKE], operator="OP-1", on=on, after=None, limit=9
    )
    return [(one.object, one.deadline, one.is_late) for one in found]


def promised(house: House) -> dict[str, object]:
    return dict(holds.held_of_fund(house.session, "fines", Reserve.SPENDABLE))


@pytest.fixture
def approved(house: House) -> Disbursement:
    give(house.session, byn("810.00"))
    return house.an_approved_payment()


def test_an_approval_of_which_nobody_is_told_lapses_after_its_last_day_and_frees_the_money(
    house: House, approved: Disbursement
) -> None:
    with nothing_written(house.session):
        assert lapses.end(house.session, on=LAST) == []

    (ended,) = lapses.end(house.session, on=AFTER)

    owed = obligations.require(house.session, approved.obligation_alias)
    assert (ended.held_for, ended.expires_on) == (owed.alias, LAST)
    assert (approved.state, owed.state, owed.fund_code, promised(house)) == ("cancelled", "due", None, {})
    assert found(house.session) == []
    with nothing_written(house.session):
        assert lapses.end(house.session, on=AFTER) == []


def test_nothing_is_released_on_a_lapsed_approval_and_it_is_asked_for_and_approved_anew(
    house: House, approved: Disbursement
) -> None:
    lapses.end(house.session, on=AFTER)
    agreed = house.on_payment("release_disbursement", approved, by=house.fund.clara)

    with nothing_written(house.session), pytest.raises(DisbursementNotReady):
        acts.release_disbursement(house.session, approved.alias, agreed)
    with nothing_written(house.session), pytest.raises(obligations.ObligationNotReady):
        house.tell(approved)
    again = house.an_approved_payment(of=house.case_of(approved))

    assert again.alias != approved.alias
    assert promised(house) == {"BYN": byn("810.00")}


def test_what_somebody_was_told_of_does_not_lapse(house: House) -> None:
    give(house.session, byn("1620.00"))
    presumed = house.verify(
        house.a_case(issued_on=TODAY - timedelta(days=10), is_force_presumed=True), by=house.fund.anton
    )
    waits, recognised = house.an_approved_payment(of=presumed), house.an_approved_payment()
    for one in (waits, recognised):
        house.tell(one)

    with nothing_written(house.session):
        assert lapses.end(house.session, on=AFTER) == []

    assert waits.state == recognised.state == "approved"
    assert found(house.session, by=HELD) == []


def test_only_the_approved_part_of_a_lapsed_promise_is_cancelled(house: House) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    first, second = (house.a_requested_payment(of=case, amount=byn("300.00")) for _ in range(2))
    agreed = house.on_payment("approve_disbursement", first, by=house.fund.boris)
    acts.approve_disbursement(house.session, first.alias, agreed)

    lapses.end(house.session, on=AFTER)

    assert (first.state, second.state) == ("cancelled", "requested")
    assert house.obligation_of(case).state == "due"


def test_lines_of_an_approved_batch_lapse_as_cancelled_ones(house: House) -> None:
    give(house.session, byn("1620.00"))
    told, untold = house.a_verified_case(), house.a_verified_case()
    batch = approve(house, a_locked_batch(house, None, LEAF, [told, untold]))
    lines = {item.case.alias: item for item in items(house, batch)}
    house.tell(lines[told.alias].disbursement)

    lapses.end(house.session, on=AFTER)

    assert {alias: item.left_out() for alias, item in lines.items()} == {
        told.alias: None,
        untold.alias: Exclusion.CANCELLED,
    }
    assert batch.state is batches.State.APPROVED
    assert found(house.session, by=HELD) == []


def test_an_advance_that_nobody_released_lapses_with_all_of_its_funds_and_a_released_one_stands(house: House) -> None:
    give_euros(house)
    give_to_general(house, eur("50.00"))
    agent = an_agent(house)
    waits = approve_advance(house, a_requested_advance(house, agent, fines=eur("100.00"), general=eur("50.00")))
    gone = release_advance(house, approve_advance(house, a_requested_advance(house, agent, fines=eur("70.00"))))

    ended = lapses.end(house.session, on=AFTER)

    assert {(hold.held_for, hold.expires_on) for hold in ended} == {(waits.alias, LAST)}
    assert {hold.fund_code for hold in ended} == {"fines", "general"}
    assert (waits.state, gone.state) == (advances.State.CANCELLED, advances.State.RELEASED)
    assert holds.held_of_fund(house.session, "fines", Reserve.IN_HAND) == {"EUR": eur("70.00")}
    assert found(house.session, by=HELD) == []


def test_without_a_last_day_in_the_pack_what_is_approved_stands(house: House, tmp_path: Path) -> None:
    give(house.session, byn("810.00"))
    with belarus_with(tmp_path, standing(DAYS, since="2026-01-01")):
        house.an_approved_payment()

    with nothing_written(house.session):
        assert lapses.end(house.session, on=date(2099, 1, 1)) == []
    assert [hold.expires_on for hold in house.session.exec(select(Hold))] == [None]


def test_the_shipped_packs_end_approvals_from_2026_on() -> None:
    jurisdictions.read_folder(None)
    ours = {name: jurisdictions.load(name) for name in ("by", "us-bail")}
    day = date(2026, 1, 1)

    assert {name: pack.approved_until(day) for name, pack in ours.items()} == {
        "by": date(2026, 3, 2),
        "us-bail": date(2026, 1, 15),
    }
    assert {pack.approved_until(date(2025, 12, 31)) for pack in ours.values()} == {None}


def test_what_lapses_soon_waits_and_what_lapsed_waits_until_it_is_asked_for_again(
    house: House, approved: Disbursement
) -> None:
    owed = approved.obligation_alias

    assert waiting(house, on=LAST - timedelta(days=15)) == []
    assert waiting(house, on=LAST - timedelta(days=14)) == [(owed, LAST, False)]
    assert waiting(house, on=AFTER) == [(owed, LAST, True)]  # no job has run
    lapses.end(house.session, on=AFTER)
    assert waiting(house, on=AFTER + timedelta(days=400)) == [(owed, LAST, True)]
    again = house.an_approved_payment(of=house.case_of(approved))
    assert waiting(house, on=TODAY) == []
    lapses.end(house.session, on=AFTER)
    assert waiting(house, on=AFTER) == [(owed, LAST, True)]  # once, though it lapsed twice
    house.tell(house.an_approved_payment(of=house.case_of(again)))
    assert waiting(house, on=AFTER) == []


def test_who_is_told_before_it_lapses_was_told_in_time(house: House, approved: Disbursement) -> None:
    alias, owed = approved.alias, approved.obligation_alias

    answers = one_after_the_other(
        house.session,
        lambda own: obligations.tell(
            own,
            obligations.require(own, owed, lock=True),
            told_on=TODAY,
            today=TODAY,
            recorded_at=NOW,
            recorded_by="test",
        ),
        look=lambda own: disbursements.require(own, alias),
        then=lambda own: lapses.end(own, on=AFTER),
    )

    assert answers[1] == []
    assert disbursements.require(house.session, alias).state == "approved"


def test_a_hold_that_expired_too_early_or_without_a_last_day_is_found(house: House, approved: Disbursement) -> None:
    lapses.end(house.session, on=AFTER)
    assert approved.state == "cancelled"
    assert found(house.session, by={"holds-expired"}) == []
    attacks = {
        "too early": f"UPDATE hold_movement SET moved_on = '{LAST}'",  # noqa: S608  # a day of this file
        "no last day": "UPDATE hold SET expires_on = NULL",
    }

    told = told_after(engine_of(house.session), {name: (sql, "holds-expired") for name, sql in attacks.items()})

    assert [name for name, by in told.items() if by != {"holds-expired"}] == []
    assert house.session.exec(select(HoldMovement.move)).all() == ["expired"]
