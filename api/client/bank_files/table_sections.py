"""Sections of a bank's table: labels above, a header, the rows of entries, totals below; and perhaps another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from api.client.bank_files.lines import UnreadableFile
from api.client.bank_files.profiles import Profile, places
from api.client.bank_files.refusals import Refusals
from api.client.bank_files.tables import Row

MOST_ROWS = 400_000
"""In one file, with those that are empty."""

_LABELS = ("opening", "closing", "account", "currency", "change")


@dataclass(slots=True)
class Section:
    """A header's places, the rows below it, and the values of the labels around it, as they are written."""

    header: dict[str, int] = field(default_factory=dict)
    width: int = 0
    rows: list[Row] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    ended: bool = False


def split_sections(rows: Iterator[Row], *, profile: Profile, refusals: Refusals) -> Iterator[Section]:
    """The sections in their order. What stands above a header and is no label is prose.

    Raises:
        UnreadableFile: see the reader of the rows; also for more rows than one file may have.
    """
    section = Section()
    above: dict[str, int] = {}
    for row in rows:
        if row.line > MOST_ROWS:
            raise UnreadableFile(f"more than {MOST_ROWS} rows in one file", where=row.where)
        if row.is_empty:
            continue
        refusals.count(1, where=row.where)
        if profile.fits(row.cells):
            if section.header:
                yield section
                section = Section()
            section.header, section.width = places(row.cells), len(row.cells)
        elif not section.header or section.ended or _begins(row, profile.ends):
            section.ended = bool(section.header)
            if section.ended and _find_labels(row.cells, profile).get("account"):
                yield section  # what the next one is of stands above its header
                section = Section()
            above = _note_labels(section, row.cells, profile=profile, above=above)
        elif not _begins(row, profile.skips):
            section.rows.append(row)
    if section.header:
        yield section


def _begins(row: Row, marks: Sequence[str]) -> bool:
    first = next((cell.strip() for cell in row.cells if cell.strip()), "")
    return any(first.startswith(mark) for mark in marks)


def _note_labels(section: Section, cells: Sequence[str], *, profile: Profile, above: dict[str, int]) -> dict[str, int]:
    """Notes the values in this row, also those that stand below a label of the row before; tells labels without any."""
    for key, index in above.items():
        if index < len(cells) and cells[index].strip():
            section.labels.setdefault(key, cells[index].strip())
    without: dict[str, int] = {}
    for key, (index, value) in _find_labels(cells, profile).items():
        if value:
            section.labels.setdefault(key, value)
        else:
            without[key] = index
    return without


def _find_labels(cells: Sequence[str], profile: Profile) -> dict[str, tuple[int, str]]:
    """Each label in the row with its place and value: behind it in its cell, or in the next one that is filled."""
    found = {}
    for key in _LABELS:
        for label in getattr(profile.labels, key):
            index = next((nth for nth, cell in enumerate(cells) if cell.strip().startswith(label)), None)
            if index is not None and key not in found:
                cell = cells[index].strip()
                following = next((one.strip() for one in cells[index + 1 :] if one.strip()), "")
                behind = "" if cell.endswith(":") else cell.removeprefix(label).strip(" :\t")
                found[key] = (index, behind or following)
    return found
