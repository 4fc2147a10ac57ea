"""In transit: what only the books or only the bank has on the day a statement closes, and what of it is overdue."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger import comparisons, exceptions
from ledger.aliases import Kind, draw
from ledger.books import balances, journal
from ledger.books.journal import Because
from ledger.books.postings import Posting, credit, debit
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import bank, matchings, open_entries
from ledger.reconciliation.bank import Reconciliation
from ledger.reconciliation.pairings import Pairing, PairingPart
from ledger.reconciliation.sheets import With
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookcheck import found
from tests.cast import LEAF, NOW, SECOND_LEAF, TODAY, House, byn, give

FIRST = date(2020, 11, 1)
CHECKED = {"statements", "statement-lines", "exceptions", "pairings"}
_numbers = count(1)


def book(house: House, *postings: Posting, on: date) -> int:
    """An entry of somebody's own, as no recipe makes it."""
    key = f"test:{next(_numbers)}"
    facts: dict[str, Any] = {"happened_on": on, "recorded_at": NOW, "recorded_by": "test"}
    return journal.post(house.session, source_key=key, kind="manual", postings=postings, **facts).entry_id


def book_fee(house: House, fee: Money, *, on: date) -> int:
    return book(house, debit("6020", fee, "general"), credit(LEAF, fee, "general"), on=on)


def tell(
    house: House,
    *lines: tuple[date, int],
    opening: int | None = None,
    closing: int | None = None,
    first: date = FIRST,
    until: date | None = None,
    account: str = LEAF,
) -> None:
    """A statement of November until a day, or lines that no balance goes with."""
    new = NewStatement(
        draw(Kind.STATEMENT),
        account,
        "BYN",
        first,
        until,
        None if opening is None else Money(opening, "BYN"),
        None if closing is None else Money(closing, "BYN"),
        draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
        [NewLine(on, None, Money(minor, "BYN"), None, reversal=False) for on, minor in lines],
    )
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def pair(house: House, line: str, entry: int) -> None:
    """What a treasurer says by a signed act, without the act."""
    made = Pairing(
        alias=draw(Kind.PAIRING), account_code=LEAF, score=0, automatic=True, paired_by="test", paired_at=NOW
    )
    house.session.add(made)
    house.session.flush()
    house.session.add(PairingPart(pairing_alias=made.alias, number=1, source_key=line))
    house.session.add(PairingPart(pairing_alias=made.alias, number=2, entry_id=entry))
    house.session.flush()


def reconciled(house: House, account: str = LEAF) -> Reconciliation:
    told = bank.reconcile(house.session, account)
    assert told is not None
    return told


def told(house: House) -> list[tuple[Difference, int | None]]:
    return [(one.difference, one.minor) for one in exceptions.listed(house.session)]


# --- any book and any statement


@dataclass(frozen=True)
class Event:
    """A debit or a credit: booked by hand on a day, shown on a day, or one of both; matched, or reversed after days."""

    minor: int
    booked: date | None
    shown: date | None
    is_matched: bool
    stood: int | None

    def ended(self) -> date | None:
        """When its entry was reversed."""
        if self.booked is None or self.stood is None or self.is_same():
            return None
        return min(self.booked + timedelta(days=self.stood), TODAY)

    def is_same(self) -> bool:
        return self.is_matched and self.booked is not None and self.shown is not None

    def sides(self, until: date) -> tuple[int, int]:
        """What only the books have of it by a day, and what only the bank."""
        ended = self.ended()
        stands = self.booked is not None and self.booked <= until and (ended is None or ended > until)
        is_shown = self.shown is not None and self.shown <= until
        if self.is_same() and stands and is_shown:
            return 0, 0
        return self.minor * stands, self.minor * is_shown


DAYS = st.none() | st.integers(0, 18).map(lambda days: FIRST + timedelta(days=days))
EVENTS = st.lists(
    st.builds(Event, st.sampled_from([-300, -700, 900]), DAYS, DAYS, st.booleans(), st.none() | st.integers(0, 4)),
    min_size=1,
    max_size=6,
)


