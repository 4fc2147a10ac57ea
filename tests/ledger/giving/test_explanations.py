"""What no recipe books by itself is booked as what a person says it was: nothing waits for ever."""

from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from ledger import exceptions
from ledger.books.balances import balance
from ledger.errors import LedgerError
from ledger.exceptions import Difference
from ledger.giving import donations, payouts
from ledger.giving.bookings import UnknownBooking
from ledger.giving.donations import OverRefunded
from ledger.giving.explanations import CannotBe, UnknownGift, What
from ledger.giving.movements import Movement
from ledger.giving.plans import MustWait
from ledger.giving.processor import Booked, IsBooked
from ledger.money import Money
from ledger.reconciliation import processor
from tests.bookcheck import BELOW_THE_ACTS
from tests.bookcheck import found as found_by
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import (
    TRANSIT,
    USD_CARD_LEAF,
    a_charge,
    a_dispute,
    a_fee,
    a_move,
    a_payout,
    a_refund,
    a_refund_failure,
    a_top_up,
    changed,
    paying_out,
    usd,
)
from tests.cast import NOW, eur, nothing_written

found = partial(found_by, but=BELOW_THE_ACTS)
GIFT = a_charge(eur("100.00"), fee=eur("3.20"))


def receive(session: Session, *some: Movement) -> list[Booked]:
    return processor.receive(session, some, received_at=NOW, received_by=RECORDER)


def explain(
    session: Session, movement: Movement, what: What, *, gift: str | None = None, counted: Money | None = None
) -> Booked:
    return processor.explain(
        session,
        movement.balance_transaction,
        gross=movement.gross,
        what=what,
        gift=gift,
        counted=counted,
        explained_at=NOW,
        explained_by=RECORDER,
    )


def on(session: Session, account: str, *, currency: str = "EUR") -> Money:
    return balance(session, account, currency=currency)


def not_booked(session: Session) -> list[Money | None]:
    return [one.amount() for one in exceptions.listed(session) if one.difference is Difference.MOVEMENT_WAITS]


@pytest.mark.parametrize(
    ("what", "amount", "recipe", "account"),
    [
        (What.COST, "-7.00", "processor_fee", "6000"),
        (What.COST, "7.00", "processor_fee", "6000"),
        (What.LOSS, "-7.00", "lost_at_processor", "6200"),
        (What.LOSS, "7.00", "loss_returned", "6200"),
        (What.RESERVE, "-7.00", "reserve_taken", "1110"),
        (What.OTHER_INCOME, "7.00", "other_income", "4300"),
        (What.GIFT, "7.00", "card_gift", "4000"),
        (What.TRANSFER, "-7.00", "payout_created", TRANSIT),
        (What.TRANSFER, "7.00", "top_up_arrived", TRANSIT),
    ],
)
def test_what_nobody_knows_is_booked_as_what_a_person_says(
    card_book: Session, what: What, amount: str, recipe: str, account: str
) -> None:
    waiting = changed(a_move("other_adjustment", eur(amount)), fee=eur("0.50"), net=eur(amount) - eur("0.50"))
    receive(card_book, a_charge(eur("20.00")), waiting)
    before = on(card_book, account)

    booked = explain(card_book, waiting, what)

    assert (booked.state, booked.recipe) == ("booked", recipe)
    assert on(card_book, account) - before == -eur(amount) - (eur("-0.50") if account == "6000" else eur("0.00"))
    assert on(card_book, CARD_LEAF) == eur("20.00") + waiting.net
    assert not_booked(card_book) == []
    assert found(card_book) == []
    with nothing_written(card_book), pytest.raises(IsBooked):
        explain(card_book, waiting, what)


def test_what_is_explained_was_awaited(card_book: Session) -> None:
    unknown = a_move("other_adjustment", eur("5.00"))
    (_, waiting, payout) = receive(card_book, GIFT, unknown, paying_out(GIFT, unknown))
    assert (waiting.reason, payout.reason) == ("unknown_category", "cause_missing")

    explain(card_book, unknown, What.OTHER_INCOME)

    assert [one.minor for one in payouts.listed(card_book)] == [101_80]
    assert (on(card_book, CARD_LEAF), not_booked(card_book)) == (eur("0.00"), [])


def test_a_refund_in_another_currency_is_counted_in_the_gifts(card_book: Session) -> None:
    refund = a_refund(GIFT, usd("60.00"))
    (_, waiting) = receive(card_book, GIFT, refund)
    (gift,) = donations.listed(card_book)
    assert waiting.reason == "other_currency"

    explain(card_book, refund, What.REFUND, gift=gift.alias, counted=eur("50.00"))

    assert (gift.refunded_minor, on(card_book, "4190")) == (50_00, eur("50.00"))
    assert on(card_book, USD_CARD_LEAF, currency="USD") == usd("-60.00")
    assert on(card_book, "3900") == eur("-50.00")
    assert found(card_book) == []


