"""A book on which a state machine acts: each verb in a transaction of its own, beside what it should have come to."""

import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, TypeVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import Engine, Select, func, select
from sqlmodel import Session, SQLModel

from ledger.books import accounts, balances, exports, imports, journal, records
from ledger.books.imports import Imported
from ledger.books.journal import Entry
from ledger.books.postings import Side
from ledger.errors import LedgerError
from tests.bookcheck import found
from tests.cast import found_book, the_fund
from tests.journals import an_empty_book

FIRST_DAY = date(2020, 8, 3)
LEAVES = {"EUR": "1000:eur-main", "BYN": "1000:byn-main"}
AT_THE_END = {"schema", "guards", "settings", "integrity"}
"""Checks of the database, which no rule can change. They take time, the schema most: its own test compares it."""
Answer = TypeVar("Answer")
Cell = tuple[str, str, str]


class Played(RuleBasedStateMachine):
    """A founded book in a database of its own, and how rules act on it. `fresh` makes an engine on a migrated one."""

    fresh: Callable[[], Engine]
    checked_after = 1
    """After how many things that were done the whole list of checks is gone through."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = type(self).fresh()
        self.session = Session(self.engine, expire_on_commit=False)
        found_book(self.session)
        accounts.add_leaf(self.session, LEAVES["EUR"], name="Current account", currency="EUR")
        self.session.commit()
        self.clara = the_fund().clara
        self.today = FIRST_DAY + timedelta(days=80)
        self.count = self.seconds = 0
        self.changes = 0

    def teardown(self) -> None:
        try:
            self.session.rollback()
            if sys.exc_info()[0] is None:  # else a second failure would hide the first
                self.at_the_end()
        finally:
            self.session.close()
            self.engine.dispose()

    def at_the_end(self) -> None:
        """What is looked at once a game is over."""
        assert found(self.session, but={"schema"}) == []

    @invariant()
    def everything_promised_holds(self) -> None:
        if self.changes >= self.checked_after:
            broken = found(self.session, but=AT_THE_END)
            assert not broken, broken  # told here: assertions of a module that is no test are not explained
            self.changes = 0

    # --- how a rule acts

    def does(self, verb: Callable[[], Answer]) -> Answer:
        """The verb, which must succeed, committed."""
        answer = verb()
        self.session.commit()
        self.changes += 1
        return answer

    def may(self, verb: Callable[[], Answer], *refusals: type[LedgerError]) -> Answer | None:
        """The verb, or one of the refusals; which one, the state decides."""
        before = self.standing()
        try:
            return self.does(verb)
        except refusals:
            self._changed_nothing(before)
            return None

    def refuses(self, verb: Callable[[], object], refusal: type[LedgerError]) -> LedgerError:
        """The verb is refused, and every balance and every row stands as before, though nobody rolls back."""
        before = self.standing()
        with pytest.raises(refusal) as refused:
            verb()
        self._changed_nothing(before)
        return refused.value

    def standing(self) -> tuple[dict[str, int], dict[Cell, int]]:
        """How many rows each table has, and what stands on each account."""
        self.session.flush()
        names, counts = all_counts()
        rows = dict(zip(names, self.session.connection().execute(counts).one(), strict=True))
        return rows, trial(balances.trial_balance(self.session))

    def key(self) -> str:
        """A source key that no rule has used."""
        self.count += 1
        return f"test:{self.count}"

    def now(self) -> datetime:
        """A moment of today, later than every other: what is recorded after a closing is not known to it."""
        self.seconds += 1
        return datetime.combine(self.today, time(9), tzinfo=UTC) + timedelta(seconds=self.seconds)

    def recorded(self) -> dict[str, Any]:
        return {"recorded_at": self.now(), "recorded_by": self.clara.alias}

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _changed_nothing(self, before: object) -> None:
        assert self.standing() == before
        self.session.commit()


class PlayedBook(Played):
    """A book beside which stands what was booked."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: Counter[Cell] = Counter()
        self.booked: list[tuple[date, datetime, Cell, int]] = []
        """What moved: on which day, when recorded, where, how much."""

    @invariant()
    def every_account_holds_what_was_booked_on_it(self) -> None:
        assert trial(balances.trial_balance(self.session)) == dict(self.expected)
        assert trial(balances.recomputed(self.session)) == dict(self.expected)

    def at_the_end(self) -> None:
        """Its export makes the same book of an empty one, and nothing new of itself."""
        super().at_the_end()
        lines = [records.write(record) for record in exports.records(self.session)]
        later = self.now() + timedelta(days=1)
        entries = journal.count(self.session)
        other = type(self).fresh()

        with an_empty_book(other, founded_at=later) as copy:
            assert imports.book(copy, lines, at=later) == Imported(booked=entries, standing=0)
            copy.commit()

            assert trial(balances.trial_balance(copy)) == dict(self.expected)
            assert [records.write(record) for record in exports.records(copy)] == lines
            assert found(copy, but=AT_THE_END) == []
        other.dispose()
        before = self.standing()
        assert imports.book(self.session, lines, at=later) == Imported(booked=0, standing=entries)
        assert self.standing() == before

    def expect(self, entry_id: int) -> None:
        """What an entry moved is expected from now on."""
        entry = self.session.get_one(Entry, entry_id)
        for posting in journal.postings_of(self.session, entry_id):
            cell = posting.account, posting.fund, posting.money.currency
            minor = posting.money.minor if posting.side is Side.DEBIT else -posting.money.minor
            self.expected[cell] += minor
            self.booked.append((entry.effective_on, entry.recorded_at, cell, minor))


@cache
def all_counts() -> tuple[list[str], Select[Any]]:
    """The tables' names, and what asks how many rows each of them has: made once, for a thousand questions."""
    tables = SQLModel.metadata.sorted_tables
    counts = (select(func.count()).select_from(table).scalar_subquery() for table in tables)
    return [table.name for table in tables], select(*counts)


def trial(told: list[balances.Balance]) -> dict[Cell, int]:
    """A trial balance by account, fund and currency."""
    return {(one.account.code, one.fund, one.currency): one.minor for one in told}
