"""The server's half of a person's key: without the shred key of its vault no wrap can be opened, by anybody."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import BadInput, Conflict, Tampered
from ledger.identities import envelopes
from ledger.identities.boxes import TAG_BYTES, VERSION, length_prefixed

KEY_BYTES = 32
_NONCE_BYTES = 12
_VAULT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_VAULT = 63


class BadVault(BadInput):
    """A vault's name is lower-case ASCII letters and digits with single hyphens, at most 63: `people-by`."""

    rule = "bad_vault"


class ShredKeyMissing(Conflict):
    """The vault has no shred key here: never created, destroyed in an emergency, or the directory is another one.

    It is never replaced silently: a new key would open no wrap that the old one locked.
    """

    rule = "shred_key_missing"


class ShredKeyExists(Conflict):
    """The vault has a shred key already; replacing it would shred everybody in the vault."""

    rule = "shred_key_exists"


class ShredKeysRemain(Conflict):
    """Some shred keys could not be removed: somebody else's files, or a disk that cannot be written."""

    rule = "shred_keys_remain"


class ShredKeyUnsafe(Tampered):
    """The file is not exactly 32 bytes, or others than its owner can read it; `why` is size or mode."""

    rule = "shred_key_unsafe"


class WrapDoesNotUnlock(Tampered):
    """Altered, moved to another alias, vault or epoch, or locked under another shred key."""

    rule = "wrap_does_not_unlock"


@dataclass(frozen=True, slots=True)
class ShredKeys:
    """One file of 32 random bytes a vault, in a directory outside the database and its backups.

    A key is read for each use and never kept: destroying the files takes effect at once, in every running process.
    """

    directory: Path

    def lock(self, wrap: bytes, *, vault: str, alias: str, epoch: int) -> bytes:
        """`wrap` under the vault's shred key: version byte, nonce, AES-256-GCM bound to (vault, alias, epoch).

        The wrap stays sealed to the vault's members: the server adds a layer and sees nothing through it.

        Raises:
            ShredKeyMissing, ShredKeyUnsafe: there is no key to lock with; nothing was made.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        locked = AESGCM(self.read(vault)).encrypt(nonce, wrap, _bound_to(vault, alias, epoch))
        return bytes([VERSION]) + nonce + locked

    def unlock(self, locked: bytes, *, vault: str, alias: str, epoch: int) -> bytes:
        """The wrap that `lock` was given for the same vault, alias and epoch.

        Raises:
            WrapDoesNotUnlock: it is not that wrap, or not this key.
            ShredKeyMissing, ShredKeyUnsafe: there is no key to unlock with.
        """
        key = self.read(vault)
        nonce, sealed = locked[1 : 1 + _NONCE_BYTES], locked[1 + _NONCE_BYTES :]
        if locked[:1] != bytes([VERSION]) or len(sealed) < TAG_BYTES:
            raise WrapDoesNotUnlock("not a locked wrap of a version that is known here", alias=alias, epoch=epoch)
        try:
            return AESGCM(key).decrypt(nonce, sealed, _bound_to(vault, alias, epoch))
        except InvalidTag:
            raise WrapDoesNotUnlock("the wrap does not unlock here", alias=alias, epoch=epoch) from None

    def create(self, vault: str) -> None:
        """Draws the shred key of a new vault and writes it, on disk when this returns; the owner alone may read it.

        Raises:
            ShredKeyExists: the vault has one.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_secret(self.path(vault), secrets.token_bytes(KEY_BYTES))
        except FileExistsError:
            raise ShredKeyExists("the vault has a shred key", vault=vault) from None

    def has(self, vault: str) -> bool:
        """Whether there is a file for the vault, whatever is in it."""
        return self.path(vault).exists()

    def sealed_copy(self, vault: str, *, recovery_public: bytes) -> bytes:
        """The shred key sealed to recovery: the one form in which it leaves this server.

        Raises:
            ShredKeyMissing, ShredKeyUnsafe: there is no key. BadPublicKey: see there.
        """
        return envelopes.seal(recovery_public, self.read(vault), bound_to=copy_place(vault))

    def vaults(self) -> list[str]:
        """The vaults that have a shred key here, in their order."""
        return sorted(path.stem for path in self.directory.glob("*.key"))

    def destroy(self) -> int:
        """Overwrites and removes every shred key here; how many there were. From then on no wrap unlocks.

        Nothing is asked: whoever calls this has no time. On an SSD the old cells may outlive their overwriting; disk
        encryption covers those.

        Raises:
            ShredKeysRemain: some are still there; all the others are gone.
        """
        paths = sorted(self.directory.glob("*.key"))
        for path in paths:
            with suppress(OSError):  # the others first
                _destroy(path)
        if paths:
            sync_directory(self.directory)
        remaining = len(self.vaults())
        if remaining:
            raise ShredKeysRemain(
                "shred keys could not be removed", remaining=remaining, removed=len(paths) - remaining
            )
        return len(paths)

    def restore(self, vault: str, key: bytes) -> None:
        """Puts back a shred key that recovery has kept; whether it is the right one, the wraps tell.

        Raises:
            ShredKeyExists: the vault has one. ShredKeyUnsafe: not 32 bytes. BadVault: see there.
        """
        if len(key) != KEY_BYTES:
            raise ShredKeyUnsafe("a shred key is 32 bytes", vault=check_vault(vault), why="size")
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_secret(self.path(vault), key)
        except FileExistsError:
            raise ShredKeyExists("the vault has a shred key", vault=vault) from None

    def read(self, vault: str) -> bytes:
        """The vault's shred key, read anew.

        Raises:
            ShredKeyMissing, ShredKeyUnsafe: there is none, or none that can be trusted.
        """
        try:
            with self.path(vault).open("rb") as file:
                exposed = os.fstat(file.fileno()).st_mode & 0o077
                key = file.read(KEY_BYTES + 1)
        except FileNotFoundError:
            raise ShredKeyMissing("the vault has no shred key on this server", vault=vault) from None
        if exposed:
            raise ShredKeyUnsafe("others than its owner can reach the shred key", vault=vault, why="mode")
        if len(key) != KEY_BYTES:
            raise ShredKeyUnsafe("a shred key is 32 bytes", vault=vault, why="size")
        return key

    def path(self, vault: str) -> Path:
        """Where the vault's key is, or would be."""
        return self.directory / f"{check_vault(vault)}.key"


