"""Pairs of cases that share a ruling, and that a reviewer found to be two: nobody is asked about them again."""

from collections.abc import Collection
from datetime import date

from sqlmodel import Field, Session, SQLModel, col, or_, select


class NotDuplicate(SQLModel, table=True):
    """Two cases, the lesser alias first, and who signed, verifying one of them, that they are not the same."""

    __tablename__ = "not_duplicate"
    case_alias: str = Field(foreign_key="aid_case.alias", primary_key=True, max_length=20)
    other_alias: str = Field(foreign_key="aid_case.alias", primary_key=True, max_length=20, index=True)
    said_by: str = Field(max_length=20)
    said_on: date


def keep(session: Session, case: str, others: Collection[str], *, by: str, on: date) -> None:
    """Keeps that a case and each of these others are two; what was said of a pair before stays."""
    new = set(others) - found_with(session, case)
    pairs = [sorted((case, other)) for other in sorted(new)]
    session.add_all(
        NotDuplicate(case_alias=first, other_alias=second, said_by=by, said_on=on) for first, second in pairs
    )
    session.flush()


def found_with(session: Session, case: str) -> set[str]:
    """The cases that were found to be others than this one, whichever of the two was looked at then."""
    pairs = select(NotDuplicate.case_alias, NotDuplicate.other_alias).where(
        or_(col(NotDuplicate.case_alias) == case, col(NotDuplicate.other_alias) == case)
    )
    return {alias for pair in session.exec(pairs) for alias in pair} - {case}


def known_among(session: Session, cases: Collection[str]) -> set[str]:
    """Those of these cases that were found to be another than some other one."""
    return {
        alias
        for column in (NotDuplicate.case_alias, NotDuplicate.other_alias)
        for alias in session.exec(select(column).where(col(column).in_(cases)))
    }
