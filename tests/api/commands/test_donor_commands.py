"""Donors and receipts at the terminal; a name comes from a file and is never printed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests import terminal
from tests.donors import ELISABET, gift_aliases, private_folder
from tests.office import Office, on_one_database

Say = Callable[..., Any]
IDENTITY = f'name = "{ELISABET.name}"\nemail = "{ELISABET.email}"\naddress = """7 Example Lane\nSampleton"""\n'


@pytest.fixture
def say(furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `solidarity` with these words at somebody's desk, and gives what it printed, or the rule that refused."""

    def say_words(name: str, *words: str | Path) -> Any:
        environment = terminal.environment_of(furnished, name)
        code = terminal.run(monkeypatch, environment, *map(str, words), "--json")
        out, err = capsys.readouterr()
        assert "Elisabet" not in out + err
        return json.loads(out) if code == 0 else err.partition(":")[0]

    return say_words


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@on_one_database
def test_a_donor_is_known_again_and_gets_a_receipt(furnished: Office, say: Say, tmp_path: Path) -> None:
    (gift,) = gift_aliases(furnished.desk("anna"))
    identity, head = tmp_path / "elisabet.toml", tmp_path / "head.toml"
    identity.write_text(IDENTITY, "utf-8")
    head.write_text('name = "Invented Fund"\nnote = "Invented note."\n', "utf-8")
    out = private_folder(furnished)

    donor = say("anna", "donors", "add", "--identity", identity)["alias"]
    twin = say("anna", "donors", "add")
    assert say("anna", "donors", "identify", twin["alias"], identity)["identity"] == "sealed"
    say("anna", "donors", "merge", twin["alias"], "--into", donor)
    assert say("anna", "donors", "recognise", gift, identity)["donors"] == [donor]
    say("anna", "donors", "unlink", gift)
    say("anna", "donors", "link", donor, gift)
    assert [one["donation"] for one in say("anna", "donors", "gifts", twin["alias"])] == [gift]
    assert {one["goes_by"] for one in say("anna", "donors", "list")} == {donor}

    asked = ("receipts", "issue", donor, "--letterhead", head, "--out", out, "--lang", "de")
    issued = say("anna", *asked, "--year", "2020")

    assert say("anna", "receipts", "verify", issued["alias"], issued["written"])["number"] == 1
    assert say("anna", *asked, "--gift", gift) == "nothing_to_certify"
    note = ("receipts", "cancel", issued["alias"], "--reason", "mistake")
    cancelled = say("anna", *note, "--letterhead", head, "--out", out, "--lang", "ru")
    assert (cancelled["void"], Path(cancelled["written"]).stat().st_mode & 0o777) == ("mistake", 0o600)
    assert Path(cancelled["written"]).read_bytes().startswith(b"%PDF")
    assert say("anna", *note, "--without-note")["void"] == "mistake"
    assert [one["number"] for one in say("clara", "receipts", "list")] == [1]
    assert say("anna", "receipts", "confirm", gift) == "confirmations_off"
    assert say("clara", "receipts", "confirmations", "--on")["on"] is True
    assert say("anna", "receipts", "confirm", gift)["purpose"] == "FINES"
    head.write_text("no toml", "utf-8")
    assert say("anna", *asked, "--gift", gift) == "bad_toml"
