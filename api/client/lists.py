"""Lists of fined people, read on the operator's device: bytes to rows, exactly or not at all.

CSV with `;`, `,` or tab, in UTF-8 (with or without BOM) or windows-1251; amounts as `810.00`, `810,00` or `1 110,00`
with space, NBSP or narrow NBSP; days as `2020-09-14` or `14.09.2020`.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ledger.aid.obligations import ObligationKind
from ledger.errors import BadInput, LedgerError
from ledger.money import Money

REQUIRED = (
    "name",
    "ruling_number",
    "court",
    "region",
    "ruling_kind",
    "article",
    "issued_on",
    "kind",
    "amount",
    "currency",
    "payee_account",
)
OPTIONAL = ("in_force_on", "served_on", "paid_on")
MOST_ROWS = 100_000
LONGEST_CELL = 2_000

_SPACES = re.compile("[ \u00a0\u202f\u2009]")
_GROUPED = re.compile(r"\d{1,3}(?:[ \u00a0\u202f\u2009]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?", re.ASCII)
_DAYS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", re.ASCII),
    re.compile(r"(?P<day>\d{2})\.(?P<month>\d{2})\.(?P<year>\d{4})", re.ASCII),
)
_ARTICLE = re.compile(
    r"(?P<code>[0-9]{1,3}\.[0-9]{1,3})(?:\s*(?:ч\.?|part|p\.)\s*(?P<part>[0-9]{1,2}))?",
    re.IGNORECASE,  # and not ASCII, which would not know the capital of a Russian letter
)


class BadList(BadInput):
    """The file is no list, or one of its rows cannot be read; `where` is the line and column, nothing is imported."""

    rule = "bad_list"


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


def read(data: bytes) -> list[ListRow]:
    """All rows of a list.

    Raises:
        BadList: the first place that cannot be read exactly; no row is returned.
    """
    text = _decode(data)
    if "\0" in text:
        raise BadList("the file holds a NUL character", where="file")
    first_line = text.partition("\n")[0]
    delimiter = max(";,\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(header)
        return list(_rows(reader, header))
    except csv.Error:
        raise BadList("the quoting is broken", where=f"line {reader.line_num}") from None


def _rows(reader: Iterator[list[str]], header: list[str]) -> Iterator[ListRow]:
    line = 1
    for cells in reader:
        line = getattr(reader, "line_num", line + 1)
        if not any(cell.strip() for cell in cells):
            continue
        if line > MOST_ROWS:
            raise BadList("a list has at most 100,000 rows", where=f"line {line}")
        if len(cells) != len(header):
            raise BadList("the row has another number of cells than the header", where=f"line {line}")
        yield _row(dict(zip(header, (cell.strip() for cell in cells), strict=True)), line)


def _row(cells: dict[str, str], line: int) -> ListRow:
    for column, cell in cells.items():
        if len(cell) > LONGEST_CELL:
            raise BadList("a cell is longer than 2,000 characters", where=_place(line, column))
    article = _ARTICLE.fullmatch(cells["article"])
    if article is None:
        raise BadList("not an article such as 23.34 part 1", where=_place(line, "article"))
    for column in ("name", "ruling_number", "court", "region", "ruling_kind", "payee_account"):
        if not cells[column]:
            raise BadList("the cell is empty", where=_place(line, column))
    try:
        kind = ObligationKind(cells["kind"].lower())
    except ValueError:
        raise BadList("not a kind of obligation", where=_place(line, "kind")) from None
    return ListRow(
        line=line,
        name=cells["name"],
        ruling_number=cells["ruling_number"],
        court=cells["court"],
        region=cells["region"],
        ruling_kind=cells["ruling_kind"].lower(),
        article=article["code"],
        part=article["part"],
        issued_on=_day(cells, "issued_on", line),
        in_force_on=_day(cells, "in_force_on", line),
        served_on=_day(cells, "served_on", line),
        paid_on=_day(cells, "paid_on", line),
        kind=kind,
        amount=_amount(cells, line),
        payee_account=cells["payee_account"],
    )


def _amount(cells: dict[str, str], line: int) -> Money:
    text = cells["amount"]
    if not _GROUPED.fullmatch(text):
        raise BadList("not an amount", where=_place(line, "amount"))
    try:
        money = Money.parse(_SPACES.sub("", text).replace(",", "."), cells["currency"])
    except LedgerError as error:
        raise BadList(error.message, where=_place(line, str(error.data.get("where", "amount")))) from None
    if money.minor <= 0:
        raise BadList("an amount is above zero", where=_place(line, "amount"))
    return money


def _day(cells: dict[str, str], column: str, line: int) -> date | None:
    text = cells.get(column, "")
    if not text:
        return None
    for form in _DAYS:
        match = form.fullmatch(text)
        if match:
            try:
                return date(int(match["year"]), int(match["month"]), int(match["day"]))
            except ValueError:
                break
    raise BadList("not a day such as 2020-09-14 or 14.09.2020", where=_place(line, column))


def _decode(data: bytes) -> str:
    """UTF-8 when it is; else windows-1251, whose one undefined byte tells that it is not that either."""
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadList("neither UTF-8 nor windows-1251", where="file")


def _check_header(header: list[str]) -> None:
    known = {*REQUIRED, *OPTIONAL}
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        raise BadList(f"columns are missing: {', '.join(missing)}", where="line 1")
    if len(set(header)) != len(header) or not set(header) <= known:
        raise BadList("columns stand twice or are unknown", where="line 1")


def _place(line: int, column: str) -> str:
    return f"line {line}, column {column}"
