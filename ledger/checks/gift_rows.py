"""Checks of giving's rows: each gift, dispute and payout says what its movements and its entry say."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import and_
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from ledger.books import recipes
from ledger.books.journal import Entry
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.giving import disputes, movements, payouts, steps
from ledger.giving.bookings import Booking
from ledger.giving.bookings import State as BookingState
from ledger.giving.disputes import Dispute
from ledger.giving.donations import Donation, Source, State
from ledger.giving.movements import Category, ReceivedMovement
from ledger.giving.payouts import Payout
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.resolutions import Resolution
from ledger.treasury.gift_assignments import GiftAssignment

_OF_CARD = "stripe:"
_SOURCES = {_OF_CARD: Source.CARD, "cash:": Source.CASH, "in-kind:": Source.IN_KIND}
"""How the source keys of gifts begin; those of all others are lines of the bank."""
_NEVER_AT_A_BANK = frozenset({State.PENDING, State.SETTLED, State.DISPUTED, State.WON, State.LOST})


def find_altered_gifts(session: Session, tell: Tell) -> Iterator[Finding]:
    """Gifts of another day, source, purpose or state than their movement, entry, disputes and payouts make them."""
    done = 0
    for page in paged(session, Donation, Donation.alias):
        facts = _Facts(session, page)
        for gift in page:
            if gift.source is not _source(gift):
                where: str | None = "source"
            elif gift.received_on != facts.days.get(gift.source_key):
                where = "received_on"
            elif not facts.has_its_purpose(gift):
                where = "purpose"
            else:
                where = None if facts.stands(gift) else "state"
            if where is not None:
                yield Finding("gift-rows", "donation", gift.alias, {"where": where, "state": gift.state})
        done += len(page)
        tell(done, done)


class _Facts:
    """What stands beside the rows of some gifts."""

    def __init__(self, session: Session, page: Sequence[Donation]) -> None:
        aliases, keys = [one.alias for one in page], [one.source_key for one in page]
        named = {key.split(":")[1] for key in keys if key.startswith(_OF_CARD)}
        self.movements = {
            f"{_OF_CARD}{one.balance_transaction}:{one.gross_minor}": one
            for one in movements.by_transaction(session, named)
        }
        self.days = {key: one.created_on for key, one in self.movements.items()}
        entries = select_rows(col(Entry.source_key), col(Entry.happened_on)).where(col(Entry.source_key).in_(keys))
        self.days |= dict(session.exec(entries).all())
        waiting = select_rows(col(Booking.balance_transaction), col(Booking.gross_minor)).where(
            col(Booking.balance_transaction).in_(named), Booking.state == BookingState.WAITING
        )
        self.waiting = {f"{_OF_CARD}{name}:{gross}" for name, gross in session.exec(waiting)}
        self.disputed = disputes.states_of_gifts(session, aliases)
        self.settled = payouts.settled(session, {one.charge for one in page if one.charge})
        assigned = select_rows(GiftAssignment.donation_alias).where(col(GiftAssignment.donation_alias).in_(aliases))
        self.placed = {
            *session.exec(assigned),
            *(alias for alias, taken in steps.of(session, aliases).items() if taken),
        }

    def has_its_purpose(self, gift: Donation) -> bool:
        """Whether it has the purpose that it came with, or one that somebody gave it; none is in `unassigned`."""
        if gift.alias in self.placed or gift.source not in {Source.CARD, Source.BANK}:
            return True  # held against what was signed, by other checks
        if gift.purpose_code is None:
            return gift.fund_code == recipes.UNASSIGNED
        moved = self.movements.get(gift.source_key)
        return moved is None or gift.purpose_code == moved.purpose

    def stands(self, gift: Donation) -> bool:
        """Whether its state is what its verbs have left; of gifts by bank, steps and control accounts say the rest."""
        if gift.source is not Source.CARD:
            was_refunded = gift.refunded_minor > 0
            return gift.state not in _NEVER_AT_A_BANK and (gift.state is State.REFUNDED) == was_refunded
        if gift.source_key in self.waiting:
            return gift.state is State.PENDING
        undisputed = State.SETTLED if gift.charge in self.settled else State.RECEIVED
        if gift.refunded_minor:
            undisputed = State.REFUNDED
        return gift.state is self.disputed.get(gift.alias, undisputed)


def find_altered_disputes(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Disputes of another gift, day, amount or fee than the movements that were booked of them."""
    for page in paged(session, Dispute, Dispute.alias):
        moved = _moved(session, [one.source for one in page])
        gifts = select_rows(col(Donation.alias), col(Donation.charge)).where(
            col(Donation.alias).in_([one.donation_alias for one in page])
        )
        charges: Mapping[str, str | None] = dict(session.exec(gifts).all())
        for one in page:
            minor = returned = fee = 0
            own = moved.get(one.source, [])
            for each in own:
                if each.category == Category.DISPUTE:
                    minor, returned, fee = -each.gross_minor, 0, fee + each.fee_minor
                else:
                    returned += each.gross_minor
            is_whole = bool(own) and (one.state is disputes.State.WON) == (minor == returned)
            same = (one.minor, one.returned_minor, one.fee_minor) == (minor, returned, fee)
            if not (is_whole and same and own[0].created_on == one.opened_on) or {each.charge for each in own} != {
                charges.get(one.donation_alias)
            }:
                facts: dict[str, Fact] = {"minor": minor, "returned_minor": returned, "fee_minor": fee}
                yield Finding("dispute-rows", "dispute", one.alias, facts)


