"""Real banks' tables, against totals in bank_tables_expected.tsv, where a file that is not read says why not.

The totals of the largest were counted with a spreadsheet's arithmetic on one column; those with a running balance prove
themselves. The files are not ours to ship; where they are absent, the tests say so.
"""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from api.client.bank_files import detection, tables
from api.client.bank_files.lines import Statement, UnknownFormat, UnreadableFile
from api.client.bank_files.profiles import Profile
from ledger.money import Money

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"
SPECTRUM = DATA / "hostile/max-mapper+csv-spectrum"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data, the collection of test files, is not here")

with (Path(__file__).parent / "bank_tables_expected.tsv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
FILES = sorted({row["file"] for row in ROWS})


def summary(statement: Statement, form: str) -> dict[str, str]:
    amounts = [Decimal(entry.amount.decimal()) for entry in statement.entries if entry.status == "booked"]
    return {
        "format": form,
        "currency": statement.currency or "",
        "entries": str(len(statement.entries)),
        "credit_sum": str(sum((one for one in amounts if one > 0), Decimal(0))),
        "debit_sum": str(sum((-one for one in amounts if one < 0), Decimal(0))),
        "opening": statement.opening.decimal() if statement.opening else "",
        "closing": statement.closing.decimal() if statement.closing else "",
        "adds_up": {True: "yes", False: "NO", None: "n/a"}[statement.adds_up],
    }


@pytest.mark.parametrize("name", FILES)
def test_a_table_has_the_expected_totals_or_a_reason(name: str) -> None:
    rows = [row for row in ROWS if row["file"] == name]
    data = (DATA / name).read_bytes()
    if not rows[0]["format"]:
        assert rows[0]["why"]
        with pytest.raises((UnknownFormat, UnreadableFile)):
            detection.read(data)
        return
    read = detection.read(data, currency=rows[0]["named"] or None)

    expected = [{key: row[key] for key in row if key not in {"file", "named", "why"}} for row in rows]
    assert [summary(statement, read.format) for statement in read.statements] == expected


def test_every_shared_table_is_listed() -> None:
    kinds = (".csv", ".xlsx", ".xls", ".dat", ".txt")
    found = {
        str(path.relative_to(DATA))
        for path in [*DATA.glob("bankcsv/**/*"), *DATA.glob("bank_other/**/*")]
        if path.suffix.lower() in kinds
    }

    assert found <= set(FILES)


@pytest.mark.parametrize("name", sorted(path.stem for path in SPECTRUM.glob("csvs/*.csv")))
def test_a_dialect_reads_as_its_twin_in_json(name: str) -> None:
    twin = json.loads((SPECTRUM / f"json/{name}.json").read_text("utf-8"))
    twin = twin if isinstance(twin, list) else [twin]
    data = (SPECTRUM / f"csvs/{name}.csv").read_bytes()
    encoding = "latin-1" if name == "location_coordinates" else "utf-8"
    header, *rows = (row.cells for row in tables.read_csv(data, encoding=encoding, delimiter=","))

    read = [dict(zip(header, row, strict=True)) for row in rows if any(row)]
    assert [list(one.keys()) for one in read] == [list(one.keys()) for one in twin]
    if encoding == "utf-8":
        assert read == twin


@pytest.mark.parametrize(
    ("name", "count", "total", "delimiter"),
    [("csv_injection_names", 6, Money(7500, "EUR"), ","), ("names_rtl_zalgo", 7, Money(2800, "EUR"), ";")],
)
def test_hostile_names_are_read_as_they_stand(name: str, count: int, total: Money, delimiter: str) -> None:
    columns = {"booked_on": "date", "amount": "amount", "counterparty": ["payer"]}
    profile = Profile.model_validate(
        {
            "bank": "Invented",
            "requires": ["date", "payer"],
            "delimiter": delimiter,
            "decimal": "." if delimiter == "," else ",",
            "day": "YMD",
            "columns": columns,
        }
    )
    data = (DATA / f"hostile/crafted/{name}.csv").read_bytes()
    (statement,) = detection.read(data, profile=profile, currency="EUR").statements

    assert len(statement.entries) == count
    assert sum(entry.amount.minor for entry in statement.entries) == total.minor
    raw = data.decode().replace('""', '"')
    assert all(entry.details[0].text["counterparty"].strip() in raw for entry in statement.entries)
