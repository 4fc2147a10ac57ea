"""A book into which anything is booked in any order: whatever happens, every check holds after each step.

A verb that comes to the books gets its rule here: `does` when it must succeed, `may` when the state decides, `refuses`
when it must not. Each runs in a savepoint, as a request does in its transaction; a refusal has changed nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlmodel import SQLModel

from ledger import closing
from ledger.books import accounts, balances, exchange, journal, periods, rollups, seals
from ledger.books.exchange import BadRate, NoRate
from ledger.books.journal import AlreadyReversed, BadEntry, Because, Posted, SourceKeyConflict
from ledger.books.periods import ClosedMonth, MonthNotOver, MonthOutOfOrder, PeriodClosed, PeriodSoftClosed
from ledger.books.postings import BadPosting, Posting, Side, UnbalancedEntry, credit, debit
from ledger.errors import LedgerError
from ledger.giving import donations, purposes
from ledger.money import Money
from tests.bookcheck import found
from tests.cast import House, agreed_by

FIRST_DAY = date(2020, 8, 3)
LEAVES = {"EUR": "1000:eur-main", "BYN": "1000:byn-main"}
TAKES_TIME = {"schema", "integrity"}
"""Checks of what no rule can change; they run once at the end."""
BOUNDED = settings(
    max_examples=8,
    stateful_step_count=10,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a failure is told as it was found: the smallest one would take minutes
    suppress_health_check=list(HealthCheck),
)
Answer = TypeVar("Answer")
amounts = st.builds(Money, st.integers(1, 10**7), st.sampled_from(sorted(LEAVES)))
funds = st.sampled_from(["general", "fines", "detention"])
days_ago = st.integers(0, 75)


class BookMachine(RuleBasedStateMachine):
    """One book in one transaction, rolled back at the end, beside what each account should hold."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.session = self.house.session
        self.today = FIRST_DAY + timedelta(days=80)
        self.told: list[Callable[..., Posted]] = []
        """What was booked, to be sent again; with `more` an amount of it is another."""
        self.reversible: list[int] = []
        self.expected: Counter[tuple[str, str, str]] = Counter()
        self.count = 0

    def teardown(self) -> None:
        self.session.rollback()

    @invariant()
    def everything_promised_holds(self) -> None:
        assert found(self.session, but=TAKES_TIME) == []

    @invariant()
    def every_account_holds_what_was_booked_on_it(self) -> None:
        booked = {(b.account.code, b.fund, b.currency): b.minor for b in balances.trial_balance(self.session)}
        assert booked == dict(self.expected)

    # --- how a rule acts

    def does(self, verb: Callable[[], Answer]) -> Answer:
        """The verb, in a savepoint of its own."""
        with self.session.begin_nested():
            return verb()

    def may(self, verb: Callable[[], Answer], *refusals: type[LedgerError]) -> Answer | None:
        """The verb, or one of the refusals; which one, the state decides."""
        before = self._standing()
        try:
            return self.does(verb)
        except refusals:
            assert self._standing() == before
            return None

    def refuses(self, verb: Callable[[], object], refusal: type[LedgerError]) -> None:
        """The verb is refused, and every balance and every row stands as before."""
        before = self._standing()
        with pytest.raises(refusal):
            self.does(verb)
        assert self._standing() == before

    # --- time

    @rule(days=st.integers(1, 40))
    @precondition(lambda self: self.today < date(2021, 6, 1))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days=days)

    # --- booking

    @rule(gift=amounts, known=st.booleans(), ago=days_ago)
    def a_gift_arrives(self, gift: Money, ago: int, *, known: bool) -> None:
        purpose = purposes.by_code(self.session, "FINES")
        assert purpose is not None
        fact: dict[str, Any] = {
            "source_key": self._key(),
            "leaf": LEAVES[gift.currency],
            "reference": purpose.reference if known else None,
            "on": self.today - timedelta(days=ago),
        }

        def receive(*, more: int = 0) -> Posted:
            told = Money(gift.minor + more, gift.currency)
            return donations.receive_at_bank(self.session, gift=told, **fact, **self._recorded())[1]

        self._books(receive)

    @rule(cost=amounts, fund=funds, ago=days_ago)
    def a_cost_is_paid(self, cost: Money, fund: str, ago: int) -> None:
        def postings(money: Money) -> list[Posting]:
            return [debit("6300", money, fund), credit(LEAVES[money.currency], money, fund)]

        self._posts(cost, postings, ago=ago)

    @rule(sold=st.integers(1, 10**6), bought=st.integers(1, 10**6), fund=funds, ago=days_ago)
    def money_is_converted(self, sold: int, bought: int, fund: str, ago: int) -> None:
        into = Money(bought, "BYN")

        def postings(out: Money) -> list[Posting]:
            return [
                debit(LEAVES["BYN"], into, fund),
                credit("3900", into, fund),
                debit("3900", out, fund),
                credit(LEAVES["EUR"], out, fund),
            ]

        self._posts(Money(sold, "EUR"), postings, ago=ago)

    @rule(data=st.data())
    @precondition(lambda self: self.told)
    def a_fact_comes_again(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(self.told))
        before = self._standing()

        posted = self.does(again)

        assert posted.replayed
        assert self._standing() == before

    @rule(data=st.data())
    @precondition(lambda self: self.told)
    def a_fact_comes_with_another_amount(self, data: st.DataObject) -> None:
        self.refuses(partial(data.draw(st.sampled_from(self.told)), more=1), SourceKeyConflict)

    @rule(data=st.data(), because=st.sampled_from(Because), ago=days_ago)
    @precondition(lambda self: self.reversible)
    def an_entry_is_reversed(self, data: st.DataObject, because: Because, ago: int) -> None:
        entry = data.draw(st.sampled_from(self.reversible))
        reverse = partial(
            journal.reverse,
            self.session,
            entry,
            source_key=self._key(),
            because=because,
            on=self.today - timedelta(days=ago),
            **self._recorded(),
        )
        posted = self.may(reverse, AlreadyReversed, BadEntry, PeriodClosed, PeriodSoftClosed)
        if posted is not None:
            self._expect(posted.entry_id)
            self.reversible.append(posted.entry_id)  # which is refused, from now on

    # --- what is no entry

    @rule(money=amounts, residual=st.integers(1, 1000))
    def two_sides_that_differ_are_refused(self, money: Money, residual: int) -> None:
        off = Money(money.minor + residual, money.currency)
        self._refuses_postings([debit("6300", money, "general"), credit("4300", off, "general")], UnbalancedEntry)

    @rule(money=amounts)
    def two_funds_that_only_balance_together_are_refused(self, money: Money) -> None:
        self._refuses_postings([debit("6300", money, "general"), credit("4300", money, "fines")], UnbalancedEntry)

    @rule(money=amounts)
    def a_gift_without_its_subject_is_refused(self, money: Money) -> None:
        leaf = LEAVES[money.currency]
        self._refuses_postings([debit(leaf, money, "fines"), credit("4000", money, "fines")], BadPosting)

    @rule(money=amounts)
    def a_leaf_of_another_currency_is_refused(self, money: Money) -> None:
        (leaf,) = [leaf for currency, leaf in LEAVES.items() if currency != money.currency]
        postings = [debit(leaf, money, "general"), credit("4300", money, "general")]
        self._refuses_postings(postings, accounts.NotPostable)

    @rule(money=amounts)
    def a_closed_month_takes_nothing(self, money: Money) -> None:
        through = periods.closed_through(self.session)
        if through is None:
            return
        postings = [debit("6300", money, "general"), credit("4300", money, "general")]
        self._refuses_postings(postings, PeriodClosed, effective_on=through)

    # --- months and rates

    @rule(later=st.integers(0, 1))
    def the_next_month_is_closed(self, later: int) -> None:
        listed = periods.listed(self.session, today=self.today)
        open_months = [one.month for one in listed if one.closed is None][later:]
        if not open_months:
            return
        month = open_months[0]

        def close() -> ClosedMonth:
            facts = {"object": month, "evidence_commitments": (seals.gather(self.session, month).digest(),)}
            agreed = agreed_by(self.house.fund.clara, "close_period", now=self._now(), **facts)
            return closing.close(self.session, month, agreed)

        self.may(close, MonthNotOver, MonthOutOfOrder, NoRate)

    @rule()
    def a_month_is_closed_softly(self) -> None:
        listed = periods.listed(self.session, today=self.today)
        open_months = [one.month for one in listed if one.state == "open"]
        if open_months:
            close = partial(periods.soft_close, self.session, open_months[0], by="OP-0000-0000-0001", at=self._now())
            self.may(close, MonthNotOver, MonthOutOfOrder)

    @rule()
    def balances_are_rolled_up(self) -> None:
        rollups.advance(self.session)

    @rule(quoted=st.integers(1, 10**6), currency=st.sampled_from(["BYN", "EUR"]), ago=days_ago)
    def a_rate_is_added(self, quoted: int, currency: str, ago: int) -> None:
        add = partial(
            exchange.add,
            self.session,
            currency,
            on=self.today - timedelta(days=ago),
            value=exchange.parse(f"{quoted}/100000"),
            source="nbrb",
            **self._recorded(),
        )
        if currency == "EUR":  # which the book reports in
            self.refuses(add, BadRate)
        else:
            self.does(add)

    # --- parts of rules

    def _posts(self, money: Money, postings: Callable[[Money], Sequence[Posting]], *, ago: int) -> None:
        fact: dict[str, Any] = {
            "source_key": self._key(),
            "kind": "test",
            "happened_on": self.today - timedelta(days=ago),
        }

        def post(*, more: int = 0) -> Posted:
            told = Money(money.minor + more, money.currency)
            return journal.post(self.session, postings=postings(told), **fact, **self._recorded())

        self.reversible.append(self._books(post))

    def _books(self, booking: Callable[..., Posted]) -> int:
        """Books something new, to be sent again later."""
        posted = self.does(booking)
        assert not posted.replayed
        self.told.append(booking)
        self._expect(posted.entry_id)
        return posted.entry_id

    def _refuses_postings(self, postings: list[Posting], refusal: type[LedgerError], **facts: Any) -> None:
        fact: dict[str, Any] = {"source_key": self._key(), "kind": "test", "happened_on": self.today} | facts
        self.refuses(partial(journal.post, self.session, postings=postings, **fact, **self._recorded()), refusal)

    def _expect(self, entry_id: int) -> None:
        for posting in journal.postings_of(self.session, entry_id):
            sign = 1 if posting.side is Side.DEBIT else -1
            self.expected[posting.account, posting.fund, posting.money.currency] += sign * posting.money.minor

    def _key(self) -> str:
        self.count += 1
        return f"test:{self.count}"

    def _now(self) -> datetime:
        return datetime.combine(self.today, time(9), tzinfo=UTC)

    def _recorded(self) -> dict[str, Any]:
        return {"recorded_at": self._now(), "recorded_by": self.house.fund.clara.alias}

    def _standing(self) -> tuple[dict[str, int], list[tuple[str, str, str, int]]]:
        """How many rows each table has, and what stands on each account."""
        connection = self.session.connection()
        rows = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in SQLModel.metadata.sorted_tables
        }
        trial = balances.trial_balance(self.session)
        return rows, [(one.account.code, one.fund, one.currency, one.minor) for one in trial]


def test_whatever_is_booked_in_any_order_the_book_holds(house: House) -> None:
    accounts.add_leaf(house.session, LEAVES["EUR"], name="Current account", currency="EUR")
    house.session.commit()
    machine = type("Machine", (BookMachine,), {"house": house})

    run_state_machine_as_test(machine, settings=BOUNDED)

    assert found(house.session) == []
