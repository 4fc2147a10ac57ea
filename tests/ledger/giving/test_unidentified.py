"""Unidentified gifts: matched, placed on a condition, claimed in time; each a signed act, on both databases."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, NonceUsed, NotInRole, SamePerson
from ledger.books import balances, journal
from ledger.books.journal import Entry
from ledger.giving import purposes, steps, unclaimed, unidentified
from ledger.giving.conditional import BadPart
from ledger.giving.donations import Donation, State, UnknownDonation, WrongState
from ledger.giving.purpose_versions import UnknownPurpose
from ledger.giving.steps import NothingLeft, Step
from ledger.giving.unclaimed import NotUnclaimedYet
from ledger.money import Money
from ledger.people import Role
from tests.bookcheck import assert_it_holds, found
from tests.cast import LEAF, House, byn, engine_of, eur, nothing_written, race
from tests.coffers import joins
from tests.given import RECEIVED, a_stray_gift, ask_back, match, meet, on_gift, place_conditional
from tests.office import on_one_database

LATER = datetime(2020, 11, 21, 9, 0, tzinfo=UTC)


def balance(house: House, account: str, fund: str | None = None) -> Money:
    return balances.balance(house.session, account, currency="BYN", fund=fund)


def test_a_matched_gift_is_income_of_its_purpose_at_the_rate_of_its_own_day(house: House) -> None:
    gift = match(house, a_stray_gift(house, byn("70.00")))

    assert (gift.state, gift.fund_code, gift.purpose_code) == (State.MATCHED, "fines", "FINES")
    assert (balance(house, "2000"), balance(house, "4000", "fines")) == (byn("0.00"), byn("-70.00"))
    assert (balance(house, LEAF, "unassigned"), balance(house, LEAF, "fines")) == (byn("0.00"), byn("70.00"))
    entry = house.session.exec(select(Entry).where(Entry.source_key == f"gift:{gift.alias}:1")).one()
    assert [one.rate_on for one in journal.postings_of(house.session, entry.id) if one.account == "4000"] == [RECEIVED]
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_a_gift_is_matched_once(house: House) -> None:
    gift = a_stray_gift(house, byn("70.00"))
    agreed = on_gift(house, "match_gift", gift)
    unidentified.match(house.session, gift.alias, purpose="FINES", agreed=agreed)

    with nothing_written(house.session), pytest.raises(WrongState):
        unidentified.match(house.session, gift.alias, purpose="FINES", agreed=agreed)
    with nothing_written(house.session), pytest.raises(WrongState):
        unidentified.place_conditional(house.session, gift.alias, purpose="FINES", agreed=agreed)
    with nothing_written(house.session), pytest.raises(WrongState):
        unclaimed.claim(house.session, gift.alias, agreed)


@on_one_database
def test_what_nobody_knows_matches_nothing(house: House) -> None:
    gift = a_stray_gift(house, byn("70.00"))
    agreed = on_gift(house, "match_gift", gift)

    with nothing_written(house.session), pytest.raises(UnknownDonation):
        unidentified.match(house.session, draw(Kind.DONATION), purpose="FINES", agreed=agreed)
    with nothing_written(house.session), pytest.raises(UnknownPurpose):
        unidentified.match(house.session, gift.alias, purpose="NOWHERE", agreed=agreed)


@on_one_database
def test_a_match_is_a_treasurers_and_says_all_of_it(house: House) -> None:
    gift = a_stray_gift(house, byn("70.00"))
    purposes.add(house.session, "OTHER", fund="detention", text="For detention bills.", net_of_costs=False)

    with nothing_written(house.session), pytest.raises(NotInRole):
        match(house, gift, by=house.fund.boris)
    for lie in ({"amount": byn("69.99")}, {"fund": "general"}, {"purpose": "OTHER"}, {"version": 2}):
        with nothing_written(house.session), pytest.raises(ActDiffers):
            match(house, gift, **lie)
    with nothing_written(house.session), pytest.raises(ActDiffers):
        unidentified.match(house.session, gift.alias, purpose="OTHER", agreed=on_gift(house, "match_gift", gift))


def test_of_two_matches_at_once_one_is_booked(house: House) -> None:
    gift = a_stray_gift(house, byn("70.00"))
    alias, acts = gift.alias, [on_gift(house, "match_gift", gift) for _ in range(2)]

    def run(own: Session) -> Donation:
        return unidentified.match(own, alias, purpose="FINES", agreed=acts.pop())

    answers = race(house.session, run, run)

    assert sorted(type(one).__name__ for one in answers) == ["Donation", "WrongState"]


@on_one_database
def test_a_condition_is_met_in_parts_by_somebody_else(house: House) -> None:
    both = joins(house, Role.TREASURER, Role.APPROVER)
    gift = place_conditional(house, a_stray_gift(house, byn("100.00")), by=both)
    assert (gift.state, balance(house, "2300", "fines"), balance(house, "4000")) == (
        State.CONDITIONAL,
        byn("-100.00"),
        byn("0.00"),
    )

    with nothing_written(house.session), pytest.raises(SamePerson):
        meet(house, gift, byn("60.00"), by=both)
    meet(house, gift, byn("60.00"))

    assert (gift.state, balance(house, "2300"), balance(house, "4000", "fines")) == (
        State.CONDITIONAL,
        byn("-40.00"),
        byn("-60.00"),
    )
    with nothing_written(house.session), pytest.raises(NothingLeft):
        meet(house, gift, byn("40.01"))
    with nothing_written(house.session), pytest.raises(NotInRole):
        meet(house, gift, byn("1.00"), by=house.fund.clara)
    for amount in (byn("0.00"), byn("-1.00"), eur("1.00")):
        with nothing_written(house.session), pytest.raises(BadPart):
            meet(house, gift, amount)
    meet(house, gift, byn("40.00"))
    assert gift.state is State.MATCHED
    with nothing_written(house.session), pytest.raises(WrongState):
        meet(house, gift, byn("1.00"))
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_a_replayed_condition_is_refused(house: House) -> None:
    gift = place_conditional(house, a_stray_gift(house, byn("100.00")))
    meet(house, gift, byn("60.00"), nonce="0" * 32)

    with nothing_written(house.session), pytest.raises(NonceUsed):
        meet(house, gift, byn("10.00"), nonce="0" * 32)


@on_one_database
def test_who_placed_it_is_told_by_the_act_and_not_by_the_row(house: House) -> None:
    both = joins(house, Role.TREASURER, Role.APPROVER)
    gift = place_conditional(house, a_stray_gift(house, byn("100.00")), by=both)

    with pytest.raises(DBAPIError), house.session.begin_nested():
        house.session.connection().execute(text("UPDATE gift_step SET taken_by = 'OP-0000-0000-0000'"))
    assert not found(house.session)
    with nothing_written(house.session), pytest.raises(SamePerson):
        meet(house, gift, byn("1.00"), by=both)


def test_what_became_of_a_gift_is_only_added(house: House) -> None:
    match(house, a_stray_gift(house, byn("70.00")))

    for statement in ("DELETE FROM gift_step", "UPDATE gift_step SET about = 'x'"):
        with pytest.raises(DBAPIError, match="guard"), house.session.begin_nested():
            house.session.connection().execute(text(statement))


@on_one_database
def test_a_step_that_nobody_signed_is_found(house: House) -> None:
    gift = a_stray_gift(house, byn("70.00"))
    house.session.connection().execute(
        text(
            "INSERT INTO gift_step (donation_alias, number, step, debit_code, credit_code, fund_code, minor, currency, "
            "about, source_key, taken_by, taken_on) VALUES (:alias, 1, 'matched', '2000', '4000', 'fines', 7000, "
            "'BYN', 'FINES', 'gift:none:1', 'OP-0000-0000-0000', '2020-11-20')"
        ),
        {"alias": gift.alias},
    )

    assert {one.check for one in found(house.session)} == {"gifts", "unidentified-gifts", "gift-steps", "signed"}


def test_a_gift_is_nobodys_after_two_years_and_not_a_day_before(house: House) -> None:
    gift = a_stray_gift(house, byn("70.00"), on=date(2018, 11, 21))
    assert unclaimed.due(house.session, date(2020, 11, 20)) == []
    assert unclaimed.due(house.session, date(2020, 11, 21)) == [gift]

    early = on_gift(house, "claim_gift", gift, fund="general", purpose=None)
    with nothing_written(house.session), pytest.raises(NotUnclaimedYet):
        unclaimed.claim(house.session, gift.alias, early)
    unclaimed_at = on_gift(house, "claim_gift", gift, fund="general", purpose=None, now=LATER)
    by_ana = on_gift(house, "claim_gift", gift, fund="general", purpose=None, now=LATER, by=house.fund.ana)
    with nothing_written(house.session), pytest.raises(NotInRole):
        unclaimed.claim(house.session, gift.alias, by_ana)
    unclaimed.claim(house.session, gift.alias, unclaimed_at)
    house.session.commit()

    assert (gift.state, gift.fund_code, gift.purpose_code) == (State.MATCHED, "general", None)
    assert (balance(house, "2000"), balance(house, "4000", "general")) == (byn("0.00"), byn("-70.00"))
    assert [one.step for one in steps.of(house.session, [gift.alias])[gift.alias]] == [Step.UNCLAIMED]
    assert unclaimed.due(house.session, date(2030, 1, 1)) == []


@on_one_database
def test_what_is_asked_to_go_back_is_not_matched(house: House) -> None:
    gift = a_stray_gift(house, byn("70.00"))
    ask_back(house, gift, byn("30.00"))

    match(house, gift)

    assert (gift.state, balance(house, "2000"), balance(house, "4000")) == (
        State.UNIDENTIFIED,
        byn("-30.00"),
        byn("-40.00"),
    )
    agreed = on_gift(house, "match_gift", gift, amount=byn("30.00"))
    with nothing_written(house.session), pytest.raises(NothingLeft):
        unidentified.match(house.session, gift.alias, purpose="FINES", agreed=agreed)


@on_one_database
def test_a_part_is_not_matched_to_another_purpose(house: House) -> None:
    purposes.add(house.session, "OTHER", fund="detention", text="For detention bills.", net_of_costs=False)
    gift = a_stray_gift(house, byn("70.00"))
    ask_back(house, gift, byn("30.00"))
    match(house, gift)
    agreed = on_gift(house, "match_gift", gift, fund="detention", purpose="OTHER", amount=byn("30.00"))

    with nothing_written(house.session), pytest.raises(WrongState):
        unidentified.match(house.session, gift.alias, purpose="OTHER", agreed=agreed)
