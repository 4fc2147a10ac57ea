"""Newcomers: rows of one table, each under an alias that a client drew, entered in two statements however many."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, SQLModel, select

from ledger.aliases import AliasTaken


def enter(session: Session, rows: Sequence[SQLModel]) -> None:
    """Enters rows of one table that has `alias` as its key: all of them or none.

    Raises:
        AliasTaken: an alias names something in the table already, or two of these rows have one.
    """
    if not rows:
        return
    column: Any = type(rows[0]).alias  # type: ignore[attr-defined]  # the tables' key
    aliases = {row.alias for row in rows}  # type: ignore[attr-defined]
    if len(aliases) < len(rows) or session.exec(select(column).where(column.in_(aliases)).limit(1)).first():
        raise AliasTaken("the alias is taken")
    session.add_all(rows)
    session.flush()
