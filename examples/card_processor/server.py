"""The invented processor behind HTTP on loopback, as far as a client of its API asks: lists, objects, refunds.

Troubles are put into a queue, one for each request to come: what a network and a busy processor do to their callers.
"""

import contextlib
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from examples.card_processor.account import Account, Thing

READS = frozenset({"balance", "balance_transactions", "payouts"})
"""What a restricted key that pulls may read; the objects behind balance transactions come with them."""
REFUNDS = frozenset({"refunds"})
"""What a key may that refunds, and nothing else."""
_RIGHTS = {
    "balance": "balance",
    "balance_transactions": "balance_transaction_source",
    "payouts": "payout",
    "refunds": "charge",
}
"""What the right to a list of objects is called."""
STALL_SECONDS = 0.6
_PAGE = 10
_LARGEST_PAGE = 100


class Trouble(StrEnum):
    """What becomes of a request. Lost: it is done, and its answer never arrives."""

    NONE = "none"
    BUSY = "busy"
    BROKEN = "broken"
    CUT = "cut"
    STALLED = "stalled"
    LOST = "lost"


@dataclass(slots=True)
class Processor:
    """The account with what stands around it: keys and their rights, troubles to come, requests that came."""

    account: Account
    keys: dict[str, frozenset[str]]
    troubles: deque[Trouble] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    answered: dict[str, tuple[str, Thing]] = field(default_factory=dict)
    """Idempotency key to the request's content and its answer."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(
        self, method: str, path: str, asked: list[tuple[str, str]], headers: Mapping[str, str]
    ) -> tuple[int, Thing]:
        """Status and body."""
        rights = self.keys.get((headers.get("Authorization") or "").removeprefix("Bearer "))
        kind, _, name = path.removeprefix("/v1/").partition("/")
        if rights is None or kind not in rights:
            if rights is None:
                return _error(401, "invalid_request_error", "Invalid API Key")
            lacking = f"{_RIGHTS.get(kind, kind)}_{'write' if method == 'POST' else 'read'}"
            message = f"Having the 'rak_{lacking}' permission would allow this request to continue."
            return _error(403, "invalid_request_error", message)
        if method == "POST":
            return self._refund_once(dict(asked), headers.get("Idempotency-Key") or "")
        if kind == "balance":
            return 200, self._balance()
        among = {
            "balance_transactions": {one["id"]: one for one in self.account.transactions},
            "payouts": self.account.payouts,
            "refunds": self.account.refunds,
        }[kind]
        if name:
            return self._find(among, name, asked)
        moved = kind == "balance_transactions"  # several may have one id
        return self._list(f"/v1/{kind}", self.account.transactions if moved else list(among.values()), asked)

    def _find(self, among: Mapping[str, Thing], name: str, asked: list[tuple[str, str]]) -> tuple[int, Thing]:
        if name not in among:
            return _error(404, "invalid_request_error", "No such object", code="resource_missing")
        return 200, self._expanded(among[name], asked, prefix="")

    def _list(self, url: str, things: list[Thing], asked: list[tuple[str, str]]) -> tuple[int, Thing]:
        """Newest first, a page at a time."""
        told = dict(asked)
        found = [one for one in reversed(things) if self._matches(one, told)]
        names = [one["id"] for one in found]
        limit = int(told.get("limit", _PAGE))
        if not 1 <= limit <= _LARGEST_PAGE:
            return _error(400, "invalid_request_error", "Invalid limit", code="parameter_invalid_integer")
        for cursor in ("starting_after", "ending_before"):
            if cursor in told and told[cursor] not in names:
                return _error(400, "invalid_request_error", "No such object", code="resource_missing")
        if "ending_before" in told:
            before = found[: names.index(told["ending_before"])]
            page, has_more = before[-limit:], len(before) > limit
        else:
            start = _end_of(names, told["starting_after"]) if "starting_after" in told else 0
            end = min(start + limit, len(found))
            end = _end_of(names, names[end - 1]) if found else 0  # what has one id is on one page
            page, has_more = found[start:end], len(found) > end
        data = [self._expanded(one, asked, prefix="data.") for one in page]
        return 200, {"object": "list", "url": url, "has_more": has_more, "data": data}

    def _matches(self, thing: Thing, told: dict[str, str]) -> bool:
        bounds: dict[str, Callable[[int, int], bool]] = {
            "gte": int.__ge__,
            "gt": int.__gt__,
            "lte": int.__le__,
            "lt": int.__lt__,
        }
        dated = all(
            holds(thing["created"], int(told[f"created[{bound}]"]))
            for bound, holds in bounds.items()
            if f"created[{bound}]" in told
        )
        same = all(thing.get(name) == told[name] for name in ("type", "currency", "source", "charge") if name in told)
        return dated and same and told.get("payout") in {None, self.account.paid_out_by.get(thing["id"])}

    def _expanded(self, thing: Thing, asked: list[tuple[str, str]], *, prefix: str) -> Thing:
        if not any(name.startswith("expand") and value == f"{prefix}source" for name, value in asked):
            return thing
        account = self.account
        sources = account.charges | account.refunds | account.disputes | account.payouts | account.top_ups
        return thing | {"source": sources.get(thing["source"])}

    def _balance(self) -> Thing:
        """What is available already, and the rest."""
        account = self.account
        available: Counter[str] = Counter()
        for one in account.transactions:
            available[one["currency"]] += one["net"] if one["available_on"] <= account.now else 0
        rows = {
            "available": [{"currency": currency, "amount": available[currency]} for currency in account.balance],
            "pending": [
                {"currency": currency, "amount": minor - available[currency]}
                for currency, minor in account.balance.items()
            ],
        }
        return {"object": "balance", "livemode": False, **rows}

    def _refund_once(self, told: dict[str, str], key: str) -> tuple[int, Thing]:
        """The same key with the same content gets the same answer, with another one a refusal."""
        content = json.dumps(told, sort_keys=True)
        if key in self.answered:
            before, answer = self.answered[key]
            if before != content:
                return _error(400, "idempotency_error", "Keys can only be used with the same parameters")
            return 200, answer
        if told.get("charge") not in self.account.charges:
            return _error(404, "invalid_request_error", "No such charge", code="resource_missing")
        metadata = {name[9:-1]: value for name, value in told.items() if name.startswith("metadata[")}
        try:
            refund = self.account.refund(
                told["charge"], int(told["amount"]) if "amount" in told else None, metadata=metadata
            )
        except ValueError as error:
            return _error(400, "invalid_request_error", "The charge has not so much left", code=str(error))
        answer = dict(self.account.refunds[refund])
        if key:
            self.answered[key] = (content, answer)
        return 200, answer


@contextlib.contextmanager
def serve(processor: Processor) -> Iterator[str]:
    """The address, while the processor answers on it."""

    class Handler(_Handler):
        served = processor

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Processor
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10

    def do_GET(self) -> None:  # the name that the server calls
        self._answer(parse_qsl(urlsplit(self.path).query))

    def do_POST(self) -> None:  # the name that the server calls
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(parse_qsl(body.decode()))

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self, asked: list[tuple[str, str]]) -> None:
        served = self.served
        path = urlsplit(self.path).path
        with served.lock:
            served.requests.append(f"{self.command} {path}")
            trouble = served.troubles.popleft() if served.troubles else Trouble.NONE
            status, body = 0, Thing()
            if trouble not in {Trouble.CUT, Trouble.STALLED}:
                status, body = _TROUBLES.get(trouble) or served.answer(self.command, path, asked, dict(self.headers))
            written = json.dumps(body).encode()
        if trouble is Trouble.STALLED:
            time.sleep(STALL_SECONDS)
        if trouble in {Trouble.CUT, Trouble.STALLED, Trouble.LOST}:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)


def _end_of(names: list[str], name: str) -> int:
    """The place after the last of this name."""
    return len(names) - names[::-1].index(name)


def _error(status: int, kind: str, message: str, **more: Any) -> tuple[int, Thing]:
    return status, {"error": {"type": kind, "message": message, **more}}


_TROUBLES = {
    Trouble.BUSY: _error(429, "invalid_request_error", "Too many requests", code="rate_limit"),
    Trouble.BROKEN: _error(500, "api_error", "An unknown error occurred"),
}
