import json
from typing import Any

import httpx2
import pytest

from api.client import donations
from api.client.http import ApiRefusal
from api.stripe_gateway import BadBalance, BadMovements
from tests.cards import a_charge, a_dispute, a_fee, a_payout, a_refund, changed, listed, listing, transaction
from tests.cast import eur
from tests.office import CARD_LEAF, Office

TRANSIT = "1050:eur"
CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
SEASON = [
    CHARGE,
    a_refund(CHARGE, eur("10.00")),
    a_dispute(CHARGE, eur("90.00")),
    a_fee(eur("1.00")),
    a_payout(eur("5.00")),
]


@pytest.fixture
def at_work(office: Office) -> Office:
    """The office with its leaves and purposes, one of them for money in transit."""
    office.furnish()
    leaf = {"code": TRANSIT, "name": "In transit", "currency": "EUR"}
    office.desk("clara").api.post("/v1/accounts", leaf, key=f"account:{TRANSIT}")
    office.set_clock(office.now().replace(month=11))
    return office


def send(office: Office, data: bytes, **more: Any) -> list[dict[str, Any]]:
    return donations.send(office.desk("anna"), data, **more)


def test_a_file_is_booked_and_each_movement_is_told_by_its_recipe(at_work: Office) -> None:
    booked = send(at_work, listed(SEASON))

    gift = booked[0]["about"]
    assert [(one["recipe"], one["fund"], one["amount"]["amount"]) for one in booked] == [
        ("card_gift", "fines", "100.00"),
        ("gift_refunded", "fines", "-10.00"),
        ("gift_disputed", "fines", "-90.00"),
        ("payout_created", None, "-5.00"),
        ("processor_fee", "general", "-1.00"),
    ]
    assert booked[1]["about"] == gift
    assert [one["about"] for one in booked[3:]] == ["po_Invented0001", None]
    (donation,) = at_work.desk("anna").api.get("/v1/donations")["donations"]
    assert (donation["alias"], donation["state"], donation["refunded"]["amount"]) == (gift, "disputed", "10.00")
    assert at_work.balance(TRANSIT, "EUR") == eur("5.00")


def test_the_same_file_again_sends_nothing_and_from_another_device_books_nothing(at_work: Office) -> None:
    first = send(at_work, listed(SEASON))

    with at_work.nothing_written():
        again = send(at_work, listed(SEASON))
    rows = at_work.rows()["entry"]
    elsewhere = donations.send(at_work.new_desk("anna"), listed(SEASON))

    assert again == first
    assert at_work.rows()["entry"] == rows
    assert [one["about"] for one in elsewhere] == [one["about"] for one in first]


def test_a_longer_file_books_what_is_new_and_knows_the_rest(at_work: Office) -> None:
    send(at_work, listed(SEASON[:2]))

    booked = send(at_work, listed(SEASON))

    assert [one["replayed"] for one in booked] == [True, True, False, False, False]


def test_a_long_file_goes_in_parts_of_two_hundred_and_the_balance_with_the_last(at_work: Office) -> None:
    sent: list[dict[str, Any]] = []
    at_work.http.event_hooks = {
        "request": [lambda request: sent.append(json.loads(request.content)) if request.method == "POST" else None]
    }
    gifts = [a_charge(eur("1.00"), nth=nth) for nth in range(401)]

    booked = send(at_work, listed(gifts), balance=a_balance(40_100))

    assert [len(body["movements"]) for body in sent] == [200, 200, 1]
    assert [len(body["balances"]) for body in sent] == [0, 0, 1]
    assert len({one["about"] for one in booked}) == 401
    assert at_work.balance(CARD_LEAF, "EUR") == eur("401.00")
    assert at_work.desk("anna").api.get("/v1/exceptions")["exceptions"] == []


def test_a_balance_that_differs_opens_an_exception(at_work: Office) -> None:
    send(at_work, listed([CHARGE]), balance=a_balance(9_000))

    found, general = at_work.desk("anna").api.get("/v1/exceptions")["exceptions"]
    if found["fund"]:  # of one day, they have no order
        found, general = general, found
    assert (general["fund"], general["difference"], general["amount"]["amount"]) == ("general", "below_zero", "-3.20")
    assert (found["difference"], found["account"], found["amount"]["amount"]) == (
        "processor_differs",
        CARD_LEAF,
        "-6.80",
    )


def test_the_processors_leaf_is_reconciled_beside_the_banks(at_work: Office) -> None:
    at_work.receive_gift()
    at_work.set_clock(at_work.now().replace(month=11))
    send(at_work, listed(SEASON))

    rows = at_work.desk("anna").api.get("/v1/reconciliations")["reconciliations"]

    assert [(one["kind"], one["account"], one["difference"]["amount"]) for one in rows] == [
        ("bank", "1000:byn-main", "0.00"),
        ("processor", CARD_LEAF, "0.00"),
    ]
    assert rows[1]["per_bank"] == rows[1]["per_books"] == {"amount": "-24.20", "currency": "EUR"}


