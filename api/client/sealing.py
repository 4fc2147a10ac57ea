"""Sealing and opening: what can name a person is sealed here, before anything is sent, and opened only here.

X-Wing (ML-KEM-768 with X25519, draft-connolly-cfrg-xwing-kem) in HPKE's base mode (RFC 9180) with HKDF-SHA-256 and
AES-256-GCM, all from `cryptography`. On the wire everything sealed is: version byte 0x01, encapsulation, ciphertext.
"""

import base64
import hashlib
import hmac
import secrets
import struct
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.errors import BadInput, Tampered
from ledger.identities import envelopes
from ledger.identities.boxes import (
    SEED_BYTES,
    VERSION,
    info,
    length_prefixed,
    padded_length,
    shelf_message,
)

SALT_BYTES = 32

_MLKEM_SEED_BYTES = 64
_HEAD = struct.Struct(f">{SALT_BYTES}sI")


class CannotOpen(Tampered):
    """Altered, cut, moved to another place, of another version, or sealed to another key: HPKE does not tell which."""

    rule = "cannot_open"


class WrongCommitment(Tampered):
    """The content is not what was committed to."""

    rule = "wrong_commitment"


class WrongKey(Tampered):
    """A seed that does not belong to the public key it was handed out for: somebody swapped a wrap."""

    rule = "wrong_key"


class BadSignature(Tampered):
    """The operator did not sign this."""

    rule = "bad_signature"


class NothingToCompare(BadInput):
    """A token of an empty value would join everybody who has none."""

    rule = "nothing_to_compare"


@dataclass(frozen=True, slots=True)
class SealedBox:
    """`data` for the server to keep, and `commitment` to its content: HMAC-SHA-256 in hexadecimal digits."""

    data: bytes
    commitment: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What a box held. Whoever is shown both can check the commitment, without any key."""

    plaintext: bytes = field(repr=False)
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultPublic:
    """What the roster says of a vault: anyone can seal to it. `epoch` counts its rotations from 1."""

    name: str
    epoch: int
    public: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultSeed:
    """A vault's private key, in its members' memory only: never written, never sent but wrapped."""

    name: str
    epoch: int
    seed: bytes = field(repr=False)

    def public(self) -> VaultPublic:
        """The half that the roster names."""
        return VaultPublic(self.name, self.epoch, public_of(self.seed))


@dataclass(frozen=True, slots=True)
class Shelf:
    """A person's, donor's or month's key: anyone can seal to `public`, the vault's members open `wrap` for its seed."""

    alias: str
    vault: str
    epoch: int
    public: bytes = field(repr=False)
    signature: str
    wrap: bytes = field(repr=False)


def seal(public: bytes, plaintext: bytes, *, kind: str, alias: str, field: str, version: int = 1) -> SealedBox:
    """Seals `plaintext`, salted and padded, to `public` (1,216 bytes), for this one place.

    Raises:
        BadPublicKey: `public` is none.
        BoxTooLarge: with its salt, length and padding the content would be over 4 MiB.
    """
    bound_to = info(kind, alias, field, version)
    salt = secrets.token_bytes(SALT_BYTES)
    content = _HEAD.pack(salt, len(plaintext)) + plaintext
    padded = content.ljust(padded_length(len(content)), b"\0")
    return SealedBox(envelopes.seal(public, padded, bound_to=bound_to), _commitment(salt, plaintext, bound_to))


def open_box(seed: bytes, data: bytes, *, kind: str, alias: str, field: str, version: int = 1) -> bytes:
    """The plaintext that was sealed for this place to the public key of `seed`.

    Raises:
        CannotOpen: it was not, or not these bytes.
    """
    return open_with_salt(seed, data, kind=kind, alias=alias, field=field, version=version).plaintext


def open_with_salt(seed: bytes, data: bytes, *, kind: str, alias: str, field: str, version: int = 1) -> Opening:
    """As `open_box`, with the salt that `verify_commitment` needs."""
    content = open_sealed(seed, data, bound_to=info(kind, alias, field, version))
    if len(content) < _HEAD.size:
        raise CannotOpen("the box holds no content", kind=kind, version=version)
    salt, length = _HEAD.unpack_from(content)
    plaintext, padding = content[_HEAD.size : _HEAD.size + length], content[_HEAD.size + length :]
    if len(plaintext) != length or any(padding) or padded_length(_HEAD.size + length) != len(content):
        raise CannotOpen("the box is not padded as sealing pads", kind=kind, version=version)
    return Opening(plaintext, salt)


def verify_commitment(
    commitment: str, opening: Opening, *, kind: str, alias: str, field: str, version: int = 1
) -> None:
    """Holds an opened content against what the server has kept of it since it was sealed.

    Raises:
        WrongCommitment: another content, salt or place.
    """
    expected = _commitment(opening.salt, opening.plaintext, info(kind, alias, field, version))
    if len(opening.salt) != SALT_BYTES or not hmac.compare_digest(expected.encode(), commitment.encode()):
        raise WrongCommitment("the content is not what was committed to", kind=kind, version=version)


def open_committed(
    seed: bytes, box: Mapping[str, Any], *, kind: str, alias: str, field: str, version: int = 1
) -> bytes:
    """The content of a box as the API hands it out, held against its commitment.

    Raises:
        CannotOpen, WrongCommitment: it is another one, or was altered or swapped.
    """
    opening = open_with_salt(seed, from_base64(box["bytes"]), kind=kind, alias=alias, field=field, version=version)
    verify_commitment(box["commitment"], opening, kind=kind, alias=alias, field=field, version=version)
    return opening.plaintext


def draw_shelf(vault: VaultPublic, *, alias: str, signer: Callable[[bytes], str]) -> Shelf:
    """A fresh shelf for `alias`, its seed wrapped to the vault and forgotten, its public key signed by the operator.

    `signer` takes a message and returns an Ed25519 signature in hexadecimal digits: `partial(keyring.sign, device)`.
    """
    seed = secrets.token_bytes(SEED_BYTES)
    public = public_of(seed)
    signature = signer(shelf_message(alias, public, vault.name, vault.epoch))
    wrap = wrap_seed(seed, vault.public, bound_to=_wrap_place(alias, vault.name, vault.epoch))
    return Shelf(alias, vault.name, vault.epoch, public, signature, wrap)


def check_shelf(shelf: Shelf, *, signed_by: bytes) -> None:
    """Tells, before anything is sealed to `shelf`, that the operator with this Ed25519 public key stands for it.

    Raises:
        BadSignature: another key, alias, vault or epoch than was signed.
    """
    message = shelf_message(shelf.alias, shelf.public, shelf.vault, shelf.epoch)
    try:
        Ed25519PublicKey.from_public_bytes(signed_by).verify(bytes.fromhex(shelf.signature), message)
    except (InvalidSignature, ValueError):
        raise BadSignature("the shelf's key is not signed by this operator", alias=shelf.alias) from None


def rewrap(vault: VaultPublic, seed: bytes, *, alias: str) -> bytes:
    """A shelf's seed wrapped to another epoch of its vault; whoever calls has opened the wrap before."""
    return wrap_seed(seed, vault.public, bound_to=_wrap_place(alias, vault.name, vault.epoch))


