from typing import Any

import pytest

from api.client import rates
from tests.office import Office

RATES = "/v1/exchange-rates"
CSV = b"currency,on,rate,source\nBYN,2020-08-01,0.34,nbrb\nUSD,2020-08-01,1/1.1797,ecb\n"


def told(**facts: Any) -> dict[str, Any]:
    return {"currency": "BYN", "on": "2020-08-01", "rate": "0.34", "source": "nbrb"} | facts


def test_the_treasurer_adds_rates_and_the_administrator_too(office: Office) -> None:
    assert rates.send(office.desk("anna"), CSV) == {"told": 2, "added": 2}
    assert office.post(RATES, {"rates": [told(on="2020-08-02")]}, by="clara").json() == {"told": 1, "added": 1}

    shown = [(one["currency"], one["on"], one["version"], one["rate"]) for one in rates.listed(office.desk("clara"))]
    assert shown == [
        ("BYN", "2020-08-01", 1, "0.34"),
        ("BYN", "2020-08-02", 1, "0.34"),
        ("USD", "2020-08-01", 1, "10000/11797"),
    ]
    assert office.send("GET", RATES, bearer=office.bearer("boris")).json()["functional_currency"] == "EUR"


def test_rates_imported_again_add_nothing_whoever_imports_them(office: Office) -> None:
    rates.send(office.desk("anna"), CSV)

    again = [rates.send(office.desk("anna"), CSV), rates.send(office.new_desk("anna"), CSV)]

    assert again == [{"told": 2, "added": 0}] * 2
    assert len(list(rates.listed(office.desk("anna")))) == 2


def test_a_rate_is_corrected_and_corrected_back(office: Office) -> None:
    anna = office.desk("anna")

    for quoted in (b"0.34", b"0.35", b"0.34"):
        assert rates.send(anna, CSV.replace(b"0.34", quoted))["told"] == 2

    shown = [(one["version"], one["rate"]) for one in rates.listed(anna, currency="BYN")]
    assert shown == [(1, "0.34"), (2, "0.35"), (3, "0.34")]


def test_the_same_request_again_gets_the_same_answer(office: Office) -> None:
    body = {"rates": [told()]}

    answers = [office.post(RATES, body, by="anna", key="rates:one") for _ in range(2)]

    assert [answer.json() for answer in answers] == [{"told": 1, "added": 1}] * 2
    assert answers[1].headers["Idempotent-Replay"] == "true"


@pytest.mark.parametrize(
    ("rows", "rule", "number"),
    [
        ([told(), told(on="2020-08-02", rate="1e3")], "bad_rate", 2),
        ([told(), told(on="2020-08-02", rate="0")], "bad_rate", 2),
        ([told(), told(currency="EUR")], "bad_rate", 2),
        ([told(), told(currency="XXX")], "bad_currency", 2),
        ([told(), told(on="2020-08-26")], "bad_rate", 2),
        ([told(), told(rate="0.35")], "bad_rate", None),
        ([told(), told(on="2020-08-02", rate=0.35)], "bad_input", None),
        ([told(), told(on="2020-08-02", source="A Bank")], "bad_input", None),
        ([told(note="x")], "bad_input", None),
        ([], "bad_input", None),
    ],
)
def test_one_bad_rate_and_none_is_added(office: Office, rows: list[Any], rule: str, number: int | None) -> None:
    with office.nothing_written():
        answer = office.post(RATES, {"rates": rows}, by="anna")

    assert answer.status_code == 422
    assert answer.json()["type"].endswith(f":{rule}")
    assert answer.json().get("number") == number


def test_pages_follow_each_other(office: Office) -> None:
    rows = [told(on=f"2020-08-0{day}") for day in (1, 2, 3)]
    office.post(RATES, {"rates": rows}, by="anna")
    first = office.send("GET", RATES, bearer=office.bearer("anna"), params={"limit": 2}).json()

    second = office.send("GET", RATES, bearer=office.bearer("anna"), params={"cursor": first["next"]}).json()

    assert [one["on"] for one in first["rates"] + second["rates"]] == ["2020-08-01", "2020-08-02", "2020-08-03"]
    assert second["next"] is None


@pytest.mark.parametrize("cursor", ["x", "BYN.2020-02-30.1", "BYN.2020-01-01.9999999", "BYN.2020-01-01"])
def test_a_cursor_that_is_none_is_refused(office: Office, cursor: str) -> None:
    answer = office.send("GET", RATES, bearer=office.bearer("anna"), params={"cursor": cursor})

    assert answer.status_code == 422
