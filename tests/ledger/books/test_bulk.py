import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from ledger.books import balances, bulk, journal, seals
from ledger.books.accounts import NotPostable, UnknownAccount
from ledger.books.bulk import post_many
from ledger.books.entries import BadEntry, Entry, NewEntry, SourceKeyConflict, draft
from ledger.books.funds import UnknownFund
from ledger.books.journal import Posted, postings_of
from ledger.books.periods import PeriodClosed
from ledger.books.postings import BadPosting, UnbalancedEntry, credit, debit
from ledger.errors import LedgerError
from tests.bookkeeping import CASE, DAY, EUR_LEAF, LATER, OBLIGATION, RECORDER, a_gift, post
from tests.cast import NOW, byn, eur, nothing_written, race


def book(session: Session, entries: list[NewEntry]) -> list[Posted]:
    return post_many(session, entries, recorded_at=NOW, recorded_by=RECORDER)


def gifts(many: int, *, prefix: str = "bulk") -> list[NewEntry]:
    return [NewEntry(f"{prefix}:{nth}", "gift", a_gift(eur("1.00")), DAY) for nth in range(many)]


def test_many_facts_are_entries_of_their_own_in_order(founded: Session) -> None:
    posted = book(founded, gifts(50))
    founded.commit()

    entries = [founded.get_one(Entry, one.entry_id) for one in posted]
    assert [entry.source_key for entry in entries] == [f"bulk:{nth}" for nth in range(50)]
    assert not any(one.replayed for one in posted)
    assert balances.balance(founded, EUR_LEAF, currency="EUR") == eur("50.00")


def test_an_entry_in_bulk_is_the_entry_posted_alone(founded: Session) -> None:
    postings = [
        credit("4300", eur("7.00"), "general", rate_on=date(2020, 10, 1)),
        debit("5000", byn("810.00"), "fines", subject=OBLIGATION, case=CASE),
        debit(EUR_LEAF, eur("7.00"), "general"),
        credit("2100", byn("810.00"), "fines", subject=OBLIGATION, case=CASE),
    ]
    key = 'bank:a\\b"c\\N\\.'

    (posted,) = book(founded, [NewEntry(key, "gift", postings, DAY, LATER)])
    founded.commit()

    entry = founded.get_one(Entry, posted.entry_id)
    assert postings_of(founded, posted.entry_id) == postings
    assert (entry.source_key, entry.happened_on, entry.effective_on, entry.recorded_at) == (key, DAY, LATER, NOW)
    again = post(founded, postings, source_key=key, kind="gift", on=DAY, effective_on=LATER)
    assert again == Posted(posted.entry_id, replayed=True)


def test_nothing_is_booked_of_nothing(founded: Session) -> None:
    with nothing_written(founded):
        assert book(founded, []) == []


def test_what_stands_already_is_found_among_what_is_new(founded: Session) -> None:
    first = book(founded, gifts(3))

    second = book(founded, gifts(5))

    assert second[:3] == [Posted(one.entry_id, replayed=True) for one in first]
    assert [one.replayed for one in second[3:]] == [False, False]
    assert journal.count(founded) == 5


def test_the_same_fact_twice_in_one_call_is_one_entry(founded: Session) -> None:
    first, second = book(founded, gifts(1) * 2)

    assert (first.replayed, second) == (False, Posted(first.entry_id, replayed=True))
    assert journal.count(founded) == 1


def test_a_replay_is_found_though_its_month_was_closed_since_and_what_is_new_moves(founded: Session) -> None:
    first = book(founded, gifts(1))
    founded.commit()
    seals.close(founded, "2020-11", by=RECORDER, at=NOW + timedelta(days=30))

    again, moved = book(founded, gifts(2))

    assert again == Posted(first[0].entry_id, replayed=True)
    entry = founded.get_one(Entry, moved.entry_id)
    assert (entry.happened_on, entry.effective_on) == (DAY, date(2020, 12, 1))


GOOD = gifts(3)
BAD_LINE = [GOOD[1].postings[0], replace(GOOD[1].postings[1], account="1000")]


@pytest.mark.parametrize(
    ("change", "error", "data"),
    [
        ({"postings": GOOD[1].postings[:1]}, BadEntry, {"where": "postings", "lines": 1}),
        ({"postings": []}, BadEntry, {"where": "postings", "lines": 0}),
        ({"kind": "A Gift"}, BadEntry, {"where": "kind"}),
        ({"source_key": ""}, BadEntry, {"where": "source_key"}),
        ({"happened_on": date(1989, 12, 31)}, BadEntry, {"where": "happened_on"}),
        ({"postings": a_gift(eur("1.00"), fund="bail")}, UnknownFund, {"line": 1}),
        ({"postings": BAD_LINE}, NotPostable, {"line": 2, "account": "1000"}),
        ({"postings": [debit("1001", eur("1.00"), "fines")] * 2}, UnknownAccount, {"line": 1, "account": "1001"}),
        ({"postings": [debit("5000", eur("1.00"), "fines")] * 2}, BadPosting, {"line": 1, "account": "5000"}),
        ({"postings": [GOOD[1].postings[0]] * 2}, UnbalancedEntry, {"residual_minor": 200}),
        ({"postings": a_gift(eur("2.00")), "source_key": "bulk:0"}, SourceKeyConflict, {}),
    ],
)
def test_one_bad_entry_is_named_by_its_position_and_nothing_is_written(
    founded: Session, change: dict[str, Any], error: type[LedgerError], data: dict[str, Any]
) -> None:
    entries = [GOOD[0], replace(GOOD[1], **change), GOOD[2]]

    with nothing_written(founded), pytest.raises(error) as refusal:
        book(founded, entries)

    assert refusal.value.data["position"] == 2
    assert refusal.value.data.items() >= data.items()


