"""The application: the only wiring of settings, database, routes, headers and errors."""

import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from api import bodies, idempotency, problems
from api.authorisation import DOORS
from api.routes import (
    agents,
    agents_lists,
    aid,
    bail,
    bank_gifts,
    batches,
    books,
    case_lives,
    cash,
    conversions,
    donation_page,
    donors,
    dossiers,
    erasing,
    evidence,
    exceptions,
    exchange,
    fund_people,
    gifts,
    giving,
    in_kind,
    jobs,
    matching,
    order_failures,
    outlays,
    paying,
    payment_files,
    periods,
    persons,
    processor_notices,
    processor_side,
    public,
    publishing,
    purpose_texts,
    purses,
    quashing,
    queue,
    readings,
    receipts,
    reconciliation,
    refunding,
    reporting,
    resolutions,
    returns,
    rewraps,
    stopping,
    subledgers,
    transfers,
)
from api.settings import NotADemo, Settings
from ledger import book
from ledger.aid import jurisdictions
from ledger.identities.person_keys import ShredKeys
from ledger.storage import schema
from ledger.storage.engine import open_database, transaction

ROUTERS: tuple[APIRouter, ...] = (
    processor_notices.router,  # first: every route before it would be tried for each notice of a storm
    books.router,
    exchange.router,
    periods.router,
    fund_people.router,
    readings.router,
    stopping.router,
    rewraps.router,
    erasing.router,
    purpose_texts.router,
    giving.router,
    gifts.router,
    bank_gifts.router,
    cash.router,
    in_kind.router,
    refunding.router,
    donors.router,
    receipts.router,
    processor_side.router,
    aid.router,
    bail.router,
    case_lives.router,
    persons.router,
    queue.router,
    evidence.router,
    paying.router,
    subledgers.router,
    dossiers.router,
    payment_files.router,
    order_failures.router,
    agents.router,
    purses.router,
    outlays.router,
    batches.router,
    agents_lists.router,
    resolutions.router,
    returns.router,
    transfers.router,
    conversions.router,
    quashing.router,
    reconciliation.router,
    exceptions.router,
    matching.router,
    jobs.router,
    reporting.router,
    publishing.router,
    public.router,
    donation_page.router,
)
_LOG = structlog.get_logger("solidarity")
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class UnlistedRoute(RuntimeError):
    """A route without a door, or a door without a route: the table in authorisation is the whole truth."""


def create_app(settings: Settings, *, engine: Engine | None = None) -> FastAPI:
    """The application on the database of the settings.

    Raises:
        OldSchema: the database needs `solidarity migrate`.
        NotADemo: a clock is set for a book that is no demonstration.
        UnlistedRoute: routes and doors differ.
        BadPack: the fund's own folder of jurisdiction packs cannot be read.
    """
    jurisdictions.read_folder(settings.jurisdiction_directory)
    database = engine or open_database(settings.database_url)
    schema.require_current(database)
    if settings.demo_now is not None:
        with transaction(database, write=False) as session:
            if not book.require(session).demo:
                raise NotADemo("a clock is set, and the book is no demonstration", where="SOLIDARITY_DEMO_NOW")
    app = FastAPI(
        title="Solidarity Ledger",
        version="1",
        openapi_url=None,  # its documentation comes with the complete API, offline and behind a key
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would send the caller's own host and query back
    )
    app.state.settings = settings
    app.state.engine = database
    app.state.shred_keys = ShredKeys(settings.shred_key_directory)
    app.state.routes = [route for router in ROUTERS for route in _routes(router)]
    app.router.routes.extend(app.state.routes)  # `include_router` would look at each of them anew for each application
    problems.install(app)
    idempotency.install(app)
    app.middleware("http")(attend)
    routes = {(method, route.path) for route in app.state.routes for method in route.methods or ()}
    if routes != set(DOORS):
        raise UnlistedRoute(f"routes and doors differ: {sorted(routes ^ set(DOORS))}")
    return app


def _routes(router: APIRouter) -> list[APIRoute]:
    return [route for route in router.routes if isinstance(route, APIRoute)]


async def attend(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
    """Gives every request an id, every answer its headers, and the log one line without address, query or input."""
    request.state.request_id = _request_id(request)
    started = time.perf_counter()
    try:
        response = await bodies.refuse(request) or await proceed(request)
    except Exception as error:  # noqa: BLE001  # here or nowhere: the server would log it with its text
        response = problems.answer_bug(request, error)
    route = request.scope.get("route")
    response.headers["X-Request-Id"] = request.state.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)  # a page may allow itself less
    if request.url.path.startswith("/v1/"):
        response.headers["Cache-Control"] = "no-store"
    _LOG.info(
        "request",
        method=request.method,
        route=route.path if isinstance(route, APIRoute) else "none",
        status=response.status_code,
        milliseconds=round((time.perf_counter() - started) * 1000),
        request_id=request.state.request_id,
        operator=getattr(request.state, "operator", None),
    )
    return response


def _request_id(request: Request) -> str:
    """The caller's own id when it is a UUID, else a fresh one: nothing else of the caller's reaches the log."""
    try:
        return str(UUID(request.headers.get("x-request-id", "")))
    except ValueError:
        return str(uuid4())
