import importlib
import pkgutil
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine
from sqlmodel import SQLModel

import ledger
from ledger.storage import guards, schema
from ledger.storage.engine import open_database


def _import_every_table() -> None:
    for module in pkgutil.walk_packages(ledger.__path__, "ledger."):
        if "migrations" not in module.name:
            importlib.import_module(module.name)


def test_the_migrations_make_exactly_the_tables_of_the_models(engine: Engine) -> None:
    _import_every_table()

    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)

    assert differences == []


def test_the_checks_alone_know_every_table_that_they_compare() -> None:
    _import_every_table()
    told = "from ledger import checks; from sqlmodel import SQLModel; print(*SQLModel.metadata.tables)"

    known = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()

    assert set(known) == set(SQLModel.metadata.tables)


def test_every_guard_of_the_source_stands_in_the_live_schema(engine: Engine) -> None:
    with engine.begin() as connection:
        standing = guards.installed(connection)
        guards.remove(connection)
        removed = guards.installed(connection)
        guards.install(connection)
        fresh = guards.installed(connection)

    assert standing == fresh
    assert removed == {}
    assert len(standing) >= len(guards.APPEND_ONLY) + 2


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    schema.migrate(engine)

    schema.require_current(engine)


def test_a_database_without_migrations_is_refused(tmp_path: object) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(schema.OldSchema):
        schema.require_current(engine)

    engine.dispose()
