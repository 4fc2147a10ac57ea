"""Beneficiaries: somebody helped, known here by a random alias only."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel

from ledger.aliases import AliasTaken, Kind, check
from ledger.storage.columns import UtcDateTime


class Beneficiary(SQLModel, table=True):
    """An alias and nothing else: who it is lies sealed on the alias's shelf."""

    alias: str = Field(primary_key=True, max_length=20)
    created_at: datetime = Field(sa_type=UtcDateTime)


def add(session: Session, alias: str, *, created_at: datetime) -> Beneficiary:
    """Admits an alias that a client drew.

    Raises:
        BadAlias, AliasTaken: not a beneficiary's alias, or taken.
    """
    check(alias, Kind.BENEFICIARY)
    if session.get(Beneficiary, alias) is not None:
        raise AliasTaken("the alias is taken")
    beneficiary = Beneficiary(alias=alias, created_at=created_at)
    session.add(beneficiary)
    session.flush()
    return beneficiary
