"""Holds: money set aside on a fund or on a leaf until a fact takes it, or until the reason for it falls away.

A hold and what moved on it are only added. What is left of it is its amount less its movements; an end moves all that
is left, so that nothing can come after it. The database keeps both rules as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, Index, func, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aliases import kind_of
from ledger.books.journal import SourceKeyConflict
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.errors import BadInput, Conflict, NotFound
from ledger.money import CurrencyMismatch, Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, enumeration, whole_minor


class Reserve(StrEnum):
    """What a hold sets money aside of.

    Spendable: a fund's promises that are no liability yet. In hand: a fund's cash that is to go to an agent, who holds
    it for the same fund. Leaf: what a bank is told to pay and has not shown yet; the fund, if told, is whose it is.
    """

    SPENDABLE = "spendable"
    IN_HAND = "in_hand"
    LEAF = "leaf"


class Move(StrEnum):
    """What became of a part of a hold: taken by a fact, or free again."""

    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


class BadHold(BadInput):
    """A hold, or a part of one, that cannot be; `where` tells the part."""

    rule = "bad_hold"


class UnknownHold(NotFound):
    """No hold has this source key."""

    rule = "unknown_hold"


class HoldFinished(Conflict):
    """Nothing is left of the hold: it was captured, voided or expired."""

    rule = "hold_finished"


class Hold(SQLModel, table=True):
    """`held_for` is the alias of what it waits for; `expires_on` the last day on which it stands."""

    source_key: str = Field(primary_key=True, max_length=200)
    reserves: Reserve = Field(sa_type=enumeration(Reserve))
    fund_code: str | None = Field(default=None, foreign_key="fund.code", max_length=30, index=True)
    account_code: str | None = Field(default=None, foreign_key="account.code", max_length=45, index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    held_for: str = Field(max_length=40, index=True)
    placed_on: date
    expires_on: date | None = Field(default=None, index=True)

    __table_args__ = (
        CheckConstraint("minor > 0", name="hold_is_above_zero"),
        CheckConstraint(
            "(reserves = 'leaf') = (account_code IS NOT NULL) AND (reserves = 'leaf' OR fund_code IS NOT NULL)",
            name="hold_is_on_what_it_reserves",
        ),
        *whole_minor("minor"),
        WITHOUT_ROWID,
    )

    def amount(self) -> Money:
        """What was set aside."""
        return Money(self.minor, self.currency)


EXPIRED = "move = 'expired'"
"""Movements that ended a hold with its last day; a partial index has these words, and so must a query."""


class HoldMovement(SQLModel, table=True):
    """A part of a hold, by number from 1; an end moves all that is left."""

    __tablename__ = "hold_movement"
    hold_key: str = Field(foreign_key="hold.source_key", primary_key=True, max_length=200)
    number: int = Field(primary_key=True)
    source_key: str = Field(max_length=240, unique=True)
    move: Move = Field(sa_type=enumeration(Move))
    minor: int = Field(sa_type=MinorUnits)
    moved_on: date

    __table_args__ = (
        CheckConstraint("minor > 0", name="movement_is_above_zero"),
        Index("expired_holds", "hold_key", sqlite_where=text(EXPIRED), postgresql_where=text(EXPIRED)),
        *whole_minor("minor"),
        WITHOUT_ROWID,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """What is to be set aside: of a `fund`, or on an `account` (for a fund, if it is one's alone)."""

    source_key: str
    reserves: Reserve
    amount: Money
    held_for: str
    fund: str | None = None
    account: str | None = None
    expires_on: date | None = None


def place(session: Session, new: NewHold, *, on: date) -> Hold:
    """Sets money aside, once. It asks nobody whether there is any: decisions do it by `spending.reserve`.

    Raises:
        BadHold: not above zero or too much, not for an alias, over before it stands, or not on what it reserves.
        SourceKeyConflict: another hold stands under the key.
    """
    (placed,) = place_all(session, [new], on=on)
    return placed


def place_all(session: Session, wanted: Sequence[NewHold], *, on: date) -> list[Hold]:
    """As `place` for many, all or none, in their order."""
    found = standing(session, wanted)
    new = {one.source_key: _make(one, on=on) for one in wanted if one.source_key not in found}
    for one in wanted:
        _require_same(one, (found | new)[one.source_key])
    session.add_all(new.values())
    session.flush()
    return [(found | new)[one.source_key] for one in wanted]


def _make(new: NewHold, *, on: date) -> Hold:
    if (new.reserves is Reserve.LEAF) != (new.account is not None) or not (new.account or new.fund):
        raise BadHold("a hold is on a fund or on a leaf", where="reserves")
    if not 0 < new.amount.minor <= LARGEST_POSTING_MINOR:
        raise BadHold("a hold is above zero and at most 10^15", where="amount")
    if kind_of(new.held_for) is None:
        raise BadHold("a hold is for something with an alias", where="held_for")
    if new.expires_on is not None and new.expires_on < on:
        raise BadHold("a hold is not over before it stands", where="expires_on")
    return Hold(
        source_key=new.source_key,
        reserves=new.reserves,
        fund_code=new.fund,
        account_code=new.account,
        minor=new.amount.minor,
        currency=new.amount.currency,
        held_for=new.held_for,
        placed_on=on,
        expires_on=new.expires_on,
    )


def capture(session: Session, hold_key: str, part: Money, *, source_key: str, on: date) -> Money:
    """A fact takes `part` of a hold, once by its source key, or what is left when that is less; gives what it took.

    A fact is booked whatever it finds: of a finished hold it takes nothing. The same again takes nothing more.

    Raises:
        UnknownHold: there is none. CurrencyMismatch: the hold is in another currency. BadHold: not above zero.
        SourceKeyConflict: another part stands under the source key.
    """
    if part.minor <= 0:
        raise BadHold("a part is above zero", where="part")
    hold = require(session, hold_key)
    if part.currency != hold.currency:
        raise CurrencyMismatch("the hold is in another currency", left=part.currency, right=hold.currency)
    return _move(session, hold, Move.CAPTURED, source_key=source_key, on=on, most=part.minor)


def void(session: Session, hold_key: str, *, on: date) -> Money:
    """Frees what is left of a hold, and gives it.

    Raises:
        UnknownHold: there is none. HoldFinished: nothing is left.
    """
    hold = require(session, hold_key)
    freed = _move(session, hold, Move.VOIDED, source_key=f"{hold_key}:voided", on=on)
    if not freed.minor:
        raise HoldFinished("nothing is left of the hold", held_for=hold.held_for)
    return freed


def void_for(session: Session, held_for: str, *, on: date) -> None:
    """Frees what is left of everything that is held for an alias; nothing may be."""
    for hold in open_for(session, held_for):
        _move(session, hold, Move.VOIDED, source_key=f"{hold.source_key}:voided", on=on)


def past(session: Session, *, on: date) -> Sequence[Hold]:
    """The holds whose last day is before `on` and of which something is left, in the order of their keys."""
    over = (
        select(Hold)
        .where(col(Hold.expires_on) < on, _left() > 0)
        .order_by(col(Hold.source_key))
        .execution_options(populate_existing=True)
    )
    return session.exec(over).all()


def expire(session: Session, hold_key: str, *, on: date) -> Money:
    """Frees what is left of a hold whose last day is over, and gives it; what rests on it is for the caller to end.

    Raises:
        UnknownHold: there is none. HoldFinished: nothing is left. BadHold: it has no last day, or not before `on`.
    """
    hold = require(session, hold_key)
    if hold.expires_on is None or on <= hold.expires_on:
        raise BadHold("a hold stands until its last day is over", where="expires_on")
    freed = _move(session, hold, Move.EXPIRED, source_key=f"{hold_key}:expired", on=on)
    if not freed.minor:
        raise HoldFinished("nothing is left of the hold", held_for=hold.held_for)
    return freed


def standing(session: Session, wanted: Sequence[NewHold]) -> dict[str, Hold]:
    """Those of the same holds that were placed before, by their keys.

    Raises:
        SourceKeyConflict: another hold stands under a key.
    """
    keys = {new.source_key for new in wanted}
    found = {hold.source_key: hold for hold in session.exec(select(Hold).where(col(Hold.source_key).in_(keys)))}
    for new in wanted:
        if new.source_key in found:
            _require_same(new, found[new.source_key])
    return found


def _require_same(new: NewHold, found: Hold) -> None:
    placed = (found.reserves, found.fund_code, found.account_code, found.amount(), found.held_for, found.expires_on)
    if placed != (new.reserves, new.fund, new.account, new.amount, new.held_for, new.expires_on):
        raise SourceKeyConflict("the source key is held with another content", held_for=found.held_for)


def require(session: Session, source_key: str) -> Hold:
    """The hold.

    Raises:
        UnknownHold: there is none.
    """
    found = session.get(Hold, source_key)
    if found is None:
        raise UnknownHold("no hold has this source key")
    return found


def open_for(session: Session, held_for: str) -> list[Hold]:
    """The holds for an alias of which something is left, in the order of their keys."""
    found = session.exec(select(Hold).where(Hold.held_for == held_for, _left() > 0)).all()
    return sorted(found, key=lambda hold: hold.source_key)


def first_placed_on(session: Session, held_for: str, *, reserves: Reserve) -> date | None:
    """The day on which something was set aside for it first, whatever became of it since; None when nothing was."""
    query = select(func.min(Hold.placed_on)).where(Hold.held_for == held_for, Hold.reserves == reserves)
    return session.exec(query).one()


def left(session: Session, hold: Hold) -> Money:
    """What is left of a hold."""
    return Money(hold.minor - sum(one.minor for one in movements(session, hold)), hold.currency)


def movements(session: Session, hold: Hold) -> Sequence[HoldMovement]:
    """What moved on a hold, in its order."""
    query = select(HoldMovement).where(HoldMovement.hold_key == hold.source_key).order_by(col(HoldMovement.number))
    return session.exec(query).all()


def held_of_fund(session: Session, fund: str, *reserves: Reserve) -> dict[str, Money]:
    """By currency: what is left of a fund's holds of these kinds."""
    query = (
        select(Hold.currency, func.sum(_left()))
        .where(Hold.fund_code == fund, col(Hold.reserves).in_(reserves))
        .group_by(col(Hold.currency))
    )
    return {currency: Money(int(minor), currency) for currency, minor in session.exec(query) if minor}


def held_on_leaf(session: Session, account: str, *, currency: str) -> Money:
    """What is left of the holds on a leaf in a currency."""
    query = select(func.sum(_left())).where(Hold.account_code == account, Hold.currency == currency)
    return Money(int(session.exec(query).one() or 0), currency)


def left_on_leaf(session: Session, account: str, *, currency: str, on: date) -> list[tuple[Hold, Money]]:
    """The holds on a leaf in a currency of which something was left at the end of a day, and how much, oldest first."""
    moved = select(func.sum(HoldMovement.minor)).where(
        HoldMovement.hold_key == Hold.source_key, col(HoldMovement.moved_on) <= on
    )
    left_then = col(Hold.minor) - func.coalesce(moved.scalar_subquery(), 0)
    query = select(Hold, left_then).where(
        Hold.account_code == account, Hold.currency == currency, col(Hold.placed_on) <= on, left_then > 0
    )
    found = session.exec(query.order_by(col(Hold.placed_on), col(Hold.source_key)))
    return [(hold, Money(int(minor), currency)) for hold, minor in found]


def _left() -> ColumnElement[int]:
    """What is left of a hold, in one statement with whatever asks: else a movement in between would count twice."""
    moved = select(func.sum(HoldMovement.minor)).where(HoldMovement.hold_key == Hold.source_key).scalar_subquery()
    return col(Hold.minor) - func.coalesce(moved, 0)


def _move(session: Session, hold: Hold, move: Move, *, source_key: str, on: date, most: int | None = None) -> Money:
    """Moves what is left, or at most `most` of it, and gives how much; zero when nothing is left.

    Nobody is locked out: two movements at once want the same number, one of them looks again. What is left only
    shrinks, so this ends.
    """
    while True:
        rest, number = hold.minor, 1
        for before in movements(session, hold):
            if most is not None and before.source_key == source_key:
                return _replayed(hold, before, was_left=rest, asked=most)
            rest, number = rest - before.minor, before.number + 1
        if rest == 0:
            return Money(0, hold.currency)
        other = session.exec(select(HoldMovement).where(HoldMovement.source_key == source_key)).first()
        if other is not None and most is not None and other.hold_key == hold.source_key:
            continue  # another transaction took the same part between our two looks
        if other is not None:
            raise SourceKeyConflict("the source key stands for another part", held_for=hold.held_for)
        moved = HoldMovement(
            hold_key=hold.source_key,
            number=number,
            source_key=source_key,
            move=move,
            minor=rest if most is None else min(rest, most),
            moved_on=on,
        )
        try:
            with session.begin_nested():
                session.add(moved)
        except IntegrityError:  # on PostgreSQL another transaction moved it between our look and our insert
            continue
        return Money(moved.minor, hold.currency)


def _replayed(hold: Hold, before: HoldMovement, *, was_left: int, asked: int) -> Money:
    """What the same part took before."""
    if before.move is not Move.CAPTURED or before.minor != min(was_left, asked):
        raise SourceKeyConflict("the source key stands for another part", held_for=hold.held_for)
    return Money(before.minor, hold.currency)
