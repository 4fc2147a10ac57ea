import csv
import io
import json
from dataclasses import replace

from reports.transparency.blocks import Atom, Block, block_from_json
from reports.transparency.open_data import render_csv, render_json
from reports.transparency.words import PROMISE

SILENT = Block(series="main", first_month="2020-08", last_month="2020-10", currency="BYN", atoms=())
TOLD = Block(
    series="main",
    first_month="2020-11",
    last_month="2021-01",
    currency="BYN",
    atoms=(Atom(("fine",), 25, 2_020_000), Atom(("detention", "court_fee"), 10, 30_000)),
    carried_months=SILENT.months,
)


def test_the_csv_has_a_line_for_each_group_and_none_for_silence() -> None:
    lines = list(csv.reader(io.StringIO(render_csv([SILENT, TOLD]).decode())))

    assert lines == [
        ["series", "first_month", "last_month", "carried_from", "kinds", "persons", "sum", "currency"],
        ["main", "2020-11", "2021-01", "2020-08", "fine", "25", "20200.00", "BYN"],
        ["main", "2020-11", "2021-01", "2020-08", "detention court_fee", "10", "300.00", "BYN"],
    ]


def test_the_json_gives_the_same_blocks_back_and_explains_every_field() -> None:
    document = json.loads(render_json([SILENT, TOLD]))

    assert [block_from_json(content) for content in document["blocks"]] == [SILENT, TOLD]
    assert document["promise"] == PROMISE
    explained = " ".join(document["dictionary"])
    fields = {*document["blocks"][0], *document["blocks"][1]["atoms"][0]}
    assert all(field in explained for field in fields)


def test_a_kind_that_looks_like_a_formula_is_neutralised() -> None:
    hostile = replace(TOLD, atoms=(Atom(("=HYPERLINK(1)",), 10, 10_000),))

    line = list(csv.reader(io.StringIO(render_csv([hostile]).decode())))[1]

    assert line[4] == "'=HYPERLINK(1)"


def test_two_runs_give_the_same_bytes() -> None:
    assert render_json([SILENT, TOLD]) == render_json([SILENT, TOLD])
    assert render_csv([SILENT, TOLD]) == render_csv([SILENT, TOLD])
