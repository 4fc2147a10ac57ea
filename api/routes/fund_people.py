"""Routes of the people of the fund: the book, roster, keys, vaults, boxes and the log of who opened them."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field, PlainValidator, WithJsonSchema

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import (
    Alias,
    Base64,
    BoxOnWire,
    Day,
    Digest,
    Done,
    Epoch,
    ShelfOnWire,
    SignedActOnWire,
    VaultName,
    Wire,
)
from api.transactions import Tx
from ledger import approvals, bearer_keys, book, people
from ledger.approvals import Agreed
from ledger.identities import shelves
from ledger.identities.shelves import Access, Opened, Reason, UnknownVault
from ledger.people import Role

router = APIRouter()

MOST_SHELVES = 100
"""The most shelves that one request opens."""


def _read_signatures(value: object) -> dict[str, str]:
    """Signatures by alias. Read here, because a place inside would name what somebody sent as an alias."""
    if not isinstance(value, dict) or not all(isinstance(text, str) for item in value.items() for text in item):
        raise ValueError("signatures by alias")  # pydantic turns ValueError into a place
    return value


class BookOut(Wire):
    """The book's own data."""

    book_id: str
    organisation: str
    functional_currency: str
    jurisdiction: str
    demo: bool


class RosterVersionOut(Wire):
    """A roster: its canonical text, and officers' signatures by alias."""

    document: str
    signatures: dict[str, str]
    recorded_on: date


class RostersOut(Wire):
    """All rosters from the first on: a client checks the whole chain."""

    rosters: list[RosterVersionOut]


class RosterIn(Wire):
    """The next roster."""

    document: Annotated[str, Field(max_length=1_000_000)]
    signatures: Annotated[
        dict[str, str],
        PlainValidator(_read_signatures),
        WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
    ]


class KeyIn(Wire):
    """A bearer key its owner drew: only the hash comes here. The admin's act has the key's alias as its object."""

    alias: Alias
    operator: Alias
    roles: frozenset[Role]
    digest: Digest
    expires_on: Day
    agreed: SignedActOnWire


class KeyOut(Wire):
    """A key that is now valid."""

    alias: str
    operator: str
    roles: list[str]
    expires_on: date


class WrapIn(Wire):
    """A vault's seed, wrapped to one member."""

    epoch: Epoch
    member: Alias
    wrap: Base64


class WrapsOut(Wire):
    """The caller's own wraps of a vault, by epoch."""

    wraps: list[WrapIn]


class OpenedOut(Wire):
    """What a vault member needs to open a shelf on their device."""

    shelf: ShelfOnWire
    signer: str
    boxes: list[BoxOnWire]


class ManyOpenedOut(Wire):
    """What a vault member needs to open many shelves."""

    opened: list[OpenedOut]


class AccessOut(Wire):
    """One reading."""

    operator: str
    alias: str
    reason: str
    at: datetime


class AccessLogOut(Wire):
    """The newest readings first."""

    accesses: list[AccessOut]


@router.get("/v1/book")
def read_book(session: Tx, _caller: Admitted) -> BookOut:
    """The book's own data."""
    return BookOut.model_validate(book.require(session).model_dump(include=set(BookOut.model_fields)))


@router.get("/v1/roster")
def read_rosters(session: Tx, _caller: Admitted) -> RostersOut:
    """The chain of rosters, with signatures."""
    return RostersOut(
        rosters=[
            RosterVersionOut(
                document=version.document,
                signatures=people.signatures_of(version),
                recorded_on=version.recorded_at.date(),
            )
            for version in people.versions(session)
        ]
    )


@router.post("/v1/roster", status_code=201)
def enrol_roster(roster: RosterIn, session: Tx, now: Now, once: Claimed) -> Done:
    """Enrols the next roster, signed by two officers of the one before."""
    people.enrol(session, roster.document, roster.signatures, recorded_at=now)
    return once.keep(Done())


