"""From a gift to a publication through the client, and everything on the way that must be refused."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from api.client import cases, payments, publications, statements
from api.client.desk import Desk
from api.client.http import ApiRefusal
from ledger.aliases import Kind, draw
from ledger.approvals import ACT_DOMAIN, Act
from ledger.identities.boxes import PUBLIC_BYTES
from ledger.money import Money
from ledger.people import Role
from reports import gathering
from reports.transparency.blocks import Atom, Block
from tests.cast import byn
from tests.office import (
    BANK_DAY,
    BYN_LEAF,
    DECISION_DAY,
    RELEASE_DAY,
    Office,
    a_wrap,
    make_key,
    on_one_database,
    walk_the_path,
)
from tests.papers import BankLine, a_list_row, a_payment_line, october

LOOKED = ("access", "bearer_key")
"""What a look at evidence leaves behind: a line in the log, and the day the key was used."""
LEAD_IN = json.dumps({"name": "Invented Person", "payee_account": "INVENTED-TREASURY-01"}).encode()


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


# --- the whole path


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
def test_everybody_who_acted_is_shown_with_their_signatures(office: Office) -> None:
    walk_the_path(office)

    auditor = office.desk("clara").api
    (paid,) = auditor.get("/v1/disbursements", state="paid")["disbursements"]
    chain = [one for of in (paid["case"], paid["alias"]) for one in auditor.get("/v1/approvals", of=of)["approvals"]]

    anna, boris = office.alias("anna"), office.alias("boris")
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

    with furnished.nothing_written():
        answer = furnished.post(f"/v1/cases/{alias}/verify", {"agreed": agreed}, by="anna")

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
    cases.import_rows(dora, [a_list_row()], jurisdiction="by", list_name="Dora's list")
    (alias,) = [case["alias"] for case in cases.listed(dora, state="received")]
    cases.verify(furnished.desk("anna"), alias)
    requested = payments.request(furnished.desk("anna"), alias, account=BYN_LEAF)

    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as refusal:
        payments.approve(dora, requested)

    assert (refusal.value.status, refusal.value.rule) == (403, "same_person")


# --- signatures


@on_one_database
def test_an_act_that_is_not_signed_by_the_caller_is_refused(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    boris, dora = furnished.desk("boris"), furnished.desk("dora")
    for desk in (boris, dora):
        cases.check_evidence(desk, desk.api.get(f"/v1/cases/{requested['case']}"), reason="approval")
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
        cases.check_evidence(boris, boris.api.get(f"/v1/cases/{one['case']}"), reason="approval")
    lies: dict[str, dict[str, Any]] = {
        "version": {"version": requested["version"] + 1},
        "amount": {"amount": byn("810.01")},
        "currency": {"amount": Money.parse("810.00", "EUR")},
        "payee_commitment": {"payee_commitment": other["payee_commitment"]},
        "evidence_commitments": {"evidence": []},
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
    cases.check_evidence(boris, boris.api.get(f"/v1/cases/{requested['case']}"), reason="approval")
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


def test_an_approval_that_was_given_already_does_nothing_again(furnished: Office) -> None:
    requested = furnished.a_requested_payment()
    boris, dora = furnished.desk("boris"), furnished.desk("dora")
    for desk in (boris, dora):
        cases.check_evidence(desk, desk.api.get(f"/v1/cases/{requested['case']}"), reason="approval")
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
        "reject_case", alias, version=seen["version"], amount=byn("810.00"), evidence=seen["evidence_commitments"]
    )
    cases.verify(furnished.desk("anna"), alias)

    with furnished.nothing_written():
        answer = furnished.post(f"/v1/cases/{alias}/reject", {"agreed": stale, "because": "illegible"}, by="dora")

    assert (told(answer), answer.json()["field"]) == ((409, "act_differs"), "version")


# --- what should be sealed


def plain_texts(length: int) -> dict[str, bytes]:
    """Plain text as somebody may pass it off for sealed bytes of this length."""
    long = LEAD_IN.ljust(length, b" ")
    return {
        "as it is": LEAD_IN,
        "at the length": long[:length],
        "behind the version": b"\x01" + long[: length - 1],
        "padded with zeros": b"\x01" + LEAD_IN.ljust(length - 1, b"\0"),
        "in base64": base64.b64encode(long)[:length],
        "in UTF-16": b"\x01" + (long.decode().encode("utf-16-le"))[: length - 1],
        "nothing": b"",
    }


@on_one_database
def test_no_route_takes_plain_text_for_what_should_be_sealed(furnished: Office) -> None:
    anna = furnished.desk("anna")
    alias = furnished.a_verified_case()
    furnished.set_clock(BANK_DAY)
    requests = [
        catch(
            furnished,
            "POST",
            lambda: cases.import_rows(anna, [a_list_row()], jurisdiction="by", list_name="another list"),
        ),
        catch(furnished, "POST", lambda: payments.request(anna, alias, account=BYN_LEAF)),
        catch(
            furnished,
            "POST",
            lambda: statements.send(
                anna, october(BankLine(byn("1.00"), date(2020, 10, 2)), opening="5000.00"), account=BYN_LEAF
            ),
        ),
        catch(
            furnished,
            "PUT",
            lambda: furnished.desk("clara").api.put("/v1/vaults/people/wraps", a_wrap(furnished, member="clara")),
        ),
    ]
    tried = 0

    with furnished.nothing_written():
        for request in requests:
            for body in in_plain(json.loads(request.content)):
                bearer = furnished.bearer("dora" if request.method == "PUT" else "anna")
                kept = {"Content-Type": request.headers["Content-Type"]}
                answer = furnished.send(request.method, request.url.path, bearer=bearer, json=body, headers=kept)
                tried += 1

                assert (answer.status_code, told(answer)[1]) == (422, "not_a_sealed_box"), request.url.path

    assert tried == (4 + 1 + 3 + 1) * len(plain_texts(1))
    for request in requests:  # and the sealed ones are taken
        answer = furnished.send(
            request.method, request.url.path, headers=dict(request.headers), content=request.content
        )
        assert answer.status_code in {200, 201}


def in_plain(body: Any) -> Iterator[Any]:
    """The body with one of its sealed parts after the other in plain text."""
    if isinstance(body, list):
        for number, part in enumerate(body):
            yield from ([*body[:number], other, *body[number + 1 :]] for other in in_plain(part))
    if isinstance(body, dict):
        for name, part in body.items():
            if name in {"bytes", "public", "wrap"}:
                length = len(base64.b64decode(part))
                assert length == PUBLIC_BYTES or name != "public"
                for text in plain_texts(length).values():
                    yield body | {name: base64.b64encode(text).decode()}
            else:
                yield from (body | {name: other} for other in in_plain(part))


# --- the bank


def test_a_statement_sent_again_in_any_form_books_nothing_new(furnished: Office) -> None:
    released = furnished.a_released_payment()
    file = october(a_payment_line(released), opening="5000.00")
    furnished.set_clock(BANK_DAY)
    anna = furnished.desk("anna")
    request = catch(furnished, "POST", lambda: statements.send(anna, file, account=BYN_LEAF))
    (first,) = statements.send(anna, file, account=BYN_LEAF)
    entries = furnished.rows()["entry"]

    with furnished.nothing_written():
        (from_the_outbox,) = statements.send(anna, file, account=BYN_LEAF)
        same_key = furnished.send("POST", "/v1/statements", headers=dict(request.headers), content=request.content)
    with furnished.nothing_written_but("stored_answer"):
        other_key = furnished.post("/v1/statements", json.loads(request.content), by="anna")
        (resealed,) = statements.send(furnished.new_desk("anna"), file, account=BYN_LEAF)

    assert (first["fresh"], first["booked"]) == (1, 1)
    assert (from_the_outbox, same_key.json()) == (first, first)
    known = {"alias": first["alias"], "fresh": 0, "booked": 0}
    assert (other_key.json(), resealed) == (known, known)
    assert furnished.rows()["entry"] == entries


def test_a_longer_statement_of_the_same_days_books_only_what_is_new(furnished: Office) -> None:
    released = furnished.a_released_payment()
    furnished.import_october(a_payment_line(released), opening="5000.00")
    gift = BankLine(byn("5.00"), date(2020, 10, 9))

    (answer,) = furnished.import_october(a_payment_line(released), gift, opening="5000.00")

    assert (answer["fresh"], answer["booked"]) == (1, 1)
    assert furnished.balance(BYN_LEAF) == byn("4195.00")


def test_a_debit_that_nobody_released_opens_an_exception_and_shows_in_the_reconciliation(furnished: Office) -> None:
    (answer,) = furnished.import_october(BankLine(byn("-12.35"), date(2020, 10, 9)), opening="5000.00")

    clara = furnished.desk("clara").api
    (exception,) = clara.get("/v1/exceptions")["exceptions"]
    (agreement,) = clara.get("/v1/reconciliations")["reconciliations"]
    assert (answer["fresh"], answer["booked"]) == (1, 0)
    assert (exception["difference"], exception["amount"]["amount"]) == ("unmatched_debit", "-12.35")
    shown = {name: agreement[name]["amount"] for name in ("per_bank", "per_books", "not_booked", "difference")}
    assert shown == {"per_bank": "4987.65", "per_books": "5000.00", "not_booked": "-12.35", "difference": "0.00"}


@on_one_database
def test_a_payment_of_another_amount_than_was_released_is_not_booked(furnished: Office) -> None:
    released = furnished.a_released_payment()
    line = BankLine(byn("-810.01"), date(2020, 10, 8), reference=released["reference"])

    (answer,) = furnished.import_october(line, opening="5000.00")

    (exception,) = furnished.desk("clara").api.get("/v1/exceptions")["exceptions"]
    assert answer["booked"] == 0
    assert (exception["difference"], exception["amount"]["amount"]) == ("amount_differs", "-810.01")
    assert furnished.payment(released["alias"])["state"] == "released"


@on_one_database
def test_a_payment_that_left_before_its_release_is_not_booked(furnished: Office) -> None:
    approved = furnished.an_approved_payment()

    (answer,) = furnished.import_october(a_payment_line(approved), opening="5000.00")

    (exception,) = furnished.desk("clara").api.get("/v1/exceptions")["exceptions"]
    assert (answer["booked"], exception["difference"]) == (0, "not_released")


def test_what_comes_back_is_no_gift(furnished: Office) -> None:
    released = furnished.a_released_payment()
    back = BankLine(byn("810.00"), date(2020, 10, 12), reference=released["reference"])
    undone = BankLine(byn("20.00"), date(2020, 10, 13), reversal=True)
    gifts = furnished.desk("clara").api.get("/v1/donations")["donations"]

    (answer,) = furnished.import_october(a_payment_line(released), back, undone, opening="5000.00")

    clara = furnished.desk("clara").api
    found = {one["difference"]: one["amount"]["amount"] for one in clara.get("/v1/exceptions")["exceptions"]}
    assert (answer["fresh"], answer["booked"]) == (3, 1)
    assert found == {"payment_returned": "810.00", "reversal": "20.00"}
    assert clara.get("/v1/donations")["donations"] == gifts


@on_one_database
def test_a_statement_that_does_not_add_up_or_follow_opens_an_exception_with_the_residual(furnished: Office) -> None:
    furnished.import_october(BankLine(byn("10.00"), date(2020, 10, 9)), opening="5000.50", closing="5010.00")

    found = furnished.desk("clara").api.get("/v1/exceptions")["exceptions"]
    assert {one["difference"]: one["amount"]["amount"] for one in found} == {
        "statement_does_not_add_up": "-0.50",
        "statement_does_not_follow": "0.50",
    }


# --- publication


def test_one_fine_publishes_nothing_of_itself(furnished: Office) -> None:
    furnished.confirm(furnished.a_released_payment())
    clara, boris = furnished.desk("clara"), furnished.desk("boris")
    silent = clara.api.download("/")

    publications.draft(clara)
    (waiting,) = publications.listed(boris)["drafts"]
    publications.approve(boris, waiting)

    (published,) = publications.listed(boris)["publications"]
    block = gathering.read_publication(published["content"])
    assert (block.first_month, block.last_month, block.atoms) == ("2020-08", "2020-10", ())
    public = [silent, *(clara.api.download(path) for path in ("/", "/data/paid.csv", "/data/paid.json"))]
    assert not any(b"810" in text for text in public)


@on_one_database
def test_a_draft_is_for_publishers_and_its_drafter_does_not_approve_it(furnished: Office) -> None:
    furnished.set_clock(BANK_DAY)
    dora, boris = furnished.desk("dora"), furnished.desk("boris")
    request = catch(furnished, "POST", lambda: publications.draft(dora))
    with furnished.nothing_written():
        by_an_approver = furnished.post("/v1/publications", json.loads(request.content), by="boris")
    publications.draft(dora)
    (waiting,) = publications.listed(dora)["drafts"]

    with refused(furnished, "same_person", status=403):
        publications.approve(dora, waiting)

    assert told(by_an_approver) == (403, "not_allowed")
    assert publications.listed(boris)["publications"] == []


@on_one_database
def test_a_block_that_is_not_the_one_of_the_release_rule_is_refused(furnished: Office) -> None:
    furnished.confirm(furnished.a_released_payment())
    dora = furnished.desk("dora")
    number, block = publications.compute(dora)
    own = {name: getattr(block, name) for name in ("series", "first_month", "last_month", "currency")}
    others = {
        "with the fine": Block(**own, atoms=(Atom(("fine",), 1, 81_000),)),
        "of another quarter": Block(**(own | {"last_month": "2020-11"}), atoms=()),
        "of another currency": Block(**(own | {"currency": "EUR"}), atoms=()),
    }
    texts = {name: gathering.write_publication(other) for name, other in others.items()}
    texts["in another form"] = json.dumps(json.loads(gathering.write_publication(block)), indent=1)
    texts["no publication"] = "{}"

    with furnished.nothing_written():
        answers = {name: draft(furnished, dora, text, number=number) for name, text in texts.items()}

    assert {name: told(answer) for name, answer in answers.items()} == dict.fromkeys(texts, (422, "bad_publication"))
    assert draft(furnished, dora, gathering.write_publication(block), number=number).status_code == 201


def draft(office: Office, desk: Desk, content: str, *, number: int) -> httpx2.Response:
    """A draft of any text, signed as its publisher would."""
    alias = draw(Kind.PUBLICATION)
    agreed = desk.agree("draft_publication", alias, version=number, evidence=[sha256(content.encode()).hexdigest()])
    return office.post("/v1/publications", {"alias": alias, "content": content, "agreed": agreed}, by="dora")


@on_one_database
def test_a_quarter_that_is_not_over_is_not_published(furnished: Office) -> None:
    furnished.set_clock(RELEASE_DAY)
    dora = furnished.desk("dora")
    furnished.set_clock(BANK_DAY)
    request = catch(furnished, "POST", lambda: publications.draft(dora))
    furnished.set_clock(RELEASE_DAY)

    with furnished.nothing_written():
        answer = furnished.post("/v1/publications", json.loads(request.content), by="dora")

    assert told(answer) == (409, "still_open")


def test_a_draft_is_outdated_once_another_is_published(furnished: Office) -> None:
    furnished.set_clock(BANK_DAY)
    clara, dora, boris = (furnished.desk(name) for name in ("clara", "dora", "boris"))
    publications.draft(clara)
    publications.draft(dora)
    first, second = publications.listed(boris)["drafts"]
    publications.approve(boris, first)

    with refused(furnished, "draft_outdated", status=409):
        publications.approve(boris, second)
    assert publications.listed(boris)["drafts"] == []
