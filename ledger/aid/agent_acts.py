"""The signed acts on agents and advances: activation, approval and release, each restated by its signer and kept."""

from sqlmodel import Session

from ledger import approvals, limits
from ledger.aid import advances, agents, batches
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.approvals import Agreed, Verb


def activate_agent(session: Session, alias: str, agreed: Agreed) -> Agent:
    """Activates a vetted or frozen agent: another person than who entered or froze them agrees to the cap on cash.

    Raises:
        SamePerson, AgentNotReady, and what `approvals.accept` raises.
    """
    agent = agents.require(session, alias, lock=True)
    approvals.require_other(agreed.signer.alias, than={agent.added_by, agent.frozen_by})
    with session.begin_nested():  # act and effect, or neither
        approvals.accept(
            session,
            agreed,
            verb="activate_agent",
            object_alias=alias,
            version=agent.version,
            amount=agent.cap(),
            payee_commitment=agents.commitment(cap_lines=agent.cap_lines),
        )
        agents.activate(session, agent, by=agreed.signer.alias)
    return agent


def approve_advance(session: Session, alias: str, agreed: Agreed) -> Advance:
    """Approves an advance: another person than who asked for it.

    Above the limit for a third person it stays requested until two of them have signed the very same thing.

    Raises:
        SamePerson, OverLimit, AdvanceNotReady, AgentNotActive, OverCap, WouldOverdraw, NoRate, and what
        `approvals.accept` raises.
    """
    advance = advances.require(session, alias, lock=True)
    approvals.require_other(agreed.signer.alias, than={advance.requested_by})
    with session.begin_nested():
        _accept(session, agreed, "approve_advance", advance)
        if limits.is_enough(session, agreed):
            advances.approve(session, advance, by=agreed.signer.alias, on=agreed.now.date())
    return advance


def release_advance(session: Session, alias: str, agreed: Agreed) -> Advance:
    """Releases an approved advance to the bank: another person than who approved it.

    Raises:
        SamePerson, NotAgreed, AdvanceNotReady, AgentNotActive, OverCap, WouldOverdraw, and what `approvals.accept`
        raises.
    """
    advance = advances.require(session, alias, lock=True)
    approvals.require_other(agreed.signer.alias, than={advance.approved_by})
    if advance.state is advances.State.APPROVED:
        approvals.require_agreed(
            session,
            alias,
            verb="approve_advance",
            amount=advance.amount(),
            payee_commitment=advances.commitment_of(session, advance),
        )
        limits.require_enough(
            session,
            alias,
            verb="approve_advance",
            amount=advance.amount(),
            payee_commitment=advances.commitment_of(session, advance),
        )
    with session.begin_nested():
        _accept(session, agreed, "release_advance", advance)
        advances.release(session, advance, by=agreed.signer.alias, on=agreed.now.date())
    return advance


def close_agent(session: Session, alias: str) -> Agent:
    """Ends the work with an agent to whom no money is on its way, who works on no list, and whose purse is empty.

    Raises:
        UnknownAgent: there is none. AgentNotReady: closed already, or something is open.
    """
    agent = agents.require(session, alias, lock=True)
    under_way = any(one.state in advances.UNDER_WAY for one in advances.listed(session, agent=alias))
    if under_way or batches.open_lines(session, alias, states=batches.PROMISED):
        raise agents.AgentNotReady("an advance or a list of the agent is open", agent=alias)
    agents.close(session, agent)
    return agent


def _accept(session: Session, agreed: Agreed, verb: Verb, advance: Advance) -> None:
    limits.require_within(session, agreed, verb=verb, object_alias=advance.alias, amount=advance.amount())
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=advance.alias,
        version=advance.version,
        amount=advance.amount(),
        payee_commitment=advances.commitment_of(session, advance),
    )
