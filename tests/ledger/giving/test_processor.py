from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from ledger import exceptions
from ledger.aliases import Kind, kind_of
from ledger.books import journal
from ledger.books.accounts import Account
from ledger.books.balances import balance, trial_balance
from ledger.books.journal import Entry, SourceKeyConflict
from ledger.errors import LedgerError
from ledger.exceptions import Difference
from ledger.giving import donations, processor
from ledger.giving.bookings import Reason
from ledger.giving.bookings import State as BookingState
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation, State
from ledger.giving.movements import Movement, UnknownMovement
from ledger.giving.processor import Booked
from ledger.money import Money
from tests import cards
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import (
    USD_CARD_LEAF,
    USD_TRANSIT,
    a_charge,
    a_dispute,
    a_fee,
    a_move,
    a_payout,
    a_refund,
    book,
    changed,
    usd,
)
from tests.cast import NOW, eur, nothing_written, race

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
RECIPES = {
    "charge": "card_gift",
    "refund": "gift_refunded",
    "dispute": "gift_disputed",
    "payout": "payout_created",
    "fee": "processor_fee",
}


def books(session: Session) -> dict[tuple[str, str], str]:
    """What stands where: account and fund to the signed balance; zeros are left out."""
    return {
        (one.account.code, one.fund): Money(one.minor, one.currency).decimal()
        for one in trial_balance(session)
        if one.minor
    }


def the_gift(session: Session) -> Donation:
    (donation,) = donations.listed(session)
    return donation


def test_a_charge_is_a_gift_for_the_fund_of_its_purpose(card_book: Session) -> None:
    (booked,) = book(card_book, CHARGE)

    gift = the_gift(card_book)
    assert (booked.recipe, booked.about, booked.fund, booked.replayed) == ("card_gift", gift.alias, "fines", False)
    assert (gift.state, gift.charge, gift.amount(), gift.refunded_minor) == (
        State.RECEIVED,
        "ch_Invented0001",
        eur("100.00"),
        0,
    )
    assert books(card_book) == {
        (CARD_LEAF, "fines"): "100.00",
        (CARD_LEAF, "general"): "-3.20",
        ("4000", "fines"): "-100.00",
        ("6000", "general"): "3.20",
    }


@pytest.mark.parametrize("purpose", [None, "NEVER"])
def test_a_charge_whose_purpose_nobody_knows_waits_in_the_fund_unassigned(
    card_book: Session, purpose: str | None
) -> None:
    (booked,) = book(card_book, changed(CHARGE, purpose=purpose))

    assert (booked.fund, the_gift(card_book).purpose_code) == ("unassigned", None)


def test_a_gift_is_refunded_in_its_fund_part_by_part(card_book: Session) -> None:
    (gift, refund) = book(card_book, CHARGE, a_refund(CHARGE, eur("40.00")))

    assert (refund.recipe, refund.about, refund.fund) == ("gift_refunded", gift.about, "fines")
    assert (the_gift(card_book).state, the_gift(card_book).refunded_minor) == (State.REFUNDED, 40_00)
    assert books(card_book)["4190", "fines"] == "40.00"
    assert books(card_book)[CARD_LEAF, "fines"] == "60.00"

    book(card_book, a_refund(CHARGE, eur("60.00"), nth=2))

    assert the_gift(card_book).refunded_minor == 100_00
    assert books(card_book) == {
        (CARD_LEAF, "general"): "-3.20",
        ("4000", "fines"): "-100.00",
        ("4190", "fines"): "100.00",
        ("6000", "general"): "3.20",
    }


def test_more_than_was_given_is_booked_as_the_fact_it_is_and_somebody_is_told(card_book: Session) -> None:
    book(card_book, CHARGE, a_refund(CHARGE, eur("60.00")))

    book(card_book, a_refund(CHARGE, eur("40.01"), nth=2), a_refund(CHARGE, eur("5.00"), nth=3))

    assert the_gift(card_book).refunded_minor == 105_01
    assert {(one.difference, one.minor) for one in exceptions.listed(card_book)} == {
        (Difference.OVER_REFUNDED, 1),
        (Difference.OVER_REFUNDED, 500),
    }


