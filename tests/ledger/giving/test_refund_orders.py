"""Gifts by card go back by two signatures, whatever the rows say; on both databases."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotAgreed, NotInRole, SamePerson
from ledger.books import accounts, holds
from ledger.books.holds import NewHold, Reserve
from ledger.books.spending import WouldOverdraw
from ledger.giving import bank_refunds, donations, refund_orders
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
from tests.bookcheck import assert_it_holds, found, owning
from tests.cards import a_charge, a_dispute, a_payout, a_refund, book
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
    done = refund_orders.note(
        house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0001", on=NOW.date()
    )
    assert (done.state, done.refund) == (State.SUCCEEDED, "re_Invented0001")
    assert_it_holds(engine_of(house.session))


def test_all_orders_and_refunds_together_are_no_more_than_the_gift(house: House, gift: Donation) -> None:
    order = ask(house, gift, eur("60.00"))
    with nothing_written(house.session), pytest.raises(NotRefundable) as too_much:
        ask(house, gift, eur("40.01"))
    agree(house, order)
    refund_orders.begin_sending(house.session, order.alias)
    refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0001", on=NOW.date())
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("40.01"))

    book(house.session, a_refund(CHARGE, eur("60.00")))  # the same refund is told by the processor: once, not twice

    assert too_much.value.data["left_minor"] == 4_000
    assert ask(house, gift, eur("40.00")).state is State.REQUESTED
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("0.01"))


def test_what_failed_or_was_withdrawn_can_be_asked_for_again(house: House, gift: Donation) -> None:
    refund_orders.withdraw(house.session, ask(house, gift, eur("90.00")).alias, on=NOW.date())
    failed = agree(house, ask(house, gift, eur("90.00")))
    refund_orders.begin_sending(house.session, failed.alias)
    refund_orders.note(house.session, failed.alias, state=State.FAILED, refund="re_Invented0001", on=NOW.date())

    assert ask(house, gift, eur("90.00")).state is State.REQUESTED


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
    assert {"signed"} <= {one.check for one in found(house.session)} <= {"signed", "cards-held"}


def test_an_order_that_nobody_signed_is_not_sent(house: House, gift: Donation) -> None:
    order = ask(house, gift)
    house.session.connection().execute(
        text("UPDATE refund_order SET state = 'approved', approved_by = 'OP-0000-0000-0000'")
    )
    house.session.commit()
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(NotAgreed):
        refund_orders.begin_sending(house.session, order.alias)
    assert {"signed"} <= {one.check for one in found(house.session)} <= {"signed", "cards-held"}


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
        refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0001", on=NOW.date())
    agree(house, order)
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        agree(house, order)
    refund_orders.begin_sending(house.session, order.alias)
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.withdraw(house.session, order.alias, on=NOW.date())
    refund_orders.note(house.session, order.alias, state=State.PENDING, refund="re_Invented0001", on=NOW.date())
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0002", on=NOW.date())
    with nothing_written(house.session), pytest.raises(UnknownRefundOrder):
        refund_orders.withdraw(house.session, draw(Kind.REFUND_ORDER), on=NOW.date())


def test_of_two_orders_at_once_the_gift_admits_one(house: House, gift: Donation) -> None:
    def run(own: Session) -> RefundOrder:
        alias, of = draw(Kind.REFUND_ORDER), eur("60.00")
        agreed = on_order("request_refund", alias, gift=gift.alias, of=of, by=house.fund.clara)
        return refund_orders.request(own, alias, donation=gift.alias, amount=of, agreed=agreed)

    answers = race(house.session, run, run)

    assert sorted(type(one).__name__ for one in answers) == ["NotRefundable", "RefundOrder"]


def held(house: House) -> tuple[Money, Money]:
    """What is held of the fund, and on the processor's leaf."""
    of_fund = holds.held_of_fund(house.session, "fines", Reserve.SPENDABLE).get("EUR", eur("0.00"))
    return of_fund, holds.held_on_leaf(house.session, "1100:eur", currency="EUR")