def test_a_description_that_is_none_of_our_purposes_stays_on_the_device(at_work: Office) -> None:
    sent: list[bytes] = []
    at_work.http.event_hooks = {"request": [lambda request: sent.append(request.content)]}

    (booked,) = send(at_work, listed([changed(CHARGE, purpose="INVENTED")]))

    assert booked["fund"] == "unassigned"
    assert not any(b"INVENTED" in content for content in sent)


@pytest.mark.parametrize(
    ("data", "balance", "refusal"),
    [
        (listed(SEASON, reporting_category="TAX"), None, BadMovements),
        (b"{}", None, BadMovements),
        (listed(SEASON), b"{}", BadBalance),
    ],
)
def test_a_file_with_an_unreadable_part_is_not_sent_at_all(
    at_work: Office, data: bytes, balance: bytes | None, refusal: type[Exception]
) -> None:
    with at_work.nothing_written(), pytest.raises(refusal):
        send(at_work, data, balance=balance)


def test_a_refusal_names_the_balance_transaction_to_those_who_have_the_file(at_work: Office) -> None:
    twice = changed(CHARGE, fee=eur("3.21"), net=eur("96.79"))
    with at_work.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        send(at_work, listed([CHARGE, twice]))

    assert (refusal.value.rule, refusal.value.data["balance_transaction"]) == ("source_key_conflict", "txn_Charge0001")


def test_what_waits_is_told_with_its_reason_and_listed(at_work: Office) -> None:
    (told,) = send(at_work, listed([a_refund(CHARGE, eur("1.00"))]))

    assert (told["state"], told["reason"], told["recipe"]) == ("waiting", "cause_missing", None)
    waiting = at_work.desk("anna").api.get("/v1/movements", waiting="true")["movements"]
    assert [(one["balance_transaction"], one["awaits"]) for one in waiting] == [("txn_Refund0001", "ch_Invented0001")]

    send(at_work, listed([CHARGE]))

    kept = at_work.desk("anna").api.get("/v1/movements")["movements"]
    assert [(one["recipe"], one["state"]) for one in kept] == [("card_gift", "booked"), ("gift_refunded", "booked")]
    assert at_work.desk("anna").api.get("/v1/movements", waiting="true")["movements"] == []


def test_what_is_in_a_currency_that_nobody_knows_is_sent_as_it_is_told(at_work: Office) -> None:
    strange = transaction(a_charge(eur("5.00"), nth=2)) | {"currency": "zzz"}

    booked = send(at_work, listing([transaction(CHARGE), strange]))

    assert [one["recipe"] for one in booked] == ["card_gift"]
    (told,) = at_work.desk("anna").api.get("/v1/movements", waiting="true")["unread"]
    assert (told["balance_transaction"], told["gross"], told["currency"]) == ("txn_Charge0002", 500, "ZZZ")


def post(office: Office, **body: Any) -> httpx2.Response:
    return office.post("/v1/donations", {"movements": [], "balances": []} | body, by="anna")


def test_more_than_five_hundred_movements_are_refused(at_work: Office) -> None:
    with at_work.nothing_written():
        answer = post(at_work, movements=[on_wire()] * 501)

    assert (answer.status_code, answer.json()["where"]) == (422, "body.movements")


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"category": "Tax"}, "body.movements.1.category"),
        ({"source": "cus_Invented0001"}, "body.movements.1.source"),
        ({"charge": "re_Invented0001"}, "body.movements.1.charge"),
        ({"balance_transaction": "ch_Invented0001"}, "body.movements.1.balance_transaction"),
        ({"descriptor": "Invented Giver"}, "body.movements.1"),
    ],
)
def test_a_strange_movement_is_refused_with_all_by_its_place(
    at_work: Office, facts: dict[str, Any], where: str
) -> None:
    with at_work.nothing_written():
        answer = post(at_work, movements=[on_wire(), on_wire(balance_transaction="txn_Other0001") | facts])

    assert (answer.status_code, answer.json()["where"]) == (422, where)
    assert "Invented" not in answer.text


def test_one_refused_movement_leaves_nothing_of_the_request(at_work: Office) -> None:
    untied = on_wire(balance_transaction="txn_Other0001", net={"amount": "1.00", "currency": "EUR"})

    with at_work.nothing_written():
        answer = post(at_work, movements=[on_wire(), untied])

    problem = answer.json()
    assert (answer.status_code, problem["where"], problem["movement"]) == (422, "net", 2)


def on_wire(**facts: Any) -> dict[str, Any]:
    """A gift of 100.00 as the wire has it."""
    known = {
        "balance_transaction": CHARGE.balance_transaction,
        "category": "charge",
        "gross": {"amount": "100.00", "currency": "EUR"},
        "fee": {"amount": "3.20", "currency": "EUR"},
        "net": {"amount": "96.80", "currency": "EUR"},
        "created_on": "2020-09-14",
        "purpose": "FINES",
        "source": CHARGE.source,
        "charge": CHARGE.charge,
    }
    return known | facts


def a_balance(minor: int) -> bytes:
    """The processor's balance in euros, as its API tells it."""
    told = {"object": "balance", "available": [{"amount": minor, "currency": "eur"}], "pending": []}
    return json.dumps(told).encode()
