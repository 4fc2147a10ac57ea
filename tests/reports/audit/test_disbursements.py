import json
from datetime import date
from io import BytesIO

import pikepdf
import pytest

from reports.audit import disbursements
from reports.audit.disbursements import Figures, Row

ROWS = (
    Row("detention", "beneficiary", "BYN", 40, 540_000),
    Row("fine", "agent", "BYN", 250, 13_500_000),
    Row("fine", "authority", "BYN", 3, 162_000),
)
FIGURES = Figures("Invented Fund", date(2020, 11, 30), ROWS)


def test_the_json_adds_up_per_currency() -> None:
    (section,) = json.loads(disbursements.render_json(FIGURES))["sections"]

    assert (section["payments"], section["paid"]) == (293, "142020.00")
    assert [row["kind"] for row in section["rows"]] == ["fine", "fine", "detention"]


def test_the_csv_has_the_rows_in_the_order_of_the_statement() -> None:
    lines = disbursements.render_csv(FIGURES).decode("utf-8-sig").splitlines()

    assert len(lines) == 4
    assert '"135000.00"' in lines[1]
    assert '"5400.00"' in lines[3]


def test_the_pdf_opens_and_is_the_same_twice() -> None:
    first, second = disbursements.render_pdf(FIGURES), disbursements.render_pdf(FIGURES)

    assert first == second
    with pikepdf.open(BytesIO(first)) as pdf:
        assert len(pdf.pages) == 1
        assert str(pdf.docinfo["/Title"]).startswith("Statement of disbursements")


def test_a_statement_of_nothing_says_so() -> None:
    empty = Figures("Invented Fund", date(2020, 11, 30), ())

    assert json.loads(disbursements.render_json(empty))["sections"] == []
    assert disbursements.render_pdf(empty).startswith(b"%PDF")


@pytest.mark.parametrize(
    "row",
    [
        Row("bribe", "agent", "BYN", 1, 100),
        Row("fine", "pigeon", "BYN", 1, 100),
        Row("fine", "agent", "BYN", 0, 100),
        Row("fine", "agent", "BYN", 1, 0),
    ],
)
def test_a_row_that_cannot_be_is_refused(row: Row) -> None:
    with pytest.raises(disbursements.BadRow):
        disbursements.render_csv(Figures("Invented Fund", date(2020, 11, 30), (row,)))


def test_a_way_that_stands_twice_is_refused() -> None:
    twice = Figures("Invented Fund", date(2020, 11, 30), (ROWS[0], ROWS[0]))

    with pytest.raises(disbursements.BadRow):
        disbursements.render_json(twice)
