from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.aid import advances, agent_acts, agents, returns
from ledger.aid.advances import AdvanceNotReady, BadAdvance, State, UnknownAdvance
from ledger.aid.agents import AgentNotActive, OverCap
from ledger.aid.returns import OverReturn
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, NotInRole, SamePerson
from ledger.books import accounts, balances, recipes, spending
from ledger.books.funds import UnknownFund
from ledger.books.postings import Posting, Side
from ledger.books.recipes import apportion
from ledger.books.spending import WouldOverdraw
from ledger.money import Money
from tests.cast import LEAF, NOW, TODAY, House, Person, byn, eur, nothing_written
from tests.purses import (
    EUR_LEAF,
    RECEIVED_ON,
    a_requested_advance,
    a_sent_advance,
    a_vetted_agent,
    acknowledge,
    an_advance,
    an_agent,
    approve_advance,
    give_euros,
    give_to_general,
    on_advance,
    release_advance,
)

FUNDS = ("fines", "detention", "general")


def balance(house: House, account: str, currency: str, fund: str | None = None) -> Money:
    return balances.balance(house.session, account, currency=currency, fund=fund)


# --- asked for


def test_a_request_names_agent_leaf_and_shares_and_draws_a_reference(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)

    advance = a_requested_advance(house, agent, fines=eur("700.00"), detention=eur("300.00"))

    assert (advance.state, advance.amount()) == (State.REQUESTED, eur("1000.00"))
    assert advances.shares_of(house.session, advance) == {"fines": eur("700.00"), "detention": eur("300.00")}
    assert advances.by_reference(house.session, advance.reference) == advance
    assert advances.listed(house.session, agent=agent.alias) == [advance]


@pytest.mark.parametrize(
    "shares",
    [{"fines": eur("0.00")}, {"fines": eur("1.00"), "general": eur("-1.00")}, {"fines": byn("1.00")}],
    ids=["zero", "below zero", "another currency"],
)
def test_shares_are_above_zero_in_the_currency_of_the_cap(house: House, shares: dict[str, Money]) -> None:
    give_euros(house)
    agent = an_agent(house)

    with nothing_written(house.session), pytest.raises(BadAdvance):
        a_requested_advance(house, agent, **shares)


def test_a_request_that_cannot_be_is_refused(house: House, clara: Person) -> None:
    give_euros(house)
    agent, vetted = an_agent(house), a_vetted_agent(house)
    taken = a_requested_advance(house, agent).alias
    said = {"agent": agent.alias, "account": EUR_LEAF, "shares": {"fines": eur("1.00")}, "requested_by": clara.alias}

    for alias, other, error in (
        (taken, {}, AliasTaken),
        (draw(Kind.BATCH), {}, BadAlias),
        (draw(Kind.ADVANCE), {"agent": draw(Kind.AGENT)}, agents.UnknownAgent),
        (draw(Kind.ADVANCE), {"agent": vetted.alias}, AgentNotActive),
        (draw(Kind.ADVANCE), {"account": agent.purse()}, BadAdvance),
        (draw(Kind.ADVANCE), {"shares": {}}, BadAdvance),
        (draw(Kind.ADVANCE), {"shares": {"nowhere": eur("1.00")}}, UnknownFund),
    ):
        with nothing_written(house.session), pytest.raises(error):
            advances.request(house.session, alias, **(said | other))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(UnknownAdvance):
        advances.require(house.session, draw(Kind.ADVANCE))


# --- approved


def test_a_second_person_approves_and_the_money_is_promised(house: House, boris: Person) -> None:
    give_euros(house, "1000.00")
    agent = an_agent(house)

    advance = approve_advance(house, a_requested_advance(house, agent, fines=eur("600.00")))

    assert (advance.state, advance.approved_by) == (State.APPROVED, boris.alias)
    assert spending.in_hand(house.session, "fines") == {"EUR": eur("400.00")}
    over = a_requested_advance(house, agent, fines=eur("400.01"))
    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        approve_advance(house, over)


def test_no_fund_sends_the_money_of_another(house: House) -> None:
    give_euros(house, "5000.00")  # all of it for fines
    agent = an_agent(house)
    advance = a_requested_advance(house, agent, fines=eur("1.00"), detention=eur("0.01"))

    with nothing_written(house.session), pytest.raises(WouldOverdraw) as refusal:
        approve_advance(house, advance)

    assert refusal.value.data["fund"] == "detention"


def test_what_an_agent_holds_already_cannot_be_advanced_again(house: House) -> None:
    give_euros(house, "1500.00")
    agent = an_agent(house)
    an_advance(house, agent, received=byn("3000.00"))
    over = a_requested_advance(house, agent, fines=eur("500.01"))

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        approve_advance(house, over)


