"""Notices are believed when the processor's own library would sign them so, and only as long as they are fresh."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from api.stripe_notices import TOLERANCE_SECONDS, BadNoticeSignature, Named, read_notice
from examples.card_processor.notices import sign
from ledger.giving.notices import BadNotice

NOW = datetime(2020, 9, 14, 9, tzinfo=UTC)
SECOND = int(NOW.timestamp())
OLD, NEW = "whsec_old", "whsec_new"
EVENT: dict[str, Any] = {
    "id": "evt_Invented0001",
    "object": "event",
    "type": "charge.succeeded",
    "data": {"object": {"id": "ch_Invented0001", "billing_details": {"name": "Kanarejka"}}},
}
BODY = json.dumps(EVENT).encode()
THIN = json.dumps(
    {
        "id": "evt_Invented0002",
        "object": "v2.core.event",
        "type": "v1.payout.paid",
        "related_object": {"id": "po_Invented0001", "type": "payout", "url": "/v1/payouts/po_Invented0001"},
    }
).encode()


def read(body: bytes = BODY, *, signature: str | None = None, now: datetime = NOW) -> Named:
    signed = sign(body, secret=NEW, at=SECOND) if signature is None else signature
    return read_notice(body, signature=signed, secrets=(OLD, NEW), now=now)


def test_id_type_and_object_are_read_of_both_forms() -> None:
    assert read() == Named("evt_Invented0001", "charge.succeeded", "ch_Invented0001")
    assert read(THIN) == Named("evt_Invented0002", "v1.payout.paid", "po_Invented0001")


def test_while_secrets_are_rotated_both_are_believed() -> None:
    assert read(signature=sign(BODY, secret=OLD, at=SECOND)) == read()
    both = f"{sign(BODY, secret='whsec_other', at=SECOND)},v1={sign(BODY, secret=NEW, at=SECOND).partition('v1=')[2]}"
    assert read(signature=both) == read()


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=60), second=st.integers(SECOND - TOLERANCE_SECONDS, SECOND + TOLERANCE_SECONDS))
def test_what_the_processors_own_library_signs_is_believed(text: str, second: int) -> None:
    body = json.dumps(EVENT | {"text": text}, ensure_ascii=False)

    signature = stripe.WebhookSignature.generate_signature_header(body, NEW, second)

    assert read(body.encode(), signature=signature) == read()


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "kanarejka",
        "v1=",
        f"t={SECOND}",
        f"t={SECOND},v1=",
        f"t={SECOND},v1=" + "0" * 64,
        f"t={SECOND},v1=é",
        f"t={SECOND},v0={sign(BODY, secret=NEW, at=SECOND).partition('v1=')[2]}",
        f"t=-1,{sign(BODY, secret=NEW, at=SECOND).partition(',')[2]}",
        f"t=\u0661,{sign(BODY, secret=NEW, at=SECOND).partition(',')[2]}",
        f"t={SECOND},t={SECOND},{sign(BODY, secret=NEW, at=SECOND).partition(',')[2]}",
        f"t={SECOND + 1},{sign(BODY, secret=NEW, at=SECOND).partition(',')[2]}",
        sign(BODY + b" ", secret=NEW, at=SECOND),
        sign(BODY, secret="whsec_other", at=SECOND),
        sign(BODY, secret=NEW, at=SECOND - TOLERANCE_SECONDS - 1),
        sign(BODY, secret=NEW, at=SECOND + TOLERANCE_SECONDS + 1),
        f"t={SECOND}," + ",".join(["v1=" + "0" * 64] * 10 + [sign(BODY, secret=NEW, at=SECOND).partition(",")[2]]),
    ],
)
def test_a_signature_that_is_wrong_old_or_of_the_future_is_refused(signature: str) -> None:
    with pytest.raises(BadNoticeSignature):
        read(signature=signature)


def test_without_a_secret_nobody_is_believed() -> None:
    with pytest.raises(BadNoticeSignature):
        read_notice(BODY, signature=sign(BODY, secret="", at=SECOND), secrets=(), now=NOW)


def test_the_same_signature_is_refused_when_time_has_passed() -> None:
    read(now=NOW + timedelta(seconds=TOLERANCE_SECONDS))

    with pytest.raises(BadNoticeSignature):
        read(now=NOW + timedelta(seconds=TOLERANCE_SECONDS + 1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"object": "event"}',
        json.dumps(EVENT | {"id": 7}).encode(),
        json.dumps(EVENT | {"type": None}).encode(),
        json.dumps(EVENT | {"object": "charge"}).encode(),
    ],
)
def test_what_is_signed_and_no_notice_is_refused_without_its_text(body: bytes) -> None:
    with pytest.raises(BadNotice) as refusal:
        read(body)

    assert set(refusal.value.data) == {"where"}


def test_an_object_of_another_form_is_none() -> None:
    told: tuple[Any, ...] = (None, [], {"object": None}, {"object": {"id": 7}})
    for data in told:
        assert read(json.dumps(EVENT | {"data": data}).encode()).about is None
