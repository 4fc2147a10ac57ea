"""Hostile bank files are read without the network and without other files, whatever they name.

The files are not ours to ship; where they are absent, the tests say so.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from api.client.bank_files import detection
from api.client.bank_files.lines import UnknownFormat, UnreadableFile

HOSTILE = Path(__file__).parents[2] / "../shared/data/hostile"
FILES = [path for path in sorted(HOSTILE.rglob("*")) if path.suffix in {".xml", ".ofx", ".csv"}]
CANARY = "kanarejka"

pytestmark = pytest.mark.skipif(not HOSTILE.is_dir(), reason="../shared/data, the collection of test files, is absent")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the network by Python, all of which is refused."""
    tried: list[str] = []

    def refuse(name: str) -> object:
        def refused(*_: object, **__: object) -> NoReturn:
            tried.append(name)
            raise OSError(name)

        return refused

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse(name))
    monkeypatch.setattr(socket, "getaddrinfo", refuse("getaddrinfo"))
    return tried


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A place on this device that a library would reach without asking Python, as some builds of that for XML can."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_no_hostile_file_has_the_network_asked(asked: list[str]) -> None:
    for path in FILES:
        with suppress(UnknownFormat, UnreadableFile):
            detection.read(path.read_bytes())

    assert len(FILES) > 20
    assert asked == []


def test_a_place_or_a_file_that_a_hostile_file_names_is_not_looked_at(
    listening: socket.socket, asked: list[str], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(CANARY, "utf-8")
    places = (f"http://127.0.0.1:{listening.getsockname()[1]}/{CANARY}", secret.as_uri())
    changed = 0

    for path in FILES:
        text = path.read_bytes().decode("utf-8", "replace")
        if not re.search(r"<!(?:DOCTYPE|ENTITY)", text):
            continue
        for place in places:
            named, many = re.subn(
                r"""(SYSTEM\s+|PUBLIC\s+(?:"[^"]*"|'[^']*')\s+)(?:"[^"]*"|'[^']*')""", rf'\1"{place}"', text
            )
            if many:
                changed += 1
                with pytest.raises(UnreadableFile) as refusal:
                    detection.read(named.encode())
                assert CANARY not in repr((refusal.value.message, refusal.value.data))

    assert changed >= 2 * 4
    assert asked == []
    with pytest.raises(BlockingIOError):
        listening.accept()
