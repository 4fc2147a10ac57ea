"""How fast boxes and files of evidence are sealed and opened, beside AES-256-GCM alone: `python bench/sealing.py`."""

import io
import json
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.client import sealed_files, sealing
from ledger.identities.boxes import CHUNK_BYTES, FilePlace, check_chunk, chunk_lengths

SECONDS = 1.0
"""How long each is repeated."""
FILE_CHUNKS = 8
PLACE: dict[str, Any] = {"kind": "ruling", "alias": "R-0000-0000-0001", "field": "details", "version": 1}
FILE_PLACE = FilePlace("C-0000-0000-0001", "ruling", "E-0000-0000-0001", 1)


def measure(*, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Rows of name, floor, ours, ratio and unit; the floor is the cipher alone on as many bytes."""
    seed = secrets.token_bytes(32)
    public = sealing.public_of(seed)
    small = bytes(900)
    box = sealing.seal(public, small, **PLACE).data
    floor = _rate(lambda: _encrypt(1024), seconds)
    rows = [
        _row("seal a box of 1 KiB", floor, _rate(lambda: sealing.seal(public, small, **PLACE), seconds), "boxes/s"),
        _row("open a box of 1 KiB", floor, _rate(lambda: sealing.open_box(seed, box, **PLACE), seconds), "boxes/s"),
    ]
    return rows + _files(seed, public, seconds)


def _files(seed: bytes, public: bytes, seconds: float) -> list[dict[str, Any]]:
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

    floor = _rate(lambda: _encrypt(FILE_CHUNKS * CHUNK_BYTES), seconds) * FILE_CHUNKS
    named = {"seal a file": seal, "open a file": open_, "check a file's chunks on the server": check}
    return [_row(name, floor, _rate(run, seconds) * FILE_CHUNKS, "MiB/s") for name, run in named.items()]


def _encrypt(length: int) -> None:
    AESGCM(bytes(32)).encrypt(secrets.token_bytes(12), bytes(length), b"")


def _rate(run: Callable[[], object], seconds: float) -> float:
    started, times = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        run()
        times += 1
    return times / passed


def _row(name: str, floor: float, ours: float, unit: str) -> dict[str, Any]:
    return {"name": name, "floor": round(floor), "ours": round(ours), "ratio": round(ours / floor, 3), "unit": unit}


if __name__ == "__main__":
    sys.stdout.write("".join(json.dumps(row) + "\n" for row in measure()))
