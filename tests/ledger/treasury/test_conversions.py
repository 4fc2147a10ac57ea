from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from ledger import exceptions
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, Agreed, NonceUsed, NotAgreed, NotInRole, SamePerson
from ledger.books import balances, exchange, holds, recipes, spending
from ledger.books.accounts import NotPostable
from ledger.books.exchange import NoRate
from ledger.books.funds import UnknownFund
from ledger.books.holds import NewHold, Reserve
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.exceptions import Difference, OpenException, UnknownException
from ledger.giving import donations
from ledger.giving.leaves import NoLeaf
from ledger.money import Money
from ledger.people import Role
from ledger.reconciliation import bank, resolutions
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.giving_answers import LineDiffers
from ledger.reconciliation.resolutions import NewResolution
from ledger.reconciliation.statements import NewLine, NewStatement, UnknownLine
from ledger.treasury import conversion_acts, conversions
from ledger.treasury.conversion_acts import RateMoved
from ledger.treasury.conversions import (
    BadConversion,
    Conversion,
    ConversionNotReady,
    State,
    UnknownConversion,
)
from tests.bookcheck import assert_it_holds, found
from tests.cast import LEAF, NOW, SECOND_LEAF, TODAY, House, byn, engine_of, eur, give, nothing_written, race
from tests.coffers import (
    IN_TRANSIT,
    a_new_conversion,
    a_released_conversion,
    a_requested_conversion,
    approve_conversion,
    give_freely,
    joins,
    on_conversion,
    prepare_conversions,
)
from tests.purses import EUR_LEAF, give_euros
from tests.saying import on_request

FAR = "280.00"
"""Worth 92.40 EUR, and 100.00 EUR leave."""


@pytest.fixture
def funded(house: House) -> House:
    """1,000.00 EUR given for fines, 300.00 without a purpose; a leaf for what is in transit, and the rate 0.33."""
    give_euros(house, "1000.00")
    give_freely(house, eur("300.00"))
    prepare_conversions(house)
    return house


def shown(house: House, amount: Money, *, account: str | None = None, reference: str | None = None) -> None:
    """A bank's statement shows one line, on the leaf of its currency unless told."""
    leaf = account or {"EUR": EUR_LEAF, "BYN": LEAF}[amount.currency]
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    line = NewLine(TODAY, None, amount, reference, reversal=False)
    new = NewStatement(
        draw(Kind.STATEMENT), leaf, amount.currency, None, None, None, None, content_token=token, lines=[line]
    )
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)
    house.session.commit()


def balance(house: House, account: str, currency: str, fund: str | None = None) -> Money:
    return balances.balance(house.session, account, currency=currency, fund=fund)


def waiting(house: House) -> list[OpenException]:
    return exceptions.listed(house.session)


def answer(house: House, conversion: Conversion, exception: str) -> None:
    """Clara says that the line is a side of the conversion."""
    new = NewResolution(about=exception, answer=Answer.CONVERSION, of=conversion.alias)
    resolutions.request(house.session, new, on_request(house, new))


def release(house: House, conversion: Conversion, **told: Any) -> Conversion:
    agreed = on_conversion(house, "release_conversion", conversion, **({"by": house.fund.clara} | told))
    return conversion_acts.release(house.session, conversion.alias, agreed)


# --- what the bank shows


