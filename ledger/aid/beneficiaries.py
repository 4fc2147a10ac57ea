"""Beneficiaries: somebody helped, known here by a random alias only."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel

from ledger.aliases import Kind, check
from ledger.errors import NotFound
from ledger.storage import newcomers
from ledger.storage.columns import UtcDateTime


class UnknownBeneficiary(NotFound):
    """No beneficiary with a case has this alias."""

    rule = "unknown_beneficiary"


ALIKE = "alike_since IS NOT NULL"
"""Beneficiaries who are to be compared with others; a partial index has these words, and so must a query."""


class Beneficiary(SQLModel, table=True):
    """An alias: who it is lies sealed on the alias's shelf.

    `alike_since`: another one carries the same name since then, and nobody has said whether the two are one person.
    """

    alias: str = Field(primary_key=True, max_length=20)
    created_at: datetime = Field(sa_type=UtcDateTime)
    alike_since: date | None = None

    __table_args__ = (
        Index("beneficiaries_alike", "alike_since", "alias", sqlite_where=text(ALIKE), postgresql_where=text(ALIKE)),
    )


def add(session: Session, alias: str, *, created_at: datetime) -> Beneficiary:
    """Admits an alias that a client drew.

    Raises:
        BadAlias, AliasTaken: not a beneficiary's alias, or taken.
    """
    beneficiary = make(alias, created_at=created_at)
    newcomers.enter(session, [beneficiary])
    return beneficiary


def require(session: Session, alias: str) -> Beneficiary:
    """The beneficiary.

    Raises:
        UnknownBeneficiary: there is none.
    """
    found = session.get(Beneficiary, alias)
    if found is None:
        raise UnknownBeneficiary("no beneficiary has this alias")
    return found


def make(alias: str, *, created_at: datetime) -> Beneficiary:
    """Who is to be admitted, before they are: `newcomers.enter` takes many.

    Raises:
        BadAlias: not a beneficiary's alias.
    """
    return Beneficiary(alias=check(alias, Kind.BENEFICIARY), created_at=created_at)
