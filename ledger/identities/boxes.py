"""Sealed boxes: their shape, the only thing of them that a server can check."""

import re
import struct
from dataclasses import dataclass
from datetime import date

from ledger.errors import BadInput

VERSION = 0x01
"""The first byte of every box, wrap and locked wrap; another suite gets another byte."""

ENC_BYTES = 1120
"""What X-Wing's encapsulation takes (1,088 for ML-KEM-768, 32 for X25519)."""

PUBLIC_BYTES = 1216
"""An X-Wing public key (1,184 for ML-KEM-768, 32 for X25519)."""

SEED_BYTES = 32
"""An X-Wing private key is its seed."""

TAG_BYTES = 16
"""AES-GCM's tag."""

SMALLEST_PADDED = 1024
LARGEST_PADDED = 4 * 1024 * 1024
DOUBLING_UP_TO = 64 * 1024

LARGEST_FILE = 25 * 1024 * 1024
"""The most bytes of a file of evidence."""

LARGEST_PADDED_FILE = 26 * 1024 * 1024
"""What the largest file takes with its name, salt and padding."""

CHUNK_BYTES = 1024 * 1024
"""A padded file is sealed in chunks of so many bytes, and a last one of the rest."""

AGE_START = b"age-encryption.org/v1\n-> X25519 "
"""How an age file for one recipient begins."""

_AGE_HEADER = 1024  # room for the one recipient, and for the stanza of noise that some programs add
_AGE_NONCE, _AGE_CHUNK = 16, 64 * 1024

_WINDOW = 256
_FEWEST_DISTINCT = 100
# How many different byte values a window of sealed bytes must show. A window of 256 random bytes shows about 162. It
# shows fewer than 100 only if all of it falls into one of the C(256, 99) sets of 99 values, so with a probability of
# at most C(256, 99) * (99 / 256)^256 < 2^-108. ML-KEM compresses coefficients modulo 3329, which favours some bytes by
# at most 1.5 % on average: a factor below 2^6. The largest box has fewer than 2^15 windows, so an honest box is refused
# with a probability below 2^-87. (A public key's 12-bit coefficients leave some bytes out: below 2^-48 there.)
# Text shows some 60 values, base64 64, hexadecimal 16, zeros one. A bound on the box as a whole would not do: the
# 1,120 honest bytes in front would hide a plain text behind them.

_DIGEST = re.compile(r"[0-9a-f]{64}")


class NotASealedBox(BadInput):
    """Bytes that no honest client can have sealed. `why` is version, length, text or not_random; nothing was stored."""

    rule = "not_a_sealed_box"


class BoxTooLarge(BadInput):
    """More than a box holds (4 MiB with its padding), or a file of evidence (26 MiB with its padding)."""

    rule = "box_too_large"


class BadDigest(BadInput):
    """A token or a commitment is 64 lower-case hexadecimal digits."""

    rule = "bad_digest"


def check_sealed(data: bytes) -> None:
    """Accepts a box: version byte, X-Wing encapsulation, padded ciphertext, tag.

    The check is a rail against clients that send plain text by mistake or on purpose. It cannot tell a sealed box from
    compressed or otherwise encrypted bytes of an admitted length, nor see text shorter than about half a window of 256
    bytes amid random ones, nor UTF-16 of a large script (Chinese) behind honest bytes. Alone, UTF-16 is told by
    decoding: random bytes happen to decode with a probability below 2^-47.

    Raises:
        NotASealedBox: another version byte, a length that padding cannot give, text, or bytes that do not look random.
    """
    padded = len(data) - 1 - ENC_BYTES - TAG_BYTES
    admitted = SMALLEST_PADDED <= padded <= LARGEST_PADDED and padded_length(padded) == padded
    _check_shape(data, admitted=admitted, where="box")


def check_chunk(data: bytes, *, padded: int) -> None:
    """Accepts one chunk of a file: a box of exactly `padded` bytes.

    Raises:
        NotASealedBox: as for `check_sealed`, at this one length.
    """
    _check_shape(data, admitted=len(data) == sealed_length(padded), where="chunk")


def check_wrap(data: bytes) -> None:
    """Accepts a wrapped seed: version byte, X-Wing encapsulation, 32 sealed bytes, tag.

    Raises:
        NotASealedBox: as for `check_sealed`, at the one length that a wrap has.
    """
    _check_shape(data, admitted=len(data) == 1 + ENC_BYTES + SEED_BYTES + TAG_BYTES, where="wrap")


