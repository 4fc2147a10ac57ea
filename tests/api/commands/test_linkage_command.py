"""`solidarity doctor linkage`: numbers only, and aliases when they are asked for."""

import json
from pathlib import Path

import pytest

from tests.api.commands.test_commands import Shell, at_annas, shell
from tests.canaries import sightings
from tests.office import Office
from tests.papers import a_list_row

__all__ = ["at_annas", "shell"]  # fixtures, of the same shell
REGISTER = "name,amount,date,article,region\nKanarejka,810.00,2020-08-31,23.34,minsk_city\n"


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "register.csv"
    path.write_text(REGISTER, "utf-8")
    return path


def test_the_counts_stand_side_by_side_for_every_grain(furnished: Office, at_annas: Shell, register: Path) -> None:
    row = a_list_row()
    furnished.take_in(row, a_list_row(region="brest", name=row.name))

    told = at_annas.json("doctor", "linkage", "--register", register)

    assert told["register"] == 1
    assert [row["grain"] for row in told["grains"]] == ["day", "kept", "week", "month"]
    for row in told["grains"]:
        assert (row["entries"], row["absent"], row["unique"], row["few"], row["crowd"]) == (2, 1, 1, 1, 0)
        assert (row["cases"], row["cases_unique"], row["by_k"]) == (2, 1, {"1": 1})
        assert (row["people"], row["people_absent"], row["people_unique"], row["people_few"]) == (1, 0, 1, 1)
    assert "found" not in told


def test_an_alias_is_named_only_when_it_is_asked_for(furnished: Office, at_annas: Shell, register: Path) -> None:
    (case,) = furnished.take_in(a_list_row())
    (obligation,) = furnished.desk("anna").api.get(f"/v1/cases/{case}")["obligations"]

    assert at_annas.run("doctor", "linkage", "--register", register) == 0
    plain = at_annas.out
    assert at_annas.run("doctor", "linkage", "--register", register, "--list") == 0

    assert "k = 1" in plain
    assert sightings([obligation["alias"], case, "Kanarejka"], plain.encode()) == []
    assert obligation["alias"] in at_annas.out
    assert at_annas.json("doctor", "linkage", "--register", register, "--list")["found"] == [
        {"obligation": obligation["alias"], "k": 1}
    ]


def test_a_register_that_cannot_be_read_ends_with_65_and_is_not_shown(
    at_annas: Shell, register: Path, tmp_path: Path
) -> None:
    register.write_text(REGISTER.replace("810.00", "Kanarejka"), "utf-8")

    assert at_annas.run("doctor", "linkage", "--register", register) == 65
    assert json.dumps(at_annas.err).count("line 2, column amount") == 1
    assert sightings(["Kanarejka"], (at_annas.out + at_annas.err).encode()) == []
    assert at_annas.run("doctor", "linkage", "--register", tmp_path / "none.csv") == 65
