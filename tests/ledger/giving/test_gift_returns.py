"""Gifts go back from the bank by two signatures, and are booked when the bank shows it; on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from ledger import exceptions
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotAgreed, NotInRole, SamePerson
from ledger.books import accounts, balances, holds, spending
from ledger.books.spending import WouldOverdraw
from ledger.exceptions import Difference
from ledger.giving import donations, gift_returns
from ledger.giving.donations import Donation, UnknownDonation, WrongState
from ledger.giving.gift_returns import (
    BadGiftReturn,
    GiftReturn,
    GiftReturnNotReady,
    NewGiftReturn,
    State,
    UnknownGiftReturn,
)
from ledger.giving.steps import NothingLeft
from ledger.money import Money
from ledger.people import Role
from tests.bookcheck import assert_it_holds, found
from tests.cards import a_charge, a_refund, a_refund_failure, book
from tests.cast import LEAF, SECOND_LEAF, TODAY, House, byn, engine_of, eur, give, nothing_written, race
from tests.coffers import joins
from tests.given import (
    a_stray_gift,
    agree_back,
    ask_back,
    match,
    meet,
    on_return,
    place_conditional,
    send_back,
    shown,
)
from tests.office import on_one_database
from tests.purses import EUR_LEAF

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))


def balance(house: House, account: str, currency: str = "BYN") -> Money:
    return balances.balance(house.session, account, currency=currency)


def differences(house: House) -> list[Difference]:
    return [one.difference for one in exceptions.listed(house.session)]


@pytest.fixture
def stray(house: House) -> Donation:
    """70.00 BYN that nobody can place."""
    return a_stray_gift(house, byn("70.00"))


def test_an_unidentified_gift_goes_back_whole_or_in_part(house: House, stray: Donation) -> None:
    order = agree_back(house, ask_back(house, stray, byn("30.00")))
    assert (order.state, spending.available(house.session, LEAF, currency="BYN")) == (State.APPROVED, byn("40.00"))

    shown(house, byn("-30.00"), reference=order.reference)

    assert (order.state, order.paid_on, stray.state) == (State.PAID, TODAY, donations.State.UNIDENTIFIED)
    assert (balance(house, "2000"), balance(house, LEAF)) == (byn("-40.00"), byn("40.00"))
    assert holds.held_on_leaf(house.session, LEAF, currency="BYN") == byn("0.00")
    send_back(house, stray, byn("40.00"))
    assert (stray.state, balance(house, "2000"), differences(house)) == (donations.State.SENT_BACK, byn("0.00"), [])
    with nothing_written(house.session), pytest.raises(WrongState):
        ask_back(house, stray, byn("0.01"))
    assert_it_holds(engine_of(house.session))


def test_what_the_bank_gives_back_is_owed_again(house: House, stray: Donation) -> None:
    order = send_back(house, stray, byn("70.00"))

    shown(house, byn("70.00"), reference=order.reference)

    assert (order.state, order.returned_on, stray.state) == (State.RETURNED, TODAY, donations.State.UNIDENTIFIED)
    assert (balance(house, "2000"), balance(house, LEAF)) == (byn("-70.00"), byn("70.00"))
    match(house, stray)
    assert_it_holds(engine_of(house.session))
    shown(house, byn("70.00"), reference=order.reference, on=TODAY - timedelta(days=1))
    assert differences(house) == [Difference.PAYMENT_RETURNED]


@on_one_database
def test_the_rest_of_a_conditional_gift_goes_back(house: House, stray: Donation) -> None:
    place_conditional(house, stray)
    meet(house, stray, byn("50.00"))
    with nothing_written(house.session), pytest.raises(NothingLeft):
        ask_back(house, stray, byn("20.01"))

    send_back(house, stray, byn("20.00"))

    assert (stray.state, balance(house, "2300"), balance(house, "4000")) == (
        donations.State.MATCHED,
        byn("0.00"),
        byn("-50.00"),
    )
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_a_matched_gift_goes_back_when_its_fund_has_it_free(house: House, stray: Donation) -> None:
    match(house, stray)
    order = agree_back(house, ask_back(house, stray, byn("30.00")))
    assert spending.spendable(house.session, "fines")["BYN"] == byn("40.00")

    shown(house, byn("-30.00"), reference=order.reference)

    assert (stray.state, stray.refunded_minor) == (donations.State.REFUNDED, 3_000)
    assert (balance(house, "4190"), balance(house, "4000")) == (byn("30.00"), byn("-70.00"))
    assert spending.spendable(house.session, "fines")["BYN"] == byn("40.00")
    assert_it_holds(engine_of(house.session))
    shown(house, byn("30.00"), reference=order.reference)
    assert (stray.refunded_minor, balance(house, "4190")) == (0, byn("0.00"))
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_what_a_fund_has_spent_does_not_go_back(house: House) -> None:
    give(house.session, byn("810.00"))
    gift = house.session.exec(select(Donation)).one()
    order = ask_back(house, gift, byn("810.00"))
    a_stray_gift(house, byn("900.00"))  # there is money on the leaf, and it is not the fund's
    house.a_released_payment()

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        agree_back(house, order)


@on_one_database
def test_a_refund_that_did_not_reach_a_card_goes_back_from_the_bank(house: House) -> None:
    for leaf in ("1100:eur", EUR_LEAF):
        accounts.add_leaf(house.session, leaf, name="A leaf", currency="EUR")
    refund = a_refund(CHARGE, eur("60.00"))
    book(house.session, CHARGE, refund, a_refund_failure(refund))
    gift = house.session.exec(select(Donation)).one()
    give(house.session, eur("500.00"), leaf=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(NothingLeft):
        ask_back(house, gift, eur("60.01"), leaf=EUR_LEAF)

    order = agree_back(house, ask_back(house, gift, eur("60.00"), leaf=EUR_LEAF))
    shown(house, eur("-60.00"), reference=order.reference, leaf=EUR_LEAF)

    assert (balance(house, "2050", "EUR"), balance(house, EUR_LEAF, "EUR")) == (eur("0.00"), eur("440.00"))
    assert_it_holds(engine_of(house.session))


@on_one_database
def test_all_that_is_asked_to_go_back_is_no_more_than_the_gift(house: House, stray: Donation) -> None:
    order = ask_back(house, stray, byn("60.00"))

    with nothing_written(house.session), pytest.raises(NothingLeft):
        ask_back(house, stray, byn("10.01"))
    gift_returns.cancel(house.session, order.alias, on=TODAY)
    assert ask_back(house, stray, byn("70.00")).state is State.REQUESTED


@on_one_database
def test_what_became_a_gift_in_between_does_not_go_back_as_none(house: House, stray: Donation) -> None:
    order = ask_back(house, stray, byn("70.00"))
    house.session.connection().execute(text("UPDATE donation SET state = 'matched'"))
    house.session.commit()
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(WrongState):
        agree_back(house, order)


@on_one_database
def test_what_cannot_go_back_is_refused(house: House, stray: Donation) -> None:
    for amount in (byn("0.00"), byn("-1.00"), eur("1.00")):
        with nothing_written(house.session), pytest.raises(BadGiftReturn):
            ask_back(house, stray, amount)
    with nothing_written(house.session), pytest.raises(BadGiftReturn):
        ask_back(house, stray, byn("1.00"), leaf="1020")
    order = ask_back(house, stray, byn("1.00"))
    agreed = on_return("request_gift_return", order.alias, gift=stray, of=byn("1.00"), by=house.fund.clara)
    for stated, refusal in (
        ({"alias": order.alias}, AliasTaken),
        ({"alias": draw(Kind.DONATION)}, BadAlias),
        ({"donation": draw(Kind.DONATION)}, UnknownDonation),
    ):
        said = {"alias": draw(Kind.GIFT_RETURN), "donation": stray.alias} | stated
        new = NewGiftReturn(account=LEAF, amount=byn("1.00"), **said)
        with nothing_written(house.session), pytest.raises(refusal):
            gift_returns.request(house.session, new, agreed)
    with nothing_written(house.session), pytest.raises(UnknownGiftReturn):
        gift_returns.cancel(house.session, draw(Kind.GIFT_RETURN), on=TODAY)


@on_one_database
def test_one_person_is_not_two_whatever_the_row_says(house: House, stray: Donation) -> None:
    both = joins(house, Role.TREASURER, Role.APPROVER)
    order = ask_back(house, stray, byn("30.00"), by=both)

    with nothing_written(house.session), pytest.raises(SamePerson):
        agree_back(house, order, by=both)
    house.session.connection().execute(text("UPDATE gift_return SET requested_by = 'OP-0000-0000-0000'"))
    house.session.expire_all()
    with nothing_written(house.session), pytest.raises(SamePerson):
        agree_back(house, order, by=both)


@on_one_database
def test_each_signature_is_of_its_role_and_says_all_of_it(house: House, stray: Donation) -> None:
    with nothing_written(house.session), pytest.raises(NotInRole):
        ask_back(house, stray, byn("30.00"), by=house.fund.boris)
    order = ask_back(house, stray, byn("30.00"))
    with nothing_written(house.session), pytest.raises(NotInRole):
        agree_back(house, order, by=house.fund.ana)
    lies: tuple[dict[str, Any], ...] = ({"amount": "30.01"}, {"leaf": SECOND_LEAF}, {"version": 2})
    for lie in lies:
        with nothing_written(house.session), pytest.raises(ActDiffers):
            agree_back(house, order, **lie)


@on_one_database
@pytest.mark.parametrize("change", ["minor = 7000", f"account_code = '{SECOND_LEAF}'"])
def test_what_was_changed_after_the_first_signature_is_not_released_and_is_found(
    house: House, stray: Donation, change: str
) -> None:
    order = ask_back(house, stray, byn("30.00"))
    house.session.connection().execute(text(f"UPDATE gift_return SET {change}"))  # noqa: S608  # ours
    house.session.commit()
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(NotAgreed):
        agree_back(house, order)
    assert {one.check for one in found(house.session)} == {"signed"}


def test_the_database_admits_nothing_that_one_person_released(house: House, stray: Donation) -> None:
    ask_back(house, stray, byn("30.00"))

    for change in ("approved_by = requested_by", "state = 'approved'", "state = 'paid'", "minor = 0"):
        with pytest.raises(IntegrityError), house.session.begin_nested():
            house.session.connection().execute(text(f"UPDATE gift_return SET {change}"))  # noqa: S608  # ours


@on_one_database
def test_money_that_left_otherwise_than_released_is_a_difference(house: House, stray: Donation) -> None:
    order = ask_back(house, stray, byn("30.00"))

    shown(house, byn("-30.00"), reference=order.reference)
    agree_back(house, order)
    shown(house, byn("-30.01"), reference=order.reference)
    gift_returns.cancel(house.session, order.alias, on=TODAY)

    assert sorted(differences(house)) == [Difference.AMOUNT_DIFFERS, Difference.NOT_RELEASED]
    assert holds.held_on_leaf(house.session, LEAF, currency="BYN") == byn("0.00")
    with nothing_written(house.session), pytest.raises(GiftReturnNotReady):
        agree_back(house, order)
    with nothing_written(house.session), pytest.raises(GiftReturnNotReady):
        gift_returns.cancel(house.session, order.alias, on=TODAY)


def test_of_two_at_once_the_gift_admits_one(house: House, stray: Donation) -> None:
    alias = stray.alias
    new = [
        NewGiftReturn(alias=draw(Kind.GIFT_RETURN), donation=alias, account=LEAF, amount=byn("40.00")) for _ in range(2)
    ]
    acts = [
        on_return("request_gift_return", one.alias, gift=stray, of=byn("40.00"), by=house.fund.clara) for one in new
    ]

    def run(own: Session) -> GiftReturn:
        nth = len(acts) - 1
        return gift_returns.request(own, new[nth], acts.pop())

    answers = race(house.session, run, run)

    assert sorted(type(one).__name__ for one in answers) == ["GiftReturn", "NothingLeft"]
