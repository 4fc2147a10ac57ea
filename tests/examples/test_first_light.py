"""The demonstration's input is committed, and its generator writes exactly what is committed."""

import csv
import io
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api import stripe_gateway
from api.client import lists
from ledger.aid import jurisdictions
from ledger.aid.eligibility import rejection
from tests.office import BANK_DAY

FOLDER = Path(__file__).parents[2] / "examples" / "first_light"


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    """The generator's functions; it writes nothing when it is not the main program."""
    return runpy.run_path(str(FOLDER / "generate.py"))


@pytest.mark.parametrize(("name", "writer"), [("list.csv", "write_list"), ("gift.json", "write_gift")])
def test_the_generator_writes_the_committed_bytes_every_time(generator: dict[str, Any], name: str, writer: str) -> None:
    write: Callable[[], bytes] = generator[writer]

    assert write() == (FOLDER / name).read_bytes()
    assert write() == write()


def test_the_list_is_read_whole_and_everybody_on_it_may_be_helped() -> None:
    data = (FOLDER / "list.csv").read_bytes()
    counted = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=";"))
    pack = jurisdictions.load("by")

    rows = lists.read(data)

    assert len(rows) == len(counted) == 45
    assert [row.name for row in rows] == [row["name"] for row in counted]
    assert {row.region for row in rows} <= set(pack.regions)
    assert {
        rejection(
            pack,
            ruling_kind=row.ruling_kind,
            article=row.article,
            kind=row.kind,
            issued_on=row.issued_on,
            paid_on=row.paid_on,
            on=BANK_DAY.date(),
        )
        for row in rows
    } == {None}


def test_nobody_on_the_list_could_be_anybody() -> None:
    rows = lists.read((FOLDER / "list.csv").read_bytes())

    assert all(row.name.startswith("Invented ") for row in rows)
    assert all(row.court.startswith("Invented ") for row in rows)
    assert all(text.startswith("INVENTED-") for row in rows for text in (row.ruling_number, row.payee_account))
    assert len({row.ruling_number for row in rows}) == len(rows)


def test_the_gift_is_read_by_the_gateway() -> None:
    (movement,) = stripe_gateway.read_movements((FOLDER / "gift.json").read_bytes())

    assert movement.gross - movement.fee == movement.net
    assert movement.purpose == "FINES"
