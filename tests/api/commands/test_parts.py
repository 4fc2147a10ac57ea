"""The parts of the command line: shown without being read, and read alone when one is asked for."""

import subprocess
import sys
from collections.abc import Collection
from typing import Any

import pytest

from api.commands import main, parts

AT_THE_SERVER = {"init", "migrate", "serve", "jobs", "demo", "doctor", "database", "verify"}
"""They need the server's own half: its database, its schedule, or its web."""
THAT_DRAW = {"donors", "receipts", "publications", "site"}
"""What they write they draw on the device."""
OF_THE_SERVER = {"fastapi", "uvicorn", "apscheduler", "stripe"}
READ = """
import sys
from api.commands import main, parts
print(*sys.modules)
for names in sys.argv[1:]:
    for name in names.split():
        parts.load(name)
    print(*sys.modules)
"""


def modules_read_for(*groups: Collection[str]) -> list[set[str]]:
    """What one process has read after each group of parts, first of all with none."""
    command = [sys.executable, "-c", READ, *map(" ".join, groups)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [set(line.split()) for line in told.splitlines()]


def test_what_is_shown_of_a_part_is_what_its_module_says() -> None:
    whole: Any = main.command()

    assert {name: part.help for name, part in whole.commands.items()} == parts.PARTS


def test_to_show_the_parts_none_is_read_and_one_is_read_without_the_others() -> None:
    shown, asked = modules_read_for(["queue"])

    assert not shown & {"sqlalchemy", "ledger.book", "httpx2", "api.client", "api.commands.connection"}
    assert {name for name in asked if name.endswith("_commands")} == {"api.commands.queue_commands"}


def test_commands_over_the_network_read_nothing_of_the_server() -> None:
    plain = [name for name in parts.PARTS if name not in AT_THE_SERVER | THAT_DRAW]

    _none, read, with_those_that_draw = modules_read_for(plain, THAT_DRAW)

    assert not read & {*OF_THE_SERVER, "reportlab"}
    assert not with_those_that_draw & OF_THE_SERVER


def test_the_name_of_a_part_that_is_mistyped_is_guessed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["solidarity", "qeue"])

    with pytest.raises(SystemExit) as ended:
        main.run()

    assert (ended.value.code, "Did you mean 'queue'" in capsys.readouterr().err) == (2, True)
