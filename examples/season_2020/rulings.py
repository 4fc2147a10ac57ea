"""The foundation's side: two lists that grow with each handover; 251 payable fines, 40 bills and 4 troubles."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from examples.season_2020.story import BATCHES, BILLS, LIST_1, LIST_2, Batch, Bills, draw

BASE_VALUE = 2_700
"""The base value of 2020: 27.00 roubles."""
FEWEST, MOST, REPEATED_MOST = 10, 30, 50
"""A fine in base values; up to 50 when repeated within a year."""
APPEAL_DAYS = 10
REGIONS = ("minsk_city", "minsk", "brest", "grodno", "gomel", "vitebsk", "mogilev")
COURTS = 9
TREES = ("Alder", "Birch", "Cedar", "Elder", "Hazel", "Juniper", "Larch", "Maple", "Oak", "Poplar", "Rowan", "Willow")
HEADER = (
    "name",
    "ruling_number",
    "court",
    "region",
    "ruling_kind",
    "article",
    "issued_on",
    "in_force_on",
    "served_on",
    "paid_on",
    "kind",
    "amount",
    "currency",
    "payee_account",
)
DUPLICATED, QUASHED, RECEIPT_REJECTED = 17, 5, 190
"""The how-manieth payable fine comes again in list 2, is quashed, has an illegible receipt; counted from 1."""
TWIN_BATCH = 4
"""The handover with which the duplicate comes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list; `batch` is the handover it came with, counted from 1.

    `paid_on` is the column of the list. `trouble` is None for what can be paid; else the rejection it must get.
    """

    batch: int
    kind: str
    issued_on: date
    minor: int
    in_force_on: date | None = None
    served_on: date | None = None
    paid_on: date | None = None
    ruling_kind: str = "administrative"
    article: str = "23.34"
    trouble: str | None = None
    number: int = 0
    line: int = 0
    name: str = ""
    court: str = ""
    region: str = ""

    @property
    def list_name(self) -> str:
        """The file the row stands in."""
        return BATCHES[self.batch - 1].list_name


def rows() -> list[Row]:
    """All rows of both lists in the order of the files; each has its number in the season and its line in its file."""
    placed: list[Row] = []
    lines = {LIST_1: 1, LIST_2: 1}
    for batch in range(1, len(BATCHES) + 1):
        for row in sorted(_handed_over(batch), key=lambda row: (row.issued_on, row.kind, row.minor)):
            lines[row.list_name] += 1
            placed.append(_named(row, number=len(placed) + 1, line=lines[row.list_name]))
        if batch == TWIN_BATCH:
            original = payable(placed, "fine")[DUPLICATED - 1]
            lines[LIST_2] += 1
            name = f"INVENTED  {original.name.removeprefix('Invented ').lower()}"
            placed.append(replace(original, batch=batch, trouble="duplicate", line=lines[LIST_2], name=name))
    return placed


def payable(placed: list[Row], kind: str) -> list[Row]:
    """The rows of a kind that must be paid."""
    return [row for row in placed if row.kind == kind and row.trouble is None]


def write_list(name: str) -> bytes:
    """The list as a spreadsheet writes it.

    List 1: UTF-8 with BOM, NBSP between thousands, 24.08.2020. List 2: windows-1251, plain spaces, 2020-08-24.
    Both: semicolons, decimal commas.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(_cells(row, first=name == LIST_1) for row in rows() if row.list_name == name)
    text = out.getvalue()
    return b"\xef\xbb\xbf" + text.encode() if name == LIST_1 else text.encode("cp1251")


_TROUBLES = (
    Row(1, "fine", date(2020, 8, 12), BASE_VALUE * REPEATED_MOST, ruling_kind="criminal", trouble="criminal_charge"),
    Row(2, "fine", date(2020, 8, 25), BASE_VALUE * 15, paid_on=date(2020, 8, 21), trouble="no_ruling"),
    Row(3, "fine", date(2020, 9, 8), BASE_VALUE * 40, article="17.1", trouble="not_assembly_related"),
)


def _handed_over(batch: int) -> Iterator[Row]:
    yield from (_fine(batch, index) for index in range(BATCHES[batch - 1].fines))
    for bills in BILLS:
        if bills.batch == batch:
            yield from (_bill(bills, index) for index in range(bills.count))
    yield from (trouble for trouble in _TROUBLES if trouble.batch == batch)


def _fine(number: int, index: int) -> Row:
    batch = BATCHES[number - 1]
    first, last = batch.issued
    issued_on = first + timedelta(days=draw("issued", number, index, below=(last - first).days + 1))
    values = FEWEST + draw("values", number, index, below=MOST - FEWEST + 1)
    force = _in_force_on(batch, issued_on, draw("force", number, index, below=6))
    return Row(number, "fine", issued_on, BASE_VALUE * values, in_force_on=force)


def _in_force_on(batch: Batch, issued_on: date, drawn: int) -> date | None:
    """The day the list tells, or None: then legal force is presumed, which may be too late for the batch."""
    quick = issued_on + timedelta(days=2 + drawn % 2 if batch is BATCHES[0] else 3 + drawn % 3)
    presumed = issued_on + timedelta(days=APPEAL_DAYS)
    if presumed + timedelta(days=6 - presumed.weekday()) > batch.released_on:
        return quick
    if quick + timedelta(days=30) < batch.pays[1]:  # it would have been overdue when the agent paid
        return None
    return quick if drawn % 2 else None


def _bill(bills: Bills, index: int) -> Row:
    """Half a base value for each day of detention, served some days after release."""
    first, last = bills.served
    served_on = first + timedelta(days=draw("served", bills.batch, index, below=(last - first).days + 1))
    days = 1 + draw("days", bills.batch, index, below=15)
    issued_on = served_on - timedelta(days=days + 2 + draw("post", bills.batch, index, below=5))
    return Row(bills.batch, "detention", issued_on, BASE_VALUE // 2 * days, served_on=served_on)


def _named(row: Row, *, number: int, line: int) -> Row:
    court = 1 + draw("court", number, below=COURTS)
    if row.list_name == LIST_1:
        name, where = f"Invented {TREES[number % len(TREES)]} {number:04d}", f"Invented court no. {court}"
    else:
        name, where = f"Прыдуманая Асоба {number:04d}", f"Прыдуманы суд № {court}"  # noqa: RUF001  # Belarusian
    return replace(row, number=number, line=line, name=name, court=where, region=REGIONS[court % len(REGIONS)])


def _cells(row: Row, *, first: bool) -> tuple[str, ...]:
    part = "part 1" if first else "ч. 1"
    return (
        row.name,
        f"INVENTED-{row.number:04d}",
        row.court,
        row.region,
        row.ruling_kind,
        f"{row.article} {part}",
        *(_day(day, first=first) for day in (row.issued_on, row.in_force_on, row.served_on, row.paid_on)),
        row.kind,
        _amount(row.minor, thousands="\u00a0" if first else " "),
        "BYN",
        f"INVENTED-TREASURY-{row.number % COURTS + 1:02d}" if row.kind == "fine" else f"INVENTED-CARD-{row.number:04d}",
    )


def _day(day: date | None, *, first: bool) -> str:
    if day is None:
        return ""
    return day.strftime("%d.%m.%Y") if first else day.isoformat()


def _amount(minor: int, *, thousands: str) -> str:
    whole = f"{minor // 100:,}".replace(",", thousands)
    return f"{whole},{minor % 100:02d}"
