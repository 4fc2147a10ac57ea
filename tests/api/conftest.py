"""One office a test, on both databases: with nothing in it, or furnished once and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text

from ledger.storage.engine import open_database
from tests.office import INTAKE_DAY, Office, open_office

SHRED_KEYS = "shred-keys"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the test's own: migrated and empty, or a copy of the furnished one."""
    furnished = "furnished" in request.fixturenames
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("furnished_sqlite" if furnished else "sqlite_template")
        shutil.copy(template, tmp_path / "book.db")
        _copy_shred_keys(template.parent, tmp_path)
        yield f"sqlite:///{tmp_path / 'book.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    if furnished:
        _copy_shred_keys(request.getfixturevalue("furnished_postgresql"), tmp_path)
    name = f"book_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE template_{'office' if furnished else 'book'}")
    yield server.replace("/postgres?", f"/{name}?")
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Iterator[Office]:
    """A founded book with nothing in it, and its people: see `tests/office.py`."""
    with open_office(engine, tmp_path) as opened:
        yield opened


@pytest.fixture
def furnished(engine: Engine, tmp_path: Path) -> Iterator[Office]:
    """The office with leaves, purposes, and 5,000.00 roubles for fines at the bank."""
    with open_office(engine, tmp_path, is_founded=True) as opened:
        opened.set_clock(INTAKE_DAY)
        yield opened


@pytest.fixture(scope="session")
def furnished_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A furnished file of SQLite, with the shred keys beside it."""
    path = tmp_path_factory.mktemp("furnished") / "book.db"
    shutil.copy(sqlite_template, path)
    _furnish(f"sqlite:///{path}", path.parent)
    return path


@pytest.fixture(scope="session")
def furnished_postgresql(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes the furnished database `template_office`, and gives the folder of its shred keys."""
    folder = tmp_path_factory.mktemp("furnished")
    _administer(postgresql, "CREATE DATABASE template_office TEMPLATE template_book")
    _furnish(postgresql.replace("/postgres?", "/template_office?"), folder)
    return folder


def _furnish(url: str, folder: Path) -> None:
    engine = open_database(url)
    with open_office(engine, folder) as opened:
        opened.furnish()
        opened.receive_gift()
    engine.dispose()  # the last connection to leave folds SQLite's log into the file


def _copy_shred_keys(source: Path, target: Path) -> None:
    if (source / SHRED_KEYS).is_dir():
        shutil.copytree(source / SHRED_KEYS, target / SHRED_KEYS)


def _administer(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
