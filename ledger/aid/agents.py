"""Agents: people who pay on the fund's behalf, known here by a random alias, with caps on what they may hold."""

import hashlib
import re
from datetime import date
from enum import StrEnum

import rfc8785
from sqlalchemy import and_, func, or_
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import overdrafts
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts, balances
from ledger.books.journal import Line
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

PURSES, TRANSIT, OWED = "1200", "1210", "2150"
MOST_LINES = 10_000
_LIST_KEY = re.compile("age1[02-9ac-hj-np-z]{58}")
"""An age public key (X25519) as its specification writes it: Bech32 in lower case."""


class State(StrEnum):
    """Where an agent stands: money and lists go to active ones only. Compromised: nobody works with them again."""

    VETTED = "vetted"
    ACTIVE = "active"
    FROZEN = "frozen"
    COMPROMISED = "compromised"
    CLOSED = "closed"


class UnknownAgent(NotFound):
    """No agent has this alias."""

    rule = "unknown_agent"


class BadAgent(BadInput):
    """Caps, or a key for lists, that cannot be."""

    rule = "bad_agent"


class AgentNotReady(Conflict):
    """The agent is not in the state the verb needs."""

    rule = "agent_not_ready"


class AgentNotActive(Refused):
    """Not activated yet, frozen, or closed: no money and no list goes to them."""

    rule = "agent_not_active"


class OverCap(Refused):
    """The agent would hold more money, or more open lines, than was agreed."""

    rule = "over_agent_cap"


class Agent(SQLModel, table=True):
    """Caps: on the money they may hold, in the currency their advances are sent in, on lines, and on courts of lists.

    `list_key` is the age public key that their lists are sealed to. It is agreed to with the caps and never changed:
    who has another key is another agent. Agents of before have none, and no cap on courts.
    """

    alias: str = Field(primary_key=True, max_length=20)
    state: State = Field(sa_type=enumeration(State))
    version: int
    cap_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    cap_lines: int
    cap_courts: int | None = None
    list_key: str | None = Field(default=None, max_length=62)
    added_by: str = Field(max_length=20)
    activated_by: str | None = Field(default=None, max_length=20)
    frozen_by: str | None = Field(default=None, max_length=20)
    compromised_by: str | None = Field(default=None, max_length=20)

    __table_args__ = whole_minor("cap_minor")

    def cap(self) -> Money:
        """The most money they may hold."""
        return Money(self.cap_minor, self.currency)

    def purse(self) -> str:
        """The leaf of 1200 with the money they hold."""
        return f"{PURSES}:{_body(self.alias)}"

    def transit(self) -> str:
        """The leaf of 1210 with the money on its way to them."""
        return f"{TRANSIT}:{_body(self.alias)}"


def add(
    session: Session,
    alias: str,
    *,
    cap: Money,
    cap_lines: int,
    added_by: str,
    cap_courts: int | None = None,
    list_key: str | None = None,
) -> Agent:
    """Enters a vetted agent with their two leaves; a second person activates them.

    Raises:
        BadAlias, AliasTaken: not an agent's alias, or taken. BadAgent: a cap is not above zero, or the key is none.
    """
    check(alias, Kind.AGENT)
    if cap.minor <= 0 or not 0 < cap_lines <= MOST_LINES or not (cap_courts is None or 0 < cap_courts <= MOST_LINES):
        raise BadAgent(f"caps are above zero, and at most {MOST_LINES}", where="cap, cap_lines, cap_courts")
    if list_key is not None and not _LIST_KEY.fullmatch(list_key):
        raise BadAgent("lists are sealed to an age public key", where="list_key")
    if session.get(Agent, alias) is not None:
        raise AliasTaken("the alias is taken")
    agent = Agent(
        alias=alias,
        state=State.VETTED,
        version=1,
        cap_minor=cap.minor,
        currency=cap.currency,
        cap_lines=cap_lines,
        cap_courts=cap_courts,
        list_key=list_key,
        added_by=added_by,
    )
    session.add(agent)
    session.flush()
    for leaf in (agent.purse(), agent.transit()):
        accounts.add_leaf(session, leaf, name=alias)
    return agent


def activate(session: Session, agent: Agent, *, by: str) -> None:
    """Lets money and lists go to a vetted agent, or again to a frozen one.

    Raises:
        AgentNotReady: active already, or closed.
    """
    _move(session, agent, State.ACTIVE, frm={State.VETTED, State.FROZEN})
    agent.activated_by = by
    accounts.count_as_liquid(session, (agent.purse(), agent.transit()), liquid=True)


def freeze(session: Session, agent: Agent, *, by: str, on: date) -> None:
    """Stops every advance and every list that was not released yet; frozen or compromised already: nothing happens.

    What they hold counts no more as spendable: a fund that falls below zero by it opens an exception. Facts about them
    are booked as before.

    Raises:
        AgentNotReady: closed.
    """
    if agent.state in {State.FROZEN, State.COMPROMISED}:
        return
    _move(session, agent, State.FROZEN, frm={State.VETTED, State.ACTIVE})
    agent.frozen_by = by
    _count_out(session, agent, on=on)


