"""Checks of each entry by itself: one walk through the journal, and at every entry a list of small rules."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel
from sqlmodel import select as select_rows

from ledger.aliases import Kind, kind_of
from ledger.books import journal, periods
from ledger.books.accounts import Account
from ledger.books.funds import Fund
from ledger.books.periods import ClosedMonth, SoftClosedMonth
from ledger.books.postings import LARGEST_POSTING_MINOR, SUBJECT_KINDS, mirrored
from ledger.checks import sealed
from ledger.checks.findings import Fact, Finding, Tell
from ledger.checks.sealed import SealedEntry
from ledger.closing import AdmittedEntry

_ENTRIES = SQLModel.metadata.tables["entry"]
_LINES = SQLModel.metadata.tables["line"]
Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an entry is judged by: chart, funds, closed months (last day to moment), and the entries it reverses.

    `softly` are the months closed softly, then perhaps for good; `admitted` the fingerprints that they took in later.
    """

    chart: Mapping[str, Account]
    funds: frozenset[str]
    closed: Mapping[date, datetime]
    softly: Mapping[date, datetime]
    admitted: frozenset[str]
    originals: Mapping[int, SealedEntry]


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """One promise about every entry; `rule` gives the facts for each way in which one breaks it."""

    name: str
    promise: str
    rule: Callable[[SealedEntry, Surroundings], Iterable[Facts]]


def walk(session: Session, checks: Sequence[EntryCheck], tell: Tell) -> Iterator[Finding]:
    """Every entry once, by all of these rules; what cannot be read is found under `readable`."""
    chart = {account.code: account for account in session.exec(select_rows(Account))}
    codes = frozenset(session.exec(select_rows(Fund.code)))
    closed = {month.last_day: month.closed_at for month in session.exec(select_rows(ClosedMonth))}
    softly = {month.last_day: month.closed_at for month in session.exec(select_rows(SoftClosedMonth))}
    admitted = frozenset(session.exec(select_rows(AdmittedEntry.fingerprint)))
    done, total = 0, sealed.count(session)
    for page in sealed.pages(session):
        readable = [entry for entry in page if isinstance(entry, SealedEntry)]
        originals = sealed.numbered(session, [e.reverses_id for e in readable if e.reverses_id is not None])
        around = Surroundings(chart, codes, closed, softly, admitted, originals)
        for entry in page:
            if not isinstance(entry, SealedEntry):
                yield Finding("readable", "entry", str(entry.id), {"where": entry.where})
                continue
            for check in checks:
                for facts in check.rule(entry, around):
                    yield Finding(check.name, "entry", str(entry.id), facts)
        done += len(page)
        tell(done, total)


