"""Unbooking: a credit that was booked by itself as a gift, and is none. Its entry is reversed.

The line waits again, as an exception, and is answered or matched like any other. What a reference of ours answers is
what it is, and has its own ways back; it is unbooked only where another line may tell the same, and it was told twice.
A gift on a receipt is unbooked when that is cancelled: its donor holds a paper that says what the books would deny.
"""

from sqlmodel import Session, col, select

from ledger import approvals, exceptions, overdrafts
from ledger.approvals import Agreed
from ledger.books import journal, periods, recipes
from ledger.books.journal import Entry
from ledger.errors import Refused
from ledger.exceptions import Difference
from ledger.giving import donations, receipts, steps
from ledger.giving.donations import Donation, Source, State
from ledger.giving.steps import GiftStep, NewStep, Step
from ledger.reconciliation import matchings, retellings, statements
from ledger.reconciliation.pairings import LineUnbooked, Undone
from ledger.reconciliation.retellings import NotToldTwice
from ledger.reconciliation.statements import Match, StatementLine

_REASONS = {
    Undone.WRONG_LINE: journal.Because.FACT_WITHDRAWN,
    Undone.WRONG_ENTRY: journal.Because.WRONG_ACCOUNT,
    Undone.LOOKED_AGAIN: journal.Because.WRONG_ACCOUNT,
}
"""What an entry is reversed by, for why its line was no gift."""


class NotUnbookable(Refused):
    """The gift is no unidentified one of the bank, or something became of it; nor may it have been told twice."""

    rule = "not_unbookable"


def unbook(session: Session, gift: str, *, because: Undone, agreed: Agreed) -> LineUnbooked:
    """Reverses the entry by which a line of the bank was booked as a gift that it is not; the line waits again.

    The reversal is dated like the entry, or, when that month is closed, on the first open day.

    Raises:
        UnknownDonation, NotUnbookable, OnReceipt: see there. PeriodSoftClosed: its month is closed softly. And what
        `approvals.accept` raises. Nothing was written.
    """
    session.exec(statements.locked_bank()).one()
    found = donations.require(session, gift)
    match = session.get(Match, found.source_key)
    line = session.get(StatementLine, found.source_key)
    untouched = found.source is Source.BANK and steps.next_number(session, found) == 1
    if match is None or line is None or not untouched or not _may_be_none(session, found, line, because):
        raise NotUnbookable("a gift of the bank that nobody could place, and of which nothing became", donation=gift)
    receipts.require_none(session, gift)
    entry = session.get_one(Entry, match.entry_id)
    with session.begin_nested(), overdrafts.noted(session, on=agreed.now.date()):  # act and effect, or neither
        approvals.accept(
            session,
            agreed,
            verb="unmatch_lines",
            object_alias=gift,
            version=1,
            detail=because.value,
            amount=found.amount(),
            payee_commitment=matchings.commitment(lines=[line.source_key], entries=[entry.id]),
        )
        new = NewStep(
            step=Step.UNBOOKED,
            amount=found.amount(),
            fund=recipes.UNASSIGNED if found.state is State.UNIDENTIFIED else found.fund_code,
            reverses=(entry.id, _REASONS[because]),
            debit=recipes.UNIDENTIFIED if found.state is State.UNIDENTIFIED else recipes.DONATIONS,
        )
        on = periods.booking_day(session, entry.effective_on)
        steps.take(session, found, new, on=on, recorded_at=agreed.now, recorded_by=agreed.signer.alias)
        if found.state is not State.NO_GIFT:
            found.state = State.NO_GIFT
            donations.keep(session, found)
        undone = LineUnbooked(
            source_key=line.source_key,
            entry_id=entry.id,
            because=because,
            undone_by=agreed.signer.alias,
            undone_at=agreed.now,
        )
        session.delete(match)
        session.add(undone)
        exceptions.open_once(
            session,
            difference=Difference.UNBOOKED,
            account=line.account_code,
            about=line.source_key,
            amount=line.amount(),
            on=agreed.now.date(),
        )
    return undone


def _may_be_none(session: Session, gift: Donation, line: StatementLine, because: Undone) -> bool:
    """Whether nobody could place a gift, or its line may have been told twice."""
    if gift.state is State.UNIDENTIFIED:
        return True
    if gift.state is not State.RECEIVED or because is not Undone.WRONG_LINE:
        return False
    try:
        retellings.require_other(session, line)
    except NotToldTwice:
        return False
    return True


def listed(session: Session) -> list[tuple[Donation, StatementLine, Entry, LineUnbooked | None]]:
    """The gifts that may be unbooked, and those that were, the oldest first: with line, entry, and by whom it was."""
    query = (
        select(Donation, StatementLine, Entry, LineUnbooked)
        .join(StatementLine, col(StatementLine.source_key) == Donation.source_key)
        .join(Entry, col(Entry.source_key) == Donation.source_key)
        .join(LineUnbooked, col(LineUnbooked.source_key) == Donation.source_key, isouter=True)
        .where(
            (col(LineUnbooked.source_key).is_not(None))
            | (
                (col(Donation.state) == State.UNIDENTIFIED)
                & col(Donation.alias).not_in(select(GiftStep.donation_alias))
                & col(Donation.source_key).in_(select(Match.source_key))
            )
        )
    )
    found = session.exec(query.order_by(col(Donation.received_on), col(Donation.alias)))
    return [(gift, line, entry, unbooked) for gift, line, entry, unbooked in found]
