"""What an emergency does to keys: files destroyed, recovered ones put back, or everybody's wraps deleted for good."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from ledger import emergency
from ledger.errors import Tampered
from ledger.identities import erasure
from ledger.identities.person_keys import ShredKeys, WrapDoesNotUnlock
from ledger.identities.shelves import PersonKey, Shelf
from ledger.storage.engine import transaction


class NotTheShredKey(Tampered):
    """A recovered shred key does not unlock what its vault's key locked, or a vault's key is missing among them."""

    rule = "not_the_shred_key"


def seal_off(engine: Engine, *, shred_keys: ShredKeys, at: datetime) -> int:
    """Destroys the shred keys here, then suspends every bearer key; how many shred keys there were.

    It commits by itself, and the files go first: not even a database that does not answer is in the way of that.

    Raises:
        ShredKeysRemain: some files could not be removed; the bearer keys are suspended all the same.
    """
    try:
        return shred_keys.destroy()
    finally:
        with transaction(engine) as session:
            emergency.seal(session, at=at)


def put_back(session: Session, *, recovered: ShredKeys, into: ShredKeys, at: datetime) -> list[str]:
    """Ends the emergency: every recovered key is tried on a wrap of its vault, then all are put back; the vaults.

    Raises:
        NotSealed: there is no emergency. NotTheShredKey: see there. Nothing was put back.
    """
    vaults = recovered.vaults()
    for vault in sorted({*vaults, *session.exec(select(Shelf.vault).distinct())}):
        _try(session, vault, recovered=recovered)
    emergency.lift(session, at=at)
    standing = into.vaults()
    for vault in vaults:
        if vault not in standing:
            into.restore(vault, recovered.read(vault))
    return vaults


def shred(
    session: Session, document: bytes | str, signatures: Mapping[str, str], *, shred_keys: ShredKeys, now: datetime
) -> int:
    """Deletes every person's key and every vault's wraps on the order of two officers; how many persons' keys.

    The shred keys go too, once the order holds. Afterwards nobody opens any box again; clear the residue.

    Raises:
        What `emergency.accept_order` raises: nothing was deleted. ShredKeysRemain: see there.
    """
    emergency.accept_order(session, document, signatures, now=now)
    shred_keys.destroy()  # first: that alone takes no time
    return erasure.delete_all_keys(session)


def _try(session: Session, vault: str, *, recovered: ShredKeys) -> None:
    query = select(PersonKey).join(Shelf, col(Shelf.alias) == PersonKey.alias).where(Shelf.vault == vault).limit(1)
    key = session.exec(query).first()
    if key is None:
        return
    if vault not in recovered.vaults():
        raise NotTheShredKey("a vault's shred key is missing among those recovered", vault=vault)
    try:
        recovered.unlock(key.locked, vault=vault, alias=key.alias, epoch=key.epoch)
    except WrapDoesNotUnlock:
        raise NotTheShredKey("the recovered shred key is not that of the vault", vault=vault) from None