def test_a_refund_of_a_charge_that_never_comes_is_of_the_gift_that_is_named_and_may_come_back(
    card_book: Session,
) -> None:
    refund = a_refund(a_charge(eur("9.00"), nth=7), eur("9.00"), nth=7)
    failure = changed(a_refund_failure(refund, nth=7), source="re_Other0001", cancelled=True)
    receive(card_book, GIFT, refund, failure)
    (gift,) = donations.listed(card_book)

    explain(card_book, refund, What.REFUND, gift=gift.alias)
    assert (gift.refunded_minor, gift.state) == (9_00, donations.State.REFUNDED)
    explain(card_book, failure, What.REFUND, gift=gift.alias)

    assert (gift.refunded_minor, on(card_book, "4190")) == (0, eur("0.00"))
    assert (found(card_book), not_booked(card_book)) == ([], [])


def test_more_than_was_given_is_booked_and_told(card_book: Session) -> None:
    refund = a_refund(a_charge(eur("9.00"), nth=7), eur("109.00"), nth=7)
    receive(card_book, GIFT, refund)
    (gift,) = donations.listed(card_book)

    explain(card_book, refund, What.REFUND, gift=gift.alias)

    told = {(one.difference.value, one.minor) for one in exceptions.listed(card_book)}
    assert ("over_refunded", 9_00) in told


@pytest.mark.parametrize(
    ("first", "again", "what", "recipe"),
    [
        (GIFT, changed(GIFT, balance_transaction="txn_Again0001"), What.GIFT, "card_gift"),
        (
            a_payout(eur("5.00")),
            changed(a_payout(eur("5.00")), balance_transaction="txn_Again0001"),
            What.TRANSFER,
            "payout_created",
        ),
        (
            a_top_up(eur("5.00")),
            changed(a_top_up(eur("5.00")), balance_transaction="txn_Again0001"),
            What.TRANSFER,
            "top_up_arrived",
        ),
    ],
)
def test_what_moved_twice_is_booked_once_more_when_a_person_says_so(
    card_book: Session, first: Movement, again: Movement, what: What, recipe: str
) -> None:
    (_, waiting) = receive(card_book, first, again)
    assert waiting.reason == "twice"

    assert explain(card_book, again, what).recipe == recipe

    assert on(card_book, CARD_LEAF) == first.net + again.net
    assert found(card_book) == []


def test_a_dispute_of_a_charge_that_never_comes_is_a_loss_with_its_fee(card_book: Session) -> None:
    dispute = a_dispute(a_charge(eur("9.00"), nth=7), eur("9.00"))
    receive(card_book, dispute)

    explain(card_book, dispute, What.LOSS)

    assert (on(card_book, "6200"), on(card_book, "6000")) == (eur("9.00"), eur("15.00"))
    assert found(card_book) == []


def test_without_a_leaf_nothing_is_explained(founded: Session) -> None:
    yen = a_charge(Money(500, "JPY"))
    receive(founded, yen)

    with nothing_written(founded), pytest.raises(MustWait):
        explain(founded, yen, What.GIFT)


@pytest.mark.parametrize(
    ("amount", "what", "named", "error"),
    [
        ("-7.00", What.GIFT, {}, CannotBe),
        ("-7.00", What.OTHER_INCOME, {}, CannotBe),
        ("-7.00", What.REFUND, {}, CannotBe),
        ("-7.00", What.COST, {"gift": "Y-7K3M-22QX-9XNN"}, CannotBe),
        ("-7.00", What.COST, {"counted": eur("1.00")}, CannotBe),
        ("-7.00", What.REFUND, {"gift": "Y-7K3M-22QX-9XNN"}, UnknownGift),
        ("-7.00", What.REFUND, {"gift": "own", "counted": eur("1.00")}, CannotBe),
        ("-7.00", What.REFUND, {"gift": "own", "counted": usd("1.00")}, CannotBe),
        ("7.00", What.REFUND, {"gift": "own"}, OverRefunded),
    ],
)
def test_what_it_cannot_be_is_refused(
    card_book: Session, amount: str, what: What, named: dict[str, Any], error: type[LedgerError]
) -> None:
    waiting = a_move("other_adjustment", eur(amount))
    receive(card_book, GIFT, waiting)
    own = {"gift": donations.listed(card_book)[0].alias} if named.get("gift") == "own" else {}

    with nothing_written(card_book), pytest.raises(error):
        explain(card_book, waiting, what, **(named | own))


@pytest.mark.parametrize(
    "said", [{"gross": eur("-7.01")}, {"gross": usd("-7.00")}, {"balance_transaction": "txn_None"}]
)
def test_another_movement_is_not_explained(card_book: Session, said: dict[str, object]) -> None:
    waiting = a_move("other_adjustment", eur("-7.00"))
    receive(card_book, waiting)

    with nothing_written(card_book), pytest.raises(UnknownBooking):
        explain(card_book, changed(waiting, **said), What.COST)


def test_what_is_booked_by_itself_is_not_explained(card_book: Session) -> None:
    fee = a_fee(eur("1.00"))
    receive(card_book, fee)

    with nothing_written(card_book), pytest.raises(IsBooked):
        explain(card_book, fee, What.LOSS)
