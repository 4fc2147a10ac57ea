"""What a case can show in the end: the statements of its dossier by how they stand, and what is owed by its ledger."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlmodel import Session

from ledger.aid import subledger
from reports.dossier.chain import chains
from reports.dossier.facts import Facts
from reports.dossier.gathering import gather
from reports.dossier.steps import Standing
from tests.cast import NOW


def shown(session: Session, case: str) -> dict[str, set[str]]:
    """The titles of the statements of a case's dossier, by how they stand."""
    return told(gather(session, case, as_of=NOW))


def told(facts: Facts) -> dict[str, set[str]]:
    """The same of a dossier that a client has fetched."""
    found: dict[str, set[str]] = {standing.value: set() for standing in Standing}
    for chain in chains(facts):
        for step in chain.steps:
            found[step.standing.value].add(step.title)
    assert not found[Standing.CONTRADICTED]
    return {standing: titles for standing, titles in found.items() if titles}


def ledger_of(session: Session, case: str) -> dict[str, int]:
    """By account: what the rows of a case come to, in minor units: nothing when it is settled on every side."""
    return _sums((row.account, row.amount.minor) for row in subledger.of_case(session, case))


def ledger_told(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """By account: the running balance that the last row of it tells, as the API has it; nothing where it is zero."""
    last = {row["account"]: row["balance"]["amount"] for row in rows}
    return {account: amount for account, amount in last.items() if float(amount)}


def _sums(moved: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for account, minor in moved:
        sums[account] += minor
    return {account: minor for account, minor in sums.items() if minor}
