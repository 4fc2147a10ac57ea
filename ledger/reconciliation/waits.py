"""Waits: what a treasurer can be asked about: lines of the bank and movements by their exception, refunds, disputes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlmodel import Session

from ledger import exceptions
from ledger.aliases import Kind, kind_of
from ledger.errors import BadInput
from ledger.exceptions import Difference, OpenException
from ledger.giving import disputes
from ledger.giving.disputes import Dispute
from ledger.giving.movements import ReceivedMovement
from ledger.money import Money
from ledger.reconciliation import pairings, statements
from ledger.reconciliation.statements import StatementLine

OF_LINES = frozenset(
    {
        Difference.AMBIGUOUS_PAYOUT,
        Difference.AMOUNT_DIFFERS,
        Difference.NOT_RELEASED,
        Difference.PAYMENT_RETURNED,
        Difference.PERHAPS_BOOKED,
        Difference.PERHAPS_TOLD_TWICE,
        Difference.REVERSAL,
        Difference.SEVERAL_PAYMENTS,
        Difference.UNBOOKED,
        Difference.UNMATCHED_DEBIT,
    }
)
"""The differences that may be about one line of the bank."""


class Thing(StrEnum):
    """What waits: a line of the bank or a movement at the processor, by its exception; else by its own alias."""

    CREDIT = "credit"
    DEBIT = "debit"
    MOVEMENT = "movement"
    OBLIGATION = "obligation"
    DISPUTE = "dispute"


class BadResolution(BadInput):
    """What cannot be said of this; `where` tells the part."""

    rule = "bad_resolution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits: what it `moved`, above zero when it came in, on which day, and the source key of such a fact.

    `of` is a movement's balance transaction, or a dispute's gift.
    """

    thing: Thing
    moved: Money
    on: date
    source_key: str | None
    line: StatementLine | None = None
    of: str | None = None


def find(session: Session, about: str, *, settles: Money | None, on: date) -> Waiting:
    """What an alias is of, which waits; nobody else says anything of it meanwhile. `on` dates what nothing else does.

    Raises:
        UnknownException, UnknownLine, UnknownDispute, DisputeIsDecided: see there. BadResolution: it is about nothing
        of these, or of a refund nothing `settles`.
    """
    kind = kind_of(about)
    if kind is Kind.OBLIGATION:
        if settles is None:
            raise BadResolution("of a refund it is said how much", where="settles")
        return Waiting(thing=Thing.OBLIGATION, moved=settles, on=on, source_key=None)
    if kind is Kind.DISPUTE:
        return _of_dispute(session, disputes.require_open(session, about), on=on)
    opened = exceptions.require_open(session, about)
    if opened.difference is Difference.MOVEMENT_WAITS:
        return _of_movement(session, opened)
    if opened.difference not in OF_LINES:
        raise BadResolution("the exception is about no line", where="about")
    return _of_line(session, statements.require_waiting(session, _key(opened)))


def listed(session: Session, *, on: date) -> Iterator[tuple[str, Waiting, OpenException | None]]:
    """What waits, by its alias and with its exception, oldest first, but refunds. Nothing is locked."""
    for opened in exceptions.listed(session):
        if opened.difference is Difference.MOVEMENT_WAITS:
            yield opened.alias, _of_movement(session, opened), opened
        elif opened.difference in OF_LINES:
            line = line_of(session, opened)
            if line is not None:
                yield opened.alias, _of_line(session, line), opened
    for one in disputes.listed(session):
        if one.state is disputes.State.OPEN:
            yield one.alias, _of_dispute(session, one, on=on), None


def line_of(session: Session, opened: OpenException) -> StatementLine | None:
    """The line of the bank that an exception is about, if it waits. Nothing is locked."""
    return statements.find_waiting(session, _key(opened), lock=False) if opened.difference in OF_LINES else None


def _of_line(session: Session, line: StatementLine) -> Waiting:
    thing = Thing.DEBIT if line.minor < 0 else Thing.CREDIT
    source_key = pairings.booking_key(session, line.source_key)
    return Waiting(thing=thing, moved=line.amount(), on=line.booked_on, source_key=source_key, line=line)


def _of_movement(session: Session, opened: OpenException) -> Waiting:
    _, transaction, gross = _key(opened).split(":")
    row = session.get_one(ReceivedMovement, (transaction, int(gross)))
    moved = Money(row.gross_minor, row.currency)
    return Waiting(thing=Thing.MOVEMENT, moved=moved, on=row.created_on, source_key=_key(opened), of=transaction)


def _of_dispute(session: Session, dispute: Dispute, *, on: date) -> Waiting:
    source_key = disputes.lost_key(session, dispute)
    gift = dispute.donation_alias
    return Waiting(thing=Thing.DISPUTE, moved=dispute.outstanding(), on=on, source_key=source_key, of=gift)


def _key(opened: OpenException) -> str:
    return opened.about.partition(":")[2]
