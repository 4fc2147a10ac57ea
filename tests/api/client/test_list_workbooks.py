"""Lists as workbooks: read as their CSV twins are, and measured before they are read."""

import time
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from api.client import lists
from api.client.list_files import workbooks
from api.client.list_files.faults import BadList
from ledger.money import Money
from tests.workbooks import SHEET, a_sheet, a_workbook, altered, part_of

CELLS: dict[str, Any] = {
    "name": "Invented Ольга",
    "ruling_number": "INVENTED-0001",
    "court": "Invented court no. 1",
    "region": "minsk_city",
    "ruling_kind": "administrative",
    "article": "23.34 part 1",
    "issued_on": datetime(2020, 9, 14),  # noqa: DTZ001 - a spreadsheet knows no zones
    "kind": "fine",
    "amount": 810.5,
    "currency": "BYN",
    "payee_account": "INVENTED-TREASURY-01",
}


def a_list(*changes: dict[str, Any], **more: Any) -> bytes:
    return a_workbook(list(CELLS), *(list((CELLS | change).values()) for change in changes or ({},)), **more)


def refusal_of(data: bytes) -> BadList:
    with pytest.raises(BadList) as refusal:
        lists.read(data)
    return refusal.value


def test_the_reader_of_workbooks_uses_the_parser_that_refuses_attacks() -> None:
    assert openpyxl.DEFUSEDXML is True


def test_numbers_and_days_are_read_as_they_are_meant() -> None:
    first, second = lists.read(a_list({}, {"amount": 1110, "issued_on": date(2020, 9, 15), "article": 23.34}))

    assert (first.line, first.amount, first.issued_on) == (2, Money(81_050, "BYN"), date(2020, 9, 14))
    assert (second.line, second.amount, second.issued_on) == (3, Money(111_000, "BYN"), date(2020, 9, 15))
    assert (second.article, second.part) == ("23.34", None)


def test_empty_rows_are_passed_over_and_an_empty_second_sheet_too() -> None:
    data = a_workbook(list(CELLS), [], [None] * 3, list(CELLS.values()), more_sheets={"Empty": []})

    assert [row.line for row in lists.read(data)] == [4]


@pytest.mark.parametrize(
    ("changed", "column", "what"),
    [
        ({"amount": "=400+410"}, "amount", "a formula, not a value"),
        ({"name": '=HYPERLINK("http://127.0.0.1","x")'}, "name", "a formula, not a value"),
        ({"court": "#N/A"}, "court", "an error of the spreadsheet"),
        ({"amount": True}, "amount", "neither a text, a number nor a day"),
        ({"issued_on": datetime(2020, 9, 14, 12)}, "issued_on", "neither a text, a number nor a day"),  # noqa: DTZ001
        ({"payee_account": 3012345678901234567}, "payee_account", "a number of more digits than a spreadsheet keeps"),
        ({"amount": 0.125}, "amount", "BYN has 2 decimals"),
        ({"amount": 1e-9}, "amount", "a number of more digits"),
        ({"article": 19.1}, "article", "a spreadsheet's number, whose last nought may be lost"),
        ({"issued_on": 44088}, "issued_on", "not a day"),
        ({"amount": -810}, "amount", "an amount is above zero"),
    ],
)
def test_what_a_cell_does_not_hold_as_a_value_is_refused_with_its_place(
    changed: dict[str, Any], column: str, what: str
) -> None:
    (fault,) = lists.examine(a_list({}, changed)).faults

    assert fault.where == f"line 3, column {column}"
    assert fault.what.startswith(what)


def test_a_text_that_looks_like_a_formula_is_a_text() -> None:
    cell = '<c r="A2" t="inlineStr"><is><t>=1+1</t></is></c>'
    rest = "".join(
        f'<c r="{letter}2" t="inlineStr"><is><t>{value}</t></is></c>'
        for letter, value in zip(
            "BCDEFGHIJK", [*list(CELLS.values())[1:6], "14.09.2020", "fine", "810", "BYN", "X"], strict=True
        )
    )
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in CELLS)
    book = altered(a_list(), {SHEET: a_sheet(f'<row r="1">{header}</row><row r="2">{cell}{rest}</row>')})

    assert [row.name for row in lists.read(book)] == ["=1+1"]


