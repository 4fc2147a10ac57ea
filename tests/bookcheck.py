"""Every check over the whole book, for tests that play a story: `holds` is the last line of each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlmodel import Session

from ledger import checks
from ledger.checks.findings import Finding
from ledger.storage import guards
from ledger.storage.engine import transaction
from tests.unread_tables import worth_asking

BELOW_THE_ACTS = ("schema", "unsaid")
"""The checks that do not hold where a verb is called without the act that it is an effect of."""


def found(session: Session, *, by: Collection[str] = (), but: Collection[str] = ("schema",)) -> list[Finding]:
    """What is not as promised, by these checks, or by all but these. The server of the tests may lose its power.

    No story changes a table, and on PostgreSQL comparing them all takes longer than most stories.
    """
    session.flush()
    chosen = [check for check in checks.CHECKS if (check.name in by if by else check.name not in but)]
    told = checks.findings(session, checks=chosen if by else worth_asking(session, chosen))
    return [one for one in told if (one.check, one.name) != ("settings", "fsync")]


def assert_it_holds(engine: Engine, *, but: Collection[str] = ("schema",)) -> None:
    """Everything that the list of checks promises, of what is committed."""
    with transaction(engine, write=False) as session:
        broken = found(session, but=but)
    assert not broken, broken  # told here: assertions of a module that is no test are not explained


@contextmanager
def owning(engine: Engine) -> Iterator[Connection]:
    """A connection of the database's owner: without guards and without foreign keys, which both stand again after."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        guards.remove(connection)
        yield connection
        guards.install(connection)
        connection.commit()
        connection.invalidate()


def told_after(engine: Engine, attacks: Mapping[str, tuple[str, str]]) -> dict[str, set[str]]:
    """By name of each attack, a statement and the check that is to find it: what that check has said, if anything.

    Each is taken back before the next; the statements of one are parted by semicolons.
    """
    with owning(engine) as connection:
        return {name: {one.check for one in told} for name, told in _found_after(connection, _parted(attacks))}


def named_after(engine: Engine, attacks: Mapping[str, tuple[str, str]]) -> dict[str, set[tuple[str, str, str]]]:
    """As `told_after`: check, kind and name of whatever that check has found."""
    with owning(engine) as connection:
        return {
            name: {(one.check, one.kind, one.name) for one in told}
            for name, told in _found_after(connection, _parted(attacks))
        }


def deviations_after(
    engine: Engine, attacks: Mapping[str, tuple[Sequence[str], str]]
) -> dict[str, set[tuple[str, ...]]]:
    """The same of attacks on the schema and the guards, which nobody makes again: with how each deviates."""
    with engine.connect() as connection:
        return {
            name: {(one.check, one.kind, one.name, str(one.facts.get("deviation"))) for one in told}
            for name, told in _found_after(connection, attacks)
        }


def _found_after(
    connection: Connection, attacks: Mapping[str, tuple[Sequence[str], str]]
) -> Iterator[tuple[str, list[Finding]]]:
    for name, (statements, check) in attacks.items():
        savepoint = connection.begin_nested()
        for statement in statements:
            connection.execute(text(statement))
        with Session(connection, join_transaction_mode="create_savepoint") as looking:
            yield name, found(looking, by={check})
        savepoint.rollback()


def _parted(attacks: Mapping[str, tuple[str, str]]) -> dict[str, tuple[list[str], str]]:
    return {name: (statements.split(";"), check) for name, (statements, check) in attacks.items()}
