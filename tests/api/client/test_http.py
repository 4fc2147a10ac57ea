"""The connection: a request is sent until the API itself has answered, and its answer is kept once it has."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.client.http import Api, ApiRefusal, ApiUnreachable
from api.client.outbox import Outbox

BODY = {"code": "books"}
PAGE = b"<html>Please log in to the hotel's network</html>"


class Line:
    """A line to an API, with somebody at its other end who answers in turn; the last answer is repeated."""

    def __init__(self, *answers: httpx2.Response | httpx2.TransportError) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx2.TransportError):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox", bytes(32))


@contextmanager
def connected(line: Line, outbox: Outbox) -> Iterator[Api]:
    with httpx2.Client(transport=httpx2.MockTransport(line.answer), base_url="http://api.invalid") as http:
        yield Api(http, key="sl_invented", outbox=outbox)


def problem(status: int, rule: str, **data: Any) -> httpx2.Response:
    content = {"type": f"urn:solidarity-ledger:problem:{rule}", "status": status, "detail": "a rule", "title": rule}
    return httpx2.Response(
        status,
        headers={"Content-Type": "application/problem+json"},
        content=json.dumps(content | {"instance": "urn:uuid:1"} | data).encode(),
    )


def done() -> httpx2.Response:
    return httpx2.Response(201, json={"done": True})


def test_what_was_answered_is_not_sent_again(outbox: Outbox) -> None:
    line = Line(done())

    with connected(line, outbox) as api:
        answers = [api.post("/v1/funds", BODY, key="fund:1") for _ in range(3)]

    assert answers == [{"done": True}] * 3
    assert len(line.requests) == 1


@pytest.mark.parametrize(
    "silence",
    [
        httpx2.ConnectError("no route"),
        httpx2.ReadTimeout("cut off"),
        httpx2.Response(200, headers={"Content-Type": "text/html"}, content=PAGE),
        httpx2.Response(201, headers={"Content-Type": "application/json"}, content=PAGE),
        httpx2.Response(302, headers={"Location": "http://hotel.invalid/login"}),
        httpx2.Response(403, headers={"Content-Type": "text/html"}, content=PAGE),
        httpx2.Response(502, headers={"Content-Type": "text/html"}, content=PAGE),
        httpx2.Response(403, headers={"Content-Type": "application/problem+json"}, content=PAGE),
    ],
)
def test_until_the_api_itself_has_answered_the_same_bytes_are_sent_again(
    outbox: Outbox, silence: httpx2.Response | httpx2.TransportError
) -> None:
    """A hotel's login page is no answer: kept as one, a payment would never be sent."""
    line = Line(silence, done())

    with connected(line, outbox) as api:
        with pytest.raises(ApiUnreachable):
            api.post("/v1/funds", BODY, key="fund:1")
        assert len(list(outbox.pending())) == 1
        assert api.post("/v1/funds", BODY | {"sealed": "anew"}, key="fund:1") == {"done": True}

    first, second = line.requests
    assert first.content == second.content
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert list(outbox.pending()) == []


@pytest.mark.parametrize(
    "later",
    [
        problem(409, "still_running"),
        problem(429, "too_many_requests"),
        problem(500, "bug"),
        problem(503, "unavailable"),
    ],
)
def test_a_refusal_for_now_keeps_the_request(outbox: Outbox, later: httpx2.Response) -> None:
    line = Line(later, done())

    with connected(line, outbox) as api:
        with pytest.raises(ApiRefusal):
            api.post("/v1/funds", BODY, key="fund:1")
        api.post("/v1/funds", BODY | {"sealed": "anew"}, key="fund:1")

    assert line.requests[0].content == line.requests[1].content


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_a_refusal_for_good_frees_the_key_for_a_corrected_request(outbox: Outbox, status: int) -> None:
    line = Line(problem(status, "a_rule", field="amount", free_minor=5), done())

    with connected(line, outbox) as api:
        with pytest.raises(ApiRefusal) as refusal:
            api.post("/v1/funds", BODY, key="fund:1")
        api.post("/v1/funds", BODY | {"code": "paper"}, key="fund:1")

    assert (refusal.value.status, refusal.value.rule, refusal.value.instance) == (status, "a_rule", "urn:uuid:1")
    assert refusal.value.data == {"field": "amount", "free_minor": 5}
    assert json.loads(line.requests[1].content)["code"] == "paper"


def test_the_same_content_sealed_anew_by_another_outbox_is_another_request(tmp_path: Path) -> None:
    line = Line(done())
    keys = []
    for number in (1, 2):
        with connected(line, Outbox(tmp_path / f"outbox-{number}", bytes(32))) as api:
            api.post("/v1/statements", BODY | {"sealed": number}, key="statement:1")
        keys.append(line.requests[-1].headers["Idempotency-Key"])

    assert len(set(keys)) == 2
    assert all(key.startswith("statement:1:") and len(key) <= 100 for key in keys)


@pytest.mark.parametrize(
    "read", [lambda api: api.get("/v1/book"), lambda api: api.put("/v1/vaults/people/wraps", {})], ids=["get", "put"]
)
def test_what_is_no_json_is_no_answer_to_a_reading_either(outbox: Outbox, read: Callable[[Api], object]) -> None:
    with (
        connected(Line(httpx2.Response(200, content=PAGE)), outbox) as api,
        pytest.raises(ApiUnreachable) as refusal,
    ):
        read(api)

    assert "hotel" not in f"{refusal.value} {refusal.value.data}"


def test_nothing_but_what_was_asked_for_stands_in_a_query(outbox: Outbox) -> None:
    line = Line(httpx2.Response(200, json={}))

    with connected(line, outbox) as api:
        api.get("/v1/cases", state="received", cursor=None)

    assert str(line.requests[0].url) == "http://api.invalid/v1/cases?state=received"
    assert line.requests[0].headers["Authorization"] == "Bearer sl_invented"
