"""What stands on the accounts on a day, as known at a moment."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, SQLModel, col, select

from ledger.books.accounts import Account, AccountClass
from ledger.books.journal import Entry, Line
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
    leaves = select(Account.code).where(or_(col(Account.code) == account, col(Account.parent_code) == account))
    query = select(func.sum(_LINES.c.minor)).where(
        _LINES.c.account_code.in_(leaves), _LINES.c.currency == currency, *_until(on, as_known_at)
    )
    if fund is not None:
        query = query.where(_LINES.c.fund_code == fund)
    total = session.connection().execute(query)
    return Money(int(total.scalar_one() or 0), currency)  # PostgreSQL sums to Decimal


def liquid_nets(session: Session, fund: str) -> dict[str, Money]:
    """A fund's liquid assets less its liabilities, by currency."""
    return _nets(session, fund, or_(col(Account.liquid), col(Account.account_class) == AccountClass.LIABILITY))


def cash(session: Session, fund: str) -> dict[str, Money]:
    """What a fund has in cash and at banks and processors, or on its way between them, by currency."""
    return _nets(session, fund, col(Account.cash).is_(True))


def trial_balance(session: Session, *, on: date | None = None, as_known_at: datetime | None = None) -> list[Balance]:
    """Every leaf that moved, per fund and currency, in the order of codes; balances of zero are included."""
    rows = session.connection().execute(
        select(_LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency, func.sum(_LINES.c.minor))
        .where(*_until(on, as_known_at))
        .group_by(_LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency)
    )
    chart = {account.code: account for account in session.exec(select(Account))}
    # Sorted here: the databases sort by their locale.
    return [Balance(chart[code], fund, currency, int(total)) for code, fund, currency, total in sorted(rows)]


def _nets(session: Session, fund: str, counted: ColumnElement[bool]) -> dict[str, Money]:
    totals = session.connection().execute(
        select(_LINES.c.currency, func.sum(_LINES.c.minor))
        .join(Account, col(Account.code) == _LINES.c.account_code)
        .where(counted, _LINES.c.fund_code == fund)
        .group_by(_LINES.c.currency)
    )
    return {currency: Money(int(total), currency) for currency, total in totals}


def _until(on: date | None, as_known_at: datetime | None) -> list[ColumnElement[bool]]:
    """Conditions on the lines' entries; without them the entries need not be read at all."""
    conditions: list[ColumnElement[bool]] = []
    if on is not None:
        conditions.append(_ENTRIES.c.effective_on <= on)
    if as_known_at is not None:
        conditions.append(_ENTRIES.c.recorded_at <= as_known_at)
    return [_ENTRIES.c.id == _LINES.c.entry_id, *conditions] if conditions else []
