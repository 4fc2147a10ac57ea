"""The ledgers of a case and of a beneficiary over HTTP and as commands."""

import csv
import io
from typing import Any

import pytest

from api.client import subledgers
from ledger.aliases import Kind, draw
from ledger.people import Role
from tests.office import Office, on_one_database


@pytest.fixture
def paid(furnished: Office) -> dict[str, Any]:
    """A fine that was recognised and paid from the bank."""
    released = furnished.a_released_payment()
    furnished.confirm(released)
    return released


def ask(office: Office, path: str, *, role: Role = Role.AUDITOR, **query: Any) -> Any:
    return office.send("GET", path, bearer=office.bearer_of(role), params=query)


def test_the_ledgers_of_a_case_and_its_beneficiary_are_told_in_pages_and_as_a_table(
    furnished: Office, paid: dict[str, Any]
) -> None:
    case = furnished.desk("anna").api.get(f"/v1/cases/{paid['case']}")
    path = f"/v1/beneficiaries/{case['beneficiary']}/ledger"

    first = ask(furnished, path, limit=1).json()
    second = ask(furnished, path, limit=1, cursor=first["next"]).json()
    whole = ask(furnished, f"/v1/cases/{paid['case']}/ledger").json()
    table = list(csv.DictReader(io.StringIO(ask(furnished, f"{path}.csv").text)))

    assert [*first["rows"], *second["rows"]] == whole["rows"]
    assert (second["next"], whole["next"]) == (None, None)
    recognised, settled = whole["rows"]
    assert recognised["credit"] == settled["debit"] == {"amount": "810.00", "currency": "BYN"}
    assert settled["balance"]["amount"] == "0.00"
    assert settled["payment"] == {
        "disbursement": paid["alias"],
        "way": "authority",
        "agent": None,
        "batch": None,
        "released_by": furnished.alias("anna"),
    }
    assert [(row["debit"], row["credit"], row["balance"]) for row in table] == [
        ("", "810.00", "-810.00"),
        ("810.00", "", "0.00"),
    ]


@on_one_database
def test_what_was_recorded_later_is_left_out(furnished: Office, paid: dict[str, Any]) -> None:
    path = subledgers.path_of(case=paid["case"], beneficiary=None)

    known = list(subledgers.rows(furnished.desk("anna"), path, as_known_at="2020-10-20T00:00:00Z"))

    assert [row["kind"] for row in known] == ["aid_recognised"]


@on_one_database
def test_a_foreign_a_missing_and_a_malformed_place_are_refused(furnished: Office, paid: dict[str, Any]) -> None:
    case = furnished.desk("anna").api.get(f"/v1/cases/{paid['case']}")
    person = case["beneficiary"]

    with furnished.nothing_written():
        foreign = [
            ask(furnished, f"/v1/{place}/{alias}/{name}").status_code
            for name in ("ledger", "ledger.csv")
            for place, alias in (
                ("cases", person),
                ("cases", draw(Kind.CASE)),
                ("beneficiaries", paid["case"]),
                ("beneficiaries", draw(Kind.BENEFICIARY)),
            )
        ]
        bad = [
            ask(furnished, f"/v1/cases/{paid['case']}/ledger", cursor=cursor).status_code
            for cursor in ("2020-13-01.1.1", "x", "2020-10-01.1", "2020-10-01.1.1' OR 1=1")
        ]
        closed = ask(furnished, f"/v1/cases/{paid['case']}/ledger", role=Role.INTAKE).status_code

    assert set(foreign) == {404}
    assert set(bad) == {422}
    assert closed == 403


@on_one_database
def test_a_case_without_money_has_an_empty_ledger(furnished: Office) -> None:
    alias = furnished.a_verified_case()

    assert ask(furnished, f"/v1/cases/{alias}/ledger").json() == {"next": None, "rows": []}
