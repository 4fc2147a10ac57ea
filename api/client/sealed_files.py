"""Files sealed in chunks: made and opened on the device piece by piece, never whole in memory.

A file's content is its salt, the lengths of description and file, the description (name and type, JSON), the file, and
zeros up to its padding. It is cut into chunks of 1 MiB, each a box bound to the subject, kind, item and version, to the
file's commitment, and to the chunk's number and their count: no other order, no other length, no other file's chunk
opens. The commitment is an HMAC of description and file under the salt inside.
"""

import hashlib
import hmac
import json
import mimetypes
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

from api.client import contents, sealing
from api.client.sealing import SALT_BYTES, BadSignature, CannotOpen, WrongCommitment
from ledger import people
from ledger.errors import BadInput
from ledger.identities import envelopes
from ledger.identities.boxes import (
    LARGEST_FILE,
    LARGEST_PADDED_FILE,
    FilePlace,
    chunk_lengths,
    length_prefixed,
    padded_length,
    sealed_length,
)

LONGEST_NAME = 255
_HEAD = struct.Struct(f">{SALT_BYTES}sIQ")
_PIECE = 64 * 1024
_LARGEST_DESCRIPTION = 4096


class FileTooLarge(BadInput):
    """More than 25 MiB."""

    rule = "file_too_large"


class FileChanged(BadInput):
    """The file was written to while it was being sealed: nothing of it counts."""

    rule = "file_changed"


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that was read once: what is declared of it, and what its chunks need. `size` is padded."""

    place: FilePlace
    size: int
    commitment: str
    head: bytes = field(repr=False)
    length: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class Description:
    """What only the box tells of a file."""

    name: str = field(repr=False)
    media_type: str | None


def draft(source: BinaryIO, *, name: str, place: FilePlace) -> Draft:
    """Reads a file once, from its beginning, and commits to it under a fresh salt.

    Raises:
        FileTooLarge: more than 25 MiB, or a name of more than 255 characters.
    """
    if len(name) > LONGEST_NAME:
        raise FileTooLarge("a file's name has at most 255 characters", where="name")
    description = json.dumps({"name": name, "type": mimetypes.guess_type(name)[0]}).encode()
    salt = secrets.token_bytes(SALT_BYTES)
    seal = _Commitment(salt, place, description)
    source.seek(0)
    length = 0
    while piece := source.read(_PIECE):
        length += len(piece)
        if length > LARGEST_FILE:
            raise FileTooLarge("a file of evidence has at most 25 MiB", where="file", largest=LARGEST_FILE)
        seal.update(piece)
    head = _HEAD.pack(salt, len(description), length) + description
    size = padded_length(len(head) + length, largest=LARGEST_PADDED_FILE)
    return Draft(place, size, seal.hexdigest(), head, length)


def seal_chunks(source: BinaryIO, drafted: Draft, *, public: bytes) -> Iterator[bytes]:
    """The sealed chunks of a drafted file, one at a time.

    Raises:
        FileChanged: it is not what was committed to any more; the last chunk is not made.
    """
    description = drafted.head[_HEAD.size :]
    seal = _Commitment(drafted.head[:SALT_BYTES], drafted.place, description)
    source.seek(0)
    lengths = chunk_lengths(drafted.size)
    content, unread = drafted.head, drafted.length
    for number, length in enumerate(lengths, start=1):
        piece = source.read(min(length - len(content), unread))
        seal.update(piece)
        unread -= len(piece)
        if number == len(lengths) and (unread or source.read(1) or seal.hexdigest() != drafted.commitment):
            raise FileChanged("the file has changed meanwhile", where="file")
        padded = (content + piece).ljust(length, b"\0")
        yield envelopes.seal(public, padded, bound_to=_bound_to(drafted.place, drafted.commitment, number, lengths))
        content = b""


def open_chunks(
    pieces: Iterable[bytes], sink: BinaryIO, *, seed: bytes, place: FilePlace, size: int, commitment: str
) -> Description:
    """Opens the sealed chunks as they come, writes the file to `sink`, and tells what it is.

    What was written counts only when this returns: the caller removes it otherwise.

    Raises:
        CannotOpen: a chunk is missing, too many, altered, or of another place, file or order; or the padding is wrong.
        WrongCommitment: the content is not what was committed to.
    """
    lengths = chunk_lengths(size)
    reader = _Reader(pieces)
    opened = _Opened(sink, place)
    for number, length in enumerate(lengths, start=1):
        sealed = reader.read(sealed_length(length))
        opened.take(sealing.open_sealed(seed, sealed, bound_to=_bound_to(place, commitment, number, lengths)))
    if reader.read(1):
        raise CannotOpen("more came than the file has", version=place.version)
    return opened.finish(size, commitment)


def check_file(file: Mapping[str, Any], *, subject: str, shelf: str, signed_by: str) -> str:
    """The commitment of a file as the API tells of it, once the operator with this Ed25519 key (hex) stands for it.

    Raises:
        BadSignature: another subject, shelf, kind, version, size, commitment or retention than was signed.
    """
    keep_until = date.fromisoformat(file["keep_until"]) if file["keep_until"] else None
    commitment = str(file["commitment"])
    message = place_of(file, subject).message(
        shelf=shelf, size=file["size"], commitment=commitment, keep_until=keep_until
    )
    if not people.holds(signed_by, message, file["signature"]):
        raise BadSignature("the file is not signed by this operator", alias=file["alias"])
    return commitment


def place_of(file: Mapping[str, Any], subject: str) -> FilePlace:
    """Where a file belongs, as the API tells of it."""
    return FilePlace(subject, file["kind"], file["alias"], file["version"])


class _Commitment:
    """HMAC-SHA-256 under the salt over place, description and file."""

    def __init__(self, salt: bytes, place: FilePlace, description: bytes) -> None:
        self._mac = hmac.new(salt, length_prefixed(place.info(), description), hashlib.sha256)

    def update(self, piece: bytes) -> None:
        self._mac.update(piece)

    def hexdigest(self) -> str:
        return self._mac.hexdigest()


class _Reader:
    """Bytes of a stream in lengths of our own; fewer only at its end."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._kept = bytearray()

    def read(self, length: int) -> bytes:
        while len(self._kept) < length and (piece := next(self._pieces, None)) is not None:
            self._kept += piece
        taken = bytes(self._kept[:length])
        del self._kept[:length]
        return taken


