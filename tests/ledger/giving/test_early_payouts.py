"""A payout that the bank showed first is a gift nobody can place, until the processor tells: then it has arrived."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, select

from ledger import exceptions
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.books import accounts, balances
from ledger.books.journal import Entry
from ledger.exceptions import Difference
from ledger.giving import donations, early_payouts, payouts
from ledger.giving.donations import Donation, State, WrongState
from ledger.giving.early_payouts import NotThisPayout, UnknownPayout
from ledger.giving.movements import Movement
from ledger.giving.steps import GiftStep
from ledger.money import Money
from ledger.people import Role
from ledger.reconciliation import processor
from ledger.reconciliation.answers import Answer
from ledger.storage import guards
from tests.bookcheck import assert_it_holds, found
from tests.cards import DAY, TRANSIT, a_charge, a_payout, a_payout_failure, changed, paying_out
from tests.cast import LEAF, NOW, House, byn, engine_of, eur, nothing_written, race
from tests.coffers import joins
from tests.given import (
    a_stray_gift,
    answer,
    ask_back,
    match,
    place_conditional,
    shown,
    signed,
    tell_payout,
    the_exception,
)
from tests.office import on_one_database
from tests.purses import EUR_LEAF

PAID = eur("96.80")
NEXT_DAY = DAY + timedelta(days=1)
CHARGE = a_charge(eur("200.00"), fee=eur("6.40"))
PAYOUT = "po_Invented0001"


@pytest.fixture
def carded(house: House) -> House:
    """200.00 EUR for fines by card, the fee of 6.40 borne by general; the bank showed 96.80 EUR the day after."""
    for leaf in (EUR_LEAF, "1100:eur", TRANSIT):
        accounts.add_leaf(house.session, leaf, name="A leaf", currency="EUR")
    told(house, CHARGE)
    a_stray_gift(house, PAID, on=NEXT_DAY, leaf=EUR_LEAF)
    return house


def told(house: House, *moved: Movement) -> None:
    """The processor tells."""
    processor.receive(house.session, moved, received_at=NOW, received_by=house.fund.clara.alias)
    house.session.commit()


def balance(house: House, account: str, fund: str | None = None) -> Money:
    return balances.balance(house.session, account, currency="EUR", fund=fund)


def the_stray(house: House) -> Donation:
    """The first that the bank showed."""
    found = [one for one in donations.listed(house.session) if one.source is donations.Source.BANK]
    return min(found, key=lambda one: (one.received_on, one.source_key))


def differences(house: House) -> list[Difference]:
    return [one.difference for one in exceptions.listed(house.session) if one.difference is not Difference.BELOW_ZERO]


def entries(house: House) -> int:
    return len(house.session.exec(select(Entry.id)).all())


def test_the_payout_arrives_in_the_gifts_place_once(carded: House) -> None:
    assert balance(carded, "2000") == -PAID

    told(carded, a_payout(PAID))
    standing = entries(carded)
    told(carded, a_payout(PAID))

    (payout,) = payouts.listed(carded.session)
    assert (payout.state, payout.paid_on, the_stray(carded).state) == (payouts.State.PAID, NEXT_DAY, State.NO_GIFT)
    assert (balance(carded, "2000"), balance(carded, TRANSIT)) == (eur("0.00"), eur("0.00"))
    assert balance(carded, EUR_LEAF, "unassigned") == eur("0.00")
    assert (balance(carded, EUR_LEAF, "fines"), balance(carded, EUR_LEAF, "general")) == (eur("100.00"), eur("-3.20"))
    assert (entries(carded), differences(carded)) == (standing, [])
    assert_it_holds(engine_of(carded.session))


@on_one_database
def test_what_the_payout_brings_is_settled_and_goes_back_with_it(carded: House) -> None:
    one = a_charge(PAID, nth=2)
    payout = paying_out(one)

    told(carded, one, payout)

    assert {gift.state for gift in donations.listed(carded.session) if gift.charge == one.charge} == {State.SETTLED}
    told(carded, a_payout_failure(payout, on=NEXT_DAY))
    shown(carded, -PAID, on=NEXT_DAY, leaf=EUR_LEAF)
    assert (balance(carded, EUR_LEAF), balance(carded, TRANSIT)) == (eur("0.00"), eur("0.00"))
    assert_it_holds(engine_of(carded.session))


@on_one_database
def test_a_payout_in_another_currency_takes_the_gifts_place(carded: House) -> None:
    stray = a_stray_gift(carded, byn("300.00"), on=NEXT_DAY)

    told(carded, changed(a_payout(PAID), arriving=byn("300.00")))

    assert (stray.state, balance(carded, "2000")) == (State.NO_GIFT, -PAID)
    assert balances.balance(carded.session, LEAF, currency="BYN") == byn("300.00")
    assert_it_holds(engine_of(carded.session))


@on_one_database
@pytest.mark.parametrize(
    "payout",
    [
        a_payout(PAID + eur("0.01")),
        a_payout(PAID, on=NEXT_DAY + timedelta(days=1)),
        a_payout(PAID, on=NEXT_DAY - timedelta(days=11)),
    ],
)
def test_another_amount_or_time_is_another_payout(carded: House, payout: Movement) -> None:
    told(carded, payout)

    assert (the_stray(carded).state, balance(carded, "2000")) == (State.UNIDENTIFIED, -PAID)


@on_one_database
def test_of_two_gifts_a_person_says_which_it_was(carded: House) -> None:
    second = a_stray_gift(carded, PAID, on=NEXT_DAY + timedelta(days=1), leaf=EUR_LEAF)
    told(carded, a_payout(PAID))
    assert differences(carded) == [Difference.AMBIGUOUS_PAYOUT]

    with nothing_written(carded.session), pytest.raises(NotInRole):
        tell_payout(carded, second, PAYOUT, by=carded.fund.boris)
    for lie in ({"amount": "1.00"}, {"payee_commitment": "0" * 64}, {"version": 2}):
        with nothing_written(carded.session), pytest.raises(ActDiffers):
            tell_payout(carded, second, PAYOUT, **lie)
    with nothing_written(carded.session), pytest.raises(UnknownPayout):
        tell_payout(carded, second, "po_Invented0002")
    tell_payout(carded, second, PAYOUT)

    assert (second.state, balance(carded, "2000"), differences(carded)) == (State.NO_GIFT, -PAID, [])
    with nothing_written(carded.session), pytest.raises(WrongState):
        tell_payout(carded, second, PAYOUT)
    with nothing_written(carded.session), pytest.raises(UnknownPayout):
        tell_payout(carded, the_stray(carded), PAYOUT)
    assert_it_holds(engine_of(carded.session))


def test_two_who_say_at_once_which_gift_it_was_say_it_once(carded: House) -> None:
    a_stray_gift(carded, PAID, on=NEXT_DAY + timedelta(days=1), leaf=EUR_LEAF)
    told(carded, a_payout(PAID))
    acts = {
        one.alias: signed(
            "tell_payout",
            one.alias,
            by=carded.fund.clara,
            of=PAID,
            commitment=early_payouts.commitment(donation=one.alias, payout=PAYOUT),
        )
        for one in donations.listed(carded.session)
        if one.state is State.UNIDENTIFIED
    }

    def run(own: Session) -> Donation:
        alias, agreed = acts.popitem()
        return early_payouts.tell(own, alias, payout=PAYOUT, agreed=agreed)

    answers = race(carded.session, run, run)

    assert sorted(type(one).__name__ for one in answers) == ["Donation", "UnknownPayout"]


@pytest.mark.parametrize(("place", "account"), [(match, "4000"), (place_conditional, "2300")])
def test_what_somebody_matched_first_is_a_payout_when_another_treasurer_says_so(
    carded: House, place: Callable[[House, Donation], Donation], account: str
) -> None:
    place(carded, the_stray(carded))
    told(carded, a_payout(PAID))
    (waiting,) = payouts.listed(carded.session)
    facts: dict[str, Any] = {"account": TRANSIT, "about": waiting.source_key, "amount": PAID, "on": NOW.date()}
    exceptions.open_once(carded.session, difference=Difference.PAYOUT_NOT_SEEN, **facts)
    other = joins(carded, Role.TREASURER)
    with nothing_written(carded.session), pytest.raises(SamePerson):
        tell_payout(carded, the_stray(carded), PAYOUT)

    tell_payout(carded, the_stray(carded), PAYOUT, by=other)

    (payout,) = payouts.listed(carded.session)
    assert (payout.state, payout.paid_on, the_stray(carded).state) == (payouts.State.PAID, NEXT_DAY, State.NO_GIFT)
    gifts = eur("-200.00") if account == "4000" else eur("0.00")  # by card
    assert (balance(carded, account, "fines"), balance(carded, TRANSIT)) == (gifts, eur("0.00"))
    assert (balance(carded, EUR_LEAF, "fines"), balance(carded, EUR_LEAF, "general")) == (eur("100.00"), eur("-3.20"))
    assert differences(carded) == []
    assert_it_holds(engine_of(carded.session))
    with nothing_written(carded.session), pytest.raises(WrongState):
        tell_payout(carded, the_stray(carded), PAYOUT, by=other)
    guards.remove(carded.session.connection())
    carded.session.connection().execute(update(GiftStep).values(taken_by=carded.fund.clara.alias))
    assert [one.check for one in found(carded.session, by=("signed", "four-eyes"))] == ["signed", "four-eyes"]
    carded.session.rollback()


@on_one_database
def test_a_gift_that_goes_back_is_no_payout(carded: House) -> None:
    ask_back(carded, the_stray(carded), eur("1.00"), leaf=EUR_LEAF)

    told(carded, a_payout(PAID))

    assert the_stray(carded).state is State.UNIDENTIFIED
    with nothing_written(carded.session), pytest.raises(NotThisPayout):
        tell_payout(carded, the_stray(carded), PAYOUT)


@on_one_database
def test_what_somebody_said_is_a_gift_stays_one(carded: House) -> None:
    told(carded, a_payout(eur("50.00")), a_payout(eur("50.00"), nth=2))
    shown(carded, eur("50.00"), on=NEXT_DAY, leaf=EUR_LEAF)
    answer(carded, the_exception(carded), Answer.GIFT)

    told(carded, a_payout(eur("1.00"), nth=3))

    assert {payout.state for payout in payouts.listed(carded.session)} == {payouts.State.CREATED}
    assert (balance(carded, "2000"), differences(carded)) == (-PAID - eur("50.00"), [])
    assert_it_holds(engine_of(carded.session))


@on_one_database
def test_who_says_which_payout_a_line_is_has_said_that_it_was_none_of_the_gifts_like_it(carded: House) -> None:
    a_stray_gift(carded, PAID, on=NEXT_DAY + timedelta(days=1), leaf=EUR_LEAF)
    told(carded, a_payout(PAID), a_payout(PAID, nth=2))
    shown(carded, PAID, on=NEXT_DAY + timedelta(days=2), leaf=EUR_LEAF)
    assert differences(carded) == [Difference.AMBIGUOUS_PAYOUT] * 3

    answer(carded, the_exception(carded), Answer.PAYOUT, "po_Invented0002")

    first, second = payouts.listed(carded.session)
    assert (first.paid_on, second.paid_on) == (None, NEXT_DAY + timedelta(days=2))
    waiting = [one.about.partition(":")[2] for one in exceptions.listed(carded.session)]
    assert (first.source_key in waiting, second.source_key in waiting) == (True, False)
