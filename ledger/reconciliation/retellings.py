"""Retellings: lines that may tell what another line has told. They are held, and two people say which they are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from ledger import exceptions
from ledger.errors import Refused
from ledger.exceptions import Difference
from ledger.reconciliation import proposals, statements, tellings
from ledger.reconciliation.pairings import LineToldTwice
from ledger.reconciliation.proposals import Item, Reason
from ledger.reconciliation.statements import NewStatement, Statement, StatementLine
from ledger.reconciliation.tellings import SHIFT


class NotToldTwice(Refused):
    """No other line of the leaf tells of as much, near that day."""

    rule = "not_told_twice"


def find_doubtful(
    session: Session, statement: Statement, new: NewStatement, fresh: Sequence[StatementLine]
) -> set[str]:
    """The keys of those new lines of which nobody can tell whether another statement has told them.

    Either the statement may be one that came before (`tellings.may_repeat`), or one of another format tells of the
    same amount, or sum, within `SHIFT`, and does not end where this one begins; or one that may tell of the same days
    has a line of that day and amount with another token, and that line is not told again.
    """
    if not fresh:
        return set()
    days = [line.booked_on for line in fresh]
    query = select(StatementLine, Statement).where(
        StatementLine.account_code == statement.account_code,
        StatementLine.statement_alias == Statement.alias,
        Statement.alias != statement.alias,
        col(StatementLine.booked_on) >= min(days) - SHIFT,
        col(StatementLine.booked_on) <= max(days) + SHIFT,
        col(StatementLine.source_key).not_in(select(LineToldTwice.source_key)),
    )
    standing = list(session.exec(query.order_by(StatementLine.source_key)))
    repeated = {(line.booked_on, line.minor) for line, by in standing if tellings.may_repeat(by, statement)}
    doubtful = {line.source_key for line in fresh if (line.booked_on, line.minor) in repeated}
    foreign = [line for line, by in standing if _may_tell_the_same(by, statement)]
    doubtful |= _find_differing(session, statement, new, fresh, [line for line, _ in standing])
    return doubtful | _find_alike(fresh, _without_known(foreign, new, fresh))


def require_other(session: Session, line: StatementLine) -> None:
    """Refuses that a line was told twice of which no other statement tells.

    Raises:
        NotToldTwice: near its day no answered line of another statement moves as much, or more, the same way; nor do
            several together.
    """
    waiting = {one.source_key for one in statements.unmatched(session, line.account_code)}
    others = [one for one in _near(session, line) if one.source_key not in waiting]
    whole = any((one.minor > 0) == (line.minor > 0) and abs(one.minor) >= abs(line.minor) for one in others)
    if not whole and not any(one.entries for one in proposals.propose([_item(line)], [_item(one) for one in others])):
        raise NotToldTwice("no other statement tells of as much near that day", account=line.account_code)


def others_of(session: Session, line: StatementLine) -> list[StatementLine]:
    """The lines of other statements that may tell what a line tells, the nearest day first.

    They are of its amount; where none is, several that come to it, as far as anybody can tell.
    """
    near = _near(session, line)
    alike = [one for one in near if one.minor == line.minor]
    if not alike:
        proposed = proposals.propose([_item(line)], [_item(one) for one in near])
        keys = {key for one in proposed[:1] for key in one.entries}
        alike = [one for one in near if one.source_key in keys]
    return sorted(alike, key=lambda one: (abs(one.booked_on - line.booked_on), one.source_key))


def _near(session: Session, line: StatementLine) -> list[StatementLine]:
    query = select(StatementLine).where(
        StatementLine.account_code == line.account_code,
        StatementLine.statement_alias != line.statement_alias,
        col(StatementLine.booked_on) >= line.booked_on - proposals.WINDOW,
        col(StatementLine.booked_on) <= line.booked_on + proposals.WINDOW,
        col(StatementLine.source_key).not_in(select(LineToldTwice.source_key)),
    )
    return list(session.exec(query))


def keep(session: Session, line: StatementLine, *, told_by: str, told_at: datetime) -> None:
    """Notes that a line was told twice, so that it waits no more and moves nothing.

    Raises:
        NotToldTwice: see `require_other`.
    """
    require_other(session, line)
    session.add(LineToldTwice(source_key=line.source_key, told_by=told_by, told_at=told_at))
    session.flush()


def is_held(session: Session, source_key: str) -> bool:
    """Whether a line waits for two people to say whether it was told twice."""
    return source_key in exceptions.abouts(session, Difference.PERHAPS_TOLD_TWICE)


def sums_held(session: Session, account: str, *, until: date) -> set[int]:
    """By how much the books may be right without lines that are held: every sum of some of them, in minor units."""
    waiting = exceptions.abouts(session, Difference.PERHAPS_TOLD_TWICE)
    lines = statements.unmatched(session, account) if waiting else []
    held = [one.minor for one in lines if one.booked_on <= until and one.source_key in waiting]
    sums = {0}
    for minor in held[:_MOST_HELD]:
        sums |= {one + minor for one in sums}
    return sums


_MOST_HELD = 12
"""Of how many lines that are held every sum is tried."""


def _find_differing(
    session: Session,
    statement: Statement,
    new: NewStatement,
    fresh: Sequence[StatementLine],
    standing: Sequence[StatementLine],
) -> set[str]:
    """Those new lines that only a token, or a reference on one side, tells from one of their day and amount.

    That one is not told again: without these it would have been taken for the line that is told now, see
    `tellings.differs`. Two lines with different references of ours are two, whatever else is told.
    """
    again = Counter((line.booked_on, line.amount.minor) for line in new.lines)
    again -= Counter((line.booked_on, line.minor) for line in fresh)
    apart = {one for one in {line.statement_alias for line in standing} if tellings.is_apart(session, one, statement)}
    named_again = {line.reference for line in new.lines if line.reference}
    left: dict[tuple[date, int], list[StatementLine]] = {}
    for one in standing:
        if one.statement_alias in apart:
            continue
        if one.reference in named_again:
            again[one.booked_on, one.minor] -= 1
        else:
            left.setdefault((one.booked_on, one.minor), []).append(one)
    return {line.source_key for line in fresh if _may_be_one(line, left, again)}


def _may_be_one(
    line: StatementLine, left: Mapping[tuple[date, int], Sequence[StatementLine]], again: Mapping[tuple[date, int], int]
) -> bool:
    """Whether a line that stands may be this one, and is not told again beside it."""
    key = line.booked_on, line.minor
    possible = [one for one in left.get(key, ()) if not (one.reference and line.reference)]
    return bool(possible) and len(left[key]) > again.get(key, 0)


def _may_tell_the_same(standing: Statement, new: Statement) -> bool:
    if not tellings.are_of_two_formats(standing, new):
        return False
    follows = standing.closing_minor is not None and standing.closing_minor == new.opening_minor
    precedes = new.closing_minor is not None and new.closing_minor == standing.opening_minor
    return not (follows and _is_before(standing, new)) and not (precedes and _is_before(new, standing))


def _is_before(one: Statement, other: Statement) -> bool:
    return one.closed_on is not None and other.closed_on is not None and one.closed_on < other.closed_on


def _without_known(
    standing: Sequence[StatementLine], new: NewStatement, fresh: Sequence[StatementLine]
) -> list[StatementLine]:
    """Those lines that the new statement has not told again under their own day."""
    again = Counter((line.booked_on, line.amount.minor) for line in new.lines)
    again -= Counter((line.booked_on, line.minor) for line in fresh)
    left = []
    for line in standing:
        if again[line.booked_on, line.minor] > 0:
            again[line.booked_on, line.minor] -= 1
        else:
            left.append(line)
    return left


def _find_alike(fresh: Sequence[StatementLine], standing: Sequence[StatementLine]) -> set[str]:
    found = proposals.propose([_item(one) for one in fresh], [_item(one) for one in standing]) if standing else []
    near = {Reason.SAME_DAY, Reason.DAYS_NEAR}
    return {key for one in found if one.entries and near & set(one.reasons) for key in one.lines}


def _item(line: StatementLine) -> Item:
    return Item(line.source_key, line.minor, line.booked_on)
