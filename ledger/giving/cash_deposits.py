"""Cash on its way to the bank: a treasurer signs for what they take, and the bank's line books what it counted.

Until then it is held where it lay. Where the bank counts otherwise, another person says that the line is this cash, and
the difference has a name: missing cash is a loss of its funds, a surplus other income.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

import rfc8785
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from ledger import approvals, references
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed
from ledger.books import accounts, holds, journal, recipes, spending
from ledger.books.holds import NewHold, Reserve
from ledger.books.journal import Posted
from ledger.books.postings import Posting
from ledger.errors import BadInput, Conflict, NotFound
from ledger.giving import payouts
from ledger.giving.cash import CASH
from ledger.money import Money
from ledger.storage.columns import MinorUnits, UtcDateTime, enumeration, whole_minor
from ledger.storage.locks import locked

BANK = "1000"
KIND = "cash_banked"
LONGEST_WAY = timedelta(days=10)
"""How long after it was taken cash is still looked for among the bank's lines without a reference."""
FARTHEST = Fraction(1, 20)
"""By which part the bank's count may differ and still be asked about."""


class State(StrEnum):
    """Where cash stands that was taken to the bank."""

    TAKEN = "taken"
    BANKED = "banked"
    CANCELLED = "cancelled"


class UnknownDeposit(NotFound):
    """No cash that was taken to the bank has this alias."""

    rule = "unknown_deposit"


class BadDeposit(BadInput):
    """Not above zero, or not from cash in hand to a bank leaf."""

    rule = "bad_deposit"


class DepositNotReady(Conflict):
    """It is at the bank, or was brought back."""

    rule = "deposit_not_ready"


