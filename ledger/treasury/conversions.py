"""Conversions: money of the fund's own changed by a bank from one currency into another, each fund with its share.

Decided by two people, by three when the expected rate is far from the stored one, and ordered as a payment is. What the
bank shows is booked side by side as it comes, through money in transit: see docs/decisions.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

import rfc8785
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from ledger import references
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts, exchange, funds, holds
from ledger.books.holds import NewHold, Reserve
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.errors import BadInput, Conflict, NotFound
from ledger.giving import leaves
from ledger.money import Money
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked

BANK = "1000"
FARTHEST = Fraction(1, 20)
"""By which part a conversion may differ from the stored rate, or from what was expected, without a further look."""


class State(StrEnum):
    """Where a conversion stands. Doubtful: one has agreed, and the rate needs one more. Done: both sides are booked."""

    REQUESTED = "requested"
    DOUBTFUL = "doubtful"
    APPROVED = "approved"
    RELEASED = "released"
    DONE = "done"
    CANCELLED = "cancelled"


class UnknownConversion(NotFound):
    """No conversion has this alias."""

    rule = "unknown_conversion"


class BadConversion(BadInput):
    """A conversion that cannot be; `where` tells the part."""

    rule = "bad_conversion"


class ConversionNotReady(Conflict):
    """The conversion is not in the state the verb needs."""

    rule = "conversion_not_ready"


class Conversion(SQLModel, table=True):
    """`minor` of `currency` leaves, `expected_minor` is to arrive; `reference` is what the bank is told.

    `left_key` and `arrived_key` are the entries of the two sides, absent until the bank has shown them.
    """

    alias: str = Field(primary_key=True, max_length=20)
    source_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    target_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    transit_code: str = Field(foreign_key="account.code", max_length=45)
    state: State = Field(sa_type=enumeration(State))
    version: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    expected_minor: int = Field(sa_type=MinorUnits)
    expected_currency: str = Field(max_length=3)
    reference: str = Field(max_length=25, unique=True)
    requested_by: str = Field(max_length=20)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str | None = Field(default=None, max_length=20)
    confirmed_by: str | None = Field(default=None, max_length=20)
    released_by: str | None = Field(default=None, max_length=20)
    released_on: date | None = None
    left_key: str | None = Field(default=None, max_length=200)
    arrived_key: str | None = Field(default=None, max_length=200)
    arrived_minor: int | None = Field(default=None, sa_type=MinorUnits)

    __table_args__ = (
        CheckConstraint("minor > 0 AND expected_minor > 0", name="conversion_is_above_zero"),
        CheckConstraint("currency <> expected_currency", name="conversion_is_between_two_currencies"),
        CheckConstraint(
            "(state = 'done') = (left_key IS NOT NULL AND arrived_key IS NOT NULL)",
            name="conversion_is_done_when_both_sides_are_shown",
        ),
        CheckConstraint("(arrived_key IS NULL) = (arrived_minor IS NULL)", name="conversion_arrived_with_an_amount"),
        *whole_minor("minor", "expected_minor"),
    )

    def sold(self) -> Money:
        """What leaves."""
        return Money(self.minor, self.currency)

    def expected(self) -> Money:
        """What is to arrive."""
        return Money(self.expected_minor, self.expected_currency)

    def arrived(self) -> Money | None:
        """What has arrived, or None."""
        return None if self.arrived_minor is None else Money(self.arrived_minor, self.expected_currency)


class Share(SQLModel, table=True):
    """What one fund has of what leaves."""

    __tablename__ = "conversion_share"
    conversion_alias: str = Field(foreign_key="conversion.alias", primary_key=True, max_length=20)
    fund_code: str = Field(foreign_key="fund.code", primary_key=True, max_length=30)
    minor: int = Field(sa_type=MinorUnits)

    __table_args__ = whole_minor("minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConversion:
    """From the bank leaf `source` to the bank leaf `target`: `shares` by fund leave, `expected` is to arrive."""

    alias: str
    source: str
    target: str
    shares: Mapping[str, Money]
    expected: Money


def request(session: Session, new: NewConversion, *, by: str, at: datetime) -> Conversion:
    """Asks for a conversion, and draws the reference for the bank.

    Raises:
        AliasTaken, BadAlias, UnknownFund, UnknownAccount, NotPostable: see there. NoLeaf: 1050 has no leaf in the
            currency that leaves. BadConversion: no two bank leaves, one currency, or amounts that are not above zero.
    """
    check(new.alias, Kind.CONVERSION)
    currencies = {share.currency for share in new.shares.values()}
    if len(currencies) != 1 or min(share.minor for share in new.shares.values()) <= 0:
        raise BadConversion("shares are above zero, in one currency", where="shares")
    sold = sum(new.shares.values(), Money(0, min(currencies)))
    if sold.minor > LARGEST_POSTING_MINOR or not 0 < new.expected.minor <= LARGEST_POSTING_MINOR:
        raise BadConversion("amounts are above zero and at most 10^15", where="expected")
    if sold.currency == new.expected.currency:
        raise BadConversion("a currency is not converted into itself", where="expected")
    for leaf, currency in ((new.source, sold.currency), (new.target, new.expected.currency)):
        if accounts.postable(session, leaf, currency=currency).parent_code != BANK:
            raise BadConversion("a conversion is between bank leaves", where="account")
    for fund in new.shares:
        funds.require(session, fund)
    transit = leaves.require_leaf(session, leaves.IN_TRANSIT, currency=sold.currency)
    if session.get(Conversion, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    conversion = Conversion(
        alias=new.alias,
        source_code=new.source,
        target_code=new.target,
        transit_code=transit,
        state=State.REQUESTED,
        version=1,
        minor=sold.minor,
        currency=sold.currency,
        expected_minor=new.expected.minor,
        expected_currency=new.expected.currency,
        reference=references.draw(),
        requested_by=by,
        requested_at=at,
    )
    session.add(conversion)
    session.flush()
    session.add_all(
        Share(conversion_alias=new.alias, fund_code=fund, minor=share.minor) for fund, share in new.shares.items()
    )
    session.flush()
    return conversion


def cancel(session: Session, alias: str, *, on: date) -> Conversion:
    """Gives up a conversion of which the bank has shown nothing; what was held is free again.

    Should the bank do it all the same, its lines open exceptions.

    Raises:
        UnknownConversion. ConversionNotReady: the bank has shown a side, or it was cancelled before.
    """
    conversion = require(session, alias, lock=True)
    require_state(conversion, State.REQUESTED, State.DOUBTFUL, State.APPROVED, State.RELEASED)
    if conversion.left_key is not None or conversion.arrived_key is not None:
        raise ConversionNotReady("the bank has shown a side of it", conversion=alias, state=conversion.state)
    holds.void_for(session, alias, on=on)
    move(session, conversion, State.CANCELLED)
    return conversion


def is_far_off(session: Session, conversion: Conversion, *, on: date) -> bool:
    """Whether what is expected is worth more, or less, than what leaves by more than `FARTHEST`, at the stored rates.

    Raises:
        NoRate: the books hold no rate of a currency.
    """
    sold = worth(session, conversion.sold(), on=on)
    expected = worth(session, conversion.expected(), on=on)
    return differs(expected, sold)


def commitment(*, source: str, target: str, shares: Mapping[str, Money], expected: Money) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of leaves, shares by fund and expected amount."""
    split = [[fund, shares[fund].decimal(), shares[fund].currency] for fund in sorted(shares)]
    stated = [source, target, split, expected.decimal(), expected.currency]
    return hashlib.sha256(rfc8785.dumps(stated)).hexdigest()


