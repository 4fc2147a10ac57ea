"""What holds for every recipe, whatever the amounts: it balances in each currency of each fund, or it refuses."""

from collections import Counter
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.books import recipes
from ledger.books.postings import BadPosting, Posting, Side
from ledger.books.recipes import BadFacts, Purse, apportion
from ledger.errors import BadInput
from ledger.money import CurrencyMismatch, Money
from tests.bookkeeping import BYN_LEAF, CASE, DAY, DONATION, EUR_LEAF, OBLIGATION
from tests.cast import byn, eur

RECIPES: dict[str, Callable[..., list[Posting]]] = {
    name: found
    for name in recipes.__all__
    if isinstance(found := getattr(recipes, name), FunctionType) and found is not apportion
}
SIGNED = tuple(name for name in RECIPES if name.startswith("payout"))
OTHER_CURRENCY = {"spent", "came", "went", "received", "bought", "price"}
PARTS = {"fee", "fee_returned", "from_purse", "accrued", "refunded"}
OWN_FEES = {"processor_fee", "processor_fee_returned", "bank_fee", "agent_fee_taken"}
HOLDER, OTHER_HOLDER = Purse("1200:one", "A-0000-0000-0001"), Purse("1200:two", "A-0000-0000-0002")
WORDS: dict[str, Any] = {
    "leaf": EUR_LEAF, "price_leaf": BYN_LEAF, "bank": EUR_LEAF, "cash": "1020", "transit": "1050:eur",
    "reserve": "1110", "source": EUR_LEAF, "target": BYN_LEAF, "account": "2200", "receivable": "1380", "kind": "fine",
    "fund": "fines", "bail_fund": "bail", "giver": "general", "taker": "fines",
    "obligation": OBLIGATION, "bail": OBLIGATION, "subject": OBLIGATION, "case": CASE, "donation": DONATION,
    "dispute": "Q-0000-0000-0001", "advance": "V-0000-0000-0001", "agent": HOLDER.agent, "purse": HOLDER.code,
    "rate_on": DAY, "received_on": DAY, "side": Side.CREDIT,
    "net_of_costs": False, "earlier_year": False, "by_authority": False, "was_lost": False,
}  # fmt: skip
"""What recipes are told besides amounts."""


def annotations(name: str) -> dict[str, str]:
    """The parameters of a recipe with their annotations."""
    return {key: str(value) for key, value in RECIPES[name].__annotations__.items() if key != "return"}


def amounts(name: str) -> list[str]:
    """The parameters of a recipe that are one amount, a fee of its own among them."""
    return [key for key, kind in annotations(name).items() if "Money" in kind and "Mapping" not in kind]


def parts(name: str) -> list[str]:
    """The amounts of a recipe that are a part of something, and may be zero."""
    return [] if name in OWN_FEES else [key for key in amounts(name) if key in PARTS]


def told(name: str, amount: Callable[[str], Any]) -> dict[str, Any]:
    """Facts for a recipe: words, and what `amount` says of each parameter that is money or shares of it."""
    facts: dict[str, Any] = {}
    for key, kind in annotations(name).items():
        if "Money" in kind:
            facts[key] = amount(key)
        elif "Purse" in kind and "str" not in kind:
            facts[key] = OTHER_HOLDER if key == "taker" else HOLDER
        else:
            facts[key] = WORDS[key]
    if name == "gift_in_kind":
        facts["kind"] = "legal_aid"
    return {key: fact for key, fact in facts.items() if fact is not None}


def plain(name: str) -> dict[str, Any]:
    """The least that a recipe must be told: 100.00 EUR, 10.00 of it a part; a second currency where it must."""

    def amount(key: str) -> Any:
        money = byn("300.00") if key in OTHER_CURRENCY else eur("10.00" if key in parts(name) else "100.00")
        if "None" in annotations(name)[key]:
            return None
        return {"fines": money} if "Mapping" in annotations(name)[key] else money

    return told(name, amount)


