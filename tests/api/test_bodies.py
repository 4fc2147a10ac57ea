"""Row 28: no byte of a long body is read before it is known who sends it, and none of it comes to lie on a disk."""

import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from api.authorisation import BOX_BODY, DOORS, LIST_BODY
from api.bodies import UNPROVEN_BODY
from api.commands.book_commands import SERVER
from tests.attempts import is_problem, seen_in
from tests.office import Office, on_one_database

LONG = UNPROVEN_BODY + 1
WRITES = sorted(door for door, opens in DOORS.items() if door[0] != "GET" and opens.roles is not None)


@contextmanager
def a_server(office: Office) -> Iterator[tuple[str, int]]:
    """Host and port of a real server."""
    server = uvicorn.Server(uvicorn.Config(office.app, host="127.0.0.1", port=0, **SERVER))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join()


def announce(address: tuple[str, int], path: str, length: int, *headers: str, seconds: float = 5) -> bytes:
    """The first words of the answer to a body that is announced and of which nothing is ever sent."""
    head = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length}", *headers]
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        return connection.recv(4096)


def path_of(template: str) -> str:
    return re.sub(r"\{\w+\}", "people" if "vaults" in template else "C-0000-0000-0000", template)


@on_one_database
def test_who_shows_no_key_is_answered_before_sending_a_byte(office: Office) -> None:
    stale = f"Authorization: Bearer {office.staff.expired}"
    poor = f"Authorization: Bearer {office.bearer('boris')}"
    rich = f"Authorization: Bearer {office.bearer('clara')}"

    with a_server(office) as address:
        answers = [announce(address, "/v1/funds", LONG, *headers) for headers in ((), (stale,), (poor,))]
        answers.append(announce(address, "/v1/funds", BOX_BODY + 1, rich))
        with pytest.raises(TimeoutError):  # the control: this key and this length are admitted, and the server waits
            announce(address, "/v1/funds", LONG, rich, seconds=0.5)

    assert [answer.split()[1] for answer in answers] == [b"401", b"401", b"403", b"413"]


@on_one_database
def test_at_every_door_a_long_body_needs_a_key_first(office: Office) -> None:
    """The order is who, then how much; a length of nobody's is not even held against the route's limit."""
    long = {"Content-Length": str(LIST_BODY * 2), "Content-Type": "application/json"}
    for method, template in WRITES:
        path = path_of(template)

        nobody = office.send(method, path, headers=long, content=b"{}")
        stale = office.send(method, path, bearer=office.staff.expired, headers=long, content=b"{}")
        known = office.send(method, path, bearer=office.bearer("dora"), headers=long, content=b"{}")

        assert (is_problem(nobody, 401), is_problem(stale, 401), is_problem(known, 413)) == (True, True, True), path
        assert known.json()["largest_bytes"] == DOORS[method, template].largest_body


@on_one_database
def test_a_short_body_of_nobody_is_refused_by_the_route(office: Office) -> None:
    answer = office.send("POST", "/v1/funds", headers={"Content-Type": "application/json"}, content=b"{}")

    assert is_problem(answer, 401)


@on_one_database
@pytest.mark.parametrize("length", ["", "-1", "+5", "1e3", "9" * 40, "0x10", "kanarejka"])
def test_a_length_that_is_none_is_refused(office: Office, length: str) -> None:
    answer = office.send("POST", "/v1/funds", headers={"Content-Length": length}, content=b"{}")

    assert is_problem(answer, 413)
    assert seen_in(answer) == []


@on_one_database
def test_no_door_takes_a_form_and_no_upload_is_spooled_to_disk(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="kanarejka.pdf"\r\n\r\n'
    form = part + b"kanarejka" * 150_000 + b"\r\n--x--\r\n"
    plain = b'{"kanarejka": "' + b"kanarejka" * 150_000 + b'"}'
    kept: set[str] = set()
    opened = tempfile.NamedTemporaryFile  # the control: what is made here is seen below
    with opened(prefix="control"):
        kept |= {path.name[:7] for path in spool.iterdir()}

    with office.nothing_written():
        for method, template in WRITES:
            for body, media_type in ((form, "multipart/form-data; boundary=x"), (plain, "application/json")):
                headers = {"Content-Type": media_type}
                answer = office.send(
                    method, path_of(template), bearer=office.bearer("dora"), headers=headers, content=body
                )
                assert answer.status_code in ({415, 422} if body is form else {400, 404, 422}), template
                assert seen_in(answer) == []

    assert kept == {"control"}
    assert list(spool.iterdir()) == []
