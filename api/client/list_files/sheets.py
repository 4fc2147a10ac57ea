"""Sheets: the rows of a CSV file or a workbook as text, each with the line it stands on."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Self

from api.client.list_files import encodings, workbooks
from api.client.list_files.faults import LARGEST_FILE, LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, BadList

DELIMITERS = ";,\t|"
LONGEST_ROW = MOST_COLUMNS * LONGEST_CELL
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row that is not empty. `faults` are cells that hold no text (a formula, an error), by their index from 0.

    `numbers` are the indices of cells that a spreadsheet holds as a number: what was typed may have been rewritten.
    """

    line: int
    cells: list[str]
    faults: dict[int, str] = field(default_factory=dict)
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The header's cells and the rows below it, read as they are asked for."""

    form: Literal["csv", "xlsx"]
    header: SheetRow
    rows: Iterator[SheetRow]


def read(data: bytes, *, preamble_rows: int = 0) -> Sheet:
    """The sheet in a file; `preamble_rows` lines (of a workbook: rows) above the header are passed over.

    Raises:
        BadList: too large, no such file, broken quoting, no header; while the rows are read also too many of them.
    """
    if len(data) > LARGEST_FILE:
        raise BadList("a list has at most 16 MiB", where="file")
    if workbooks.is_workbook(data):
        return _sheet("xlsx", _workbook_rows(data), preamble_rows)
    return _sheet("csv", read_csv(encodings.decode(data), preamble_rows=preamble_rows), preamble_rows)


def read_csv(text: str, *, preamble_rows: int = 0) -> Iterator[SheetRow]:
    """The rows of a text in which `;`, `,`, tab or `|` stands between cells: whichever the header has most of.

    Raises:
        BadList: the quoting is broken, or a row is longer than a row can be.
    """
    lines = _Lines(text)
    header = next((line for nth, line in enumerate(_Lines(text)) if nth >= preamble_rows and line.strip()), "")
    for _ in range(preamble_rows):
        next(lines, None)
    reader = csv.reader(lines, delimiter=max(DELIMITERS, key=_QUOTED.sub("", header).count), strict=True)
    try:
        for cells in reader:
            lines.of_row = 0
            if any(cell and not cell.isspace() for cell in cells):
                yield SheetRow(lines.number, cells)
    except csv.Error as error:
        # The one thing the module says only in words.
        what = (
            f"a cell is longer than {LONGEST_CELL:,} characters" if "limit" in str(error) else "the quoting is broken"
        )
        raise BadList(what, where=f"line {lines.number}") from None


class _Lines:
    """The lines of a text with their ends, counted; `of_row` are the characters since the last row ended."""

    def __init__(self, text: str) -> None:
        self._found = _LINES.finditer(text)
        self.number = 0
        self.of_row = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = next(self._found)[0]
        self.number += 1
        self.of_row += len(line)
        if self.of_row > LONGEST_ROW:
            raise BadList(f"a row is longer than {LONGEST_ROW:,} characters", where=f"line {self.number}")
        return line


def _workbook_rows(data: bytes) -> Iterator[SheetRow]:
    for row in workbooks.read(data):
        faults = {nth: cell.fault for nth, cell in enumerate(row.cells) if cell.fault}
        numbers = frozenset(nth for nth, cell in enumerate(row.cells) if cell.is_number)
        yield SheetRow(row.line, [cell.text for cell in row.cells], faults, numbers)


def _sheet(form: Literal["csv", "xlsx"], rows: Iterator[SheetRow], preamble_rows: int) -> Sheet:
    for row in rows:
        if row.line > preamble_rows:
            if len(row.cells) > MOST_COLUMNS:
                raise BadList(f"a list has at most {MOST_COLUMNS} columns", where=f"line {row.line}")
            return Sheet(form, row, _counted(rows))
    raise BadList("the file has no header", where=f"line {preamble_rows + 1}")


def _counted(rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            raise BadList(f"a list has at most {MOST_ROWS:,} rows", where=f"line {row.line}")
        yield row
