from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from ledger.aliases import Kind, kind_of
from ledger.books import journal
from ledger.books.accounts import Account
from ledger.books.balances import balance, trial_balance
from ledger.books.journal import Entry, SourceKeyConflict
from ledger.errors import LedgerError
from ledger.giving import donations, processor
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation, OverRefunded, State, UnknownCharge
from ledger.giving.leaves import NoLeaf
from ledger.giving.movements import BookedElsewhere, Movement, UnknownMovement
from ledger.giving.processor import Booked
from ledger.money import Money
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import (
    USD_CARD_LEAF,
    USD_TRANSIT,
    a_charge,
    a_dispute,
    a_fee,
    a_payout,
    a_refund,
    book,
    changed,
    usd,
)
from tests.cast import NOW, eur, nothing_written, race

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))


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


def test_a_charge_is_a_gift_for_the_fund_of_its_purpose(furnished: Session) -> None:
    (booked,) = book(furnished, CHARGE)

    gift = the_gift(furnished)
    assert (booked.recipe, booked.about, booked.fund, booked.replayed) == ("card_gift", gift.alias, "fines", False)
    assert (gift.state, gift.charge, gift.amount(), gift.refunded_minor) == (
        State.RECEIVED,
        "ch_Invented0001",
        eur("100.00"),
        0,
    )
    assert books(furnished) == {
        (CARD_LEAF, "fines"): "100.00",
        (CARD_LEAF, "general"): "-3.20",
        ("4000", "fines"): "-100.00",
        ("6000", "general"): "3.20",
    }


@pytest.mark.parametrize("purpose", [None, "NEVER"])
def test_a_charge_whose_purpose_nobody_knows_waits_in_the_fund_unassigned(
    furnished: Session, purpose: str | None
) -> None:
    (booked,) = book(furnished, changed(CHARGE, purpose=purpose))

    assert (booked.fund, the_gift(furnished).purpose_code) == ("unassigned", None)


def test_a_gift_is_refunded_in_its_fund_part_by_part(furnished: Session) -> None:
    (gift, refund) = book(furnished, CHARGE, a_refund(CHARGE, eur("40.00")))

    assert (refund.recipe, refund.about, refund.fund) == ("gift_refunded", gift.about, "fines")
    assert (the_gift(furnished).state, the_gift(furnished).refunded_minor) == (State.REFUNDED, 40_00)
    assert books(furnished)["4190", "fines"] == "40.00"
    assert books(furnished)[CARD_LEAF, "fines"] == "60.00"

    book(furnished, a_refund(CHARGE, eur("60.00"), nth=2))

    assert the_gift(furnished).refunded_minor == 100_00
    assert books(furnished) == {
        (CARD_LEAF, "general"): "-3.20",
        ("4000", "fines"): "-100.00",
        ("4190", "fines"): "100.00",
        ("6000", "general"): "3.20",
    }


def test_more_than_was_given_is_not_given_back(furnished: Session) -> None:
    book(furnished, CHARGE, a_refund(CHARGE, eur("60.00")))

    with nothing_written(furnished), pytest.raises(OverRefunded) as refusal:
        book(furnished, a_refund(CHARGE, eur("40.01"), nth=2))

    assert refusal.value.data == {
        "donation": the_gift(furnished).alias,
        "gift": "100.00 EUR",
        "refunded": "100.01 EUR",
        "movement": 1,
    }


@pytest.mark.parametrize(("fee", "general"), [("0.25", "-3.45"), ("-3.20", None)])
def test_a_fee_that_comes_or_goes_with_a_refund_is_borne_by_general(
    furnished: Session, fee: str, general: str | None
) -> None:
    refund = a_refund(CHARGE, eur("100.00"))
    book(furnished, CHARGE, changed(refund, fee=eur(fee), net=refund.gross - eur(fee)))

    assert books(furnished).get((CARD_LEAF, "general")) == general
    assert books(furnished)["4190", "fines"] == "100.00"


