"""What each movement changed in a purse, on the way to one, or in what is owed to an agent; rows are only added."""

from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.storage.columns import MinorUnits, enumeration, whole_minor


class Place(StrEnum):
    """What changed: the agent's leaf of 1200, their leaf of 1210, or 2150 about them."""

    PURSE = "purse"
    TRANSIT = "transit"
    OWED = "owed"


class PurseChange(SQLModel, table=True):
    """A debit, or below zero a credit, of one fund; the sub-ledger's word, held against the journal's by the checks.

    `worth_minor` is what came into a purse is worth as it was advanced, in the currency of the agent's cap.
    """

    __tablename__ = "purse_change"
    movement_alias: str = Field(foreign_key="purse_movement.alias", primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    agent_alias: str = Field(foreign_key="agent.alias", max_length=20, index=True)
    place: Place = Field(sa_type=enumeration(Place))
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    worth_minor: int | None = Field(default=None, sa_type=MinorUnits)

    __table_args__ = whole_minor("minor")


def by_cell(session: Session, agent: str, *, place: Place) -> dict[tuple[str, str], int]:
    """What movements changed at a place of an agent, in minor units by fund and currency."""
    query = (
        select(PurseChange.fund_code, PurseChange.currency, func.sum(PurseChange.minor))
        .where(PurseChange.agent_alias == agent, PurseChange.place == place)
        .group_by(PurseChange.fund_code, PurseChange.currency)
    )
    return {(fund, currency): int(minor) for fund, currency, minor in session.exec(query)}


def brought(session: Session, agent: str) -> dict[str, tuple[int, int]]:
    """By currency: what movements brought into a purse, as (its worth as advanced, its minor units)."""
    query = (
        select(PurseChange.currency, func.sum(PurseChange.worth_minor), func.sum(PurseChange.minor))
        .where(PurseChange.agent_alias == agent, col(PurseChange.worth_minor).is_not(None))
        .group_by(PurseChange.currency)
    )
    return {currency: (int(worth or 0), int(minor)) for currency, worth, minor in session.exec(query)}