@pytest.mark.parametrize(("fee", "general"), [("0.25", "-3.45"), ("-3.20", None)])
def test_a_fee_that_comes_or_goes_with_a_refund_is_borne_by_general(
    card_book: Session, fee: str, general: str | None
) -> None:
    refund = a_refund(CHARGE, eur("100.00"))
    book(card_book, CHARGE, changed(refund, fee=eur(fee), net=refund.gross - eur(fee)))

    assert books(card_book).get((CARD_LEAF, "general")) == general
    assert books(card_book)["4190", "fines"] == "100.00"


def test_a_disputed_gift_is_receivable_and_general_bears_the_fee(card_book: Session) -> None:
    charge = a_charge(eur("200.00"))
    gift, booked = book(card_book, charge, a_dispute(charge, eur("200.00"), fee=eur("15.00")))

    dispute = card_book.exec(select(Dispute)).one()
    assert (booked.recipe, booked.about, booked.fund) == ("gift_disputed", dispute.alias, "fines")
    assert kind_of(dispute.alias) is Kind.DISPUTE
    assert (dispute.source, dispute.donation_alias, dispute.minor, dispute.fee_minor) == (
        "dp_Invented0001",
        gift.about,
        200_00,
        15_00,
    )
    assert the_gift(card_book).state is State.DISPUTED
    assert books(card_book) == {
        ("1150", "fines"): "200.00",
        (CARD_LEAF, "general"): "-15.00",
        ("4000", "fines"): "-200.00",
        ("6010", "general"): "15.00",
    }


@pytest.mark.parametrize("refund_first", [True, False])
def test_a_gift_that_is_refunded_in_part_and_disputed_is_disputed_in_whatever_order(
    card_book: Session, *, refund_first: bool
) -> None:
    both = [a_refund(CHARGE, eur("40.00")), a_dispute(CHARGE, eur("100.00"))]

    book(card_book, CHARGE, *(both if refund_first else reversed(both)))

    assert (the_gift(card_book).state, the_gift(card_book).refunded_minor) == (State.DISPUTED, 40_00)


@pytest.mark.parametrize("made", [a_refund, a_dispute])
def test_what_is_about_a_charge_that_never_came_waits_with_its_amount_and_is_booked_when_it_comes(
    card_book: Session, made: Callable[[Movement, Money], Movement]
) -> None:
    early = made(CHARGE, eur("40.00"))

    (waiting,) = book(card_book, early)

    assert (waiting.state, waiting.reason, waiting.recipe) == (BookingState.WAITING, Reason.CAUSE_MISSING, None)
    (opened,) = exceptions.listed(card_book)
    assert (opened.difference, opened.amount()) == (Difference.MOVEMENT_WAITS, early.net)
    assert journal.count(card_book) == 0

    book(card_book, CHARGE)

    assert journal.count(card_book) == 2
    assert exceptions.listed(card_book) == []
    (again,) = book(card_book, early)
    assert (again.state, again.replayed) == (BookingState.BOOKED, True)


def test_what_is_given_back_in_another_currency_than_the_gift_waits_for_a_person(card_book: Session) -> None:
    (_, waiting) = book(card_book, CHARGE, a_refund(CHARGE, usd("40.00")))

    assert (waiting.state, waiting.reason) == (BookingState.WAITING, Reason.OTHER_CURRENCY)


@pytest.mark.parametrize(("amount", "fees"), [("12.00", "12.00"), ("-12.00", "-12.00")])
def test_a_fee_by_itself_is_borne_by_general_and_may_come_back(card_book: Session, amount: str, fees: str) -> None:
    (booked,) = book(card_book, a_fee(eur(amount)))

    assert (booked.recipe, booked.about, booked.fund) == ("processor_fee", None, "general")
    assert balance(card_book, "6000", currency="EUR", fund="general") == eur(fees)
    assert balance(card_book, CARD_LEAF, currency="EUR", fund="general") == -eur(fees)


