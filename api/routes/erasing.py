"""Routes of erasure: who is due, who asks, who agrees, and until when a backup may still hold a key."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import retention
from ledger.approvals import Agreed
from ledger.identities import erasure
from ledger.identities.erasure import Erasure, State
from ledger.identities.erasure_list import FILE_NAME, ErasureList, Reason
from ledger.reconciliation import shelf_retention

router = APIRouter()

MOST = 500
Limit = Annotated[int, Query(ge=1, le=MOST)]
After = Annotated[str, Query(pattern=r"^([A-Z]{1,2}(-[0-9A-Z]{4}){3})?$")]


class ErasureIn(Wire):
    """Whom to erase and why. The act's one evidence commitment is that to shelf and reason."""

    shelf: Alias
    reason: Reason
    agreed: SignedActOnWire


class AgreementIn(Wire):
    """The other person's act."""

    agreed: SignedActOnWire


class ErasureOut(Wire):
    """Where an erasure stands; `until` is when the last backup with the key expires."""

    shelf: str
    reason: Reason
    state: State
    requested_by: str
    agreed_by: str | None
    until: date | None


class ErasuresOut(Wire):
    """A page of erasures, by alias."""

    erasures: list[ErasureOut]


class DueOut(Wire):
    """A beneficiary, a donor, or a bank's statement, whose shelf need not be kept any longer."""

    shelf: str
    since: date


class RetentionOut(Wire):
    """A page of who is due, by alias."""

    due: list[DueOut]


@router.get("/v1/retention")
def list_due(session: Tx, _caller: Admitted, now: Now, after: After = "", limit: Limit = 100) -> RetentionOut:
    """Who is due by the pack's times of retention, and which donors and statements by theirs; nothing is erased."""
    found = shelf_retention.due(session, on=now.date(), after=after, limit=limit)
    return RetentionOut(due=[DueOut(shelf=one.shelf, since=one.since) for one in found])


@router.get("/v1/erasures")
def list_erasures(session: Tx, _caller: Admitted, now: Now, after: After = "", limit: Limit = 100) -> ErasuresOut:
    """All erasures that were asked for, and where they stand today."""
    return ErasuresOut(erasures=[_shown(one, on=now.date()) for one in erasure.page(session, after=after, limit=limit)])


@router.post("/v1/erasures", status_code=201)
def request_erasure(body: ErasureIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> ErasureOut:
    """Asks that somebody be erased."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    asked = shelf_retention.request_erasure(session, body.shelf, reason=body.reason, agreed=agreed)
    return once.keep(_shown(asked, on=now.date()))


@router.post("/v1/erasures/{alias}/agree", status_code=201)
def agree_erasure(
    alias: Alias, body: AgreementIn, request: Request, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> ErasureOut:
    """Another person agrees, and the keys are deleted."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    listed = ErasureList(request.app.state.settings.shred_key_directory / FILE_NAME)
    erased = retention.carry_out_erasure(session, alias, agreed=agreed, listed=listed)
    return once.keep(_shown(erased, on=now.date()))


def _shown(one: Erasure, *, on: date) -> ErasureOut:
    standing = erasure.standing(one, on=on)
    return ErasureOut(
        shelf=one.shelf_alias,
        reason=one.reason,
        state=standing.state,
        requested_by=one.requested_by,
        agreed_by=one.agreed_by,
        until=standing.until,
    )
