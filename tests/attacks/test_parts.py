"""Attacks with SQL of one's own: more paid than is owed, past every verb, on both engines."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ledger.aid.disbursements import Disbursement
from tests.cast import House, byn, give

pytestmark = pytest.mark.place("verified_cases")

NEVER = "guard: payments are never over their obligation"
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def standing(house: House) -> Disbursement:
    """A requested payment of the whole of 810.00, committed."""
    give(house.session, byn("2000.00"))
    return house.a_requested_payment()


@contextmanager
def refused(engine: Engine, because: str = NEVER) -> Iterator[Connection]:
    before = content(engine)
    with pytest.raises(DBAPIError, match=because), engine.begin() as connection:
        yield connection
    assert content(engine) == before


def content(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        rows = [connection.execute(text("SELECT * FROM disbursement ORDER BY alias")).all()]
        rows.append(connection.execute(text("SELECT * FROM obligation ORDER BY alias")).all())
        return list(map(repr, rows))


def a_copy(connection: Connection, standing: Disbursement, **changed: str) -> None:
    """Another disbursement like the one that stands, with these columns said in SQL."""
    said = {"alias": "'D-0000-0000-0001'", "reference": "'RF00ATTACK'"} | changed
    columns = list(Disbursement.model_fields)
    values = ", ".join(said.get(name, name) for name in columns)
    connection.execute(
        text(f"INSERT INTO disbursement ({', '.join(columns)}) SELECT {values} FROM disbursement WHERE alias = :of"),  # noqa: S608  # our own names
        {"of": standing.alias},
    )


@pytest.mark.parametrize("changed", [{}, {"minor": "1"}, {"minor": "-1"}, {"minor": "0"}, {"currency": "'EUR'"}])
def test_no_second_payment_is_put_beside_the_whole(
    engine: Engine, standing: Disbursement, changed: dict[str, str]
) -> None:
    with refused(engine) as connection:
        a_copy(connection, standing, **changed)


def test_what_was_cancelled_is_put_beside_it_and_does_not_rise(engine: Engine, standing: Disbursement) -> None:
    with engine.begin() as connection:
        a_copy(connection, standing, state="'cancelled'")

    for state in ("requested", "approved", "released", "paid"):
        with refused(engine) as connection:
            connection.execute(text("UPDATE disbursement SET state = :to WHERE state = 'cancelled'"), {"to": state})


@pytest.mark.parametrize("change", ["minor = minor + 1", "minor = -minor", "minor = 0", "currency = 'EUR'"])
@pytest.mark.usefixtures("standing")
def test_no_payment_is_made_to_differ_from_what_is_owed(engine: Engine, change: str) -> None:
    with refused(engine) as connection:
        connection.execute(text(f"UPDATE disbursement SET {change}"))  # noqa: S608  # our own words


@pytest.mark.parametrize("change", ["minor = minor - 1", "forgone_minor = 1", "forgone_minor = -1", "currency = 'EUR'"])
@pytest.mark.usefixtures("standing")
def test_no_obligation_becomes_less_than_its_payments(engine: Engine, change: str) -> None:
    with refused(engine) as connection:
        connection.execute(text(f"UPDATE obligation SET {change}"))  # noqa: S608  # our own words


@on_sqlite
@pytest.mark.usefixtures("standing")
def test_no_smaller_obligation_takes_anothers_place(engine: Engine) -> None:
    columns = "alias, case_alias, ruling_alias, kind, state, {}, forgone_minor, currency, fund_code, told_on"
    into, of = columns.format("minor"), columns.format("minor - 1")

    with refused(engine, because="guard: a row of obligation is not removed") as connection:
        connection.execute(text(f"INSERT OR REPLACE INTO obligation ({into}) SELECT {of} FROM obligation"))  # noqa: S608  # our own words


@on_postgresql
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_nobody_asks_from_a_transaction_that_does_not_see_others(
    engine: Engine, standing: Disbursement, level: str
) -> None:
    with refused(engine, "guard: a payment is asked for in a transaction") as connection:
        connection.execute(text(f"SET TRANSACTION ISOLATION LEVEL {level}"))
        a_copy(connection, standing)
