"""Rows of gifts, disputes and payouts that somebody alters in the database are found by what they come from."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlmodel import Session

from ledger.giving import donations
from ledger.giving.movements import Movement
from tests.bookcheck import found
from tests.cards import a_charge, a_dispute, a_move, a_payout, a_refund, book, paying_out, usd
from tests.cast import eur

GIFT, OTHER, CALLED = (
    a_charge(eur("50.00"), nth=nth, purpose=purpose) for nth, purpose in ((1, "FINES"), (2, None), (3, "DETENTION"))
)
DISPUTE = a_dispute(CALLED, eur("50.00"), nth=3)
ARRIVING: Movement = replace(a_payout(eur("10.00"), nth=9), arriving=usd("11.00"))
_OF = {"gift": GIFT.charge, "other": OTHER.charge, "called": CALLED.charge}


@pytest.fixture
def told(card_book: Session) -> Session:
    """Three gifts: one for fines, refunded in part; one for nothing known; one that is called back. And two payouts."""
    book(card_book, GIFT, OTHER, CALLED, a_refund(GIFT, eur("5.00")), DISPUTE, ARRIVING, paying_out(OTHER, nth=8))
    book(card_book, a_move("climate_contribution", eur("1.00")))
    card_book.commit()
    return card_book


def gift(which: str, change: str) -> tuple[str, str]:
    return f"UPDATE donation SET {change} WHERE charge = '{_OF[which]}'", "gift-rows"  # noqa: S608  # our own


ATTACKS = [
    gift("called", "state = 'received'"),
    gift("called", "state = 'won'"),
    gift("other", "state = 'settled'"),
    gift("other", "state = 'refunded'"),
    gift("gift", "state = 'received'"),
    gift("gift", "state = 'matched'"),
    gift("other", "state = 'pending'"),
    gift("gift", "received_on = '2020-01-01'"),
    gift("gift", "source = 'cash'"),
    gift("other", "source = 'bank'"),
    gift("gift", "purpose_code = NULL, purpose_version = NULL"),
    gift("gift", "purpose_code = 'ALL', purpose_version = 0"),
    ("UPDATE dispute SET fee_minor = 0", "dispute-rows"),
    ("UPDATE dispute SET minor = 1", "dispute-rows"),
    ("UPDATE dispute SET returned_minor = 1", "dispute-rows"),
    ("UPDATE dispute SET state = 'won'", "dispute-rows"),
    ("UPDATE dispute SET opened_on = '2020-01-01'", "dispute-rows"),
    ("UPDATE dispute SET donation_alias = (SELECT min(alias) FROM donation WHERE state <> 'disputed')", "dispute-rows"),
    ("UPDATE payout SET arriving_minor = 1 WHERE arriving_minor > 0", "payout-arrivals"),
    ("UPDATE payout SET arriving_minor = 9000, arriving_currency = 'USD'", "payout-arrivals"),
    ("UPDATE payout SET arriving_minor = NULL, arriving_currency = NULL", "payout-arrivals"),
]


def test_what_is_altered_in_a_row_is_found(told: Session) -> None:
    """All attacks on one book: each is taken back before the next."""
    assert found(told) == []

    unseen = []
    for statement, check in ATTACKS:
        savepoint = told.begin_nested()
        told.connection().execute(text(statement))
        told.expire_all()
        if not found(told, by={check}):
            unseen.append(statement)
        savepoint.rollback()
        told.expire_all()

    assert unseen == []


def test_a_gift_that_waits_for_its_leaf_is_pending_and_nothing_else(founded: Session) -> None:
    book(founded, a_charge(usd("5.00"), purpose=None))
    assert found(founded) == []

    (waiting,) = donations.listed(founded)
    waiting.state = donations.State.RECEIVED
    donations.keep(founded, waiting)

    assert {one.check for one in found(founded, by={"gift-rows"})} == {"gift-rows"}
