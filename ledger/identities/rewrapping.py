"""Re-wrapping after a vault's rotation: one member appends a new wrap, another confirms it, and the old ones go.

The server cannot tell whether a wrap opens. Two members make sure of it: a single one, careless or hostile, could
otherwise make every person of the fund unreadable for good.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from ledger import people
from ledger.approvals import require_other
from ledger.errors import Conflict
from ledger.identities import boxes
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import PersonKey, Shelf, UnknownShelf, UnknownVault
from ledger.people import Operator
from ledger.storage.locks import locked


class NothingToConfirm(Conflict):
    """No such wrap waits: it was confirmed, replaced by somebody else, or never made."""

    rule = "nothing_to_confirm"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One wrap of a shelf's seed, and who re-wrapped it; None for the one it was put up with."""

    epoch: int
    wrap: bytes
    by: str | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A shelf with a wrap of an older epoch: the first of its wraps is the one known to open."""

    shelf: Shelf
    wraps: list[Wrapped]


def unfinished(
    session: Session, vault: str, *, after: str | None, limit: int, shred_keys: ShredKeys
) -> list[Unfinished]:
    """The next shelves of a vault, by alias, that are not wrapped to its newest epoch alone. No box is handed out.

    Raises:
        UnknownVault: the roster names none. ShredKeyMissing, ShredKeyUnsafe, WrapDoesNotUnlock: see there.
    """
    older = select(PersonKey.alias).where(PersonKey.epoch < newest_epoch(session, vault))
    query = select(Shelf).where(Shelf.vault == vault, col(Shelf.alias).in_(older)).order_by(Shelf.alias).limit(limit)
    found = session.exec(query if after is None else query.where(Shelf.alias > after)).all()
    keys: dict[str, list[PersonKey]] = {shelf.alias: [] for shelf in found}
    for key in session.exec(select(PersonKey).where(col(PersonKey.alias).in_(keys)).order_by(col(PersonKey.epoch))):
        keys[key.alias].append(key)
    return [
        Unfinished(
            shelf, [Wrapped(key.epoch, _unlocked(key, vault, shred_keys), key.wrapped_by) for key in keys[alias]]
        )
        for alias, shelf in ((shelf.alias, shelf) for shelf in found)
    ]


def append(
    session: Session, vault: str, wraps: Sequence[tuple[str, bytes]], *, epoch: int, by: Operator, shred_keys: ShredKeys
) -> None:
    """Keeps new wraps (alias, wrap) beside the old ones; one that nobody confirmed yet is replaced.

    Raises:
        UnknownVault: not the newest epoch. UnknownShelf: no shelf of the vault with an older wrap; it may be erased.
        NotASealedBox: what is no wrap. Nothing of the call stays.
    """
    _require_newest(session, vault, epoch)
    standing = _standing(session, vault, [alias for alias, _ in wraps])
    for alias, wrap in wraps:
        boxes.check_wrap(wrap)
        keys = standing.get(alias, {})
        if not any(held < epoch for held in keys):
            raise UnknownShelf("no shelf has this alias")
        key = keys.get(epoch) or PersonKey(alias=alias, epoch=epoch, locked=b"")
        key.locked = shred_keys.lock(wrap, vault=vault, alias=alias, epoch=epoch)
        key.wrapped_by = by.alias
        keys[epoch] = key
        session.add(key)
    session.flush()


def confirm(
    session: Session,
    vault: str,
    confirmed: Sequence[tuple[str, str]],
    *,
    epoch: int,
    by: Operator,
    shred_keys: ShredKeys,
) -> None:
    """Deletes the older wraps of shelves whose new wrap (alias, SHA-256 of the wrap) another member has opened.

    Raises:
        NothingToConfirm: no such wrap waits. SamePerson: it is their own. UnknownVault: not the newest epoch.
    """
    _require_newest(session, vault, epoch)
    standing = _standing(session, vault, [alias for alias, _ in confirmed])
    for alias, told in confirmed:
        keys = standing.get(alias, {})
        new = keys.get(epoch)
        if new is None or digest_of(_unlocked(new, vault, shred_keys)) != told:
            raise NothingToConfirm("no such wrap waits to be confirmed")
        require_other(by.alias, than={new.wrapped_by})
        for held, old in keys.items():
            if held < epoch:
                session.delete(old)
    session.flush()


def digest_of(wrap: bytes) -> str:
    """SHA-256 of a wrap in hexadecimal digits: what its second member confirms."""
    return hashlib.sha256(wrap).hexdigest()


def newest_epoch(session: Session, vault: str) -> int:
    """The newest epoch of a vault by the roster; raises `UnknownVault` when it names none."""
    epochs = [one.epoch for one in people.current(session).vaults if one.name == vault]
    if not epochs:
        raise UnknownVault("the roster names no such vault", vault=vault)
    return max(epochs)


def _require_newest(session: Session, vault: str, epoch: int) -> None:
    if epoch != newest_epoch(session, vault):
        raise UnknownVault("wraps are made for the newest epoch", vault=vault, epoch=epoch)


def _standing(session: Session, vault: str, aliases: Sequence[str]) -> dict[str, dict[int, PersonKey]]:
    """The wraps of these shelves of the vault by epoch, locked: nobody erases or confirms in between."""
    of_vault = select(Shelf.alias).where(Shelf.vault == vault, col(Shelf.alias).in_(aliases))
    query = select(PersonKey).where(col(PersonKey.alias).in_(of_vault)).order_by(PersonKey.alias, col(PersonKey.epoch))
    found: dict[str, dict[int, PersonKey]] = {}
    for key in session.exec(locked(query)):
        found.setdefault(key.alias, {})[key.epoch] = key
    return found


def _unlocked(key: PersonKey, vault: str, shred_keys: ShredKeys) -> bytes:
    return shred_keys.unlock(key.locked, vault=vault, alias=key.alias, epoch=key.epoch)
