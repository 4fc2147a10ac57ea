"""Attacks on the journal with SQL of one's own, past every verb: what the database itself refuses, on both engines.

What holds on SQLite against a program that opens the file itself is told at the end, with what does not.
"""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.books import journal
from ledger.books.journal import AlreadyReversed, Because, Posted, SourceKeyConflict
from ledger.errors import LedgerError
from ledger.storage import guards
from ledger.storage.engine import transaction
from tests.bookkeeping import BYN_LEAF, EUR_LEAF, LATER, RECORDER, a_gift, post
from tests.cast import NOW, eur

pytestmark = pytest.mark.usefixtures("founded")

THREADS = 8
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

LINE = {
    "entry_id": 900,
    "xact_id": 0,
    "account_code": EUR_LEAF,
    "fund_code": "fines",
    "currency": "EUR",
    "minor": 2000,
    "subject": None,
    "case_alias": None,
    "rate_on": None,
}
ENTRY = {
    "id": 900,
    "xact_id": 0,
    "source_key": "attack:900",
    "fingerprint": "0" * 64,
    "kind": "attack",
    "happened_on": "2020-11-02",
    "effective_on": "2020-11-02",
    "recorded_at": "2020-11-20 09:00:00.000000",
    "recorded_by": "attacker",
    "reverses_id": None,
    "because": None,
}


def insert(connection: Connection, into: str, row: dict[str, Any], *, verb: str = "INSERT", then: str = "") -> None:
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(text(f"{verb} INTO {into} ({columns}) VALUES ({values}) {then}"), row)


def insert_lines(connection: Connection, *lines: dict[str, Any]) -> None:
    for number, line in enumerate(lines, start=1):
        insert(connection, "line", LINE | {"number": number} | line)


def write(connection: Connection, *lines: dict[str, Any], **entry: Any) -> None:
    """Lines, and then the entry that seals them: what the journal does, without its checks."""
    insert_lines(connection, *lines)
    insert(connection, "entry", ENTRY | entry)


def content(engine: Engine) -> tuple[list[str], list[str]]:
    """Every entry and every line that is committed."""
    with engine.connect() as connection:
        entries = connection.execute(text("SELECT * FROM entry")).all()
        lines = connection.execute(text("SELECT * FROM line")).all()
    return sorted(map(repr, entries)), sorted(map(repr, lines))


@contextmanager
def refused(engine: Engine, because: str) -> Iterator[Connection]:
    """A connection of the attacker's own; whatever it does in one transaction is refused and leaves nothing behind."""
    before = content(engine)
    with pytest.raises(DBAPIError, match=because), engine.begin() as connection:
        yield connection
    assert content(engine) == before


@pytest.fixture
def sealed(founded: Session) -> int:
    """The number of an entry of two lines, committed."""
    posted = post(founded, a_gift(eur("20.00")))
    founded.commit()
    return posted.entry_id


BALANCED = ({"minor": 2000}, {"minor": -2000, "account_code": "4300"})


def test_lines_and_then_their_entry_are_accepted(engine: Engine) -> None:
    with engine.begin() as connection:
        write(connection, *BALANCED)

    assert [len(rows) for rows in content(engine)] == [1, 2]


# --- nothing is changed or removed


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE line SET minor = minor + 1",
        "UPDATE line SET minor = -minor",
        "UPDATE line SET fund_code = 'general'",
        "UPDATE line SET entry_id = entry_id WHERE 1 = 0 OR number = 1",
        "UPDATE entry SET source_key = 'another'",
        "UPDATE entry SET effective_on = '2020-01-01'",
        "DELETE FROM line",
        "DELETE FROM line WHERE number = 2",
        "DELETE FROM entry",
    ],
)
@pytest.mark.usefixtures("sealed")
def test_no_row_is_changed_or_removed(engine: Engine, statement: str) -> None:
    with refused(engine, "guard: (UPDATE|DELETE) of (entry|line) is refused") as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("name", ["entry", "line"])