def test_what_goes_back_is_held_from_the_second_signature_until_it_is_booked(house: House, gift: Donation) -> None:
    order = ask(house, gift, eur("60.00"))
    assert held(house) == (eur("0.00"), eur("0.00"))
    agree(house, order)
    refund_orders.begin_sending(house.session, order.alias)
    refund_orders.note(house.session, order.alias, state=State.SUCCEEDED, refund="re_Invented0001", on=NOW.date())
    assert held(house) == (eur("60.00"), eur("60.00"))
    assert found(house.session) == []

    book(house.session, a_refund(CHARGE, eur("60.00")))

    assert held(house) == (eur("0.00"), eur("0.00"))
    assert found(house.session) == []


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.PENDING])
def test_a_refund_that_is_booked_before_its_answer_comes_takes_what_is_held(
    house: House, gift: Donation, state: State
) -> None:
    order = agree(house, ask(house, gift, eur("60.00")))
    refund_orders.begin_sending(house.session, order.alias)
    book(house.session, a_refund(CHARGE, eur("60.00")))
    assert held(house) == (eur("60.00"), eur("60.00"))

    refund_orders.note(house.session, order.alias, state=state, refund="re_Invented0001", on=NOW.date())

    assert held(house) == (eur("0.00"), eur("0.00"))
    assert found(house.session) == []


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED, State.REFUSED])
def test_what_does_not_go_back_is_free_again(house: House, gift: Donation, state: State) -> None:
    withdrawn, over = (agree(house, ask(house, gift, eur("30.00"))) for _ in range(2))
    assert held(house) == (eur("60.00"), eur("60.00"))
    refund_orders.withdraw(house.session, withdrawn.alias, on=NOW.date())
    refund_orders.begin_sending(house.session, over.alias)

    refund_orders.note(house.session, over.alias, state=state, refund=None, on=NOW.date())

    assert held(house) == (eur("0.00"), eur("0.00"))
    assert found(house.session) == []


def test_no_refund_is_agreed_to_that_the_fund_or_the_leaf_cannot_pay(house: House, gift: Donation) -> None:
    """The leaf has 96.80; then the fund promises 50.00 of its 100.00 to somebody else."""
    too_much = ask(house, gift, eur("97.00"))
    with nothing_written(house.session), pytest.raises(WouldOverdraw) as of_leaf:
        agree(house, too_much)
    refund_orders.withdraw(house.session, too_much.alias, on=NOW.date())
    promised = NewHold(
        source_key="test:1",
        reserves=Reserve.SPENDABLE,
        amount=eur("50.00"),
        held_for=draw(Kind.OBLIGATION),
        fund="fines",
    )
    holds.place(house.session, promised, on=NOW.date())
    house.session.commit()
    rest = ask(house, gift, eur("50.01"))
    with nothing_written(house.session), pytest.raises(WouldOverdraw) as of_fund:
        agree(house, rest)

    assert of_leaf.value.data == {"account": "1100:eur", "free_minor": 9_680, "currency": "EUR"}
    assert of_fund.value.data == {"fund": "fines", "free_minor": 5_000, "currency": "EUR"}


def test_of_two_refunds_agreed_to_at_once_the_leaf_admits_one(house: House, gift: Donation) -> None:
    accounts.add_leaf(house.session, "1050:eur", name="A leaf", currency="EUR")
    book(house.session, a_charge(eur("100.00"), nth=2), a_payout(eur("96.80")))
    other = next(one for one in donations.listed(house.session) if one.alias != gift.alias)
    house.session.commit()
    orders = [ask(house, one, eur("60.00")) for one in (gift, other)]
    acts = [
        on_order("approve_refund", one.alias, gift=one.donation_alias, of=one.amount(), by=house.fund.boris)
        for one in orders
    ]

    answers = race(
        house.session,
        *(partial(bank_refunds.approve, alias=one.alias, agreed=act) for one, act in zip(orders, acts, strict=True)),
    )

    assert sorted(type(one).__name__ for one in answers) == ["RefundOrder", "WouldOverdraw"]


@pytest.mark.parametrize("currency", ["KWD", "BHD", "JOD", "OMR", "TND"])
def test_of_three_decimals_whole_tens_go_back(house: House, currency: str) -> None:
    leaf = f"1100:{currency.lower()}"
    accounts.add_leaf(house.session, leaf, name="A leaf", currency=currency)
    book(house.session, a_charge(Money(50_000, currency), nth=3))
    house.session.commit()
    gift = house.session.exec(select(Donation)).one()

    with nothing_written(house.session), pytest.raises(BadRefundOrder) as refusal:
        ask(house, gift, Money(1_234, currency))

    assert refusal.value.data == {"where": "amount"}
    assert ask(house, gift, Money(1_230, currency)).state is State.REQUESTED


@pytest.mark.parametrize(
    "attack",
    ["DELETE FROM hold_movement", "DELETE FROM hold", "UPDATE refund_order SET state = 'sending', refund = NULL"],
)
def test_holds_that_are_not_what_orders_need_are_found(house: House, gift: Donation, attack: str) -> None:
    order = agree(house, ask(house, gift, eur("60.00")))
    if attack != "DELETE FROM hold":
        refund_orders.begin_sending(house.session, order.alias)
        refund_orders.note(house.session, order.alias, state=State.FAILED, refund="re_Invented0001", on=NOW.date())
    house.session.commit()

    with owning(engine_of(house.session)) as connection:
        connection.execute(text(attack))

    house.session.expire_all()
    assert {one.check for one in found(house.session, by={"cards-held"})} == {"cards-held"}
