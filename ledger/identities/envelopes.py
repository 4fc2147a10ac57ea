"""Sealing to a public key: the half that needs no secret, so that a server can do it. Opening is in `api.client`.

X-Wing (ML-KEM-768 with X25519) in HPKE's base mode (RFC 9180) with HKDF-SHA-256 and AES-256-GCM.
"""

from functools import lru_cache

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from ledger.errors import BadInput
from ledger.identities.boxes import PUBLIC_BYTES, VERSION

SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_MLKEM_PUBLIC_BYTES = 1184


class BadPublicKey(BadInput):
    """Not 1,216 bytes, or not an X-Wing public key."""

    rule = "bad_public_key"


def seal(public: bytes, content: bytes, *, bound_to: bytes) -> bytes:
    """Version byte, encapsulation and ciphertext of `content` for who holds the seed of `public`, at one place.

    Raises:
        BadPublicKey: `public` is none.
    """
    return bytes([VERSION]) + SUITE.encrypt(content, _public_key(public), bound_to)


@lru_cache(maxsize=64)  # public keys only: a list of 10,000 rows seals to the same few vaults
def _public_key(public: bytes) -> hpke.MLKEM768X25519PublicKey:
    if len(public) != PUBLIC_BYTES:
        raise BadPublicKey("an X-Wing public key is 1,216 bytes", where="public", size=len(public))
    try:
        return hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError:
        raise BadPublicKey("not an X-Wing public key", where="public") from None
