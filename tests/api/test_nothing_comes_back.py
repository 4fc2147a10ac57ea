"""Attack 28: whatever path, query or header somebody fills with a name, no refusal and no log tells it.

Fields are in `test_each_step.py`.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.authorisation import DOORS
from tests.attempts import WORDS, is_problem, seen_in
from tests.canaries import sightings
from tests.office import Office

TEXT = "Kanarejka Канарейка\x00"
"""What stands nowhere; PostgreSQL takes no NUL."""
CODES = ("kanarejka", "KANAREJKA", "1000:kanarejka")
"""Words in the forms that codes and names have."""


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
