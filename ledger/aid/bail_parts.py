"""The parts of bail that do not come back: what each of them paid, or that it is lost."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.storage.columns import MinorUnits, enumeration, whole_minor


class Fate(StrEnum):
    """What the court did with a part of bail that does not come back."""

    APPLIED = "applied"
    FORFEITED = "forfeited"


class BailPart(SQLModel, table=True):
    """A part that does not come back, by number from 1; `fine_alias` is the obligation that an applied one paid.

    What parts and payments pay of an obligation is never more than is payable: the database's guards see to it too.
    """

    __tablename__ = "bail_part"
    obligation_alias: str = Field(foreign_key="obligation.alias", primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    fate: Fate = Field(sa_type=enumeration(Fate))
    minor: int = Field(sa_type=MinorUnits)
    fine_alias: str | None = Field(default=None, foreign_key="obligation.alias", max_length=20, index=True)
    decided_by: str = Field(max_length=20)
    decided_on: date

    __table_args__ = (
        CheckConstraint("minor > 0", name="part_is_above_zero"),
        CheckConstraint("(fate = 'applied') = (fine_alias IS NOT NULL)", name="applied_to_a_fine"),
        *whole_minor("minor"),
    )


def applied(session: Session, fines: Collection[str]) -> dict[str, int]:
    """By obligation: what bail has paid of it, in minor units."""
    query = (
        select(BailPart.fine_alias, func.sum(BailPart.minor))
        .where(col(BailPart.fine_alias).in_(fines))
        .group_by(col(BailPart.fine_alias))
    )
    return dict.fromkeys(fines, 0) | {alias: int(minor) for alias, minor in session.exec(query) if alias is not None}
