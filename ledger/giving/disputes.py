"""Disputes: gifts that a giver's bank calls back. The money is receivable until the dispute is won or lost."""

from datetime import date
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, select

from ledger.aliases import Kind, draw
from ledger.giving.donations import Donation
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor


class State(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"


class Dispute(SQLModel, table=True):
    """One dispute of one gift; `source` is the processor's id of it, `minor` what was withdrawn."""

    alias: str = Field(primary_key=True, max_length=20)
    source: str = Field(max_length=64, unique=True)
    donation_alias: str = Field(foreign_key="donation.alias", max_length=20, index=True)
    state: State = Field(sa_type=enumeration(State))
    minor: int = Field(sa_type=MinorUnits)
    fee_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    opened_on: date

    __table_args__ = whole_minor("minor", "fee_minor")


def begin(session: Session, source: str, *, donation: Donation, withdrawn: Money, fee: Money, on: date) -> Dispute:
    """Opens the dispute of a gift."""
    dispute = Dispute(
        alias=draw(Kind.DISPUTE),
        source=source,
        donation_alias=donation.alias,
        state=State.OPEN,
        minor=withdrawn.minor,
        fee_minor=fee.minor,
        currency=withdrawn.currency,
        opened_on=on,
    )
    session.add(dispute)
    session.flush()
    return dispute


def by_source(session: Session, source: str) -> Dispute:
    """The dispute of which the processor told; it must be one that was booked."""
    return session.exec(select(Dispute).where(Dispute.source == source)).one()
