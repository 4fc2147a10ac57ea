"""Lists of the collection of test files: a list of invented fines in both forms, hostile CSV, and CSV's dialects.

The files are not ours to ship; where they are absent, the tests say so.
"""

import json
from datetime import date
from pathlib import Path

import pytest

from api.client import lists, previews
from api.client.list_files import sheets
from ledger.aid import jurisdictions
from ledger.money import Money

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"
FINES = DATA / "fines/synthetic"
CRAFTED = DATA / "hostile/crafted"
SPECTRUM = DATA / "hostile/max-mapper+csv-spectrum"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data, the collection of test files, is not here")

PAYERS = """about = "Payers, as if they were on a list."
columns = { issued_on = ["date"], amount = ["amount"], name = ["payer"], CURRENCY }
ignored = ["purpose"]
[constants]
ruling_number = "INVENTED-1"
court = "Invented court"
region = "brest"
ruling_kind = "administrative"
article = "23.34"
kind = "fine"
payee_account = "INVENTED-ACCOUNT"
"""


def test_the_list_of_fines_is_the_same_as_csv_and_as_a_workbook() -> None:
    table, book = (lists.examine((FINES / f"fines_dev{end}").read_bytes()) for end in ("_cp1251.csv", ".xlsx"))

    assert (table.form, book.form, table.profile, book.profile) == ("csv", "xlsx", "codes", "codes")
    assert (table.faults, book.faults) == ([], [])
    assert table.rows == book.rows
    assert len(table.rows) == 40


def test_the_list_of_fines_is_read_exactly() -> None:
    rows = lists.read((FINES / "fines_dev_cp1251.csv").read_bytes())
    found = previews.preview(
        lists.examine((FINES / "fines_dev_cp1251.csv").read_bytes()), jurisdictions.load("by"), on=date(2026, 1, 1)
    )

    by_line = {row.line: row for row in rows}
    assert (by_line[3].amount, by_line[3].issued_on) == (Money(111_000, "BYN"), date(2023, 8, 16))
    assert (by_line[3].article, by_line[3].part, by_line[3].region) == ("19.11", "2", "grodno")
    assert {row.region for row in rows} == {"brest", "gomel", "grodno", "minsk_city", "mogilev"}
    assert (found.taken, {code.value: count for code, count in found.rejected.items()}) == (
        28,
        {"not_assembly_related": 12},
    )


@pytest.mark.parametrize(
    ("name", "currency", "many", "total", "faulty"),
    [("csv_injection_names.csv", None, 6, 7_500, []), ("names_rtl_zalgo.csv", "EUR", 4, 1_800, [2, 4, 7])],
)
def test_hostile_names_are_taken_as_they_are_but_for_marks_that_nobody_sees(
    name: str, currency: str | None, tmp_path: Path, *, many: int, total: int, faulty: list[int]
) -> None:
    constant = f'currency = "{currency}"\n' if currency else ""
    named = "" if currency else 'currency = ["currency"]'
    (tmp_path / "payers.toml").write_text(
        PAYERS.replace(", CURRENCY", f", {named}" if named else "") + constant, "utf-8"
    )

    read = lists.examine((CRAFTED / name).read_bytes(), profile=str(tmp_path / "payers.toml"))

    assert (len(read.rows), sum(row.amount.minor for row in read.rows)) == (many, total)
    assert [(fault.line, fault.column) for fault in read.faults] == [(line, "name") for line in faulty]


@pytest.mark.parametrize("twin", sorted((SPECTRUM / "csvs").glob("*.csv")), ids=lambda path: path.stem)
def test_every_dialect_reads_as_its_twin(twin: Path) -> None:
    told = json.loads((SPECTRUM / "json" / f"{twin.stem}.json").read_text("utf-8"))
    expected = told if isinstance(told, list) else [told]

    header, *rows = [row.cells for row in sheets.read_csv(twin.read_bytes().decode())]

    read = [dict(zip(header, cells, strict=True)) for cells in rows]
    for one in (*read, *expected):
        one.pop("Contact Phone Number", None)  # the collection's own twin has another number than its file
    assert read == expected
