"""Lapses: approvals that led to nothing within the days of the pack, so that what they hold is free for others."""

from datetime import date

from sqlmodel import Session

from ledger.aid import advances, disbursements, obligations
from ledger.aliases import Kind, kind_of
from ledger.books import holds
from ledger.books.holds import Hold


def end(session: Session, *, on: date) -> list[Hold]:
    """Ends the promises whose last day is before `on`, with what rests on them, and gives them; again, it finds none.

    The approved payments of the obligation, or the approved advance, are cancelled: they are asked for and approved
    anew. A promise of which the beneficiary was told, or on which a payment was released, stands past its last day.
    """
    ended = []
    for hold in holds.past(session, on=on):
        is_over = _end_advance if kind_of(hold.held_for) is Kind.ADVANCE else _end_promise
        if is_over(session, hold, on=on):
            ended.append(hold)
    return ended


def _end_promise(session: Session, hold: Hold, *, on: date) -> bool:
    """Everybody locks disbursements first, obligations after them."""
    paying = disbursements.standing(session, [hold.held_for], lock=True)
    obligation = obligations.require(session, hold.held_for, lock=True)
    approved = [one for one in paying if one.state is disbursements.State.APPROVED]
    under_way = [one for one in paying if one.state in {disbursements.State.RELEASED, disbursements.State.PAID}]
    if obligation.state is not obligations.State.APPROVED or obligation.told_on is not None or under_way:
        return False
    holds.expire(session, hold.source_key, on=on)
    for one in approved:
        disbursements.cancel(session, one, on=on)
    return True


def _end_advance(session: Session, hold: Hold, *, on: date) -> bool:
    advance = advances.require(session, hold.held_for, lock=True)
    if advance.state not in {advances.State.APPROVED, advances.State.CANCELLED}:
        return False
    holds.expire(session, hold.source_key, on=on)  # each of its funds has one
    if advance.state is advances.State.APPROVED:
        advances.lapse(session, advance)
    return True
