"""The outbox: what a device sends is written first, encrypted, so that a retry repeats the same bytes."""

import base64
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.client.sealing import derive
from ledger.errors import Conflict, NotFound, Tampered
from ledger.identities.boxes import length_prefixed
from ledger.identities.person_keys import sync_directory

_VERSION = b"\x01"
_NONCE_BYTES = 12
_BOOK_DIGITS = 32
_REQUEST = ".request"
_ANSWER = ".answer"
_UNFINISHED = ".new"


class OutboxDamaged(Tampered):
    """A file of the outbox was altered, cut, renamed, or written under another device's key.

    `position` counts the outbox's requests from 1 in the order of their file names (which tell nothing), `part` is
    request or answer, `damaged` how many are.
    """

    rule = "outbox_damaged"


class OtherRequest(Conflict):
    """The idempotency key was used for another method or path."""

    rule = "other_request"


class NeverRemembered(NotFound):
    """An answer to a request that this outbox did not send."""

    rule = "never_remembered"


class OldOutbox(Conflict):
    """Requests that an earlier version wrote, before outboxes were kept by book, still wait; see docs/keys.md.

    Nobody can tell for sure which book they were for, so they are neither moved nor sent. `unanswered` tells how many.
    """

    rule = "old_outbox"


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire, but for the authentication."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/json"


class Outbox:
    """A directory of encrypted requests and their answers; the names of its files tell nothing.

    One process at a time uses a directory. Requests hold sealed boxes already; the encryption keeps their aliases,
    amounts and paths from whoever takes the device without its passphrase.
    """

    def __init__(self, directory: Path, key: bytes) -> None:
        self._directory = directory
        self._key = key
        self._name_key = derive(key, length_prefixed("SL1 outbox names"))
        self._cipher = AESGCM(derive(key, length_prefixed("SL1 outbox contents")))
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def of_book(self, book: str) -> "Outbox":
        """The outbox of one book, in a directory of its own whose name does not tell the book.

        Raises:
            OldOutbox: see there. OutboxDamaged: such a request cannot be read. Nothing was written.
        """
        unanswered = sum(1 for _ in self.pending())
        if unanswered:
            raise OldOutbox("an outbox of an earlier version holds requests without an answer", unanswered=unanswered)
        label = length_prefixed("SL1 outbox book", book)
        name = hmac.digest(self._name_key, label, "sha256").hex()[:_BOOK_DIGITS]
        return Outbox(self._directory / name, derive(self._key, label))

    def remember(self, idempotency_key: str, request: Request) -> Request:
        """The request to send: the one remembered under this key, byte for byte, or else `request`, now on disk.

        A body is not compared: sealing draws anew, so the same content sealed twice differs.

        Raises:
            OtherRequest: the key was used for another method or path.
            OutboxDamaged: the remembered request cannot be read.
        """
        name = self._name(idempotency_key)
        if (self._directory / (name + _REQUEST)).exists():
            _, known = _request(self._read(name, _REQUEST))
            if (known.method, known.path) != (request.method, request.path):
                raise OtherRequest("the idempotency key belongs to another request")
            return known
        self._write(
            name,
            _REQUEST,
            {
                "at": time.time_ns(),
                "key": idempotency_key,
                "method": request.method,
                "path": request.path,
                "content_type": request.content_type,
                "body": base64.b64encode(request.body).decode(),
            },
        )
        return request

    def answered(self, idempotency_key: str, status: int, body: bytes) -> None:
        """Keeps the final answer, so that the request is not sent again.

        Final is for the caller to say: not a 429 nor a 5xx, after which the same bytes are sent again.

        Raises:
            NeverRemembered: no request has this key.
        """
        name = self._name(idempotency_key)
        if not (self._directory / (name + _REQUEST)).exists():
            raise NeverRemembered("no request was remembered under this key")
        self._write(name, _ANSWER, {"status": status, "body": base64.b64encode(body).decode()})

    def forget(self, idempotency_key: str) -> None:
        """Drops a request that was refused for good: nothing came of it, and the key is free for a corrected one."""
        (self._directory / (self._name(idempotency_key) + _REQUEST)).unlink(missing_ok=True)
        sync_directory(self._directory)

    def answer(self, idempotency_key: str) -> tuple[int, bytes] | None:
        """Status and body of the final answer, or None while there is none.

        Raises:
            OutboxDamaged: the kept answer cannot be read.
        """
        name = self._name(idempotency_key)
        if not (self._directory / (name + _ANSWER)).exists():
            return None
        kept = self._read(name, _ANSWER)
        return kept["status"], base64.b64decode(kept["body"])

    def pending(self) -> Iterator[tuple[str, Request]]:
        """Idempotency keys and requests without an answer, in the order in which they were remembered.

        Raises:
            OutboxDamaged: after everything that can be read, when something cannot.
        """
        unanswered: list[tuple[int, str]] = []
        damaged: list[OutboxDamaged] = []
        for name in self._names():
            if (self._directory / (name + _ANSWER)).exists():
                continue
            try:
                unanswered.append((self._read(name, _REQUEST)["at"], name))
            except OutboxDamaged as error:
                damaged.append(error)
        for _, name in sorted(unanswered):
            yield _request(self._read(name, _REQUEST))
        if damaged:
            raise OutboxDamaged(damaged[0].message, **(damaged[0].data | {"damaged": len(damaged)}))

    def _names(self) -> list[str]:
        return sorted(path.stem for path in self._directory.glob(f"*{_REQUEST}"))

    def _name(self, idempotency_key: str) -> str:
        return hmac.digest(self._name_key, idempotency_key.encode(), "sha256").hex()

    def _write(self, name: str, part: str, content: dict[str, Any]) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(content).encode(), _bound_to(_VERSION, name, part))
        unfinished = self._directory / (name + part + _UNFINISHED)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_VERSION + nonce + sealed)
            file.flush()
            os.fsync(descriptor)
        unfinished.replace(self._directory / (name + part))
        sync_directory(self._directory)

    def _read(self, name: str, part: str) -> dict[str, Any]:
        stored = (self._directory / (name + part)).read_bytes()
        nonce, sealed = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
        try:
            content: dict[str, Any] = json.loads(self._cipher.decrypt(nonce, sealed, _bound_to(stored[:1], name, part)))
        except (InvalidTag, ValueError):
            raise OutboxDamaged(
                "a file of the outbox cannot be read", position=self._position(name), part=part.removeprefix(".")
            ) from None
        return content

    def _position(self, name: str) -> int:
        names = self._names()
        return names.index(name) + 1 if name in names else 0


def _request(content: dict[str, Any]) -> tuple[str, Request]:
    body = base64.b64decode(content["body"])
    return content["key"], Request(content["method"], content["path"], body, content["content_type"])


def _bound_to(version: bytes, name: str, part: str) -> bytes:
    return length_prefixed("SL1 outbox", version, name, part)
