"""The same request again gets the stored answer and books nothing; another one under the same key is refused."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx2
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.authorisation import DOORS, SIGNED
from api.idempotency import claim
from ledger.people import Role
from tests.attempts import rule
from tests.office import Office

GIFT = {
    "balance_transaction": "txn_InventedGift0001",
    "category": "charge",
    "gross": {"amount": "100.00", "currency": "EUR"},
    "fee": {"amount": "3.20", "currency": "EUR"},
    "net": {"amount": "96.80", "currency": "EUR"},
    "created_on": "2020-09-14",
    "purpose": "FINES",
    "source": "ch_InventedGift0001",
    "charge": "ch_InventedGift0001",
}
DONATION = {"movements": [GIFT], "balances": []}
FUND = {"code": "books", "name": "Books", "restricted": True}


def entries(office: Office) -> int:
    return len(office.rows()["entry"])


def test_every_route_that_posts_claims_a_key() -> None:
    posting = [
        route
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    ]

    assert len(posting) == len([door for door in DOORS if door[0] == "POST"])
    unclaimed = {("POST", route.path) for route in posting if claim not in calls(route.dependant)}
    assert unclaimed == {door for door, opens in DOORS.items() if opens is SIGNED}


def calls(dependant: Dependant) -> set[Any]:
    """Every function that a route rests on."""
    return {dependant.call}.union(*(calls(one) for one in dependant.dependencies))


def test_the_key_of_one_person_is_another_key_for_the_next(furnished: Office) -> None:
    first = furnished.post("/v1/funds", FUND, by="clara", key="fund:1")

    other = furnished.post("/v1/funds", FUND | {"code": "paper"}, by="dora", key="fund:1")

    assert (first.status_code, other.status_code) == (201, 201)
    assert other.json()["code"] == "paper"
    assert furnished.post("/v1/funds", FUND, by="clara", key="fund:1").headers["Idempotent-Replay"] == "true"


def test_a_key_stands_for_one_request_of_one_person_whatever_their_bearer_key(furnished: Office) -> None:
    first = furnished.post("/v1/funds", FUND, by="clara", key="fund:1")

    again = furnished.post("/v1/funds", FUND, by="clara", role=Role.ADMIN, key="fund:1")
    elsewhere = furnished.post("/v1/purposes", FUND, by="clara", key="fund:1")

    assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
    assert (elsewhere.status_code, rule(elsewhere)) == (422, "idempotency_key_reused")


def test_a_replay_needs_a_key_that_opens_the_door(furnished: Office) -> None:
    furnished.post("/v1/donations", DONATION, by="anna", key="gift:1")

    answer = furnished.post("/v1/donations", DONATION, by="anna", role=Role.INTAKE, key="gift:1")

    assert (answer.status_code, rule(answer)) == (403, "not_allowed")


def test_a_missing_or_bad_key_is_refused_and_nothing_is_written(furnished: Office) -> None:
    bearer = {b"Authorization": f"Bearer {furnished.bearer('anna')}".encode()}
    bad = (b"", b"k" * 101, b"caf\xe9", b"a\tb")
    keys: list[dict[bytes, bytes]] = [{}, *({b"Idempotency-Key": key} for key in bad)]

    with furnished.nothing_written():
        answers = [furnished.http.request("POST", "/v1/donations", json=DONATION, headers=bearer | key) for key in keys]

    assert [(answer.status_code, rule(answer)) for answer in answers] == [(422, "bad_idempotency_key")] * 5
    assert furnished.post("/v1/donations", DONATION, by="anna", key="k" * 100).status_code == 201


def test_a_refusal_is_not_remembered_and_the_same_request_may_succeed_later(furnished: Office) -> None:
    body = {"code": "BOOKS", "fund": "books", "text": "For books.", "net_of_costs": False}
    with furnished.nothing_written():
        refused = furnished.post("/v1/purposes", body, by="clara", key="purpose:1")
    furnished.post("/v1/funds", FUND, by="clara")

    answer = furnished.post("/v1/purposes", body, by="clara", key="purpose:1")

    assert (refused.status_code, rule(refused)) == (422, "unknown_fund")
    assert answer.status_code == 201
    assert "Idempotent-Replay" not in answer.headers


def test_a_refused_or_unreadable_request_leaves_its_key_free_for_a_corrected_one(furnished: Office) -> None:
    wrong = {"movements": [GIFT | {"net": {"amount": "96.81", "currency": "EUR"}}], "balances": []}
    with furnished.nothing_written():
        refused = [furnished.post("/v1/donations", body, by="anna", key="gift:1") for body in (wrong, {"gross": 1})]

    answer = furnished.post("/v1/donations", DONATION, by="anna", key="gift:1")

    assert [one.status_code for one in refused] == [422, 422]
    assert answer.status_code == 201


def test_identical_requests_at_once_make_one_booking_and_get_one_answer(furnished: Office) -> None:
    before = entries(furnished)

    answers = at_once(furnished, *[(DONATION, "gift:1")] * 4)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["booked"][0]["about"] for answer in answers}) == 1
    assert Counter("Idempotent-Replay" in answer.headers for answer in answers) == {False: 1, True: 3}
    assert entries(furnished) == before + 1


def test_the_same_gift_at_once_under_several_keys_is_booked_once(furnished: Office) -> None:
    before = entries(furnished)

    answers = at_once(furnished, *[(DONATION, f"gift:{number}") for number in range(4)])

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["booked"][0]["about"] for answer in answers}) == 1
    assert entries(furnished) == before + 1


def test_contradicting_requests_at_once_under_one_key_make_one_booking(furnished: Office) -> None:
    before = entries(furnished)
    other = {"movements": [GIFT | {"balance_transaction": "txn_InventedGift0002"}], "balances": []}

    answers = at_once(furnished, (DONATION, "gift:1"), (other, "gift:1"))

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert entries(furnished) == before + 1


def at_once(office: Office, *requests: tuple[dict[str, Any], str]) -> list[httpx2.Response]:
    """Anna's donations, all sent at the same moment."""
    start = Barrier(len(requests))

    def send(request: tuple[dict[str, Any], str]) -> httpx2.Response:
        start.wait()
        return office.post("/v1/donations", request[0], by="anna", key=request[1])

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(send, requests))
