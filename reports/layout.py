"""The only page frame for PDF: A4, two embedded typefaces, tables whose digits stand under digits.

The same document gives the same bytes. Nothing of the machine, its clock or its user goes into the file.
"""

import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
from reportlab import rl_config

from ledger.errors import BadInput
from ledger.money import Money

SANS, SEMIBOLD, SERIF = "SourceSansPro", "SourceSansPro-Semibold", "SourceSerifPro-Semibold"

# reportlab copies these while its modules are imported, and would else name Helvetica in every file.
rl_config.canvas_basefontname = rl_config.defaultGraphicsFontName = SANS
rl_config.invariant = 1
rl_config.useA85 = 0

from reportlab.lib.colors import HexColor  # noqa: E402 - only after rl_config is set
from reportlab.pdfbase import pdfmetrics  # noqa: E402 - only after rl_config is set
from reportlab.pdfbase.ttfonts import TTFont  # noqa: E402 - only after rl_config is set
from reportlab.pdfgen.canvas import Canvas  # noqa: E402 - only after rl_config is set

PAGE_WIDTH, PAGE_HEIGHT = 595.2756, 841.8898
LEFT, RIGHT = 62.0, PAGE_WIDTH - 62.0
INK, GREY, ACCENT, HAIRLINE = HexColor("#1a1a1f"), HexColor("#59636e"), HexColor("#0b4a6b"), HexColor("#c9ced3")

_SIZE, _LEADING, _WRAPPED_LEADING = 9.0, 13.4, 11.2
_HEADS_ON_FIRST, _HEADS_ON_LATER, _LOWEST = 141.0, 84.0, PAGE_HEIGHT - 72.0
_FIGURES_WIDTH, _GAP = 86.0, 10.0
_PUNCTUATION_SPACE, _FIGURE_SPACE = "\u2008", "\u2007"


class MissingGlyph(BadInput):
    """The embedded typeface cannot show a character; a box in its place would hide what was written."""

    rule = "missing_glyph"


