"""A long-lived book: ten years of days, entries of two lines each, the amounts invented; rolled up.

The entries are written past the journal and its guards, which are made anew: for measuring only.
"""

from collections.abc import Callable
from datetime import date

from sqlalchemy import Engine, text

from ledger.books import accounts, rollups
from ledger.storage import guards
from ledger.storage.engine import transaction

YEARS_DAYS = 3_650
FIRST_DAY = date(2011, 1, 1)
LEAVES = 8
"""Bank leaves; with four funds and two lines an entry that makes sixty-four cells a day at most."""
FUNDS = ("general", "unassigned", "fines", "detention")
AT_ONCE = 100_000


def fill(engine: Engine, *, entries: int, tell: Callable[[str], None]) -> None:
    """Writes so many entries into a founded, empty book, rolls them up, and leaves the database as if long at rest."""
    name = engine.dialect.name
    with transaction(engine) as session:
        known = {account.code for account in accounts.listed(session)}
        for number in range(LEAVES):
            if leaf(number) not in known:
                accounts.add_leaf(session, leaf(number), name="Current account", currency="EUR")
        guards.remove(session.connection())
    for low in range(1, entries + 1, AT_ONCE):
        high = min(low + AT_ONCE - 1, entries)
        _write(engine, low, high)
        tell(f"{name}: filled with {high:,} of {entries:,} entries")
    with transaction(engine) as session:
        guards.install(session.connection())
    while True:
        with transaction(engine) as session:
            if not rollups.advance(session):
                break
    _settle(engine)


def leaf(number: int) -> str:
    """A bank leaf of the book."""
    return f"1000:eur-{number}"


def _write(engine: Engine, low: int, high: int) -> None:
    with transaction(engine) as session:
        connection = session.connection()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size = -400000")  # in KiB: the indexes are filled in no order
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # foreign keys are not looked up
        for statement in _statements(engine.dialect.name):
            connection.execute(text(statement), {"low": low, "high": high, "first": FIRST_DAY.isoformat()})


def _settle(engine: Engine) -> None:
    """Nothing waits to be written, so that it does not fall into what is measured.

    PostgreSQL has the statistics that it would have gathered by itself; SQLite gathers none unless it is told to, and
    the product does not tell it.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))
    engine.dispose()  # where the last connection to SQLite is closed, its log goes into the file


def _statements(dialect: str) -> list[str]:
    funds = "CASE n % 4 " + " ".join(f"WHEN {nth} THEN '{fund}'" for nth, fund in enumerate(FUNDS)) + " END"
    line = "INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor) "
    entry = (
        "INSERT INTO entry (id, xact_id, source_key, fingerprint, kind, happened_on, effective_on, recorded_at, "
        "recorded_by) "
    )
    if dialect == "sqlite":
        numbers = "WITH RECURSIVE number(n) AS (SELECT :low UNION ALL SELECT n + 1 FROM number WHERE n < :high) "
        day, xact, key = f"date(:first, '+' || (n * 7 % {YEARS_DAYS}) || ' days')", "0", "'bench:' || n"
        source, moment = "FROM number", f"{day} || ' 12:00:00.000000'"
    else:
        numbers = ""
        day, xact = f"CAST(:first AS date) + (n * 7 % {YEARS_DAYS})", "pg_current_xact_id()::text::bigint"
        key, source, moment = (
            "'bench:' || n",
            "FROM generate_series(CAST(:low AS int), CAST(:high AS int)) AS n",
            f"({day})::timestamptz",
        )
    leaf_of = f"'1000:eur-' || ((n / 4) % {LEAVES})"
    made = [
        f"{line}{numbers}SELECT n, 1, {xact}, {leaf_of}, {funds}, 'EUR', 100 + n % 900 {source}",
        f"{line}{numbers}SELECT n, 2, {xact}, '4000', {funds}, 'EUR', -100 - n % 900 {source}",
        f"{entry}{numbers}SELECT n, {xact}, {key}, 'f', 'bench', {day}, {day}, {moment}, 'bench' {source}",
    ]
    return made if dialect == "sqlite" else [*made, "SELECT setval('entry_number', CAST(:high AS bigint))"]
