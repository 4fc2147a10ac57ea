import csv
import io
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.season_2020 import generate, totals
from ledger.aid.obligations import ObligationKind
from tests.examples.season import (
    HERE,
    LISTS,
    PURPOSES,
    balance,
    balances,
    day,
    minor,
    movements,
    of_category,
    paid_bills,
    paid_fines,
    plan,
    read_json,
    row_at,
    rows,
)

WRITTEN_BY_HAND = {"purposes.json"}
"""What donors read."""


def test_the_generator_writes_exactly_the_files_that_stand_beside_it() -> None:
    written = generate.write_files()

    kept = {path.name for path in HERE.iterdir() if path.is_file() and path.suffix != ".py"}
    assert written.keys() == kept - WRITTEN_BY_HAND
    assert [name for name, data in written.items() if (HERE / name).read_bytes() != data] == []


def test_the_lists_are_read_to_251_fines_40_bills_and_4_troubles() -> None:
    troubles = {(one["list"], one["line"]) for one in plan()["troubles"]}

    kinds = Counter(row.kind for place, row in rows().items() if place not in troubles)
    assert kinds == {ObligationKind.FINE: 251, ObligationKind.DETENTION: 40}
    assert len(rows()) == 251 + 40 + 4


def test_the_lists_are_in_the_encodings_that_spreadsheets_write() -> None:
    first, second = ((HERE / name).read_bytes() for name in LISTS)

    assert first.startswith(b"\xef\xbb\xbf")
    assert "1\u00a0350,00" in first.decode()
    with pytest.raises(UnicodeDecodeError):
        second.decode()
    assert "1 080,00" in second.decode("cp1251")
    assert "Прыдуманая " in second.decode("cp1251")


def test_everybody_is_obviously_invented() -> None:
    words = {row.name.casefold().split()[0] for row in rows().values()}

    assert words == {"invented", "прыдуманая"}
    assert all(row.payee_account.startswith("INVENTED-") for row in rows().values())
    assert all(row.ruling_number.startswith("INVENTED-") for row in rows().values())


def test_every_rate_is_a_day_later_and_near_the_last_one() -> None:
    rates: dict[str, list[tuple[date, Decimal]]] = {}
    for rate in csv.DictReader(io.StringIO((HERE / "rates.csv").read_text("utf-8"))):
        rates.setdefault(rate["currency"], []).append((day(rate["on"]), Decimal(rate["rate"])))

    assert rates.keys() == {"BYN", "USD"}
    month_ends = {day(month["last_day"]) for month in plan()["months"]}
    for told in rates.values():
        days = [on for on, _ in told]
        assert days == sorted(set(days))
        assert days[0] == date(2020, 8, 1)
        assert month_ends <= {*days}
        assert all(abs(later / earlier - 1) < Decimal("0.02") for (_, earlier), (_, later) in pairwise(told))


def test_the_balances_sum_to_zero_per_currency_and_fund() -> None:
    sums, wholes = Counter[tuple[str, str]](), Counter[str]()
    for (_, fund, currency), of in balances().items():
        sums[fund, currency] += of
        wholes[currency] += of

    assert sums.keys() >= {("fines", "BYN"), ("fines", "EUR"), ("unassigned", "USD")}
    assert [key for key, rest in sums.items() if rest] == []
    assert wholes == {"BYN": 0, "EUR": 0, "USD": 0}


def test_the_card_balances_follow_from_the_processors_files_by_fund() -> None:
    found = Counter[tuple[str, str, str]]()
    fund_of = {one["source"]: PURPOSES[one["description"]] for one in of_category("charge")}
    for one in movements():
        category, coin = one["reporting_category"], one["currency"].upper()
        if category == "payout":
            continue
        charge = one["source"] if category == "charge" else one["source"]["charge"]
        account = {"charge": "4000", "refund": "4190", "dispute": "1150"}[category]
        found[account, fund_of[charge], coin] -= one["amount"]
        found["6010" if category == "dispute" else "6000", "general", coin] += one["fee"]
    for gift in plan()["bank_gifts"]:
        account = "4000" if gift["purpose"] else "2000"
        found[account, PURPOSES[gift["purpose"]], gift["currency"]] -= minor(gift)

    accounts = {"4000", "4190", "1150", "2000", "6000", "6010"}
    assert {cell: of for cell, of in found.items() if of} == {
        cell: of for cell, of in balances().items() if cell[0] in accounts
    }


def test_each_payout_is_divided_by_what_the_funds_have_at_its_moment() -> None:
    shares, arrived = Counter[str](), Counter[str]()
    fund_of = {one["source"]: PURPOSES[one["description"]] for one in of_category("charge")}
    below_zero = []
    for one in (each for each in movements() if each["currency"] == "eur"):
        if one["reporting_category"] != "payout":
            charge = one["source"]["charge"] if isinstance(one["source"], dict) else one["source"]
            shares[fund_of[charge]] += one["amount"]
            shares["general"] -= one["fee"]
            continue
        exact = {fund: Fraction(-one["amount"] * share, shares.total()) for fund, share in shares.items() if share}
        parts = {fund: round(part) for fund, part in exact.items()}
        drift = -one["amount"] - sum(parts.values())
        for fund in sorted(parts, key=lambda fund: ((parts[fund] - exact[fund]) * (1 if drift > 0 else -1), fund))[
            : abs(drift)
        ]:
            parts[fund] += 1 if drift > 0 else -1
        below_zero.append(any(part < 0 for part in parts.values()))
        shares.subtract(parts)
        arrived.update(parts)

    assert below_zero == [True, False, False]  # at first, general has nothing but the fees it bears
    assert {fund: balance("1100:eur", "EUR", fund=fund) for fund in shares} == shares
    expected = arrived + Counter(fines=0)
    expected["unassigned"] += 15_000
    unspent = plan()["unspent"]
    sent = sum(minor(batch["advance"]["sent"]) for batch in plan()["batches"])
    expected["fines"] += 6_000_000 - sent + minor(unspent["arrived"])
    assert {fund: balance("1000:eur-main", "EUR", fund=fund) for fund in expected} == expected


