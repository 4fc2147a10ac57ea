from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from ledger import book, people
from ledger.aliases import BadAlias
from ledger.book import NoBook
from ledger.people import BadRoster, Role, RosterNotSigned, UnknownOperator
from tests.cast import (
    FOUNDED_AT,
    NOW,
    House,
    a_person,
    enrol,
    nothing_written,
    signatures_of,
    the_fund,
    the_next,
)

WAIT = timedelta(hours=72)


@pytest.fixture
def unpeopled(session: Session) -> Session:
    """A book without any roster."""
    book.found(
        session,
        book_id=the_fund().roster().book,
        organisation="Invented Fund",
        functional_currency="EUR",
        jurisdiction="by",
        demo=False,
        created_at=FOUNDED_AT,
    )
    return session


def test_roster_one_is_signed_by_every_officer_it_names(unpeopled: Session) -> None:
    fund = the_fund()
    roster = fund.roster()

    assert enrol(unpeopled, roster, fund.olga, fund.oleg) == people.current(unpeopled) == roster


def test_roster_one_without_one_of_its_officers_is_refused(unpeopled: Session) -> None:
    fund = the_fund()
    third = a_person(Role.ADMIN, officer=True)
    roster = fund.roster().model_copy(update={"operators": (*fund.roster().operators, third.operator)})

    with nothing_written(unpeopled), pytest.raises(RosterNotSigned) as refusal:
        enrol(unpeopled, roster, fund.olga, fund.oleg)

    assert refusal.value.data == {"needed": 3, "held": 2}


def test_a_first_roster_with_one_officer_is_refused(unpeopled: Session) -> None:
    olga = the_fund().olga
    roster = the_fund().roster().model_copy(update={"operators": (olga.operator,)})

    with nothing_written(unpeopled), pytest.raises(BadRoster):
        enrol(unpeopled, roster, olga)


def test_a_first_roster_with_another_number_is_refused(unpeopled: Session) -> None:
    fund = the_fund()

    with nothing_written(unpeopled), pytest.raises(BadRoster):
        enrol(unpeopled, fund.roster().model_copy(update={"number": 2}), fund.olga, fund.oleg)
    with nothing_written(unpeopled), pytest.raises(BadRoster):
        enrol(unpeopled, fund.roster().model_copy(update={"previous": "0" * 64}), fund.olga, fund.oleg)


def test_a_roster_of_another_book_is_refused(unpeopled: Session) -> None:
    fund = the_fund()

    with nothing_written(unpeopled), pytest.raises(BadRoster) as refusal:
        enrol(unpeopled, fund.roster().model_copy(update={"book": "0" * 32}), fund.olga, fund.oleg)

    assert refusal.value.data == {"where": "book"}


def test_without_a_book_there_is_no_roster(session: Session) -> None:
    fund = the_fund()

    with nothing_written(session), pytest.raises(NoBook):
        enrol(session, fund.roster(), fund.olga, fund.oleg)


def test_a_book_without_a_roster_knows_nobody(unpeopled: Session) -> None:
    with pytest.raises(UnknownOperator):
        people.current(unpeopled)


def test_the_very_same_roster_again_changes_nothing(house: House) -> None:
    fund = house.fund

    with nothing_written(house.session):
        again = enrol(house.session, fund.roster(), fund.olga, fund.oleg, at=NOW)

    assert again == fund.roster()


def test_rosters_are_chained_and_each_names_the_one_before(house: House) -> None:
    fund = house.fund
    second = the_next(fund.roster())
    third = the_next(second)
    for roster in (second, third):
        enrol(house.session, roster, fund.olga, fund.oleg, at=NOW)

    versions = people.versions(house.session)

    assert [version.number for version in versions] == [1, 2, 3]
    assert [people.read_roster(version.document) for version in versions] == [fund.roster(), second, third]
    assert [people.read_roster(after.document).previous for after in versions[1:]] == [
        before.digest for before in versions[:-1]
    ]
    assert people.current(house.session) == third


def test_a_stored_chain_can_be_checked_again_by_anybody(house: House) -> None:
    fund = house.fund
    enrol(house.session, the_next(fund.roster()), fund.olga, fund.oleg, at=NOW)
    before = None

    for version in people.versions(house.session):
        roster = people.read_roster(version.document)
        assert people.digest(roster) == version.digest
        people.verify_roster(roster, people.signatures_of(version), before=before, on=version.recorded_at.date())
        before = roster

    assert before == people.current(house.session)


