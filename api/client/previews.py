"""Previews: what would become of each row of a list, told before anything is sealed or sent."""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from api.client import compared, sealing
from api.client.list_files.faults import Fault
from api.client.lists import ListRow, Reading
from ledger.aid import rules
from ledger.aid.eligibility import Rejection
from ledger.aid.jurisdictions import Pack


@dataclass(frozen=True, slots=True)
class Preview:
    """A list as it would be sent. `unreadable` counts rows with faults; lines are those of the file.

    `rows` can be sent: the first of identical ones. `identical` are pairs of lines, the later and the first that says
    the same. `same_ruling` are lines that tell of one ruling and obligation in other words: a person looks at them.
    """

    reading: Reading
    rows: list[ListRow]
    faults: list[Fault]
    unreadable: int
    rejections: dict[int, Rejection]
    identical: list[tuple[int, int]]
    same_ruling: list[list[int]]

    @property
    def taken(self) -> int:
        """How many rows would become cases that are not rejected."""
        return len(self.rows) - len(self.rejections)

    @property
    def rejected(self) -> dict[Rejection, int]:
        """How many rows would become rejected cases, by code."""
        return dict(Counter(self.rejections.values()))

    def on_wire(self) -> dict[str, Any]:
        """The preview as JSON: numbers, places and codes, nothing of what stands in the list."""
        return {
            "form": self.reading.form,
            "profile": self.reading.profile,
            "rows": self.reading.rows_found,
            "taken": self.taken,
            "rejected": {code.value: count for code, count in sorted(self.rejected.items())},
            "unreadable": self.unreadable,
            "identical": [{"line": line, "same_as": first} for line, first in self.identical],
            "same_ruling": self.same_ruling,
            "rejections": [{"line": line, "code": code.value} for line, code in self.rejections.items()],
            "problems": [{"line": f.line, "column": f.column, "what": f.what} for f in self.faults],
        }


def preview(reading: Reading, pack: Pack, *, on: date) -> Preview:
    """What would become of the rows of a list in a jurisdiction, sent on the day `on`."""
    fitting: list[ListRow] = []
    faults = list(reading.faults)
    for row in reading.rows:
        found = [*misfits(pack, row), *_in_the_future(row, on=on)]
        faults += found
        if not found:
            fitting.append(row)
    rows, identical = without_repeats(fitting)
    codes = {row.line: code for row in rows if (code := rejection(pack, row, on=on))}
    return Preview(
        reading=reading,
        rows=rows,
        faults=sorted(faults, key=lambda fault: fault.line),
        unreadable=reading.rows_found - len(fitting),
        rejections=codes,
        identical=identical,
        same_ruling=_same_ruling(rows),
    )


def misfits(pack: Pack, row: ListRow) -> Iterator[Fault]:
    """What a readable row says that cannot be in this jurisdiction, or in this order."""
    if row.region not in pack.regions:
        yield Fault(row.line, "region", "the jurisdiction has no such region")
    if row.amount.currency != pack.currency:
        yield Fault(row.line, "currency", "not the jurisdiction's currency")
    if row.issued_on is None:
        yield Fault(row.line, "issued_on", "the day of the ruling is missing")
        return
    if not pack.is_dated(row.issued_on):
        yield Fault(row.line, "issued_on", "the jurisdiction tells no deadlines for rulings of this day")
        return
    if row.ruling_kind in pack.ruling_kinds and not pack.leads_to(row.ruling_kind, row.kind, on=row.issued_on):
        yield Fault(row.line, "kind", "this kind of ruling leads to no such obligation")
    if row.in_force_on is not None and row.in_force_on < row.issued_on:
        yield Fault(row.line, "in_force_on", "in force before the ruling was issued")
    if row.served_on is not None and row.served_on < row.issued_on:
        yield Fault(row.line, "served_on", "served before the ruling was issued")


def without_repeats(rows: Iterable[ListRow]) -> tuple[list[ListRow], list[tuple[int, int]]]:
    """The rows without those that say the same as an earlier one, and of these the lines: their own and the first's."""
    first: dict[ListRow, ListRow] = {}
    identical: list[tuple[int, int]] = []
    for row in rows:
        known = first.setdefault(replace(row, line=0), row)
        if known is not row:
            identical.append((row.line, known.line))
    return list(first.values()), identical


def rejection(pack: Pack, row: ListRow, *, on: date) -> Rejection | None:
    """Why the exact facts of a row admit no aid, or None."""
    return rules.rejection(
        pack,
        ruling_kind=row.ruling_kind,
        article=row.article,
        kind=row.kind,
        issued_on=row.issued_on,
        paid_on=row.paid_on,
        on=on,
    )


def _in_the_future(row: ListRow, *, on: date) -> Iterator[Fault]:
    """A ruling or a payment that has not been yet: a slip of the pen, or a wish. Aid comes after, not before."""
    for column, day in (("issued_on", row.issued_on), ("served_on", row.served_on), ("paid_on", row.paid_on)):
        if day is not None and day > on:
            yield Fault(row.line, column, "a day in the future")


def _same_ruling(rows: Sequence[ListRow]) -> list[list[int]]:
    key = secrets.token_bytes(32)  # values are compared as tokens compare them; these are for this look only
    lines: dict[str, list[int]] = {}
    for row in rows:
        lines.setdefault(sealing.token(key, field="ruling", value=compared.ruling(row)), []).append(row.line)
    return [told for told in lines.values() if len(told) > 1]
