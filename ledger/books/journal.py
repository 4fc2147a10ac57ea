"""The journal: the one writer of entries and lines. Nothing here is ever changed or removed, only reversed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from ledger.books import inscription, periods, premises
from ledger.books.entries import (
    EARLIEST,
    FEWEST_LINES,
    MOST_LINES,
    AlreadyReversed,
    BadEntry,
    Because,
    Draft,
    Entry,
    Line,
    NewEntry,
    SourceKeyConflict,
    UnknownEntry,
    draft,
    fingerprint_of,
)
from ledger.books.inscription import Standing
from ledger.books.postings import Posting, Side, check_postings, mirrored
from ledger.books.premises import Premises
from ledger.errors import LedgerError
from ledger.money import Money

__all__ = [  # an entry's words are the journal's words
    "EARLIEST",
    "FEWEST_LINES",
    "MOST_LINES",
    "AlreadyReversed",
    "BadEntry",
    "Because",
    "Entry",
    "Line",
    "NewEntry",
    "Posted",
    "SourceKeyConflict",
    "UnknownEntry",
    "count",
    "fingerprint_of",
    "post",
    "posting_of",
    "postings_of",
    "reverse",
]


@dataclass(frozen=True, slots=True)
class Posted:
    """What `post` made, or found: the entry's number, and whether it stood there before."""

    entry_id: int
    replayed: bool


def post(
    session: Session,
    *,
    source_key: str,
    kind: str,
    postings: Sequence[Posting],
    happened_on: date,
    recorded_at: datetime,
    recorded_by: str,
    effective_on: date | None = None,
) -> Posted:
    """Books one fact, once. `effective_on` is `happened_on` unless the fact is booked on another day.

    What happened in a closed month is booked on the first open day: tell `happened_on` only.
    The same `source_key` with the same content is a replay and books nothing new, also when its month was closed since.

    Raises:
        SourceKeyConflict: the key stands for another content. PeriodClosed: `effective_on` is told, and closed.
        PeriodSoftClosed: it is told, closed softly, and the entry is not admitted (see `closing.admit`).
        BadEntry, BadPosting, UnbalancedEntry, UnknownAccount, NotPostable, UnknownFund: nothing was written.
    """
    new = NewEntry(source_key, kind, postings, happened_on, effective_on)
    return _post(session, draft(new, recorded_at=recorded_at, recorded_by=recorded_by))


def reverse(
    session: Session,
    entry_id: int,
    *,
    source_key: str,
    because: Because,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> Posted:
    """Books the mirror image of an entry on the day `on`; each line keeps the rate date of the original.

    What could be booked can be reversed: that an account was closed since, or got leaves, does not hinder it.

    Raises:
        UnknownEntry: there is no such entry.
        AlreadyReversed: it is reversed already, or is itself a reversal.
        BadEntry: `on` lies before the original's effective date. PeriodClosed: it lies in a closed month.
    """
    original = session.get(Entry, entry_id)
    if original is None:
        raise UnknownEntry("no entry has this number", entry=entry_id)
    if original.reverses_id is not None:
        raise AlreadyReversed("a reversal is not reversed", entry=entry_id)
    if on < original.effective_on:
        raise BadEntry("a reversal is not dated before its original", where="on")
    mirror = [mirrored(posting, rate_on=original.effective_on) for posting in postings_of(session, entry_id)]
    new = NewEntry(source_key, "reversal", mirror, happened_on=on, effective_on=on)
    return _post(
        session,
        draft(new, recorded_at=recorded_at, recorded_by=recorded_by, reverses_id=entry_id, because=because),
    )


def postings_of(session: Session, entry_id: int) -> list[Posting]:
    """The lines of an entry as the postings that made them, in their order."""
    lines = session.exec(select(Line).where(Line.entry_id == entry_id).order_by(col(Line.number)))
    return [posting_of(line) for line in lines]


def posting_of(line: Line) -> Posting:
    """A line as the posting that made it."""
    return Posting(
        side=Side.DEBIT if line.minor > 0 else Side.CREDIT,
        account=line.account_code,
        money=Money(abs(line.minor), line.currency),
        fund=line.fund_code,
        subject=line.subject,
        case=line.case_alias,
        rate_on=line.rate_on,
    )


def count(session: Session) -> int:
    """How many entries the journal holds."""
    return session.exec(select(func.count()).select_from(Entry)).one()


def admit(session: Session, new: Draft, grounds: Premises) -> Draft:
    """`new` as it can be booked now: checked against chart, funds and months, and moved out of a closed month.

    The mirror image of what was checked once needs no second check.

    Raises:
        PeriodClosed, PeriodSoftClosed, BadPosting, UnbalancedEntry, UnknownAccount, NotPostable, UnknownFund: see
            `post`.
    """
    if grounds.still_through is not None and new.effective_on <= grounds.still_through:
        if new.movable:
            day = periods.booking_day(session, new.effective_on, fingerprint=new.fingerprint)
            new = new._replace(effective_on=day)
        else:
            periods.require_open(session, new.effective_on, fingerprint=new.fingerprint)
    if new.reverses_id is None:
        check_postings(new.postings, chart=grounds.chart, known_funds=grounds.funds)
    return new


def replay_of(new: Draft, standing: Standing) -> Posted:
    """`standing`, found under the source key of `new`, when it is the same fact.

    Raises:
        SourceKeyConflict: it is another one.
    """
    if standing.fingerprint != new.fingerprint:
        raise SourceKeyConflict("the source key is booked with another content", entry=standing.id)
    return Posted(standing.id, replayed=True)


def _post(session: Session, new: Draft) -> Posted:
    """Checks everything and only then writes. A replay is a replay whatever the checks say by now.

    On PostgreSQL, also when another transaction books the same, or closes the month, between our look and our insert.
    """
    if new.reverses_id is not None:
        found = _replay(session, new)
        if found is not None:
            return found
    try:
        new = admit(session, new, premises.look_up(session, new.postings if new.reverses_id is None else ()))
        written = inscription.write(session, new)
    except (LedgerError, IntegrityError) as failure:
        found = _replay(session, new)
        if found is not None:
            return found
        if isinstance(failure, IntegrityError):
            periods.look_again(session)
            periods.require_open(session, new.effective_on, fingerprint=new.fingerprint)
        raise
    return replay_of(new, written) if isinstance(written, Standing) else Posted(written, replayed=False)


def _replay(session: Session, new: Draft) -> Posted | None:
    """The same entry, when it stands already.

    Raises:
        SourceKeyConflict: another content stands under the source key.
        AlreadyReversed: another entry reverses what this one would.
    """
    standing = inscription.find(session, [new.source_key]).get(new.source_key)
    if standing is not None:
        return replay_of(new, standing)
    if new.reverses_id is not None:
        reversal = select(Entry.id).where(Entry.reverses_id == new.reverses_id)
        if session.connection().execute(reversal).first() is not None:
            raise AlreadyReversed("an entry is reversed once", entry=new.reverses_id)
    return None
