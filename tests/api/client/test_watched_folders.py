"""A folder that is watched: each file is sent once, and none while it is written."""

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.client.bank_files.lines import UnreadableFile
from api.client.http import ApiRefusal, ApiUnreachable
from api.client.watched_folders import Folder, Taken
from api.commands import folders
from ledger.errors import LedgerError
from tests import terminal
from tests.cast import byn
from tests.office import BYN_LEAF, Office, on_one_database
from tests.papers import BankLine, a_camt_file

ANSWERS = [{"alias": "S-1", "fresh": 1, "booked": 0}]


def a_folder(path: Path, refusing: Callable[[Path], LedgerError | None] = lambda _: None) -> tuple[Folder, list[str]]:
    sent: list[str] = []

    def send(file: Path) -> list[dict[str, Any]]:
        refusal = refusing(file)
        if refusal is not None:
            raise refusal
        sent.append(file.name)
        return ANSWERS

    return Folder(path, send), sent


def test_a_file_is_sent_once_when_nobody_writes_it_any_more(tmp_path: Path) -> None:
    folder, sent = a_folder(tmp_path)
    file = tmp_path / "november.xml"
    file.write_bytes(b"<half")
    first = list(folder.look())
    file.write_bytes(b"<half and half>")
    second = list(folder.look())

    third, fourth = list(folder.look()), list(folder.look())

    assert first == second == fourth == []
    assert third == [Taken("november.xml", tuple(ANSWERS))]
    assert sent == ["november.xml"]


def test_a_file_that_changed_is_sent_again_and_a_refused_one_when_it_has(tmp_path: Path) -> None:
    unreadable = UnreadableFile("no statement", where="the whole file")
    folder, sent = a_folder(tmp_path, lambda file: unreadable if file.read_bytes() == b"bad" else None)
    file = tmp_path / "november.xml"
    file.write_bytes(b"bad")
    refused = [*folder.look(at_once=True), *folder.look(at_once=True)]

    file.write_bytes(b"good")
    os.utime(file, ns=(1, 1))

    assert refused == [Taken("november.xml", refused="unreadable_file")]
    assert [one.refused for one in folder.look(at_once=True)] == [None]
    assert sent == ["november.xml"]


@pytest.mark.parametrize(
    "error", [ApiUnreachable("the API does not answer"), ApiRefusal(403, {"type": "urn:solidarity:not_allowed"})]
)
def test_what_is_about_no_file_takes_none_and_the_next_look_takes_them(tmp_path: Path, error: LedgerError) -> None:
    answers = [error, None]
    folder, sent = a_folder(tmp_path, lambda _: answers.pop(0))
    (tmp_path / "november.xml").write_bytes(b"x")

    with pytest.raises(type(error)):
        list(folder.look(at_once=True))

    assert len(list(folder.look(at_once=True))) == 1
    assert sent == ["november.xml"]


def test_one_look_takes_every_file_however_many_there_are(tmp_path: Path) -> None:
    folder, sent = a_folder(tmp_path)
    for number in range(1_005):
        (tmp_path / f"{number:05}.xml").touch()

    looks = [len(list(folder.look())) for _ in range(3)]

    assert looks == [0, 1_005, 0]
    assert len(set(sent)) == 1_005


def watch(folder: Path, refusals: list[LedgerError | None], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of a folder that is watched until every refusal and one answer was given."""
    waited: list[float] = []

    def send(_: Path) -> list[dict[str, Any]]:
        refusal = refusals.pop(0)
        if refusal is not None:
            raise refusal
        return []

    monkeypatch.setattr(time, "sleep", waited.append)
    looks = len(refusals) + 2
    folders.take(folder, send, say=str, watch=True, pause=10, looks=looks, as_json=False)
    return waited


def test_watching_outlasts_what_passes_and_waits_longer_each_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "november.xml").touch()
    passing = [ApiRefusal(status, {"type": f"urn:solidarity:s{status}"}) for status in (429, 500, 503)]
    running = ApiRefusal(409, {"type": "urn:solidarity:still_running"})
    refusals: list[LedgerError | None] = [*passing, running, ApiUnreachable("no answer"), None]

    waited = watch(tmp_path, refusals, monkeypatch)

    assert refusals == []
    assert waited == [10, 20, 40, 80, 160, 320, 10]
    told = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert told == ["s429", "s500", "s503", "still_running", "unreachable"]


def test_no_pause_grows_beyond_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "november.xml").touch()

    waited = watch(tmp_path, [*([ApiRefusal(503, {})] * 9), None], monkeypatch)

    assert max(waited) == folders.LONGEST_WAIT


def test_a_key_that_is_not_known_any_more_ends_the_watching_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "november.xml").touch()

    with pytest.raises(ApiRefusal):
        watch(tmp_path, [ApiRefusal(401, {})], monkeypatch)

    assert "keys create" in capsys.readouterr().err


def test_what_was_taken_before_the_api_failed_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).touch()

    def send(file: Path) -> list[dict[str, Any]]:
        if file.name == "b.xml":
            raise ApiUnreachable("no answer")
        return list(ANSWERS)

    with pytest.raises(ApiUnreachable):
        folders.take(tmp_path, send, say=str, watch=False, pause=0, looks=None, as_json=False)

    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["a.xml"]


def test_folders_and_hidden_files_are_no_statements(tmp_path: Path) -> None:
    folder, sent = a_folder(tmp_path)
    (tmp_path / "older").mkdir()
    (tmp_path / ".november.xml.part").write_bytes(b"x")

    assert list(folder.look(at_once=True)) == []
    assert sent == []


@on_one_database
def test_a_watched_folder_is_sent_and_what_cannot_be_read_is_told(
    furnished: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "from the bank"
    folder.mkdir()
    (folder / "a.xml").write_bytes(
        a_camt_file(
            [BankLine(byn("-12.50"), date(2020, 10, 5))],
            opening=byn("5000.00"),
            first=date(2020, 10, 1),
            last=date(2020, 10, 31),
        )
    )
    (folder / "b.txt").write_bytes(b"no statement")
    environment = terminal.environment_of(furnished, "anna")
    words = ("statements", "import", folder, "--account", BYN_LEAF, "--number", "INVENTED-ACCOUNT")

    watched = terminal.run(monkeypatch, environment, *words, "--watch", "--looks", "3", "--pause", "0")
    told = capsys.readouterr().out
    at_once = terminal.run(monkeypatch, environment, *words)

    assert (watched, at_once) == (0, 65)
    assert told.splitlines() == ["a.xml: 1 new lines, 0 of them booked.", "b.txt: refused: unknown_format"]
