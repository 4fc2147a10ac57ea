from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from ledger.books import accounts, balances, journal
from ledger.books.accounts import Account, NotPostable
from ledger.books.journal import (
    AlreadyReversed,
    BadEntry,
    Because,
    Entry,
    Posted,
    SourceKeyConflict,
    UnknownEntry,
    postings_of,
)
from ledger.books.postings import Posting, UnbalancedEntry, credit, debit
from ledger.money import Money
from ledger.storage.driver import driver_of
from ledger.storage.engine import TransactionFailed
from tests.bookkeeping import BYN_LEAF, CASE, DAY, EUR_LEAF, LATER, OBLIGATION, RECORDER, a_gift, post
from tests.cast import NOW, byn, eur, nothing_written


def reverse(session: Session, entry_id: int, *, source_key: str = "test:reversal", on: date = LATER) -> Posted:
    return journal.reverse(
        session,
        entry_id,
        source_key=source_key,
        because=Because.WRONG_AMOUNT,
        on=on,
        recorded_at=NOW,
        recorded_by=RECORDER,
    )


# --- posting


def test_a_posted_entry_keeps_its_facts_and_its_three_dates(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")), on=DAY, effective_on=LATER, kind="bank_gift")
    founded.commit()
    founded.expire_all()

    entry = founded.get_one(Entry, posted.entry_id)
    assert (entry.happened_on, entry.effective_on, entry.recorded_at) == (DAY, LATER, NOW)
    assert (entry.source_key, entry.kind, entry.recorded_by) == ("test:1", "bank_gift", RECORDER)
    assert (entry.reverses_id, entry.because, posted.replayed) == (None, None, False)


def test_an_entry_takes_effect_on_the_day_it_happened_unless_told(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))

    assert founded.get_one(Entry, posted.entry_id).effective_on == DAY


def test_an_entry_gives_back_the_postings_it_was_made_of_in_their_order(founded: Session) -> None:
    postings = [
        credit("4300", eur("7.00"), "general", rate_on=date(2020, 10, 1)),
        debit("5000", byn("810.00"), "fines", subject=OBLIGATION, case=CASE),
        debit(EUR_LEAF, eur("7.00"), "general"),
        credit("2100", byn("810.00"), "fines", subject=OBLIGATION, case=CASE),
    ]

    posted = post(founded, postings)

    assert postings_of(founded, posted.entry_id) == postings


