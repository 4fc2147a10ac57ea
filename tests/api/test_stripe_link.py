"""The real library of the processor talks to the invented one over HTTP; no database plays a part."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import stripe

from api.stripe_gateway import BadMovements
from api.stripe_link import (
    PAGE,
    TRIES,
    ProcessorKeyRefused,
    ProcessorRefused,
    ProcessorUnavailable,
    UnknownAtProcessor,
)
from examples.card_processor.account import SETTLING
from examples.card_processor.server import READS, Processor, Trouble
from ledger.giving.movements import Category, Movement
from ledger.giving.strays import Unreadable
from ledger.money import Money
from tests.canaries import sightings
from tests.cards import a_charge, paying_out, usd
from tests.cast import eur
from tests.processors import BEGAN, PULL_KEY, REFUND_KEY, a_processor, linked

PASSING = [Trouble.BUSY, Trouble.BROKEN, Trouble.CUT, Trouble.STALLED]


@pytest.fixture
def processor() -> Processor:
    """Three gifts: one given back in part, one called back, one in dollars; and a fee."""
    made = a_processor()
    account = made.account
    back, called, _ = (account.charge(5_000, coin, description="FINES") for coin in ("eur", "eur", "usd"))
    account.now += 60
    account.refund(back, 1_000)
    account.dispute(called)
    account.take_fee(25, "usd")
    return made


def test_everything_that_moved_is_pulled_with_its_charge_and_the_balance(processor: Processor) -> None:
    with linked(processor) as link:
        pulled = link.pull(0)

    told = [(second, one.category, one.charge) for second, one in pulled.movements]
    assert told == [
        (BEGAN, Category.CHARGE, "ch_Invented000001"),
        (BEGAN, Category.CHARGE, "ch_Invented000002"),
        (BEGAN, Category.CHARGE, "ch_Invented000003"),
        (BEGAN + 60, Category.REFUND, "ch_Invented000001"),
        (BEGAN + 60, Category.DISPUTE, "ch_Invented000002"),
        (BEGAN + 60, Category.FEE, None),
    ]
    assert pulled.balances == [eur("21.50"), usd("48.00")]
    assert {one.purpose for _, one in pulled.movements} == {"FINES", None}


def test_two_amounts_under_one_id_both_come_with_their_charge(processor: Processor) -> None:
    account = processor.account
    refund = next(one for one in account.transactions if one["reporting_category"] == "refund")
    account.transactions.append(refund | {"amount": -7, "net": -7})
    account.take_fee(30, "eur", more=6)

    with linked(processor) as link:
        moved = [one for _, one in link.pull(BEGAN + 60).movements]

    refunds = {(one.gross, one.charge) for one in moved if one.category == Category.REFUND}
    assert refunds == {(eur("-0.07"), "ch_Invented000001"), (eur("-10.00"), "ch_Invented000001")}
    assert {one.gross for one in moved if one.category == Category.FEE} == {eur("-0.30"), eur("-0.06"), usd("-0.25")}


def test_two_amounts_under_one_id_are_not_parted_by_a_page(processor: Processor) -> None:
    processor.account.take_fee(30, "eur", more=6)
    for _ in range(PAGE - 1):
        processor.account.take_fee(1, "usd")

    with linked(processor) as link:
        moved = [one for _, one in link.pull(BEGAN + 60).movements]

    assert {one.gross for one in moved} >= {eur("-0.30"), eur("-0.06")}
    assert len({(one.balance_transaction, one.gross) for one in moved}) == len(moved) == PAGE + 4


def test_a_pull_begins_where_it_is_told_to(processor: Processor) -> None:
    with linked(processor) as link:
        pulled = link.pull(BEGAN + 60)

    assert len(pulled.movements) == 3


def test_charges_are_never_read(processor: Processor) -> None:
    """They hold their giver's name and address: only what is about them is asked for by itself."""
    with linked(processor) as link:
        link.pull(0)

    assert sorted(set(processor.requests)) == [
        "GET /v1/balance",
        "GET /v1/balance_transactions",
        "GET /v1/balance_transactions/txn_Invented000004",
        "GET /v1/balance_transactions/txn_Invented000005",
    ]


def test_long_lists_are_read_page_by_page() -> None:
    processor = a_processor()
    for _ in range(2 * PAGE + 1):
        processor.account.charge(1_000, "eur")

    with linked(processor) as link:
        pulled = link.pull(0)

    names = [one.balance_transaction for _, one in pulled.movements]
    assert (len(names), names) == (2 * PAGE + 1, sorted(names))
    assert processor.requests.count("GET /v1/balance_transactions") == 3


def test_a_balance_that_does_not_rest_is_not_told(processor: Processor, monkeypatch: pytest.MonkeyPatch) -> None:
    with linked(processor) as link:
        answers = iter(range(100))
        monkeypatch.setattr(link, "_balance", lambda: [Money(next(answers), "EUR")])

        pulled = link.pull(0)

    assert (pulled.balances, len(pulled.movements)) == (None, 6)


