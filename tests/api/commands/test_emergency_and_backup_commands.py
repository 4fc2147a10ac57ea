"""Erasures, backups and the emergency from the command line, as tired people run them."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.client import cases, erasures
from api.client.http import ApiRefusal
from api.commands import main
from ledger.identities.erasure import commitment
from ledger.identities.erasure_list import Reason
from ledger.people import Role
from tests.attempts import told
from tests.key_files import write_key_file
from tests.office import Office, on_one_database
from tests.papers import a_list_row

Run = Callable[..., Any]
REFUSED, BAD_INPUT = 1, 65


@pytest.fixture
def run(
    furnished: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs `solidarity` on the server and gives what it prints for programs, or the exit code of a refusal."""
    monkeypatch.setenv("SOLIDARITY_DATABASE_URL", furnished.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SOLIDARITY_SHRED_KEY_DIRECTORY", str(furnished.folder / "shred-keys"))
    monkeypatch.setenv("SOLIDARITY_DEMO_NOW", furnished.now().isoformat())
    (tmp_path / "backup.passphrase").write_text("invented words", "utf-8")

    def run_words(*words: str | Path) -> Any:
        monkeypatch.setattr(sys, "argv", ["solidarity", *map(str, words), "--json"])
        with pytest.raises(SystemExit) as ended:
            main.run()
        said = capsys.readouterr().out
        return int(ended.value.code) if ended.value.code else json.loads(said)

    yield run_words
    structlog.reset_defaults()


def shelf_of_a_case(office: Office) -> str:
    (case,) = office.take_in()
    return str(office.desk("anna").api.get(f"/v1/cases/{case}")["beneficiary"])


def erase(office: Office, shelf: str) -> None:
    erasures.request(office.desk("anna"), shelf, reason=Reason.WISH)
    erasures.agree(office.desk("boris"), shelf)


def test_one_person_seals_the_fund_off_in_every_process_at_once(furnished: Office, run: Run) -> None:
    furnished.take_in()
    assert list(cases.listed(furnished.desk("anna")))

    sealed = run("emergency", "seal")

    assert sealed["destroyed"] == len(furnished.staff.proposal.roster.vaults)
    doors = [("GET", "/v1/cases", "anna"), ("GET", "/v1/book", "clara"), ("GET", "/v1/erasures", "boris")]
    answers = [furnished.send(method, path, bearer=furnished.bearer(who)) for method, path, who in doors]
    assert {told(answer) for answer in answers} == {(401, "key_refused")}
    assert run("emergency", "seal") == {"destroyed": 0}


@on_one_database
def test_recovered_shred_keys_open_the_fund_again(furnished: Office, run: Run, tmp_path: Path) -> None:
    furnished.take_in()
    keys = furnished.folder / "shred-keys"
    (tmp_path / "recovered").mkdir()
    for file in keys.glob("*.key"):
        (tmp_path / "recovered" / file.name).write_bytes(file.read_bytes())
        (tmp_path / "recovered" / file.name).chmod(0o600)
    run("emergency", "seal")
    (tmp_path / "nothing").mkdir()

    assert run("emergency", "lift", "--recovered", tmp_path / "nothing") == REFUSED
    assert run("emergency", "lift", "--recovered", tmp_path / "recovered")["vaults"]
    assert run("emergency", "lift", "--recovered", tmp_path / "recovered") == REFUSED
    assert list(cases.listed(furnished.desk("anna")))


@on_one_database
def test_two_officers_shred_a_sealed_fund(
    furnished: Office, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnished.take_in(a_list_row(), a_list_row())
    run("emergency", "seal")
    order = tmp_path / "order.json"
    run("emergency", "order", "--out", order)
    assert run("emergency", "shred", order) == REFUSED
    for name in ("anna", "boris"):
        device = tmp_path / f"{name}.key"
        write_key_file(device, furnished.staff.devices[name])
        monkeypatch.setenv("SOLIDARITY_PASSPHRASE_FILE", str(device.with_suffix(".passphrase")))
        run("emergency", "sign", order, "--device", device)

    assert run("emergency", "shred", order) == {"shredded": 3}  # two people and the furnished month of the bank

    rows = furnished.rows()
    assert (rows["person_key"], rows["vault_wrap"]) == ([], [])
    assert rows["box"]


@on_one_database
def test_a_backup_is_made_and_brought_back_with_the_list_of_erasures(
    furnished: Office, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, passphrase = shelf_of_a_case(furnished), tmp_path / "backup.passphrase"
    places = ("--books", tmp_path / "b", "--keyring", tmp_path / "k")
    made = run("backup", "create", *places, "--passphrase-file", passphrase)
    erase(furnished, shelf)
    listed = furnished.folder / "shred-keys" / "erasures.list"
    assert run("erasures", "clear") == {"cleared": 1}
    assert run("backup", "prune", "--keyring", tmp_path / "k") == {"pruned": []}
    monkeypatch.setenv("SOLIDARITY_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.setenv("SOLIDARITY_SHRED_KEY_DIRECTORY", str(tmp_path / "new-keys"))
    files = ("--books", made["books"], "--keyring", made["keyring"], "--passphrase-file", passphrase)

    assert run("backup", "restore", *files) == BAD_INPUT
    assert run("backup", "restore", *files, "--erasures", listed, "--no-erasures-since") == BAD_INPUT
    assert run("backup", "restore", *files, "--erasures", tmp_path / "no.list") == REFUSED
    assert not (tmp_path / "new.db").exists()
    restored = run("backup", "restore", *files, "--erasures", listed)

    assert restored["erased_again"] == 1
    assert (tmp_path / "new-keys" / "erasures.list").read_bytes() == listed.read_bytes()


@on_one_database
def test_who_asks_for_an_erasure_does_not_agree_and_the_reason_cannot_be_exchanged(furnished: Office) -> None:
    shelf = shelf_of_a_case(furnished)
    dora = furnished.desk("dora")
    erasures.request(dora, shelf, reason=Reason.MISTAKE)

    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        erasures.agree(dora, shelf)

    assert (refusal.value.status, refusal.value.rule) == (403, "same_person")
    evidence = [commitment(shelf, Reason.WISH)]
    body = {"agreed": furnished.desk("boris").agree("agree_erasure", shelf, version=1, evidence=evidence)}
    with furnished.nothing_written():
        answer = furnished.post(f"/v1/erasures/{shelf}/agree", body, by="boris", role=Role.APPROVER)
    assert told(answer) == (409, "act_differs")
    assert [one["state"] for one in erasures.listed(furnished.desk("boris"))] == ["requested"]
    assert erasures.agree(furnished.desk("boris"), shelf)["state"] == "pending"
    assert erasures.due(furnished.desk("boris")) == []
    with pytest.raises(erasures.NothingAsked):
        erasures.agree(furnished.desk("boris"), "B-0000-0000-0000")
