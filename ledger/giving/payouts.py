"""Payouts: money on its way from the card processor to the bank, each fund with its share."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, col, select

from ledger.books import balances, funds, journal, recipes
from ledger.books.accounts import Account
from ledger.books.journal import Entry
from ledger.books.postings import Side
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

LONGEST_WAY = timedelta(days=10)
"""How long after its creation a payout is still looked for among the bank's credits."""


class State(StrEnum):
    """Where a payout stands: on its way, or seen at the bank."""

    CREATED = "created"
    PAID = "paid"


class Payout(SQLModel, table=True):
    """One payout by the processor's id, from a 1100 leaf by a 1050 leaf; `source_key` is the entry that created it."""

    id: str = Field(primary_key=True, max_length=64)
    source_key: str = Field(max_length=200, unique=True)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    transit_code: str = Field(foreign_key="account.code", max_length=45)
    state: State = Field(sa_type=enumeration(State), index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    created_on: date
    paid_on: date | None = None

    __table_args__ = whole_minor("minor")

    def amount(self) -> Money:
        """What leaves the processor."""
        return Money(self.minor, self.currency)


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


def candidates(session: Session, *, amount: Money, on: date) -> list[Payout]:
    """The payouts on their way that a credit of this amount on this day can be."""
    query = select(Payout).where(
        Payout.state == State.CREATED,
        Payout.minor == amount.minor,
        Payout.currency == amount.currency,
        col(Payout.created_on) <= on,
        col(Payout.created_on) >= on - LONGEST_WAY,
    )
    return sorted(session.exec(locked(query)), key=lambda payout: (payout.created_on, payout.id))


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
    """Books a payout that is seen on a bank leaf of its currency, with the shares it was created with."""
    posted = journal.post(
        session,
        source_key=source_key,
        kind="payout_arrived",
        postings=recipes.payout_arrived(transit=payout.transit_code, bank=bank, shares=shares_of(session, payout)),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    payout.state, payout.paid_on = State.PAID, on
    session.add(payout)
    session.flush()
    return posted


def shares_of(session: Session, payout: Payout) -> dict[str, Money]:
    """What each fund has in a payout: the lines it was created with on the leaf of money in transit."""
    entry_id = session.exec(select(Entry.id).where(Entry.source_key == payout.source_key)).one()
    return {
        posting.fund: posting.money if posting.side is Side.DEBIT else -posting.money
        for posting in journal.postings_of(session, entry_id)
        if posting.account == payout.transit_code
    }


def listed(session: Session) -> list[Payout]:
    """All payouts, oldest first."""
    return sorted(session.exec(select(Payout)), key=lambda payout: (payout.created_on, payout.id))