def compromise(session: Session, agent: Agent, *, by: str, on: date) -> None:
    """Freezes an agent for good: others know what they know. Compromised already: nothing happens.

    Raises:
        AgentNotReady: closed.
    """
    if agent.state is State.COMPROMISED:
        return
    _move(session, agent, State.COMPROMISED, frm={State.VETTED, State.ACTIVE, State.FROZEN})
    agent.compromised_by = by
    _count_out(session, agent, on=on)


def commitment(*, cap_lines: int, cap_courts: int | None = None, list_key: str | None = None) -> str:
    """What an act on an agent restates beside the cap on cash: SHA-256 of the other caps and of the key for lists."""
    if cap_courts is None and list_key is None:  # as it was before there were either
        return hashlib.sha256(str(cap_lines).encode()).hexdigest()
    return hashlib.sha256(rfc8785.dumps([cap_lines, cap_courts, list_key])).hexdigest()


def commitment_of(agent: Agent) -> str:
    """The commitment of an agent as they stand."""
    return commitment(cap_lines=agent.cap_lines, cap_courts=agent.cap_courts, list_key=agent.list_key)


def close(session: Session, agent: Agent) -> None:
    """Ends the work with an agent who holds nothing and is owed nothing.

    Raises:
        AgentNotReady: closed already, or something is open.
    """
    codes = [agent.purse(), agent.transit()]
    owed = and_(col(Line.account_code) == OWED, col(Line.subject) == agent.alias)
    standing = (
        select(func.sum(Line.minor))
        .where(or_(col(Line.account_code).in_(codes), owed))
        .group_by(Line.account_code, Line.fund_code, Line.currency)
    )
    if any(session.exec(standing).all()):
        raise AgentNotReady("the agent holds money or is owed some", agent=agent.alias)
    _move(session, agent, State.CLOSED, frm=set(State) - {State.CLOSED})


def require(session: Session, alias: str, *, lock: bool = False) -> Agent:
    """The agent; with `lock`, as they stand now, and nobody freezes them until the transaction ends.

    Raises:
        UnknownAgent: there is none.
    """
    query = select(Agent).where(Agent.alias == alias)
    agent = session.exec(locked(query) if lock else query).one_or_none()
    if agent is None:
        raise UnknownAgent("no agent has this alias")
    return agent


def require_active(session: Session, alias: str) -> Agent:
    """The agent, active and locked: the one flag that everything which goes to them reads.

    Raises:
        UnknownAgent: there is none. AgentNotActive: vetted only, frozen or closed.
    """
    agent = require(session, alias, lock=True)
    if agent.state is not State.ACTIVE:
        raise AgentNotActive("no money and no list goes to this agent", agent=alias, state=agent.state)
    return agent


def listed(session: Session) -> list[Agent]:
    """All agents in the order of their aliases."""
    return sorted(session.exec(select(Agent)), key=lambda agent: agent.alias)


def held_by_fund(session: Session, agent: Agent, *, currency: str) -> dict[str, int]:
    """What stands in the agent's purse in a currency, in minor units, by fund."""
    query = (
        select(Line.fund_code, func.sum(Line.minor))
        .where(Line.account_code == agent.purse(), Line.currency == currency)
        .group_by(Line.fund_code)
    )
    return {fund: int(minor) for fund, minor in session.exec(query)}


def owed_by_fund(session: Session, agent: Agent, *, currency: str) -> dict[str, int]:
    """What the funds owe an agent for outlays of their own in a currency, in minor units, by fund."""
    query = (
        select(Line.fund_code, func.sum(Line.minor))
        .where(Line.account_code == OWED, Line.subject == agent.alias, Line.currency == currency)
        .group_by(Line.fund_code)
    )
    return {fund: -int(minor) for fund, minor in session.exec(query)}


def balance(session: Session, agent: Agent, *, currency: str) -> Money:
    """What stands in the agent's purse in a currency."""
    return balances.balance(session, agent.purse(), currency=currency)


def _funds_of(session: Session, agent: Agent) -> list[str]:
    """The funds whose money is, or was, with an agent."""
    query = select(Line.fund_code).where(col(Line.account_code).in_((agent.purse(), agent.transit()))).distinct()
    return sorted(session.exec(query))


def _count_out(session: Session, agent: Agent, *, on: date) -> None:
    """What they hold counts no more; funds that fall below zero by it are told."""
    accounts.count_as_liquid(session, (agent.purse(), agent.transit()), liquid=False)
    for fund in _funds_of(session, agent):
        about = f"{agent.alias}:{agent.version}"
        overdrafts.look_at_fund(session, fund, account=agent.purse(), about=about, on=on)


def _body(alias: str) -> str:
    return alias.partition("-")[2]


def _move(session: Session, agent: Agent, to: State, *, frm: set[State]) -> None:
    if agent.state not in frm:
        raise AgentNotReady("the agent is not in the state this needs", agent=agent.alias, state=agent.state)
    agent.state = to
    agent.version += 1
    session.add(agent)
    session.flush()