def test_what_passes_is_tried_again_each_time_after_a_longer_pause(processor: Processor) -> None:
    pauses: list[float] = []
    with linked(processor, pauses=pauses) as link:
        undisturbed = link.pull(0)
        processor.troubles.extend(PASSING)
        disturbed = link.pull(0)

    assert disturbed == undisturbed
    assert len(pauses) == len(PASSING)
    assert all(before < after for before, after in pairwise(pauses))
    assert pauses[-1] <= 6


@pytest.mark.parametrize("trouble", [Trouble.BUSY, Trouble.BROKEN, Trouble.CUT])
def test_an_outage_is_told_after_a_bounded_number_of_tries(processor: Processor, trouble: Trouble) -> None:
    processor.troubles.extend([trouble] * TRIES)

    with linked(processor) as link, pytest.raises(ProcessorUnavailable):
        link.pull(0)

    assert len(processor.requests) == TRIES


def test_a_key_that_is_unknown_or_may_not_do_it_is_told_and_not_tried_again(processor: Processor) -> None:
    with linked(processor, key="rk_test_nobodys") as link, pytest.raises(ProcessorKeyRefused) as unknown:
        link.pull(0)
    with linked(processor, key=REFUND_KEY) as link, pytest.raises(ProcessorKeyRefused) as not_for_this:
        link.pull(0)
    with linked(processor) as link, pytest.raises(ProcessorKeyRefused) as no_refunds:
        link.refund("ch_Invented000003", usd("1.00"), order="Y-1")

    assert (unknown.value.data, not_for_this.value.data) == ({"status": 401}, {"status": 403, "right": "balance_read"})
    assert no_refunds.value.data == {"status": 403, "right": "charge_read"}
    assert len(processor.requests) == 3
    assert len(processor.account.refunds) == 1


@pytest.mark.parametrize(
    ("lacking", "right"),
    [
        ("balance", "balance_read"),
        ("balance_transactions", "balance_transaction_source_read"),
        ("payouts", "payout_read"),
    ],
)
def test_the_right_that_a_key_lacks_is_named(processor: Processor, lacking: str, right: str) -> None:
    processor.keys[PULL_KEY] = READS - {lacking}
    processor.account.pay_out(1_000, "usd")

    with linked(processor) as link, pytest.raises(ProcessorKeyRefused) as refused:
        link.pull(0)

    assert refused.value.data == {"status": 403, "right": right}
    assert right in (Path(__file__).parents[2] / "docs/processor-keys.md").read_text(encoding="utf-8")


def test_a_payout_tells_what_comes_to_the_bank_in_its_currency(processor: Processor) -> None:
    processor.account.pay_out(1_000, "usd", arriving=(912, "eur"))

    with linked(processor) as link:
        (payout,) = (one for _, one in link.pull(0).movements if one.category == Category.PAYOUT)

    assert (payout.gross, payout.arriving) == (usd("-10.00"), eur("9.12"))


def test_what_the_processor_does_not_know_is_told_without_its_words(processor: Processor) -> None:
    with linked(processor, key=REFUND_KEY) as link:
        with pytest.raises(UnknownAtProcessor) as unknown:
            link.find_refund("re_kanarejka")
        with pytest.raises(ProcessorRefused) as too_much:
            link.refund("ch_Invented000003", usd("50.01"), order="Y-1")

    assert too_much.value.data == {"status": 400, "code": "amount_too_large"}
    for refusal in (unknown.value, too_much.value):
        assert sightings(("kanarejka", "much left"), f"{refusal!r} {refusal.data}".encode()) == []
        assert refusal.__suppress_context__


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", None), ("created", 10**18), ("amount", 1.5), ("currency", "x"), ("net", 1), ("object", "charge")],
)
def test_what_cannot_be_read_stands_by_itself(processor: Processor, field: str, value: object) -> None:
    strange = processor.account.transactions[-1]
    net = None if field == "currency" else Money(1 if field == "net" else strange["net"], strange["currency"].upper())
    strange[field] = value

    with linked(processor) as link:
        pulled = link.pull(0)

    (unreadable,) = pulled.unreadable
    assert len(pulled.movements) == len(processor.account.transactions) - 1
    assert (unreadable.name == strange["id"], unreadable.net) == ((False, None) if field == "id" else (True, net))


def test_what_tells_its_money_and_nothing_else_waits_for_a_person(processor: Processor) -> None:
    dispute, fee = processor.account.transactions[-2:]
    dispute["source"] = None
    fee["reporting_category"] = "Fee, perhaps"

    with linked(processor) as link:
        pulled = link.pull(0)

    told = {one.balance_transaction: one for _, one in pulled.movements if isinstance(one, Movement)}
    assert (told[dispute["id"]].source, told[dispute["id"]].net.minor) == (None, dispute["net"])
    assert (told[fee["id"]].category, told[fee["id"]].net.minor) == ("unreadable", fee["net"])
    assert pulled.unreadable == []


