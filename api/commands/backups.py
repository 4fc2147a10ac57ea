"""Backups: the books without any key, and apart from them the keyring, encrypted and expiring.

A backup of the books alone opens no box. A keyring alone opens none either: its wraps are locked under shred keys that
are in no backup. What is restored forgets nobody who was erased since: the list of erasures is asked for.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyrage
from sqlalchemy import Connection, Engine, Table
from sqlmodel import Session, SQLModel, col, select

from ledger import book
from ledger.aid import likenesses, retention
from ledger.errors import BadInput, Conflict, Refused
from ledger.identities import erasure
from ledger.identities.erasure import BACKUPS_LIVE_DAYS, KEYRING, Erasure
from ledger.identities.erasure_list import Erased
from ledger.identities.person_keys import open_secret, overwrite_and_remove, sync_directory, write_secret
from ledger.identities.shelves import Shelf
from ledger.storage import copies, guards, schema
from ledger.storage.engine import transaction

BOOKS, KEYS = "books", "keyring"
_STAMP = "%Y%m%dT%H%M%SZ"


class OnePlace(BadInput):
    """Books and keyring go to two places: whoever takes one must not have the other."""

    rule = "one_place"


class NoRecipient(BadInput):
    """A keyring is encrypted to recipients or under a passphrase; `where` tells what is missing or none."""

    rule = "no_recipient"


class CannotDecrypt(Refused):
    """The keyring does not open with this identity or passphrase."""

    rule = "cannot_decrypt"


class KeyringExpired(Refused):
    """The keyring is older than its 30 days: it holds keys that were promised to be gone."""

    rule = "keyring_expired"


class OtherBackup(Conflict):
    """The backup is of another version of the program, of another book, or of the other kind."""

    rule = "other_backup"


class CopyDiffers(Conflict):
    """What stands in the database after the restore is not what was backed up; nothing was kept."""

    rule = "copy_differs"


@dataclass(frozen=True, slots=True)
class Lock:
    """What encrypts a keyring: age recipients (`age1…`), or a passphrase."""

    recipients: Sequence[str] = ()
    passphrase: str = ""

    def encrypt(self, plain: bytes) -> bytes:
        """Age's format; raises `NoRecipient` when there is nothing to encrypt to."""
        if bool(self.recipients) == bool(self.passphrase.strip()):
            raise NoRecipient("either recipients or a passphrase", where="recipient")
        if self.passphrase:
            return bytes(pyrage.passphrase.encrypt(plain, self.passphrase.strip()))
        try:
            keys = [pyrage.x25519.Recipient.from_str(one) for one in self.recipients]
        except pyrage.RecipientError:
            raise NoRecipient("not a public key of age", where="recipient") from None
        return bytes(pyrage.encrypt(plain, keys))


@dataclass(frozen=True, slots=True)
class Unlock:
    """What opens a keyring: an age identity (`AGE-SECRET-KEY-…`), or a passphrase."""

    identity: str = ""
    passphrase: str = ""

    def decrypt(self, sealed: bytes) -> bytes:
        """What `Lock.encrypt` was given; raises `CannotDecrypt`."""
        try:
            if self.passphrase:
                return bytes(pyrage.passphrase.decrypt(sealed, self.passphrase.strip()))
            return bytes(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(self.identity.strip())]))
        except (pyrage.DecryptError, pyrage.IdentityError):
            raise CannotDecrypt("the keyring does not open with this") from None


@dataclass(frozen=True, slots=True)
class Backup:
    """The files of a backup; the keyring's are to be pruned after `expires_on`."""

    books: Path
    keyring: Path
    manifest: Path
    expires_on: date


@dataclass(frozen=True, slots=True)
class Restored:
    """How many rows came back, how many erasures the backup did not know, and whether keys came back too."""

    rows: int
    keys: int
    erased_again: int


def create(engine: Engine, *, books: Path, keyring: Path, lock: Lock, now: datetime) -> Backup:
    """Writes both parts as of one moment; no key is ever written plain, nor anything of the keyring beside the books.

    Raises:
        OnePlace: one folder lies in the other. NoRecipient: see there. OldSchema, NoBook, FileExistsError: see there.
    """
    _require_apart(books, keyring)
    schema.require_current(engine)
    lock.encrypt(b"")  # before anything is written
    for folder in (books, keyring):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp, expires_on = now.strftime(_STAMP), now.date() + timedelta(days=BACKUPS_LIVE_DAYS)
    backup = Backup(
        books / f"{BOOKS}-{stamp}.jsonl",
        keyring / f"{KEYS}-{stamp}.age",
        keyring / f"{KEYS}-{stamp}.json",
        expires_on,
    )
    with transaction(engine, write=False) as session:
        header = {"schema": schema.head(), "book": book.require(session).book_id, "created_at": now.isoformat()}
        connection = session.connection()
        of_books, of_keys = _parts(connection)
        with open_secret(backup.books) as file:
            file.writelines(copies.write(connection, of_books, header=header | {"holds": BOOKS}))
        sealed = lock.encrypt(b"".join(copies.write(connection, of_keys, header=header | {"holds": KEYS})))
    write_secret(backup.keyring, sealed)
    told = header | {"expires_on": expires_on.isoformat(), "sha256": hashlib.sha256(sealed).hexdigest()}
    write_secret(backup.manifest, json.dumps(told, indent=2).encode() + b"\n")
    return backup


