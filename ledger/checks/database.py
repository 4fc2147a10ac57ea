"""Checks of the database itself: its guards, tables, settings, files and sequences."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection
from sqlmodel import Session

from ledger import jobs  # noqa: F401  # no check asks its table, but its schema is compared too
from ledger.checks.findings import Check, Finding, Tell
from ledger.giving import notices  # noqa: F401  # no check asks its table, but its schema is compared too
from ledger.identities import readings  # noqa: F401  # no check asks its table, but its schema is compared too
from ledger.storage import inspection
from ledger.storage.inspection import Deviating


def find_damage(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Damaged files, and rows whose foreign keys lead nowhere."""
    for place in inspection.damage(session.connection()):
        yield Finding("integrity", "table", place)


def find_late_sequences(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Sequences behind the numbers in use."""
    for name, given, highest in inspection.late_sequences(session.connection()):
        yield Finding("sequences", "sequence", name, {"given": given, "highest": highest})


def _check(name: str, promise: str, deviating: Callable[[Connection], Iterator[Deviating]]) -> Check:
    def find(session: Session, _tell: Tell) -> Iterator[Finding]:
        for one in deviating(session.connection()):
            yield Finding(name, one.kind, one.name, {"deviation": one.deviation})

    return Check(name, promise, find)


CHECKS = (
    _check("guards", "every guard stands as this version makes it, and no other trigger", inspection.deviating_guards),
    _check("schema", "tables, keys, indexes and checks are those of the migrations", inspection.deviating_tables),
    _check("settings", "the connection keeps the settings on which guarantees rest", inspection.deviating_settings),
    Check("integrity", "the file is sound and every foreign key leads to a row", find_damage),
    Check("sequences", "every sequence is ahead of the numbers in use", find_late_sequences),
)
