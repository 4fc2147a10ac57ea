import csv
import io
from collections import Counter
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from api.client import sealing
from ledger.aid import eligibility, jurisdictions, rules
from ledger.aid.obligations import ObligationKind
from tests import cards
from tests.examples.season import (
    HERE,
    LISTS,
    balance,
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


def test_at_its_handover_a_row_is_refused_just_when_it_is_a_trouble() -> None:
    promised = {(one["list"], one["line"]): one["rejection"] for one in plan()["troubles"]}
    pack = jurisdictions.load("by")

    found: dict[tuple[str, int], str] = {}
    seen: list[tuple[str, int]] = []
    for handover in plan()["handovers"]:
        for line in range(handover["first_line"], handover["last_line"] + 1):
            row = rows()[handover["list"], line]
            facts = {"ruling_kind": row.ruling_kind, "article": row.article, "kind": row.kind}
            code = rules.rejection(pack, **facts, issued_on=row.issued_on, paid_on=row.paid_on, on=day(handover["on"]))
            seen.append((handover["list"], line))
            if code:
                found[handover["list"], line] = code
            told = [each for each in (row.in_force_on, row.served_on) if each]
            assert all(each <= day(handover["on"]) for each in told)

    assert seen == list(rows())  # each row comes with one handover
    assert found == {place: code for place, code in promised.items() if code != "duplicate"}


def test_all_that_is_paid_is_payable_when_released_and_not_overdue_when_paid() -> None:
    pack = jurisdictions.load("by")
    exact = pack.model_copy(update={"grain": "day"})
    releases = [(batch["released_on"], batch["fines"]) for batch in plan()["batches"]]
    releases += [(one["released_on"], one["bills"]) for one in plan()["reimbursements"]]

    for released_on, places in releases:
        for place in places:
            row = row_at(place)
            assert row.issued_on is not None
            kept, known = (
                eligibility.bounds(
                    rules,
                    kind=row.kind,
                    issued_on=row.issued_on,
                    in_force_on=row.in_force_on,
                    served_on=row.served_on,
                )
                for rules in (pack, exact)
            )
            assert kept.payable_from <= day(released_on)
            assert day(released_on) < day(place["paid_on"]) <= known.due_by
    assert min(place["paid_on"] for place in paid_fines()) == "2020-08-22"
    assert max(place["paid_on"] for place in paid_fines()) == "2020-11-09"


def test_rulings_fall_into_the_autumn_and_some_leave_their_legal_force_to_the_presumption() -> None:
    issued = [row_at(place).issued_on for place in paid_fines() + paid_bills()]

    assert all(each and date(2020, 8, 10) <= each <= date(2020, 10, 25) for each in issued)
    presumed = [sum(row_at(fine).in_force_on is None for fine in batch["fines"]) for batch in plan()["batches"]]
    assert presumed[0] == 0
    assert min(presumed[1:]) > 0


def test_fines_are_10_to_30_base_values_and_bills_half_a_base_value_a_day() -> None:
    base = jurisdictions.load("by").base_value(on=date(2020, 8, 10))
    assert base is not None

    assert {row_at(fine).amount.minor for fine in paid_fines()} <= {base.minor * count for count in range(10, 31)}
    assert {row_at(bill).amount.minor for bill in paid_bills()} <= {base.minor // 2 * count for count in range(1, 16)}
    assert all(row_at(bill).served_on for bill in paid_bills())


def test_the_only_ruling_and_person_that_come_twice_are_the_duplicates() -> None:
    ruled, people = Counter[str](), Counter[str]()
    tokens = {}
    for place, row in rows().items():
        compared = f"{row.court}\n{row.ruling_number}\n{row.issued_on}\n{row.kind}"
        tokens[place] = (
            sealing.token(b"k" * 32, field="ruling", value=compared),
            sealing.token(b"k" * 32, field="person", value=row.name),
        )
        ruled[tokens[place][0]] += 1
        people[tokens[place][1]] += 1

    (twin,) = [one for one in plan()["troubles"] if one["rejection"] == "duplicate"]
    first, again = twin["same_as"], {"list": twin["list"], "line": twin["line"]}
    assert (first["list"], again["list"]) == LISTS
    assert row_at(first).name != row_at(again).name
    assert tokens[first["list"], first["line"]] == tokens[again["list"], again["line"]]
    assert sorted(ruled.values())[-2:] == [1, 2]
    assert sorted(people.values())[-2:] == [1, 2]
    assert first in [{"list": fine["list"], "line": fine["line"]} for fine in paid_fines()]


def test_every_payable_row_stands_once_in_a_batch_or_a_reimbursement() -> None:
    troubles = {(one["list"], one["line"]) for one in plan()["troubles"]}
    planned = [(place["list"], place["line"]) for place in paid_fines() + paid_bills()]

    assert sorted(planned) == sorted(rows().keys() - troubles)
    assert {row_at(fine).kind for fine in paid_fines()} == {ObligationKind.FINE}
    assert {row_at(bill).kind for bill in paid_bills()} == {ObligationKind.DETENTION}


def test_sums_in_the_plan_are_the_sums_of_its_rows() -> None:
    for batch in plan()["batches"]:
        assert minor(batch["sum"]) == sum(row_at(fine).amount.minor for fine in batch["fines"])
    for one in plan()["reimbursements"]:
        assert minor(one["sum"]) == sum(row_at(bill).amount.minor for bill in one["bills"])
    for one in (plan()["rejected_receipt"], plan()["quashed"]):
        assert minor(one) == row_at(one).amount.minor


def test_each_advance_covers_its_batch_and_the_foundation_covers_all_advances() -> None:
    advances = [batch["advance"] for batch in plan()["batches"]]

    assert all(minor(batch["advance"]["received"]) > minor(batch["sum"]) for batch in plan()["batches"])
    assert sum(minor(advance["sent"]) for advance in advances) < minor(plan()["bank_gifts"][0])
    assert all(advance["split"] == {"fines": advance["sent"]["amount"]} for advance in advances)
    assert len({Fraction(minor(advance["received"]), minor(advance["sent"])) for advance in advances}) == 5


def test_every_exchange_is_within_five_percent_of_the_rate_of_its_day() -> None:
    told = csv.DictReader(io.StringIO((HERE / "rates.csv").read_text("utf-8")))
    rates = {day(rate["on"]): Fraction(rate["rate"]) for rate in told if rate["currency"] == "BYN"}
    exchanges = [
        (batch["advance"]["acknowledged_on"], batch["advance"]["sent"], batch["advance"]["received"])
        for batch in plan()["batches"]
    ]
    unspent = plan()["unspent"]

    for on, euros, roubles in [*exchanges, (unspent["returned_on"], unspent["arrived"], unspent["given_back"])]:
        rate = rates[max(each for each in rates if each <= day(on))]
        assert abs(Fraction(minor(euros), minor(roubles)) / rate - 1) < Fraction(5, 100)


def test_the_quashed_fine_and_the_rejected_receipt_are_two_fines_that_the_agent_paid() -> None:
    quashed, unproved = plan()["quashed"], plan()["rejected_receipt"]
    paid = {(fine["list"], fine["line"]): fine["paid_on"] for fine in paid_fines()}

    paid_on = paid[quashed["list"], quashed["line"]]
    assert paid_on < quashed["quashed_on"] < quashed["confirmed_on"] < quashed["refunded_on"] <= plan()["last_day"]
    assert paid[unproved["list"], unproved["line"]] < unproved["rejected_on"]
    assert row_at(quashed) != row_at(unproved)


def test_the_gateway_reads_every_movement() -> None:
    found = [
        movement
        for currency in ("eur", "usd")
        for movement in cards.read((HERE / f"processor-{currency}.json").read_bytes())
    ]

    assert Counter((one.category, one.gross.currency) for one in found) == {
        ("charge", "EUR"): 120,
        ("charge", "USD"): 40,
        ("refund", "EUR"): 1,
        ("dispute", "EUR"): 1,
        ("payout", "EUR"): 3,
    }
    assert all(one.gross - one.fee == one.net for one in found)
    assert [one.purpose for one in found if one.category == "charge"].count(None) == 2


def test_the_processors_balance_is_what_its_movements_come_to() -> None:
    sums = {coin: sum(one["net"] for one in movements() if one["currency"] == coin.lower()) for coin in ("EUR", "USD")}
    told = read_json("processor-balance.json")

    for coin, whole in sums.items():
        parts = [
            row["amount"] for part in ("available", "pending") for row in told[part] if row["currency"] == coin.lower()
        ]
        assert sum(parts) == whole
        assert balance(f"1100:{coin.lower()}", coin) == whole


def test_gifts_are_5_to_500_and_their_fee_is_rounded_half_even() -> None:
    charges = of_category("charge")

    assert all(500 <= one["amount"] <= 50_000 for one in charges)
    for one in charges:
        exact = Decimal(one["amount"]) * Decimal("0.029") + 30
        assert one["fee"] == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
        assert sum(detail["amount"] for detail in one["fee_details"]) == one["fee"]
    halves = {one["fee"] % 2 for one in charges if one["amount"] % 1_000 == 500}
    assert halves == {0}  # where the exact fee ends in half a cent, the even neighbour is taken


def test_refund_and_dispute_name_the_charge_they_take_back() -> None:
    charges = {one["source"]: one for one in of_category("charge")}
    (refund,), (dispute,) = of_category("refund"), of_category("dispute")

    assert len(charges) == 160
    assert refund["amount"] == -charges[refund["source"]["charge"]]["amount"]
    assert (refund["fee"], refund["type"], refund["description"]) == (0, "refund", None)
    assert charges[dispute["source"]["charge"]]["amount"] == 20_000
    assert (dispute["type"], dispute["amount"], dispute["fee"], dispute["net"]) == (
        "adjustment",
        -20_000,
        1_500,
        -21_500,
    )
    for one in (refund, dispute):
        assert charges[one["source"]["charge"]]["created"] < one["created"]


def test_a_payout_has_its_day_for_itself_and_takes_only_what_is_available() -> None:
    payouts = of_category("payout")
    days = Counter(one["created"] // 86_400 for one in movements())

    assert [-one["amount"] for one in payouts] == [minor(one) for one in plan()["payouts"]]
    assert [one["source"] for one in payouts] == [one["payout"] for one in plan()["payouts"]]
    for payout in payouts:
        assert days[payout["created"] // 86_400] == 1
        earlier = [one for one in movements() if one["currency"] == "eur" and one["created"] < payout["created"]]
        available = sum(one["net"] for one in earlier if one["available_on"] <= payout["created"])
        assert available >= -payout["amount"]