def test_a_contradiction_of_what_stands_is_named_by_its_position(founded: Session) -> None:
    (first,) = book(founded, gifts(1))

    with nothing_written(founded), pytest.raises(SourceKeyConflict) as refusal:
        book(founded, [*gifts(3)[1:], replace(GOOD[0], kind="another")])

    assert refusal.value.data == {"entry": first.entry_id, "position": 3}


def test_a_day_told_in_a_closed_month_is_refused(founded: Session) -> None:
    book(founded, gifts(1))
    seals.close(founded, "2020-11", by=RECORDER, at=NOW + timedelta(days=30))

    with nothing_written(founded), pytest.raises(PeriodClosed) as refusal:
        book(founded, [NewEntry("bulk:9", "gift", a_gift(eur("1.00")), DAY, LATER)])

    assert refusal.value.data["position"] == 1


@pytest.mark.parametrize(
    "entries",
    [
        [GOOD[0]] * (bulk.MOST_ENTRIES + 1),
        [NewEntry("bulk:0", "gift", a_gift(eur("0.01")) * 5_000, DAY)] * 11,
    ],
    ids=["entries", "lines"],
)
def test_a_call_has_a_size(founded: Session, entries: list[NewEntry]) -> None:
    with nothing_written(founded), pytest.raises(BadEntry) as refusal:
        book(founded, entries)

    assert refusal.value.data["where"] == "entries"


def test_what_was_booked_before_in_the_transaction_stands_when_a_call_is_refused(founded: Session) -> None:
    book(founded, gifts(2, prefix="before"))
    with pytest.raises(UnbalancedEntry):
        book(founded, [*gifts(2), replace(GOOD[2], postings=[GOOD[2].postings[0]] * 2)])

    founded.commit()

    assert journal.count(founded) == 2


@pytest.mark.parametrize("turn", [lambda entries: entries, lambda entries: entries[::-1]], ids=["same", "crosswise"])
def test_many_at_once_book_each_fact_once_and_nobody_waits_for_ever(
    founded: Session, turn: Callable[[list[NewEntry]], list[NewEntry]]
) -> None:
    runs = [gifts(40), turn(gifts(40)), gifts(60), turn(gifts(60))]

    answers = race(founded, *(lambda session, run=run: book(session, run) for run in runs))

    assert not [answer for answer in answers if isinstance(answer, LedgerError)]
    assert journal.count(founded) == 60
    assert balances.balance(founded, EUR_LEAF, currency="EUR") == eur("60.00")


def test_writers_of_other_facts_on_one_hot_account_lose_nothing(founded: Session) -> None:
    def several(nth: int) -> Callable[[Session], list[Posted]]:
        return lambda session: [
            *book(session, gifts(10, prefix=f"bulk{nth}")),
            *(post(session, a_gift(eur("1.00")), source_key=f"one:{nth}:{many}") for many in range(5)),
        ]

    answers = race(founded, *(several(nth) for nth in range(8)))

    assert not [answer for answer in answers if isinstance(answer, LedgerError)]
    assert balances.balance(founded, EUR_LEAF, currency="EUR") == eur("120.00")


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=200))
def test_a_fingerprint_is_of_the_bytes_it_always_was_of(source_key: str) -> None:
    """Replays are compared with what was written by earlier versions."""
    postings = [
        *a_gift(eur("20.00")),
        *(replace(p, case=CASE, rate_on=DAY, subject=source_key) for p in a_gift(byn("3.00"))),
    ]
    new = NewEntry(source_key, "gift", postings, DAY, LATER)

    drafted = draft(new, recorded_at=NOW, recorded_by=RECORDER)

    content = {
        "entry": {
            "source_key": source_key,
            "kind": "gift",
            "happened_on": str(DAY),
            "effective_on": str(LATER),
            "reverses_id": "None",
            "because": "None",
        },
        "lines": [
            [p.side, p.account, p.money.minor, p.money.currency, p.fund, p.subject, p.case, str(p.rate_on)]
            for p in postings
        ],
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert drafted.fingerprint == hashlib.sha256(canonical.encode()).hexdigest()
