import secrets
from pathlib import Path

import pytest

from ledger.identities import person_keys
from ledger.identities.person_keys import (
    BadVault,
    ShredKeyExists,
    ShredKeyMissing,
    ShredKeys,
    ShredKeyUnsafe,
    WrapDoesNotUnlock,
)

VAULT = "people-zz"
ALIAS = "B-0000-0000-0001"


@pytest.fixture
def shred_keys(tmp_path: Path) -> ShredKeys:
    keys = ShredKeys(tmp_path / "shred")
    keys.create(VAULT)
    return keys


@pytest.fixture
def wrap() -> bytes:
    return secrets.token_bytes(1169)


def test_a_locked_wrap_unlocks_to_the_same_bytes(shred_keys: ShredKeys, wrap: bytes) -> None:
    locked = shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    assert shred_keys.unlock(locked, vault=VAULT, alias=ALIAS, epoch=1) == wrap
    assert wrap not in locked
    assert len(locked) == 1 + 12 + 1169 + 16


def test_the_same_wrap_is_never_locked_to_the_same_bytes_twice(shred_keys: ShredKeys, wrap: bytes) -> None:
    first = shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    assert shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1) != first


def test_a_locked_wrap_does_not_unlock_for_another_alias_vault_or_epoch(shred_keys: ShredKeys, wrap: bytes) -> None:
    shred_keys.create("money-zz")
    locked = shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    with pytest.raises(WrapDoesNotUnlock):
        shred_keys.unlock(locked, vault=VAULT, alias="B-0000-0000-0002", epoch=1)
    with pytest.raises(WrapDoesNotUnlock):
        shred_keys.unlock(locked, vault="money-zz", alias=ALIAS, epoch=1)
    with pytest.raises(WrapDoesNotUnlock):
        shred_keys.unlock(locked, vault=VAULT, alias=ALIAS, epoch=2)


def test_the_vault_is_bound_even_when_two_vaults_have_the_same_key(shred_keys: ShredKeys, wrap: bytes) -> None:
    key = (shred_keys.directory / f"{VAULT}.key").read_bytes()
    person_keys.write_secret(shred_keys.directory / "money-zz.key", key)
    locked = shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    with pytest.raises(WrapDoesNotUnlock):
        shred_keys.unlock(locked, vault="money-zz", alias=ALIAS, epoch=1)


@pytest.mark.parametrize("position", [0, 1, 13, -1])
def test_one_altered_bit_does_not_unlock(shred_keys: ShredKeys, wrap: bytes, position: int) -> None:
    locked = bytearray(shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1))
    locked[position] ^= 1

    with pytest.raises(WrapDoesNotUnlock):
        shred_keys.unlock(bytes(locked), vault=VAULT, alias=ALIAS, epoch=1)


@pytest.mark.parametrize("size", [0, 1, 5, 13, 28, 29])
def test_a_locked_wrap_cut_short_does_not_unlock(shred_keys: ShredKeys, wrap: bytes, size: int) -> None:
    locked = shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    with pytest.raises(WrapDoesNotUnlock):
        shred_keys.unlock(locked[:size], vault=VAULT, alias=ALIAS, epoch=1)


def test_a_key_file_is_32_bytes_for_its_owner_only(shred_keys: ShredKeys) -> None:
    file = shred_keys.directory / f"{VAULT}.key"

    assert file.stat().st_size == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert shred_keys.directory.stat().st_mode & 0o777 == 0o700


def test_a_key_is_created_once(shred_keys: ShredKeys) -> None:
    before = (shred_keys.directory / f"{VAULT}.key").read_bytes()

    with pytest.raises(ShredKeyExists):
        shred_keys.create(VAULT)

    assert (shred_keys.directory / f"{VAULT}.key").read_bytes() == before


def test_a_missing_key_is_refused_and_never_replaced(shred_keys: ShredKeys, wrap: bytes) -> None:
    locked = shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)
    (shred_keys.directory / f"{VAULT}.key").unlink()

    with pytest.raises(ShredKeyMissing):
        shred_keys.unlock(locked, vault=VAULT, alias=ALIAS, epoch=1)
    with pytest.raises(ShredKeyMissing) as refusal:
        shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    assert refusal.value.data == {"vault": VAULT}
    assert list(shred_keys.directory.iterdir()) == []


def test_another_key_in_the_same_place_does_not_unlock(shred_keys: ShredKeys, wrap: bytes) -> None:
    locked = shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)
    (shred_keys.directory / f"{VAULT}.key").unlink()
    shred_keys.create(VAULT)

    with pytest.raises(WrapDoesNotUnlock):
        shred_keys.unlock(locked, vault=VAULT, alias=ALIAS, epoch=1)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_is_refused(shred_keys: ShredKeys, wrap: bytes, size: int) -> None:
    (shred_keys.directory / f"{VAULT}.key").write_bytes(bytes(size))

    with pytest.raises(ShredKeyUnsafe) as refusal:
        shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    assert refusal.value.data["why"] == "size"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_reach_is_refused(shred_keys: ShredKeys, wrap: bytes, mode: int) -> None:
    (shred_keys.directory / f"{VAULT}.key").chmod(mode)

    with pytest.raises(ShredKeyUnsafe) as refusal:
        shred_keys.lock(wrap, vault=VAULT, alias=ALIAS, epoch=1)

    assert refusal.value.data["why"] == "mode"


@pytest.mark.parametrize(
    "vault", ["", "People", "people_by", "../people", "people/by", "-people", "p--b", "p" * 64, "p\n"]
)
def test_a_name_that_is_no_file_name_is_no_vault(shred_keys: ShredKeys, vault: str) -> None:
    with pytest.raises(BadVault):
        shred_keys.create(vault)

    assert [file.name for file in shred_keys.directory.iterdir()] == [f"{VAULT}.key"]