def test_who_asked_for_an_advance_does_not_approve_it(house: House, clara: Person) -> None:
    give_euros(house)
    advance = a_requested_advance(house, an_agent(house))

    with nothing_written(house.session), pytest.raises(SamePerson):
        approve_advance(house, advance, by=clara)


def test_an_advance_is_approved_by_an_approver(house: House, ana: Person) -> None:
    give_euros(house)
    advance = a_requested_advance(house, an_agent(house))

    with nothing_written(house.session), pytest.raises(NotInRole):
        approve_advance(house, advance, by=ana)


def test_who_approves_agrees_to_agent_leaf_and_shares(house: House, boris: Person) -> None:
    give_euros(house)
    agent, other = an_agent(house), an_agent(house)
    advance = a_requested_advance(house, agent)
    shares = advances.shares_of(house.session, advance)
    lies = [
        {"agent": other.alias, "account": EUR_LEAF, "shares": shares},
        {"agent": agent.alias, "account": LEAF, "shares": shares},
        {"agent": agent.alias, "account": EUR_LEAF, "shares": {"general": eur("1000.00")}},
    ]

    for lie in lies:
        told = advances.commitment(**lie)  # type: ignore[arg-type]  # of several kinds
        agreed = on_advance(house, "approve_advance", advance, by=boris, payee_commitment=told)
        with nothing_written(house.session), pytest.raises(ActDiffers):
            agent_acts.approve_advance(house.session, advance.alias, agreed)


def test_an_agent_never_holds_more_than_their_cap(house: House) -> None:
    give_euros(house)
    agent = an_agent(house, cap=eur("1500.00"))
    an_advance(house, agent, received=byn("3000.00"), fines=eur("1000.00"))
    over = a_requested_advance(house, agent, fines=eur("500.01"))

    assert advances.exposure(house.session, agent) == eur("1000.00")
    with nothing_written(house.session), pytest.raises(OverCap) as refusal:
        approve_advance(house, over)
    assert (refusal.value.data["cap_minor"], refusal.value.data["open_minor"]) == (150_000, 150_001)
    approve_advance(house, a_requested_advance(house, agent, fines=eur("500.00")))


def test_a_requested_or_approved_advance_is_given_up_and_what_it_held_is_free(house: House) -> None:
    give_euros(house, "1000.00")
    agent = an_agent(house)
    requested = a_requested_advance(house, agent)
    approved = approve_advance(house, a_requested_advance(house, agent))
    assert spending.in_hand(house.session, "fines") == {"EUR": eur("0.00")}

    for advance in (requested, approved):
        advances.cancel(house.session, advance, on=TODAY)

    assert (requested.state, approved.state) == (State.CANCELLED, State.CANCELLED)
    assert spending.in_hand(house.session, "fines") == {"EUR": eur("1000.00")}
    assert advances.exposure(house.session, agent) == eur("0.00")
    for again in (requested, approved):
        with nothing_written(house.session), pytest.raises(AdvanceNotReady):
            advances.cancel(house.session, again, on=TODAY)
        with nothing_written(house.session), pytest.raises(AdvanceNotReady):
            approve_advance(house, again)


def test_an_advance_that_the_bank_was_told_of_is_not_given_up(house: House) -> None:
    give_euros(house)
    released = release_advance(house, approve_advance(house, a_requested_advance(house, an_agent(house))))

    with nothing_written(house.session), pytest.raises(AdvanceNotReady):
        advances.cancel(house.session, released, on=TODAY)


# --- released and sent


def test_a_release_holds_the_money_on_the_leaf(house: House) -> None:
    give_euros(house, "1000.00")
    agent = an_agent(house)
    first, second = (a_requested_advance(house, agent, fines=eur("500.00")) for _ in range(2))
    for advance in (first, second):
        approve_advance(house, advance)

    release_advance(house, first)

    assert spending.available(house.session, EUR_LEAF, currency="EUR") == eur("500.00")
    assert balance(house, EUR_LEAF, "EUR") == eur("1000.00")


def test_a_leaf_without_enough_sends_nothing(house: House) -> None:
    give_euros(house, "100.00")
    accounts.add_leaf(house.session, "1100:eur", name="Card processor", currency="EUR")
    give_to_general(house, eur("50.00"), leaf="1100:eur")
    agent = an_agent(house)
    advance = approve_advance(house, a_requested_advance(house, agent, fines=eur("100.00")))
    other = approve_advance(house, a_requested_advance(house, agent, general=eur("50.00")))
    release_advance(house, advance)

    with nothing_written(house.session), pytest.raises(WouldOverdraw) as refusal:
        release_advance(house, other)

    assert refusal.value.data["account"] == EUR_LEAF


