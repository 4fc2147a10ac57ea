"""Checks of figures that are kept beside the lines: roll-ups, and what closed months were sealed with."""

from collections.abc import Iterator

from sqlmodel import Session

from ledger import closing
from ledger.books import rollups, seals
from ledger.checks.findings import Check, Fact, Finding, Tell


def find_rollups(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Roll-ups that are not what their lines give."""
    for one in rollups.differences(session):
        facts: dict[str, Fact] = {"account": one.account, "fund": one.fund, "currency": one.currency}
        facts |= {"rolled_up_minor": one.rolled_up, "recomputed_minor": one.recomputed}
        yield Finding("rollups", one.level, one.starts_on.isoformat(), facts)


def find_seals(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Sealed figures that the lines and the rates of their time do not give: the next month does not open with them."""
    for one in seals.differences(session):
        facts = {"what": one.what, "of": " ".join(one.name), "sealed": one.sealed, "found": one.found}
        yield Finding("seals", "month", one.month, facts)


def find_unsigned_seals(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Closed months whose figures nobody has signed as they are sealed."""
    for month in closing.unsigned(session):
        yield Finding("sealed-as-signed", "month", month)


CHECKS = (
    Check("rollups", "every roll-up is what its lines give", find_rollups),
    Check("seals", "every month opens with what the one before was sealed with", find_seals),
    Check("sealed-as-signed", "what a month was sealed with is what its treasurer signed", find_unsigned_seals),
)
