"""Roles on PostgreSQL: the owner migrates; the application works, and can neither change the past nor its guards.

Who owns a table may disable its triggers, and who owns a function may replace it. So the program that serves requests
logs in as a member of the role `solidarity_application`, which owns nothing.
"""

from sqlalchemy import Connection, text

from ledger.errors import Refused
from ledger.storage.guards import APPEND_ONLY
from ledger.storage.people_guards import KEPT

APPLICATION = "solidarity_application"
"""The role whose members serve requests. It cannot log in itself."""


class NotPostgresql(Refused):
    """SQLite knows no roles: who can open the file can do everything. Protect the file."""

    rule = "not_postgresql"


def create(connection: Connection) -> None:
    """Makes the application's role, if it is missing, and grants it its rights. The one who calls owns the tables.

    Raises:
        NotPostgresql: see there.
    """
    if connection.dialect.name != "postgresql":
        raise NotPostgresql("only PostgreSQL has roles")
    if not _exists(connection):
        connection.exec_driver_sql(f"CREATE ROLE {APPLICATION} NOLOGIN")
    grant(connection)


def grant(connection: Connection) -> None:
    """Gives the application's role what it needs of the tables as they are now; without the role, does nothing."""
    if connection.dialect.name != "postgresql" or not _exists(connection):
        return
    schema = connection.dialect.identifier_preparer.quote(str(connection.scalar(text("SELECT current_schema()"))))
    for statement in (
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {APPLICATION}, PUBLIC",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {APPLICATION}, PUBLIC",
        f"REVOKE CREATE ON SCHEMA {schema} FROM {APPLICATION}, PUBLIC",
        f"GRANT USAGE ON SCHEMA {schema} TO {APPLICATION}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {APPLICATION}",
        f"REVOKE UPDATE, DELETE ON {', '.join(APPEND_ONLY)} FROM {APPLICATION}",
        f"REVOKE DELETE ON {', '.join(KEPT)} FROM {APPLICATION}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {APPLICATION}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {APPLICATION}",
    ):
        connection.exec_driver_sql(statement)


def _exists(connection: Connection) -> bool:
    found = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": APPLICATION})
    return found is not None
