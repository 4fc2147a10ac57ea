"""Movements: the balance transactions of the card processor, each kept once as it was received."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint, func, insert, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.books.journal import SourceKeyConflict
from ledger.errors import BadInput, Conflict, LedgerError
from ledger.money import Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, enumeration, whole_minor


class Category(StrEnum):
    """The processor's reporting categories for which a recipe stands."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    FEE = "fee"


class UnknownMovement(BadInput):
    """No recipe stands for it, or its parts do not tie: `where` tells the part. Nothing is booked."""

    rule = "unknown_movement"


class BookedElsewhere(Conflict):
    """The same charge, refund, dispute or payout was booked from another balance transaction."""

    rule = "booked_elsewhere"


@dataclass(frozen=True, slots=True)
class Movement:
    """One balance transaction: `gross` less `fee` is `net`, signed from our view.

    `source` is the processor's object that moved (charge, refund, dispute, payout; None for a fee), `charge` the
    charge that it is about, `purpose` our neutral code if it came back with a charge.
    """

    balance_transaction: str
    category: Category
    gross: Money
    fee: Money
    net: Money
    created_on: date
    purpose: str | None = None
    source: str | None = None
    charge: str | None = None

    @property
    def source_key(self) -> str:
        """The fact that it is, for the journal."""
        return f"stripe:{self.balance_transaction}"


class ReceivedMovement(SQLModel, table=True):
    """A movement as it was received; `account_code` is the processor's leaf it was booked on."""

    __tablename__ = "movement"
    balance_transaction: str = Field(primary_key=True, max_length=64)
    category: Category = Field(sa_type=enumeration(Category))
    source: str | None = Field(default=None, max_length=64)
    charge: str | None = Field(default=None, max_length=64)
    account_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    gross_minor: int = Field(sa_type=MinorUnits)
    fee_minor: int = Field(sa_type=MinorUnits)
    net_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    created_on: date
    purpose: str | None = Field(default=None, max_length=12)

    __table_args__ = (
        UniqueConstraint("source", "category", name="movement_of_source"),
        *whole_minor("gross_minor", "fee_minor", "net_minor"),
        WITHOUT_ROWID,
    )


_MOVEMENTS = SQLModel.metadata.tables["movement"]
_INSERT = insert(_MOVEMENTS)
_PREFIXES = {
    Category.CHARGE: ("ch_", "py_"),
    Category.REFUND: ("re_", "pyr_"),
    Category.DISPUTE: ("dp_", "du_"),
    Category.PAYOUT: ("po_",),
}
"""How the processor's ids of each category's source begin."""


def check(movement: Movement) -> None:
    """Refuses what no recipe can book: sums that do not tie, a wrong sign, a source missing or of another kind.

    Raises:
        UnknownMovement: see there. CurrencyMismatch: its amounts are in several currencies.
    """
    if movement.gross - movement.fee != movement.net:
        raise UnknownMovement("gross less fee is not net", where="net")
    category = movement.category
    comes_in = movement.gross.minor > 0
    if not movement.gross.minor or (category is not Category.FEE and comes_in is not (category is Category.CHARGE)):
        raise UnknownMovement("no recipe stands for a movement in this direction", where="gross")
    if movement.fee.minor < 0 and category in {Category.CHARGE, Category.DISPUTE}:
        raise UnknownMovement("no recipe stands for a fee below zero", where="fee")
    if category is Category.FEE and movement.fee.minor:
        raise UnknownMovement("a fee has no fee", where="fee")
    _check_references(movement)


