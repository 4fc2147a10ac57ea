"""Balances over a long-lived book: ten years of days, an entry of two lines each, the amounts invented.

The floor is what a database needs to add up the lines with a covering index: the recomputed figure.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, TypedDict

from sqlalchemy import Engine, func, select, text
from sqlmodel import Session

from ledger import book
from ledger.books import accounts, balances, rollups
from ledger.books.journal import Line
from ledger.storage import guards
from ledger.storage.engine import transaction

YEARS_DAYS = 3_650
FIRST_DAY = date(2011, 1, 1)
LEAVES = 8
"""Bank leaves; with four funds and two lines an entry that makes sixty-four cells a day at most."""
FUNDS = ("general", "unassigned", "fines", "detention")
_REPEATS = 15
_LINES: Any = Line.__dict__["__table__"]


class Row(TypedDict):
    """One line of the table that `./run bench` prints; `target` and `ours` are in `unit`."""

    name: str
    floor: float
    ours: float
    ratio: float
    unit: str
    target: str


def measure(engine: Engine, *, entries: int = 1_000_000) -> list[Row]:
    """Fills an empty migrated database, rolls up, and times balances; equal to the recomputed ones, or it fails."""
    fill(engine, entries=entries)
    with transaction(engine) as session:
        while rollups.advance(session):
            pass
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    days = [FIRST_DAY + timedelta(days=days) for days in (40, YEARS_DAYS // 2 + 17, YEARS_DAYS - 2)]
    with transaction(engine, write=False) as session:
        for day in days:
            if balances.trial_balance(session, on=day) != balances.recomputed(session, on=day):
                raise AssertionError("the roll-ups differ from the lines")
        by_account = select(func.sum(_LINES.c.minor)).where(
            _LINES.c.account_code == leaf(0), _LINES.c.currency == "EUR"
        )
        by_cell = select(func.sum(_LINES.c.minor)).group_by(
            _LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency
        )
        name, size = engine.dialect.name, f"{entries:,} entries"
        account_floor = _milliseconds(lambda _: session.connection().execute(by_account).all(), days[:1], repeats=3)
        trial_floor = _milliseconds(lambda _: session.connection().execute(by_cell).all(), days[:1], repeats=1)
        one = _milliseconds(lambda day: balances.balance(session, leaf(0), currency="EUR", on=day), days)
        latest = _milliseconds(lambda _: balances.balance(session, leaf(0), currency="EUR"), days)
        trial = _milliseconds(lambda day: balances.trial_balance(session, on=day), days)
    return [
        _row(f"{name}: one account's balance on a date, {size}", account_floor, one, target="<= 5 ms"),
        _row(f"{name}: one account's latest balance, {size}", account_floor, latest, target="<= 5 ms"),
        _row(f"{name}: trial balance on a date, {size}", trial_floor, trial, target="<= 50 ms"),
    ]


def fill(engine: Engine, *, entries: int) -> None:
    """Founds a book and writes entries past the journal and its guards, which are made anew: for measuring only."""
    with transaction(engine) as session:
        _found(session)
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size = -400000")  # in KiB: the indexes are filled in no order
        guards.remove(connection)
        for statement in _statements(connection.dialect.name):
            connection.execute(text(statement), {"entries": entries, "first": FIRST_DAY.isoformat()})
        guards.install(connection)


def leaf(number: int) -> str:
    """A bank leaf of the book."""
    return f"1000:eur-{number}"


def _found(session: Session) -> None:
    book.found(
        session,
        book_id="0" * 32,
        organisation="Invented Fund",
        functional_currency="EUR",
        jurisdiction="by",
        demo=False,
        created_at=datetime(2011, 1, 1, tzinfo=UTC),
    )
    for number in range(LEAVES):
        accounts.add_leaf(session, leaf(number), name="Current account", currency="EUR")


def _statements(dialect: str) -> list[str]:
    funds = "CASE n % 4 " + " ".join(f"WHEN {nth} THEN '{fund}'" for nth, fund in enumerate(FUNDS)) + " END"
    line = "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) "
    entry = (
        "INSERT INTO entry (id, xact_id, source_key, fingerprint, kind, happened_on, effective_on, recorded_at, "
        "recorded_by) "
    )
    if dialect == "sqlite":
        numbers = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :entries) "
        day, xact, key = f"date(:first, '+' || (n * 7 % {YEARS_DAYS}) || ' days')", "0", "'bench:' || n"
        source, moment = "FROM number", f"{day} || ' 12:00:00.000000'"
    else:
        numbers = ""
        day, xact = f"CAST(:first AS date) + (n * 7 % {YEARS_DAYS})", "pg_current_xact_id()::text::bigint"
        key, source, moment = (
            "'bench:' || n",
            "FROM generate_series(1, CAST(:entries AS int)) AS n",
            f"({day})::timestamptz",
        )
    leaf_of = f"'1000:eur-' || ((n / 4) % {LEAVES})"
    made = [
        f"{line}{numbers}SELECT n, 1, {xact}, {leaf_of}, {funds}, 'EUR', 100 + n % 900 {source}",
        f"{line}{numbers}SELECT n, 2, {xact}, '4000', {funds}, 'EUR', -100 - n % 900 {source}",
        f"{entry}{numbers}SELECT n, {xact}, {key}, 'f', 'bench', {day}, {day}, {moment}, 'bench' {source}",
    ]
    return made if dialect == "sqlite" else [*made, "SELECT setval('entry_number', CAST(:entries AS bigint))"]


def _milliseconds(run: Callable[[date], object], days: list[date], *, repeats: int = _REPEATS) -> float:
    """The median of some runs, in milliseconds."""
    times = []
    for nth in range(repeats):
        begun = time.perf_counter()
        run(days[nth % len(days)])
        times.append((time.perf_counter() - begun) * 1_000)
    return median(times)


def _row(name: str, floor: float, ours: float, *, target: str) -> Row:
    return Row(name=name, floor=floor, ours=ours, ratio=ours / floor, unit="ms", target=target)
