"""Imports: the records of an entries file booked, all of them or none. Administration, not a door of the API.

Into a book without entries a file is a *copy*: its entries keep their source keys, their moments and their recorders.
Into any other book it is an *addition*: keys begin with `import:`, and what is new is recorded now, by `import`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from sqlmodel import Session, select

from ledger.books import accounts, bulk, exchange, exports, funds, journal
from ledger.books.accounts import Account
from ledger.books.entries import Draft, NewEntry, draft
from ledger.books.funds import Fund
from ledger.books.journal import BadEntry, Entry, Posted, SourceKeyConflict
from ledger.books.postings import mirrored
from ledger.books.record_reader import LONGEST_LINE, BadRecord, read
from ledger.books.records import AccountRecord, BookRecord, EndRecord, EntryRecord, FundRecord
from ledger.errors import BadInput, LedgerError

NAMESPACE = "import:"
"""What the source keys of an addition begin with, so that none can stand for a delivery of a bank or a processor."""
RECORDER = "import"
"""Who recorded an entry whose file names nobody, or is an addition."""
TOGETHER = 500
"""Entries that are booked together."""
MOST_NUMBERS = 100
"""Entries whose numbers an import tells: whoever books a correction matches it with a line, or closes an exception."""
MOST_PROBLEMS = 100
"""Bad lines that are told one by one; reading ends there."""


class BadEntriesFile(BadInput):
    """Nothing of the file was booked. `problems` are its bad lines; the data counts them, and names the first."""

    rule = "bad_entries_file"

    def __init__(self, problems: "tuple[Problem, ...]") -> None:
        first = problems[0]
        super().__init__("nothing was booked", count=len(problems), line=first.line, first=first.refusal.rule)
        self.problems = problems


class OtherBook(BadInput):
    """The file's functional currency, an account or a fund is not what it is in this book."""

    rule = "other_book"


class OwnKeyRefused(BadInput):
    """A source key without `import:`, for an entry that does not stand, in a book that has entries."""

    rule = "own_key_refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """A bad line by its number, from 1, and what is wrong with it."""

    line: int
    refusal: LedgerError


@dataclass(frozen=True, slots=True)
class Imported:
    """How many entries were new, and how many stood already; by source key the numbers of the first of both."""

    booked: int
    standing: int
    numbers: dict[str, int] = field(default_factory=dict, compare=False)


def book(
    session: Session, lines: Iterable[bytes], *, at: datetime, report: Callable[[int], None] | None = None
) -> Imported:
    """Books the lines of an entries file, each with its line feed; `report` hears how many were read.

    An account or fund that the file declares and the book lacks is added. What stands already is not booked again.

    Raises:
        BadEntriesFile: with every bad line up to MOST_PROBLEMS. The caller rolls back, for what precedes is written.
    """
    importing = _Import(session, at=at)
    problems = importing.problems
    number = 0
    for number, line in enumerate(lines, start=1):
        try:
            importing.take(line, number=number)
        except LedgerError as refusal:
            problems.append(Problem(number, refusal))
        if problems and (len(problems) >= MOST_PROBLEMS or not importing.opened):
            break
        if report is not None:
            report(number)
    importing.book_waiting()
    if not problems and importing.told is None:
        problems.append(Problem(number + 1, BadRecord("the file ends without its end record", where="record")))
    elif not problems and importing.told != importing.booked + importing.stood:
        problems.append(Problem(number, BadRecord("the end record counts other entries", where="entries")))
    if problems:
        raise BadEntriesFile(tuple(sorted(problems, key=lambda one: one.line)[:MOST_PROBLEMS]))
    importing.finish()
    return Imported(booked=importing.booked, standing=importing.stood, numbers=importing.numbers)


def raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file with their line feeds; of one that is too long only as much as shows that it is."""
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)


