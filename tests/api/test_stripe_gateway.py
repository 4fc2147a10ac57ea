import json
from datetime import date
from typing import Any

import pytest

from api.stripe_gateway import BadBalance, BadMovements, as_they_count, as_we_count, read_balance, read_movements
from ledger.giving.movements import Category
from ledger.giving.unread import Told
from ledger.money import BadAmount, Money
from tests.cards import (
    a_charge,
    a_dispute,
    a_fee,
    a_payout,
    a_refund,
    a_refund_failure,
    changed,
    listed,
    listing,
    read,
    transaction,
    usd,
)
from tests.cast import eur

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
SEASON = [
    CHARGE,
    a_refund(CHARGE, eur("40.00")),
    a_dispute(CHARGE, eur("100.00")),
    a_payout(eur("50.00")),
    a_fee(eur("12.00")),
]
OF_CATEGORY = {movement.category: movement for movement in SEASON}


def test_every_category_is_read_as_the_movement_it_is() -> None:
    assert read_movements(listed(SEASON)) == SEASON


def test_a_dispute_as_the_processor_tells_it() -> None:
    told = {
        "id": "txn_Invented0002",
        "object": "balance_transaction",
        "amount": -20_000,
        "created": 1_600_100_000,
        "currency": "usd",
        "description": "Chargeback withdrawal for ch_Invented0001",
        "fee": 1_500,
        "net": -21_500,
        "reporting_category": "dispute",
        "source": {"id": "dp_Invented0001", "object": "dispute", "charge": "ch_Invented0001", "reason": "fraudulent"},
        "type": "adjustment",
    }

    (movement,) = read_movements(listing([told]))

    assert (movement.category, movement.gross, movement.fee, movement.net) == (
        Category.DISPUTE,
        usd("-200.00"),
        usd("15.00"),
        usd("-215.00"),
    )
    assert (movement.source, movement.charge, movement.purpose) == ("dp_Invented0001", "ch_Invented0001", None)
    assert movement.created_on == date(2020, 9, 14)


def test_sources_may_stand_there_by_their_ids_or_expanded() -> None:
    expanded = transaction(CHARGE) | {"source": {"id": "ch_Invented0001", "object": "charge", "amount": 10_000}}
    nested = transaction(OF_CATEGORY[Category.REFUND])
    nested["source"] |= {"charge": {"id": "ch_Invented0001", "object": "charge"}}
    payout = transaction(OF_CATEGORY[Category.PAYOUT]) | {"source": {"id": "po_Invented0001", "object": "payout"}}

    assert read_movements(listing([expanded, nested, payout])) == [
        OF_CATEGORY[category] for category in (Category.CHARGE, Category.REFUND, Category.PAYOUT)
    ]


def test_the_source_of_a_fee_is_left_there() -> None:
    (fee,) = read_movements(listed([a_fee(eur("12.00"))], source="fee_Invented0001"))

    assert (fee.source, fee.charge) == (None, None)


def test_what_happened_first_comes_first_and_a_gift_before_what_is_given_back_of_it() -> None:
    items = [transaction(movement) for movement in reversed(SEASON)]
    earlier = transaction(a_payout(eur("1.00"), nth=2), second=-1)

    read = read_movements(listing([*items, earlier]))

    assert [movement.category for movement in read] == ["payout", "charge", "refund", "dispute", "payout", "fee"]


@pytest.mark.parametrize("description", ["for fines", "FINES ", "Invented Giver", "A" * 13, None, 7])
def test_a_description_that_is_no_purpose_code_does_not_pass(description: object) -> None:
    (movement,) = read_movements(listed([CHARGE], description=description))

    assert movement.purpose is None


def test_only_a_charges_description_is_a_purpose() -> None:
    refund = OF_CATEGORY[Category.REFUND]

    assert [one.purpose for one in read_movements(listed([refund], description="FINES"))] == [None]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[]", b"7", b"[" * 100_000, b'{"object": "list"}', b'{"data": []}']
)
def test_what_is_no_list_of_the_processor_is_refused(data: bytes) -> None:
    with pytest.raises(BadMovements) as refusal:
        read_movements(data)

    assert refusal.value.data == {"where": "file"}