def restore(engine: Engine, *, books: Path, keyring: bytes | None, erased: Iterable[Erased], now: datetime) -> Restored:
    """Brings a backup into an empty database, erases anew whoever `erased` names, and makes every guard anew.

    `keyring` is decrypted; without it no box opens. The key of somebody erased is not even written.

    Raises:
        CopyDamaged, OtherBackup, KeyringExpired: nothing was written. NotEmpty: the database has rows.
        CopyDiffers: see there.
    """
    with books.open("rb") as file:
        header = _require_kind(copies.check(file), BOOKS)
    lines = keyring.splitlines(keepends=True) if keyring is not None else []
    if keyring is not None:
        _require_fresh(_require_kind(copies.check(lines), KEYS, of=header["book"]), now=now)
    schema.migrate(engine)
    with transaction(engine) as session:
        connection = session.connection()
        guards.remove(connection)
        of_books, of_keys = _parts(connection)
        if session.get(book.Book, 1) is None:  # a migration may begin a table with a row of its own
            for table in reversed(SQLModel.metadata.sorted_tables):
                connection.execute(table.delete())
        with books.open("rb") as file:
            rows = copies.load(connection, file, of_books)
        _require_same(connection, of_books, header)
        again = _merged(session, erased)
        known = set(session.exec(select(Shelf.alias)))
        cases = retention.cases_of(session, sorted(known & {one.shelf for one in again}))
        hidden = {*(one.shelf for one in again), *cases}
        keys = 0
        if lines:
            keys = copies.load(connection, lines, of_keys, keep=partial(_stays, known=known, hidden=hidden))
        guards.install(connection)
        added = erasure.apply_again(session, again, things=cases)
        likenesses.settle_all(session)
    return Restored(rows, keys, added)


def prune(keyring: Path, *, on: date) -> list[str]:
    """Overwrites and removes the keyrings of this folder that have expired, with their manifests; their names.

    A keyring whose manifest is missing or none is left, and raises `CopyDamaged` after all others: look at it.
    """
    pruned, strange = [], 0
    for path in sorted(keyring.glob(f"{KEYS}-*.age")):
        manifest = path.with_suffix(".json")
        try:
            expires_on = date.fromisoformat(json.loads(manifest.read_bytes())["expires_on"])
        except (OSError, ValueError, KeyError, TypeError):
            strange += 1
            continue
        if expires_on < on:
            overwrite_and_remove(path)
            manifest.unlink()
            pruned.append(path.name)
    sync_directory(keyring)
    if strange:
        raise copies.CopyDamaged("keyrings without a readable manifest", where="manifest", keyrings=strange)
    return pruned


def _parts(connection: Connection) -> tuple[list[Table], list[Table]]:
    tables = copies.tables_of(connection, SQLModel.metadata)
    of_keys = [tables[name] for name in KEYRING]
    return [table for table in tables.values() if table not in of_keys], of_keys


def _require_apart(books: Path, keyring: Path) -> None:
    one, other = books.resolve(), keyring.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise OnePlace("books and keyring go to two places", where="keyring")


def _require_kind(header: dict[str, Any], holds: str, *, of: str | None = None) -> dict[str, Any]:
    if header.get("schema") != schema.head():
        raise OtherBackup("the backup is of another version; restore it with that one", needed=schema.head())
    if header.get("holds") != holds or of not in {None, header.get("book")}:
        raise OtherBackup("the backup is of another book or of the other kind", needed=holds)
    return header


def _require_fresh(header: dict[str, Any], *, now: datetime) -> None:
    if now - datetime.fromisoformat(header["created_at"]) > timedelta(days=BACKUPS_LIVE_DAYS + 1):
        raise KeyringExpired("the keyring is older than its days", days=BACKUPS_LIVE_DAYS)


def _require_same(connection: Connection, tables: list[Table], header: dict[str, Any]) -> None:
    """Reads the database back: the same rows give the same copy."""
    told = {name: value for name, value in header.items() if name not in {"format", "tables", "sha256"}}
    if copies.check(copies.write(connection, tables, header=told))["sha256"] != header["sha256"]:
        raise CopyDiffers("what stands in the database is not what was backed up")


def _merged(session: Session, erased: Iterable[Erased]) -> list[Erased]:
    """The list, and what the books themselves say was erased: the keyring may be older than the books."""
    listed = {one.shelf: one for one in erased}
    for row in session.exec(select(Erasure).where(col(Erasure.erased_at).is_not(None))):
        if row.erased_at is not None and row.agreed_by is not None:
            known = Erased(row.shelf_alias, row.erased_at, row.reason, row.requested_by, row.agreed_by)
            listed.setdefault(row.shelf_alias, known)
    return list(listed.values())


def _stays(table: str, row: dict[str, Any], *, known: set[str], hidden: set[str]) -> bool:
    if row.get("alias") in hidden:
        return False
    return table != "person_key" or row["alias"] in known
