"""Refunding: orders that two people signed are carried out at the card processor, with a key that can do nothing else.

Runs apart from the program that serves, which never has this key. Each order is done once, however often this runs.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine

from api.stripe_gateway import RefundTold
from api.stripe_link import Link, ProcessorRefused, UnknownAtProcessor
from ledger.errors import LedgerError, Refused
from ledger.giving import refund_orders
from ledger.giving.refund_orders import State
from ledger.storage.engine import transaction

_STATES = {
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "canceled": State.CANCELED,
    "pending": State.PENDING,
    "requires_action": State.PENDING,
}
"""What the processor's words for a refund's state are to us."""
FAILS_WITHIN_DAYS = 60
"""How long a refund that succeeded is still looked after: it may fail weeks later."""


class AnotherAccount(Refused):
    """The refunding key is of another account at the processor than the pulling one, or of its test mode."""

    rule = "refund_key_of_another_account"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order in this run; `rule` names the refusal when nothing was done with it."""

    order: str
    state: str
    rule: str | None = None


def carry_out(engine: Engine, link: Link, *, now: datetime) -> list[Outcome]:
    """Tells the processor of every approved order, and asks how those stand that it was told of.

    An order is marked before it is sent, and sent again when nobody knows what became of it: the processor does it
    once. What one order is refused by does not hold up the others.

    Raises:
        ProcessorUnavailable, ProcessorKeyRefused, AnotherAccount: those that are left are carried out next time.
    """
    with transaction(engine, write=False) as session:
        due = [one.alias for one in refund_orders.listed(session, State.APPROVED, State.SENDING) if not one.by_bank]
        told = [
            (one.alias, one.refund)
            for one in refund_orders.listed(session, State.PENDING, State.SUCCEEDED)
            if one.refund and (one.state is State.PENDING or (now - one.requested_at).days <= FAILS_WITHIN_DAYS)
        ]
    on = now.date()
    try:
        asked = [_look_after(engine, link, alias, refund, on=on) for alias, refund in told]
        return [outcome for outcome in asked if outcome] + [_send(engine, link, alias, on=on) for alias in due]
    except UnknownAtProcessor:
        raise AnotherAccount("the processor knows nothing of what was received, by the key that refunds") from None


def _send(engine: Engine, link: Link, alias: str, *, on: date) -> Outcome:
    try:
        with transaction(engine) as session:
            order, charge = refund_orders.begin_sending(session, alias)
            amount = order.amount()
    except LedgerError as refusal:  # a signature that does not hold, a gift that is disputed: the others go on
        return Outcome(alias, State.APPROVED, refusal.rule)
    try:
        told = link.refund(charge, amount, order=alias)
    except ProcessorRefused as refusal:
        _note(engine, alias, State.REFUSED, None, on=on)
        return Outcome(alias, State.REFUSED, refusal.rule)
    return Outcome(alias, _note(engine, alias, _state_of(told), told.id, on=on))


def _look_after(engine: Engine, link: Link, alias: str, refund: str, *, on: date) -> Outcome | None:
    """What became of a refund that the processor was told of, if it stands otherwise now."""
    state = _state_of(link.find_refund(refund))
    with transaction(engine, write=False) as session:
        if refund_orders.require(session, alias).state is state:
            return None
    return Outcome(alias, _note(engine, alias, state, refund, on=on))


def _state_of(told: RefundTold) -> State:
    """A word that we do not know leaves the order to be looked after."""
    return _STATES.get(told.state, State.PENDING)


def _note(engine: Engine, alias: str, state: State, refund: str | None, *, on: date) -> State:
    with transaction(engine) as session:
        return refund_orders.note(session, alias, state=state, refund=refund, on=on).state
