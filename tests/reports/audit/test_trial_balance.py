import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.audit.trial_balance import BadRow, Figures, OutOfBalance, Row, as_json, render_csv, render_json, render_pdf
from reports.csv_table import neutralise

BANK = Row("1000:eur-main", "Bank, euro", "asset", "EUR", 90_000, 0)
FINES = Row("5000", "Fines", "expense", "EUR", 10_000, 0)
GIFTS = Row("4000", "Donations", "income", "EUR", 0, 100_000)
ADVANCE = Row("1200:a-1", "Advances", "asset", "BYN", 5_050, 0)
EXCHANGE = Row("3900", "Currency exchange", "net_assets", "BYN", 0, 5_050)


def figures(*rows: Row, organisation: str = "Friends of the River") -> Figures:
    return Figures(organisation, date(2020, 12, 31), None, rows)


def drawn_strings(pdf: bytes) -> list[str]:
    """What is written on the pages, by the fonts' ToUnicode maps, in the order of drawing."""
    found = []
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        for page in opened.pages:
            maps = {name: _read_map(font) for name, font in page.Resources.Font.items()}
            current = ""
            for instruction in pikepdf.parse_content_stream(page):
                if str(instruction.operator) == "Tf":
                    current = str(instruction.operands[0])
                elif str(instruction.operator) == "Tj":
                    found.append("".join(maps[current][byte] for byte in bytes(instruction.operands[0])))
    return found


def _read_map(font: pikepdf.Object) -> dict[int, str]:
    lines = [line.split() for line in font.ToUnicode.read_bytes().decode("ascii").splitlines()]
    pairs = [line for line in lines if len(line) == 2 and line[0].startswith("<") and len(line[1]) == 6]
    return {int(code[1:-1], 16): chr(int(point[1:-1], 16)) for code, point in pairs}


def test_each_currency_has_its_own_section_with_subtotals_and_a_total() -> None:
    drawn = drawn_strings(render_pdf(figures(GIFTS, EXCHANGE, BANK, ADVANCE, FINES)))

    start = drawn.index("BYN")
    assert drawn[start:] == [
        *("BYN", "Assets", "1200:a-1", "Advances", "50.50", "Total assets", "50.50"),
        *("Net assets", "3900", "Currency exchange", "50.50", "Total net assets", "50.50"),
        *("Total BYN", "50.50", "50.50"),
        *("EUR", "Assets", "1000:eur-main", "Bank, euro", "900.00", "Total assets", "900.00"),
        *("Income", "4000", "Donations", "1,000.00", "Total income", "1,000.00"),
        *("Expenses", "5000", "Fines", "100.00", "Total expenses", "100.00"),
        *("Total EUR", "1,000.00", "1,000.00", "Debits equal credits in each currency."),
    ]


def test_a_single_currency_needs_no_section_heading() -> None:
    drawn = drawn_strings(render_pdf(figures(GIFTS, BANK, FINES)))

    assert "As at 31 December 2020, all funds, in EUR" in drawn
    assert "EUR" not in drawn
    assert "Total" in drawn


def test_an_account_without_balance_shows_dashes_on_both_sides() -> None:
    empty = Row("6000", "Processing fees", "expense", "EUR", 0, 0)

    drawn = drawn_strings(render_pdf(figures(GIFTS, BANK, FINES, empty)))

    at = drawn.index("Processing fees")
    assert drawn[at + 1 : at + 3] == ["\N{EN DASH}", "\N{EN DASH}"]


def test_the_foot_says_as_known_at_when() -> None:
    known = replace(figures(GIFTS, BANK, FINES), as_known_at=datetime(2021, 1, 31, 9, 5, tzinfo=UTC))

    assert "Prepared from the entries known at 31 January 2021, 09:05 UTC" in drawn_strings(render_pdf(known))
    assert as_json(known)["as_known_at"] == "2021-01-31T09:05:00+00:00"


def test_a_book_without_postings_says_so() -> None:
    assert "No account has a balance." in drawn_strings(render_pdf(figures()))
    assert as_json(figures())["sections"] == []


def test_the_same_figures_in_any_order_give_the_same_bytes() -> None:
    rows = (GIFTS, EXCHANGE, BANK, ADVANCE, FINES)

    assert render_pdf(figures(*rows)) == render_pdf(figures(*rows[::-1]))
    assert render_csv(figures(*rows)) == render_csv(figures(*rows[::-1]))
    assert render_json(figures(*rows)) == render_json(figures(*rows[::-1]))


