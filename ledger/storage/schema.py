"""Bringing a database to this version's tables and guards."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from ledger.errors import Refused
from ledger.storage import guards, roles


class OldSchema(Refused):
    """The database is of another version than the program: run `solidarity migrate` first."""

    rule = "old_schema"


def migrate(engine: Engine) -> None:
    """Runs what is missing of the hand-written migrations, in one transaction, with guards and rights made anew."""
    with engine.begin() as connection:
        guards.remove(connection)
        upgrade(connection)
        guards.install(connection)
        roles.grant(connection)


def upgrade(connection: Connection) -> None:
    """Runs what is missing of the migrations, without guards."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def require_current(engine: Engine) -> None:
    """Refuses to work on a database of another version.

    Raises:
        OldSchema: the database has not all, or more, migrations than this program.
    """
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != head():
        raise OldSchema("the database needs `solidarity migrate`", found=found, needed=head())


@cache
def head() -> str | None:
    """The newest migration of this program: what a current database is at. Looked for once: it reads them all."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
