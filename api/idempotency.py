"""Idempotency keys: the same request again gets the stored answer, another one under the same key is refused."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, TypeVar

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.problems import NotReadable
from api.transactions import Tx
from ledger import answers
from ledger.answers import LONGEST_KEY, StoredAnswer
from ledger.errors import BadInput

Answer = TypeVar("Answer", bound=BaseModel)
READ = {"application/json", "application/x-ndjson"}
"""The media types of bodies that are read."""


class BadIdempotencyKey(BadInput):
    """A request that books carries an `Idempotency-Key` of 1 to 100 printable ASCII characters."""

    rule = "bad_idempotency_key"


class Replayed(Exception):  # no error: the way out of a request that was answered before
    """The stored answer of the same request."""

    def __init__(self, stored: StoredAnswer) -> None:
        super().__init__("answered before")
        self.stored = stored


class Once:
    """This request's place among the answers; a route that books returns `keep(answer)`."""

    def __init__(self, session: Session, row: StoredAnswer, key: str) -> None:
        self._session = session
        self._row = row
        self.key = key

    def keep(self, answer: Answer, *, status: int = 201) -> Answer:
        """Stores the answer in the booking transaction and gives it back."""
        answers.complete(self._session, self._row, status=status, body=answer.model_dump_json())
        return answer


async def read_body(request: Request, _caller: Admitted) -> bytes:
    """The body, once it is known who sends it.

    Raises:
        NotReadable: by its header it is no JSON.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in READ:
        raise NotReadable("the body is JSON, or lines of JSON", where="Content-Type")
    return await request.body()


Body = Annotated[bytes, Depends(read_body)]


def claim(request: Request, session: Tx, caller: Admitted, now: Now, body: Body) -> Iterator[Once]:
    """Claims the request's key.

    Raises:
        BadIdempotencyKey: the header is missing or no key. IdempotencyKeyReused: it stands for another request.
        Replayed: the same request was answered before.
    """
    key = request.headers.get("idempotency-key", "")
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadIdempotencyKey("the header is 1 to 100 printable ASCII characters", where="Idempotency-Key")
    request_line = f"{request.method} {request.url.path} {hashlib.sha256(body).hexdigest()}"
    row, standing = answers.reserve(
        session,
        operator=caller.operator.alias,
        key=key,
        fingerprint=hashlib.sha256(request_line.encode()).hexdigest(),
        recorded_at=now,
    )
    if standing:
        raise Replayed(row)
    yield Once(session, row, key)
    if not row.status:
        raise AssertionError("a route that books keeps its answer")


Claimed = Annotated[Once, Depends(claim, scope="function")]


def install(app: FastAPI) -> None:
    """Answers a replay with what was answered first; the header `Idempotent-Replay` tells that it is one."""
    app.add_exception_handler(Replayed, _replay)


async def _replay(_request: Request, replayed: Exception) -> Response:
    if not isinstance(replayed, Replayed):
        raise replayed
    return Response(
        replayed.stored.body,
        status_code=replayed.stored.status,
        media_type="application/json",
        headers={"Idempotent-Replay": "true", "Cache-Control": "no-store"},
    )
