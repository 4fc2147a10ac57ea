"""From a gift to a fine that the bank confirms, through the client; no step can be skipped or taken alone."""

from datetime import date

import pytest

from api.client import case_imports, cases, payments, verifications
from api.client.http import ApiRefusal
from ledger.aid import assessments, jurisdictions
from ledger.people import Role
from tests.attempts import LOOKED, act_on, approve, refused, told
from tests.cast import byn
from tests.office import (
    BYN_LEAF,
    DECISION_DAY,
    RELEASE_DAY,
    Office,
    on_one_database,
)
from tests.papers import a_list_row


def test_money_goes_from_a_gift_to_a_fine_that_the_bank_confirms_and_books_agree(furnished: Office) -> None:
    released = furnished.a_released_payment()
    assert furnished.balance("2100") == byn("-810.00")

    (answer,) = furnished.confirm(released)

    assert (answer["fresh"], answer["booked"]) == (1, 1)
    assert (furnished.balance(BYN_LEAF), furnished.balance("2100"), furnished.balance("5000")) == (
        byn("4190.00"),
        byn("0.00"),
        byn("810.00"),
    )
    anna, clara = furnished.desk("anna"), furnished.desk("clara")
    paid = furnished.payment(released["alias"])
    assert (paid["state"], paid["paid_on"]) == ("paid", "2020-10-08")
    assert anna.api.get(f"/v1/cases/{paid['case']}")["state"] == "paid"
    (agreement,) = clara.api.get("/v1/reconciliations")["reconciliations"]
    assert (agreement["per_bank"], agreement["difference"]["amount"]) == (agreement["per_books"], "0.00")
    assert clara.api.get("/v1/exceptions")["exceptions"] == []


@on_one_database
def test_everybody_who_acted_is_shown_with_their_signatures(furnished: Office) -> None:
    paid = furnished.a_released_payment()

    auditor = furnished.desk("clara").api
    chain = [one for of in (paid["case"], paid["alias"]) for one in auditor.get("/v1/approvals", of=of)["approvals"]]

    anna, boris = furnished.alias("anna"), furnished.alias("boris")
    assert [(one["verb"], one["signer"]) for one in chain] == [
        ("verify_case", anna),
        ("approve_disbursement", boris),
        ("release_disbursement", anna),
    ]
    assert {access["operator"] for access in auditor.get("/v1/access-log")["accesses"]} == {anna, boris}


# --- nobody skips a step


def test_a_release_before_the_beneficiary_was_told_is_refused(furnished: Office) -> None:
    approved = furnished.an_approved_payment()
    furnished.set_clock(RELEASE_DAY)

    with refused(furnished, "obligation_not_ready", status=409):
        payments.release(furnished.desk("anna"), approved)


@on_one_database
def test_a_release_before_the_ruling_is_in_force_is_refused(furnished: Office) -> None:
    """Ruled on 30 September, in force ten days later: the week of 10 October is not over on the 6th."""
    told_payment = furnished.a_told_payment(a_list_row(issued_on=date(2020, 9, 30)))

    with refused(furnished, "not_eligible", status=409):
        payments.release(furnished.desk("anna"), told_payment)


