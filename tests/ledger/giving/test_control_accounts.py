"""Owed to donors, in transit, set aside, lost: each account is the sum of what waits there, or a check tells."""

import pytest
from sqlmodel import Session

from ledger.books import journal
from ledger.books.postings import credit, debit
from ledger.giving import disputes, donations
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import (
    DAY,
    TRANSIT,
    a_charge,
    a_dispute,
    a_move,
    a_payout,
    a_payout_failure,
    a_refund,
    a_refund_failure,
    a_top_up,
    book,
)
from tests.cast import NOW, eur

CHARGE, CALLED = a_charge(eur("100.00")), a_charge(eur("50.00"), nth=2)
REFUND = a_refund(CHARGE, eur("40.00"))
PAYOUT = a_payout(eur("9.00"))


@pytest.fixture
def busy(card_book: Session) -> Session:
    """Something stands on each of these accounts, and something has left each again."""
    book(card_book, CHARGE, CALLED, REFUND, a_refund_failure(REFUND), a_dispute(CALLED, eur("50.00")))
    book(card_book, PAYOUT, a_payout(eur("8.00"), nth=2), a_payout_failure(PAYOUT), a_top_up(eur("5.00")))
    book(card_book, a_move("risk_reserved_funds", eur("-3.00")), a_move("risk_reserved_funds", eur("1.00"), nth=2))
    (dispute,) = disputes.listed(card_book)
    disputes.lose(card_book, dispute.alias, on=DAY, recorded_at=NOW, recorded_by=RECORDER)
    return card_book


def test_each_is_the_sum_of_what_waits_there(busy: Session) -> None:
    assert {one.check for one in found(busy)} == {"unsaid"}  # a dispute was lost, and nobody signed it


@pytest.mark.parametrize(
    ("account", "check"),
    [("2050", "donor-refunds"), (TRANSIT, "in-transit"), ("1110", "reserved"), ("4195", "lost-disputes")],
)
def test_what_stands_there_without_a_reason_is_found(busy: Session, account: str, check: str) -> None:
    gift = donations.of_charge(busy, CHARGE.charge or "")
    (dispute,) = disputes.listed(busy)
    subject = {"2050": gift.alias if gift else None, "4195": dispute.alias}.get(account)
    postings = [debit(account, eur("2.00"), "fines", subject=subject), credit(CARD_LEAF, eur("2.00"), "fines")]
    journal.post(
        busy,
        source_key="http:OP-1:1",
        kind="manual",
        postings=postings,
        happened_on=DAY,
        recorded_at=NOW,
        recorded_by=RECORDER,
    )

    (told,) = found(busy, by=("donor-refunds", "in-transit", "reserved", "lost-disputes"))

    assert (told.check, told.facts["currency"]) == (check, "EUR")
    assert int(told.facts["booked_minor"] or 0) - int(told.facts["expected_minor"] or 0) == 200
