"""Many things wrong at once, of every kind, and of each kind twice: each is one difference of its amount, no more."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from ledger import exceptions
from ledger.aid import returns
from ledger.aid.disbursements import Disbursement
from ledger.aliases import Kind, draw
from ledger.books import accounts, journal
from ledger.books.postings import credit, debit
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import bank, processor
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF
from tests.cards import a_charge
from tests.cast import LEAF, NOW, TODAY, House, give
from tests.purses import an_advance, an_agent, give_euros

START = date(2020, 10, 5)
USD_CARD_LEAF = "1100:card-usd"
CHECKED = {"statements", "statement-lines", "exceptions", "pairings", "processor"}
GIFT, PAID = 500, 81_000
Told = tuple[Difference, int]


@dataclass
class Day:
    """What a day's file tells; of a day that is wrong its neighbours are right."""

    on: date
    opening: int
    lines: list[NewLine]
    closing: int
    is_sent: bool = True


def byn_minor(minor: int) -> Money:
    return Money(minor, "BYN")


def a_line(on: date, minor: int, reference: str | None = None) -> NewLine:
    return NewLine(on, None, byn_minor(minor), reference, reversal=False)


def without_a_line(day: Day, _later: list[Day], _amount: int) -> Told:
    return Difference.STATEMENT_DOES_NOT_ADD_UP, day.lines.pop(0).amount.minor


def with_a_line_twice(day: Day, _later: list[Day], _amount: int) -> Told:
    day.lines.append(day.lines[0])
    return Difference.STATEMENT_DOES_NOT_ADD_UP, -day.lines[0].amount.minor


def with_another_opening(day: Day, _later: list[Day], amount: int) -> Told:
    day.opening += amount
    return Difference.STATEMENT_DOES_NOT_FOLLOW, amount


def with_a_hidden_fee(day: Day, later: list[Day], amount: int) -> Told:
    _shift(day, later, -amount)
    return Difference.STATEMENT_DOES_NOT_ADD_UP, -amount


def that_does_not_come(day: Day, _later: list[Day], _amount: int) -> Told:
    day.is_sent = False
    return Difference.STATEMENT_MISSING, day.closing - day.opening


def with_a_debit_of_nobodys(day: Day, later: list[Day], amount: int) -> Told:
    day.lines.append(a_line(day.on, -amount))
    _shift(day, later, -amount)
    return Difference.UNMATCHED_DEBIT, -amount


def _shift(day: Day, later: list[Day], moved: int) -> None:
    day.closing += moved
    for one in later:
        one.opening, one.closing = one.opening + moved, one.closing + moved


WRONGS: dict[str, Callable[[Day, list[Day], int], Told]] = {
    one.__name__: one
    for one in (
        without_a_line,
        with_a_line_twice,
        with_another_opening,
        with_a_hidden_fee,
        that_does_not_come,
        with_a_debit_of_nobodys,
    )
}


@dataclass(frozen=True)
class Season:
    """What is wrong on the third, fifth, seventh and ninth day; beside the files; and in what order these come.

    `fees` are booked by hand and never shown, `short` is missing from what an agent returns, `beyond` was paid beyond
    what was released, `off` is what the processor reports otherwise, in euros and in dollars.
    """

    wrongs: tuple[str | None, ...]
    fees: tuple[int, ...]
    short: tuple[int, ...]
    beyond: tuple[int, ...]
    off: tuple[int, int]
    order: tuple[int, ...]


def _pair(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, most), st.integers(0, most))


SEASONS = st.builds(
    Season,
    st.tuples(*[st.none() | st.sampled_from(sorted(WRONGS))] * 4),
    st.lists(st.integers(1, 99), max_size=2).map(tuple),
    _pair(3),
    _pair(2),
    st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    st.permutations(range(11)).map(tuple),
)
IN_ORDER = tuple(range(11))
EACH_TWICE = [
    Season((first, first, second, second), (7, 7), (2, 2), (1, 1), (3, -3), IN_ORDER)
    for first, second in zip(sorted(WRONGS)[::2], sorted(WRONGS)[1::2], strict=True)
]


