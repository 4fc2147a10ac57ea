"""Cases: one application of one beneficiary about one event, and where it stands."""

from datetime import date
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, select

from ledger.aid.eligibility import Rejection
from ledger.aliases import AliasTaken, Kind, check
from ledger.errors import Conflict, NotFound
from ledger.storage.columns import enumeration
from ledger.storage.locks import locked


class State(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"
    VERIFIED = "verified"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"


class UnknownCase(NotFound):
    """No case has this alias."""

    rule = "unknown_case"


class CaseNotReady(Conflict):
    """The case is not in the state the verb needs, or somebody changed it since it was looked at."""

    rule = "case_not_ready"


class Case(SQLModel, table=True):
    """`version` counts its changes: a signed act names the one it saw."""

    __tablename__ = "aid_case"  # CASE is a word of SQL
    alias: str = Field(primary_key=True, max_length=20)
    beneficiary_alias: str = Field(foreign_key="beneficiary.alias", max_length=20, index=True)
    jurisdiction: str = Field(max_length=10)
    state: State = Field(sa_type=enumeration(State), index=True)
    rejection: Rejection | None = Field(default=None, sa_type=enumeration(Rejection))
    version: int
    entered_by: str = Field(max_length=20)
    received_on: date
    verified_by: str | None = Field(default=None, max_length=20)


def add(
    session: Session,
    alias: str,
    *,
    beneficiary: str,
    jurisdiction: str,
    rejection: Rejection | None,
    entered_by: str,
    received_on: date,
) -> Case:
    """Enters a case; with a rejection code it is rejected from the start and can never be paid.

    Raises:
        BadAlias, AliasTaken: not a case's alias, or taken.
    """
    check(alias, Kind.CASE)
    if session.get(Case, alias) is not None:
        raise AliasTaken("the alias is taken")
    case = Case(
        alias=alias,
        beneficiary_alias=beneficiary,
        jurisdiction=jurisdiction,
        state=State.REJECTED if rejection else State.RECEIVED,
        rejection=rejection,
        version=1,
        entered_by=entered_by,
        received_on=received_on,
    )
    session.add(case)
    session.flush()
    return case


def require(session: Session, alias: str, *, lock: bool = False) -> Case:
    """The case; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownCase: there is none.
    """
    query = select(Case).where(Case.alias == alias)
    case = session.exec(locked(query) if lock else query).one_or_none()
    if case is None:
        raise UnknownCase("no case has this alias")
    return case


def verify(session: Session, case: Case, *, by: str) -> None:
    """Marks a received case as verified.

    Raises:
        CaseNotReady: it is not newly received.
    """
    _move(session, case, State.VERIFIED, frm={State.RECEIVED})
    case.verified_by = by
    session.flush()


def reject(session: Session, case: Case, *, because: Rejection) -> None:
    """Rejects a case that is received or verified.

    Raises:
        CaseNotReady: it has gone further, or is rejected.
    """
    _move(session, case, State.REJECTED, frm={State.RECEIVED, State.VERIFIED})
    case.rejection = because
    session.flush()


def approve(session: Session, case: Case) -> None:
    """Marks a verified case as approved; a case with several obligations may be so already."""
    if case.state is not State.APPROVED:
        _move(session, case, State.APPROVED, frm={State.VERIFIED})


def mark_paid(session: Session, case: Case) -> None:
    """Marks a case whose obligations are all paid."""
    _move(session, case, State.PAID, frm={State.APPROVED})


def page(session: Session, *, state: State | None, after: str, limit: int) -> list[Case]:
    """Up to `limit` cases in the order of their aliases, after the alias `after`."""
    query = select(Case).where(Case.alias > after).order_by(Case.alias).limit(limit)
    if state is not None:
        query = query.where(Case.state == state)
    return list(session.exec(query))


def _move(session: Session, case: Case, to: State, *, frm: set[State]) -> None:
    if case.state not in frm:
        raise CaseNotReady("the case is not in the state this needs", case=case.alias, state=case.state)
    case.state = to
    case.version += 1
    session.add(case)
    session.flush()
