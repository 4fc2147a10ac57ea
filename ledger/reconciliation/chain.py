"""The chain of a leaf's statements: each opens with what the one before closed with; gaps and overlaps are named.

The same day told in another format is one link, not two. Statements of one day are ordered by their balances.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from sqlmodel import Session, select

from ledger import exceptions
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation.statements import Statement, StatementLine

BREAKS = (
    Difference.STATEMENT_DOES_NOT_FOLLOW,
    Difference.STATEMENT_MISSING,
    Difference.STATEMENTS_OVERLAP,
)
"""The next day opens otherwise; so it does after days that no statement tells; so it does amid days told before."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain breaks: `residual` is what a statement opens with, less what it should open with."""

    difference: Difference
    before: Statement
    after: Statement
    residual: Money

    @property
    def about(self) -> str:
        """What the exception is about."""
        return f"{self.before.alias}:{self.after.alias}"


def check(session: Session, account: str, *, on: date) -> None:
    """Opens an exception for each break of a leaf's chain, and closes those of breaks that are none any more."""
    breaks = {(one.difference, one.about): one for one in find_breaks(session, account)}
    for opened in exceptions.listed(session):
        about = opened.about.partition(":")[2]
        if opened.difference in BREAKS and opened.account_code == account and (opened.difference, about) not in breaks:
            exceptions.settle(session, opened.difference, about=about, on=on)
    for one in breaks.values():
        exceptions.open_once(
            session, difference=one.difference, account=account, about=one.about, amount=one.residual, on=on
        )


def find_breaks(session: Session, account: str) -> list[Break]:
    """The breaks of a leaf's chain, in the order of its days."""
    links = [one for one in of_account(session, account) if one.closed_on is not None]
    told = {(one.closed_on, one.opening_minor, one.closing_minor): one for one in reversed(links)}
    whole = {(one.closed_on, one.closing_minor) for one in links if one.opening_minor is not None}
    once = [
        one
        for one in links
        if told[one.closed_on, one.opening_minor, one.closing_minor] is one
        and (one.opening_minor is not None or (one.closed_on, one.closing_minor) not in whole)
    ]
    found = (_break_before(session, once, at) for at in range(len(once)))
    return [one for one in found if one is not None]


def close_wrong_openings(session: Session, account: str, *, on: date) -> None:
    """A statement that does not add up by what it opens wrongly with is one difference: that it does not follow."""
    for alias in wrong_openings(session, account):
        exceptions.settle(session, Difference.STATEMENT_DOES_NOT_ADD_UP, about=alias, on=on)


def wrong_openings(session: Session, account: str) -> set[str]:
    """The statements of which nothing but the opening is wrong: it breaks the chain by what does not add up."""
    query = select(OpenException).where(
        OpenException.account_code == account, OpenException.difference == Difference.STATEMENT_DOES_NOT_ADD_UP
    )
    residuals = {one.about.partition(":")[2]: one.minor for one in session.exec(query)}
    breaks = find_breaks(session, account) if residuals else []
    return {one.after.alias for one in breaks if residuals.get(one.after.alias) == -one.residual.minor}


def of_account(session: Session, account: str) -> list[Statement]:
    """The statements of a leaf in the order of their closing days, of one day in the order of their balances."""
    found = session.exec(select(Statement).where(Statement.account_code == account)).all()
    by_day = sorted(found, key=lambda one: (one.closed_on or date.min, one.opened_on or date.min, one.alias))
    ordered: list[Statement] = []
    for _, alike in groupby(by_day, key=lambda one: one.closed_on):
        ordered += _by_balances(list(alike), ordered[-1].closing_minor if ordered else None)
    return ordered


def _by_balances(alike: Sequence[Statement], start: int | None) -> list[Statement]:
    """Statements of one day so that each opens with what the one before closed with, if any order does that.

    Balances are places, statements are ways: a path over all ways, by Hierholzer (1873).
    """
    if len(alike) == 1:
        return list(alike)
    ways: dict[int | None, list[Statement]] = defaultdict(list)
    for one in reversed(alike):
        ways[one.opening_minor].append(one)
    ordered: list[Statement] = []
    while len(ordered) < len(alike):
        ordered += _path(ways, start if ways.get(start) else _place_to_start(ways))
        start = ordered[-1].closing_minor
    return ordered


