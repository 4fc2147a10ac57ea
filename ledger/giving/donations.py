"""Donations: every gift once, with its fund, its source and its state. The giver is an alias at most."""

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aliases import Kind, draw
from ledger.books import journal, recipes
from ledger.errors import Conflict, NotFound, Refused
from ledger.giving import purpose_versions, purposes
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked


class Source(StrEnum):
    """Where a gift was seen."""

    CARD = "card"
    BANK = "bank"
    CASH = "cash"
    IN_KIND = "in_kind"


class State(StrEnum):
    """The life of a donation.

    Pending ones are told and not booked yet; unidentified ones wait for a person to match them; conditional ones go
    back unless their condition is met; settled is what came to the bank with an automatic payout; a part may be
    refunded. Sent back: none of it was ever a gift. No gift: it was a payout that the bank showed first, or unbooked.
    """

    PENDING = "pending"
    RECEIVED = "received"
    SETTLED = "settled"
    UNIDENTIFIED = "unidentified"
    MATCHED = "matched"
    CONDITIONAL = "conditional"
    SENT_BACK = "sent_back"
    NO_GIFT = "no_gift"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    WON = "won"
    LOST = "lost"


class UnknownDonation(NotFound):
    """No gift has this alias."""

    rule = "unknown_donation"


class OverRefunded(Refused):
    """More would be given back than was given."""

    rule = "over_refunded"


class WrongState(Conflict):
    """The gift is not in a state that admits the verb."""

    rule = "wrong_donation_state"


_STANDING = (
    State.RECEIVED,
    State.MATCHED,
    State.SETTLED,
    State.REFUNDED,
    State.DISPUTED,
    State.WON,
    State.LOST,
)
"""The states of a gift that the books hold as one."""
ASSIGNABLE = (State.RECEIVED, State.MATCHED, State.SETTLED, State.REFUNDED, State.WON)
"""The states of a gift that nobody calls back: what is left of it may be said to be for something."""
_AT_ONCE = 500


class Donation(SQLModel, table=True):
    """One gift; `source_key` is the fact it comes from, `charge` the processor's id of the payment by card.

    `purpose_version` tells which text of its purpose the giver could read; see `purpose_versions`.
    """

    alias: str = Field(primary_key=True, max_length=20)
    source: Source = Field(sa_type=enumeration(Source))
    state: State = Field(sa_type=enumeration(State))
    source_key: str = Field(max_length=200, unique=True)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    purpose_code: str | None = Field(default=None, foreign_key="purpose.code", max_length=12)
    purpose_version: int | None = None
    minor: int = Field(sa_type=MinorUnits)
    fee_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    received_on: date
    charge: str | None = Field(default=None, max_length=64, unique=True, index=True)
    refunded_minor: int = Field(default=0, sa_type=MinorUnits)

    __table_args__ = (
        Index("ix_donation_fund", "fund_code", "received_on", "alias"),  # what of `unassigned` waits, oldest first
        Index("gifts_by_age", "state", "received_on", "alias"),
        *whole_minor("minor", "fee_minor", "refunded_minor"),
    )

    def amount(self) -> Money:
        """What was given."""
        return Money(self.minor, self.currency)


