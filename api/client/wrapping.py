"""What a vault's member does for others: wraps that newcomers lack, and shelves re-wrapped after a rotation."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from api.client import founding, sealing
from api.client.amending import wrap_on_wire
from api.client.desk import Desk, NoVault
from api.client.http import ApiRefusal
from api.client.sealing import CannotOpen, Shelf, VaultSeed, WrongKey
from ledger.identities.rewrapping import digest_of
from ledger.identities.vaults import NewWrap

SHELVES_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many shelves got a new wrap, how many of another member's were confirmed, how many wait for another."""

    appended: int
    confirmed: int
    waiting: int


def wrap_missing(desk: Desk) -> list[NewWrap]:
    """Wraps every epoch that this device holds for every member, and recovery, who has no wrap of it yet.

    Raises:
        NoVault: this device is no member of any vault, or was given no wrap.
        CannotOpen, WrongKey, ApiRefusal, ApiUnreachable: see there.
    """
    made: list[NewWrap] = []
    for name in own_vaults(desk):
        made += give_missing(desk, desk.vaults(name))
    return made


def own_vaults(desk: Desk) -> list[str]:
    """The vaults whose keys this operator's roles are given.

    Raises:
        NoVault: there is none.
    """
    names = sorted({str(vault.name) for vault in desk.roster.vaults})
    own = [name for name in names if desk.device.alias in founding.holders(desk.roster, name)]
    if not own:
        raise NoVault("the roster gives this operator no vault's key")
    return own


def give_missing(desk: Desk, seeds: list[VaultSeed]) -> list[NewWrap]:
    """As `wrap_missing` for these seeds, whose public halves the roster names."""
    made: list[NewWrap] = []
    for seed in seeds:
        if desk.vault_public(seed.name, seed.epoch) != seed.public():
            raise NoVault("the roster names another key", vault=seed.name, epoch=seed.epoch)
        standing = {
            one["member"]
            for one in desk.api.get(f"/v1/vaults/{seed.name}/members")["members"]
            if one["epoch"] == seed.epoch
        }
        lacking = {name: key for name, key in founding.holders(desk.roster, seed.name).items() if name not in standing}
        for wrap in founding.wraps_for(seed, lacking):
            body = wrap_on_wire(wrap)
            del body["vault"]
            desk.api.put(f"/v1/vaults/{seed.name}/wraps", body)
            made.append(wrap)
    return made


def rewrap(desk: Desk, vault: str, *, progress: Callable[[int], None] | None = None) -> Rewrapped:
    """Re-wraps a vault's shelves to its newest epoch, page by page; a second member's run confirms and ends it.

    Every wrap is opened before it is trusted: the old one to make a new one, another member's new one to confirm it.
    The old wrap goes only then. Stopped anywhere, the next run goes on with what is left. `progress` is called with how
    many shelves were looked at.

    Raises:
        CannotOpen, WrongKey, BadSignature: an old wrap is not what it should be; nothing of its page was sent.
    """
    newest = desk.vault(vault)
    counted = {"wraps": 0, "confirmed": 0, "waiting": 0}
    looked_at = 0
    for page in _pages(desk, vault):
        body: dict[str, Any] = {"epoch": newest.epoch, "wraps": [], "confirmed": []}
        for one in page:
            what, told = _settle(desk, newest, one)
            counted[what] += 1
            if told:
                body[what].append(told)
        if body["wraps"] or body["confirmed"]:
            _send(desk, vault, body)
        looked_at += len(page)
        if progress:
            progress(looked_at)
    return Rewrapped(counted["wraps"], counted["confirmed"], counted["waiting"])


def _settle(desk: Desk, newest: VaultSeed, one: dict[str, Any]) -> tuple[str, dict[str, str] | None]:
    """What is to be done with a shelf, and what to send for it."""
    first, last = one["wraps"][0], one["wraps"][-1]
    oldest = sealing.from_base64(first["wrap"])
    public = sealing.from_base64(one["public"])
    shelf = Shelf(one["alias"], one["vault"], one["epoch"], public, one["signature"], oldest)
    desk.check_shelf(shelf, signer=one["signer"])
    if last["epoch"] == newest.epoch and last["by"] == desk.device.alias:
        return "waiting", None
    if last["epoch"] == newest.epoch and _opens(newest, last["wrap"], shelf):
        return "confirmed", {"alias": shelf.alias, "digest": digest_of(sealing.from_base64(last["wrap"]))}
    seed = sealing.open_wrap(desk.vault(newest.name, first["epoch"]), oldest, alias=shelf.alias, public=public)
    wrap = sealing.rewrap(newest.public(), seed, alias=shelf.alias)
    return "wraps", {"alias": shelf.alias, "wrap": sealing.to_base64(wrap)}


def _opens(newest: VaultSeed, wrap: str, shelf: Shelf) -> bool:
    """Whether another member's new wrap is good; a bad one is replaced by this member's own, and waits again."""
    try:
        sealing.open_wrap(newest, sealing.from_base64(wrap), alias=shelf.alias, public=shelf.public)
    except (CannotOpen, WrongKey):
        return False
    return True


def _send(desk: Desk, vault: str, body: dict[str, Any]) -> None:
    """A page; under a key of its content's places, so that a retry after a lost answer repeats the same bytes."""
    told = [body["epoch"], *(one["alias"] for one in body["wraps"]), *(one["digest"] for one in body["confirmed"])]
    key = hashlib.sha256(" ".join(map(str, told)).encode()).hexdigest()
    try:
        desk.api.post(f"/v1/vaults/{vault}/rewraps", body, key=f"rewrap:{vault}:{key[:40]}")
    except ApiRefusal as refusal:
        # Another member was at it at the same time: what is left comes again in the next run.
        if refusal.rule not in {"unknown_shelf", "nothing_to_confirm"}:
            raise


def _pages(desk: Desk, vault: str) -> Iterator[list[dict[str, Any]]]:
    cursor: str | None = None
    while True:
        page = desk.api.get(f"/v1/vaults/{vault}/rewraps", cursor=cursor, limit=SHELVES_A_PAGE)
        yield page["shelves"]
        cursor = page["next"]
        if cursor is None:
            return
