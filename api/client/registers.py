"""Registers of rulings as a state has them, read from CSV on the operator's device: only what could be joined on."""

import csv
import io
from datetime import date

from ledger.aid.linkage import RegisterRow
from ledger.errors import BadInput, LedgerError
from ledger.money import Money

COLUMNS = ("amount", "date", "article", "region")
"""What a register must have; other columns, names among them, are not read."""
_LONGEST_CELL = 10_000


class BadRegister(BadInput):
    """Not such a file, or one of its lines cannot be read; `where` is the line and column."""

    rule = "bad_register"


def read(data: bytes, *, currency: str) -> list[RegisterRow]:
    """All lines of a register: UTF-8, `,` or `;` or tab, amounts as `810.00`, days as `2020-09-14`.

    Raises:
        BadRegister: the first place that cannot be read; what stands there is not told.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRegister("the file is not UTF-8", where="register") from None
    separator = max(",;\t", key=text.partition("\n")[0].count)
    csv.field_size_limit(_LONGEST_CELL)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        if not set(COLUMNS) <= set(lines.fieldnames or ()):
            raise BadRegister(f"the columns are {', '.join(COLUMNS)}", where="line 1")
        return [_row(line, currency=currency, number=number) for number, line in enumerate(lines, start=2)]
    except csv.Error:
        raise BadRegister("not a table", where=f"line {lines.line_num}") from None


def _row(line: dict[str, str | None], *, currency: str, number: int) -> RegisterRow:
    told = {name: (line[name] or "").strip() for name in COLUMNS}
    try:
        amount = Money.parse(told["amount"], currency)
    except LedgerError:
        raise BadRegister("not an amount such as 810.00", where=f"line {number}, column amount") from None
    try:
        issued_on = date.fromisoformat(told["date"])
    except ValueError:
        raise BadRegister("not a day such as 2020-09-14", where=f"line {number}, column date") from None
    return RegisterRow(amount, issued_on, told["article"], told["region"])
