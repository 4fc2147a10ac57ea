"""The page frame, looked at with another library than the one that draws it."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pikepdf
import pytest

from ledger.money import Money
from reports.layout import Document, bind, figure, render
from reports.pagination import GROUP, LINE, NOTE, SUBTOTAL, TOTAL, Column, Row
from reports.typefaces import MissingGlyph, measure

COLUMNS = (Column("Account", width=92), Column("Name"), Column("Debit", holds_figures=True))


def a_document(*rows: Row, organisation: str = "Friends of the River", title: str = "Trial balance") -> Document:
    return Document(
        organisation=organisation,
        label="Annual accounts",
        title=title,
        subtitle="As at 31 December 2024",
        prepared="Prepared from all entries",
        columns=COLUMNS,
        rows=rows,
    )


def a_line(at: int = 0, *, name: str = "Cash in hand", debit: str = "1.00") -> Row:
    return Row(LINE, (f"{1000 + at}", name, debit))


@dataclass(frozen=True)
class Piece:
    """One string on a page: where its baseline starts, in which font, and what spacing its characters get."""

    text: str
    x: float
    y: float
    font: str
    size: float
    spacing: float


def read_pages(pdf: bytes) -> list[list[Piece]]:
    """The strings of every page, through the fonts' own ToUnicode maps."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return [list(_read(page)) for page in opened.pages]


def _read(page: pikepdf.Page) -> Iterator[Piece]:
    fonts = {name: _unicode_map(font) for name, font in page.Resources.Font.items()}
    font, size, spacing, x, y = "", 0.0, 0.0, 0.0, 0.0
    for instruction in pikepdf.parse_content_stream(page):
        operator, operands = str(instruction.operator), list(instruction.operands)
        if operator == "BT":
            spacing = 0.0
        elif operator == "Tm":
            x, y = float(operands[4]), float(operands[5])
        elif operator == "Tf":
            font, size = str(operands[0]), float(operands[1])
        elif operator == "Tc":
            spacing = float(operands[0])
        elif operator == "Tj":
            text = "".join(fonts[font][byte] for byte in bytes(operands[0]))
            name = str(page.Resources.Font[font].BaseFont).partition("+")[2]
            yield Piece(text, x, y, name, size, spacing)


def _unicode_map(font: pikepdf.Object) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-F]{2})> <([0-9A-F]{4})>", font.ToUnicode.read_bytes())
    return {int(code, 16): chr(int(point, 16)) for code, point in pairs}


def texts(page: list[Piece]) -> list[str]:
    return [piece.text for piece in page]


def end(piece: Piece) -> float:
    """Where the last character of a right-aligned piece ends."""
    return piece.x + measure(piece.text, font=font_name(piece), size=piece.size) + piece.spacing * (len(piece.text) - 1)


def font_name(piece: Piece) -> str:
    return piece.font.removesuffix("-Regular")


def test_two_runs_give_the_same_bytes() -> None:
    document = a_document(a_line())

    assert render(document) == render(document)


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    program = (
        "import sys\n"
        "from reports.layout import Document, render\n"
        "from reports.pagination import LINE, Column, Row\n"
        "sys.stdout.buffer.write(render(Document(organisation='Friends', label='L', title='T', subtitle='S',"
        " prepared='P', columns=(Column('A'),), rows=(Row(LINE, ('x',)),))))"
    )

    runs = [
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]

    assert runs[0] == runs[1]
    assert runs[0].startswith(b"%PDF-1.7")


def test_every_font_is_an_embedded_truetype_subset() -> None:
    with pikepdf.open(io.BytesIO(render(a_document(a_line(), Row(TOTAL, ("", "Total", "1.00")))))) as pdf:
        fonts = {str(font.BaseFont): font for page in pdf.pages for font in page.Resources.Font.values()}

        assert {name.partition("+")[2] for name in fonts} == {
            "SourceSansPro-Regular",
            "SourceSansPro-Semibold",
            "SourceSerifPro-Semibold",
        }
        assert all(font.Subtype == "/TrueType" and font.FontDescriptor.FontFile2 for font in fonts.values())


def test_the_information_holds_a_title_and_a_producer_and_nothing_else() -> None:
    # attack 12: no author, no dates, no machine
    pdf = render(a_document(a_line()))

    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert {key: str(value) for key, value in opened.docinfo.items()} == {
            "/Title": "Trial balance, As at 31 December 2024",
            "/Producer": "Solidarity Ledger",
        }
        assert opened.Root.Lang == "en"
        assert "/Metadata" not in opened.Root
        assert "/Names" not in opened.Root
        assert "/OpenAction" not in opened.Root
    assert b"reportlab" not in pdf.lower()