@st.composite
def any_facts(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Any amounts that make an entry, in any two currencies where there may be two."""
    first, second = draw(st.permutations(["EUR", "BYN", "JPY"]))[:2]
    of = draw(st.lists(st.sampled_from(["general", "fines", "detention", "bail"]), min_size=1, unique=True))
    signs = {fund: draw(st.sampled_from([1, -1] if name in SIGNED else [1])) for fund in of}

    def amount(key: str) -> Any:
        if "None" in annotations(name)[key] and draw(st.booleans()):
            return None
        currency = second if key in OTHER_CURRENCY else first
        if "Mapping" in annotations(name)[key]:
            return {fund: Money(signs[fund] * draw(st.integers(1, 10**12)), currency) for fund in of}
        least, most = (0, 1000) if key in parts(name) else (1000, 10**12)
        return Money(draw(st.integers(least, most)), currency)

    facts = told(name, amount)
    return facts | {
        key: draw(st.booleans()) for key in facts if key in {"net_of_costs", "earlier_year", "by_authority", "was_lost"}
    }


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_recipe_balances_in_each_currency_of_each_fund(name: str, data: st.DataObject) -> None:
    postings = RECIPES[name](**data.draw(any_facts(name)))

    sums: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        sums[posting.money.currency, posting.fund] += posting.money.minor * (1 if posting.side is Side.DEBIT else -1)
    assert not any(sums.values())
    assert all(posting.money.minor > 0 for posting in postings)
    assert len(postings) > 1


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, key) for name in RECIPES for key, kind in annotations(name).items() if "Purse" in kind and "str" in kind],
)
def test_where_money_may_be_with_an_agent_its_line_names_them(name: str, place: str) -> None:
    postings = RECIPES[name](**plain(name) | {place: HOLDER})

    at_the_agent = [posting for posting in postings if posting.account == HOLDER.code]
    assert at_the_agent
    assert {posting.subject for posting in at_the_agent} <= {HOLDER.agent, WORDS["advance"]}


# --- what no recipe takes


@pytest.mark.parametrize(("name", "amount"), [(name, amount) for name in RECIPES for amount in amounts(name)])
def test_no_amount_is_below_zero(name: str, amount: str) -> None:
    with pytest.raises((BadPosting, BadFacts)):
        RECIPES[name](**plain(name) | {amount: eur("-1.00")})


@pytest.mark.parametrize(
    ("name", "amount"),
    [(name, amount) for name in RECIPES for amount in amounts(name) if amount not in parts(name)],
)
def test_an_amount_is_zero_only_where_it_is_a_part(name: str, amount: str) -> None:
    with pytest.raises(BadInput):
        RECIPES[name](**plain(name) | {amount: eur("0.00")})


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in RECIPES for part in parts(name)])
def test_a_part_is_in_the_currency_of_the_whole(name: str, part: str) -> None:
    with pytest.raises(BadInput):
        RECIPES[name](**plain(name) | {part: byn("1.00")})


AID: dict[str, Any] = {"fund": "fines", "obligation": OBLIGATION, "case": CASE}
BAILED: dict[str, Any] = {"leaf": EUR_LEAF, **AID}
PAYOUT: dict[str, Any] = {"transit": "1050:usd", "bank": EUR_LEAF}


@pytest.mark.parametrize("spent", ["649.99", "650.01"])
def test_what_left_in_the_same_currency_is_what_was_settled(spent: str) -> None:
    with pytest.raises(BadFacts) as refusal:
        recipes.aid_paid(leaf=BYN_LEAF, amount=byn("650.00"), spent=byn(spent), **AID)

    assert refusal.value.data["currency"] == "BYN"
    assert abs(int(str(refusal.value.data["residual_minor"]))) == 1


def test_an_entry_is_in_two_currencies_at_most() -> None:
    fee = Money.parse("20", "JPY")

    with pytest.raises(CurrencyMismatch):
        recipes.bail_returned(amount=byn("300.00"), fee=fee, came=eur("230.00"), **BAILED)


def test_a_fee_in_another_currency_than_the_bail_comes_out_of_nothing() -> None:
    with pytest.raises(CurrencyMismatch):
        recipes.bail_returned(amount=byn("300.00"), fee=eur("20.00"), **BAILED)


def test_an_agent_pays_no_more_from_the_purse_than_was_owed() -> None:
    with pytest.raises(BadFacts):
        recipes.aid_paid_by_agent(
            purse=HOLDER.code, amount=byn("1.00"), from_purse=byn("1.01"), agent=HOLDER.agent, **AID
        )


@pytest.mark.parametrize("came", [{"fines": eur("90.00")}, {"fines": eur("90.00"), "bail": eur("1.00")}, {}])
def test_a_share_that_is_missing_is_not_taken_for_zero(came: recipes.Shares) -> None:
    with pytest.raises(BadFacts) as refusal:
        recipes.advance_returned(
            leaf=EUR_LEAF,
            purse=HOLDER.code,
            came=came,
            stood_for={"fines": byn("300.00"), "general": byn("1.00")},
            advance="V-0000-0000-0001",
        )

    assert refusal.value.data["where"] == "shares"


def test_a_payout_does_not_arrive_with_the_other_sign() -> None:
    shares = {"fines": byn("100.00"), "general": byn("-1.00")}

    with pytest.raises(BadFacts):
        recipes.payout_arrived(**PAYOUT, shares=shares, came={"fines": eur("30.00"), "general": eur("0.30")})


@pytest.mark.parametrize("shares", [{}, {"fines": eur("0.00")}])
def test_nothing_is_no_event(shares: recipes.Shares) -> None:
    with pytest.raises(BadFacts):
        recipes.payout_arrived(**PAYOUT, shares=shares)
    with pytest.raises(BadFacts):
        recipes.money_lost(held=HOLDER, shares=shares)
    with pytest.raises(BadFacts):
        recipes.currency_converted(source=EUR_LEAF, target=BYN_LEAF, sold=shares, bought=shares)


def test_shares_are_in_one_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        recipes.payout_arrived(**PAYOUT, shares={"fines": eur("1.00"), "general": byn("1.00")})


def test_a_currency_is_not_converted_into_itself() -> None:
    shares = {"fines": eur("1.00")}

    with pytest.raises(BadFacts):
        recipes.currency_converted(source=EUR_LEAF, target="1000:eur-two", sold=shares, bought=shares)
    with pytest.raises(BadFacts):
        recipes.purse_converted(purse=HOLDER, sold=shares, bought=shares)


def test_a_fund_gives_itself_nothing() -> None:
    with pytest.raises(BadFacts):
        recipes.moved_between_funds(leaf=EUR_LEAF, amount=eur("1.00"), giver="fines", taker="fines")
    with pytest.raises(BadFacts):
        recipes.shares_settled(
            leaf=BYN_LEAF, amount=byn("3.00"), price_leaf=EUR_LEAF, price=eur("1.00"), giver="fines", taker="fines"
        )


def test_shares_are_settled_at_their_price_in_one_currency_without_exchange() -> None:
    def settle(price: Money) -> list[Posting]:
        return recipes.shares_settled(
            leaf=HOLDER, amount=eur("3.00"), price_leaf=EUR_LEAF, price=price, giver="fines", taker="general"
        )

    assert {posting.account for posting in settle(eur("3.00"))} == {HOLDER.code, EUR_LEAF}
    with pytest.raises(BadFacts):
        settle(eur("2.99"))


@pytest.mark.parametrize("kind", ["bail", "Invented Person", ""])
def test_a_kind_that_has_no_expense_is_refused_without_repeating_it(kind: str) -> None:
    amount = {"amount": byn("1.00"), "kind": kind, **AID}
    of_a_kind: list[Callable[[], object]] = [
        lambda: recipes.aid_recognised(**amount),
        lambda: recipes.aid_cancelled(**amount, rate_on=DAY, earlier_year=True),
        lambda: recipes.refund_due(**amount, earlier_year=True),
        lambda: recipes.refund_paid_unannounced(**amount, leaf=BYN_LEAF, earlier_year=True),
        lambda: recipes.recoverable_waived(**amount),
        lambda: recipes.duplicate_acknowledged(**amount, earlier_year=True),
        lambda: recipes.gift_in_kind(kind=kind, worth=byn("1.00"), fund="fines", donation=DONATION),
        lambda: recipes.allowance_made(receivable=kind, amount=byn("1.00"), fund="fines", subject=OBLIGATION),
        lambda: recipes.allowance_used(receivable=kind, amount=byn("1.00"), fund="fines", subject=OBLIGATION),
        lambda: recipes.allowance_released(receivable=kind, amount=byn("1.00"), fund="fines", subject=OBLIGATION),
    ]
    for recipe in of_a_kind:
        with pytest.raises(BadFacts) as refusal:
            recipe()
        assert set(refusal.value.data) == {"where"}
        assert not kind or kind == "bail" or kind not in refusal.value.message


# --- shares


@settings(deadline=None)
@given(
    total=st.integers(0, 10**12),
    weights=st.dictionaries(st.sampled_from("abcdef"), st.integers(-(10**9), 10**9), min_size=1).filter(
        lambda weights: sum(weights.values()) > 0
    ),
)
def test_shares_sum_to_the_total_and_each_is_within_a_unit_of_its_weight(total: int, weights: dict[str, int]) -> None:
    shares = apportion(total, by=weights)

    assert sum(shares.values()) == total
    assert all(
        abs(shares[name] * sum(weights.values()) - total * weight) < sum(weights.values())
        for name, weight in weights.items()
    )


def test_equal_remainders_go_by_the_name() -> None:
    assert apportion(100, by={"c": 1, "b": 1, "a": 1}) == {"a": 34, "b": 33, "c": 33}
    assert apportion(500000, by={"detention": 567000, "general": -1500}) == {"detention": 501326, "general": -1326}


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1}, {"a": 1, "b": -1}])
def test_shares_of_nothing_are_refused(weights: dict[str, int]) -> None:
    with pytest.raises(BadFacts):
        apportion(1, by=weights)