def commitment_of(session: Session, conversion: Conversion) -> str:
    """The commitment of a conversion as it stands."""
    return commitment(
        source=conversion.source_code,
        target=conversion.target_code,
        shares=shares_of(session, conversion),
        expected=conversion.expected(),
    )


def require(session: Session, alias: str, *, lock: bool = False) -> Conversion:
    """The conversion; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownConversion: there is none.
    """
    query = select(Conversion).where(Conversion.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownConversion("no conversion has this alias")
    return found


def by_reference(session: Session, reference: str) -> Conversion | None:
    """The conversion that the bank was told with this reference, or None; locked."""
    return session.exec(locked(select(Conversion).where(Conversion.reference == reference))).one_or_none()


def listed(session: Session) -> Sequence[Conversion]:
    """All conversions, oldest first."""
    return sorted(session.exec(select(Conversion)), key=lambda one: (one.requested_at, one.alias))


def shares_of(session: Session, conversion: Conversion) -> dict[str, Money]:
    """What each fund has of what leaves."""
    rows = session.exec(select(Share).where(Share.conversion_alias == conversion.alias))
    return {row.fund_code: Money(row.minor, conversion.currency) for row in rows}


def worth(session: Session, money: Money, *, on: date) -> Fraction:
    """What an amount is worth at the stored rate, in minor units of the functional currency.

    Raises:
        NoRate: the books hold none.
    """
    return exchange.translate(money, exchange.rate(session, money.currency, on=on))


def differs(found: Fraction, expected: Fraction) -> bool:
    """Whether one amount is farther from another than `FARTHEST`."""
    return abs(found - expected) > expected * FARTHEST


def order_of(conversion: Conversion) -> NewHold:
    """What is held on its leaf from the release until the bank shows that it left."""
    return NewHold(
        source_key=f"conversion:{conversion.alias}:released",
        reserves=Reserve.LEAF,
        amount=conversion.sold(),
        held_for=conversion.alias,
        account=conversion.source_code,
    )


def require_state(conversion: Conversion, *states: State) -> None:
    """Refuses what is in another state.

    Raises:
        ConversionNotReady: it is.
    """
    if conversion.state not in states:
        raise ConversionNotReady(
            "the conversion is not in the state this needs", conversion=conversion.alias, state=conversion.state
        )


def move(session: Session, conversion: Conversion, to: State) -> None:
    """Writes a conversion with its next state and version."""
    conversion.state = to
    conversion.version += 1
    session.add(conversion)
    session.flush()
