"""Pulling: what moved at the card processor is fetched from where the last pull ended, and booked.

Nothing but this books cards from the processor itself. Movements and the place up to which they are booked are
committed together, part by part: after a crash the next pull begins where the books end.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from api.stripe_link import Link, Pulled
from ledger.errors import LedgerError
from ledger.giving import cursors, payout_items, purposes
from ledger.giving.movements import Movement
from ledger.giving.processor import Booked
from ledger.giving.unread import Told
from ledger.reconciliation import processor
from ledger.storage.engine import transaction

RECORDER = "processor"
"""Who records what a pull books: nobody did it by hand."""
PART = 500
"""How many movements are booked in one transaction."""

Reached = Callable[[int], None]


def pull(engine: Engine, link: Link, *, now: datetime, reached: Reached = lambda _: None) -> list[Booked]:
    """Books everything that moved since the last pull, each movement once; gives what is new.

    Payouts of which the processor had not told what they pay out are asked again, however old they are. The balance
    that it tells is compared after the last part; a difference opens an exception. A description that is none of our
    purposes is dropped here: it may be a name. `reached` is told, after each part was committed, how many movements
    were looked at.

    Raises:
        What `Link.pull` raises: nothing was booked. What `reconciliation.processor.receive` raises: the parts before
            are booked, and `balance_transaction` in the data names the movement that is refused.
    """
    with transaction(engine, write=False) as session:
        start, again = cursors.find_start(session), payout_items.waiting(session)
    pulled = link.pull(start, again=again)
    new: list[Booked] = []
    for at, part in _parts(pulled):
        with transaction(engine) as session:
            is_last = at + len(part) == len(pulled.movements)
            new += _book(session, part, pulled=pulled if is_last else None, now=now)
            newest = part[-1][0] if part else 0
            cursors.advance(session, newest, looked_at=now if is_last else None)
        reached(at + len(part))
    return new


def _parts(pulled: Pulled) -> Iterator[tuple[int, list[tuple[int, Movement | Told]]]]:
    """Parts with their place, and one that is empty when nothing moved."""
    for start in range(0, max(len(pulled.movements), 1), PART):
        yield start, pulled.movements[start : start + PART]


def _book(
    session: Session, part: list[tuple[int, Movement | Told]], *, pulled: Pulled | None, now: datetime
) -> list[Booked]:
    known = [_known(session, moved) for _, moved in part]
    received = [moved for moved in known if isinstance(moved, Movement)]
    told = [moved for moved in known if isinstance(moved, Told)]
    reported = pulled.balances if pulled is not None and pulled.balances is not None else ()
    try:
        booked = processor.receive(
            session, received, told=told, reported=reported, received_at=now, received_by=RECORDER
        )
    except LedgerError as refusal:
        number = refusal.data.get("movement")
        if isinstance(number, int) and 0 < number <= len(received):
            refusal.data["balance_transaction"] = received[number - 1].balance_transaction
        raise
    return [one for one in booked if not one.replayed]


def _known(session: Session, moved: Movement | Told) -> Movement | Told:
    """The movement with its purpose only if it is one of ours."""
    if moved.purpose is None or purposes.by_code(session, moved.purpose) is not None:
        return moved
    return replace(moved, purpose=None)
