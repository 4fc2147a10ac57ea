"""Movements in a currency that this version does not know: kept as they were told, until a version knows it.

Nobody can say how many decimals their amounts have, so they are no money yet: whole units of the processor, and a code.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date

from sqlalchemy import and_
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.books.journal import SourceKeyConflict
from ledger.giving import movements
from ledger.giving.movements import Movement, ReceivedMovement
from ledger.money import BadCurrency, Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, whole_minor

_ANY_KNOWN = "EUR"
"""What an amount is read as to see whether the rest of a movement ties."""


@dataclass(frozen=True, slots=True)
class Told:
    """A balance transaction as the processor tells it: a `Movement` whose currencies are codes that may mean nothing.

    Amounts are whole units of the processor.
    """

    balance_transaction: str
    category: str
    gross: int
    fee: int
    net: int
    currency: str
    created_on: date
    purpose: str | None = None
    source: str | None = None
    charge: str | None = None
    cancelled: bool = False
    arriving: int | None = None
    arriving_currency: str | None = None
    transactions: tuple[str, ...] | None = None

    @classmethod
    def of(cls, movement: Movement) -> "Told":
        """What was told of a movement."""
        return cls(
            movement.balance_transaction,
            str(movement.category),
            movement.gross.minor,
            movement.fee.minor,
            movement.net.minor,
            movement.net.currency,
            movement.created_on,
            purpose=movement.purpose,
            source=movement.source,
            charge=movement.charge,
            cancelled=movement.cancelled,
            arriving=movement.arriving.minor if movement.arriving else None,
            arriving_currency=movement.arriving.currency if movement.arriving else None,
            transactions=movement.transactions,
        )

    @property
    def key(self) -> tuple[str, int]:
        """As a movement's."""
        return self.balance_transaction, self.gross

    @property
    def source_key(self) -> str:
        """As a movement's."""
        return f"stripe:{self.balance_transaction}:{self.gross}"

    def movement(self) -> Movement:
        """The movement.

        Raises:
            BadCurrency: this version does not know a currency of it. BadAmount: an amount is too large.
        """
        gross, fee, net = (Money(minor, self.currency) for minor in (self.gross, self.fee, self.net))
        arriving = None
        if self.arriving is not None and self.arriving_currency not in {None, self.currency}:
            arriving = Money(self.arriving, str(self.arriving_currency))
        return Movement(
            balance_transaction=self.balance_transaction,
            category=self.category,
            gross=gross,
            fee=fee,
            net=net,
            created_on=self.created_on,
            purpose=self.purpose,
            source=self.source,
            charge=self.charge,
            cancelled=self.cancelled,
            arriving=arriving,
            transactions=self.transactions,
        )


class UnreadMovement(SQLModel, table=True):
    """What was told and could not be read, as canonical JSON; once it can be, it stands among the movements too."""

    __tablename__ = "unread_movement"
    balance_transaction: str = Field(primary_key=True, max_length=64)
    gross_minor: int = Field(sa_type=MinorUnits, primary_key=True)
    document: str

    __table_args__ = (*whole_minor("gross_minor"), WITHOUT_ROWID)

    def told(self) -> Told:
        """What it holds."""
        facts = json.loads(self.document)
        items = facts.pop("transactions")
        facts["created_on"] = date.fromisoformat(facts["created_on"])
        return Told(**facts, transactions=None if items is None else tuple(items))


def check(told: Told) -> None:
    """Refuses what could be no movement in whatever currency.

    Raises:
        UnknownMovement: its parts do not tie. BadAmount: an amount is too large.
    """
    currency = _ANY_KNOWN if told.arriving is not None else None
    movements.check(replace(told, currency=_ANY_KNOWN, arriving_currency=currency).movement())


def keep(session: Session, received: Sequence[Told]) -> None:
    """Keeps what was not told before, and is no movement yet. The caller holds the turn.

    Raises:
        What `check` raises. SourceKeyConflict: one was told with another content. `told` in the data is its number,
            from 1.
    """
    for number, told in enumerate(received, start=1):
        with movements.numbered(number, of="told"):
            check(told)
        known = _known(session, told)
        if known is None:
            document = _document(told)
            session.add(
                UnreadMovement(balance_transaction=told.balance_transaction, gross_minor=told.gross, document=document)
            )
        elif not _is_same(known, told):
            raise SourceKeyConflict("the balance transaction was received with another content", told=number)
    session.flush()


def contradicts(session: Session, told: Told) -> bool:
    """Whether it was told before with another content."""
    known = _known(session, told)
    return known is not None and not _is_same(known, told)


def listed(session: Session) -> list[Told]:
    """What could not be read and is no movement yet, oldest first."""
    same = and_(
        col(ReceivedMovement.balance_transaction) == UnreadMovement.balance_transaction,
        col(ReceivedMovement.gross_minor) == UnreadMovement.gross_minor,
    )
    query = select(UnreadMovement).where(~select(ReceivedMovement.balance_transaction).where(same).exists())
    return sorted((row.told() for row in session.exec(query)), key=lambda one: (one.created_on, one.key))


def readable(session: Session) -> list[Movement]:
    """What could not be read, and can be by this version; oldest first."""
    found = []
    for told in listed(session):
        with suppress(BadCurrency):
            found.append(told.movement())
    return found


def _known(session: Session, told: Told) -> Told | None:
    """What was told before, whether or not it could be read."""
    read = session.get(ReceivedMovement, told.key)
    if read is not None:
        return Told.of(movements.as_movement(session, read))
    row = session.get(UnreadMovement, told.key)
    return row.told() if row is not None else None


def _is_same(known: Told, told: Told) -> bool:
    """What was not told before, or is told by some lists only, contradicts nothing; so with movements."""
    before, now = asdict(known), asdict(told)
    return all(
        before[name] == now[name] or before[name] is None or (now[name] is None and name.startswith("arriving"))
        for name in now
        if name != "transactions"
    )


def _document(told: Told) -> str:
    facts = asdict(told) | {"created_on": told.created_on.isoformat()}
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))
