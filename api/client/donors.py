"""Donors from the treasurer's side: identities sealed and opened here, gifts linked, aliases found to be one donor."""

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from api import json_texts
from api.client import sealing, shelves
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.errors import BadInput
from ledger.giving.donors import IDENTITY, VAULT

REASON = "receipt"
"""What the log of readings says of an opened donor."""
LONGEST = 500
"""Characters of one field."""


class BadIdentity(BadInput):
    """Something else than an identity: another field, a control character, or too long; `where` names the field."""

    rule = "bad_identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a donor is. All of it may be empty; an `address` has several lines; `account` is what they give from."""

    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    tax_id: str = field(default="", repr=False)
    account: str = field(default="", repr=False)

    def tokens(self, desk: Desk) -> list[dict[str, Any]]:
        """What the donor is found by again, under each epoch's key that this device holds."""
        told = {"donor_email": self.email, "donor_account": self.account.replace(" ", "")}
        return [
            {
                "epoch": vault.epoch,
                "field": name,
                "value": sealing.token(sealing.token_key(vault), field=name, value=value),
            }
            for vault in desk.vaults(VAULT)
            for name, value in told.items()
            if value.strip()
        ]


@dataclass(frozen=True, slots=True)
class Opened:
    """A donor's opened shelf, in memory on this device only; `seed` is the shelf's."""

    alias: str
    identity: Identity
    version: int
    public: bytes = field(repr=False)
    seed: bytes = field(repr=False)


def read_identity(told: dict[str, Any]) -> Identity:
    """An identity from what a file says.

    Raises:
        BadIdentity: see there; nothing of the text is repeated.
    """
    for name, value in told.items():
        if name not in Identity.__slots__:
            raise BadIdentity("an identity has no such field", where="field")
        text = value.replace("\n", " ") if name == "address" and isinstance(value, str) else value
        if not isinstance(text, str) or len(text) > LONGEST or any(unicodedata.category(one) == "Cc" for one in text):
            raise BadIdentity(f"up to {LONGEST} characters, none of them a control character", where=name)
    return Identity(**{name: unicodedata.normalize("NFC", value).strip() for name, value in told.items()})


def add(desk: Desk, identity: Identity | None) -> dict[str, Any]:
    """Adds a donor under a fresh alias, with what is known sealed here.

    Raises:
        NoVault: the roster has no vault of donors. ApiRefusal, ApiUnreachable.
    """
    alias = draw(Kind.DONOR)
    body: dict[str, Any] = {"alias": alias, "identity": None}
    if identity is not None:
        shelf = desk.draw_shelf(VAULT, alias=alias)
        sealed = {"shelf": shelves.shelf_on_wire(shelf), **_sealed(desk, shelf.public, alias, identity, version=1)}
        body = {"alias": alias, "identity": sealed}
    answer: dict[str, Any] = desk.api.post("/v1/donors", body, key=f"donor:{alias}")
    return answer


def identify(desk: Desk, alias: str, identity: Identity) -> dict[str, Any]:
    """Seals who a donor is, who was an alias only, or corrects it: the reading of what stood before is logged.

    Raises:
        What `add` and `open_donor` raise.
    """
    if find(desk, alias)["identity"] == "none":
        shelf = desk.draw_shelf(VAULT, alias=alias)
        version, on_wire, public = 1, shelves.shelf_on_wire(shelf), shelf.public
    else:
        opened = open_donor(desk, alias)
        version, on_wire, public = opened.version + 1, None, opened.public
    body = {"shelf": on_wire, **_sealed(desk, public, alias, identity, version=version)}
    answer: dict[str, Any] = desk.api.post(f"/v1/donors/{alias}/identity", body, key=f"identity:{alias}:{version}")
    return answer


def open_donor(desk: Desk, alias: str) -> Opened:
    """Fetches (which is logged and counted), opens and checks a donor's shelf.

    Raises:
        CannotOpen, WrongCommitment, WrongKey, BadSignature: something was altered or swapped. ApiRefusal: erased too.
    """
    fetched = desk.api.get(f"/v1/boxes/{alias}", reason=REASON)
    shelf, seed = shelves.open_shelf(desk, fetched, alias=alias)
    box = max((one for one in fetched["boxes"] if one["field"] == IDENTITY), key=lambda one: int(one["version"]))
    place = {"kind": "donor", "alias": alias, "field": IDENTITY, "version": box["version"]}
    plaintext = sealing.open_committed(seed, box, **place)
    try:
        identity = read_identity(json_texts.read(plaintext))
    except (BadInput, AttributeError):
        raise sealing.CannotOpen("the box holds no identity", kind="donor", version=box["version"]) from None
    return Opened(alias, identity, box["version"], shelf.public, seed)


def listed(desk: Desk) -> Iterator[dict[str, Any]]:
    """All donors, page by page."""
    cursor: str | None = None
    while True:
        page = desk.api.get("/v1/donors", cursor=cursor)
        yield from page["donors"]
        cursor = page["next"]
        if cursor is None:
            return


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One donor.

    Raises:
        BadIdentity: the API shows none.
    """
    for donor in listed(desk):
        if donor["alias"] == alias:
            return donor
    raise BadIdentity("no donor has this alias", where="donor")


def gifts(desk: Desk, alias: str) -> list[dict[str, Any]]:
    """A donor's gifts under all aliases, with what a receipt can certify of each."""
    found: list[dict[str, Any]] = desk.api.get(f"/v1/donors/{alias}/gifts")["gifts"]
    return found


def alike(desk: Desk, alias: str) -> list[str]:
    """Who may be the same donor."""
    found: list[str] = desk.api.get(f"/v1/donors/{alias}/alike")["donors"]
    return found


def link(desk: Desk, alias: str, donation: str) -> None:
    """A gift is this donor's from now on."""
    desk.api.post(f"/v1/donors/{alias}/gifts", {"donation": donation}, key=_once("link", alias, donation))


def unlink(desk: Desk, donation: str) -> None:
    """A gift is nobody's again."""
    desk.api.post("/v1/donors/unlink", {"donation": donation}, key=_once("unlink", donation))


def recognise(desk: Desk, donation: str, told: Identity) -> list[str]:
    """Links a gift to the one known donor with this e-mail or account; of what is `told` only tokens go out."""
    body = {"donation": donation, "tokens": told.tokens(desk)}
    found: list[str] = desk.api.post("/v1/donors/recognise", body, key=_once("recognise", donation))["donors"]
    return found


def merge(desk: Desk, alias: str, *, into: str) -> dict[str, Any]:
    """Signs that two aliases are one donor, who goes by `into` from now on."""
    body = {"into": into, "agreed": desk.agree("merge_donors", alias, version=1, detail=into)}
    answer: dict[str, Any] = desk.api.post(f"/v1/donors/{alias}/merge", body, key=f"merge:{alias}:{into}")
    return answer


def _sealed(desk: Desk, public: bytes, alias: str, identity: Identity, *, version: int) -> dict[str, Any]:
    content = asdict(identity)
    box = shelves.seal_json(public, content, kind="donor", alias=alias, field=IDENTITY, version=version)
    return {"box": box, "tokens": identity.tokens(desk)}


def _once(verb: str, *about: str) -> str:
    """A key for what may be done again later: a gift is linked, unlinked and linked to the same donor."""
    return f"{verb}:{':'.join(about)}:{draw(Kind.KEY)[2:]}"