@router.post("/v1/keys", status_code=201)
def create_key(key: KeyIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> KeyOut:
    """Admits a bearer key. The act commits to all its facts: no other key, operator, role or day slips in."""
    agreed = Agreed(key.agreed.act, key.agreed.signature, caller.operator, now)
    facts: dict[str, Any] = {
        "alias": key.alias,
        "operator": key.operator,
        "roles": key.roles,
        "key_digest": key.digest,
        "expires_on": key.expires_on,
    }
    approvals.accept(
        session,
        agreed,
        verb="create_key",
        object_alias=key.alias,
        version=1,
        evidence_commitments=[bearer_keys.commitment(**facts)],
    )
    added = bearer_keys.admit(session, **facts, created_at=now)
    out = KeyOut(alias=added.alias, operator=added.operator, roles=added.roles.split(","), expires_on=added.expires_on)
    return once.keep(out)


@router.get("/v1/vaults/{name}/wraps")
def read_wraps(name: VaultName, session: Tx, caller: Admitted) -> WrapsOut:
    """The caller's own wraps of a vault: nobody sees another's."""
    found = shelves.vault_wraps(session, vault=name, member=caller.operator.alias)
    return WrapsOut(wraps=[WrapIn(epoch=wrap.epoch, member=wrap.member, wrap=wrap.wrap) for wrap in found])


@router.put("/v1/vaults/{name}/wraps")
def keep_wrap(name: VaultName, wrap: WrapIn, session: Tx, _caller: Admitted, now: Now) -> Done:
    """Keeps a vault's seed wrapped to a member of the roster; the same again changes nothing."""
    roster = people.current(session)
    roster.operator(wrap.member, on=now.date())
    if not any(vault.name == name and vault.epoch == wrap.epoch for vault in roster.vaults):
        raise UnknownVault("the roster names no such vault in this epoch", vault=name, epoch=wrap.epoch)
    shelves.keep_vault_wrap(session, vault=name, epoch=wrap.epoch, member=wrap.member, wrap=wrap.wrap)
    return Done()


@router.get("/v1/boxes")
def open_shelves(
    alias: Annotated[list[Alias], Query(min_length=1, max_length=MOST_SHELVES)],
    reason: Reason,
    request: Request,
    session: Tx,
    caller: Admitted,
    now: Now,
) -> ManyOpenedOut:
    """As for one shelf, for many at once, all or none: each reading is logged by itself."""
    found = shelves.open_shelves(
        session,
        alias,
        operator=caller.operator.alias,
        reason=reason,
        at=now,
        shred_keys=request.app.state.shred_keys,
    )
    return ManyOpenedOut(opened=[_opened(one) for one in found])


@router.get("/v1/boxes/{alias}")
def open_shelf(alias: Alias, reason: Reason, request: Request, session: Tx, caller: Admitted, now: Now) -> OpenedOut:
    """Hands out a shelf's sealed boxes and wrap; who asked, and the reason, are logged for the auditors."""
    opened = shelves.open_shelf(
        session,
        alias,
        operator=caller.operator.alias,
        reason=reason,
        at=now,
        shred_keys=request.app.state.shred_keys,
    )
    return _opened(opened)


def _opened(opened: Opened) -> OpenedOut:
    shelf = opened.shelf
    return OpenedOut(
        shelf=ShelfOnWire(
            alias=shelf.alias,
            vault=shelf.vault,
            epoch=shelf.epoch,
            public=shelf.sealing_key,
            signature=shelf.signature,
            wrap=opened.wrap,
        ),
        signer=shelf.signer,
        boxes=[
            BoxOnWire(
                kind=box.kind,
                alias=box.alias,
                field=box.field,
                version=box.version,
                bytes=box.data,
                commitment=box.commitment,
            )
            for box in opened.boxes
        ],
    )


@router.get("/v1/access-log")
def read_access_log(session: Tx, _caller: Admitted, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> AccessLogOut:
    """Who opened what, when and why."""
    return AccessLogOut(accesses=[_access(access) for access in shelves.accesses(session, limit=limit)])


def _access(access: Access) -> AccessOut:
    return AccessOut(operator=access.operator, alias=access.shelf_alias, reason=access.reason, at=access.at)
