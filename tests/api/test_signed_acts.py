"""Attack 32: acts that are forged, replayed, stale, or about something else than what would be done."""

import json
from datetime import timedelta
from typing import Any

from api.client import case_evidence, verifications
from ledger.approvals import ACT_DOMAIN, Act
from ledger.money import Money
from ledger.people import Role
from tests.attempts import act_on, approve, catch, told
from tests.cast import byn
from tests.office import (
    Office,
    make_key,
    on_one_database,
)


@on_one_database
def test_an_act_that_is_not_signed_by_the_caller_is_refused(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    boris, dora = furnished.desk("boris"), furnished.desk("dora")
    for desk in (boris, dora):
        case_evidence.check_evidence(desk, desk.api.get(f"/v1/cases/{requested['case']}"), reason="approval")
    own = act_on(boris, "approve_disbursement", requested)
    forged = own | {"signature": dora.sign(ACT_DOMAIN + Act.model_validate(own["act"]).canonical())}
    elsewhere = own | {"signature": boris.sign(Act.model_validate(own["act"]).canonical())}
    lies = {
        "another's signature": forged,
        "another's act": act_on(dora, "approve_disbursement", requested),
        "a signature of something else": elsewhere,
        "no signature": own | {"signature": "0" * 128},
    }

    with furnished.nothing_written():
        answers = {name: approve(furnished, "boris", requested, lie) for name, lie in lies.items()}
        missing = approve(furnished, "boris", requested, {"act": own["act"]})
        empty = approve(furnished, "boris", requested, own | {"signature": ""})

    assert {name: told(answer) for name, answer in answers.items()} == dict.fromkeys(lies, (403, "bad_signature"))
    assert (told(missing), told(empty)) == ((422, "bad_input"), (422, "bad_input"))


@on_one_database
def test_an_act_that_restates_something_else_is_refused_field_by_field(furnished: Office) -> None:
    requested, other = furnished.a_requested_payment(), furnished.a_requested_payment()
    boris = furnished.desk("boris")
    for one in (requested, other):
        case_evidence.check_evidence(boris, boris.api.get(f"/v1/cases/{one['case']}"), reason="approval")
    lies: dict[str, dict[str, Any]] = {
        "version": {"version": requested["version"] + 1},
        "amount": {"amount": byn("810.01")},
        "currency": {"amount": Money.parse("810.00", "EUR")},
        "payee_commitment": {"payee_commitment": other["payee_commitment"]},
        "evidence_commitments": {"evidence": []},
        "act": {"detail": "beneficiary"},
    }

    with furnished.nothing_written():
        answers = {
            field: approve(furnished, "boris", requested, act_on(boris, "approve_disbursement", requested, **lie))
            for field, lie in lies.items()
        }
        answers["object"] = approve(furnished, "boris", requested, act_on(boris, "approve_disbursement", other))
        answers["act"] = approve(furnished, "boris", requested, act_on(boris, "release_disbursement", requested))

    # The two payments' versions, amounts and kinds are alike: `object` is the first field in which the acts differ.
    assert {field: answer.json()["field"] for field, answer in answers.items()} == {field: field for field in answers}
    assert {told(answer) for answer in answers.values()} == {(409, "act_differs")}


@on_one_database
def test_an_act_signed_long_ago_or_in_the_future_is_refused(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    boris = furnished.desk("boris")
    case_evidence.check_evidence(boris, boris.api.get(f"/v1/cases/{requested['case']}"), reason="approval")
    today = furnished.now()
    acts = []
    for moment in (today - timedelta(hours=24, minutes=1), today + timedelta(minutes=6)):
        furnished.set_clock(moment)
        acts.append(act_on(boris, "approve_disbursement", requested))
    furnished.set_clock(today)

    with furnished.nothing_written():
        answers = [approve(furnished, "boris", requested, act) for act in acts]

    assert [told(answer) for answer in answers] == [(409, "act_expired")] * 2


def test_an_act_is_handed_in_once(furnished: Office) -> None:
    clara = furnished.desk("clara")
    request = catch(furnished, "POST", lambda: make_key(clara, furnished.alias("boris"), [Role.APPROVER]))
    body = json.loads(request.content)
    assert furnished.post("/v1/keys", body, by="clara").status_code == 201

    with furnished.nothing_written():
        again = furnished.post("/v1/keys", body, by="clara")

    assert told(again) == (409, "nonce_used")


def test_an_act_that_makes_a_key_commits_to_its_operator_roles_day_and_hash(furnished: Office) -> None:
    """Whoever has the administrator's bearer key alone, or stands in between, makes no other key of the act."""
    clara = furnished.desk("clara")
    request = catch(furnished, "POST", lambda: make_key(clara, furnished.alias("anna"), [Role.INTAKE]))
    body = json.loads(request.content)
    lies = {
        "operator": furnished.alias("dora"),
        "roles": ["treasurer"],
        "digest": "0" * 64,
        "expires_on": "2025-12-30",
    }

    with furnished.nothing_written():
        answers = [furnished.post("/v1/keys", body | {field: lie}, by="clara") for field, lie in lies.items()]
        more = furnished.post("/v1/keys", body | {"roles": ["intake", "treasurer"]}, by="clara")

    assert {told(answer) for answer in (*answers, more)} == {(409, "act_differs")}
    assert {answer.json()["field"] for answer in (*answers, more)} == {"evidence_commitments"}
    assert furnished.post("/v1/keys", body, by="clara").status_code == 201


def test_an_approval_that_was_given_already_does_nothing_again(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    boris, dora = furnished.desk("boris"), furnished.desk("dora")
    for desk in (boris, dora):
        case_evidence.check_evidence(desk, desk.api.get(f"/v1/cases/{requested['case']}"), reason="approval")
    first, second = (act_on(desk, "approve_disbursement", requested) for desk in (boris, dora))
    assert approve(furnished, "boris", requested, first).status_code == 201

    with furnished.nothing_written():
        replayed = approve(furnished, "boris", requested, first)
        stale = approve(furnished, "dora", requested, second)

    assert {told(replayed), told(stale)} == {(409, "act_differs")}
    assert (replayed.json()["field"], stale.json()["field"]) == ("version", "version")


@on_one_database
def test_a_rejection_of_a_case_that_has_changed_since_is_refused(furnished: Office) -> None:
    (alias,) = furnished.take_in()
    dora = furnished.desk("dora")
    seen = dora.api.get(f"/v1/cases/{alias}")
    stale = dora.agree(
        "reject_case",
        alias,
        version=seen["version"],
        detail="illegible",
        amount=byn("810.00"),
        evidence=seen["evidence_commitments"],
    )
    verifications.verify(furnished.desk("anna"), alias)

    with furnished.nothing_written():
        answer = furnished.post(f"/v1/cases/{alias}/reject", {"agreed": stale, "because": "illegible"}, by="dora")

    assert (told(answer), answer.json()["field"]) == ((409, "act_differs"), "version")
