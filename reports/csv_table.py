"""Tables as CSV that a spreadsheet shows and never executes."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_STARTS_FORMULA = re.compile(
    r"(^|[;,|\t\r\n])"  # the start of a cell, or of what a program set to another separator takes for one
    # also behind what does not show, and in full width, as East Asian spreadsheets read them
    r"(?=[\t\r\n]|[\s\ufeff\u200b\u2060]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)


def as_csv(header: Sequence[str], *, rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with CRLF, every cell quoted, text that starts like a formula preceded by an apostrophe.

    Plain decimal numbers, signed ones too, stay as they are.
    """
    return _written([header]) + rows_as_csv(rows)


def rows_as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """More rows of a table, written as `as_csv` writes them."""
    return _written([neutralise(cell) for cell in row] for row in rows)


def neutralise(cell: str) -> str:
    """`cell` as text that no spreadsheet calculates; a plain decimal number is returned unchanged."""
    if _NUMBER.fullmatch(cell):
        return cell
    return _STARTS_FORMULA.sub(r"\1'", cell)


def _written(rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()
