"""The application's role on PostgreSQL: it books, and whoever holds its login cannot change the past or its guards."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger import exceptions
from ledger.books import accounts, balances, bulk, funds, journal, seals
from ledger.books.entries import NewEntry
from ledger.books.journal import Because
from ledger.storage import guards, roles, schema
from ledger.storage.engine import open_database, transaction
from ledger.storage.roles import NotPostgresql
from tests.bookkeeping import DAY, EUR_LEAF, LATER, RECORDER, a_gift, post
from tests.cast import NOW, eur

pytestmark = pytest.mark.usefixtures("founded")

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def application(engine: Engine) -> Iterator[Engine]:
    """The database as the program that serves sees it: logged in as a member of the application's role."""
    login = f"login_{uuid4().hex}"
    with engine.begin() as connection:
        roles.create(connection)
        connection.execute(text(f"CREATE ROLE {login} LOGIN IN ROLE {roles.APPLICATION}"))
    opened = open_database(engine.url.set(username=login).render_as_string(hide_password=False))
    yield opened
    opened.dispose()
    with engine.begin() as connection:
        connection.execute(text(f"DROP ROLE {login}"))


@on_postgresql
def test_the_application_books_reverses_closes_and_reads(application: Engine) -> None:
    schema.require_current(application)
    with transaction(application) as session:
        assert session.connection().scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")) is False
        accounts.add_leaf(session, "1020:safe", name="The safe", currency="EUR")
        funds.add(session, "bail", name="Bail", restricted=True)
        funds.require(session, "fines", lock=True)
        posted = post(session, a_gift(eur("20.00")))
        facts = [NewEntry(f"bulk:{nth}", "gift", a_gift(eur("1.00")), DAY) for nth in range(3)]
        bulk.post_many(session, facts, recorded_at=NOW, recorded_by=RECORDER)
        journal.reverse(
            session,
            posted.entry_id,
            source_key="test:reversal",
            because=Because.WRONG_FUND,
            on=LATER,
            recorded_at=NOW,
            recorded_by=RECORDER,
        )
        seals.close(session, "2020-11", by=RECORDER, at=NOW.replace(month=12))
        exceptions.listed(session)

    with transaction(application, write=False) as session:
        assert journal.count(session) == 5
        assert balances.balance(session, EUR_LEAF, currency="EUR") == eur("3.00")


FORBIDDEN = (
    "UPDATE entry SET kind = kind",
    "UPDATE line SET minor = minor",
    *(f"{verb} {table}" for verb in ("DELETE FROM", "TRUNCATE") for table in guards.APPEND_ONLY),
    "TRUNCATE fund CASCADE",
    "ALTER TABLE line DISABLE TRIGGER ALL",
    "ALTER TABLE line DISABLE TRIGGER guard_line_append_only",
    "ALTER TABLE line DROP CONSTRAINT minor_is_not_zero",
    "ALTER TABLE line OWNER TO current_user",
    "ALTER TABLE entry RENAME TO entry_of_before",
    "DROP TRIGGER guard_line_append_only ON line",
    "DROP TABLE line",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION guard_line() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION guard_line() SET search_path = pg_temp",
    "DROP FUNCTION guard_append_only() CASCADE",
    "CREATE FUNCTION public.sum(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
    "CREATE TABLE public.shadow (id bigint)",
    "CREATE TRIGGER mine BEFORE INSERT ON line FOR EACH ROW EXECUTE FUNCTION guard_line()",
    "CREATE RULE mine AS ON INSERT TO line DO INSTEAD NOTHING",
    "SELECT setval('entry_number', 1)",
    "UPDATE alembic_version SET version_num = 'x'",
    "SET ROLE postgres",
)
"""What a login of the application tries, of each table that only grows too."""
REFUSED = re.compile("permission denied|must be owner|must be able to|InsufficientPrivilege")


@on_postgresql
def test_the_application_cannot_change_the_past_or_its_guards(founded: Session, application: Engine) -> None:
    post(founded, a_gift(eur("20.00")))
    founded.commit()

    told = {statement: answer(application, statement) for statement in FORBIDDEN}

    assert {statement: one for statement, one in told.items() if not REFUSED.search(one)} == {}


def answer(application: Engine, statement: str) -> str:
    """What the database says to a statement, whose transaction ends without it."""
    try:
        with application.connect() as connection:
            connection.execute(text(statement))
    except DBAPIError as refusal:
        return str(refusal)
    return "done"


@on_postgresql
def test_a_guard_that_refuses_the_owner_refuses_the_application_too(application: Engine) -> None:
    attack = (
        "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) VALUES "
        "(900, 1, 0, '1000:eur-main', 'fines', 'EUR', 5), (900, 2, 0, '1000:eur-main', 'fines', 'EUR', 5); "
        "INSERT INTO entry VALUES (900, 0, 'attack:900', '0', 'attack', '2020-11-02', '2020-11-02', '2020-11-20', "
        "'attacker', NULL, NULL)"
    )

    with pytest.raises(DBAPIError, match="guard: an entry sums to zero"), application.begin() as connection:
        connection.execute(text(attack))


@on_postgresql
def test_the_application_grants_itself_nothing(application: Engine) -> None:
    with application.begin() as connection:  # PostgreSQL only warns
        connection.execute(text(f"GRANT ALL ON line, entry TO {roles.APPLICATION}"))

    with pytest.raises(DBAPIError, match="permission denied"), application.begin() as connection:
        connection.execute(text("UPDATE line SET minor = 1"))


@on_postgresql
def test_migrating_again_keeps_the_rights(engine: Engine, application: Engine) -> None:
    schema.migrate(engine)

    with transaction(application) as session:
        assert not post(session, a_gift(eur("20.00"))).replayed
    with pytest.raises(DBAPIError, match="permission denied"), application.begin() as connection:
        connection.execute(text("DELETE FROM line"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_roles(engine: Engine) -> None:
    with pytest.raises(NotPostgresql), engine.begin() as connection:
        roles.create(connection)