def test_an_entry_of_the_most_lines_is_posted_and_one_line_more_is_not(founded: Session) -> None:
    pairs = a_gift(eur("0.01")) * (journal.MOST_LINES // 2)

    posted = post(founded, pairs)

    assert len(postings_of(founded, posted.entry_id)) == journal.MOST_LINES
    with nothing_written(founded), pytest.raises(BadEntry) as refusal:
        post(founded, [*pairs, pairs[0]], source_key="test:2")
    assert refusal.value.data == {"where": "postings", "lines": journal.MOST_LINES + 1}


@pytest.mark.parametrize("postings", [[], a_gift(Money(1, "EUR"))[:1]])
def test_an_entry_has_two_lines_or_more(founded: Session, postings: list[Posting]) -> None:
    with nothing_written(founded), pytest.raises(BadEntry):
        post(founded, postings)


@pytest.mark.parametrize("where", ["happened_on", "effective_on"])
@pytest.mark.parametrize("day", [date.min, date(1989, 12, 31), NOW.date() + timedelta(days=2), date.max])
def test_an_entry_is_dated_from_1990_to_tomorrow(founded: Session, where: str, day: date) -> None:
    dates: dict[str, Any] = {where: day}

    with nothing_written(founded), pytest.raises(BadEntry) as refusal:
        post(founded, a_gift(eur("20.00")), **dates)

    assert refusal.value.data == {"where": where}


@pytest.mark.parametrize("day", [date(1990, 1, 1), NOW.date() + timedelta(days=1)])
def test_the_first_and_the_last_day_stand(founded: Session, day: date) -> None:
    assert not post(founded, a_gift(eur("20.00")), on=day).replayed


def test_tomorrow_is_that_of_greenwich_wherever_the_recorder_is(founded: Session) -> None:
    far_east = timezone(timedelta(hours=14))
    recorded_at = datetime(2020, 11, 21, 1, 0, tzinfo=far_east)  # 11:00 UTC on the 20th

    with nothing_written(founded), pytest.raises(BadEntry):
        post(founded, a_gift(eur("20.00")), on=date(2020, 11, 22), recorded_at=recorded_at)


@pytest.mark.parametrize("day", [date(1989, 12, 31), date(2020, 11, 22)])
def test_a_rate_is_of_a_day_that_was(founded: Session, day: date) -> None:
    first, second = a_gift(eur("20.00"))

    with nothing_written(founded), pytest.raises(BadEntry) as refusal:
        post(founded, [first, replace(second, rate_on=day)])

    assert refusal.value.data == {"where": "rate_on", "line": 2}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        *(("source_key", text) for text in ("", "k" * 201, "bank:\n", "bank:\x00", "bank:\u0416", "\ud800")),
        *(("kind", text) for text in ("", "Gift", "a gift", "gift\n", "9gift", "g" * 61, "\u0434ar")),
        *(("recorded_by", text) for text in ("", "Invented Person", "r" * 41, "r\n", "\u0418")),
    ],
)
def test_keys_kinds_and_recorders_are_short_codes_on_both_databases(founded: Session, where: str, words: str) -> None:
    texts: dict[str, Any] = {where: words}

    with nothing_written(founded), pytest.raises(BadEntry) as refusal:
        post(founded, a_gift(eur("20.00")), **texts)

    assert refusal.value.data == {"where": where}


def test_an_unbalanced_entry_writes_nothing(founded: Session) -> None:
    first, second = a_gift(eur("20.00"))

    with nothing_written(founded), pytest.raises(UnbalancedEntry):
        post(founded, [first, replace(second, money=eur("19.99"))])


def test_a_posting_to_a_parent_writes_nothing(founded: Session) -> None:
    first, second = a_gift(eur("20.00"))

    with nothing_written(founded), pytest.raises(NotPostable):
        post(founded, [replace(first, account="1000"), second])


