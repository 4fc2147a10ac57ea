"""Attacks on sealed files, rows 20 and 21: chunks swapped, cut, added, of another shelf or file; wrong padding."""

import io
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.client import sealed_files, sealing
from api.client.sealed_files import Draft, FileChanged, FileTooLarge
from api.client.sealing import CannotOpen, WrongCommitment
from ledger.identities import boxes, envelopes
from ledger.identities.boxes import CHUNK_BYTES, LARGEST_FILE, LARGEST_PADDED_FILE, FilePlace, NotASealedBox
from tests.canaries import sightings

SEED = bytes(range(32))
PUBLIC = sealing.public_of(SEED)
PLACE = FilePlace("C-0000-0000-0001", "ruling", "E-0000-0000-0001", 1)
CANARY = "Kanareika Invented-Person Канарейка"


def drafted(content: bytes, *, name: str = "scan.pdf", place: FilePlace = PLACE) -> tuple[Draft, list[bytes]]:
    source = io.BytesIO(content)
    draft = sealed_files.draft(source, name=name, place=place)
    return draft, list(sealed_files.seal_chunks(source, draft, public=PUBLIC))


def opened(draft: Draft, pieces: list[bytes], *, seed: bytes = SEED, **other: Any) -> bytes:
    sink = io.BytesIO()
    said: dict[str, Any] = {"place": draft.place, "size": draft.size, "commitment": draft.commitment}
    sealed_files.open_chunks(pieces, sink, seed=seed, **(said | other))
    return sink.getvalue()


LONG = bytes(range(251)) * 13_000  # a little over three chunks: no two chunks agree
SHORT = b"An invented ruling."


@settings(max_examples=12, deadline=None)
@given(size=st.integers(0, 3000), cut=st.integers(1, 5000))
def test_what_is_sealed_opens_to_the_same_however_it_arrives(size: int, cut: int) -> None:
    content = (b"0123456789abcdef" * 200)[:size]
    draft, chunks = drafted(content)
    stream = b"".join(chunks)

    assert opened(draft, [stream[at : at + cut] for at in range(0, len(stream), cut)]) == content


def test_a_file_of_several_chunks_opens_to_the_same_and_each_chunk_passes_the_servers_check() -> None:
    draft, chunks = drafted(LONG)

    assert opened(draft, chunks) == LONG
    assert len(chunks) == 4
    for chunk, length in zip(chunks, boxes.chunk_lengths(draft.size), strict=True):
        boxes.check_chunk(chunk, padded=length)


def test_name_and_type_are_inside() -> None:
    draft, chunks = drafted(SHORT, name=f"{CANARY}.jpeg")
    sink = io.BytesIO()

    description = sealed_files.open_chunks(
        chunks, sink, seed=SEED, place=PLACE, size=draft.size, commitment=draft.commitment
    )

    assert (description.name, description.media_type) == (f"{CANARY}.jpeg", "image/jpeg")
    assert sightings([CANARY, "image/jpeg"], b"".join(chunks)) == []


def swapped(chunks: list[bytes]) -> list[bytes]:
    return [chunks[1], chunks[0], *chunks[2:]]


def without_the_last(chunks: list[bytes]) -> list[bytes]:
    return chunks[:-1]


def cut_in_a_chunk(chunks: list[bytes]) -> list[bytes]:
    return [*chunks[:-1], chunks[-1][:-1]]


def with_one_more(chunks: list[bytes]) -> list[bytes]:
    return [*chunks, chunks[-1]]


def with_one_twice(chunks: list[bytes]) -> list[bytes]:
    return [chunks[0], chunks[0], *chunks[2:]]


def altered(chunks: list[bytes]) -> list[bytes]:
    return [chunks[0][:-1] + bytes([chunks[0][-1] ^ 1]), *chunks[1:]]


@pytest.mark.parametrize("attack", [swapped, without_the_last, cut_in_a_chunk, with_one_more, with_one_twice, altered])
def test_no_other_order_and_no_other_length_opens(attack: Callable[[list[bytes]], list[bytes]]) -> None:
    draft, chunks = drafted(LONG)

    with pytest.raises(CannotOpen):
        opened(draft, attack(chunks))


