"""Files of evidence and the log of readings by commands: brought, listed, opened where the operator says."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.client import erasures
from api.commands import main
from ledger import people
from ledger.identities.erasure_list import Reason
from tests.canaries import sightings
from tests.key_files import write_key_file
from tests.office import Office, on_one_database

NAME = "Kanarejka Иванова.jpg"
CONTENT = b"An invented scan."
Run = Callable[..., int]


@pytest.fixture
def run(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `solidarity` with these words at somebody's desk, and gives its exit code."""

    def run_words(name: str, *words: str | Path) -> int:
        key_file = furnished.folder / f"{name}.key"
        if not key_file.exists():
            write_key_file(key_file, furnished.staff.devices[name])
        variables = {
            "DATABASE_URL": furnished.engine.url.render_as_string(hide_password=False),
            "SHRED_KEY_DIRECTORY": str(furnished.folder / "shred-keys"),
            "DEMO_NOW": furnished.now().isoformat(),
            "DEVICE_KEY_FILE": str(key_file),
            "PASSPHRASE_FILE": str(key_file.with_suffix(".passphrase")),
            "API_KEY": furnished.bearer(name),
            "ROSTER_FINGERPRINT": people.digest(furnished.staff.proposal.roster),
        }
        for variable, value in variables.items():
            monkeypatch.setenv(f"SOLIDARITY_{variable}", value)
        monkeypatch.setattr(sys, "argv", ["solidarity", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        return int(ended.value.code or 0)

    yield run_words
    structlog.reset_defaults()


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@on_one_database
def test_a_scan_is_added_listed_and_opened_and_the_auditor_finds_who_opened_it(
    furnished: Office, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (case,) = furnished.take_in()
    scan, out = tmp_path / NAME, tmp_path / "opened"
    scan.write_bytes(CONTENT)
    out.mkdir()

    assert run("anna", "evidence", "add", case, scan, "--kind", "ruling", "--keep-until", "2026-02", "--json") == 0
    added = printed(capsys)
    assert run("anna", "evidence", "add", case, scan, "--kind", "ruling", "--replaces", added["alias"], "--json") == 0
    assert run("anna", "evidence", "list", case) == 0
    assert run("boris", "evidence", "open", case, "--out", out, "--reason", "approval") == 0
    assert sightings([NAME], capsys.readouterr().out.encode()) == []
    assert run("boris", "evidence", "open", case, "--out", out, "--reason", "approval") == 1
    assert "file_exists" in capsys.readouterr().err
    assert run("clara", "accesses", "--operator", furnished.alias("boris"), "--json") == 0

    assert (added["version"], added["complete"], added["keep_until"]) == (1, True, "2026-02-28")
    (opened,) = out.iterdir()
    assert (opened.name, opened.read_bytes()) == (f"{added['alias']}-2.jpg", CONTENT)
    assert {one["reason"] for one in printed(capsys)} == {"approval"}


@on_one_database
def test_an_item_that_is_none_and_a_directory_that_is_none_are_refused(
    furnished: Office, run: Run, tmp_path: Path
) -> None:
    (case,) = furnished.take_in()
    scan = tmp_path / "scan"
    scan.write_bytes(CONTENT)
    words = ("--out", tmp_path, "--reason", "approval")

    with furnished.nothing_written_but("bearer_key"):
        assert run("boris", "evidence", "open", case, *words, "--item", "E-0000-0000-0000") == 1
        assert run("boris", "evidence", "open", case, "--out", tmp_path / "none", "--reason", "approval") == 2
        assert run("anna", "evidence", "add", case, scan, "--kind", "bill", "--replaces", "E-0000-0000-0000") == 1
        assert run("anna", "evidence", "add", case, scan, "--kind", "gossip") == 2
        assert run("boris", "evidence", "add", case, scan, "--kind", "bill") == 1


@on_one_database
def test_a_scan_that_is_due_is_shown_dropped_and_cleared(
    furnished: Office, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (case,) = furnished.take_in()
    item = furnished.bring_evidence(case)["alias"]
    shelf = furnished.desk("anna").api.get(f"/v1/cases/{case}")["beneficiary"]
    assert run("boris", "evidence", "drop", item) == 1  # nothing says yet that its time is over
    erasures.request(furnished.desk("anna"), shelf, reason=Reason.WISH)
    erasures.agree(furnished.desk("boris"), shelf)
    capsys.readouterr()

    assert run("boris", "evidence", "due", "--json") == 0
    assert [(one["alias"], one["case"]) for one in printed(capsys)] == [(item, case)]
    assert run("boris", "evidence", "drop", item) == 0
    assert run("boris", "evidence", "clear") == 0
    capsys.readouterr()
    assert run("boris", "evidence", "due", "--json") == 0
    assert printed(capsys) == []
