"""Routes of agents and their advances: entered, activated, frozen; asked for, released, acknowledged, given back."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Code, Day, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import advances, agent_acts, agents, agents_lists, batches, results, returns
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.approvals import Agreed
from ledger.errors import BadInput, NotFound
from ledger.money import Money

router = APIRouter()


class SameFundTwice(BadInput):
    """A fund stands in two shares."""

    rule = "same_fund_twice"


class UnknownReturn(NotFound):
    """No return of the advance has this reference."""

    rule = "unknown_return"


class AgentIn(Wire):
    """A vetted agent: the most cash they may hold, in the currency of their advances; the most lines; courts of lists.

    `list_key` is the age public key that their lists are sealed to; nothing is sealed for who has none.
    """

    alias: Alias
    cap: AmountOnWire
    cap_lines: Annotated[int, Field(ge=1, le=agents.MOST_LINES)]
    cap_courts: Annotated[int, Field(ge=1, le=agents.MOST_LINES)] | None = None
    list_key: Annotated[str, StringConstraints(pattern=r"^age1[0-9a-z]{58}$")] | None = None


class AgeingOut(Wire):
    """A line they say they paid, without a receipt that holds."""

    batch: str
    disbursement: str
    receipt: str
    amount: AmountOnWire
    paid_by: date


class AgentOut(Wire):
    """An agent, what they may hold, and what they hold: `exposure` in the currency of the cap, `purse` a leaf."""

    alias: str
    state: str
    version: int
    cap: AmountOnWire
    cap_lines: int
    cap_courts: int | None
    list_key: str | None
    purse: str
    exposure: AmountOnWire
    open_lines: int
    ageing: list[AgeingOut]


class AgentsOut(Wire):
    """All agents, by alias."""

    agents: list[AgentOut]


class ShareOnWire(Wire):
    """What one fund has of a sum."""

    fund: Code
    amount: AmountOnWire


class AdvanceIn(Wire):
    """Asks for money to be sent to an agent from a bank leaf."""

    alias: Alias
    agent: Alias
    account: Code
    shares: Annotated[list[ShareOnWire], Field(min_length=1, max_length=20)]


class ReturnOut(Wire):
    """Unspent money that comes back under this reference, and what it stands for in the agent's purse."""

    reference: str
    stands_for: AmountOnWire
    received_on: date | None
    withdrawn_on: date | None


class AdvanceOut(Wire):
    """An advance with everything an act about it restates; `reference` is all the bank is told."""

    alias: str
    agent: str
    account: str
    state: str
    version: int
    amount: AmountOnWire
    shares: list[ShareOnWire]
    commitment: str
    reference: str
    sent_on: date | None
    acknowledged_on: date | None
    received: AmountOnWire | None
    returns: list[ReturnOut]


class AdvancesOut(Wire):
    """All advances, by alias."""

    advances: list[AdvanceOut]


class AgreedIn(Wire):
    """A signed act."""

    agreed: SignedActOnWire


class AcknowledgedIn(Wire):
    """What the agent really received, in their own currency, and when."""

    received: AmountOnWire
    on: Day


class ReturnIn(Wire):
    """What unspent money that is to come back stands for in the agent's purse."""

    stands_for: AmountOnWire


class WithdrawnIn(Wire):
    """Which announced return does not come."""

    reference: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,25}$")]


@router.get("/v1/agents")
def list_agents(session: Tx, _caller: Admitted) -> AgentsOut:
    """All agents with what they hold, what they work on, and which receipts are wanting."""
    return AgentsOut(agents=[_agent(session, agent) for agent in agents.listed(session)])


@router.post("/v1/agents", status_code=201)
def add_agent(body: AgentIn, session: Tx, caller: Admitted, once: Claimed) -> AgentOut:
    """Enters a vetted agent; a second person's signature activates them."""
    added = agents.add(
        session,
        body.alias,
        cap=body.cap.money(),
        cap_lines=body.cap_lines,
        added_by=caller.operator.alias,
        cap_courts=body.cap_courts,
        list_key=body.list_key,
    )
    return once.keep(_agent(session, added))


@router.post("/v1/agents/{alias}/freeze", status_code=201)
def freeze_agent(alias: Alias, session: Tx, caller: Admitted, now: Now, once: Claimed) -> AgentOut:
    """Stops everything that was not released to an agent yet, at once, by one person."""
    agent = agents.require(session, alias, lock=True)
    agents.freeze(session, agent, by=caller.operator.alias, on=now.date())
    agents_lists.remove_expired(session, on=now.date())
    return once.keep(_agent(session, agent))


@router.post("/v1/agents/{alias}/compromise", status_code=201)
def compromise_agent(alias: Alias, session: Tx, caller: Admitted, now: Now, once: Claimed) -> AgentOut:
    """Freezes an agent for good, at once, by one person, and removes their lists from here."""
    agent = agents.require(session, alias, lock=True)
    agents.compromise(session, agent, by=caller.operator.alias, on=now.date())
    agents_lists.remove_of(session, agent, on=now.date())
    return once.keep(_agent(session, agent))