def test_the_worked_example_a_payout_in_dollars_takes_from_each_fund_what_it_has(card_book: Session) -> None:
    gift = a_charge(usd("6000.00"), fee=usd("180.00"), purpose="DETENTION")
    book(card_book, gift, a_dispute(gift, usd("150.00"), fee=usd("15.00")))
    assert (books(card_book)[USD_CARD_LEAF, "detention"], books(card_book)[USD_CARD_LEAF, "general"]) == (
        "5670.00",
        "-15.00",
    )

    (booked,) = book(card_book, a_payout(usd("5000.00")))

    assert (booked.recipe, booked.about, booked.fund) == ("payout_created", "po_Invented0001", None)
    assert (books(card_book)[USD_TRANSIT, "detention"], books(card_book)[USD_TRANSIT, "general"]) == (
        "5013.26",
        "-13.26",
    )
    assert (books(card_book)[USD_CARD_LEAF, "detention"], books(card_book)[USD_CARD_LEAF, "general"]) == (
        "656.74",
        "-1.74",
    )


def test_a_payout_with_a_fee_of_its_own(card_book: Session) -> None:
    payout = changed(a_payout(eur("50.00")), fee=eur("0.50"), net=eur("-50.50"))

    book(card_book, CHARGE, payout)

    assert balance(card_book, CARD_LEAF, currency="EUR") == eur("46.30")
    assert balance(card_book, "6000", currency="EUR", fund="general") == eur("3.70")


def test_without_a_leaf_in_the_currency_a_movement_waits_until_the_chart_has_it(founded: Session) -> None:
    gift, fee = a_charge(usd("7.00")), a_fee(usd("1.00"))
    waiting = book(founded, gift, fee, a_payout(eur("1.00")))
    assert [(one.state, one.reason) for one in waiting] == [(BookingState.WAITING, Reason.NO_LEAF)] * 3
    assert {(one.account_code, one.amount()) for one in exceptions.listed(founded)} == {
        ("1100", usd("7.00")),
        ("1100", usd("-1.00")),
        (CARD_LEAF, eur("-1.00")),
    }
    assert the_gift(founded).state is State.PENDING
    assert found(founded) == []

    cards.furnish(founded)
    booked = processor.refresh(founded, recorded_at=NOW, recorded_by=RECORDER)

    assert (booked, exceptions.listed(founded)) == ([], [])
    assert the_gift(founded).state is State.RECEIVED
    assert balance(founded, USD_CARD_LEAF, currency="USD") == usd("6.00")
    assert balance(founded, CARD_LEAF, currency="EUR") == eur("-1.00")
    assert found(founded) == []


def test_an_unknown_category_waits_and_nothing_is_guessed(card_book: Session) -> None:
    (waiting,) = book(card_book, a_move("climate_contribution", eur("-2.00")))

    assert (waiting.state, waiting.reason) == (BookingState.WAITING, Reason.UNKNOWN_CATEGORY)
    assert [one.amount() for one in exceptions.listed(card_book)] == [eur("-2.00")]
    assert journal.count(card_book) == 0


def test_what_moves_nothing_needs_no_entry(card_book: Session) -> None:
    (nothing,) = book(card_book, a_move("dispute", eur("0.00")))

    assert nothing.state is BookingState.MOVES_NOTHING
    assert (journal.count(card_book), exceptions.listed(card_book), found(card_book)) == (0, [], [])


def test_a_closed_leaf_is_no_leaf(card_book: Session) -> None:
    card_book.get_one(Account, "1050:eur").closed = True
    card_book.flush()

    (waiting,) = book(card_book, a_payout(eur("1.00")))

    assert waiting.reason is Reason.NO_LEAF


def a_season() -> list[Movement]:
    second = a_charge(eur("50.00"), nth=2, purpose="ALL")
    return [
        CHARGE,
        second,
        a_refund(CHARGE, eur("10.00")),
        a_dispute(second, eur("50.00")),
        a_fee(eur("1.00")),
        a_payout(eur("20.00")),
    ]


def test_a_replay_books_nothing_new_and_tells_the_same(card_book: Session) -> None:
    first = book(card_book, *a_season())

    with nothing_written(card_book):
        again = book(card_book, *reversed(a_season()))

    assert [told(one) for one in again] == [told(one) for one in reversed(first)]
    assert {one.replayed for one in first} == {False}
    assert {one.replayed for one in again} == {True}


