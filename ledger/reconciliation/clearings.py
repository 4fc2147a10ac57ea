"""Clearings: what an open exception comes to that is about no line of the bank: an entry, or a reasoned dismissal.

A line of the bank is answered or matched, a movement at the processor answered, never dismissed: money that moved is
booked. A dismissal takes a second person, unless the roster lets a treasurer dismiss as much. See docs/exceptions.md.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum

import rfc8785
from sqlalchemy import BigInteger, CheckConstraint, func, or_
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals, book, exceptions, people
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.books.journal import Entry
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.exceptions import Difference, OpenException
from ledger.identities.boxes import check_commitment
from ledger.money import Money
from ledger.people import Role
from ledger.reconciliation import statements
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, UtcDateTime, enumeration

_LINES = SQLModel.metadata.tables["line"]
ENTRY_MOVES = {Difference.BALANCE_DIFFERS: 1, Difference.PROCESSOR_DIFFERS: 1, Difference.PAYOUT_NOT_SEEN: -1}
"""The differences that an entry explains: it moves their leaf by all they are, or takes that from it (-1)."""
BY_MACHINES = frozenset(
    {
        Difference.JOB_FAILED,
        Difference.PERIOD_OPEN,
        Difference.RATE_MISSING,
        Difference.UNKNOWN_CURRENCY,
        Difference.ACCESS_EXPIRES,
        Difference.OFFICERS_EXPIRE,
        Difference.ENTRY_NOT_SEEN,
    }
)
"""Differences that are closed by what they ask for, and by nothing that is said of them."""
LOOKED_AT_BY_TWO = frozenset({Difference.PAID_BEFORE_FORCE, Difference.PAID_BEFORE_RELEASE, Difference.PAID_AFTER_STOP})
"""What an agent paid and might not: nothing but that two people have looked into it closes it. Decision 0092."""


class Because(StrEnum):
    """Why an exception is closed, in a word that is counted."""

    BOOKED = "booked"
    TIMING = "timing"
    ROUNDING = "rounding"
    BANK_IN_ERROR = "bank_in_error"
    TOLD_TWICE = "told_twice"
    LOOKED_INTO = "looked_into"
    PUT_RIGHT = "put_right"


class BadClearing(BadInput):
    """What cannot close this exception; `where` tells the part."""

    rule = "bad_clearing"


class LineWaits(Refused):
    """The exception is about a line of the bank, which is answered or matched."""

    rule = "line_waits"


class MovementWaits(Refused):
    """The exception is about a movement at the processor, which is booked, by itself or by what two people say."""

    rule = "movement_waits"


class ClosedByMachines(Refused):
    """The exception is closed by what it asks for: a job, a closed month, a rate, a key, a line that the bank shows."""

    rule = "closed_by_machines"


class UnknownClearing(NotFound):
    """No clearing with this alias waits for a second person."""

    rule = "unknown_clearing"


class EntryTaken(Conflict):
    """The entry explains another exception."""

    rule = "entry_taken"


class Clearing(SQLModel, table=True):
    """What a treasurer says an exception comes to. `alone` is whether the roster lets them; rows are only added."""

    __tablename__ = "clearing"
    alias: str = Field(primary_key=True, max_length=20)
    exception_alias: str = Field(foreign_key="exception.alias", max_length=20, index=True)
    because: Because = Field(sa_type=enumeration(Because))
    entry_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="entry.id", unique=True)
    minor: int | None = Field(default=None, sa_type=MinorUnits)
    currency: str | None = Field(default=None, max_length=3)
    note_commitment: str | None = Field(default=None, max_length=64)
    alone: bool
    asked_by: str = Field(max_length=20)
    asked_at: datetime = Field(sa_type=UtcDateTime, index=True)

    __table_args__ = (
        CheckConstraint("(because = 'booked') = (entry_id IS NOT NULL)", name="what_is_booked_has_its_entry"),
        CheckConstraint("(minor IS NULL) = (currency IS NULL)", name="cleared_money_has_a_currency"),
        CheckConstraint("typeof(minor) IN ('integer', 'null')", name="cleared_minor_is_whole").ddl_if(dialect="sqlite"),
        WITHOUT_ROWID,
    )

    def amount(self) -> Money | None:
        """The difference that is closed; None when it is not about money."""
        return None if self.minor is None or self.currency is None else Money(self.minor, self.currency)


class ClearingAgreement(SQLModel, table=True):
    """That another person agrees to a dismissal. Rows are only added."""

    __tablename__ = "clearing_agreement"
    clearing_alias: str = Field(primary_key=True, foreign_key="clearing.alias", max_length=20)
    agreed_by: str = Field(max_length=20)
    agreed_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (WITHOUT_ROWID,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClearing:
    """What is said: an entry by its number, or why it is dismissed; a sealed note by its commitment."""

    alias: str
    exception: str
    because: Because
    entry_id: int | None = None
    note_commitment: str | None = None


def request(session: Session, new: NewClearing, agreed: Agreed) -> Clearing:
    """Says what an exception comes to. It is closed at once by an entry, or within what the treasurer may dismiss.

    Raises:
        UnknownException, LineWaits, MovementWaits, ClosedByMachines, BadClearing, EntryTaken: see there. SamePerson: it
        is about them. AliasTaken, and what `approvals.accept` raises. Nothing was written.
    """
    check(new.alias, Kind.CLEARING)
    opened = _require_clearable(session, new)
    approvals.require_other(agreed.signer.alias, than=_concerned(opened))
    book.require(session, lock=True)  # what treasurers dismiss in a day is counted by one at a time
    amount = opened.amount()
    said = Clearing(
        alias=new.alias,
        exception_alias=new.exception,
        because=new.because,
        entry_id=new.entry_id,
        minor=amount.minor if amount else None,
        currency=amount.currency if amount else None,
        note_commitment=new.note_commitment,
        alone=new.entry_id is not None or _is_within(session, opened, now=agreed.now),
        asked_by=agreed.signer.alias,
        asked_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, "clear_exception", said, agreed)
        session.add(said)
        if said.alone:
            exceptions.resolve(session, opened, on=agreed.now.date())
        session.flush()
    return said


def agree(session: Session, alias: str, agreed: Agreed, *, exception: str) -> Clearing:
    """Agrees, as another person, to a dismissal of an exception, which is closed.

    Raises:
        UnknownClearing, UnknownException: nothing waits. LineWaits: its line waits by now. SamePerson: they said it, or
        it is about them. And what `approvals.accept` raises. Nothing was written.
    """
    said = session.get(Clearing, alias)
    if said is None or said.exception_alias != exception or said.alone or agreement_of(session, alias) is not None:
        raise UnknownClearing("no clearing with this alias waits")
    opened = exceptions.require_open(session, said.exception_alias)
    _require_no_money_waits(session, opened)
    approvals.require_other(agreed.signer.alias, than={said.asked_by, *_concerned(opened)})
    with session.begin_nested():
        _accept(session, "agree_clearing", said, agreed)
        session.add(ClearingAgreement(clearing_alias=alias, agreed_by=agreed.signer.alias, agreed_at=agreed.now))
        exceptions.resolve(session, opened, on=agreed.now.date())
    return said


def agreement_of(session: Session, alias: str) -> ClearingAgreement | None:
    """Who agreed, if somebody did."""
    return session.get(ClearingAgreement, alias)


def dismissed(session: Session) -> set[str]:
    """The aliases of exceptions that were dismissed: closed, and nothing was booked."""
    agreed = select(ClearingAgreement.clearing_alias)
    query = select(Clearing.exception_alias).where(
        col(Clearing.entry_id).is_(None), or_(col(Clearing.alone), col(Clearing.alias).in_(agreed))
    )
    return set(session.exec(query))


def listed(session: Session) -> list[tuple[Clearing, ClearingAgreement | None]]:
    """All that was said, the oldest first, and who agreed."""
    query = select(Clearing, ClearingAgreement).join(
        ClearingAgreement, col(ClearingAgreement.clearing_alias) == Clearing.alias, isouter=True
    )
    found = session.exec(query.order_by(col(Clearing.asked_at), col(Clearing.alias)))
    return [(said, agreement) for said, agreement in found]


def commitment(*, exception: str, because: str, entry_id: int | None) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of what is closed, why, and by which entry."""
    return hashlib.sha256(rfc8785.dumps(["clearing", exception, str(because), entry_id])).hexdigest()


