"""What an automatic payout pays out: told when the processor has put it together, and perhaps otherwise afterwards."""

import pytest
from sqlmodel import Session, select

from ledger.exceptions import Difference, OpenException
from ledger.giving import payout_items, payouts, processor
from ledger.giving.bookings import Reason
from ledger.giving.explanations import What
from ledger.money import Money
from tests.bookcheck import BELOW_THE_ACTS, found
from tests.bookkeeping import RECORDER
from tests.cards import a_charge, a_payout, book, changed, paying_out
from tests.cast import NOW, eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
OTHER = a_charge(eur("50.00"), fee=eur("1.00"), purpose="DETENTION", nth=2)
MORE = a_charge(eur("7.00"), purpose="ALL", nth=3)
WHOLE = paying_out(CHARGE, OTHER)
BARE = changed(WHOLE, transactions=())


def differing(session: Session) -> list[Money | None]:
    query = select(OpenException).where(OpenException.difference == Difference.PAYOUT_DIFFERS)
    return [one.amount() for one in session.exec(query)]


def test_a_payout_waits_until_what_it_pays_out_is_told(card_book: Session) -> None:
    *_, waiting = book(card_book, CHARGE, OTHER, BARE)
    with nothing_written(card_book):
        book(card_book, BARE)
    assert (waiting.reason, payout_items.waiting(card_book)) == (Reason.ITEMS_NOT_TOLD, [BARE])

    book(card_book, WHOLE)

    (payout,) = payouts.listed(card_book)
    shares = payouts.shares_of(card_book, payout)
    assert (shares["fines"], shares["detention"]) == (eur("100.00"), eur("49.00"))
    assert payout_items.waiting(card_book) == []
    with nothing_written(card_book):
        book(card_book, WHOLE, BARE)
    assert found(card_book) == []


def test_a_payout_lists_itself_and_that_is_nothing(card_book: Session) -> None:
    (waiting,) = book(card_book, changed(BARE, transactions=(BARE.balance_transaction,)))

    assert waiting.reason is Reason.ITEMS_NOT_TOLD


def test_what_is_told_while_a_gift_is_missing_waits_for_that(card_book: Session) -> None:
    book(card_book, CHARGE, BARE)
    book(card_book, WHOLE)
    assert payouts.listed(card_book) == []

    book(card_book, OTHER)

    assert [one.minor for one in payouts.listed(card_book)] == [14_580]
    assert found(card_book) == []


def test_a_payout_waits_until_each_amount_under_an_id_is_booked(card_book: Session) -> None:
    strange = changed(CHARGE, category="contribution", gross=eur("5.00"), fee=eur("0.00"), net=eur("5.00"), source=None)
    whole = changed(WHOLE, gross=eur("-150.80"), net=eur("-150.80"))
    book(card_book, CHARGE, OTHER, strange, whole)
    assert payouts.listed(card_book) == []

    processor.explain(
        card_book,
        strange.balance_transaction,
        gross=strange.gross,
        what=What.COST,
        recorded_at=NOW,
        recorded_by=RECORDER,
    )

    assert [one.minor for one in payouts.listed(card_book)] == [15_080]
    assert (differing(card_book), found(card_book, but=BELOW_THE_ACTS)) == ([], [])


@pytest.mark.parametrize(
    ("now", "amount"),
    [((CHARGE, OTHER, MORE), eur("7.00")), ((CHARGE,), eur("-49.00")), ((CHARGE, MORE), eur("-42.00"))],
)
def test_what_is_told_otherwise_after_it_was_booked_is_an_exception_once(
    card_book: Session, now: tuple[object, ...], amount: Money
) -> None:
    book(card_book, CHARGE, OTHER, MORE, WHOLE)
    items = tuple(one.balance_transaction for one in (CHARGE, OTHER, MORE) if one in now)

    book(card_book, changed(WHOLE, transactions=items))

    assert differing(card_book) == [amount]
    with nothing_written(card_book):
        book(card_book, changed(WHOLE, transactions=items))
    assert found(card_book) == []


def test_a_payout_that_somebody_asked_for_gets_no_items(card_book: Session) -> None:
    book(card_book, CHARGE, a_payout(eur("96.80")))

    with nothing_written(card_book):
        book(card_book, paying_out(CHARGE))