@pytest.mark.parametrize("arrives_first", [False, True])
@pytest.mark.parametrize("says_our_reference", [True, False])
def test_both_sides_are_booked_as_the_bank_shows_them_in_any_order(
    funded: House, *, arrives_first: bool, says_our_reference: bool
) -> None:
    conversion = a_released_conversion(funded, shares={"fines": eur("75.00"), "general": eur("25.00")})
    reference = conversion.reference if says_our_reference else None
    sides = [eur("-100.00"), byn("300.00")]

    for amount in reversed(sides) if arrives_first else sides:
        assert conversion.state is State.RELEASED
        shown(funded, amount, reference=reference)

    assert (conversion.state, conversion.arrived()) == (State.DONE, byn("300.00"))
    assert [balance(funded, LEAF, "BYN", fund) for fund in ("fines", "general")] == [byn("225.00"), byn("75.00")]
    assert [balance(funded, EUR_LEAF, "EUR", fund) for fund in ("fines", "general")] == [eur("925.00"), eur("275.00")]
    assert (balance(funded, IN_TRANSIT, "EUR"), balance(funded, "2000", "BYN")) == (eur("0.00"), byn("0.00"))
    assert balance(funded, "3900", "BYN", "fines") == byn("-225.00")
    assert (waiting(funded), len(donations.listed(funded.session))) == ([], 2)
    assert_it_holds(engine_of(funded.session))


def test_what_left_is_in_transit_until_what_it_bought_arrives(funded: House) -> None:
    conversion = a_released_conversion(funded)

    shown(funded, eur("-100.00"), reference=conversion.reference)

    assert (balance(funded, IN_TRANSIT, "EUR", "fines"), conversion.arrived()) == (eur("100.00"), None)
    assert spending.spendable(funded.session, "fines") == {"EUR": eur("1000.00")}
    assert_it_holds(engine_of(funded.session))


def test_another_amount_arrives_with_our_reference_and_is_booked(funded: House) -> None:
    conversion = a_released_conversion(funded)

    shown(funded, byn("299.99"), reference=conversion.reference)

    assert (conversion.arrived(), waiting(funded)) == (byn("299.99"), [])


def test_what_arrives_far_from_what_was_expected_is_booked_and_opens_an_exception(funded: House) -> None:
    conversion = a_released_conversion(funded)

    shown(funded, eur("-100.00"), reference=conversion.reference)
    shown(funded, byn("284.99"), reference=conversion.reference)

    assert (conversion.state, balance(funded, LEAF, "BYN")) == (State.DONE, byn("284.99"))
    assert [(one.difference, one.minor) for one in waiting(funded)] == [(Difference.AMOUNT_DIFFERS, -1501)]
    assert_it_holds(engine_of(funded.session))


@pytest.mark.parametrize(
    ("amount", "account", "told"),
    [
        (eur("-100.01"), None, Difference.AMOUNT_DIFFERS),
        (byn("-300.00"), None, Difference.AMOUNT_DIFFERS),
        (eur("100.00"), None, Difference.PAYMENT_RETURNED),
        (byn("300.00"), SECOND_LEAF, Difference.AMOUNT_DIFFERS),
    ],
)
def test_what_is_no_side_of_it_is_not_booked_as_one(
    funded: House, amount: Money, account: str | None, told: Difference
) -> None:
    conversion = a_released_conversion(funded)

    shown(funded, amount, account=account, reference=conversion.reference)

    assert [one.difference for one in waiting(funded)] == [told]
    assert (conversion.left_key, conversion.arrived_key) == (None, None)


def test_each_side_is_booked_once_and_none_of_what_was_not_released(funded: House) -> None:
    conversion, asked = a_released_conversion(funded), a_requested_conversion(funded, shares={"fines": eur("99.00")})
    for amount in (eur("-100.00"), byn("300.00")):
        shown(funded, amount, reference=conversion.reference)

    shown(funded, byn("301.00"), reference=conversion.reference)
    shown(funded, eur("-99.00"), reference=asked.reference)

    assert [one.difference for one in waiting(funded)] == [Difference.NOT_RELEASED] * 2
    assert (balance(funded, EUR_LEAF, "EUR"), balance(funded, LEAF, "BYN")) == (eur("1200.00"), byn("300.00"))


def test_two_alike_without_a_reference_are_not_guessed_and_a_treasurer_tells(funded: House) -> None:
    first, second = a_released_conversion(funded), a_released_conversion(funded)
    shown(funded, eur("-100.00"))
    shown(funded, byn("300.00"))
    left, arrived = sorted(waiting(funded), key=lambda one: one.minor or 0)
    assert (left.difference, arrived.difference) == (Difference.UNMATCHED_DEBIT, Difference.AMOUNT_DIFFERS)

    answer(funded, second, left.alias)
    answer(funded, second, arrived.alias)

    assert (first.state, second.state, waiting(funded)) == (State.RELEASED, State.DONE, [])
    assert_it_holds(engine_of(funded.session))


