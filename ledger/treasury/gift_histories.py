"""What became of a gift: every entry that is about it, and every change of its purpose, in the order of their days."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from ledger.books.entries import Entry, Line
from ledger.books.recipes import UNASSIGNED
from ledger.giving import donations
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation
from ledger.money import Money
from ledger.treasury import gift_assignments, transfers
from ledger.treasury.gift_assignments import UnknownGift
from ledger.treasury.transfers import Transfer


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a gift: `kind` is the kind of the entry, `fund` whose the amount is from then on.

    A change of purpose names the `transfer` by which two people signed it, and the fund that the amount came `out_of`.
    """

    on: date
    kind: str
    amount: Money
    fund: str
    out_of: str | None = None
    transfer: str | None = None


def of_gift(session: Session, alias: str) -> tuple[Donation, list[Event]]:
    """The gift and what became of it, oldest first.

    Raises:
        UnknownGift: there is none.
    """
    gift = donations.find(session, alias)
    if gift is None:
        raise UnknownGift("no gift has this alias")
    events = [*_booked(session, gift), *_moved(session, gift)]
    return gift, sorted(events, key=lambda event: event.on)


def _booked(session: Session, gift: Donation) -> list[Event]:
    """The entries whose lines are about the gift or a dispute of it, in their order."""
    disputes = session.exec(select(Dispute.alias).where(Dispute.donation_alias == gift.alias))
    lines = (
        select(Entry, Line)
        .join(Line, col(Line.entry_id) == Entry.id)
        .where(col(Line.subject).in_([gift.alias, *disputes]))
        .order_by(col(Entry.id), col(Line.number))
    )
    events: dict[int, Event] = {}
    for entry, line in session.exec(lines):
        assigned = entry.kind == gift_assignments.KIND
        # Of an assignment the income of the fund whose the gift is now tells.
        if entry.id not in events and (not assigned or (line.fund_code != UNASSIGNED and line.minor < 0)):
            amount = Money(abs(line.minor), line.currency)
            events[entry.id] = Event(entry.happened_on, entry.kind, amount, line.fund_code)
    return list(events.values())


def _moved(session: Session, gift: Donation) -> list[Event]:
    query = select(Transfer).where(Transfer.consent_alias == gift.alias, Transfer.state == transfers.State.BOOKED)
    return [
        Event(one.booked_on, transfers.KIND, one.amount(), one.taker_code, one.giver_code, one.alias)
        for one in session.exec(query)
        if one.booked_on is not None
    ]
