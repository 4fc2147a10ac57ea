from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from ledger.books import accounts, journal, recipes
from ledger.books.balances import balance, liquid_nets, trial_balance
from ledger.books.journal import Because
from ledger.books.postings import credit, debit
from tests.bookkeeping import BYN_LEAF, CARD_LEAF, CASE, DONATION, EUR_LEAF, OBLIGATION, RECORDER, a_gift, post
from tests.cast import NOW, byn, eur

FIRST, SECOND, THIRD = date(2020, 11, 2), date(2020, 11, 3), date(2020, 11, 4)


@pytest.fixture
def three_gifts(founded: Session) -> Session:
    """20, 30 and 50 EUR on three days in a row; what happened on the first was recorded last."""
    for nth, (day, amount, recorded) in enumerate([(SECOND, "30.00", 0), (THIRD, "50.00", 1), (FIRST, "20.00", 2)]):
        post(
            founded,
            a_gift(eur(amount)),
            source_key=f"test:{nth}",
            on=day,
            recorded_at=NOW + timedelta(hours=recorded),
        )
    return founded


def test_an_account_that_never_moved_stands_at_zero(founded: Session) -> None:
    assert balance(founded, EUR_LEAF, currency="EUR") == eur("0.00")
    assert trial_balance(founded) == []


def test_debits_are_above_zero_and_credits_below(three_gifts: Session) -> None:
    assert balance(three_gifts, EUR_LEAF, currency="EUR") == eur("100.00")
    assert balance(three_gifts, "4000", currency="EUR") == eur("-100.00")


@pytest.mark.parametrize(
    ("on", "amount"),
    [(FIRST - timedelta(days=1), "0.00"), (FIRST, "20.00"), (SECOND, "50.00"), (THIRD, "100.00"), (date.max, "100.00")],
)
def test_a_balance_on_a_day_holds_all_of_that_day(three_gifts: Session, on: date, amount: str) -> None:
    assert balance(three_gifts, EUR_LEAF, currency="EUR", on=on) == eur(amount)


@pytest.mark.parametrize(("hours", "amount"), [(-1, "0.00"), (0, "30.00"), (1, "80.00"), (2, "100.00")])
def test_a_balance_as_known_at_a_moment_leaves_out_what_was_recorded_later(
    three_gifts: Session, hours: int, amount: str
) -> None:
    known = NOW + timedelta(hours=hours)

    assert balance(three_gifts, EUR_LEAF, currency="EUR", as_known_at=known) == eur(amount)


def test_a_balance_on_a_day_as_known_at_a_moment_obeys_both(three_gifts: Session) -> None:
    one_hour_later = NOW + timedelta(hours=1)

    assert balance(three_gifts, EUR_LEAF, currency="EUR", on=SECOND, as_known_at=one_hour_later) == eur("30.00")
    assert balance(three_gifts, EUR_LEAF, currency="EUR", on=SECOND) == eur("50.00")


