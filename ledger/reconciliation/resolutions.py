"""Resolutions: what a line of the bank is that answers nothing by itself, or what a refund has become, by two people.

A treasurer says it, an approver agrees, and the line is booked as that. See docs/payments-that-come-back.md for what
each answer does.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import rfc8785
from sqlalchemy import CheckConstraint, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals, exceptions, limits, overdrafts
from ledger.aid import cases, corrections, obligations
from ledger.aliases import Kind, kind_of
from ledger.approvals import Agreed, Verb
from ledger.errors import Conflict, NotFound
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation import answers, statements
from ledger.reconciliation.answers import Answer, BadResolution, Question
from ledger.reconciliation.statements import StatementLine
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

RESOLVABLE = frozenset(
    {
        Difference.AMOUNT_DIFFERS,
        Difference.NOT_RELEASED,
        Difference.PAYMENT_RETURNED,
        Difference.REVERSAL,
        Difference.UNMATCHED_DEBIT,
    }
)
"""The differences that are about one line of the bank."""


class Because(StrEnum):
    """Why, in a word that is counted."""

    SENT_BY_HAND = "sent_by_hand"
    DATED_EARLIER = "dated_earlier"
    SENT_BACK = "sent_back"
    FEE_TAKEN = "fee_taken"
    DECIDED_SO = "decided_so"
    IN_ERROR = "in_error"
    UNCOLLECTABLE = "uncollectable"


class UnknownResolution(NotFound):
    """Nothing was said about it that waits for a second person."""

    rule = "unknown_resolution"


class ResolutionReplaced(Conflict):
    """Something else was said since: the newest is agreed to, or nothing."""

    rule = "resolution_replaced"


class Resolution(SQLModel, table=True):
    """What a treasurer says, by number from 1 for each `about`: the alias of an exception, or of an obligation.

    `of` is the alias of a payment or of an obligation, or the reference of a refund. `minor` is what the line moved, or
    what is said of a refund; `settles_minor` is how much of the thing it settles.
    """

    about: str = Field(primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    answer: Answer = Field(sa_type=enumeration(Answer))
    of: str = Field(max_length=25)
    because: Because = Field(sa_type=enumeration(Because))
    source_key: str | None = Field(default=None, foreign_key="statement_line.source_key", max_length=120, index=True)
    minor: int = Field(sa_type=MinorUnits)
    settles_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    asked_by: str = Field(max_length=20)
    asked_on: date
    agreed_by: str | None = Field(default=None, max_length=20)
    agreed_on: date | None = None

    __table_args__ = (
        CheckConstraint("minor > 0 AND settles_minor > 0", name="resolution_is_above_zero"),
        CheckConstraint("agreed_by <> asked_by", name="resolution_is_of_two_people"),
        CheckConstraint("(agreed_by IS NULL) = (agreed_on IS NULL)", name="resolution_is_agreed_on_a_day"),
        *whole_minor("minor", "settles_minor"),
    )

    def amount(self) -> Money:
        """What moved."""
        return Money(self.minor, self.currency)

    def settles(self) -> Money:
        """How much of the thing is settled by it."""
        return Money(self.settles_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResolution:
    """What is said: `about` an exception's line, or about a refund of an obligation."""

    about: str
    answer: Answer
    of: str
    settles: Money
    because: Because


def request(session: Session, new: NewResolution, agreed: Agreed) -> Resolution:
    """Says what it is, in place of what was said before. What could not be booked so is refused now.

    Raises:
        UnknownException, UnknownLine, BadResolution, ResolutionReplaced, and what booking it and `approvals.accept`
        raise. Nothing was written.
    """
    line = _line_about(session, new)
    moved = new.settles if line is None else abs_of(line.amount())
    if new.settles.currency != moved.currency or new.settles.minor <= 0:
        raise BadResolution("what is settled is above zero, in the currency of the line", where="settles")
    number = session.exec(select(func.count()).where(Resolution.about == new.about)).one() + 1
    said = Resolution(
        about=new.about,
        number=number,
        answer=new.answer,
        of=new.of,
        because=new.because,
        source_key=line.source_key if line is not None else None,
        minor=moved.minor,
        settles_minor=new.settles.minor,
        currency=moved.currency,
        asked_by=agreed.signer.alias,
        asked_on=agreed.now.date(),
    )
    with session.begin_nested() as trial:
        answers.book(session, _question(said, line, agreed))
        trial.rollback()
    try:
        with session.begin_nested():
            _accept(session, agreed, "request_resolution", said)
            session.add(said)
            session.flush()
    except IntegrityError:  # on PostgreSQL somebody else said something of the same refund at once
        raise ResolutionReplaced("something else was said since", number=number) from None
    return said


def agree(session: Session, about: str, agreed: Agreed) -> Resolution:
    """Agrees, as another person: the line is booked as what was said, and its exception closed.

    What is given up is approved like assistance: by who neither entered nor verified the case, within the limits of the
    role, and above the limit for a third person by two.

    Raises:
        UnknownResolution, ResolutionReplaced, SamePerson, OverLimit, and what `request` raises.
    """
    said = newest(session, about)
    if agreed.act.version != said.number:
        raise ResolutionReplaced("something else was said since", number=said.number)
    approvals.require_other(agreed.signer.alias, than=_earlier(session, said))
    line = _line_about(session, said)
    verb = verb_of(said)
    with session.begin_nested(), overdrafts.noted(session, on=agreed.now.date()):
        limits.require_within(session, agreed, verb=verb, object_alias=about, amount=said.settles())
        _accept(session, agreed, verb, said)
        if verb != "agree_loss" or limits.is_enough(session, agreed):
            _book(session, said, line, agreed)
    return said


