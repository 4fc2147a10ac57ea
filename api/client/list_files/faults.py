"""What is wrong with a list, and where: places and reasons, never what stands in a cell."""

from dataclasses import dataclass
from typing import ClassVar

from ledger.errors import BadInput

LARGEST_FILE = 16 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 64
LONGEST_CELL = 2_000
MOST_FAULTS = 10_000
"""Limits of one list: bytes, rows below the header, columns, characters of a cell, and faults that are told."""


class BadList(BadInput):
    """The file is no list, or something in it cannot be read exactly; `where` is the place. Nothing is imported."""

    rule: ClassVar[str] = "bad_list"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that cannot be read exactly: the line in the file, the column by our name for it, and what is wrong."""

    line: int
    column: str | None
    what: str

    @property
    def where(self) -> str:
        """The place in words: `line 3, column amount`."""
        return f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
