"""The statement of cash flows, direct: what cash came for and went for in a span of days, and what rates did to it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from ledger import book
from ledger.books import cash_movements, funds, valuation
from ledger.books.accounts import Account
from ledger.books.valuation import Cell
from ledger.money import Money

CLASSES = {
    "donations": ("Donations", ("4000", "4050", "1400")),
    "conditional_gifts": ("Conditional gifts", ("2300",)),
    "unidentified": ("Unidentified receipts", ("2000",)),
    "refunds_and_disputes": ("Refunds to donors and disputes", ("1150", "2050", "4190", "4195")),
    "processing": ("Processing and dispute fees", ("6000", "6010")),
    "reserves": ("Reserved by the processor", ("1110",)),
    "agents": ("Advances and agents", ("1200", "1210", "2150", "6030")),
    "assistance": ("Assistance paid directly", ("2100", "5000", "5100", "5200")),
    "bail": ("Bail", ("1300", "5300", "5400")),
    "recoveries": ("Recoveries", ("1350", "1380", "1390", "4200", "5900")),
    "losses": ("Losses and seizures", ("6200",)),
    "administration": ("Administration and bank", ("2200", "4300", "6020", "6300")),
    "transfers": ("Transfers between funds", ("3800",)),
    "other": ("Other", ("3050",)),
}
"""The lines of the statement, all operating: key, title, and the accounts that tell what cash was for."""

BROUGHT_IN = "3000"
"""Cash that a migration brings in is neither received nor paid."""

_CLASS_OF = {code: key for key, (_, codes) in CLASSES.items() for code in codes}


@dataclass(frozen=True, slots=True)
class Row:
    """One line, in minor units by fund; what is received is above zero."""

    key: str
    title: str
    by_fund: Mapping[str, int]

    @property
    def total_minor(self) -> int:
        """Of all funds."""
        return sum(self.by_fund.values())


@dataclass(frozen=True, slots=True)
class Figures:
    """The cash flows of a span, both days included.

    Opening, balances brought in, the operating rows, conversions and positions add up to closing, in every fund.
    `conversions` is what the changing of cash from one currency to another gained; `positions` what rates did to cash
    held, and `is_proved` whether that is the sum of what was held times the change of its rate.
    """

    organisation: str
    currency: str
    since: date
    until: date
    as_known_at: datetime | None
    opening: Row
    brought_in: Row
    operating: tuple[Row, ...]
    conversions: Row
    positions: Row
    closing: Row
    closing_by_account: Mapping[str, int]
    is_proved: bool


def gather(session: Session, *, since: date, until: date, as_known_at: datetime | None = None) -> Figures:
    """The cash flows from `since` to `until`, by what was recorded until `as_known_at`.

    Raises:
        BadSpan, NoRate: see `valuation.value`.
    """
    valued = valuation.value(session, since=since, until=until, as_known_at=as_known_at, cash_only=True)
    moved = cash_movements.find(session, valued)
    codes = [fund.code for fund in funds.listed(session)]
    by_class: dict[str, list[Cell]] = {}
    for cell in moved.classed:
        by_class.setdefault(_class_of(cell.account), []).append(cell)

    def row(key: str, title: str, cells: Iterable[Cell]) -> Row:
        totals = valuation.by_fund(cells)
        return Row(key, title, {code: totals.get(code, 0) for code in codes})

    stood, stands = (
        row("opening", "Cash at the beginning", valued.opening),
        row("closing", "Cash at the end", valued.closing),
    )
    brought_in = row("balances_brought_in", "Balances brought in", by_class.get(BROUGHT_IN, ()))
    operating = tuple(row(key, title, by_class.get(key, ())) for key, (title, _) in CLASSES.items())
    conversions = row("conversions", "Conversions between cash accounts", moved.converted)
    effects = cash_movements.effect_of_rates(valued, moved)
    positions = {
        code: (effects[code].reported_minor if code in effects else 0) - conversions.by_fund[code] for code in codes
    }
    return Figures(
        organisation=book.require(session).organisation,
        currency=valued.rates.into,
        since=since,
        until=until,
        as_known_at=as_known_at,
        opening=stood,
        brought_in=brought_in,
        operating=operating,
        conversions=conversions,
        positions=Row("positions", "Cash held while rates moved", positions),
        closing=stands,
        closing_by_account=_by_account(valued.closing),
        is_proved=all(effect.is_proved for effect in effects.values()),
    )


def as_json(figures: Figures) -> dict[str, Any]:
    """The cash flows as plain JSON; amounts are decimal strings in the functional currency."""

    def shown(minor: int) -> str:
        return Money(minor, figures.currency).decimal()

    def row(one: Row) -> dict[str, Any]:
        funds_of_row = {fund: shown(minor) for fund, minor in one.by_fund.items()}
        return {"key": one.key, "title": one.title, "total": shown(one.total_minor), "funds": funds_of_row}

    return {
        "statement": "cash_flows",
        "organisation": figures.organisation,
        "currency": figures.currency,
        "from": figures.since.isoformat(),
        "to": figures.until.isoformat(),
        "as_known_at": figures.as_known_at and figures.as_known_at.isoformat(),
        "opening": row(figures.opening),
        "balances_brought_in": row(figures.brought_in),
        "operating": [row(one) for one in figures.operating],
        "total_operating": shown(sum(one.total_minor for one in figures.operating)),
        "effect_of_rates": {
            "positions": row(figures.positions),
            "conversions": row(figures.conversions),
            "is_proved": figures.is_proved,
        },
        "closing": row(figures.closing),
        "closing_by_account": {code: shown(minor) for code, minor in figures.closing_by_account.items()},
    }


def _by_account(cells: Iterable[Cell]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for cell in cells:
        totals[valuation.parent_of(cell.account)] += cell.worth_minor
    return dict(sorted(totals.items()))


def _class_of(account: Account) -> str:
    code = valuation.parent_of(account)
    return code if code == BROUGHT_IN else _CLASS_OF.get(code, "other")