def happen(house: House, event: Event) -> None:
    """Books it by hand, as far as it was, and says that it is what the bank has shown."""
    if event.booked is None:
        return
    amount = Money(abs(event.minor), "BYN")
    sides = (debit, credit) if event.minor < 0 else (credit, debit)
    entry = book(house, sides[0]("6020", amount, "general"), sides[1](LEAF, amount, "general"), on=event.booked)
    if event.is_same():
        pair(house, f"bank:{LEAF}:{event.shown}:{event.minor}:1", entry)
    ended = event.ended()
    if ended is not None:
        facts: dict[str, Any] = {"on": ended, "recorded_at": NOW, "recorded_by": "test"}
        reason = Because.FACT_WITHDRAWN
        journal.reverse(house.session, entry, source_key=f"test:undone:{entry}", because=reason, **facts)


def test_per_bank_and_what_is_in_transit_are_per_books_and_the_difference(house: House) -> None:
    """Whatever was booked by hand, shown, matched and reversed, in whatever order, on whatever day a statement ends."""

    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(EVENTS, st.integers(0, 19), st.sampled_from([0, 0, -17, 31]))
    def play(drawn: list[Event], days: int, hidden: int) -> None:
        with house.session.begin_nested() as savepoint:
            # Credits that the bank shows are gifts by themselves; each amount is another, so that each line is one.
            events = [
                replace(one, minor=one.minor - nth, shown=one.shown if one.minor < 0 else None)
                for nth, one in enumerate(drawn)
            ]
            tell(house, *((one.shown, one.minor) for one in events if one.shown is not None))
            for event in events:
                happen(house, event)
            until = FIRST + timedelta(days=days)
            at_bank = sum(one.minor for one in events if one.shown is not None and one.shown <= until)
            tell(house, opening=0, closing=at_bank + hidden, until=until)

            found_there = reconciled(house)
            sides = [one.sides(until) for one in events]
            assert found_there.coming.minor == sum(ours for ours, _ in sides if ours > 0)
            assert found_there.going.minor == -sum(ours for ours, _ in sides if ours < 0)
            assert found_there.not_booked.minor == sum(theirs for _, theirs in sides)
            assert found_there.difference.minor == hidden
            in_books = balances.balance(house.session, LEAF, currency="BYN", on=until)
            per_bank = found_there.per_bank + found_there.coming - found_there.going - found_there.not_booked
            assert per_bank == in_books + found_there.difference
            savepoint.rollback()

    play()


# --- what is in transit


def test_an_entry_by_hand_that_the_bank_has_not_shown_is_an_item_and_no_difference(house: House) -> None:
    give(house.session, byn("100.00"))
    fee = book_fee(house, byn("5.00"), on=date(2020, 11, 9))

    tell(house, opening=100_00, closing=100_00, until=date(2020, 11, 10))

    sheet = comparisons.compare(house.session, With.BANK, LEAF, on=TODAY)
    figures = {one.name: one.amount for one in sheet.figures}
    assert figures == {
        "per_bank": "100.00",
        "coming": "0.00",
        "going": "5.00",
        "not_booked": "0.00",
        "per_books": "95.00",
    }
    (item,) = sheet.items
    assert (item.where, item.side, item.about, item.amount, item.since) == (
        "in_transit",
        "out",
        str(fee),
        "5.00",
        "2020-11-09",
    )
    assert [(one.amount, one.currency) for one in sheet.differences] == [("0.00", "BYN")]
    assert told(house) == []


def test_what_was_ordered_after_the_statements_day_is_not_on_its_sheet(house: House) -> None:
    give(house.session, byn("810.00"))
    payment = house.a_released_payment()
    tell(house, opening=810_00, closing=810_00, until=TODAY - timedelta(days=1))
    before = comparisons.compare(house.session, With.BANK, LEAF, on=TODAY).items

    tell(house, opening=810_00, closing=810_00, until=TODAY)

    (item,) = comparisons.compare(house.session, With.BANK, LEAF, on=TODAY).items
    assert before == ()
    assert (item.where, item.side, item.about, item.amount) == ("on_its_way", "out", payment.alias, "810.00")


