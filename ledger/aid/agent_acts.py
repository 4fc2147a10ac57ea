"""The signed acts on agents, advances and purses: each restated by its signer, and kept."""

from sqlmodel import Session

from ledger import approvals, limits
from ledger.aid import advances, agents, batches, outlays, purse_bookings, purse_movements
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.aid.outlays import Repayment
from ledger.aid.purse_movements import NewMovement, PurseMovement
from ledger.approvals import Agreed, Verb
from ledger.identities import shelves


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
            payee_commitment=agents.commitment_of(agent),
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
    """Releases an approved advance to the bank: another person than all who approved it.

    Raises:
        SamePerson, NotAgreed, AdvanceNotReady, AgentNotActive, OverCap, WouldOverdraw, and what `approvals.accept`
        raises.
    """
    advance = advances.require(session, alias, lock=True)
    approvers = approvals.signers_of(session, alias, verb="approve_advance")
    approvals.require_other(agreed.signer.alias, than={advance.approved_by, *approvers})
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


def tell_movement(session: Session, new: NewMovement, agreed: Agreed) -> PurseMovement:
    """Enters a movement that its signer tells of: a fact is booked at once, a decision waits for a second person.

    What is seized freezes the agent in the same step. One signature suffices for it.

    Raises:
        What `purse_bookings.tell` and `approvals.accept` raise. Nothing was written.
    """
    with session.begin_nested():  # act and effect, or neither
        movement = purse_bookings.tell(session, new, by=agreed.signer.alias, recorded_at=agreed.now)
        approvals.accept(
            session,
            agreed,
            verb="tell_movement",
            object_alias=movement.alias,
            version=1,  # as it is told, whether it is booked at once or not
            amount=movement.amount(),  # of an advance on its way: the whole of it
            payee_commitment=purse_movements.commitment_of(movement),
        )
    return movement


def approve_movement(session: Session, alias: str, agreed: Agreed) -> PurseMovement:
    """Agrees to a movement of a purse and books it: another person than who told it.

    Above the limit for a third person it waits until two of them have signed the very same thing.

    Raises:
        UnknownMovement, SamePerson, OverLimit, MovementNotReady, OverPurse, OverCap, AgentNotActive, and what
        `approvals.accept` raises.
    """
    movement = purse_movements.require(session, alias, lock=True)
    purse_movements.require_requested(movement)
    approvals.require_other(agreed.signer.alias, than={movement.requested_by})
    amount = movement.amount()
    with session.begin_nested():
        limits.require_within(session, agreed, verb="approve_purse_movement", object_alias=alias, amount=amount)
        approvals.accept(
            session,
            agreed,
            verb="approve_purse_movement",
            object_alias=alias,
            version=movement.version,
            amount=amount,
            payee_commitment=purse_movements.commitment_of(movement),
        )
        if limits.is_enough(session, agreed):
            movement.agreed_by = agreed.signer.alias
            purse_bookings.book(session, movement, recorded_at=agreed.now, recorded_by=agreed.signer.alias)
    return movement


def approve_outlay(session: Session, alias: str, agreed: Agreed) -> Repayment:
    """Approves that an agent's outlay is repaid: another person than who asked for it.

    Above the limit for a third person it stays requested until two of them have signed the very same thing.

    Raises:
        UnknownRepayment, SamePerson, EvidenceNotOpened, OverLimit, RepaymentNotReady, AgentNotActive, OverOwed,
        WouldOverdraw, and what `approvals.accept` raises.
    """
    repayment = outlays.require(session, alias, lock=True)
    approvals.require_other(agreed.signer.alias, than={repayment.requested_by})
    if repayment.payee_commitment is not None:
        needed = [repayment.payee_commitment]
        if not shelves.has_opened(session, operator=agreed.signer.alias, shelf=alias, needed=needed):
            raise EvidenceNotOpened("the signer has not opened the payee", repayment=alias)
    amount = repayment.amount()
    with session.begin_nested():
        limits.require_within(session, agreed, verb="approve_outlay", object_alias=alias, amount=amount)
        approvals.accept(
            session,
            agreed,
            verb="approve_outlay",
            object_alias=alias,
            version=repayment.version,
            amount=amount,
            payee_commitment=outlays.commitment_of(repayment),
        )
        if limits.is_enough(session, agreed):
            outlays.approve(session, repayment, by=agreed.signer.alias, on=agreed.now.date())
    return repayment


def close_agent(session: Session, alias: str) -> Agent:
    """Ends the work with an agent for whom nothing is open: no advance, list, movement or return, and no money.

    Raises:
        UnknownAgent: there is none. AgentNotReady: closed already, or something is open.
    """
    agent = agents.require(session, alias, lock=True)
    given = advances.listed(session, agent=alias)
    under_way = any(one.state in {advances.State.REQUESTED, *advances.UNDER_WAY} for one in given)
    waiting = purse_movements.listed(session, agent=alias, state=purse_movements.State.REQUESTED)
    if under_way or waiting or batches.open_lines(session, alias, states=batches.PROMISED):
        raise agents.AgentNotReady("an advance, a list or a movement of the agent is open", agent=alias)
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