class _Import:
    """One file on its way into one book: what it has declared, and how much of it is booked."""

    def __init__(self, session: Session, *, at: datetime) -> None:
        self._session = session
        self._at = at
        self._copy = session.exec(select(Entry.id).limit(1)).first() is None
        self._leaves: dict[str, AccountRecord] = {}
        self._closed: list[str] = []
        self._waiting: list[tuple[int, Draft]] = []
        self._waiting_lines = 0
        self.opened = False
        self.told: int | None = None
        self.booked = self.stood = 0
        self.numbers: dict[str, int] = {}
        self.problems: list[Problem] = []

    def take(self, line: bytes, *, number: int) -> None:
        """Reads the next line and does what its record says; entries wait for others, to be booked together."""
        record = read(line)
        if isinstance(record, BookRecord) is self.opened or self.told is not None:
            raise BadRecord("the first record, and no other, is the book's; none follows the end", where="record")
        match record:
            case BookRecord():
                self._open(record)
            case AccountRecord() | FundRecord() if self.booked or self.stood or self._waiting:
                raise BadRecord("accounts and funds stand before the entries", where="record")
            case AccountRecord():
                self._declare_account(record)
            case FundRecord():
                self._declare_fund(record)
            case EntryRecord():
                self._take_entry(record, number=number)
            case EndRecord():
                self.told = record.entries

    def book_waiting(self) -> None:
        """Books the entries that wait; each that is refused is a problem, and hinders none of the others."""
        while self._waiting and len(self.problems) < MOST_PROBLEMS:
            try:
                posted = bulk.post_drafts(self._session, [draft for _, draft in self._waiting])
            except LedgerError as refusal:
                number, _ = self._waiting.pop(int(refusal.data.pop("position") or 0) - 1)
                self.problems.append(Problem(number, refusal))
            else:
                for (_, waiting), one in zip(self._waiting, posted, strict=True):
                    self._count(waiting.source_key, one)
                self._waiting.clear()
        self._waiting_lines = 0

    def finish(self) -> None:
        """Adds the declared accounts that no entry needed, and closes those that are closed."""
        for code in list(self._leaves):
            self._add_leaf(code)
        for code in self._closed:
            accounts.close(self._session, code)

    def _open(self, told: BookRecord) -> None:
        own = exchange.functional_currency(self._session)
        if told.functional_currency != own:
            raise OtherBook("the book reports in another currency", functional_currency=own)
        self.opened = True

    def _declare_account(self, told: AccountRecord) -> None:
        """A leaf is added when the first entry needs it: until then its parent may have been posted to itself."""
        account = self._session.get(Account, told.code)
        if account is None:
            account = accounts.draft_leaf(self._session, told.code, name=told.name, currency=told.currency)
            self._leaves[told.code] = told
        if (account.account_class, account.currency) != (told.account_class, told.currency):
            raise OtherBook("the account has another class or currency here", account=account.code)
        if told.closed and (self._copy or told.code in self._leaves):
            self._closed.append(told.code)

    def _declare_fund(self, told: FundRecord) -> None:
        standing = self._session.get(Fund, told.code)
        if standing is None:
            funds.add(self._session, told.code, name=told.name, restricted=told.restricted)
        elif standing.restricted is not told.restricted:
            raise OtherBook("the fund is restricted in one of the two books only", fund=standing.code)

    def _add_leaf(self, code: str) -> None:
        leaf = self._leaves.pop(code, None)
        if leaf is not None:
            accounts.add_leaf(self._session, code, name=leaf.name, currency=leaf.currency)

    def _take_entry(self, told: EntryRecord, *, number: int) -> None:
        if not self._copy:
            standing = exports.standing(self._session, told.source_key)
            if standing is not None:
                if _agreed(standing) != _agreed(told):
                    raise SourceKeyConflict("the source key is booked with another content")
                self.stood += 1
                if len(self.numbers) < MOST_NUMBERS:
                    known = select(Entry.id).where(Entry.source_key == told.source_key)
                    self.numbers[told.source_key] = int(self._session.exec(known).one() or 0)
                return
            self._require_own_namespace(told)
        missing = {posting.account for posting in told.postings} & self._leaves.keys()
        if missing or told.reverses is not None or self._is_full(told):
            self.book_waiting()
        for code in missing:
            self._add_leaf(code)
        recorded_at, recorded_by = self._recorded(told)
        if told.reverses is None:
            new = NewEntry(told.source_key, told.kind, told.postings, told.happened_on, told.effective_on)
            self._waiting.append((number, draft(new, recorded_at=recorded_at, recorded_by=recorded_by)))
            self._waiting_lines += len(told.postings)
        else:
            reversal = self._reverse(told, told.reverses, recorded_at=recorded_at, recorded_by=recorded_by)
            self._count(told.source_key, reversal)

    def _is_full(self, told: EntryRecord) -> bool:
        """Whether one more entry would be too much for one call."""
        lines = self._waiting_lines + len(told.postings)
        return len(self._waiting) >= TOGETHER or lines > bulk.MOST_LINES_TOGETHER

    def _count(self, source_key: str, posted: Posted) -> None:
        self.stood += posted.replayed
        self.booked += not posted.replayed
        if len(self.numbers) < MOST_NUMBERS:
            self.numbers[source_key] = posted.entry_id

    def _require_own_namespace(self, told: EntryRecord) -> None:
        if not all(key.startswith(NAMESPACE) for key in (told.source_key, told.reverses or NAMESPACE)):
            raise OwnKeyRefused("what is added to a book with entries, or reversed in it, has a key of imports")

    def _recorded(self, told: EntryRecord) -> tuple[datetime, str]:
        """When and by whom: as the file says in a copy, else now and by the import itself."""
        if not self._copy:
            return self._at, RECORDER
        recorded_at = told.recorded_at or self._at
        if recorded_at > self._at:
            raise BadEntry("the entry was recorded in the future", where="recorded_at")
        return recorded_at, told.recorded_by or RECORDER

    def _reverse(self, told: EntryRecord, key: str, *, recorded_at: datetime, recorded_by: str) -> Posted:
        original = self._session.exec(select(Entry).where(Entry.source_key == key)).one_or_none()
        if original is None or told.because is None:
            raise BadEntry("no entry before it has the key of what it reverses", where="reverses")
        lines = journal.postings_of(self._session, original.id)
        mirror = tuple(mirrored(posting, rate_on=original.effective_on) for posting in lines)
        if (told.postings, told.kind, told.happened_on) != (mirror, "reversal", told.effective_on):
            raise BadEntry("a reversal is the mirror image of its original, on one day", where="reverses")
        return journal.reverse(
            self._session,
            original.id,
            source_key=told.source_key,
            because=told.because,
            on=told.effective_on,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )


def _agreed(entry: EntryRecord) -> EntryRecord:
    """What makes two entries the same: everything but when and by whom they were recorded."""
    return replace(entry, recorded_at=None, recorded_by=None)
