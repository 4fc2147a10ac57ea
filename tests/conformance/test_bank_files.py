"""Real banks' and other programs' files, against control totals counted without a bank-format library.

Rows that are excepted stand with their reasons in bank_file_exceptions.tsv, at most one in fifty. The hostile files are
held against what a program should do with them. The files are not ours to ship; where they are absent, the tests say
so.
"""

import csv
import subprocess
import sys
import time
import zipfile
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest

from api.client.bank_files import detection
from api.client.bank_files.lines import Statement, StatementFile, UnknownFormat, UnreadableFile
from ledger.money import Money

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"
VERDICTS = {"yes": True, "NO": False, "n/a": None}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data, the collection of test files, is not here")


def read_tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def rows(table: str) -> list[dict[str, str]]:
    return read_tsv(DATA / table) if DATA.is_dir() else []


HOSTILE = {
    row["file"]: row["expected behaviour"]
    for row in rows("HOSTILE_EXPECTED.tsv")
    if row["file"].endswith((".xml", ".ofx")) and "{" not in row["file"]
}
ALL = rows("EXPECTED.tsv")
EXCEPTED = {
    (row["file"], row["unit"]): row["why"] for row in read_tsv(Path(__file__).parent / "bank_file_exceptions.tsv")
}
# What should become of a hostile file is said by the other table, which has it refused where this one counts it.
EXPECTED = [row for row in ALL if row["file"] not in HOSTILE and (row["file"], row["unit"]) not in EXCEPTED]
DOCTYPES = sorted(path for path in DATA.glob("hostile/tiran+defusedxml/xmltestdata/*.xml") if "simple" not in path.name)


def read(name: str) -> StatementFile:
    return detection.read((DATA / name).read_bytes())


def decimal(money: Money | None) -> Decimal | None:
    return None if money is None else Decimal(money.decimal())


def expected_decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def find_unit(file: StatementFile, unit: str) -> Statement:
    """`Stmt[2] ACCOUNT` is the second statement, and of that account."""
    place, _, account = unit.partition(" ")
    statement = file.statements[int(place.partition("[")[2].rstrip("]")) - 1]
    assert statement.account == account.replace(" ", "") or not account
    return statement


def booked(statement: Statement, currency: str) -> list[Decimal]:
    """The table leaves the currency empty where a file writes it only beside its totals or entries."""
    return [
        Decimal(entry.amount.decimal())
        for entry in statement.entries
        if entry.status == "booked" and currency in {"", entry.amount.currency}
    ]


def test_at_most_one_row_in_fifty_is_excepted_and_each_with_a_reason() -> None:
    named = {(row["file"], row["unit"]) for row in ALL}

    assert len(EXCEPTED) <= len(ALL) / 50
    assert set(EXCEPTED) <= named
    assert all(len(why) > 40 for why in EXCEPTED.values())


def test_an_excepted_file_is_refused_with_its_place() -> None:
    for name in {name for name, _ in EXCEPTED}:
        with pytest.raises(UnreadableFile) as refusal:
            read(name)
        assert "line " in str(refusal.value.data["where"])


@pytest.mark.parametrize("name", sorted({row["file"] for row in EXPECTED}))
def test_a_file_has_the_expected_totals(name: str) -> None:
    expected = [row for row in EXPECTED if row["file"] == name]
    if not expected[0]["unit"]:
        try:
            statements = read(name).statements
        except (UnknownFormat, UnreadableFile):
            statements = ()
        assert statements == ()
        return
    file = read(name)
    for row in expected:
        statement = find_unit(file, row["unit"])
        amounts = booked(statement, row["currency"])
        credits_, debits = [one for one in amounts if one >= 0], [-one for one in amounts if one < 0]

        assert len(amounts) == int(row["entries"])
        assert (len(credits_), sum(credits_)) == (int(row["credit_count"]), Decimal(row["credit_sum"]))
        assert (len(debits), sum(debits)) == (int(row["debit_count"]), Decimal(row["debit_sum"]))
        assert decimal(statement.opening) == expected_decimal(row["opening"])
        assert decimal(statement.closing) == expected_decimal(row["closing"])
        assert statement.adds_up is VERDICTS[row["adds_up"]]
    assert len(file.statements) == len({row["unit"] for row in expected})


def test_the_specifications_own_example_of_ofx_is_read_as_the_specification_says() -> None:
    """The shared table leaves it out; its figures stand in its own text: two debits, and the ledger's balance."""
    file = read("ofx/libofx+libofx/doc/ofx_sample_files/ofx_spec160_stmtrs_example.sgml")
    (statement,) = file.statements

    assert (file.format, statement.currency, decimal(statement.closing)) == ("ofx.1", "USD", Decimal("200.29"))
    assert booked(statement, "USD") == [Decimal("-200.00"), Decimal("-300.00")]


