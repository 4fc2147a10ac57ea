"""A suspension stops acts at once, for good in the books, until a roster of two officers ends it."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from ledger import approvals, checks, people, suspensions
from ledger.approvals import Suspended
from ledger.checks import acts
from ledger.people import RosterNotSigned, UnknownOperator
from ledger.storage import guards
from ledger.suspensions import OneselfSuspended
from tests.cast import NOW, House, Person, a_person, agreed_by, enrol, nothing_written, the_next

OBJECT = "K-0000-0000-0001"


def accept(house: House, by: Person) -> None:
    agreed = agreed_by(by, "create_key", object=OBJECT)
    approvals.accept(house.session, agreed, verb="create_key", object_alias=OBJECT, version=1)


def test_who_is_suspended_signs_nothing_though_their_device_does(house: House, boris: Person) -> None:
    olga = house.fund.olga
    suspensions.suspend(house.session, olga.alias, by=boris.operator, at=NOW)

    with nothing_written(house.session), pytest.raises(Suspended):
        accept(house, olga)
    assert [one.operator for one in suspensions.standing(house.session)] == [olga.alias]


def test_only_a_roster_that_names_them_as_reinstated_ends_it(house: House, boris: Person) -> None:
    olga, oleg = house.fund.olga, house.fund.oleg
    suspensions.suspend(house.session, olga.alias, by=boris.operator, at=NOW)
    second = enrol(house.session, the_next(house.fund.roster()), olga, oleg)
    assert suspensions.is_suspended(house.session, olga.alias)
    third = the_next(second, format="solidarity-roster-2", reinstated=(olga.alias,))
    with nothing_written(house.session), pytest.raises(RosterNotSigned):
        enrol(house.session, third, olga)

    enrol(house.session, third, olga, oleg)

    assert not suspensions.is_suspended(house.session, olga.alias)
    accept(house, olga)


def test_strangers_and_oneself_are_not_suspended(house: House, boris: Person) -> None:
    with nothing_written(house.session), pytest.raises(UnknownOperator):
        suspensions.suspend(house.session, a_person().alias, by=boris.operator, at=NOW)
    with nothing_written(house.session), pytest.raises(OneselfSuspended):
        suspensions.suspend(house.session, boris.alias, by=boris.operator, at=NOW)


@pytest.mark.parametrize("statement", ["DELETE FROM suspension", "UPDATE suspension SET roster = 0"])
def test_nobody_takes_a_suspension_back_in_the_database(house: House, boris: Person, statement: str) -> None:
    suspensions.suspend(house.session, house.fund.olga.alias, by=boris.operator, at=NOW)
    house.session.commit()

    with pytest.raises(DatabaseError, match="guard"):
        house.session.execute(text(statement))
    house.session.rollback()

    assert suspensions.is_suspended(house.session, house.fund.olga.alias)


def test_what_was_signed_in_the_first_form_keeps_its_bytes(session: Session, house: House) -> None:
    first = house.fund.roster()

    assert b"recovery" not in first.canonical()
    assert b"reinstated" not in first.canonical()
    later = first.model_copy(update={"format": "solidarity-roster-2"})
    assert b'"recovery":null,"reinstated":[]' in later.canonical()
    forged = first.canonical().replace(b'"previous":null,', b'"previous":null,"recovery":null,"reinstated":[],')
    with nothing_written(session), pytest.raises(people.BadRoster):
        people.enrol(session, forged, {}, recorded_at=NOW + timedelta(days=1))


def test_a_suspension_that_was_removed_past_the_guards_is_found(house: House, boris: Person) -> None:
    olga = house.fund.olga
    agreed = agreed_by(boris, "suspend_operator", object=olga.alias)
    approvals.accept(house.session, agreed, verb="suspend_operator", object_alias=olga.alias, version=1)
    suspensions.suspend(house.session, olga.alias, by=boris.operator, at=NOW)
    trust = [check for check in acts.CHECKS if check.name in {"signed", "four-eyes", "suspensions"}]
    assert checks.findings(house.session, checks=trust) == []
    guards.remove(house.session.connection())

    house.session.execute(text("DELETE FROM suspension"))

    (found,) = checks.findings(house.session, checks=trust)
    assert (found.check, found.name) == ("suspensions", olga.alias)
    suspensions.suspend(house.session, olga.alias, by=house.fund.oleg.operator, at=NOW)
    assert {one.check for one in checks.findings(house.session, checks=trust)} == {"suspensions", "signed"}