def open_wrap(vault: VaultSeed, wrap: bytes, *, alias: str, public: bytes) -> bytes:
    """The seed of the shelf whose public key is `public`.

    Raises:
        CannotOpen: the wrap is of another alias, vault or epoch, or altered.
        WrongKey: it holds another shelf's seed: anyone can wrap to a vault, so a server could offer its own.
    """
    seed = unwrap_seed(vault.seed, wrap, bound_to=_wrap_place(alias, vault.name, vault.epoch))
    if public_of(seed) != public:
        raise WrongKey("the wrapped seed is not this shelf's", alias=alias, epoch=vault.epoch)
    return seed


def token_key(vault: VaultSeed) -> bytes:
    """The key under which a vault's members compute tokens in its epoch."""
    return derive(vault.seed, length_prefixed("SL1 token", vault.name, vault.epoch))


def fold(text: str) -> str:
    """Text by which two writings of one are compared: without case, compatibility forms and runs of white space."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold()).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def token(key: bytes, *, field: str, value: str) -> str:
    """What tells a duplicate without telling the value: HMAC-SHA-256 in hexadecimal digits.

    Values agree that differ in case, white space or compatibility forms only (Unicode's compatibility caseless match,
    D146, as NFKC). Look-alikes of two scripts stay two values: merging them would join strangers.

    Raises:
        NothingToCompare: the value is empty or white space.
    """
    compared = fold(value)
    if not compared:
        raise NothingToCompare("an empty value has no token", where="token")
    return hmac.digest(key, length_prefixed(field, compared), "sha256").hex()


def public_of(seed: bytes) -> bytes:
    """The X-Wing public key of a 32-byte seed: ML-KEM-768's 1,184 bytes, then X25519's 32."""
    mlkem, x25519 = _expand(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def wrap_seed(seed: bytes, public: bytes, *, bound_to: bytes) -> bytes:
    """A 32-byte seed sealed to `public` and bound to its place, 1,169 bytes."""
    return envelopes.seal(public, seed, bound_to=bound_to)


def unwrap_seed(opening_seed: bytes, wrap: bytes, *, bound_to: bytes) -> bytes:
    """The seed that `wrap_seed` was given for the same place; raises `CannotOpen` otherwise."""
    seed = open_sealed(opening_seed, wrap, bound_to=bound_to)
    if len(seed) != SEED_BYTES:
        raise CannotOpen("a wrap holds a seed of 32 bytes")
    return seed


def open_sealed(seed: bytes, data: bytes, *, bound_to: bytes) -> bytes:
    """What `envelopes.seal` was given for this place and the public key of `seed`; raises `CannotOpen` otherwise."""
    if data[:1] != bytes([VERSION]):
        raise CannotOpen("not a version of sealing that is known here")
    try:
        return envelopes.SUITE.decrypt(data[1:], hpke.MLKEM768X25519PrivateKey(*_expand(seed)), bound_to)
    except (InvalidTag, ValueError):
        raise CannotOpen("it does not open with this key at this place") from None


def to_base64(data: bytes) -> str:
    """Bytes as the wire has them."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Bytes from the wire; raises `CannotOpen` when they are none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise CannotOpen("not bytes in base64") from None


def derive(key: bytes, label: bytes) -> bytes:
    """32 bytes for one purpose, by HKDF-SHA-256 (RFC 5869) with `label` as its info."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(key)


def _expand(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    # draft-connolly-cfrg-xwing-kem, expandDecapsulationKey: SHAKE256(seed, 96) is d || z, then the X25519 scalar.
    if len(seed) != SEED_BYTES:
        raise CannotOpen("a private key is a seed of 32 bytes")
    expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED_BYTES + 32)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:]),
    )


def _commitment(salt: bytes, plaintext: bytes, bound_to: bytes) -> str:
    return hmac.digest(salt, length_prefixed(bound_to, plaintext), "sha256").hex()


def _wrap_place(alias: str, vault: str, epoch: int) -> bytes:
    return length_prefixed("SL1 wrap", alias, vault, epoch)
