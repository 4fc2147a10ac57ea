"""Exceptions over HTTP: aged, dismissed by two, with a note that the server never reads."""

import json
from typing import Any

import pytest

from api import pulling, stripe_gateway
from api.client import exceptions
from ledger.giving import strays
from ledger.reconciliation.clearings import Because
from ledger.storage.engine import transaction as write
from tests import terminal
from tests.attempts import refused
from tests.bookcheck import assert_it_holds
from tests.canaries import sightings
from tests.cards import a_charge, transaction
from tests.cast import eur
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
def test_what_the_processor_tells_otherwise_or_unreadably_has_its_id_and_is_dismissed_by_two(furnished: Office) -> None:
    anna, boris, charge = furnished.desk("anna"), furnished.desk("boris"), a_charge(eur("7.00"))
    now, lines = furnished.now(), [transaction(charge), transaction(charge) | {"description": None}]
    with write(furnished.engine) as session:
        moved, unreadable = stripe_gateway.sort_out([*lines, transaction(charge) | {"id": "txn_Strange0001", "net": 1}])
        strays.tell(session, unreadable, on=now.date())
        pulling.book(session, moved, balances=None, now=now)

    strange = [one for one in exceptions.listed(anna)["exceptions"] if one["difference"] in strays.DIFFERENCES]
    for one in strange:
        exceptions.resolve(anna, one["alias"], because=Because.LOOKED_INTO)
        exceptions.agree(boris, one["alias"])

    told = {one["difference"]: (one["about"].split(":")[:4], one["amount"]["amount"]) for one in strange}
    assert told == {
        "told_otherwise": (["stripe", charge.balance_transaction, "700", "purpose"], "7.00"),
        "unreadable": (["txn_Strange0001"], "0.01"),
    }
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