@router.post("/v1/agents/{alias}/close", status_code=201)
def close_agent(alias: Alias, session: Tx, _caller: Admitted, once: Claimed) -> AgentOut:
    """Ends the work with an agent who holds nothing and is owed nothing."""
    return once.keep(_agent(session, agent_acts.close_agent(session, alias)))


@router.get("/v1/advances")
def list_advances(session: Tx, _caller: Admitted, agent: Alias | None = None) -> AdvancesOut:
    """All advances, or those of one agent."""
    return AdvancesOut(advances=[_advance(session, one) for one in advances.listed(session, agent=agent)])


@router.post("/v1/advances", status_code=201)
def request_advance(body: AdvanceIn, session: Tx, caller: Admitted, once: Claimed) -> AdvanceOut:
    """Asks for an advance, split by fund."""
    shares = {share.fund: share.amount.money() for share in body.shares}
    if len(shares) != len(body.shares):
        raise SameFundTwice("a fund has one share", where="shares")
    requested = advances.request(
        session,
        body.alias,
        agent=body.agent,
        account=body.account,
        shares=shares,
        requested_by=caller.operator.alias,
    )
    return once.keep(_advance(session, requested))


@router.post("/v1/advances/{alias}/cancel", status_code=201)
def cancel_advance(alias: Alias, session: Tx, _caller: Admitted, now: Now, once: Claimed) -> AdvanceOut:
    """Gives up an advance of which the bank was not told."""
    advance = advances.require(session, alias, lock=True)
    advances.cancel(session, advance, on=now.date())
    return once.keep(_advance(session, advance))


@router.post("/v1/advances/{alias}/release", status_code=201)
def release_advance(alias: Alias, body: AgreedIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> AdvanceOut:
    """Releases an approved advance to the bank."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(_advance(session, agent_acts.release_advance(session, alias, agreed)))


@router.post("/v1/advances/{alias}/acknowledge", status_code=201)
def acknowledge_advance(
    alias: Alias, body: AcknowledgedIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> AdvanceOut:
    """Books what the agent really received."""
    advance = advances.require(session, alias, lock=True)
    advances.acknowledge(
        session,
        advance,
        received=body.received.money(),
        on=body.on,
        recorded_at=now,
        recorded_by=caller.operator.alias,
    )
    return once.keep(_advance(session, advance))


@router.post("/v1/advances/{alias}/return", status_code=201)
def announce_return(alias: Alias, body: ReturnIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> AdvanceOut:
    """Draws the reference under which unspent money comes back to the bank."""
    advance = advances.require(session, alias, lock=True)
    returns.announce(session, advance, stands_for=body.stands_for.money(), by=caller.operator.alias, on=now.date())
    return once.keep(_advance(session, advance))


@router.post("/v1/advances/{alias}/withdraw-return", status_code=201)
def withdraw_return(
    alias: Alias, body: WithdrawnIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> AdvanceOut:
    """Takes an announced return back."""
    advance = advances.require(session, alias, lock=True)
    agents.require(session, advance.agent_alias, lock=True)
    announced = returns.by_reference(session, body.reference)
    if announced is None or announced.advance_alias != alias:
        raise UnknownReturn("no return of this advance has the reference")
    returns.withdraw(session, announced, by=caller.operator.alias, on=now.date())
    return once.keep(_advance(session, advance))


def _agent(session: Session, agent: Agent) -> AgentOut:
    return AgentOut(
        alias=agent.alias,
        state=agent.state,
        version=agent.version,
        cap=AmountOnWire.of(agent.cap()),
        cap_lines=agent.cap_lines,
        cap_courts=agent.cap_courts,
        list_key=agent.list_key,
        purse=agent.purse(),
        exposure=AmountOnWire.of(advances.exposure(session, agent)),
        open_lines=batches.open_lines(session, agent.alias),
        ageing=[
            AgeingOut(
                batch=one.batch,
                disbursement=one.disbursement,
                receipt=one.receipt,
                amount=AmountOnWire.of(one.amount),
                paid_by=one.paid_by,
            )
            for one in results.ageing(session, agent.alias)
        ],
    )


def _advance(session: Session, advance: Advance) -> AdvanceOut:
    received = None
    if advance.local_minor is not None and advance.local_currency is not None:
        received = AmountOnWire.of(Money(advance.local_minor, advance.local_currency))
    return AdvanceOut(
        alias=advance.alias,
        agent=advance.agent_alias,
        account=advance.account_code,
        state=advance.state,
        version=advance.version,
        amount=AmountOnWire.of(advance.amount()),
        shares=[
            ShareOnWire(fund=fund, amount=AmountOnWire.of(share))
            for fund, share in sorted(advances.shares_of(session, advance).items())
        ],
        commitment=advances.commitment_of(session, advance),
        reference=advance.reference,
        sent_on=advance.sent_on,
        acknowledged_on=advance.acknowledged_on,
        received=received,
        returns=[
            ReturnOut(
                reference=one.reference,
                stands_for=AmountOnWire.of(one.amount()),
                received_on=one.received_on,
                withdrawn_on=one.withdrawn_on,
            )
            for one in returns.listed(session, advance.alias)
        ],
    )
