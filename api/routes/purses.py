"""Routes of agents' purses: what moves in them, what was seized or lost, and what is at stake with whom."""

from datetime import date
from typing import Literal

from fastapi import APIRouter
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Code, Day, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import agent_acts, agents, exposures, purse_movements
from ledger.aid.exposures import Exposure
from ledger.aid.purse_movements import NewMovement, PurseMovement, UnknownMovement, What
from ledger.approvals import Agreed

router = APIRouter()


class ExposureOut(Wire):
    """What is at stake with one agent; ages in days. See `ledger.aid.exposures`."""

    agent: str
    state: str
    cap: AmountOnWire
    worth: AmountOnWire
    holds: list[AmountOnWire]
    on_the_way: AmountOnWire
    owed_to_them: list[AmountOnWire]
    open_lines: int
    courts: int | None
    open_lists: int
    oldest_days: int | None
    rejected_receipts: int
    rejected_days: int | None
    missing_receipts: int
    missing_days: int | None
    waiting_movements: int

    @classmethod
    def of(cls, found: Exposure) -> "ExposureOut":
        """An exposure as the wire has it."""
        return cls(
            agent=found.agent,
            state=found.state,
            cap=AmountOnWire.of(found.cap),
            worth=AmountOnWire.of(found.worth),
            holds=[AmountOnWire.of(money) for money in found.holds],
            on_the_way=AmountOnWire.of(found.on_the_way),
            owed_to_them=[AmountOnWire.of(money) for money in found.owed_to_them],
            open_lines=found.open_lines,
            courts=found.courts,
            open_lists=found.open_lists,
            oldest_days=found.oldest_days,
            rejected_receipts=found.rejected_receipts,
            rejected_days=found.rejected_days,
            missing_receipts=found.missing_receipts,
            missing_days=found.missing_days,
            waiting_movements=found.waiting_movements,
        )


class ExposuresOut(Wire):
    """All agents, by alias; closed ones only when money came back to them since."""

    agents: list[ExposureOut]


class KnownCaseOut(Wire):
    """A case that stood on a list of the agent."""

    case: str
    batch: str
    open: bool


class KnownCasesOut(Wire):
    """The cases that an agent knows, open ones first."""

    cases: list[KnownCaseOut]


class SeizureIn(Wire):
    """What was seized from an agent, or lost: so much of their purse, or an advance on its way, whole.

    The act restates the movement's alias, version 1, the amount (of an advance: its own) and `NewMovement.commitment`.
    """

    alias: Alias
    what: Literal["seized", "lost"] = "seized"
    amount: AmountOnWire | None = None
    advance: Alias | None = None
    on: Day
    agreed: SignedActOnWire


class MovementIn(Wire):
    """What else moved in a purse, or is to move when a second person agrees; signed like a seizure."""

    alias: Alias
    what: Literal["converted", "handed_over", "fee", "set_off", "recovered"]
    amount: AmountOnWire
    on: Day
    bought: AmountOnWire | None = None
    taker: Alias | None = None
    loss: Alias | None = None
    fund: Code | None = None
    agreed: SignedActOnWire


class MovementOut(Wire):
    """A movement with everything an act about it restates."""

    alias: str
    agent: str
    what: str
    state: str
    version: int
    amount: AmountOnWire
    bought: AmountOnWire | None
    taker: str | None
    advance: str | None
    loss: str | None
    fund: str | None
    happened_on: date
    requested_by: str
    agreed_by: str | None
    commitment: str

    @classmethod
    def of(cls, movement: PurseMovement) -> "MovementOut":
        """A movement as the wire has it."""
        bought = movement.bought()
        return cls(
            alias=movement.alias,
            agent=movement.agent_alias,
            what=movement.what,
            state=movement.state,
            version=movement.version,
            amount=AmountOnWire.of(movement.amount()),
            bought=AmountOnWire.of(bought) if bought else None,
            taker=movement.taker_alias,
            advance=movement.advance_alias,
            loss=movement.loss_alias,
            fund=movement.fund_code,
            happened_on=movement.happened_on,
            requested_by=movement.requested_by,
            agreed_by=movement.agreed_by,
            commitment=purse_movements.commitment_of(movement),
        )


class MovementsOut(Wire):
    """Movements, oldest first."""

    movements: list[MovementOut]


@router.get("/v1/agents/exposure")
def list_exposures(session: Tx, _caller: Admitted, now: Now) -> ExposuresOut:
    """What the fund has at stake with each agent, without a name."""
    return ExposuresOut(agents=[ExposureOut.of(found) for found in exposures.listed(session, on=now.date())])


@router.get("/v1/agents/{alias}/cases")
def list_known_cases(alias: Alias, session: Tx, _caller: Admitted) -> KnownCasesOut:
    """The cases that an agent knows, by alias: who may be in danger when the agent is."""
    known = exposures.cases_known(session, agents.require(session, alias))
    return KnownCasesOut(cases=[KnownCaseOut(case=one.case, batch=one.batch, open=one.open) for one in known])


@router.post("/v1/agents/{alias}/seizure", status_code=201)
def tell_seizure(alias: Alias, body: SeizureIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> MovementOut:
    """Books what was seized or lost, on one signature; a seizure freezes the agent in the same step."""
    new = NewMovement(
        alias=body.alias,
        agent=alias,
        what=What(body.what),
        amount=body.amount.money() if body.amount else None,
        happened_on=body.on,
        advance=body.advance,
    )
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(MovementOut.of(agent_acts.tell_movement(session, new, agreed)))


@router.get("/v1/agents/{alias}/movements")
def list_movements(alias: Alias, session: Tx, _caller: Admitted) -> MovementsOut:
    """What moved in an agent's purse beside claims and returns, and what waits for a second person."""
    agent = agents.require(session, alias)
    return MovementsOut(movements=[MovementOut.of(one) for one in purse_movements.listed(session, agent=agent.alias)])


@router.post("/v1/agents/{alias}/movements", status_code=201)
def tell_movement(
    alias: Alias, body: MovementIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> MovementOut:
    """Books a fact on one signature, or asks for what two people decide."""
    new = NewMovement(
        alias=body.alias,
        agent=alias,
        what=What(body.what),
        amount=body.amount.money(),
        happened_on=body.on,
        bought=body.bought.money() if body.bought else None,
        taker=body.taker,
        loss=body.loss,
        fund=body.fund,
    )
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(MovementOut.of(agent_acts.tell_movement(session, new, agreed)))


@router.post("/v1/agents/{alias}/movements/{movement}/withdraw", status_code=201)
def withdraw_movement(alias: Alias, movement: Alias, session: Tx, _caller: Admitted, once: Claimed) -> MovementOut:
    """Takes back what waits for a second person."""
    found = _of_agent(session, movement, agent=alias)
    purse_movements.withdraw(session, found)
    return once.keep(MovementOut.of(found))


def _of_agent(session: Session, alias: str, *, agent: str) -> PurseMovement:
    found = purse_movements.require(session, alias, lock=True)
    if found.agent_alias != agent:
        raise UnknownMovement("no movement of a purse has this alias")
    return found
