"""A season of statements in which something is wrong: it is told once, by its amount, and no money comes or goes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ledger import exceptions
from ledger.aid import agents, returns
from ledger.aliases import Kind, draw
from ledger.books import accounts, balances, journal
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import advances, bank, matchings, processor, statements
from ledger.reconciliation.statements import BadStatement, NewLine, NewStatement
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF
from tests.cards import a_charge
from tests.cast import LEAF, NOW, TODAY, House
from tests.purses import an_advance, an_agent, give_euros

START = date(2020, 10, 5)
PLAYED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKED = {"statements", "statement-lines", "exceptions", "pairings"}
Told = tuple[Difference, int]


@dataclass
class Day:
    """What a day's file tells: opening, gifts and fees of which the books know, closing."""

    on: date
    opening: int
    moved: list[int]
    closing: int
    currency: str = "BYN"
    is_sent: bool = True


@dataclass(frozen=True)
class Season:
    """Each day's movements, above zero a gift; what is wrong on which day; and in what order the files come."""

    days: list[list[int]]
    wrong: str
    at: int
    nth: int
    order: list[int] = field(default_factory=list)


def byn_minor(minor: int) -> Money:
    return Money(minor, "BYN")


def without_a_line(day: Day, nth: int, _later: list[Day]) -> list[Told]:
    return [(Difference.STATEMENT_DOES_NOT_ADD_UP, day.moved.pop(nth % len(day.moved)))]


def with_a_line_twice(day: Day, nth: int, _later: list[Day]) -> list[Told]:
    day.moved.append(day.moved[nth % len(day.moved)])
    return [(Difference.STATEMENT_DOES_NOT_ADD_UP, -day.moved[-1])]


def with_a_wrong_amount(day: Day, nth: int, _later: list[Day]) -> list[Told]:
    day.moved[nth % len(day.moved)] += 9
    return [(Difference.STATEMENT_DOES_NOT_ADD_UP, -9)]


def with_a_swapped_sign(day: Day, nth: int, _later: list[Day]) -> list[Told]:
    day.moved[nth % len(day.moved)] *= -1
    return [(Difference.STATEMENT_DOES_NOT_ADD_UP, -2 * day.moved[nth % len(day.moved)])]


def with_another_opening(day: Day, _nth: int, _later: list[Day]) -> list[Told]:
    day.opening += 31
    return [(Difference.STATEMENT_DOES_NOT_FOLLOW, 31)]


def with_a_hidden_fee(day: Day, _nth: int, later: list[Day]) -> list[Told]:
    day.closing -= 17
    for one in later:
        one.opening, one.closing = one.opening - 17, one.closing - 17
    return [(Difference.STATEMENT_DOES_NOT_ADD_UP, -17)]


def that_does_not_come(day: Day, _nth: int, later: list[Day]) -> list[Told]:
    day.is_sent = False
    return [(Difference.STATEMENT_MISSING, day.closing - day.opening)] if later else []


def in_another_currency(day: Day, nth: int, later: list[Day]) -> list[Told]:
    day.currency = "EUR"
    return that_does_not_come(day, nth, later)


def as_it_was(_day: Day, _nth: int, _later: list[Day]) -> list[Told]:
    return []


WRONGS: dict[str, Callable[[Day, int, list[Day]], list[Told]]] = {
    one.__name__: one
    for one in (
        without_a_line,
        with_a_line_twice,
        with_a_wrong_amount,
        with_a_swapped_sign,
        with_another_opening,
        with_a_hidden_fee,
        that_does_not_come,
        in_another_currency,
        as_it_was,
    )
}
GIFTS = st.lists(st.sampled_from([500, 700, 1_200, 4_999]), min_size=1, max_size=3)
SEASONS = st.lists(GIFTS, min_size=3, max_size=5).flatmap(
    lambda days: st.builds(
        Season,
        st.just(days),
        st.sampled_from(sorted(WRONGS)),
        st.integers(1, len(days) - 1),
        st.integers(0, 9),
        st.permutations(range(len(days))),
    )
)
EACH_WRONG = [Season([[500, 700], [500, 1_200], [4_999, 500], [700]], wrong, 1, 1) for wrong in sorted(WRONGS)]


def days_of(season: Season) -> list[Day]:
    days, balance = [], 0
    for nth, moved in enumerate(season.days):
        days.append(Day(START + timedelta(days=nth), balance, list(moved), balance + sum(moved)))
        balance += sum(moved)
    return days


def tell(house: House, day: Day, *, reference: str | None = None) -> None:
    lines = [NewLine(day.on, None, Money(moved, day.currency), reference, reversal=False) for moved in day.moved]
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    told = byn_minor(day.opening), byn_minor(day.closing)
    new = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", day.on, day.on, *told, token, lines)
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def told(house: House) -> list[tuple[Difference, int | None]]:
    """The differences that are about no line."""
    waiting = {one.source_key for one in statements.unmatched(house.session, LEAF)}
    listed = exceptions.listed(house.session)
    return [(one.difference, one.minor) for one in listed if one.about.partition(":")[2] not in waiting]


def in_a_season(play: Callable[..., None]) -> Callable[..., None]:
    """Plays with every kind of wrong once, and then with drawn seasons."""
    played = PLAYED(given(season=SEASONS)(play))
    for one in EACH_WRONG:
        played = example(season=one)(played)
    return played