def test_a_naive_moment_of_recording_writes_nothing(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(BadEntry, match="a moment needs its time zone") as refusal:
        post(founded, a_gift(eur("20.00")), recorded_at=NOW.replace(tzinfo=None))

    assert refusal.value.data == {"where": "recorded_at"}


BROKEN = {
    "sqlite": "CREATE TRIGGER broken BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    "postgresql": "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'out of order' USING ERRCODE = '{code}'; END $$; "
    "CREATE TRIGGER broken BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION broken()",
}


def break_entries(session: Session, *, code: str = "23000") -> None:
    """From now on the database fails between the lines and their entry; `code` is PostgreSQL's."""
    session.execute(text(BROKEN[session.get_bind().dialect.name].replace("{code}", code)))
    session.commit()


def test_when_the_database_fails_between_lines_and_entry_no_half_is_committed(founded: Session) -> None:
    """SQLite would commit the lines, PostgreSQL would answer COMMIT with a ROLLBACK: nobody would know."""
    post(founded, a_gift(eur("10.00")))
    founded.commit()
    break_entries(founded, code="P0001")
    with pytest.raises(DBAPIError, match="out of order"):
        post(founded, a_gift(eur("20.00")), source_key="test:2")

    with pytest.raises(TransactionFailed):
        founded.commit()

    founded.rollback()
    assert len(postings_of(founded, 1)) == 2
    assert founded.scalar(text("SELECT count(*) FROM line")) == 2
    founded.execute(text("DROP TRIGGER broken" + (" ON entry" if driver_of(founded).dialect == "postgresql" else "")))
    assert not post(founded, a_gift(eur("20.00")), source_key="test:2").replayed
    founded.commit()
    assert journal.count(founded) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_when_postgresql_refuses_by_a_constraint_no_line_stays_and_the_transaction_goes_on(founded: Session) -> None:
    break_entries(founded)

    with nothing_written(founded), pytest.raises(IntegrityError, match="out of order"):
        post(founded, a_gift(eur("20.00")))

    founded.commit()
    assert journal.count(founded) == 0


# --- the same fact again


def test_the_same_fact_again_is_the_same_entry(founded: Session) -> None:
    first = post(founded, a_gift(eur("20.00")))

    with nothing_written(founded):
        again = post(founded, a_gift(eur("20.00")), recorded_at=NOW + timedelta(days=3), recorded_by="another")

    assert again == Posted(first.entry_id, replayed=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts | {"postings": a_gift(eur("20.01"))},
        lambda facts: facts | {"postings": a_gift(byn("20.00"))},
        lambda facts: facts | {"postings": a_gift(eur("20.00"), fund="general")},
        lambda facts: facts | {"postings": a_gift(eur("20.00"))[::-1]},
        lambda facts: facts | {"postings": a_gift(eur("20.00")) * 2},
        lambda facts: facts | {"postings": [replace(p, case=CASE) for p in facts["postings"]]},
        lambda facts: facts | {"postings": [replace(p, subject="G-0000-0000-0002") for p in facts["postings"]]},
        lambda facts: facts | {"postings": [replace(p, rate_on=DAY) for p in facts["postings"]]},
        lambda facts: facts | {"postings": [replace(facts["postings"][0], account="1020"), facts["postings"][1]]},
        lambda facts: facts | {"kind": "another"},
        lambda facts: facts | {"on": LATER},
        lambda facts: facts | {"effective_on": LATER},
    ],
    ids=[
        *("amount", "currency", "fund", "order", "lines", "case", "subject", "rate date", "account"),
        *("kind", "day it happened", "day it takes effect"),
    ],
)
def test_the_same_key_with_another_content_is_a_loud_conflict(
    founded: Session, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    facts: dict[str, Any] = {"postings": a_gift(eur("20.00"))}
    first = post(founded, **facts)

    with nothing_written(founded), pytest.raises(SourceKeyConflict) as refusal:
        post(founded, **change(facts))

    assert refusal.value.data == {"entry": first.entry_id}


def test_the_same_fact_again_is_found_though_its_account_was_closed_since(founded: Session) -> None:
    first = post(founded, a_gift(eur("20.00")))
    founded.get_one(Account, EUR_LEAF).closed = True
    founded.commit()

    again = post(founded, a_gift(eur("20.00")))

    assert again == Posted(first.entry_id, replayed=True)


def test_other_facts_are_other_entries(founded: Session) -> None:
    posted = [post(founded, a_gift(eur("20.00")), source_key=f"test:{nth}") for nth in range(5)]

    assert len({one.entry_id for one in posted}) == 5
    assert balances.balance(founded, EUR_LEAF, currency="EUR") == eur("100.00")


def test_a_refused_fact_can_be_posted_once_it_is_right(founded: Session) -> None:
    with pytest.raises(UnbalancedEntry):
        post(founded, [*a_gift(eur("20.00")), debit("6300", eur("1.00"), "fines")])

    posted = post(founded, a_gift(eur("20.00")))
    founded.commit()

    assert not posted.replayed


# --- reversing


def test_a_reversal_is_the_mirror_image_and_keeps_the_days_of_the_rates(founded: Session) -> None:
    first, second = a_gift(eur("20.00"))
    posted = post(founded, [replace(first, rate_on=date(2020, 10, 1)), second])

    reversal = reverse(founded, posted.entry_id)

    assert postings_of(founded, reversal.entry_id) == [
        credit(EUR_LEAF, eur("20.00"), "fines", rate_on=date(2020, 10, 1)),
        debit("4000", eur("20.00"), "fines", subject=second.subject, rate_on=DAY),
    ]
    assert balances.balance(founded, "4000", currency="EUR") == eur("0.00")


def test_a_reversal_names_what_it_reverses_and_why_and_has_its_own_day(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))

    reversal = founded.get_one(Entry, reverse(founded, posted.entry_id).entry_id)

    assert (reversal.reverses_id, reversal.because) == (posted.entry_id, Because.WRONG_AMOUNT)
    assert (reversal.kind, reversal.happened_on, reversal.effective_on) == ("reversal", LATER, LATER)


