"""Publication from the publisher's and the approver's side: the release rule runs here, over aliases and amounts."""

import hashlib
from typing import Any

from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.errors import NotFound, Tampered
from reports import gathering
from reports.transparency import disclosure
from reports.transparency.blocks import Block, block_from_json
from reports.transparency.safety import Item


class NotTheBlock(Tampered):
    """The draft's text is not what its hash says."""

    rule = "not_the_block"


class NoSuchDraft(NotFound):
    """No draft of this alias waits for a second signature."""

    rule = "no_such_draft"


def compute(desk: Desk) -> tuple[int, Block]:
    """The next publication's number and block, by the release rule with a signed "no register".

    Raises:
        StillOpen: the block's last month is not over.
    """
    basis = desk.api.get("/v1/publications/basis")
    settings = disclosure.Settings(
        kinds=tuple(basis["kinds"]),
        first_month=basis["first_month"],
        currency=basis["currency"],
        base_value_minor=basis["base_value_minor"],
    )
    block = disclosure.release(
        [Item(**item) for item in basis["items"]],
        history=[block_from_json(block) for block in basis["history"]],
        register=None,
        settings=settings,
        on=desk.now().date(),
    )
    return basis["number"], block


def draft(desk: Desk) -> dict[str, Any]:
    """Computes the next block and hands it in as a signed draft.

    Raises:
        StillOpen: too early. ApiRefusal, ApiUnreachable: see there.
    """
    number, block = compute(desk)
    content = gathering.write_publication(block)
    alias = draw(Kind.PUBLICATION)
    agreed = desk.agree("draft_publication", alias, version=number, evidence=[_digest(content)])
    body = {"alias": alias, "content": content, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/publications", body, key=f"draft:{number}:{_digest(content)}")
    return answer


def approve(desk: Desk, waiting: dict[str, Any]) -> dict[str, Any]:
    """Gives the second signature to the text of a draft that waits, and thereby publishes it."""
    alias, number = waiting["alias"], waiting["number"]
    agreed = desk.agree("approve_publication", alias, version=number, evidence=[_digest(waiting["content"])])
    body = {"verb": "approve_publication", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"publish:{alias}")
    return answer


def listed(desk: Desk) -> dict[str, Any]:
    """Drafts that wait, and publications, with their texts.

    Raises:
        NotTheBlock: a text does not have its hash.
    """
    answer: dict[str, Any] = desk.api.get("/v1/publications")
    for one in (*answer["drafts"], *answer["publications"]):
        if _digest(one["content"]) != one["digest"]:
            raise NotTheBlock("the text does not have its hash", number=one["number"])
    return answer


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
