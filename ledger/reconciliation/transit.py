"""In transit: what on a day only one side of a bank's leaf has: entries the bank has not shown, lines nobody booked.

An entry is answered by what the bank shows, whatever recipe booked it. What moved before the leaf's first statement is
in that one's opening balance, and so is what was brought forward; neither is awaited.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_core
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from ledger import exceptions
from ledger.books.journal import Entry
from ledger.books.recipes.codes import OPENING
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation import proposals
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
    entry, reversal = col(Entry.id), aliased(Entry)
    total = func.sum(_LINES.c.minor)
    reversed_by_then = select(reversal.id).where(col(reversal.reverses_id) == entry, reversal.effective_on <= on)
    query = (
        select_core(entry, total, col(Entry.happened_on), col(Entry.effective_on))
        .join(_LINES, _LINES.c.entry_id == entry)
        .where(
            _LINES.c.account_code == account,
            col(Entry.effective_on).between(start, on),
            col(Entry.reverses_id).is_(None),
            ~reversed_by_then.exists(),
            ~_answers_of(account, on=on).exists(),
            entry.not_in(_entries_of_whole(account, on=on)),
            entry.not_in(_telling_a_balance(account)),
            ~_brought_forward().exists(),
        )
        .group_by(entry, col(Entry.happened_on), col(Entry.effective_on))
        .order_by(col(Entry.effective_on), entry)
    )
    rows = session.connection().execute(query)
    return [InTransit(number, Money(int(minor), currency), *days) for number, minor, *days in rows if minor]


def lines(session: Session, account: str, *, on: date) -> list[StatementLine]:
    """The lines that the bank has shown by a day and that nothing answers which the books have by then."""
    key = col(StatementLine.source_key)
    booked = select(Match.source_key).join(Entry, col(Entry.id) == Match.entry_id)
    query = select(StatementLine).where(
        StatementLine.account_code == account,
        StatementLine.booked_on <= on,
        ~booked.where(col(Match.source_key) == key, Entry.effective_on <= on).exists(),
        key.not_in(_lines_of_whole(account, on=on)),
    )
    return sorted(session.exec(query), key=lambda line: (line.booked_on, line.source_key))


def tell(session: Session, account: str, *, currency: str, shown_until: date, on: date) -> None:
    """Opens an exception for each entry that the bank should have shown, and closes those that are shown or reversed.

    `shown_until` is the last day that the bank has told of, `on` the day of the exceptions.
    """
    awaited = entries(session, account, currency=currency, on=shown_until)
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


def _answers_of(account: str, *, on: date) -> SelectOfScalar[str]:
    """The lines of a leaf that were shown by a day and that the outer query's entry answers."""
    return (
        select(col(StatementLine.source_key))
        .join(Match, col(Match.source_key) == StatementLine.source_key)
        .where(
            col(Match.entry_id) == col(Entry.id),
            col(StatementLine.account_code) == account,
            col(StatementLine.booked_on) <= on,
        )
    )


def _telling_a_balance(account: str) -> SelectOfScalar[Any]:
    """The entries that explain a balance which the bank told without any line: none is to come."""
    return (
        select(col(Clearing.entry_id))
        .join(OpenException, col(OpenException.alias) == Clearing.exception_alias)
        .where(col(Clearing.entry_id).is_not(None), col(OpenException.account_code) == account)
    )


def _brought_forward() -> SelectOfScalar[int]:
    """The lines of the outer query's entry that bring balances forward."""
    other = _LINES.alias()
    opening = (other.c.account_code == OPENING) | other.c.account_code.startswith(f"{OPENING}:")
    return select(other.c.number).where(other.c.entry_id == col(Entry.id), opening)


def _entries_of_whole(account: str, *, on: date) -> SelectOfScalar[Any]:
    found = select(col(PairingPart.entry_id)).where(col(PairingPart.entry_id).is_not(None))
    return found.where(_is_whole(account, on=on))


def _lines_of_whole(account: str, *, on: date) -> SelectOfScalar[Any]:
    found = select(col(PairingPart.source_key)).where(col(PairingPart.source_key).is_not(None))
    return found.where(_is_whole(account, on=on))


def _is_whole(account: str, *, on: date) -> ColumnElement[bool]:
    """Whether a part's pairing is of the leaf, stands, and each of its lines and entries is of this day or before."""
    part = aliased(PairingPart)
    late_lines = select(col(part.pairing_alias)).join(
        StatementLine, (col(StatementLine.source_key) == part.source_key) & (col(StatementLine.booked_on) > on)
    )
    late_entries = select(col(part.pairing_alias)).join(
        Entry, (col(Entry.id) == part.entry_id) & (col(Entry.effective_on) > on)
    )
    whole = select(col(Pairing.alias)).where(
        col(Pairing.account_code) == account,
        col(Pairing.alias).not_in(select(col(PairingUndone.pairing_alias))),
        col(Pairing.alias).not_in(late_lines),
        col(Pairing.alias).not_in(late_entries),
    )
    return col(PairingPart.pairing_alias).in_(whole)
