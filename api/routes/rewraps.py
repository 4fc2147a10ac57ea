"""Routes of vaults after a joining or a rotation: who has which wrap, and shelves re-wrapped by two members."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.authentication import Admitted
from api.idempotency import Claimed
from api.routes.wire import Alias, Base64, Digest, Done, Epoch, Page, VaultName, Wire
from api.transactions import Tx
from ledger.identities import rewrapping, vaults
from ledger.identities.rewrapping import Unfinished

router = APIRouter()

MOST_REWRAPS = 500
"""The most shelves of one page or request."""


class MemberOut(Wire):
    """Who holds a wrap of an epoch."""

    epoch: int
    member: str


class MembersOut(Wire):
    """The wraps of a vault that stand, without their bytes."""

    members: list[MemberOut]


class WrappedOut(Wire):
    """One wrap of a shelf, and who re-wrapped it."""

    epoch: int
    wrap: Base64
    by: str | None


class UnfinishedOut(Wire):
    """A shelf that is not wrapped to the newest epoch alone; the first wrap is the one known to open."""

    alias: str
    vault: str
    epoch: int
    public: Base64
    signature: str
    signer: str
    wraps: list[WrappedOut]

    @classmethod
    def of(cls, found: Unfinished) -> "UnfinishedOut":
        """A shelf as the wire has it."""
        shelf = found.shelf
        return cls(
            alias=shelf.alias,
            vault=shelf.vault,
            epoch=shelf.epoch,
            public=shelf.sealing_key,
            signature=shelf.signature,
            signer=shelf.signer,
            wraps=[WrappedOut(epoch=one.epoch, wrap=one.wrap, by=one.by) for one in found.wraps],
        )


class UnfinishedPage(Page):
    """Shelves by alias."""

    shelves: list[UnfinishedOut]


class RewrapIn(Wire):
    """A shelf's seed, wrapped to the newest epoch."""

    alias: Alias
    wrap: Base64


class ConfirmIn(Wire):
    """The SHA-256 of another member's wrap that this one has opened."""

    alias: Alias
    digest: Digest


class RewrapsIn(Wire):
    """New wraps, and confirmations of those of others."""

    epoch: Epoch
    wraps: Annotated[list[RewrapIn], Field(max_length=MOST_REWRAPS)]
    confirmed: Annotated[list[ConfirmIn], Field(max_length=MOST_REWRAPS)]


@router.get("/v1/vaults/{name}/members")
def read_members(name: VaultName, session: Tx, _caller: Admitted) -> MembersOut:
    """Who has a wrap of which epoch: what a member still has to wrap for the others."""
    return MembersOut(
        members=[MemberOut(epoch=epoch, member=member) for epoch, member in vaults.members(session, name)]
    )


@router.get("/v1/vaults/{name}/rewraps")
def read_unfinished(
    name: VaultName,
    request: Request,
    session: Tx,
    _caller: Admitted,
    cursor: Alias | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_REWRAPS)] = MOST_REWRAPS,
) -> UnfinishedPage:
    """Shelves whose re-wrapping is not finished, without their boxes."""
    found = rewrapping.unfinished(session, name, after=cursor, limit=limit, shred_keys=request.app.state.shred_keys)
    following = found[-1].shelf.alias if len(found) == limit else None
    return UnfinishedPage(shelves=[UnfinishedOut.of(one) for one in found], next=following)


@router.post("/v1/vaults/{name}/rewraps", status_code=201)
def rewrap(name: VaultName, told: RewrapsIn, request: Request, session: Tx, caller: Admitted, once: Claimed) -> Done:
    """Appends new wraps; deletes the old ones where another member's new wrap is confirmed."""
    by, shred_keys = caller.operator, request.app.state.shred_keys
    wraps = [(one.alias, one.wrap) for one in told.wraps]
    confirmed = [(one.alias, one.digest) for one in told.confirmed]
    rewrapping.append(session, name, wraps, epoch=told.epoch, by=by, shred_keys=shred_keys)
    rewrapping.confirm(session, name, confirmed, epoch=told.epoch, by=by, shred_keys=shred_keys)
    return once.keep(Done())