def test_an_insert_does_not_turn_into_an_update(sealed: int, engine: Engine, name: str) -> None:
    own = {"entry": ENTRY | {"id": sealed}, "line": LINE | {"entry_id": sealed, "number": 1}}
    target = {"entry": "(id) DO UPDATE SET kind = 'x'", "line": "(entry_id, number) DO UPDATE SET minor = 1"}

    with refused(engine, "guard: ") as connection:
        insert(connection, name, own[name], then=f"ON CONFLICT {target[name]}")


@on_postgresql
@pytest.mark.parametrize("tables", ["line", "entry CASCADE", "line, entry CASCADE", "account CASCADE", "fund CASCADE"])
@pytest.mark.usefixtures("sealed")
def test_no_table_is_emptied(engine: Engine, tables: str) -> None:
    with refused(engine, "guard: TRUNCATE of (entry|line) is refused") as connection:
        connection.execute(text(f"TRUNCATE {tables}"))


@on_postgresql
@pytest.mark.usefixtures("sealed")
def test_a_merge_changes_nothing(engine: Engine) -> None:
    merge = "MERGE INTO line USING entry ON line.entry_id = entry.id WHEN MATCHED THEN UPDATE SET minor = minor * 2"
    with refused(engine, "guard: UPDATE of line is refused") as connection:
        connection.execute(text(merge))


@on_sqlite
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
@pytest.mark.parametrize(
    "entry", [{"id": 1}, {"source_key": "test:1"}, {"id": 1, "source_key": "test:1"}], ids=["id", "key", "both"]
)
@pytest.mark.usefixtures("sealed")
def test_an_entry_is_not_replaced(engine: Engine, verb: str, entry: dict[str, Any]) -> None:
    with refused(engine, "guard: an entry is posted once") as connection:
        insert_lines(connection, *BALANCED)
        insert(connection, "entry", ENTRY | entry, verb=verb)


@on_sqlite
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"])
def test_a_line_is_not_replaced(sealed: int, engine: Engine, verb: str) -> None:
    with refused(engine, "guard: the entry is sealed") as connection:
        insert(connection, "line", LINE | {"entry_id": sealed, "number": 1, "minor": 5}, verb=verb)


@on_sqlite
@pytest.mark.parametrize("name", ["entry", "line"])
@pytest.mark.usefixtures("sealed")
def test_there_is_no_hidden_row_number_to_replace_by(engine: Engine, name: str) -> None:
    with refused(engine, f"table {name} has no column named rowid") as connection:
        insert(connection, name, {"rowid": 1}, verb="REPLACE")


# --- a sealed entry takes no line


def test_no_line_joins_an_entry_in_its_own_transaction(engine: Engine) -> None:
    with refused(engine, "guard: the entry is sealed") as connection:
        write(connection, *BALANCED)
        insert(connection, "line", LINE | {"number": 3})


def test_no_line_joins_an_entry_in_another_transaction(sealed: int, engine: Engine) -> None:
    with refused(engine, "guard: the entry is sealed") as connection:
        insert(connection, "line", LINE | {"entry_id": sealed, "number": 3})


@pytest.mark.usefixtures("sealed")
def test_not_even_lines_that_cancel_out_join_an_entry(engine: Engine) -> None:
    mirror = (
        "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) "
        "SELECT entry_id, number + 2, xact_id, account_code, fund_code, currency, -minor FROM line"
    )

    with refused(engine, "guard: the entry is sealed") as connection:
        connection.execute(text(mirror))


@on_postgresql
@pytest.mark.parametrize(
    "statement",
    [
        "WITH seal AS (INSERT INTO entry VALUES {entry} RETURNING id) INSERT INTO line {columns} VALUES {line}",
        "WITH seal AS (INSERT INTO entry VALUES {entry} RETURNING id) INSERT INTO line {columns} {line_of_seal}",
        "WITH late AS (INSERT INTO line {columns} VALUES {line} RETURNING 1) INSERT INTO entry VALUES {entry}",
    ],
    ids=["the line last", "the line from the entry", "the line first"],
)
def test_no_line_joins_an_entry_within_one_statement(engine: Engine, statement: str) -> None:
    attack = statement.format(
        columns="(entry_id, number, xact_id, account_code, fund_code, currency, minor)",
        line_of_seal="SELECT id, 3, 0, '1000:eur-main', 'fines', 'EUR', 777 FROM seal",
        line="(900, 3, 0, '1000:eur-main', 'fines', 'EUR', 777)",
        entry="(900, 0, 'attack:900', '0', 'attack', '2020-11-02', '2020-11-02', '2020-11-20', 'attacker', NULL, NULL)",
    )

    with refused(engine, "guard: ") as connection:
        insert_lines(connection, *BALANCED)
        connection.execute(text(attack))


