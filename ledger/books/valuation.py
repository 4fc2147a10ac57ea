"""Valuation: what the books are worth in the functional currency, on a day and over a span of days.

Nothing is posted. Assets and liabilities count at the rate of the day they are shown for; income, expense and what
moves net assets at the rate of the line's own rate date, by default the day it was booked on.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel

from ledger.books import accounts
from ledger.books.accounts import Account, AccountClass
from ledger.books.exchange import EARLIEST, RateTable
from ledger.books.journal import Entry, Line
from ledger.books.recipes.codes import EXCHANGE
from ledger.errors import BadInput

STANDING = frozenset({AccountClass.ASSET, AccountClass.LIABILITY})
"""The classes whose balances are worth something: their sum is a fund's net assets."""
Balances = Counter[tuple[str, str, str]]
"""Debit balances by leaf, fund and currency, in minor units."""


class BadSpan(BadInput):
    """A span of days that ends before it begins, or begins before there are books."""

    rule = "bad_span"


@dataclass(frozen=True, slots=True)
class Cell:
    """The smallest figure: one leaf, fund and currency on one day, at the rate of `rate_on`. Debits are above zero.

    `minor` is in its currency; `worth` in minor units of the functional currency, exactly.
    """

    account: Account
    fund: str
    currency: str
    on: date
    rate_on: date
    minor: int
    worth: Fraction

    @property
    def worth_minor(self) -> int:
        """`worth` in whole minor units, half to even. Totals add these, and round nothing more."""
        return round(self.worth)


@dataclass(frozen=True, slots=True)
class Movement:
    """What was booked on one leaf of one fund in one currency, on one day with one rate date; debits above zero."""

    account: Account
    fund: str
    currency: str
    on: date
    rate_on: date
    minor: int


@dataclass(frozen=True, slots=True)
class Valuation:
    """A span of days, both included: where it began, what flowed, where it ended.

    `opening` and `closing` are the balances of assets and liabilities at the ends of the day before and the last day;
    `flows` everything else but currency exchange. `movements` are all of the span's, as they were booked.
    """

    since: date
    until: date
    as_known_at: datetime | None
    opening: tuple[Cell, ...]
    flows: tuple[Cell, ...]
    closing: tuple[Cell, ...]
    movements: tuple[Movement, ...]
    rates: RateTable

    @property
    def before(self) -> date:
        """The day before the first."""
        return self.since - timedelta(days=1)


def net_assets(session: Session, *, on: date, as_known_at: datetime | None = None) -> dict[str, int]:
    """Assets less liabilities of each fund that has any at the end of a day, in functional minor units.

    Raises:
        NoRate: a currency that stands on an account has none for the day.
    """
    return by_fund(standing(session, on=on, as_known_at=as_known_at))


def standing(session: Session, *, on: date, as_known_at: datetime | None = None) -> tuple[Cell, ...]:
    """The balances of assets and liabilities at the end of a day, those of zero left out; raises `NoRate`."""
    chart = {account.code: account for account in accounts.listed(session)}
    stood = _balances(session, _codes(chart), on=on, as_known_at=as_known_at)
    return _at_rates(stood, chart, RateTable(session, as_known_at=as_known_at), on=on)


