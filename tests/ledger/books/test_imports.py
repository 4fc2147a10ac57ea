import io
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from ledger.books import accounts, balances, exports, funds, imports, journal, recipes, seals
from ledger.books.accounts import Account
from ledger.books.imports import MOST_PROBLEMS, TOGETHER, BadEntriesFile, Imported
from ledger.books.journal import Because, Entry
from ledger.books.postings import credit, debit
from ledger.books.record_reader import LONGEST_LINE
from ledger.books.records import EntryRecord
from ledger.storage.engine import open_database, transaction
from tests.bookkeeping import BYN_LEAF, DAY, DONATION, EUR_LEAF, OBLIGATION, a_gift, post
from tests.cast import NOW, byn, engine_of, eur, everything, nothing_written
from tests.journals import (
    HEAD,
    LEAF,
    a_file,
    a_line,
    an_empty_book,
    an_entry,
    as_line,
    exported,
    keep_books,
    take,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def other(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A second database, empty and migrated: a file of SQLite, whichever the first is."""
    shutil.copy(sqlite_template, tmp_path / "other.db")
    engine = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    yield engine
    engine.dispose()


def problems_of(session: Session, lines: list[bytes], **facts: Any) -> list[tuple[int, str]]:
    """The bad lines of a file, by number and rule; nothing of it is booked."""
    session.commit()
    before = everything(session)
    with pytest.raises(BadEntriesFile) as refusal:
        take(session, lines, **facts)
    session.rollback()
    assert everything(session) == before
    problems = refusal.value.problems
    assert refusal.value.data == {"count": len(problems), "line": problems[0].line, "first": problems[0].refusal.rule}
    return [(problem.line, problem.refusal.rule) for problem in problems]


# --- copies


def test_a_copied_book_is_the_same_book(founded: Session, other: Engine) -> None:
    keep_books(founded)
    lines = exported(founded)

    with an_empty_book(other) as copy:
        imported = take(copy, lines)
        copy.commit()

        assert imported == Imported(booked=journal.count(founded), standing=0)
        assert exported(copy) == lines
        assert balances.trial_balance(copy) == balances.trial_balance(founded)
        known = NOW + timedelta(seconds=5)
        assert balances.trial_balance(copy, as_known_at=known) == balances.trial_balance(founded, as_known_at=known)
        assert fingerprints(copy) == fingerprints(founded)


def test_a_book_is_copied_onto_each_database_from_the_other(session: Session, other: Engine) -> None:
    with an_empty_book(other, leaves=True) as source:
        accounts.add_leaf(source, BYN_LEAF, name="Roubles", currency="BYN")
        keep_books(source, entries=10, seed=2)
        lines = exported(source)

    with an_empty_book(engine_of(session)) as copy:
        take(copy, lines)
        copy.commit()
        assert exported(copy) == lines


def test_a_file_that_was_imported_books_nothing_the_second_time(founded: Session, other: Engine) -> None:
    keep_books(founded, entries=10)
    lines = exported(founded)

    with nothing_written(founded):
        assert take(founded, lines) == Imported(booked=0, standing=journal.count(founded))
    with an_empty_book(other) as copy:
        take(copy, lines)
        copy.commit()
        with nothing_written(copy):
            assert take(copy, lines) == Imported(booked=0, standing=journal.count(founded))


def test_a_copied_fact_that_is_delivered_again_is_known(founded: Session, other: Engine) -> None:
    post(founded, a_gift(eur("20.00")), source_key="bank:1")

    with an_empty_book(other) as copy:
        take(copy, exported(founded))

        assert post(copy, a_gift(eur("20.00")), source_key="bank:1").replayed


def test_a_fact_moved_out_of_a_closed_month_stands_when_its_own_book_imports_it(founded: Session) -> None:
    post(founded, a_gift(eur("1.00")), source_key="test:first", on=DAY.replace(month=10))
    seals.close(founded, "2020-10", by="OP-0000-0000-0001", at=NOW)
    post(founded, a_gift(eur("20.00")), source_key="test:late", on=DAY.replace(month=10))
    lines = exported(founded)

    assert b'"happened_on":"2020-10-02","effective_on":"2020-11-01"' in lines[-2]
    assert take(founded, lines) == Imported(booked=0, standing=2)


def test_an_account_that_got_leaves_later_or_was_closed_is_copied(founded: Session, other: Engine) -> None:
    named = {"subject": OBLIGATION}
    aid = [debit("5000", byn("1.00"), "fines", **named), credit("2100", byn("1.00"), "fines", **named)]
    post(founded, aid, source_key="test:1")
    accounts.add_leaf(founded, "2100:minsk", name="Minsk")
    accounts.add_leaf(founded, "2100:brest", name="Brest, never used")
    later = [debit("5000", byn("1.00"), "fines", **named), credit("2100:minsk", byn("1.00"), "fines", **named)]
    post(founded, later, source_key="test:2")
    accounts.close(founded, "2100:minsk")
    lines = exported(founded)

    with an_empty_book(other) as copy:
        take(copy, lines)
        copy.commit()

        assert exported(copy) == lines
        assert copy.get_one(Account, "2100:minsk").closed


def test_what_a_file_leaves_out_is_recorded_by_the_import_now(engine: Engine) -> None:
    with an_empty_book(engine) as copy:
        assert take(copy, a_file(an_entry()), at=NOW) == Imported(booked=1, standing=0)

        entry = copy.exec(select(Entry)).one()
        assert (entry.recorded_at, entry.recorded_by, entry.source_key) == (NOW, "import", "import:1")


def test_a_copy_recorded_in_the_future_is_refused(engine: Engine) -> None:
    future = an_entry(recorded_at="2099-01-01T00:00:00Z", happened_on="2098-12-31", effective_on="2098-12-31")
    with an_empty_book(engine) as copy:
        assert problems_of(copy, a_file(future)) == [(3, "bad_entry")]


def test_the_file_that_the_documentation_shows_is_imported(engine: Engine) -> None:
    shown = (Path(__file__).parents[3] / "docs/entries-format.md").read_bytes().split(b"```\n")[1]

    with an_empty_book(engine) as copy:
        assert take(copy, list(imports.raw_lines(io.BytesIO(shown)))) == Imported(booked=1, standing=0)


# --- additions


def test_an_addition_is_recorded_now_whatever_its_file_says(founded: Session) -> None:
    post(founded, a_gift(eur("1.00")))
    told = an_entry(recorded_at="2020-11-03T10:00:00Z", recorded_by="OP-0000-0000-0009")

    assert take(founded, a_file(told), at=NOW) == Imported(booked=1, standing=0)

    entry = founded.exec(select(Entry).where(Entry.source_key == "import:1")).one()
    assert (entry.recorded_at, entry.recorded_by) == (NOW, "import")


@pytest.mark.parametrize("key", ["stripe:txn_1", "bank:1", "http:OP:1", "Import:1", " import:1"])
def test_an_addition_cannot_stand_for_a_delivery_of_somebody_else(founded: Session, key: str) -> None:
    post(founded, a_gift(eur("1.00")))

    assert problems_of(founded, a_file(an_entry(source_key=key))) == [(3, "own_key_refused")]


def test_an_addition_cannot_reverse_what_was_not_imported(founded: Session) -> None:
    post(founded, a_gift(eur("20.00")), source_key="test:1")
    reversal = a_reversal("test:1", source_key="import:2")

    assert problems_of(founded, a_file(reversal)) == [(3, "own_key_refused")]


def test_the_same_key_with_another_content_is_refused(founded: Session) -> None:
    post(founded, a_gift(eur("1.00")))
    take(founded, a_file(an_entry()))
    other = an_entry(lines=[a_line(amount="21.00"), a_line("credit", "4000", amount="21.00", subject=DONATION)])

    assert problems_of(founded, a_file(other)) == [(3, "source_key_conflict")]


def test_a_closed_month_takes_no_addition(founded: Session) -> None:
    post(founded, a_gift(eur("1.00")), on=DAY.replace(month=10))
    seals.close(founded, "2020-10", by="OP-0000-0000-0001", at=NOW)
    late = an_entry(happened_on="2020-10-05", effective_on="2020-10-05")

    assert problems_of(founded, a_file(late)) == [(3, "period_closed")]


def test_accounts_and_funds_that_the_book_lacks_are_added_once(founded: Session) -> None:
    fund = {"record": "fund", "code": "books", "name": "Books", "restricted": True}
    leaf = LEAF | {"code": "1000:usd", "name": "Dollars", "currency": "USD"}
    dollars = {"account": "1000:usd", "currency": "USD", "fund": "books"}
    told = an_entry(lines=[a_line(**dollars), a_line("credit", **(dollars | {"account": "3000"}))])

    take(founded, a_file(leaf, fund, told))
    founded.commit()

    assert funds.require(founded, "books").restricted
    assert founded.get_one(Account, "1000:usd").currency == "USD"
    with nothing_written(founded):
        take(founded, a_file(leaf, fund, told))


# --- reversals


def a_reversal(of: str, **changes: Any) -> dict[str, Any]:
    mirror = {
        "source_key": "import:2",
        "kind": "reversal",
        "happened_on": "2020-11-02",
        "effective_on": "2020-11-02",
        "reverses": of,
        "because": "wrong_amount",
        "lines": [
            a_line("credit", rate_on="2020-11-02"),
            a_line("debit", "4000", subject=DONATION, rate_on="2020-11-02"),
        ],
    }
    return an_entry(**(mirror | changes))


def test_a_reversal_is_booked_as_one(founded: Session) -> None:
    take(founded, a_file(an_entry(), a_reversal("import:1")))

    reversal = founded.exec(select(Entry).where(Entry.source_key == "import:2")).one()
    original = founded.exec(select(Entry).where(Entry.source_key == "import:1")).one()
    assert (reversal.reverses_id, reversal.because) == (original.id, Because.WRONG_AMOUNT)
    assert balances.balance(founded, EUR_LEAF, currency="EUR") == eur("0.00")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"reverses": "import:9"}, "bad_entry"),
        ({"reverses": "import:2"}, "bad_entry"),
        ({"kind": "gift"}, "bad_entry"),
        ({"happened_on": "2020-11-01"}, "bad_entry"),
        ({"effective_on": "2020-11-01", "happened_on": "2020-11-01"}, "bad_entry"),
        ({"lines": [a_line("credit"), a_line("debit", "4000", subject=DONATION)]}, "bad_entry"),
        ({"lines": [a_line("credit", amount="1.00"), a_line("debit", "4000", amount="1.00")]}, "bad_entry"),
    ],
    ids=str,
)
def test_a_reversal_that_is_not_the_mirror_of_an_earlier_entry_is_refused(
    founded: Session, changes: dict[str, Any], rule: str
) -> None:
    lines = a_file(an_entry(), a_reversal("import:1", **changes))

    assert problems_of(founded, lines) == [(4, rule)]


def test_an_entry_is_reversed_once_and_a_reversal_never(founded: Session) -> None:
    again = a_reversal("import:1", source_key="import:3")
    back = a_reversal(
        "import:2",
        source_key="import:4",
        lines=[a_line(rate_on="2020-11-02"), a_line("credit", "4000", subject=DONATION, rate_on="2020-11-02")],
    )

    lines = a_file(an_entry(), a_reversal("import:1"), again, back)

    assert problems_of(founded, lines) == [(5, "already_reversed"), (6, "already_reversed")]


# --- bad rows


def a_pair(**changes: Any) -> dict[str, Any]:
    """An entry whose first line is changed."""
    return an_entry(lines=[a_line(**changes), a_line("credit", "4000", subject=DONATION)])


BAD_ROWS = {
    "a negative amount": (a_pair(amount="-20.00"), "bad_posting"),
    "an amount of zero": (a_pair(amount="0.00"), "bad_posting"),
    "an amount too large for sums": (a_pair(amount="10000000000000.01"), "bad_posting"),
    "over 2^63": (a_pair(amount="92233720368547758.08"), "bad_amount"),
    "too many decimals": (a_pair(amount="20.001"), "bad_amount"),
    "not a number": (a_pair(amount="NaN"), "bad_amount"),
    "an exponent": (a_pair(amount="1e3"), "bad_amount"),
    "full-width digits": (a_pair(amount="\uff12\uff10"), "bad_amount"),
    "a float": (a_pair(amount=20.0), "bad_record"),
    "unbalanced": (a_pair(amount="21.00"), "unbalanced_entry"),
    "unbalanced per fund": (a_pair(fund="general"), "unbalanced_entry"),
    "another currency": (a_pair(currency="BYN"), "not_postable"),
    "no lines": (an_entry(lines=[]), "bad_entry"),
    "one line": (an_entry(lines=[a_line()]), "bad_entry"),
    "an unknown account": (a_pair(account="9999"), "unknown_account"),
    "an account that is none": (a_pair(account="'; DROP TABLE entry"), "unknown_account"),
    "not a leaf": (a_pair(account="1000"), "not_postable"),
    "an unknown fund": (a_pair(fund="nobody"), "unknown_fund"),
    "a missing subject": (an_entry(lines=[a_line(), a_line("credit", "4000")]), "bad_posting"),
    "a name for a subject": (an_entry(lines=[a_line(), a_line("credit", "4000", subject="Ana")]), "bad_posting"),
    "another kind of subject": (
        an_entry(lines=[a_line(), a_line("credit", "4000", subject=OBLIGATION)]),
        "bad_posting",
    ),
    "a case that is none": (a_pair(case="Ana"), "bad_posting"),
    "before 1990": (an_entry(happened_on="1989-12-31"), "bad_entry"),
    "in the future": (an_entry(effective_on="2020-11-30"), "bad_entry"),
    "a rate of the future": (a_pair(rate_on="2020-11-30"), "bad_entry"),
    "a key too long": (an_entry(source_key="import:" + "1" * 200), "bad_entry"),
    "an empty key": (an_entry(source_key=""), "bad_entry"),
    "a kind with blanks": (an_entry(kind="Gift of Ana"), "bad_entry"),
    "a recorder with blanks": (an_entry(recorded_by="Ana B."), "bad_entry"),
}


@on_sqlite
@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_refused_by_its_number_and_nothing_is_booked(engine: Engine, name: str) -> None:
    bad, rule = BAD_ROWS[name]

    with an_empty_book(engine) as copy:
        found = problems_of(copy, a_file(an_entry(source_key="import:0"), bad))

    assert found == [(4, rule)]


def test_all_bad_rows_of_one_file_are_told_one_by_one(engine: Engine) -> None:
    with an_empty_book(engine) as copy:
        found = problems_of(copy, a_file(an_entry(source_key="import:0"), *(bad for bad, _ in BAD_ROWS.values())))

    assert found == list(enumerate((rule for _, rule in BAD_ROWS.values()), start=4))


def test_a_closed_account_is_refused(founded: Session) -> None:
    accounts.close(founded, EUR_LEAF)

    assert problems_of(founded, a_file(an_entry())) == [(3, "not_postable")]


def test_ten_thousand_lines_are_booked(founded: Session) -> None:
    many = [a_line(amount="0.01"), a_line("credit", "4000", amount="0.01", subject=DONATION)] * 5_000

    assert take(founded, a_file(an_entry(lines=many))) == Imported(booked=1, standing=0)

    assert balances.balance(founded, EUR_LEAF, currency="EUR") == eur("50.00")


def test_entries_are_booked_together_whoever_recorded_them(engine: Engine) -> None:
    told = [
        an_entry(source_key=f"test:{nth}", recorded_at=f"2020-11-{3 + nth % 7:02}T10:00:00Z", recorded_by=f"OP-{nth}")
        for nth in range(TOGETHER + 2)
    ]
    lines = a_file(*told)

    with an_empty_book(engine) as copy:
        assert take(copy, lines) == Imported(booked=TOGETHER + 2, standing=0)

        entries = copy.exec(select(Entry).order_by(col(Entry.id))).all()
        assert [(one.source_key, one.recorded_by) for one in entries] == [
            (one["source_key"], one["recorded_by"]) for one in told
        ]
        assert {one.recorded_at.day for one in entries} == set(range(3, 10))


@on_sqlite
def test_more_lines_than_are_booked_together_are_booked(engine: Engine) -> None:
    long = [a_line(amount="0.01"), a_line("credit", "4000", amount="0.01", subject=DONATION)] * 5_000
    told = [an_entry(source_key=f"test:{nth}", lines=long) for nth in range(11)]

    with an_empty_book(engine) as copy:
        assert take(copy, a_file(*told)) == Imported(booked=11, standing=0)


def test_an_entry_that_comes_twice_in_a_file_is_one_and_its_contradiction_is_told(engine: Engine) -> None:
    with an_empty_book(engine) as copy:
        assert take(copy, a_file(an_entry(), an_entry())) == Imported(booked=1, standing=1)
        copy.rollback()

        found = problems_of(copy, a_file(an_entry(), an_entry(kind="other"), an_entry(source_key="import:2")))

    assert found == [(4, "source_key_conflict")]


def test_no_more_bad_entries_are_told_than_anybody_reads(engine: Engine) -> None:
    bad = [an_entry(source_key=f"test:{nth}", lines=[a_line(), a_line()]) for nth in range(MOST_PROBLEMS + 5)]

    with an_empty_book(engine) as copy:
        found = problems_of(copy, a_file(*bad))

    assert found == [(line, "unbalanced_entry") for line in range(3, MOST_PROBLEMS + 3)]


def test_every_bad_line_is_told_and_the_good_ones_are_not(founded: Session) -> None:
    entries = [an_entry(source_key=f"import:{number}") for number in range(4)]
    lines = a_file(entries[0], BAD_ROWS["one line"][0], entries[2], BAD_ROWS["unbalanced"][0], entries=9)
    lines.insert(4, b"not JSON\n")

    assert problems_of(founded, lines) == [(4, "bad_entry"), (5, "bad_record"), (7, "unbalanced_entry")]


def test_a_hundred_bad_lines_are_enough(founded: Session) -> None:
    lines = [as_line(HEAD), *[b"not JSON\n"] * 1000]

    assert problems_of(founded, lines) == [(number, "bad_record") for number in range(2, MOST_PROBLEMS + 2)]


@on_sqlite
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], [(1, "bad_record")]),
        (a_file(an_entry())[1:], [(1, "bad_record")]),
        ([b"\xef\xbb\xbf" + as_line(HEAD), *a_file()[1:]], [(1, "bad_record")]),
        ([as_line(HEAD | {"functional_currency": "USD"}), *a_file()[1:]], [(1, "other_book")]),
        ([as_line(HEAD), *a_file()], [(2, "bad_record")]),
        (a_file(an_entry())[:-1], [(4, "bad_record")]),
        ([*a_file(an_entry())[:-1], as_line({"record": "end", "entries": 1})[:-1]], [(4, "bad_record")]),
        (a_file(an_entry(), entries=2), [(4, "bad_record")]),
        ([*a_file(), as_line(an_entry())], [(4, "bad_record")]),
        (a_file(an_entry(), LEAF), [(4, "bad_record")]),
        (a_file(LEAF | {"currency": "USD"}), [(3, "other_book")]),
        (a_file(LEAF | {"class": "income"}), [(3, "other_book")]),
        (a_file(LEAF | {"code": "4000:x"}), [(3, "other_book")]),
        (a_file(LEAF | {"code": "7777"}), [(3, "bad_account")]),
        (a_file(LEAF | {"code": "7777:x"}), [(3, "unknown_account")]),
        (a_file(LEAF | {"code": "1000:x", "name": "two\nlines"}), [(3, "bad_account")]),
        (a_file({"record": "fund", "code": "fines", "name": "Fines", "restricted": False}), [(3, "other_book")]),
        (a_file({"record": "fund", "code": "Ana B.", "name": "Fines", "restricted": False}), [(3, "bad_fund")]),
    ],
)
def test_a_file_that_is_no_whole_file_of_this_book_is_refused(
    founded: Session, lines: list[bytes], expected: list[tuple[int, str]]
) -> None:
    assert problems_of(founded, lines) == expected


def test_a_line_without_end_is_not_read_into_memory() -> None:
    file = io.BytesIO(b"{}\n" + b"[" * (3 * LONGEST_LINE) + b"\n" + b"{}\n")

    lines = list(imports.raw_lines(file))

    assert [len(line) for line in lines] == [3, LONGEST_LINE + 1, 3]


def test_a_refusal_never_holds_what_was_typed(founded: Session) -> None:
    secret = "Kanarejka"
    bad = [
        an_entry(source_key=secret + "\n"),
        an_entry(kind=secret),
        a_pair(account=secret),
        a_pair(fund=secret),
        a_pair(subject=secret),
        a_pair(case=secret),
        a_pair(amount=secret),
        a_pair(currency=secret),
        an_entry(because=secret),
        an_entry(happened_on=secret),
        an_entry(reverses=secret, because="wrong_fund"),
        an_entry(**{secret: secret}),
        LEAF | {"code": secret},
        LEAF | {"class": secret},
    ]

    with pytest.raises(BadEntriesFile) as refusal:
        take(founded, a_file(*bad))

    told = [(str(problem.refusal), problem.refusal.data) for problem in refusal.value.problems]
    assert len(told) == len(bad)
    assert secret not in repr(told)


# --- exports


def test_an_export_is_read_in_pages_and_in_the_order_of_numbers(
    founded: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_books(founded, entries=12)
    whole = list(exports.entries(founded))
    monkeypatch.setattr(exports, "PAGE", 5)

    assert list(exports.entries(founded)) == whole
    assert [one.number for one in whole] == sorted(one.number for one in whole)


def test_an_export_sees_one_moment(founded: Session, engine: Engine) -> None:
    post(founded, a_gift(eur("1.00")), source_key="test:1")
    founded.commit()

    with transaction(engine, write=False) as reading:
        running = exports.records(reading)
        next(running)
        post(founded, a_gift(eur("2.00")), source_key="test:2")
        founded.commit()

        assert [record.source_key for record in running if isinstance(record, EntryRecord)] == ["test:1"]


def test_an_export_as_known_earlier_leaves_out_what_came_later(founded: Session) -> None:
    post(founded, a_gift(eur("1.00")), source_key="test:1", recorded_at=NOW)
    post(founded, a_gift(eur("2.00")), source_key="test:2", recorded_at=NOW + timedelta(microseconds=1))

    told = list(exports.records(founded, as_known_at=NOW))

    assert [record.source_key for record in told if isinstance(record, EntryRecord)] == ["test:1"]


def test_an_entry_names_its_fund_by_fund_lines_exactly(founded: Session) -> None:
    gift = recipes.card_gift(
        leaf=EUR_LEAF, gift=eur("100.00"), fee=eur("3.20"), fund="fines", donation=DONATION, net_of_costs=False
    )
    post(founded, gift)

    (numbered,) = exports.entries(founded)

    assert list(numbered.entry.postings) == gift


def fingerprints(session: Session) -> dict[str, str]:
    return dict(session.exec(select(Entry.source_key, Entry.fingerprint)).all())