@pytest.mark.parametrize("category", ["CHARGE", "", None, 7, [], "a b", "x" * 41])
def test_what_is_no_category_is_refused_by_its_place(category: object) -> None:
    strange = transaction(a_fee(eur("1.00"), nth=2)) | {"reporting_category": category}

    with pytest.raises(BadMovements) as refusal:
        read_movements(listing([transaction(CHARGE), strange]))

    assert refusal.value.data == {"where": "item 2"}


def test_a_category_without_a_recipe_is_read_as_it_is() -> None:
    strange = transaction(a_fee(eur("1.00"))) | {"reporting_category": "climate_contribution"}

    (movement,) = read_movements(listing([strange]))

    assert (movement.category, movement.source, movement.net) == ("climate_contribution", None, eur("-1.00"))


@pytest.mark.parametrize(("status", "cancelled"), [("canceled", True), ("failed", False)])
def test_a_refund_that_was_called_off_is_told_from_one_that_failed(status: str, cancelled: bool) -> None:  # a parameter
    failure = a_refund_failure(a_refund(CHARGE, eur("1.00")))
    told = transaction(failure)
    told["source"] = told["source"] | {"status": status}

    assert read_movements(listing([told])) == [changed(failure, cancelled=cancelled)]


BAD: list[tuple[Category, dict[str, Any]]] = [
    (Category.CHARGE, {"object": "charge"}),
    (Category.CHARGE, {"amount": 100.0}),
    (Category.CHARGE, {"amount": "10000"}),
    (Category.CHARGE, {"amount": True}),
    (Category.CHARGE, {"amount": None}),
    (Category.CHARGE, {"amount": 2**64, "net": 2**64 - 320}),
    (Category.CHARGE, {"created": "2020-09-14"}),
    (Category.CHARGE, {"created": 10**18}),
    (Category.CHARGE, {"currency": "x"}),
    (Category.CHARGE, {"currency": "eu\u0280"}),
    (Category.CHARGE, {"currency": None}),
    (Category.CHARGE, {"id": "ch_Invented0001"}),
    (Category.CHARGE, {"id": "txn_ Invented"}),
    (Category.CHARGE, {"id": None}),
    (Category.CHARGE, {"net": 9_681}),
    (Category.CHARGE, {"source": None}),
    (Category.CHARGE, {"source": {"id": "ch_Invented0001", "object": "refund"}}),
    (Category.REFUND, {"source": "re_Invented0001"}),
    (Category.REFUND, {"source": {"id": "re_Invented0001", "object": "refund", "charge": None}}),
    (Category.REFUND, {"source": {"object": "refund", "charge": "ch_Invented0001"}}),
    (Category.DISPUTE, {"source": {"id": "dp_Invented0001", "object": "refund", "charge": "ch_Invented0001"}}),
]


@pytest.mark.parametrize(("category", "facts"), BAD)
def test_what_cannot_be_read_exactly_is_refused_by_its_place(category: Category, facts: dict[str, Any]) -> None:
    strange = transaction(OF_CATEGORY[category]) | facts

    with pytest.raises(BadMovements) as refusal:
        read_movements(listing([transaction(a_fee(eur("1.00"), nth=2)), strange]))

    assert str(refusal.value.data["where"]).startswith("item 2")
    assert "Invented" not in f"{refusal.value} {refusal.value.data}"


@pytest.mark.parametrize("field", ["id", "amount", "fee", "net", "created", "currency", "reporting_category", "source"])
def test_a_missing_field_is_refused_by_its_place(field: str) -> None:
    cut = {name: value for name, value in transaction(CHARGE).items() if name != field}

    with pytest.raises(BadMovements) as refusal:
        read_movements(listing([cut]))

    assert refusal.value.data == {"where": "item 1"}


