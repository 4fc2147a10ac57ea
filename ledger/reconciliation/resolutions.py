"""Resolutions: what a treasurer says of what waits, and who agrees: a line, a movement, a refund, a dispute.

Which answer may be given to what, and whether one signature suffices, is the table of `answers`.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, func, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals, exceptions, limits, overdrafts
from ledger.aid import cases, corrections, obligations
from ledger.approvals import Agreed, Verb
from ledger.errors import Conflict, NotFound
from ledger.money import Money
from ledger.reconciliation import aid_answers, answers, giving_answers, statements, waits
from ledger.reconciliation.answers import RULES, Answer, Because, Question, magnitude
from ledger.reconciliation.waits import BadResolution, Thing, Waiting
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

_OF_ANYTHING = frozenset({Answer.UNIDENTIFIED, Answer.TOLD_TWICE})
"""What may be said of a line whatever its reference was drawn for."""
_BOOKS = {**aid_answers.BOOKS, **giving_answers.BOOKS}


class UnknownResolution(NotFound):
    """Nothing was said about it that waits for a second person."""

    rule = "unknown_resolution"


class ResolutionReplaced(Conflict):
    """Something else was said since: the newest is agreed to, or nothing."""

    rule = "resolution_replaced"


OF_TWO = "NOT alone"
"""What an index and the questions that it answers say alike of what takes a second person."""


class Resolution(SQLModel, table=True):
    """What a treasurer says, by number from 1 for each `about`: the alias of an exception, an obligation or a dispute.

    `of` is what the answer names. `minor` is what moved, above zero when it came in, or what is said of a refund;
    `settles_minor` is how much of the thing it settles. `source_key` is that of the entry that books it; it is booked
    at once when `alone`, else when somebody agrees. Rows are only added.
    """

    about: str = Field(primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    answer: Answer = Field(sa_type=enumeration(Answer))
    of: str | None = Field(default=None, max_length=64)
    because: Because | None = Field(default=None, sa_type=enumeration(Because))
    source_key: str = Field(max_length=120, index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    settles_minor: int = Field(sa_type=MinorUnits)
    settles_currency: str = Field(max_length=3)
    happened_on: date | None = None
    alone: bool
    asked_by: str = Field(max_length=20)
    asked_on: date

    __table_args__ = (
        Index("resolutions_of_two", "asked_on", "about", sqlite_where=text(OF_TWO), postgresql_where=text(OF_TWO)),
        CheckConstraint("minor <> 0 AND settles_minor > 0", name="resolution_is_about_money"),
        CheckConstraint("alone = (because IS NULL)", name="two_people_have_a_reason"),
        *whole_minor("minor", "settles_minor"),
        WITHOUT_ROWID,
    )

    def amount(self) -> Money:
        """What moved: above zero when it came in."""
        return Money(self.minor, self.currency)

    def settles(self) -> Money:
        """How much of the thing is settled by it."""
        return Money(self.settles_minor, self.settles_currency)


class ResolutionAgreement(SQLModel, table=True):
    """That another person agrees to what was said, which is booked with it. Rows are only added."""

    __tablename__ = "resolution_agreement"
    about: str = Field(primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    agreed_by: str = Field(max_length=20)
    agreed_on: date

    __table_args__ = (
        ForeignKeyConstraint(["about", "number"], ["resolution.about", "resolution.number"]),
        WITHOUT_ROWID,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResolution:
    """What is said: about what, the answer, of what, why; it settles all that moved unless told.

    `happened_on` is the day of what no line and no movement dates: that a dispute was lost.
    """

    about: str
    answer: Answer
    of: str | None = None
    settles: Money | None = None
    because: Because | None = None
    happened_on: date | None = None


def request(session: Session, new: NewResolution, agreed: Agreed) -> Resolution:
    """Says what it is, in place of what was said before. Where one signature suffices, it is booked.

    What could not be booked so is refused now.

    Raises:
        UnknownException, UnknownLine, UnknownDispute, DisputeIsDecided, BadResolution, ResolutionReplaced, and what
        booking it and `approvals.accept` raise. Nothing was written.
    """
    said, waiting = draft(session, new, by=agreed.signer.alias, on=agreed.now.date())
    if said.alone:
        with session.begin_nested(), overdrafts.noted(session, on=said.asked_on):  # act and effect, or neither
            _accept(session, agreed, verb_of_request(said), said)
            session.add(said)
            session.flush()
            _book(session, said, waiting, agreed)
        return said
    with session.begin_nested() as trial:
        _answer(session, said, waiting, agreed)
        trial.rollback()
    try:
        with session.begin_nested():
            _accept(session, agreed, verb_of_request(said), said)
            session.add(said)
            session.flush()
    except IntegrityError:  # on PostgreSQL somebody else said something of the same refund at once
        raise ResolutionReplaced("something else was said since", number=said.number) from None
    return said


def agree(session: Session, about: str, agreed: Agreed) -> Resolution:
    """Agrees, as another person: it is booked as what was said, and its exception closed.

    What is given up is approved like assistance: by who neither entered nor verified the case, within the limits of the
    role, and above the limit for a third person by two.

    Raises:
        UnknownResolution, ResolutionReplaced, SamePerson, OverLimit, and what `request` raises. Nothing was written.
    """
    said = newest(session, about)
    _require_seen(session, agreed, about)
    approvals.require_other(agreed.signer.alias, than=_earlier(session, said))
    waiting = _waiting(session, said, agreed)
    _require_seen(session, agreed, about)  # on PostgreSQL, who was saying something else had what waits until now
    verb = verb_of(said)
    with session.begin_nested(), overdrafts.noted(session, on=agreed.now.date()):
        limits.require_within(session, agreed, verb=verb, object_alias=about, amount=said.settles())
        _accept(session, agreed, verb, said)
        if verb != "agree_loss" or limits.is_enough(session, agreed):
            _book(session, said, waiting, agreed)
            told = ResolutionAgreement(
                about=about, number=said.number, agreed_by=agreed.signer.alias, agreed_on=agreed.now.date()
            )
            session.add(told)
            session.flush()
    return said


def draft(session: Session, new: NewResolution, *, by: str, on: date) -> tuple[Resolution, Waiting]:
    """What would be said, unwritten, and what it is about.

    Raises:
        UnknownException, UnknownLine, UnknownDispute, DisputeIsDecided, BadResolution: see there.
    """
    waiting = waits.find(session, new.about, settles=new.settles, on=new.happened_on or on)
    rule = RULES[new.answer]
    settles = new.settles or magnitude(waiting.moved)
    alone = answers.suffices(new.answer, moved=waiting.moved, settles=settles)
    for where, fits in (
        ("answer", waiting.thing in rule.of),
        ("of", (new.of is None) == (rule.names is None)),
        ("settles", settles.minor > 0 and waiting.moved.minor != 0),
        ("because", alone == (new.because is None)),
        ("happened_on", (waiting.thing is Thing.DISPUTE) == (new.happened_on is not None)),
    ):
        if not fits:
            raise BadResolution("this is not said of it, or not so", where=where)
    number = _count(session, new.about) + 1
    said = Resolution(
        about=new.about,
        number=number,
        answer=new.answer,
        of=new.of,
        because=new.because,
        source_key=waiting.source_key or f"resolution:{new.about}:{number}",
        minor=waiting.moved.minor,
        currency=waiting.moved.currency,
        settles_minor=settles.minor,
        settles_currency=settles.currency,
        happened_on=new.happened_on,
        alone=alone,
        asked_by=by,
        asked_on=on,
    )
    return said, waiting


def newest(session: Session, about: str) -> Resolution:
    """What was said last, and waits; two who agree take turns.

    Raises:
        UnknownResolution: nothing was, or it is booked.
    """
    query = select(Resolution).where(Resolution.about == about).order_by(col(Resolution.number).desc()).limit(1)
    found = session.exec(locked(query)).first()
    if found is None or found.alone or agreement_of(session, found) is not None:
        raise UnknownResolution("nothing was said of it that waits", about=about)
    return found


def agreement_of(session: Session, said: Resolution) -> ResolutionAgreement | None:
    """Who agreed, if somebody did."""
    return session.get(ResolutionAgreement, (said.about, said.number), populate_existing=True)


def listed(session: Session) -> list[tuple[Resolution, ResolutionAgreement | None]]:
    """All that was said, the oldest first, and who agreed."""
    both = (col(ResolutionAgreement.about) == Resolution.about) & (ResolutionAgreement.number == Resolution.number)
    found = session.exec(select(Resolution, ResolutionAgreement).join(ResolutionAgreement, both, isouter=True))
    pairs = [(said, agreement) for said, agreement in found]
    return sorted(pairs, key=lambda pair: (pair[0].asked_on, pair[0].about, pair[0].number))


def count_accepted_early(session: Session, *, until: date) -> int:
    """How many payments left before their release and were accepted by the end of a day: failures of control."""
    early = [said for said, told in listed(session) if told is not None and told.agreed_on <= until]
    return sum(said.answer is Answer.PAYMENT for said in early)


def commitment_of(said: Resolution) -> str:
    """The commitment of what was said."""
    return answers.commitment(
        answer=said.answer, of=said.of, settles=said.settles(), because=said.because, happened_on=said.happened_on
    )


def restated_by(said: Resolution) -> Money:
    """What an act about it restates: what moved, and, for one person alone, which way."""
    return said.amount() if said.alone else magnitude(said.amount())


def verb_of_request(said: Resolution) -> Verb:
    """The verb by which a treasurer says it."""
    return "answer_line" if said.alone else "request_resolution"


def verb_of(said: Resolution) -> Verb:
    """The verb by which a second person agrees."""
    return "agree_loss" if said.answer is Answer.GIVEN_UP else "agree_resolution"


def _require_seen(session: Session, agreed: Agreed, about: str) -> None:
    number = _count(session, about)
    if agreed.act.version != number:
        raise ResolutionReplaced("something else was said since", number=number)


def _count(session: Session, about: str) -> int:
    return session.exec(select(func.count()).where(Resolution.about == about)).one()


def _book(session: Session, said: Resolution, waiting: Waiting, agreed: Agreed) -> None:
    entry_id = _answer(session, said, waiting, agreed)
    if waiting.line is not None:
        if said.answer is not Answer.TOLD_TWICE:
            statements.answer(session, waiting.line, entry_id=entry_id)
        exceptions.resolve(session, exceptions.require_open(session, said.about), on=agreed.now.date())


def _answer(session: Session, said: Resolution, waiting: Waiting, agreed: Agreed) -> int:
    """Books it; gives the number of the entry that answers a line."""
    asked = Question(
        answer=said.answer,
        about=said.about,
        of=said.of or "",
        settles=said.settles(),
        source_key=said.source_key,
        waiting=waiting,
        recorded_at=agreed.now,
        recorded_by=agreed.signer.alias,
        rightly_kept=said.because is Because.DECIDED_SO,
    )
    if waiting.line is not None and said.answer not in _OF_ANYTHING:
        aid_answers.require_same_thing(session, asked)
    return _BOOKS[said.answer](session, asked)


def _waiting(session: Session, said: Resolution, agreed: Agreed) -> Waiting:
    return waits.find(session, said.about, settles=said.settles(), on=said.happened_on or agreed.now.date())


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
        amount=restated_by(said),
        payee_commitment=commitment_of(said),
    )
