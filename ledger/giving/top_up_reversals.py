"""Top-ups that the processor gives back: the money is on its way to the bank again, and the bank shows it."""

from datetime import date, datetime

from sqlmodel import Session, col, select

from ledger.books import journal, recipes
from ledger.giving import payouts
from ledger.giving.payouts import LONGEST_WAY, TopUp
from ledger.money import Money
from ledger.storage.locks import locked


def reverse(session: Session, top_up: TopUp, *, on: date) -> None:
    """Notes that the processor gave a top-up back, whether or not the bank has shown that it left."""
    top_up.reversed_on = on
    session.add(top_up)
    session.flush()


def candidates(session: Session, *, amount: Money, on: date) -> list[TopUp]:
    """The top-ups whose way back a credit of this amount on this day can be: given back, and seen to have left."""
    query = select(TopUp).where(
        col(TopUp.sent_on).is_not(None),
        col(TopUp.returned_on).is_(None),
        TopUp.minor == amount.minor,
        TopUp.currency == amount.currency,
        col(TopUp.reversed_on) >= on - LONGEST_WAY,
        col(TopUp.reversed_on) <= on,
    )
    return sorted(session.exec(locked(query)), key=lambda one: (one.arrived_on, one.id))


def take_back(
    session: Session,
    top_up: TopUp,
    *,
    source_key: str,
    bank: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books a top-up that the bank shows as come back."""
    shares = payouts.shares_of_top_up(session, top_up)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="top_up_returned",
        postings=recipes.payout_arrived(transit=top_up.transit_code, bank=bank, shares=shares),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    top_up.returned_on = on
    session.add(top_up)
    session.flush()
    return posted
