"""Gifts in cash: a treasurer counts, and another operator signs the very same count. Only then are they booked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import rfc8785
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from ledger import approvals
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.books import accounts, journal, recipes
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.errors import BadInput, Conflict, NotFound
from ledger.giving import donations, purpose_versions, purposes
from ledger.giving.donations import Donation, Source
from ledger.giving.purposes import Purpose
from ledger.money import Money
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked

CASH = "1020"
KIND = "cash_gift"
"""The kind of the entry that a count is booked by; its source key is `source_key_of`."""


class State(StrEnum):
    """Where a count stands: one person has signed it, two have, or it was given up."""

    COUNTED = "counted"
    WITNESSED = "witnessed"
    WITHDRAWN = "withdrawn"


class UnknownCount(NotFound):
    """No count of cash has this alias."""

    rule = "unknown_count"


class BadCount(BadInput):
    """Not above zero, no purpose, no place for cash, or a day to come."""

    rule = "bad_count"


class CountNotReady(Conflict):
    """The count was witnessed, or given up."""

    rule = "count_not_ready"


class CashCount(SQLModel, table=True):
    """What was counted; witnessed, it is the gift of the same alias."""

    __tablename__ = "cash_count"
    alias: str = Field(primary_key=True, max_length=20)
    state: State = Field(sa_type=enumeration(State))
    account_code: str = Field(foreign_key="account.code", max_length=45)
    purpose_code: str = Field(foreign_key="purpose.code", max_length=12)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    counted_on: date
    counted_by: str = Field(max_length=20)
    counted_at: datetime = Field(sa_type=UtcDateTime)
    witnessed_by: str | None = Field(default=None, max_length=20)

    __table_args__ = (
        CheckConstraint("minor > 0", name="count_is_above_zero"),
        CheckConstraint("witnessed_by <> counted_by", name="count_has_two_witnesses"),
        CheckConstraint("(state = 'witnessed') = (witnessed_by IS NOT NULL)", name="count_is_witnessed_by_somebody"),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """What was counted."""
        return Money(self.minor, self.currency)

    def commitment(self) -> str:
        """What both witnesses restate beside the amount."""
        return commitment(account=self.account_code, purpose=self.purpose_code, on=self.counted_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCount:
    """Cash for a purpose, counted on a day, and where it lies: 1020, or its leaf."""

    alias: str
    account: str
    purpose: str
    amount: Money
    on: date


def count(session: Session, new: NewCount, agreed: Agreed) -> CashCount:
    """Notes what a treasurer has counted: the first of two signatures. Nothing is booked yet.

    Raises:
        AliasTaken, BadAlias, UnknownAccount, NotPostable, BadCount, and what `approvals.accept` raises. Nothing was
        written.
    """
    check(new.alias, Kind.DONATION)
    if not 0 < new.amount.minor <= LARGEST_POSTING_MINOR or new.on > agreed.now.date():
        raise BadCount("what is counted is above zero, and not counted in the future", where="amount, on")
    leaf = accounts.postable(session, new.account, currency=new.amount.currency)
    if CASH not in {leaf.code, leaf.parent_code}:
        raise BadCount("cash lies on 1020 or its leaf", where="account")
    purpose = purposes.by_code(session, new.purpose)
    if purpose is None:
        raise BadCount("no purpose has this code", where="purpose")
    if session.get(CashCount, new.alias) is not None or donations.find(session, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    counted = CashCount(
        alias=new.alias,
        state=State.COUNTED,
        account_code=new.account,
        purpose_code=new.purpose,
        fund_code=purpose_versions.terms_on(session, purpose, on=new.on).fund,
        minor=new.amount.minor,
        currency=new.amount.currency,
        counted_on=new.on,
        counted_by=agreed.signer.alias,
        counted_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        _accept(session, agreed, "count_cash", counted)
        session.add(counted)
        session.flush()
    return counted


def witness(session: Session, alias: str, agreed: Agreed) -> Donation:
    """Books what another operator counted too, and signs as the very same: a gift of the purpose's fund.

    Raises:
        UnknownCount, CountNotReady, NotAgreed, and what `approvals.accept` raises. SamePerson: they counted it first.
        Nothing was written.
    """
    counted = require(session, alias, lock=True)
    _require_state(counted, State.COUNTED)
    signed = approvals.signers_of(session, alias, verb="count_cash")  # whatever the row says
    approvals.require_other(agreed.signer.alias, than={counted.counted_by, *signed})
    approvals.require_agreed(
        session, alias, verb="count_cash", amount=counted.amount(), payee_commitment=counted.commitment()
    )
    with session.begin_nested():
        _accept(session, agreed, "witness_cash", counted)
        counted.state, counted.witnessed_by = State.WITNESSED, agreed.signer.alias
        session.add(counted)
        journal.post(
            session,
            source_key=source_key_of(alias),
            kind=KIND,
            postings=recipes.cash_gift(
                cash=counted.account_code, gift=counted.amount(), fund=counted.fund_code, donation=alias
            ),
            happened_on=counted.counted_on,
            recorded_at=agreed.now,
            recorded_by=agreed.signer.alias,
        )
        return donations.keep(session, _gift_of(session, counted))


def withdraw(session: Session, alias: str) -> CashCount:
    """Gives up a count that nobody has witnessed, to count anew.

    Raises:
        UnknownCount, CountNotReady: see there.
    """
    counted = require(session, alias, lock=True)
    _require_state(counted, State.COUNTED)
    counted.state = State.WITHDRAWN
    session.add(counted)
    session.flush()
    return counted


def source_key_of(alias: str) -> str:
    """The source key of a count's entry."""
    return f"cash:{alias}"


def commitment(*, account: str, purpose: str, on: date) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of place, purpose and day."""
    return hashlib.sha256(rfc8785.dumps(["cash", account, purpose, on.isoformat()])).hexdigest()


def require(session: Session, alias: str, *, lock: bool = False) -> CashCount:
    """The count; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownCount: there is none.
    """
    query = select(CashCount).where(CashCount.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownCount("no count of cash has this alias")
    return found


def listed(session: Session) -> Sequence[CashCount]:
    """All counts, oldest first."""
    return sorted(session.exec(select(CashCount)), key=lambda one: (one.counted_at, one.alias))


def _gift_of(session: Session, counted: CashCount) -> Donation:
    purpose = session.get_one(Purpose, counted.purpose_code)
    return Donation(
        alias=counted.alias,
        source=Source.CASH,
        state=donations.State.RECEIVED,
        source_key=source_key_of(counted.alias),
        fund_code=counted.fund_code,
        purpose_code=counted.purpose_code,
        purpose_version=purpose_versions.terms_on(session, purpose, on=counted.counted_on).number,
        minor=counted.minor,
        fee_minor=0,
        currency=counted.currency,
        received_on=counted.counted_on,
    )


def _accept(session: Session, agreed: Agreed, verb: Verb, counted: CashCount) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=counted.alias,
        version=1,
        amount=counted.amount(),
        payee_commitment=counted.commitment(),
    )


def _require_state(counted: CashCount, state: State) -> None:
    if counted.state is not state:
        raise CountNotReady("the count is in another state", donation=counted.alias, state=counted.state)