def value(
    session: Session, *, since: date, until: date, as_known_at: datetime | None = None, cash_only: bool = False
) -> Valuation:
    """Values a span. Spans that follow one another add up to the whole: no cell reaches over the end of a day.

    `cash_only` looks at nothing but accounts of cash, which have balances and no flows.

    Raises:
        BadSpan: it ends before it begins, or begins before 1990-01-02.
        NoRate: a currency has none for a day on which one is needed.
    """
    check_span(since=since, until=until)
    rates = RateTable(session, as_known_at=as_known_at)
    before = since - timedelta(days=1)
    chart = {account.code: account for account in accounts.listed(session) if account.cash or not cash_only}
    stood = _balances(session, _codes(chart), on=before, as_known_at=as_known_at)
    movements = _movements(session, chart, since=since, until=until, as_known_at=as_known_at)
    stands = Counter(stood)
    for one in movements:
        if one.account.account_class in STANDING:
            stands[one.account.code, one.fund, one.currency] += one.minor
    return Valuation(
        since=since,
        until=until,
        as_known_at=as_known_at,
        opening=_at_rates(stood, chart, rates, on=before),
        flows=tuple(
            Cell(one.account, one.fund, one.currency, one.on, one.rate_on, one.minor, worth)
            for one in movements
            if one.account.account_class not in STANDING and not is_exchange(one.account)
            for worth in [rates.worth(one.minor, one.currency, on=one.rate_on)]
        ),
        closing=_at_rates(stands, chart, rates, on=until),
        movements=movements,
        rates=rates,
    )


def by_fund(cells: Iterable[Cell]) -> dict[str, int]:
    """What the cells of each fund are worth together, in functional minor units."""
    totals: Counter[str] = Counter()
    for cell in cells:
        totals[cell.fund] += cell.worth_minor
    return dict(totals)


def is_exchange(account: Account) -> bool:
    """Whether the account is that of currency exchange, or a leaf of it.

    Its legs have no worth of their own: what they leave behind is the exchange result.
    """
    return parent_of(account) == EXCHANGE


def parent_of(account: Account) -> str:
    """The four digits under which a statement shows a leaf."""
    return account.parent_code or account.code


def check_span(*, since: date, until: date) -> None:
    """Refuses what is no span of days.

    Raises:
        BadSpan: see there.
    """
    if not EARLIEST < since <= until:
        raise BadSpan("a span begins after 1990-01-01 and ends on that day or later", where="since")


_ENTRIES = SQLModel.metadata.tables[str(Entry.__tablename__)]
_LINES = SQLModel.metadata.tables[str(Line.__tablename__)]


def _codes(chart: dict[str, Account]) -> list[str]:
    return [code for code, account in chart.items() if account.account_class in STANDING]


def _balances(session: Session, codes: Iterable[str], *, on: date, as_known_at: datetime | None) -> Balances:
    """What stands on these accounts."""
    place = (_LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency)
    query = (
        select_columns(*place, func.sum(_LINES.c.minor))
        .where(_LINES.c.account_code.in_(codes), _ENTRIES.c.id == _LINES.c.entry_id, _ENTRIES.c.effective_on <= on)
        .group_by(*place)
    )
    if as_known_at is not None:
        query = query.where(_ENTRIES.c.recorded_at <= as_known_at)
    rows = session.connection().execute(query)
    return Counter({(code, fund, currency): int(minor) for code, fund, currency, minor in rows})


def _movements(
    session: Session, chart: dict[str, Account], *, since: date, until: date, as_known_at: datetime | None
) -> tuple[Movement, ...]:
    rate_on = func.coalesce(_LINES.c.rate_on, _ENTRIES.c.effective_on)
    cell = (_LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency, _ENTRIES.c.effective_on, rate_on)
    query = (
        select_columns(*cell, func.sum(_LINES.c.minor))
        .where(
            _ENTRIES.c.id == _LINES.c.entry_id,
            _ENTRIES.c.effective_on.between(since, until),
        )
        .group_by(*cell)
    )
    if as_known_at is not None:
        query = query.where(_ENTRIES.c.recorded_at <= as_known_at)
    found = session.connection().execute(query)
    rows = sorted(tuple(row) for row in found if row.account_code in chart)  # databases sort by their locale
    return tuple(
        Movement(chart[code], fund, currency, on, valued_on, int(minor))
        for code, fund, currency, on, valued_on, minor in rows
    )


def _at_rates(stood: Balances, chart: dict[str, Account], rates: RateTable, *, on: date) -> tuple[Cell, ...]:
    return tuple(
        Cell(chart[code], fund, currency, on, on, minor, rates.worth(minor, currency, on=on))
        for (code, fund, currency), minor in sorted(stood.items())
        if minor
    )
