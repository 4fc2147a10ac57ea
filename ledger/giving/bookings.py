"""Bookings: what became of each movement of the processor. It is booked, or waits and tells for what."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKeyConstraint, and_, func, insert
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.errors import NotFound
from ledger.giving import movements
from ledger.giving.movements import Movement, ReceivedMovement
from ledger.money import Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, enumeration
from ledger.storage.locks import locked


class State(StrEnum):
    """Where a movement stands; what moves nothing has no entry and needs none."""

    WAITING = "waiting"
    BOOKED = "booked"
    MOVES_NOTHING = "moves_nothing"


class Reason(StrEnum):
    """Why a movement waits."""

    UNKNOWN_CATEGORY = "unknown_category"
    NO_RECIPE = "no_recipe"
    NO_LEAF = "no_leaf"
    CAUSE_MISSING = "cause_missing"
    ITEMS_NOT_TOLD = "items_not_told"
    OTHER_CURRENCY = "other_currency"
    TWICE = "twice"
    REFUSED = "refused"


class UnknownBooking(NotFound):
    """No movement of this amount was received under this balance transaction."""

    rule = "unknown_movement_of_processor"


class Booking(SQLModel, table=True):
    """What became of one movement.

    A booked one has its recipe, its leaf at the processor and its entry; `about` is the alias of the donation or of the
    dispute, or the processor's id of the payout or top-up; `fund` the gift's. A waiting one has its reason, and
    `awaits` what would have it booked: an id of the processor, `items:<payout>`, `leaf:<account>:<currency>`,
    `category:<name>` or `again:<rule>` (what is tried again, and the rule that refused it); None when only a person can
    say.
    """

    __tablename__ = "movement_booking"
    balance_transaction: str = Field(primary_key=True, max_length=64)
    gross_minor: int = Field(sa_type=MinorUnits, primary_key=True)
    state: State = Field(sa_type=enumeration(State), index=True)
    reason: Reason | None = Field(default=None, sa_type=enumeration(Reason))
    awaits: str | None = Field(default=None, max_length=64, index=True)
    recipe: str | None = Field(default=None, max_length=40)
    account_code: str | None = Field(default=None, foreign_key="account.code", max_length=45)
    entry_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="entry.id", unique=True)
    about: str | None = Field(default=None, max_length=64)
    fund_code: str | None = Field(default=None, foreign_key="fund.code", max_length=30)

    __table_args__ = (
        ForeignKeyConstraint(
            ["balance_transaction", "gross_minor"], ["movement.balance_transaction", "movement.gross_minor"]
        ),
        CheckConstraint("(state = 'waiting') = (reason IS NOT NULL)", name="what_waits_has_a_reason"),
        CheckConstraint("(state = 'booked') = (entry_id IS NOT NULL)", name="what_is_booked_has_an_entry"),
        CheckConstraint("(entry_id IS NULL) = (account_code IS NULL)", name="what_is_booked_has_a_leaf"),
        CheckConstraint("(entry_id IS NULL) = (recipe IS NULL)", name="what_is_booked_has_a_recipe"),
        WITHOUT_ROWID,
    )

    @property
    def key(self) -> tuple[str, int]:
        """The movement's."""
        return self.balance_transaction, self.gross_minor


@dataclass(slots=True)
class NewBooking:
    """A booking that is not written yet; many come at once, and a row of a table takes ten times as long to make."""

    balance_transaction: str
    gross_minor: int
    state: State = State.WAITING
    reason: Reason | None = None
    awaits: str | None = None
    recipe: str | None = None
    account_code: str | None = None
    entry_id: int | None = None
    about: str | None = None
    fund_code: str | None = None

    def forget(self) -> None:
        """Takes back that it was booked: nothing of it was written."""
        self.state, self.reason, self.awaits = State.WAITING, None, None
        self.recipe = self.account_code = self.entry_id = self.about = self.fund_code = None


