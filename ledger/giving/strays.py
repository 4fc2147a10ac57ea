"""Strays: what the processor lists that cannot be kept: it is unreadable, or contradicts what was received before.

Each is an exception with its id and its amount, as far as it tells them, and nothing else waits for it.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import date

from sqlmodel import Session, col, select

from ledger import exceptions
from ledger.exceptions import Difference, OpenException
from ledger.giving import movements, unread
from ledger.giving.leaves import PROCESSOR, find_leaf
from ledger.giving.movements import Movement
from ledger.giving.unread import Told
from ledger.money import Money

DIFFERENCES = frozenset({Difference.UNREADABLE, Difference.TOLD_OTHERWISE})
_MOST_NAMED = 60
"""How much of the names of what differs stands in what an exception is about."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands in the processor's list and is no movement: its balance transaction's id, and its net if it tells it.

    One without an id is named by a digest, and cannot be asked for again.
    """

    name: str
    net: Money | None = None


def part(session: Session, received: Sequence[Movement | Told], *, on: date) -> tuple[list[Movement], list[Told]]:
    """Those that contradict nothing, the readable and the others; each that does is told of, once for each content.

    What was received first stands. The names of what differs are part of what the exception is about.
    """
    readable = [one for one in received if isinstance(one, Movement)]
    kept = []
    for movement, names in zip(readable, movements.contradicting(session, readable), strict=True):
        if names:
            _tell_otherwise(session, movement, names=names, net=movement.net, on=on)
        else:
            kept.append(movement)
    strange: dict[tuple[str, int], Told] = {}
    for told in received:
        if isinstance(told, Told) and told != strange.get(told.key, told):
            _tell_otherwise(session, told, names=["twice"], net=None, on=on)
        elif isinstance(told, Told) and unread.contradicts(session, told):
            _tell_otherwise(session, told, names=["content"], net=None, on=on)
        elif isinstance(told, Told):
            strange[told.key] = told
    return kept, list(strange.values())


def tell(session: Session, found: Sequence[Unreadable], *, on: date) -> None:
    """Opens an exception for each that cannot be read, once."""
    for one in found:
        exceptions.open_once(
            session,
            difference=Difference.UNREADABLE,
            account=_leaf(session, one.net),
            about=one.name,
            amount=one.net,
            on=on,
        )


def settle(session: Session, read: Collection[str], *, on: date) -> None:
    """Closes the exceptions of those that can be read now, by their ids."""
    for name in sorted(set(waiting(session)) & set(read)):
        exceptions.settle(session, Difference.UNREADABLE, about=name, on=on)


def waiting(session: Session) -> list[str]:
    """The ids of what could not be read: the processor is asked for each again."""
    query = select(OpenException.about).where(
        OpenException.difference == Difference.UNREADABLE, col(OpenException.resolved_on).is_(None)
    )
    names = [about.partition(":")[2] for about in session.exec(query)]
    return sorted(name for name in names if name.startswith("txn_"))


def _tell_otherwise(
    session: Session, one: Movement | Told, *, names: Sequence[str], net: Money | None, on: date
) -> None:
    content = hashlib.sha256(repr(astuple(one)).encode()).hexdigest()[:16]
    exceptions.open_once(
        session,
        difference=Difference.TOLD_OTHERWISE,
        account=_leaf(session, net),
        about=f"{one.source_key}:{'+'.join(names)[:_MOST_NAMED]}:{content}",
        amount=net,
        on=on,
    )


def _leaf(session: Session, amount: Money | None) -> str | None:
    if amount is None:
        return None
    return find_leaf(session, PROCESSOR, currency=amount.currency) or PROCESSOR
