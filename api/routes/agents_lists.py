"""Routes of agents' lists: opaque bytes sealed to the agent, kept until their last day; and lines that have failed."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, Base64, Day, Wire
from api.transactions import Tx
from ledger.aid import agents_lists, batch_lines, batches, line_failures
from ledger.aid.agents_lists import AgentsList
from ledger.aid.line_failures import LineFailure, Reason
from ledger.aid.results import UnknownCode

router = APIRouter()


class ListIn(Wire):
    """An age file sealed to the agent's key, padded, and the last day on which it is handed out."""

    sealed: Base64
    expires_on: Day


class ListOut(Wire):
    """A list; after its last day, or when the agent is compromised, without its bytes."""

    batch: str
    sealed: Base64 | None
    digest: str
    expires_on: date
    removed_on: date | None

    @classmethod
    def of(cls, kept: AgentsList) -> "ListOut":
        """A list as the wire has it."""
        return cls(
            batch=kept.batch_alias,
            sealed=kept.sealed,
            digest=kept.digest,
            expires_on=kept.expires_on,
            removed_on=kept.removed_on,
        )


class FailureIn(Wire):
    """A line that was said to be paid and counts as failed, if a second person agrees."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{6}$")]
    because: Reason


class FailureOut(Wire):
    """What was told of a line."""

    disbursement: str
    because: str
    told_by: str
    told_on: date
    agreed_by: str | None


class FailuresOut(Wire):
    """The lines of a batch that were told to have failed."""

    failures: list[FailureOut]


@router.put("/v1/batches/{alias}/list")
def put_list(alias: Alias, body: ListIn, session: Tx, caller: Admitted, now: Now) -> ListOut:
    """Keeps the list of a released batch, as the treasurer's client sealed it."""
    agents_lists.remove_expired(session, on=now.date())
    kept = agents_lists.put(
        session, alias, sealed=body.sealed, expires_on=body.expires_on, by=caller.operator.alias, at=now
    )
    return ListOut.of(kept)


@router.get("/v1/batches/{alias}/list")
def read_list(alias: Alias, session: Tx, _caller: Admitted, now: Now) -> ListOut:
    """The list, to be handed to the agent; what has expired is removed first."""
    agents_lists.remove_expired(session, on=now.date())
    return ListOut.of(agents_lists.hand_out(session, alias, on=now.date()))


@router.get("/v1/batches/{alias}/failures")
def list_failures(alias: Alias, session: Tx, _caller: Admitted) -> FailuresOut:
    """The lines of a batch that were told to have failed."""
    batches.require(session, alias)
    lines = {item.disbursement.alias for item in batch_lines.items(session, alias)}
    return FailuresOut(
        failures=[_failure(one) for one in line_failures.listed(session) if one.disbursement_alias in lines]
    )


@router.post("/v1/batches/{alias}/failures", status_code=201)
def tell_failure(alias: Alias, body: FailureIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> FailureOut:
    """Tells that a paid line without a receipt that holds has failed."""
    disbursement = _by_code(session, alias, body.code)
    told = line_failures.tell(session, disbursement, because=body.because, by=caller.operator.alias, on=now.date())
    return once.keep(_failure(told))


def _by_code(session: Session, batch: str, code: str) -> str:
    batches.require(session, batch)
    for item in batch_lines.items(session, batch):
        if item.line.code == code:
            return item.disbursement.alias
    raise UnknownCode("no line of this batch has the code")


def _failure(told: LineFailure) -> FailureOut:
    return FailureOut(
        disbursement=told.disbursement_alias,
        because=told.because,
        told_by=told.told_by,
        told_on=told.told_on,
        agreed_by=told.agreed_by,
    )