def moved_by(session: Session, new: NewResolution) -> Money:
    """What an act about it restates: what the line moved, whichever way, or what is said of a refund.

    Raises:
        UnknownException, UnknownLine, BadResolution: see there.
    """
    line = _line_about(session, new)
    return new.settles if line is None else abs_of(line.amount())


def newest(session: Session, about: str) -> Resolution:
    """What was said last, and waits; two who agree take turns.

    Raises:
        UnknownResolution: nothing was, or it was agreed to.
    """
    query = select(Resolution).where(Resolution.about == about).order_by(col(Resolution.number).desc()).limit(1)
    found = session.exec(locked(query)).first()
    if found is None or found.agreed_by is not None:
        raise UnknownResolution("nothing was said of it that waits", about=about)
    return found


def waiting(session: Session) -> list[tuple[OpenException, StatementLine, str | None]]:
    """The lines of the bank of which two people may say what they are, oldest first, and what their reference is of."""
    found = []
    for opened in exceptions.listed(session):
        if opened.difference in RESOLVABLE:
            line = statements.find_waiting(session, opened.about.partition(":")[2], lock=False)
            if line is not None:
                found.append((opened, line, answers.name_drawn_for(session, line.reference)))
    return found


def listed(session: Session) -> list[Resolution]:
    """All that was said, the oldest first."""
    found = session.exec(select(Resolution))
    return sorted(found, key=lambda one: (one.asked_on, one.about, one.number))


def count_accepted_early(session: Session, *, until: date) -> int:
    """How many payments left before their release and were accepted by the end of a day: failures of control."""
    query = select(func.count()).select_from(Resolution)
    return session.exec(query.where(Resolution.answer == Answer.PAYMENT, col(Resolution.agreed_on) <= until)).one()


def commitment(*, answer: str, of: str, settles: Money, because: str) -> str:
    """What an act restates beside what moved: SHA-256 over the canonical JSON of all that is said."""
    return hashlib.sha256(rfc8785.dumps([answer, of, settles.decimal(), settles.currency, because])).hexdigest()


def commitment_of(said: Resolution) -> str:
    """The commitment of what was said."""
    return commitment(answer=said.answer, of=said.of, settles=said.settles(), because=said.because)


def verb_of(said: Resolution) -> Verb:
    """The verb by which a second person agrees."""
    return "agree_loss" if said.answer is Answer.GIVEN_UP else "agree_resolution"


def abs_of(money: Money) -> Money:
    """What moved, whichever way."""
    return Money(abs(money.minor), money.currency)


def _book(session: Session, said: Resolution, line: StatementLine | None, agreed: Agreed) -> None:
    today = agreed.now.date()
    entry_id = answers.book(session, _question(said, line, agreed))
    if line is not None:
        statements.answer(session, line, entry_id=entry_id)
        exceptions.resolve(session, exceptions.require_open(session, said.about), on=today)
    said.agreed_by, said.agreed_on = agreed.signer.alias, today
    session.add(said)
    session.flush()


def _line_about(session: Session, said: NewResolution | Resolution) -> StatementLine | None:
    """The line that an exception is about, which waits; None for what is said of a refund."""
    if (kind_of(said.about) is Kind.OBLIGATION) != (said.answer in answers.WITHOUT_LINE):
        raise BadResolution("this is said of another thing", where="answer")
    if said.answer in answers.WITHOUT_LINE:
        return None
    opened = exceptions.require_open(session, said.about)
    if opened.difference not in RESOLVABLE:
        raise BadResolution("the exception is about no line", where="about")
    return statements.require_waiting(session, opened.about.partition(":")[2])


def _question(said: Resolution, line: StatementLine | None, agreed: Agreed) -> Question:
    return Question(
        answer=said.answer,
        of=said.of,
        obligation=said.about,
        settles=said.settles(),
        line=line,
        source_key=line.source_key if line is not None else f"resolution:{said.about}:{said.number}",
        on=line.booked_on if line is not None else agreed.now.date(),
        recorded_at=agreed.now,
        recorded_by=agreed.signer.alias,
        rightly_kept=said.because is Because.DECIDED_SO,
    )


def _earlier(session: Session, said: Resolution) -> set[str | None]:
    """Who does not agree to it: who said it, and of what is given up who brought the case in."""
    if said.answer is not Answer.GIVEN_UP:
        return {said.asked_by}
    case = cases.require(session, obligations.require(session, said.about).case_alias)
    return {said.asked_by, case.verified_by, *corrections.authors_of(session, [case])[case.alias]}


def _accept(session: Session, agreed: Agreed, verb: Verb, said: Resolution) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=said.about,
        version=said.number,
        detail=said.answer,
        amount=said.amount(),
        payee_commitment=commitment_of(said),
    )
