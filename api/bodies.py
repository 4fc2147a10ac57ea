"""Bodies of requests: none but a short one is read before it is known who sends it and that the route takes it."""

from http import HTTPStatus

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy.exc import OperationalError
from starlette.routing import Match

from api import problems
from api.authentication import knock
from api.authorisation import DOORS, Door
from ledger.errors import LedgerError
from ledger.storage.engine import transaction

UNPROVEN_BODY = 16 * 1024
"""Bytes that may be read of anybody: the framework reads a body before our code sees who sent it."""
_MOST_DIGITS = 12
"""A length of more digits is no length."""


async def refuse(request: Request) -> Response | None:
    """The refusal of a body before a byte of it is read, or None. The HTTP server holds the caller to the length told.

    Without a length 411. Beyond `UNPROVEN_BODY` the bearer key is looked at first (401, 403), then the route's own
    limit (413). Where no route takes it, nobody reads it.
    """
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers:
        return problems.problem(request, HTTPStatus.LENGTH_REQUIRED, "length_required", "a body tells its length", {})
    if not (length.isascii() and length.isdecimal() and len(length) <= _MOST_DIGITS):
        return _too_large(request, UNPROVEN_BODY)
    if int(length) <= UNPROVEN_BODY:
        return None
    door = _door(request)
    if door is None or (door.roles is None and not door.writes):
        return None
    try:
        if door.roles is not None:
            await run_in_threadpool(_look_at_key, request, door)
    except (LedgerError, OperationalError) as error:
        return await problems.answer(request, error)
    return _too_large(request, door.largest_body) if int(length) > door.largest_body else None


def _door(request: Request) -> Door | None:
    for route in request.app.state.routes:
        if route.matches(request.scope)[0] is Match.FULL:
            return DOORS[request.method, route.path]
    return None


def _look_at_key(request: Request, door: Door) -> None:
    with transaction(request.app.state.engine, write=False) as session:
        knock(request, session, door=door)


def _too_large(request: Request, largest: int) -> Response:
    """The framework's own limit answers without the form of a problem document, as a stranger would."""
    data = {"largest_bytes": largest}
    return problems.problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "too large a body", data)
