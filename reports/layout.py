"""The only page frame for PDF: A4, embedded typefaces, a head and a foot, tables whose digits stand under digits.

The same document gives the same bytes. Nothing of the machine, its clock or its user goes into the file.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pikepdf

from ledger.money import Money
from reports.pagination import (
    ACCENT,
    GREY,
    INK,
    LINE,
    NOTE,
    SIZE,
    WRAPPED_LEADING,
    Column,
    Edges,
    Place,
    Row,
    find_edges,
    paginate,
)
from reports.typefaces import SANS, SEMIBOLD, SERIF, compose, load_all, measure

# isort: split
from reportlab.lib.colors import HexColor  # typefaces has set rl_config by now
from reportlab.pdfgen.canvas import Canvas

PRODUCER = "Solidarity Ledger"

_PAGE_WIDTH, _PAGE_HEIGHT = 595.2756, 841.8898
_LEFT, _RIGHT = 62.0, _PAGE_WIDTH - 62.0
_HAIRLINE = "#c9ced3"

# Points from the top edge.
_HEAD, _HEAD_RULE, _TITLE, _SUBTITLE, _FOOT = 43.5, 51.5, 98.5, 114.0, 805.5
_COLUMN_HEADS_FIRST, _COLUMN_HEADS_LATER, _HEADS_TO_ROWS = 141.0, 84.0, 20.0
_LOWEST = 772.0

_FRAME_SIZE = 8.0
_DASH, _ELLIPSIS = "\N{EN DASH}", "\N{HORIZONTAL ELLIPSIS}"


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
    page: str = "Page {number} of {count}"


@dataclass(frozen=True, slots=True)
class _Part:
    """A document whose rows have found their pages."""

    document: Document
    edges: Edges
    pages: list[list[Place]]


_COVER_COLUMNS = (Column("Statement", width=115), Column("What it shows"), Column("Page", holds_figures=True))


def render(document: Document) -> bytes:
    """The document as PDF; two runs give identical bytes.

    Raises:
        MissingGlyph: a character that the typeface lacks, control characters included.
    """
    load_all()
    return _draw([_set(_compose(document))])


def bind(documents: Sequence[Document], *, title: str, subtitle: str, note: str) -> bytes:
    """Several documents of one organisation as one PDF, numbered through.

    A cover page comes first: a line for each document with its title, its subtitle and its first page, and the note.
    The reader's outline has the same lines. Two runs give identical bytes.

    Raises:
        MissingGlyph: see `render`.
    """
    load_all()
    bound = [_set(_compose(document)) for document in documents]
    lines, first_page = [], 2
    for part in bound:
        lines.append(Row(LINE, (part.document.title, part.document.subtitle, str(first_page))))
        first_page += len(part.pages)
    cover = Document(
        organisation=documents[0].organisation,
        label=f"{title} · {subtitle}",
        title=title,
        subtitle=subtitle,
        prepared=documents[0].prepared,
        columns=_COVER_COLUMNS,
        rows=(*lines, Row(NOTE, (note,))),
        lang=documents[0].lang,
    )
    return _draw([_set(_compose(cover)), *bound])


def figure(amount: Money) -> str:
    """`1,234.50`; `(1,234.50)` below zero; an en dash for zero."""
    if amount.minor == 0:
        return _DASH
    whole, point, decimals = amount.decimal().lstrip("-").partition(".")
    text = f"{int(whole):,}{point}{decimals}"
    return f"({text})" if amount.minor < 0 else text


def _set(document: Document) -> _Part:
    """A composed document cut into pages."""
    edges = find_edges(document.rows, columns=document.columns, left=_LEFT, right=_RIGHT)
    tops = (_COLUMN_HEADS_FIRST + _HEADS_TO_ROWS, _COLUMN_HEADS_LATER + _HEADS_TO_ROWS)
    pages = paginate(document.rows, columns=document.columns, edges=edges, tops=tops, lowest=_LOWEST)
    return _Part(document, edges, pages)


def _draw(parts: Sequence[_Part]) -> bytes:
    """All parts one after the other; the file has the title and the language of the first."""
    first = parts[0].document
    drawn = io.BytesIO()
    canvas = Canvas(
        drawn,
        pagesize=(_PAGE_WIDTH, _PAGE_HEIGHT),
        invariant=1,
        pageCompression=1,
        lang=first.lang,
        initialFontName=SANS,
    )
    number, count = 0, sum(len(part.pages) for part in parts)
    for part in parts:
        for nth, places in enumerate(part.pages):
            number += 1
            if nth == 0 and len(parts) > 1:
                canvas.bookmarkPage(f"page-{number}")
                canvas.addOutlineEntry(part.document.title, f"page-{number}")
            _draw_page(canvas, part=part, places=places, opens=nth == 0, page=(number, count))
    canvas.save()
    return _finish(drawn.getvalue(), document=first)


def _draw_page(canvas: Canvas, *, part: _Part, places: list[Place], opens: bool, page: tuple[int, int]) -> None:
    document = part.document
    number, count = page
    _draw_frame(canvas, document=document, page=document.page.format(number=number, count=count))
    if opens:
        _write(canvas, document.title, x=_LEFT, top=_TITLE, font=SERIF, size=23)
        _write(canvas, document.subtitle, x=_LEFT, top=_SUBTITLE, size=10, colour=GREY)
    heads = _COLUMN_HEADS_FIRST if opens else _COLUMN_HEADS_LATER
    _draw_heads(canvas, columns=document.columns, edges=part.edges, top=heads)
    for place in places:
        _draw_row(canvas, place=place, columns=document.columns, edges=part.edges)
    canvas.showPage()


def _compose(document: Document) -> Document:
    """The same document in composed Unicode, all of whose characters the typefaces have."""
    return replace(
        document,
        organisation=compose(document.organisation, font=SANS, where="organisation"),
        label=compose(document.label, font=SANS, where="label"),
        title=compose(document.title, font=SERIF, where="title"),
        subtitle=compose(document.subtitle, font=SANS, where="subtitle"),
        prepared=compose(document.prepared, font=SANS, where="prepared"),
        page=compose(document.page, font=SANS, where="page"),
        columns=tuple(
            replace(column, title=compose(column.title, font=SEMIBOLD, where="column")) for column in document.columns
        ),
        rows=tuple(
            replace(row, cells=tuple(compose(cell, font=row.look.font, where=f"row {at}") for cell in row.cells))
            for at, row in enumerate(document.rows, start=1)
        ),
    )


def _draw_frame(canvas: Canvas, *, document: Document, page: str) -> None:
    """The head with the accent under the organisation, and the foot."""
    room = _RIGHT - _LEFT - measure(document.label, font=SANS, size=_FRAME_SIZE) - 20
    _write(canvas, _shorten(document.organisation, room=room), x=_LEFT, top=_HEAD, size=_FRAME_SIZE, colour=GREY)
    _write(canvas, document.label, right=_RIGHT, top=_HEAD, size=_FRAME_SIZE, colour=GREY)
    _rule(canvas, left=_LEFT, right=_RIGHT, top=_HEAD_RULE, width=0.5, colour=_HAIRLINE)
    _rule(canvas, left=_LEFT, right=_LEFT + 28, top=_HEAD_RULE, width=1.1, colour=ACCENT)
    _write(canvas, document.prepared, x=_LEFT, top=_FOOT, size=_FRAME_SIZE, colour=GREY)
    _write(canvas, page, right=_RIGHT, top=_FOOT, size=_FRAME_SIZE, colour=GREY)


def _shorten(text: str, *, room: float) -> str:
    """`text`, or as much of its beginning as fits with an ellipsis."""
    if measure(text, font=SANS, size=_FRAME_SIZE) <= room:
        return text
    while text and measure(text + _ELLIPSIS, font=SANS, size=_FRAME_SIZE) > room:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS


def _draw_heads(canvas: Canvas, *, columns: tuple[Column, ...], edges: Edges, top: float) -> None:
    for column, (left, right) in zip(columns, edges, strict=True):
        if column.holds_figures:
            _write(canvas, column.title, right=right, top=top, font=SEMIBOLD, size=8.2, colour=GREY)
        else:
            _write(canvas, column.title, x=left, top=top, font=SEMIBOLD, size=8.2, colour=GREY)
    _rule(canvas, left=_LEFT, right=_RIGHT, top=top + 6.6, width=0.9, colour=INK)


def _draw_row(canvas: Canvas, *, place: Place, columns: tuple[Column, ...], edges: Edges) -> None:
    row, look = place.row, place.row.look
    if len(row.cells) == 1:
        for nth, line in enumerate(place.lines[0]):
            top = place.baseline + nth * WRAPPED_LEADING
            _write(canvas, line, x=_LEFT, top=top, font=look.font, size=look.size, colour=look.colour)
        return
    for lines, column, (left, right) in zip(place.lines, columns, edges, strict=True):
        if column.holds_figures:
            _draw_figure(canvas, lines[0], row=row, top=place.baseline, left=left, right=right)
            continue
        for nth, line in enumerate(lines):
            _write(canvas, line, x=left, top=place.baseline + nth * WRAPPED_LEADING, font=look.font, size=look.size)
    if place.closed:
        bottom = place.baseline + (max(map(len, place.lines)) - 1) * WRAPPED_LEADING + 4.2
        _rule(canvas, left=_LEFT, right=_RIGHT, top=bottom, width=0.25, colour=_HAIRLINE)


def _draw_figure(canvas: Canvas, text: str, *, row: Row, top: float, left: float, right: float) -> None:
    """One figure as one string: decimals under decimals, the closing bracket outside, a dash before the decimals.

    Semibold digits are wider; drawing them that much closer together puts digits under digits.
    """
    if not text:
        return
    font = row.look.font
    closer = measure("0", font=SANS, size=SIZE) - measure("0", font=font, size=SIZE)
    edge = right
    if text.endswith(")"):
        edge += measure(")", font=font, size=SIZE) + closer
    elif text == _DASH and row.decimals:
        edge -= measure("." + "0" * row.decimals, font=SANS, size=SIZE)
    _write(canvas, text, right=edge, top=top, font=font, closer=closer)
    if row.look.rule_above:
        _rule(canvas, left=left, right=right, top=top - 10.0, width=0.6, colour=INK)
    if row.look.rules_below:
        _rule(canvas, left=left, right=right, top=top + 3.2, width=0.6, colour=INK)
        _rule(canvas, left=left, right=right, top=top + 5.0, width=0.6, colour=INK)


def _write(
    canvas: Canvas,
    text: str,
    *,
    top: float,
    x: float | None = None,
    right: float | None = None,
    font: str = SANS,
    size: float = SIZE,
    colour: str = INK,
    closer: float = 0.0,
) -> None:
    """One string, from `x` on or up to `right`; `closer` is added after each character."""
    if right is not None:
        x = right - measure(text, font=font, size=size) - closer * (len(text) - 1)
    canvas.setFont(font, size)
    canvas.setFillColor(HexColor(colour))
    canvas.drawString(x, _PAGE_HEIGHT - top, text, charSpace=closer)


def _rule(canvas: Canvas, *, left: float, right: float, top: float, width: float, colour: str) -> None:
    canvas.setStrokeColor(HexColor(colour))
    canvas.setLineWidth(width)
    canvas.line(left, _PAGE_HEIGHT - top, right, _PAGE_HEIGHT - top)


def _finish(drawn: bytes, *, document: Document) -> bytes:
    """The file with nothing in its information but title and producer, and an identifier made from its content."""
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        del pdf.docinfo
        del pdf.trailer["/ID"]  # reportlab's is the same for every document
        pdf.docinfo["/Title"] = f"{document.title}, {document.subtitle}"
        pdf.docinfo["/Producer"] = PRODUCER
        pdf.Root["/Lang"] = pikepdf.String(document.lang)
        pdf.Root["/ViewerPreferences"] = pikepdf.Dictionary(DisplayDocTitle=True)
        for page in pdf.pages:
            if "/Trans" in page:
                del page["/Trans"]
        written = io.BytesIO()
        pdf.save(
            written,
            force_version="1.7",
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            fix_metadata_version=False,
        )
    return written.getvalue()