def test_the_same_reversal_again_is_the_same_entry(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))
    first = reverse(founded, posted.entry_id)

    with nothing_written(founded):
        again = reverse(founded, posted.entry_id)

    assert again == Posted(first.entry_id, replayed=True)


def test_an_entry_is_reversed_once(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))
    reverse(founded, posted.entry_id)

    with nothing_written(founded), pytest.raises(AlreadyReversed) as refusal:
        reverse(founded, posted.entry_id, source_key="test:again")

    assert refusal.value.data == {"entry": posted.entry_id}


def test_a_reversal_is_never_reversed(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))
    reversal = reverse(founded, posted.entry_id)

    with nothing_written(founded), pytest.raises(AlreadyReversed):
        reverse(founded, reversal.entry_id, source_key="test:back")


def test_a_reversal_under_the_key_of_another_fact_is_a_conflict(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))

    with nothing_written(founded), pytest.raises(SourceKeyConflict):
        reverse(founded, posted.entry_id, source_key="test:1")


def test_the_same_reversal_on_another_day_is_a_conflict(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))
    reverse(founded, posted.entry_id)

    with nothing_written(founded), pytest.raises(SourceKeyConflict):
        reverse(founded, posted.entry_id, on=LATER + timedelta(days=1))


def test_nothing_is_reversed_before_it_took_effect(founded: Session) -> None:
    posted = post(founded, a_gift(eur("20.00")))

    with nothing_written(founded), pytest.raises(BadEntry) as refusal:
        reverse(founded, posted.entry_id, on=DAY - timedelta(days=1))

    assert refusal.value.data == {"where": "on"}


def test_what_is_not_there_is_not_reversed(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(UnknownEntry):
        reverse(founded, 1)


def test_an_entry_is_reversed_though_its_account_was_closed_or_got_leaves_since(founded: Session) -> None:
    cash = post(founded, [debit("1020", byn("5.00"), "fines"), credit("4300", byn("5.00"), "fines")])
    bank = post(founded, a_gift(byn("5.00")), source_key="test:2")
    accounts.add_leaf(founded, "1020:safe", name="The safe", currency="BYN")
    founded.get_one(Account, BYN_LEAF).closed = True
    founded.commit()

    for posted in (cash, bank):
        reverse(founded, posted.entry_id, source_key=f"test:reversal:{posted.entry_id}")

    assert balances.balance(founded, "1020", currency="BYN") == byn("0.00")
    assert balances.balance(founded, "1000", currency="BYN") == byn("0.00")


def test_moments_are_kept_in_utc_to_the_microsecond(founded: Session) -> None:
    recorded_at = datetime(2020, 11, 20, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=3)))

    posted = post(founded, a_gift(eur("20.00")), recorded_at=recorded_at)
    founded.commit()
    founded.expire_all()

    kept = founded.get_one(Entry, posted.entry_id).recorded_at
    assert kept == recorded_at
    assert kept.tzinfo is UTC


def test_what_is_posted_under_a_savepoint_goes_with_it(founded: Session) -> None:
    post(founded, a_gift(eur("7.00")), source_key="test:before")
    savepoint = founded.begin_nested()
    post(founded, a_gift(eur("5.00")), source_key="test:within")
    savepoint.rollback()

    assert journal.count(founded) == 1
    assert not post(founded, a_gift(eur("6.00")), source_key="test:within").replayed
