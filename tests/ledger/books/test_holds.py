from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from ledger.books import funds, holds, spending
from ledger.books.holds import BadHold, Hold, HoldFinished, HoldMovement, Move, NewHold, Reserve, UnknownHold
from ledger.books.journal import SourceKeyConflict
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.money import CurrencyMismatch, Money
from ledger.storage.engine import transaction
from tests.bookkeeping import DAY, EUR_LEAF, LATER, OBLIGATION, a_gift, post
from tests.cast import byn, eur, nothing_written, one_after_the_other, race

FUND = "fines"
KEY = "test:hold"
WRITERS = 8


def on_fund(amount: Money, key: str = KEY, *, fund: str = FUND, expires_on: date | None = None) -> NewHold:
    return NewHold(
        source_key=key,
        reserves=Reserve.SPENDABLE,
        amount=amount,
        held_for=OBLIGATION,
        fund=fund,
        expires_on=expires_on,
    )


def on_leaf(amount: Money, key: str = KEY, *, leaf: str = EUR_LEAF, fund: str | None = FUND) -> NewHold:
    return NewHold(source_key=key, reserves=Reserve.LEAF, amount=amount, held_for=OBLIGATION, fund=fund, account=leaf)


def in_hand(amount: Money, key: str = KEY, *, fund: str = FUND) -> NewHold:
    return NewHold(source_key=key, reserves=Reserve.IN_HAND, amount=amount, held_for=OBLIGATION, fund=fund)


def take(session: Session, part: Money, source_key: str, *, of: str = KEY) -> Money:
    return holds.capture(session, of, part, source_key=source_key, on=DAY)


def held(session: Session, fund: str = FUND) -> dict[str, Money]:
    return holds.held_of_fund(session, fund, Reserve.SPENDABLE)


# --- placed


def test_a_hold_on_a_fund_lowers_what_it_may_spend_and_nothing_in_the_journal(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))

    spending.reserve(founded, [on_fund(eur("60.00"))], on=DAY)

    assert spending.spendable(founded, FUND) == {"EUR": eur("40.00")}
    assert spending.in_hand(founded, FUND) == {"EUR": eur("100.00")}
    assert spending.available(founded, EUR_LEAF, currency="EUR") == eur("100.00")


def test_a_hold_on_a_leaf_lowers_what_the_leaf_may_pay_and_what_its_fund_has_in_hand(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))

    spending.reserve(founded, [on_leaf(eur("60.00"))], on=DAY)

    assert spending.available(founded, EUR_LEAF, currency="EUR") == eur("40.00")
    assert spending.in_hand(founded, FUND) == {"EUR": eur("40.00")}
    assert spending.spendable(founded, FUND) == {"EUR": eur("100.00")}


def test_what_is_to_go_to_an_agent_may_still_be_promised(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))

    spending.reserve(founded, [in_hand(eur("100.00"))], on=DAY)

    spending.reserve(founded, [on_fund(eur("100.00"), "test:promise")], on=DAY)
    with nothing_written(founded), pytest.raises(WouldOverdraw):
        spending.reserve(founded, [in_hand(eur("0.01"), "test:more")], on=DAY)


def test_the_same_hold_again_is_the_same_hold_and_needs_no_money(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))
    (first,) = spending.reserve(founded, [on_fund(eur("100.00"))], on=DAY)

    with nothing_written(founded):
        (again,) = spending.reserve(founded, [on_fund(eur("100.00"))], on=LATER)

    assert again == first


