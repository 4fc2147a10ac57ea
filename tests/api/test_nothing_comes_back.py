"""Attack 28: whatever field, path, query or header somebody fills with a name, no refusal and no log tells it."""

import json
import re
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.authorisation import DOORS
from api.client.http import in_process
from tests.attempts import WORDS, is_problem, seen_in
from tests.canaries import sightings
from tests.office import Office, template_of, walk_the_path

TEXT = "Kanarejka Канарейка\x00"
"""What stands nowhere; PostgreSQL takes no NUL."""
CODES = ("kanarejka", "KANAREJKA", "1000:kanarejka")
"""Words in the forms that codes and names have."""
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


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # whose own errors say more
def test_no_field_of_any_request_comes_back_in_a_refusal(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    """Each field of each request of the path becomes a canary, and so does the name of a field beside it.

    First what nobody can take for the truth, before the request itself is sent, so that all of the code behind sees
    it; afterwards what looks like a code.
    """
    told: set[tuple[object, ...]] = set()
    failed: list[tuple[object, ...]] = []
    numbers = count()
    tried: dict[str, set[tuple[str, str]]] = {"before": set(), "after": set()}
    known: set[tuple[str, str]] = set()

    with in_process(office.app) as liar:

        def lie(request: httpx2.Request, told_instead: str, *, when: str) -> None:
            door = template_of(request.method, request.url.path)
            if request.method == "GET":
                return
            tried[when].add(door)
            for body in lied_about(request.content, told_instead, at=door[1], known=known):
                answer = send_again(liar, request, body, key=f"lie:{next(numbers)}")
                if answer.status_code >= 400:
                    assert is_problem(answer, answer.status_code)
                    told.update({(door, answer.status_code, word, answer.content) for word in seen_in(answer)})
                if answer.status_code == 500:
                    failed.append((door, body))

        def after(response: httpx2.Response) -> None:
            response.read()
            if template_of(response.request.method, response.request.url.path)[1] not in MAKES_CODES:
                lie(response.request, LIKE_IT, when="after")

        before = partial(lie, when="before")
        office.http.event_hooks = {"request": [lambda request: before(request, TEXT)], "response": [after]}
        walk_the_path(office)

    doors = {door for door, opens in DOORS.items() if door[0] != "GET" and opens.roles is not None}
    assert tried == {"before": doors, "after": {door for door in doors if door[1] not in MAKES_CODES}}
    assert failed == []
    assert told == set()
    assert sightings(WORDS, repr(office.logs).encode()) == []
    assert sightings(WORDS, "".join(capfd.readouterr()).encode()) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # whose own errors say more
def test_no_path_query_or_header_comes_back_in_a_refusal(office: Office) -> None:
    for request in (*strange_paths(), *strange_queries(), *strange_headers()):
        answer = office.send(bearer=office.bearer("dora"), **request)

        assert answer.status_code != 500, request
        if answer.status_code >= 400:
            assert is_problem(answer, answer.status_code), request
        assert seen_in(answer) == [], request
    assert sightings(WORDS, repr(office.logs).encode()) == []


def strange_paths() -> Iterator[dict[str, Any]]:
    for method, template in sorted(DOORS):
        for word in (*CODES, TEXT) if "{" in template else ():
            yield {"method": method, "path": re.sub(r"\{\w+\}", quote(word), template), "json": {}}


def strange_queries() -> Iterator[dict[str, Any]]:
    """Each parameter by itself, beside what the route cannot do without."""
    needed = {"on": "2020-10-01", "reason": "audit", "of": "C-0000-0000-0000", "account": "1000", "currency": "BYN"}
    extremes = ("9" * 30, "-1", "9999-12-31", "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    for route in (route for route in routes if "GET" in (route.methods or ())):
        path = route.path.replace("{name}", "paid.json" if "/data/" in route.path else "people")
        path = path.replace("{form}", "json").replace("{alias}", "C-0000-0000-0000").replace("{version}", "1")
        fields = route.dependant.query_params
        required = {field.alias: needed.get(field.alias, "x") for field in fields if field.field_info.is_required()}
        for name in (field.alias for field in fields):
            for word in (*CODES, TEXT, *extremes):
                yield {"method": "GET", "path": path, "params": required | {name: word}}
        yield from ({"method": "GET", "path": path, "params": required | {name: TEXT}} for name in WORDS[2:])


def strange_headers() -> Iterator[dict[str, Any]]:
    for name in ("Authorization", "Idempotency-Key", "X-Request-Id", "Content-Type", "Accept", "Host", "Referer"):
        for path in ("/v1/funds", "/v1/kanarejka"):
            yield {"method": "POST", "path": path, "json": {}, "headers": {name: f"kanarejka {'KANAREJKA' * 12}"}}


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
