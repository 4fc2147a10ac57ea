"""Every check over the whole book, for tests that play a story: `holds` is the last line of each."""

from sqlalchemy import Engine
from sqlmodel import Session

from ledger import checks
from ledger.checks.findings import Finding
from ledger.storage.engine import transaction


def found(session: Session) -> list[Finding]:
    """What is not as promised."""
    session.flush()
    return [one for one in checks.findings(session) if (one.check, one.name) != ("settings", "fsync")]


def assert_it_holds(engine: Engine) -> None:
    """Everything that the list of checks promises, of what is committed."""
    with transaction(engine, write=False) as session:
        assert found(session) == []
