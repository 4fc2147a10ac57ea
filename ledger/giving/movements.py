"""Movements: the balance transactions of the card processor, each kept once as it was received."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import CheckConstraint, Index, func, insert
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.books.journal import SourceKeyConflict
from ledger.errors import BadInput, LedgerError
from ledger.money import Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, whole_minor


class Category(StrEnum):
    """The processor's reporting categories for which a recipe stands; of any other a movement waits."""

    CHARGE = "charge"
    TOP_UP = "topup"
    REFUND = "refund"
    PARTIAL_CAPTURE = "partial_capture_reversal"
    CHARGE_FAILURE = "charge_failure"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    TOP_UP_REVERSAL = "topup_reversal"
    RESERVE = "risk_reserved_funds"
    CONNECT_RESERVE = "connect_reserved_funds"
    MINIMUM_HELD = "payout_minimum_balance_hold"
    MINIMUM_RELEASED = "payout_minimum_balance_release"
    PAYOUT = "payout"
    PAYOUT_REVERSAL = "payout_reversal"
    FEE = "fee"
    TAX = "tax"
    NETWORK_COST = "network_cost"


class UnknownMovement(BadInput):
    """Its parts do not tie, or are in another form: `where` tells the part. Nothing is kept of it."""

    rule = "unknown_movement"


@dataclass(frozen=True, slots=True)
class Movement:
    """One balance transaction: `gross` less `fee` is `net`, signed from our view.

    `category` is the processor's reporting category, also one that is no `Category`. `source` is the processor's object
    that moved (charge, refund, dispute, payout, top-up; None for a fee), `charge` the charge that it is about,
    `purpose` our neutral code if it came back with a charge.

    Of a refund failure, `cancelled` tells that it was called off: the gift stands again. Of a payout, `arriving` is
    what comes to the bank when that is in another currency, and `transactions` are the balance transactions that an
    automatic one pays out: empty while the processor has not told all of them, None for one that somebody asked for.
    """

    balance_transaction: str
    category: str
    gross: Money
    fee: Money
    net: Money
    created_on: date
    purpose: str | None = None
    source: str | None = None
    charge: str | None = None
    cancelled: bool = False
    arriving: Money | None = None
    transactions: tuple[str, ...] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What it is kept by: one balance transaction may come with two amounts, and both moved."""
        return self.balance_transaction, self.gross.minor

    @property
    def source_key(self) -> str:
        """The fact that it is, for the journal."""
        return f"stripe:{self.balance_transaction}:{self.gross.minor}"


class ReceivedMovement(SQLModel, table=True):
    """A movement as it was received."""

    __tablename__ = "movement"
    balance_transaction: str = Field(primary_key=True, max_length=64)
    gross_minor: int = Field(sa_type=MinorUnits, primary_key=True)
    category: str = Field(max_length=40)
    source: str | None = Field(default=None, max_length=64)
    charge: str | None = Field(default=None, max_length=64)
    fee_minor: int = Field(sa_type=MinorUnits)
    net_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3, index=True)
    created_on: date
    purpose: str | None = Field(default=None, max_length=12)
    cancelled: bool
    arriving_minor: int | None = Field(default=None, sa_type=MinorUnits)
    arriving_currency: str | None = Field(default=None, max_length=3)
    automatic: bool

    __table_args__ = (
        Index("ix_movement_source", "source", "category"),
        CheckConstraint("gross_minor - fee_minor = net_minor", name="movement_ties"),
        CheckConstraint("(arriving_minor IS NULL) = (arriving_currency IS NULL)", name="what_arrives_has_a_currency"),
        CheckConstraint("typeof(arriving_minor) IN ('integer', 'null')", name="arriving_minor_is_whole").ddl_if(
            dialect="sqlite"
        ),
        *whole_minor("gross_minor", "fee_minor", "net_minor"),
        WITHOUT_ROWID,
    )


class PayoutItem(SQLModel, table=True):
    """One of the balance transactions that an automatic payout pays out; `payout` is the payout's own."""

    __tablename__ = "payout_item"
    payout: str = Field(primary_key=True, max_length=64)
    balance_transaction: str = Field(primary_key=True, max_length=64, index=True)

    __table_args__ = (WITHOUT_ROWID,)


_INSERT = insert(SQLModel.metadata.tables["movement"])
_INSERT_ITEM = insert(SQLModel.metadata.tables["payout_item"])
_CATEGORY = re.compile(r"[a-z_]{1,40}", re.ASCII)
_AT_ONCE = 500
"""How many keys one query asks for: databases bound the parameters of a statement."""
_UNTOLD = {("arriving_minor", None), ("arriving_currency", None)}


def check(movement: Movement) -> None:
    """Refuses what does not tie, and what is no category or currency at all.

    Raises:
        UnknownMovement: see there. CurrencyMismatch: its amounts are in several currencies.
    """
    if movement.gross - movement.fee != movement.net:
        raise UnknownMovement("gross less fee is not net", where="net")
    if not _CATEGORY.fullmatch(movement.category):
        raise UnknownMovement("a category is small letters and underscores", where="category")
    if movement.arriving is not None and (movement.category != Category.PAYOUT or movement.arriving.minor <= 0):
        raise UnknownMovement("what arrives is of a payout, and above zero", where="arriving")
    if movement.transactions is not None and movement.category != Category.PAYOUT:
        raise UnknownMovement("only a payout pays out transactions", where="transactions")