def test_who_approved_an_advance_does_not_release_it(house: House, boris: Person) -> None:
    give_euros(house)
    advance = approve_advance(house, a_requested_advance(house, an_agent(house)))

    with nothing_written(house.session), pytest.raises(SamePerson):
        release_advance(house, advance, by=boris)


def test_an_agent_frozen_between_approval_and_release_gets_nothing(house: House, clara: Person) -> None:
    give_euros(house)
    agent = an_agent(house)
    advance = approve_advance(house, a_requested_advance(house, agent))
    agents.freeze(house.session, agent, by=clara.alias, on=TODAY)

    with nothing_written(house.session), pytest.raises(AgentNotActive):
        release_advance(house, advance)


def test_a_sent_advance_is_in_transit_by_fund(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)

    advance = a_sent_advance(house, agent, fines=eur("1000.00"))

    assert advance.state is State.SENT
    assert balance(house, agent.transit(), "EUR", "fines") == eur("1000.00")
    assert balance(house, EUR_LEAF, "EUR", "fines") == eur("9000.00")
    assert spending.available(house.session, EUR_LEAF, currency="EUR") == eur("9000.00")


# --- acknowledged


def test_what_the_agent_received_is_shared_by_the_funds_as_they_sent_it(house: House) -> None:
    give_euros(house)
    give_to_general(house, eur("1000.00"))
    agent = an_agent(house)
    advance = a_sent_advance(house, agent, fines=eur("200.00"), general=eur("100.00"))

    acknowledge(house, advance, byn("1000.00"))

    assert advance.state is State.ACKNOWLEDGED
    assert balance(house, agent.purse(), "BYN", "fines") == byn("666.67")
    assert balance(house, agent.purse(), "BYN", "general") == byn("333.33")
    assert balance(house, agent.transit(), "EUR") == eur("0.00")
    assert balance(house, "3900", "EUR", "fines") == eur("200.00")
    assert balance(house, "3900", "BYN", "fines") == byn("-666.67")
    assert advances.exposure(house.session, agent) == eur("300.00")


@pytest.mark.parametrize(
    ("received", "on", "error"),
    [
        (byn("0.00"), RECEIVED_ON, BadAdvance),
        (byn("-1.00"), RECEIVED_ON, BadAdvance),
        (eur("999.00"), RECEIVED_ON, BadAdvance),
        (byn("3000.00"), date(2020, 11, 15), AdvanceNotReady),
    ],
    ids=["nothing", "below zero", "less of the same currency", "before it was sent"],
)
def test_an_acknowledgement_that_cannot_be_is_refused(
    house: House, received: Money, on: date, error: type[Exception]
) -> None:
    give_euros(house)
    advance = a_sent_advance(house, an_agent(house))

    with nothing_written(house.session), pytest.raises(error):
        acknowledge(house, advance, received, on=on)


def test_each_step_of_an_advance_needs_the_one_before(house: House) -> None:
    give_euros(house)
    advance = a_requested_advance(house, an_agent(house))

    for step in (
        lambda: release_advance(house, advance),
        lambda: acknowledge(house, advance, byn("1.00")),
        lambda: returns.announce(house.session, advance, stands_for=byn("1.00"), by="OP", on=NOW.date()),
    ):
        with nothing_written(house.session), pytest.raises(AdvanceNotReady):
            step()
    approve_advance(house, advance)
    with nothing_written(house.session), pytest.raises(AdvanceNotReady):
        approve_advance(house, advance)


# --- what comes back


def announce(house: House, advance: advances.Advance, amount: Money) -> returns.Return:
    announced = returns.announce(house.session, advance, stands_for=amount, by=house.fund.clara.alias, on=NOW.date())
    house.session.commit()
    return announced


def receive(house: House, announced: returns.Return, came: Money, *, leaf: str = EUR_LEAF) -> None:
    returns.receive(
        house.session,
        announced,
        source_key=f"bank:{announced.reference}",
        leaf=leaf,
        came=came,
        on=NOW.date(),
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    )
    house.session.commit()


