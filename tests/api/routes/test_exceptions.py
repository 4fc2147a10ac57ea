"""Exceptions over HTTP: aged, dismissed by two, with a note that the server never reads."""

import json
from typing import Any

import pytest

from api.client import exceptions
from ledger.reconciliation.clearings import Because
from tests import terminal
from tests.attempts import refused
from tests.bookcheck import assert_it_holds
from tests.canaries import sightings
from tests.office import Office, on_one_database

CANARY = "Kanarejka by the window"


def an_exception(office: Office) -> dict[str, Any]:
    """October's statement of the roubles' leaf opens with another balance than September's closed with."""
    office.import_october(opening="5001.00")
    found = exceptions.listed(office.desk("anna"))["exceptions"]
    (opened,) = [one for one in found if one["clearable"]]
    return opened


@on_one_database
def test_an_exception_is_dismissed_by_two_and_its_note_stays_sealed(furnished: Office) -> None:
    opened = an_exception(furnished)
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    said = exceptions.resolve(anna, opened["alias"], because=Because.BANK_IN_ERROR, note=CANARY)
    with refused(furnished, "not_allowed", status=403):
        exceptions.agree(anna, opened["alias"])
    agreed = exceptions.agree(boris, opened["alias"])

    assert (opened["age_days"], opened["severity"], opened["difference"]) == (0, 2, "statement_does_not_follow")
    assert (opened["suggested"], opened["amount"]) == (None, {"amount": "1.00", "currency": "BYN"})
    assert (said["alone"], said["agreed_by"]) == (False, None)
    assert agreed["agreed_by"] == furnished.alias("boris")
    assert opened["alias"] not in {one["alias"] for one in exceptions.listed(anna)["exceptions"]}
    assert sightings([CANARY], repr(furnished.rows()).encode()) == []
    assert_it_holds(furnished.engine)


@on_one_database
def test_exceptions_are_told_and_resolved_on_the_command_line(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(name: str, *words: str) -> list[dict[str, Any]]:
        environment = terminal.environment_of(furnished, name)
        assert terminal.run(monkeypatch, environment, "exceptions", *words, "--json") == 0
        told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return told

    opened = an_exception(furnished)

    assert opened["alias"] in {one["alias"] for one in say("anna", "list")}
    say("anna", "resolve", opened["alias"], "--because", "looked_into")
    say("boris", "agree", opened["alias"])
    assert opened["alias"] not in {one["alias"] for one in say("anna")}
    assert [one["agreed_by"] for one in say("anna", "said")] == [furnished.alias("boris")]