def test_the_identifier_follows_from_the_content() -> None:
    def identifier(document: Document) -> bytes:
        with pikepdf.open(io.BytesIO(render(document))) as pdf:
            return bytes(pdf.trailer.ID[0])

    assert identifier(a_document(a_line())) == identifier(a_document(a_line()))
    assert identifier(a_document(a_line())) != identifier(a_document(a_line(debit="2.00")))


def test_nothing_of_an_earlier_revision_stays_in_the_file() -> None:
    # attack 13
    assert render(a_document(a_line())).count(b"%%EOF") == 1


def test_head_and_foot_stand_on_every_page_and_the_column_heads_are_repeated() -> None:
    pages = read_pages(render(a_document(*(a_line(at) for at in range(120)))))

    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        assert {"Friends of the River", "Annual accounts", "Prepared from all entries"} <= set(texts(page))
        assert {"Account", "Name", "Debit", f"Page {number} of 3"} <= set(texts(page))
        assert ("As at 31 December 2024" in texts(page)) is (number == 1)
    shown = [text for page in pages for text in texts(page) if re.fullmatch(r"1\d{3}", text)]
    assert shown == [f"{1000 + at}" for at in range(120)]


def test_cyrillic_and_signs_come_out_as_they_went_in() -> None:
    name = "Расчётный счёт № 7 \N{MINUS SIGN} 5 € в ₽ «Дом»"

    (page,) = read_pages(render(a_document(a_line(name=name))))

    assert name in texts(page)


def test_decomposed_letters_are_composed() -> None:
    (page,) = read_pages(render(a_document(a_line(name="Cafe\u0301"))))

    assert "Café" in texts(page)


@pytest.mark.parametrize(
    ("character", "code_point"),
    [("漢", "U+6F22"), ("\u202e", "U+202E"), ("\n", "U+000A"), ("\x00", "U+0000"), ("\U0001f600", "U+1F600")],
)
def test_a_character_without_a_glyph_is_an_error_and_not_a_box(character: str, code_point: str) -> None:
    with pytest.raises(MissingGlyph) as refusal:
        render(a_document(a_line(), a_line(name=f"Name {character}")))

    assert refusal.value.data == {"where": "row 2", "code_point": code_point}


def test_glyphs_are_looked_for_in_the_frame_too() -> None:
    with pytest.raises(MissingGlyph) as refusal:
        render(a_document(a_line(), organisation="漢"))

    assert refusal.value.data["where"] == "organisation"


def test_digits_stand_under_digits_also_in_semibold_and_a_bracket_hangs_outside() -> None:
    rows = (a_line(debit="1,234.50"), a_line(1, debit="(834.50)"), Row(SUBTOTAL, ("", "Total", "400.00")))

    (page,) = read_pages(render(a_document(*rows)))
    plain, negative, total = (next(piece for piece in page if piece.text == row.cells[2]) for row in rows)

    bracket = measure(")", font="SourceSansPro", size=9)
    assert end(plain) == pytest.approx(end(total), abs=0.01)
    assert end(negative) == pytest.approx(end(plain) + bracket, abs=0.01)
    pitch = [measure("0", font=font_name(piece), size=piece.size) + piece.spacing for piece in (plain, negative, total)]
    assert pitch == pytest.approx([pitch[0]] * 3, abs=0.01)
    assert total.font == "SourceSansPro-Semibold"


def test_the_dash_for_zero_stands_before_the_decimals() -> None:
    rows = (
        a_line(debit="1,234.50"),
        a_line(1, debit="\N{EN DASH}"),
        replace(a_line(2, debit="\N{EN DASH}"), decimals=0),
    )

    (page,) = read_pages(render(a_document(*rows)))
    number = next(piece for piece in page if piece.text == "1,234.50")
    with_decimals, without = (piece for piece in page if piece.text == "\N{EN DASH}")

    assert end(number) - end(with_decimals) == pytest.approx(measure(".50", font="SourceSansPro", size=9))
    assert end(without) == pytest.approx(end(number))


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_450, "EUR", "1,234.50"),
        (-5, "EUR", "(0.05)"),
        (0, "EUR", "\N{EN DASH}"),
        (1_234_550, "JPY", "1,234,550"),
        (-1_234, "KWD", "(1.234)"),
        (2**63 - 1, "EUR", "92,233,720,368,547,758.07"),
    ],
)
def test_figures_are_written_for_accountants(minor: int, currency: str, text: str) -> None:
    assert figure(Money(minor, currency)) == text


