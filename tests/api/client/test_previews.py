"""Previews: what would become of each row, before anything is sent."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from api.client import lists, previews
from api.client.lists import ListRow
from api.client.previews import Preview
from ledger.aid import jurisdictions
from ledger.aid.eligibility import Rejection
from ledger.aid.obligations import ObligationKind
from ledger.money import Money
from tests.cast import eur
from tests.papers import a_list_row, list_file

TODAY = date(2020, 10, 2)


def preview_of(*rows: ListRow, damage: tuple[bytes, bytes] = (b"", b"")) -> Preview:
    reading = lists.examine(list_file(*rows).replace(*damage) if damage[0] else list_file(*rows))
    return previews.preview(reading, jurisdictions.load("by"), on=TODAY)


def places(found: Preview) -> list[str]:
    return [fault.where for fault in found.faults]


def test_every_row_has_one_outcome() -> None:
    row = a_list_row()
    found = preview_of(
        row,
        a_list_row(ruling_kind="criminal"),
        a_list_row(region="nowhere"),
        row,
        a_list_row(),
        a_list_row(article="17.1"),
    )

    assert (found.taken, found.unreadable, len(found.identical)) == (2, 1, 1)
    assert found.rejected == {Rejection.CRIMINAL_CHARGE: 1, Rejection.NOT_ASSEMBLY_RELATED: 1}
    told = found.on_wire()
    assert told["rows"] == told["taken"] + sum(told["rejected"].values()) + told["unreadable"] + len(told["identical"])
    assert told["identical"] == [{"line": 5, "same_as": 2}]
    assert told["rejections"] == [{"line": 3, "code": "criminal_charge"}, {"line": 7, "code": "not_assembly_related"}]


def test_every_fault_of_every_row_is_told_by_its_place() -> None:
    rows = list_file(a_list_row(), a_list_row(amount=eur("1.00")), a_list_row())
    first, second, third, fourth = rows.split(b"\r\n")
    bad = second.replace(b"810.00", b"0").replace(b"2020-08-31", b"31.02.2020").replace(b"23.34 part 1", b"kanarejka")
    data = b"\r\n".join([first, bad, third, fourth + b";more"])

    found = previews.preview(lists.examine(data), jurisdictions.load("by"), on=TODAY)

    assert places(found) == [
        "line 2, column article",
        "line 2, column issued_on",
        "line 2, column amount",
        "line 3, column currency",
        "line 4",
    ]
    assert (found.unreadable, found.taken, found.rows) == (3, 0, [])
    assert "kanarejka" not in str(found.on_wire())


@pytest.mark.parametrize(
    ("facts", "column"),
    [
        ({"region": "nowhere"}, "region"),
        ({"amount": eur("810.00")}, "currency"),
        ({"issued_on": None}, "issued_on"),
        ({"issued_on": date(2020, 10, 3)}, "issued_on"),
        ({"issued_on": date(2007, 2, 28)}, "issued_on"),
        ({"paid_on": date(2020, 10, 3)}, "paid_on"),
        ({"served_on": date(2020, 10, 3)}, "served_on"),
        ({"served_on": date(2020, 8, 30)}, "served_on"),
        ({"in_force_on": date(2020, 8, 30)}, "in_force_on"),
    ],
)
def test_what_cannot_be_in_this_place_and_order_is_told(facts: dict[str, Any], column: str) -> None:
    found = preview_of(a_list_row(), a_list_row(**facts))

    assert places(found) == [f"line 3, column {column}"]


def test_a_sum_that_this_kind_of_ruling_does_not_lead_to_is_told_by_row_and_column() -> None:
    bail_fund = jurisdictions.load("us-bail")
    told: dict[str, Any] = {"article": "240.20", "part": None, "region": "county", "amount": Money.parse("5.00", "USD")}
    bail = a_list_row(**told, ruling_kind="sentence", kind=ObligationKind.BAIL)
    fine = a_list_row(**told, line=3, ruling_kind="bail_order")
    right = a_list_row(**told, line=4, ruling_kind="sentence")

    found = [fault.where for row in (bail, fine, right) for fault in previews.misfits(bail_fund, row)]

    assert found == ["line 2, column kind", "line 3, column kind"]


def test_a_ruling_of_today_that_is_in_force_tomorrow_is_taken() -> None:
    assert preview_of(a_list_row(issued_on=TODAY, in_force_on=date(2020, 10, 12))).taken == 1


def test_two_rows_of_one_ruling_in_other_words_are_shown_by_their_lines_and_both_sent() -> None:
    row = a_list_row()
    shouted = replace(row, court=row.court.upper(), name="Another Invented Person")

    found = preview_of(row, a_list_row(), shouted)

    assert found.same_ruling == [[2, 4]]
    assert (found.taken, found.identical) == (3, [])


@pytest.mark.parametrize(
    ("cell", "column", "what"),
    [
        ("INVENTED\x07", "ruling_number", "a control character"),
        ("Ann\x1b[2J", "name", "a control character"),
        ("INVENTED\u200b-1", "ruling_number", "an invisible character"),
        ("INVENTED\u202e-1", "payee_account", "a mark that changes the direction of writing"),
        ("A\u200bnna", "name", "an invisible character"),
        ("Anna\u3164", "name", "an invisible character"),
        ("An\u200dna", "name", "an invisible character"),
        ("\u00adAnna", "name", "an invisible character"),
        ("Anna\ufeff", "name", "an invisible character"),
        ("Anna\U000e0100", "name", "an invisible character"),
        ("INVENTED\u3164-1", "ruling_number", "an invisible character"),
        ("\u202e\u05de\u05d9\u202c", "name", "a mark that changes the direction of writing"),
        ("Invented \ufffd court", "court", "a character that was lost before"),
    ],
)
def test_what_is_not_seen_is_refused(cell: str, column: str, what: str) -> None:
    found = preview_of(a_list_row(**{column: "INVENTED-CANARY"}), damage=(b"INVENTED-CANARY", cell.encode()))

    (fault,) = found.faults
    assert (fault.where, fault.what) == (f"line 2, column {column}", what)


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+1+1", "محمد", "\u0645\u06cc\u200c\u062e\u0648\u0627", "\u8fbb\U000e0100", "👩"]
)
def test_names_are_taken_as_people_write_them(name: str) -> None:
    (row,) = preview_of(a_list_row(name=name)).rows

    assert row.name == name


def test_a_list_of_faults_alone_is_given_up_early() -> None:
    data = list_file(*[a_list_row(region="nowhere")] * 2).replace(b"2020-08-31;", b"x;").replace(b"810.00", b"x")
    head, row, _ = data.split(b"\r\n")

    with pytest.raises(lists.BadList) as refusal:
        lists.examine(b"\n".join([head, *[row] * 6_000]))

    assert refusal.value.message.startswith("more than 10,000 cells cannot be read")
