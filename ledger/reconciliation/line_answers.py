"""Answers: what a line of the bank is that waits with an exception. A treasurer says it, signed, and it is booked."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Any

import rfc8785
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel

from ledger import approvals, exceptions, overdrafts
from ledger.approvals import Agreed
from ledger.books.journal import Posted
from ledger.errors import BadInput, Refused
from ledger.giving import cash_deposits, donations, gift_returns
from ledger.giving.payouts import Payout
from ledger.reconciliation import arrivals, issued, statements
from ledger.reconciliation.statements import StatementLine
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime, enumeration
from ledger.treasury import conversion_sides, conversions


class Answer(StrEnum):
    """What a line can be said to be: a gift, a side of a conversion, a payout, cash, or a gift that was called back."""

    GIFT = "gift"
    CONVERSION = "conversion"
    PAYOUT = "payout"
    DEPOSIT = "deposit"
    TAKEN_BACK = "taken_back"


class BadAnswer(BadInput):
    """An answer names what it is about, and a gift is about nothing."""

    rule = "bad_answer"


class LineDiffers(Refused):
    """The bank's line is not what it is said to be."""

    rule = "line_differs"


class LineAnswer(SQLModel, table=True):
    """What somebody has said that a line is; `about` is a conversion, a deposit, a gift, or a payout's id."""

    __tablename__ = "line_answer"
    source_key: str = Field(primary_key=True, foreign_key="statement_line.source_key", max_length=120)
    exception_alias: str = Field(foreign_key="exception.alias", max_length=20)
    answer: Answer = Field(sa_type=enumeration(Answer))
    about: str | None = Field(default=None, max_length=64)
    answered_by: str = Field(max_length=20)
    answered_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (
        CheckConstraint("(answer = 'gift') = (about IS NULL)", name="an_answer_names_what_it_is_about"),
        WITHOUT_ROWID,
    )


def answer(session: Session, exception: str, *, answer: Answer, about: str | None, agreed: Agreed) -> LineAnswer:
    """Books the line that an exception is about as what a treasurer says it is, and resolves the exception.

    A credit that waited because it might have been something else can be a gift: an unidentified one, to be matched. A
    conversion's other side may differ by 5 %; of cash the bank may have counted more or less, then another person than
    who took it says so. A debit that the bank calls a reversal can be a gift that its giver's bank takes back.

    Raises:
        BadAnswer: see there. UnknownException, UnknownConversion, UnknownDeposit, UnknownDonation, and what
        `approvals.accept` raises. UnknownLine: the exception is not about a line that waits. LineDiffers: it is not
        what it is said to be. SamePerson: they took the cash. WrongState, NothingLeft: see the gift. Nothing was
        written.
    """
    if (answer is Answer.GIFT) != (about is None):
        raise BadAnswer("an answer names what it is about, and a gift is about nothing", where="about")
    opened = exceptions.require_open(session, exception)
    line = statements.require_waiting(session, opened.about.partition(":")[2])
    with session.begin_nested(), overdrafts.noted(session, on=agreed.now.date()):  # act and effect, or neither
        approvals.accept(
            session,
            agreed,
            verb="answer_line",
            object_alias=exception,
            version=1,
            detail=answer.value,
            amount=line.amount(),
            payee_commitment=commitment(answer=answer, about=about),
        )
        posted = _BOOK[answer](session, line, about or "", agreed)
        statements.answer(session, line, entry_id=posted.entry_id)
        exceptions.resolve(session, opened, on=agreed.now.date())
        told = LineAnswer(
            source_key=line.source_key,
            exception_alias=exception,
            answer=answer,
            about=about,
            answered_by=agreed.signer.alias,
            answered_at=agreed.now,
        )
        session.add(told)
        session.flush()
    return told


def commitment(*, answer: str, about: str | None) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of the answer and what it is about."""
    return hashlib.sha256(rfc8785.dumps(["answer", str(answer), about])).hexdigest()


def _book_gift(session: Session, line: StatementLine, _about: str, agreed: Agreed) -> Posted:
    if line.minor < 0 or line.reversal or line.reference:
        raise LineDiffers("a gift is a credit without a reference of ours", exception=agreed.act.object)
    _, posted = donations.receive_at_bank(
        session, leaf=line.account_code, gift=line.amount(), reference=None, **_fact(line, agreed)
    )
    return posted


def _book_conversion(session: Session, line: StatementLine, about: str, agreed: Agreed) -> Posted:
    conversion = conversions.require(session, about, lock=True)
    moved = line.amount()
    difference = issued.difference(session, conversion, account=line.account_code, moved=moved, on=line.booked_on)
    if line.reversal or difference is not None or not conversion_sides.is_near(conversion, moved):
        raise LineDiffers("the line is not what the conversion waits for", conversion=about, difference=difference)
    return conversion_sides.book(session, conversion, moved=moved, **_fact(line, agreed))


def _book_payout(session: Session, line: StatementLine, about: str, agreed: Agreed) -> Posted:
    found = {one.id: one for one in arrivals.candidates(session, line) if isinstance(one, Payout)}
    if about not in found:
        raise LineDiffers("the line is not what the payout brings", exception=agreed.act.object)
    posted = arrivals.book(session, found[about], line, recorded_at=agreed.now, recorded_by=agreed.signer.alias)
    exceptions.settle(
        session, exceptions.Difference.AMBIGUOUS_PAYOUT, about=found[about].source_key, on=agreed.now.date()
    )
    return posted


def _book_deposit(session: Session, line: StatementLine, about: str, agreed: Agreed) -> Posted:
    deposit = cash_deposits.require(session, about, lock=True)
    approvals.require_other(agreed.signer.alias, than={deposit.taken_by})
    if line.minor < 0 or line.reversal or (line.account_code, line.currency) != (deposit.target_code, deposit.currency):
        raise LineDiffers("the line is not what the cash brings", deposit=about)
    return cash_deposits.book(session, deposit, came=line.amount(), **_fact(line, agreed))


def _book_taken_back(session: Session, line: StatementLine, about: str, agreed: Agreed) -> Posted:
    gift = donations.require(session, about)
    if line.minor > 0 or not line.reversal or line.currency != gift.currency:
        raise LineDiffers("a gift is called back by a debit that is a reversal", donation=about)
    return gift_returns.take_back(session, gift, -line.amount(), leaf=line.account_code, **_fact(line, agreed))


def _fact(line: StatementLine, agreed: Agreed) -> dict[str, Any]:
    return {
        "source_key": line.source_key,
        "on": line.booked_on,
        "recorded_at": agreed.now,
        "recorded_by": agreed.signer.alias,
    }


_BOOK = {
    Answer.GIFT: _book_gift,
    Answer.CONVERSION: _book_conversion,
    Answer.PAYOUT: _book_payout,
    Answer.DEPOSIT: _book_deposit,
    Answer.TAKEN_BACK: _book_taken_back,
}
"""What each answer books."""