def test_a_disputed_gift_is_receivable_and_general_bears_the_fee(furnished: Session) -> None:
    charge = a_charge(eur("200.00"))
    gift, booked = book(furnished, charge, a_dispute(charge, eur("200.00"), fee=eur("15.00")))

    dispute = furnished.exec(select(Dispute)).one()
    assert (booked.recipe, booked.about, booked.fund) == ("gift_disputed", dispute.alias, "fines")
    assert kind_of(dispute.alias) is Kind.DISPUTE
    assert (dispute.source, dispute.donation_alias, dispute.minor, dispute.fee_minor) == (
        "dp_Invented0001",
        gift.about,
        200_00,
        15_00,
    )
    assert the_gift(furnished).state is State.DISPUTED
    assert books(furnished) == {
        ("1150", "fines"): "200.00",
        (CARD_LEAF, "general"): "-15.00",
        ("4000", "fines"): "-200.00",
        ("6010", "general"): "15.00",
    }


@pytest.mark.parametrize("refund_first", [True, False])
def test_a_gift_that_is_refunded_in_part_and_disputed_is_disputed_in_whatever_order(
    furnished: Session, *, refund_first: bool
) -> None:
    both = [a_refund(CHARGE, eur("40.00")), a_dispute(CHARGE, eur("100.00"))]

    book(furnished, CHARGE, *(both if refund_first else reversed(both)))

    assert (the_gift(furnished).state, the_gift(furnished).refunded_minor) == (State.DISPUTED, 40_00)


@pytest.mark.parametrize("made", [a_refund, a_dispute])
def test_what_is_about_a_charge_that_never_came_is_refused(
    furnished: Session, made: Callable[[Movement, Money], Movement]
) -> None:
    with nothing_written(furnished), pytest.raises(UnknownCharge) as refusal:
        book(furnished, made(CHARGE, eur("40.00")))

    assert refusal.value.data == {"currency": "EUR", "movement": 1}


def test_what_is_given_back_in_another_currency_than_the_gift_is_refused(furnished: Session) -> None:
    book(furnished, CHARGE)

    with nothing_written(furnished), pytest.raises(UnknownCharge):
        book(furnished, a_refund(CHARGE, usd("40.00")))


@pytest.mark.parametrize(("amount", "fees"), [("12.00", "12.00"), ("-12.00", "-12.00")])
def test_a_fee_by_itself_is_borne_by_general_and_may_come_back(furnished: Session, amount: str, fees: str) -> None:
    (booked,) = book(furnished, a_fee(eur(amount)))

    assert (booked.recipe, booked.about, booked.fund) == ("processor_fee", None, "general")
    assert balance(furnished, "6000", currency="EUR", fund="general") == eur(fees)
    assert balance(furnished, CARD_LEAF, currency="EUR", fund="general") == -eur(fees)


def test_the_worked_example_a_payout_in_dollars_takes_from_each_fund_what_it_has(furnished: Session) -> None:
    gift = a_charge(usd("6000.00"), fee=usd("180.00"), purpose="DETENTION")
    book(furnished, gift, a_dispute(gift, usd("150.00"), fee=usd("15.00")))
    assert (books(furnished)[USD_CARD_LEAF, "detention"], books(furnished)[USD_CARD_LEAF, "general"]) == (
        "5670.00",
        "-15.00",
    )

    (booked,) = book(furnished, a_payout(usd("5000.00")))

    assert (booked.recipe, booked.about, booked.fund) == ("payout_created", "po_Invented0001", None)
    assert (books(furnished)[USD_TRANSIT, "detention"], books(furnished)[USD_TRANSIT, "general"]) == (
        "5013.26",
        "-13.26",
    )
    assert (books(furnished)[USD_CARD_LEAF, "detention"], books(furnished)[USD_CARD_LEAF, "general"]) == (
        "656.74",
        "-1.74",
    )


def test_a_payout_with_a_fee_of_its_own(furnished: Session) -> None:
    payout = changed(a_payout(eur("50.00")), fee=eur("0.50"), net=eur("-50.50"))

    book(furnished, CHARGE, payout)

    assert balance(furnished, CARD_LEAF, currency="EUR") == eur("46.30")
    assert balance(furnished, "6000", currency="EUR", fund="general") == eur("3.70")


def test_without_a_leaf_in_the_currency_nothing_is_booked(founded: Session) -> None:
    for movement, account in ((a_charge(usd("1.00")), "1100"), (a_payout(eur("1.00")), "1050")):
        with nothing_written(founded), pytest.raises(NoLeaf) as refusal:
            book(founded, movement)

        assert (refusal.value.data["account"], refusal.value.data["currency"]) == (account, movement.net.currency)


