"""How fast boxes and files of evidence are sealed and opened, beside AES-256-GCM alone."""

import io
import secrets
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.client import sealed_files, sealing
from bench.databases import Books
from bench.rows import Row, rate
from ledger.identities.boxes import CHUNK_BYTES, FilePlace, check_chunk, chunk_lengths

SECONDS = 1.0
"""How long each is repeated."""
FILE_CHUNKS = 8
PLACE: dict[str, Any] = {"kind": "ruling", "alias": "R-0000-0000-0001", "field": "details", "version": 1}
FILE_PLACE = FilePlace("C-0000-0000-0001", "ruling", "E-0000-0000-0001", 1)


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """Boxes and files sealed, opened and checked; the floor is the cipher alone on as many bytes."""
    repeated = SECONDS / 5 if quick else SECONDS
    seed = secrets.token_bytes(32)
    public = sealing.public_of(seed)
    yield from _boxes(seed, public, repeated)
    yield from _files(seed, public, repeated)


def _boxes(seed: bytes, public: bytes, repeated: float) -> Iterator[Row]:
    small = bytes(900)
    box = sealing.seal(public, small, **PLACE).data
    floor = rate(lambda: _encrypt(1024), repeated)
    seal = rate(lambda: sealing.seal(public, small, **PLACE), repeated)
    yield Row("seal a box of 1 KiB", floor, seal, "boxes/s")
    yield Row("open a box of 1 KiB", floor, rate(lambda: sealing.open_box(seed, box, **PLACE), repeated), "boxes/s")


def _files(seed: bytes, public: bytes, repeated: float) -> Iterator[Row]:
    source = io.BytesIO(secrets.token_bytes(FILE_CHUNKS * CHUNK_BYTES - 1000))
    draft = sealed_files.draft(source, name="scan.pdf", place=FILE_PLACE)
    chunks = list(sealed_files.seal_chunks(source, draft, public=public))
    lengths = chunk_lengths(draft.size)

    def seal() -> None:
        drafted = sealed_files.draft(source, name="scan.pdf", place=FILE_PLACE)
        for _ in sealed_files.seal_chunks(source, drafted, public=public):
            pass

    def open_() -> None:
        told: dict[str, Any] = {"place": FILE_PLACE, "size": draft.size, "commitment": draft.commitment}
        sealed_files.open_chunks(chunks, io.BytesIO(), seed=seed, **told)

    def check() -> None:
        for data, length in zip(chunks, lengths, strict=True):
            check_chunk(data, padded=length)

    floor = rate(lambda: _encrypt(FILE_CHUNKS * CHUNK_BYTES), repeated) * FILE_CHUNKS
    named = {"seal a file": seal, "open a file": open_, "check a file's chunks on the server": check}
    for name, run in named.items():
        yield Row(name, floor, rate(run, repeated) * FILE_CHUNKS, "MiB/s")


def _encrypt(length: int) -> None:
    AESGCM(bytes(32)).encrypt(secrets.token_bytes(12), bytes(length), b"")
