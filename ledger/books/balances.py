"""What stands on the accounts on a day, as known at a moment."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, Subquery, bindparam, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from ledger.books import rollups
from ledger.books.accounts import Account, AccountClass
from ledger.books.journal import Entry, Line
from ledger.books.rollups import Choice, Columns
from ledger.money import Money

_ENTRIES = SQLModel.metadata.tables[str(Entry.__tablename__)]
_LINES = SQLModel.metadata.tables[str(Line.__tablename__)]


@dataclass(frozen=True, slots=True)
class Balance:
    """The sum of one leaf in one fund and currency; `minor` above zero is a debit balance."""

    account: Account
    fund: str
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class PriorResult:
    """What income and expense of earlier years came to in one fund and currency; below zero is a surplus."""

    fund: str
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class YearToDate:
    """A year's trial balance; together with the prior results it sums to zero per fund and currency."""

    balances: list[Balance]
    prior_results: list[PriorResult]


def balance(
    session: Session,
    account: str,
    *,
    currency: str,
    fund: str | None = None,
    on: date | None = None,
    as_known_at: datetime | None = None,
) -> Money:
    """The debit balance of a leaf, or of a code and all its leaves, at the end of the day `on` (default: of all days).

    A credit balance is negative. `as_known_at` leaves out what was recorded later.
    """
    query = _balance_query(
        rolled_up=rollups.in_force(session, as_known_at=as_known_at),
        of_fund=fund is not None,
        dated=on is not None,
        known=as_known_at is not None,
    )
    asked = {"account": account, "currency": currency, "fund": fund}
    total = session.connection().execute(query, asked | rollups.moments(on=on, as_known_at=as_known_at))
    return Money(int(total.scalar_one() or 0), currency)  # PostgreSQL sums to Decimal


def liquid_nets(session: Session, fund: str) -> dict[str, Money]:
    """A fund's liquid assets less its liabilities, by currency."""
    return _nets(session, fund, or_(col(Account.liquid), col(Account.account_class) == AccountClass.LIABILITY))


def cash(session: Session, fund: str) -> dict[str, Money]:
    """What a fund has in cash and at banks and processors, or on its way between them, by currency."""
    return _nets(session, fund, col(Account.cash).is_(True))


def trial_balance(session: Session, *, on: date | None = None, as_known_at: datetime | None = None) -> list[Balance]:
    """Every leaf that moved, per fund and currency, in the order of codes; balances of zero are included."""
    rolled_up = rollups.in_force(session, as_known_at=as_known_at)
    return _added_up(session, rolled_up=rolled_up, on=on, as_known_at=as_known_at)


def recomputed(session: Session, *, on: date | None = None) -> list[Balance]:
    """The same trial balance from nothing but the lines: what is sealed, and what checks compare with."""
    return _added_up(session, rolled_up=False, on=on, as_known_at=None)


def year_to_date(session: Session, *, on: date, as_known_at: datetime | None = None) -> YearToDate:
    """The trial balance of the calendar year of `on`, without closing entries.

    Income and expense begin at zero on 1 January; what they had come to before stands as prior results. So a year opens
    with the net assets with which the last one closed.
    """
    new_years_eve = date(on.year - 1, 12, 31)
    before = {
        (one.account.code, one.fund, one.currency): one.minor
        for one in trial_balance(session, on=new_years_eve, as_known_at=as_known_at)
        if one.account.account_class in _RESULTS
    }
    prior: dict[tuple[str, str], int] = {}
    for (_, fund, currency), minor in before.items():
        prior[fund, currency] = prior.get((fund, currency), 0) + minor
    return YearToDate(
        balances=[
            replace(one, minor=one.minor - before.get((one.account.code, one.fund, one.currency), 0))
            for one in trial_balance(session, on=on, as_known_at=as_known_at)
        ],
        prior_results=[PriorResult(fund, currency, minor) for (fund, currency), minor in sorted(prior.items())],
    )


_RESULTS = (AccountClass.INCOME, AccountClass.EXPENSE)


def _nets(session: Session, fund: str, counted: ColumnElement[bool]) -> dict[str, Money]:
    codes = select(Account.code).where(counted)

    def chosen(columns: Columns) -> list[ColumnElement[bool]]:
        return [columns.account_code.in_(codes), columns.fund_code == fund]

    moved = _moved(chosen, rolled_up=rollups.in_force(session), dated=False, known=False)
    totals = session.connection().execute(select(moved.c.currency, func.sum(moved.c.minor)).group_by(moved.c.currency))
    return {currency: Money(int(total), currency) for currency, total in totals}


@cache
def _balance_query(*, rolled_up: bool, of_fund: bool, dated: bool, known: bool) -> Select[Any]:
    """Built once for each way to ask: building takes longer than the database does."""
    asked = bindparam("account", type_=String)
    leaves = select(Account.code).where(or_(col(Account.code) == asked, col(Account.parent_code) == asked))

    def chosen(columns: Columns) -> list[ColumnElement[bool]]:
        conditions = [columns.account_code.in_(leaves), columns.currency == bindparam("currency", type_=String)]
        return [*conditions, columns.fund_code == bindparam("fund", type_=String)] if of_fund else conditions

    moved = _moved(chosen, rolled_up=rolled_up, dated=dated, known=known)
    return select_columns(func.sum(moved.c.minor))


@cache
def _trial_query(*, rolled_up: bool, dated: bool, known: bool) -> Select[Any]:
    moved = _moved(lambda _: [], rolled_up=rolled_up, dated=dated, known=known)
    cell = (moved.c.account_code, moved.c.fund_code, moved.c.currency)
    return select_columns(*cell, func.sum(moved.c.minor)).group_by(*cell)


def _moved(choice: Choice, *, rolled_up: bool, dated: bool, known: bool) -> Subquery:
    """What moved, from the roll-ups and the tail, or line by line where no roll-ups help."""
    if rolled_up:
        return rollups.movements(choice=choice, dated=dated, known=known)
    lines = select_columns(_LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency, _LINES.c.minor)
    if dated or known:  # else the entries need not be read at all
        lines = lines.join(_ENTRIES, _ENTRIES.c.id == _LINES.c.entry_id).where(*rollups.until(dated=dated, known=known))
    return lines.where(*choice(_LINES.c)).subquery("movement")


def _added_up(session: Session, *, rolled_up: bool, on: date | None, as_known_at: datetime | None) -> list[Balance]:
    query = _trial_query(rolled_up=rolled_up, dated=on is not None, known=as_known_at is not None)
    rows = session.connection().execute(query, rollups.moments(on=on, as_known_at=as_known_at))
    chart = {account.code: account for account in session.exec(select(Account))}
    # Sorted here: the databases sort by their locale.
    return [Balance(chart[code], fund, currency, int(total)) for code, fund, currency, total in sorted(rows)]