def keep(session: Session, received: Sequence[Movement]) -> list[bool]:
    """Keeps the movements that were not received before; for each, whether it is new. The caller holds the turn.

    What is told later of what a payout pays out is for `payout_items`.

    Raises:
        SourceKeyConflict: one was received with another content. `movement` in the data is its number, from 1.
    """
    new: list[bool] = []
    rows: list[dict[str, Any]] = []
    items: list[tuple[str, str]] = []
    for number, (movement, known, content) in enumerate(_compared(session, received), start=1):
        if differing(known, content):
            with numbered(number):
                raise SourceKeyConflict("the balance transaction was received with another content")
        new.append(known is content)
        if new[-1]:
            rows.append(content | {"automatic": movement.transactions is not None})
            items += [(movement.balance_transaction, one) for one in items_told(movement)]
    if rows:
        session.connection().execute(_INSERT, rows)
    add_items(session, items)
    return new


def contradicting(session: Session, received: Sequence[Movement]) -> list[list[str]]:
    """For each, the names of what was received otherwise under its key, before or earlier in this list."""
    return [differing(known, content) for _, known, content in _compared(session, received)]


def differing(known: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """The names of what is told otherwise than it is known.

    What was not told before may be told now: the charges of old gifts, purposes that came after their donors. What
    arrives at the bank is told by the payout itself, which not every list shows.
    """
    return [
        name
        for name, value in told.items()
        if known[name] != value and known[name] is not None and (name, value) not in _UNTOLD
    ]


def _compared(
    session: Session, received: Sequence[Movement]
) -> Iterator[tuple[Movement, dict[str, Any], dict[str, Any]]]:
    """Each movement with what is known under its key, and what is told now: one and the same when it is new."""
    standing = {
        (row.balance_transaction, row.gross_minor): row.model_dump(exclude={"automatic"})
        for row in by_transaction(session, {one.balance_transaction for one in received})
    }
    for movement in received:
        content = _content(movement)
        yield movement, standing.setdefault(movement.key, content), content


def items_told(movement: Movement) -> list[str]:
    """What a payout is told to pay out, once each: the processor lists the payout itself among it."""
    return [one for one in dict.fromkeys(movement.transactions or ()) if one != movement.balance_transaction]


def add_items(session: Session, items: Sequence[tuple[str, str]]) -> None:
    """Keeps what payouts pay out, each by its own balance transaction."""
    rows = [{"payout": payout, "balance_transaction": one} for payout, one in items]
    if rows:
        session.connection().execute(_INSERT_ITEM, rows)


def items_of(session: Session, payout: str) -> set[str]:
    """What a payout pays out, by its balance transaction."""
    return set(session.exec(select(PayoutItem.balance_transaction).where(PayoutItem.payout == payout)))


@contextmanager
def numbered(number: int, *, of: str = "movement") -> Iterator[None]:
    """Adds to a refusal which of several movements it is about, from 1 in their list, which is named by `of`."""
    try:
        yield
    except LedgerError as refusal:
        refusal.data[of] = number
        raise


def by_transaction(session: Session, ids: Collection[str]) -> Iterator[ReceivedMovement]:
    """What was received under these balance transactions."""
    for some in in_parts(ids):
        yield from session.exec(select(ReceivedMovement).where(col(ReceivedMovement.balance_transaction).in_(some)))


def in_parts(ids: Collection[str]) -> Iterator[list[str]]:
    """The ids in their order, so many as one query asks for."""
    ordered = iter(sorted(ids))
    while some := list(islice(ordered, _AT_ONCE)):
        yield some


def as_movement(session: Session, row: ReceivedMovement) -> Movement:
    """A movement as it came."""
    items = None
    if row.automatic:
        items = tuple(sorted(items_of(session, row.balance_transaction)))
    arriving = None
    if row.arriving_minor is not None and row.arriving_currency is not None:
        arriving = Money(row.arriving_minor, row.arriving_currency)
    return Movement(
        balance_transaction=row.balance_transaction,
        category=row.category,
        gross=Money(row.gross_minor, row.currency),
        fee=Money(row.fee_minor, row.currency),
        net=Money(row.net_minor, row.currency),
        created_on=row.created_on,
        purpose=row.purpose,
        source=row.source,
        charge=row.charge,
        cancelled=row.cancelled,
        arriving=arriving,
        transactions=items,
    )


def total(session: Session, *, currency: str) -> Money:
    """What all movements received in a currency come to: the processor's balance, if none is missing."""
    query = select(func.sum(ReceivedMovement.net_minor)).where(ReceivedMovement.currency == currency)
    return Money(int(session.exec(query).one() or 0), currency)


def newest_on(session: Session, *, currency: str) -> date | None:
    """The day of the newest movement in a currency."""
    query = select(func.max(col(ReceivedMovement.created_on))).where(ReceivedMovement.currency == currency)
    return session.exec(query).one()


def _content(movement: Movement) -> dict[str, Any]:
    return {
        "balance_transaction": movement.balance_transaction,
        "gross_minor": movement.gross.minor,
        "category": str(movement.category),
        "source": movement.source,
        "charge": movement.charge,
        "fee_minor": movement.fee.minor,
        "net_minor": movement.net.minor,
        "currency": movement.net.currency,
        "created_on": movement.created_on,
        "purpose": movement.purpose,
        "cancelled": movement.cancelled,
        "arriving_minor": movement.arriving.minor if movement.arriving else None,
        "arriving_currency": movement.arriving.currency if movement.arriving else None,
    }
