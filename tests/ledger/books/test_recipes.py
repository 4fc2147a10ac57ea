from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from ledger.books import accounts, recipes
from ledger.books.postings import Posting, Side, credit, debit
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, CARD_LEAF, CASE, DONATION, EUR_LEAF, OBLIGATION, post
from tests.cast import byn, eur

DISPUTE, TRANSIT = "Q-0000-0000-0001", "1050:eur"
SHARES = {"general": eur("-13.26"), "fines": eur("0.00"), "detention": eur("5013.26")}
AID = {"subject": OBLIGATION, "case": CASE}


def card_gift(gift: Money, fee: Money, *, fund: str = "fines", net_of_costs: bool = False) -> list[Posting]:
    return recipes.card_gift(
        leaf=CARD_LEAF, gift=gift, fee=fee, fund=fund, donation=DONATION, net_of_costs=net_of_costs
    )


def sums(postings: list[Posting]) -> dict[tuple[str, str], int]:
    """The signed sum of each account in each fund."""
    found: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        sign = 1 if posting.side is Side.DEBIT else -1
        found[posting.account, posting.fund] += sign * posting.money.minor
    return dict(found)


def test_a_card_gift_whose_costs_general_bears() -> None:
    assert card_gift(eur("100.00"), eur("3.20")) == [
        debit(CARD_LEAF, eur("100.00"), "fines"),
        debit("6000", eur("3.20"), "general"),
        credit("4000", eur("100.00"), "fines", subject=DONATION),
        credit(CARD_LEAF, eur("3.20"), "general"),
    ]


def test_a_card_gift_whose_purpose_says_net_of_costs() -> None:
    assert sums(card_gift(eur("100.00"), eur("3.20"), net_of_costs=True)) == {
        (CARD_LEAF, "fines"): 9680,
        ("6000", "fines"): 320,
        ("4000", "fines"): -10000,
    }


def test_a_card_gift_to_general_bears_its_own_costs() -> None:
    assert sums(card_gift(eur("100.00"), eur("3.20"), fund="general")) == {
        (CARD_LEAF, "general"): 9680,
        ("6000", "general"): 320,
        ("4000", "general"): -10000,
    }


@pytest.mark.parametrize("net_of_costs", [False, True])
def test_a_card_gift_without_a_fee(*, net_of_costs: bool) -> None:
    assert card_gift(eur("100.00"), eur("0.00"), net_of_costs=net_of_costs) == [
        debit(CARD_LEAF, eur("100.00"), "fines"),
        credit("4000", eur("100.00"), "fines", subject=DONATION),
    ]


@pytest.mark.parametrize(("fee", "arrived"), [("0.30", {}), ("0.35", {(CARD_LEAF, "fines"): -5})])
def test_a_card_gift_that_its_fee_eats_up_is_booked_all_the_same(fee: str, arrived: dict[tuple[str, str], int]) -> None:
    assert sums(card_gift(eur("0.30"), eur(fee), net_of_costs=True)) == arrived | {
        ("6000", "fines"): eur(fee).minor,
        ("4000", "fines"): -30,
    }


@given(
    gift=st.integers(1, 10**12),
    fee=st.integers(0, 10**12),
    fund=st.sampled_from(["general", "fines", "unassigned"]),
    net_of_costs=st.booleans(),
)
def test_every_card_gift_balances_in_each_fund_and_is_income_in_full(
    *, gift: int, fee: int, fund: str, net_of_costs: bool
) -> None:
    postings = card_gift(Money(gift, "EUR"), Money(fee, "EUR"), fund=fund, net_of_costs=net_of_costs)

    totals: Counter[str] = Counter()
    for (_, of_fund), minor in sums(postings).items():
        totals[of_fund] += minor
    assert not any(totals.values())
    assert all(posting.money.minor > 0 for posting in postings)
    assert sums(postings)["4000", fund] == -gift
    assert sum(minor for (account, _), minor in sums(postings).items() if account == "6000") == fee
    assert sum(minor for (account, _), minor in sums(postings).items() if account == CARD_LEAF) == gift - fee


def test_a_bank_gift_whose_purpose_is_known() -> None:
    postings = recipes.bank_gift(leaf=EUR_LEAF, gift=eur("20.00"), fund="fines", donation=DONATION)

    assert postings == [
        debit(EUR_LEAF, eur("20.00"), "fines"),
        credit("4000", eur("20.00"), "fines", subject=DONATION),
    ]


def test_an_unidentified_bank_gift_is_owed_until_somebody_knows() -> None:
    postings = recipes.bank_gift_unidentified(leaf=EUR_LEAF, gift=eur("20.00"), donation=DONATION)

    assert postings == [
        debit(EUR_LEAF, eur("20.00"), "unassigned"),
        credit("2000", eur("20.00"), "unassigned", subject=DONATION),
    ]


@pytest.mark.parametrize(("kind", "expense"), [("fine", "5000"), ("detention", "5100"), ("court_fee", "5200")])
def test_recognised_aid_is_an_expense_of_its_kind_against_approved_assistance(kind: str, expense: str) -> None:
    postings = recipes.aid_recognised(kind=kind, amount=byn("810.00"), fund="fines", obligation=OBLIGATION, case=CASE)

    assert postings == [
        debit(expense, byn("810.00"), "fines", **AID),
        credit("2100", byn("810.00"), "fines", **AID),
    ]


