"""Movements of agents' purses beside claims and returns: converted, handed over, fees, set off, seized, lost, back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

import rfc8785
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from ledger.aid import advances
from ledger.books import exchange
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

FARTHEST = Fraction(1, 20)
"""By which part of the stored rate a conversion may differ without a second person."""


class What(StrEnum):
    """What happened, or is to happen, to money in a purse. Recovered: a seizure or a loss came back."""

    CONVERTED = "converted"
    HANDED_OVER = "handed_over"
    FEE = "fee"
    SET_OFF = "set_off"
    SEIZED = "seized"
    LOST = "lost"
    RECOVERED = "recovered"


class State(StrEnum):
    """Where a movement stands."""

    REQUESTED = "requested"
    BOOKED = "booked"
    WITHDRAWN = "withdrawn"


LOSSES = {What.SEIZED: advances.State.SEIZED, What.LOST: advances.State.LOST}
DECIDED = (What.HANDED_OVER, What.FEE, What.SET_OFF)


class UnknownMovement(NotFound):
    """No movement of a purse has this alias."""

    rule = "unknown_movement"


class BadMovement(BadInput):
    """A movement that cannot be; `where` tells the part."""

    rule = "bad_movement"


class MovementNotReady(Conflict):
    """The movement is not in the state the verb needs."""

    rule = "movement_not_ready"


class OverPurse(Refused):
    """More than there is: in the purse beside announced returns, owed, or lost and not back; amounts in minor units."""

    rule = "over_purse"


class PurseMovement(SQLModel, table=True):
    """`minor` of `currency` moves; `bought_minor` is what a conversion brought, `loss_alias` what a recovery is of."""

    __tablename__ = "purse_movement"
    alias: str = Field(primary_key=True, max_length=20)
    agent_alias: str = Field(foreign_key="agent.alias", max_length=20, index=True)
    what: What = Field(sa_type=enumeration(What))
    state: State = Field(sa_type=enumeration(State))
    version: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    bought_minor: int | None = Field(default=None, sa_type=MinorUnits)
    bought_currency: str | None = Field(default=None, max_length=3)
    taker_alias: str | None = Field(default=None, foreign_key="agent.alias", max_length=20)
    advance_alias: str | None = Field(default=None, foreign_key="advance.alias", max_length=20)
    loss_alias: str | None = Field(default=None, foreign_key="purse_movement.alias", max_length=20)
    fund_code: str | None = Field(default=None, foreign_key="fund.code", max_length=30)
    happened_on: date
    requested_by: str = Field(max_length=20)
    agreed_by: str | None = Field(default=None, max_length=20)

    __table_args__ = (
        CheckConstraint("minor > 0", name="movement_is_above_zero"),
        CheckConstraint("agreed_by <> requested_by", name="movement_is_of_two_people"),
        CheckConstraint("(what = 'converted') = (bought_minor IS NOT NULL)", name="movement_buys_when_converted"),
        CheckConstraint("(what = 'handed_over') = (taker_alias IS NOT NULL)", name="movement_has_a_taker"),
        CheckConstraint("(what = 'recovered') = (loss_alias IS NOT NULL)", name="movement_recovers_a_loss"),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """What moves."""
        return Money(self.minor, self.currency)

    def bought(self) -> Money | None:
        """What a conversion brought, or None."""
        if self.bought_minor is None or self.bought_currency is None:
            return None
        return Money(self.bought_minor, self.bought_currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMovement:
    """What is told of a movement.

    `advance` is one seized or lost on its way, whole: no `amount` is told. `fund` bears a fee, `general` unless told.
    """

    alias: str
    agent: str
    what: What
    amount: Money | None
    happened_on: date
    bought: Money | None = None
    taker: str | None = None
    advance: str | None = None
    loss: str | None = None
    fund: str | None = None

    def commitment(self) -> str:
        """What the act of who tells it restates beside alias and amount."""
        return commitment(
            {
                "agent": self.agent,
                "what": self.what.value,
                "bought": _shown(self.bought),
                "taker": self.taker,
                "advance": self.advance,
                "loss": self.loss,
                "fund": self.fund,
                "happened_on": self.happened_on.isoformat(),
            }
        )


def withdraw(session: Session, movement: PurseMovement) -> None:
    """Takes back what waits for a second person.

    Raises:
        MovementNotReady: it was booked, or withdrawn before.
    """
    require_requested(movement)
    move(session, movement, State.WITHDRAWN)


def is_far_off(session: Session, movement: PurseMovement) -> bool:
    """Whether a conversion brought more, or less, than the stored rates say by more than `FARTHEST`; or none tells."""
    bought = movement.bought()
    if bought is None:
        return False
    try:
        sold_worth, bought_worth = (
            exchange.translate(money, exchange.rate(session, money.currency, on=movement.happened_on))
            for money in (movement.amount(), bought)
        )
    except exchange.NoRate:
        return True
    return abs(bought_worth - sold_worth) > FARTHEST * sold_worth


def commitment(told: Mapping[str, str | None]) -> str:
    """What an act restates: SHA-256 over the canonical JSON of everything that is told of a movement but its amount.

    `told` has agent, what, bought (such as `25.00 USD`), taker, advance, loss, fund, happened_on.
    """
    return hashlib.sha256(rfc8785.dumps(dict(told))).hexdigest()


def commitment_of(movement: PurseMovement) -> str:
    """The commitment of a movement as it stands."""
    return commitment(
        {
            "agent": movement.agent_alias,
            "what": movement.what.value,
            "bought": _shown(movement.bought()),
            "taker": movement.taker_alias,
            "advance": movement.advance_alias,
            "loss": movement.loss_alias,
            "fund": movement.fund_code,
            "happened_on": movement.happened_on.isoformat(),
        }
    )


def require(session: Session, alias: str, *, lock: bool = False) -> PurseMovement:
    """The movement; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownMovement: there is none.
    """
    query = select(PurseMovement).where(PurseMovement.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownMovement("no movement of a purse has this alias")
    return found


def listed(session: Session, *, agent: str | None = None, state: State | None = None) -> Sequence[PurseMovement]:
    """The movements, of one agent and in one state unless None, oldest first."""
    query = select(PurseMovement)
    if agent is not None:
        query = query.where(PurseMovement.agent_alias == agent)
    if state is not None:
        query = query.where(PurseMovement.state == state)
    return sorted(session.exec(query), key=lambda one: (one.happened_on, one.alias))


def require_requested(movement: PurseMovement) -> None:
    """Refuses what waits for nobody: raises `MovementNotReady`."""
    if movement.state is not State.REQUESTED:
        raise MovementNotReady("it was booked, or withdrawn", movement=movement.alias, state=movement.state)


def move(session: Session, movement: PurseMovement, to: State) -> None:
    """Sets the state and counts the version; only booking and withdrawing call it."""
    movement.state = to
    movement.version += 1
    session.add(movement)
    session.flush()


def _shown(bought: Money | None) -> str | None:
    return f"{bought.decimal()} {bought.currency}" if bought else None