def test_what_is_wrong_in_a_season_is_one_difference_of_its_amount(house: House) -> None:
    @in_a_season
    def play(season: Season) -> None:
        with house.session.begin_nested() as savepoint:
            days = days_of(season)
            expected = WRONGS[season.wrong](days[season.at], season.nth, days[season.at + 1 :])
            for day in [days[nth] for nth in season.order or range(len(days))]:
                if day.currency != "BYN":
                    with pytest.raises(BadStatement):
                        tell(house, day)
                elif day.is_sent:
                    tell(house, day)

            assert told(house) == expected
            shown = [moved for day in days if day.is_sent for moved in day.moved]
            in_books = balances.balance(house.session, LEAF, currency="BYN")
            waiting = [one.minor for one in statements.unmatched(house.session, LEAF)]
            assert in_books == byn_minor(sum(moved for moved in shown if moved > 0))
            assert waiting == [moved for moved in shown if moved < 0]
            assert found(house.session, by=CHECKED) == []
            savepoint.rollback()

    play()


def test_the_balance_that_the_processor_tells_otherwise_is_one_difference_of_its_amount(house: House) -> None:
    accounts.add_leaf(house.session, CARD_LEAF, name="A processor", currency="EUR")

    @PLAYED
    @given(st.lists(st.integers(1, 9_999), min_size=1, max_size=3), st.integers(-50, 50))
    def play(gifts: list[int], off: int) -> None:
        with house.session.begin_nested() as savepoint:
            moved = [a_charge(Money(gift, "EUR"), nth=nth, purpose=None) for nth, gift in enumerate(gifts, start=1)]
            facts: dict[str, Any] = {"received_at": NOW, "received_by": house.fund.clara.alias}
            for _ in range(2):  # told again, it is told once
                processor.receive(house.session, moved, reported=[Money(sum(gifts) + off, "EUR")], **facts)

            assert told(house) == ([(Difference.PROCESSOR_DIFFERS, off)] if off else [])
            assert balances.balance(house.session, CARD_LEAF, currency="EUR") == Money(sum(gifts), "EUR")
            savepoint.rollback()

    play()


def test_what_an_agent_said_to_return_and_did_not_is_one_difference_and_stays_in_the_purse(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    advance = an_advance(house, agent, received=byn_minor(300_000))

    @PLAYED
    @given(st.integers(1, 300_000), st.integers(0, 3))
    def play(said: int, short: int) -> None:
        with house.session.begin_nested() as savepoint:
            clara = house.fund.clara.alias
            announced = returns.announce(house.session, advance, stands_for=byn_minor(said), by=clara, on=TODAY)
            came = max(said - short, 1)
            day = Day(TODAY, 0, [came], came)
            tell(house, day, reference=announced.reference)

            waiting = [(one.difference, one.minor) for one in exceptions.listed(house.session)]
            assert waiting == ([] if came == said else [(Difference.AMOUNT_DIFFERS, came)])
            left = agents.balance(house.session, agent, currency="BYN")
            assert left == byn_minor(300_000 - (said if came == said else 0))
            assert {one.difference.minor for one in advances.reconcile(house.session, agent, on=TODAY)} == {0}
            savepoint.rollback()

    play()


def test_matching_neither_invents_nor_loses_money(house: House) -> None:
    """Whatever is booked by hand and shown: what is matched has one sum, each once, and nothing is booked."""
    amounts = st.lists(st.sampled_from([-100, -200, -300, -500]), max_size=6)

    @PLAYED
    @given(amounts, amounts, st.integers(0, 3))
    def play(booked: list[int], shown: list[int], apart: int) -> None:
        with house.session.begin_nested() as savepoint:
            for nth, minor in enumerate(booked):
                book_fee(house, byn_minor(-minor), nth=nth, on=START + timedelta(days=apart * (nth % 2)))
            day = Day(START, 0, shown, sum(shown))
            tell(house, day)
            before = entries_and_lines(house)
            matched = matchings.match_unique(house.session, at=NOW)

            assert entries_and_lines(house) == before
            waiting = [one.minor for one in statements.unmatched(house.session, LEAF)]
            assert matched + len(waiting) == len(shown)
            once = {one for one in shown if shown.count(one) == booked.count(one) == 1}
            assert sorted(waiting) == sorted(one for one in shown if one not in once)
            assert all(sum_of(one.lines) == -paid(house, one.entries) for one in matchings.propose(house.session, LEAF))
            assert found(house.session, by=CHECKED) == []
            savepoint.rollback()

    play()


def book_fee(house: House, fee: Money, *, nth: int, on: date) -> None:
    postings = [debit("6020", fee, "general"), credit(LEAF, fee, "general")]
    facts: dict[str, Any] = {"happened_on": on, "recorded_at": NOW, "recorded_by": "test"}
    journal.post(house.session, source_key=f"test:{nth}", kind="manual", postings=postings, **facts)


def entries_and_lines(house: House) -> list[int]:
    counts = text("SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM line)")
    return list(house.session.connection().execute(counts).one())


def sum_of(lines: tuple[str, ...]) -> int:
    return sum(int(one.rsplit(":", 2)[1]) for one in lines)


def paid(house: House, entries: tuple[str, ...]) -> int:
    return -matchings.moved(house.session, [int(one) for one in entries], account=LEAF)


def test_a_line_that_comes_a_day_late_is_told_as_long_as_it_is_missing_and_booked_once(house: House) -> None:
    days = days_of(EACH_WRONG[0])
    early, late = days[1], days[2]
    moved = early.moved.pop()
    early.closing -= moved
    late.opening -= moved
    late.moved.append(moved)
    for day in days:
        tell(house, day)

    assert told(house) == []
    assert balances.balance(house.session, LEAF, currency="BYN") == byn_minor(days[-1].closing)
