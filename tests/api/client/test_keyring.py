import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from shamir_mnemonic.wordlist import WORDLIST

from api.client import keyring, sealing
from api.client.keyring import (
    Device,
    EmptyPassphrase,
    KeyFileDamaged,
    KeyFileExists,
    KeyFileMissing,
    WrongPassphrase,
)
from api.client.sealing import CannotOpen, VaultPublic, VaultSeed, WrongKey
from ledger.aliases import BadAlias
from ledger.identities import boxes
from ledger.identities.person_keys import BadVault
from tests.key_files import PASSPHRASE, encrypt, write_key_file

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "sealing-1.json").read_text("utf-8"))
PHRASE = "invented words of nobody at all here"


@pytest.fixture(scope="module")
def olga() -> Device:
    return keyring.create("OP-0000-0000-0001")


@pytest.fixture(scope="module")
def key_file(olga: Device, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # One file for the module: age's scrypt takes seconds, on purpose.
    path = tmp_path_factory.mktemp("keys") / "olga.age"
    keyring.save(path, olga, f"  {PHRASE}\n")
    return path


@pytest.fixture
def vault() -> VaultSeed:
    return keyring.create_vault("people-zz")


# --- the key file


def test_a_saved_device_loads_whatever_the_spaces_between_its_words(key_file: Path, olga: Device) -> None:
    assert keyring.load(key_file, PHRASE.replace(" ", " \t")) == olga


def test_a_key_file_is_its_owners_and_shows_nothing(key_file: Path, olga: Device) -> None:
    written = key_file.read_bytes()

    assert key_file.stat().st_mode & 0o777 == 0o600
    for secret in (olga.signing_seed, olga.sealing_seed):
        assert secret not in written
        assert secret.hex().encode() not in written
    assert olga.alias.encode() not in written


def test_another_passphrase_does_not_open_and_the_refusal_says_so(tmp_path: Path, olga: Device) -> None:
    key_file = tmp_path / "olga.age"
    write_key_file(key_file, olga)

    with pytest.raises(WrongPassphrase) as refusal:
        keyring.load(key_file, "seven other words that open nothing here")

    assert "passphrase" in str(refusal.value)
    assert "seven" not in str(refusal.value)


def test_a_key_file_is_never_overwritten(key_file: Path, olga: Device) -> None:
    before = key_file.read_bytes()

    with pytest.raises(KeyFileExists):
        keyring.save(key_file, olga, PHRASE)

    assert key_file.read_bytes() == before


def test_an_empty_passphrase_is_refused_and_nothing_is_written(tmp_path: Path, key_file: Path, olga: Device) -> None:
    with pytest.raises(EmptyPassphrase):
        keyring.save(tmp_path / "olga.age", olga, " \n")
    with pytest.raises(EmptyPassphrase):
        keyring.load(key_file, "")

    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyFileMissing):
        keyring.load(tmp_path / "nobody.age", PHRASE)


