"""With its guards in place the database keeps who took which step of aid, two people's steps apart, and every row."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.aid import corrections, disbursements, quashing, rulings
from ledger.aid.cases import Case
from ledger.aid.corrections import Further
from ledger.aid.obligations import ObligationKind
from ledger.aliases import Kind, draw
from ledger.identities.shelves import Shelf
from ledger.storage.fact_guards import VERIFIED
from ledger.storage.people_guards import KEPT, STEPS
from tests.bookcheck import found, told_after
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, give, sealed
from tests.purses import (
    a_released_batch,
    a_requested_advance,
    an_agent,
    an_approved_batch,
    enter,
    give_euros,
    items,
    unproven,
)

pytestmark = pytest.mark.place("verified_cases")


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


A_DAY = "'2020-01-05'"
OTHER = {
    "beneficiary_alias": "'B-0000'",
    "jurisdiction": "'us-bail'",
    "case_alias": "'C-0000'",
    "ruling_alias": "'R-0000'",
    "kind": "'detention'",
    "article": "'24.23'",
    "region": "'gomel'",
    "force_presumed": "NOT force_presumed",
}
"""What columns that are no days could be changed to."""


@pytest.mark.place("house")
def test_what_was_verified_stays_as_it_was_verified(house: House) -> None:
    give(house.session, byn("5000.00"))
    case = house.a_case()
    house.session.connection().execute(text(set_to("ruling", "region = 'brest'")))  # a correction
    house.verify(case, by=house.fund.anton)
    house.session.commit()

    answers = {
        refused(house.session, set_to(table, f"{column} = {OTHER.get(column, A_DAY)}"))
        for table, columns in VERIFIED.items()
        for column in columns
    }

    assert answers == {"what was verified stays"}


def test_what_was_noted_once_of_a_payment_stays_and_so_does_where_it_goes(house: House) -> None:
    give(house.session, byn("5000.00"))
    payment = house.a_released_payment()
    disbursements.pay(
        house.session, payment, source_key="bank:x", on=TODAY, recorded_at=NOW, recorded_by=house.fund.clara.alias
    )
    house.session.commit()
    noted = [("disbursement", one) for one in ("released_on", "paid_on", "paid_recorded_on")]

    answers = {
        refused(house.session, set_to(table, f"{column} = {value}"))
        for table, column in [*noted, ("obligation", "told_on")]
        for value in ("'2020-01-05'", "NULL")
    }
    paying = {
        refused(house.session, set_to("disbursement", f"{column} = {value}"))
        for column, value in (("payee", "'beneficiary'"), ("account_code", "'1000'"), ("reference", "'RF00'"))
    }

    assert answers == {"what was noted once stays"}
    assert paying == {"what was released goes where it was released to"}


def test_an_agents_day_of_payment_stays(house: House) -> None:
    give_euros(house)
    give(house.session, byn("810.00"))
    batch = a_released_batch(house, an_agent(house), LEAF, [house.a_verified_case()])
    enter(house, batch, unproven(items(house, batch)[0]))

    answers = {refused(house.session, set_to("batch_line", f"{one} = NULL")) for one in ("code", "paid_by")}

    assert answers == {"what was noted once stays"}


def test_the_tokens_of_a_case_go_with_the_key_of_its_person(house: House) -> None:
    case = house.a_case()
    house.session.commit()

    for statement in ("DELETE FROM token", "UPDATE token SET alias = 'C-0000'"):
        assert refused(house.session, statement) == "the tokens of a case go with the key of its person"
    for table, person in (("person_key", case.beneficiary_alias), ("token", case.alias)):  # as an erasure does
        house.session.connection().execute(text(f"DELETE FROM {table} WHERE alias = '{person}'"))  # noqa: S608  # our own


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