def _moved(session: Session, sources: Sequence[str]) -> dict[str, list[ReceivedMovement]]:
    """What was booked by the recipes of disputes, by the processor's id of each, in the order of the entries."""
    same = and_(
        col(Booking.balance_transaction) == ReceivedMovement.balance_transaction,
        col(Booking.gross_minor) == ReceivedMovement.gross_minor,
    )
    query = (
        select_rows(ReceivedMovement)
        .join(Booking, same)
        .where(col(ReceivedMovement.source).in_(sources))
        .where(col(Booking.recipe).in_(("gift_disputed", "dispute_won")))
        .order_by(col(Booking.entry_id))
    )
    found: dict[str, list[ReceivedMovement]] = {}
    for row in session.exec(query):
        found.setdefault(row.source or "", []).append(row)
    return found


def find_altered_arrivals(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Payouts that arrive as something else than the processor told, and nobody has said so of a line of the bank."""
    for page in paged(session, Payout, Payout.id):
        named = {one.source_key.split(":")[1] for one in page if one.source_key.startswith(_OF_CARD)}
        told = {
            f"{_OF_CARD}{one.balance_transaction}:{one.gross_minor}": (one.arriving_minor, one.arriving_currency)
            for one in movements.by_transaction(session, named)
        }
        answers = select_rows(Resolution).where(
            Resolution.answer == Answer.PAYOUT, col(Resolution.of).in_([one.id for one in page])
        )
        said = {(one.of, one.minor, one.currency) for one in session.exec(answers)}
        for one in page:
            arriving = one.arriving_minor, one.arriving_currency
            if arriving != told.get(one.source_key, (None, None)) and (one.id, *arriving) not in said:
                yield Finding("payout-arrivals", "payout", one.id, {"currency": one.arriving_currency})


def _source(gift: Donation) -> Source:
    return next((source for prefix, source in _SOURCES.items() if gift.source_key.startswith(prefix)), Source.BANK)


CHECKS = (
    Check(
        "gift-rows", "every gift is of the day, source, purpose and state that its facts make it", find_altered_gifts
    ),
    Check("dispute-rows", "every dispute is what was withdrawn and came back of it", find_altered_disputes),
    Check("payout-arrivals", "every payout arrives as told, or as a person said", find_altered_arrivals),
)
