"""Agents' lists: sealed to the agent's key by the treasurer's client, opaque here, and gone after their last day."""

import hashlib
from datetime import date, datetime, timedelta

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aid import agents, batches
from ledger.aid.agents import Agent
from ledger.aid.batches import Batch, BatchNotReady
from ledger.errors import BadInput, NotFound, Refused
from ledger.identities.boxes import check_age_file
from ledger.storage.columns import UtcDateTime
from ledger.storage.locks import locked

LONGEST = timedelta(days=60)
"""How far ahead a list's last day may lie."""


class NoList(NotFound):
    """No list was put for this batch."""

    rule = "no_list"


class NoListKey(Refused):
    """The agent has no key that a list could be sealed to."""

    rule = "no_list_key"


class BadList(BadInput):
    """A last day that has passed, or lies too far ahead."""

    rule = "bad_expiry"


class AgentsList(SQLModel, table=True):
    """`sealed` is an age file, until it is removed; `digest` its SHA-256; `expires_on` the last day of handing out."""

    __tablename__ = "agents_list"
    batch_alias: str = Field(foreign_key="batch.alias", primary_key=True, max_length=20)
    sealed: bytes | None = None
    digest: str = Field(max_length=64)
    expires_on: date
    put_by: str = Field(max_length=20)
    put_at: datetime = Field(sa_type=UtcDateTime)
    removed_on: date | None = None

    __table_args__ = (CheckConstraint("(sealed IS NULL) = (removed_on IS NOT NULL)", name="list_is_removed_on_a_day"),)


def put(session: Session, batch: str, *, sealed: bytes, expires_on: date, by: str, at: datetime) -> AgentsList:
    """Keeps the list of a released batch, in the place of an earlier one; the same bytes again change nothing.

    Raises:
        UnknownBatch, BatchNotReady: not a released list of an agent. AgentNotActive: see there. NoListKey: see there.
        BadList: the last day has passed, or is over `LONGEST` ahead. NotASealedBox: no padded age file.
    """
    standing = batches.require(session, batch, lock=True)
    agent = _require_agent(session, standing)
    if agent.list_key is None:
        raise NoListKey("the agent has no key for lists", agent=agent.alias)
    check_age_file(sealed)
    today = at.date()
    if not today <= expires_on <= today + LONGEST:
        raise BadList(f"a list's last day is at most {LONGEST.days} days ahead", where="expires_on")
    kept = _find(session, batch)
    digest = hashlib.sha256(sealed).hexdigest()
    if kept is not None and (kept.digest, kept.expires_on, kept.removed_on) == (digest, expires_on, None):
        return kept
    kept = kept or AgentsList(batch_alias=batch, digest=digest, expires_on=expires_on, put_by=by, put_at=at)
    kept.sealed, kept.digest, kept.expires_on = sealed, digest, expires_on
    kept.put_by, kept.put_at, kept.removed_on = by, at, None
    session.add(kept)
    session.flush()
    return kept


def hand_out(session: Session, batch: str, *, on: date) -> AgentsList:
    """The list of a batch; after its last day without its bytes, which are removed then if they were not.

    Raises:
        UnknownBatch, NoList: there is none. AgentNotActive: nothing goes to this agent.
    """
    standing = batches.require(session, batch)
    _require_agent(session, standing)
    kept = _find(session, batch)
    if kept is None:
        raise NoList("no list was put for this batch", batch=batch)
    if on > kept.expires_on:
        _remove(session, kept, on=on)
    return kept


def remove_expired(session: Session, *, on: date) -> int:
    """Removes the bytes of every list whose last day has passed; how many."""
    query = select(AgentsList).where(AgentsList.expires_on < on, col(AgentsList.removed_on).is_(None))
    return sum(_remove(session, kept, on=on) for kept in session.exec(locked(query)).all())


def remove_of(session: Session, agent: Agent, *, on: date) -> int:
    """Removes the bytes of every list of an agent; how many."""
    query = (
        select(AgentsList)
        .join(Batch, col(Batch.alias) == AgentsList.batch_alias)
        .where(Batch.agent_alias == agent.alias, col(AgentsList.removed_on).is_(None))
    )
    return sum(_remove(session, kept, on=on) for kept in session.exec(query).all())


def is_expired(session: Session, batch: str, *, on: date) -> bool:
    """Whether a batch had a list whose last day has passed."""
    kept = _find(session, batch)
    return kept is not None and on > kept.expires_on


def of_agent(session: Session, agent: str) -> list[AgentsList]:
    """The lists that were put for an agent, by batch."""
    query = select(AgentsList).join(Batch, col(Batch.alias) == AgentsList.batch_alias)
    return sorted(session.exec(query.where(Batch.agent_alias == agent)), key=lambda kept: kept.batch_alias)


def _find(session: Session, batch: str) -> AgentsList | None:
    return session.exec(locked(select(AgentsList).where(AgentsList.batch_alias == batch))).one_or_none()


def _require_agent(session: Session, batch: Batch) -> Agent:
    if batch.agent_alias is None or batch.state is not batches.State.RELEASED:
        raise BatchNotReady("a list is of a released batch of an agent", batch=batch.alias, state=batch.state)
    return agents.require_active(session, batch.agent_alias)


def _remove(session: Session, kept: AgentsList, *, on: date) -> bool:
    if kept.removed_on is not None:
        return False
    kept.sealed, kept.removed_on = None, on
    session.add(kept)
    session.flush()
    return True
