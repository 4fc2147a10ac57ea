"""Each request of the path that writes, with what others try before it is sent and after it was answered.

The path is long, so it is walked once on each database for all who try something. Whether the same again changes
nothing is asked on both. Who comes in is decided from a key and the roster alone, before a route's own code runs: that
is tried on SQLite. What a refusal says is read on PostgreSQL, whose own errors say more.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from api.authorisation import DOORS, EVERYBODY, SIGNED
from api.client.http import in_process
from ledger.people import Role
from tests.attempts import WORDS, is_problem, rule, seen_in
from tests.canaries import sightings
from tests.office import Office, template_of, walk_the_path
from tests.unsigned import BOOKS, UNSIGNED

WRITING = {door for door, opens in DOORS.items() if door[0] != "GET" and opens.roles is not None}
TEXT = "Kanarejka Канарейка\x00"
"""What stands nowhere; PostgreSQL takes no NUL."""
LIKE_IT = "kanarejka"
"""What stands, in the form of a code or a name, where one stood."""
SHARED = {"agreed", "shelf", "boxes", "tokens"}
MAKES_CODES = {"/v1/accounts", "/v1/funds", "/v1/purposes"}
"""Where a code that is made up is taken: afterwards it is one of ours, and may be told."""
CODE = re.compile(r"[A-Za-z][A-Za-z_. ]{2,30}|[0-9]{4}:[a-z-]{1,40}")
DEEP = 100_000
EXTREMES: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"-?\d+"), 10**30),
    (re.compile(r"-?\d+"), -1),
    (re.compile(r'"\d{4}-\d\d-\d\d"'), "9999-12-31"),
    (re.compile(r'"\d{4}-\d\d-\d\d"'), "0001-01-01"),
    (re.compile(r'"\d{4}-\d\d-\d\dT.*"'), "0001-01-01T00:00:00+14:00"),
    (re.compile(r'"-?\d+\.\d\d"'), "92233720368547758.07"),
    (re.compile(r'"\{.*"'), "[" * DEEP),
)
"""For numbers, days, moments, amounts and texts that are JSON: what is too much for one or another part behind."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_at_each_step_everybody_else_is_refused_before_and_the_same_again_changes_nothing(office: Office) -> None:
    with in_process(office.app) as http:
        intruders, echo = Intruders(office, http), Echo(office, http)
        office.http.event_hooks = {"request": [intruders.try_first], "response": [intruders.count_entries, echo.repeat]}
        walk_the_path(office)

    assert_all_were_refused(intruders)
    assert_all_were_answered_again(echo)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_at_each_step_no_field_comes_back_in_a_refusal_and_the_same_again_changes_nothing(
    office: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    with in_process(office.app) as http:
        liar, echo = Liar(http), Echo(office, http)
        office.http.event_hooks = {"request": [liar.lie_first], "response": [echo.repeat, liar.lie_after]}
        walk_the_path(office)

    assert_nothing_came_back(liar)
    assert sightings(WORDS, repr(office.logs).encode()) == []
    assert sightings(WORDS, "".join(capfd.readouterr()).encode()) == []
    assert_all_were_answered_again(echo)


class Echo:
    """Sends again what was answered, with its key: as it was, and then otherwise."""

    def __init__(self, office: Office, http: httpx2.Client) -> None:
        self.office, self.http = office, http
        self.seen: set[tuple[str, str]] = set()

    def repeat(self, response: httpx2.Response) -> None:
        response.read()
        request = response.request
        door = template_of(request.method, request.url.path)
        if request.method != "POST" or door in self.seen:
            return
        assert (door, response.status_code) == (door, 201)
        assert "Idempotent-Replay" not in response.headers, door
        self.seen.add(door)
        with telling(door), self.office.nothing_written():
            same, other = (
                self.http.request("POST", request.url, content=body, headers=request.headers)
                for body in (request.content, request.content + b" ")
            )

        assert (door, same.status_code, same.json()) == (door, 201, response.json())
        assert same.headers.get("Idempotent-Replay") == "true", door
        assert (door, other.status_code, rule(other)) == (door, 422, "idempotency_key_reused")
        assert "Idempotent-Replay" not in other.headers, door


def assert_all_were_answered_again(echo: Echo) -> None:
    assert echo.seen == {door for door, opens in DOORS.items() if door[0] == "POST" and opens is not SIGNED}


class Intruders:
    """Send the very request that succeeds a moment later: valid body, valid signature, the right state."""

    def __init__(self, office: Office, http: httpx2.Client) -> None:
        self.office, self.http = office, http
        self.tried: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self.entries, self.booking = [0], set[tuple[str, str]]()

    def try_first(self, request: httpx2.Request) -> None:
        door = template_of(request.method, request.url.path)
        if request.method == "GET" or door in self.tried:
            return
        wrong = [self.office.bearer_of(role) for role in Role if role not in (DOORS[door].roles or ())]
        with telling(door), self.office.nothing_written():
            for bearer in (*wrong, "sl_unknown", self.office.staff.expired):
                headers = {**request.headers, "authorization": f"Bearer {bearer}"}
                answer = self.http.request(request.method, request.url, content=request.content, headers=headers)
                self.tried[door].add(answer.status_code)

    def count_entries(self, response: httpx2.Response) -> None:
        with self.office.engine.connect() as connection:
            self.entries.append(connection.scalar(text("SELECT count(*) FROM entry")) or 0)
        if self.entries[-1] > self.entries[-2]:
            self.booking.add(template_of(response.request.method, response.request.url.path))


def assert_all_were_refused(intruders: Intruders) -> None:
    tried = intruders.tried
    everybodys = {door for door in tried if DOORS[door].roles == EVERYBODY}
    assert tried.keys() == WRITING
    assert {UNSIGNED[name] for name in map(" ".join, intruders.booking) if name in UNSIGNED} <= BOOKS
    assert {door: met for door, met in tried.items() if met != ({401} if door in everybodys else {401, 403})} == {}
    assert everybodys
    assert tried.keys() - everybodys


class Liar:
    """Attack 28: each field of each request becomes a canary, and so does the name of a field beside it.

    First what nobody can take for the truth, before the request itself is sent, so that all of the code behind sees
    it; afterwards what looks like a code.
    """

    def __init__(self, http: httpx2.Client) -> None:
        self.http, self.numbers = http, count()
        self.told: set[tuple[object, ...]] = set()
        self.failed: list[tuple[object, ...]] = []
        self.tried: dict[str, set[tuple[str, str]]] = {"before": set(), "after": set()}
        self.known: set[tuple[str, str]] = set()

    def lie_first(self, request: httpx2.Request) -> None:
        self._lie(request, TEXT, when="before")

    def lie_after(self, response: httpx2.Response) -> None:
        response.read()
        if template_of(response.request.method, response.request.url.path)[1] not in MAKES_CODES:
            self._lie(response.request, LIKE_IT, when="after")

    def _lie(self, request: httpx2.Request, told_instead: str, *, when: str) -> None:
        if request.method == "GET":
            return
        door = template_of(request.method, request.url.path)
        self.tried[when].add(door)
        for body in lied_about(request.content, told_instead, at=door[1], known=self.known):
            answer = send_again(self.http, request, body, key=f"lie:{next(self.numbers)}")
            if answer.status_code >= 400:
                assert is_problem(answer, answer.status_code)
                self.told.update({(door, answer.status_code, word, answer.content) for word in seen_in(answer)})
            if answer.status_code == 500:
                self.failed.append((door, body))


def assert_nothing_came_back(liar: Liar) -> None:
    after = {door for door in WRITING if door[1] not in MAKES_CODES}
    assert liar.tried == {"before": WRITING, "after": after}
    assert liar.failed == []
    assert liar.told == set()


@contextmanager
def telling(door: tuple[str, str]) -> Iterator[None]:
    """A failure tells at which door it was."""
    try:
        yield
    except Exception as failure:
        failure.add_note(" ".join(door))
        raise


def lied_about(content: bytes, lie: str, *, at: str, known: set[tuple[str, str]]) -> Iterator[bytes]:
    """The body with one leaf after the other told otherwise, and with one stranger's field after the other.

    Each place of the bodies that a door takes is lied about once, in whichever request it is filled first, and each of
    a form that many bodies share once for all: `known` are those it was done with, and the lies.
    """
    lines = [json.loads(line) for line in content.splitlines()]
    if lines[0]:  # where nothing is asked nothing is read
        for told in _variants(lines[0], lie, at, known):
            yield b"\n".join(json.dumps(line).encode() for line in [told, *lines[1:]])


def _variants(value: Any, lie: str, place: str, known: set[tuple[str, str]]) -> Iterator[Any]:
    """A free text goes everywhere, what looks like a code goes where a code or a name stood; and no bound is safe."""
    if isinstance(value, dict):
        if lie == TEXT and (place, lie) not in known:
            known.add((place, lie))
            yield from (value | {word: lie} for word in WORDS[2:])
            yield {WORDS[2]: [lie]}
        for name, part in value.items():
            inner = name if name in SHARED else f"{place} {name}"
            yield from (value | {name: told} for told in _variants(part, lie, inner, known))
    elif isinstance(value, list) and value:
        yield from ([told, *value[1:]] for told in _variants(value[0], lie, f"{place} 1", known))
    elif (leaf := (f"{place} {type(value).__name__}", lie)) not in known:
        known.add(leaf)
        if lie == TEXT:
            yield [lie] if isinstance(value, list) else lie
            yield from (extreme for kind, extreme in EXTREMES if kind.fullmatch(json.dumps(value)))
        elif isinstance(value, str) and CODE.fullmatch(value):
            yield f"1000:{lie}" if value[0].isdigit() else lie.upper() if value.isupper() else lie


def send_again(http: httpx2.Client, request: httpx2.Request, body: bytes, *, key: str) -> httpx2.Response:
    kept = {name: request.headers[name] for name in ("authorization", "content-type")}
    return http.request(request.method, request.url, content=body, headers=kept | {"idempotency-key": key})
