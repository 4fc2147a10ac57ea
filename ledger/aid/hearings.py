"""Hearings, and how long courts have held what was posted: the ageing report of bail."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aid import bail, cases, disbursements, eligibility, jurisdictions
from ledger.aid.bail import BailReturn
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation, ObligationKind, State
from ledger.money import Money

AGES = (30, 90, 180)
"""The last days of the first groups by age; the last group is older."""


class Hearing(SQLModel, table=True):
    """A day on which the court hears the case, at the grain of the pack."""

    __tablename__ = "bail_hearing"
    obligation_alias: str = Field(foreign_key="obligation.alias", primary_key=True, max_length=20)
    held_by: date = Field(primary_key=True)
    noted_by: str = Field(max_length=20)

    __table_args__ = (Index("hearings_by_day", "held_by", "obligation_alias"),)


@dataclass(frozen=True, slots=True)
class Standing:
    """Bail that a court holds: how much, since when, and the hearings around a day."""

    obligation: str
    case: str
    fund: str
    outstanding: Money
    announced: Money
    posted_on: date
    age_days: int
    group: str
    last_hearing: date | None
    next_hearing: date | None
    returns: list[BailReturn]
    """Those announced and not seen yet."""
    version: int
    """What the next act on it restates."""


def note_hearing(session: Session, alias: str, *, on: date, by: str) -> Hearing:
    """Notes a hearing, at the grain of the case's pack; the same again changes nothing.

    Raises:
        UnknownObligation, NotPosted: see there.
    """
    posted, _ = bail.require_posted(session, alias)
    pack = jurisdictions.load(cases.require(session, posted.case_alias).jurisdiction)
    held_by = eligibility.end_of_grain(pack, on)
    found = session.get(Hearing, (alias, held_by))
    if found is not None:
        return found
    hearing = Hearing(obligation_alias=alias, held_by=held_by, noted_by=by)
    session.add(hearing)
    session.flush()
    return hearing


def age(session: Session, *, on: date) -> list[Standing]:
    """What courts hold on a day, the oldest first; groups are by the days since it was posted."""
    query = (
        select(Obligation, Disbursement)
        .join(Disbursement, col(Disbursement.obligation_alias) == Obligation.alias)
        .where(Obligation.kind == ObligationKind.BAIL, Obligation.state == State.PAID)
        .where(Disbursement.state == disbursements.State.PAID)
    )
    found: list[Standing] = []
    for posted, disbursement in session.exec(query):
        left, posted_on = bail.outstanding(session, posted), disbursement.paid_on or on
        if not left.minor:
            continue
        heard = [hearing.held_by for hearing in of_bail(session, posted.alias)]
        days = (on - posted_on).days
        found.append(
            Standing(
                obligation=posted.alias,
                case=posted.case_alias,
                fund=posted.fund_code or "",
                outstanding=left,
                announced=bail.announced_of(session, posted),
                posted_on=posted_on,
                age_days=days,
                group=_group(days),
                last_hearing=max((day for day in heard if day < on), default=None),
                next_hearing=min((day for day in heard if day >= on), default=None),
                returns=bail.waiting_returns(session, posted.alias),
                version=bail.steps(session, posted.alias) + 1,
            )
        )
    return sorted(found, key=lambda one: (one.posted_on, one.obligation))


def of_bail(session: Session, alias: str) -> list[Hearing]:
    """The hearings of a bail in their order."""
    found = session.exec(select(Hearing).where(Hearing.obligation_alias == alias)).all()
    return sorted(found, key=lambda hearing: hearing.held_by)


def _group(days: int) -> str:
    edges = [-1, *AGES]
    for before, last in zip(edges, AGES, strict=False):
        if days <= last:
            return f"{before + 1} to {last} days"
    return f"over {AGES[-1]} days"
