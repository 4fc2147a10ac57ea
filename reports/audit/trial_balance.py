"""The trial balance: every account's debit or credit at the end of a day, each currency by itself."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from ledger.errors import BadInput
from ledger.money import Money
from reports import layout
from reports.csv_table import as_csv
from reports.pagination import GROUP, LINE, NOTE, SECTION, SUBTOTAL, TOTAL, Column
from reports.pagination import Row as TableRow

CLASSES = {
    "asset": "Assets",
    "liability": "Liabilities",
    "net_assets": "Net assets",
    "income": "Income",
    "expense": "Expenses",
}
"""The classes in the order of the statement, and their headings."""

_COLUMNS = (
    Column("Account", width=92),
    Column("Name"),
    Column("Debit", holds_figures=True),
    Column("Credit", holds_figures=True),
)
_CSV_HEADER = ("on", "as_known_at", "currency", "account_class", "account_code", "account_name", "debit", "credit")


class OutOfBalance(BadInput):
    """Debits and credits of a currency differ; such figures are not drawn."""

    rule = "out_of_balance"


class BadRow(BadInput):
    """A row of no known class, with an amount below zero, or standing twice."""

    rule = "bad_row"


@dataclass(frozen=True, slots=True)
class Row:
    """One account in one currency, in minor units; neither side is negative, and usually one of them is zero."""

    account_code: str
    account_name: str
    account_class: str
    currency: str
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A trial balance: `rows` in any order, `as_known_at` None for everything recorded."""

    organisation: str
    on: date
    as_known_at: datetime | None
    rows: tuple[Row, ...]


def render_pdf(figures: Figures) -> bytes:
    """The statement on A4: see `lay_out`.

    Raises:
        OutOfBalance, BadRow: see there.
        MissingGlyph: a character that cannot be shown.
    """
    return layout.render(lay_out(figures))


def lay_out(figures: Figures) -> layout.Document:
    """The statement before it is drawn: a section per currency, a subtotal per class, and a total of equal sides.

    Raises:
        OutOfBalance, BadRow: see there.
    """
    sections = _sections(figures)
    only = sections[0][0] if len(sections) == 1 else None
    day = f"{figures.on.day} {figures.on:%B %Y}"
    return layout.Document(
        organisation=figures.organisation,
        label=f"Trial balance · {day}",
        title="Trial balance",
        subtitle=f"As at {day}, all funds, " + (f"in {only}" if only else "each currency by itself"),
        prepared=_prepared(figures.as_known_at),
        columns=_COLUMNS,
        rows=tuple(_table(sections)) or (TableRow(NOTE, ("No account has a balance.",)),),
    )


def render_csv(figures: Figures) -> bytes:
    """One line an account and currency, in the order of the statement, without totals.

    Raises:
        OutOfBalance, BadRow: see there.
    """
    known = "" if figures.as_known_at is None else figures.as_known_at.isoformat()
    return as_csv(
        _CSV_HEADER,
        rows=(
            (
                figures.on.isoformat(),
                known,
                currency,
                row.account_class,
                row.account_code,
                row.account_name,
                Money(row.debit_minor, currency).decimal(),
                Money(row.credit_minor, currency).decimal(),
            )
            for currency, rows in _sections(figures)
            for row in rows
        ),
    )


def render_json(figures: Figures) -> bytes:
    """`as_json`, written out in UTF-8 with its keys in their order."""
    return json.dumps(as_json(figures), ensure_ascii=False, indent=1).encode() + b"\n"


def as_json(figures: Figures) -> dict[str, Any]:
    """The statement as plain JSON: sections by currency with their rows and total; amounts are decimal strings.

    Raises:
        OutOfBalance, BadRow: see there.
    """
    return {
        "statement": "trial_balance",
        "organisation": figures.organisation,
        "on": figures.on.isoformat(),
        "as_known_at": figures.as_known_at and figures.as_known_at.isoformat(),
        "sections": [
            {
                "currency": currency,
                "total": Money(sum(row.debit_minor for row in rows), currency).decimal(),
                "rows": [
                    {
                        "account": row.account_code,
                        "name": row.account_name,
                        "class": str(row.account_class),
                        "debit": Money(row.debit_minor, currency).decimal(),
                        "credit": Money(row.credit_minor, currency).decimal(),
                    }
                    for row in rows
                ],
            }
            for currency, rows in _sections(figures)
        ],
    }


def _sections(figures: Figures) -> list[tuple[str, list[Row]]]:
    """The rows of each currency, by class and code, after they have been checked."""
    order = {name: at for at, name in enumerate(CLASSES)}
    for row in figures.rows:
        if row.account_class not in order or min(row.debit_minor, row.credit_minor) < 0:
            raise BadRow("a row has a known class and no amount below zero", account=row.account_code)
    if len({(row.account_code, row.currency) for row in figures.rows}) != len(figures.rows):
        raise BadRow("an account stands twice in one currency", where="rows")
    ordered = sorted(figures.rows, key=lambda row: (row.currency, order[row.account_class], row.account_code))
    sections = [(currency, list(rows)) for currency, rows in groupby(ordered, key=lambda row: row.currency)]
    for currency, rows in sections:
        debit, credit = _sum(rows)
        if debit != credit:
            raise OutOfBalance(
                "debits and credits differ",
                currency=currency,
                debit=Money(debit, currency).decimal(),
                credit=Money(credit, currency).decimal(),
            )
    return sections


def _table(sections: Sequence[tuple[str, list[Row]]]) -> Iterator[TableRow]:
    for currency, rows in sections:
        decimals = len(Money(0, currency).decimal().partition(".")[2])
        if len(sections) > 1:
            yield TableRow(SECTION, (currency,))
        for account_class, members in groupby(rows, key=lambda row: row.account_class):
            lines = list(members)
            yield TableRow(GROUP, (CLASSES[account_class],))
            for row in lines:
                sides = _cells(row.debit_minor, row.credit_minor, currency=currency)
                yield TableRow(LINE, (row.account_code, row.account_name, *sides), decimals)
            title = f"Total {CLASSES[account_class].lower()}"
            yield TableRow(SUBTOTAL, ("", title, *_cells(*_sum(lines), currency=currency)), decimals)
        title = f"Total {currency}" if len(sections) > 1 else "Total"
        yield TableRow(TOTAL, ("", title, *_cells(*_sum(rows), currency=currency)), decimals)
    if sections:
        yield TableRow(NOTE, ("Debits equal credits" + (" in each currency." if len(sections) > 1 else "."),))


def _cells(debit_minor: int, credit_minor: int, *, currency: str) -> tuple[str, str]:
    """Both sides; the empty one is left blank, and only where both are zero do dashes say so."""
    sides = [layout.figure(Money(minor, currency)) for minor in (debit_minor, credit_minor)]
    if debit_minor or credit_minor:
        sides = [side if minor else "" for side, minor in zip(sides, (debit_minor, credit_minor), strict=True)]
    return sides[0], sides[1]


def _sum(rows: Iterable[Row]) -> tuple[int, int]:
    listed = list(rows)
    return sum(row.debit_minor for row in listed), sum(row.credit_minor for row in listed)


def _prepared(as_known_at: datetime | None) -> str:
    if as_known_at is None:
        return "Prepared from all entries recorded"
    known = as_known_at.astimezone(UTC)
    return f"Prepared from the entries known at {known.day} {known:%B %Y, %H:%M} UTC"