def test_an_archive_of_statements_is_refused_and_each_file_in_it_is_read() -> None:
    """An archive is unpacked by who has it: two of its files are two statements, and a reader takes one file."""
    folder = "camt/OCA+bank-statement-import/account_statement_import_camt/test_files"
    data = (DATA / folder / "test-camt053.zip").read_bytes()
    with pytest.raises(UnreadableFile):
        detection.read(data)

    with zipfile.ZipFile(BytesIO(data)) as archive:
        files = [detection.read(archive.read(name)) for name in sorted(archive.namelist())]
    assert [(file.format, len(file.statements)) for file in files] == [("camt.053", 1), ("camt.053", 1)]
    found = [booked(file.statements[0], "") for file in files]
    assert found == [[Decimal("-754.25"), Decimal("-594.05"), Decimal("1405.31")]] * 2


@pytest.mark.parametrize("row", rows("DOES_NOT_ADD_UP.tsv"), ids=lambda row: f"{row['file']} {row['unit']}")
def test_what_does_not_add_up_is_shown(row: dict[str, str]) -> None:
    file = read(row["file"])
    statement = find_unit(file, row["unit"])

    assert file.problems
    if row["difference"] != "details only":
        shown = ("it does not add up", "the closing balance is in SEK, the statement in EUR")
        assert statement.adds_up is False
        assert any(problem.what.startswith(shown) for problem in file.problems)


def test_every_currency_that_is_booked_is_expected() -> None:
    rows_with_units = [row for row in EXPECTED if row["unit"] and row["currency"]]
    expected = {(row["file"], row["unit"].partition(" ")[0], row["currency"]) for row in rows_with_units}
    found = {
        (name, unit.partition("[")[0] + f"[{number}]", entry.amount.currency)
        for name, unit in {(row["file"], row["unit"]) for row in rows_with_units}
        for number, statement in enumerate(read(name).statements, 1)
        for entry in statement.entries
        if entry.status == "booked"
    }

    assert found <= expected


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("camt/tryton+tryton/sepa/camt.053.001.02.xml", "the bank's sum of entries is 6852.79 EUR"),
        ("camt/newinnovations+camt053/doc/example-camt053-b.xml", "the bank counts 16 entries, 19 are there"),
        ("camt/genkgo+camt/test/data/camt053.v3.xml", "the details sum to 105.75 EUR, the entry is 8.85 EUR"),
        ("camt/genkgo+camt/test/data/camt054.v4.xml", "the bank counts 2 details, 3 are there"),
        ("camt/newinnovations+camt053/doc/error-camt053.xml", "it does not add up: opening 1000.00 EUR"),
    ],
)
def test_what_a_bank_contradicts_itself_in_is_shown(name: str, what: str) -> None:
    assert any(problem.what.startswith(what) for problem in read(name).problems)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_or_read_as_expected(name: str) -> None:
    began = time.process_time()
    if HOSTILE[name].startswith("accept:"):
        file = read(name)
        (entry,) = file.statements[0].entries

        assert (entry.amount, file.statements[0].adds_up) == (Money(1000, "EUR"), True)
        assert entry.details[0].text["counterparty"] == "Ўладзімір Ёлкін Їжак"
    else:
        with pytest.raises(UnreadableFile) as refusal:
            read(name)

        assert refusal.value.data["where"]
    assert time.process_time() - began < 1


@pytest.mark.parametrize("path", DOCTYPES, ids=lambda path: path.name)
def test_every_doctype_is_refused(path: Path) -> None:
    with pytest.raises(UnreadableFile, match="DOCTYPE"):
        detection.read(path.read_bytes())


def test_harmless_xml_that_is_no_statement_is_no_known_format() -> None:
    for path in DATA.glob("hostile/tiran+defusedxml/xmltestdata/simple*.xml"):
        with pytest.raises(UnknownFormat):
            detection.read(path.read_bytes())


def test_the_unreadable_amounts_are_all_found_and_the_readable_ones_not_blamed() -> None:
    with pytest.raises(UnreadableFile) as refusal:
        read("hostile/crafted/camt_bad_amounts.xml")

    # 22 entries, of which ` 5.00 `, `5`, `0.00`, `10.00000` and `9007199254740993.01` are exact.
    assert refusal.value.data["count"] == 22 - 5
    assert not any(f"entry {number}," in str(refusal.value.data["places"]) for number in (7, 8, 9, 11, 13))


def test_every_entry_without_a_real_currency_is_refused() -> None:
    with pytest.raises(UnreadableFile) as refusal:
        read("hostile/crafted/camt_no_or_bad_currency.xml")

    assert refusal.value.data["count"] == 5


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the most memory ever used so")
def test_all_hostile_files_together_take_less_than_200_megabytes() -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from api.client.bank_files import detection\n"
        "from ledger.errors import BadInput\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        detection.read(Path(name).read_bytes())\n"
        "    except BadInput:\n"
        "        pass\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n"
    )
    names = [str(DATA / name) for name in HOSTILE] + [str(path) for path in DOCTYPES]
    done = subprocess.run(
        [sys.executable, "-c", script, *names], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert int(done.stdout) < 200 * 1024
