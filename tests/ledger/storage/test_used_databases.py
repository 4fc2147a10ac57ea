"""A database of PostgreSQL that a test has used is brought back as it was, or no other test gets it."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url
from sqlmodel import create_engine

from tests import used_databases
from tests.used_databases import Driver, UsedDatabase


@pytest.fixture
def used(postgresql: str, postgresql_house: object) -> Iterator[UsedDatabase]:
    """A database of our own with the house's book, whose connection another engine has not taken."""
    assert postgresql_house
    server = create_engine(postgresql, isolation_level="AUTOCOMMIT")
    name = f"book_{uuid4().hex}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template_house STRATEGY FILE_COPY")
        taken = used_databases.take(name, create_engine(make_url(postgresql).set(database=name)))
        yield taken
        if taken.driver:
            taken.driver.close()
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture
def driver(used: UsedDatabase) -> Driver:
    assert used.driver
    used.driver.execute("SET session_replication_role = replica")  # or the guards would refuse
    used.driver.commit()
    return used.driver


def test_rows_and_numbers_are_as_they_were(used: UsedDatabase, driver: Driver) -> None:
    before = _everything(driver)
    driver.execute(
        "INSERT INTO suspension SELECT 1, operator, operator, 1, now() FROM (VALUES ('somebody')) AS t(operator)"
    )
    driver.execute("UPDATE book SET organisation = 'Another Fund'")
    driver.execute("DELETE FROM purpose")
    driver.commit()
    assert _everything(driver) != before

    assert used_databases.bring_back(used, driver)

    assert _everything(driver) == before
    assert driver.execute("SHOW session_replication_role").fetchone() == ("origin",)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER {trigger} ON {table}",
        "CREATE TABLE another (one integer)",
        "CREATE OR REPLACE FUNCTION another() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "GRANT SELECT ON book TO PUBLIC",
        "ALTER DATABASE {database} SET work_mem = '8MB'",
        "GRANT CREATE ON DATABASE {database} TO PUBLIC",
        "ANALYZE book",
        "BEGIN; DELETE FROM purpose",
    ],
)
def test_a_database_that_is_not_as_it_was_is_given_up(used: UsedDatabase, driver: Driver, change: str) -> None:
    guard = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1 LIMIT 1"
    trigger, table = driver.execute(guard).fetchone() or ("", "")
    driver.commit()
    driver.execute(change.format(trigger=trigger, table=table, database=used.name))
    if not change.startswith("BEGIN"):
        driver.commit()

    assert not used_databases.bring_back(used, driver)


def test_a_database_in_which_others_still_are_is_given_up(used: UsedDatabase, driver: Driver) -> None:
    with psycopg.connect(driver.info.dsn):
        assert not used_databases.bring_back(used, driver)


def _everything(driver: Driver) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and where every sequence stands."""
    names = driver.execute("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'").fetchall()
    found = {name: driver.execute(sql.SQL("SELECT * FROM {}").format(sql.SQL(name))).fetchall() for (name,) in names}
    found["sequences"] = driver.execute("SELECT sequencename, last_value FROM pg_sequences").fetchall()
    driver.commit()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}
