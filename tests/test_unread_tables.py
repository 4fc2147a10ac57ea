"""A check is left out only where it has nothing to read: a row in any table that it reads brings it back."""

from sqlalchemy import text
from sqlmodel import Session

from ledger import checks
from tests.bookcheck import found, owning
from tests.cast import engine_of
from tests.unread_tables import worth_asking

LAID_DOWN = "INSERT INTO suspension (operator, suspended_by, roster, at) VALUES ('OP-X', 'OP-Y', 1, '2020-10-05 09:00')"


def asked(session: Session) -> set[str]:
    return {check.name for check in worth_asking(session, checks.CHECKS)}


def test_a_check_whose_tables_are_all_empty_is_asked_again_as_soon_as_one_holds_a_row(founded: Session) -> None:
    at_first = asked(founded)

    with owning(engine_of(founded)) as connection:
        savepoint = connection.begin_nested()
        connection.execute(text(LAID_DOWN))
        with Session(connection, join_transaction_mode="create_savepoint") as looking:
            then, told = asked(looking), found(looking)
            told_by_all = found(looking, by={check.name for check in checks.CHECKS} - {"schema"})
        savepoint.rollback()

    assert "suspensions" not in at_first
    assert at_first < then
    assert "suspensions" in then
    assert told == told_by_all
    assert "signed" in {one.check for one in told}


def test_what_reads_rows_files_or_the_schema_is_always_asked(founded: Session) -> None:
    always = {"balanced", "accounts", "signed", "guards", "schema", "integrity", "settings"}

    assert always <= asked(founded)
