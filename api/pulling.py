"""Pulling: what moved at the card processor is fetched from where the last pull ended, and booked.

Nothing but this books cards from the processor itself. Movements and the place up to which they are booked are
committed together, part by part: after a crash the next pull begins where the books end.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from api.stripe_link import Link, Pulled
from ledger.exceptions import Difference, OpenException
from ledger.giving import cursors, payout_items, purposes, strays
from ledger.giving.movements import Movement
from ledger.giving.processor import Booked
from ledger.giving.unread import Told
from ledger.money import Money
from ledger.reconciliation import processor
from ledger.storage.engine import transaction

RECORDER = "processor"
"""Who records what a pull books: nobody did it by hand."""
PART = 500
"""How many movements are booked in one transaction."""

Reached = Callable[[int], None]


def pull(
    engine: Engine, link: Link, *, now: datetime, since: date | None = None, reached: Reached = lambda _: None
) -> list[Booked]:
    """Books all that moved since the last pull, or from the day `since` on, each movement once; gives what is new.

    What the processor lists late is found for three days, and for five weeks by the first pull of a day while its
    balance differs from what was received.

    Payouts of which the processor had not told what they pay out, and what could not be read, are asked again, however
    old they are. What cannot be read, or contradicts what was received, is an exception by itself and holds nothing up.
    The balance that the processor tells is compared after the last part; a difference opens an exception. A description
    that is none of our purposes is dropped here: it may be a name. `reached` is told, after each part was committed,
    how many movements were looked at.

    Raises:
        What `Link.pull` raises: nothing was booked.
    """
    with transaction(engine, write=False) as session:
        start = _start(session, now=now) if since is None else int(datetime.combine(since, time(), UTC).timestamp())
        again, unread = payout_items.waiting(session), strays.waiting(session)
    pulled = link.pull(start, again=again, unread=unread)
    with transaction(engine) as session:
        strays.tell(session, pulled.unreadable, on=now.date())
    new: list[Booked] = []
    for at, part in _parts(pulled):
        with transaction(engine) as session:
            is_last = at + len(part) == len(pulled.movements)
            new += book(session, part, balances=pulled.balances if is_last else None, now=now)
            past = [second for second, _ in part if second <= now.timestamp()]  # what moves today is no later day's
            newest = max(past, default=0)
            cursors.advance(session, newest, looked_at=now if is_last else None)
        reached(at + len(part))
    return new


def _start(session: Session, *, now: datetime) -> int:
    query = select(OpenException.alias).where(
        OpenException.difference == Difference.PROCESSOR_DIFFERS, col(OpenException.resolved_on).is_(None)
    )
    return cursors.find_start(session, now=now, differs=session.exec(query.limit(1)).first() is not None)


def _parts(pulled: Pulled) -> Iterator[tuple[int, list[tuple[int, Movement | Told]]]]:
    """Parts with their place, and one that is empty when nothing moved."""
    for start in range(0, max(len(pulled.movements), 1), PART):
        yield start, pulled.movements[start : start + PART]


def book(
    session: Session, part: list[tuple[int, Movement | Told]], *, balances: Sequence[Money] | None, now: datetime
) -> list[Booked]:
    """Books a part of what was pulled, after which the processor told `balances`; gives what is new."""
    known = [_known(session, moved) for _, moved in part]
    received, told = strays.part(session, known, on=now.date())
    strays.settle(session, {moved.balance_transaction for moved in known}, on=now.date())
    booked = processor.receive(
        session, received, told=told, reported=balances or (), received_at=now, received_by=RECORDER
    )
    return [one for one in booked if not one.replayed]


def _known(session: Session, moved: Movement | Told) -> Movement | Told:
    """The movement with its purpose only if it is one of ours."""
    if moved.purpose is None or purposes.by_code(session, moved.purpose) is not None:
        return moved
    return replace(moved, purpose=None)