def test_a_closed_leaf_is_no_leaf(furnished: Session) -> None:
    furnished.get_one(Account, "1050:eur").closed = True
    furnished.flush()

    with nothing_written(furnished), pytest.raises(NoLeaf):
        book(furnished, a_payout(eur("1.00")))


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


def test_a_replay_books_nothing_new_and_tells_the_same(furnished: Session) -> None:
    first = book(furnished, *a_season())

    with nothing_written(furnished):
        again = book(furnished, *reversed(a_season()))

    assert [told(one) for one in again] == [told(one) for one in reversed(first)]
    assert {one.replayed for one in first} == {False}
    assert {one.replayed for one in again} == {True}


def told(booked: Booked) -> tuple[str, str | None, str | None]:
    return booked.recipe, booked.about, booked.fund


def test_a_payout_is_a_replay_also_after_the_shares_have_changed(furnished: Session) -> None:
    book(furnished, CHARGE, a_payout(eur("50.00")), a_charge(eur("900.00"), nth=2, purpose="ALL"))

    with nothing_written(furnished):
        (again,) = book(furnished, a_payout(eur("50.00")))

    assert again.replayed


@pytest.mark.parametrize("movement", a_season(), ids=lambda movement: movement.category)
def test_the_same_balance_transaction_with_another_amount_is_a_conflict(furnished: Session, movement: Movement) -> None:
    book(furnished, *a_season())
    cent = eur("0.01")

    with nothing_written(furnished), pytest.raises(SourceKeyConflict):
        book(furnished, changed(movement, gross=movement.gross + cent, net=movement.net + cent))


@pytest.mark.parametrize("movement", [one for one in a_season() if one.source], ids=lambda movement: movement.category)
def test_the_same_object_under_another_balance_transaction_is_a_conflict(
    furnished: Session, movement: Movement
) -> None:
    book(furnished, *a_season())

    with nothing_written(furnished), pytest.raises(BookedElsewhere):
        book(furnished, changed(movement, balance_transaction="txn_Another0001"))


def test_one_refusal_leaves_nothing_of_all_and_tells_its_number(furnished: Session) -> None:
    untied = changed(a_fee(eur("1.00"), nth=2), net=eur("-1.01"))

    with nothing_written(furnished), pytest.raises(UnknownMovement) as refusal:
        book(furnished, *a_season(), untied)

    assert refusal.value.data == {"where": "net", "movement": 7}


def test_each_movement_is_one_entry_of_its_recipe_on_its_day(furnished: Session) -> None:
    season = a_season()

    book(furnished, *season)

    entries = furnished.exec(select(Entry).order_by(Entry.id)).all()  # type: ignore[arg-type]  # a column
    assert [(entry.source_key, entry.kind, entry.happened_on) for entry in entries] == [
        (f"stripe:{one.balance_transaction}", processor.RECIPES[one.category], one.created_on) for one in season
    ]


def test_the_same_movement_at_once_is_booked_once(furnished: Session) -> None:
    book(furnished, CHARGE)
    furnished.commit()
    refund, dispute = a_refund(CHARGE, eur("100.00")), a_dispute(a_charge(eur("5.00"), nth=2), eur("5.00"))

    def send(session: Session) -> list[Booked]:
        return processor.book(
            session, [refund, a_charge(eur("5.00"), nth=2), dispute], recorded_at=NOW, recorded_by=RECORDER
        )

    answers = race(furnished, send, send, send)

    refused = [answer for answer in answers if isinstance(answer, LedgerError)]
    assert refused == []
    assert sorted(one.replayed for answer in answers if isinstance(answer, list) for one in answer) == [
        *[False] * 3,
        *[True] * 6,
    ]
    assert journal.count(furnished) == 4


def test_two_refunds_at_once_do_not_give_back_more_than_was_given(furnished: Session) -> None:
    book(furnished, CHARGE)
    furnished.commit()

    def refunding(nth: int) -> Callable[[Session], list[Booked]]:
        refund = a_refund(CHARGE, eur("60.00"), nth=nth)
        return lambda session: processor.book(session, [refund], recorded_at=NOW, recorded_by=RECORDER)

    answers = race(furnished, refunding(1), refunding(2))

    assert [type(answer) for answer in answers if isinstance(answer, LedgerError)] == [OverRefunded]
    furnished.expire_all()
    assert the_gift(furnished).refunded_minor == 60_00
