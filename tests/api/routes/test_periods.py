from typing import Any

import pytest

from api.client import periods, rates
from api.client.http import ApiRefusal
from ledger.approvals import Verb
from tests.office import BANK_DAY, INTAKE_DAY, RELEASE_DAY, Office


@pytest.fixture(autouse=True)
def rate(furnished: Office) -> None:
    """What a month's end is valued at."""
    rates.send(furnished.desk("anna"), b"currency,on,rate,source\nBYN,2020-09-28,0.33,nbrb\n")


def close(
    office: Office, month: str, *, by: str = "anna", signed: str | None = None, verb: Verb = "close_period"
) -> Any:
    figures = office.desk("clara").api.get("/v1/periods/2020-09/figures")
    agreed = office.desk(by).agree(verb, signed or month, version=1, evidence=[figures["digest"]])
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


# --- figures, soft closing, admissions


def test_what_closing_seals_is_shown_before_and_after(furnished: Office) -> None:
    anna, clara = furnished.desk("anna"), furnished.desk("clara")
    furnished.receive_gift("100.00")
    furnished.set_clock(BANK_DAY)
    periods.close(anna, "2020-09")
    before = periods.figures(anna, "2020-10")
    periods.close(anna, "2020-10", digest=before["digest"])

    after = periods.figures(clara, "2020-10")

    assert (before["sealed"], after["sealed"]) == (False, True)
    assert after == before | {"sealed": True}
    assert after["rates"] == [{"currency": "BYN", "quoted_on": "2020-09-28", "rate": "0.33"}]
    assert after["net_assets"] == [{"fund": "fines", "amount": {"amount": "1683.00", "currency": "EUR"}}]


def test_what_was_looked_at_is_what_is_closed_or_nothing(furnished: Office) -> None:
    anna = furnished.desk("anna")
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        periods.close(anna, "2020-09", digest="0" * 64)

    assert (refusal.value.rule, refusal.value.status) == ("act_differs", 409)


@pytest.mark.parametrize(
    "lie",
    [
        {"net_assets": [{"fund": "fines", "amount": {"amount": "1000000.00", "currency": "EUR"}}]},
        {"balances": []},
        {"rates": []},
        {"currency": "USD"},
        {"month": "2020-08"},
        {"digest": "0" * 64},
    ],
)
def test_a_server_that_shows_other_figures_than_it_has_signed_is_found_out(
    furnished: Office, lie: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = furnished.new_desk("anna")
    true = desk.api.get("/v1/periods/2020-09/figures")
    monkeypatch.setattr(desk, "api", LyingApi(true | lie))

    with pytest.raises(periods.FiguresDiffer):
        periods.close(desk, "2020-09")


class LyingApi:
    """A server that answers every look with the same lie, and must not be sent anything."""

    def __init__(self, lie: dict[str, Any]) -> None:
        self.lie = lie

    def get(self, _path: str) -> dict[str, Any]:
        return self.lie


def test_a_month_closed_softly_takes_no_more_until_it_is_closed(furnished: Office) -> None:
    anna = furnished.desk("anna")
    softly = periods.soft_close(anna, "2020-09")

    states = [(one["month"], one["state"]) for one in periods.listed(anna)]
    closed = periods.close(anna, "2020-09")

    assert (softly["state"], closed["state"]) == ("soft_closed", "closed")
    assert states == [("2020-09", "soft_closed"), ("2020-10", "open")]


@pytest.mark.parametrize(
    ("path", "body", "status", "rule"),
    [
        ("2020-10/soft-close", {}, 409, "month_not_over"),
        ("2020-13/soft-close", {}, 422, "bad_month"),
        ("2020-09/soft-close", {"by": "x"}, 422, "bad_input"),
        ("2020-09/admissions", {"fingerprint": "0" * 64}, 409, "not_soft_closed"),
        ("2020-09/admissions", {"fingerprint": "F" * 64}, 422, "bad_input"),
    ],
)
def test_what_cannot_be_closed_softly_or_admitted_is_refused(
    furnished: Office, path: str, body: dict[str, Any], status: int, rule: str
) -> None:
    if "fingerprint" in body:
        body = body | {"agreed": furnished.desk("anna").agree("admit_entry", "2020-09", version=1, evidence=["0" * 64])}

    with furnished.nothing_written():
        answer = furnished.post(f"/v1/periods/{path}", body, by="anna")

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, rule)


def test_an_admission_is_kept_with_its_act(furnished: Office) -> None:
    anna = furnished.desk("anna")
    periods.soft_close(anna, "2020-09")

    admitted = periods.admit(anna, "2020-09", fingerprint="a" * 64)

    assert admitted == {"month": "2020-09", "fingerprint": "a" * 64}
    with furnished.nothing_written_but("stored_answer"), pytest.raises(ApiRefusal) as refusal:
        anna.api.post(
            "/v1/periods/2020-09/admissions",
            {
                "fingerprint": "a" * 64,
                "agreed": anna.agree("admit_entry", "2020-09", version=1, evidence=["a" * 64]),
            },
            key="another",
        )
    assert refusal.value.rule == "already_admitted"