def test_about_what_was_expected_without_a_reference_is_no_gift_and_a_treasurer_tells(funded: House) -> None:
    conversion = a_released_conversion(funded)
    shown(funded, byn("297.01"))
    assert balance(funded, "2000", "BYN") == byn("0.00")
    (opened,) = waiting(funded)

    answer(funded, conversion, opened.alias)

    assert (conversion.arrived(), balance(funded, LEAF, "BYN"), waiting(funded)) == (byn("297.01"), byn("297.01"), [])
    assert_it_holds(engine_of(funded.session))


def test_what_a_treasurer_says_must_be_possible(funded: House) -> None:
    conversion = a_released_conversion(funded)
    for amount in (eur("-99.00"), byn("297.00")):
        shown(funded, amount)
    debit, credit = sorted(waiting(funded), key=lambda one: one.minor or 0)
    asked = a_requested_conversion(funded)

    for told, exception, error in (
        (conversion, debit.alias, LineDiffers),
        (asked, credit.alias, LineDiffers),
        (conversion, draw(Kind.EXCEPTION), UnknownException),
    ):
        with nothing_written(funded.session), pytest.raises(error):
            answer(funded, told, exception)
    answer(funded, conversion, credit.alias)
    with nothing_written(funded.session), pytest.raises(UnknownException):
        answer(funded, conversion, credit.alias)


def test_an_exception_about_no_line_that_waits_is_no_side(funded: House) -> None:
    conversion = a_released_conversion(funded)
    shown(funded, byn("200.00"), reference=conversion.reference)
    (opened,) = waiting(funded)
    other = a_released_conversion(funded)

    with nothing_written(funded.session), pytest.raises(UnknownLine):
        answer(funded, other, opened.alias)


def test_a_gift_that_is_not_about_what_is_expected_is_a_gift(funded: House) -> None:
    a_released_conversion(funded)

    shown(funded, byn("284.99"))

    assert (balance(funded, "2000", "BYN"), waiting(funded)) == (byn("-284.99"), [])


@given(
    shares=st.dictionaries(
        st.sampled_from(["fines", "detention", "general"]), st.integers(1, 10**9), min_size=1, max_size=3
    ),
    came=st.integers(1, 10**12),
)
def test_what_arrives_is_shared_as_what_left_to_the_last_kopeck(shares: dict[str, int], came: int) -> None:
    bought = recipes.apportion(came, by=shares)

    assert sum(bought.values()) == came
    assert all(
        abs(bought[fund] * sum(shares.values()) - came * minor) < sum(shares.values()) for fund, minor in shares.items()
    )


# --- requests that cannot be


@pytest.mark.parametrize(
    ("stated", "error"),
    [
        ({"shares": {}}, BadConversion),
        ({"shares": {"fines": eur("0.00")}}, BadConversion),
        ({"shares": {"fines": eur("1.00"), "general": eur("-1.00")}}, BadConversion),
        ({"shares": {"fines": eur("1.00"), "general": byn("1.00")}}, BadConversion),
        ({"shares": {"fines": Money(10**15, "EUR"), "general": eur("0.01")}}, BadConversion),
        ({"expected": "0.00"}, BadConversion),
        ({"target": EUR_LEAF}, NotPostable),
        ({"source": IN_TRANSIT}, BadConversion),
        ({"source": LEAF, "shares": {"fines": byn("1.00")}}, BadConversion),
        ({"shares": {"nobody": eur("1.00")}}, UnknownFund),
        ({"alias": "F-0000-0000-0001"}, BadAlias),
    ],
)
def test_a_request_that_cannot_be_is_refused(funded: House, stated: dict[str, Any], error: type[LedgerError]) -> None:
    new = a_new_conversion(**stated)

    with nothing_written(funded.session), pytest.raises(error):
        conversions.request(funded.session, new, by=funded.fund.clara.alias, at=NOW)


