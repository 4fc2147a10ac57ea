"""Enumerations of the schema that become wider in a migration."""

import re
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


def admit(table: str, column: str, more: Sequence[str]) -> None:
    """Admits more values in an enumeration's column; those that it admits already stay as they are.

    On SQLite other tables refer to such a table, so it cannot be made anew. Its text is changed where SQLite keeps it:
    the procedure that its documentation gives for a check which only becomes wider (ALTER TABLE, section 7).
    """
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass"
        standing = str(connection.exec_driver_sql(query, (f"{column}_is_known", f'"{table}"')).scalar_one())
        op.drop_constraint(f"{column}_is_known", table, type_="check")
        admitted = [*re.findall(r"'(\w+)'", standing), *more]
        op.create_check_constraint(f"{column}_is_known", table, sa.column(column).in_(admitted))
        return
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    standing = str(connection.exec_driver_sql(query, (table,)).scalar_one())
    added = "".join(f", '{value}'" for value in more)
    wider = re.sub(rf"(CHECK \({column} IN \([^)]*)\)", rf"\1{added})", standing, count=1)
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (wider, table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