@pytest.mark.parametrize(
    "other",
    [
        on_fund(eur("60.01")),
        on_fund(eur("60.00"), expires_on=LATER),
        on_fund(eur("60.00"), fund="detention"),
        on_fund(byn("60.00")),
        on_leaf(eur("60.00")),
        in_hand(eur("60.00")),
    ],
)
def test_another_hold_under_the_same_key_is_a_conflict(founded: Session, other: NewHold) -> None:
    post(founded, a_gift(eur("200.00")))
    spending.reserve(founded, [on_fund(eur("60.00"))], on=DAY)

    with nothing_written(founded), pytest.raises(SourceKeyConflict):
        spending.reserve(founded, [other], on=DAY)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (on_fund(eur("0.00")), "amount"),
        (on_fund(eur("-1.00")), "amount"),
        (on_fund(Money(10**15 + 1, "EUR")), "amount"),
        (on_fund(eur("1.00"), expires_on=DAY - timedelta(days=1)), "expires_on"),
        (
            NewHold(source_key=KEY, reserves=Reserve.SPENDABLE, amount=eur("1.00"), held_for="Anna", fund=FUND),
            "held_for",
        ),
        (NewHold(source_key=KEY, reserves=Reserve.SPENDABLE, amount=eur("1.00"), held_for=OBLIGATION), "reserves"),
        (
            NewHold(source_key=KEY, reserves=Reserve.LEAF, amount=eur("1.00"), held_for=OBLIGATION, fund=FUND),
            "reserves",
        ),
        (
            NewHold(
                source_key=KEY,
                reserves=Reserve.SPENDABLE,
                amount=eur("1.00"),
                held_for=OBLIGATION,
                fund=FUND,
                account=EUR_LEAF,
            ),
            "reserves",
        ),
    ],
)
def test_a_hold_that_cannot_be_is_not_placed(founded: Session, wrong: NewHold, where: str) -> None:
    with nothing_written(founded), pytest.raises(BadHold) as refusal:
        holds.place(founded, wrong, on=DAY)

    assert refusal.value.data == {"where": where}


# --- captured, voided, expired


def test_a_hold_is_captured_in_parts_and_never_more_than_is_left(founded: Session) -> None:
    hold = holds.place(founded, on_fund(eur("100.00")), on=DAY)

    taken = [take(founded, eur("30.00"), "test:1"), take(founded, eur("50.00"), "test:2")]
    rest = holds.left(founded, hold)
    taken += [take(founded, eur("900.00"), "test:3"), take(founded, eur("1.00"), "test:4")]

    assert rest == eur("20.00")
    assert taken == [eur("30.00"), eur("50.00"), eur("20.00"), eur("0.00")]
    assert holds.left(founded, hold) == eur("0.00")
    assert held(founded) == {}
    assert holds.open_for(founded, OBLIGATION) == []


def test_each_part_is_captured_once(founded: Session) -> None:
    holds.place(founded, on_fund(eur("100.00")), on=DAY)
    take(founded, eur("30.00"), "test:1")
    take(founded, eur("90.00"), "test:2")

    with nothing_written(founded):
        again = [take(founded, eur("30.00"), "test:1"), take(founded, eur("90.00"), "test:2")]

    assert again == [eur("30.00"), eur("70.00")]


def test_a_part_under_the_key_of_another_is_a_conflict(founded: Session) -> None:
    holds.place(founded, on_fund(eur("100.00")), on=DAY)
    holds.place(founded, on_fund(eur("100.00"), "test:other"), on=DAY)
    take(founded, eur("30.00"), "test:1")

    with nothing_written(founded):
        with pytest.raises(SourceKeyConflict):
            take(founded, eur("30.01"), "test:1")
        with pytest.raises(SourceKeyConflict):
            take(founded, eur("30.00"), "test:1", of="test:other")


def test_a_part_is_above_zero_of_a_hold_that_stands_in_its_currency(founded: Session) -> None:
    holds.place(founded, on_fund(eur("100.00")), on=DAY)

    with nothing_written(founded):
        with pytest.raises(BadHold):
            take(founded, eur("0.00"), "test:1")
        with pytest.raises(CurrencyMismatch):
            take(founded, byn("1.00"), "test:1")
        with pytest.raises(UnknownHold):
            take(founded, eur("1.00"), "test:1", of="test:none")


