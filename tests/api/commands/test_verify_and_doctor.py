"""`solidarity verify books` and `solidarity doctor`: what they find, what they say, and with which code they end."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.storage import guards
from tests.api.commands.test_commands import Shell, at_annas, shell
from tests.office import EXPIRES_ON, Office

__all__ = ["at_annas", "shell"]  # fixtures, of the same shell
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def findings(told: Any) -> set[tuple[str, str]]:
    """The tests' server need not survive a power cut, which `settings` finds."""
    return {(one["check"], one["name"]) for one in told["findings"]} - {("settings", "fsync")}


def run_json(shell: Shell, *words: str) -> Any:
    shell.run(*words, "--json")
    return json.loads(shell.out)


def states(told: Any) -> dict[str, str]:
    return {row["what"]: row["state"] for row in told}


def test_a_book_that_holds_is_verified(at_annas: Shell) -> None:
    told = run_json(at_annas, "verify", "books")

    assert findings(told) == set()
    assert {"balanced", "guards", "acts"} <= {row["check"] for row in told["checks"]}


@on_sqlite
def test_a_book_that_holds_ends_with_0(at_annas: Shell) -> None:
    assert at_annas.run("verify", "books") == 0
    assert "The book holds." in at_annas.out


def test_a_changed_amount_ends_with_3_and_names_the_entry(furnished: Office, at_annas: Shell) -> None:
    with furnished.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text("UPDATE line SET minor = minor * 2"))
        guards.install(connection)
        (entry, *_) = connection.scalars(text("SELECT id FROM entry ORDER BY id")).all()

    assert at_annas.run("verify", "books") == 3
    assert "as-agreed" in at_annas.out
    told = run_json(at_annas, "verify", "books")
    assert told["holds"] is False
    assert ("as-agreed", str(entry)) in findings(told)


def test_a_database_of_another_version_is_not_verified(shell: Shell, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}", SHRED_KEY_DIRECTORY=tmp_path)

    assert shell.run("verify", "books") == 1
    assert "old_schema" in shell.err


@on_sqlite
def test_the_doctor_finds_nothing_wrong_where_nothing_is(furnished: Office, at_annas: Shell) -> None:
    for file in furnished.folder.iterdir():
        file.chmod(0o700 if file.is_dir() else 0o600)

    told = states(run_json(at_annas, "doctor"))

    assert {what for what, state in told.items() if state == "wrong"} == set()
    expected = {"guards", "tables", "schema version", "clock of a demonstration", "roster and bearer keys"}
    assert expected <= told.keys()


def test_the_doctor_names_a_guard_that_is_gone_and_says_what_to_do(furnished: Office, at_annas: Shell) -> None:
    with furnished.engine.begin() as connection:
        guards.remove(connection)

    assert at_annas.run("doctor") == 3
    assert "guards: guard_line_before_its_entry is missing" in at_annas.out
    assert "solidarity migrate" in at_annas.out


@on_postgresql
def test_the_doctor_warns_of_a_role_that_no_guard_binds(at_annas: Shell) -> None:
    told = states(run_json(at_annas, "doctor"))

    assert told["database role: superuser"] == "warning"


def test_the_doctor_tells_of_what_expires_until_nobody_can_sign_a_roster_any_more(at_annas: Shell) -> None:
    at_annas.set(DEMO_NOW=f"{EXPIRES_ON - timedelta(days=30)}T09:00:00+00:00")
    soon = states(run_json(at_annas, "doctor"))
    at_annas.set(DEMO_NOW=f"{EXPIRES_ON + timedelta(days=1)}T09:00:00+00:00")

    over = states(run_json(at_annas, "doctor"))

    officers = f"officers: two can sign a roster until {EXPIRES_ON}"
    assert (soon[officers], over[officers]) == ("warning", "wrong")
    for what in ("roster: ", "bearer keys: "):
        assert {state for name, state in soon.items() if name.startswith(what)} == {"warning"}


def test_the_doctor_says_which_settings_are_missing(shell: Shell) -> None:
    assert shell.run("doctor") == 3
    assert "SOLIDARITY_DATABASE_URL" in shell.out


def test_the_doctor_makes_no_database_where_there_is_none(shell: Shell, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'none.db'}", SHRED_KEY_DIRECTORY=tmp_path)

    assert shell.run("doctor") == 3
    assert "database file" in shell.out
    assert not (tmp_path / "none.db").exists()


def test_the_doctor_finds_key_files_that_others_can_read_and_shows_no_path(shell: Shell, tmp_path: Path) -> None:
    key = tmp_path / "somebody.key"
    key.write_bytes(b"x")
    key.chmod(0o644)
    shell.set(DEVICE_KEY_FILE=key, API_KEY_FILE=tmp_path / "gone.bearer")

    assert shell.run("doctor") == 3
    assert "chmod 600" in shell.out
    assert "SOLIDARITY_API_KEY_FILE" in shell.out
    assert "somebody" not in shell.out
