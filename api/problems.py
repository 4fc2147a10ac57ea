"""Errors on the wire: RFC 9457 problem documents. The only place that knows which refusal has which status."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from ledger import approvals, bearer_keys
from ledger.errors import BadInput, Conflict, LedgerError, NotFound, Refused, Tampered

_LOG = structlog.get_logger("solidarity")

STATUS: dict[type[LedgerError], HTTPStatus] = {
    bearer_keys.KeyRefused: HTTPStatus.UNAUTHORIZED,
    approvals.NotInRole: HTTPStatus.FORBIDDEN,
    approvals.SamePerson: HTTPStatus.FORBIDDEN,
    approvals.BadSignature: HTTPStatus.FORBIDDEN,
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Tampered: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Refused: HTTPStatus.CONFLICT,
}
"""The most special class of a refusal decides."""


class NotAllowed(Refused):
    """The key's roles do not open this route. What is behind it does not show."""

    rule = "not_allowed"


class StillRunning(Conflict):
    """Another request holds what this one needs; send the same again."""

    rule = "still_running"


class NoKey(Refused):
    """The request carries no bearer key."""

    rule = "no_key"


STATUS[NotAllowed] = HTTPStatus.FORBIDDEN
STATUS[NoKey] = HTTPStatus.UNAUTHORIZED


def install(app: FastAPI) -> None:
    """Answers every error of the application with a problem document that holds no input."""
    app.add_exception_handler(LedgerError, _refusal)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(Exception, _bug)


def status_of(error: LedgerError) -> HTTPStatus:
    """The HTTP status of a refusal."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.CONFLICT


def problem(request: Request, status: HTTPStatus, rule: str, detail: str, data: dict[str, Any]) -> Response:
    """A problem document; `instance` is the request's id, under which the log knows it."""
    body = {
        "type": f"urn:solidarity-ledger:problem:{rule}",
        "title": rule.replace("_", " ").capitalize(),
        "status": status.value,
        "detail": detail,
        "instance": f"urn:uuid:{getattr(request.state, 'request_id', '')}",
        **data,
    }
    headers = {"Cache-Control": "no-store"}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=status.value, media_type="application/problem+json", headers=headers)


async def _refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, LedgerError):
        raise error
    return problem(request, status_of(error), error.rule, error.message, dict(error.data))


async def _unreadable(request: Request, error: Exception) -> Response:
    """FastAPI's own answer would echo what was sent."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or str(part).isidentifier())
    data = {"where": where, "reason": str(first["type"])}
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input", "the request cannot be read", data)


async def _plain(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    return problem(request, status, status.name.lower(), status.phrase, {})


async def _busy(request: Request, error: Exception) -> Response:
    """SQLite's or PostgreSQL's wait for a lock ran out; anything else operational means the database is away."""
    text = str(getattr(error, "orig", error)).lower()
    if "locked" in text or "lock timeout" in text:
        return await _refusal(request, StillRunning("another request holds what this one needs; send the same again"))
    _LOG.error("database_unavailable", error=type(error).__name__)
    return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "the database does not answer", {})


async def _bug(request: Request, error: Exception) -> Response:
    """The log gets the kind and the place of the failure, never its text: it may hold what somebody sent."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else "unknown"
    _LOG.error("bug", error=type(error).__name__, where=where, request_id=getattr(request.state, "request_id", ""))
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "bug", "an error of the program; nothing was booked", {})