@on_postgresql
@pytest.mark.parametrize("attacker_first", [True, False], ids=["before the entry", "after the entry"])
def test_no_line_joins_an_entry_that_is_not_yet_committed(
    founded: Session, engine: Engine, *, attacker_first: bool
) -> None:
    """The race: the attacker's transaction cannot see the entry, so no guard can refuse the line; the key does."""
    posted = post(founded, a_gift(eur("20.00")))
    attacker = engine.connect()
    insert(attacker, "line", LINE | {"entry_id": posted.entry_id, "number": 3})

    if not attacker_first:
        founded.commit()
    with pytest.raises(DBAPIError, match="violates foreign key constraint"):
        attacker.commit()
    attacker.close()
    founded.commit()

    assert [len(rows) for rows in content(engine)] == [1, 2]


@on_postgresql
def test_a_forged_transaction_number_does_not_bring_a_line_in(founded: Session, engine: Engine) -> None:
    """The attacker names the very transaction that books; the guard writes the attacker's own number over it."""
    posted = post(founded, a_gift(eur("20.00")))
    booking = founded.connection().scalar(text("SELECT pg_current_xact_id()::text::bigint"))
    attacker = engine.connect()
    insert(attacker, "line", LINE | {"entry_id": posted.entry_id, "number": 3, "xact_id": booking})

    founded.commit()
    forged = attacker.scalar(text("SELECT count(*) FROM line WHERE number = 3 AND xact_id = :x"), {"x": booking})
    with pytest.raises(DBAPIError, match="violates foreign key constraint"):
        attacker.commit()
    attacker.close()

    assert forged == 0
    assert [len(rows) for rows in content(engine)] == [1, 2]


@on_postgresql
def test_a_forged_transaction_number_of_an_entry_is_written_over(engine: Engine) -> None:
    with engine.begin() as connection:
        write(connection, *BALANCED, xact_id=77)
        numbers = {
            connection.scalar(text(select)) for select in ("SELECT xact_id FROM entry", "SELECT min(xact_id) FROM line")
        }
        own = connection.scalar(text("SELECT pg_current_xact_id()::text::bigint"))

    assert numbers == {own}


@on_postgresql
def test_lines_that_wait_for_an_entry_of_another_transaction_fail(founded: Session, engine: Engine) -> None:
    """The attacker prepares lines for the next number; the journal's own entry of that number leaves them outside."""
    attacker = engine.connect()
    (last,) = attacker.execute(text("SELECT nextval('entry_number')")).one()
    prepared = ({"entry_id": last + 1, "number": 3}, {"entry_id": last + 1, "number": 4, "minor": -2000})
    insert_lines(attacker, *prepared)

    posted = post(founded, a_gift(eur("20.00")))
    founded.commit()

    assert posted.entry_id == last + 1
    with pytest.raises(DBAPIError, match="violates foreign key constraint"):
        attacker.commit()
    attacker.close()
    assert [len(rows) for rows in content(engine)] == [1, 2]


@on_postgresql
def test_a_temporary_table_does_not_stand_before_the_real_one(engine: Engine) -> None:
    with refused(engine, "guard: the entry is sealed") as connection:
        write(connection, *BALANCED)
        connection.execute(text("CREATE TEMPORARY TABLE entry (id bigint) ON COMMIT DROP"))
        insert(connection, "public.line", LINE | {"number": 3})

    with refused(engine, "guard: an entry sums to zero") as connection:
        insert_lines(connection, {"minor": 2000}, {"minor": 2000})
        connection.execute(
            text(
                "CREATE TEMPORARY TABLE line ON COMMIT DROP AS "
                "SELECT 900 AS entry_id, 'EUR' AS currency, 'fines' AS fund_code, 0 AS minor FROM generate_series(1, 2)"
            )
        )
        insert(connection, "public.entry", ENTRY)


