"""How movements of purses come into the books.

Facts (a conversion near the stored rate, a seizure, a loss, what came back) are booked when they are told. Decisions
(a hand-over, a fee, a set-off, and a conversion far from the rate) wait for a second person. None of them takes more
out of a purse than it has beside what is announced to come back: claims, returns and losses stay within the advances.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlmodel import Session

from ledger import overdrafts
from ledger.aid import advances, agents, purse_effects, purse_movements
from ledger.aid.agents import Agent
from ledger.aid.purse_changes import PurseChange
from ledger.aid.purse_effects import Effect
from ledger.aid.purse_movements import DECIDED, LOSSES, BadMovement, NewMovement, PurseMovement, State, What
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import funds, journal
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.books.recipes import apportion
from ledger.money import Money


def tell(session: Session, new: NewMovement, *, by: str, recorded_at: datetime) -> PurseMovement:
    """Enters a movement: a fact is booked at once, a decision waits for a second person.

    What is seized freezes the agent in the same step.

    Raises:
        AliasTaken, BadAlias, UnknownAgent, UnknownAdvance, UnknownMovement, UnknownFund: see there.
        BadMovement: parts are missing or too many, or it is of the future. OverPurse: there is less.
        AdvanceNotReady: the advance is not on its way. AgentNotActive: money goes to nobody who is not active.
    """
    check(new.alias, Kind.PURSE_MOVEMENT)
    _lock(session, {new.agent, new.taker or new.agent})
    agent = agents.require(session, new.agent)
    amount = _check(session, agent, new, today=recorded_at.date())
    if session.get(PurseMovement, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    movement = PurseMovement(
        alias=new.alias,
        agent_alias=agent.alias,
        what=new.what,
        state=State.REQUESTED,
        version=1,
        minor=amount.minor,
        currency=amount.currency,
        bought_minor=new.bought.minor if new.bought else None,
        bought_currency=new.bought.currency if new.bought else None,
        taker_alias=new.taker,
        advance_alias=new.advance,
        loss_alias=new.loss,
        fund_code=new.fund,
        happened_on=new.happened_on,
        requested_by=by,
    )
    with session.begin_nested():  # told and booked, or neither
        session.add(movement)
        session.flush()
        if new.what in DECIDED or (new.what is What.CONVERTED and purse_movements.is_far_off(session, movement)):
            purse_effects.find(session, agent, movement)  # what could not be booked is not asked for
        else:
            book(session, movement, recorded_at=recorded_at, recorded_by=by)
    return movement


def book(session: Session, movement: PurseMovement, *, recorded_at: datetime, recorded_by: str) -> None:
    """Books a movement as it was told, now that everybody agrees who must.

    Raises:
        MovementNotReady: it was booked, or withdrawn. OverPurse, AgentNotActive, OverCap: see there.
    """
    purse_movements.require_requested(movement)
    _lock(session, {movement.agent_alias, movement.taker_alias or movement.agent_alias})
    agent = agents.require(session, movement.agent_alias)
    effect = purse_effects.find(session, agent, movement)
    if movement.what is What.SEIZED and agent.state is not agents.State.CLOSED:
        agents.freeze(session, agent, by=recorded_by, on=recorded_at.date())
    with overdrafts.noted(session, on=recorded_at.date()):
        journal.post(
            session,
            source_key=f"purse:{movement.alias}",
            kind=f"purse_{movement.what}",
            postings=effect.postings,
            happened_on=movement.happened_on,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )
    _note_changes(session, movement, effect)
    purse_movements.move(session, movement, State.BOOKED)
    if movement.advance_alias is not None:
        advance = advances.require(session, movement.advance_alias, lock=True)
        advances.lose(session, advance, ended=LOSSES[movement.what])
    advances.settle(session, agent, ended=LOSSES.get(movement.what, advances.State.SETTLED))


def _note_changes(session: Session, movement: PurseMovement, effect: Effect) -> None:
    told = [(change, *part) for change in effect.changes for part in _worthy(change.shares, change.worth)]
    session.add_all(
        PurseChange(
            movement_alias=movement.alias,
            number=number,
            agent_alias=change.agent,
            place=change.place,
            fund_code=fund,
            minor=share.minor,
            currency=share.currency,
            worth_minor=worth,
        )
        for number, (change, fund, share, worth) in enumerate(told, start=1)
    )


def _check(session: Session, agent: Agent, new: NewMovement, *, today: date) -> Money:
    """The amount that moves, once the parts fit together."""
    _check_parts(new)
    if new.happened_on > today:
        raise BadMovement("nothing is told of days to come", where="happened_on")
    if new.taker == new.agent:
        raise BadMovement("an agent hands nothing to themselves", where="taker")
    if new.fund is not None:
        funds.require(session, new.fund)
    if new.loss is not None:
        _check_loss(agent, new, purse_movements.require(session, new.loss, lock=True))
    amount = new.amount
    if new.advance is not None:
        advance = advances.require(session, new.advance, lock=True)
        if advance.agent_alias != agent.alias or advance.sent_on is None or new.happened_on < advance.sent_on:
            raise BadMovement("the advance was not on its way to this agent", where="advance")
        amount = advance.amount()
    return _check_amount(amount, bought=new.bought)


def _check_amount(amount: Money | None, *, bought: Money | None) -> Money:
    if amount is None:
        raise BadMovement("an amount is told", where="amount")
    if not all(0 < money.minor <= LARGEST_POSTING_MINOR for money in (amount, bought or amount)):
        raise BadMovement("an amount is above zero", where="amount")
    if bought is not None and bought.currency == amount.currency:
        raise BadMovement("a currency is not converted into itself", where="bought")
    return amount


def _check_loss(agent: Agent, new: NewMovement, lost: PurseMovement) -> None:
    if lost.agent_alias != agent.alias or lost.what not in LOSSES or lost.state is not State.BOOKED:
        raise BadMovement("nothing was seized from this agent or lost by them under this alias", where="loss")
    if new.happened_on < lost.happened_on:
        raise BadMovement("nothing is back before it was lost", where="happened_on")


def _check_parts(new: NewMovement) -> None:
    for part, belongs, told in (
        ("bought", new.what is What.CONVERTED, new.bought),
        ("taker", new.what is What.HANDED_OVER, new.taker),
        ("loss", new.what is What.RECOVERED, new.loss),
    ):
        if belongs != (told is not None):
            raise BadMovement("a part is missing, or one too many", where=part, what=new.what)
    if new.advance is not None and (new.what not in LOSSES or new.amount is not None):
        raise BadMovement("an advance is seized or lost on its way, and whole", where="advance")
    if new.fund is not None and new.what is not What.FEE:
        raise BadMovement("a fund is told of a fee only", where="fund")


def _lock(session: Session, aliases: Iterable[str]) -> None:
    """Two who hand over to one another lock giver and taker in the same order."""
    for alias in sorted(aliases):
        agents.require(session, alias, lock=True)


def _worthy(shares: Mapping[str, Money], worth: int | None) -> list[tuple[str, Money, int | None]]:
    """The shares that are not zero, each with its part of the worth."""
    moving = {fund: share for fund, share in sorted(shares.items()) if share.minor}
    if worth is None:
        return [(fund, share, None) for fund, share in moving.items()]
    parts = apportion(worth, by={fund: share.minor for fund, share in moving.items()})
    return [(fund, share, parts[fund]) for fund, share in moving.items()]
