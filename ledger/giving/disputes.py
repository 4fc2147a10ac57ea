"""Disputes: gifts that a giver's bank calls back. The money is receivable until the dispute is won or lost."""

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aliases import Kind, draw
from ledger.books import journal, recipes
from ledger.books.journal import Entry
from ledger.errors import Conflict, NotFound
from ledger.giving import donations
from ledger.giving.donations import Donation
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked


class State(StrEnum):
    """Where a dispute stands; a warning moves nothing and is none."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class UnknownDispute(NotFound):
    """No dispute has this alias."""

    rule = "unknown_dispute"


class DisputeIsDecided(Conflict):
    """The dispute is won or lost already."""

    rule = "dispute_is_decided"


class Dispute(SQLModel, table=True):
    """One dispute of one gift; `source` is the processor's id of it, `minor` what was withdrawn last.

    `returned_minor` of that came back: all of it, when it is won. `fee_minor` is of all its withdrawals together.
    """

    alias: str = Field(primary_key=True, max_length=20)
    source: str = Field(max_length=64, unique=True)
    donation_alias: str = Field(foreign_key="donation.alias", max_length=20, index=True)
    state: State = Field(sa_type=enumeration(State))
    minor: int = Field(sa_type=MinorUnits)
    fee_minor: int = Field(sa_type=MinorUnits)
    returned_minor: int = Field(default=0, sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    opened_on: date

    __table_args__ = whole_minor("minor", "fee_minor", "returned_minor")

    def withdrawn(self) -> Money:
        """What the processor took for it, without the fee."""
        return Money(self.minor, self.currency)

    def outstanding(self) -> Money:
        """What of that has not come back."""
        return Money(self.minor - self.returned_minor, self.currency)


def lose(
    session: Session, alias: str, *, on: date, recorded_at: datetime, recorded_by: str
) -> tuple[Dispute, journal.Posted]:
    """Books that a dispute is decided for the giver: nothing moves at the processor, so somebody has to say it.

    What has not come back is lost. The same again, on the same day, is a replay.

    Raises:
        UnknownDispute: see there. DisputeIsDecided: it is won, or was lost on another day.
    """
    dispute = _require(session, alias)
    source_key = lost_key(session, dispute)
    if dispute.state is State.WON or (dispute.state is State.LOST and not _lost_on(session, source_key, on)):
        raise DisputeIsDecided("the dispute is decided", dispute=alias, state=dispute.state)
    donation = session.get_one(Donation, dispute.donation_alias)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="dispute_lost",
        postings=recipes.dispute_lost(withdrawn=dispute.outstanding(), fund=donation.fund_code, dispute=alias),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    if not posted.replayed:
        dispute.state = State.LOST
        _note(session, dispute, donation)
    return dispute, posted


def require_open(session: Session, alias: str) -> Dispute:
    """The dispute, which is not decided; two who decide it take turns.

    Raises:
        UnknownDispute, DisputeIsDecided: see there.
    """
    dispute = _require(session, alias)
    if dispute.state is not State.OPEN:
        raise DisputeIsDecided("the dispute is decided", dispute=alias, state=dispute.state)
    return dispute


def begin(session: Session, source: str, *, donation: Donation, withdrawn: Money, fee: Money, on: date) -> Dispute:
    """Opens the dispute of a gift.

    Raises:
        WrongState: it was never booked as a gift.
    """
    donations.require_standing(donation)
    dispute = Dispute(
        alias=draw(Kind.DISPUTE),
        source=source,
        donation_alias=donation.alias,
        state=State.OPEN,
        minor=withdrawn.minor,
        fee_minor=fee.minor,
        currency=withdrawn.currency,
        opened_on=on,
    )
    _note(session, dispute, donation)
    return dispute


def begin_again(session: Session, dispute: Dispute, *, donation: Donation, withdrawn: Money, fee: Money) -> None:
    """Opens a dispute anew that was won: the giver's bank took the money back after all.

    Raises:
        DisputeIsDecided: it is not one that was won.
    """
    if dispute.state is not State.WON:
        raise DisputeIsDecided("the dispute was not won", dispute=dispute.alias, state=dispute.state)
    dispute.state, dispute.minor, dispute.returned_minor = State.OPEN, withdrawn.minor, 0
    dispute.fee_minor += fee.minor
    _note(session, dispute, donation)


def reinstate(session: Session, dispute: Dispute, *, donation: Donation, returned: Money) -> None:
    """Notes that what was withdrawn came back, or a part of it: with all of it the dispute is won.

    So it is when somebody had said that it was lost.

    Raises:
        DisputeIsDecided: not so much of it is outstanding.
    """
    if dispute.outstanding() < returned:
        raise DisputeIsDecided("less of the dispute is outstanding", dispute=dispute.alias, state=dispute.state)
    dispute.returned_minor += returned.minor
    if not dispute.outstanding().minor:
        dispute.state = State.WON
    _note(session, dispute, donation)


def states_of_gifts(session: Session, gifts: Collection[str]) -> dict[str, donations.State]:
    """Where their disputes leave gifts: disputed while one is open, lost when one was. Others have none."""
    found: dict[str, set[State]] = {}
    query = select(col(Dispute.donation_alias), col(Dispute.state)).where(col(Dispute.donation_alias).in_(gifts))
    for alias, state in session.exec(query):
        found.setdefault(alias, set()).add(state)
    return {alias: _standing(states) for alias, states in found.items()}


def _standing(states: Collection[State]) -> donations.State:
    if State.OPEN in states:
        return donations.State.DISPUTED
    return donations.State.LOST if State.LOST in states else donations.State.WON


def find(session: Session, source: str) -> Dispute | None:
    """The dispute of which the processor told, or None; nobody else changes it until the transaction ends."""
    return session.exec(locked(select(Dispute).where(Dispute.source == source))).one_or_none()


def listed(session: Session) -> list[Dispute]:
    """All disputes, oldest first."""
    return sorted(session.exec(select(Dispute)), key=lambda one: (one.opened_on, one.alias))


def lost_key(session: Session, dispute: Dispute) -> str:
    """The source key of the entry that books a dispute as lost, or will; it may be lost again after it was won."""
    first = f"dispute:{dispute.alias}:lost"
    booked = session.exec(select(Entry.id).where(col(Entry.source_key).startswith(first, autoescape=True))).all()
    number = len(booked) + (dispute.state is not State.LOST)
    return first if number <= 1 else f"{first}:{number}"


def _note(session: Session, dispute: Dispute, donation: Donation) -> None:
    """Writes a dispute, and where the gift stands with it."""
    session.add(dispute)
    session.flush()
    donation.state = states_of_gifts(session, [donation.alias])[donation.alias]
    donations.keep(session, donation)


def _require(session: Session, alias: str) -> Dispute:
    dispute = session.exec(locked(select(Dispute).where(Dispute.alias == alias))).one_or_none()
    if dispute is None:
        raise UnknownDispute("no dispute has this alias")
    return dispute


def _lost_on(session: Session, source_key: str, day: date) -> bool:
    entry = session.exec(select(Entry).where(Entry.source_key == source_key)).one()
    return entry.happened_on == day
