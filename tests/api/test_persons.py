"""Who is one person, over HTTP and as commands: compared at Anna's desk, erased under every alias."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from api.client import case_lives, erasures, persons
from api.client.http import ApiRefusal
from ledger.identities.erasure import commitment
from ledger.identities.erasure_list import Reason
from tests import terminal
from tests.office import Office, on_one_database
from tests.papers import a_list_row

Run = Callable[..., int]


@pytest.fixture
def run(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `solidarity` with these words at Anna's desk, and gives its exit code."""
    yield lambda *words: terminal.run(monkeypatch, terminal.environment_of(furnished, "anna"), *words)
    structlog.reset_defaults()


def beneficiary(office: Office, case: str) -> str:
    found: str = office.desk("anna").api.get(f"/v1/cases/{case}")["beneficiary"]
    return found


def waiting(office: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.desk("anna").api.get("/v1/queue/persons_to_compare")["waiting"]
    return found


def test_two_of_one_name_are_compared_joined_and_erased_together(furnished: Office) -> None:
    row = a_list_row()
    first, second = furnished.take_in(row, a_list_row(line=3, name=row.name))
    of = sorted(beneficiary(furnished, case) for case in (first, second))
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    assert sorted((one["object"], one["case"]) for one in waiting(furnished)) == sorted(
        (beneficiary(furnished, case), case) for case in (first, second)
    )
    assert case_lives.suspicions(anna, first)["to_compare"] == [second]

    word = persons.say(anna, second, first, is_one=True)

    assert (word["beneficiary"], word["other"], word["number"], word["is_one"]) == (*of, 1, True)
    assert persons.aliases_of(anna, of[1]) == of
    assert waiting(furnished) == []
    told = case_lives.suspicions(anna, first)
    assert (told["same_person"], told["to_compare"]) == ([second], [])

    erasures.request(anna, of[1], reason=Reason.WISH)
    erasures.agree(boris, of[1])
    assert [(one["shelf"], one["state"]) for one in erasures.listed(anna)] == [(alias, "pending") for alias in of]


@on_one_database
def test_one_alias_of_a_person_is_not_erased_alone(furnished: Office) -> None:
    """Whoever asks with another program is refused by the server."""
    first, second = furnished.take_in(a_list_row(), a_list_row(line=3))
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    word = persons.say(anna, first, second, is_one=True)
    shelf, evidence = word["beneficiary"], [commitment(word["beneficiary"], Reason.WISH)]
    asked = anna.agree("request_erasure", shelf, version=1, evidence=evidence)
    anna.api.post("/v1/erasures", {"shelf": shelf, "reason": "wish", "agreed": asked}, key="erasure:1")
    agreed = boris.agree("agree_erasure", shelf, version=1, evidence=evidence)

    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        boris.api.post(f"/v1/erasures/{shelf}/agree", {"agreed": agreed}, key="erase:1")

    assert (refusal.value.status, refusal.value.rule) == (409, "others_not_asked")


@on_one_database
def test_cases_are_compared_side_by_side_and_told_apart_as_commands(
    furnished: Office, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    row = a_list_row()
    first, second = furnished.take_in(row, a_list_row(line=3, name=row.name))

    assert run("cases", "compare", first, second, "--json") == 0
    rows = {one["what"]: one for one in json.loads(capsys.readouterr().out)}
    assert rows["name"]["first"] == rows["name"]["second"] == row.name
    assert rows["beneficiary"]["first"] != rows["beneficiary"]["second"]
    assert run("cases", "suspicions", first) == 0
    assert f"to compare: {second}" in capsys.readouterr().out
    assert run("cases", "other-person", first, "--than", second) == 0
    assert "two people" in capsys.readouterr().out
    assert run("cases", "same-person", first, "--as", second, "--json") == 0
    assert json.loads(capsys.readouterr().out)["number"] == 2