def commitment_of(said: Clearing) -> str:
    """The commitment to what was said."""
    return commitment(exception=said.exception_alias, because=said.because, entry_id=said.entry_id)


def is_clearable(session: Session, opened: OpenException) -> bool:
    """Whether an open exception can be cleared: it is about no money that waits, and no machine closes it."""
    if opened.difference in {*BY_MACHINES, Difference.MOVEMENT_WAITS}:
        return False
    return not statements.is_waiting(session, opened.about.partition(":")[2])


def moved_by(session: Session, entry_id: int, *, account: str, currency: str) -> int | None:
    """What an entry moves on an account in minor units; None when it does not touch it."""
    query = select(func.sum(_LINES.c.minor)).where(
        _LINES.c.entry_id == entry_id, _LINES.c.account_code == account, _LINES.c.currency == currency
    )
    minor = session.exec(query).one()
    return None if minor is None else int(minor)


def explains(session: Session, entry_id: int, *, of: OpenException) -> bool:
    """Whether an entry moves all of a difference on the leaf that it is of."""
    sign = ENTRY_MOVES.get(of.difference)
    if sign is None or of.account_code is None or of.minor is None or of.currency is None:
        return False
    return moved_by(session, entry_id, account=of.account_code, currency=of.currency) == sign * of.minor


