"""Suspensions: one operator stops another at once; only a roster of two officers lets them in again."""

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, select

from ledger import people
from ledger.errors import Refused
from ledger.people import Operator, read_roster
from ledger.storage.columns import UtcDateTime


class OneselfSuspended(Refused):
    """Nobody suspends themselves: who wants to leave is taken off the roster."""

    rule = "oneself_suspended"


class Suspension(SQLModel, table=True):
    """Who was suspended by whom under which roster; never changed, and over when a later roster reinstates them."""

    id: int | None = Field(default=None, primary_key=True)
    operator: str = Field(max_length=20, index=True)
    suspended_by: str = Field(max_length=20)
    roster: int
    at: datetime = Field(sa_type=UtcDateTime)


def suspend(session: Session, alias: str, *, by: Operator, at: datetime) -> Suspension:
    """Suspends an operator from now on; who is suspended already stays so. The caller has accepted a signed act.

    Raises:
        UnknownOperator: nobody of the roster has this alias. OneselfSuspended: see there.
    """
    roster = people.current(session)
    roster.operator(alias, on=at.date())
    if alias == by.alias:
        raise OneselfSuspended("nobody suspends themselves", operator=alias)
    suspension = Suspension(operator=alias, suspended_by=by.alias, roster=roster.number, at=at)
    session.add(suspension)
    session.flush()
    return suspension


def is_suspended(session: Session, alias: str) -> bool:
    """Whether a suspension of the operator stands: none of the rosters after it reinstates them."""
    under = max((one.roster for one in _of(session, alias)), default=None)
    if under is None:
        return False
    later = [version for version in people.versions(session) if version.number > under]
    return not any(alias in read_roster(version.document).reinstated for version in later)


def standing(session: Session) -> list[Suspension]:
    """The suspensions that stand, oldest first."""
    found = session.exec(select(Suspension).order_by(Suspension.id)).all()  # type: ignore[arg-type]  # a column
    suspended = {alias: is_suspended(session, alias) for alias in {one.operator for one in found}}
    return [one for one in found if suspended[one.operator]]


def _of(session: Session, alias: str) -> list[Suspension]:
    return list(session.exec(select(Suspension).where(Suspension.operator == alias)))