@on_postgresql
def test_a_function_of_ones_own_does_not_stand_before_the_real_one(engine: Engine) -> None:
    with refused(engine, "guard: an entry sums to zero") as connection:
        connection.execute(text("CREATE SCHEMA evil"))
        connection.execute(
            text("CREATE FUNCTION evil.nil(numeric, bigint) RETURNS numeric LANGUAGE sql AS 'SELECT 0::numeric'")
        )
        connection.execute(text("CREATE AGGREGATE evil.sum(bigint) (sfunc = evil.nil, stype = numeric, initcond = 0)"))
        connection.execute(text("SET LOCAL search_path = evil, public, pg_catalog"))
        write(connection, {"minor": 2000}, {"minor": 2000})


@on_sqlite
def test_on_sqlite_too_a_temporary_table_does_not_stand_before_the_real_one(engine: Engine) -> None:
    with refused(engine, "guard: the entry is sealed") as connection:
        write(connection, *BALANCED)
        connection.execute(text("CREATE TEMPORARY TABLE entry (id bigint)"))
        insert(connection, "main.line", LINE | {"number": 3})


# --- every entry sums to zero, per currency and per fund


@pytest.mark.parametrize(
    "lines",
    [
        ({"minor": 2000}, {"minor": 2000}),
        ({"minor": 2000}, {"minor": -1999}),
        ({"minor": 2000}, {"minor": -2000, "fund_code": "general"}),
        ({"minor": 2000}, {"minor": -2000, "currency": "BYN", "account_code": BYN_LEAF}),
        ({"minor": 2000}, {"minor": -2000, "currency": "eur"}),
        (
            {"minor": 5},
            {"minor": -5, "fund_code": "general"},
            {"minor": -5, "currency": "BYN"},
            {"minor": 5, "currency": "BYN", "fund_code": "general"},
        ),
    ],
    ids=["two debits", "by a cent", "across funds", "across currencies", "a currency in small letters", "crosswise"],
)
def test_no_entry_is_out_of_balance(engine: Engine, lines: tuple[dict[str, Any], ...]) -> None:
    with refused(engine, "guard: an entry sums to zero per currency and fund") as connection:
        write(connection, *lines)


@pytest.mark.parametrize("lines", [(), ({"minor": 2000},)], ids=["none", "one"])
def test_no_entry_has_fewer_than_two_lines(engine: Engine, lines: tuple[dict[str, Any], ...]) -> None:
    with refused(engine, "guard: an entry (has two lines or more|sums to zero)") as connection:
        write(connection, *lines)


@pytest.mark.parametrize("lines", [BALANCED, ({"minor": 2000},)], ids=["balanced", "alone"])
def test_lines_without_an_entry_fail_at_commit(engine: Engine, lines: tuple[dict[str, Any], ...]) -> None:
    with refused(engine, "(?i)foreign key constraint") as connection:
        insert_lines(connection, *lines)
        assert connection.scalar(text("SELECT count(*) FROM line")) == len(lines)


@on_sqlite
def test_a_line_of_another_transaction_number_than_its_entry_fails_at_commit(engine: Engine) -> None:
    with refused(engine, "FOREIGN KEY constraint failed") as connection:
        write(connection, {"minor": 2000, "xact_id": 5}, {"minor": -2000}, xact_id=0)


@pytest.mark.parametrize(
    "line", [{"account_code": "9999"}, {"fund_code": "nobody"}, {"minor": 0}, {"minor": None}, {"currency": None}]
)
def test_a_line_names_a_real_account_a_real_fund_and_an_amount(engine: Engine, line: dict[str, Any]) -> None:
    with refused(engine, "(?i)constraint") as connection:
        write(connection, *BALANCED, line)


