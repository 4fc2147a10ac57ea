"""Rows 14 and 35: markup and formulas in every text that somebody may choose, in every form in which it comes out."""

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pikepdf
import pytest
from sqlalchemy import text

from reports import csv_table
from tests.canaries import text_of_pdf
from tests.office import BYN_LEAF, Office, on_one_database

FORMULAS = (
    "=HYPERLINK(0)",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1+1",
    "\uff20A1",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "a;=1+1",
    "a|=1+1",
    'a"\r\n=1+1',
    "\ufeff=1+1",
    " =1+1",
    "\u200b=1+1",
    "=cmd|' /C calc'!A0",
)
MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "<b>bold</b><a href='https://invented.invalid'>x</a>",
    "{{ 7*7 }}{% raw %}",
    "&lt;script&gt;",
    ") Tj /F1 99 Tf (x",
    "\\051 Tj",
    "<</S/JavaScript/JS(app.alert(1))>>",
    "%%EOF",
)
SHOWN = tuple(formula for formula in FORMULAS if formula.isprintable() and formula.isascii())
"""The formulas that the typefaces can show."""
DANGEROUS = re.compile("[\t\r\n]|[\\s\ufeff\u200b]*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
ACTIVE = {
    "/JavaScript",
    "/JS",
    "/Launch",
    "/URI",
    "/OpenAction",
    "/AA",
    "/EmbeddedFiles",
    "/Annots",
    "/AcroForm",
    "/XFA",
}


def cells_of(table: bytes, *, separator: str = ",") -> Iterator[str]:
    """The cells as a spreadsheet takes them that is set to this separator."""
    for row in csv.reader(io.StringIO(table.decode("utf-8"), newline=""), delimiter=separator):
        yield from row


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_cell_begins_like_a_formula_whatever_separates_cells(formula: str, separator: str) -> None:
    table = csv_table.as_csv(["name", "amount"], rows=[[formula, "-12.50"]])

    found = [cell.strip('"') for cell in cells_of(table, separator=separator)]

    starts = [cell for cell in found if DANGEROUS.match(cell) and not re.fullmatch(r"-\d+\.\d\d", cell)]
    assert starts == []
    assert "-12.50" in table.decode()


class Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def rename(office: Office, organisation: str) -> None:
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE book SET organisation = :o"), {"o": organisation})


@on_one_database
@pytest.mark.parametrize("payload", [*MARKUP, *SHOWN])
def test_the_public_page_shows_a_name_as_text_and_gets_no_tag_from_it(office: Office, payload: str) -> None:
    plain = Tags(office.send("GET", "/").content)
    rename(office, payload)

    page = office.send("GET", "/")

    changed = Tags(page.content)
    assert [tag for tag, _ in changed.tags] == [tag for tag, _ in plain.tags]
    names = [[name for name, _ in attributes] for _, attributes in changed.tags]
    assert names == [[name for name, _ in attributes] for _, attributes in plain.tags]
    assert " ".join(payload.split()) in " ".join(changed.text.split())
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@on_one_database
def test_the_statements_show_names_as_text_and_run_nothing(office: Office) -> None:
    """Names of accounts are free text of administrators; they come out in JSON, CSV and PDF."""
    office.furnish()
    office.receive_gift()
    payloads = [*MARKUP, *SHOWN]
    for nth, payload in enumerate(payloads):
        body = {"code": f"1000:payload-{nth}", "name": payload, "currency": "BYN"}
        assert office.post("/v1/accounts", body, by="clara").status_code == 201
    api = office.desk("clara").api
    for payload in payloads:
        rename(office, payload)
        name_leaf(office, payload)
        pdf = api.download("/v1/reports/audit.pdf", on="2020-11-02")
        table = api.download("/v1/reports/trial-balance.csv", on="2020-11-02")

        assert payload.encode() in text_of_pdf(pdf).replace(b"\n", b""), payload
        assert active_parts(pdf) == set()
        assert pages_and_fonts(pdf) == 3
        assert [cell for cell in cells_of(table) if DANGEROUS.match(cell) and not re.fullmatch(r"-?[\d.]+", cell)] == []


def name_leaf(office: Office, name: str) -> None:
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE account SET name = :n WHERE code = :c"), {"n": name, "c": BYN_LEAF})


def active_parts(pdf: bytes) -> set[str]:
    """What in a file could run, lead somewhere or carry a file."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return {key for thing in opened.objects for key in _keys(thing) if key in ACTIVE}


def _keys(thing: Any) -> Iterator[str]:
    """The keys of an object and of those that stand in it; others stand among the file's objects."""
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for key, value in thing.items():
            yield str(key)
            if not getattr(value, "is_indirect", True):
                yield from _keys(value)
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            if not getattr(value, "is_indirect", True):
                yield from _keys(value)


def pages_and_fonts(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        fonts: set[Any] = {str(name) for page in opened.pages for name in page.Resources.Font.keys()}  # noqa: SIM118
    return len(fonts)


def test_the_search_for_active_parts_finds_a_planted_one() -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        written = io.BytesIO()
        pdf.save(written)

    assert active_parts(written.getvalue()) == {"/OpenAction", "/JS"}
