"""Workbooks (XLSX): the one sheet that holds anything, as text. The only module that imports openpyxl.

A workbook comes from strangers: it is measured before the reader sees it, so that what it unfolds to is bounded.
"""

import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import ParseError  # raised by the defused parser too; nothing is parsed with it here

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from api.client.list_files.faults import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, BadList

MOST_ENTRIES = 300
MOST_UNFOLDED = 64 * 1024 * 1024
MOST_RATIO = 200
"""A workbook's archive: entries, bytes unfolded, and how many times as large as packed one entry may unfold."""
MOST_CELLS = 300_000
_ELEMENTS_A_CELL = 3
_OTHER_ELEMENTS = 50_000
"""XML elements of everything that is no cell: styles, themes, relations."""
_LARGEST_EXACT = 10**15
"""A spreadsheet keeps 15 digits of a number; an account of more has lost its end."""

_CHUNK = 64 * 1024
_TAIL = 64
"""No mark that is looked for is longer, so that none hides between two chunks."""
_MARKS = re.compile(rb"<(?:[\w.-]+:)?(row|si|c)(?=[\s/>])")
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ParseError,
    InvalidFileException,
    # What the reader raises of parts that are missing, or hold something else than they should.
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class WorkbookCell:
    """A cell's text as the list means it, or why it has none."""

    text: str = ""
    fault: str | None = None
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class WorkbookRow:
    """A row that is not empty, and its number as the spreadsheet shows it."""

    line: int
    cells: list[WorkbookCell]


def is_workbook(data: bytes) -> bool:
    """Whether these are the bytes of an archive, and so of no text."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read(data: bytes) -> Iterator[WorkbookRow]:
    """The rows of the one sheet that holds anything.

    Raises:
        BadList: it is damaged, unfolds to too much, holds declarations of XML entities or more than one filled sheet.
    """
    _measure(data)
    try:
        with warnings.catch_warnings(action="ignore"):  # of styles and extensions that the reader does not know
            book = openpyxl.load_workbook(BytesIO(data), read_only=True, keep_links=False)
    except _UNREADABLE:
        raise _damaged() from None
    filled = [sheet for sheet in book.worksheets if next(_rows(sheet), None)]
    if len(filled) > 1:
        raise BadList("more than one sheet of the workbook holds something", where="file")
    for sheet in filled:
        yield from _rows(sheet)


def _rows(sheet: Any) -> Iterator[WorkbookRow]:
    """Rows are counted and not believed: the sheet says itself how large it is, and which number a row has."""
    sheet.reset_dimensions()
    found = enumerate(sheet.iter_rows(), start=1)
    while True:
        try:
            with warnings.catch_warnings(action="ignore"):
                line, cells = next(found, (0, ()))
                row = WorkbookRow(line, [_cell(cell) for cell in cells[: MOST_COLUMNS + 1]])
        except _UNREADABLE:
            raise _damaged() from None
        if not line:
            return
        if line > MOST_ROWS * 2:
            raise BadList(f"a list has at most {MOST_ROWS:,} rows", where=f"line {line}")
        if len(cells) > MOST_COLUMNS:
            raise BadList(f"a list has at most {MOST_COLUMNS} columns", where=f"line {line}")
        if any(cell.text.strip() or cell.fault for cell in row.cells):
            yield row


def _cell(cell: Any) -> WorkbookCell:
    value = cell.value
    if value is not None and cell.data_type in {"f", "e"}:
        return WorkbookCell(fault="a formula, not a value" if cell.data_type == "f" else "an error of the spreadsheet")
    if value is None or isinstance(value, str):
        return WorkbookCell(value or "")
    if isinstance(value, datetime) and value.time() == time():
        return WorkbookCell(value.date().isoformat())
    if isinstance(value, date) and not isinstance(value, datetime):
        return WorkbookCell(value.isoformat())
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value)
    return WorkbookCell(fault="neither a text, a number nor a day")


def _number(value: float) -> WorkbookCell:
    if not abs(value) < _LARGEST_EXACT:  # NaN too
        return WorkbookCell(fault="a number of more digits than a spreadsheet keeps: write it as text")
    text = str(int(value)) if value == int(value) else repr(value)
    if "e" in text:
        return WorkbookCell(fault="a number of more digits than a spreadsheet keeps: write it as text")
    return WorkbookCell(text, is_number=True)


# --- measured before it is read


@dataclass(slots=True)
class _Measure:
    """What has been counted in all parts so far."""

    rows: int = 0
    cells: int = 0
    strings: int = 0
    elements: int = 0
    cells_of_row: int = 0


def _measure(data: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            measure = _Measure()
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    with archive.open(entry) as part:
                        _measure_part(iter(lambda: part.read(_CHUNK), b""), measure)
    except _UNREADABLE:
        raise _damaged() from None


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise BadList(f"a workbook has at most {MOST_ENTRIES} parts", where="file")
    if len({entry.filename for entry in entries}) < len(entries):
        raise BadList("a part of the workbook stands twice", where="file")
    if any(entry.flag_bits & 1 for entry in entries):
        raise BadList("the workbook is encrypted", where="file")
    if sum(entry.file_size for entry in entries) > MOST_UNFOLDED:
        raise BadList("the workbook unfolds to more than 64 MiB", where="file")
    if any(entry.file_size > MOST_RATIO * max(entry.compress_size, 5_000) for entry in entries):
        raise BadList(f"a part of the workbook unfolds to more than {MOST_RATIO} times its size", where="file")


def _measure_part(chunks: Iterator[bytes], measure: _Measure) -> None:
    tail = b""
    for chunk in chunks:
        if b"\0" in chunk:
            raise BadList("a part of the workbook is not in UTF-8", where="file")
        if len(chunk) == _CHUNK and b"<" not in chunk:
            raise BadList(f"a cell is longer than {LONGEST_CELL:,} characters", where="file")
        window = tail + chunk
        if _DECLARATION.search(window):
            raise BadList("the workbook declares XML entities", where="file")
        # A mark that begins in the tail's last bytes is counted with the next chunk, which sees its end.
        border = len(window) - _TAIL if len(chunk) == _CHUNK else len(window)
        for match in _MARKS.finditer(window, 0):
            if match.start() < border:
                _count(match[1], measure)
        measure.elements += window.count(b"<", 0, border) - window.count(b"</", 0, border + 1)
        tail = window[border:]
        _check_measure(measure)


def _count(mark: bytes, measure: _Measure) -> None:
    if mark == b"row":
        measure.rows += 1
        measure.cells_of_row = 0
    elif mark == b"c":
        measure.cells += 1
        measure.cells_of_row += 1
        if measure.cells_of_row > MOST_COLUMNS:
            raise BadList(f"a list has at most {MOST_COLUMNS} columns", where=f"line {measure.rows}")
    else:
        measure.strings += 1


def _check_measure(measure: _Measure) -> None:
    if measure.rows > MOST_ROWS * 2:
        raise BadList(f"a list has at most {MOST_ROWS:,} rows", where=f"line {MOST_ROWS + 2}")
    if measure.cells > MOST_CELLS or measure.strings > MOST_CELLS:
        raise BadList(f"a workbook has at most {MOST_CELLS:,} cells", where="file")
    known = measure.rows + _ELEMENTS_A_CELL * (measure.cells + measure.strings)
    if measure.elements > known + _OTHER_ELEMENTS:
        raise BadList("a part of the workbook holds more than its cells", where="file")


def _damaged() -> BadList:
    return BadList("the workbook is damaged, or no workbook", where="file")
