"""Sightings: which payouts and top-ups a line of the bank can be, and which it should have shown by now."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from ledger.giving.bookings import Booking
from ledger.giving.bookings import State as BookingState
from ledger.giving.movements import Category, ReceivedMovement
from ledger.giving.payouts import LONGEST_WAY, Payout, State, TopUp
from ledger.money import Money
from ledger.storage.locks import locked


def candidates(session: Session, *, amount: Money, on: date) -> list[Payout]:
    """The payouts that a credit of this amount on this day can be, also those that the processor took back since.

    Of those under one id it is the newest: one that failed before it may never have come to the bank.
    """
    query = select(Payout).where(
        Payout.state != State.PAID,
        col(Payout.paid_on).is_(None),
        _arriving_as(amount),
        col(Payout.created_on) <= on,
        col(Payout.created_on) >= on - LONGEST_WAY,
    )
    return list({one.source: one for one in _in_order(session.exec(locked(query)))}.values())


def returning(session: Session, *, amount: Money, on: date, reversal: bool) -> list[Payout]:
    """The payouts that a debit of this amount can be the end of: those that failed, and by a `reversal` any.

    Of those under one id it is the oldest.
    """
    query = select(Payout).where(
        col(Payout.paid_on).is_not(None), col(Payout.pulled_back_on).is_(None), _arriving_as(amount)
    )
    query = query.where(col(Payout.paid_on) <= on)
    if not reversal:
        query = query.where(Payout.state == State.FAILED)
    oldest_last = reversed(_in_order(session.exec(locked(query))))
    return _in_order({one.source: one for one in oldest_last}.values())


def leaving(session: Session, *, amount: Money, on: date) -> list[TopUp]:
    """The top-ups that a debit of this amount on this day can be."""
    query = select(TopUp).where(
        col(TopUp.sent_on).is_(None),
        TopUp.minor == amount.minor,
        TopUp.currency == amount.currency,
        col(TopUp.arrived_on) >= on - LONGEST_WAY,
        col(TopUp.arrived_on) <= on + LONGEST_WAY,
    )
    return sorted(session.exec(locked(query)), key=lambda one: (one.arrived_on, one.id))


def waiting(session: Session, *, amount: Money, on: date) -> bool:
    """Whether a payout of this amount is told and waits to be booked: a credit may be it, and is no gift then."""
    arriving = and_(
        col(ReceivedMovement.arriving_minor) == amount.minor,
        col(ReceivedMovement.arriving_currency) == amount.currency,
    )
    plain = and_(
        col(ReceivedMovement.arriving_minor).is_(None),
        col(ReceivedMovement.gross_minor) == -amount.minor,
        col(ReceivedMovement.currency) == amount.currency,
    )
    same = and_(
        col(Booking.balance_transaction) == ReceivedMovement.balance_transaction,
        col(Booking.gross_minor) == ReceivedMovement.gross_minor,
    )
    query = (
        select(ReceivedMovement.balance_transaction)
        .join(Booking, same)
        .where(
            Booking.state == BookingState.WAITING,
            ReceivedMovement.category == Category.PAYOUT,
            or_(arriving, plain),
            col(ReceivedMovement.created_on) <= on,
            col(ReceivedMovement.created_on) >= on - LONGEST_WAY,
        )
    )
    return session.exec(query).first() is not None


def on_their_way(session: Session, *, currency: str, on: date) -> list[Payout]:
    """The payouts that had left the processor by a day and that the bank shows later, by what arrives in a currency."""
    query = select(Payout).where(
        col(Payout.created_on) <= on,
        or_(col(Payout.paid_on).is_(None), col(Payout.paid_on) > on),
        or_(col(Payout.failed_on).is_(None), col(Payout.failed_on) > on),
    )
    found = [payout for payout in session.exec(query) if payout.arriving().currency == currency]
    return sorted(found, key=lambda payout: (payout.created_on, payout.id))


def top_ups_on_their_way(session: Session, *, currency: str, on: date) -> list[TopUp]:
    """The top-ups that the processor had got by a day and that the bank shows to have left later."""
    query = select(TopUp).where(
        TopUp.currency == currency,
        col(TopUp.arrived_on) <= on,
        or_(col(TopUp.sent_on).is_(None), col(TopUp.sent_on) > on),
        or_(col(TopUp.reversed_on).is_(None), col(TopUp.reversed_on) > on),
    )
    return sorted(session.exec(query), key=lambda one: (one.arrived_on, one.id))


def overdue(session: Session, *, on: date) -> list[Payout]:
    """The payouts on their way that the bank should have shown by this day."""
    query = select(Payout).where(Payout.state == State.CREATED, col(Payout.created_on) < on - LONGEST_WAY)
    return sorted(session.exec(query), key=lambda payout: (payout.created_on, payout.id))


def _in_order(found: Iterable[Payout]) -> list[Payout]:
    """Oldest first; under one id as they were paid."""
    return sorted(found, key=lambda one: (one.created_on, one.source, len(one.id), one.id))


def _arriving_as(amount: Money) -> Any:
    plain = and_(
        col(Payout.arriving_minor).is_(None),
        col(Payout.minor) == amount.minor,
        col(Payout.currency) == amount.currency,
    )
    return or_(
        plain, and_(col(Payout.arriving_minor) == amount.minor, col(Payout.arriving_currency) == amount.currency)
    )