def receive_at_bank(
    session: Session,
    *,
    source_key: str,
    leaf: str,
    gift: Money,
    reference: str | None,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> tuple[Donation, journal.Posted]:
    """Books a credit seen at the bank: as a gift for the purpose its reference names, else as unidentified.

    Raises:
        WrongState: it was booked so before, and said to be no gift.
    """
    standing = by_source(session, source_key)
    if standing is not None and standing.state is State.NO_GIFT:
        raise WrongState("the gift is in another state", donation=standing.alias, state=standing.state)
    purpose = purposes.by_reference(session, reference) if reference else None
    terms = purpose_versions.terms_on(session, purpose, on=on) if purpose else None
    alias = standing.alias if standing else draw(Kind.DONATION)
    if terms is None:
        postings = recipes.bank_gift_unidentified(leaf=leaf, gift=gift, donation=alias)
    else:
        postings = recipes.bank_gift(leaf=leaf, gift=gift, fund=terms.fund, donation=alias)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="bank_gift" if purpose else "bank_gift_unidentified",
        postings=postings,
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    if standing is not None:
        return standing, posted
    donation = Donation(
        alias=alias,
        source=Source.BANK,
        state=State.RECEIVED if purpose else State.UNIDENTIFIED,
        source_key=source_key,
        fund_code=terms.fund if terms else recipes.UNASSIGNED,
        purpose_code=purpose.code if purpose else None,
        purpose_version=terms.number if terms else None,
        minor=gift.minor,
        fee_minor=0,
        currency=gift.currency,
        received_on=on,
    )
    return keep(session, donation), posted


def note_beyond(session: Session, alias: str, *, source_key: str, amount: Money, on: date) -> Donation:
    """Notes what a bank's line brought beyond what it answers, which its caller books: an unidentified receipt."""
    donation = Donation(
        alias=alias,
        source=Source.BANK,
        state=State.UNIDENTIFIED,
        source_key=source_key,
        fund_code=recipes.UNASSIGNED,
        minor=amount.minor,
        fee_minor=0,
        currency=amount.currency,
        received_on=on,
    )
    return keep(session, donation)


def by_source(session: Session, source_key: str) -> Donation | None:
    """The donation that comes from this fact, or None."""
    return session.exec(select(Donation).where(Donation.source_key == source_key)).first()


def find(session: Session, alias: str, *, lock: bool = False) -> Donation | None:
    """The donation, or None; with `lock`, as it stands now, and nobody else changes it until the transaction ends."""
    query = select(Donation).where(Donation.alias == alias)
    return session.exec(locked(query) if lock else query).one_or_none()


def require(session: Session, alias: str, *, lock: bool = True) -> Donation:
    """The donation as it stands now; with `lock`, nobody else changes it until the transaction ends.

    Raises:
        UnknownDonation: there is none.
    """
    found = find(session, alias, lock=lock)
    if found is None:
        raise UnknownDonation("no gift has this alias")
    return found


def of_charge(session: Session, charge: str) -> Donation | None:
    """The gift that came from a charge, or None; until the transaction ends nobody else changes it."""
    return session.exec(locked(select(Donation).where(Donation.charge == charge))).one_or_none()


def receive(session: Session, donation: Donation) -> Donation:
    """A pending gift is booked.

    Raises:
        WrongState: it was before.
    """
    _require(donation, State.PENDING)
    donation.state = State.RECEIVED
    return keep(session, donation)


def require_refundable(donation: Donation, amount: Money) -> None:
    """Refuses a decision to give back more than is left of a gift, or one that is not here.

    Raises:
        WrongState: it is pending, unidentified, disputed or lost. OverRefunded: with what was given back before it is
            more than was given.
    """
    _require(donation, State.RECEIVED, State.SETTLED, State.REFUNDED, State.WON)
    refunded = Money(donation.refunded_minor, donation.currency) + amount
    if donation.amount() < refunded:
        raise OverRefunded(
            "more would be given back than was given",
            donation=donation.alias,
            gift=str(donation.amount()),
            refunded=str(refunded),
        )


def refund(session: Session, donation: Donation, amount: Money) -> Money:
    """Notes the fact that a gift, or a part of it, was given back; by how much that is more than was given now.

    Raises:
        WrongState: it was never booked as a gift.
    """
    _require(donation, *_STANDING)
    before = max(donation.refunded_minor, donation.minor)
    donation.refunded_minor += amount.minor
    if donation.state in {State.RECEIVED, State.MATCHED, State.SETTLED}:
        donation.state = State.REFUNDED
    keep(session, donation)
    return Money(max(donation.refunded_minor - before, 0), donation.currency)


def call_off_refund(
    session: Session, donation: Donation, amount: Money, *, becomes: State = State.RECEIVED
) -> Donation:
    """Notes that a refund did not take place: what it would have given back stands again.

    Once nothing is given back any more, the gift `becomes` received, or settled where its payout has arrived.

    Raises:
        OverRefunded: so much was not given back.
    """
    if donation.refunded_minor < amount.minor:
        raise OverRefunded("so much was not given back", donation=donation.alias, amount=str(amount))
    donation.refunded_minor -= amount.minor
    if donation.state is State.REFUNDED and not donation.refunded_minor:
        donation.state = becomes
    return keep(session, donation)


def require_standing(donation: Donation) -> None:
    """Refuses a gift that the books do not hold as one.

    Raises:
        WrongState: it was never booked as a gift.
    """
    _require(donation, *_STANDING)


def settle(session: Session, charges: Collection[str], *, arrived: bool) -> None:
    """Notes that gifts came to the bank, or, with the payout that brought them, went back to the processor.

    One that was refunded or disputed in between stays what it is.
    """
    before, after = (State.RECEIVED, State.SETTLED) if arrived else (State.SETTLED, State.RECEIVED)
    ordered = sorted(charges)
    for start in range(0, len(ordered), _AT_ONCE):
        some = ordered[start : start + _AT_ONCE]
        query = select(Donation).where(col(Donation.charge).in_(some), Donation.state == before)
        for donation in session.exec(locked(query)):
            donation.state = after
            session.add(donation)
    session.flush()


def keep(session: Session, donation: Donation) -> Donation:
    """Writes a donation."""
    session.add(donation)
    session.flush()
    return donation


def listed(session: Session) -> list[Donation]:
    """All donations, oldest first."""
    found = session.exec(select(Donation)).all()
    return sorted(found, key=lambda donation: (donation.received_on, donation.alias))


def _require(donation: Donation, *states: State) -> None:
    if donation.state not in states:
        raise WrongState("the gift is in another state", donation=donation.alias, state=donation.state)
