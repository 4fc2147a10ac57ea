"""Joining, leaving, stopping and recovering, by commands alone, each at the desk of the one who may."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.client import founding, keyring
from api.client.keyring import Device
from api.commands import main
from ledger import people
from ledger.aliases import Kind, draw
from tests.key_files import write_key_file
from tests.office import Office, on_one_database
from tests.papers import a_list_row, list_file

Run = Callable[..., Any]


@pytest.fixture
def at(
    furnished: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Run]]:
    """`at(name)(words…)` runs a command at somebody's desk: what it prints, or the rule that refuses it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOLIDARITY_DATABASE_URL", furnished.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SOLIDARITY_SHRED_KEY_DIRECTORY", str(furnished.folder / "shred-keys"))
    monkeypatch.setenv("SOLIDARITY_DEMO_NOW", furnished.now().isoformat())
    monkeypatch.delenv("SOLIDARITY_API_URL", raising=False)
    digest = people.digest(furnished.staff.proposal.roster)

    def sit_down(name: str, *, device: Device | None = None, bearer: str | None = None, told: str = digest) -> Run:
        key_file = tmp_path / f"{name}.key"
        if not key_file.exists():
            write_key_file(key_file, device or furnished.staff.devices[name])
        monkeypatch.setenv("SOLIDARITY_DEVICE_KEY_FILE", str(key_file))
        monkeypatch.setenv("SOLIDARITY_PASSPHRASE_FILE", str(key_file.with_suffix(".passphrase")))
        monkeypatch.setenv("SOLIDARITY_API_KEY", bearer or furnished.bearer(name))
        monkeypatch.setenv("SOLIDARITY_ROSTER_FINGERPRINT", told)

        def run(*words: str | Path) -> Any:
            monkeypatch.setattr(sys, "argv", ["solidarity", *map(str, words), "--json"])
            with pytest.raises(SystemExit) as ended:
                main.run()
            out, err = capsys.readouterr()
            return json.loads(out) if not ended.value.code else err.partition(":")[0]

        return run

    yield sit_down
    structlog.reset_defaults()


@on_one_database
def test_a_joining_a_leaving_and_a_suspension_by_commands(furnished: Office, at: Any, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(list_file(a_list_row()))
    at("dora")("cases", "import", "list.csv", "--jurisdiction", "by")
    joining = keyring.create(draw(Kind.OPERATOR))
    (tmp_path / "vera.card.json").write_text(json.dumps(keyring.card(joining)), "utf-8")

    # Dora is stopped at once; then the roster lets Vera in and Dora out.
    assert at("boris")("operators", "suspend", furnished.alias("dora"))["operator"] == furnished.alias("dora")
    assert at("dora")("cases", "list") == "key_refused"
    amended = at("anna")(
        "operators", "amend", "--join", "vera.card.json=intake", "--leave", furnished.alias("dora"), "--out", "2.json"
    )
    assert f"leaves: {furnished.alias('dora')}" in amended["changes"]
    assert at("clara")("operators", "enrol", "2.json") == "roster_not_signed"
    reviewed = at("boris")("operators", "review", "2.json", "--sign")
    assert reviewed == {"roster": amended["roster"], "changes": amended["changes"], "signed": True}
    assert at("clara")("operators", "enrol", "2.json") == {"number": 2, "roster": amended["roster"]}

    # Vera is told the fingerprint by somebody she knows, and works.
    made = at("clara")("keys", "create", joining.alias, "--role", "intake", "--out", "vera.bearer")
    bearer = (tmp_path / "vera.bearer").read_text("utf-8")
    told = at("anna")("operators", "fingerprint")
    wrong = at("vera", device=joining, bearer=bearer, told=amended["roster"])
    assert wrong("cases", "list") == "wrong_fingerprint"
    vera = at("vera", device=joining, bearer=bearer, told=told["words"])
    (case,) = vera("cases", "list", "--state", "received")
    assert vera("cases", "show", case["alias"])["identity"]["name"]

    # The members re-wrap what Dora could open.
    assert at("anna")("keys", "rewrap")["people"] == {"appended": 1, "confirmed": 0, "waiting": 0}
    assert at("boris")("keys", "rewrap")["people"] == {"appended": 0, "confirmed": 1, "waiting": 0}
    assert at("boris")("keys", "share") == []
    assert at("vera", bearer=bearer)("cases", "show", case["alias"])["identity"]["name"]

    held = at("clara")("keys", "list")
    assert [one["revoked"] for one in held if one["alias"] == made["alias"]] == [False]
    assert at("clara")("keys", "revoke", made["alias"])["revoked"]
    assert at("vera", bearer=bearer)("cases", "list") == "key_refused"
    assert at("clara")("operators", "suspensions")[0]["operator"] == furnished.alias("dora")


@on_one_database
def test_a_recovery_by_commands(furnished: Office, at: Any, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(list_file(a_list_row()))
    anna = at("anna")
    anna("cases", "import", "list.csv", "--jurisdiction", "by")
    (case,) = anna("cases", "list", "--state", "received")
    drawn = anna("recovery", "draw", "--out", "drawn")
    shares = [word for number in (1, 3, 5) for word in ("--share", f"drawn/share-{number}.txt")]
    card = "drawn/recovery.card.json"
    assert anna("recovery", "check", *shares, "--card", card)["joins"] is True
    assert anna("recovery", "check", *shares[:4], "--card", card) == "bad_shares"
    anna("operators", "amend", "--recovery-card", card, "--out", "2.json")
    at("boris")("operators", "review", "2.json", "--sign")
    at("clara")("operators", "enrol", "2.json")

    # The shred keys are gone; three people meet.
    assert at("clara")("recovery", "export", "--out", "sealed.json") == {
        "vault_wraps": 3,
        "shred_keys": 3,
        "file": "sealed.json",
    }
    shutil.rmtree(furnished.folder / "shred-keys")
    assert at("anna")("cases", "show", case["alias"]) == "shred_key_missing"
    assert anna("recovery", "shred-keys", "sealed.json", *shares, "--out", "opened")["vaults"] == [
        "donors",
        "money",
        "people",
    ]
    assert anna("recovery", "restore", "opened") == {"restored": ["donors", "money", "people"]}
    assert at("anna")("cases", "show", case["alias"])["identity"]["name"]

    # And with new devices for everybody in a roster that is enrolled on the server.
    joining = keyring.create(draw(Kind.OPERATOR))
    (tmp_path / "vera.card.json").write_text(json.dumps(keyring.card(joining)), "utf-8")
    at("clara")("operators", "amend", "--join", "vera.card.json=approver", "--out", "3.json")
    for name in ("anna", "boris"):
        at(name)("operators", "review", "3.json", "--sign")
    assert at("clara")("operators", "enrol", "3.json", "--on-server")["number"] == 3
    assert at("clara")("recovery", "vaults", "sealed.json", *shares) == "bad_recovery_file"
    at("clara")("recovery", "export", "--out", "sealed-3.json")
    given = at("clara")("recovery", "vaults", "sealed-3.json", *shares)
    assert {(one["vault"], one["member"]) for one in given} == {(vault, joining.alias) for vault in founding.VAULTS}
    assert drawn["fingerprint"] == json.loads((tmp_path / card).read_text("utf-8"))["fingerprint"]