@pytest.mark.parametrize(
    "other",
    [
        {"place": replace(PLACE, subject="C-0000-0000-0002")},
        {"place": replace(PLACE, kind="bill")},
        {"place": replace(PLACE, alias="E-0000-0000-0002")},
        {"place": replace(PLACE, version=2)},
        {"commitment": "0" * 64},
        {"size": 2 * CHUNK_BYTES},
        {"size": 1024},
    ],
    ids=["case", "kind", "item", "version", "commitment", "longer count", "shorter"],
)
def test_a_chunk_opens_at_its_place_only(other: dict[str, Any]) -> None:
    draft, chunks = drafted(LONG[: CHUNK_BYTES // 2])
    assert opened(draft, chunks) == LONG[: CHUNK_BYTES // 2]

    with pytest.raises(CannotOpen):
        opened(draft, chunks, **other)


def test_chunks_of_two_sealings_of_the_same_file_do_not_mix() -> None:
    first, chunks = drafted(LONG)
    _, others = drafted(LONG)

    with pytest.raises(CannotOpen):
        opened(first, [chunks[0], *others[1:]])


def test_a_file_of_another_shelf_does_not_open() -> None:
    draft, chunks = drafted(SHORT)

    with pytest.raises(CannotOpen):
        opened(draft, chunks, seed=bytes(32))


def resealed(content: bytes, commitment: str) -> list[bytes]:
    """What somebody seals who knows the public key, and how chunks are bound."""
    bound_to = PLACE.info(commitment, 1, 1)
    return [envelopes.seal(PUBLIC, content, bound_to=bound_to)]


def a_content(description: bytes, *, length: int, body: bytes, size: int, filler: bytes = b"\0") -> bytes:
    return (struct.pack(">32sIQ", bytes(32), len(description), length) + description + body).ljust(size, filler)


DESCRIPTION = b'{"name": "a", "type": null}'


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (a_content(DESCRIPTION, length=5, body=b"right", size=1024, filler=b"\1"), CannotOpen),
        (a_content(DESCRIPTION, length=5, body=b"right", size=2048), CannotOpen),
        (a_content(DESCRIPTION, length=2**60, body=b"", size=1024), CannotOpen),
        (a_content(DESCRIPTION, length=2000, body=b"", size=1024), CannotOpen),
        (struct.pack(">32sIQ", bytes(32), 2**31, 1).ljust(1024, b"\0"), CannotOpen),
        (a_content(DESCRIPTION, length=5, body=b"right", size=1024), WrongCommitment),
    ],
    ids=["padding not zeros", "padded too far", "2^60 bytes", "longer than it is", "long description", "other content"],
)
def test_what_another_program_pads_or_counts_otherwise_is_refused(content: bytes, error: type[Exception]) -> None:
    pieces = resealed(content, "0" * 64)

    with pytest.raises(error):
        sealed_files.open_chunks(pieces, io.BytesIO(), seed=SEED, place=PLACE, size=len(content), commitment="0" * 64)


def test_a_file_that_changes_while_it_is_sealed_is_not_finished() -> None:
    for later in (SHORT + b" ", SHORT[:-1], SHORT.replace(b"A", b"B")):
        draft = sealed_files.draft(io.BytesIO(SHORT), name="a", place=PLACE)

        with pytest.raises(FileChanged):
            list(sealed_files.seal_chunks(io.BytesIO(later), draft, public=PUBLIC))


class Endless(io.RawIOBase):
    """A file of ten gibibytes, of which nobody should read more than they may keep."""

    def __init__(self) -> None:
        self.read_so_far = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset + whence

    def read(self, size: int = -1) -> bytes:
        self.read_so_far += size
        return bytes(size)


def test_ten_gibibytes_are_refused_after_the_first_twenty_five_mebibytes() -> None:
    endless = Endless()

    with pytest.raises(FileTooLarge):
        sealed_files.draft(endless, name="a", place=PLACE)  # type: ignore[arg-type]  # raw, and read as any other

    assert endless.read_so_far <= LARGEST_FILE + CHUNK_BYTES


def test_the_largest_file_fits_and_is_never_whole_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "largest"
    file.write_bytes(bytes(LARGEST_FILE))
    with file.open("rb") as source, (tmp_path / "out").open("wb") as sink:
        draft = sealed_files.draft(source, name="x" * 255, place=PLACE)
        tracemalloc.start()
        pieces = sealed_files.seal_chunks(source, draft, public=PUBLIC)
        sealed_files.open_chunks(pieces, sink, seed=SEED, place=PLACE, size=draft.size, commitment=draft.commitment)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert draft.size == LARGEST_PADDED_FILE
    assert (tmp_path / "out").stat().st_size == LARGEST_FILE
    assert peak < 12 * CHUNK_BYTES


@pytest.mark.parametrize(("length", "padded"), [(1, 1024), (60_000, 65_536), (70_000, 73_728), (3_000_000, 3_145_728)])
def test_a_size_tells_its_step_only(length: int, padded: int) -> None:
    draft, chunks = drafted(bytes(length))

    assert draft.size == padded
    assert sum(map(len, chunks)) == sum(map(boxes.sealed_length, boxes.chunk_lengths(padded)))


def test_plain_bytes_are_no_chunk() -> None:
    length = boxes.sealed_length(1024)
    for plain in (bytes(length), b"\x01" + b"text " * 500, b"%PDF-1.7".ljust(length), b"\x01" + bytes(length - 1)):
        with pytest.raises(NotASealedBox):
            boxes.check_chunk(plain[:length], padded=1024)
