from typing import Any

import pytest

from api.client import periods
from api.client.http import ApiRefusal
from ledger.approvals import Verb
from tests.office import BANK_DAY, INTAKE_DAY, RELEASE_DAY, Office


def close(
    office: Office, month: str, *, by: str = "anna", signed: str | None = None, verb: Verb = "close_period"
) -> Any:
    agreed = office.desk(by).agree(verb, signed or month, version=1)
    return office.post(f"/v1/periods/{month}/close", {"agreed": agreed}, by=by)


def test_a_month_is_closed_by_the_treasurers_signature(furnished: Office) -> None:
    closed = periods.close(furnished.desk("anna"), "2020-09")

    assert (closed["state"], closed["closed_by"]) == ("closed", furnished.alias("anna"))
    assert [(one["month"], one["state"]) for one in periods.listed(furnished.desk("clara"))] == [
        ("2020-09", "closed"),
        ("2020-10", "open"),
    ]


def test_closing_again_gets_the_same_answer_and_another_device_is_refused(furnished: Office) -> None:
    anna = furnished.desk("anna")

    assert periods.close(anna, "2020-09") == periods.close(anna, "2020-09")
    with furnished.nothing_written():
        assert close(furnished, "2020-09").json()["type"].endswith(":already_closed")


@pytest.mark.parametrize(
    ("month", "status", "rule"),
    [
        ("2020-10", 409, "month_not_over"),
        ("2020-08", 409, "month_out_of_order"),
        ("2020-13", 422, "bad_month"),
        ("2020-9", 422, "bad_input"),
    ],
)
def test_a_month_that_cannot_be_closed_is_refused(furnished: Office, month: str, status: int, rule: str) -> None:
    with furnished.nothing_written():
        answer = close(furnished, month)

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, rule)


def test_another_act_closes_no_month(furnished: Office) -> None:
    with furnished.nothing_written():
        answers = [close(furnished, "2020-09", signed="2020-10"), close(furnished, "2020-09", verb="create_key")]

    assert [(answer.status_code, answer.json()["type"].rpartition(":")[2]) for answer in answers] == [
        (409, "act_differs")
    ] * 2


def test_a_bank_line_of_a_closed_month_is_booked_in_the_next(furnished: Office) -> None:
    released = furnished.a_released_payment()
    furnished.set_clock(BANK_DAY)
    for month in ("2020-09", "2020-10"):
        periods.close(furnished.desk("anna"), month)

    (answer,) = furnished.confirm(released)

    paid = furnished.payment(released["alias"])
    api = furnished.desk("clara").api
    on = {
        day: api.get("/v1/balances", account="1000", currency="BYN", on=day)["balance"]["amount"]
        for day in ("2020-10-31", "2020-11-01")
    }
    assert answer["booked"] == 1
    assert (paid["state"], paid["paid_on"][:7]) == ("paid", "2020-10")
    assert on == {"2020-10-31": "5000.00", "2020-11-01": "4190.00"}


def test_a_month_ends_by_the_clock_of_the_book(furnished: Office) -> None:
    furnished.set_clock(RELEASE_DAY)
    with pytest.raises(ApiRefusal) as refusal:
        periods.close(furnished.desk("anna"), "2020-10")

    assert refusal.value.rule == "month_not_over"
    furnished.set_clock(INTAKE_DAY)
    assert periods.close(furnished.desk("anna"), "2020-09")["state"] == "closed"