def test_an_alias_is_taken_once_and_one_of_nobody_is_unknown(funded: House) -> None:
    taken = a_new_conversion(alias=a_requested_conversion(funded).alias)

    with nothing_written(funded.session), pytest.raises(AliasTaken):
        conversions.request(funded.session, taken, by=funded.fund.clara.alias, at=NOW)
    with nothing_written(funded.session), pytest.raises(UnknownConversion):
        conversions.cancel(funded.session, draw(Kind.CONVERSION), on=TODAY)


def test_money_in_transit_needs_a_leaf(house: House) -> None:
    give_euros(house)
    new = a_new_conversion()

    with nothing_written(house.session), pytest.raises(NoLeaf):
        conversions.request(house.session, new, by=house.fund.clara.alias, at=NOW)


# --- decisions


def test_a_released_conversion_is_held_on_its_leaf_until_it_left_or_is_given_up(funded: House) -> None:
    left, given_up = a_released_conversion(funded), a_released_conversion(funded)
    assert spending.available(funded.session, EUR_LEAF, currency="EUR") == eur("1100.00")

    shown(funded, eur("-100.00"), reference=left.reference)
    conversions.cancel(funded.session, given_up.alias, on=TODAY)

    assert spending.available(funded.session, EUR_LEAF, currency="EUR") == eur("1200.00")
    assert_it_holds(engine_of(funded.session))


def test_what_the_bank_has_begun_is_not_given_up_and_what_was_given_up_is_not_booked(funded: House) -> None:
    begun, given_up = a_released_conversion(funded), a_released_conversion(funded, expected="301.00")
    shown(funded, byn("300.00"), reference=begun.reference)
    conversions.cancel(funded.session, given_up.alias, on=TODAY)
    funded.session.commit()

    for one in (begun, given_up):
        with nothing_written(funded.session), pytest.raises(ConversionNotReady):
            conversions.cancel(funded.session, one.alias, on=TODAY)
    shown(funded, eur("-100.00"), reference=given_up.reference)

    assert [one.difference for one in waiting(funded)] == [Difference.NOT_RELEASED]


def test_a_fund_changes_only_what_it_has_and_loses_only_what_it_may_spend(funded: House) -> None:
    give(funded.session, byn("5000.00"))
    too_much = a_requested_conversion(funded, shares={"general": eur("300.01")}, expected="909.00")
    funded.session.commit()

    with nothing_written(funded.session), pytest.raises(WouldOverdraw) as refusal:
        approve_conversion(funded, too_much)

    assert refusal.value.data["fund"] == "general"


def test_a_loss_by_the_rate_is_refused_when_everything_is_promised(funded: House) -> None:
    conversion = a_requested_conversion(funded, shares={"fines": eur("1000.00")}, expected="3000.00")
    promise(funded, eur("995.00"))

    with nothing_written(funded.session), pytest.raises(WouldOverdraw):
        approve_conversion(funded, conversion)


def test_a_leaf_gives_no_more_than_it_has_and_nothing_twice(funded: House) -> None:
    first, second = (
        approve_conversion(funded, a_requested_conversion(funded, shares={"fines": eur("700.00")}, expected="2100.00"))
        for _ in range(2)
    )
    release(funded, first)
    funded.session.commit()

    with nothing_written(funded.session), pytest.raises(WouldOverdraw):
        release(funded, second)


def test_without_a_stored_rate_nobody_agrees(house: House) -> None:
    give_euros(house)
    prepare_conversions(house)
    conversion = a_requested_conversion(house)
    house.session.commit()
    late = NOW.replace(year=2021, month=3)
    agreed = on_conversion(house, "approve_conversion", conversion, by=house.fund.boris, now=late)

    with nothing_written(house.session), pytest.raises(NoRate):
        conversion_acts.approve(house.session, conversion.alias, agreed)