def test_a_long_name_is_wrapped_and_a_long_word_broken_inside_its_column() -> None:
    name = "Allowance for advances that were seized or are not accounted for, " + "x" * 80

    (page,) = read_pages(render(a_document(a_line(name=name), a_line(1, name="After"))))
    wrapped = [piece for piece in page if piece.x == pytest.approx(164.0) and piece.font.endswith("Regular")]
    right = min(piece.x for piece in page if piece.text == "1.00")

    assert "".join(texts(wrapped)).replace(" ", "") == (name + "After").replace(" ", "")
    assert all(end(piece) < right for piece in wrapped)
    assert [piece.y for piece in wrapped] == sorted({piece.y for piece in wrapped}, reverse=True)


def test_the_widest_figure_widens_its_column_and_covers_nothing() -> None:
    wide = "92,233,720,368,547,758.07"

    (page,) = read_pages(render(a_document(a_line(name="n" * 300, debit=wide))))
    number = next(piece for piece in page if piece.text == wide)

    assert all(end(piece) < number.x for piece in page if set(piece.text) == {"n"})


def test_a_long_organisation_does_not_run_into_the_label() -> None:
    (page,) = read_pages(render(a_document(a_line(), organisation="River " * 60)))
    label = next(piece for piece in page if piece.text == "Annual accounts")
    organisation = next(piece for piece in page if piece.text.endswith("…"))

    assert end(organisation) < label.x


@pytest.mark.parametrize("lines", range(40, 50))
def test_a_heading_stays_with_its_first_line_and_a_total_with_its_last(lines: int) -> None:
    rows = [
        *(a_line(at) for at in range(lines)),
        Row(SUBTOTAL, ("", "Subtotal", "1.00")),
        Row(TOTAL, ("", "Total", "1.00")),
        Row(GROUP, ("Heading",)),
        a_line(500),
        a_line(501),
    ]

    pages = [texts(page) for page in read_pages(render(a_document(*rows)))]

    def page_of(text: str) -> int:
        return next(at for at, page in enumerate(pages) if text in page)

    assert page_of("Total") == page_of("Subtotal") == page_of(f"{1000 + lines - 1}")
    assert page_of("Heading") == page_of("1500")


def test_nothing_is_drawn_into_the_foot() -> None:
    pages = read_pages(render(a_document(*(a_line(at, name="long name " * 9) for at in range(60)))))

    for page in pages:
        foot = next(piece.y for piece in page if piece.text.startswith("Page "))
        assert all(piece.y > foot + 20 for piece in page if piece.y != foot)


def test_a_document_without_rows_is_one_page() -> None:
    assert len(read_pages(render(a_document()))) == 1
    assert len(read_pages(render(a_document(Row(NOTE, ("Nothing to show.",)))))) == 1


# --- several documents in one


def bound(*documents: Document) -> bytes:
    return bind(documents, title="Statements", subtitle="As at 31 December 2020", note="Totals only.")


def test_bound_documents_follow_a_cover_with_a_line_and_the_first_page_of_each() -> None:
    long = a_document(*(a_line(at) for at in range(60)), title="A long one")
    short = a_document(a_line(), title="A short one")

    pages = read_pages(bound(long, short))

    cover = texts(pages[0])
    count = len(pages)
    assert cover[cover.index("Page") + 1 :][:6] == [
        "A long one",
        long.subtitle,
        "2",
        "A short one",
        short.subtitle,
        str(count),
    ]
    assert "Totals only." in cover
    assert [texts(pages[at - 1]).count(title) for at, title in ((2, "A long one"), (count, "A short one"))] == [1, 1]
    assert [f"Page {at} of {count}" in texts(page) for at, page in enumerate(pages, start=1)] == [True] * count


def test_the_readers_outline_leads_to_each_bound_document() -> None:
    long = a_document(*(a_line(at) for at in range(60)), title="A long one")

    with pikepdf.open(io.BytesIO(bound(long, a_document(a_line(), title="A short one")))) as pdf:
        with pdf.open_outline() as outline:
            titles = [entry.title for entry in outline.root]
        assert str(pdf.docinfo["/Title"]) == "Statements, As at 31 December 2020"

    assert titles == ["Statements", "A long one", "A short one"]


def test_bound_documents_are_the_same_bytes_twice_and_each_keeps_its_own_pages() -> None:
    one, two = a_document(a_line()), a_document(a_line(name="Bank"), title="Another")

    assert bound(one, two) == bound(one, two)
    assert bound(one, two) != bound(two, one)
    assert texts(read_pages(bound(one, two))[1])[:3] == texts(read_pages(render(one))[0])[:3]


def test_a_note_without_a_glyph_is_an_error_on_the_cover_too() -> None:
    with pytest.raises(MissingGlyph):
        bind([a_document(a_line())], title="Statements", subtitle="\N{SNOWMAN}", note="Totals only.")
