"""Rulings: the decision a case rests on, with coarse bounds in place of its dates."""

from datetime import date

from sqlmodel import Field, Session, SQLModel, select

from ledger.aid.eligibility import Bounds
from ledger.aliases import Kind, check
from ledger.errors import NotFound
from ledger.storage import newcomers


class UnknownRuling(NotFound):
    """No ruling has this alias."""

    rule = "unknown_ruling"


class Ruling(SQLModel, table=True):
    """Article, coarse region and bounds. Number, court and exact dates lie sealed on the beneficiary's shelf.

    `replaces` is the quashed ruling on the same event that this one follows.
    """

    alias: str = Field(primary_key=True, max_length=20)
    case_alias: str = Field(foreign_key="aid_case.alias", max_length=20, index=True)
    article: str = Field(max_length=20)
    region: str = Field(max_length=20)
    ruled_by: date
    payable_from: date
    due_by: date
    force_presumed: bool
    replaces: str | None = Field(default=None, foreign_key="ruling.alias", max_length=20, index=True, unique=True)

    def bounds(self) -> Bounds:
        """What is kept of its dates."""
        return Bounds(self.ruled_by, self.payable_from, self.due_by, force_presumed=self.force_presumed)


def add(
    session: Session,
    alias: str,
    *,
    case: str,
    article: str,
    region: str,
    bounds: Bounds,
    replaces: str | None = None,
) -> Ruling:
    """Enters a ruling.

    Raises:
        BadAlias, AliasTaken: not a ruling's alias, or taken.
    """
    ruling = make(alias, case=case, article=article, region=region, bounds=bounds, replaces=replaces)
    newcomers.enter(session, [ruling])
    return ruling


def make(alias: str, *, case: str, article: str, region: str, bounds: Bounds, replaces: str | None = None) -> Ruling:
    """A ruling before it is entered: `newcomers.enter` takes many.

    Raises:
        BadAlias: not a ruling's alias.
    """
    return Ruling(
        alias=check(alias, Kind.RULING),
        case_alias=case,
        article=article,
        region=region,
        ruled_by=bounds.ruled_by,
        payable_from=bounds.payable_from,
        due_by=bounds.due_by,
        force_presumed=bounds.force_presumed,
        replaces=replaces,
    )


def require(session: Session, alias: str) -> Ruling:
    """The ruling.

    Raises:
        UnknownRuling: there is none.
    """
    ruling = session.get(Ruling, alias)
    if ruling is None:
        raise UnknownRuling("no ruling has this alias")
    return ruling


def chain_of(session: Session, alias: str) -> list[Ruling]:
    """All rulings on one event, the first one first, from whichever of them one starts.

    Raises:
        UnknownRuling: there is none.
    """
    first = require(session, alias)
    seen = {first.alias}
    while first.replaces is not None and first.replaces not in seen:  # a database that lies may have made a ring
        first = require(session, first.replaces)
        seen.add(first.alias)
    chain = [first]
    while True:
        after = session.exec(select(Ruling).where(Ruling.replaces == chain[-1].alias)).first()
        if after is None or after.alias == first.alias:
            return chain
        chain.append(after)


def of_case(session: Session, case: str) -> list[Ruling]:
    """The rulings of a case, earliest bound first."""
    found = session.exec(select(Ruling).where(Ruling.case_alias == case)).all()
    return sorted(found, key=lambda ruling: (ruling.ruled_by, ruling.alias))
