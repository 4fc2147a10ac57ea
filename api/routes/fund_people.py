"""Routes of the people of the fund: the book, roster, keys and vaults."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field, PlainValidator, WithJsonSchema

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import (
    Alias,
    Base64,
    Day,
    Digest,
    Done,
    Epoch,
    SignedActOnWire,
    VaultMember,
    VaultName,
    Wire,
)
from api.transactions import Tx
from ledger import approvals, bearer_keys, book, people
from ledger.approvals import Agreed
from ledger.identities import shelves, vaults
from ledger.identities.vaults import NewWrap
from ledger.people import Role

router = APIRouter()


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


class NewWrapIn(Wire):
    """A vault's seed, wrapped to one member or to recovery."""

    vault: VaultName
    epoch: Epoch
    member: VaultMember
    wrap: Base64

    def new(self) -> NewWrap:
        """The wrap as the ledger takes it."""
        return NewWrap(self.vault, self.epoch, self.member, self.wrap)


class RosterIn(Wire):
    """The next roster, with the wraps of the vault keys that it brings."""

    document: Annotated[str, Field(max_length=1_000_000)]
    signatures: Annotated[
        dict[str, str],
        PlainValidator(_read_signatures),
        WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
    ]
    wraps: Annotated[tuple[NewWrapIn, ...], Field(max_length=10_000)] = ()


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
    member: VaultMember
    wrap: Base64


class WrapsOut(Wire):
    """The caller's own wraps of a vault, by epoch."""

    wraps: list[WrapIn]


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
def enrol_roster(roster: RosterIn, request: Request, session: Tx, now: Now, once: Claimed) -> Done:
    """Enrols the next roster, signed by two officers of the one before; leavers' wraps go."""
    vaults.enrol(
        session,
        roster.document,
        roster.signatures,
        [wrap.new() for wrap in roster.wraps],
        recorded_at=now,
        shred_keys=request.app.state.shred_keys,
    )
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
    """Keeps a vault's seed wrapped to a member of the roster, or to recovery; the same again changes nothing."""
    vaults.keep_wrap(session, NewWrap(name, wrap.epoch, wrap.member, wrap.wrap), at=now)
    return Done()