class Look(Enum):
    """How a row is set: its font, the space above it, and whether it stays with the row below."""

    SECTION = (SERIF, 13.0, 18.0)
    GROUP = (SEMIBOLD, _SIZE, 4.6)
    LINE = (SANS, _SIZE, 0.0)
    SUBTOTAL = (SEMIBOLD, _SIZE, 0.8)
    TOTAL = (SEMIBOLD, _SIZE, 4.6)
    NOTE = (SANS, 8.0, 12.0)


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its head; `width` in points, None for the one that takes what the others leave."""

    title: str
    width: float | None = None
    holds_figures: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a cell for each column. Sections, groups and notes have one cell that spans all columns."""

    look: Look
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything on the pages. `label` stands at the top right, `prepared` at the bottom left of each."""

    organisation: str
    label: str
    title: str
    subtitle: str
    prepared: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class _Place:
    """A row that has found its page: baseline from the top edge, wrapped cells, whether a hairline closes it."""

    row: Row
    baseline: float
    lines: tuple[tuple[str, ...], ...]
    closed: bool


def render(document: Document) -> bytes:
    """The document as PDF 1.7; two runs give identical bytes.

    Raises:
        MissingGlyph: a character that the typeface lacks, control characters included.
    """
    _register()
    document = _compose(document)
    edges = _edges(document)
    pages = list(_paginate(document, edges=edges))
    drawn = io.BytesIO()
    canvas = Canvas(
        drawn,
        pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
        invariant=1,
        pageCompression=1,
        lang=document.lang,
        initialFontName=SANS,
    )
    for number, places in enumerate(pages, start=1):
        _draw_frame(canvas, document, page=f"Page {number} of {len(pages)}")
        if number == 1:
            _write(canvas, document.title, x=LEFT, top=98.5, font=SERIF, size=23)
            _write(canvas, document.subtitle, x=LEFT, top=113.5, size=10, colour=GREY)
        _draw_heads(canvas, document, edges=edges, top=_HEADS_ON_FIRST if number == 1 else _HEADS_ON_LATER)
        for place in places:
            _draw_row(canvas, place, document=document, edges=edges)
        canvas.showPage()
    canvas.save()
    return _finish(drawn.getvalue(), document)


def figure(amount: Money) -> str:
    """`1,234.50`, `(1,234.50)` below zero; zero is an en dash that stands before the decimals."""
    sign, digits = amount.minor < 0, amount.decimal().lstrip("-")
    whole, point, decimals = digits.partition(".")
    if amount.minor == 0:
        return "–" + (_PUNCTUATION_SPACE + _FIGURE_SPACE * len(decimals) if point else "")
    text = f"{int(whole):,}{point}{decimals}"
    return f"({text})" if sign else text


def _register() -> None:
    """Makes the typefaces known to reportlab, once, from the installed packages."""
    if SERIF in pdfmetrics.getRegisteredFontNames():
        return
    for name, package, file in (
        (SANS, "font_source_sans_pro", "SourceSansPro-Regular.ttf"),
        (SEMIBOLD, "font_source_sans_pro", "SourceSansPro-Semibold.ttf"),
        (SERIF, "font_source_serif_pro", "SourceSerifPro-Semibold.ttf"),
    ):
        with resources.as_file(resources.files(package) / "files" / file) as path:
            pdfmetrics.registerFont(TTFont(name, str(Path(path))))


def _compose(document: Document) -> Document:
    """The document in composed Unicode, every character of which its typeface has."""

    def compose(text: str, *, font: str, where: str) -> str:
        composed = unicodedata.normalize("NFC", text)
        known = pdfmetrics.getFont(font).face.charToGlyph
        for character in composed:
            if ord(character) not in known:
                code_point = f"U+{ord(character):04X}"
                raise MissingGlyph(f"the typeface has no {code_point}", where=where, code_point=code_point)
        return composed

    return Document(
        organisation=compose(document.organisation, font=SANS, where="organisation"),
        label=compose(document.label, font=SANS, where="label"),
        title=compose(document.title, font=SERIF, where="title"),
        subtitle=compose(document.subtitle, font=SANS, where="subtitle"),
        prepared=compose(document.prepared, font=SANS, where="prepared"),
        columns=tuple(
            Column(compose(column.title, font=SEMIBOLD, where="column"), column.width, column.holds_figures)
            for column in document.columns
        ),
        rows=tuple(
            Row(row.look, tuple(compose(cell, font=row.look.value[0], where=f"row {at}") for cell in row.cells))
            for at, row in enumerate(document.rows, start=1)
        ),
        lang=document.lang,
    )


def _edges(document: Document) -> list[tuple[float, float]]:
    """Left and right edge of every column; figures get at least the room that the longest of them needs."""
    widths: list[float] = []
    for at, column in enumerate(document.columns):
        width = column.width or 0.0
        if column.holds_figures:
            cells = [(row.cells[at], row.look.value[0]) for row in document.rows if len(row.cells) > at]
            width = max([width, _FIGURES_WIDTH, *(_width(cell, font=font) for cell, font in cells)])
        widths.append(width)
    spare = RIGHT - LEFT - sum(widths) - _GAP * (len(widths) - 1)
    widths = [spare if width == 0 else width for width in widths]
    edges, x = [], LEFT
    for width in widths:
        edges.append((x, x + width))
        x += width + _GAP
    return edges


def _paginate(document: Document, *, edges: Sequence[tuple[float, float]]) -> Iterator[list[_Place]]:
    """Rows with their places, page by page; headings stay with their first line, totals with the last one."""
    top, page = _HEADS_ON_FIRST + 20.0, list[_Place]()
    for chunk in _chunks(document.rows):
        measured = [(row, closed, _wrap(row, edges=edges, document=document)) for row, closed in chunk]
        height = sum(_height(row, lines) for row, _, lines in measured)
        if page and top + height - _LEADING > _LOWEST:
            yield page
            top, page = _HEADS_ON_LATER + 20.0, []
        for row, closed, lines in measured:
            above = row.look.value[2] if page else 0.0
            page.append(_Place(row, top + above, lines, closed))
            top += _height(row, lines) - (row.look.value[2] - above)
    yield page


def _chunks(rows: Sequence[Row]) -> Iterator[list[tuple[Row, bool]]]:
    """Rows that must not be parted, each with whether a hairline closes it (a line under which no total stands)."""
    chunk: list[tuple[Row, bool]] = []
    for row, following in pairwise([*rows, None]):
        if row is None:
            continue
        sums_up = following is not None and following.look in (Look.SUBTOTAL, Look.TOTAL)
        chunk.append((row, row.look is Look.LINE and not sums_up))
        if row.look not in (Look.SECTION, Look.GROUP) and not sums_up:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _height(row: Row, lines: Sequence[Sequence[str]]) -> float:
    more = max(len(cell) for cell in lines) - 1
    return float(row.look.value[2]) + _LEADING + more * _WRAPPED_LEADING


def _wrap(row: Row, *, edges: Sequence[tuple[float, float]], document: Document) -> tuple[tuple[str, ...], ...]:
    """Every cell as lines that fit; figures are never wrapped, and a cell that spans takes the whole width."""
    font, size, _ = row.look.value
    if len(row.cells) == 1:
        return (tuple(_fill(row.cells[0], width=RIGHT - LEFT, font=font, size=size)),)
    return tuple(
        (cell,) if column.holds_figures else tuple(_fill(cell, width=right - left, font=font, size=size))
        for cell, column, (left, right) in zip(row.cells, document.columns, edges, strict=True)
    )


def _fill(text: str, *, width: float, font: str, size: float) -> Iterator[str]:
    """Lines no wider than `width`, broken at spaces, and inside a word that is too long by itself."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if _width(longer, font=font, size=size) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while _width(line, font=font, size=size) > width:
            fits = next(at for at in range(len(line) - 1, 0, -1) if at == 1 or _width(line[:at], font=font, size=size) <= width)
            yield line[:fits]
            line = line[fits:]
    yield line


def _width(text: str, *, font: str, size: float = _SIZE) -> float:
    return float(pdfmetrics.stringWidth(text, font, size))
