"""Donations: every gift once, with its fund, its source and its state. The giver is an alias at most."""

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, select

from ledger.aliases import Kind, draw
from ledger.books import journal, recipes
from ledger.errors import Refused
from ledger.giving import purposes
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked


class Source(StrEnum):
    """Where a gift was seen."""

    CARD = "card"
    BANK = "bank"


class State(StrEnum):
    """The life of a donation: unidentified ones wait for a person to match them; a part may be refunded."""

    RECEIVED = "received"
    UNIDENTIFIED = "unidentified"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class OverRefunded(Refused):
    """More would be given back than was given."""

    rule = "over_refunded"


class UnknownCharge(Refused):
    """No gift came from this charge yet: book the charge first."""

    rule = "unknown_charge"


class Donation(SQLModel, table=True):
    """One gift; `source_key` is the fact it comes from, `charge` the processor's id of the payment by card."""

    alias: str = Field(primary_key=True, max_length=20)
    source: Source = Field(sa_type=enumeration(Source))
    state: State = Field(sa_type=enumeration(State))
    source_key: str = Field(max_length=200, unique=True)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    purpose_code: str | None = Field(default=None, foreign_key="purpose.code", max_length=12)
    minor: int = Field(sa_type=MinorUnits)
    fee_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    received_on: date
    charge: str | None = Field(default=None, max_length=64, unique=True, index=True)
    refunded_minor: int = Field(default=0, sa_type=MinorUnits)

    __table_args__ = whole_minor("minor", "fee_minor", "refunded_minor")

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
    """Books a credit seen at the bank: as a gift for the purpose its reference names, else as unidentified."""
    standing = by_source(session, source_key)
    purpose = purposes.by_reference(session, reference) if reference else None
    alias = standing.alias if standing else draw(Kind.DONATION)
    if purpose is None:
        postings = recipes.bank_gift_unidentified(leaf=leaf, gift=gift, donation=alias)
    else:
        postings = recipes.bank_gift(leaf=leaf, gift=gift, fund=purpose.fund_code, donation=alias)
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
        fund_code=purpose.fund_code if purpose else recipes.UNASSIGNED,
        purpose_code=purpose.code if purpose else None,
        minor=gift.minor,
        fee_minor=0,
        currency=gift.currency,
        received_on=on,
    )
    return keep(session, donation), posted


def by_source(session: Session, source_key: str) -> Donation | None:
    """The donation that comes from this fact, or None."""
    return session.exec(select(Donation).where(Donation.source_key == source_key)).first()


def find(session: Session, alias: str, *, lock: bool = False) -> Donation | None:
    """The donation, or None; with `lock`, as it stands now, and nobody else changes it until the transaction ends."""
    query = select(Donation).where(Donation.alias == alias)
    return session.exec(locked(query) if lock else query).one_or_none()


def of_charge(session: Session, charge: str, *, currency: str) -> Donation:
    """The gift that came from a charge; until the transaction ends nobody else changes it.

    Raises:
        UnknownCharge: none did, or in another currency.
    """
    query = select(Donation).where(Donation.charge == charge, Donation.currency == currency)
    donation = session.exec(locked(query)).one_or_none()
    if donation is None:
        raise UnknownCharge("no gift in this currency came from the charge yet", currency=currency)
    return donation


def refund(session: Session, donation: Donation, amount: Money) -> Donation:
    """Notes that a gift, or a part of it, was given back.

    Raises:
        OverRefunded: with what was given back before it is more than was given.
    """
    refunded = Money(donation.refunded_minor, donation.currency) + amount
    if donation.amount() < refunded:
        raise OverRefunded(
            "more would be given back than was given",
            donation=donation.alias,
            gift=str(donation.amount()),
            refunded=str(refunded),
        )
    donation.refunded_minor = refunded.minor
    if donation.state is State.RECEIVED:
        donation.state = State.REFUNDED
    return keep(session, donation)


def dispute(session: Session, donation: Donation) -> Donation:
    """Notes that the giver's bank calls a gift back, whether a part was refunded or not."""
    donation.state = State.DISPUTED
    return keep(session, donation)


def keep(session: Session, donation: Donation) -> Donation:
    """Writes a donation."""
    session.add(donation)
    session.flush()
    return donation


def listed(session: Session) -> list[Donation]:
    """All donations, oldest first."""
    found = session.exec(select(Donation)).all()
    return sorted(found, key=lambda donation: (donation.received_on, donation.alias))