@pytest.mark.parametrize("render", [render_pdf, render_csv, render_json, as_json])
def test_a_currency_that_does_not_balance_is_not_rendered(render: object) -> None:
    assert callable(render)
    with pytest.raises(OutOfBalance) as refusal:
        render(figures(GIFTS, BANK, FINES, ADVANCE))

    assert refusal.value.data == {"currency": "BYN", "debit": "50.50", "credit": "0.00"}


def test_two_currencies_do_not_balance_each_other() -> None:
    with pytest.raises(OutOfBalance):
        as_json(figures(replace(ADVANCE, debit_minor=100), replace(EXCHANGE, currency="EUR", credit_minor=100)))


@pytest.mark.parametrize(
    "wrong",
    [replace(BANK, debit_minor=-1), replace(BANK, account_class="cash"), FINES],
    ids=["below zero", "unknown class", "twice"],
)
def test_a_row_that_cannot_stand_in_the_statement_is_refused(wrong: Row) -> None:
    with pytest.raises(BadRow):
        as_json(figures(GIFTS, FINES, wrong))


def test_the_csv_has_a_line_for_each_account_and_plain_decimals() -> None:
    lines = list(csv.DictReader(io.StringIO(render_csv(figures(GIFTS, EXCHANGE, BANK, ADVANCE, FINES)).decode())))

    assert [(line["currency"], line["account_code"], line["debit"], line["credit"]) for line in lines] == [
        ("BYN", "1200:a-1", "50.50", "0.00"),
        ("BYN", "3900", "0.00", "50.50"),
        ("EUR", "1000:eur-main", "900.00", "0.00"),
        ("EUR", "4000", "0.00", "1000.00"),
        ("EUR", "5000", "100.00", "0.00"),
    ]


def test_the_json_is_the_same_statement() -> None:
    written = json.loads(render_json(figures(GIFTS, BANK, FINES)))

    assert written == as_json(figures(GIFTS, BANK, FINES))
    assert written["sections"][0]["total"] == "1000.00"
    assert written["sections"][0]["rows"][0] == {
        "account": "1000:eur-main",
        "name": "Bank, euro",
        "class": "asset",
        "debit": "900.00",
        "credit": "0.00",
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_an_account_name_that_starts_like_a_formula_is_neutralised_in_the_csv(start: str) -> None:
    hostile = f"{start}HYPERLINK(1)"

    (line,) = [
        line
        for line in csv.DictReader(
            io.StringIO(render_csv(figures(GIFTS, FINES, replace(BANK, account_name=hostile))).decode(), newline="")
        )
        if line["account_code"] == "1000:eur-main"
    ]

    assert line["account_name"] == f"'{hostile}"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("-12.35", "-12.35"),
        ("0", "0"),
        ("-1+1", "'-1+1"),
        ("-", "'-"),
        ("+5", "'+5"),
        ("-1e3", "'-1e3"),
        ("Cash;=1+1", "Cash;'=1+1"),
        ("two\n=1", "two\n'=1"),
        ("a - b = c", "a - b = c"),
        ("", ""),
    ],
)
def test_signed_numbers_stay_numbers_and_formulas_become_text(cell: str, expected: str) -> None:
    assert neutralise(cell) == expected


@given(st.text(alphabet="=+-@\t\r\n;,|'\"a1.", max_size=12))
def test_no_cell_that_is_not_a_number_starts_like_a_formula_under_any_separator(cell: str) -> None:
    shown = neutralise(cell)

    numeric = shown.lstrip("-").replace(".", "", 1).isdigit()
    assert numeric or not any(
        shown[at] in "=+-@" for at in range(len(shown)) if at == 0 or shown[at - 1] in ";,|\t\r\n"
    )


@given(st.lists(st.integers(min_value=1, max_value=10**12), min_size=1, max_size=8))
def test_the_totals_of_the_statement_are_the_sums_of_its_rows(amounts: list[int]) -> None:
    assets = [Row(f"1000:n{at}", "Bank", "asset", "EUR", minor, 0) for at, minor in enumerate(amounts)]
    statement = as_json(figures(*assets, replace(GIFTS, credit_minor=sum(amounts))))

    (section,) = statement["sections"]
    cents = [int(row["debit"].replace(".", "")) for row in section["rows"]]
    assert sum(cents) == int(section["total"].replace(".", ""))
