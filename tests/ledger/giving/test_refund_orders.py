"""Gifts by card go back by two signatures, whatever the rows say; on both databases."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotAgreed, NotInRole, SamePerson
from ledger.books import accounts
from ledger.giving import donations, refund_orders
from ledger.giving.donations import Donation, UnknownDonation
from ledger.giving.refund_orders import (
    BadRefundOrder,
    NotRefundable,
    RefundOrder,
    RefundOrderNotReady,
    State,
    UnknownRefundOrder,
)
from ledger.money import Money
from ledger.people import Role
from tests.bookcheck import assert_it_holds, found
from tests.cards import a_charge, a_dispute, a_refund, book
from tests.cast import NOW, House, engine_of, eur, give, nothing_written, race
from tests.coffers import joins
from tests.giving_back import agree, ask, on_order

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))


@pytest.fixture
def gift(house: House) -> Donation:
    """100.00 EUR by card."""
    accounts.add_leaf(house.session, "1100:eur", name="A leaf", currency="EUR")
    book(house.session, CHARGE)
    house.session.commit()
    return house.session.exec(select(Donation).where(Donation.charge == CHARGE.charge)).one()


def test_two_people_sign_and_the_order_can_be_sent(house: House, gift: Donation) -> None:
    order = agree(house, ask(house, gift))

    sending, charge = refund_orders.begin_sending(house.session, order.alias)
    again, _ = refund_orders.begin_sending(house.session, order.alias)

    assert (sending.state, charge, again.alias) == (State.SENDING, CHARGE.charge, order.alias)
    done = refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0001")
    assert (done.state, done.refund) == (State.SUCCEEDED, "re_Invented0001")
    assert_it_holds(engine_of(house.session))


def test_all_orders_and_refunds_together_are_no_more_than_the_gift(house: House, gift: Donation) -> None:
    order = ask(house, gift, eur("60.00"))
    with nothing_written(house.session), pytest.raises(NotRefundable) as too_much:
        ask(house, gift, eur("40.01"))
    agree(house, order)
    refund_orders.begin_sending(house.session, order.alias)
    refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0001")
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("40.01"))

    book(house.session, a_refund(CHARGE, eur("60.00")))  # the same refund is told by the processor: once, not twice

    assert too_much.value.data["left_minor"] == 4_000
    assert ask(house, gift, eur("40.00")).state is State.REQUESTED
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("0.01"))


def test_what_failed_or_was_withdrawn_can_be_asked_for_again(house: House, gift: Donation) -> None:
    refund_orders.withdraw(house.session, ask(house, gift, eur("100.00")).alias, on=NOW.date())
    failed = agree(house, ask(house, gift, eur("100.00")))
    refund_orders.begin_sending(house.session, failed.alias)
    refund_orders.note(house.session, failed.alias, state=State.FAILED, refund="re_Invented0001")

    assert ask(house, gift, eur("100.00")).state is State.REQUESTED


def test_what_cannot_go_back_is_refused(house: House, gift: Donation) -> None:
    clara = house.fund.clara
    for amount in (eur("0.00"), eur("-1.00"), Money(100, "USD")):
        with nothing_written(house.session), pytest.raises(BadRefundOrder):
            ask(house, gift, amount)
    agreed = on_order("request_refund", draw(Kind.REFUND_ORDER), gift=gift.alias, of=eur("1.00"), by=clara)
    with nothing_written(house.session), pytest.raises(BadAlias):
        refund_orders.request(
            house.session, draw(Kind.DONATION), donation=gift.alias, amount=eur("1.00"), agreed=agreed
        )
    with nothing_written(house.session), pytest.raises(UnknownDonation):
        refund_orders.request(
            house.session,
            draw(Kind.REFUND_ORDER),
            donation=draw(Kind.DONATION),
            amount=eur("1.00"),
            agreed=agreed,
        )
    order = ask(house, gift)
    with nothing_written(house.session), pytest.raises(AliasTaken):
        refund_orders.request(house.session, order.alias, donation=gift.alias, amount=eur("1.00"), agreed=agreed)


def test_a_gift_that_is_called_back_does_not_go_back_too(house: House, gift: Donation) -> None:
    approved = agree(house, ask(house, gift))
    book(house.session, a_dispute(CHARGE, eur("100.00")))
    house.session.commit()

    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift)
    with nothing_written(house.session), pytest.raises(NotRefundable):
        refund_orders.begin_sending(house.session, approved.alias)


def test_a_gift_at_the_bank_is_not_given_back_by_card(house: House) -> None:
    give(house.session, Money(5_000, "BYN"))
    gift = house.session.exec(select(Donation)).one()

    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, Money(100, "BYN"))


def test_one_person_is_not_two(house: House, gift: Donation) -> None:
    both = joins(house, Role.TREASURER, Role.APPROVER)
    order = ask(house, gift, by=both)

    with nothing_written(house.session), pytest.raises(SamePerson):
        agree(house, order, by=both)
    house.session.connection().execute(text("UPDATE refund_order SET requested_by = 'OP-0000-0000-0000'"))
    house.session.expire_all()
    with nothing_written(house.session), pytest.raises(SamePerson):
        agree(house, order, by=both)


def test_each_signature_is_of_its_role(house: House, gift: Donation) -> None:
    with nothing_written(house.session), pytest.raises(NotInRole):
        ask(house, gift, by=house.fund.boris)
    order = ask(house, gift)
    with nothing_written(house.session), pytest.raises(NotInRole):
        agree(house, order, by=house.fund.ana)


def test_an_act_about_another_gift_or_amount_is_refused(house: House, gift: Donation) -> None:
    order = ask(house, gift)
    lies: tuple[dict[str, Any], ...] = (
        {"amount": "10.01"},
        {"payee_commitment": "0" * 64},
        {"object": draw(Kind.REFUND_ORDER)},
    )
    for stated in lies:
        agreed = on_order(
            "approve_refund",
            order.alias,
            gift=gift.alias,
            of=order.amount(),
            by=house.fund.boris,
            **stated,
        )
        with nothing_written(house.session), pytest.raises(ActDiffers):
            refund_orders.approve(house.session, order.alias, agreed)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE refund_order SET minor = 9000", "UPDATE refund_order SET donation_alias = (:other)"],
)
def test_what_was_changed_after_the_signatures_is_not_sent_and_is_found(
    house: House, gift: Donation, statement: str
) -> None:
    book(house.session, a_charge(eur("100.00"), nth=2))
    other = next(one.alias for one in donations.listed(house.session) if one.alias != gift.alias)
    order = agree(house, ask(house, gift))
    house.session.connection().execute(text(statement), {"other": other} if "other" in statement else {})
    house.session.commit()
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(NotAgreed):
        refund_orders.begin_sending(house.session, order.alias)
    assert {one.check for one in found(house.session)} == {"signed"}


def test_an_order_that_nobody_signed_is_not_sent(house: House, gift: Donation) -> None:
    order = ask(house, gift)
    house.session.connection().execute(
        text("UPDATE refund_order SET state = 'approved', approved_by = 'OP-0000-0000-0000'")
    )
    house.session.commit()
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(NotAgreed):
        refund_orders.begin_sending(house.session, order.alias)
    assert {one.check for one in found(house.session)} == {"signed"}


def test_a_charge_that_was_put_into_the_gifts_row_gets_nothing(house: House, gift: Donation) -> None:
    order = agree(house, ask(house, gift))
    house.session.connection().execute(text("UPDATE donation SET charge = 'ch_Thief0001'"))
    house.session.commit()
    house.session.expire_all()

    _, charge = refund_orders.begin_sending(house.session, order.alias)

    assert charge == CHARGE.charge


def test_the_database_admits_no_order_that_one_person_made(house: House, gift: Donation) -> None:
    ask(house, gift)
    for change in ("approved_by = requested_by", "state = 'sending'", "minor = 0"):
        with pytest.raises(IntegrityError), house.session.begin_nested():
            house.session.connection().execute(text(f"UPDATE refund_order SET {change}"))  # noqa: S608  # ours


def test_no_step_is_taken_twice_or_out_of_order(house: House, gift: Donation) -> None:
    order = ask(house, gift)
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.begin_sending(house.session, order.alias)
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0001")
    agree(house, order)
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        agree(house, order)
    refund_orders.begin_sending(house.session, order.alias)
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.withdraw(house.session, order.alias, on=NOW.date())
    refund_orders.note(house.session, order.alias, state=State.PENDING, refund="re_Invented0001")
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0002")
    with nothing_written(house.session), pytest.raises(UnknownRefundOrder):
        refund_orders.withdraw(house.session, draw(Kind.REFUND_ORDER), on=NOW.date())


def test_of_two_orders_at_once_the_gift_admits_one(house: House, gift: Donation) -> None:
    def run(own: Session) -> RefundOrder:
        alias, of = draw(Kind.REFUND_ORDER), eur("60.00")
        agreed = on_order("request_refund", alias, gift=gift.alias, of=of, by=house.fund.clara)
        return refund_orders.request(own, alias, donation=gift.alias, amount=of, agreed=agreed)

    answers = race(house.session, run, run)

    assert sorted(type(one).__name__ for one in answers) == ["NotRefundable", "RefundOrder"]
