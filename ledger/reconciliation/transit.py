"""In transit: what on a day only one side of a bank's leaf has: entries the bank has not shown, lines nobody booked.

An entry is answered by what the bank shows, whatever recipe booked it. What moved before the leaf's first statement is
in that one's opening balance, and so is what was brought forward; neither is awaited.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import Subquery, func
from sqlalchemy import select as select_core
from sqlmodel import Session, SQLModel, col, select

from ledger import exceptions
from ledger.books.journal import Entry
from ledger.books.recipes.codes import OPENING
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation import proposals, statements
from ledger.reconciliation.clearings import Clearing
from ledger.reconciliation.pairings import Pairing, PairingPart, PairingUndone
from ledger.reconciliation.statements import Match, Statement, StatementLine

_LINES = SQLModel.metadata.tables["line"]


@dataclass(frozen=True, slots=True)
class InTransit:
    """An entry that the books have and the bank has not shown: above zero it comes in."""

    entry_id: int
    amount: Money
    happened_on: date
    effective_on: date

    def is_overdue(self, on: date) -> bool:
        """Whether the bank should have shown it by this day: no line is matched with an entry farther away."""
        return self.effective_on < on - proposals.WINDOW


def entries(session: Session, account: str, *, currency: str, on: date) -> list[InTransit]:
    """The entries that a leaf has on a day and the bank has not shown by then, the oldest first."""
    start = _first_day(session, account)
    if start is None:
        return []
    # What answers is compared here: databases that have not counted their rows would look at each against each.
    shown = {*_answered(session, account, on=on), *_explaining(session, account), *_brought_forward(session)}
    shown |= _reversed(session, on=on)
    shown |= {part.entry_id for part in _parts(session, account) if part.is_whole(on)}
    moved = moved_by_entry(account)
    query = (
        select_core(moved.c.entry_id, moved.c.minor, col(Entry.happened_on), col(Entry.effective_on))
        .join(Entry, col(Entry.id) == moved.c.entry_id)
        .where(col(Entry.reverses_id).is_(None))
    )
    found = [
        InTransit(number, Money(int(minor), currency), happened_on, effective_on)
        for number, minor, happened_on, effective_on in session.connection().execute(query)
        if minor and start <= effective_on <= on and number not in shown
    ]
    return sorted(found, key=lambda one: (one.effective_on, one.entry_id))


def moved_by_entry(account: str) -> Subquery:
    """What each entry moves on a leaf: `entry_id` and `minor`.

    Added up before entries are looked at: their lines lie together in the index, and an entry is found by its number.
    """
    total = func.sum(_LINES.c.minor).label("minor")
    of_leaf = select_core(_LINES.c.entry_id, total).where(_LINES.c.account_code == account)
    return of_leaf.group_by(_LINES.c.entry_id).subquery()


def lines(session: Session, account: str, *, on: date) -> list[StatementLine]:
    """The lines that the bank has shown by a day and that nothing answers which the books have by then."""
    of_leaf = (StatementLine.account_code == account, col(StatementLine.booked_on) <= on)
    later = (
        select(StatementLine)
        .join(Match, col(Match.source_key) == StatementLine.source_key)
        .join(Entry, col(Entry.id) == Match.entry_id)
        .where(*of_leaf, Entry.effective_on > on)
    )
    waiting = select(StatementLine).where(*of_leaf, *statements.unanswered())
    partly = [part.source_key for part in _parts(session, account) if part.source_key and not part.is_whole(on)]
    found = [*session.exec(waiting), *session.exec(later), *(session.get_one(StatementLine, key) for key in partly)]
    return sorted((line for line in found if line.booked_on <= on), key=lambda line: (line.booked_on, line.source_key))


def tell(session: Session, account: str, *, awaited: Collection[InTransit], shown_until: date, on: date) -> None:
    """Opens an exception for each entry that the bank should have shown, and closes those that are shown or reversed.

    `shown_until` is the last day that the bank has told of, `awaited` the leaf's `entries` on it, `on` the day of the
    exceptions.
    """
    standing = {about(account, one.entry_id) for one in awaited}
    waiting = select(OpenException).where(
        OpenException.account_code == account,
        OpenException.difference == Difference.ENTRY_NOT_SEEN,
        col(OpenException.resolved_on).is_(None),
    )
    for opened in session.exec(waiting):
        key = opened.about.partition(":")[2]
        if key not in standing:
            exceptions.settle(session, Difference.ENTRY_NOT_SEEN, about=key, on=on)
    for one in awaited:
        if one.is_overdue(shown_until):
            exceptions.open_once(
                session,
                difference=Difference.ENTRY_NOT_SEEN,
                account=account,
                about=about(account, one.entry_id),
                amount=one.amount,
                on=on,
            )


def about(account: str, entry_id: int) -> str:
    """What an exception is about that tells of an entry which the bank has not shown on a leaf."""
    return f"{account}:{entry_id}"


def _first_day(session: Session, account: str) -> date | None:
    """The first day that the bank has told of."""
    days = select(func.min(Statement.opened_on), func.min(Statement.closed_on))
    of_lines = select(func.min(StatementLine.booked_on)).where(StatementLine.account_code == account)
    told = [*session.exec(days.where(Statement.account_code == account)).one(), session.exec(of_lines).one()]
    return min((day for day in told if day is not None), default=None)


def _answered(session: Session, account: str, *, on: date) -> Iterable[int]:
    """The entries that answer lines of the leaf which were shown by a day."""
    query = select(Match.entry_id).join(StatementLine, col(StatementLine.source_key) == Match.source_key)
    return session.exec(query.where(StatementLine.account_code == account, StatementLine.booked_on <= on))


def _explaining(session: Session, account: str) -> Iterable[int | None]:
    """The entries that explain a balance which the bank told without any line: none is to come."""
    query = select(Clearing.entry_id).join(OpenException, col(OpenException.alias) == Clearing.exception_alias)
    return session.exec(query.where(col(Clearing.entry_id).is_not(None), OpenException.account_code == account))


def _brought_forward(session: Session) -> Iterable[int]:
    """The entries that bring balances forward."""
    opening = (_LINES.c.account_code == OPENING) | _LINES.c.account_code.startswith(f"{OPENING}:")
    return session.exec(select(_LINES.c.entry_id).where(opening))


def _reversed(session: Session, *, on: date) -> set[int | None]:
    query = select(Entry.reverses_id).where(col(Entry.reverses_id).is_not(None), col(Entry.effective_on) <= on)
    return set(session.exec(query))


class _Part(NamedTuple):
    """A line or an entry of a pairing that stands, and the last day of all of its parts."""

    source_key: str | None
    entry_id: int | None
    complete_on: date

    def is_whole(self, on: date) -> bool:
        return self.complete_on <= on


def _parts(session: Session, account: str) -> list[_Part]:
    alias = col(PairingPart.pairing_alias)
    query = (
        select_core(alias, col(PairingPart.source_key), col(PairingPart.entry_id))
        .add_columns(func.coalesce(col(StatementLine.booked_on), col(Entry.effective_on)))
        .join(Pairing, col(Pairing.alias) == alias)
        .join(PairingUndone, col(PairingUndone.pairing_alias) == alias, isouter=True)
        .join(StatementLine, col(StatementLine.source_key) == PairingPart.source_key, isouter=True)
        .join(Entry, col(Entry.id) == PairingPart.entry_id, isouter=True)
        .where(col(Pairing.account_code) == account, col(PairingUndone.pairing_alias).is_(None))
    )
    found = [tuple(row) for row in session.connection().execute(query)]
    last: dict[str, date] = {}
    for pairing, _, _, on in found:
        last[pairing] = max(last.get(pairing, on), on)
    return [_Part(source_key, entry_id, last[pairing]) for pairing, source_key, entry_id, _ in found]
