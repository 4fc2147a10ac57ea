"""A book into which anything is booked in any order: whatever happens, every check holds after each step.

A verb that comes to the books gets its rule here: `does` when it must succeed, `may` when the state decides, `refuses`
when it must not. Each is a transaction, as a request is; a refusal has changed nothing though nobody rolls back.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, make_url

from ledger import closing
from ledger.approvals import Agreed, Verb
from ledger.books import (
    accounts,
    balances,
    bulk,
    exchange,
    holds,
    journal,
    periods,
    recipes,
    rollups,
    seals,
    spending,
    valuation,
)
from ledger.books.entries import NewEntry
from ledger.books.exchange import BadRate, NoRate
from ledger.books.holds import HoldFinished, NewHold, Reserve
from ledger.books.journal import AlreadyReversed, BadEntry, Because, Posted, SourceKeyConflict
from ledger.books.periods import (
    ClosedMonth,
    MonthNotOver,
    MonthOutOfOrder,
    NotSoftClosed,
    PeriodClosed,
    PeriodSoftClosed,
)
from ledger.books.postings import BadPosting, Posting, UnbalancedEntry, credit, debit
from ledger.books.spending import WouldOverdraw
from ledger.errors import LedgerError
from ledger.giving import donations, purposes
from ledger.money import CurrencyMismatch, Money
from tests.bookkeeping import OBLIGATION
from tests.cast import agreed_by
from tests.played_book import LEAVES, PlayedBook, trial

FUNDS = ["detention", "fines", "general"]
BOUNDED = settings(
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a failure is told as it was found: the smallest one would take minutes
    suppress_health_check=list(HealthCheck),
)
EXAMPLES = {"sqlite": 3, "postgresql": 1}
"""A server takes four times as long for the same."""
amounts = st.builds(Money, st.integers(1, 10**7), st.sampled_from(sorted(LEAVES)))
funds = st.sampled_from(FUNDS)
days_ago = st.integers(0, 75)


class BookMachine(PlayedBook):
    """What is booked, closed, held and rolled up, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Callable[..., Posted]] = []
        """What was booked, to be sent again; with `more` an amount of it is another."""
        self.alone: list[tuple[NewEntry, int]] = []
        """What was posted by itself or in bulk, and its number."""
        self.reversible: list[int] = []
        self.held: dict[str, tuple[NewHold, int]] = {}
        """The holds by source key, and what is left of each."""
        self.captured: list[tuple[Callable[[], Money], Money]] = []
        """Parts that were taken, to be taken again."""

    @invariant()
    def every_hold_has_left_what_nothing_took(self) -> None:
        for key, (new, left) in self.held.items():
            assert holds.left(self.session, holds.require(self.session, key)) == Money(left, new.amount.currency)
        for currency, leaf in LEAVES.items():
            on_leaf = sum(left for new, left in self.held.values() if new.account == leaf)
            assert holds.held_on_leaf(self.session, leaf, currency=currency).minor == on_leaf
            for fund in FUNDS:
                of_fund = sum(
                    left for new, left in self.held.values() if (new.fund, new.amount.currency) == (fund, currency)
                )
                told = holds.held_of_fund(self.session, fund, *Reserve).get(currency)
                assert (told.minor if told else 0) == of_fund

    # --- time

    @initialize(gift=amounts, rated=st.booleans())
    def the_book_begins(self, gift: Money, *, rated: bool) -> None:
        """Without a rate of the rouble a month with roubles is not closed, and a promise in them may not be judged."""
        self.a_gift_arrives(gift, 75, known=True)
        if rated:
            self.a_rate_is_added(30_000, "BYN", 75)

    @rule(days=st.integers(1, 40), expire=st.booleans())
    @precondition(lambda self: self.today < date(2021, 6, 1))
    def time_passes(self, days: int, *, expire: bool) -> None:
        self.today += timedelta(days=days)
        if expire:
            self._expire()

    # --- booking

    @rule(gift=amounts, known=st.booleans(), ago=days_ago)
    def a_gift_arrives(self, gift: Money, ago: int, *, known: bool) -> None:
        purpose = purposes.by_code(self.session, "FINES")
        assert purpose is not None
        fact: dict[str, Any] = {
            "source_key": self.key(),
            "leaf": LEAVES[gift.currency],
            "reference": purpose.reference if known else None,
            "on": self.ago(ago),
        }

        def receive(*, more: int = 0) -> Posted:
            told = Money(gift.minor + more, gift.currency)
            return donations.receive_at_bank(self.session, gift=told, **fact, **self.recorded())[1]

        self._books(receive)

    @rule(cost=amounts, fund=funds, ago=days_ago)
    def a_cost_is_paid(self, cost: Money, fund: str, ago: int) -> None:
        def postings(money: Money) -> list[Posting]:
            return [debit("6300", money, fund), credit(LEAVES[money.currency], money, fund)]

        self._posts(cost, postings, ago=ago)

    @rule(sold=st.integers(1, 10**6), bought=st.integers(3, 10**6), share=st.integers(1, 10**6), ago=days_ago)
    def money_is_converted(self, sold: int, bought: int, share: int, ago: int) -> None:
        gets = {fund: Money(part, "BYN") for fund, part in (("fines", bought - 1), ("general", 1))}

        def postings(out: Money) -> list[Posting]:
            gives = {"fines": out, "general": Money(share, "EUR")}
            return recipes.currency_converted(source=LEAVES["EUR"], target=LEAVES["BYN"], sold=gives, bought=gets)

        self._posts(Money(sold, "EUR"), postings, ago=ago)

    @rule(money=amounts, giver=st.sampled_from(FUNDS[:2]), ago=days_ago)
    def money_moves_to_another_fund(self, money: Money, giver: str, ago: int) -> None:
        def postings(out: Money) -> list[Posting]:
            return recipes.moved_between_funds(leaf=LEAVES[out.currency], amount=out, giver=giver, taker="general")

        self._posts(money, postings, ago=ago)

    @rule(costs=st.lists(amounts, min_size=1, max_size=4), place=st.integers(0, 4), data=st.data(), ago=days_ago)
    def many_are_booked_together(self, costs: list[Money], place: int, data: st.DataObject, ago: int) -> None:
        """What stands already, or comes twice, is a replay among them."""
        fresh = [self._cost(money, ago=ago) for money in costs]
        entries = [*fresh, fresh[-1]]
        stood = data.draw(st.sampled_from(self.alone)) if self.alone else None
        if stood is not None:
            place = min(place, len(fresh))
            entries.insert(place, stood[0])

        posted = self.does(partial(bulk.post_many, self.session, entries, **self.recorded()))

        numbers = {new.source_key: one.entry_id for new, one in zip(entries, posted, strict=True)}
        new_keys = [new.source_key for new in fresh]
        assert [one.replayed for one in posted].count(False) == len(fresh)
        assert len({numbers[key] for key in new_keys}) == len(fresh)
        assert posted[-1] == Posted(numbers[fresh[-1].source_key], replayed=True)
        if stood is not None:
            assert posted[place] == Posted(stood[1], replayed=True)
        for new in fresh:
            self._keep(new, numbers[new.source_key])

    @rule(costs=st.lists(amounts, min_size=2, max_size=4), bad=st.integers(0, 3), data=st.data(), ago=days_ago)
    def one_that_cannot_be_hinders_all(self, costs: list[Money], bad: int, data: st.DataObject, ago: int) -> None:
        """A contradiction to what stands, or to what comes before it, or what is no entry: nothing is written."""
        entries = [self._cost(money, ago=ago) for money in costs]
        place = min(bad, len(entries))
        stood = data.draw(st.sampled_from([new for new, _ in self.alone] or entries[:1]))
        wrong: tuple[NewEntry, type[LedgerError]] = data.draw(
            st.sampled_from(
                [
                    (replace(stood, kind="contradiction"), SourceKeyConflict),
                    (
                        replace(entries[0], source_key=self.key(), postings=list(entries[0].postings[:1]) * 2),
                        UnbalancedEntry,
                    ),
                ]
            )
        )
        entries.insert(place, wrong[0])

        refused = self.refuses(partial(bulk.post_many, self.session, entries, **self.recorded()), wrong[1])

        contradicts_a_later_one = stood in entries[place + 1 :] and wrong[1] is SourceKeyConflict
        assert refused.data["position"] == (entries.index(stood) if contradicts_a_later_one else place) + 1

    @rule(data=st.data())
    def a_fact_comes_again(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(self.told))
        before = self.standing()

        posted = self.does(again)

        assert posted.replayed
        assert self.standing() == before
        self.refuses(partial(again, more=1), SourceKeyConflict)

    @rule(data=st.data(), because=st.sampled_from(Because), ago=days_ago)
    @precondition(lambda self: self.reversible)
    def an_entry_is_reversed(self, data: st.DataObject, because: Because, ago: int) -> None:
        entry = data.draw(st.sampled_from(self.reversible))
        reverse = partial(
            journal.reverse,
            self.session,
            entry,
            source_key=self.key(),
            because=because,
            on=self.ago(ago),
            **self.recorded(),
        )
        posted = self.may(reverse, AlreadyReversed, BadEntry, PeriodClosed, PeriodSoftClosed)
        if posted is not None:
            self.expect(posted.entry_id)
            self.reversible.append(posted.entry_id)  # which is refused, from now on

    @rule(money=amounts, residual=st.integers(1, 1000))
    def what_is_no_entry_is_refused(self, money: Money, residual: int) -> None:
        leaf, other = (LEAVES[currency] for currency in sorted(LEAVES, key=lambda one: one != money.currency))
        off = Money(money.minor + residual, money.currency)
        cost = debit("6300", money, "general")
        for second, refusal in (
            (credit("4300", off, "general"), UnbalancedEntry),
            (credit("4300", money, "fines"), UnbalancedEntry),  # which only balances over both funds
            (credit("4000", money, "general"), BadPosting),  # without the gift that it is about
            (credit(other, money, "general"), accounts.NotPostable),
        ):
            self._refuses_postings([cost, second], refusal)
        through = periods.closed_through(self.session)
        if through is not None:
            self._refuses_postings([cost, credit(leaf, money, "general")], PeriodClosed, effective_on=through)

    # --- months and rates

    @rule(later=st.sampled_from([0, 0, 0, 1]), softly=st.booleans())
    def the_next_month_is_closed(self, later: int, *, softly: bool) -> None:
        open_months = [*self._months("soft_closed"), *self._months("open")]
        month = (open_months if not softly else self._months("open"))[later:][:1]
        if not month:
            return
        if softly:
            close = partial(periods.soft_close, self.session, month[0], by=self.clara.alias, at=self.now())
            self.may(close, MonthNotOver, MonthOutOfOrder)
        elif self.may(partial(self._close, month[0]), MonthNotOver, MonthOutOfOrder, NoRate) is not None:
            nets = {fund: minor for fund, minor in seals.sealed(self.session, month[0]).net_assets if minor}
            valued = valuation.net_assets(self.session, on=periods.last_day_of(month[0]))
            assert nets == {fund: minor for fund, minor in valued.items() if minor}
        if month[0] not in self._months("soft_closed"):
            agreed = self._agreed("admit_entry", month[0], "0" * 64)
            self.refuses(partial(closing.admit, self.session, month[0], agreed, fingerprint="0" * 64), NotSoftClosed)

    @rule(money=amounts, back=st.integers(0, 40), data=st.data())
    @precondition(lambda self: self._months("soft_closed"))
    def a_softly_closed_month_takes_one_entry(self, money: Money, back: int, data: st.DataObject) -> None:
        month = data.draw(st.sampled_from(self._months("soft_closed")))
        last_day = periods.last_day_of(month)
        day = max(last_day.replace(day=1), last_day - timedelta(days=back))
        new = replace(self._cost(money), happened_on=day, effective_on=day)
        self.refuses(partial(self._post, new), PeriodSoftClosed)
        fingerprint = journal.fingerprint_of(
            new.postings,
            source_key=new.source_key,
            kind=new.kind,
            happened_on=new.happened_on,
            effective_on=new.effective_on,
        )
        agreed = self._agreed("admit_entry", month, fingerprint)
        self.does(partial(closing.admit, self.session, month, agreed, fingerprint=fingerprint))
        self.refuses(partial(self._post, replace(new, kind="another")), PeriodSoftClosed)

        posted = self.does(partial(self._post, new))

        self._keep(new, posted.entry_id)
        assert self.does(partial(self._post, new)) == Posted(posted.entry_id, replayed=True)
        assert self.session.get_one(journal.Entry, posted.entry_id).effective_on == new.effective_on

    @rule(most=st.integers(1, 9), anew=st.booleans())
    def balances_are_rolled_up(self, most: int, *, anew: bool) -> None:
        if anew:
            self.does(partial(rollups.rebuild, self.session))
        else:
            self.does(partial(rollups.advance, self.session, most_entries=most))
        assert rollups.differences(self.session) == []

    @rule(on_ago=st.integers(-2, 120), known_ago=st.integers(-2, 80))
    def balances_of_a_day_are_those_of_its_entries(self, on_ago: int, known_ago: int) -> None:
        on, known = self.ago(on_ago), self.now() - timedelta(days=known_ago)

        told = balances.trial_balance(self.session, on=on, as_known_at=known)

        assert trial(told) == self._moved(on, known)
        assert trial(balances.recomputed(self.session, on=on)) == self._moved(on, None)

    @rule(quoted=st.integers(1, 10**6), currency=st.sampled_from(["BYN", "EUR"]), ago=days_ago)
    def a_rate_is_added(self, quoted: int, currency: str, ago: int) -> None:
        add = partial(
            exchange.add,
            self.session,
            currency,
            on=self.ago(ago),
            value=exchange.parse(f"{quoted}/100000"),
            source="nbrb",
            **self.recorded(),
        )
        if currency == "EUR":  # which the book reports in
            self.refuses(add, BadRate)
        else:
            self.does(add)

    # --- holds

    @rule(
        amount=amounts, of=st.sampled_from(Reserve), fund=funds, days=st.none() | st.integers(0, 60), asks=st.booleans()
    )
    def money_is_set_aside(self, amount: Money, of: Reserve, fund: str, days: int | None, *, asks: bool) -> None:
        new = NewHold(
            source_key=self.key(),
            reserves=of,
            amount=amount,
            held_for=OBLIGATION,
            fund=fund,
            account=LEAVES[amount.currency] if of is Reserve.LEAF else None,
            expires_on=None if days is None else self.today + timedelta(days=days),
        )
        if not asks:  # as a fact that is booked, whether there is enough or not
            self.does(partial(holds.place, self.session, new, on=self.today))
        elif self.may(partial(spending.reserve, self.session, [new], on=self.today), WouldOverdraw, NoRate) is None:
            return
        elif of is Reserve.LEAF:
            assert spending.available(self.session, LEAVES[amount.currency], currency=amount.currency).minor >= 0
        elif of is Reserve.SPENDABLE:
            assert spending.shortfall(self.session, fund, on=self.today) is None
        self.held[new.source_key] = new, amount.minor
        other = replace(new, amount=Money(amount.minor + 1, amount.currency))
        before = self.standing()

        self.does(partial(spending.reserve, self.session, [new], on=self.today))

        assert self.standing() == before
        self.refuses(partial(spending.reserve, self.session, [new, other], on=self.today), SourceKeyConflict)

    @rule(data=st.data(), percent=st.integers(1, 150), how=st.sampled_from(["part", "part", "again", "void", "expire"]))
    @precondition(lambda self: self.held)
    def a_hold_moves(self, data: st.DataObject, percent: int, how: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.held)))
        if how == "part":
            self._take(key, percent)
        elif how == "again" and self.captured:
            take, taken = data.draw(st.sampled_from(self.captured))
            before = self.standing()
            assert self.does(take) == taken
            assert self.standing() == before
        elif how == "void":
            new, left = self.held[key]
            if left:
                assert self.does(partial(holds.void, self.session, key, on=self.today)).minor == left
            self.held[key] = new, 0
            self.refuses(partial(holds.void, self.session, key, on=self.today), HoldFinished)
        elif how == "expire":
            self._expire()

    # --- parts of rules

    def _take(self, key: str, percent: int) -> None:
        """A fact takes a part of a hold, or what is left of it."""
        new, left = self.held[key]
        part = Money(max(1, new.amount.minor * percent // 100), new.amount.currency)
        take = partial(holds.capture, self.session, key, part, source_key=self.key(), on=self.today)

        taken = self.does(take)

        assert taken.minor == min(part.minor, left)
        self.held[key] = new, left - taken.minor
        if taken.minor:
            self.captured.append((take, taken))
        (other,) = [currency for currency in LEAVES if currency != part.currency]
        wrong = partial(holds.capture, self.session, key, Money(1, other), source_key=self.key(), on=self.today)
        self.refuses(wrong, CurrencyMismatch)

    def _expire(self) -> None:
        over = {
            key: new
            for key, (new, left) in self.held.items()
            if left and new.expires_on is not None and new.expires_on < self.today
        }

        found = [hold.source_key for hold in holds.past(self.session, on=self.today)]
        for key in found:
            self.does(partial(holds.expire, self.session, key, on=self.today))

        assert found == sorted(over)
        self.held |= {key: (new, 0) for key, new in over.items()}

    def _close(self, month: str) -> ClosedMonth:
        agreed = self._agreed("close_period", month, seals.gather(self.session, month).digest())
        return closing.close(self.session, month, agreed)

    def _agreed(self, verb: Verb, month: str, commitment: str) -> Agreed:
        """What the treasurer signs about a month."""
        return agreed_by(self.clara, verb, now=self.now(), object=month, evidence_commitments=(commitment,))

    def _posts(self, money: Money, postings: Callable[[Money], Sequence[Posting]], *, ago: int) -> None:
        new = NewEntry(self.key(), "test", postings(money), self.ago(ago))

        def post(*, more: int = 0) -> Posted:
            return self._post(replace(new, postings=postings(Money(money.minor + more, money.currency))))

        number = self._books(post)
        self.reversible.append(number)
        self.alone.append((new, number))

    def _post(self, new: NewEntry) -> Posted:
        return journal.post(
            self.session,
            source_key=new.source_key,
            kind=new.kind,
            postings=new.postings,
            happened_on=new.happened_on,
            effective_on=new.effective_on,
            **self.recorded(),
        )

    def _cost(self, money: Money, *, ago: int = 0) -> NewEntry:
        """A cost that is new."""
        postings = [debit("6300", money, "general"), credit(LEAVES[money.currency], money, "general")]
        return NewEntry(self.key(), "test", postings, self.ago(ago))

    def _keep(self, new: NewEntry, number: int) -> None:
        """Notes what was booked without `_books`."""
        self.expect(number)
        self.reversible.append(number)
        self.alone.append((new, number))

    def _books(self, booking: Callable[..., Posted]) -> int:
        """Books something new, to be sent again later."""
        posted = self.does(booking)
        assert not posted.replayed
        self.told.append(booking)
        self.expect(posted.entry_id)
        return posted.entry_id

    def _refuses_postings(self, postings: list[Posting], refusal: type[LedgerError], **facts: Any) -> None:
        fact: dict[str, Any] = {"source_key": self.key(), "kind": "test", "happened_on": self.today} | facts
        self.refuses(partial(journal.post, self.session, postings=postings, **fact, **self.recorded()), refusal)

    def _months(self, state: str) -> list[str]:
        return [one.month for one in periods.listed(self.session, today=self.today) if one.state == state]

    def _moved(self, on: date, known: datetime | None) -> dict[tuple[str, str, str], int]:
        """What had moved on each account at the end of a day, as known at a moment."""
        moved: dict[tuple[str, str, str], int] = {}
        for effective_on, recorded_at, cell, minor in self.booked:
            if effective_on <= on and (known is None or recorded_at <= known):
                moved[cell] = moved.get(cell, 0) + minor
        return moved


def test_whatever_is_booked_in_any_order_the_book_holds(fresh: Callable[[], Engine], database_url: str) -> None:
    machine = type("Machine", (BookMachine,), {"fresh": staticmethod(fresh)})
    examples = EXAMPLES[make_url(database_url).get_backend_name()]

    run_state_machine_as_test(machine, settings=settings(BOUNDED, max_examples=examples))