@on_sqlite
@pytest.mark.parametrize("minor", [5.5, "five", "5.5", b"5", 1e300, float(2**63), "\u0665"])
def test_an_amount_is_a_whole_number_where_the_database_would_take_anything(engine: Engine, minor: object) -> None:
    with refused(engine, "CHECK constraint failed: minor_is_whole") as connection:
        write(connection, {"minor": minor}, {"minor": -2000})


@on_sqlite
def test_sums_that_do_not_fit_are_refused(engine: Engine) -> None:
    largest = 2**63 - 1

    with refused(engine, "integer overflow") as connection:
        write(connection, *[{"minor": largest}] * 2, *[{"minor": -largest}] * 2)


def test_an_entry_is_reversed_once_by_any_route(sealed: int, founded: Session, engine: Engine) -> None:
    reverse(founded, sealed, source_key="test:reversal")
    founded.commit()

    with refused(engine, "guard: an entry is posted once|duplicate key value") as connection:
        write(connection, *BALANCED, reverses_id=sealed)


def test_an_entry_does_not_reverse_what_is_not_there(engine: Engine) -> None:
    with refused(engine, "(?i)foreign key constraint") as connection:
        write(connection, *BALANCED, reverses_id=77)


@pytest.mark.parametrize("entry", [{"source_key": "test:1"}, {"id": 1}], ids=["key", "id"])
def test_a_fact_is_booked_once_by_any_route(sealed: int, engine: Engine, entry: dict[str, Any]) -> None:
    assert sealed == 1
    lines = [line | {"entry_id": 900} for line in BALANCED]

    with refused(engine, "guard: |duplicate key value") as connection:
        write(connection, *lines, **entry)


# --- the same fact, again and at once


def reverse(session: Session, entry_id: int, *, source_key: str) -> Posted:
    return journal.reverse(
        session,
        entry_id,
        source_key=source_key,
        because=Because.BOOKED_TWICE,
        on=LATER,
        recorded_at=NOW,
        recorded_by=RECORDER,
    )


def at_once(engine: Engine, run: Callable[[Session, int], Posted]) -> list[Posted | LedgerError]:
    """What comes of `THREADS` runs that start at once, each in a transaction of its own and told its number."""
    start = Barrier(THREADS)

    def attempt(nth: int) -> Posted | LedgerError:
        start.wait()
        try:
            with transaction(engine) as session:
                return run(session, nth)
        except LedgerError as refusal:
            return refusal

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(attempt, range(THREADS)))


def posted_of(answers: list[Posted | LedgerError]) -> list[Posted]:
    return [answer for answer in answers if isinstance(answer, Posted)]


def test_a_replay_leaves_no_line_behind(sealed: int, founded: Session, engine: Engine) -> None:
    before = content(engine)

    again = post(founded, a_gift(eur("20.00")))
    founded.commit()

    assert again == Posted(sealed, replayed=True)
    assert content(engine) == before


def test_a_contradiction_leaves_no_line_behind_though_the_caller_goes_on(
    sealed: int, founded: Session, engine: Engine
) -> None:
    with pytest.raises(SourceKeyConflict):
        post(founded, a_gift(eur("21.00")))
    posted = post(founded, a_gift(eur("22.00")), source_key="test:2")
    founded.commit()

    assert posted.entry_id != sealed
    assert [len(rows) for rows in content(engine)] == [2, 4]


def test_a_raced_replay_is_one_entry_and_everybody_gets_its_number(engine: Engine) -> None:
    answers = at_once(engine, lambda session, _: post(session, a_gift(eur("20.00"))))

    assert len({posted.entry_id for posted in posted_of(answers)}) == 1
    assert sorted(posted.replayed for posted in posted_of(answers)) == [False, *[True] * (THREADS - 1)]
    assert [len(rows) for rows in content(engine)] == [1, 2]


