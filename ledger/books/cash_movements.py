"""Movements of cash, each named by the account that tells what it was for.

Cash is what the chart calls so: bank, cash in hand, processor, and what is on its way between them. A movement is
worth what its own day's rate says, whatever rate date its line bears.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel

from ledger.books import accounts, exchange_results
from ledger.books.accounts import Account
from ledger.books.exchange import RateTable
from ledger.books.exchange_results import ExchangeResult
from ledger.books.journal import Entry, Line
from ledger.books.recipes import apportion
from ledger.books.recipes.codes import EXCHANGE
from ledger.books.valuation import Cell, Valuation

_WEIGHT = 10**6
"""Accounts in another currency are weighed in millionths of a minor unit."""

Moved = Counter[tuple[str, str, str, date]]
"""What moved, by account, fund, currency and day, in minor units; what was received is above zero."""


@dataclass(frozen=True, slots=True)
class CashMovements:
    """`classed` by the account that tells what for; `converted` from cash in one currency to cash in another.

    Cash received is above zero, cash paid below. The cells of `converted` bear account 3900; what they are worth
    together is what conversions gained or lost.
    """

    classed: tuple[Cell, ...]
    converted: tuple[Cell, ...]


class _Line(NamedTuple):
    entry_id: int
    fund: str
    currency: str
    account: str
    on: date
    minor: int


def find(session: Session, valued: Valuation) -> CashMovements:
    """What came and went in a span, as known when it was valued.

    What an entry moves in a fund and currency is said, line by line, by its other lines in them. What it exchanged is
    said by the lines of the other currency, in proportion; when that is cash too, it is a conversion.

    Raises:
        NoRate: a currency of a movement has none for its day.
    """
    chart = {account.code: account for account in accounts.listed(session)}
    cash = frozenset(code for code, account in chart.items() if account.cash)
    classed = _moved_directly(session, valued, cash)
    converted: Moved = Counter()
    for _, lines in groupby(_exchanging_lines(session, valued), key=lambda line: (line.entry_id, line.fund)):
        _class_exchanged(list(lines), cash, valued.rates, classed=classed, converted=converted)
    return CashMovements(_cells(classed, chart, valued.rates), _cells(converted, chart, valued.rates))


def effect_of_rates(valued: Valuation, moved: CashMovements) -> dict[str, ExchangeResult]:
    """What rates did to the cash of each fund: what it was held for (`revaluation`), and conversions (`dealing`).

    Raises:
        NoRate: see `exchange_results.find`.
    """
    return exchange_results.explain(
        valued,
        opening=[cell for cell in valued.opening if cell.account.cash],
        movements=[one for one in valued.movements if one.account.cash],
        gained=moved.classed,
        closing=[cell for cell in valued.closing if cell.account.cash],
        dealings=moved.converted,
    )


_ENTRIES = SQLModel.metadata.tables[str(Entry.__tablename__)]
_LINES = SQLModel.metadata.tables[str(Line.__tablename__)]
_IS_EXCHANGE = or_(_LINES.c.account_code == EXCHANGE, _LINES.c.account_code.startswith(f"{EXCHANGE}:"))


def _moved_directly(session: Session, valued: Valuation, cash: frozenset[str]) -> Moved:
    """The other lines of every entry, fund and currency whose cash changed; exchange aside."""
    group = (_LINES.c.entry_id, _LINES.c.fund_code, _LINES.c.currency)
    changed = (
        select_columns(*group, _ENTRIES.c.effective_on)
        .where(_LINES.c.account_code.in_(cash), *_during(valued))
        .group_by(*group, _ENTRIES.c.effective_on)
        .having(func.sum(_LINES.c.minor) != 0)
        .subquery()
    )
    place = (_LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency, changed.c.effective_on)
    rows = session.connection().execute(
        select_columns(*place, func.sum(_LINES.c.minor))
        .where(
            changed.c.entry_id == _LINES.c.entry_id,
            changed.c.fund_code == _LINES.c.fund_code,
            changed.c.currency == _LINES.c.currency,
            _LINES.c.account_code.not_in(cash),
            ~_IS_EXCHANGE,
        )
        .group_by(*place)
    )
    return Counter({(code, fund, currency, on): -int(minor) for code, fund, currency, on, minor in rows})


def _exchanging_lines(session: Session, valued: Valuation) -> list[_Line]:
    """Every line of the entries in which something was exchanged, ordered by entry and fund."""
    exchanging = select_columns(_LINES.c.entry_id).where(_IS_EXCHANGE)
    rows = session.connection().execute(
        select_columns(
            _LINES.c.entry_id,
            _LINES.c.fund_code,
            _LINES.c.currency,
            _LINES.c.account_code,
            _ENTRIES.c.effective_on,
            _LINES.c.minor,
        ).where(_LINES.c.entry_id.in_(exchanging), *_during(valued))
    )
    return sorted(_Line(*row) for row in rows)


def _during(valued: Valuation) -> list[ColumnElement[bool]]:
    conditions = [_ENTRIES.c.id == _LINES.c.entry_id, _ENTRIES.c.effective_on.between(valued.since, valued.until)]
    if valued.as_known_at is not None:
        conditions.append(_ENTRIES.c.recorded_at <= valued.as_known_at)
    return conditions


def _class_exchanged(
    lines: Sequence[_Line], cash: frozenset[str], rates: RateTable, *, classed: Moved, converted: Moved
) -> None:
    """Adds what one entry exchanged in one fund, for cash, to where it belongs."""
    in_cash, exchanged, weights = Counter[str](), Counter[str](), Counter[str]()
    for line in lines:
        if line.account in cash:
            in_cash[line.currency] += line.minor
        elif _is_exchange(line.account):
            exchanged[line.currency] += line.minor
    received = {currency: -minor for currency, minor in exchanged.items() if minor and in_cash[currency]}
    for line in lines:
        across = exchanged[line.currency] if not in_cash[line.currency] else 0
        if line.account not in cash and not _is_exchange(line.account) and across * line.minor < 0:
            worth = rates.worth(abs(line.minor), line.currency, on=line.on)
            weights[line.account] += max(round(worth * _WEIGHT), 1)
    for currency, minor in received.items():
        if not weights:
            converted[EXCHANGE, lines[0].fund, currency, lines[0].on] += minor
            continue
        sign = 1 if minor > 0 else -1
        for account, share in apportion(abs(minor), by=weights).items():
            classed[account, lines[0].fund, currency, lines[0].on] += sign * share


def _is_exchange(code: str) -> bool:
    return code.partition(":")[0] == EXCHANGE


def _cells(moved: Moved, chart: Mapping[str, Account], rates: RateTable) -> tuple[Cell, ...]:
    return tuple(
        Cell(chart[code], fund, currency, on, on, minor, rates.worth(minor, currency, on=on))
        for (code, fund, currency, on), minor in sorted(moved.items())
        if minor
    )