@pytest.mark.parametrize(
    ("expected", "state"), [("287.88", "approved"), ("287.87", "doubtful"), ("318.19", "doubtful")]
)
def test_more_than_five_percent_from_the_stored_rate_needs_a_third_person(
    funded: House, expected: str, state: str
) -> None:
    conversion = approve_conversion(funded, a_requested_conversion(funded, expected=expected))

    assert conversion.state == state


def test_a_third_person_confirms_a_doubtful_rate(funded: House) -> None:
    conversion = approve_conversion(funded, a_requested_conversion(funded, expected=FAR))
    with nothing_written(funded.session), pytest.raises(ConversionNotReady):
        release(funded, conversion)

    approve_conversion(funded, conversion, by=funded.fund.bella)
    release(funded, conversion)

    assert (conversion.state, conversion.confirmed_by) == (State.RELEASED, funded.fund.bella.alias)
    assert_it_holds(engine_of(funded.session))


def test_what_one_person_agreed_to_is_not_released_after_the_rate_moved_away(funded: House) -> None:
    conversion = approve_conversion(funded, a_requested_conversion(funded))
    exchange.add(
        funded.session,
        "BYN",
        on=TODAY,
        value=exchange.parse("0.36"),
        source="nbrb",
        recorded_at=NOW,
        recorded_by="test",
    )
    funded.session.commit()

    with nothing_written(funded.session), pytest.raises(RateMoved):
        release(funded, conversion)


def promise(house: House, amount: Money) -> None:
    """The fines' fund has promised so much."""
    promised = NewHold(
        source_key="test:promised",
        reserves=Reserve.SPENDABLE,
        amount=amount,
        held_for=draw(Kind.OBLIGATION),
        fund="fines",
    )
    holds.place(house.session, promised, on=TODAY)
    house.session.commit()


# --- attacks


def test_nobody_takes_two_steps(funded: House) -> None:
    mila = joins(funded, Role.TREASURER, Role.APPROVER)
    own = conversions.request(funded.session, a_new_conversion(), by=mila.alias, at=NOW)
    doubtful = approve_conversion(funded, a_requested_conversion(funded, expected=FAR), by=mila)
    approved = approve_conversion(funded, a_requested_conversion(funded), by=mila)

    for conversion in (own, doubtful):
        with nothing_written(funded.session), pytest.raises(SamePerson):
            approve_conversion(funded, conversion, by=mila)
    with nothing_written(funded.session), pytest.raises(SamePerson):
        release(funded, approved, by=mila)


def test_each_step_needs_its_role(funded: House) -> None:
    asked = a_requested_conversion(funded)
    approved = approve_conversion(funded, a_requested_conversion(funded))

    with nothing_written(funded.session), pytest.raises(NotInRole):
        approve_conversion(funded, asked, by=funded.fund.ana)
    with nothing_written(funded.session), pytest.raises(NotInRole):
        release(funded, approved, by=funded.fund.bella)


@pytest.mark.parametrize("lie", [{"amount": eur("1.00")}, {"commitment": "0" * 64}, {"version": 2}])
def test_a_signature_over_something_else_agrees_to_nothing(funded: House, lie: dict[str, Any]) -> None:
    conversion = a_requested_conversion(funded)
    agreed = on_conversion(funded, "approve_conversion", conversion, by=funded.fund.boris, **lie)

    with nothing_written(funded.session), pytest.raises(ActDiffers):
        conversion_acts.approve(funded.session, conversion.alias, agreed)