def test_unspent_money_comes_back_at_another_rate_and_settles_the_advance(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    advance = an_advance(house, agent, received=byn("3000.00"))

    receive(house, announce(house, advance, byn("3000.00")), eur("940.00"))

    assert advance.state is State.SETTLED
    assert balance(house, agent.purse(), "BYN") == byn("0.00")
    assert balance(house, EUR_LEAF, "EUR") == eur("9940.00")
    assert balance(house, "3900", "EUR") == eur("60.00")
    assert balance(house, "3900", "BYN") == byn("0.00")


def test_unspent_money_may_come_back_in_its_own_currency(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    advance = an_advance(house, agent, received=byn("3000.00"))

    receive(house, announce(house, advance, byn("100.00")), byn("100.00"), leaf=LEAF)

    assert balance(house, LEAF, "BYN", "fines") == byn("100.00")
    assert balance(house, agent.purse(), "BYN") == byn("2900.00")
    assert advance.state is State.ACCOUNTED


def test_what_is_announced_is_set_aside_and_cannot_be_announced_twice(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    advance = an_advance(house, agent, received=byn("3000.00"))
    announce(house, advance, byn("2000.00"))

    assert returns.unspent_by_fund(house.session, agent, currency="BYN") == {"fines": 100_000}
    with nothing_written(house.session), pytest.raises(OverReturn) as refusal:
        announce(house, advance, byn("1000.01"))
    assert refusal.value.data["unspent_minor"] == 100_000


@pytest.mark.parametrize("amount", [byn("0.00"), byn("-1.00"), eur("1.00")])
def test_a_return_that_cannot_be_is_refused(house: House, amount: Money) -> None:
    give_euros(house)
    advance = an_advance(house, an_agent(house), received=byn("3000.00"))

    with nothing_written(house.session), pytest.raises(BadAdvance):
        announce(house, advance, amount)


def test_a_return_is_received_once(house: House) -> None:
    give_euros(house)
    advance = an_advance(house, an_agent(house), received=byn("3000.00"))
    announced = announce(house, advance, byn("100.00"))
    receive(house, announced, eur("31.00"))

    with nothing_written(house.session), pytest.raises(AdvanceNotReady):
        receive(house, announced, eur("31.00"))


def test_the_oldest_advance_is_settled_first(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    first = an_advance(house, agent, received=byn("3000.00"))
    second = acknowledge(house, a_sent_advance(house, agent), byn("3000.00"), on=NOW.date())

    receive(house, announce(house, second, byn("3000.00")), eur("990.00"))

    assert (first.state, second.state) == (State.SETTLED, State.ACKNOWLEDGED)


# --- exact for every split

WEIGHTS = st.dictionaries(st.sampled_from(FUNDS), st.integers(0, 10**12), min_size=1).filter(
    lambda weights: sum(weights.values()) > 0
)


@given(total=st.integers(0, 10**12), weights=WEIGHTS)
def test_shares_are_whole_and_add_up_whatever_the_weights(total: int, weights: dict[str, int]) -> None:
    shares = apportion(total, by=weights)

    whole = sum(weights.values())
    assert sum(shares.values()) == total
    assert all(abs(shares[fund] * whole - total * weight) < whole for fund, weight in weights.items())


@given(weights=WEIGHTS, part=st.fractions(0, 1))
def test_no_share_of_a_part_is_more_than_there_was(weights: dict[str, int], part: float) -> None:
    shares = apportion(int(sum(weights.values()) * part), by=weights)

    assert all(shares[fund] <= weight for fund, weight in weights.items())


@given(sent=WEIGHTS, local=st.integers(1, 10**12), back=st.integers(1, 10**12))
def test_every_entry_sums_to_zero_in_each_currency_of_each_fund(sent: dict[str, int], local: int, back: int) -> None:
    of = {fund: Money(minor, "EUR") for fund, minor in sent.items()}
    received = {fund: Money(minor, "BYN") for fund, minor in apportion(local, by=sent).items()}
    came = {fund: Money(minor, "EUR") for fund, minor in apportion(back, by=sent).items()}
    entries = [
        recipes.advance_sent(leaf="1000:a", transit="1210:a", shares=of, advance="V"),
        recipes.advance_acknowledged(transit="1210:a", purse="1200:a", sent=of, received=received, advance="V"),
        recipes.advance_returned(leaf="1000:a", purse="1200:a", came=came, stood_for=received, advance="V"),
        recipes.advance_returned(leaf="1000:a", purse="1200:a", came=of, stood_for=of, advance="V"),
    ]

    for postings in entries:
        assert set(residuals(postings).values()) == {0}
        assert all(posting.money.minor > 0 for posting in postings)


def residuals(postings: list[Posting]) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        sign = 1 if posting.side is Side.DEBIT else -1
        sums[posting.money.currency, posting.fund] += sign * posting.money.minor
    return sums
