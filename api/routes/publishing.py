"""Routes of publication: the basis for the publisher's client, drafts, and what is published."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, Field
from pydantic_core import from_json

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, SignedActOnWire, Wire
from api.transactions import Tx
from ledger import publications
from ledger.approvals import Agreed
from reports import gathering
from reports.transparency.blocks import block_as_json

router = APIRouter()


class ItemOut(Wire):
    """One payment as the release rule needs it."""

    person: str
    minor: int
    kind: str
    month: str
    list_of: str | None


class BasisOut(Wire):
    """What the publisher's client computes the next block from."""

    items: list[ItemOut]
    history: list[dict[str, Any]]
    kinds: list[str]
    first_month: str
    currency: str
    base_value_minor: int
    number: int


def _read_json(text: str) -> str:
    """The text itself when it is JSON; raises ValueError also for `NaN`, and a depth at which other readers fail."""
    from_json(text, allow_inf_nan=False)
    return text


class DraftIn(Wire):
    """The exact text that is proposed; the act's one evidence commitment is its SHA-256, its version the number."""

    alias: Alias
    content: Annotated[str, Field(max_length=1_000_000), AfterValidator(_read_json)]
    agreed: SignedActOnWire


class DraftOut(Wire):
    """A kept draft, with its text: nobody agrees to what they cannot read."""

    alias: str
    number: int
    digest: str
    content: str


class PublicationOut(DraftOut):
    """What is published."""

    published_at: datetime


class PublicationsOut(Wire):
    """Drafts that wait, and publications from the first on."""

    drafts: list[DraftOut]
    publications: list[PublicationOut]


@router.get("/v1/publications/basis")
def read_basis(session: Tx, _caller: Admitted) -> BasisOut:
    """Every payment by alias, and what was published before."""
    settings = gathering.disclosure_settings(session)
    history = gathering.published_blocks(session)
    return BasisOut(
        items=[
            ItemOut(person=item.person, minor=item.minor, kind=item.kind, month=item.month, list_of=item.list_of)
            for item in gathering.gather_items(session)
        ],
        history=[block_as_json(block) for block in history],
        kinds=list(settings.kinds),
        first_month=settings.first_month,
        currency=settings.currency,
        base_value_minor=settings.base_value_minor,
        number=len(history) + 1,
    )


@router.get("/v1/publications")
def list_publications(session: Tx, _caller: Admitted) -> PublicationsOut:
    """Drafts that wait for a second signature, and what is published."""
    published = publications.published(session)
    return PublicationsOut(
        drafts=[
            DraftOut.model_validate(draft.model_dump(include=set(DraftOut.model_fields)))
            for draft in publications.waiting(session)
        ],
        publications=[
            PublicationOut.model_validate(one.model_dump(include=set(PublicationOut.model_fields))) for one in published
        ],
    )


@router.post("/v1/publications", status_code=201)
def draft_publication(body: DraftIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DraftOut:
    """Keeps a draft when the release rule gives this very block, with the publisher's signature over its hash."""
    gathering.require_publishable(session, body.content, on=now.date())
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    kept = publications.draft(session, body.alias, content=body.content, agreed=agreed)
    return once.keep(DraftOut.model_validate(kept.model_dump(include=set(DraftOut.model_fields))))
