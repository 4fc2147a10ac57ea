"""Exports: the whole journal as records, page by page, in the order of the entries' numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlmodel import Session, SQLModel, col, select

from ledger.books import accounts, exchange, funds, journal
from ledger.books.journal import Entry, Line
from ledger.books.postings import Posting
from ledger.books.records import AccountRecord, BookRecord, EndRecord, EntryRecord, FundRecord, Record

PAGE = 500
"""Entries that are read at once."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """An entry with its number in this book, and the number of the entry that it reverses."""

    number: int
    reverses: int | None
    entry: EntryRecord


def records(session: Session, *, as_known_at: datetime | None = None) -> Iterator[Record]:
    """Every record of an entries file, in its order; `as_known_at` leaves out entries that were recorded later.

    Read in pages within the session's one transaction, which must see one moment throughout: an entry may commit late
    with a lower number, and a page of its own transaction would miss it.
    """
    yield BookRecord(exchange.functional_currency(session))
    yield from declared_accounts(session)
    yield from declared_funds(session)
    written = 0
    for numbered in entries(session, as_known_at=as_known_at):
        yield numbered.entry
        written += 1
    yield EndRecord(written)


def entries(session: Session, *, as_known_at: datetime | None = None) -> Iterator[Numbered]:
    """Every entry, oldest number first; see `records` for what the session's transaction must be."""
    last = 0
    while page := _page(session, after=last, as_known_at=as_known_at):
        postings = _postings(session, [entry.id for entry, _ in page])
        for entry, reverses in page:
            yield Numbered(entry.id, entry.reverses_id, _record(entry, postings[entry.id], reverses=reverses))
        last = page[-1][0].id


def standing(session: Session, source_key: str) -> EntryRecord | None:
    """The entry that stands under a source key, or None."""
    entry = session.exec(select(Entry).where(Entry.source_key == source_key)).one_or_none()
    if entry is None:
        return None
    original = None if entry.reverses_id is None else session.get_one(Entry, entry.reverses_id).source_key
    return _record(entry, journal.postings_of(session, entry.id), reverses=original)


def declared_accounts(session: Session) -> Iterator[AccountRecord]:
    """The whole chart in the order of its codes."""
    for account in accounts.listed(session):
        yield AccountRecord(account.code, account.name, account.account_class, account.currency, account.closed)


def declared_funds(session: Session) -> Iterator[FundRecord]:
    """All funds in the order of their codes."""
    for fund in funds.listed(session):
        yield FundRecord(fund.code, fund.name, fund.restricted)


def _page(session: Session, *, after: int, as_known_at: datetime | None) -> Sequence[tuple[Entry, str | None]]:
    """The next entries by number, each with the source key of the entry that it reverses."""
    query = (
        select(Entry, _ORIGINALS.c.source_key)
        .outerjoin(_ORIGINALS, _ORIGINALS.c.id == col(Entry.reverses_id))
        .where(Entry.id > after)
        .order_by(col(Entry.id))
        .limit(PAGE)
    )
    if as_known_at is not None:
        query = query.where(Entry.recorded_at <= as_known_at)
    return session.exec(query).all()


def _postings(session: Session, entry_ids: Sequence[int]) -> dict[int, list[Posting]]:
    place = (col(Line.entry_id), col(Line.number))
    lines = session.exec(select(Line).where(col(Line.entry_id).in_(entry_ids)).order_by(*place))
    return {
        entry_id: [journal.posting_of(line) for line in of_entry]
        for entry_id, of_entry in groupby(lines, key=lambda line: line.entry_id)
    }


def _record(entry: Entry, postings: Sequence[Posting], *, reverses: str | None) -> EntryRecord:
    return EntryRecord(
        source_key=entry.source_key,
        kind=entry.kind,
        happened_on=entry.happened_on,
        effective_on=entry.effective_on,
        recorded_at=entry.recorded_at,
        recorded_by=entry.recorded_by,
        postings=tuple(postings),
        reverses=reverses,
        because=entry.because,
    )


_ORIGINALS = SQLModel.metadata.tables["entry"].alias("original")
