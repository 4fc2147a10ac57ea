"""Every check over the whole book, for tests that play a story: `holds` is the last line of each."""

from collections.abc import Collection

from sqlalchemy import Engine
from sqlmodel import Session

from ledger import checks
from ledger.checks.findings import Finding
from ledger.storage.engine import transaction


def found(session: Session, *, by: Collection[str] = (), but: Collection[str] = ("schema",)) -> list[Finding]:
    """What is not as promised, by these checks, or by all but these. The server of the tests may lose its power.

    No story changes a table, and on PostgreSQL comparing them all takes longer than most stories.
    """
    session.flush()
    chosen = [check for check in checks.CHECKS if (check.name in by if by else check.name not in but)]
    told = checks.findings(session, checks=chosen)
    return [one for one in told if (one.check, one.name) != ("settings", "fsync")]


def assert_it_holds(engine: Engine) -> None:
    """Everything that the list of checks promises, of what is committed."""
    with transaction(engine, write=False) as session:
        broken = found(session)
    assert not broken, broken  # told here: assertions of a module that is no test are not explained
