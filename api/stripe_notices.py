"""The processor's notices: whether the processor signed them, and which id, type and object they name.

The signature is an HMAC-SHA-256 over the second and the body (scheme v1 of the processor's documentation). It is
checked here and not by the processor's library: that reads the clock itself, admits any future, and costs the serving
program half a second and a key that it does not need. See docs/decisions.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api import json_texts
from ledger.errors import Refused
from ledger.giving.notices import BadNotice

TOLERANCE_SECONDS = 300
"""How far the second of a signature may be from ours, either way."""
_MOST_SIGNATURES = 10
_SECOND = re.compile(r"\d{1,12}", re.ASCII)


class BadNoticeSignature(Refused):
    """The signature is missing, of nobody we know, or too old: nothing of the body was read."""

    rule = "bad_notice_signature"


@dataclass(frozen=True, slots=True)
class Named:
    """What of a notice is kept."""

    id: str
    kind: str
    about: str | None


def read_notice(body: bytes, *, signature: str, secrets: Sequence[str], now: datetime) -> Named:
    """What a signed notice names; with its object (v1) or thin (v2). Nothing else of the body is kept or told.

    Raises:
        BadNoticeSignature: see there; also when no secret is set. BadNotice: signed, and not a notice.
    """
    _require_signature(body, signature, secrets, now=now)
    try:
        told = json_texts.read(body)
    except json_texts.NotJson:
        raise BadNotice("not JSON", where="body") from None
    if not isinstance(told, dict):
        raise BadNotice("not an object", where="body")
    if told.get("object") == "v2.core.event":
        about = _part(told, "related_object")
    elif told.get("object") == "event":
        about = _part(_part(told, "data"), "object")
    else:
        raise BadNotice("neither an event nor a thin event", where="object")
    identifier, kind, named = told.get("id"), told.get("type"), about.get("id")
    if not isinstance(identifier, str) or not isinstance(kind, str):
        raise BadNotice("an id or a type is missing, or of another form", where="id, type")
    return Named(identifier, kind, named if isinstance(named, str) else None)


def _require_signature(body: bytes, signature: str, secrets: Sequence[str], *, now: datetime) -> None:
    seconds: list[str] = []
    codes: list[bytes] = []
    for part in signature.split(","):
        name, _, value = part.partition("=")
        if name == "t":
            seconds.append(value)
        elif name == "v1":
            codes.append(value.encode())
    if len(seconds) != 1 or not _SECOND.fullmatch(seconds[0]) or not 0 < len(codes) <= _MOST_SIGNATURES:
        raise BadNoticeSignature("the signature is missing or of another form")
    signed = seconds[0].encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in secrets]
    if not any([hmac.compare_digest(code, one) for code in codes for one in expected]):  # noqa: C419  # all of them
        raise BadNoticeSignature("the signature is of nobody we know")
    if abs(now.timestamp() - int(seconds[0])) > TOLERANCE_SECONDS:
        raise BadNoticeSignature("the signature is too old, or of the future")


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    part = told.get(name)
    return part if isinstance(part, dict) else {}
