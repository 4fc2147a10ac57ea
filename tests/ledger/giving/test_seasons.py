"""Random seasons at the processor: charges, refunds, disputes, payouts, fees, in any order and any number of times."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from ledger.books import journal
from ledger.books.balances import balance, trial_balance
from ledger.giving import donations, payouts
from ledger.giving.donations import OverRefunded, UnknownCharge
from ledger.giving.movements import Category, Movement
from ledger.giving.processor import Booked
from ledger.money import Money
from tests.bookkeeping import CARD_LEAF
from tests.cards import TRANSIT, a_charge, a_dispute, a_fee, a_payout, a_refund, book

CENTS = st.integers(1, 50_000)
GIFTS = st.lists(
    st.tuples(CENTS, st.integers(0, 400), st.sampled_from(["FINES", "DETENTION", "ALL", None])), min_size=1, max_size=4
)


@st.composite
def seasons(draw: st.DrawFn) -> list[Movement]:
    """Movements in a shuffled order, some of them twice; refunds may be of more than was given."""
    charges = [
        a_charge(Money(minor, "EUR"), fee=Money(fee, "EUR"), purpose=purpose, nth=nth)
        for nth, (minor, fee, purpose) in enumerate(draw(GIFTS))
    ]
    made = list(charges)
    for nth, charge in enumerate(draw(st.lists(st.sampled_from(charges), max_size=4))):
        made.append(a_refund(charge, Money(draw(CENTS), "EUR"), nth=nth))
    for nth, charge in enumerate(draw(st.lists(st.sampled_from(charges), max_size=2))):
        made.append(a_dispute(charge, charge.gross, fee=Money(draw(st.integers(0, 1_500)), "EUR"), nth=nth))
    made += [a_payout(Money(minor, "EUR"), nth=nth) for nth, minor in enumerate(draw(st.lists(CENTS, max_size=3)))]
    made += [a_fee(Money(minor, "EUR"), nth=nth) for nth, minor in enumerate(draw(st.lists(CENTS, max_size=2)))]
    return draw(st.permutations(made + draw(st.lists(st.sampled_from(made), max_size=4))))


def book_until_nothing_waits(session: Session, movements: list[Movement]) -> dict[str, Booked]:
    """Books one by one; what is about a charge that did not come yet is sent again at the end."""
    booked: dict[str, Booked] = {}
    waiting = list(movements)
    while waiting:
        movement = waiting.pop(0)
        try:
            (one,) = book(session, movement)
        except UnknownCharge:
            waiting.append(movement)
        except OverRefunded:
            assert movement.category is Category.REFUND
        else:
            assert one.replayed == (movement.balance_transaction in booked)
            booked[movement.balance_transaction] = one
    return booked


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(season=seasons())
def test_whatever_comes_in_whatever_order_the_leaf_is_the_sum_of_what_moved(
    furnished: Session, season: list[Movement]
) -> None:
    savepoint = furnished.begin_nested()
    try:
        booked = book_until_nothing_waits(furnished, season)
        check_books(furnished, [one.movement for one in booked.values()])
        again = [one.movement for one in booked.values()]
        assert all(one.replayed for one in book(furnished, *again))
        check_books(furnished, again)
    finally:
        savepoint.rollback()


def check_books(session: Session, moved: list[Movement]) -> None:
    assert journal.count(session) == len(moved)
    assert balance(session, CARD_LEAF, currency="EUR").minor == sum(one.net.minor for one in moved)
    leaving = [-one.gross for one in moved if one.category is Category.PAYOUT]
    assert balance(session, TRANSIT, currency="EUR") == sum(leaving, Money(0, "EUR"))
    assert sorted(payout.minor for payout in payouts.listed(session)) == sorted(money.minor for money in leaving)
    by_fund: Counter[str] = Counter()
    for one in trial_balance(session):
        by_fund[one.fund] += one.minor
    assert set(by_fund.values()) <= {0}
    check_refunds(session, moved)


def check_refunds(session: Session, moved: list[Movement]) -> None:
    refunded: Counter[str | None] = Counter()
    for one in moved:
        if one.category is Category.REFUND:
            refunded[one.charge] -= one.gross.minor
    for gift in donations.listed(session):
        assert gift.refunded_minor == refunded[gift.charge] <= gift.minor
