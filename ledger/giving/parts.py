"""Parts: what was planned of a call and looks at nothing that was booked before it, written together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from ledger.books import bulk
from ledger.books.entries import NewEntry
from ledger.giving import bookings, new_gifts
from ledger.giving.bookings import NewBooking
from ledger.giving.new_gifts import NewGift

MOST = 500
"""How many entries are written together at most."""


@dataclass(slots=True)
class Part:
    """Entries with their bookings and gifts, and all new bookings, in the order in which they were planned.

    Written by itself each of them takes several times as long. Whoever looks at the books writes the part first.
    """

    session: Session
    recorded_at: datetime
    recorded_by: str
    entries: list[NewEntry] = field(default_factory=list)
    entered: list[NewBooking] = field(default_factory=list)
    gifts: list[NewGift] = field(default_factory=list)
    bookings: list[NewBooking] = field(default_factory=list)

    def enter(self, entry: NewEntry, booking: NewBooking, gifts: Sequence[NewGift]) -> None:
        """Keeps an entry for later; its booking learns the number when it is written."""
        self.entries.append(entry)
        self.entered.append(booking)
        self.gifts += gifts

    def write(self) -> None:
        """Writes all that was kept, the entries first.

        Raises:
            LedgerError, IntegrityError: what `bulk.post_many` raises, and what the tables refuse. The caller rolls its
                savepoint back then.
        """
        if self.entries:
            posted = bulk.post_many(
                self.session, self.entries, recorded_at=self.recorded_at, recorded_by=self.recorded_by
            )
            for booking, one in zip(self.entered, posted, strict=True):
                booking.entry_id = one.entry_id
        new_gifts.write(self.session, self.gifts)
        bookings.write(self.session, self.bookings)
        self.entries, self.entered, self.gifts, self.bookings = [], [], [], []
