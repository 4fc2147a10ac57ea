"""The statement of activities: what changed net assets over a span of days, with and without donors' restrictions."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from ledger import book
from ledger.books import exchange_results, funds, valuation
from ledger.books.accounts import Account, AccountClass
from ledger.books.exchange_results import ExchangeResult
from ledger.money import Money
from reports.audit.position import split

OWN = {
    "balances_brought_in": ("Balances brought in", ("3000",)),
    "restatement": ("Restatement of earlier years", ("3050",)),
    "donations": ("Donations", ("4000",)),
    "gifts_in_kind": ("Gifts in kind", ("4050",)),
    "refunds_and_disputes": ("Refunded donations and lost disputes", ("4190", "4195")),
    "recoveries_of_earlier_years": ("Recoveries of earlier years", ("4200",)),
    "other_income": ("Interest and other income", ("4300",)),
    "losses": ("Losses and seizures", ("6200",)),
    "transfers": ("Transfers between funds", ("3800",)),
}
"""What stays in the fund's own column: key, title, accounts."""

RELEASED = {
    "fines": ("Fines", ("5000",)),
    "detention": ("Detention costs", ("5100",)),
    "legal_aid": ("Court fees and legal aid", ("5200",)),
    "bail": ("Bail forfeited and fees on bail", ("5300", "5400")),
    "recoveries": ("Recoveries of assistance", ("5900",)),
    "processing": ("Processing and dispute fees", ("6000", "6010")),
    "bank_and_agents": ("Bank fees and agents' fees", ("6020", "6030")),
    "administration": ("Administration", ("6300",)),
    "other_expenses": ("Other expenses", ()),
}
"""What a restriction is released for: shown without restriction, whichever fund bears it."""

_ROW_OF = {code: key for rows in (OWN, RELEASED) for key, (_, codes) in rows.items() for code in codes}
_OTHER = {
    AccountClass.INCOME: "other_income",
    AccountClass.EXPENSE: "other_expenses",
    AccountClass.NET_ASSETS: "restatement",
}
"""Where an account that a fund has added to its chart is shown."""


@dataclass(frozen=True, slots=True)
class Columns:
    """An amount in both columns, in minor units; what adds to net assets is above zero."""

    unrestricted_minor: int = 0
    restricted_minor: int = 0

    @property
    def total_minor(self) -> int:
        """Both together."""
        return self.unrestricted_minor + self.restricted_minor

    def __add__(self, other: "Columns") -> "Columns":
        return Columns(
            self.unrestricted_minor + other.unrestricted_minor, self.restricted_minor + other.restricted_minor
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the statement, of every fund."""

    key: str
    title: str
    by_fund: Mapping[str, Columns]

    @property
    def all_funds(self) -> Columns:
        """The sum over the funds."""
        return sum(self.by_fund.values(), Columns())


@dataclass(frozen=True, slots=True)
class Figures:
    """The activities of a span, both days included: the rows between opening and closing add up in every column.

    `overspent` is, at the end, what restricted funds have spent beyond what they had; it stands without restriction.
    """

    organisation: str
    currency: str
    since: date
    until: date
    as_known_at: datetime | None
    rows: tuple[Row, ...]
    overspent: Mapping[str, int]
    exchange_results: Mapping[str, ExchangeResult]


def gather(session: Session, *, since: date, until: date, as_known_at: datetime | None = None) -> Figures:
    """The activities from `since` to `until`, by what was recorded until `as_known_at`.

    Release: what a restricted fund spent, year to date, at most what it had and got; the rest is overspent and made
    good when the fund gets more. So it is what takes the column from the restricted part of the opening net assets to
    that of the closing ones, and the releases of months add up to that of the year.

    Raises:
        BadSpan, NoRate: see `valuation.value`.
    """
    valued = valuation.value(session, since=since, until=until, as_known_at=as_known_at)
    results = exchange_results.find(valued)
    opening, closing = valuation.by_fund(valued.opening), valuation.by_fund(valued.closing)
    amounts: dict[str, Counter[str]] = {key: Counter() for key in (*OWN, "exchange", *RELEASED)}
    for cell in valued.flows:
        amounts[_row_of(cell.account)][cell.fund] -= cell.worth_minor
    for fund, result in results.items():
        amounts["exchange"][fund] = result.reported_minor
    by_fund = {
        fund.code: _columns(
            {key: amounts[key][fund.code] for key in amounts},
            opening=split(opening.get(fund.code, 0), is_restricted=fund.restricted),
            closing=split(closing.get(fund.code, 0), is_restricted=fund.restricted),
            is_restricted=fund.restricted,
        )
        for fund in funds.listed(session)
    }
    return Figures(
        organisation=book.require(session).organisation,
        currency=valued.rates.into,
        since=since,
        until=until,
        as_known_at=as_known_at,
        rows=tuple(
            Row(key, title, {fund: columns[key] for fund, columns in by_fund.items()}) for key, title in _TITLES.items()
        ),
        overspent={fund.code: max(-closing.get(fund.code, 0), 0) for fund in funds.listed(session) if fund.restricted},
        exchange_results=results,
    )


def as_json(figures: Figures) -> dict[str, Any]:
    """The activities as plain JSON; amounts are decimal strings in the functional currency."""

    def shown(minor: int) -> str:
        return Money(minor, figures.currency).decimal()

    def columns(amounts: Columns) -> dict[str, str]:
        return {
            "unrestricted": shown(amounts.unrestricted_minor),
            "restricted": shown(amounts.restricted_minor),
            "total": shown(amounts.total_minor),
        }

    return {
        "statement": "activities",
        "organisation": figures.organisation,
        "currency": figures.currency,
        "from": figures.since.isoformat(),
        "to": figures.until.isoformat(),
        "as_known_at": figures.as_known_at and figures.as_known_at.isoformat(),
        "rows": [
            {
                "key": row.key,
                "title": row.title,
                **columns(row.all_funds),
                "funds": {fund: columns(amounts) for fund, amounts in row.by_fund.items()},
            }
            for row in figures.rows
        ],
        "overspent": {fund: shown(minor) for fund, minor in figures.overspent.items()},
        "exchange_results": {
            fund: {
                "reported": shown(result.reported_minor),
                "revaluation": shown(round(result.revaluation)),
                "dealing": shown(round(result.dealing)),
                "back_valued": shown(round(result.back_valued)),
                "is_proved": result.is_proved,
            }
            for fund, result in figures.exchange_results.items()
        },
    }


_TITLES = {
    "opening": "Net assets at the beginning",
    **{key: title for key, (title, _) in OWN.items()},
    "exchange": "Exchange result",
    "release": "Released from restriction",
    **{key: title for key, (title, _) in RELEASED.items()},
    "closing": "Net assets at the end",
}


def _row_of(account: Account) -> str:
    return _ROW_OF.get(valuation.parent_of(account), _OTHER[account.account_class])


def _columns(
    amounts: Mapping[str, int], *, opening: tuple[int, int], closing: tuple[int, int], is_restricted: bool
) -> dict[str, Columns]:
    """Every row of one fund in both columns."""
    own = {key: Columns(0, amounts[key]) if is_restricted else Columns(amounts[key]) for key in (*OWN, "exchange")}
    released = sum(column.restricted_minor for column in own.values()) + opening[1] - closing[1]
    return {
        "opening": Columns(*opening),
        **own,
        "release": Columns(released, -released),
        **{key: Columns(amounts[key]) for key in RELEASED},
        "closing": Columns(*closing),
    }