def test_a_currency_that_nobody_knows_stays_as_it_is_told() -> None:
    payout = {"id": "po_Invented0001", "object": "payout", "amount": 9, "currency": "zzz"}
    charge = transaction(CHARGE) | {"currency": "usdc"}

    found = read_movements(listing([charge, transaction(OF_CATEGORY[Category.PAYOUT]) | {"source": payout}]))

    assert all(isinstance(one, Told) for one in found)
    assert [(one.currency, one.arriving_currency) for one in found if isinstance(one, Told)] == [
        ("USDC", None),
        ("EUR", "ZZZ"),
    ]
    with pytest.raises(BadMovements):  # its parts tie like any other's
        read_movements(listing([charge | {"net": 1}]))


@pytest.mark.parametrize(
    ("currency", "told", "amount"),
    [
        ("eur", 1_050, "10.50"),
        ("jpy", 500, "500"),
        ("kwd", 12_340, "12.340"),
        ("isk", 50_000, "500"),
        ("ugx", 500_000, "5000"),
        ("mga", 500, "500.00"),
    ],
)
def test_amounts_are_read_and_asked_for_as_the_processor_counts_them(currency: str, told: int, amount: str) -> None:
    payout = {"id": "po_Invented0001", "object": "payout", "amount": told, "currency": currency}
    given = transaction(CHARGE) | {"currency": currency, "amount": told, "fee": 0, "net": told}
    taken = transaction(OF_CATEGORY[Category.PAYOUT]) | {"source": payout}
    money = Money.parse(amount, currency.upper())
    balance = {"object": "balance", "available": [{"amount": told, "currency": currency}], "pending": []}

    charge, paid_out = read(listing([given, taken]))

    assert (charge.gross, charge.net, as_they_count(money)) == (money, money, told)
    assert paid_out.arriving == (None if currency == "eur" else money)
    assert read_balance(json.dumps(balance).encode()) == [money]
    assert as_we_count(-told, currency=money.currency) == (money.currency, (-money.minor,))


def test_hundredths_of_what_has_none_stay_as_they_are_told_and_are_in_no_balance() -> None:
    told = transaction(CHARGE) | {"currency": "isk", "amount": 50_000, "fee": 1_450, "net": 48_550}
    balance = {"object": "balance", "available": [{"amount": 48_550, "currency": "isk"}], "pending": []}

    (movement,) = read_movements(listing([told]))

    assert isinstance(movement, Told)
    assert (movement.currency, movement.gross, movement.fee, movement.net) == ("ISK100", 50_000, 1_450, 48_550)
    assert read_balance(json.dumps(balance).encode()) == []


def test_decimals_that_the_processor_does_not_take_are_not_asked_for() -> None:
    with pytest.raises(BadAmount):
        as_they_count(Money.parse("5.20", "MGA"))


def test_the_balance_is_what_is_available_and_what_is_pending() -> None:
    told = {
        "object": "balance",
        "available": [{"amount": 9_680, "currency": "eur"}, {"amount": 0, "currency": "usd"}],
        "pending": [{"amount": -1_000, "currency": "eur"}, {"amount": 7, "currency": "zzz"}],
    }

    assert read_balance(json.dumps(told).encode()) == [eur("86.80"), usd("0.00")]


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"object": "list", "data": []}, "file"),
        ([], "file"),
        ({"object": "balance", "available": []}, "pending"),
        ({"object": "balance", "available": [7], "pending": []}, "available 1"),
        ({"object": "balance", "available": [], "pending": [{"amount": 1.0, "currency": "eur"}]}, "pending 1"),
        ({"object": "balance", "available": [], "pending": [{"amount": 1, "currency": "x"}]}, "pending 1"),
        ({"object": "balance", "available": [], "pending": [{"amount": 1}]}, "pending 1"),
    ],
)
def test_what_is_no_balance_is_refused_with_its_place(told: object, where: str) -> None:
    with pytest.raises(BadBalance) as refusal:
        read_balance(json.dumps(told).encode())

    assert refusal.value.data == {"where": where}
