"""What the bank says, through the client: booked once, or shown as a difference with its amount."""

import json
from datetime import date

import pytest

from api.client import statements
from tests.attempts import catch
from tests.cast import byn
from tests.office import (
    BANK_DAY,
    BYN_LEAF,
    Office,
    on_one_database,
)
from tests.papers import BankLine, a_payment_line, october


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
    assert (answer["fresh"], answer["booked"]) == (3, 2)
    assert found == {"reversal": "20.00"}
    (returned,) = clara.get("/v1/disbursements", state="returned")["disbursements"]
    assert (returned["alias"], returned["returned_on"]) == (released["alias"], "2020-10-12")
    assert clara.get("/v1/donations")["donations"] == gifts


@on_one_database
def test_a_statement_that_does_not_add_up_or_follow_opens_an_exception_with_the_residual(furnished: Office) -> None:
    furnished.import_october(BankLine(byn("10.00"), date(2020, 10, 9)), opening="5000.50", closing="5010.00")

    found = furnished.desk("clara").api.get("/v1/exceptions")["exceptions"]
    assert {one["difference"]: one["amount"]["amount"] for one in found} == {
        "statement_does_not_follow": "0.50",
    }


@on_one_database
@pytest.mark.parametrize("query", [{"account": "1000:nowhere"}, {"account": "1000", "fund": "nowhere"}])
def test_what_is_not_in_the_books_has_no_balance_not_even_zero(furnished: Office, query: dict[str, str]) -> None:
    answer = furnished.send("GET", "/v1/balances", bearer=furnished.bearer("anna"), params={"currency": "BYN", **query})

    assert answer.status_code == 422
    assert "nowhere" not in answer.text
