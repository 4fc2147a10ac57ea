"""Payouts: money on its way from the card processor to the bank, each fund with its share; top-ups go the other way."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.books import balances, funds, journal, recipes
from ledger.books.accounts import Account
from ledger.books.journal import Entry
from ledger.books.postings import Posting, Side
from ledger.giving import donations, movements
from ledger.giving.bookings import Booking
from ledger.giving.donations import Donation
from ledger.giving.movements import Category, PayoutItem, ReceivedMovement
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

BANK_DEBITED = "bank_debited"
"""The kind of the entry by which the processor took money from the bank: a payout below zero."""
LONGEST_WAY = timedelta(days=10)
"""How long after its creation a payout is still looked for among the bank's credits."""


class State(StrEnum):
    """Where a payout stands: on its way, seen at the bank, or taken back by the processor."""

    CREATED = "created"
    PAID = "paid"
    FAILED = "failed"


class Payout(SQLModel, table=True):
    """One payout by the processor's id, from a 1100 leaf by a 1050 leaf; `source_key` is the entry that created it.

    The bank's side has days of its own, since it may be told before or after the processor's: `paid_on` it was seen
    there, `pulled_back_on` the bank gave it back. `items_of` is the balance transaction whose items it pays out, None
    when somebody asked for it.

    What failed and is paid again under the same id is another payout: the second is `po_…:2`, the third `po_…:3`.
    """

    id: str = Field(primary_key=True, max_length=64)
    source_key: str = Field(max_length=200, unique=True)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    transit_code: str = Field(foreign_key="account.code", max_length=45)
    state: State = Field(sa_type=enumeration(State), index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    arriving_minor: int | None = Field(default=None, sa_type=MinorUnits)
    arriving_currency: str | None = Field(default=None, max_length=3)
    items_of: str | None = Field(default=None, max_length=64)
    created_on: date
    paid_on: date | None = None
    failed_on: date | None = None
    pulled_back_on: date | None = None

    __table_args__ = (
        CheckConstraint("(arriving_minor IS NULL) = (arriving_currency IS NULL)", name="what_arrives_has_a_currency"),
        CheckConstraint("typeof(arriving_minor) IN ('integer', 'null')", name="arriving_minor_is_whole").ddl_if(
            dialect="sqlite"
        ),
        *whole_minor("minor"),
    )

    @property
    def source(self) -> str:
        """The processor's id, which payouts that are paid again have in common."""
        return self.id.partition(":")[0]

    def next_id(self) -> str:
        """The id of the one that is paid under the same id after this one."""
        return f"{self.source}:{int(self.id.partition(':')[2] or 1) + 1}"

    def amount(self) -> Money:
        """What leaves the processor."""
        return Money(self.minor, self.currency)

    def arriving(self) -> Money:
        """What comes to the bank."""
        if self.arriving_minor is None or self.arriving_currency is None:
            return self.amount()
        return Money(self.arriving_minor, self.arriving_currency)


class TopUp(SQLModel, table=True):
    """Money that the processor got from the bank, by its id; `sent_on` the bank showed that it left.

    A payout below zero is one, too: the processor takes from the bank what refunds and fees left below zero.

    `reversed_on` the processor gave it back, `returned_on` the bank showed that.
    """

    __tablename__ = "top_up"
    id: str = Field(primary_key=True, max_length=64)
    transit_code: str = Field(foreign_key="account.code", max_length=45)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    arrived_on: date
    sent_on: date | None = None
    reversed_on: date | None = None
    returned_on: date | None = None

    __table_args__ = whole_minor("minor")

    def amount(self) -> Money:
        """What came to the processor."""
        return Money(self.minor, self.currency)


def digest(payout: str) -> str:
    """By what a bank's line names a payout without telling its id: SHA-256, since the processor's ids are long.

    Of one that is paid again it is the same: the bank knows the processor's id.
    """
    return hashlib.sha256(f"payout {payout.partition(':')[0]}".encode()).hexdigest()


def under(session: Session, source: str) -> list[Payout]:
    """The payouts under the processor's id, in the order in which they were booked."""
    found: list[Payout] = []
    while (one := session.get(Payout, found[-1].next_id() if found else source)) is not None:
        found.append(one)
    return found


def split(amount: Money, balances_by_fund: Mapping[str, int]) -> dict[str, Money]:
    """A payout's shares: pro rata to the signed balances (minor units), the largest remainders rounded up first.

    Ties go by the fund's code. What exceeds the sum of the balances is nobody's yet: it is the share of `general`.
    The shares sum to the amount.
    """
    total = sum(balances_by_fund.values())
    covered = max(0, min(amount.minor, total))
    minors = recipes.apportion(covered, by=balances_by_fund) if covered else {}
    minors[recipes.GENERAL] = minors.get(recipes.GENERAL, 0) + amount.minor - covered
    return {fund: Money(minor, amount.currency) for fund, minor in sorted(minors.items()) if minor}


def shares_of_leaf(session: Session, leaf: str, *, currency: str) -> dict[str, int]:
    """What each fund has on a leaf now, in minor units; payouts of the same leaf take turns."""
    session.exec(locked(select(Account).where(Account.code == leaf))).one()
    found = {fund: balances.balance(session, leaf, currency=currency, fund=fund).minor for fund in funds.codes(session)}
    return {fund: minor for fund, minor in sorted(found.items()) if minor}


def paid_elsewhere(session: Session, payout: str, *, source: str) -> int:
    """What of a payout's transactions one under another id, that did not fail, pays out as well, in minor units."""
    other = aliased(PayoutItem)
    own = or_(col(Payout.id) == source, col(Payout.id).startswith(f"{source}:", autoescape=True))
    stands = select(Payout.id).where(Payout.items_of == other.payout, Payout.state != State.FAILED, ~own).exists()
    twice = select(other.payout).where(
        other.balance_transaction == PayoutItem.balance_transaction, other.payout != payout, stands
    )
    query = (
        select(func.sum(ReceivedMovement.net_minor))
        .join(PayoutItem, col(PayoutItem.balance_transaction) == ReceivedMovement.balance_transaction)
        .where(PayoutItem.payout == payout, twice.exists())
    )
    return int(session.exec(query).one() or 0)


def arrive(
    session: Session,
    payout: Payout,
    *,
    source_key: str,
    bank: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books a payout that is seen on a bank leaf, with the shares it was created with."""
    posted = journal.post(
        session,
        source_key=source_key,
        kind="payout_arrived",
        postings=arrival_of(session, payout, bank=bank),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    note_arrival(session, payout, on=on)
    return posted


def arrival_of(session: Session, payout: Payout, *, bank: str) -> list[Posting]:
    """How it is booked that a payout has arrived on a bank leaf: with the shares it was created with."""
    shares = shares_of(session, payout)
    came = _at_the_bank(payout, shares)
    return recipes.payout_arrived(transit=payout.transit_code, bank=bank, shares=shares, came=came)


def note_arrival(session: Session, payout: Payout, *, on: date) -> None:
    """Notes that the bank has shown a payout, and with an automatic one the gifts that it brings."""
    payout.paid_on = on
    if payout.state is State.CREATED:
        payout.state = State.PAID
        _settle(session, payout, arrived=True)
    session.add(payout)
    session.flush()


def pull_back(
    session: Session,
    payout: Payout,
    *,
    source_key: str,
    bank: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books a payout that the bank gives back, from the bank leaf where it was seen."""
    shares = shares_of(session, payout)
    postings = recipes.payout_pulled_back(
        transit=payout.transit_code, bank=bank, shares=shares, went=_at_the_bank(payout, shares)
    )
    posted = journal.post(
        session,
        source_key=source_key,
        kind="payout_pulled_back",
        postings=postings,
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    payout.pulled_back_on = on
    _settle(session, payout, arrived=False)
    session.add(payout)
    session.flush()
    return posted


def send(
    session: Session,
    top_up: TopUp,
    *,
    source_key: str,
    bank: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books a top-up that the bank shows as sent, with the shares it came to the processor with."""
    shares = shares_of_top_up(session, top_up)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="top_up_sent",
        postings=recipes.top_up_sent(transit=top_up.transit_code, bank=bank, shares=shares),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    top_up.sent_on = on
    session.add(top_up)
    session.flush()
    return posted


def fail(session: Session, payout: Payout, *, on: date) -> None:
    """Notes that the processor took a payout back, whether or not the bank has seen it."""
    payout.state, payout.failed_on = State.FAILED, on
    _settle(session, payout, arrived=False)
    session.add(payout)
    session.flush()


def shares_of(session: Session, payout: Payout) -> dict[str, Money]:
    """What each fund has in a payout: the lines it was created with on the leaf of money in transit."""
    entry_id = session.exec(select(Entry.id).where(Entry.source_key == payout.source_key)).one()
    return {
        posting.fund: posting.money if posting.side is Side.DEBIT else -posting.money
        for posting in journal.postings_of(session, entry_id)
        if posting.account == payout.transit_code
    }


def shares_of_top_up(session: Session, top_up: TopUp) -> dict[str, Money]:
    """What each fund has in what came from the bank: all is general's, unless the processor took it by itself."""
    query = (
        select(Booking.entry_id)
        .join(ReceivedMovement, col(ReceivedMovement.balance_transaction) == Booking.balance_transaction)
        .where(ReceivedMovement.source == top_up.id, Booking.recipe == BANK_DEBITED)
    )
    entry_id = session.exec(query).first()
    if entry_id is None:
        return {recipes.GENERAL: top_up.amount()}
    return {
        posting.fund: posting.money if posting.side is Side.CREDIT else -posting.money
        for posting in journal.postings_of(session, entry_id)
        if posting.account == top_up.transit_code
    }


def listed(session: Session) -> list[Payout]:
    """All payouts, oldest first."""
    return sorted(session.exec(select(Payout)), key=lambda payout: (payout.created_on, payout.id))


def _at_the_bank(payout: Payout, shares: Mapping[str, Money]) -> dict[str, Money] | None:
    """Each fund's share in the bank's currency, when that is another one."""
    arriving = payout.arriving()
    if arriving.currency == payout.currency:
        return None
    minors = recipes.apportion(arriving.minor, by={fund: share.minor for fund, share in shares.items()})
    return {fund: Money(minor, arriving.currency) for fund, minor in minors.items()}


def settled(session: Session, charges: Collection[str]) -> set[str]:
    """Which of these charges an automatic payout has brought that the bank has."""
    found: set[str] = set()
    query = (
        select(ReceivedMovement.charge)
        .join(PayoutItem, col(PayoutItem.balance_transaction) == ReceivedMovement.balance_transaction)
        .join(Payout, col(Payout.items_of) == PayoutItem.payout)
        .where(ReceivedMovement.category == Category.CHARGE)
        .where(Payout.state == State.PAID, col(Payout.pulled_back_on).is_(None))
    )
    for some in movements.in_parts(charges):
        found |= {one for one in session.exec(query.where(col(ReceivedMovement.source).in_(some))) if one}
    return found


def state_of_gift(session: Session, gift: Donation) -> donations.State:
    """Where the payout that brings a gift by card leaves it: settled while the bank has it, else received."""
    is_settled = gift.charge is not None and settled(session, [gift.charge])
    return donations.State.SETTLED if is_settled else donations.State.RECEIVED


def _settle(session: Session, payout: Payout, *, arrived: bool) -> None:
    """The gifts that an automatic payout brings came to the bank, or went back."""
    query = (
        select(ReceivedMovement.charge)
        .join(PayoutItem, col(PayoutItem.balance_transaction) == ReceivedMovement.balance_transaction)
        .where(PayoutItem.payout == payout.items_of, ReceivedMovement.category == Category.CHARGE)
    )
    if payout.items_of is not None:
        donations.settle(session, {one for one in session.exec(query) if one is not None}, arrived=arrived)
