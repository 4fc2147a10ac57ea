"""What is tried at the API's door, and what is said of it: refusals, and requests caught before they are sent."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from api.client.desk import Desk
from api.client.http import ApiRefusal
from ledger.money import Money
from tests.canaries import sightings
from tests.office import Office

WORDS = ("kanarejka", "KANAREJKA", "Kanarejka", "Канарейка")
"""What must not come back."""
LOOKED = ("access", "bearer_key", "reading_day")
"""What a look at evidence leaves behind: a line in the log, and the day the key was used."""


@contextmanager
def refused(office: Office, rule: str, *, status: int) -> Iterator[None]:
    """Asserts that the API refuses by this rule and that nothing is written."""
    with office.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        yield
    assert (refusal.value.status, refusal.value.rule) == (status, rule)


def told(answer: httpx2.Response) -> tuple[int, str]:
    """Status and rule of a refusal."""
    return answer.status_code, str(answer.json().get("type")).rpartition(":")[2]


def act_on(desk: Desk, verb: Any, disbursement: dict[str, Any], **stated: Any) -> dict[str, Any]:
    """What a client signs about a disbursement, but with whatever is stated otherwise, and without having looked."""
    case = desk.api.get(f"/v1/cases/{disbursement['case']}")
    facts: dict[str, Any] = {
        "version": disbursement["version"],
        "amount": Money.parse(disbursement["amount"]["amount"], disbursement["amount"]["currency"]),
        "payee_commitment": disbursement["payee_commitment"],
        "evidence": case["evidence_commitments"],
        "detail": disbursement["payee"] if verb == "approve_disbursement" else None,
    }
    return desk.agree(verb, disbursement["alias"], **(facts | stated))


def approve(office: Office, name: str, disbursement: dict[str, Any], agreed: dict[str, Any]) -> httpx2.Response:
    body = {"verb": "approve_disbursement", "object": disbursement["alias"], "agreed": agreed}
    return office.post("/v1/approvals", body, by=name)


class Caught(Exception):  # no error: it carries what was about to be sent
    """The request that a client was about to send."""


def catch(office: Office, method: str, act: Callable[[], object]) -> httpx2.Request:
    """The writing request that a client's verb makes; it is not sent."""

    def stop(request: httpx2.Request) -> None:
        if request.method == method:
            raise Caught(request)

    office.http.event_hooks = {"request": [stop]}
    try:
        with pytest.raises(Caught) as caught:
            act()
    finally:
        office.http.event_hooks = {}
    request: httpx2.Request = caught.value.args[0]
    return request


def rule(answer: httpx2.Response) -> str:
    """The rule's name of a problem document."""
    return str(answer.json()["type"]).rpartition(":")[2]


def is_problem(answer: httpx2.Response, status: int) -> bool:
    """Whether an answer has the form of RFC 9457 and the headers that every answer with a key has."""
    told = answer.json()
    return (
        (answer.status_code, told["status"]) == (status, status)
        and answer.headers["Content-Type"] == "application/problem+json"
        and answer.headers["Cache-Control"] == "no-store"
        and told["instance"] == f"urn:uuid:{answer.headers['X-Request-Id']}"
        and re.fullmatch(r"urn:solidarity-ledger:problem:[a-z_0-9]+", told["type"]) is not None
        and isinstance(told["title"], str)
        and isinstance(told["detail"], str)
    )


def seen_in(answer: httpx2.Response) -> list[str]:
    """The canaries in body and headers of an answer."""
    shown = b"\n".join(name + b": " + value for name, value in answer.headers.raw) + b"\n" + answer.content
    return sightings(WORDS, shown)
