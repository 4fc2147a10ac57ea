import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.commands import main
from ledger import people
from tests.key_files import write_key_file
from tests.office import Office

Run = Callable[..., int]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `solidarity` with these words and gives its exit code."""

    def run_words(*words: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["solidarity", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.run()
        return int(ended.value.code or 0)

    yield run_words
    structlog.reset_defaults()


@pytest.fixture
def at_annas(furnished: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Anna's own environment, on the office's book."""
    key_file = tmp_path / "anna.key"
    words = write_key_file(key_file, furnished.staff.devices["anna"])
    environment = {
        "SOLIDARITY_DATABASE_URL": furnished.engine.url.render_as_string(hide_password=False),
        "SOLIDARITY_SHRED_KEY_DIRECTORY": str(furnished.folder / "shred-keys"),
        "SOLIDARITY_DEMO_NOW": furnished.now().isoformat(),
        "SOLIDARITY_DEVICE_KEY_FILE": str(key_file),
        "SOLIDARITY_PASSPHRASE_FILE": str(words),
        "SOLIDARITY_API_KEY": furnished.bearer("anna"),
        "SOLIDARITY_ROSTER_FINGERPRINT": people.digest(furnished.staff.proposal.roster),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return furnished


@on_sqlite
def test_rates_are_imported_and_a_month_is_closed(
    at_annas: Office, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("currency,on,rate,source\nBYN,2020-09-30,0.33,nbrb\n", "utf-8")

    def printed(*words: str | Path) -> Any:
        assert run(*words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    assert printed("rates", "import", file) == {"told": 1, "added": 1}
    assert [(one["on"], one["rate"]) for one in printed("rates", "list")] == [("2020-09-30", "0.33")]
    assert printed("periods", "close", "2020-09")["state"] == "closed"
    assert [(one["month"], one["state"]) for one in printed("periods", "list")] == [
        ("2020-09", "closed"),
        ("2020-10", "open"),
    ]
    with at_annas.nothing_written():
        assert run("periods", "close", "2020-10") == 1
    assert capsys.readouterr().err.startswith("month_not_over: ")


def test_a_bad_row_exits_with_its_place_before_anything_is_sent(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("currency,on,rate,source\nBYN,2020-09-30,0.33,nbrb\nBYN,2020-10-02,secret,nbrb\n", "utf-8")

    assert run("rates", "import", file) == 65

    said = capsys.readouterr()
    assert "line 3, column rate" in said.err
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize("month", ["2020-13", "October"])
def test_what_is_no_month_exits_as_bad_input(run: Run, month: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("periods", "close", month) == 65

    assert capsys.readouterr().err.startswith("bad_month: ")


@on_sqlite
@pytest.mark.usefixtures("at_annas")
def test_a_central_banks_file_is_imported_and_the_statements_are_shown(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rates.json"
    quotes = [
        {"Date": "2020-09-01T00:00:00", "Cur_Abbreviation": code, "Cur_Scale": scale, "Cur_OfficialRate": told}
        for code, scale, told in (("EUR", 1, 3.2), ("USD", 1, 2.6))
    ]
    file.write_text(json.dumps(quotes), "utf-8")

    assert run("rates", "import", file) == 65
    assert capsys.readouterr().err.startswith("bad_rates: ")
    assert run("rates", "import", file, "--currency", "BYN", "--from", "2020-09-01", "--to", "2020-09-30") == 0
    assert "1 rates read, 1 of them new" in capsys.readouterr().out

    assert run("position", "--on", "2020-09-30", "--json") == 0
    assert json.loads(capsys.readouterr().out)["total_assets"] == "1562.50"
    assert run("position", "--on", "2020-09-30") == 0
    shown = capsys.readouterr().out
    assert "1562.50 EUR" in shown
    assert "1 BYN = 0.3125 EUR, quoted on 2020-09-01" in shown
    span = ("--from", "2020-09-01", "--to", "2020-09-30")
    assert run("activities", *span) == 0
    shown = capsys.readouterr().out
    assert "Released from restriction" in shown
    assert "Exchange result of fines: 0.00" in shown
    assert run("cash-flows", *span) == 0
    assert "Total operating" in capsys.readouterr().out


@on_sqlite
@pytest.mark.usefixtures("at_annas")
def test_a_folder_of_rates_is_watched_and_a_bad_file_stops_no_other(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rates"
    folder.mkdir()
    (folder / "1.csv").write_text("currency,on,rate,source\nBYN,2020-09-29,many,nbrb\n", "utf-8")
    (folder / "2.csv").write_text("currency,on,rate,source\nBYN,2020-09-30,0.33,nbrb\n", "utf-8")

    assert run("rates", "import", folder, "--watch", "--looks", "3", "--pause", "0") == 0
    watched = capsys.readouterr().out
    assert run("rates", "import", folder) == 65

    assert watched.splitlines() == ["1.csv: refused: bad_rates", "2.csv: 1 rates read, 1 of them new."]


def test_days_are_not_chosen_from_our_own_form(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("currency,on,rate,source\nBYN,2020-09-30,0.33,nbrb\n", "utf-8")

    assert run("rates", "import", file, "--from", "2020-10-01") == 65

    assert capsys.readouterr().err.startswith("bad_rates: ")
