"""Errors on the wire: RFC 9457 problem documents. The only place that knows which refusal has which status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic_core import ErrorDetails
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.exceptions import HTTPException

from api.logs import describe
from api.stripe_notices import BadNoticeSignature
from ledger import approvals, bearer_keys
from ledger.books import accounts, funds
from ledger.errors import BadInput, Conflict, LedgerError, NotFound, Refused, Tampered
from ledger.giving import notices
from ledger.identities import readings

_LOG = structlog.get_logger("solidarity")

STATUS: dict[type[LedgerError], HTTPStatus] = {
    bearer_keys.KeyRefused: HTTPStatus.UNAUTHORIZED,
    approvals.NotInRole: HTTPStatus.FORBIDDEN,
    approvals.Suspended: HTTPStatus.FORBIDDEN,
    approvals.SamePerson: HTTPStatus.FORBIDDEN,
    approvals.BadSignature: HTTPStatus.FORBIDDEN,
    readings.TooManyReadings: HTTPStatus.TOO_MANY_REQUESTS,
    notices.BadNotice: HTTPStatus.BAD_REQUEST,
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Tampered: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Refused: HTTPStatus.CONFLICT,
}
"""The most special class of a refusal decides."""


STRANGE: dict[type[LedgerError], str] = {accounts.UnknownAccount: "account", funds.UnknownFund: "fund"}
"""What nobody knows is what somebody sent, though it has the form of a code: it is not told back."""


class NotAllowed(Refused):
    """The key's roles do not open this route. What is behind it does not show."""

    rule = "not_allowed"


class StillRunning(Conflict):
    """Another request holds what this one needs; send the same again."""

    rule = "still_running"


class NotReadable(BadInput):
    """The body is of another media type than JSON, or lines of JSON."""

    rule = "unsupported_media_type"


class NoKey(Refused):
    """The request carries no bearer key."""

    rule = "no_key"


STATUS[BadNoticeSignature] = HTTPStatus.BAD_REQUEST
STATUS[NotAllowed] = HTTPStatus.FORBIDDEN
STATUS[NoKey] = HTTPStatus.UNAUTHORIZED
STATUS[NotReadable] = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
_TRY_AGAIN = ("locked", "lock timeout", "deadlock")
"""What SQLite and PostgreSQL say when another transaction was in the way."""


def install(app: FastAPI) -> None:
    """Answers every error of the application with a problem document that holds no input."""
    app.add_exception_handler(LedgerError, _refusal)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(IntegrityError, _overtaken)


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


async def answer(request: Request, error: LedgerError | OperationalError) -> Response:
    """The answer to a refusal, or to a database that is away or busy, outside of the routes."""
    return await (_refusal if isinstance(error, LedgerError) else _busy)(request, error)


def place_of(error: Mapping[str, Any] | ErrorDetails) -> str:
    """Where a form was not kept, such as `body.lines.3.amount`: of names only those that we gave ourselves."""
    known = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]  # a stranger's name is input
    return ".".join(str(part) for part in known if isinstance(part, int) or str(part).isidentifier())


async def _refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, LedgerError):
        raise error
    data = {name: value for name, value in error.data.items() if name != STRANGE.get(type(error))}
    return problem(request, status_of(error), error.rule, error.message, data)


async def _unreadable(request: Request, error: Exception) -> Response:
    """FastAPI's own answer would echo what was sent."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    data = {"where": place_of(first), "reason": str(first["type"])}
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input", "the request cannot be read", data)


async def _plain(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    answer = problem(request, status, status.name.lower(), status.phrase, {})
    answer.headers.update(error.headers or {})
    return answer


async def _busy(request: Request, error: Exception) -> Response:
    """SQLite's or PostgreSQL's wait for a lock ran out; anything else operational means the database is away."""
    text = str(getattr(error, "orig", error)).lower()
    if any(said in text for said in _TRY_AGAIN):
        return await _refusal(request, StillRunning("another request holds what this one needs; send the same again"))
    _LOG.error("database_unavailable", error=type(error).__name__)
    return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "the database does not answer", {})


async def _overtaken(request: Request, error: Exception) -> Response:
    """Every verb looks before it writes: what is unique and taken now was taken by somebody else since."""
    if "unique" in str(getattr(error, "orig", error)).lower():
        return await _refusal(request, StillRunning("another request was first; send the same again"))
    return answer_bug(request, error)


def answer_bug(request: Request, error: Exception) -> Response:
    """The log gets the kind and the place of the failure, never its text: it may hold what somebody sent."""
    _LOG.error("bug", what=describe(error), request_id=getattr(request.state, "request_id", ""))
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "bug", "an error of the program; nothing was booked", {})