def copy_place(vault: str) -> bytes:
    """What the sealed copy of a vault's shred key is bound to."""
    return length_prefixed("SL1 shred", vault)


def check_vault(vault: str) -> str:
    """`vault` itself when it can name a vault, and with it a file; raises `BadVault` otherwise."""
    if len(vault) > _LONGEST_VAULT or not _VAULT.fullmatch(vault):
        raise BadVault("lower-case letters and digits with single hyphens", where="vault")
    return vault


def write_secret(path: Path, secret: bytes) -> None:
    """Writes a file that only its owner can read and that is on disk when this returns.

    Raises:
        FileExistsError: there is one, even an empty one; it was not touched.
    """
    with open_secret(path) as file:
        file.write(secret)


@contextmanager
def open_secret(path: Path) -> Iterator[BinaryIO]:
    """A new file to write to, as `write_secret` leaves it.

    Raises:
        FileExistsError: see there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(descriptor)
    sync_directory(path.parent)


def overwrite_and_remove(path: Path) -> None:
    """Removes a file whose content is not to be read again: overwritten on disk first, as far as the disk obeys."""
    with path.open("r+b", buffering=0) as file:
        file.write(secrets.token_bytes(os.fstat(file.fileno()).st_size))
        os.fsync(file.fileno())
    path.unlink()


def sync_directory(directory: Path) -> None:
    """Makes a file just created or renamed in `directory` survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _destroy(path: Path) -> None:
    try:
        overwrite_and_remove(path)
    except OSError:
        path.unlink()  # not ours to write, but in our directory: removed is better than nothing


def _bound_to(vault: str, alias: str, epoch: int) -> bytes:
    return length_prefixed("SL1 lock", vault, alias, epoch)
