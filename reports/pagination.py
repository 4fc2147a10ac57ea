"""Tables cut into pages: every row finds its page and its baseline before anything is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.typefaces import SANS, SEMIBOLD, SERIF, measure

INK, GREY, ACCENT = "#1a1a1f", "#59636e", "#0b4a6b"
SIZE = 9.0
WRAPPED_LEADING = 11.2
_LEADING = 13.4
_GIVEN_BY_HEADS = 11.0  # of the space above a row, when column heads stand there
_FIGURES_WIDTH, _GAP = 86.0, 10.0

Edges = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Look:
    """How a row is set. `space_above` is in points; `stays` keeps the row on one page with the one below it."""

    font: str
    size: float
    space_above: float = 0.0
    colour: str = INK
    stays: bool = False
    rule_above: bool = False
    rules_below: bool = False


SECTION = Look(SERIF, 12.5, 16.0, stays=True)
GROUP = Look(SEMIBOLD, SIZE, 4.6, ACCENT, stays=True)
LINE = Look(SANS, SIZE)
SUBTOTAL = Look(SEMIBOLD, SIZE, 0.8, rule_above=True)
TOTAL = Look(SEMIBOLD, SIZE, 4.6, rule_above=True, rules_below=True)
NOTE = Look(SANS, 8.0, 11.0, GREY)


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its head; `width` in points, None for the one column that takes what the others leave."""

    title: str
    width: float | None = None
    holds_figures: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a cell for each column, or a single cell that spans them all (sections, groups, notes).

    `decimals` says how many its figures have: the dash that stands for zero is set before them.
    """

    look: Look
    cells: tuple[str, ...]
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A row on its page: the baseline from the top edge, cells in lines, and whether a hairline closes it."""

    row: Row
    baseline: float
    lines: tuple[tuple[str, ...], ...]
    closed: bool


def paginate(
    rows: Sequence[Row], *, columns: Sequence[Column], edges: Edges, tops: tuple[float, float], lowest: float
) -> list[list[Place]]:
    """Pages of places. A heading stays with its first line, a total with the line above it.

    Args:
        rows: in their order.
        columns: what the cells stand in.
        edges: from `find_edges`.
        tops: the first baseline on the first page and on later ones, points from the top edge.
        lowest: the last baseline there is room for.
    """
    first_top, later_top = tops
    pages: list[list[Place]] = [[]]
    baseline = first_top
    for chunk in _chunks(rows):
        measured = [(row, closed, _wrap(row, columns=columns, edges=edges)) for row, closed in chunk]
        height = sum(_height(row, lines) for row, _, lines in measured)
        if pages[-1] and baseline + height - _LEADING > lowest:
            pages.append([])
            baseline = later_top
        for row, closed, lines in measured:
            above = row.look.space_above if pages[-1] else max(0.0, row.look.space_above - _GIVEN_BY_HEADS)
            pages[-1].append(Place(row, baseline + above, lines, closed))
            baseline += above + _height(row, lines) - row.look.space_above
    return pages


def find_edges(rows: Sequence[Row], *, columns: Sequence[Column], left: float, right: float) -> Edges:
    """Left and right edge of every column; figures get at least the room that the longest of them needs."""
    widths = [column.width or 0.0 for column in columns]
    for at, column in enumerate(columns):
        if column.holds_figures:
            cells = [(row.cells[at], row.look.font) for row in rows if len(row.cells) > 1]
            needed = [measure(cell, font=font, size=SIZE) for cell, font in cells]
            widths[at] = max([widths[at], _FIGURES_WIDTH, *needed])
    spare = right - left - sum(widths) - _GAP * (len(widths) - 1)
    edges, x = [], left
    for column, width in zip(columns, widths, strict=True):
        wide = width if column.width or column.holds_figures else spare
        edges.append((x, x + wide))
        x += wide + _GAP
    return edges


def _chunks(rows: Sequence[Row]) -> Iterator[list[tuple[Row, bool]]]:
    """Rows that must not be parted, each with whether a hairline closes it: a line under which no total stands."""
    chunk: list[tuple[Row, bool]] = []
    for row, following in pairwise([*rows, Row(NOTE, ("",))]):
        chunk.append((row, row.look is LINE and not following.look.rule_above))
        if not (row.look.stays or following.look.rule_above):
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _height(row: Row, lines: Sequence[Sequence[str]]) -> float:
    return row.look.space_above + _LEADING + (max(map(len, lines)) - 1) * WRAPPED_LEADING


def _wrap(row: Row, *, columns: Sequence[Column], edges: Edges) -> tuple[tuple[str, ...], ...]:
    """Every cell in lines that fit. Figures are never broken; a cell that spans has the whole width."""
    if len(row.cells) == 1:
        return (tuple(_fill(row.cells[0], width=edges[-1][1] - edges[0][0], look=row.look)),)
    return tuple(
        (cell,) if column.holds_figures else tuple(_fill(cell, width=right - left, look=row.look))
        for cell, column, (left, right) in zip(row.cells, columns, edges, strict=True)
    )


def _fill(text: str, *, width: float, look: Look) -> Iterator[str]:
    """Lines no wider than `width`, broken at spaces, and inside a word that is too long by itself."""

    def fits(line: str) -> bool:
        return len(line) == 1 or measure(line, font=look.font, size=look.size) <= width

    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if not longer or fits(longer):
            line = longer
            continue
        if line:
            yield line
        line = word
        while not fits(line):
            most = next(length for length in range(len(line) - 1, 0, -1) if fits(line[:length]))
            yield line[:most]
            line = line[most:]
    yield line
