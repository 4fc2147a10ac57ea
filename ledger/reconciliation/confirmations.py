"""Confirmations: a return that the bank shows and nobody expected so, booked on a second person's signature."""

import hashlib
from contextlib import suppress

from sqlmodel import Session

from ledger import approvals, exceptions, overdrafts
from ledger.aid import returns
from ledger.aid.returns import Return
from ledger.approvals import Agreed
from ledger.errors import Refused
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation import statements
from ledger.reconciliation.statements import StatementLine, UnknownLine


class NoReturn(Refused):
    """The exception is not about a line that can be an announced return."""

    rule = "no_return"


def confirm_return(session: Session, exception: str, agreed: Agreed) -> Return:
    """Books the line that an exception is about as the return whose reference it carries, and resolves the exception.

    For one that came far from the rate of the day, or after its announcement was withdrawn. What the purse has not any
    more was the agent's own.

    Raises:
        UnknownException, UnknownLine, NoReturn: see there. SamePerson: who announced or withdrew it.
        AdvanceNotReady: it was received before. And what `approvals.accept` raises. Nothing was written.
    """
    opened = exceptions.require_open(session, exception)
    line, announced = find(session, opened.about)
    approvals.require_other(agreed.signer.alias, than={announced.announced_by, announced.withdrawn_by})
    today = agreed.now.date()
    with session.begin_nested(), overdrafts.noted(session, on=today):
        approvals.accept(
            session,
            agreed,
            verb="confirm_return",
            object_alias=exception,
            version=1,
            amount=line.amount(),
            payee_commitment=commitment(advance=announced.advance_alias, stands_for=announced.amount()),
        )
        posted = returns.receive(
            session,
            announced,
            source_key=line.source_key,
            leaf=line.account_code,
            came=line.amount(),
            on=line.booked_on,
            recorded_at=agreed.now,
            recorded_by=agreed.signer.alias,
        )
        statements.answer(session, line, entry_id=posted.entry_id)
        exceptions.resolve(session, opened, on=today)
    return announced


def find(session: Session, about: str) -> tuple[StatementLine, Return]:
    """The line that an exception is about, and the return it can be.

    Raises:
        UnknownLine: no line that waits. NoReturn: it carries the reference of none, or money left.
    """
    line = statements.require_waiting(session, about.partition(":")[2])
    announced = returns.by_reference(session, line.reference) if line.reference else None
    same_other = announced is not None and line.currency == announced.currency and line.minor != announced.minor
    if announced is None or line.minor <= 0 or line.reversal or same_other:
        raise NoReturn("the exception is not about a line that can be an announced return")
    return line, announced


def waiting(session: Session) -> list[tuple[OpenException, StatementLine, Return]]:
    """The differences that a second person may confirm as returns, oldest first."""
    found = []
    for opened in exceptions.listed(session):
        if opened.difference in {Difference.AMOUNT_DIFFERS, Difference.NOT_RELEASED}:
            with suppress(NoReturn, UnknownLine):
                line, announced = find(session, opened.about)
                if announced.received_on is None:
                    found.append((opened, line, announced))
    return found


def commitment(*, advance: str, stands_for: Money) -> str:
    """What an act restates beside the amount that came: SHA-256 of advance and what it stands for in the purse."""
    return hashlib.sha256(f"{advance} {stands_for.decimal()} {stands_for.currency}".encode()).hexdigest()
