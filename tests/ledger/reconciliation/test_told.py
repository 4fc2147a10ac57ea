"""What a person tells of a line of the bank that waits: it is never a dead end, and never anything it cannot be."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import NotAgreed
from ledger.books import accounts, balances, exchange, holds
from ledger.books.holds import NewHold, Reserve
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.exceptions import Difference, UnknownException
from ledger.giving import donations, payouts, refund_orders
from ledger.giving.donations import Donation
from ledger.giving.refund_orders import BadRefundOrder, NotRefundable, RefundOrder, RefundOrderNotReady
from ledger.giving.steps import NothingLeft
from ledger.money import Money
from ledger.reconciliation import bank, told
from ledger.reconciliation.statements import NewLine, NewStatement
from ledger.reconciliation.told import NotThisPayout, UnknownPayout
from tests import cards
from tests.bookcheck import found
from tests.bookkeeping import BYN_LEAF, EUR_LEAF, RECORDER
from tests.cards import DAY, TRANSIT, USD_TRANSIT, a_charge, a_payout, a_refund, a_refund_failure, book, usd
from tests.cast import NOW, House, byn, eur, nothing_written
from tests.given import a_stray_gift, ask_back
from tests.giving_back import agree, ask

NEXT_DAY = DAY + timedelta(days=1)
IN_HAND = eur("50.00")


@pytest.fixture
def card_book(founded: Session) -> Session:
    return cards.furnish(founded)


def receive(session: Session, *amounts: Money, account: str = EUR_LEAF, on: date = NEXT_DAY) -> None:
    said = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=account,
        currency=amounts[0].currency,
        opened_on=None,
        closed_on=None,
        opening=None,
        closing=None,
        content_token=f"{amounts[0].minor % 256:02x}" * 32,
        lines=[NewLine(on, None, amount, None, reversal=False) for amount in amounts],
    )
    bank.receive(session, said, received_at=NOW, received_by=RECORDER)


def waiting(session: Session) -> list[str]:
    of_lines = {Difference.AMBIGUOUS_PAYOUT, Difference.UNMATCHED_DEBIT}
    return [one.alias for one in exceptions.listed(session) if one.difference in of_lines]


def is_payout(session: Session, payout: str, exception: str) -> payouts.Payout:
    return told.is_payout(session, payout, exception=exception, recorded_at=NOW, recorded_by=RECORDER)


def on(session: Session, account: str, currency: str) -> Money:
    return balances.balance(session, account, currency=currency)


# --- payouts


@pytest.mark.parametrize("rate", [None, "0.85"])
def test_a_payout_that_the_bank_makes_another_currency_is_booked_with_the_banks_figure(
    card_book: Session, rate: str | None
) -> None:
    if rate:
        exchange.add(
            card_book,
            "USD",
            on=NEXT_DAY,
            value=exchange.parse(rate),
            source="ecb",
            recorded_at=datetime(2020, 9, 20, tzinfo=UTC),
            recorded_by=RECORDER,
        )
    book(card_book, a_charge(usd("100.00"), fee=usd("3.00")), a_payout(usd("97.00")))
    receive(card_book, eur("82.00"))
    (exception,) = waiting(card_book)

    payout = is_payout(card_book, "po_Invented0001", exception)

    assert (payout.state, payout.arriving()) == (payouts.State.PAID, eur("82.00"))
    assert (on(card_book, EUR_LEAF, "EUR"), on(card_book, USD_TRANSIT, "USD")) == (eur("82.00"), usd("0.00"))
    assert (on(card_book, "3900", "EUR"), on(card_book, "3900", "USD")) == (eur("-82.00"), usd("97.00"))
    by_fund = {fund: balances.balance(card_book, EUR_LEAF, currency="EUR", fund=fund) for fund in ("fines", "general")}
    assert by_fund == {"fines": eur("84.54"), "general": eur("-2.54")}
    assert (waiting(card_book), found(card_book)) == ([], [])


def test_far_from_the_rate_or_from_what_was_told_a_credit_is_a_gift(card_book: Session) -> None:
    book(card_book, cards.changed(a_payout(usd("97.00")), arriving=eur("82.00")))

    receive(card_book, eur("87.00"), eur("82.10"))

    assert [gift.minor for gift in donations.listed(card_book)] == [87_00]
    assert len(waiting(card_book)) == 1


def test_of_two_payouts_of_one_amount_a_person_says_which(card_book: Session) -> None:
    book(card_book, a_payout(eur("50.00")), a_payout(eur("50.00"), nth=2))
    receive(card_book, eur("50.00"))
    (exception,) = waiting(card_book)

    is_payout(card_book, "po_Invented0002", exception)

    assert [one.state for one in payouts.listed(card_book)] == [payouts.State.CREATED, payouts.State.PAID]
    assert on(card_book, TRANSIT, "EUR") == eur("50.00")
    with nothing_written(card_book), pytest.raises(UnknownException):
        is_payout(card_book, "po_Invented0001", exception)


@pytest.mark.parametrize(
    ("payout", "amount", "account", "error"),
    [
        ("po_Other0001", byn("300.00"), BYN_LEAF, UnknownPayout),
        ("po_Invented0003", eur("50.00"), EUR_LEAF, NotThisPayout),  # another amount
        ("po_Invented0001", eur("-50.00"), EUR_LEAF, NotThisPayout),  # a debit
    ],
)
def test_a_line_is_no_payout_that_it_cannot_be(
    card_book: Session, payout: str, amount: Money, account: str, error: type[LedgerError]
) -> None:
    some = (a_payout(eur(of), nth=nth) for nth, of in enumerate(("50.00", "50.00", "49.99"), start=1))
    book(card_book, *some, cards.changed(a_payout(eur("97.00"), nth=4), arriving=byn("301.00")))
    receive(card_book, amount, account=account)
    (exception,) = waiting(card_book)

    with nothing_written(card_book), pytest.raises(error):
        is_payout(card_book, payout, exception)


# --- refunds that are owed


@pytest.fixture
def gift(house: House) -> Donation:
    """100.00 EUR by card, of which 40.00 were given back in vain: they are owed."""
    accounts.add_leaf(house.session, "1100:eur", name="A leaf", currency="EUR")
    accounts.add_leaf(house.session, EUR_LEAF, name="A leaf", currency="EUR")
    charge = a_charge(eur("100.00"))
    refund = a_refund(charge, eur("40.00"))
    book(house.session, charge, refund, a_refund_failure(refund))
    a_stray_gift(house, IN_HAND, leaf=EUR_LEAF)
    return house.session.exec(select(Donation).where(Donation.charge == charge.charge)).one()


def is_refund(session: Session, order: RefundOrder, exception: str) -> RefundOrder:
    return told.is_refund(session, order.alias, exception=exception, recorded_at=NOW, recorded_by=RECORDER)


def test_what_two_people_signed_and_the_bank_paid_is_owed_no_more(house: House, gift: Donation) -> None:
    order = agree(house, ask(house, gift, eur("40.00"), account=EUR_LEAF))
    receive(house.session, eur("-40.00"))
    (exception,) = waiting(house.session)

    paid = is_refund(house.session, order, exception)

    assert (paid.state, waiting(house.session)) == (refund_orders.State.SUCCEEDED, [])
    assert (on(house.session, "2050", "EUR"), on(house.session, EUR_LEAF, "EUR")) == (eur("0.00"), eur("10.00"))
    assert held(house) == eur("0.00")
    assert (gift.refunded_minor, found(house.session)) == (40_00, [])
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("0.01"), account=EUR_LEAF)


def held(house: House, leaf: str = EUR_LEAF, currency: str = "EUR") -> Money:
    return holds.held_on_leaf(house.session, leaf, currency=currency)


def test_a_refund_by_bank_is_held_from_the_second_signature_until_it_is_paid_or_given_up(
    house: House, gift: Donation
) -> None:
    asked = ask(house, gift, eur("40.00"), account=EUR_LEAF)
    assert held(house) == eur("0.00")

    agree(house, asked)

    assert (held(house), found(house.session)) == (eur("40.00"), [])
    with nothing_written(house.session), pytest.raises(NothingLeft):  # the other way to send back the same
        ask_back(house, gift, eur("0.01"), leaf=EUR_LEAF)
    refund_orders.withdraw(house.session, asked.alias, on=NOW.date())
    assert held(house) == eur("0.00")
    ask_back(house, gift, eur("30.00"), leaf=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("10.01"), account=EUR_LEAF)
    assert found(house.session) == []


def test_what_the_leaf_does_not_have_is_not_agreed_to(house: House, gift: Donation) -> None:
    order = ask(house, gift, eur("40.00"), account=EUR_LEAF)
    holds.place(
        house.session,
        NewHold(source_key="other", reserves=Reserve.LEAF, amount=eur("10.01"), held_for=gift.alias, account=EUR_LEAF),
        on=NOW.date(),
    )

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        agree(house, order)


def test_on_a_leaf_of_another_currency_its_worth_is_held(house: House, gift: Donation) -> None:
    a_stray_gift(house, byn("200.00"), leaf=BYN_LEAF)
    order = ask(house, gift, eur("40.00"), account=BYN_LEAF)
    with nothing_written(house.session), pytest.raises(exchange.NoRate):
        agree(house, order)
    quoted: dict[str, Any] = {"on": NOW.date(), "source": "nbrb", "recorded_at": NOW, "recorded_by": RECORDER}
    exchange.add(house.session, "BYN", value=exchange.parse("0.3"), **quoted)

    agree(house, order)

    assert held(house, BYN_LEAF, "BYN") == byn("133.34")
    receive(house.session, byn("-130.00"), account=BYN_LEAF)
    (exception,) = waiting(house.session)
    is_refund(house.session, order, exception)
    assert (held(house, BYN_LEAF, "BYN"), found(house.session)) == (byn("0.00"), [])


@pytest.mark.parametrize("account", ["1100:eur", "1000", "1000:nowhere"])
def test_what_is_no_leaf_of_the_bank_sends_nothing_back(house: House, gift: Donation, account: str) -> None:
    with nothing_written(house.session), pytest.raises(BadRefundOrder):
        ask(house, gift, eur("40.00"), account=account)


def test_no_more_than_is_owed_is_ordered_by_bank_and_what_is_left_by_card(house: House, gift: Donation) -> None:
    ask(house, gift, eur("39.00"), account=EUR_LEAF)

    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("1.01"), account=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(NotRefundable):
        ask(house, gift, eur("60.01"))
    assert ask(house, gift, eur("60.00")).by_bank is False


def test_another_amount_one_signature_or_a_card_order_is_no_refund_by_bank(house: House, gift: Donation) -> None:
    receive(house.session, eur("-39.00"))
    (exception,) = waiting(house.session)
    house.session.commit()
    asked = ask(house, gift, eur("39.00"), account=EUR_LEAF)
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        is_refund(house.session, asked, exception)
    by_card = agree(house, ask(house, gift, eur("39.00")))
    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        is_refund(house.session, by_card, exception)
    agreed = agree(house, asked)
    agreed.minor = 38_00
    with pytest.raises(NotAgreed):  # what stands there now was not signed
        is_refund(house.session, agreed, exception)
    house.session.rollback()
    small = agree(house, ask(house, gift, eur("1.00"), account=EUR_LEAF))
    with nothing_written(house.session), pytest.raises(BadRefundOrder):
        is_refund(house.session, small, exception)


def test_an_order_by_bank_is_never_sent_to_the_processor(house: House, gift: Donation) -> None:
    order = agree(house, ask(house, gift, eur("40.00"), account=EUR_LEAF))

    with nothing_written(house.session), pytest.raises(RefundOrderNotReady):
        refund_orders.begin_sending(house.session, order.alias)