def test_an_act_is_used_once(funded: House) -> None:
    first, second = a_requested_conversion(funded), a_requested_conversion(funded)
    nonce: dict[str, Any] = {"nonce": "7" * 32, "by": funded.fund.boris}
    one, other = (on_conversion(funded, "approve_conversion", conversion, **nonce) for conversion in (first, second))
    conversion_acts.approve(funded.session, first.alias, one)
    funded.session.commit()

    with nothing_written(funded.session), pytest.raises(ConversionNotReady):
        conversion_acts.approve(funded.session, first.alias, one)
    with nothing_written(funded.session), pytest.raises(NonceUsed):
        conversion_acts.approve(funded.session, second.alias, other)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("UPDATE conversion SET expected_minor = 29000", NotAgreed),
        ("UPDATE conversion SET target_code = '1000:byn-reserve'", NotAgreed),
        ("UPDATE conversion_share SET fund_code = 'general'", NotAgreed),
        ("UPDATE conversion SET confirmed_by = 'OP-0000-0000-0001'", NotAgreed),
    ],
)
def test_what_somebody_changes_in_the_database_after_the_approval_is_not_released(
    funded: House, change: str, error: type[LedgerError]
) -> None:
    conversion = approve_conversion(funded, a_requested_conversion(funded))
    funded.session.connection().execute(text(change))
    funded.session.commit()
    funded.session.expire_all()

    with nothing_written(funded.session), pytest.raises(error):
        release(funded, conversion)


def test_a_doubtful_rate_is_not_released_because_a_row_says_that_it_is_agreed(funded: House) -> None:
    conversion = approve_conversion(funded, a_requested_conversion(funded, expected=FAR))
    funded.session.connection().execute(text("UPDATE conversion SET state = 'approved'"))
    funded.session.commit()
    funded.session.expire_all()

    with nothing_written(funded.session), pytest.raises(RateMoved):
        release(funded, conversion)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("UPDATE conversion SET arrived_minor = 30001", "conversions"),
        ("UPDATE conversion_share SET minor = 9999", "conversions"),
        ("UPDATE conversion SET left_key = 'bank:nothing'", "conversions"),
        ("UPDATE conversion SET approved_by = 'OP-0000-0000-0001'", "signed"),
        ("UPDATE conversion SET approved_by = requested_by", "four-eyes"),
        ("UPDATE conversion SET released_by = approved_by", "four-eyes"),
        ("UPDATE conversion SET state = 'released', left_key = NULL", "conversions-held"),
        ("UPDATE conversion SET reference = 'RF00'", "references"),
    ],
)
def test_what_an_owner_of_the_database_changes_is_found(funded: House, change: str, check: str) -> None:
    conversion = a_released_conversion(funded)
    for amount in (eur("-100.00"), byn("300.00")):
        shown(funded, amount, reference=conversion.reference)
    funded.session.connection().execute(text(change))
    funded.session.commit()

    assert (check, conversion.alias) in {(one.check, one.name) for one in found(funded.session, by={check})}


# --- at once


def test_of_two_releases_at_once_that_drain_one_leaf_one_wins(funded: House) -> None:
    approved = [
        approve_conversion(funded, a_requested_conversion(funded, shares={"fines": eur("700.00")}, expected="2100.00"))
        for _ in range(2)
    ]
    agreed = [on_conversion(funded, "release_conversion", one, by=funded.fund.clara) for one in approved]

    answers = race(funded.session, *(releasing(one) for one in agreed))

    assert sorted(type(one).__name__ for one in answers) == ["Conversion", "WouldOverdraw"]
    assert_it_holds(engine_of(funded.session))


def test_of_two_approvals_at_once_one_is_the_approval(funded: House) -> None:
    conversion = a_requested_conversion(funded)
    agreed = [
        on_conversion(funded, "approve_conversion", conversion, by=by) for by in (funded.fund.boris, funded.fund.bella)
    ]

    answers = race(funded.session, *(approving(one) for one in agreed))

    assert sorted(type(one).__name__ for one in answers) == ["Conversion", "ConversionNotReady"]


def approving(agreed: Agreed) -> Callable[[Session], Conversion]:
    return lambda session: conversion_acts.approve(session, agreed.act.object, agreed)


def releasing(agreed: Agreed) -> Callable[[Session], Conversion]:
    return lambda session: conversion_acts.release(session, agreed.act.object, agreed)