_NOT_BOOKED = tuple(state for state in State if state is not State.BOOKED)
"""Said the other way round: a planner that sees an index of states would begin with all that was ever booked."""
_COLUMNS = tuple(NewBooking.__dataclass_fields__)
_INSERT = insert(SQLModel.metadata.tables["movement_booking"])


def write(session: Session, new: Sequence[NewBooking]) -> None:
    """Writes new bookings in one statement."""
    if new:
        session.connection().execute(_INSERT, [{name: getattr(one, name) for name in _COLUMNS} for one in new])


def of(session: Session, received: Collection[Movement]) -> dict[tuple[str, int], Booking]:
    """What became of movements, by their keys."""
    wanted = {one.balance_transaction for one in received}
    found: dict[tuple[str, int], Booking] = {}
    for some in movements.in_parts(wanted):
        for one in session.exec(select(Booking).where(col(Booking.balance_transaction).in_(some))):
            found[one.key] = one
    return found


def require(session: Session, balance_transaction: str, *, gross_minor: int) -> tuple[Booking, ReceivedMovement]:
    """A movement with what became of it; the caller holds the turn.

    Raises:
        UnknownBooking: none of this amount was received under this balance transaction.
    """
    key = (balance_transaction, gross_minor)
    booking, row = session.get(Booking, key, populate_existing=True), session.get(ReceivedMovement, key)
    if booking is None or row is None:
        raise UnknownBooking("no such movement was received")
    return booking, row


def waiting_for(session: Session, awaited: Collection[str]) -> list[tuple[Booking, ReceivedMovement]]:
    """The movements that wait for one of these, oldest first."""
    found: list[tuple[Booking, ReceivedMovement]] = []
    for some in movements.in_parts(awaited):
        query = _with_movements().where(Booking.state == State.WAITING, col(Booking.awaits).in_(some))
        found += [(booking, row) for booking, row in session.exec(locked(query))]
    return sorted(found, key=lambda pair: (pair[1].created_on, pair[0].key))


def awaited(session: Session, prefix: str) -> list[str]:
    """What with this prefix movements wait for."""
    query = select(Booking.awaits).where(
        Booking.state == State.WAITING, col(Booking.awaits).startswith(prefix, autoescape=True)
    )
    return sorted(one for one in session.exec(query.distinct()) if one is not None)


def booked_sources(session: Session, sources: Collection[str]) -> set[tuple[str, str]]:
    """Which of the processor's objects are booked in which category."""
    found: set[tuple[str, str]] = set()
    for some in movements.in_parts(sources):
        query = (
            select(ReceivedMovement.category, ReceivedMovement.source)
            .join(Booking, _same_movement())
            .where(col(Booking.state).not_in(_NOT_BOOKED), col(ReceivedMovement.source).in_(some))
        )
        found |= {(category, source) for category, source in session.exec(query) if source is not None}
    return found


def waiting_total(session: Session, *, currency: str) -> Money:
    """What the movements that wait in a currency come to."""
    query = (
        select(func.sum(ReceivedMovement.net_minor))
        .join(Booking, _same_movement())
        .where(Booking.state == State.WAITING, ReceivedMovement.currency == currency)
    )
    return Money(int(session.exec(query).one() or 0), currency)


def listed(session: Session, *, waiting_only: bool = False) -> list[tuple[Booking, ReceivedMovement]]:
    """All movements with what became of them, oldest first."""
    query = _with_movements()
    if waiting_only:
        query = query.where(Booking.state == State.WAITING)
    found = [(booking, row) for booking, row in session.exec(query)]
    return sorted(found, key=lambda pair: (pair[1].created_on, pair[0].key))


def _with_movements() -> Any:
    return select(Booking, ReceivedMovement).join(ReceivedMovement, _same_movement())


def _same_movement() -> ColumnElement[bool]:
    return and_(
        col(Booking.balance_transaction) == ReceivedMovement.balance_transaction,
        col(Booking.gross_minor) == ReceivedMovement.gross_minor,
    )
