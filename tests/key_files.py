"""Device key files whose passphrase is tried at once: the same file as `keyring.save` writes, with a quick scrypt."""

import base64
import hmac
import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from api.client.keyring import Device

PASSPHRASE = "invented words of a passphrase"
_WORK_FACTOR = 4


def write_key_file(path: Path, device: Device) -> Path:
    """Writes the key file of a device under `PASSPHRASE`, and the passphrase beside it; gives the passphrase's file."""
    content = {
        "format": "solidarity device 1",
        "alias": device.alias,
        "ed25519_seed": device.signing_seed.hex(),
        "xwing_seed": device.sealing_seed.hex(),
    }
    path.write_bytes(encrypt(json.dumps(content).encode()))
    words = path.with_suffix(".passphrase")
    words.write_text(PASSPHRASE, "utf-8")
    return words


def encrypt(content: bytes, *, passphrase: str = PASSPHRASE) -> bytes:
    """age's format, version 1, with one recipient of the kind scrypt and one chunk."""
    file_key, salt, nonce = (secrets.token_bytes(16) for _ in range(3))
    stretched = Scrypt(salt=b"age-encryption.org/v1/scrypt" + salt, length=32, n=2**_WORK_FACTOR, r=8, p=1)
    wrapped = ChaCha20Poly1305(stretched.derive(passphrase.encode())).encrypt(bytes(12), file_key, None)
    header = b"age-encryption.org/v1\n-> scrypt %s %d\n%s\n---" % (_base64(salt), _WORK_FACTOR, _base64(wrapped))
    mac = hmac.digest(_derive(file_key, salt=b"", info=b"header"), header, "sha256")
    payload = ChaCha20Poly1305(_derive(file_key, salt=nonce, info=b"payload"))
    return header + b" " + _base64(mac) + b"\n" + nonce + payload.encrypt(bytes(11) + b"\x01", content, None)


def _derive(key: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key)


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")
