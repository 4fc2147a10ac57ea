"""Tables from outside: the rows of a CSV file or a workbook as cells of text, each with its line."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from api.client.bank_files.lines import UnreadableFile
from api.client.bank_files.texts import read_lines
from api.client.list_files import workbooks
from api.client.list_files.faults import BadList

LARGEST_FILE = 16 * 2**20
"""Bytes: some 100,000 rows."""
MOST_COLUMNS = 128
LONGEST_CELL = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `numbers` are the indices of cells that a spreadsheet holds as a number, with a point."""

    line: int
    cells: list[str]
    numbers: frozenset[int] = frozenset()

    @property
    def where(self) -> str:
        """Its place for a person: `line 12`."""
        return f"line {self.line}"

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell and not cell.isspace() for cell in self.cells)


def read_csv(data: bytes, *, encoding: str, delimiter: str) -> Iterator[Row]:
    """The rows of a CSV file, also those that are empty.

    Raises:
        UnreadableFile: it is not in that encoding, its quoting is broken, or a row or cell is longer than can be.
    """
    lines = _Lines(read_lines(data, encoding=encoding))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken = 0
        try:
            cells = next(reader, None)
        except csv.Error:
            raise UnreadableFile("the quoting is broken, or a cell is too long", where=lines.where) from None
        if cells is None:
            return
        if len(cells) > MOST_COLUMNS:
            raise UnreadableFile(f"more than {MOST_COLUMNS} cells", where=lines.where)
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise UnreadableFile(f"a cell of more than {LONGEST_CELL} characters", where=lines.where)
        yield Row(lines.number, cells)


def read_workbook(data: bytes) -> Iterator[Row]:
    """The rows of the one sheet that holds anything; days are in ISO 8601.

    Raises:
        UnreadableFile: it is damaged or unfolds to too much, or a cell holds a formula or an error.
    """
    if len(data) > LARGEST_FILE:
        raise UnreadableFile(f"a file of more than {LARGEST_FILE} bytes", where="the whole file")
    try:
        for row in workbooks.read(data):
            fault = next((cell.fault for cell in row.cells if cell.fault), None)
            if fault is not None:
                raise UnreadableFile(fault, where=f"line {row.line}")
            numbers = frozenset(index for index, cell in enumerate(row.cells) if cell.is_number)
            yield Row(row.line, [cell.text for cell in row.cells], numbers)
    except BadList as error:
        raise UnreadableFile(error.message, where=str(error.data.get("where") or "the whole file")) from None


class _Lines:
    """Lines for the CSV reader, counted; a quote that is never closed may not swallow the rest of the file."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self._lines = lines
        self.number = 0
        self.taken = 0

    @property
    def where(self) -> str:
        return f"line {self.number}"

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        self.taken += len(line)
        if self.taken > MOST_COLUMNS * LONGEST_CELL:
            raise UnreadableFile("a quote that is never closed", where=self.where)
        return line
