"""The statement of financial position: what the fund has and owes on a day, in its functional currency."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from ledger import book
from ledger.books import accounts, exchange, funds, valuation
from ledger.books.accounts import AccountClass
from ledger.books.exchange import Rate, RateTable
from ledger.books.valuation import Cell
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Row:
    """An account with all its leaves, in minor units: assets as debits, liabilities as credits above zero."""

    account_code: str
    account_name: str
    by_fund: Mapping[str, int]

    @property
    def total_minor(self) -> int:
        """Of all funds."""
        return sum(self.by_fund.values())


@dataclass(frozen=True, slots=True)
class Figures:
    """A financial position; `net_assets` by fund, those of `restricted` ones under their donors' restrictions.

    `rates` are those by which the balances were translated, each with the day of its quote.
    """

    organisation: str
    currency: str
    on: date
    as_known_at: datetime | None
    assets: tuple[Row, ...]
    liabilities: tuple[Row, ...]
    net_assets: Mapping[str, int]
    restricted: frozenset[str]
    rates: tuple[Rate, ...]


def gather(session: Session, *, on: date, as_known_at: datetime | None = None) -> Figures:
    """The position at the end of a day, by what was recorded until `as_known_at`.

    Raises:
        NoRate: a currency that stands on an account has no rate for the day.
    """
    cells = valuation.standing(session, on=on, as_known_at=as_known_at)
    names = {account.code: account.name for account in accounts.listed(session)}
    net = valuation.by_fund(cells)
    table = RateTable(session, as_known_at=as_known_at)
    foreign = sorted({cell.currency for cell in cells} - {table.into})
    return Figures(
        organisation=book.require(session).organisation,
        currency=table.into,
        on=on,
        as_known_at=as_known_at,
        assets=_rows(cells, names, account_class=AccountClass.ASSET),
        liabilities=_rows(cells, names, account_class=AccountClass.LIABILITY),
        net_assets={fund.code: net.get(fund.code, 0) for fund in funds.listed(session)},
        restricted=frozenset(fund.code for fund in funds.listed(session) if fund.restricted),
        rates=tuple(table.rate(currency, on=on) for currency in foreign),
    )


def split(net_minor: int, *, is_restricted: bool) -> tuple[int, int]:
    """A fund's net assets as (unrestricted, restricted): what a restricted fund has overspent burdens the others."""
    return (min(net_minor, 0), max(net_minor, 0)) if is_restricted else (net_minor, 0)


def as_json(figures: Figures) -> dict[str, Any]:
    """The position as plain JSON; amounts are decimal strings in the functional currency."""

    def shown(minor: int) -> str:
        return Money(minor, figures.currency).decimal()

    def rows(listed: tuple[Row, ...]) -> list[dict[str, Any]]:
        return [
            {
                "account": row.account_code,
                "name": row.account_name,
                "total": shown(row.total_minor),
                "funds": {fund: shown(minor) for fund, minor in row.by_fund.items()},
            }
            for row in listed
        ]

    columns = [split(minor, is_restricted=fund in figures.restricted) for fund, minor in figures.net_assets.items()]
    return {
        "statement": "financial_position",
        "organisation": figures.organisation,
        "currency": figures.currency,
        "on": figures.on.isoformat(),
        "as_known_at": figures.as_known_at and figures.as_known_at.isoformat(),
        "assets": rows(figures.assets),
        "total_assets": shown(sum(row.total_minor for row in figures.assets)),
        "liabilities": rows(figures.liabilities),
        "total_liabilities": shown(sum(row.total_minor for row in figures.liabilities)),
        "net_assets": {
            "unrestricted": shown(sum(unrestricted for unrestricted, _ in columns)),
            "restricted": shown(sum(restricted for _, restricted in columns)),
            "total": shown(sum(figures.net_assets.values())),
            "funds": {fund: shown(minor) for fund, minor in figures.net_assets.items()},
        },
        "rates": [
            {
                "currency": rate.currency,
                "rate": exchange.write(rate.value),
                "quoted_on": rate.quoted_on.isoformat(),
                "age_days": (figures.on - rate.quoted_on).days,
            }
            for rate in figures.rates
        ],
    }


def _rows(cells: Iterable[Cell], names: Mapping[str, str], *, account_class: AccountClass) -> tuple[Row, ...]:
    sign = 1 if account_class is AccountClass.ASSET else -1
    totals: dict[str, Counter[str]] = {}
    for cell in cells:
        if cell.account.account_class is account_class:
            totals.setdefault(valuation.parent_of(cell.account), Counter())[cell.fund] += sign * cell.worth_minor
    return tuple(Row(code, names[code], dict(sorted(by.items()))) for code, by in sorted(totals.items()))
