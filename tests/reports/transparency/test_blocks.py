from typing import Any

import pytest

from ledger.errors import BadInput
from reports.transparency.blocks import Atom, BadBlock, Block, block_as_bytes, block_as_json, block_from_json

BLOCK = Block(
    series="main",
    first_month="2020-11",
    last_month="2021-01",
    currency="BYN",
    atoms=(Atom(("fine",), 25, 2_020_000), Atom(("detention", "court_fee"), 10, 30_000)),
    carried_months=("2020-08", "2020-09", "2020-10"),
)


def test_a_block_survives_its_json_form() -> None:
    assert block_from_json(block_as_json(BLOCK)) == BLOCK


def test_the_bytes_of_a_block_are_canonical() -> None:
    assert block_as_bytes(BLOCK) == (
        b'{"atoms":[{"kinds":["fine"],"persons":25,"sum":"20200.00"},'
        b'{"kinds":["detention","court_fee"],"persons":10,"sum":"300.00"}],'
        b'"carried_months":["2020-08","2020-09","2020-10"],"currency":"BYN","first_month":"2020-11",'
        b'"last_month":"2021-01","series":"main"}'
    )


def test_a_block_adds_up_its_atoms_and_names_its_months() -> None:
    assert (BLOCK.persons, BLOCK.sum_minor) == (35, 2_050_000)
    assert BLOCK.months == ("2020-11", "2020-12", "2021-01")
    assert BLOCK.carried


ATOM = {"kinds": ["fine"], "persons": 10, "sum": "100.00"}


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"series": None},
        {"currency": 978},
        {"currency": "XXX"},
        {"first_month": "2020-1"},
        {"first_month": None},
        {"last_month": "2020-10"},
        {"carried_months": "2020-08"},
        {"carried_months": ["August"]},
        {"atoms": {}},
        {"atoms": ["fine"]},
        {"atoms": [ATOM | {"persons": True}]},
        {"atoms": [ATOM | {"persons": 0}]},
        {"atoms": [ATOM | {"persons": 10.0}]},
        {"atoms": [ATOM | {"kinds": []}]},
        {"atoms": [ATOM | {"kinds": [1]}]},
        {"atoms": [ATOM | {"sum": 100}]},
        {"atoms": [ATOM | {"sum": "1e2"}]},
        {"atoms": [{"kinds": ["fine"], "persons": 10}]},
    ],
    ids=repr,
)
def test_what_is_not_exactly_a_block_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        block_from_json(block_as_json(BLOCK) | change)


def test_a_block_without_a_key_is_refused() -> None:
    content = block_as_json(BLOCK)
    del content["carried_months"]

    with pytest.raises(BadBlock):
        block_from_json(content)
