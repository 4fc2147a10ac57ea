from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from ledger.books import postings as rules
from ledger.books import premises
from ledger.books.accounts import NotPostable, UnknownAccount
from ledger.books.funds import UnknownFund
from ledger.books.postings import (
    LARGEST_POSTING_MINOR,
    BadPosting,
    Posting,
    Side,
    UnbalancedEntry,
    credit,
    debit,
    mirrored,
)
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, CASE, DONATION, EUR_LEAF, OBLIGATION, a_gift
from tests.cast import byn, eur


def check_postings(session: Session, postings: list[Posting]) -> None:
    chart, known_funds, _ = premises.look_up(session, postings)
    rules.check_postings(postings, chart=chart, known_funds=known_funds)


def test_a_balanced_gift_is_fine(founded: Session) -> None:
    check_postings(founded, a_gift(eur("20.00")))


@pytest.mark.parametrize("minor", [0, -1, LARGEST_POSTING_MINOR + 1, 2**63 - 1])
def test_an_amount_is_above_zero_and_such_that_sums_still_fit(founded: Session, minor: int) -> None:
    with pytest.raises(BadPosting) as refusal:
        check_postings(founded, a_gift(Money(minor, "EUR")))

    assert refusal.value.data == {"line": 1}


def test_the_largest_amount_is_fine(founded: Session) -> None:
    check_postings(founded, a_gift(Money(LARGEST_POSTING_MINOR, "EUR")))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"account": "1000"}, NotPostable),
        ({"account": BYN_LEAF}, NotPostable),
        ({"account": "1000:nowhere"}, UnknownAccount),
        ({"fund": "bail"}, UnknownFund),
        ({"fund": "Invented Person"}, UnknownFund),
        ({"case": "Invented Person"}, BadPosting),
        ({"case": OBLIGATION}, BadPosting),
        ({"case": ""}, BadPosting),
        ({"subject": "Invented Person"}, BadPosting),
        ({"subject": "G-Invented Person"}, BadPosting),
        ({"subject": ""}, BadPosting),
        ({"account": "4000"}, BadPosting),
        ({"account": "4000", "subject": OBLIGATION}, BadPosting),
        ({"account": "4000", "subject": "G-"}, BadPosting),
        ({"account": "4000", "subject": "G-Invented Person"}, BadPosting),
        ({"account": "2100", "subject": DONATION}, BadPosting),
        ({"account": "1200", "subject": OBLIGATION}, BadPosting),
    ],
)
def test_a_posting_that_cannot_be_a_line_is_refused_by_its_number(
    founded: Session, wrong: dict[str, Any], error: type[BadPosting]
) -> None:
    fine, other = debit(EUR_LEAF, eur("20.00"), "fines"), credit("4300", eur("20.00"), "fines")

    with pytest.raises(error) as refusal:
        check_postings(founded, [fine, replace(other, **wrong)])

    assert refusal.value.data["line"] == 2
    assert "Invented" not in f"{refusal.value} {refusal.value.data}"


@pytest.mark.parametrize(("account", "subject"), [("5200", OBLIGATION), ("5200", DONATION), ("4300", CASE)])
def test_a_subject_is_one_of_the_kinds_the_chart_names_or_any_alias_where_it_names_none(
    founded: Session, account: str, subject: str
) -> None:
    check_postings(
        founded,
        [
            debit(EUR_LEAF, eur("20.00"), "fines", case=CASE, rate_on=date(2020, 10, 1)),
            credit(account, eur("20.00"), "fines", subject=subject),
        ],
    )


@pytest.mark.parametrize(
    ("postings", "residual"),
    [
        ([debit(EUR_LEAF, eur("20.00"), "fines"), credit("4300", eur("19.99"), "fines")], ("EUR", "fines", 1)),
        ([debit(EUR_LEAF, eur("20.00"), "fines"), debit("6300", eur("5.00"), "fines")], ("EUR", "fines", 2500)),
        ([debit(EUR_LEAF, eur("20.00"), "fines"), credit("4300", eur("20.00"), "general")], ("EUR", "fines", 2000)),
        ([debit(EUR_LEAF, eur("20.00"), "fines"), credit("4300", byn("20.00"), "fines")], ("BYN", "fines", -2000)),
    ],
    ids=["amount", "side", "fund", "currency"],
)
def test_debits_and_credits_are_equal_in_each_currency_of_each_fund(
    founded: Session, postings: list[Posting], residual: tuple[str, str, int]
) -> None:
    with pytest.raises(UnbalancedEntry) as refusal:
        check_postings(founded, postings)

    data = refusal.value.data
    assert (data["currency"], data["fund"], data["residual_minor"]) == residual


@given(st.sampled_from(Side), st.integers(1, 10**15), st.one_of(st.none(), st.dates()), st.dates())
def test_the_mirror_image_of_a_mirror_image_stands_on_the_first_side(
    side: Side, minor: int, rate_on: date | None, effective_on: date
) -> None:
    posting = Posting(side, "4000", Money(minor, "EUR"), "fines", DONATION, CASE, rate_on)

    mirror = mirrored(posting, rate_on=effective_on)

    assert mirror.side is not side
    assert mirror.rate_on == (rate_on or effective_on)
    assert mirrored(mirror, rate_on=date.min) == replace(posting, rate_on=mirror.rate_on)