def days_of(payments: list[Disbursement], announced: list[str], season: Season) -> tuple[list[Day], list[Told]]:
    """Ten days of a gift each, and a late one with payments and an agent's returns; and what is wrong with them."""
    days, balance, expected = [], 0, []
    for nth in range(10):
        on = START + timedelta(days=nth)
        lines = [a_line(on, GIFT + nth)]
        if nth == 0:
            lines.append(a_line(on, 1_000_000))
        days.append(Day(on, balance, lines, balance + sum(one.amount.minor for one in lines)))
        balance = days[-1].closing
    late = TODAY
    days.append(Day(late, balance, [], balance))
    for payment, beyond in zip(payments, season.beyond, strict=True):
        days[-1].lines.append(a_line(late, -PAID - beyond, payment.reference))
        days[-1].closing -= PAID + beyond
        expected += [(Difference.AMOUNT_DIFFERS, -PAID - beyond)] if beyond else []
    for reference, short in zip(announced, season.short, strict=True):
        days[-1].lines.append(a_line(late, 1_000 - short, reference))
        days[-1].closing += 1_000 - short
        expected += [(Difference.AMOUNT_DIFFERS, 1_000 - short)] if short else []
    for at, wrong in zip((2, 4, 6, 8), season.wrongs, strict=True):
        if wrong is not None:
            expected.append(WRONGS[wrong](days[at], days[at + 1 :], 17 + at))
    return days, expected


def tell(session: Session, day: Day, *, by: str) -> None:
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    told = byn_minor(day.opening), byn_minor(day.closing)
    new = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", day.on, day.on, *told, token, day.lines)
    bank.receive(session, new, received_at=NOW, received_by=by)


def book_by_hand(session: Session, fee: int, *, nth: int) -> Told:
    postings = [debit("6020", byn_minor(fee), "general"), credit(LEAF, byn_minor(fee), "general")]
    facts: dict[str, Any] = {"happened_on": START, "recorded_at": NOW, "recorded_by": "test"}
    journal.post(session, source_key=f"test:fee:{nth}", kind="manual", postings=postings, **facts)
    return Difference.ENTRY_NOT_SEEN, -fee


def hear_the_processor(session: Session, off: tuple[int, int], *, by: str) -> list[Told]:
    moved = [a_charge(Money(100, "EUR"), nth=1, purpose=None), a_charge(Money(100, "USD"), nth=2, purpose=None)]
    reported = [Money(100 + off[0], "EUR"), Money(100 + off[1], "USD")]
    processor.receive(session, moved, reported=reported, received_at=NOW, received_by=by)
    return [(Difference.PROCESSOR_DIFFERS, minor) for minor in off if minor]


def test_each_of_many_differences_is_told_once_by_its_amount(house: House) -> None:
    accounts.add_leaf(house.session, CARD_LEAF, name="A processor", currency="EUR")
    accounts.add_leaf(house.session, USD_CARD_LEAF, name="A processor", currency="USD")
    give_euros(house)
    give(house.session, byn_minor(2 * PAID), on=START - timedelta(days=1))
    payments = [house.a_released_payment(), house.a_released_payment()]
    advance = an_advance(house, an_agent(house), received=byn_minor(300_000))
    clara = house.fund.clara.alias
    announced = [
        returns.announce(house.session, advance, stands_for=byn_minor(1_000), by=clara, on=TODAY).reference
        for _ in range(2)
    ]
    before = Counter((one.difference, one.minor) for one in exceptions.listed(house.session))

    def play(season: Season) -> None:
        with house.session.begin_nested() as savepoint:
            days, expected = days_of(payments, announced, season)
            for day in days:  # what the book had before is in what the first day opens with
                day.opening, day.closing = day.opening + 2 * PAID, day.closing + 2 * PAID
            expected += [book_by_hand(house.session, fee, nth=nth) for nth, fee in enumerate(season.fees)]
            expected += hear_the_processor(house.session, season.off, by=clara)
            for nth in season.order:
                if days[nth].is_sent:
                    tell(house.session, days[nth], by=clara)

            told = Counter((one.difference, one.minor) for one in exceptions.listed(house.session))
            assert told - before == Counter(expected)
            assert before - told == Counter()
            assert found(house.session, by=CHECKED) == []
            savepoint.rollback()
            house.session.expire_all()

    phases = [Phase.explicit, Phase.generate]
    played = given(season=SEASONS)(play)
    for one in EACH_TWICE:
        played = example(season=one)(played)
    settings(max_examples=3, deadline=None, derandomize=True, phases=phases, suppress_health_check=list(HealthCheck))(
        played
    )()
