"""The ledger of a case as a command: shown, and written as a table for its owner alone."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from tests import terminal
from tests.office import Office, on_one_database

Run = Callable[..., int]


@pytest.fixture
def run(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `solidarity` with these words at Anna's desk, and gives its exit code."""
    yield lambda *words: terminal.run(monkeypatch, terminal.environment_of(furnished, "anna"), *words)
    structlog.reset_defaults()


@on_one_database
def test_a_ledger_is_shown_and_written_once(
    furnished: Office, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    released = furnished.a_released_payment()
    furnished.confirm(released)
    table = tmp_path / "ledger.csv"

    assert run("ledger", "--case", released["case"]) == 0
    assert released["alias"] in capsys.readouterr().out
    assert run("ledger", "--case", released["case"], "--json") == 0
    assert [row["kind"] for row in json.loads(capsys.readouterr().out)] == ["aid_recognised", "aid_paid"]
    assert run("ledger", "--case", released["case"], "--csv", table) == 0
    assert run("ledger", "--case", released["case"], "--csv", table) == 1
    assert run("ledger", "--case", released["case"], "--beneficiary", released["case"]) == 2

    assert stat.S_IMODE(table.stat().st_mode) == 0o600
    assert table.read_text().count("\n") == 3
    assert "file_exists" in capsys.readouterr().err