@pytest.mark.parametrize(
    "content", [b"", b"age-encryption", b"-----BEGIN KEY-----", b"age-encryption.org/v1\n-> X25519 "]
)
def test_what_is_no_key_file_is_told_before_a_passphrase_is_tried(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "olga.age"
    path.write_bytes(content)

    with pytest.raises(KeyFileDamaged):
        keyring.load(path, PHRASE)


def test_a_key_file_cut_short_does_not_open(tmp_path: Path, key_file: Path) -> None:
    path = tmp_path / "olga.age"
    path.write_bytes(key_file.read_bytes()[:60])

    with pytest.raises(WrongPassphrase):
        keyring.load(path, PHRASE)


def test_an_age_file_that_holds_no_device_is_told(tmp_path: Path) -> None:
    path = tmp_path / "olga.age"
    path.write_bytes(encrypt(b'{"format": "solidarity device 1", "alias": "OP-1"}'))

    with pytest.raises(KeyFileDamaged):
        keyring.load(path, PASSPHRASE)


def test_the_golden_key_file_still_loads_with_the_same_keys(tmp_path: Path) -> None:
    told = GOLDEN["device"]
    path = tmp_path / "golden.age"
    path.write_bytes(base64.b64decode(told["file"]))

    device = keyring.load(path, told["passphrase"])
    card = keyring.card(device)

    assert device.alias == card["alias"] == told["alias"]
    assert (device.signing_seed.hex(), device.sealing_seed.hex()) == (told["signing_seed"], told["sealing_seed"])
    assert card["ed25519"] == told["ed25519"]
    assert hashlib.sha256(bytes.fromhex(card["xwing"])).hexdigest() == told["xwing_sha256"]
    assert keyring.outbox_key(device).hex() == told["outbox_key"]


def test_a_passphrase_is_seven_words_of_the_list_and_another_one_each_time() -> None:
    drawn = [keyring.draw_passphrase() for _ in range(20)]

    assert all(len(phrase.split()) == 7 and set(phrase.split()) <= set(WORDLIST) for phrase in drawn)
    assert len(set(drawn)) == 20
    assert len(set(WORDLIST)) == 1024


# --- the device


def test_a_device_is_an_operators() -> None:
    with pytest.raises(BadAlias):
        keyring.create("B-0000-0000-0001")


def test_a_card_tells_public_keys_only(olga: Device) -> None:
    card = keyring.card(olga)

    assert card["alias"] == "OP-0000-0000-0001"
    assert bytes.fromhex(card["xwing"]) == sealing.public_of(olga.sealing_seed)
    boxes.check_public(bytes.fromhex(card["xwing"]))
    assert not {olga.signing_seed.hex(), olga.sealing_seed.hex()} & set(card.values())


def test_a_signature_verifies_with_the_card_and_for_its_message_only(olga: Device) -> None:
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keyring.card(olga)["ed25519"]))
    signature = bytes.fromhex(keyring.sign(olga, b"SL1 act"))

    public.verify(signature, b"SL1 act")
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"SL1 another act")


def test_every_device_has_its_own_outbox_key(olga: Device) -> None:
    key = keyring.outbox_key(olga)

    assert len(key) == 32
    assert key not in {olga.signing_seed, olga.sealing_seed, keyring.outbox_key(keyring.create("OP-0000-0000-0001"))}
    assert key == keyring.outbox_key(Device(olga.alias, olga.signing_seed, olga.sealing_seed))


# --- vaults


def test_a_wrapped_vault_is_opened_by_its_member(vault: VaultSeed, olga: Device) -> None:
    wrap = keyring.wrap_vault(vault, sealing.public_of(olga.sealing_seed), member=olga.alias)

    assert keyring.unwrap_vault(olga, wrap, vault=vault.public()) == vault
    boxes.check_wrap(wrap)


def test_a_wrapped_vault_is_opened_by_nobody_else(vault: VaultSeed, olga: Device) -> None:
    wrap = keyring.wrap_vault(vault, sealing.public_of(olga.sealing_seed), member=olga.alias)
    pavel = keyring.create("OP-0000-0000-0002")
    renamed = Device(pavel.alias, olga.signing_seed, olga.sealing_seed)

    with pytest.raises(CannotOpen):
        keyring.unwrap_vault(pavel, wrap, vault=vault.public())
    with pytest.raises(CannotOpen):
        keyring.unwrap_vault(renamed, wrap, vault=vault.public())


def test_a_wrapped_vault_does_not_open_as_another_vault_or_epoch(vault: VaultSeed, olga: Device) -> None:
    wrap = keyring.wrap_vault(vault, sealing.public_of(olga.sealing_seed), member=olga.alias)
    public = vault.public().public

    with pytest.raises(CannotOpen):
        keyring.unwrap_vault(olga, wrap, vault=VaultPublic("money-zz", 1, public))
    with pytest.raises(CannotOpen):
        keyring.unwrap_vault(olga, wrap, vault=VaultPublic("people-zz", 2, public))


def test_a_vault_that_the_roster_does_not_name_is_refused(vault: VaultSeed, olga: Device) -> None:
    planted = keyring.create_vault("people-zz")
    wrap = keyring.wrap_vault(planted, sealing.public_of(olga.sealing_seed), member=olga.alias)

    with pytest.raises(WrongKey):
        keyring.unwrap_vault(olga, wrap, vault=vault.public())


def test_a_vault_is_drawn_anew_each_time_and_its_name_is_checked() -> None:
    assert keyring.create_vault("people-zz").seed != keyring.create_vault("people-zz").seed
    with pytest.raises(BadVault):
        keyring.create_vault("../people")