def find_orphans(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Lines whose entry, of the same transaction, does not stand."""
    same = (_ENTRIES.c.id == _LINES.c.entry_id) & (_ENTRIES.c.xact_id == _LINES.c.xact_id)
    query = select(_LINES.c.entry_id, func.count()).where(~select(_ENTRIES.c.id).where(same).exists())
    for entry_id, lines in session.connection().execute(query.group_by(_LINES.c.entry_id)):
        yield Finding("orphans", "entry", str(entry_id), {"lines": lines})


def find_twice(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Source keys and originals that stand in several entries."""
    for name, column in (("source_key", _ENTRIES.c.source_key), ("reverses", _ENTRIES.c.reverses_id)):
        query = select(func.min(_ENTRIES.c.id), func.max(_ENTRIES.c.id), func.count())
        query = query.where(column.is_not(None)).group_by(column).having(func.count() > 1)
        for first, last, times in session.connection().execute(query):
            yield Finding("once", "entry", str(last), {"shared": name, "first_entry": first, "times": times})


def find_gaps(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Numbers that are missing. PostgreSQL's sequence skips some by itself, there nothing can be told from a gap."""
    if session.connection().dialect.name != "sqlite":
        return
    before = _ENTRIES.alias("before")
    query = select(_ENTRIES.c.id).where(
        _ENTRIES.c.id > 1, ~select(before.c.id).where(before.c.id == _ENTRIES.c.id - 1).exists()
    )
    for entry_id in session.connection().scalars(query):
        yield Finding("gaps", "entry", str(entry_id - 1))


def _readable(entry: SealedEntry, _around: Surroundings) -> Iterator[Facts]:
    """What is read at all, is within the limits that the journal sets to it."""
    latest = entry.recorded_at.astimezone(UTC).date() + timedelta(days=1)
    days = {"happened_on": entry.happened_on, "effective_on": entry.effective_on}
    days |= {f"rate_on of line {line.number}": line.posting.rate_on or journal.EARLIEST for line in entry.lines}
    for name, day in days.items():
        if not journal.EARLIEST <= day <= latest:
            yield {"where": name, "day": day.isoformat()}
    for line in entry.lines:
        if not 0 < abs(line.minor) <= LARGEST_POSTING_MINOR:
            yield {"where": f"minor of line {line.number}"}


def _balanced(entry: SealedEntry, _around: Surroundings) -> Iterator[Facts]:
    sums: Counter[tuple[str, str]] = Counter()
    for line in entry.lines:
        sums[line.posting.money.currency, line.posting.fund] += line.minor
    for (currency, fund), residual in sorted(sums.items()):
        if residual:
            yield {"currency": currency, "fund": fund, "residual_minor": residual}


def _numbered(entry: SealedEntry, _around: Surroundings) -> Iterator[Facts]:
    numbers = [line.number for line in entry.lines]
    fewest, most = journal.FEWEST_LINES, journal.MOST_LINES
    if not fewest <= len(numbers) <= most or numbers != list(range(1, len(numbers) + 1)):
        yield {"lines": len(numbers), "last_number": numbers[-1] if numbers else None}


def _as_agreed(entry: SealedEntry, around: Surroundings) -> Iterator[Facts]:
    days = {entry.effective_on}
    if entry.reverses_id is None and _was_moved(entry, around):
        days.add(entry.happened_on)  # the fingerprint is of the day before it was moved
    if not any(_fingerprint(entry, effective_on=day) == entry.fingerprint for day in days):
        yield {"kind": entry.kind, "effective_on": entry.effective_on.isoformat()}


def _in_open_month(entry: SealedEntry, around: Surroundings) -> Iterator[Facts]:
    softly = {} if entry.fingerprint in around.admitted else around.softly
    for last_day, closed_at in (*around.closed.items(), *softly.items()):
        if entry.effective_on <= last_day and closed_at + periods.IN_FLIGHT < entry.recorded_at:
            yield {"effective_on": entry.effective_on.isoformat(), "closed_through": last_day.isoformat()}
            return


def _on_real_accounts(entry: SealedEntry, around: Surroundings) -> Iterator[Facts]:
    """An account may be closed, and a code that is not pooled may get leaves, after something was booked on it."""
    for line in entry.lines:
        posting = line.posting
        account = around.chart.get(posting.account)
        if account is None or posting.fund not in around.funds:
            yield {"line": line.number, "where": "account" if account is None else "fund"}
        elif account.currency not in {None, posting.money.currency}:
            yield {"line": line.number, "account": account.code, "currency": posting.money.currency}
        elif account.pooled and account.parent_code is None:
            yield {"line": line.number, "account": account.code, "where": "leaf"}


def _about_something(entry: SealedEntry, around: Surroundings) -> Iterator[Facts]:
    for line in entry.lines:
        posting = line.posting
        account = around.chart.get(posting.account)
        required = [word for word in account.subject.split(",") if word] if account else []
        admitted = {SUBJECT_KINDS[word] for word in required if word in SUBJECT_KINDS}
        kind = kind_of(posting.subject or "")
        if (posting.subject is not None and kind is None) or (required and kind not in admitted):
            yield {"line": line.number, "account": posting.account, "subject": ",".join(required)}
        if posting.case is not None and kind_of(posting.case) is not Kind.CASE:
            yield {"line": line.number, "where": "case"}


def _mirrors_its_original(entry: SealedEntry, around: Surroundings) -> Iterator[Facts]:
    if entry.reverses_id is None:
        if entry.because is not None:
            yield {"where": "because"}
        return
    original = around.originals.get(entry.reverses_id)
    told: dict[str, Fact] = {"reverses": entry.reverses_id}
    if original is None or original.reverses_id is not None or entry.because is None:
        yield told | {"where": "original" if entry.because else "because"}
    elif entry.effective_on < original.effective_on:
        yield told | {"effective_on": entry.effective_on.isoformat()}
    elif entry.postings() != [mirrored(one, rate_on=original.effective_on) for one in original.postings()]:
        yield told | {"where": "lines"}


def _was_moved(entry: SealedEntry, around: Surroundings) -> bool:
    """Whether the day of effect is the first one that was open when the entry was recorded."""
    through = entry.effective_on - timedelta(days=1)
    closed_at = around.softly.get(through) or around.closed.get(through)  # softly before, where both
    return closed_at is not None and entry.happened_on <= through and closed_at <= entry.recorded_at + periods.IN_FLIGHT


def _fingerprint(entry: SealedEntry, *, effective_on: date) -> str:
    return journal.fingerprint_of(
        entry.postings(),
        source_key=entry.source_key,
        kind=entry.kind,
        happened_on=entry.happened_on,
        effective_on=effective_on,
        reverses_id=entry.reverses_id,
        because=entry.because,
    )


ENTRY_CHECKS = (
    EntryCheck("readable", "every entry and line holds days, numbers and currencies that can be", _readable),
    EntryCheck("balanced", "every entry sums to zero per currency and fund", _balanced),
    EntryCheck("numbered", "every entry has two lines or more, numbered from one without a gap", _numbered),
    EntryCheck("as-agreed", "every entry is what was agreed: its fingerprint is that of its content", _as_agreed),
    EntryCheck("open-month", "no entry is dated in a month that was closed before it was recorded", _in_open_month),
    EntryCheck("accounts", "every line is on a leaf of its currency, in a fund of the book", _on_real_accounts),
    EntryCheck("subjects", "every line names the kind of subject that its account requires", _about_something),
    EntryCheck("reversals", "every reversal is the mirror image of one earlier entry", _mirrors_its_original),
)
