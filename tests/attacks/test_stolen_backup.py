"""Row 23: who steals a backup. Books without a key in them, and a keyring that is sealed and opens nothing alone."""

import base64
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from api.commands import backups
from api.commands.backups import Backup, CannotDecrypt, Lock, Unlock
from ledger.identities.person_keys import ShredKeyMissing, ShredKeys
from ledger.identities.shelves import PersonKey, Token, VaultWrap
from ledger.storage.engine import transaction
from tests.canaries import sightings
from tests.cast import NOW, House, a_row, engine_of

NAME = "Kanarejka Invented-Person"


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def backup(house: House, identity: pyrage.x25519.Identity, tmp_path: Path) -> Backup:
    house.receive(a_row(house.fund, name=NAME))
    wrap = house.session.exec(select(PersonKey)).one().locked
    house.session.add(VaultWrap(vault="people", epoch=1, member=house.fund.ana.alias, wrap=wrap[::-1]))
    house.session.commit()
    lock = Lock(recipients=[str(identity.to_public())])
    return backups.create(engine_of(house.session), books=tmp_path / "b", keyring=tmp_path / "k", lock=lock, now=NOW)


def secrets_of(house: House) -> list[bytes]:
    """Every key and token that the database holds."""
    keys = [key.locked for key in house.session.exec(select(PersonKey))]
    wraps = [wrap.wrap for wrap in house.session.exec(select(VaultWrap))]
    return [*keys, *wraps, *(bytes.fromhex(token.value) for token in house.session.exec(select(Token)))]


def spelt(secret: bytes) -> list[bytes]:
    """As bytes, in base64 and in hexadecimal digits."""
    return [secret, base64.b64encode(secret), secret.hex().encode()]


def test_the_books_hold_no_key_and_the_keyring_none_that_can_be_read(
    house: House, backup: Backup, identity: pyrage.x25519.Identity
) -> None:
    found = secrets_of(house)
    stolen = b"\n".join(path.read_bytes() for path in (backup.books, backup.keyring, backup.manifest))
    plain = Unlock(identity=str(identity)).decrypt(backup.keyring.read_bytes())

    assert len(found) == 2 + 3
    assert all(any(spelling in plain for spelling in spelt(secret)) for secret in found)  # the control
    assert not any(spelling in stolen for secret in found for spelling in spelt(secret))


def test_no_backup_holds_a_name(backup: Backup, identity: pyrage.x25519.Identity) -> None:
    plain = Unlock(identity=str(identity)).decrypt(backup.keyring.read_bytes())
    stolen = b"\n".join((backup.books.read_bytes(), backup.keyring.read_bytes(), plain))

    assert sightings(["Kanarejka"], NAME.encode()) == ["Kanarejka"]
    assert sightings(["Kanarejka"], stolen) == []


def test_a_stolen_keyring_does_not_open_with_another_identity_and_holds_no_shred_key(
    house: House, backup: Backup, identity: pyrage.x25519.Identity
) -> None:
    shred_key = house.shred_keys.read("people")
    plain = Unlock(identity=str(identity)).decrypt(backup.keyring.read_bytes())

    with pytest.raises(CannotDecrypt):
        Unlock(identity=str(pyrage.x25519.Identity.generate())).decrypt(backup.keyring.read_bytes())

    assert not any(spelling in plain for spelling in spelt(shred_key))


def test_both_parts_with_every_key_of_the_backup_open_nothing_without_the_shred_keys(
    house: House, backup: Backup, identity: pyrage.x25519.Identity, empty_engine: Engine, tmp_path: Path
) -> None:
    plain = Unlock(identity=str(identity)).decrypt(backup.keyring.read_bytes())
    backups.restore(empty_engine, books=backup.books, keyring=plain, erased=[], now=NOW)
    thief = House(house.session, house.fund, ShredKeys(tmp_path / "none"))

    with transaction(empty_engine) as session:
        key = session.exec(select(PersonKey)).one()
        with pytest.raises(ShredKeyMissing):
            thief.shred_keys.unlock(key.locked, vault="people", alias=key.alias, epoch=1)
        assert house.shred_keys.unlock(key.locked, vault="people", alias=key.alias, epoch=1)  # the control
