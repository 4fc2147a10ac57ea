"""Talking to the API: over the network, or in process on the embedded database; the same requests either way."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal

from api.client.outbox import Outbox, Request
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from fastapi import FastAPI  # over the network nobody needs it

TIMEOUT_SECONDS = 60
KEY_DIGITS = 16
"""How many digits of its body's hash stand in the idempotency key of a request."""
_OK = range(200, 300)
_AGAIN = {408, 425, 429}


class ApiRefusal(LedgerError):
    """The API refused; `rule` and `data` are its own, `status` the HTTP status."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        known = {"type", "title", "status", "detail", "instance"}
        data = {name: value for name, value in problem.items() if name not in known}
        super().__init__(str(problem.get("detail", "refused")), **data)
        self.status = status
        self.rule = str(problem.get("type", "")).rpartition(":")[2]  # type: ignore[misc]  # told by the API, per refusal
        self.instance = str(problem.get("instance", ""))

    @property
    def passes(self) -> bool:
        """Whether the same request may be taken later, though nothing changes about it."""
        return self.status in _AGAIN or self.rule == "still_running" or self.status >= 500  # noqa: PLR2004  # HTTP's own border


class ApiUnreachable(LedgerError):
    """No answer, or none from this API: the request waits in the outbox and is sent again."""

    rule = "unreachable"


class Api:
    """One operator's connection. `post` sends through the outbox, so that a retry repeats the same bytes."""

    def __init__(self, http: httpx2.Client, *, key: str, outbox: Outbox) -> None:
        self._http = http
        self._key = key
        self._headers = {"Authorization": f"Bearer {key}"}
        self._outbox = outbox

    def for_book(self, book: str) -> "Api":
        """The same connection with the outbox of one book: what was sent to one is never taken for sent to another."""
        return Api(self._http, key=self._key, outbox=self._outbox.of_book(book))

    def get(self, path: str, **query: str | int | list[str] | None) -> Any:
        """The JSON answer to a reading.

        Raises:
            ApiRefusal, ApiUnreachable: see there.
        """
        return _read(self.download(path, **query))

    def download(self, path: str, **query: str | int | list[str] | None) -> bytes:
        """The bytes of an answer that need not be JSON."""
        told = {name: value for name, value in query.items() if value is not None}
        return self._send("GET", path, params=told, headers=self._headers).content

    @contextmanager
    def stream(self, path: str, **query: str | int) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer as they come; over a network they are not held whole.

        Raises:
            ApiRefusal, ApiUnreachable: see there, also when the connection ends amid the answer.
        """
        try:
            with self._http.stream("GET", path, params=query, headers=self._headers) as response:
                if response.status_code not in _OK:
                    response.read()
                yield _accepted(response).iter_bytes()
        except httpx2.TransportError as error:
            raise ApiUnreachable("the API does not answer", kind=type(error).__name__) from None

    def put(self, path: str, body: Any) -> Any:
        """Sends what may be sent twice without harm."""
        return _read(self._send("PUT", path, json=body, headers=self._headers).content)

    def post(self, path: str, body: Any, *, key: str) -> Any:
        """Sends JSON once: a `key` that was answered before gets the kept answer.

        Raises:
            ApiRefusal: refused; nothing was booked, and the key is free for a corrected request.
            ApiUnreachable: nobody knows whether it arrived; the same call sends the same bytes again.
        """
        return self.post_bytes(path, json.dumps(body).encode(), content_type="application/json", key=key)

    def was_answered(self, key: str) -> bool:
        """Whether a request with this `key` got its final answer: a post of it sends nothing."""
        return self._outbox.answer(key) is not None

    def post_bytes(self, path: str, body: bytes, *, content_type: str, key: str) -> Any:
        """As `post`, for a body that is made already."""
        answered = self._outbox.answer(key)
        if answered is not None:
            return json.loads(answered[1])
        request = self._outbox.remember(key, Request("POST", path, body, content_type))
        # Sealed anew (the outbox is lost, or it is another device), it is another request: what it says is known by
        # tokens and source keys, and the server would refuse other bytes under the same idempotency key.
        sent_key = f"{key}:{hashlib.sha256(request.body).hexdigest()[:KEY_DIGITS]}"
        headers = self._headers | {"Idempotency-Key": sent_key, "Content-Type": request.content_type}
        try:
            response = self._send(request.method, request.path, content=request.body, headers=headers)
        except ApiRefusal as refusal:
            if not refusal.passes:
                self._outbox.forget(key)
            raise
        answer = _read(response.content)  # before it is kept: whoever stands in between answers with anything
        self._outbox.answered(key, response.status_code, response.content)
        return answer

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        try:
            response = self._http.request(method, path, **request)
        except httpx2.TransportError as error:
            raise ApiUnreachable("the API does not answer", kind=type(error).__name__) from None
        return _accepted(response)


def _accepted(response: httpx2.Response) -> httpx2.Response:
    if response.status_code in _OK:
        return response
    if "problem+json" not in response.headers.get("content-type", ""):
        raise ApiUnreachable("somebody else answers at the API's address", status=response.status_code)
    raise ApiRefusal(response.status_code, _read(response.content))


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise ApiUnreachable("somebody else answers at the API's address") from None


@contextmanager
def in_process(app: "FastAPI") -> Iterator[httpx2.Client]:
    """A client of an application in this process: authenticated, checked and logged like any other."""
    with (
        start_blocking_portal() as portal,
        httpx2.Client(transport=_InProcess(app, portal), base_url="http://in-process") as http,
    ):
        yield http


@contextmanager
def over_network(url: str) -> Iterator[httpx2.Client]:
    """A client of the API at `url`."""
    with httpx2.Client(base_url=url, timeout=TIMEOUT_SECONDS) as http:
        yield http


class _InProcess(httpx2.BaseTransport):
    def __init__(self, app: "FastAPI", portal: BlockingPortal) -> None:
        self._transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._portal.call(self._handle, request)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._transport.handle_async_request(request)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=await answer.aread())
