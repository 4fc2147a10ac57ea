"""Arrivals: payouts and top-ups as the bank shows them, whichever of bank and processor tells first."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from ledger import exceptions
from ledger.books import journal
from ledger.exceptions import Difference, OpenException
from ledger.giving import payouts, sightings, top_up_reversals
from ledger.giving.payouts import Payout, TopUp
from ledger.reconciliation import crossings, pairings, statements
from ledger.reconciliation.statements import StatementLine

_MAY_BE = (Difference.AMBIGUOUS_PAYOUT, Difference.UNMATCHED_DEBIT, Difference.REVERSAL)
"""The differences of lines that a payout or a top-up may turn out to be."""


def candidates(session: Session, line: StatementLine) -> list[Payout | TopUp]:
    """What a line without a reference of ours can be: a payout that arrives or goes back, or a top-up that leaves.

    A line that names a payout can be no other.
    """
    found = _of_its_amount(session, line)
    return [one for one in found if line.payout in {None, payouts.digest(one.id)}]


def _of_its_amount(session: Session, line: StatementLine) -> list[Payout | TopUp]:
    if line.reference:
        return []
    if line.minor > 0:
        if line.reversal:
            return []
        facts: dict[str, Any] = {"amount": line.amount(), "on": line.booked_on}
        return [*sightings.candidates(session, **facts), *top_up_reversals.candidates(session, **facts)]
    sent = -line.amount()
    found: list[Payout | TopUp] = [
        *sightings.returning(session, amount=sent, on=line.booked_on, reversal=line.reversal)
    ]
    return found if line.reversal else [*found, *sightings.leaving(session, amount=sent, on=line.booked_on)]


def is_told_of(session: Session, line: StatementLine) -> bool:
    """Whether a credit names a payout, or the processor has told of one that it may be.

    That one waits to be booked, or crosses currencies.
    """
    if line.reference or line.reversal or line.minor <= 0:
        return False
    if line.payout is not None:
        return True
    return sightings.waiting(session, amount=line.amount(), on=line.booked_on) or crossings.may_be(session, line)


def book(
    session: Session, found: Payout | TopUp, line: StatementLine, *, recorded_at: datetime, recorded_by: str
) -> journal.Posted:
    """Books the line as the one thing that it can be."""
    facts: dict[str, Any] = {
        "source_key": pairings.booking_key(session, line.source_key),
        "bank": line.account_code,
        "on": line.booked_on,
        "recorded_at": recorded_at,
        "recorded_by": recorded_by,
    }
    if isinstance(found, TopUp) and line.minor > 0:
        return top_up_reversals.take_back(session, found, **facts)
    if isinstance(found, TopUp):
        return payouts.send(session, found, **facts)
    if line.minor < 0:
        return payouts.pull_back(session, found, **facts)
    for difference in (Difference.AMBIGUOUS_PAYOUT, Difference.PAYOUT_NOT_SEEN):
        exceptions.settle(session, difference, about=found.source_key, on=recorded_at.date())
    return payouts.arrive(session, found, **facts)


def look_again(session: Session, *, recorded_at: datetime, recorded_by: str) -> int:
    """Books the bank's lines that waited for the processor's side, and closes their exceptions; gives how many."""
    booked = 0
    query = select(OpenException).where(
        col(OpenException.resolved_on).is_(None), col(OpenException.difference).in_(_MAY_BE)
    )
    for opened in sorted(session.exec(query), key=lambda one: one.about):
        line = statements.find_waiting(session, opened.about.partition(":")[2])
        if line is None:
            continue
        found = candidates(session, line)
        if len(found) == 1:
            posted = book(session, found[0], line, recorded_at=recorded_at, recorded_by=recorded_by)
            statements.answer(session, line, entry_id=posted.entry_id)
            exceptions.resolve(session, opened, on=recorded_at.date())
            booked += 1
    return booked


def tell_overdue(session: Session, *, on: date) -> None:
    """Opens an exception for each payout that the bank should have shown: its statements go beyond the longest way."""
    waiting = sightings.overdue(session, on=on)
    currencies = {payout.arriving().currency for payout in waiting}
    closed = {currency: statements.newest_closing(session, currency=currency) for currency in currencies}
    for payout in waiting:
        shown_until = closed[payout.arriving().currency]
        if shown_until is None or shown_until <= payout.created_on + payouts.LONGEST_WAY:
            continue
        exceptions.open_once(
            session,
            difference=Difference.PAYOUT_NOT_SEEN,
            account=payout.transit_code,
            about=payout.source_key,
            amount=payout.amount(),
            on=on,
        )