def test_two_of_three_officers_are_enough_for_a_change(house: House) -> None:
    fund = house.fund
    third = a_person(Role.ADMIN, officer=True)
    second = the_next(fund.roster(), operators=(*fund.roster().operators, third.operator))
    enrol(house.session, second, fund.olga, fund.oleg)

    without_oleg = the_next(second, operators=tuple(o for o in second.operators if o.alias != fund.oleg.alias))
    enrol(house.session, without_oleg, fund.olga, third)

    assert people.current(house.session) == without_oleg


def test_an_operator_is_known_to_the_last_day_and_not_after(house: House) -> None:
    roster = people.current(house.session)
    ana = house.fund.ana
    last = ana.operator.expires_on

    assert roster.operator(ana.alias, on=last) == ana.operator
    with pytest.raises(UnknownOperator):
        roster.operator(ana.alias, on=last + timedelta(days=1))
    with pytest.raises(UnknownOperator):
        roster.operator("OP-0000-0000-0000", on=last)


def test_an_operator_with_another_alias_than_an_operators_is_refused(house: House) -> None:
    wrong = a_person(Role.AUDITOR).operator.model_copy(update={"alias": "B-0000-0000-0001"})
    roster = the_next(house.fund.roster(), operators=(*house.fund.roster().operators, wrong))

    with nothing_written(house.session), pytest.raises(BadAlias):
        enrol(house.session, roster, house.fund.olga, house.fund.oleg)


# --- waiting


def test_members_of_roster_one_do_not_wait(house: House) -> None:
    assert people.waits_until(house.session, house.fund.boris.alias, Role.APPROVER, wait=WAIT) is None


def test_who_joins_later_waits_from_the_day_of_joining(house: House) -> None:
    fund = house.fund
    mila = a_person(Role.APPROVER)
    second = the_next(fund.roster(), operators=(*fund.roster().operators, mila.operator))
    enrol(house.session, second, fund.olga, fund.oleg, at=NOW)
    enrol(house.session, the_next(second), fund.olga, fund.oleg, at=NOW + timedelta(hours=1))

    assert people.waits_until(house.session, mila.alias, Role.APPROVER, wait=WAIT) == NOW + WAIT
    assert people.waits_until(house.session, mila.alias, Role.TREASURER, wait=WAIT) is None


def test_a_member_of_roster_one_waits_in_a_role_given_later(house: House) -> None:
    fund = house.fund
    promoted = fund.ana.operator.model_copy(update={"roles": (Role.INTAKE, Role.APPROVER)})
    others = tuple(o for o in fund.roster().operators if o.alias != fund.ana.alias)
    enrol(house.session, the_next(fund.roster(), operators=(*others, promoted)), fund.olga, fund.oleg, at=NOW)

    assert people.waits_until(house.session, fund.ana.alias, Role.INTAKE, wait=WAIT) is None
    assert people.waits_until(house.session, fund.ana.alias, Role.APPROVER, wait=WAIT) == NOW + WAIT


def test_who_leaves_and_comes_back_waits_again(house: House) -> None:
    fund = house.fund
    others = tuple(o for o in fund.roster().operators if o.alias != fund.boris.alias)
    without = the_next(fund.roster(), operators=others)
    back = the_next(without, operators=fund.roster().operators)
    enrol(house.session, without, fund.olga, fund.oleg, at=FOUNDED_AT)
    enrol(house.session, back, fund.olga, fund.oleg, at=NOW)

    assert people.waits_until(house.session, fund.boris.alias, Role.APPROVER, wait=WAIT) == NOW + WAIT


# --- signatures


def test_a_signature_holds_for_its_key_and_message_only() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw().hex()
    signature = key.sign(b"message").hex()

    assert people.holds(public, b"message", signature)
    assert not people.holds(public, b"massage", signature)
    assert not people.holds(the_fund().ana.operator.signing_key, b"message", signature)


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\u2003"])
def test_a_signature_has_one_spelling(blank: str) -> None:
    roster = the_fund().roster()
    (signature,) = signatures_of(roster, the_fund().olga).values()
    message, key = people.ROSTER_DOMAIN + roster.canonical(), the_fund().olga.operator.signing_key

    assert people.holds(key, message, signature)
    assert not people.holds(key, message, signature.upper())
    assert not people.holds(key, message, signature + blank)
    assert not people.holds(key, message, signature[:2] + blank + signature[2:])


def test_a_key_that_is_no_point_signs_nothing() -> None:
    assert not people.holds("f" * 64, b"message", "0" * 128)
