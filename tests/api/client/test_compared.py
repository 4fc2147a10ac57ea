"""What is compared of rows: different hands and languages, one person and one ruling; strangers stay strangers."""

import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from api.client import case_lives, cases, compared, sealing, verifications
from api.client.list_files.marks import INVISIBLE
from ledger.aid.obligations import ObligationKind
from ledger.storage.engine import transaction
from tests.bookcheck import owning
from tests.cast import byn
from tests.office import Office, on_one_database
from tests.papers import a_list_row

ROW = a_list_row(ruling_number="№ 12-3", court="Суд Вымышленного района города Минска")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Вымышленный Фёдор", "ВЫМЫШЛЕННЫЙ  ФЕДОР"),
        ("Иванов Иван Вымышленный", "Иван Вымышленный Иванов"),
        ("Иванов, Иван", "Иван Иванов"),
        ("Лук'ян Выдуманы", "Лук\u2019ян Выдуманы"),
        ("Лук\u02bcян Выдуманы", "Лукян Выдуманы"),
        ("Anna-Maria Invented", "Invented Anna Maria"),
    ],
)
def test_one_name_written_by_two_hands_is_compared_as_one(one: str, other: str) -> None:
    assert compared.person(one) == compared.person(other)


@given(st.text(alphabet="Ann Иваё-", min_size=1, max_size=12), st.integers(0, 12), st.sampled_from(INVISIBLE.pattern))
def test_what_is_not_seen_is_not_compared(name: str, place: int, mark: str) -> None:
    if INVISIBLE.match(mark):
        assert compared.person(name[:place] + mark + name[place:]) == compared.person(name)


@pytest.mark.parametrize(
    ("one", "other"), [("Иван Иванов", "Иван Иванова"), ("Anna", "\u0410nna"), ("김 철수", "김 철호")]
)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert compared.person(one) != compared.person(other)


@pytest.mark.parametrize("name", ["+1+1", "...", "👩\u200d👦", "\u0915\u094d\u0937", "'"])
def test_every_name_that_can_be_seen_is_compared_by_something(name: str) -> None:
    assert compared.person(name)
    assert unicodedata.normalize("NFKC", compared.person(name)) == compared.person(name)


@pytest.mark.parametrize("number", ["12-3", "N 12-3", "No. 12\u20133", "Дело № 12 - 3", "#12-3", "№12-3"])
def test_a_number_is_compared_without_its_sign(number: str) -> None:
    other = replace(ROW, ruling_number=number, court="суд вымышленного района, города.Минска")

    assert compared.ruling(other) == compared.ruling(ROW)


def test_a_number_of_letters_keeps_them() -> None:
    assert compared.ruling(replace(ROW, ruling_number="NOVEMBER-3")).split("\n")[1] == "november-3"
    assert compared.figures(replace(ROW, ruling_number="no digits")) == f"nodigits\n{ROW.issued_on}\n810.00 BYN"


@on_one_database
def test_a_ruling_told_in_another_language_is_suggested_and_stops_nobody(furnished: Office) -> None:
    translated = a_list_row(line=3, ruling_number="case 12/3", court="Invented District Court of Minsk")
    other_sum = replace(translated, line=4, amount=byn("27.00"), ruling_number="12/3", kind=ObligationKind.DETENTION)
    anna = furnished.desk("anna")
    first, second, third = (furnished.take_in(row)[0] for row in (ROW, translated, other_sum))

    found = case_lives.suspicions(anna, first)

    assert (found["same_figures"], found["same_ruling"]) == ([second], [])
    assert third not in case_lives.suspicions(anna, second)["same_figures"]
    assert verifications.verify(anna, first) is None


@on_one_database
def test_a_person_under_other_writings_is_one_to_caps_and_reviewers(furnished: Office) -> None:
    names = ["Вымышленный Фёдор", "федор вымышленный", "Вымышленный Федор\u00ad"]
    found = [furnished.take_in(a_list_row(name=name))[0] for name in names]

    told = case_lives.suspicions(furnished.desk("anna"), found[0])

    assert sorted(told["same_person"]) == sorted(found[1:])


@on_one_database
def test_what_came_before_under_the_older_writing_is_found_and_keeps_nothing_old_of_the_new(furnished: Office) -> None:
    """A case of an earlier version carries the tokens of names as they were written."""
    name, on = "Вымышленный Фёдор", date(2020, 9, 7)
    anna = furnished.desk("anna")
    (old,) = furnished.take_in(a_list_row(name=name, issued_on=on))
    older = {
        token["field"]: token["value"]
        for token in compared.tokens_of(a_list_row(name=name, issued_on=on), keys_of(furnished))
        if token["epoch"] == 0
    }
    rewrite(furnished, old, older["person"])

    (new,) = furnished.take_in(a_list_row(name=name, issued_on=on))

    assert case_lives.suspicions(anna, new)["same_person"] == [old]
    assert len(values(furnished, new)) == len({*values(furnished, new)} - {*older.values()}) == 4
    (again,) = furnished.take_in(a_list_row(name="федор вымышленный"))
    assert sorted(case_lives.suspicions(anna, again)["same_person"]) == sorted([old, new])


def keys_of(office: Office) -> dict[int, bytes]:
    vault = office.desk("anna").vault(cases.VAULT)
    return {vault.epoch: sealing.token_key(vault)}


def values(office: Office, case: str) -> list[str]:
    with transaction(office.engine) as session:
        return list(session.connection().scalars(text("SELECT value FROM token WHERE alias = :case"), {"case": case}))


def rewrite(office: Office, case: str, value: str) -> None:
    with owning(office.engine) as connection:
        connection.execute(
            text("UPDATE token SET value = :value WHERE alias = :case AND field = 'person'"),
            {"value": value, "case": case},
        )