def test_bail_is_no_expense() -> None:
    with pytest.raises(KeyError):
        recipes.aid_recognised(kind="bail", amount=byn("1.00"), fund="fines", obligation=OBLIGATION, case=CASE)


def test_paid_aid_settles_approved_assistance_from_the_bank() -> None:
    postings = recipes.aid_paid(leaf=BYN_LEAF, amount=byn("810.00"), fund="fines", obligation=OBLIGATION, case=CASE)

    assert postings == [
        debit("2100", byn("810.00"), "fines", **AID),
        credit(BYN_LEAF, byn("810.00"), "fines", case=CASE),
    ]


def test_the_default_chart_admits_every_recipe(founded: Session) -> None:
    of_all = [
        card_gift(eur("100.00"), eur("3.20")),
        card_gift(eur("100.00"), eur("3.20"), net_of_costs=True),
        card_gift(eur("0.30"), eur("0.35"), net_of_costs=True),
        recipes.bank_gift(leaf=EUR_LEAF, gift=eur("20.00"), fund="fines", donation=DONATION),
        recipes.bank_gift_unidentified(leaf=EUR_LEAF, gift=eur("20.00"), donation=DONATION),
        *(
            recipes.aid_recognised(kind=kind, amount=byn("1.00"), fund="fines", obligation=OBLIGATION, case=CASE)
            for kind in recipes.AID_EXPENSE
        ),
        recipes.aid_paid(leaf=BYN_LEAF, amount=byn("1.00"), fund="fines", obligation=OBLIGATION, case=CASE),
    ]

    posted = [post(founded, postings, source_key=f"test:{nth}") for nth, postings in enumerate(of_all)]

    assert len({one.entry_id for one in posted}) == len(of_all)


# --- what the card processor moves besides gifts


def test_a_fee_of_the_processor_by_itself_is_borne_by_general() -> None:
    assert recipes.processor_fee(leaf=CARD_LEAF, fee=eur("12.00")) == [
        debit("6000", eur("12.00"), "general"),
        credit(CARD_LEAF, eur("12.00"), "general"),
    ]


def test_a_fee_that_comes_back_lowers_what_general_bore() -> None:
    assert recipes.processor_fee_returned(leaf=CARD_LEAF, fee=eur("12.00")) == [
        debit(CARD_LEAF, eur("12.00"), "general"),
        credit("6000", eur("12.00"), "general"),
    ]


def test_a_refunded_gift_lowers_income_in_its_fund() -> None:
    postings = recipes.gift_refunded(leaf=CARD_LEAF, refund=eur("100.00"), fund="fines", donation=DONATION)

    assert postings == [
        debit("4190", eur("100.00"), "fines", subject=DONATION),
        credit(CARD_LEAF, eur("100.00"), "fines"),
    ]


def test_a_disputed_gift_is_receivable_in_its_fund_and_general_bears_the_fee() -> None:
    assert a_dispute(fee="15.00") == [
        debit("1150", eur("200.00"), "fines", subject=DISPUTE),
        credit(CARD_LEAF, eur("200.00"), "fines"),
        debit("6010", eur("15.00"), "general"),
        credit(CARD_LEAF, eur("15.00"), "general"),
    ]


def test_a_dispute_without_a_fee_has_no_line_for_it() -> None:
    assert len(a_dispute(fee="0.00")) == 2


def test_a_payout_takes_each_funds_share_and_one_below_zero_goes_the_other_way() -> None:
    assert recipes.payout_created(leaf=CARD_LEAF, transit=TRANSIT, shares=SHARES) == [
        debit(TRANSIT, eur("5013.26"), "detention"),
        credit(CARD_LEAF, eur("5013.26"), "detention"),
        debit(CARD_LEAF, eur("13.26"), "general"),
        credit(TRANSIT, eur("13.26"), "general"),
    ]


def test_a_payout_arrives_at_the_bank_with_the_same_shares() -> None:
    assert recipes.payout_arrived(transit=TRANSIT, bank=EUR_LEAF, shares=SHARES) == [
        debit(EUR_LEAF, eur("5013.26"), "detention"),
        credit(TRANSIT, eur("5013.26"), "detention"),
        debit(TRANSIT, eur("13.26"), "general"),
        credit(EUR_LEAF, eur("13.26"), "general"),
    ]


def test_the_default_chart_admits_what_the_processor_moves(founded: Session) -> None:
    accounts.add_leaf(founded, TRANSIT, name="In transit", currency="EUR")
    of_all = [
        recipes.processor_fee(leaf=CARD_LEAF, fee=eur("12.00")),
        recipes.processor_fee_returned(leaf=CARD_LEAF, fee=eur("12.00")),
        recipes.gift_refunded(leaf=CARD_LEAF, refund=eur("100.00"), fund="fines", donation=DONATION),
        a_dispute(fee="15.00"),
        recipes.payout_created(leaf=CARD_LEAF, transit=TRANSIT, shares=SHARES),
        recipes.payout_arrived(transit=TRANSIT, bank=EUR_LEAF, shares=SHARES),
    ]

    posted = [post(founded, postings, source_key=f"test:{nth}") for nth, postings in enumerate(of_all)]

    assert len({one.entry_id for one in posted}) == len(of_all)


def a_dispute(*, fee: str) -> list[Posting]:
    return recipes.gift_disputed(leaf=CARD_LEAF, withdrawn=eur("200.00"), fee=eur(fee), fund="fines", dispute=DISPUTE)