@on_one_database
def test_a_release_without_an_approval_is_refused(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    furnished.set_clock(RELEASE_DAY)

    with refused(furnished, "disbursement_not_ready", status=409):
        payments.release(furnished.desk("anna"), requested)


@on_one_database
def test_telling_before_the_approval_is_refused(furnished: Office) -> None:
    requested = furnished.a_requested_payment()

    with refused(furnished, "obligation_not_ready", status=409):
        cases.tell(furnished.desk("anna"), requested["case"], told_on=DECISION_DAY.date())


@on_one_database
def test_a_payment_for_a_case_that_nobody_verified_is_refused(furnished: Office) -> None:
    (alias,) = furnished.take_in()

    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as refusal:
        payments.request(furnished.desk("anna"), alias, account=BYN_LEAF)

    assert refusal.value.rule == "disbursement_not_ready"


def test_an_approval_of_evidence_that_was_not_opened_is_refused(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    boris = furnished.desk("boris")
    unseen = act_on(boris, "approve_disbursement", requested)

    with furnished.nothing_written():
        answer = approve(furnished, "boris", requested, unseen)

    assert told(answer) == (409, "evidence_not_opened")


@on_one_database
def test_a_verification_of_a_case_that_was_not_opened_is_refused(furnished: Office) -> None:
    (alias,) = furnished.take_in()
    anna = furnished.desk("anna")
    case = anna.api.get(f"/v1/cases/{alias}")
    agreed = anna.agree("verify_case", alias, version=1, amount=byn("810.00"), evidence=case["evidence_commitments"])
    answered = assessments.assess(jurisdictions.load("by"), alias, {}, on=anna.now().date(), sealed="0" * 64)
    box = {"kind": "case", "alias": alias, "field": "assessment", "version": 1, "bytes": "", "commitment": "0" * 64}
    body = {"agreed": agreed, "assessed": answered.model_dump(mode="json"), "box": box}

    with furnished.nothing_written():
        answer = furnished.post(f"/v1/cases/{alias}/verify", body, by="anna")

    assert told(answer) == (409, "evidence_not_opened")


def test_more_than_the_fund_has_is_not_approved_and_more_than_it_has_left_neither(furnished: Office) -> None:
    large = furnished.a_requested_payment(a_list_row(amount=byn("5000.01")))
    first = furnished.a_requested_payment(a_list_row(amount=byn("3000.00")))
    second = furnished.a_requested_payment(a_list_row(amount=byn("2000.01")))
    boris = furnished.desk("boris")

    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as refusal:
        payments.approve(boris, large)
    payments.approve(boris, first)
    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as again:
        payments.approve(boris, second)

    assert (refusal.value.rule, refusal.value.data["free_minor"]) == ("would_overdraw", 500_000)
    assert (again.value.rule, again.value.data["free_minor"]) == ("would_overdraw", 200_000)


def test_an_obligation_is_asked_for_once(furnished: Office) -> None:
    requested = furnished.a_requested_payment()

    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as refusal:
        payments.request(furnished.new_desk("anna"), requested["case"], account=BYN_LEAF)

    assert refusal.value.rule == "already_requested"


# --- four eyes are two people


def test_who_asked_does_not_approve_and_who_approved_does_not_release(furnished: Office) -> None:
    asked = furnished.a_requested_payment(by="dora")
    other = furnished.a_requested_payment()
    dora = furnished.desk("dora")

    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as by_the_asker:
        payments.approve(dora, asked)
    payments.approve(dora, other)
    cases.tell(dora, other["case"], told_on=DECISION_DAY.date())
    furnished.set_clock(RELEASE_DAY)

    assert (by_the_asker.value.status, by_the_asker.value.rule) == (403, "same_person")
    with refused(furnished, "same_person", status=403):
        payments.release(dora, furnished.payment(other["alias"]))


@on_one_database
def test_a_second_key_of_the_same_person_is_no_second_person(furnished: Office) -> None:
    asked = furnished.a_requested_payment(by="dora")
    dora = furnished.desk("dora", role=Role.APPROVER)
    with pytest.raises(ApiRefusal) as refusal:
        payments.approve(furnished.desk("dora"), asked)

    agreed = act_on(furnished.desk("dora"), "approve_disbursement", asked)
    body = {"verb": "approve_disbursement", "object": asked["alias"], "agreed": agreed}
    with furnished.nothing_written():
        answer = furnished.post("/v1/approvals", body, by="dora", role=Role.APPROVER)

    assert dora.device is furnished.desk("dora").device
    assert (refusal.value.rule, told(answer)) == ("same_person", (403, "same_person"))


@on_one_database
def test_who_entered_a_case_does_not_approve_its_payment(furnished: Office) -> None:
    furnished.set_clock(DECISION_DAY)
    dora = furnished.desk("dora")
    case_imports.import_rows(dora, [a_list_row()], jurisdiction="by", list_name="Dora's list")
    (alias,) = [case["alias"] for case in cases.listed(dora, state="received")]
    verifications.verify(furnished.desk("anna"), alias)
    requested = payments.request(furnished.desk("anna"), alias, account=BYN_LEAF)

    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as refusal:
        payments.approve(dora, requested)

    assert (refusal.value.status, refusal.value.rule) == (403, "same_person")
