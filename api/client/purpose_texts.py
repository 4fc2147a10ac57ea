"""What donors are told, from the side of those who sign it: drafted from a file, read in full before it is agreed."""

import unicodedata
from typing import Any

from api import json_texts
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.errors import NotFound, Tampered
from ledger.giving import purpose_texts
from ledger.giving.purpose_texts import BadPurposeText, PurposeText


class NotTheText(Tampered):
    """The draft's text is not what its hash says, or says another purpose or number than is shown."""

    rule = "not_the_text"


class NoSuchPurposeDraft(NotFound):
    """No draft of this alias waits for a second signature."""

    rule = "no_such_purpose_draft"


def read_file(data: bytes, *, code: str, number: int) -> PurposeText:
    """A version from a file: JSON with everything but `code` and `number`, in UTF-8.

    Letters are composed (normal form C) here, since keyboards differ; nothing else is changed.

    Raises:
        BadPurposeText: see there.
    """
    try:
        content = json_texts.read(unicodedata.normalize("NFC", data.decode("utf-8-sig")))
    except (UnicodeDecodeError, json_texts.NotJson):
        raise BadPurposeText("not JSON in UTF-8", where="file") from None
    if not isinstance(content, dict):
        raise BadPurposeText("not an object", where="file")
    return purpose_texts.make({"link": None, "bank": None} | content | {"code": code, "number": number})


def draft(desk: Desk, code: str, *, data: bytes) -> dict[str, Any]:
    """Proposes what a file says as the next version of a purpose: the first signature, a publisher's.

    Raises:
        BadPurposeText: see there; nothing is sent. ApiRefusal, ApiUnreachable.
    """
    known = [one for one in listed(desk)["versions"] if one["purpose"] == code]
    text = read_file(data, code=code, number=len(known) + 1)
    document = text.canonical()
    alias, hashed = draw(Kind.PURPOSE_DRAFT), purpose_texts.digest(document)
    agreed = desk.agree("draft_purpose", alias, version=text.number, evidence=[hashed])
    body = {"alias": alias, "document": document, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/purposes/versions", body, key=f"purpose-draft:{hashed}")
    return answer


def approve(desk: Desk, waiting: dict[str, Any]) -> dict[str, Any]:
    """Agrees to the text of a draft that waits, and thereby publishes it: the second signature, an approver's.

    Raises:
        NotTheText: what is shown is not what would be signed; nothing is.
    """
    text = read_document(waiting)
    hashed = purpose_texts.digest(waiting["document"])
    agreed = desk.agree("approve_purpose", waiting["alias"], version=text.number, evidence=[hashed])
    body = {"verb": "approve_purpose", "object": waiting["alias"], "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"purpose-publish:{waiting['alias']}")
    return answer


def listed(desk: Desk) -> dict[str, Any]:
    """Drafts that wait, and versions, with their texts."""
    answer: dict[str, Any] = desk.api.get("/v1/purposes/versions")
    return answer


def find_draft(desk: Desk, alias: str) -> dict[str, Any]:
    """A draft that waits.

    Raises:
        NoSuchPurposeDraft: none of this alias does.
    """
    for one in listed(desk)["drafts"]:
        if one["alias"] == alias:
            found: dict[str, Any] = one
            return found
    raise NoSuchPurposeDraft("no draft of this alias waits")


def read_document(shown: dict[str, Any]) -> PurposeText:
    """The text of a draft or a version, which is what is shown beside it.

    Raises:
        NotTheText: it is not.
    """
    text = purpose_texts.read(shown["document"])
    if purpose_texts.digest(shown["document"]) != shown["digest"]:
        raise NotTheText("the text does not have its hash", purpose=text.code, number=text.number)
    if (text.code, text.number) != (shown["purpose"], shown["number"]):
        raise NotTheText("the text is another one's", purpose=text.code, number=text.number)
    return text
