"""A terminal at somebody's desk: what the `solidarity` command is told by the environment, and how it is run."""

import sys
from pathlib import Path

import pytest

from api.commands import main
from ledger import people
from tests.key_files import write_key_file
from tests.office import Office


def environment_of(office: Office, name: str) -> dict[str, str]:
    """Whose device, whose bearer key, which book, which day."""
    key_file = office.folder / f"{name}.key"
    return {
        "SOLIDARITY_DATABASE_URL": office.engine.url.render_as_string(hide_password=False),
        "SOLIDARITY_SHRED_KEY_DIRECTORY": str(office.folder / "shred-keys"),
        "SOLIDARITY_DEMO_NOW": office.now().isoformat(),
        "SOLIDARITY_DEVICE_KEY_FILE": str(key_file),
        "SOLIDARITY_PASSPHRASE_FILE": str(write_key_file(key_file, office.staff.devices[name])),
        "SOLIDARITY_API_KEY": office.bearer(name),
        "SOLIDARITY_ROSTER_FINGERPRINT": people.digest(office.staff.proposal.roster),
    }


def run(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *words: str | Path) -> int:
    """Runs `solidarity` with these words; its exit code."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["solidarity", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main.run()
    return int(ended.value.code or 0)