def _require_clearable(session: Session, new: NewClearing) -> OpenException:
    if session.get(Clearing, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    if new.note_commitment is not None:
        check_commitment(new.note_commitment)
    if (new.because is Because.BOOKED) != (new.entry_id is not None):
        raise BadClearing("what is booked has its entry, and a dismissal has none", where="entry")
    opened = exceptions.require_open(session, new.exception)
    if opened.difference in BY_MACHINES:
        raise ClosedByMachines("it is closed by what it asks for", difference=opened.difference)
    _require_no_money_waits(session, opened)
    if opened.difference in LOOKED_AT_BY_TWO and new.because is not Because.LOOKED_INTO:
        raise BadClearing("it is closed by looking into it, and by nothing else", where="because")
    if new.entry_id is not None:
        entry = session.get(Entry, new.entry_id)
        if entry is None or entry.recorded_at.date() < opened.opened_on:
            raise BadClearing("no entry since it was opened has this number", where="entry")
        if not explains(session, new.entry_id, of=opened):
            raise BadClearing("the entry does not move the difference on its leaf", where="entry")
        if session.exec(select(Clearing).where(Clearing.entry_id == new.entry_id)).first() is not None:
            raise EntryTaken("the entry explains another exception", entry=new.entry_id)
    return opened


def _require_no_money_waits(session: Session, opened: OpenException) -> None:
    if opened.difference is Difference.MOVEMENT_WAITS:
        raise MovementWaits("a movement at the processor is booked", exception=opened.alias)
    if statements.find_waiting(session, opened.about.partition(":")[2]) is not None:
        raise LineWaits("a line of the bank is answered or matched", exception=opened.alias)


def _concerned(opened: OpenException) -> set[str | None]:
    """Whom an exception is about: they neither dismiss it nor agree."""
    if opened.difference is not Difference.TOO_MANY_READINGS:
        return set()
    return {opened.about.split(":")[1]}


def _is_within(session: Session, opened: OpenException, *, now: datetime) -> bool:
    """Whether the roster lets a treasurer dismiss as much alone, in one act and in a day; silent, it does not."""
    amount = opened.amount()
    if amount is None or opened.difference in LOOKED_AT_BY_TWO:
        return False
    limits = people.current(session).limits
    limit = next((one for one in limits if (one.role, one.currency) == (Role.TREASURER, amount.currency)), None)
    per_act = limit.most("per_act") if limit is not None else None
    if limit is None or per_act is None or abs(amount.minor) > per_act.minor:
        return False
    per_day = limit.most("per_day")
    start = datetime.combine(now.astimezone(UTC).date(), time(), tzinfo=UTC)
    today = select(func.coalesce(func.sum(func.abs(Clearing.minor)), 0)).where(
        Clearing.currency == amount.currency,
        col(Clearing.alone),
        col(Clearing.entry_id).is_(None),
        Clearing.asked_at >= start,
    )
    return per_day is None or int(session.exec(today).one()) + abs(amount.minor) <= per_day.minor


def _accept(session: Session, verb: Verb, said: Clearing, agreed: Agreed) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=said.alias,
        version=1,
        detail=said.because.value,
        amount=said.amount(),
        payee_commitment=commitment_of(said),
        evidence_commitments=[said.note_commitment] if said.note_commitment else [],
    )