def keep(session: Session, received: Sequence[Movement], *, leaf_of: Callable[[str], str]) -> list[bool]:
    """Keeps the movements that were not received before; for each, whether it is new. `leaf_of` a currency is its leaf.

    Raises:
        SourceKeyConflict: the balance transaction of one was received with another content.
        BookedElsewhere: the source of one came with another balance transaction. What `leaf_of` raises.
        `movement` in the data is the number of the one that is refused, from 1.
    """
    connection = session.connection()
    while True:
        new = _new_among(session, received)
        rows = []
        for number, (movement, is_new) in enumerate(zip(received, new, strict=True), start=1):
            if is_new:
                with numbered(number):
                    rows.append(_content(movement) | {"account_code": leaf_of(movement.net.currency)})
        try:
            with connection.begin_nested():
                if rows:
                    connection.execute(_INSERT, rows)
        except IntegrityError:
            # On PostgreSQL another transaction kept some of them between our look and our insert.
            if _new_among(session, received) == new:
                raise
        else:
            return new


@contextmanager
def numbered(number: int) -> Iterator[None]:
    """Adds to a refusal which of several movements it is about."""
    try:
        yield
    except LedgerError as refusal:
        refusal.data["movement"] = number
        raise


def total(session: Session, leaf: str, *, currency: str) -> Money:
    """What all movements received on a leaf come to: the processor's balance, if none is missing."""
    query = select(func.sum(ReceivedMovement.net_minor)).where(ReceivedMovement.account_code == leaf)
    return Money(int(session.exec(query).one() or 0), currency)


def newest_on(session: Session, leaf: str) -> date | None:
    """The day of the newest movement on a leaf."""
    query = select(func.max(col(ReceivedMovement.created_on))).where(ReceivedMovement.account_code == leaf)
    return session.exec(query).one()


def _check_references(movement: Movement) -> None:
    if movement.category is Category.FEE:
        admitted = movement.source is None
    else:
        admitted = (movement.source or "").startswith(_PREFIXES[movement.category])
    if not admitted:
        raise UnknownMovement("the source is missing, or not of this category", where="source")
    if movement.category in {Category.FEE, Category.PAYOUT}:
        admitted = movement.charge is None
    else:
        admitted = (movement.charge or "").startswith(_PREFIXES[Category.CHARGE])
    if not admitted or (movement.category is Category.CHARGE and movement.charge != movement.source):
        raise UnknownMovement("the charge is missing, or not of this movement", where="charge")


def _new_among(session: Session, received: Sequence[Movement]) -> list[bool]:
    """For each, whether it neither was received before nor stands in the list before."""
    by_id, by_source = _standing(session, received)
    new = []
    for number, movement in enumerate(received, start=1):
        content = _content(movement)
        standing = by_id.setdefault(movement.balance_transaction, content)
        with numbered(number):
            # What was not told before may be told now: the charges of old gifts, purposes that came after their donors.
            if any(standing[name] not in {None, told} for name, told in content.items()):
                raise SourceKeyConflict("the balance transaction was received with another content")
            first = by_source.setdefault((movement.category, movement.source), movement.balance_transaction)
            if movement.source is not None and first != movement.balance_transaction:
                raise BookedElsewhere(
                    "the processor's object was booked from another balance transaction", category=movement.category
                )
        new.append(standing is content)
    return new


def _standing(
    session: Session, received: Sequence[Movement]
) -> tuple[dict[str, dict[str, Any]], dict[tuple[Category, str | None], str]]:
    """What was received before under the same balance transactions, and from which ones the same sources came."""
    alike = or_(
        col(ReceivedMovement.balance_transaction).in_({one.balance_transaction for one in received}),
        col(ReceivedMovement.source).in_({one.source for one in received if one.source is not None}),
    )
    rows = session.exec(select(ReceivedMovement).where(alike)).all() if received else []
    by_id = {row.balance_transaction: row.model_dump(exclude={"account_code"}) for row in rows}
    return by_id, {(row.category, row.source): row.balance_transaction for row in rows}


def _content(movement: Movement) -> dict[str, Any]:
    return {
        "balance_transaction": movement.balance_transaction,
        "category": movement.category,
        "source": movement.source,
        "charge": movement.charge,
        "gross_minor": movement.gross.minor,
        "fee_minor": movement.fee.minor,
        "net_minor": movement.net.minor,
        "currency": movement.net.currency,
        "created_on": movement.created_on,
        "purpose": movement.purpose,
    }
