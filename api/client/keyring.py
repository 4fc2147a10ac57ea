"""An operator's keys: the device's key file under a generated passphrase, signatures, and the vaults it may open."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from shamir_mnemonic.wordlist import WORDLIST

from api.client.sealing import VaultPublic, VaultSeed, WrongKey, derive, public_of, unwrap_seed, wrap_seed
from ledger import aliases
from ledger.errors import BadInput, Conflict, NotFound, Refused, Tampered
from ledger.identities.boxes import SEED_BYTES, length_prefixed
from ledger.identities.person_keys import check_vault, write_secret

PASSPHRASE_WORDS = 7
"""Out of 1,024: 70 random bits, behind age's scrypt."""

_AGE_UNDER_A_PASSPHRASE = b"age-encryption.org/v1\n-> scrypt "
_FORMAT = "solidarity device 1"


class WrongPassphrase(Refused):
    """The key file does not open: another passphrase, a damaged file, or a far slower device than its maker's."""

    rule = "wrong_passphrase"


class EmptyPassphrase(BadInput):
    """A key file without a passphrase is a key for whoever takes it."""

    rule = "empty_passphrase"


class KeyFileExists(Conflict):
    """A key file is never overwritten: what it opens would be lost."""

    rule = "key_file_exists"


class KeyFileMissing(NotFound):
    """There is no key file at this path."""

    rule = "key_file_missing"


class KeyFileDamaged(Tampered):
    """Not a key file of this program, or not all of it."""

    rule = "key_file_damaged"


@dataclass(frozen=True, slots=True)
class Device:
    """An operator's private keys, 32 bytes each: Ed25519 to sign, X-Wing to be given vaults."""

    alias: str
    signing_seed: bytes = field(repr=False)
    sealing_seed: bytes = field(repr=False)


def create(alias: str) -> Device:
    """Fresh keys for the operator `alias` (`OP-…`); nothing is written before `save`."""
    aliases.check(alias, aliases.Kind.OPERATOR)
    return Device(alias, secrets.token_bytes(SEED_BYTES), secrets.token_bytes(SEED_BYTES))


def card(device: Device) -> dict[str, str]:
    """What the roster is told of a device: `alias` and the public keys `ed25519` and `xwing` in hexadecimal digits."""
    public = Ed25519PrivateKey.from_private_bytes(device.signing_seed).public_key().public_bytes_raw()
    return {"alias": device.alias, "ed25519": public.hex(), "xwing": public_of(device.sealing_seed).hex()}


def sign(device: Device, message: bytes) -> str:
    """An Ed25519 signature in hexadecimal digits. `message` begins with a label of its purpose (`length_prefixed`)."""
    return Ed25519PrivateKey.from_private_bytes(device.signing_seed).sign(message).hex()


def save(path: Path, device: Device, passphrase: str) -> None:
    """Writes the key file: age under `passphrase` (scrypt, about two seconds), readable by its owner only.

    Raises:
        KeyFileExists: there is a file; it was not touched.
        EmptyPassphrase: nothing but white space.
    """
    content = {
        "format": _FORMAT,
        "alias": device.alias,
        "ed25519_seed": device.signing_seed.hex(),
        "xwing_seed": device.sealing_seed.hex(),
    }
    sealed = pyrage.passphrase.encrypt(json.dumps(content).encode(), _one_spaced(passphrase))
    try:
        write_secret(path, sealed)
    except FileExistsError:
        raise KeyFileExists("there is a key file already") from None


def load(path: Path, passphrase: str) -> Device:
    """The device that `save` wrote; white space around and between the passphrase's words does not matter.

    Raises:
        WrongPassphrase: it does not open.
        KeyFileMissing, KeyFileDamaged, EmptyPassphrase: there is nothing to open, or nothing to open it with.
    """
    try:
        sealed = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileMissing("there is no key file") from None
    if not sealed.startswith(_AGE_UNDER_A_PASSPHRASE):
        raise KeyFileDamaged("not a key file under a passphrase")
    try:
        content = pyrage.passphrase.decrypt(sealed, _one_spaced(passphrase))
    except pyrage.DecryptError:
        raise WrongPassphrase("another passphrase, a damaged file, or a far slower device") from None
    return _device(content)


def draw_passphrase() -> str:
    """Seven words, drawn evenly from the 1,024 of SLIP-39's list, whose first four letters tell them apart."""
    return " ".join(secrets.choice(WORDLIST) for _ in range(PASSPHRASE_WORDS))


def outbox_key(device: Device) -> bytes:
    """The key of this device's outbox."""
    return derive(device.sealing_seed, length_prefixed("SL1 outbox", device.alias))


def create_vault(name: str, epoch: int = 1) -> VaultSeed:
    """A fresh vault key, such as `people-by`; wrap it for every member and for recovery before it is used."""
    return VaultSeed(check_vault(name), epoch, secrets.token_bytes(SEED_BYTES))


def wrap_vault(vault: VaultSeed, member_public: bytes, *, member: str) -> bytes:
    """The vault's seed sealed to one member's X-Wing public key, for this member, vault and epoch only."""
    return wrap_seed(vault.seed, member_public, bound_to=_vault_place(member, vault.name, vault.epoch))


def unwrap_vault(device: Device, wrap: bytes, *, vault: VaultPublic) -> VaultSeed:
    """The vault's seed, out of the wrap that was made for this device's operator.

    Raises:
        CannotOpen: the wrap is for another member, vault or epoch, or altered.
        WrongKey: the seed is not that of the public key in the roster: a server could offer a vault of its own.
    """
    return unwrap_vault_as(device.alias, device.sealing_seed, wrap, vault=vault)


def unwrap_vault_as(member: str, sealing_seed: bytes, wrap: bytes, *, vault: VaultPublic) -> VaultSeed:
    """As `unwrap_vault`, for who has no device: recovery, under its own name."""
    seed = unwrap_seed(sealing_seed, wrap, bound_to=_vault_place(member, vault.name, vault.epoch))
    if public_of(seed) != vault.public:
        raise WrongKey("the wrapped seed is not this vault's", vault=vault.name, epoch=vault.epoch)
    return VaultSeed(vault.name, vault.epoch, seed)


def _device(content: bytes) -> Device:
    try:
        told = json.loads(content)
        if told["format"] != _FORMAT:
            raise KeyFileDamaged("not a key file of a format that is known here")
        device = Device(told["alias"], bytes.fromhex(told["ed25519_seed"]), bytes.fromhex(told["xwing_seed"]))
    except (ValueError, KeyError, TypeError):
        raise KeyFileDamaged("the key file does not hold a device") from None
    if len(device.signing_seed) != SEED_BYTES or len(device.sealing_seed) != SEED_BYTES:
        raise KeyFileDamaged("the key file does not hold a device's keys")
    return device


def _one_spaced(passphrase: str) -> str:
    words = passphrase.split()
    if not words:
        raise EmptyPassphrase("a passphrase has words", where="passphrase")
    return " ".join(words)


def _vault_place(member: str, vault: str, epoch: int) -> bytes:
    return length_prefixed("SL1 vault", member, vault, epoch)
