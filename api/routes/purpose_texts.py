"""Routes of what donors are told: drafts of next versions, and the versions that two people have signed."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.approvals import Agreed
from ledger.giving import purpose_texts, purpose_versions, purposes
from ledger.giving.purpose_texts import LONGEST_DOCUMENT
from ledger.giving.purpose_versions import PurposeDraft, PurposeVersion

router = APIRouter()


class DraftIn(Wire):
    """The canonical text of a version; the act's one evidence commitment is its SHA-256, its version the number."""

    alias: Alias
    document: Annotated[str, Field(max_length=LONGEST_DOCUMENT)]
    agreed: SignedActOnWire


class DraftOut(Wire):
    """A kept draft with its text: nobody agrees to what they cannot read."""

    alias: str
    purpose: str
    number: int
    digest: str
    document: str

    @classmethod
    def of(cls, draft: PurposeDraft) -> "DraftOut":
        """A draft as the wire has it."""
        return cls(
            alias=draft.alias,
            purpose=draft.purpose_code,
            number=draft.number,
            digest=draft.digest,
            document=draft.document,
        )


class VersionOut(Wire):
    """A published version with its text."""

    alias: str
    purpose: str
    number: int
    digest: str
    document: str
    effective_from: date
    published_at: datetime

    @classmethod
    def of(cls, version: PurposeVersion) -> "VersionOut":
        """A version as the wire has it."""
        return cls(
            alias=version.alias,
            purpose=version.purpose_code,
            number=version.number,
            digest=purpose_texts.digest(version.document),
            document=version.document,
            effective_from=version.effective_from,
            published_at=version.published_at,
        )


class VersionsOut(Wire):
    """Drafts that wait for a second signature, and the versions of every purpose from its first on."""

    drafts: list[DraftOut]
    versions: list[VersionOut]


@router.get("/v1/purposes/versions")
def list_versions(session: Tx, _caller: Admitted) -> VersionsOut:
    """What donors were told, are told, and may be told next."""
    codes = [purpose.code for purpose in purposes.listed(session)]
    return VersionsOut(
        drafts=[DraftOut.of(one) for one in purpose_versions.waiting(session)],
        versions=[VersionOut.of(one) for code in codes for one in purpose_versions.versions(session, code)],
    )


@router.post("/v1/purposes/versions", status_code=201)
def draft_version(body: DraftIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> DraftOut:
    """Proposes the next version of a purpose, with the publisher's signature over its hash."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    return once.keep(DraftOut.of(purpose_versions.draft(session, body.alias, document=body.document, agreed=agreed)))
