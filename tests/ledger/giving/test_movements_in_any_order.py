"""What comes back, fails, is won or lost: each by its row of the recipes, in whatever order it is told."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from ledger import exceptions
from ledger.books import accounts, journal
from ledger.books.balances import balance
from ledger.exceptions import Difference
from ledger.giving import disputes, donations, payouts
from ledger.giving.disputes import DisputeIsDecided, UnknownDispute
from ledger.giving.donations import OverRefunded, State, WrongState
from ledger.giving.movements import Movement
from ledger.money import Money
from tests.bookcheck import BELOW_THE_ACTS, found
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import (
    DAY,
    TRANSIT,
    a_charge,
    a_dispute,
    a_dispute_won,
    a_fee,
    a_move,
    a_payout,
    a_payout_failure,
    a_refund,
    a_refund_failure,
    a_top_up,
    a_top_up_reversal,
    book,
    changed,
    paying_out,
    usd,
)
from tests.cast import NOW, eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
REFUND = a_refund(CHARGE, eur("40.00"))
DISPUTE = a_dispute(CHARGE, eur("100.00"))


def stands(session: Session, account: str, fund: str = "fines") -> Money:
    return balance(session, account, currency="EUR", fund=fund)


def the_gift(session: Session) -> donations.Donation:
    (gift,) = donations.listed(session)
    return gift


@pytest.mark.parametrize("order", list(permutations((CHARGE, REFUND, a_refund_failure(REFUND)))))
def test_a_refund_that_failed_is_owed(card_book: Session, order: Sequence[Movement]) -> None:
    for movement in order:
        book(card_book, movement)

    assert (stands(card_book, "4190"), stands(card_book, "2050")) == (eur("40.00"), eur("-40.00"))
    assert stands(card_book, CARD_LEAF) == eur("100.00")
    assert (the_gift(card_book).state, exceptions.listed(card_book)) == (State.REFUNDED, [])


@pytest.mark.parametrize("order", list(permutations((CHARGE, REFUND, a_refund_failure(REFUND, cancelled=True)))))
def test_a_refund_that_was_called_off_leaves_the_gift_as_it_was(card_book: Session, order: Sequence[Movement]) -> None:
    for movement in order:
        book(card_book, movement)

    assert (stands(card_book, "4190"), stands(card_book, "2050")) == (eur("0.00"), eur("0.00"))
    assert (the_gift(card_book).state, the_gift(card_book).refunded_minor) == (State.RECEIVED, 0)
    assert found(card_book) == []


@pytest.mark.parametrize("order", list(permutations((CHARGE, DISPUTE, a_dispute_won(DISPUTE, fee=eur("15.00"))))))
def test_a_dispute_that_was_won_brings_the_money_back_and_the_fee_where_it_is(
    card_book: Session, order: Sequence[Movement]
) -> None:
    for movement in order:
        book(card_book, movement)

    assert (stands(card_book, "1150"), stands(card_book, CARD_LEAF)) == (eur("0.00"), eur("100.00"))
    assert (stands(card_book, "6010", "general"), the_gift(card_book).state) == (eur("0.00"), State.WON)
    assert found(card_book) == []


def lose(session: Session, alias: str, *, days: int = 60) -> journal.Posted:
    on = DAY + timedelta(days=days)
    return disputes.lose(session, alias, on=on, recorded_at=NOW, recorded_by=RECORDER)[1]


def test_a_dispute_that_was_lost_lowers_the_income_of_its_fund_once(card_book: Session) -> None:
    book(card_book, CHARGE, DISPUTE)
    (dispute,) = disputes.listed(card_book)

    lost = lose(card_book, dispute.alias)

    assert (stands(card_book, "1150"), stands(card_book, "4195")) == (eur("0.00"), eur("100.00"))
    assert (dispute.state, the_gift(card_book).state) == (disputes.State.LOST, State.LOST)
    with nothing_written(card_book):
        assert lose(card_book, dispute.alias) == journal.Posted(lost.entry_id, replayed=True)
    assert found(card_book, but=BELOW_THE_ACTS) == []


def test_a_decided_dispute_is_not_decided_again(card_book: Session) -> None:
    book(card_book, CHARGE, DISPUTE, a_dispute_won(DISPUTE))
    (dispute,) = disputes.listed(card_book)

    with nothing_written(card_book), pytest.raises(DisputeIsDecided):
        lose(card_book, dispute.alias)
    with nothing_written(card_book), pytest.raises(DisputeIsDecided):
        disputes.reinstate(card_book, dispute, donation=the_gift(card_book), returned=eur("0.01"))
    with nothing_written(card_book), pytest.raises(UnknownDispute):
        lose(card_book, "D-0000-0000-0000")


@pytest.mark.parametrize("state", [State.PENDING, State.UNIDENTIFIED, State.DISPUTED, State.LOST])
def test_a_gift_that_is_not_here_is_not_given_back(card_book: Session, state: State) -> None:
    book(card_book, CHARGE)
    gift = the_gift(card_book)
    gift.state = state

    with pytest.raises(WrongState):
        donations.require_refundable(gift, eur("1.00"))


def test_no_more_than_what_is_left_of_a_gift_is_decided_to_be_given_back(card_book: Session) -> None:
    book(card_book, CHARGE, REFUND)

    donations.require_refundable(the_gift(card_book), eur("60.00"))
    with pytest.raises(OverRefunded):
        donations.require_refundable(the_gift(card_book), eur("60.01"))
    with nothing_written(card_book), pytest.raises(OverRefunded):
        donations.call_off_refund(card_book, the_gift(card_book), eur("40.01"))
    with nothing_written(card_book), pytest.raises(WrongState):
        donations.receive(card_book, the_gift(card_book))


OTHER = a_charge(eur("50.00"), fee=eur("1.00"), purpose="DETENTION", nth=2)
AUTOMATIC = paying_out(CHARGE, OTHER)
FAILURE = a_payout_failure(AUTOMATIC, on=DAY + timedelta(days=3))
AGAIN = changed(AUTOMATIC, balance_transaction="txn_PaidAgain0001", created_on=DAY + timedelta(days=60))


@pytest.mark.parametrize("order", list(permutations((CHARGE, OTHER, AUTOMATIC))))
def test_an_automatic_payout_is_split_as_its_transactions_are(card_book: Session, order: Sequence[Movement]) -> None:
    book(card_book, a_charge(eur("900.00"), purpose="ALL", nth=9))

    for movement in order:
        book(card_book, movement)

    assert {fund: stands(card_book, TRANSIT, fund) for fund in ("fines", "detention", "general")} == {
        "fines": eur("100.00"),
        "detention": eur("49.00"),
        "general": eur("-3.20"),
    }
    assert found(card_book) == []


def test_an_automatic_payout_that_is_not_what_it_pays_out_is_booked_and_told(card_book: Session) -> None:
    book(card_book, CHARGE, changed(paying_out(CHARGE), gross=eur("-97.80"), net=eur("-97.80")))

    assert [(one.difference, one.amount()) for one in exceptions.listed(card_book)] == [
        (Difference.PAYOUT_DIFFERS, eur("1.00"))
    ]
    assert balance(card_book, TRANSIT, currency="EUR") == eur("97.80")
    assert found(card_book) == []


@pytest.mark.parametrize("order", list(permutations((AUTOMATIC, FAILURE, AGAIN))))
def test_a_payout_that_failed_is_paid_again_months_later_in_whatever_order_that_is_told(
    card_book: Session, order: Sequence[Movement]
) -> None:
    book(card_book, CHARGE, OTHER)

    for movement in order:
        book(card_book, movement)

    first, second = payouts.listed(card_book)
    assert (first.state, first.created_on, first.failed_on) == (payouts.State.FAILED, DAY, FAILURE.created_on)
    assert (second.state, second.created_on, second.failed_on) == (payouts.State.CREATED, AGAIN.created_on, None)
    assert ({first.id, second.id}, first.source) == ({AUTOMATIC.source, f"{AUTOMATIC.source}:2"}, second.source)
    assert balance(card_book, TRANSIT, currency="EUR") == eur("145.80")
    assert balance(card_book, CARD_LEAF, currency="EUR") == eur("0.00")
    assert (exceptions.listed(card_book), found(card_book)) == ([], [])


def test_a_failure_is_of_what_left_before_it_and_one_that_is_of_nothing_waits(card_book: Session) -> None:
    early = changed(FAILURE, balance_transaction="txn_Early0001", created_on=DAY - timedelta(days=1))
    book(card_book, CHARGE, OTHER, AUTOMATIC)

    book(card_book, early)
    twice = changed(AGAIN, balance_transaction="txn_PaidTwice0001")
    book(card_book, FAILURE, AGAIN, twice, changed(FAILURE, balance_transaction="txn_FailedTwice0001"))

    assert [one.state for one in payouts.listed(card_book)] == [payouts.State.FAILED, payouts.State.CREATED]
    assert {one.about.split(":")[2] for one in exceptions.listed(card_book)} == {
        *("txn_Early0001", "txn_PaidTwice0001", "txn_FailedTwice0001")
    }
    assert found(card_book) == []


def test_fees_and_taxes_are_borne_by_general_also_in_another_currency_than_the_gift(card_book: Session) -> None:
    book(card_book, CHARGE, a_fee(usd("0.30")), a_move("tax", usd("-0.06")), a_move("network_cost", eur("-0.10")))

    assert balance(card_book, "6000", currency="USD", fund="general") == usd("0.36")
    assert stands(card_book, "6000", "general") == eur("3.30")


def test_a_reserve_is_every_funds_and_comes_back_as_it_went(card_book: Session) -> None:
    taken = a_move("risk_reserved_funds", eur("-30.00"))
    book(card_book, a_charge(eur("100.00")), a_charge(eur("50.00"), purpose="DETENTION", nth=2), taken)
    assert (stands(card_book, "1110"), stands(card_book, "1110", "detention")) == (eur("20.00"), eur("10.00"))

    book(card_book, a_move("risk_reserved_funds", eur("30.00"), nth=2))

    assert (stands(card_book, "1110"), stands(card_book, CARD_LEAF)) == (eur("0.00"), eur("100.00"))


def test_a_top_up_comes_out_of_transit(card_book: Session) -> None:
    book(card_book, a_top_up(eur("25.00")))

    assert stands(card_book, CARD_LEAF, "general") == eur("25.00")
    assert stands(card_book, TRANSIT, "general") == eur("-25.00")


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 5_000), ("KWD", 1_234)])
def test_currencies_without_decimals_and_with_three_are_exact(card_book: Session, currency: str, minor: int) -> None:
    accounts.add_leaf(card_book, f"1100:{currency.lower()}", name="A leaf", currency=currency)

    book(card_book, a_charge(Money(minor, currency), fee=Money(7, currency)), a_payout(eur("1.00")))

    assert balance(card_book, f"1100:{currency.lower()}", currency=currency) == Money(minor - 7, currency)


@pytest.mark.parametrize("category", ["partial_capture_reversal", "charge_failure"])
@pytest.mark.parametrize("source", ["re_Invented0001", CHARGE.source])
@pytest.mark.parametrize("charge_first", [True, False])
def test_what_was_not_captured_or_not_paid_is_given_back_once(
    card_book: Session, *, category: str, source: str, charge_first: bool
) -> None:
    back = changed(REFUND, category=category, source=source)
    for movement in (CHARGE, back) if charge_first else (back, CHARGE):
        book(card_book, movement)
    (again,) = book(card_book, changed(back, balance_transaction="txn_Again0001"))

    assert (stands(card_book, "4190"), stands(card_book, CARD_LEAF)) == (eur("40.00"), eur("60.00"))
    assert (the_gift(card_book).state, the_gift(card_book).refunded_minor) == (State.REFUNDED, 4_000)
    assert again.reason == "twice"
    assert found(card_book) == []


@pytest.mark.parametrize(
    "order", list(permutations((a_top_up(eur("50.00")), a_top_up_reversal(a_top_up(eur("50.00"))))))
)
def test_a_top_up_that_is_given_back_is_in_transit_no_more(card_book: Session, order: Sequence[Movement]) -> None:
    for movement in order:
        book(card_book, movement)
    (again,) = book(card_book, changed(order[0], balance_transaction="txn_Again0001"))

    assert balance(card_book, TRANSIT, currency="EUR") == balance(card_book, CARD_LEAF, currency="EUR") == eur("0.00")
    assert again.reason == "twice"


def test_a_part_of_a_top_up_that_goes_back_waits(card_book: Session) -> None:
    (_, part) = book(card_book, a_top_up(eur("50.00")), a_top_up_reversal(a_top_up(eur("49.99"))))

    assert (part.reason, stands(card_book, CARD_LEAF, "general")) == ("no_recipe", eur("50.00"))


def test_what_is_set_aside_stands_on_the_leaf_of_its_currency(card_book: Session) -> None:
    accounts.add_leaf(card_book, "1110:eur", name="A leaf", currency="EUR")
    book(card_book, a_charge(eur("100.00")), a_move("risk_reserved_funds", eur("-30.00")))
    assert (stands(card_book, "1110:eur"), stands(card_book, CARD_LEAF)) == (eur("30.00"), eur("70.00"))

    book(card_book, a_move("risk_reserved_funds", eur("30.00"), nth=2))

    assert stands(card_book, "1110:eur") == eur("0.00")
    assert found(card_book) == []


@pytest.mark.parametrize(
    "strange",
    [
        a_move("payout_minimum_balance_hold", eur("5.00")),
        a_move("payout_minimum_balance_release", eur("-5.00")),
        changed(a_dispute_won(DISPUTE), fee=eur("1.00"), net=eur("99.00")),
    ],
)
def test_what_goes_the_other_way_than_its_category_waits_for_a_person(card_book: Session, strange: Movement) -> None:
    """A minimum balance is held by taking it and released by giving it; a dispute that is won takes no fee."""
    book(card_book, CHARGE, DISPUTE)

    (waiting,) = book(card_book, strange)

    assert waiting.reason == "no_recipe"
