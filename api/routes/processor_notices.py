"""The route of the card processor's notices: signed by it, and by nobody with a key of ours."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from api.authentication import now
from api.stripe_notices import Named, read_notice
from ledger.giving import notices
from ledger.storage.engine import transaction

router = APIRouter()


@router.post("/v1/webhooks/stripe")
async def take_notice(request: Request) -> Response:
    """Keeps id, type and object: time to look. What came before is answered the same.

    No transaction is begun before the signature holds: on SQLite it would hold up every writer, for anybody.
    """
    named = read_notice(
        await request.body(),
        signature=request.headers.get("stripe-signature", ""),
        secrets=request.app.state.settings.webhook_secrets(),
        now=now(request),
    )
    await run_in_threadpool(_keep, request, named)
    return Response(status_code=200)


def _keep(request: Request, named: Named) -> None:
    engine: Engine = request.app.state.engine
    with transaction(engine) as session:
        notices.take(session, named.id, kind=named.kind, about=named.about, received_at=now(request))
