import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.commands import main
from ledger import people
from tests.agency import receive_euros
from tests.bookkeeping import BYN_LEAF, EUR_LEAF
from tests.cast import eur
from tests.coffers import ask_to_convert
from tests.key_files import write_key_file
from tests.office import Office, on_one_database

Say = Callable[..., Any]


@pytest.fixture
def say(furnished: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `solidarity` with these words at somebody's desk, and gives what it printed."""
    receive_euros(furnished)
    ask_to_convert(furnished)  # with the leaf and the rate that it needs

    def say_words(name: str, *words: str) -> Any:
        key_file = tmp_path / f"{name}.key"
        secret = write_key_file(key_file, furnished.staff.devices[name])
        environment = {
            "SOLIDARITY_DATABASE_URL": furnished.engine.url.render_as_string(hide_password=False),
            "SOLIDARITY_SHRED_KEY_DIRECTORY": str(furnished.folder / "shred-keys"),
            "SOLIDARITY_DEMO_NOW": furnished.now().isoformat(),
            "SOLIDARITY_DEVICE_KEY_FILE": str(key_file),
            "SOLIDARITY_PASSPHRASE_FILE": str(secret),
            "SOLIDARITY_API_KEY": furnished.bearer(name),
            "SOLIDARITY_ROSTER_FINGERPRINT": people.digest(furnished.staff.proposal.roster),
        }
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setattr(sys, "argv", ["solidarity", *words, "--json"])
        with pytest.raises(SystemExit) as ended:
            main.run()
        assert not ended.value.code
        return json.loads(capsys.readouterr().out)

    return say_words


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@on_one_database
def test_a_transfer_is_asked_for_and_booked_by_two_people(furnished: Office, say: Say) -> None:
    gifts = furnished.desk("anna").api.get("/v1/donations")["donations"]
    (alias,) = [one["alias"] for one in gifts if one["amount"]["currency"] == "EUR"]
    consent = ("--consent", alias)
    move = ("--giver", "fines", "--taker", "detention", "--account", EUR_LEAF, "--amount", "25.00", "--currency", "EUR")

    (asked,) = say("anna", "transfers", "request", *move, *consent)
    say("boris", "transfers", "approve", asked["alias"])

    assert [one["state"] for one in say("anna", "transfers", "list")] == ["booked"]
    assert furnished.balance(EUR_LEAF, "EUR", fund="detention") == eur("25.00")


@on_one_database
def test_a_conversion_is_asked_for_agreed_to_released_and_given_up(say: Say) -> None:
    leaves = ("--source", EUR_LEAF, "--target", BYN_LEAF, "--currency", "EUR", "--expected", "300.00", "--into", "BYN")

    (asked,) = say("anna", "conversions", "request", *leaves, "fines=100.00")
    say("boris", "conversions", "approve", asked["alias"])
    (released,) = say("anna", "conversions", "release", asked["alias"])
    (given_up,) = say("anna", "conversions", "cancel", asked["alias"])

    assert (released["state"], released["reference"]) == ("released", asked["reference"])
    assert given_up["state"] == "cancelled"
    assert [one["alias"] for one in say("boris", "conversions", "list", "--state", "cancelled")] == [asked["alias"]]