def test_the_rest_is_voided_once_and_free_again(founded: Session) -> None:
    hold = holds.place(founded, on_fund(eur("100.00")), on=DAY)
    take(founded, eur("30.00"), "test:1")

    freed = holds.void(founded, KEY, on=LATER)

    assert freed == eur("70.00")
    assert [(one.move, one.minor, one.moved_on) for one in holds.movements(founded, hold)] == [
        (Move.CAPTURED, 3_000, DAY),
        (Move.VOIDED, 7_000, LATER),
    ]
    with nothing_written(founded):
        with pytest.raises(HoldFinished):
            holds.void(founded, KEY, on=LATER)
        assert take(founded, eur("1.00"), "test:2") == eur("0.00")
        assert holds.past(founded, on=date(2099, 1, 1)) == []


def test_what_was_captured_whole_cannot_be_voided(founded: Session) -> None:
    holds.place(founded, on_fund(eur("100.00")), on=DAY)
    take(founded, eur("100.00"), "test:1")

    with nothing_written(founded), pytest.raises(HoldFinished):
        holds.void(founded, KEY, on=LATER)


def test_everything_held_for_one_thing_is_voided_together(founded: Session) -> None:
    holds.place(founded, on_fund(eur("100.00")), on=DAY)
    holds.place(founded, on_leaf(eur("50.00"), "test:leaf"), on=DAY)

    holds.void_for(founded, OBLIGATION, on=LATER)

    assert holds.open_for(founded, OBLIGATION) == []
    assert holds.held_on_leaf(founded, EUR_LEAF, currency="EUR") == eur("0.00")
    with nothing_written(founded):
        holds.void_for(founded, OBLIGATION, on=LATER)


def test_a_hold_stands_on_its_last_day_and_expires_after_it_once(founded: Session) -> None:
    hold = holds.place(founded, on_fund(eur("100.00"), expires_on=LATER), on=DAY)
    holds.place(founded, on_fund(eur("5.00"), "test:without end"), on=DAY)
    take(founded, eur("30.00"), "test:1")
    with nothing_written(founded):
        assert holds.past(founded, on=LATER) == []
        for key, day in ((KEY, LATER), ("test:without end", date(2099, 1, 1))):
            with pytest.raises(BadHold):
                holds.expire(founded, key, on=day)
    past = holds.past(founded, on=LATER + timedelta(days=1))

    freed = holds.expire(founded, KEY, on=LATER + timedelta(days=1))

    assert (past, freed) == ([hold], eur("70.00"))
    assert held(founded) == {"EUR": eur("5.00")}
    with nothing_written(founded):
        assert holds.past(founded, on=LATER + timedelta(days=2)) == []
        with pytest.raises(HoldFinished):
            holds.expire(founded, KEY, on=LATER + timedelta(days=2))
        with pytest.raises(HoldFinished):
            holds.void(founded, KEY, on=LATER)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.integers(min_value=1, max_value=70), max_size=5), ended=st.booleans())
def test_what_was_taken_and_what_is_left_are_always_the_whole(founded: Session, parts: list[int], ended: bool) -> None:
    founded.rollback()
    hold = holds.place(founded, on_fund(Money(100, "EUR")), on=DAY)

    taken = sum(take(founded, Money(part, "EUR"), f"test:{nth}").minor for nth, part in enumerate(parts))
    rest = holds.left(founded, hold).minor
    if ended and rest:
        holds.void(founded, KEY, on=LATER)

    assert taken == min(100, sum(parts))
    assert taken + rest == 100
    assert held(founded) == ({"EUR": Money(rest, "EUR")} if rest and not ended else {})


# --- at once


def reserving(*wanted: NewHold) -> Callable[[Session], Sequence[Hold]]:
    return lambda session: spending.reserve(session, wanted, on=DAY)


def won(answers: Sequence[object]) -> int:
    refusals = [answer for answer in answers if isinstance(answer, LedgerError)]
    assert {type(refusal) for refusal in refusals} <= {WouldOverdraw}
    return len(answers) - len(refusals)


@pytest.mark.parametrize("make", [on_fund, on_leaf, in_hand])
def test_eight_at_once_reserve_no_more_than_there_is(
    founded: Session, engine: Engine, make: Callable[..., NewHold]
) -> None:
    post(founded, a_gift(eur("350.00")))

    answers = race(founded, *(reserving(make(eur("100.00"), f"test:{nth}")) for nth in range(WRITERS)))

    assert won(answers) == 3
    with Session(engine) as session:
        assert len(session.exec(select(Hold)).all()) == 3