def test_a_raced_contradiction_is_one_entry_and_everybody_else_is_told(engine: Engine) -> None:
    answers = at_once(engine, lambda session, nth: post(session, a_gift(eur(f"20.0{nth}"))))

    refusals = [answer for answer in answers if isinstance(answer, SourceKeyConflict)]
    (posted,) = posted_of(answers)
    assert len(refusals) == THREADS - 1
    assert {refusal.data["entry"] for refusal in refusals} == {posted.entry_id}
    assert [len(rows) for rows in content(engine)] == [1, 2]


def test_a_raced_reversal_is_one_entry_and_everybody_else_is_told(sealed: int, engine: Engine) -> None:
    answers = at_once(engine, lambda session, nth: reverse(session, sealed, source_key=f"test:reversal:{nth}"))

    assert len([answer for answer in answers if isinstance(answer, AlreadyReversed)]) == THREADS - 1
    assert [posted.replayed for posted in posted_of(answers)] == [False]
    assert [len(rows) for rows in content(engine)] == [2, 4]


def test_raced_facts_are_all_booked_under_numbers_of_their_own(engine: Engine) -> None:
    answers = at_once(engine, lambda session, nth: post(session, a_gift(eur("20.00")), source_key=f"test:{nth}"))

    assert len({posted.entry_id for posted in posted_of(answers)}) == THREADS
    assert [len(rows) for rows in content(engine)] == [THREADS, 2 * THREADS]


def test_a_raced_replay_does_not_cost_the_rest_of_the_transaction(engine: Engine) -> None:
    """Who finds the same key booked meanwhile goes on: what they booked before and after stands."""

    def book_three(session: Session, nth: int) -> Posted:
        post(session, a_gift(eur("1.00")), source_key=f"test:before:{nth}")
        posted = post(session, a_gift(eur("20.00")), source_key="test:same")
        post(session, a_gift(eur("2.00")), source_key=f"test:after:{nth}")
        return posted

    answers = at_once(engine, book_three)

    assert len(posted_of(answers)) == THREADS
    assert len({posted.entry_id for posted in posted_of(answers)}) == 1
    assert [len(rows) for rows in content(engine)] == [2 * THREADS + 1, 2 * (2 * THREADS + 1)]


# --- SQLite in the hands of a program that opens the file itself, with no setting of ours


