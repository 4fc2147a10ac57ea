"""Checks: every promise over the whole book as one list, for the nightly job, `solidarity verify books` and tests."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.checks import (
    acts,
    aid,
    aid_facts,
    bail,
    case_steps,
    clearings,
    control,
    database,
    entries,
    figures,
    files,
    gift_rows,
    gift_steps,
    giving,
    giving_accounts,
    holds,
    idle_acts,
    order_failures,
    payment_files,
    persons,
    receipts,
    reconciliations,
    records,
    resolutions,
    signatures,
    sources,
    standings,
    thirds,
    treasury,
    trust,
)
from ledger.checks.entries import ENTRY_CHECKS, EntryCheck
from ledger.checks.findings import Check, Finding, Tell, silent

MOST_FINDINGS = 1000
"""Findings of one check that are kept; whoever has so many needs no more to know."""

CHECKS: Sequence[Check | EntryCheck] = (
    *ENTRY_CHECKS,
    Check("orphans", "every line has the entry of its transaction", entries.find_orphans),
    Check("once", "every source key stands in one entry, and every entry is reversed once", entries.find_twice),
    Check("gaps", "entries are numbered without a gap where the database gives no number in vain", entries.find_gaps),
    *control.CHECKS,
    *holds.CHECKS,
    *standings.CHECKS,
    *aid.CHECKS,
    *aid_facts.CHECKS,
    *payment_files.CHECKS,
    *order_failures.CHECKS,
    *receipts.CHECKS,
    *treasury.CHECKS,
    *giving.CHECKS,
    *giving_accounts.CHECKS,
    *gift_steps.CHECKS,
    *gift_rows.CHECKS,
    *acts.CHECKS,
    *idle_acts.CHECKS,
    *case_steps.CHECKS,
    *trust.CHECKS,
    *bail.CHECKS,
    *thirds.CHECKS,
    *signatures.CHECKS,
    *persons.CHECKS,
    *sources.CHECKS,
    *reconciliations.CHECKS,
    *clearings.CHECKS,
    *resolutions.CHECKS,
    *records.CHECKS,
    *figures.CHECKS,
    *files.CHECKS,
    *database.CHECKS,
)
"""Every check, in the order in which they are told. A new promise gets its line here, and is checked everywhere."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check and what it found: at most `MOST_FINDINGS`."""

    check: Check | EntryCheck
    findings: Sequence[Finding]


def run(
    session: Session,
    *,
    checks: Sequence[Check | EntryCheck] = CHECKS,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Outcome]:
    """Runs checks on what the session sees, and writes nothing. `progress` is told name, done and total on the way.

    A million entries are not held at once: each check walks page by page. A check that cannot read the rows it is
    about has found something, too: its finding is of the kind `unreadable`.
    """
    session.begin_nested()
    try:
        return _outcomes(session, checks, progress)
    finally:
        _take_back(session)


def findings(session: Session, *, checks: Sequence[Check | EntryCheck] = CHECKS) -> list[Finding]:
    """What is not as promised, of all checks: nothing, when the book holds."""
    return [finding for outcome in run(session, checks=checks) for finding in outcome.findings]


def _outcomes(
    session: Session, checks: Sequence[Check | EntryCheck], progress: Callable[[str, int, int], None] | None
) -> list[Outcome]:
    of_entries = [check for check in checks if isinstance(check, EntryCheck)]
    walked: dict[str, list[Finding]] = {}
    if of_entries:  # all of them in one walk
        walk = partial(entries.walk, checks=of_entries)
        for finding in _found(session, "entries", lambda s, tell: walk(s, tell=tell), progress, limit=None):
            known = walked.setdefault(finding.check, [])
            if len(known) < MOST_FINDINGS:
                known.append(finding)
    outcomes = []
    for check in checks:
        if isinstance(check, EntryCheck):
            extra = walked.get("entries", []) if check is of_entries[0] else []
            outcomes.append(Outcome(check, [*extra, *walked.get(check.name, [])]))
        else:
            outcomes.append(Outcome(check, list(_found(session, check.name, check.find, progress))))
    return outcomes


def _found(
    session: Session,
    name: str,
    find: Callable[[Session, Tell], Iterable[Finding]],
    progress: Callable[[str, int, int], None] | None,
    *,
    limit: int | None = MOST_FINDINGS,
) -> Iterator[Finding]:
    tell = partial(progress, name) if progress else silent
    tell(0, 0)
    try:
        yield from islice(find(session, tell), limit)
    except Exception as error:  # whatever somebody wrote into a row, every other check is to run
        told = type(error).__name__
        if isinstance(error, DBAPIError):
            if error.connection_invalidated:
                raise
            told = type(error.orig).__name__
        _take_back(session)  # PostgreSQL would read nothing more after an error
        session.begin_nested()
        yield Finding(name, "unreadable", told)


def _take_back(session: Session) -> None:
    if opened := session.get_nested_transaction():
        opened.rollback()
