"""Row locks: reading what a decision rests on as it stands now, held until the transaction ends."""

from typing import TypeVar

from sqlalchemy import func, select
from sqlmodel import Session
from sqlmodel.sql.expression import SelectOfScalar

CLOSING = 20201031
"""The key of PostgreSQL's advisory lock that entries share and closings have alone."""

Row = TypeVar("Row")


def locked(query: SelectOfScalar[Row]) -> SelectOfScalar[Row]:
    """The query with a lock on its rows, which are read anew.

    `NO KEY UPDATE` does not hold up lines that name the row. SQLite locks nothing here: its writers take turns.
    A row the session has read before would keep its old values, though another transaction changed it in between:
    `populate_existing` makes the locked read the one that counts.
    """
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)


def close_alone(session: Session) -> None:
    """Waits until no entry is in flight, and holds up those to come until the transaction ends.

    What is read afterwards is what the closing finds. On SQLite a writing transaction is alone anyway.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(CLOSING)))