def _path(ways: dict[int | None, list[Statement]], start: int | None) -> list[Statement]:
    path: list[Statement] = []
    stack: list[tuple[int | None, Statement | None]] = [(start, None)]
    while stack:
        place, way = stack[-1]
        if ways.get(place):
            taken = ways[place].pop()
            stack.append((taken.closing_minor, taken))
        else:
            stack.pop()
            path += [way] if way is not None else []
    return path[::-1]


def _place_to_start(ways: dict[int | None, list[Statement]]) -> int | None:
    """A place from which more ways lead than to it; any, when there is none."""
    left = [one for found in ways.values() for one in found]
    ends = [one.closing_minor for one in left]
    for one in left:
        if len(ways[one.opening_minor]) > ends.count(one.opening_minor):
            return one.opening_minor
    return left[0].opening_minor


def _break_before(session: Session, links: Sequence[Statement], at: int) -> Break | None:
    """Why a statement does not open as it should, or None; nothing is held against a bank that tells no balance."""
    after = links[at]
    opens_on = after.opened_on
    if after.opening_minor is None:
        return None
    if opens_on is None:
        before = links[at - 1] if at else None
        return None if before is None else _compare(before, after, before.closing_minor)
    earlier = [one for one in links if one is not after and _day(one) <= opens_on]
    earlier = [one for one in earlier if _day(one) < _day(after) or links.index(one) < at]
    if not earlier:
        return _compare_within(session, links, after, opens_on)
    last_day = max((_day(one) for one in earlier if _day(one) < opens_on), default=opens_on)
    places = {one.closing_minor for one in earlier if _day(one) >= last_day}
    places |= {one.opening_minor for one in links if _may_tell_a_part(one, after, links)}
    if after.opening_minor in places:
        return None
    before = earlier[-1]
    gap = Difference.STATEMENT_MISSING if _day(before) < opens_on - _DAY else Difference.STATEMENT_DOES_NOT_FOLLOW
    return _compare(before, after, before.closing_minor, difference=gap)


def _may_tell_a_part(one: Statement, other: Statement, links: Sequence[Statement]) -> bool:
    """Whether of two statements that begin on one day one tells a part of the other: of its days, or up to its end."""
    if one is other or one.opened_on != other.opened_on:
        return False
    if any(each.opened_on is not None and each.opened_on < _day(each) for each in (one, other)):
        return True
    ends = [(each.closed_on, each.closing_minor) for each in links]
    return any(ends.count((each.closed_on, each.closing_minor)) > 1 for each in (one, other))


def _compare_within(session: Session, links: Sequence[Statement], after: Statement, opens_on: date) -> Break | None:
    """Holds a statement that begins amid another against what the lines of the days before make of that."""
    around = (one for one in links if one is not after and one.opened_on and one.opened_on < opens_on < _day(one))
    before = next((one for one in around if one.opening_minor is not None), None)
    if before is None:
        return None
    lines = select(StatementLine.minor).where(
        StatementLine.account_code == after.account_code,
        StatementLine.booked_on >= (before.opened_on or date.min),
        StatementLine.booked_on < opens_on,
    )
    expected = (before.opening_minor or 0) + sum(session.exec(lines))
    return _compare(before, after, expected, difference=Difference.STATEMENTS_OVERLAP)


def _compare(
    before: Statement,
    after: Statement,
    expected: int | None,
    *,
    difference: Difference = Difference.STATEMENT_DOES_NOT_FOLLOW,
) -> Break | None:
    if expected is None or after.opening_minor is None or after.opening_minor == expected:
        return None
    return Break(difference, before, after, Money(after.opening_minor - expected, after.currency))


def _day(one: Statement) -> date:
    return one.closed_on or date.min


def newest_with_balance(session: Session, account: str) -> Statement | None:
    """The statement with which a leaf's chain ends, of those that tell a closing balance."""
    closed: Iterator[Statement] = (
        one for one in reversed(of_account(session, account)) if one.closing_minor is not None and one.closed_on
    )
    return next(closed, None)
