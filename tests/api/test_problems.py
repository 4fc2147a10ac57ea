"""Errors have one form, and tell a rule and a place and never a text: bodies, bugs, locks, an absent database."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from sqlalchemy import Engine, event, text

from api.authorisation import BOX_BODY, DOORS, PUBLIC
from api.commands.book_commands import SERVER
from api.problems import STATUS, status_of
from ledger.errors import LedgerError
from ledger.people import Role
from ledger.storage.engine import open_database
from tests.attempts import WORDS, is_problem, rule, seen_in
from tests.canaries import sightings
from tests.office import Office, on_one_database

DEEP = 100_000


# --- the form


def test_every_kind_of_refusal_has_the_form_of_a_problem_document(furnished: Office) -> None:
    fund = {"code": "fines", "name": "Fines", "restricted": True}
    answers = {
        400: furnished.post(
            "/v1/funds", None, by="clara", content=b"\xff", headers={"Content-Type": "application/json"}
        ),
        401: furnished.send("GET", "/v1/book"),
        403: furnished.send("GET", "/v1/book/../access-log", bearer=furnished.bearer("anna")),
        404: furnished.send("GET", "/v1/nowhere", bearer=furnished.bearer("anna")),
        405: furnished.send("DELETE", "/v1/book", bearer=furnished.bearer("anna")),
        409: furnished.post("/v1/funds", fund, by="clara"),
        413: furnished.post(
            "/v1/funds", None, by="clara", headers={"Content-Length": str(BOX_BODY + 1)}, content=b"{}"
        ),
        415: furnished.post("/v1/funds", None, by="clara", content=b"{}", headers={"Content-Type": "text/plain"}),
        422: furnished.post("/v1/funds", {}, by="clara"),
    }

    assert [status for status, answer in answers.items() if not is_problem(answer, status)] == []


@on_one_database
def test_every_answer_carries_the_headers_and_its_request_id(office: Office) -> None:
    own = "0123456789abcdef0123456789abcdef"
    answers = [
        office.send("GET", path, bearer=bearer, headers={"X-Request-Id": own})
        for path in ("/", "/healthz", "/v1/book", "/v1/nowhere", "/data/paid.csv")
        for bearer in (None, office.bearer("anna"))
    ]

    for answer in answers:
        assert answer.headers["X-Request-Id"].replace("-", "") == own
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
    stored = [answer.headers.get("Cache-Control") for answer in answers if "/v1/" in str(answer.url)]
    assert set(stored) == {"no-store"}


def test_every_refusal_of_the_program_has_a_status_of_its_own_kind() -> None:
    def kinds(of: type[LedgerError]) -> Iterator[type[LedgerError]]:
        for kind in of.__subclasses__():
            yield kind
            yield from kinds(kind)

    assert {status_of(kind("x")).value for kind in kinds(LedgerError) if kind.__init__ is LedgerError.__init__} <= {
        status.value for status in STATUS.values()
    }


# --- bodies that cannot be read


UNREADABLE = {
    "nothing": b"",
    "half an object": b'{"code": "kanarejka"',
    "deep lists": b"[" * DEEP,
    "deep objects": b'{"kanarejka":' * DEEP,
    "no UTF-8": b'{"code": "kanarejka\xff"}',
    "UTF-16": '{"code": "kanarejka"}'.encode("utf-16"),
    "half a character": b'{"code": "kanarejka\\ud800", "name": "kanarejka\\udfff", "restricted": true}',
    "a number too long": b'{"code": ' + b"9" * 5000 + b"}",
    "no number": b'{"code": NaN, "name": Infinity, "kanarejka": -Infinity}',
    "a list": b'["kanarejka"]',
    "a text": b'"kanarejka"',
    "twice the same": b'{"code": "kanarejka", "code": "KANAREJKA"}',
    "names of methods": b'{"__class__": "kanarejka", "__proto__": {"kanarejka": 1}}',
}


def test_a_body_that_cannot_be_read_is_refused_and_not_told_back(office: Office) -> None:
    kinds = {"/v1/funds": "application/json", "/v1/case-imports": "application/x-ndjson"}

    with office.nothing_written():
        answers = {
            (path, name): office.post(path, None, by="dora", content=body, headers={"Content-Type": media_type})
            for path, media_type in kinds.items()
            for name, body in UNREADABLE.items()
        }

    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code not in {400, 422}} == {}
    assert [name for name, answer in answers.items() if not is_problem(answer, answer.status_code)] == []
    assert [name for name, answer in answers.items() if seen_in(answer)] == []


@on_one_database
def test_an_import_names_the_line_that_cannot_be_read_and_takes_no_row(office: Office) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    bodies = {b"": "body", b"{}\n" * 501: "body", b"\n": "line 1: ", b'{"kanarejka": 1}': "line 1: case"}

    with office.nothing_written():
        answers = [office.post("/v1/case-imports", None, by="anna", content=b, headers=headers) for b in bodies]

    assert [answer.json()["where"] for answer in answers] == list(bodies.values())


@on_one_database
def test_another_media_type_is_refused(office: Office) -> None:
    others = ("", "text/plain", "application/xml", "application/json-seq", "multipart/form-data; boundary=x")
    headers: list[dict[str, str]] = [{}, *({"Content-Type": media_type} for media_type in others)]

    with office.nothing_written():
        answers = [
            office.post(path, None, by="dora", content=b'{"code": "kanarejka"}', headers=told)
            for path in ("/v1/funds", "/v1/case-imports")
            for told in headers
        ]

    assert [answer.status_code for answer in answers if not is_problem(answer, 415) or seen_in(answer)] == []


@on_one_database
def test_a_body_that_is_too_large_or_does_not_tell_its_length_is_refused(office: Office) -> None:
    with office.nothing_written(), a_server(office) as address, httpx2.Client(base_url=address) as http:
        for path in ("/v1/funds", "/v1/case-imports"):
            headers = {"Content-Type": "application/json", "Idempotency-Key": "large:1"}
            headers["Authorization"] = f"Bearer {office.bearer('dora')}"
            large = http.post(path, content=b"kanarejka" * 2**23, headers=headers)
            unmeasured = http.post(path, content=iter([b'{"kanarejka": ', b"1}"]), headers=headers)
            no_number = office.http.post(path, content=b"{}", headers={**headers, "Content-Length": "-1"})

            assert is_problem(large, 413)
            assert is_problem(unmeasured, 411)
            assert is_problem(no_number, 413)
            assert seen_in(large) + seen_in(unmeasured) == []


# --- bugs, locks and a database that is away


@on_one_database
def test_a_bug_is_told_without_its_text(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    add_a_bug(office, "kanarejka Канарейка")

    answer = office.send("GET", "/bug", headers={"X-Request-Id": "0123456789abcdef0123456789abcdef"})

    assert is_problem(answer, 500)
    assert seen_in(answer) == []
    (said, line) = list(office.logs)[-2:]
    assert (said["event"], said["what"].split(":")[0]) == ("bug", "ValueError in add_a_bug.<locals>.fail")
    assert (line["event"], line["status"], line["request_id"]) == ("request", 500, said["request_id"])
    assert sightings(WORDS, (repr(office.logs) + "".join(capfd.readouterr())).encode()) == []


@on_one_database
def test_the_server_shows_no_canary_on_its_screen(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    """The real HTTP server, as `solidarity serve` runs it: also what it logs by itself."""
    add_a_bug(office, "kanarejka Канарейка")

    with a_server(office) as address, httpx2.Client(base_url=address) as http:
        bug = http.get("/bug?kanarejka=KANAREJKA", headers={"Referer": "http://kanarejka.invalid"})
        bad = http.post("/v1/funds", content=b'{"kanarejka": ', headers={"Content-Type": "application/json"})
        raw = speak(address, b"KANAREJKA kanarejka kanarejka\r\n\r\n")
        logging.getLogger("uvicorn.error").warning("kanarejka at %s", "127.0.0.1")

    shown = "".join(capfd.readouterr())
    assert (bug.status_code, bad.status_code) == (500, 422)
    assert b"400" in raw
    assert "uvicorn.error in test_the_server_shows_no_canary_on_its_screen" in shown
    assert sightings([*WORDS, "127.0.0.1"], bug.content + bad.content + raw + shown.encode()) == []


def test_who_waits_too_long_for_a_lock_is_told_to_send_the_same_again(furnished: Office) -> None:
    shorten_waits(furnished.engine)
    body = {"code": "kanarejka", "name": "Kanarejka", "restricted": False}

    with furnished.engine.connect() as other:
        if furnished.engine.dialect.name == "postgresql":
            other.execute(text("LOCK TABLE stored_answer"))
        else:
            other.execute(text("SELECT 1"))  # a transaction that writes takes the lock with its first word
        answer = furnished.post("/v1/funds", body, by="clara", key="fund:1")

    assert is_problem(answer, 409)
    assert rule(answer) == "still_running"
    assert furnished.post("/v1/funds", body, by="clara", key="fund:1").status_code == 201


def test_a_database_that_is_away_is_unavailable_and_not_described(office: Office) -> None:
    away = {
        "sqlite": f"sqlite:///{office.folder}/kanarejka/book.db",
        "postgresql": "postgresql://kanarejka@127.0.0.1:9/x",
    }
    office.app.state.engine = open_database(away[office.engine.dialect.name])

    for answer in (office.send("GET", "/readyz"), office.send("GET", "/v1/book", bearer=office.bearer("anna"))):
        assert is_problem(answer, 503)
        assert seen_in(answer) == []
    assert office.send("GET", "/healthz").status_code == 200
    assert sightings(WORDS, repr(office.logs).encode()) == []


@on_one_database
def test_the_log_has_one_line_a_request_with_the_pattern_of_its_route_and_nothing_of_the_caller(office: Office) -> None:
    office.logs.clear()
    office.send(
        "GET",
        "/v1/cases/C-0000-0000-0000?kanarejka=1",
        bearer=office.bearer_of(Role.AUDITOR),
        headers={"User-Agent": "kanarejka", "X-Forwarded-For": "192.0.2.1", "Referer": "kanarejka"},
    )
    office.send("GET", "/kanarejka")

    first, second = office.logs
    assert set(first) == {"event", "log_level", "method", "route", "status", "milliseconds", "request_id", "operator"}
    assert (first["route"], first["status"], first["operator"]) == ("/v1/cases/{alias}", 404, office.alias("clara"))
    assert (second["route"], second["status"], second["operator"]) == ("none", 404, None)
    assert sightings([*WORDS, "192.0.2.1", "C-0000"], repr(office.logs).encode()) == []


@on_one_database
def test_public_pages_are_not_forbidden_to_caches(office: Office) -> None:
    public = [template for (_, template), door in DOORS.items() if door is PUBLIC and "{" not in template]

    assert {office.send("GET", path).headers.get("Cache-Control") for path in public} == {None, "public, max-age=300"}


def add_a_bug(office: Office, detail: str) -> None:
    """A route that fails with a text somebody sent, as only a bug does."""

    def fail() -> None:
        raise ValueError(f"{detail}: {detail!r}") from RuntimeError(detail)

    office.app.add_api_route("/bug", fail)


@contextmanager
def a_server(office: Office) -> Iterator[str]:
    """The address of a real server on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(office.app, host="127.0.0.1", port=0, **SERVER))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def speak(address: str, words: bytes) -> bytes:
    """What the server answers to what is no HTTP."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(words)
        return connection.recv(4096)


def shorten_waits(engine: Engine) -> None:
    """New connections give up a lock after a tenth of a second."""
    setting = "PRAGMA busy_timeout = 100" if engine.dialect.name == "sqlite" else "SET SESSION lock_timeout = 100"

    def shorten(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(setting)
        cursor.close()
        connection.commit()

    engine.dispose()
    event.listen(engine, "connect", shorten)