class _Opened:
    """What comes out of the chunks, written as it comes."""

    def __init__(self, sink: BinaryIO, place: FilePlace) -> None:
        self._sink = sink
        self._place = place
        self._seal: _Commitment | None = None
        self._description = b""
        self._left = self._length = 0

    def take(self, content: bytes) -> None:
        if self._seal is None:
            content = self._begin(content)
        piece, padding = content[: self._left], content[self._left :]
        if any(padding):
            raise CannotOpen("the file is not padded as sealing pads", version=self._place.version)
        if self._seal is not None:
            self._seal.update(piece)
        self._sink.write(piece)
        self._left -= len(piece)

    def finish(self, size: int, commitment: str) -> Description:
        length = _HEAD.size + len(self._description) + self._length
        if self._seal is None or self._left or padded_length(length, largest=LARGEST_PADDED_FILE) != size:
            raise CannotOpen("the file is not padded as sealing pads", version=self._place.version)
        if not hmac.compare_digest(self._seal.hexdigest(), commitment):
            raise WrongCommitment("the content is not what was committed to", version=self._place.version)
        try:
            told = contents.read(contents.Described, self._description)
        except CannotOpen:  # the file is the one that was committed to, whatever it was called
            return Description("", None)
        return Description(told.name, told.type)

    def _begin(self, content: bytes) -> bytes:
        salt, described, self._length = _HEAD.unpack_from(content)
        if described > _LARGEST_DESCRIPTION or self._length > LARGEST_FILE or _HEAD.size + described > len(content):
            raise CannotOpen("the file has no head as sealing makes it", version=self._place.version)
        self._description = content[_HEAD.size : _HEAD.size + described]
        self._seal = _Commitment(salt, self._place, self._description)
        self._left = self._length
        return content[_HEAD.size + described :]


def _bound_to(place: FilePlace, commitment: str, number: int, lengths: list[int]) -> bytes:
    return place.info(commitment, number, len(lengths))