def test_what_was_brought_forward_on_the_first_day_is_in_the_opening_balance(house: House) -> None:
    opening = byn("40.00")
    book(house, debit(LEAF, opening, "general"), credit("3000", opening, "general"), on=FIRST)

    tell(house, opening=40_00, closing=40_00, until=date(2020, 11, 10))

    assert (reconciled(house).coming, reconciled(house).difference) == (byn("0.00"), byn("0.00"))


def test_an_entry_between_two_leaves_is_shown_by_each_bank_for_itself(house: House) -> None:
    give(house.session, byn("100.00"))
    moved = byn("30.00")
    entry = book(house, debit(SECOND_LEAF, moved, "fines"), credit(LEAF, moved, "fines"), on=date(2020, 11, 8))
    there = (date(2020, 11, 10), -30_00)
    tell(house, there, opening=100_00, closing=70_00, until=date(2020, 11, 10))
    tell(house, opening=0, closing=0, until=date(2020, 11, 10), account=SECOND_LEAF)

    assert matchings.match_unique(house.session, at=NOW) == 1

    assert (reconciled(house).going, reconciled(house).difference) == (byn("0.00"), byn("0.00"))
    other = reconciled(house, SECOND_LEAF)
    assert (other.coming, other.difference) == (moved, byn("0.00"))
    assert [one.key for one in open_entries.find(house.session, SECOND_LEAF)] == [str(entry)]
    assert found(house.session, by=CHECKED) == []


# --- what is overdue


def test_an_entry_that_the_bank_should_have_shown_is_one_exception_until_it_is_shown(house: House) -> None:
    give(house.session, byn("100.00"))
    fee = book_fee(house, byn("5.00"), on=date(2020, 11, 2))
    overdue = [(Difference.ENTRY_NOT_SEEN, -5_00)]

    tell(house, opening=100_00, closing=100_00, until=date(2020, 11, 12))
    assert told(house) == []
    tell(house, opening=100_00, closing=100_00, until=date(2020, 11, 13))
    assert told(house) == overdue
    bank.tell_overdue(house.session, on=TODAY)
    assert told(house) == overdue
    assert found(house.session, by=CHECKED) == []
    shown = date(2020, 11, 14)
    tell(house, (shown, -5_00), opening=100_00, closing=95_00, first=shown, until=shown)
    pair(house, f"bank:{LEAF}:{shown}:-500:1", fee)
    bank.tell_overdue(house.session, on=TODAY)

    assert told(house) == [(Difference.UNMATCHED_DEBIT, -5_00)]  # which the signed act would have closed
    assert reconciled(house).difference == byn("0.00")


def test_the_statement_that_was_missing_closes_what_was_overdue(house: House) -> None:
    give(house.session, byn("100.00"))
    book_fee(house, byn("5.00"), on=date(2020, 11, 2))
    tell(house, opening=100_00, closing=100_00, until=FIRST)
    tell(house, opening=95_00, closing=95_00, first=date(2020, 11, 10), until=date(2020, 11, 13))
    assert sorted(told(house)) == [(Difference.ENTRY_NOT_SEEN, -5_00), (Difference.STATEMENT_MISSING, -5_00)]
    first, last = date(2020, 11, 2), date(2020, 11, 9)
    tell(house, (date(2020, 11, 5), -5_00), opening=100_00, closing=95_00, first=first, until=last)

    assert matchings.match_unique(house.session, at=NOW) == 1

    assert told(house) == []
    assert found(house.session, by=CHECKED) == []


def test_an_entry_that_is_reversed_is_awaited_no_more(house: House) -> None:
    give(house.session, byn("100.00"))
    fee = book_fee(house, byn("5.00"), on=FIRST)
    tell(house, opening=100_00, closing=100_00, until=date(2020, 11, 14))
    reason = Because.FACT_WITHDRAWN
    facts: dict[str, Any] = {"on": date(2020, 11, 14), "recorded_at": NOW, "recorded_by": "test"}
    journal.reverse(house.session, fee, source_key="test:undone", because=reason, **facts)

    bank.tell_overdue(house.session, on=TODAY)

    assert told(house) == []
    assert reconciled(house).difference == byn("0.00")
    assert found(house.session, by=CHECKED) == []
