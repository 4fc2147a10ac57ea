"""Vaults over their lives: a roster enrolled with its vaults' wraps, and what recovery is given of every key."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import people
from ledger.aliases import AliasTaken
from ledger.identities import boxes
from ledger.identities.person_keys import ShredKeyMissing, ShredKeys
from ledger.identities.shelves import PersonKey, Shelf, UnknownVault, VaultWrap
from ledger.people import Roster, UnknownOperator

_RECOVERY = "recovery-"
_FINGERPRINT_DIGITS = 8


class ShredKeyCopy(SQLModel, table=True):
    """A vault's shred key sealed to a recovery key, which `recovery` names by the SHA-256 of its public half."""

    __tablename__ = "shred_key_copy"
    vault: str = Field(primary_key=True, max_length=63)
    recovery: str = Field(primary_key=True, max_length=64)
    sealed: bytes = Field(sa_type=LargeBinary)


@dataclass(frozen=True, slots=True)
class NewWrap:
    """A vault's seed wrapped to one member, or to recovery."""

    vault: str
    epoch: int
    member: str
    wrap: bytes


def enrol(
    session: Session,
    document: bytes | str,
    signatures: dict[str, str],
    wraps: Sequence[NewWrap],
    *,
    recorded_at: datetime,
    shred_keys: ShredKeys,
) -> Roster:
    """Enrols the next roster with the wraps of its vaults; the very same one again changes nothing.

    A vault that no roster named before gets its shred key on this server. Who left, or has another device now, has no
    wraps here any more. What recovery is to have of the shred keys is sealed to it.

    Raises:
        BadRoster, RosterNotSigned: see `people.enrol`. What `keep_wrap` raises. ShredKeyExists: at founding only.
    """
    before = _current(session)
    roster = people.enrol(session, document, signatures, recorded_at=recorded_at)
    if before is not None and before.number == roster.number:
        return roster
    if before is not None:
        _forget_leavers(session, roster, before=before)
    for wrap in wraps:
        keep_wrap(session, wrap, at=recorded_at)
    known = {vault.name for vault in before.vaults} if before else set()
    for name in sorted({vault.name for vault in roster.vaults} - known):
        # A key that a failed enrolment left behind has locked nothing yet: no roster had named the vault.
        if roster.number == 1 or not shred_keys.has(name):
            shred_keys.create(name)
    copy_shred_keys(session, shred_keys)
    return roster


def keep_wrap(session: Session, new: NewWrap, *, at: datetime) -> None:
    """Keeps a vault's seed wrapped to an operator of the roster or to its recovery key; the same again is harmless.

    Raises:
        UnknownOperator, UnknownVault: the roster names no such member, or no such vault and epoch.
        NotASealedBox: it is no wrap. AliasTaken: another wrap stands for this member in this epoch.
    """
    boxes.check_wrap(new.wrap)
    roster = people.current(session)
    if new.member != recovery_member(roster):
        if new.member.startswith(_RECOVERY):
            raise UnknownOperator("the roster names another recovery key, or none")
        roster.operator(new.member, on=at.date())
    if not any(vault.name == new.vault and vault.epoch == new.epoch for vault in roster.vaults):
        raise UnknownVault("the roster names no such vault in this epoch", vault=new.vault, epoch=new.epoch)
    standing = session.get(VaultWrap, (new.vault, new.epoch, new.member))
    if standing is not None and standing.wrap != new.wrap:
        raise AliasTaken("the member has another wrap in this epoch", vault=new.vault, epoch=new.epoch)
    if standing is None:
        session.add(VaultWrap(vault=new.vault, epoch=new.epoch, member=new.member, wrap=new.wrap))
        session.flush()
    if new.member.startswith(_RECOVERY):  # what stands now replaces the wrap for the recovery key before
        of_epoch = select(VaultWrap).where(VaultWrap.vault == new.vault, VaultWrap.epoch == new.epoch)
        for old in session.exec(of_epoch.where(col(VaultWrap.member).startswith(_RECOVERY))):
            if old.member != new.member:
                session.delete(old)
        session.flush()


def recovery_member(roster: Roster) -> str | None:
    """The name under which the recovery key has its wraps: `recovery-` and the first digits of its fingerprint."""
    if roster.recovery is None:
        return None
    return _RECOVERY + fingerprint(roster.recovery)[:_FINGERPRINT_DIGITS]


def fingerprint(public: str) -> str:
    """SHA-256 of a public key (hexadecimal digits): what the holders of recovery's shares compare."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()


def members(session: Session, vault: str) -> list[tuple[int, str]]:
    """Epoch and member of every wrap of a vault, in this order."""
    columns = select(VaultWrap.epoch, VaultWrap.member).where(VaultWrap.vault == vault)
    return sorted((epoch, member) for epoch, member in session.exec(columns))


def copy_shred_keys(session: Session, shred_keys: ShredKeys) -> None:
    """Seals the shred keys that are here to the roster's recovery key; then a copy for the key before goes.

    What is not here is passed over: after an emergency a roster is enrolled before the keys are restored.
    """
    roster = people.current(session)
    if roster.recovery is None:
        return
    recovery = fingerprint(roster.recovery)
    for name in sorted({vault.name for vault in roster.vaults}):
        copies = {copy.recovery: copy for copy in session.exec(select(ShredKeyCopy).where(ShredKeyCopy.vault == name))}
        if recovery in copies:
            continue
        try:
            sealed = shred_keys.sealed_copy(name, recovery_public=bytes.fromhex(roster.recovery))
        except ShredKeyMissing:
            continue
        session.add(ShredKeyCopy(vault=name, recovery=recovery, sealed=sealed))
        for old in copies.values():
            session.delete(old)
    session.flush()


def restore_shred_key(session: Session, vault: str, *, given: ShredKeys, shred_keys: ShredKeys) -> None:
    """Takes a vault's shred key back from the directory of `given`, once it is known to unlock what stands here.

    Raises:
        ShredKeyExists: the vault has its key. ShredKeyMissing, ShredKeyUnsafe: `given` has none that can be used.
        WrapDoesNotUnlock: it is the key of another vault or book; nothing was written.
    """
    of_vault = select(PersonKey).join(Shelf).where(Shelf.vault == vault).limit(1)
    sample = session.exec(of_vault).first()
    if sample is not None:
        given.unlock(sample.locked, vault=vault, alias=sample.alias, epoch=sample.epoch)
    shred_keys.restore(vault, given.read(vault))
    copy_shred_keys(session, shred_keys)


def _current(session: Session) -> Roster | None:
    try:
        return people.current(session)
    except UnknownOperator:  # no roster yet
        return None


def _forget_leavers(session: Session, roster: Roster, *, before: Roster) -> None:
    """Deletes the wraps that are for nobody's present device.

    A leaver's device and a later copy of the database meet no wrap of theirs, whatever its epoch.
    """
    devices = {operator.alias: operator.sealing_key for operator in before.operators}
    present = {operator.alias for operator in roster.operators if devices.get(operator.alias) == operator.sealing_key}
    for wrap in session.exec(select(VaultWrap)):
        if wrap.member not in present and not wrap.member.startswith(_RECOVERY):
            session.delete(wrap)
    session.flush()
