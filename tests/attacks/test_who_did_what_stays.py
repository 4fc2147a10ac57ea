"""With its guards in place the database keeps who took which step of aid, two people's steps apart, and every row."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.aid import corrections, quashing, rulings
from ledger.aid.cases import Case
from ledger.aid.corrections import Further
from ledger.aid.obligations import ObligationKind
from ledger.aliases import Kind, draw
from ledger.identities.shelves import Shelf
from ledger.storage.people_guards import KEPT, STEPS
from tests.bookcheck import found, told_after
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, give, sealed
from tests.purses import a_requested_advance, an_agent, an_approved_batch, give_euros


def refused(session: Session, statement: str) -> str:
    """What the database answers to a statement that it does not carry out."""
    savepoint = session.begin_nested()
    with pytest.raises(DBAPIError) as refusal:
        session.connection().execute(text(statement))
    savepoint.rollback()
    return str(refusal.value.orig).partition("\n")[0].partition("guard: ")[2]


def set_to(table: str, change: str) -> str:
    return f"UPDATE {table} SET {change}"  # noqa: S608  # the words of this file


@pytest.fixture
def busy(house: House) -> House:
    """An approved payment, an approved batch of one line, and an advance that was asked for."""
    give(house.session, byn("5000.00"))
    house.an_approved_payment()
    an_approved_batch(house, None, LEAF, [house.a_verified_case()])
    give_euros(house)
    a_requested_advance(house, an_agent(house))
    house.session.commit()
    return house


def a_corrected_case(house: House) -> Case:
    """Ana entered it, Olga has added a fee."""
    case, alias = house.a_case(), draw(Kind.OBLIGATION)
    key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
    box = sealed(key, kind="obligation", alias=alias, field="details", content="An invented fee")
    further = Further(alias, ObligationKind.COURT_FEE, byn("20.00"), box)
    corrections.add_obligation(house.session, case.alias, further, version=1, by=house.fund.olga.alias, on=TODAY)
    house.session.commit()
    return case


def test_no_two_steps_of_two_people_are_written_as_one_persons(busy: House) -> None:
    of_two = "two steps of two people are not of one"

    assert refused(busy.session, set_to("advance", "approved_by = requested_by")) == of_two
    for table in ("disbursement", "batch"):
        assert refused(busy.session, set_to(table, "released_by = approved_by")) == of_two


def test_who_took_a_step_stays(busy: House) -> None:
    taken = [
        (table, step)
        for table, steps in STEPS.items()
        for step in steps
        if busy.session.connection().scalar(text(f"SELECT count({step}) FROM {table}"))  # noqa: S608  # our own words
    ]

    answers = {refused(busy.session, set_to(table, f"{step} = 'OP-SOMEBODY'")) for table, step in taken}

    assert ("aid_case", "verified_by") in taken
    assert ("batch", "approved_by") in taken
    assert answers == {"who took a step stays"}


def test_nothing_that_aid_rests_on_is_removed(house: House) -> None:
    for table in KEPT:
        if house.session.get_bind().dialect.name == "sqlite" and table != "aid_case":
            continue  # of a table without rows SQLite asks no guard
        house.a_case() if table == "aid_case" else None
        assert refused(house.session, f"DELETE FROM {table}") == f"a row of {table} is not removed"  # noqa: S608  # our own


def test_corrections_and_what_became_of_rulings_are_only_added(house: House) -> None:
    (ruling,) = rulings.of_case(house.session, a_corrected_case(house).alias)
    quashing.uphold(house.session, ruling, by="OP-X", on=TODAY)
    quashing.quash(house.session, ruling, by="OP-X", on=TODAY, recorded_at=NOW)

    for table in ("correction", "appeal", "quashing"):
        for statement in (f"DELETE FROM {table}", set_to(table, "ruling_alias = ruling_alias")):  # noqa: S608  # our own
            changed = statement.replace("ruling_alias", "case_alias") if table == "correction" else statement
            assert refused(house.session, changed).endswith(f"of {table} is refused, rows are only added")


def test_a_correction_that_its_author_removes_as_the_owner_is_found(house: House) -> None:
    """Who has corrected a case agrees to nothing of it, unless nobody knows."""
    house.verify(a_corrected_case(house), by=house.fund.anton)
    assert found(house.session, by={"case-steps"}) == []

    told = told_after(engine_of(house.session), {"": ("DELETE FROM correction", "case-steps")})

    assert told == {"": {"case-steps"}}
