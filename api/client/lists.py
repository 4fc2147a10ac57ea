"""Lists of fined people, read on the operator's device: bytes to rows, exactly or not at all.

CSV and XLSX (`list_files.sheets`), columns by a profile (`list_files.profiles`), amounts and days as people write them
(`list_files.writings`).
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from api.client.list_files import marks, profiles, sheets, writings
from api.client.list_files.faults import LONGEST_CELL, MOST_FAULTS, BadList, Fault
from api.client.list_files.profiles import COLUMNS, OPTIONAL, REQUIRED, Column, Profile
from api.client.list_files.sheets import SheetRow
from api.client.list_files.writings import NotRead
from ledger.aid.obligations import ObligationKind
from ledger.errors import LedgerError
from ledger.money import Money

__all__ = ["COLUMNS", "OPTIONAL", "REQUIRED", "BadList", "Fault", "ListRow", "Reading", "examine", "read"]

_MAY_BE_EMPTY = frozenset({*OPTIONAL, "article", "kind", "amount", "currency", "issued_on"})
"""Columns whose emptiness is not said here: none is needed, or what reads the cell says it."""
_ARTICLE = re.compile(
    r"(?:ст\.?\s*|арт\.?\s*|art\.?\s*)?(?P<code>[0-9]{1,3}\.[0-9]{1,3})(?:\s*(?:ч\.?|part|p\.)\s*(?P<part>[0-9]{1,2}))?",
    re.IGNORECASE,  # and not ASCII, which would not know the capital of a Russian letter
)
_SHORTENED = re.compile(r"\d+\.\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row, exactly as the list says it. Everything that names somebody is sealed before it leaves the device."""

    line: int
    name: str
    ruling_number: str
    court: str
    region: str
    ruling_kind: str
    article: str
    part: str | None
    issued_on: date | None
    in_force_on: date | None
    served_on: date | None
    paid_on: date | None
    kind: ObligationKind
    amount: Money
    payee_account: str
    detained_days: int | None = None
    """How long they were held, as the bill or the list tells it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole list: the rows that can be read, and every fault of every other row. `rows_found` counts both."""

    form: Literal["csv", "xlsx"]
    profile: str
    rows_found: int
    rows: list[ListRow]
    faults: list[Fault]


def read(data: bytes, *, profile: str | None = None) -> list[ListRow]:
    """All rows of a list, by the profile of this name or file, or the one that fits the header.

    Raises:
        BadList: the first place that cannot be read exactly; no row is returned.
        UnknownProfile, BadProfile: see there.
    """
    reading = examine(data, profile=profile)
    for fault in reading.faults:
        raise BadList(fault.what, where=fault.where)
    return reading.rows


def examine(data: bytes, *, profile: str | None = None) -> Reading:
    """As `read`, but faults within rows are collected, all of them.

    Raises:
        BadList: the file as a whole is no list, or has more than 10,000 faults.
        UnknownProfile, BadProfile: see there.
    """
    told = profiles.find(profile) if profile is not None else None
    sheet = sheets.read(data, preamble_rows=told.preamble_rows if told else 0)
    header = _header(sheet.header)
    if told is None:
        name, found = profiles.detect(header, line=sheet.header.line)
    else:
        name, found = str(profile).rpartition("/")[2], told
    places = found.places(header)
    if places is None:
        raise profiles.misfit(found, name, header, line=sheet.header.line)
    reader = _RowReader(found, places, width=len(header))
    rows, faults, count = [], [], 0
    for row in sheet.rows:
        count += 1
        read_row = reader.read(row)
        if isinstance(read_row, ListRow):
            rows.append(read_row)
        else:
            faults += read_row
        if len(faults) > MOST_FAULTS:
            raise BadList(
                f"more than {MOST_FAULTS:,} cells cannot be read: another sort of list", where=faults[0].where
            )
    return Reading(sheet.form, name, count, rows, faults)


