"""Whoever may bring rows can seal anything validly: no content of one box stops the others, or ends as a bug."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.client import (
    batches,
    case_evidence,
    case_imports,
    cases,
    payment_files,
    payments,
    sealing,
    shelves,
    verifications,
)
from ledger.aid.eligibility import Rejection
from ledger.aliases import Kind, draw
from ledger.errors import Tampered
from tests.attempts import catch
from tests.bookcheck import assert_it_holds, owning
from tests.office import BYN_LEAF, DECISION_DAY, Office, on_one_database
from tests.papers import a_list_row

pytestmark = on_one_database

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
RULED = case_imports.details_of(a_list_row())
POISON: list[tuple[str, Any]] = [
    ("details", {}),
    ("details", []),
    ("details", RULED | {"issued_on": "soon"}),
    ("details", RULED | {"issued_on": None}),
    ("details", RULED | {"issued_on": "9999-12-31"}),
    ("details", RULED | {"issued_on": "1955-12-31"}),
    ("details", RULED | {"issued_on": "2020-08-30"}),
    ("details", RULED | {"amount": "1.00"}),
    ("details", RULED | {"amount": 810}),
    ("details", RULED | {"kind": "anything"}),
    ("details", RULED | {"detained_days": 10**30}),
    ("details", RULED | {"court": "\x1b[2J"}),
    ("identity", {}),
    ("identity", "noise"),
    ("identity", {"name": "", "payee_account": ""}),
    ("identity", {"name": "\ud800", "payee_account": ""}),
]


def bring(office: Office, poison: Sequence[tuple[str, Any]]) -> list[str]:
    """Rows as Anna's client makes them, but for what the box of this field holds: their cases, in their order."""
    anna = office.desk("anna")
    rows = [a_list_row(line=line) for line, _ in enumerate(poison, start=2)]
    name = draw(Kind.KEY)
    request = catch(office, "POST", lambda: case_imports.import_rows(anna, rows, jurisdiction="by", list_name=name))
    sent = [json.loads(line) for line in request.content.splitlines()]
    for row, (field, content) in zip(sent, poison, strict=True):
        public = sealing.from_base64(row["shelf"]["public"])
        row["boxes"] = [
            shelves.seal_json(public, content, kind=box["kind"], alias=box["alias"], field=field)
            if box["field"] == field
            else box
            for box in row["boxes"]
        ]
    headers = {key: value for key, value in request.headers.items() if key != "content-length"}
    headers["idempotency-key"] = name
    body = b"\n".join(json.dumps(row).encode() for row in sent)
    assert office.send("POST", "/v1/case-imports", headers=headers, content=body).status_code == 201
    return [row["case"] for row in sent]


def test_no_poisoned_row_stops_the_others_and_each_is_rejected_as_illegible(furnished: Office) -> None:
    (good,) = furnished.take_in()
    poisoned = bring(furnished, POISON)
    anna = furnished.desk("anna")

    answers = verifications.verify_many(anna, [*poisoned, good])

    assert answers.pop(good) == "verified"
    assert {case: answers[case] for case in poisoned[5:8]} == dict.fromkeys(poisoned[5:8], "evidence_differs")
    assert {case: answers[case] for case in (*poisoned[:5], *poisoned[8:])} == dict.fromkeys(
        (*poisoned[:5], *poisoned[8:]), "cannot_open"
    )
    for case in (poisoned[0], poisoned[5]):
        with pytest.raises(Tampered):
            verifications.verify(anna, case)
        with pytest.raises(Tampered):
            verifications.reject(anna, case, because=Rejection.DUPLICATE)
        verifications.reject(anna, case, because=Rejection.ILLEGIBLE)
    assert [case["rejection"] for case in cases.listed(anna, state="rejected")] == ["illegible"] * 2
    assert_it_holds(furnished.engine)


def test_any_json_in_any_box_of_a_row_is_a_code_for_that_row(furnished: Office) -> None:
    (good,) = furnished.take_in()
    anna = furnished.desk("anna")
    changed = st.dictionaries(st.sampled_from(sorted(RULED)), ANY_JSON, min_size=1, max_size=3).map(RULED.__or__)
    poison = st.tuples(st.just("details"), ANY_JSON | changed) | st.tuples(st.just("identity"), ANY_JSON)

    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(poison, min_size=6, max_size=6))
    def look(chosen: list[tuple[str, Any]]) -> None:
        aliases = bring(furnished, chosen)
        found = dict(
            case_evidence.look_at_many(anna, [anna.api.get(f"/v1/cases/{one}") for one in aliases], reason="audit")
        )
        assert all(isinstance(one, case_evidence.Evidence | Tampered) for one in found.values())

    look()
    assert verifications.verify_many(anna, [good]) == {good: "verified"}


def test_a_payee_that_cannot_be_read_is_nobodys_and_another_can_be_asked_for(furnished: Office) -> None:
    alias = furnished.a_verified_case()
    furnished.set_clock(DECISION_DAY)
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    request = catch(furnished, "POST", lambda: payments.request(anna, alias, account=BYN_LEAF))
    body = json.loads(request.content)
    opened = case_evidence.open_case(anna, anna.api.get(f"/v1/cases/{alias}"), reason="payment")
    place = {"kind": "disbursement", "alias": body["alias"], "field": "payee"}
    body["payee_box"] = shelves.seal_json(opened.shelf_public, {"to": 7}, **place)
    asked = anna.api.post("/v1/disbursements", body, key="poison")

    with pytest.raises(case_evidence.EvidenceDiffers):
        payments.approve(boris, asked)
    payments.cancel(anna, asked)

    again = payments.request(anna, alias, account=BYN_LEAF)
    payments.approve(boris, again)
    assert furnished.payment(again["alias"])["state"] == "approved"


def test_a_case_whose_boxes_do_not_hold_is_left_out_of_a_batch_and_named(furnished: Office) -> None:
    good, bad = furnished.take_in(a_list_row(), a_list_row())
    anna = furnished.desk("anna")
    assert set(verifications.verify_many(anna, [good, bad]).values()) == {"verified"}
    candidates = list(batches.candidates(anna))
    for one in candidates:
        if one["case"]["alias"] == bad:
            one["case"]["rulings"][0]["article"] = "24.23"  # as a server that lies would have it

    made = batches.create(anna, candidates, account=BYN_LEAF)

    assert made["left_out"] == {bad: "evidence_differs"}
    assert [line["case"]["alias"] for line in batches.find(anna, made["alias"])["lines"]] == [good]
    with furnished.nothing_written_but("access"), pytest.raises(case_evidence.EvidenceDiffers) as refused:
        batches.create(anna, [one for one in candidates if one["case"]["alias"] == bad], account=BYN_LEAF)
    assert refused.value.data["case"] == bad


def test_a_payment_whose_payee_does_not_hold_is_left_out_of_a_file_and_named(furnished: Office) -> None:
    good, bad = furnished.a_released_payment(), furnished.a_released_payment()
    anna = furnished.desk("anna")
    alter = "UPDATE disbursement SET payee = 'beneficiary' WHERE alias = :bad"
    with owning(furnished.engine) as connection:
        connection.execute(text(alter), {"bad": bad["alias"]})

    collected = payment_files.collect(anna, account=BYN_LEAF)

    assert collected.left_out == {bad["alias"]: "evidence_differs"}
    assert [order.reference for order in collected.orders] == [good["reference"]]
    with pytest.raises(case_evidence.EvidenceDiffers) as refused:
        payment_files.collect(anna, account=BYN_LEAF, only=[bad["alias"]])
    assert refused.value.data["disbursement"] == bad["alias"]
