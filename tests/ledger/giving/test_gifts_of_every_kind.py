"""Receipts, returns, steps and assignments on one gift, whether it came by bank, in cash or in kind."""

from collections.abc import Callable

import pytest

from ledger.books import accounts
from ledger.giving import donations, donor_links, purposes, receipts
from ledger.giving.donations import Donation
from ledger.giving.receipts import NotCertifiable, OnReceipt
from ledger.money import Money
from ledger.treasury import gift_assignments
from ledger.treasury.gift_assignments import NothingLeft, NotUnassigned
from tests import cards
from tests import donors as made
from tests.bookcheck import assert_it_holds, found
from tests.cards import a_payout
from tests.cast import LEAF, NOW, House, byn, engine_of, nothing_written
from tests.donors import a_donor, a_new_receipt, cancel, issue
from tests.given import (
    a_count,
    a_shown_gift_in_kind,
    a_stray_gift,
    agree_back,
    agree_value,
    ask_back,
    match,
    open_for,
    send_back,
    shown,
    signed,
    tell_payout,
    value,
    witness,
)

WHOLE = byn("100.00")


@pytest.fixture
def givers(house: House) -> House:
    return made.furnish(house)


@pytest.fixture
def donor(givers: House) -> str:
    return a_donor(givers)


def by_bank(house: House) -> Donation:
    return match(house, a_stray_gift(house, WHOLE))


def in_cash(house: House) -> Donation:
    return witness(house, a_count(house, WHOLE))


def in_kind(house: House) -> Donation:
    new = a_shown_gift_in_kind(house, WHOLE)
    value(house, new)
    open_for(house, new)
    return agree_value(house, new)


def linked(house: House, gift: Donation, donor: str) -> Donation:
    donor_links.link(house.session, gift.alias, donor=donor, by=house.fund.clara.alias, at=NOW)
    house.session.commit()
    return gift


def assign(house: House, gift: Donation) -> None:
    """Clara says that it was for fines."""
    amount = gift.amount() - Money(gift.refunded_minor, gift.currency)
    commitment = gift_assignments.commitment(purpose="FINES", account=LEAF)
    agreed = signed("assign_gift", gift.alias, by=house.fund.clara, of=amount, commitment=commitment)
    gift_assignments.assign(house.session, gift.alias, purpose="FINES", account=LEAF, agreed=agreed)
    house.session.commit()


def left(house: House, gift: Donation) -> Money | None:
    return receipts.left_of(house.session, gift)


@pytest.mark.parametrize("given", [by_bank, in_cash, in_kind])
def test_a_gift_of_every_kind_is_certified_once(givers: House, donor: str, given: Callable[[House], Donation]) -> None:
    gift = linked(givers, given(givers), donor)

    receipt = issue(givers, a_new_receipt(givers.session, donor, gift))

    assert receipt.amount() == WHOLE
    with nothing_written(givers.session), pytest.raises(NotCertifiable):
        issue(givers, a_new_receipt(givers.session, donor, gift))
    cancel(givers, receipt)
    issue(givers, a_new_receipt(givers.session, donor, gift))
    assert_it_holds(engine_of(givers.session))


def test_of_a_gift_that_came_without_a_purpose_what_was_matched_is_certified(givers: House, donor: str) -> None:
    gift = linked(givers, a_stray_gift(givers, WHOLE), donor)
    send_back(givers, gift, byn("40.00"))
    assert left(givers, gift) is None
    match(givers, gift)
    new = a_new_receipt(givers.session, donor, gift, gifts=[(gift.alias, WHOLE)])
    with nothing_written(givers.session), pytest.raises(NotCertifiable):
        issue(givers, new)

    issue(givers, a_new_receipt(givers.session, donor, gift, gifts=[(gift.alias, byn("60.00"))]))

    assert found(givers.session) == []
    send_back(givers, gift, byn("30.00"))
    assert [(one.check, one.facts["where"]) for one in found(givers.session)] == [("receipts", "left")]
    assert left(givers, gift) == byn("30.00")


def test_what_is_asked_to_go_back_is_not_certified(givers: House) -> None:
    gift = in_cash(givers)
    shown(givers, byn("5000.00"))

    ask_back(givers, gift, byn("1.00"))

    assert left(givers, gift) is None


def test_what_stands_on_a_receipt_was_no_payout(givers: House, donor: str) -> None:
    gift = linked(givers, by_bank(givers), donor)
    issue(givers, a_new_receipt(givers.session, donor, gift))
    accounts.add_leaf(givers.session, "1050:byn", name="A leaf", currency="BYN")
    accounts.add_leaf(givers.session, "1100:byn", name="A leaf", currency="BYN")
    cards.book(givers.session, a_payout(WHOLE, on=gift.received_on))

    with nothing_written(givers.session), pytest.raises(OnReceipt):
        tell_payout(givers, gift, "po_Invented0001")


@pytest.fixture
def for_anything(house: House) -> Donation:
    """100.00 BYN by bank for a purpose without a fund of its own."""
    added = purposes.add(house.session, "ANYTHING", fund="unassigned", text="For anything.", net_of_costs=False)
    shown(house, WHOLE, reference=added.reference)
    (gift,) = donations.listed(house.session)
    return gift


def test_what_went_back_before_a_gift_got_its_purpose_comes_back_to_it(house: House, for_anything: Donation) -> None:
    order = send_back(house, for_anything, byn("40.00"))
    assign(house, for_anything)
    assert (for_anything.fund_code, found(house.session)) == ("fines", [])

    shown(house, byn("40.00"), reference=order.reference)

    assert (for_anything.refunded_minor, found(house.session)) == (0, [])


def test_what_goes_back_gets_no_purpose_meanwhile(house: House, for_anything: Donation) -> None:
    order = ask_back(house, for_anything, byn("40.00"))
    with nothing_written(house.session), pytest.raises(NothingLeft):
        assign(house, for_anything)
    agree_back(house, order)
    with nothing_written(house.session), pytest.raises(NothingLeft):
        assign(house, for_anything)

    shown(house, byn("-40.00"), reference=order.reference)

    assign(house, for_anything)
    assert found(house.session) == []
    with nothing_written(house.session), pytest.raises(NotUnassigned):
        assign(house, for_anything)


@pytest.mark.usefixtures("for_anything")
def test_a_stray_gift_matched_to_anything_is_assigned_like_any(house: House) -> None:
    stray = match(house, a_stray_gift(house, byn("7.00")), fund="unassigned", purpose="ANYTHING")

    assign(house, stray)

    assert (stray.fund_code, found(house.session)) == ("fines", [])
    part = a_stray_gift(house, byn("9.00"))
    send_back(house, part, byn("4.00"))
    match(house, part, fund="unassigned", purpose="ANYTHING")
    with nothing_written(house.session), pytest.raises(NotUnassigned):
        assign(house, part)
