from typing import Any

import pytest

from tests.office import Office

RATES = [{"currency": "BYN", "on": day, "rate": told, "source": "nbrb"} for day, told in (("2020-09-01", "0.30"),)]
SPAN = {"from": "2020-09-01", "to": "2020-09-30"}


def ask(office: Office, name: str, *, by: str = "anna", **query: Any) -> Any:
    """What the API answers about a report."""
    return office.send("GET", f"/v1/reports/{name}", bearer=office.bearer(by), params=query)


def test_the_three_statements_tell_a_gift_in_roubles_in_euros(furnished: Office) -> None:
    furnished.post("/v1/exchange-rates", {"rates": RATES}, by="anna")

    position = ask(furnished, "position", on="2020-09-30").json()
    activities = ask(furnished, "activities", **SPAN).json()
    flows = ask(furnished, "cash-flows", **SPAN).json()

    assert (position["currency"], position["total_assets"]) == ("EUR", "1500.00")
    assert position["net_assets"]["funds"]["fines"] == position["net_assets"]["restricted"] == "1500.00"
    assert position["rates"][0]["age_days"] == 29
    rows = {row["key"]: row for row in activities["rows"]}
    assert rows["donations"]["funds"]["fines"] == {
        "unrestricted": "0.00",
        "restricted": "1500.00",
        "total": "1500.00",
    }
    assert rows["closing"]["total"] == "1500.00"
    assert activities["exchange_results"]["fines"]["is_proved"] is True
    assert (
        {row["key"]: row["total"] for row in flows["operating"]}["donations"] == flows["total_operating"] == "1500.00"
    )
    assert flows["closing_by_account"] == {"1000": "1500.00"}


def test_without_a_rate_the_refusal_names_currency_and_day(furnished: Office) -> None:
    answers = [ask(furnished, "position", on="2020-09-30"), ask(furnished, "activities", **SPAN)]

    for answer in answers:
        assert answer.status_code == 409
        assert answer.json()["type"].endswith(":no_rate")
        assert answer.json()["currency"] == "BYN"


def test_figures_are_told_as_known_at_a_moment(furnished: Office) -> None:
    furnished.post("/v1/exchange-rates", {"rates": RATES}, by="anna")

    told = ask(furnished, "position", on="2020-09-30", as_known_at="2020-09-01T00:00:00Z").json()

    assert (told["total_assets"], told["rates"]) == ("0.00", [])


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ({"from": "2020-09-30", "to": "2020-09-01"}, "bad_span"),
        ({"from": "2020-09-30"}, "bad_input"),
        ({"from": "x", "to": "2020-09-01"}, "bad_input"),
        ({"from": "1990-01-01", "to": "2020-09-01"}, "bad_span"),
    ],
)
@pytest.mark.parametrize("name", ["activities", "cash-flows"])
def test_what_is_no_span_is_refused(furnished: Office, name: str, query: dict[str, str], rule: str) -> None:
    answer = ask(furnished, name, **query)

    assert answer.status_code == 422
    assert answer.json()["type"].endswith(f":{rule}")


@pytest.mark.parametrize("name", ["position", "activities", "cash-flows"])
def test_only_treasurer_and_auditor_see_them(furnished: Office, name: str) -> None:
    assert ask(furnished, name, by="boris", on="2020-09-30", **SPAN).status_code == 403