def test_what_was_known_before_a_reversal_stays_known(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")), on=FIRST)
    journal.reverse(
        founded,
        posted.entry_id,
        source_key="test:reversal",
        because=Because.BOOKED_TWICE,
        on=SECOND,
        recorded_at=NOW + timedelta(hours=1),
        recorded_by=RECORDER,
    )

    assert balance(founded, EUR_LEAF, currency="EUR") == eur("0.00")
    assert balance(founded, EUR_LEAF, currency="EUR", on=FIRST) == eur("20.00")
    assert balance(founded, EUR_LEAF, currency="EUR", as_known_at=NOW) == eur("20.00")


def test_a_code_is_the_sum_of_its_leaves_in_one_currency(founded: Session) -> None:
    accounts.add_leaf(founded, "1000:eur-main2", name="Savings", currency="EUR")
    post(founded, a_gift(eur("20.00")), source_key="test:1")
    post(founded, a_gift(byn("810.00")), source_key="test:2")
    moved = [debit("1000:eur-main2", eur("5.00"), "fines"), credit(EUR_LEAF, eur("5.00"), "fines")]
    post(founded, moved, source_key="test:3")

    assert balance(founded, EUR_LEAF, currency="EUR") == eur("15.00")
    assert balance(founded, "1000:eur-main2", currency="EUR") == eur("5.00")
    assert balance(founded, "1000", currency="EUR") == eur("20.00")
    assert balance(founded, "1000", currency="BYN") == byn("810.00")
    assert balance(founded, "100", currency="EUR") == eur("0.00")
    assert balance(founded, "1000:eur", currency="EUR") == eur("0.00")
    assert balance(founded, "%", currency="EUR") == eur("0.00")


def test_an_account_that_got_leaves_later_counts_its_own_lines_too(founded: Session) -> None:
    post(founded, [debit("1020", eur("5.00"), "fines"), credit("4300", eur("5.00"), "fines")], source_key="test:1")
    accounts.add_leaf(founded, "1020:safe", name="The safe")
    post(founded, [debit("1020:safe", eur("2.00"), "fines"), credit("4300", eur("2.00"), "fines")], source_key="test:2")

    assert balance(founded, "1020", currency="EUR") == eur("7.00")
    assert balance(founded, "1020:safe", currency="EUR") == eur("2.00")


def test_a_balance_of_one_fund_leaves_out_the_others(founded: Session) -> None:
    post(founded, a_gift(eur("20.00"), fund="fines"), source_key="test:1")
    post(founded, a_gift(eur("5.00"), fund="general"), source_key="test:2")

    assert balance(founded, "1000", currency="EUR", fund="fines") == eur("20.00")
    assert balance(founded, "1000", currency="EUR", fund="general") == eur("5.00")
    assert balance(founded, "1000", currency="EUR", fund="detention") == eur("0.00")


def test_a_share_of_a_pooled_leaf_may_be_below_zero(founded: Session) -> None:
    post(
        founded,
        recipes.card_gift(
            leaf=CARD_LEAF,
            gift=eur("100.00"),
            fee=eur("3.20"),
            fund="fines",
            donation=DONATION,
            net_of_costs=False,
        ),
    )

    assert balance(founded, CARD_LEAF, currency="EUR", fund="general") == eur("-3.20")
    assert balance(founded, CARD_LEAF, currency="EUR") == eur("96.80")


def test_a_fund_has_its_liquid_assets_less_what_it_owes(founded: Session) -> None:
    aid: dict[str, Any] = {"fund": "fines", "obligation": OBLIGATION, "case": CASE}
    post(founded, a_gift(byn("1000.00")), source_key="test:1")
    assert liquid_nets(founded, "fines") == {"BYN": byn("1000.00")}

    post(founded, recipes.aid_recognised(kind="fine", amount=byn("810.00"), **aid), source_key="test:2")
    assert liquid_nets(founded, "fines") == {"BYN": byn("190.00")}

    post(founded, recipes.aid_paid(leaf=BYN_LEAF, amount=byn("810.00"), **aid), source_key="test:3")
    assert liquid_nets(founded, "fines") == {"BYN": byn("190.00")}
    assert liquid_nets(founded, "general") == {}


def test_a_receivable_is_not_liquid_and_an_unidentified_receipt_is_owed(founded: Session) -> None:
    post(
        founded,
        recipes.bank_gift_unidentified(leaf=EUR_LEAF, gift=eur("20.00"), donation=DONATION),
        source_key="test:1",
    )
    post(founded, [debit("1400", eur("9.00"), "general"), credit("4300", eur("9.00"), "general")], source_key="test:2")

    assert liquid_nets(founded, "unassigned") == {"EUR": eur("0.00")}
    assert liquid_nets(founded, "general") == {}


def test_a_trial_balance_holds_every_leaf_that_moved_in_order_and_sums_to_zero(founded: Session) -> None:
    post(founded, a_gift(byn("810.00")), source_key="test:1")
    post(founded, a_gift(eur("20.00"), fund="general"), source_key="test:2")
    post(founded, a_gift(eur("5.00")), source_key="test:3")

    found = [(line.account.code, line.fund, line.currency, line.minor) for line in trial_balance(founded)]

    assert found == [
        (BYN_LEAF, "fines", "BYN", 81_000),
        (EUR_LEAF, "fines", "EUR", 500),
        (EUR_LEAF, "general", "EUR", 2_000),
        ("4000", "fines", "BYN", -81_000),
        ("4000", "fines", "EUR", -500),
        ("4000", "general", "EUR", -2_000),
    ]


def test_a_trial_balance_on_a_day_as_known_at_a_moment_obeys_both(three_gifts: Session) -> None:
    found = trial_balance(three_gifts, on=SECOND, as_known_at=NOW + timedelta(hours=1))

    assert [(line.account.code, line.minor) for line in found] == [(EUR_LEAF, 3_000), ("4000", -3_000)]


def test_a_leaf_that_went_back_to_zero_stays_in_the_trial_balance(founded: Session) -> None:
    post(founded, a_gift(eur("20.00")), source_key="test:1")
    moved = [debit("1020", eur("20.00"), "fines"), credit(EUR_LEAF, eur("20.00"), "fines")]
    post(founded, moved, source_key="test:2")

    assert [(line.account.code, line.minor) for line in trial_balance(founded)] == [
        (EUR_LEAF, 0),
        ("1020", 2_000),
        ("4000", -2_000),
    ]


def test_balances_beyond_the_largest_posting_are_summed(founded: Session) -> None:
    largest = recipes.bank_gift(leaf=EUR_LEAF, gift=eur("10000000000000.00"), fund="fines", donation=DONATION)

    post(founded, largest * 100)

    assert balance(founded, EUR_LEAF, currency="EUR") == eur("1000000000000000.00")
