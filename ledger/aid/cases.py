"""Cases: one application of one beneficiary about one event, and where it stands."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aid.eligibility import Rejection
from ledger.aliases import Kind, check
from ledger.errors import Conflict, NotFound
from ledger.storage import newcomers
from ledger.storage.columns import enumeration
from ledger.storage.locks import locked


class State(StrEnum):
    """Where a case stands: on its way from received to closed, on hold, or gone by a side exit for good."""

    RECEIVED = "received"
    VERIFIED = "verified"
    APPROVED = "approved"
    PAID = "paid"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    ON_HOLD = "on_hold"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"


UNPAID = (State.RECEIVED, State.VERIFIED, State.APPROVED)
"""While something may still be paid, unless the case is on hold."""
SETTLED = (State.PAID, State.CONFIRMED, State.CLOSED)
"""Once nothing is to be paid any more; a payment that the bank returns leads back from there."""
LEFT = (State.REJECTED, State.DUPLICATE, State.WITHDRAWN)
"""States from which no way leads back: nothing is ever paid."""


class UnknownCase(NotFound):
    """No case has this alias."""

    rule = "unknown_case"


class CaseNotReady(Conflict):
    """The case is not in the state the verb needs, or somebody changed it since it was looked at."""

    rule = "case_not_ready"


class OnHold(Conflict):
    """Somebody has put the case on hold: nothing is approved or released until it is resumed."""

    rule = "on_hold"


SUSPECT = "is_suspect AND state = 'received'"
"""Cases that are to be compared with others; a partial index has these words, and so must a query."""


class Case(SQLModel, table=True):
    """`version` counts its changes: a signed act names the one it saw.

    `due_by` is the earliest deadline of its rulings, `state_since` the day of its last step. `resumes_as` is where a
    case on hold goes on; `is_suspect`: another one shares its ruling.
    """

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
    due_by: date
    state_since: date
    resumes_as: State | None = Field(default=None, sa_type=enumeration(State))
    duplicate_of: str | None = Field(default=None, foreign_key="aid_case.alias", max_length=20, index=True)
    is_suspect: bool = False

    __table_args__ = (
        Index("cases_by_deadline", "state", "due_by", "alias"),
        Index("cases_by_age", "state", "state_since", "alias"),
        Index("suspect_cases", "due_by", "alias", sqlite_where=text(SUSPECT), postgresql_where=text(SUSPECT)),
    )


def add(
    session: Session,
    alias: str,
    *,
    beneficiary: str,
    jurisdiction: str,
    rejection: Rejection | None,
    entered_by: str,
    received_on: date,
    due_by: date,
) -> Case:
    """Enters a case; with a rejection code it is rejected from the start and can never be paid.

    Raises:
        BadAlias, AliasTaken: not a case's alias, or taken.
    """
    case = make(
        alias,
        beneficiary=beneficiary,
        jurisdiction=jurisdiction,
        rejection=rejection,
        entered_by=entered_by,
        received_on=received_on,
        due_by=due_by,
    )
    newcomers.enter(session, [case])
    return case


def make(
    alias: str,
    *,
    beneficiary: str,
    jurisdiction: str,
    rejection: Rejection | None,
    entered_by: str,
    received_on: date,
    due_by: date,
) -> Case:
    """A case before it is entered: `newcomers.enter` takes many.

    Raises:
        BadAlias: not a case's alias.
    """
    return Case(
        alias=check(alias, Kind.CASE),
        beneficiary_alias=beneficiary,
        jurisdiction=jurisdiction,
        state=State.REJECTED if rejection else State.RECEIVED,
        rejection=rejection,
        version=1,
        entered_by=entered_by,
        received_on=received_on,
        due_by=due_by,
        state_since=received_on,
    )


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


def lock_all(session: Session, aliases: Collection[str]) -> list[Case]:
    """The cases as they stand now, locked in the order of their aliases, as everybody does.

    Raises:
        UnknownCase: one of them is none.
    """
    query = select(Case).where(col(Case.alias).in_(aliases)).order_by(Case.alias)
    found = list(session.exec(locked(query)))
    if len(found) < len(set(aliases)):
        raise UnknownCase("no case has this alias")
    return found


def verify(session: Session, case: Case, *, by: str, on: date) -> None:
    """Marks a received case as verified.

    Raises:
        CaseNotReady: it is not newly received.
    """
    _move(session, case, State.VERIFIED, frm={State.RECEIVED}, on=on)
    case.verified_by = by
    session.flush()


def approve(session: Session, case: Case, *, on: date) -> None:
    """Marks a verified case as approved; a case with several obligations may be so already.

    Raises:
        OnHold: it is. CaseNotReady: it is not verified.
    """
    approve_all(session, [case], on=on)


def approve_all(session: Session, found: Collection[Case], *, on: date) -> None:
    """As `approve` for many: all, or none when the caller takes back what a refusal left."""
    for case in found:
        require_going(case)
        if case.state is not State.APPROVED:
            _step(session, case, State.APPROVED, frm={State.VERIFIED}, on=on)
    session.flush()


def hold(session: Session, case: Case, *, on: date) -> None:
    """Stops a case that is not paid: see `require_going`.

    Raises:
        CaseNotReady: it is paid, or gone, or on hold.
    """
    before = case.state
    _move(session, case, State.ON_HOLD, frm={*UNPAID}, on=on)
    case.resumes_as = before
    session.flush()


def resume(session: Session, case: Case, *, on: date) -> None:
    """Lets a case go on from where it was held, or from where facts have brought it since.

    Raises:
        CaseNotReady: it is not on hold.
    """
    _move(session, case, case.resumes_as or State.RECEIVED, frm={State.ON_HOLD}, on=on)
    case.resumes_as = None
    session.flush()


def require_going(case: Case) -> None:
    """Refuses to take a step with a case on hold.

    Raises:
        OnHold: it is.
    """
    if case.state is State.ON_HOLD:
        raise OnHold("the case is on hold", case=case.alias)


def reject(session: Session, case: Case, *, because: Rejection, on: date) -> None:
    """Rejects a case of which nothing is paid, for good. What it had led to is taken back before: see `exits`.

    Raises:
        CaseNotReady: something was paid, or it is gone already.
    """
    _leave(session, case, State.REJECTED, on=on)
    case.rejection = because
    session.flush()


def withdraw(session: Session, case: Case, *, on: date) -> None:
    """As `reject`: the beneficiary does not want the aid.

    Raises:
        CaseNotReady: something was paid, or it is gone already.
    """
    _leave(session, case, State.WITHDRAWN, on=on)


def mark_duplicate(session: Session, case: Case, *, of: str, on: date) -> None:
    """As `reject`: the same application stands as the case `of`.

    Raises:
        CaseNotReady: something was paid, or it is gone already.
    """
    _leave(session, case, State.DUPLICATE, on=on)
    case.duplicate_of = of
    session.flush()


def mark_paid(session: Session, case: Case, *, on: date) -> None:
    """Marks a case whose obligations are all paid. That is a fact: on hold, the case will go on from there.

    Raises:
        CaseNotReady: it is not approved.
    """
    if case.state is State.ON_HOLD and case.resumes_as is State.APPROVED:
        case.resumes_as = State.PAID
        touch(session, case)
        return
    _move(session, case, State.PAID, frm={State.APPROVED}, on=on)


def confirm(session: Session, case: Case, *, on: date) -> None:
    """Marks a paid case whose receipts are all verified.

    Raises:
        CaseNotReady: it is not paid.
    """
    _move(session, case, State.CONFIRMED, frm={State.PAID}, on=on)


def close(session: Session, case: Case, *, on: date) -> None:
    """Closes a case of which nothing is left: confirmed, or all that it asked for has fallen away.

    Raises:
        CaseNotReady: it is closed, or gone by a side exit.
    """
    _move(session, case, State.CLOSED, frm={*State} - {State.CLOSED, *LEFT}, on=on)
    case.resumes_as = None
    session.flush()


def reopen(session: Session, case: Case, *, on: date) -> None:
    """Marks a closed case as confirmed again: something is owed back of what it paid.

    Raises:
        CaseNotReady: it is not closed.
    """
    _move(session, case, State.CONFIRMED, frm={State.CLOSED}, on=on)


def owe_again(session: Session, case: Case, *, on: date) -> None:
    """Marks a settled case as approved again: a payment has come back. On hold, the case will go on from there.

    Raises:
        CaseNotReady: it is not settled.
    """
    if case.state is State.ON_HOLD and case.resumes_as in SETTLED:
        case.resumes_as = State.APPROVED
        touch(session, case)
        return
    _move(session, case, State.APPROVED, frm={*SETTLED}, on=on)


def touch(session: Session, case: Case) -> None:
    """Counts a change of what the case says: no act that was signed before covers it."""
    case.version += 1
    session.add(case)
    session.flush()


def duplicates_of(session: Session, alias: str) -> list[Case]:
    """The cases that were found to be this one again, in the order of their aliases."""
    found = session.exec(select(Case).where(Case.duplicate_of == alias)).all()
    return sorted(found, key=lambda case: case.alias)


def clear_suspicion(session: Session, case: Case) -> None:
    """Notes that a locked case is like no other one that somebody has still to look at."""
    if case.is_suspect:
        case.is_suspect = False
        session.add(case)
        session.flush()


def suspect(session: Session, aliases: Collection[str]) -> None:
    """Notes that these cases may be duplicates, for those who review them."""
    for case in session.exec(select(Case).where(col(Case.alias).in_(aliases), ~col(Case.is_suspect))):
        case.is_suspect = True
        session.add(case)
    session.flush()


def page(session: Session, *, state: State | None, after: str, limit: int) -> list[Case]:
    """Up to `limit` cases in the order of their aliases, after the alias `after`."""
    query = select(Case).where(Case.alias > after).order_by(Case.alias).limit(limit)
    if state is not None:
        query = query.where(Case.state == state)
    return list(session.exec(query))


def _leave(session: Session, case: Case, to: State, *, on: date) -> None:
    if case.state is State.ON_HOLD and case.resumes_as not in UNPAID:
        raise CaseNotReady("something was paid already", case=case.alias, state=case.state)
    _move(session, case, to, frm={*UNPAID, State.ON_HOLD}, on=on)
    case.resumes_as = None
    session.flush()


def _move(session: Session, case: Case, to: State, *, frm: set[State], on: date) -> None:
    _step(session, case, to, frm=frm, on=on)
    session.flush()


def _step(session: Session, case: Case, to: State, *, frm: set[State], on: date) -> None:
    if case.state not in frm:
        raise CaseNotReady("the case is not in the state this needs", case=case.alias, state=case.state)
    case.state = to
    case.state_since = on
    case.version += 1
    session.add(case)
