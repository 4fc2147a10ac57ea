"""The door of the card processor's notices: what it signs is kept by name, and everything else is dropped."""

import json
import random
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute
from pydantic import SecretStr

from api.app import ROUTERS
from api.authorisation import NOTICE_BODY
from api.bodies import UNPROVEN_BODY
from api.stripe_notices import TOLERANCE_SECONDS
from examples.card_processor.account import Account
from examples.card_processor.notices import Mail, sign
from tests.attempts import is_problem, seen_in
from tests.canaries import sightings
from tests.office import Office, on_one_database

PATH = "/v1/webhooks/stripe"
SECRET = "whsec_invented"
EVENT: dict[str, Any] = {
    "id": "evt_Invented0001",
    "object": "event",
    "type": "charge.succeeded",
    "data": {
        "object": {"id": "ch_Invented0001", "billing_details": {"name": "Kanarejka"}, "customer": "cus_kanarejka"}
    },
}
BODY = json.dumps(EVENT).encode()


@pytest.fixture
def open_door(office: Office) -> Office:
    """The office takes notices that one of two secrets signs."""
    secrets = SecretStr(f"whsec_older, {SECRET}")
    office.app.state.settings = office.app.state.settings.model_copy(update={"stripe_webhook_secrets": secrets})
    return office


def send(office: Office, body: bytes = BODY, *, signature: str | None = None, late: int = 0) -> httpx2.Response:
    at = int(office.now().timestamp()) - late
    headers = {"Stripe-Signature": sign(body, secret=SECRET, at=at) if signature is None else signature}
    return office.send("POST", PATH, headers=headers, content=body)


def test_a_signed_notice_is_kept_by_its_name_once_and_nothing_else_of_it(open_door: Office) -> None:
    first = send(open_door)
    with open_door.nothing_written():
        again = send(open_door)

    assert (first.status_code, again.status_code, first.content) == (200, 200, b"")
    (row,) = open_door.rows()["notice"]
    assert "evt_Invented0001" in row
    assert "ch_Invented0001" in row
    assert sightings(("kanarejka", "Kanarejka"), repr((open_door.rows(), open_door.logs)).encode()) == []


def test_of_all_routes_that_of_notices_is_tried_first() -> None:
    assert [route.path for route in ROUTERS[0].routes if isinstance(route, APIRoute)] == [PATH]


@on_one_database
@pytest.mark.parametrize("thin", [False, True])
def test_what_the_processor_sends_twice_and_in_any_order_is_kept_once(open_door: Office, *, thin: bool) -> None:
    account = Account(now=int(open_door.now().timestamp()))
    charges = [account.charge(20_00, "eur", description="FINES") for _ in range(3)]
    account.undo_refund(account.refund(charges[0], 5_00))
    account.win(account.dispute(charges[1]))

    def take(body: bytes, headers: dict[str, str]) -> int:
        return send(open_door, body, signature=headers["Stripe-Signature"]).status_code

    mail = Mail(account, SECRET, take, random.Random(1), doubled=100, thin=thin)  # noqa: S311  # the same order each time
    mail.deliver()

    assert sorted(mail.taken) == sorted([one["id"] for one in account.events] * 2)
    kept = open_door.rows()["notice"]
    assert [sum(one["id"] in row for row in kept) for one in account.events] == [1] * len(account.events)
    assert len(kept) == len(account.events) > len(charges)
    assert sightings(("kanarejka", "Kanarejka"), repr((open_door.rows(), open_door.logs)).encode()) == []


@on_one_database
def test_a_wrong_or_old_signature_is_refused_before_anything_is_read_or_written(open_door: Office) -> None:
    with open_door.nothing_written():
        answers = [
            send(open_door, signature=""),
            send(open_door, signature="t=1,v1=kanarejka"),
            send(open_door, signature=sign(BODY + b" ", secret=SECRET, at=int(open_door.now().timestamp()))),
            send(open_door, late=TOLERANCE_SECONDS + 1),
            send(open_door, late=-TOLERANCE_SECONDS - 1),
        ]

    assert [is_problem(answer, 400) for answer in answers] == [True] * 5
    assert [seen_in(answer) for answer in answers] == [[]] * 5
    assert sightings(("kanarejka", "Kanarejka"), repr(open_door.logs).encode()) == []


@on_one_database
def test_what_is_signed_and_no_notice_is_refused(open_door: Office) -> None:
    with open_door.nothing_written():
        answers = [
            send(open_door, body)
            for body in (b"", b"\xff", b"[]", b"[" * 16_000, json.dumps(EVENT | {"id": "Kanarejka"}).encode())
        ]

    assert [is_problem(answer, 400) for answer in answers] == [True] * 5
    assert [seen_in(answer) for answer in answers] == [[]] * 5


@on_one_database
def test_a_large_notice_is_taken_and_a_huge_one_is_not_even_read(open_door: Office) -> None:
    large = json.dumps(EVENT | {"padding": "x" * UNPROVEN_BODY * 2}).encode()
    with open_door.nothing_written():
        huge = send(open_door, BODY + b" " * NOTICE_BODY)
        endless = open_door.send("POST", PATH, headers={"Transfer-Encoding": "chunked"}, content=BODY)

    assert is_problem(huge, 413)
    assert endless.status_code == 411
    assert send(open_door, large).status_code == 200


@on_one_database
def test_where_no_secret_is_set_nobody_is_believed(office: Office) -> None:
    with office.nothing_written():
        answer = send(office)

    assert is_problem(answer, 400)


@on_one_database
def test_secrets_may_stand_in_a_file(office: Office) -> None:
    file = office.folder / "secrets"
    file.write_text(f"whsec_older\n{SECRET}\n", "utf-8")
    office.app.state.settings = office.app.state.settings.model_copy(update={"stripe_webhook_secrets_file": file})

    assert send(office).status_code == 200
