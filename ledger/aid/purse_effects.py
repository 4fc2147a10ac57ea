"""What a movement of a purse comes to: its postings, and what it changes of each fund where."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from ledger.aid import advances, agents, outlays, purse_movements, returns
from ledger.aid.agents import Agent
from ledger.aid.purse_changes import Place, PurseChange
from ledger.aid.purse_movements import BadMovement, OverPurse, PurseMovement, State, What
from ledger.books import recipes
from ledger.books.postings import Posting
from ledger.books.recipes import GENERAL, Purse, apportion
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Change:
    """What changes somewhere for an agent, by fund; what comes into a purse is `worth` so much in minor units."""

    agent: str
    place: Place
    shares: Mapping[str, Money]
    worth: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a movement comes to: its postings, and what it changes where for whom."""

    postings: list[Posting]
    changes: list[Change]


def find(session: Session, agent: Agent, movement: PurseMovement) -> Effect:
    """What a movement comes to as the purse stands.

    Raises:
        OverPurse: there is less. BadMovement: two caps, or a loss, in another currency. AgentNotActive, OverCap: who
            would get money may not. AdvanceNotReady: what they converted never came into the purse.
    """
    how = _lost_on_its_way if movement.advance_alias is not None else _HOW[movement.what]
    return how(session, agent, movement)


def _lost_on_its_way(session: Session, agent: Agent, movement: PurseMovement) -> Effect:
    advance = advances.require(session, movement.advance_alias or "")
    shares = advances.shares_of(session, advance)
    postings = recipes.money_lost(held=Purse(agent.transit(), advance.alias), shares=shares)
    return Effect(postings, [Change(agent.alias, Place.TRANSIT, _negative(shares))])


def _lost(session: Session, agent: Agent, movement: PurseMovement) -> Effect:
    shares = _unspent(session, agent, movement.amount())
    return Effect(recipes.money_lost(held=_purse(agent), shares=shares), [_left(agent, shares)])


def _fee(session: Session, agent: Agent, movement: PurseMovement) -> Effect:
    agents.require_active(session, agent.alias)
    fund, fee = movement.fund_code or GENERAL, movement.amount()
    unspent = returns.unspent_by_fund(session, agent, currency=fee.currency)
    shares = _shares(fee, {fund: unspent.get(fund, 0)}, agent)
    return Effect(recipes.agent_fee_taken(purse=_purse(agent), fee=fee, fund=fund), [_left(agent, shares)])


def _converted(session: Session, agent: Agent, movement: PurseMovement) -> Effect:
    sold, bought = movement.amount(), movement.bought() or movement.amount()
    shares = _unspent(session, agent, sold)
    came = apportion(bought.minor, by={fund: share.minor for fund, share in shares.items()})
    brought = {fund: Money(minor, bought.currency) for fund, minor in came.items()}
    postings = recipes.purse_converted(purse=_purse(agent), sold=shares, bought=brought)
    worth = advances.worth(session, agent, sold)
    return Effect(postings, [_left(agent, shares), Change(agent.alias, Place.PURSE, brought, worth)])


def _handed_over(session: Session, giver: Agent, movement: PurseMovement) -> Effect:
    shares = _unspent(session, giver, movement.amount())
    taker = agents.require_active(session, movement.taker_alias or "")
    if taker.currency != giver.currency:
        raise BadMovement("their caps are in two currencies", where="taker")
    worth = advances.worth(session, giver, movement.amount())
    open_cash = advances.exposure(session, taker) + Money(worth, taker.currency)
    if taker.cap() < open_cash:
        raise agents.OverCap(
            "the agent would hold more than agreed",
            agent=taker.alias,
            cap_minor=taker.cap_minor,
            open_minor=open_cash.minor,
            currency=taker.currency,
        )
    postings = recipes.purse_handed_over(giver=_purse(giver), taker=_purse(taker), shares=shares)
    return Effect(postings, [_left(giver, shares), Change(taker.alias, Place.PURSE, shares, worth)])


def _set_off(session: Session, agent: Agent, movement: PurseMovement) -> Effect:
    amount = movement.amount()
    agents.require_active(session, agent.alias)
    unspent = returns.unspent_by_fund(session, agent, currency=amount.currency)
    owed = outlays.owed_by_fund(session, agent, currency=amount.currency)
    shares = _shares(amount, {fund: min(minor, unspent.get(fund, 0)) for fund, minor in owed.items()}, agent)
    postings = [
        posting
        for fund, share in sorted(shares.items())
        if share.minor
        for posting in recipes.outlay_set_off(purse=_purse(agent), amount=share, fund=fund)
    ]
    return Effect(postings, [_left(agent, shares), Change(agent.alias, Place.OWED, shares)])


def _recovered(session: Session, agent: Agent, movement: PurseMovement) -> Effect:
    """What came back, to the funds that lost it, within what they lost."""
    loss = purse_movements.require(session, movement.loss_alias or "", lock=True)
    if movement.currency != loss.currency:
        raise BadMovement("what is back is in the currency that was lost", where="amount")
    of_loss = select(PurseMovement.alias).where(
        PurseMovement.loss_alias == loss.alias, PurseMovement.state == State.BOOKED
    )
    query = (
        select(PurseChange.fund_code, func.sum(PurseChange.minor))
        .where(col(PurseChange.movement_alias).in_([loss.alias, *session.exec(of_loss)]))
        .group_by(PurseChange.fund_code)
    )
    missing = {fund: -int(minor) for fund, minor in session.exec(query)}
    shares = _shares(movement.amount(), missing, agent)
    earlier_year = loss.happened_on.year < movement.happened_on.year
    postings = recipes.lost_money_recovered(purse=_purse(agent), shares=shares, earlier_year=earlier_year)
    in_transit = loss.advance_alias is not None  # lost in the currency of the cap, before it was anything else
    worth = movement.minor if in_transit else advances.worth(session, agent, movement.amount())
    return Effect(postings, [Change(agent.alias, Place.PURSE, shares, worth)])


def _shares(amount: Money, there_is: Mapping[str, int], agent: Agent) -> dict[str, Money]:
    """Each fund's share of an amount, as much as each has; refuses more than all have."""
    weights = {fund: minor for fund, minor in there_is.items() if minor > 0}
    if amount.minor > sum(weights.values()):
        raise OverPurse("there is less", agent=agent.alias, there_is_minor=sum(weights.values()))
    return {fund: Money(minor, amount.currency) for fund, minor in apportion(amount.minor, by=weights).items()}


def _unspent(session: Session, agent: Agent, amount: Money) -> dict[str, Money]:
    return _shares(amount, returns.unspent_by_fund(session, agent, currency=amount.currency), agent)


def _purse(agent: Agent) -> Purse:
    return Purse(agent.purse(), agent.alias)


def _left(agent: Agent, shares: Mapping[str, Money]) -> Change:
    return Change(agent.alias, Place.PURSE, _negative(shares))


def _negative(shares: Mapping[str, Money]) -> dict[str, Money]:
    return {fund: -share for fund, share in shares.items()}


_HOW: dict[What, Callable[[Session, Agent, PurseMovement], Effect]] = {
    What.CONVERTED: _converted,
    What.HANDED_OVER: _handed_over,
    What.FEE: _fee,
    What.SET_OFF: _set_off,
    What.SEIZED: _lost,
    What.LOST: _lost,
    What.RECOVERED: _recovered,
}
