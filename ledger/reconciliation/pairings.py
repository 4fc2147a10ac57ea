"""Pairings: lines of the bank and the entries that they are, of one sum. Rows are only added; undoing adds one too.

Also lines that were booked by themselves as what they are not.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from ledger.books.journal import Entry
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime, enumeration


class Undone(StrEnum):
    """Why a pairing was undone."""

    WRONG_LINE = "wrong_line"
    WRONG_ENTRY = "wrong_entry"
    LOOKED_AGAIN = "looked_again"


class Pairing(SQLModel, table=True):
    """That lines and entries are the same; `automatic` was matched by a machine, the others are signed."""

    __tablename__ = "pairing"
    alias: str = Field(primary_key=True, max_length=20)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    score: int
    automatic: bool
    paired_by: str = Field(max_length=20)
    paired_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


class PairingPart(SQLModel, table=True):
    """One line, or one entry, of a pairing."""

    __tablename__ = "pairing_part"
    pairing_alias: str = Field(primary_key=True, foreign_key="pairing.alias", max_length=20)
    number: int = Field(primary_key=True)
    source_key: str | None = Field(default=None, foreign_key="statement_line.source_key", max_length=120, index=True)
    entry_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="entry.id", index=True)

    __table_args__ = (
        CheckConstraint("(source_key IS NULL) <> (entry_id IS NULL)", name="a_part_is_a_line_or_an_entry"),
        WITHOUT_ROWID,
    )


class PairingUndone(SQLModel, table=True):
    """That a pairing does not stand any more, by a signed act."""

    __tablename__ = "pairing_undone"
    pairing_alias: str = Field(primary_key=True, foreign_key="pairing.alias", max_length=20)
    because: Undone = Field(sa_type=enumeration(Undone))
    undone_by: str = Field(max_length=20)
    undone_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


class LineUnbooked(SQLModel, table=True):
    """That a line is not what it was booked as by itself; its entry is reversed. Rows are only added."""

    __tablename__ = "line_unbooked"
    source_key: str = Field(primary_key=True, foreign_key="statement_line.source_key", max_length=120)
    entry_id: int = Field(sa_type=BigInteger, foreign_key="entry.id", unique=True)
    because: Undone = Field(sa_type=enumeration(Undone))
    undone_by: str = Field(max_length=20)
    undone_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


class LineToldTwice(SQLModel, table=True):
    """That a line moved nothing, since another tells of the same; two people have said so. Rows are only added."""

    __tablename__ = "line_told_twice"
    source_key: str = Field(primary_key=True, foreign_key="statement_line.source_key", max_length=120)
    told_by: str = Field(max_length=20)
    told_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


MACHINE = "matching"
"""By whom what is exact and unique is matched."""
AGAIN = ":again"
"""Behind the key of a line that was unbooked: what it is booked as then is another entry."""


def booking_key(session: Session, source_key: str) -> str:
    """Under which key a line of the bank is booked: its own, unless that stands for an entry that is reversed."""
    return source_key if session.get(LineUnbooked, source_key) is None else source_key + AGAIN


def standing_lines() -> SelectOfScalar[str] | SelectOfScalar[None]:
    """The keys of lines in pairings that stand, as a query."""
    return select(PairingPart.source_key).where(col(PairingPart.source_key).is_not(None), stands())


def standing_entries(account: str) -> SelectOfScalar[Any]:
    """The numbers of entries in pairings of a leaf that stand, as a query."""
    of_leaf = col(Pairing.alias) == PairingPart.pairing_alias
    query = select(PairingPart.entry_id).join(Pairing, of_leaf).where(Pairing.account_code == account)
    return query.where(col(PairingPart.entry_id).is_not(None), stands())


def has_line(session: Session, source_key: str) -> bool:
    """Whether a pairing that stands has this line."""
    return session.exec(standing_lines().where(PairingPart.source_key == source_key)).first() is not None


def stands() -> ColumnElement[bool]:
    """Which parts are of pairings that stand: nobody has undone them, and no entry of theirs is reversed."""
    other, reversal = aliased(PairingPart), aliased(Entry)
    fallen = (
        exists()
        .where(col(other.pairing_alias) == col(PairingPart.pairing_alias))
        .where(col(reversal.reverses_id) == col(other.entry_id))
    )
    return col(PairingPart.pairing_alias).not_in(select(PairingUndone.pairing_alias)) & ~fallen


def fallen_lines() -> SelectOfScalar[str] | SelectOfScalar[None]:
    """The keys of lines in pairings of which an entry is reversed, and that nobody has undone, as a query."""
    undone = col(PairingPart.pairing_alias).in_(select(PairingUndone.pairing_alias))
    return select(PairingPart.source_key).where(col(PairingPart.source_key).is_not(None), ~stands(), ~undone)
