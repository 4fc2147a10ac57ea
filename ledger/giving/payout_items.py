"""Payout items: the balance transactions that an automatic payout pays out, and which fund has how much of them.

The processor tells them when it has put the payout together. Until then the payout waits; what it tells otherwise
afterwards changes no entry, and is an exception.
"""

import hashlib
from collections.abc import Collection, Sequence

from sqlalchemy import and_, case, func, or_
from sqlmodel import Session, col, select

from ledger import exceptions
from ledger.books.journal import Line
from ledger.exceptions import Difference
from ledger.giving import movements
from ledger.giving.bookings import Booking, State
from ledger.giving.leaves import PROCESSOR, find_leaf
from ledger.giving.movements import Category, Movement, PayoutItem, ReceivedMovement
from ledger.money import Money

AWAITED = "items:"
"""What a payout waits for whose items are not told: this, and the payout's id."""


def tell(session: Session, received: Sequence[Movement]) -> list[str]:
    """Keeps what is told later of what payouts pay out, and gives what has arrived with that.

    A payout that waits may get more items. What a booked one pays out otherwise than it did, or no more, is an
    exception over the difference, once for each such list. The caller holds the turn, and has kept the movements.
    """
    told = {one.balance_transaction: one for one in received if movements.items_told(one)}
    arrived = []
    for row in movements.by_transaction(session, told):
        movement = told[row.balance_transaction]
        items, known = set(movements.items_told(movement)), movements.items_of(session, row.balance_transaction)
        if row.category != Category.PAYOUT or not row.automatic or items == known:
            continue
        booking = session.get(Booking, (row.balance_transaction, row.gross_minor), populate_existing=True)
        waits = booking is not None and booking.state is State.WAITING
        if waits:
            movements.add_items(session, [(row.balance_transaction, one) for one in sorted(items - known)])
            arrived.append(f"{AWAITED}{movement.source}")
        if known - items or not waits:
            _tell_otherwise(session, movement, items=items, known=known)
    return arrived


def waiting(session: Session) -> list[Movement]:
    """The payouts whose items are not told yet: the processor is asked for them again."""
    same = and_(
        col(Booking.balance_transaction) == ReceivedMovement.balance_transaction,
        col(Booking.gross_minor) == ReceivedMovement.gross_minor,
    )
    query = (
        select(ReceivedMovement)
        .join(Booking, same)
        .where(Booking.state == State.WAITING, col(Booking.awaits).startswith(AWAITED, autoescape=True))
        .order_by(col(ReceivedMovement.balance_transaction))
    )
    return [movements.as_movement(session, row) for row in session.exec(query)]


def are_told(session: Session, payout: str) -> bool:
    """Whether the processor has told what an automatic payout pays out; it pays out something."""
    return session.exec(select(PayoutItem.payout).where(PayoutItem.payout == payout).limit(1)).first() is not None


def find_missing(session: Session, payout: str) -> str | None:
    """One of the balance transactions of an automatic payout that is not booked, in each of its amounts, or None."""
    own = select(Booking.balance_transaction).where(Booking.balance_transaction == PayoutItem.balance_transaction)
    query = select(PayoutItem.balance_transaction).where(
        PayoutItem.payout == payout,
        or_(~own.exists(), own.where(Booking.state == State.WAITING).exists()),
    )
    return session.exec(query.limit(1)).first()


def shares_of(session: Session, payout: str, *, leaf: str) -> dict[str, int]:
    """What each fund got on a leaf of the balance transactions that an automatic payout pays out, in minor units."""
    # The leaf is no condition: a planner that sees one reads all that was ever moved there, for each payout.
    on_leaf = case((col(Line.account_code) == leaf, col(Line.minor)), else_=0)
    query = (
        select(Line.fund_code, func.sum(on_leaf))
        .join(Booking, col(Booking.entry_id) == Line.entry_id)
        .join(PayoutItem, col(PayoutItem.balance_transaction) == Booking.balance_transaction)
        .where(PayoutItem.payout == payout)
        .group_by(col(Line.fund_code))
    )
    return {fund: int(minor) for fund, minor in sorted(session.exec(query).all()) if minor}


def _tell_otherwise(session: Session, movement: Movement, *, items: set[str], known: set[str]) -> None:
    """The same list is told of once, however often it is pulled."""
    net = _net(session, items - known) - _net(session, known - items)
    listed = hashlib.sha256(" ".join(sorted(items)).encode()).hexdigest()[:16]
    exceptions.open_once(
        session,
        difference=Difference.PAYOUT_DIFFERS,
        account=find_leaf(session, PROCESSOR, currency=movement.gross.currency) or PROCESSOR,
        about=f"{movement.source_key}:{listed}",
        amount=Money(net, movement.gross.currency),
        on=movement.created_on,
    )


def _net(session: Session, transactions: Collection[str]) -> int:
    return sum(one.net_minor for one in movements.by_transaction(session, transactions))