def test_what_the_processor_lists_and_does_not_tell_of_is_unreadable_until_it_does(
    processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = processor.account.transactions[-3]
    answer = Processor.answer

    def without_it(self: Processor, method: str, path: str, *rest: Any) -> Any:
        return answer(self, method, path.replace(refund["id"], "txn_Never0001"), *rest)

    with linked(processor) as link:
        with monkeypatch.context() as silent:
            silent.setattr(Processor, "answer", without_it)
            pulled = link.pull(0, unread=["txn_Never0001"])
        again = link.pull(BEGAN + 10**6, unread=[refund["id"]])

    assert pulled.unreadable == [Unreadable(refund["id"], eur("-10.00"))]
    assert [one.balance_transaction for _, one in again.movements] == [refund["id"]]


def test_a_list_that_does_not_go_on_is_refused(processor: Processor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.stripe_link.PAGE", 2)
    for number, one in enumerate(processor.account.transactions):
        one["id"] = number

    with linked(processor) as link, pytest.raises(BadMovements):
        link.pull(0)


def test_a_payout_that_is_asked_for_again_and_known_no_more_holds_nothing_up(processor: Processor) -> None:
    gone = paying_out(a_charge(eur("1.00")))

    with linked(processor) as link:
        pulled = link.pull(BEGAN + 60, again=[gone])

    assert [second for second, _ in pulled.movements] == [0, *[BEGAN + 60] * 3]
    assert pulled.movements[0][1] == replace(gone, transactions=())


def test_payouts_come_with_what_is_in_them_if_they_are_automatic(processor: Processor) -> None:
    processor.account.now += SETTLING
    automatic = processor.account.pay_out_automatically("eur")
    processor.account.now += 1
    by_hand = processor.account.pay_out(1_000, "usd")
    processor.account.arrive(by_hand)

    with linked(processor) as link:
        moved = {one.source: one for _, one in link.pull(0).movements if one.category == Category.PAYOUT}

    nets = {one["id"]: one["net"] for one in processor.account.transactions}
    items = moved[automatic].transactions
    assert items is not None
    (left,) = (one["net"] for one in processor.account.transactions if one["source"] == automatic)
    assert sum(nets[name] for name in items) == -left
    assert moved[by_hand].transactions is None


# --- refunds


def test_a_refund_whose_answer_is_lost_is_done_once(processor: Processor) -> None:
    processor.troubles.extend([Trouble.NONE, Trouble.LOST])

    with linked(processor, key=REFUND_KEY) as link:
        told = link.refund("ch_Invented000003", usd("10.00"), order="Y-1")
        again = link.refund("ch_Invented000003", usd("10.00"), order="Y-1")

    assert told == again
    assert [one["amount"] for one in processor.account.refunds.values()] == [1_000, 1_000]


def test_a_refund_with_decimals_that_the_processor_does_not_take_is_not_asked_for(processor: Processor) -> None:
    before = list(processor.account.refunds)

    with linked(processor, key=REFUND_KEY) as link, pytest.raises(ProcessorRefused):
        link.refund("ch_Invented000003", Money.parse("5.20", "MGA"), order="Y-1")

    assert list(processor.account.refunds) == before


def test_a_refund_is_found_when_the_processor_has_forgotten_its_key(processor: Processor) -> None:
    with linked(processor, key=REFUND_KEY) as link:
        told = link.refund("ch_Invented000003", usd("10.00"), order="Y-1")
        processor.answered.clear()
        again = link.refund("ch_Invented000003", usd("10.00"), order="Y-1")
        other = link.refund("ch_Invented000003", usd("10.00"), order="Y-2")

    assert told == again != other


def test_a_refund_that_fails_later_says_so(processor: Processor) -> None:
    with linked(processor, key=REFUND_KEY) as link:
        told = link.refund("ch_Invented000003", usd("10.00"), order="Y-1")
        processor.account.undo_refund(told.id)

        assert (told.state, link.find_refund(told.id).state) == ("succeeded", "failed")


@pytest.mark.parametrize("prefix", ["re_", "pyr_", "dp_", "du_"])
def test_each_kind_of_object_that_is_about_a_charge_is_asked_which(processor: Processor, prefix: str) -> None:
    """The processor names refunds and disputes by two prefixes each: of payments by card, and of others."""
    account = processor.account
    moved = account.transactions[-2 if prefix.startswith("d") else -3]
    things = account.disputes if prefix.startswith("d") else account.refunds
    source = things.pop(moved["source"])
    moved["source"] = source["id"] = f"{prefix}Other0001"
    things[source["id"]] = source

    with linked(processor) as link:
        pulled = link.pull(0)

    told = {one.source: one.charge for _, one in pulled.movements if isinstance(one, Movement)}
    assert told[f"{prefix}Other0001"] == source["charge"]
    assert pulled.unreadable == []


def test_the_library_tells_nobody_how_fast_the_processor_answers(processor: Processor) -> None:
    with linked(processor):
        assert stripe.enable_telemetry is False
