"""Rulings: the decision a case rests on, with coarse bounds in place of its dates."""

from datetime import date

from sqlmodel import Field, Session, SQLModel, select

from ledger.aid.eligibility import Bounds
from ledger.aliases import AliasTaken, Kind, check


class Ruling(SQLModel, table=True):
    """Article, coarse region and bounds. Number, court and exact dates lie sealed on the beneficiary's shelf."""

    alias: str = Field(primary_key=True, max_length=20)
    case_alias: str = Field(foreign_key="aid_case.alias", max_length=20, index=True)
    article: str = Field(max_length=20)
    region: str = Field(max_length=20)
    ruled_by: date
    payable_from: date
    due_by: date
    force_presumed: bool


def add(session: Session, alias: str, *, case: str, article: str, region: str, bounds: Bounds) -> Ruling:
    """Enters a ruling.

    Raises:
        BadAlias, AliasTaken: not a ruling's alias, or taken.
    """
    check(alias, Kind.RULING)
    if session.get(Ruling, alias) is not None:
        raise AliasTaken("the alias is taken")
    ruling = Ruling(
        alias=alias,
        case_alias=case,
        article=article,
        region=region,
        ruled_by=bounds.ruled_by,
        payable_from=bounds.payable_from,
        due_by=bounds.due_by,
        force_presumed=bounds.force_presumed,
    )
    session.add(ruling)
    session.flush()
    return ruling


def of_case(session: Session, case: str) -> list[Ruling]:
    """The rulings of a case, earliest bound first."""
    found = session.exec(select(Ruling).where(Ruling.case_alias == case)).all()
    return sorted(found, key=lambda ruling: (ruling.ruled_by, ruling.alias))