@pytest.fixture
def raw(sealed: int, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection to the book: foreign keys and recursive triggers are off, as SQLite leaves them."""
    assert sealed == 1
    with closing(sqlite3.connect(tmp_path / "book.db", isolation_level=None)) as connection:
        assert connection.execute("PRAGMA recursive_triggers").fetchone() == (0,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (0,)
        yield connection


def values(row: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    full = row | more
    return f"({', '.join(full)}) VALUES ({', '.join(f':{name}' for name in full)})", full


@on_sqlite
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE line SET minor = 1",
        "UPDATE OR REPLACE line SET number = 1",
        "UPDATE entry SET kind = 'x'",
        "DELETE FROM line",
        "DELETE FROM entry",
    ],
)
def test_a_plain_connection_changes_and_removes_nothing(
    raw: sqlite3.Connection, engine: Engine, statement: str
) -> None:
    before = content(engine)

    with pytest.raises(sqlite3.IntegrityError, match="guard: "):
        raw.execute(statement)

    assert content(engine) == before


@on_sqlite
@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("entry", {"id": 1}),
        ("entry", {"source_key": "test:1"}),
        ("line", {"entry_id": 1, "number": 1}),
        ("line", {"entry_id": 1, "number": 3}),
    ],
)
def test_a_plain_connection_replaces_nothing_and_adds_no_late_line(
    raw: sqlite3.Connection, engine: Engine, name: str, row: dict[str, Any]
) -> None:
    before = content(engine)
    into, full = values({"entry": ENTRY, "line": LINE}[name], **row)

    with pytest.raises(sqlite3.IntegrityError, match="guard: "):
        raw.execute(f"REPLACE INTO {name} {into}", full)

    assert content(engine) == before


OF_THEIR_OWN = {
    *("entry", "line", "closed_month", "soft_closed_month", "exchange_rate", "hold", "hold_movement"),
    *("donor_merge", "receipt", "receipt_gift", "bail_part"),
}
"""Tables with a guard that sees to it along with something else; it is attacked elsewhere."""
ONLY_ADDED = sorted(set(guards.APPEND_ONLY) - OF_THEIR_OWN)


@on_sqlite
@pytest.mark.parametrize("verb", ["REPLACE", "INSERT OR REPLACE"])
@pytest.mark.parametrize("table", ONLY_ADDED)
def test_a_plain_connection_replaces_no_row_that_is_only_added(raw: sqlite3.Connection, table: str, verb: str) -> None:
    """With `recursive_triggers` off the old row would go without a trigger: the new one is refused instead."""
    columns = {name: kind for _, name, kind, *_ in raw.execute(f"PRAGMA table_info({table})")}
    raw.execute("PRAGMA ignore_check_constraints = ON")
    blanks = f"VALUES ({', '.join('?' * len(columns))})"
    raw.execute(f"INSERT INTO {table} {blanks}", [1] * len(columns))
    everything = f"SELECT * FROM {table}"  # noqa: S608  # names of our own
    before = raw.execute(everything).fetchall()
    attacks = [(blanks, [1] * len(columns))]
    for index in [row[1] for row in raw.execute(f"PRAGMA index_list({table})") if row[2] and row[3] != "pk"]:
        key = {name for *_, name in raw.execute(f"PRAGMA index_info({index})")}
        attacks.append((blanks, [1 if name in key else 2 for name in columns]))
    (made,) = raw.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if "WITHOUT ROWID" not in made and next(iter(columns.values())) != "INTEGER":  # else the hidden number is the key
        attacks.append((f"(rowid, {', '.join(columns)}) {blanks[:-1]}, ?)", [1, *[2] * len(columns)]))

    for row, values_of_row in attacks:
        with pytest.raises(sqlite3.IntegrityError, match=f"guard: a row of {table} is not replaced"):
            raw.execute(f"{verb} INTO {table} {row}", values_of_row)

    assert raw.execute(everything).fetchall() == before


@on_sqlite
def test_a_plain_connection_writes_no_entry_out_of_balance(raw: sqlite3.Connection, engine: Engine) -> None:
    before = content(engine)
    raw.execute("BEGIN")
    for number, minor in enumerate([2000, 2000], start=1):
        into, line = values(LINE, number=number, minor=minor)
        raw.execute(f"INSERT INTO line {into}", line)
    into, entry = values(ENTRY)

    with pytest.raises(sqlite3.IntegrityError, match="guard: an entry sums to zero"):
        raw.execute(f"INSERT INTO entry {into}", entry)
    raw.execute("ROLLBACK")

    assert content(engine) == before


@on_sqlite
def test_what_does_not_hold_is_found_lines_without_an_entry(raw: sqlite3.Connection) -> None:
    """Without `foreign_keys` nothing refuses orphans at COMMIT. Like a dropped trigger, they are only found later."""
    into, line = values(LINE, number=1)

    raw.execute(f"INSERT INTO line {into}", line)

    assert {name for name, *_ in raw.execute("PRAGMA foreign_key_check(line)")} == {"line"}


@on_sqlite
def test_what_does_not_hold_is_found_a_dropped_guard(raw: sqlite3.Connection, engine: Engine) -> None:
    """Who can write the file can drop a trigger. The schema is compared with the guards of the source."""
    raw.execute("DROP TRIGGER guard_line_no_update")

    with engine.connect() as connection:
        standing = guards.installed(connection)

    assert "guard_line_no_update" not in standing
    assert "guard_line_no_delete" in standing


def test_a_failed_transaction_does_not_spoil_the_next_one(sealed: int, engine: Engine) -> None:
    with refused(engine, "(?i)foreign key constraint") as connection:
        insert_lines(connection, *BALANCED)

    with transaction(engine) as session:
        posted = post(session, a_gift(eur("5.00")), source_key="test:2")

    assert posted.entry_id != sealed
    assert [len(rows) for rows in content(engine)] == [2, 4]
