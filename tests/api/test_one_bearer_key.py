"""What a stolen bearer key does without the device of its owner: the rows of the threat model, each tried."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from api.client import case_imports, donations, keyring, payments
from api.client.desk import Desk, open_desk
from api.client.http import Api, ApiRefusal
from api.client.outbox import Outbox
from ledger.people import Role
from tests.attempts import catch, told
from tests.office import BYN_LEAF, DECISION_DAY, INTAKE_DAY, Office, a_gift_by_card, make_key
from tests.papers import a_list_row


def thief(office: Office, name: str) -> Desk:
    """Who has somebody's bearer key and signs with a device of their own under the owner's alias."""
    device = keyring.create(office.alias(name))
    outbox = Outbox(office.folder / f"thief-{name}", keyring.outbox_key(device))
    return open_desk(Api(office.http, key=office.bearer(name), outbox=outbox), device, pins=None, now=office.now)


def test_an_admins_key_makes_no_key(furnished: Office) -> None:
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        make_key(thief(furnished, "clara"), furnished.alias("anna"), [Role.TREASURER])

    assert refusal.value.rule == "bad_signature"


def test_an_intakes_key_sends_no_list(furnished: Office) -> None:
    """A row's shelf is signed by the device: a stranger's shelf would be opened by whoever planted it."""
    furnished.set_clock(INTAKE_DAY)
    anna, stranger = furnished.desk("anna"), thief(furnished, "anna")
    request = catch(
        furnished, "POST", lambda: case_imports.import_rows(anna, [a_list_row()], jurisdiction="by", list_name="one")
    )
    row: dict[str, Any] = json.loads(request.content)
    forged = row | {"shelf": row["shelf"] | {"signature": stranger.sign(b"anything")}}
    headers = {"Content-Type": "application/x-ndjson"}

    with furnished.nothing_written():
        answer = furnished.post(
            "/v1/case-imports", None, by="anna", content=json.dumps(forged).encode(), headers=headers
        )

    assert told(answer) == (422, "shelf_not_signed")


def test_a_treasurers_key_releases_nothing(furnished: Office) -> None:
    approved = furnished.a_told_payment()
    stranger = thief(furnished, "anna")
    body = {"agreed": stranger.agree("release_disbursement", approved["alias"], version=approved["version"])}

    with furnished.nothing_written():
        answer = furnished.post(f"/v1/disbursements/{approved['alias']}/release", body, by="anna")

    assert told(answer) == (403, "bad_signature")


def test_a_treasurers_key_books_gifts_and_asks_for_payments_under_its_owners_alias(furnished: Office) -> None:
    """The honest limit: what needs no signature is done by whoever has the key, and stands under that name."""
    case = furnished.a_verified_case()
    furnished.set_clock(DECISION_DAY)
    anna = furnished.desk("anna")
    asked = catch(furnished, "POST", lambda: payments.request(anna, case, account=BYN_LEAF))

    booked = donations.send(thief(furnished, "anna"), a_gift_by_card(id="txn_InventedStolen1", source="ch_Invented1"))
    answer = furnished.post("/v1/disbursements", json.loads(asked.content), by="anna", role=Role.TREASURER)

    assert len(booked) == 1
    assert answer.status_code == 201
    with furnished.engine.connect() as connection:
        assert connection.scalar(text("SELECT requested_by FROM disbursement")) == furnished.alias("anna")