def test_the_agents_account_holds_what_a_rejected_receipt_left_unproved() -> None:
    received = sum(minor(batch["advance"]["received"]) for batch in plan()["batches"])
    proved = sum(row_at(fine).amount.minor for fine in paid_fines()) - minor(plan()["rejected_receipt"])
    given_back = minor(plan()["unspent"]["given_back"])

    assert balance("1200:agent", "BYN") == received - proved - given_back == minor(plan()["rejected_receipt"])
    assert balance("2100", "BYN", fund="fines") == -minor(plan()["rejected_receipt"])
    assert balance("2100", "BYN", fund="detention") == 0


def test_aid_and_exchange_follow_from_lists_and_plan() -> None:
    fines = sum(row_at(fine).amount.minor for fine in paid_fines())
    bills = sum(row_at(bill).amount.minor for bill in paid_bills())
    advances = [batch["advance"] for batch in plan()["batches"]]
    quashed, unspent = minor(plan()["quashed"]), plan()["unspent"]

    assert balance("5000", "BYN", fund="fines") == balance("5000", "BYN") == fines
    assert balance("5100", "BYN", fund="detention") == balance("5100", "BYN") == bills
    assert balance("5900:fine", "BYN", fund="fines") == -quashed
    assert balance("1000:byn-main", "BYN", fund="fines") == quashed
    assert balance("1000:byn-main", "BYN", fund="detention") == minor(plan()["bank_gifts"][1]) - bills > 0
    assert balance("3900", "EUR", fund="fines") == sum(minor(one["sent"]) for one in advances) - minor(
        unspent["arrived"]
    )
    assert balance("3900", "BYN", fund="fines") == minor(unspent["given_back"]) - sum(
        minor(one["received"]) for one in advances
    )
    for account, currency in (("1210", "EUR"), ("1050:eur", "EUR"), ("1350", "BYN")):
        assert balance(account, currency) == 0


def test_counts_are_those_of_the_files() -> None:
    expected = read_json("expected.json")
    proved = [row_at(fine).amount.minor for fine in paid_fines() if row_at(fine) != row_at(plan()["rejected_receipt"])]

    assert expected["fines"]["verified"] == {"count": 250, "minor": sum(proved)}
    assert len(proved) == 250
    assert expected["fines"]["recognised"]["count"] == len(paid_fines()) == 251
    assert expected["bills"] == {"count": 40, "minor": balance("5100", "BYN")}
    assert expected["card_gifts"]["EUR"]["count"] == 120
    assert expected["card_gifts"]["USD"]["minor"] == -balance("4000", "USD")
    assert expected["rejected"] == Counter(one["rejection"] for one in plan()["troubles"])
    assert expected["entries"]["aid_recognised"] == 291
    assert expected["entries_in_all"] == sum(expected["entries"].values())


def test_the_page_shows_every_balance() -> None:
    page = (HERE / "EXPECTED.md").read_text("utf-8")
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in page.splitlines() if line.startswith("| ")}

    for (account, fund, currency), of in balances().items():
        if currency == "USD" or account in {"3900", "4000", "6000"}:
            continue  # several currencies have a line of this account
        assert f" {Decimal(of) / 100:,.2f} |" in lines[account], (account, fund)
    assert "**250 fines, 141,723.00 BYN**" in page


def test_a_payout_is_divided_as_in_the_worked_example() -> None:
    assert totals.split(500_000, {"detention": 567_000, "general": -1_500}) == {"detention": 501_326, "general": -1_326}


def test_a_tie_goes_to_the_fund_that_comes_first() -> None:
    assert totals.split(1, {"b": 5, "a": 5}) == {"a": 1, "b": 0}


@given(
    st.dictionaries(st.sampled_from(["detention", "fines", "general", "unassigned"]), st.integers(-10_000, 10**7)),
    st.integers(1, 10**7),
)
def test_parts_sum_to_the_payout_and_are_within_a_cent_of_the_exact_share(shares: dict[str, int], payout: int) -> None:
    whole = sum(shares.values())
    if whole <= 0:
        shares["fines"] = shares.get("fines", 0) - whole + 1
        whole = 1

    parts = totals.split(payout, shares)

    assert sum(parts.values()) == payout
    assert all(abs(parts[fund] - Fraction(payout * share, whole)) < 1 for fund, share in shares.items())


def test_an_entry_that_is_not_zero_in_a_fund_is_refused_by_the_oracle_itself() -> None:
    found = totals.Totals()

    with pytest.raises(ValueError, match="card_gift"):
        found.add("card_gift", ("1100:eur", "fines", "EUR", 100), ("4000", "general", "EUR", -100))
    assert not found.entries
    assert not found.cells
