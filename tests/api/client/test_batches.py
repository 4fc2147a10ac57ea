"""Batches on the operator's device: every payee opened before one signature, exact days kept at home."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api.client import batches, quashing, results
from api.client.case_evidence import EvidenceDiffers
from api.client.http import ApiRefusal
from api.client.results import BadResults
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.storage.engine import transaction
from tests.agency import (
    PAID_ON,
    RESULTS_DAY,
    WEEK_END,
    a_draft,
    a_released_batch,
    an_active_agent,
    an_approved_batch,
    bank_line,
    codes_of,
    enter,
    failed,
    noon,
    results_file,
    verified,
    verified_cases,
    without_receipt,
)
from tests.attempts import LOOKED, catch, refused, told
from tests.bookcheck import owning
from tests.cast import byn
from tests.office import BYN_LEAF, DECISION_DAY, EUR_LEAF, Office, on_one_database
from tests.papers import a_list_row


@contextmanager
def nobody_signs(office: Office, refusal: type[LedgerError]) -> Iterator[None]:
    signed = office.rows()["signed_act"]
    with pytest.raises(refusal):
        yield
    assert office.rows()["signed_act"] == signed


def alter(office: Office, statement: str, **values: Any) -> None:
    with transaction(office.engine) as session:
        session.execute(text(statement), values)


def alter_article(office: Office, case: str, article: str) -> None:
    """As who owns the database does it, and the boxes cannot tell."""
    with owning(office.engine) as connection:
        connection.execute(
            text("UPDATE ruling SET article = :article WHERE case_alias = :case"), {"article": article, "case": case}
        )


def two_cases(office: Office) -> list[str]:
    return verified_cases(office, *(a_list_row(line=line) for line in (2, 3)))


def test_a_batch_is_agreed_to_by_one_signature_and_paid_line_by_line_by_the_bank(furnished: Office) -> None:
    two_cases(furnished)

    batch = a_released_batch(furnished)

    assert (batch["state"], batch["amount"]["amount"], len(batch["lines"])) == ("released", "1620.00", 2)
    furnished.set_clock(noon(date(2020, 10, 9)))
    for line, day in zip(batch["lines"], (date(2020, 10, 8), date(2020, 10, 9)), strict=True):
        bank_line(furnished, byn("-810.00"), reference=line["reference"], leaf=BYN_LEAF, on=day)
    assert batches.find(furnished.desk("anna"), batch["alias"])["state"] == "reconciled"
    assert furnished.balance(BYN_LEAF) == byn("3380.00")
    assert furnished.desk("anna").api.get("/v1/exceptions")["exceptions"] == []


@on_one_database
def test_a_batch_takes_the_next_deadlines_of_what_its_leaf_can_pay_or_says_why_it_takes_nothing(
    furnished: Office,
) -> None:
    days = (date(2020, 8, 31), date(2020, 8, 10), date(2020, 9, 14))
    found = {day: verified_cases(furnished, a_list_row(issued_on=day))[0] for day in days}
    anna = furnished.desk("anna")

    chosen = batches.choose(anna, account=BYN_LEAF, most=2)

    assert [one["case"]["alias"] for one in chosen] == [found[day] for day in sorted(days)[:2]]
    with pytest.raises(batches.NothingToPay) as refused:
        batches.choose(anna, account=EUR_LEAF)
    assert refused.value.data["currency"] == "EUR"
    with pytest.raises(batches.NothingToPay):
        batches.choose(anna, account=BYN_LEAF, kind="detention")
    with owning(furnished.engine) as connection:
        other = "UPDATE obligation SET currency = 'EUR' WHERE case_alias = :case"
        connection.execute(text(other), {"case": found[days[1]]})
    with pytest.raises(batches.SeveralCurrencies) as several:
        batches.choose(anna, account="1200:A-0000-0000-0000")
    assert several.value.data["currencies"] == "BYN, EUR"


ALTERED = {
    "a payee of another line": "UPDATE disbursement SET payee_commitment = :other WHERE alias = :line",
    "a fund": "UPDATE disbursement SET fund_code = 'general' WHERE alias = :line",
    "an amount": "UPDATE disbursement SET minor = minor - 1 WHERE alias = :line",
    "who is paid": "UPDATE disbursement SET payee = 'beneficiary' WHERE alias = :line",
    "the digest": "UPDATE batch SET digest = :other",
    "the sum": "UPDATE batch SET minor = minor + 1",
    "the leaf": "UPDATE batch SET account_code = '1000:eur-main'",
}


@pytest.mark.parametrize("what", ALTERED)
@on_one_database
def test_nobody_signs_lines_that_are_not_what_was_locked(furnished: Office, what: str) -> None:
    two_cases(furnished)
    furnished.set_clock(DECISION_DAY)
    draft = a_draft(furnished)
    batches.lock(furnished.desk("anna"), draft["alias"])
    first, second = batches.find(furnished.desk("anna"), draft["alias"])["lines"]
    facts = {"line": first["disbursement"], "other": second["payee_commitment"]}
    alter(furnished, ALTERED[what], **{name: said for name, said in facts.items() if f":{name}" in ALTERED[what]})

    with nobody_signs(furnished, EvidenceDiffers):
        batches.approve(furnished.desk("boris"), draft["alias"])


@on_one_database
def test_nobody_releases_lines_that_are_not_what_was_approved(furnished: Office) -> None:
    two_cases(furnished)
    approved = an_approved_batch(furnished)
    alter(furnished, "UPDATE batch SET agent_alias = :agent", agent=an_active_agent(furnished)["alias"])

    with nobody_signs(furnished, EvidenceDiffers):
        batches.release(furnished.desk("anna"), approved["alias"])


def test_an_approval_by_who_asked_or_of_a_draft_is_refused_and_nothing_is_kept(furnished: Office) -> None:
    two_cases(furnished)
    furnished.set_clock(DECISION_DAY)
    draft = batches.create(furnished.desk("dora"), list(batches.candidates(furnished.desk("dora"))), account=BYN_LEAF)
    before = furnished.rows()["signed_act"]

    with pytest.raises(EvidenceDiffers):
        batches.approve(furnished.desk("boris"), draft["alias"])
    batches.lock(furnished.desk("dora"), draft["alias"])
    answer = furnished.http.send(
        catch(furnished, "POST", lambda: batches.approve(furnished.desk("dora"), draft["alias"]))
    )

    assert told(answer) == (403, "same_person")
    assert furnished.rows()["signed_act"] == before


def test_the_agents_list_has_the_codes_and_is_never_sent(furnished: Office) -> None:
    row = a_list_row(name="Invented Ольга")
    verified_cases(furnished, row)
    batch = a_released_batch(furnished, an_active_agent(furnished))

    with furnished.nothing_written_but(*LOOKED):
        (line,) = batches.agents_list(furnished.desk("anna"), batch["alias"]).rows

    assert (line["code"], line["name"], line["amount"]) == (codes_of(batch)[0], "Invented Ольга", "810.00")
    assert (line["court"], line["account"]) == (row.court, row.payee_account)


# --- results


@on_one_database
def test_one_case_whose_boxes_do_not_hold_stops_neither_the_list_nor_the_results_of_the_others(
    furnished: Office,
) -> None:
    two_cases(furnished)
    batch = a_released_batch(furnished, an_active_agent(furnished))
    bad, good = codes_of(batch)
    anna, case = furnished.desk("anna"), batch["lines"][0]["case"]
    alter_article(furnished, case["alias"], "24.23")

    listed = batches.agents_list(anna, batch["alias"])
    entered = enter(furnished, batch, verified(bad), verified(good))

    assert ([row["code"] for row in listed.rows], listed.left_out) == ([good], {bad: "evidence_differs"})
    assert (entered["state"], entered["left_out"]) == ("released", {bad: "evidence_differs"})
    alter_article(furnished, batch["lines"][1]["case"]["alias"], "24.23")
    with furnished.nothing_written_but(*LOOKED):  # when none holds
        with pytest.raises(EvidenceDiffers):
            batches.agents_list(anna, batch["alias"])
        with pytest.raises(EvidenceDiffers):
            enter(furnished, batch, verified(bad), verified(good))
    for line in batch["lines"]:
        alter_article(furnished, line["case"]["alias"], case["rulings"][0]["article"])
    assert enter(furnished, batch, verified(bad), verified(good))["state"] == "reconciled"


def test_results_are_entered_once_and_the_exact_days_stay_here(furnished: Office) -> None:
    two_cases(furnished)
    batch = a_released_batch(furnished, an_active_agent(furnished))
    first, second = codes_of(batch)
    furnished.set_clock(RESULTS_DAY)
    rows = results.read(results_file(verified(first), without_receipt(second, "missing")))

    request = catch(furnished, "POST", lambda: batches.enter_results(furnished.desk("anna"), batch["alias"], rows))
    enter(furnished, batch, verified(first), without_receipt(second, "missing"))
    with furnished.nothing_written_but(*LOOKED):
        enter(furnished, batch, verified(first), without_receipt(second, "missing"))

    assert PAID_ON.isoformat() not in request.content.decode()
    assert WEEK_END.isoformat() in request.content.decode()
    assert furnished.balance("2150") == byn("-810.00")


@on_one_database
def test_the_key_of_a_request_tells_no_exact_day(furnished: Office) -> None:
    verified_cases(furnished)
    batch = a_released_batch(furnished, an_active_agent(furnished))
    (code,) = codes_of(batch)
    furnished.set_clock(RESULTS_DAY)

    def key_for(paid_on: str) -> str:
        rows = results.read(results_file((code, "paid", "missing", "", paid_on)))
        sent = catch(furnished, "POST", lambda: batches.enter_results(furnished.new_desk("anna"), batch["alias"], rows))
        return sent.headers["Idempotency-Key"]

    assert key_for("2020-10-06") == key_for("2020-10-08")
    assert key_for("2020-10-04") != key_for("2020-10-08")


def test_a_better_receipt_is_sealed_beside_the_one_that_was_rejected(furnished: Office) -> None:
    verified_cases(furnished)
    batch = a_released_batch(furnished, an_active_agent(furnished))
    (code,) = codes_of(batch)
    furnished.set_clock(RESULTS_DAY)
    anna = furnished.desk("anna")

    for row, receipt in ((without_receipt(code, "rejected"), b"A blurred photograph"), (verified(code), b"A scan")):
        batches.enter_results(anna, batch["alias"], results.read(results_file(row)), receipts={code: receipt})

    assert batches.find(anna, batch["alias"])["state"] == "reconciled"
    kept = [row for row in furnished.rows()["box"] if "receipt" in row]
    assert len(kept) == 2


@on_one_database
def test_results_that_cannot_be_are_refused_here_and_nothing_is_sent(furnished: Office) -> None:
    verified_cases(furnished, a_list_row(issued_on=date(2020, 9, 20)))
    batch = a_released_batch(furnished, an_active_agent(furnished))
    (code,) = codes_of(batch)

    with furnished.nothing_written_but(*LOOKED), pytest.raises(BadResults):
        enter(furnished, batch, verified("ZZZZZZ"))
    furnished.set_clock(RESULTS_DAY)
    tomorrow = RESULTS_DAY.date() + timedelta(days=21)
    wished = (code, "paid", "missing", "", tomorrow.isoformat())
    with furnished.nothing_written_but(*LOOKED), pytest.raises(ApiRefusal) as refusal:
        enter(furnished, batch, wished)
    assert (refusal.value.rule, refusal.value.data["line"], refusal.value.data["code"]) == ("bad_result", 2, code)


@on_one_database
@pytest.mark.parametrize(
    ("paid_on", "difference"),
    [("2020-09-29", "paid_before_force"), ("2020-10-05", "paid_before_release"), ("2020-10-06", None)],
)
def test_what_was_paid_too_early_is_told_by_the_device_that_knows_the_day_and_stops_nothing(
    furnished: Office, paid_on: str, difference: str | None
) -> None:
    """Released on Tuesday 6 October: Monday lies in the same week, which is all that the server is told."""
    verified_cases(furnished, a_list_row(issued_on=date(2020, 9, 20)))
    batch = a_released_batch(furnished, an_active_agent(furnished))
    (code,) = codes_of(batch)

    furnished.set_clock(RESULTS_DAY)
    enter(furnished, batch, (code, "paid", "verified", "2020-10-10", paid_on))

    found = [one["difference"] for one in furnished.desk("anna").api.get("/v1/exceptions")["exceptions"]]
    assert [one for one in found if one.startswith("paid_before")] == ([difference] if difference else [])
    assert batches.find(furnished.desk("anna"), batch["alias"])["state"] == "reconciled"


def test_a_code_of_another_batch_is_refused_by_the_server_too(furnished: Office) -> None:
    agent = an_active_agent(furnished)
    verified_cases(furnished)
    first = a_released_batch(furnished, agent)
    verified_cases(furnished)
    second = a_released_batch(furnished, agent)
    (mine,), (theirs,) = codes_of(first), codes_of(second)
    body = {"results": [{"code": theirs, "outcome": "failed", "receipt": "missing"}]}

    with refused(furnished, "unknown_code", status=404):
        furnished.desk("anna").api.post(f"/v1/batches/{first['alias']}/results", body, key="crooked")
    assert mine != theirs


def test_a_failed_line_waits_to_be_asked_for_again(furnished: Office) -> None:
    verified_cases(furnished)
    agent = an_active_agent(furnished)
    batch = a_released_batch(furnished, agent)
    enter(furnished, batch, failed(codes_of(batch)[0]))

    again = a_released_batch(furnished, agent)

    assert again["lines"][0]["obligation"] == batch["lines"][0]["obligation"]
    assert codes_of(again) != codes_of(batch)


# --- quashed


def test_a_quashed_fine_that_was_paid_is_refunded_under_its_own_reference(furnished: Office) -> None:
    released = furnished.a_released_payment()
    furnished.confirm(released)

    answer = quashing.quash(furnished.desk("anna"), released["case"])

    assert set(answer["obligations"].values()) == {"refund_due"}
    (refund,) = quashing.refunds(furnished.desk("anna"))
    assert (refund["amount"]["amount"], refund["received_on"]) == ("810.00", None)
    bank_line(furnished, byn("810.00"), reference=refund["reference"], leaf=BYN_LEAF, on=date(2020, 11, 1))
    (refund,) = quashing.refunds(furnished.desk("anna"))
    assert refund["received_on"] == "2020-11-01"
    assert furnished.balance(BYN_LEAF) == byn("5000.00")


def test_an_authority_that_pays_back_too_much_leaves_a_difference_and_no_entry(furnished: Office) -> None:
    released = furnished.a_released_payment()
    furnished.confirm(released)
    quashing.quash(furnished.desk("anna"), released["case"])
    (refund,) = quashing.refunds(furnished.desk("anna"))
    entries = furnished.rows()["entry"]

    bank_line(furnished, byn("810.01"), reference=refund["reference"], leaf=BYN_LEAF, on=date(2020, 11, 1))

    assert furnished.rows()["entry"] == entries
    assert [one["difference"] for one in furnished.desk("anna").api.get("/v1/exceptions")["exceptions"]] == [
        "amount_differs"
    ]


def test_a_ruling_of_nobody_is_not_quashed(furnished: Office) -> None:
    (case,) = two_cases(furnished)[:1]
    anna = furnished.desk("anna")
    request = catch(furnished, "POST", lambda: quashing.quash(anna, case))
    elsewhere = f"/v1/rulings/{draw(Kind.RULING)}/quash"
    agreed = anna.agree("quash_ruling", elsewhere.split("/")[3], version=1, amount=byn("810.00"), evidence=[])

    with refused(furnished, "unknown_ruling", status=404):
        anna.api.post(elsewhere, {"agreed": agreed}, key="crooked")
    assert request.url.path.endswith("/quash")
