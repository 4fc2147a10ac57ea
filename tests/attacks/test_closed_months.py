"""Attacks on closed months with SQL of one's own, past every verb, on both engines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.books import journal, premises, seals
from ledger.books.journal import Because
from ledger.books.periods import PeriodClosed
from ledger.storage.engine import transaction
from tests.bookkeeping import EUR_LEAF, RECORDER, a_gift, post
from tests.cast import NOW, eur

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
IN_CLOSED, IN_OPEN = "2020-09-15", "2020-10-15"


@pytest.fixture(autouse=True)
def september(founded: Session) -> None:
    """An entry in September, and September closed; committed."""
    post(founded, a_gift(eur("20.00")), on=date(2020, 9, 10))
    seals.close(founded, "2020-09", by=RECORDER, at=NOW)
    founded.commit()


def write_entry(connection: Connection, effective_on: Any, *, number: int = 900) -> None:
    """Two lines and their entry."""
    line = (
        "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) "
        "VALUES (:id, :number, 0, :account, 'fines', 'EUR', :minor)"
    )
    for nth, (account, minor) in enumerate([(EUR_LEAF, 500), ("4300", -500)], start=1):
        connection.execute(text(line), {"id": number, "number": nth, "account": account, "minor": minor})
    entry = (
        "INSERT INTO entry (id, xact_id, source_key, fingerprint, kind, happened_on, effective_on, recorded_at, "
        "recorded_by) VALUES (:id, 0, :key, 'f', 'attack', '2020-09-15', :effective_on, '2020-11-20 09:00:00', 'x')"
    )
    connection.execute(text(entry), {"id": number, "key": f"attack:{number}", "effective_on": effective_on})


def close_month(connection: Connection, last_day: str, *, verb: str = "INSERT", seal: bool = True) -> None:
    if seal:
        sealing = "INSERT INTO sealed_month (last_day, currency, digest) VALUES (:day, 'EUR', 'x')"
        connection.execute(text(sealing), {"day": last_day})
    statement = f"{verb} INTO closed_month (last_day, closed_by, closed_at) VALUES (:day, 'x', '2020-11-20 09:00:00')"
    connection.execute(text(statement), {"day": last_day})


def soft_close_month(connection: Connection, last_day: str) -> None:
    statement = "INSERT INTO soft_closed_month (last_day, closed_by, closed_at) VALUES (:day, 'x', '2020-11-20 09:00')"
    connection.execute(text(statement), {"day": last_day})


@contextmanager
def refused(engine: Engine, because: str) -> Iterator[Connection]:
    before = content(engine)
    with pytest.raises(DBAPIError, match=because), engine.begin() as connection:
        yield connection
    assert content(engine) == before


def content(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [
            repr(row)
            for name in ("entry", "line", "closed_month", "soft_closed_month", "sealed_month", "sealed_balance")
            for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2"))  # noqa: S608  # our own names
        ]


def test_an_entry_in_an_open_month_is_accepted(engine: Engine) -> None:
    with engine.begin() as connection:
        write_entry(connection, IN_OPEN)


@pytest.mark.parametrize("effective_on", [IN_CLOSED, "2020-09-30", "2020-09-01", "2020-08-31", "1990-01-01"])
def test_no_entry_is_dated_in_a_closed_month_or_before_it(engine: Engine, effective_on: str) -> None:
    with refused(engine, "guard: an entry is dated in an open month") as connection:
        write_entry(connection, effective_on)


@on_sqlite
@pytest.mark.parametrize(
    "effective_on",
    [b"2020-09-15", 20_200_915, 20_201_115, 1.5, "2020-9-15", "2020-09-15x", "x", "now", "", "2020-13-01"],
)
def test_on_sqlite_what_is_no_day_passes_no_comparison(engine: Engine, effective_on: Any) -> None:
    with refused(engine, "guard: an entry is dated in an open month") as connection:
        write_entry(connection, effective_on)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM closed_month",
        "UPDATE closed_month SET last_day = '2020-08-31'",
        "UPDATE closed_month SET closed_by = 'another'",
    ],
)
def test_a_closed_month_is_not_opened(engine: Engine, statement: str) -> None:
    with refused(engine, r"guard: (UPDATE|DELETE) of closed_month is refused") as connection:
        connection.execute(text(statement))


@on_postgresql
def test_closed_months_are_not_emptied(engine: Engine) -> None:
    with refused(engine, "guard: TRUNCATE of closed_month is refused") as connection:
        connection.execute(text("TRUNCATE closed_month"))


@pytest.mark.parametrize(
    "last_day", ["2020-09-30", "2020-08-31", "2020-11-30", "2020-10-30", "2020-10-01", "2030-12-31"]
)
def test_no_month_is_closed_out_of_order_or_by_halves(engine: Engine, last_day: str) -> None:
    with refused(engine, "guard: (months are closed by their last day|the month is closed|a row of)") as connection:
        close_month(connection, last_day)
    with refused(engine, "guard: months are closed by their last day|guard: a month is closed with") as connection:
        close_month(connection, last_day, seal=False)
    with refused(engine, "guard: months are closed by their last day") as connection:
        soft_close_month(connection, last_day)


@on_sqlite
@pytest.mark.parametrize("verb", ["REPLACE", "INSERT OR REPLACE"])
def test_on_sqlite_a_closed_month_is_not_replaced(engine: Engine, verb: str) -> None:
    with refused(engine, "guard: ") as connection:
        close_month(connection, "2020-09-30", verb=verb, seal=False)


def test_the_month_that_follows_is_closed(engine: Engine) -> None:
    with engine.begin() as connection:
        close_month(connection, "2020-10-31")
        close_month(connection, "2020-11-30")

    with refused(engine, "guard: an entry is dated in an open month") as connection:
        write_entry(connection, IN_OPEN)


def test_no_month_is_closed_without_its_seal(engine: Engine) -> None:
    with refused(engine, "guard: a month is closed with its figures sealed") as connection:
        close_month(connection, "2020-10-31", seal=False)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sealed_balance VALUES ('2020-09-30', '4300', 'fines', 'EUR', 5)",
        "INSERT INTO sealed_rate VALUES ('2020-09-30', 'USD', '2020-09-30', 1, 1)",
        "INSERT INTO sealed_net_assets VALUES ('2020-09-30', 'detention', 5)",
        "INSERT INTO sealed_month VALUES ('2020-08-31', 'EUR', 'x')",
    ],
)
def test_nothing_joins_a_seal_after_the_closing(engine: Engine, statement: str) -> None:
    with refused(engine, "guard: the month is closed, its figures are sealed") as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("table", ["sealed_balance", "sealed_net_assets", "sealed_month", "closed_month"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET last_day = '2020-08-31'", "DELETE FROM {}"])
def test_what_is_sealed_is_not_changed(engine: Engine, table: str, verb: str) -> None:
    with refused(engine, "guard: (UPDATE|DELETE) of sealed_|guard: (UPDATE|DELETE) of closed_") as connection:
        connection.execute(text(verb.format(table)))


@pytest.mark.parametrize("effective_on", ["2020-10-01", "2020-10-31"])
def test_no_entry_is_dated_in_a_softly_closed_month_unless_admitted(engine: Engine, effective_on: str) -> None:
    with engine.begin() as connection:
        soft_close_month(connection, "2020-10-31")

    with refused(engine, "guard: an entry in a softly closed month is one that was admitted") as connection:
        write_entry(connection, effective_on)
    with refused(engine, "(?i)foreign key") as connection:  # an admission rests on a signed act
        connection.execute(text("INSERT INTO admitted_entry (fingerprint, nonce) VALUES ('f', 'no such act')"))
        write_entry(connection, effective_on)
        connection.execute(text("SELECT 1"))
    with engine.begin() as connection:
        write_entry(connection, "2020-11-01")


# --- at once, on PostgreSQL: on SQLite writers take turns


@on_postgresql
@pytest.mark.parametrize("softly", [False, True])
def test_a_closing_waits_for_an_entry_in_flight_and_the_next_entry_for_the_closing(
    engine: Engine, *, softly: bool
) -> None:
    def close() -> None:
        with engine.begin() as connection:
            (soft_close_month if softly else close_month)(connection, "2020-10-31")

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            write_entry(connection, IN_OPEN)
            closing = threads.submit(close)
            with pytest.raises(TimeoutError):
                closing.result(0.5)
        closing.result()

    with refused(engine, "guard: an entry (is dated in an open month|in a softly closed)") as connection:
        write_entry(connection, IN_OPEN, number=901)


@on_postgresql
def test_an_entry_that_waited_for_the_closing_sees_it(engine: Engine) -> None:
    def write() -> None:
        with engine.begin() as connection:
            write_entry(connection, IN_OPEN)

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            close_month(connection, "2020-10-31")
            writing = threads.submit(write)
            with pytest.raises(TimeoutError):
                writing.result(0.5)
        with pytest.raises(DBAPIError, match="guard: an entry is dated in an open month"):
            writing.result()


@on_postgresql
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_nobody_posts_from_a_moment_before_the_closing(engine: Engine, level: str) -> None:
    with refused(engine, "guard: ") as connection:
        connection.execute(text(f"SET TRANSACTION ISOLATION LEVEL {level}"))
        write_entry(connection, IN_OPEN)
    with refused(engine, "guard: ") as connection:
        connection.execute(text(f"SET TRANSACTION ISOLATION LEVEL {level}"))
        close_month(connection, "2020-10-31")


@on_postgresql
@pytest.mark.parametrize("what", ["post", "reverse"])
def test_who_looked_before_the_closing_is_told_and_books_nothing(founded: Session, engine: Engine, what: str) -> None:
    original = post(founded, a_gift(eur("7.00")), on=date(2020, 10, 2), source_key="test:october")
    founded.commit()

    def run(session: Session) -> None:
        if what == "post":
            post(session, a_gift(eur("5.00")), on=date(2020, 10, 15), source_key="test:late")
        else:
            journal.reverse(
                session,
                original.entry_id,
                source_key="test:late",
                because=Because.WRONG_AMOUNT,
                on=date(2020, 10, 15),
                recorded_at=NOW,
                recorded_by=RECORDER,
            )

    before = journal.count(founded)
    founded.commit()
    with transaction(engine) as session:
        premises.look_up(session, a_gift(eur("5.00")))
        with engine.begin() as connection:
            close_month(connection, "2020-10-31")
        with pytest.raises(PeriodClosed):
            run(session)

        assert journal.count(session) == before
