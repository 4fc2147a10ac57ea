"""Results as an agent's courier brings them: a CSV with the codes of a list and what became of each, without a name."""

import csv
import io
from collections.abc import Container
from dataclasses import dataclass
from datetime import date

from ledger.aid.batch_lines import Outcome, Receipt
from ledger.errors import BadInput

REQUIRED = ("code", "outcome", "receipt", "verified_on")
OPTIONAL = ("paid_on",)
"""The columns; a payment without a day of its own counts as made on the day its receipt was verified."""


class BadResults(BadInput):
    """A file of results that cannot be read exactly; `where` tells line and column."""

    rule = "bad_results"


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What became of one line; the days are exact, and stay on this device."""

    line: int
    code: str
    outcome: Outcome
    receipt: Receipt
    paid_on: date | None
    verified_on: date | None

    def require_known(self, codes: Container[str]) -> None:
        """Refuses a code that is not among those of the batch: raises `BadResults`."""
        if self.code not in codes:
            raise BadResults("no line of this batch has the code", where=f"line {self.line}, column code")


def read(data: bytes) -> list[ResultRow]:
    """The rows of a CSV in UTF-8 with `;` or `,`, its first line the columns.

    Raises:
        BadResults: not exactly that, a code twice, or a row that contradicts itself.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadResults("a file of results is UTF-8", where="file") from None
    head, _, _ = text.partition("\n")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True)
    try:
        lines = [(rows.line_num, row) for row in rows if row]
    except csv.Error:
        raise BadResults("not a CSV", where=f"line {rows.line_num}") from None
    columns = [cell.strip().lower() for cell in lines[0][1]] if lines else []
    if not set(REQUIRED) <= set(columns) <= {*REQUIRED, *OPTIONAL} or len(set(columns)) != len(columns):
        raise BadResults("the columns are code, outcome, receipt, verified_on, and perhaps paid_on", where="line 1")
    found = [
        _row(number, dict(zip(columns, cells, strict=False)), len(cells) == len(columns)) for number, cells in lines[1:]
    ]
    if len({row.code for row in found}) != len(found):
        raise BadResults("a code comes twice", where="column code")
    return found


def _row(line: int, cells: dict[str, str], whole: bool) -> ResultRow:
    if not whole:
        raise BadResults("a row has as many cells as there are columns", where=f"line {line}")
    told = {name: cell.strip() for name, cell in cells.items()}
    try:
        outcome, receipt = Outcome(told["outcome"].lower()), Receipt((told["receipt"] or "missing").lower())
    except ValueError:
        raise BadResults(
            "outcome is paid or failed, receipt verified, rejected or missing", where=f"line {line}"
        ) from None
    row = ResultRow(
        line=line,
        code=told["code"].upper(),
        outcome=outcome,
        receipt=receipt,
        paid_on=_day(told.get("paid_on", ""), f"line {line}, column paid_on"),
        verified_on=_day(told["verified_on"], f"line {line}, column verified_on"),
    )
    if (row.receipt is Receipt.VERIFIED) != (row.verified_on is not None):
        raise BadResults("a verified receipt has its day, another has none", where=f"line {line}, column verified_on")
    if row.outcome is Outcome.PAID and row.paid_on is None and row.verified_on is None:
        raise BadResults("a payment has its day", where=f"line {line}, column paid_on")
    return row


def _day(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadResults("a day is written 2020-10-05", where=where) from None