ROW = "<row><c t='inlineStr'><is><t>{}</t></is></c></row>"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "a bomb": (altered(a_list(), {SHEET: a_sheet("<row>" + " " * 70_000_000 + "</row>")}), "unfolds to more than 64"),
    "a small bomb": (altered(a_list(), {SHEET: a_sheet("<row>" + " " * 9_000_000 + "</row>")}), "200 times"),
    "a cell of 10 MB": (altered(a_list(), {SHEET: a_sheet(ROW.format("x" * 10_000_000))}, packed=False), "longer than"),
    "an entity": (altered(a_list(), {SHEET: b'<!DOCTYPE a [<!ENTITY b "c">]>' + a_sheet("")}), "declares XML entities"),
    "UTF-16": (altered(a_list(), {SHEET: a_sheet("").decode().encode("utf-16")}), "not in UTF-8"),
    "many parts": (altered(a_list(), {f"xl/{nth}.xml": b"<a/>" for nth in range(300)}), "at most 300 parts"),
    "many elements": (altered(a_list(), {SHEET: a_sheet("<a/>" * 60_000)}, packed=False), "more than its cells"),
    "many rows": (altered(a_list(), {SHEET: a_sheet("<row/>" * 100_000)}, packed=False), "at most 20,000 rows"),
    "many columns": (altered(a_list(), {SHEET: a_sheet("<row>" + "<c/>" * 65 + "</row>")}), "at most 64 columns"),
    "a far column": (altered(a_list(), {SHEET: a_sheet('<row><c r="XFD1"><v>1</v></c></row>')}), "at most 64 columns"),
    "a far row": (altered(a_list(), {SHEET: a_sheet('<row r="999999999"><c><v>1</v></c></row>')}), "at most 20,000"),
    "a row of no number": (altered(a_list(), {SHEET: a_sheet('<row r="x"><c><v>1</v></c></row>')}), "damaged"),
    "a string of no place": (altered(a_list(), {SHEET: a_sheet('<row><c t="s"><v>9</v></c></row>')}), "damaged"),
    "broken XML": (altered(a_list(), {SHEET: a_sheet("<row>")}), "damaged"),
    "no workbook in it": (altered(a_list(), {"xl/workbook.xml": b"<a/>"}), "no header"),
    "half of it": (a_list()[:3000], "damaged"),
    "its first bytes": (b"PK\x03\x04", "damaged"),
    "two filled sheets": (a_list(more_sheets={"Second": [["x"]]}), "more than one sheet"),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_workbook_is_refused_with_its_reason_and_at_once(hostile: str) -> None:
    data, reason = HOSTILE[hostile]
    started = time.process_time()

    refusal = refusal_of(data)

    assert reason in refusal.message
    assert time.process_time() - started < 2


def test_a_sheet_that_lies_about_its_size_is_read_whole() -> None:
    book = a_list({}, {}, {})
    lying = altered(book, {SHEET: part_of(book, SHEET).replace(b'ref="A1:K4"', b'ref="A1:A1"')})
    assert lying != book

    assert lists.read(lying) == lists.read(book)


def test_a_mark_that_hides_between_two_chunks_is_found() -> None:
    for shift in range(0, 40, 3):
        filling = b"<!--" + b"<x>" * 20_000 + b"x" * (64 * 1024 - 60_004 - 20 + shift)
        part = filling + b'--><!DOCTYPE a [<!ENTITY b "c">]>' + a_sheet("")

        assert "declares" in refusal_of(altered(a_list(), {"docProps/app.xml": part}, packed=False)).message


def test_archives_are_told_from_texts_by_their_first_bytes() -> None:
    assert workbooks.is_workbook(a_list())
    assert not workbooks.is_workbook(b"name;court")
