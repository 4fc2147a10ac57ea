"""Databases for games: each game is played in one of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from ledger.storage.engine import open_database


@pytest.fixture
def fresh(database_url: str, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Makes engines on databases of their own, migrated and empty: copies of the test's, which nobody opens."""
    url, made = make_url(database_url), []
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def make() -> Engine:
        name = f"played_{uuid4().hex}"
        made.append(name)
        if url.get_backend_name() == "sqlite":
            copy(str(url.database), tmp_path / name)
            return open_database(f"sqlite:///{tmp_path / name}")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {url.database} STRATEGY FILE_COPY"))
        return open_database(url.set(database=name).render_as_string(hide_password=False))

    yield make
    if url.get_backend_name() == "postgresql":
        with server.connect() as connection:
            for name in made:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
