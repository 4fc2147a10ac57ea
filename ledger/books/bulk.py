"""Bulk: many entries booked together, all or none, with the same checks and guards as one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from ledger.books import inscription, journal, periods, premises
from ledger.books.entries import BadEntry, Draft, NewEntry, SourceKeyConflict, draft
from ledger.books.inscription import Standing
from ledger.books.journal import Posted
from ledger.errors import LedgerError

Item = TypeVar("Item")

MOST_ENTRIES = 10_000
"""The most entries of one call."""
MOST_LINES_TOGETHER = 100_000
"""The most lines of one call: what a process holds in memory at once."""


def post_many(
    session: Session, entries: Sequence[NewEntry], *, recorded_at: datetime, recorded_by: str
) -> list[Posted]:
    """Books the facts, each once, and answers for each in order; when one is refused, nothing is written.

    A fact that stands already, or comes twice in `entries`, is a replay. The data of a refusal say by `position`,
    from 1, which entry it is about, and otherwise what `journal.post` says.

    Raises:
        BadEntry: also when there are over 10,000 entries, or 100,000 lines in all.
        SourceKeyConflict, PeriodClosed, BadPosting, UnbalancedEntry, UnknownAccount, NotPostable, UnknownFund.
    """
    _require_few(entries)
    with _numbered(entries) as each:
        drafts = [draft(new, recorded_at=recorded_at, recorded_by=recorded_by) for new in each]
    return post_drafts(session, drafts)


def post_drafts(session: Session, drafts: Sequence[Draft]) -> list[Posted]:
    """As `post_many`, for entries that were recorded by different people at different moments; none is a reversal.

    Raises:
        LedgerError: what `post_many` raises.
    """
    _require_few(drafts)
    while True:  # again only when another transaction booked one of the keys meanwhile: each turn finds more of them
        standing = inscription.find(session, list({new.source_key for new in drafts}))
        fresh = _fresh(session, drafts, standing)
        try:
            numbers = inscription.write_many(session, list(fresh.values()))
        except IntegrityError:
            periods.look_again(session)
            if not inscription.find(session, list(fresh)):
                _fresh(session, drafts, standing)  # says so when a month was closed meanwhile
                raise
        else:
            return _answers(drafts, standing, dict(zip(fresh, numbers, strict=True)))


def _require_few(entries: Sequence[NewEntry] | Sequence[Draft]) -> None:
    lines = sum(len(new.postings) for new in entries)
    if len(entries) > MOST_ENTRIES or lines > MOST_LINES_TOGETHER:
        raise BadEntry("too many entries or lines in one call", where="entries", entries=len(entries), lines=lines)


def _fresh(session: Session, drafts: Sequence[Draft], standing: Mapping[str, Standing]) -> dict[str, Draft]:
    """What is not booked yet, checked, under its source key.

    Raises:
        LedgerError: the first refusal, with its position.
    """
    grounds = premises.look_up(session, [posting for new in drafts for posting in new.postings])
    fresh: dict[str, Draft] = {}
    with _numbered(drafts) as each:
        for new in each:
            if new.source_key in standing:
                journal.replay_of(new, standing[new.source_key])
            elif new.source_key not in fresh:
                fresh[new.source_key] = journal.admit(session, new, grounds)
            elif new.fingerprint != fresh[new.source_key].fingerprint:
                raise SourceKeyConflict("two contents stand under one source key")
    return fresh


def _answers(drafts: Sequence[Draft], standing: Mapping[str, Standing], numbers: dict[str, int]) -> list[Posted]:
    """A fact that comes twice was new the first time only."""
    answers = []
    told = set(standing)
    for new in drafts:
        key = new.source_key
        answers.append(Posted(standing[key].id if key in standing else numbers[key], replayed=key in told))
        told.add(key)
    return answers


@contextmanager
def _numbered(items: Sequence[Item]) -> Iterator[Iterator[Item]]:
    """The items one by one; a refusal within the block is told the position of the one at hand."""
    position = 0

    def walk() -> Iterator[Item]:
        nonlocal position
        for position, item in enumerate(items, start=1):  # noqa: B007  # read when the block refuses
            yield item

    try:
        yield walk()
    except LedgerError as refusal:
        refusal.data["position"] = position
        raise
