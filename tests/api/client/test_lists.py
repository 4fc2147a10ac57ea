import csv
import io
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client import lists
from api.client.lists import BadList
from ledger.aid.obligations import ObligationKind
from ledger.money import Money
from tests.cast import byn

CELLS = {
    "name": "Invented Ольга Вымышленная",
    "ruling_number": "INVENTED-0001",
    "court": "Invented court no. 1",
    "region": "minsk_city",
    "ruling_kind": "Administrative",
    "article": "23.34 part 1",
    "issued_on": "14.09.2020",
    "in_force_on": "",
    "served_on": "2020-09-26",
    "paid_on": "",
    "detained_days": "",
    "kind": "fine",
    "amount": "1 110,00",
    "currency": "BYN",
    "payee_account": "INVENTED-TREASURY-01",
}


def a_file(*changes: dict[str, str], delimiter: str = ";", encoding: str = "utf-8", newline: str = "\r\n") -> bytes:
    """A list with a row for each of the changes."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline)
    writer.writerow(CELLS)
    writer.writerows((CELLS | change).values() for change in changes or ({},))
    return out.getvalue().encode(encoding)


def refusal_of(data: bytes) -> BadList:
    with pytest.raises(BadList) as refusal:
        lists.read(data)
    return refusal.value


def test_a_row_is_read_exactly() -> None:
    (row,) = lists.read(a_file())

    assert (row.line, row.name, row.court) == (2, CELLS["name"], CELLS["court"])
    assert (row.article, row.part, row.ruling_kind) == ("23.34", "1", "administrative")
    assert (row.issued_on, row.in_force_on, row.served_on) == (date(2020, 9, 14), None, date(2020, 9, 26))
    assert (row.kind, row.amount) == (ObligationKind.FINE, byn("1110.00"))


def test_days_of_detention_are_read_where_they_are_told() -> None:
    told, untold = lists.read(a_file({"detained_days": "14"}, {}))

    assert (told.detained_days, untold.detained_days) == (14, None)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_delimiters_encodings_and_line_ends_make_no_difference(delimiter: str, encoding: str, newline: str) -> None:
    assert lists.read(a_file(delimiter=delimiter, encoding=encoding, newline=newline)) == lists.read(a_file())


def test_quoted_cells_hold_delimiters_quotes_and_line_ends() -> None:
    (row,) = lists.read(a_file({"name": 'Invented "Ann"; or\nAnna', "court": "Court, no. 1"}))

    assert (row.name, row.court) == ('Invented "Ann"; or\nAnna', "Court, no. 1")


def test_empty_lines_are_passed_over_and_the_line_numbers_are_those_of_the_file() -> None:
    file = a_file({}, {}).replace(b"\r\n", b"\r\n\r\n")

    assert [row.line for row in lists.read(file)] == [3, 5]


def test_a_list_of_no_rows_is_a_list() -> None:
    assert lists.read(a_file().splitlines()[0]) == []


@pytest.mark.parametrize(
    ("text", "kopecks"),
    [
        ("810", 81_000),
        ("810.5", 81_050),
        ("810,00", 81_000),
        ("1 110,00", 111_000),
        ("1\u00a0110,00", 111_000),
        ("12\u202f345\u2009678.90", 1_234_567_890),
        ("0,01", 1),
        ("1,110.00", 111_000),
        ("1.110,00", 111_000),
        ("1'110", 111_000),
        ("1,234,567", 123_456_700),
        ("1.234.567,8", 123_456_780),
    ],
)
def test_amounts_as_people_write_them(text: str, kopecks: int) -> None:
    (row,) = lists.read(a_file({"amount": text}))

    assert row.amount == Money(kopecks, "BYN")


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        *(({"amount": text}, "amount") for text in ("", "-5", "0", "0,00", "1,110", "11 10,00", "1e3")),
        *(({"amount": text}, "amount") for text in ("810,001", "NaN", "\u0661\u0662", "810 BYN", "1_000", "9" * 20)),
        *(({"currency": text}, "currency") for text in ("", "byn", "XXX", "rouble")),
        *(({"issued_on": text}, "issued_on") for text in ("03/04/2020", "2020-9-14", "31.02.2020", "14.09.20", "x")),
        *(({"article": text}, "article") for text in ("", "23", "23.34 part", "\u0662\u0663.34", "23.34; 23.35")),
        *(({"kind": text}, "kind") for text in ("", "bribe", "fine,detention")),
        *(({column: " "}, column) for column in ("name", "ruling_number", "court", "region", "payee_account")),
        *(({"detained_days": text}, "detained_days") for text in ("0", "-3", "2.5", "\u0663", "1000", "3 days")),
        ({"name": "A" * 2001}, "name"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_with_its_place(changed: dict[str, str], column: str) -> None:
    refusal = refusal_of(a_file({}, changed))

    assert refusal.data["where"] == f"line 3, column {column}"


def test_a_refusal_never_holds_what_stands_in_the_cell() -> None:
    for column in ("amount", "currency", "issued_on", "article", "kind"):
        refusal = refusal_of(a_file({column: "kanarejka"}))

        assert "kanarejka" not in f"{refusal.message} {refusal.data}"


@pytest.mark.parametrize(
    ("file", "where"),
    [
        (b"", "line 1"),
        (b"\xef\xbb\xbf", "line 1"),
        (b"name;name\r\n", "line 1"),
        (a_file().replace(b"court", b"tribunal", 1), "line 1"),
        (a_file().replace(b"paid_on", b"secret", 1), "line 1"),
        (a_file().replace(b"paid_on", b"served_on", 1), "line 1"),
        (a_file()[:-2] + b";more\r\n", "line 2"),
        (a_file().replace(b"INVENTED-0001", b'"INVENTED', 1), "line 2"),
        (a_file().replace(b"INVENTED-0001", b'"INVENTED"-0001', 1), "line 2"),
        (a_file().replace(b"INVENTED-0001", b"INV\0", 1), "line 2"),
        (a_file(encoding="utf-16-le"), "line 1"),
        (a_file().replace(b"INVENTED-0001", b"\x98\xff", 1), "line 2"),
    ],
)
def test_a_file_that_is_no_such_list_is_refused_as_a_whole(file: bytes, where: str) -> None:
    assert refusal_of(file).data["where"] == where


def test_one_bad_row_refuses_all_of_them() -> None:
    assert refusal_of(a_file(*[{}] * 50, {"amount": "x"}, *[{}] * 50)).data["where"] == "line 52, column amount"


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1).filter(
    lambda text: text.strip() and "\N{REPLACEMENT CHARACTER}" not in text
)


@given(name=NAMES, court=NAMES, kopecks=st.integers(1, 10**12), day=st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_whatever_a_spreadsheet_writes_comes_back(name: str, court: str, kopecks: int, day: date) -> None:
    written: dict[str, Any] = {"name": name, "court": court, "issued_on": day.isoformat()}
    (row,) = lists.read(a_file(written | {"amount": Money(kopecks, "BYN").decimal()}))

    assert (row.name, row.court, row.issued_on) == (name.strip(), court.strip(), day)
    assert row.amount.minor == kopecks


def test_a_row_pasted_in_from_another_encoding_is_found_by_its_line() -> None:
    lines = a_file({}, {}, {}).splitlines(keepends=True)
    legacy = a_file({}, {}, {}, encoding="cp1251").splitlines(keepends=True)

    for mixed in ([*lines[:3], legacy[3]], [*legacy[:3], lines[3]]):
        refusal = refusal_of(b"".join(mixed))
        assert refusal.data["where"] == "line 4"
        assert refusal.message == "the line is in another encoding than the lines before it"


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (a_file({"name": "x" * 10_000_000}), "line 2", "a row is longer"),
        (a_file({"name": "\n" * 1_000_000}), "line ", "a row is longer"),
        (a_file() + b";" * 10_000_000, "line 3", "a row is longer"),
        (b";" * 1_000, "line 1", "no header"),
        (a_file().replace(b"name", b"name" + b";x" * 60, 1), "line 1", "at most 64 columns"),
        (a_file(*[{}] * 20_001), "line 20002", "at most 20,000 rows"),
        (b"x" * (16 * 1024 * 1024 + 1), "file", "at most 16 MiB"),
        (a_file(encoding="utf-16")[:-1], "line 2", "not in UTF-16"),
        (b"\xef\xbb\xbf" + a_file(encoding="cp1251"), "line 2", "not in UTF-8"),
    ],
)
def test_a_file_that_is_too_much_or_broken_is_refused_at_its_place(data: bytes, where: str, what: str) -> None:
    refusal = refusal_of(data)

    assert str(refusal.data["where"]).startswith(where)
    assert what in refusal.message
