"""Facts that take a leaf or a fund below zero: they are booked all the same, and somebody is told, once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from ledger import exceptions
from ledger.books import balances, spending
from ledger.books.accounts import Account, AccountClass
from ledger.books.journal import Entry, Line
from ledger.exceptions import Difference
from ledger.money import Money

IN_TRANSIT = "1050"
"""Money on its way is no place that can be overdrawn: a bank may show that it arrived before another that it left."""


@contextmanager
def noted(session: Session, *, on: date) -> Iterator[None]:
    """Whatever facts are booked in the block: where they take money from, leaves and funds are looked at afterwards.

    A leaf below zero in a currency, and a fund that has promised more than it has, opens an exception with the amount,
    unless one waits already. Where money only came in, nothing is added up.
    """
    before = session.exec(select(func.max(Entry.id))).one() or 0
    yield
    # Unique: who sees the same newest entry sees the exception that came with it too.
    about = str(session.exec(select(func.max(Entry.id))).one())
    for leaf, currency in _lowered_leaves(session, after=before):
        _look_at_leaf(session, leaf, currency, about=about, on=on)
    for fund, leaf in _lowered_funds(session, after=before):
        look_at_fund(session, fund, account=leaf, about=about, on=on)


def look_at_fund(session: Session, fund: str, *, account: str, about: str, on: date) -> None:
    """Opens an exception when a fund has promised more than it has, unless one waits; `account` is where money went."""
    short = spending.shortfall(session, fund, on=on)
    if short is None or exceptions.is_open(session, Difference.BELOW_ZERO, fund=fund):
        return
    exceptions.open_once(
        session,
        difference=Difference.BELOW_ZERO,
        account=account,
        fund=fund,
        about=f"fund:{fund}:{about}",
        amount=short,
        on=on,
    )


def _look_at_leaf(session: Session, leaf: str, currency: str, *, about: str, on: date) -> None:
    standing = balances.balance(session, leaf, currency=currency)
    if standing.minor >= 0 or exceptions.is_open(
        session, Difference.BELOW_ZERO, account=leaf, currency=currency, fund=None
    ):
        return
    exceptions.open_once(
        session,
        difference=Difference.BELOW_ZERO,
        account=leaf,
        about=f"{leaf}:{currency}:{about}",
        amount=Money(standing.minor, currency),
        on=on,
    )


def _lowered_leaves(session: Session, *, after: int) -> Sequence[tuple[str, str]]:
    """The leaves from which entries after this one took money, with its currency; none of `IN_TRANSIT`."""
    query = (
        select(Line.account_code, Line.currency)
        .join(Account, col(Account.code) == Line.account_code)
        .where(Line.entry_id > after, Line.minor < 0, Account.account_class == AccountClass.ASSET, Account.liquid)
        .where(col(Account.parent_code).is_distinct_from(IN_TRANSIT))
        .distinct()
    )
    return sorted(session.exec(query).all())


def _lowered_funds(session: Session, *, after: int) -> Sequence[tuple[str, str]]:
    """The funds that have less after these entries, in one currency at least, with a leaf that money left."""
    query = (
        select(Line.fund_code, func.min(Line.account_code))
        .join(Account, col(Account.code) == Line.account_code)
        .where(Line.entry_id > after, or_(col(Account.liquid), col(Account.account_class) == AccountClass.LIABILITY))
        .group_by(col(Line.fund_code), col(Line.currency))
        .having(func.sum(Line.minor) < 0)
    )
    return sorted(dict(session.exec(query).all()).items())