def _header(row: SheetRow) -> list[str]:
    """The header's cells without the empty ones after the last."""
    cells = [cell.strip() for cell in row.cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Reads rows under one header by one profile."""

    profile: Profile
    places: dict[Column, int]
    width: int

    def read(self, row: SheetRow) -> ListRow | list[Fault]:
        """The row, or all that cannot be read in it."""
        if len(row.cells) < self.width or any(cell.strip() for cell in row.cells[self.width :]):
            return [Fault(row.line, None, "the row has another number of cells than the header")]
        faults = {column: what for column in COLUMNS if (what := self._blemish(column, row))}
        cells = {column: self._cell(column, row) if column not in faults else "" for column in COLUMNS}
        read = _Cells(cells, faults, self.profile)
        article = read.article()
        days = {column: read.day(column) for column in ("issued_on", "in_force_on", "served_on", "paid_on")}
        kind, amount, detained_days = read.kind(), read.amount(), read.count("detained_days")
        if read.faults or kind is None or amount is None:
            return [Fault(row.line, column, what) for column, what in sorted(read.faults.items(), key=_in_order)]
        return ListRow(
            line=row.line,
            name=cells["name"],
            ruling_number=cells["ruling_number"],
            court=cells["court"],
            region=cells["region"],
            ruling_kind=cells["ruling_kind"].lower(),
            article=article[0],
            part=article[1],
            issued_on=days["issued_on"],
            in_force_on=days["in_force_on"],
            served_on=days["served_on"],
            paid_on=days["paid_on"],
            kind=kind,
            amount=amount,
            payee_account=cells["payee_account"],
            detained_days=detained_days,
        )

    def _blemish(self, column: Column, row: SheetRow) -> str | None:
        """What is wrong with a cell whatever it means, or None."""
        index = self.places.get(column)
        if index is None:
            return None
        cell = row.cells[index]
        if index in row.faults:
            return row.faults[index]
        if len(cell) > LONGEST_CELL:
            return f"a cell is longer than {LONGEST_CELL:,} characters"
        if column == "article" and index in row.numbers and _SHORTENED.fullmatch(cell):
            return "a spreadsheet's number, whose last nought may be lost: write it as text"
        if not cell.strip() and column not in _MAY_BE_EMPTY and column not in self.profile.empty:
            return "the cell is empty"
        return marks.unseen(cell, is_name=column == "name")

    def _cell(self, column: Column, row: SheetRow) -> str:
        index = self.places.get(column)
        if index is None:
            return self.profile.constants.get(column, "")
        return self.profile.ours(column, row.cells[index].strip())


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row by our columns; what cannot be read is added to `faults`."""

    cells: dict[Column, str]
    faults: dict[Column, str]
    profile: Profile

    def article(self) -> tuple[str, str | None]:
        match = _ARTICLE.fullmatch(self.cells["article"])
        if match is None:
            self._note("article", "not an article such as 23.34 part 1")
            return "", None
        return match["code"], match["part"]

    def kind(self) -> ObligationKind | None:
        try:
            return ObligationKind(self.cells["kind"].lower())
        except ValueError:
            self._note("kind", "not a kind of obligation")
            return None

    def amount(self) -> Money | None:
        try:
            money = writings.amount(self.cells["amount"], self.cells["currency"])
        except NotRead as error:
            self._note("amount", str(error))
        except LedgerError as error:
            self._note("currency" if error.data.get("where") == "currency" else "amount", error.message)
        else:
            return money
        return None

    def count(self, column: Column) -> int | None:
        if not self.cells[column]:
            return None
        try:
            return writings.count(self.cells[column])
        except NotRead as error:
            self._note(column, str(error))
            return None

    def day(self, column: Column) -> date | None:
        if not self.cells[column]:
            return None
        profile = self.profile
        try:
            return writings.day(
                self.cells[column],
                order=profile.slashed_days,
                century=profile.century_of_two_digits,
                months=profile.months,
            )
        except NotRead as error:
            self._note(column, str(error))
            return None

    def _note(self, column: Column, what: str) -> None:
        """The first fault of a cell is the one that counts."""
        self.faults.setdefault(column, what)


def _in_order(fault: tuple[Column, str]) -> int:
    return COLUMNS.index(fault[0])