def check_age_file(data: bytes) -> None:
    """Accepts a padded file sealed to one X25519 recipient, as the age specification (version 1) writes it.

    Whose key it is sealed to, its bytes do not tell.

    Raises:
        NotASealedBox: another format or version, several recipients, a length that padding cannot give, or a payload
            that does not look random.
    """
    end = data.find(b"\n", data.find(b"\n--- ", 0, _AGE_HEADER) + 1)
    header, payload = data[: end + 1], data[end + 1 :]
    if not header.startswith(AGE_START) or header.count(b"\n-> X25519 ") != 1 or not 0 < end < _AGE_HEADER:
        raise NotASealedBox("not an age file for one recipient", where="list", why="version")
    body = len(payload) - _AGE_NONCE
    padded = body - TAG_BYTES * -(-body // (_AGE_CHUNK + TAG_BYTES))
    admitted = SMALLEST_PADDED <= padded <= LARGEST_PADDED and padded_length(padded) == padded
    if not admitted:
        raise NotASealedBox("not a length that padding gives", where="list", why="length", size=len(data))
    _check_random(payload, where="list")


def check_public(data: bytes) -> None:
    """Accepts what can be an X-Wing public key; whether an operator stands for it, the signature tells.

    Raises:
        NotASealedBox: another length, or bytes that do not look random.
    """
    if len(data) != PUBLIC_BYTES:
        raise NotASealedBox("not the length of a public key", where="public", why="length", size=len(data))
    _check_random(data, where="public")


def check_token(value: str) -> str:
    """`value` itself when it is 64 lower-case hexadecimal digits; raises `BadDigest` otherwise."""
    return _check_digest(value, where="token")


def check_commitment(value: str) -> str:
    """`value` itself when it is 64 lower-case hexadecimal digits; raises `BadDigest` otherwise."""
    return _check_digest(value, where="commitment")


def padded_length(length: int, *, largest: int = LARGEST_PADDED) -> int:
    """To how many bytes a content of `length` bytes is padded, so that a box tells only its class.

    At least 1,024, doubling up to 64 KiB, above that the next multiple of a sixteenth of the next power of two.

    Raises:
        BoxTooLarge: more than `largest`, 4 MiB unless told.
    """
    if length > largest:
        raise BoxTooLarge("more than fits, with its padding", where="box", size=length, largest=largest)
    if length <= SMALLEST_PADDED:
        return SMALLEST_PADDED
    power = 1 << (length - 1).bit_length()
    if power <= DOUBLING_UP_TO:
        return power
    step = power // 16
    return -(-length // step) * step


def chunk_lengths(padded: int) -> list[int]:
    """How many bytes each chunk of a padded file holds."""
    whole, rest = divmod(padded, CHUNK_BYTES)
    return [CHUNK_BYTES] * whole + [rest] * bool(rest)


def sealed_length(padded: int) -> int:
    """How long a box of `padded` bytes is: version byte, encapsulation, content, tag."""
    return 1 + ENC_BYTES + padded + TAG_BYTES


def info(kind: str, alias: str, field: str, version: int) -> bytes:
    """What a box is bound to: it opens only as this field, in this version, of this alias of this kind."""
    return length_prefixed("SL1", kind, alias, field, version)


def shelf_message(alias: str, public: bytes, vault: str, epoch: int) -> bytes:
    """What an operator signs to stand for the public key of a shelf."""
    return length_prefixed("SL1 shelf", alias, public, vault, epoch)


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where a file of evidence belongs: the thing it is about, what it is, and which version of which item."""

    subject: str
    kind: str
    alias: str
    version: int

    def info(self, *parts: str | int | bytes) -> bytes:
        """What the file's commitment and, with more parts, each of its chunks is bound to."""
        return length_prefixed("SL1 evidence", self.subject, self.kind, self.alias, self.version, *parts)

    def message(self, *, shelf: str, size: int, commitment: str, keep_until: date | None) -> bytes:
        """What the operator signs who brings the file: nobody else's can be slipped in, nor its retention changed."""
        kept = keep_until.isoformat() if keep_until else ""
        return length_prefixed("SL1 evidence file", self.info(), shelf, size, commitment, kept)


def length_prefixed(*parts: str | int | bytes) -> bytes:
    """Each part behind its length in four bytes, big-endian: two different tuples never give the same bytes.

    Text is UTF-8, a whole number eight bytes, big-endian; which part is which type is fixed by the first one, a label.
    """
    encoded = [_encode(part) for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)


def _encode(part: str | int | bytes) -> bytes:
    if isinstance(part, str):
        return part.encode()
    return struct.pack(">Q", part) if isinstance(part, int) else part


def _check_shape(data: bytes, *, admitted: bool, where: str) -> None:
    if not admitted:
        raise NotASealedBox("not a length that sealing gives", where=where, why="length", size=len(data))
    if data[0] != VERSION:
        raise NotASealedBox("not a version of sealing that is known here", where=where, why="version", version=data[0])
    if _decodes(data, "utf-8") or _decodes(data[1:], "utf-16-le") or _decodes(data[1:], "utf-16-be"):
        raise NotASealedBox("this is text, not sealed bytes", where=where, why="text")
    _check_random(data[1:], where=where)


def _check_random(data: bytes, *, where: str) -> None:
    for start in (*range(0, len(data) - _WINDOW, _WINDOW), len(data) - _WINDOW):
        if len(set(data[start : start + _WINDOW])) < _FEWEST_DISTINCT:
            raise NotASealedBox("sealed bytes look random, these do not", where=where, why="not_random", position=start)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _check_digest(value: str, *, where: str) -> str:
    if not _DIGEST.fullmatch(value):
        raise BadDigest("64 lower-case hexadecimal digits", where=where)
    return value
