"""The statement of disbursements in totals: what was paid, for what and by which way, without a single person."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from ledger.errors import BadInput
from ledger.money import Money
from reports import layout
from reports.csv_table import as_csv
from reports.pagination import GROUP, LINE, NOTE, SECTION, SUBTOTAL, TOTAL, Column
from reports.pagination import Row as TableRow

KINDS = {"fine": "Fines", "detention": "Detention costs", "court_fee": "Court fees"}
"""The kinds of obligation in the order of the statement, and their headings."""
WAYS = {
    "agent": "Through agents, receipt verified",
    "authority": "From the bank, to the authority",
    "beneficiary": "From the bank, to the beneficiary",
}
"""How money reached its end, and how the statement says it."""

_COLUMNS = (
    Column("Way of payment"),
    Column("Payments", holds_figures=True),
    Column("Paid", holds_figures=True),
)
_CSV_HEADER = ("on", "currency", "kind", "way", "payments", "paid")


class BadRow(BadInput):
    """A row of an unknown kind or way, without a payment, or standing twice."""

    rule = "bad_row"


@dataclass(frozen=True, slots=True)
class Row:
    """How many payments of one kind went one way in one currency, and their sum in minor units."""

    kind: str
    way: str
    currency: str
    payments: int
    paid_minor: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything paid until the end of the day `on`; `rows` in any order.

    `accepted_early` payments left before their release, and two people accepted them: as often a control failed.
    """

    organisation: str
    on: date
    rows: tuple[Row, ...]
    accepted_early: int = 0


def render_pdf(figures: Figures) -> bytes:
    """The statement on A4: see `lay_out`.

    Raises:
        BadRow: see there. MissingGlyph: a character that cannot be shown.
    """
    return layout.render(lay_out(figures))


def lay_out(figures: Figures) -> layout.Document:
    """The statement before it is drawn: a section per currency, a group per kind, a line per way, with totals.

    Raises:
        BadRow: see there.
    """
    day = f"{figures.on.day} {figures.on:%B %Y}"
    return layout.Document(
        organisation=figures.organisation,
        label=f"Statement of disbursements · {day}",
        title="Statement of disbursements",
        subtitle=f"Totals until {day}, all funds, each currency by itself",
        prepared="Prepared from all disbursements recorded as paid",
        columns=_COLUMNS,
        rows=(
            *(tuple(_table(_sections(figures))) or (TableRow(NOTE, ("Nothing has been paid.",)),)),
            *_failures(figures),
        ),
    )


def render_csv(figures: Figures) -> bytes:
    """One line a kind, way and currency, in the order of the statement, without totals.

    Raises:
        BadRow: see there.
    """
    return as_csv(
        _CSV_HEADER,
        rows=(
            (
                figures.on.isoformat(),
                currency,
                row.kind,
                row.way,
                str(row.payments),
                Money(row.paid_minor, currency).decimal(),
            )
            for currency, rows in _sections(figures)
            for row in rows
        ),
    )


def render_json(figures: Figures) -> bytes:
    """The statement as JSON in UTF-8; amounts are decimal strings.

    Raises:
        BadRow: see there.
    """
    content: dict[str, Any] = {
        "statement": "disbursements",
        "organisation": figures.organisation,
        "on": figures.on.isoformat(),
        "accepted_before_release": figures.accepted_early,
        "sections": [
            {
                "currency": currency,
                "payments": sum(row.payments for row in rows),
                "paid": Money(sum(row.paid_minor for row in rows), currency).decimal(),
                "rows": [
                    {
                        "kind": row.kind,
                        "way": row.way,
                        "payments": row.payments,
                        "paid": Money(row.paid_minor, currency).decimal(),
                    }
                    for row in rows
                ],
            }
            for currency, rows in _sections(figures)
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _sections(figures: Figures) -> list[tuple[str, list[Row]]]:
    """The rows of each currency, by kind and way, after they have been checked."""
    for row in figures.rows:
        if row.kind not in KINDS or row.way not in WAYS or row.payments < 1 or row.paid_minor < 1:
            raise BadRow("a row has a known kind and way, and something paid", kind=row.kind, way=row.way)
    if len({(row.kind, row.way, row.currency) for row in figures.rows}) != len(figures.rows):
        raise BadRow("a kind and way stand twice in one currency", where="rows")
    kinds, ways = list(KINDS), list(WAYS)
    ordered = sorted(figures.rows, key=lambda row: (row.currency, kinds.index(row.kind), ways.index(row.way)))
    return [(currency, list(rows)) for currency, rows in groupby(ordered, key=lambda row: row.currency)]


def _table(sections: Sequence[tuple[str, list[Row]]]) -> Iterator[TableRow]:
    for currency, rows in sections:
        decimals = len(Money(0, currency).decimal().partition(".")[2])
        yield TableRow(SECTION, (currency,))
        for kind, members in groupby(rows, key=lambda row: row.kind):
            lines = list(members)
            yield TableRow(GROUP, (KINDS[kind],))
            for row in lines:
                yield TableRow(LINE, (WAYS[row.way], *_cells([row], currency)), decimals)
            if len(lines) > 1:
                yield TableRow(SUBTOTAL, (f"Total {KINDS[kind].lower()}", *_cells(lines, currency)), decimals)
        yield TableRow(TOTAL, (f"Total {currency}", *_cells(rows, currency)), decimals)


def _failures(figures: Figures) -> Iterator[TableRow]:
    if figures.accepted_early:
        said = (
            f"Failures of control: {figures.accepted_early} left before their release, and were accepted by two people."
        )
        yield TableRow(NOTE, (said,))


def _cells(rows: Sequence[Row], currency: str) -> tuple[str, str]:
    paid = Money(sum(row.paid_minor for row in rows), currency)
    return f"{sum(row.payments for row in rows):,}", layout.figure(paid)