def test_eight_at_once_in_opposite_orders_wait_for_nobody_in_a_circle(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))
    post(founded, a_gift(eur("100.00"), fund="general"), source_key="test:2")

    def run(nth: int) -> Callable[[Session], Sequence[Hold]]:
        wanted = [
            on_fund(eur("40.00"), f"test:{nth}:fines"),
            on_fund(eur("40.00"), f"test:{nth}:general", fund="general"),
            on_leaf(eur("80.00"), f"test:{nth}:leaf", fund=None),
        ]
        return reserving(*(wanted if nth % 2 else reversed(wanted)))

    answers = race(founded, *(run(nth) for nth in range(WRITERS)))

    assert won(answers) == 2


def test_eight_at_once_with_one_key_place_one_hold(founded: Session, engine: Engine) -> None:
    post(founded, a_gift(eur("100.00")))

    answers = race(founded, *[reserving(on_fund(eur("100.00")))] * WRITERS)

    assert won(answers) == WRITERS
    with Session(engine) as session:
        assert held(session) == {"EUR": eur("100.00")}


def test_eight_parts_at_once_take_no_more_than_is_held(founded: Session, engine: Engine) -> None:
    hold = holds.place(founded, on_fund(eur("100.00")), on=DAY)

    def capturing(nth: int) -> Callable[[Session], Money]:
        return lambda session: take(session, eur("30.00"), f"test:{nth}")

    answers = race(founded, *(capturing(nth) for nth in range(WRITERS)))

    taken = sorted(answer.minor for answer in answers if isinstance(answer, Money))
    assert taken == [0, 0, 0, 0, 1_000, 3_000, 3_000, 3_000]
    with Session(engine) as session:
        assert holds.left(session, hold) == eur("0.00")


def test_one_part_eight_times_at_once_is_taken_once(founded: Session, engine: Engine) -> None:
    hold = holds.place(founded, on_fund(eur("100.00")), on=DAY)

    answers = race(founded, *[lambda session: take(session, eur("30.00"), "test:1")] * WRITERS)

    assert answers == [eur("30.00")] * WRITERS
    with Session(engine) as session:
        assert holds.left(session, hold) == eur("70.00")


def test_who_waited_for_the_last_money_does_not_get_it(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))

    answers = one_after_the_other(
        founded,
        reserving(on_fund(eur("100.00"))),
        look=lambda session: spending.spendable(session, FUND),
        then=reserving(on_fund(eur("0.01"), "test:late")),
    )

    assert isinstance(answers[1], WouldOverdraw)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_money_coming_in_does_not_wait_for_a_decision(founded: Session, engine: Engine) -> None:
    post(founded, a_gift(eur("100.00")))
    founded.commit()

    with transaction(engine) as deciding:
        spending.reserve(deciding, [on_fund(eur("100.00")), on_leaf(eur("100.00"), "test:leaf")], on=DAY)
        with transaction(engine) as coming_in:
            post(coming_in, a_gift(eur("5.00")), source_key="test:in")

    assert spending.spendable(founded, FUND) == {"EUR": eur("5.00")}


def test_an_unknown_fund_or_leaf_holds_nothing(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(funds.UnknownFund):
        spending.reserve(founded, [on_fund(eur("1.00"), fund="nowhere")], on=DAY)


def test_the_amounts_of_one_decision_are_looked_at_together(founded: Session) -> None:
    post(founded, a_gift(eur("100.00")))

    with nothing_written(founded), pytest.raises(WouldOverdraw) as refusal:
        spending.reserve(founded, [on_fund(eur("60.00")), on_fund(eur("60.00"), "test:second")], on=DAY)

    assert refusal.value.data == {"fund": FUND, "free_minor": 10_000, "currency": "EUR"}
    assert founded.exec(select(HoldMovement)).all() == []
