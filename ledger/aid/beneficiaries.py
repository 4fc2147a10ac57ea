"""Beneficiaries: somebody helped, known here by a random alias only."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel

from ledger.aliases import Kind, check
from ledger.storage import newcomers
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
    beneficiary = make(alias, created_at=created_at)
    newcomers.enter(session, [beneficiary])
    return beneficiary


def make(alias: str, *, created_at: datetime) -> Beneficiary:
    """Who is to be admitted, before they are: `newcomers.enter` takes many.

    Raises:
        BadAlias: not a beneficiary's alias.
    """
    return Beneficiary(alias=check(alias, Kind.BENEFICIARY), created_at=created_at)