class CashDeposit(SQLModel, table=True):
    """`minor` was taken from `source_code` to the bank leaf `target_code`; `came_minor` is what the bank counted."""

    __tablename__ = "cash_deposit"
    alias: str = Field(primary_key=True, max_length=20)
    state: State = Field(sa_type=enumeration(State))
    source_code: str = Field(foreign_key="account.code", max_length=45)
    target_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    came_minor: int | None = Field(default=None, sa_type=MinorUnits)
    reference: str = Field(max_length=25, unique=True)
    taken_by: str = Field(max_length=20)
    taken_at: datetime = Field(sa_type=UtcDateTime)
    banked_key: str | None = Field(default=None, max_length=200, unique=True)

    __table_args__ = (
        CheckConstraint("minor > 0", name="deposit_is_above_zero"),
        CheckConstraint(
            "(state = 'banked') = (came_minor IS NOT NULL) AND (state = 'banked') = (banked_key IS NOT NULL)",
            name="deposit_is_banked_with_an_amount",
        ),
        CheckConstraint("typeof(came_minor) IN ('integer', 'null')", name="came_minor_is_whole").ddl_if(
            dialect="sqlite"
        ),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """What was taken."""
        return Money(self.minor, self.currency)

    def came(self) -> Money | None:
        """What the bank counted, or None."""
        return None if self.came_minor is None else Money(self.came_minor, self.currency)

    def commitment(self) -> str:
        """What the act about it restates beside its amount."""
        return commitment(source=self.source_code, target=self.target_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeposit:
    """Cash that is taken from `source`, 1020 or its leaf, to the bank leaf `target`."""

    alias: str
    source: str
    target: str
    amount: Money


def take(session: Session, new: NewDeposit, agreed: Agreed) -> CashDeposit:
    """Takes cash to the bank, by a treasurer's signature: it is held where it lay until the bank shows it.

    Raises:
        AliasTaken, BadAlias, UnknownAccount, NotPostable, BadDeposit, and what `approvals.accept` raises.
        WouldOverdraw: there is not so much cash. Nothing was written.
    """
    check(new.alias, Kind.CASH_DEPOSIT)
    currency = new.amount.currency
    source, target = (accounts.postable(session, code, currency=currency) for code in (new.source, new.target))
    if CASH not in {source.code, source.parent_code} or target.parent_code != BANK or new.amount.minor <= 0:
        raise BadDeposit("cash goes from 1020 to a bank leaf, above zero", where="source, target, amount")
    if session.get(CashDeposit, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    deposit = CashDeposit(
        alias=new.alias,
        state=State.TAKEN,
        source_code=new.source,
        target_code=new.target,
        minor=new.amount.minor,
        currency=currency,
        reference=references.draw(),
        taken_by=agreed.signer.alias,
        taken_at=agreed.now,
    )
    with session.begin_nested():  # act and effect, or neither
        approvals.accept(
            session,
            agreed,
            verb="bank_cash",
            object_alias=deposit.alias,
            version=1,
            amount=deposit.amount(),
            payee_commitment=deposit.commitment(),
        )
        spending.reserve(session, [_order(deposit)], on=agreed.now.date())
        session.add(deposit)
        session.flush()
    return deposit


def cancel(session: Session, alias: str, *, on: date) -> CashDeposit:
    """Brings cash back that the bank has not shown.

    Raises:
        UnknownDeposit, DepositNotReady: see there.
    """
    deposit = require(session, alias, lock=True)
    _require_taken(deposit)
    holds.void_for(session, alias, on=on)
    return _move(session, deposit, State.CANCELLED)


def candidates(session: Session, *, account: str, came: Money, on: date, exactly: bool) -> list[CashDeposit]:
    """The cash on its way that a credit without a reference can be: of the same amount, or, unless `exactly`, near."""
    query = select(CashDeposit).where(
        CashDeposit.state == State.TAKEN, CashDeposit.target_code == account, CashDeposit.currency == came.currency
    )
    return [
        one
        for one in sorted(session.exec(locked(query)), key=lambda one: one.alias)
        if came.minor > 0
        and one.taken_at.date() - timedelta(days=1) <= on <= one.taken_at.date() + LONGEST_WAY
        and (came == one.amount() or (not exactly and abs(came.minor - one.minor) <= one.minor * FARTHEST))
    ]


def book(
    session: Session,
    deposit: CashDeposit,
    *,
    came: Money,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> Posted:
    """Books what the bank counted, and by name what that differs from what was taken.

    Raises:
        DepositNotReady: it is there already, or was brought back.
    """
    _require_taken(deposit)
    postings = _postings(session, deposit, came)
    order = _order(deposit)
    holds.capture(session, order.source_key, order.amount, source_key=source_key, on=on)
    deposit.came_minor, deposit.banked_key = came.minor, source_key
    _move(session, deposit, State.BANKED)
    return journal.post(
        session,
        source_key=source_key,
        kind=KIND,
        postings=postings,
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )


def commitment(*, source: str, target: str) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of both places."""
    return hashlib.sha256(rfc8785.dumps(["deposit", source, target])).hexdigest()


def require(session: Session, alias: str, *, lock: bool = False) -> CashDeposit:
    """The deposit; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownDeposit: there is none.
    """
    query = select(CashDeposit).where(CashDeposit.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownDeposit("no cash that was taken to the bank has this alias")
    return found


def by_reference(session: Session, reference: str) -> CashDeposit | None:
    """The cash that was paid in with this reference, or None; locked."""
    return session.exec(locked(select(CashDeposit).where(CashDeposit.reference == reference))).one_or_none()


def listed(session: Session) -> Sequence[CashDeposit]:
    """All of it, oldest first."""
    return sorted(session.exec(select(CashDeposit)), key=lambda one: (one.taken_at, one.alias))


def _postings(session: Session, deposit: CashDeposit, came: Money) -> list[Posting]:
    """Each fund bears its part of what is missing; what several have on one place is split by what they have."""
    on_place = payouts.shares_of_leaf(session, deposit.source_code, currency=deposit.currency)
    had = payouts.split(deposit.amount(), {fund: minor for fund, minor in on_place.items() if minor > 0})
    banked, missing = dict(had), None
    if came < deposit.amount():
        arrived = recipes.apportion(came.minor, by={fund: share.minor for fund, share in had.items()})
        banked = {fund: Money(minor, deposit.currency) for fund, minor in arrived.items()}
        missing = {fund: share - banked[fund] for fund, share in had.items()}
    surplus = came - deposit.amount() if deposit.amount() < came else None
    return recipes.cash_banked(
        cash=deposit.source_code, leaf=deposit.target_code, shares=banked, missing=missing, surplus=surplus
    )


def _order(deposit: CashDeposit) -> NewHold:
    """What is held where the cash lay."""
    return NewHold(
        source_key=f"deposit:{deposit.alias}:taken",
        reserves=Reserve.LEAF,
        amount=deposit.amount(),
        held_for=deposit.alias,
        account=deposit.source_code,
    )


def _require_taken(deposit: CashDeposit) -> None:
    if deposit.state is not State.TAKEN:
        raise DepositNotReady("the cash is not on its way", deposit=deposit.alias, state=deposit.state)


def _move(session: Session, deposit: CashDeposit, state: State) -> CashDeposit:
    deposit.state = state
    session.add(deposit)
    session.flush()
    return deposit
