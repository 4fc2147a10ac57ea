"""What `queue` tells to do next: for every section a command that there is, whole but for what is in capitals."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.commands import main
from api.commands.queue_commands import NEXT, ORDERED, command
from ledger import queue
from ledger.aliases import draw


def row(alias: str) -> dict[str, Any]:
    return {"object": alias, "case": "C-0000-0000-0001", "deadline": "2020-11-20", "is_late": False}


def told() -> Iterator[str]:
    for section in queue.SECTIONS:
        if section.name != "orders_for_the_bank":
            yield command(section.name, row("X-0000-0000-0001"))
    for kind in ORDERED:
        yield command("orders_for_the_bank", row(draw(kind)))


def test_every_section_has_a_command() -> None:
    assert {*NEXT, "orders_for_the_bank"} == {one.name for one in queue.SECTIONS}
    assert command("of_a_newer_server", row("X-0000-0000-0001")) == "queue of_a_newer_server --json"


@pytest.mark.parametrize("line", sorted(set(told())))
def test_the_command_is_there_and_asks_for_nothing_more(line: str) -> None:
    found: Any = main.command()
    words = line.split()

    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]

    if words != ["--help"]:
        options = {words.pop(at): words.pop(at) for at in reversed(range(len(words))) if words[at].startswith("--")}
        needed = [one for one in found.params if one.required]
        assert set(options) == {one.opts[-1] for one in needed if one.param_type_name == "option"}
        arguments = [one for one in found.params if one.param_type_name == "argument"]
        assert sum(one.required for one in arguments) <= len(words) <= len(arguments)