def told(booked: Booked) -> tuple[str | None, str | None, str | None]:
    return booked.recipe, booked.about, booked.fund


def test_a_payout_is_a_replay_also_after_the_shares_have_changed(card_book: Session) -> None:
    book(card_book, CHARGE, a_payout(eur("50.00")), a_charge(eur("900.00"), nth=2, purpose="ALL"))

    with nothing_written(card_book):
        (again,) = book(card_book, a_payout(eur("50.00")))

    assert again.replayed


@pytest.mark.parametrize("movement", a_season(), ids=lambda movement: movement.category)
def test_the_same_balance_transaction_with_another_fee_is_a_conflict(card_book: Session, movement: Movement) -> None:
    book(card_book, *a_season())
    cent = eur("0.01")

    with nothing_written(card_book), pytest.raises(SourceKeyConflict):
        book(card_book, changed(movement, fee=movement.fee + cent, net=movement.net - cent))


def test_two_amounts_under_one_balance_transaction_are_both_booked(card_book: Session) -> None:
    fee = a_fee(eur("1.00"))

    book(card_book, fee, changed(fee, gross=eur("-0.19"), net=eur("-0.19")), fee)

    assert balance(card_book, "6000", currency="EUR", fund="general") == eur("1.19")
    assert journal.count(card_book) == 2


@pytest.mark.parametrize("movement", [one for one in a_season() if one.source], ids=lambda movement: movement.category)
def test_the_same_object_under_another_balance_transaction_moves_once_and_waits_then(
    card_book: Session, movement: Movement
) -> None:
    book(card_book, *a_season())

    (waiting,) = book(card_book, changed(movement, balance_transaction="txn_Another0001"))

    assert (waiting.state, waiting.reason) == (BookingState.WAITING, Reason.TWICE)
    assert journal.count(card_book) == len(a_season())


def test_one_refusal_leaves_nothing_of_all_and_tells_its_number(card_book: Session) -> None:
    untied = changed(a_fee(eur("1.00"), nth=2), net=eur("-1.01"))

    with nothing_written(card_book), pytest.raises(UnknownMovement) as refusal:
        book(card_book, *a_season(), untied)

    assert refusal.value.data == {"where": "net", "movement": 7}


def test_each_movement_is_one_entry_of_its_recipe_on_its_day(card_book: Session) -> None:
    season = a_season()

    book(card_book, *season)

    entries = card_book.exec(select(Entry).order_by(Entry.id)).all()  # type: ignore[arg-type]  # a column
    assert [(entry.source_key, entry.kind, entry.happened_on) for entry in entries] == [
        (f"stripe:{one.balance_transaction}:{one.gross.minor}", RECIPES[one.category], one.created_on) for one in season
    ]


def test_the_same_movement_at_once_is_booked_once(card_book: Session) -> None:
    book(card_book, CHARGE)
    card_book.commit()
    refund, dispute = a_refund(CHARGE, eur("100.00")), a_dispute(a_charge(eur("5.00"), nth=2), eur("5.00"))

    def send(session: Session) -> list[Booked]:
        return processor.book(
            session, [refund, a_charge(eur("5.00"), nth=2), dispute], recorded_at=NOW, recorded_by=RECORDER
        )

    answers = race(card_book, send, send, send)

    refused = [answer for answer in answers if isinstance(answer, LedgerError)]
    assert refused == []
    assert sorted(one.replayed for answer in answers if isinstance(answer, list) for one in answer) == [
        *[False] * 3,
        *[True] * 6,
    ]
    assert journal.count(card_book) == 4


def test_a_refund_and_its_charge_at_once_are_both_booked_in_the_end(card_book: Session) -> None:
    refund = a_refund(CHARGE, eur("60.00"))

    def sending(movement: Movement) -> Callable[[Session], list[Booked]]:
        return lambda session: processor.book(session, [movement], recorded_at=NOW, recorded_by=RECORDER)

    race(card_book, sending(refund), sending(CHARGE))

    card_book.expire_all()
    assert the_gift(card_book).refunded_minor == 60_00
    assert exceptions.listed(card_book) == []
