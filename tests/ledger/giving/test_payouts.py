from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from ledger.books import journal
from ledger.books.balances import balance
from ledger.giving import payouts, sightings
from ledger.giving.payouts import LONGEST_WAY, Payout, State, split
from ledger.money import Money
from tests.bookkeeping import CARD_LEAF, EUR_LEAF, RECORDER
from tests.cards import DAY, TRANSIT, a_charge, a_payout, book, usd
from tests.cast import NOW, eur

FUNDS = ["bail", "detention", "fines", "general", "unassigned"]
SHARES = st.dictionaries(st.sampled_from(FUNDS), st.integers(-(10**10), 10**10), min_size=1)


def test_the_worked_example_of_a_manual_payout_in_dollars() -> None:
    assert split(usd("5000.00"), {"detention": 567_000, "general": -1_500}) == {
        "detention": usd("5013.26"),
        "general": usd("-13.26"),
    }


def test_the_worked_example_of_a_payout_of_everything_in_euros() -> None:
    assert split(eur("11289.00"), {"fines": 970_000, "general": 158_900}) == {
        "fines": eur("9700.00"),
        "general": eur("1589.00"),
    }


def test_the_largest_remainder_is_rounded_up_and_a_tie_goes_by_the_code_of_the_fund() -> None:
    assert split(eur("1.00"), {"fines": 100, "detention": 100, "general": 100}) == {
        "detention": eur("0.34"),
        "fines": eur("0.33"),
        "general": eur("0.33"),
    }
    assert split(eur("0.02"), {"fines": 1, "general": 2})["general"] == eur("0.01")


@pytest.mark.parametrize("standing", [{}, {"fines": -100}, {"fines": 100, "general": -100}])
def test_a_payout_of_what_is_not_there_is_the_share_of_general(standing: dict[str, int]) -> None:
    assert split(eur("5.00"), standing) == {"general": eur("5.00")}


def test_what_a_payout_has_beyond_the_leaf_is_the_share_of_general() -> None:
    assert split(eur("5.00"), {"fines": 300, "detention": 100}) == {
        "detention": eur("1.00"),
        "fines": eur("3.00"),
        "general": eur("1.00"),
    }


@given(minor=st.integers(1, 10**10), standing=SHARES)
def test_shares_sum_to_the_payout_and_lie_within_a_cent_of_their_part(*, minor: int, standing: dict[str, int]) -> None:
    shares = split(Money(minor, "EUR"), standing)

    total = sum(standing.values())
    assert sum(share.minor for share in shares.values()) == minor
    if minor <= total:
        for fund, of_fund in standing.items():
            share = shares.get(fund, Money(0, "EUR")).minor
            assert abs(share * total - of_fund * minor) < total  # exact integers: less than one cent


@given(standing=SHARES)
def test_a_payout_of_everything_leaves_no_fund_with_a_share(standing: dict[str, int]) -> None:
    total = sum(standing.values())
    if total <= 0:
        return

    shares = split(Money(total, "EUR"), standing)

    assert {fund: share.minor for fund, share in shares.items()} == {fund: of for fund, of in standing.items() if of}


def a_booked_payout(session: Session) -> Payout:
    """Of a gift of 100.00 for fines, whose fee of 3.20 general bears."""
    book(session, a_charge(eur("100.00"), fee=eur("3.20")), a_payout(eur("96.80")))
    (payout,) = payouts.listed(session)
    return payout


def arrive(session: Session, payout: Payout) -> journal.Posted:
    return payouts.arrive(
        session,
        payout,
        source_key="test:arrival",
        bank=EUR_LEAF,
        on=DAY + timedelta(days=2),
        recorded_at=NOW,
        recorded_by=RECORDER,
    )


def test_a_payout_arrives_with_the_shares_it_left_with(card_book: Session) -> None:
    payout = a_booked_payout(card_book)
    assert payouts.shares_of(card_book, payout) == {"fines": eur("100.00"), "general": eur("-3.20")}

    arrive(card_book, payout)

    assert (payout.state, payout.paid_on) == (State.PAID, DAY + timedelta(days=2))
    for leaf in (CARD_LEAF, TRANSIT):
        for fund in ("fines", "general"):
            assert balance(card_book, leaf, currency="EUR", fund=fund) == eur("0.00")
    assert balance(card_book, EUR_LEAF, currency="EUR", fund="fines") == eur("100.00")
    assert balance(card_book, EUR_LEAF, currency="EUR", fund="general") == eur("-3.20")


@pytest.mark.parametrize(
    ("amount", "on", "found"),
    [
        (eur("96.80"), DAY, 1),
        (eur("96.80"), DAY + LONGEST_WAY, 1),
        (eur("96.80"), DAY + LONGEST_WAY + timedelta(days=1), 0),
        (eur("96.80"), DAY - timedelta(days=1), 0),
        (eur("96.81"), DAY, 0),
        (usd("96.80"), DAY, 0),
    ],
)
def test_a_credit_can_be_a_payout_of_its_amount_for_ten_days(
    card_book: Session, amount: Money, on: date, found: int
) -> None:
    a_booked_payout(card_book)

    assert len(sightings.candidates(card_book, amount=amount, on=on)) == found


def test_a_payout_that_arrived_is_not_looked_for_again(card_book: Session) -> None:
    arrive(card_book, a_booked_payout(card_book))

    assert sightings.candidates(card_book, amount=eur("96.80"), on=DAY) == []
