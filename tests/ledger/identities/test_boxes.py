import math
import secrets
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.identities import boxes
from ledger.identities.boxes import BadDigest, BoxTooLarge, NotASealedBox


def random_box(padded: int = 1024) -> bytes:
    return b"\x01" + secrets.token_bytes(1120 + padded + 16)


def admitted_paddings() -> list[int]:
    doubling = [1024 << step for step in range(7)]
    sixteenths = [power // 16 * step for power in (2**17, 2**18, 2**19, 2**20, 2**21, 2**22) for step in range(9, 17)]
    return doubling + sixteenths


@pytest.mark.parametrize(
    ("length", "padded"),
    [
        (0, 1024),
        (1024, 1024),
        (1025, 2048),
        (40_000, 65_536),
        (65_536, 65_536),
        (65_537, 73_728),
        (131_072, 131_072),
        (131_073, 147_456),
        (4_194_304, 4_194_304),
    ],
)
def test_a_content_is_padded_to_its_class(length: int, padded: int) -> None:
    assert boxes.padded_length(length) == padded


@given(st.integers(0, boxes.LARGEST_PADDED))
def test_padding_gives_one_of_fifty_five_lengths_and_wastes_less_than_the_content(length: int) -> None:
    padded = boxes.padded_length(length)

    assert padded in admitted_paddings()
    assert length <= padded < max(1025, 2 * length)
    assert length <= 65_536 or padded - length < length / 8
    assert boxes.padded_length(padded) == padded


def test_more_than_four_mebibytes_is_refused() -> None:
    with pytest.raises(BoxTooLarge) as refusal:
        boxes.padded_length(4 * 1024 * 1024 + 1)

    assert refusal.value.data["largest"] == 4_194_304


@pytest.mark.parametrize("padded", admitted_paddings())
def test_random_bytes_of_every_admitted_length_are_accepted(padded: int) -> None:
    boxes.check_sealed(random_box(padded))


@pytest.mark.parametrize(
    "size", [0, 1, 1136, 1137, 1137 + 1023, 1137 + 1025, 1137 + 3072, 1137 + 69_632, 1137 + 4_194_305, 1137 + 8_388_608]
)
def test_another_length_is_refused(size: int) -> None:
    with pytest.raises(NotASealedBox) as refusal:
        boxes.check_sealed((b"\x01" + bytes(size))[:size])

    assert refusal.value.data == {"where": "box", "why": "length", "size": size}


def test_another_version_byte_is_refused() -> None:
    with pytest.raises(NotASealedBox) as refusal:
        boxes.check_sealed(b"\x02" + random_box()[1:])

    assert refusal.value.data["why"] == "version"


def test_a_refusal_tells_where_and_nothing_of_what() -> None:
    told = b"\x01" + b"Invented Person ".ljust(2160, b".")

    with pytest.raises(NotASealedBox) as refusal:
        boxes.check_sealed(told)

    assert refusal.value.data == {"where": "box", "why": "text"}
    assert "Invented" not in str(refusal.value)


@pytest.mark.parametrize("at", [0, 1120, 1500, 1904])
def test_plain_bytes_behind_or_before_random_ones_are_refused(at: int) -> None:
    data = bytearray(random_box())
    data[1 + at : 1 + at + 256] = bytes(256)

    with pytest.raises(NotASealedBox) as refusal:
        boxes.check_sealed(bytes(data))

    assert refusal.value.data["why"] == "not_random"


def test_an_honest_box_is_refused_less_than_once_in_two_to_the_eighty_seven() -> None:
    fewest = boxes._FEWEST_DISTINCT - 1  # noqa: SLF001  # the derivation in its comment is what is tested
    windows = boxes.LARGEST_PADDED // 256 + 6
    one_window = math.comb(256, fewest) * Fraction(fewest, 256) ** 256
    skew_of_mlkem = Fraction(1015, 1000) ** 256

    assert one_window < Fraction(1, 2**108)
    assert windows * one_window * skew_of_mlkem < Fraction(1, 2**87)


@pytest.mark.parametrize("size", [1168, 1170, 0])
def test_a_wrap_has_one_length(size: int) -> None:
    boxes.check_wrap(b"\x01" + secrets.token_bytes(1168))

    with pytest.raises(NotASealedBox):
        boxes.check_wrap((b"\x01" + secrets.token_bytes(size))[:size])


def test_a_wrap_of_text_is_refused() -> None:
    with pytest.raises(NotASealedBox):
        boxes.check_wrap(b"\x01" + b"Invented Person ".ljust(1168, b"."))


def test_a_public_key_has_its_length_and_looks_random() -> None:
    boxes.check_public(secrets.token_bytes(1216))

    with pytest.raises(NotASealedBox):
        boxes.check_public(secrets.token_bytes(1215))
    with pytest.raises(NotASealedBox):
        boxes.check_public(b"Invented Person ".ljust(1216, b"."))


def test_a_digest_is_64_lower_case_hexadecimal_digits() -> None:
    digest = secrets.token_hex(32)

    assert boxes.check_token(digest) == digest
    assert boxes.check_commitment(digest) == digest


@pytest.mark.parametrize("value", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", "\u0660" * 64])
def test_anything_else_is_no_digest(value: str) -> None:
    with pytest.raises(BadDigest) as token:
        boxes.check_token(value)
    with pytest.raises(BadDigest) as commitment:
        boxes.check_commitment(value)

    assert token.value.data == {"where": "token"}
    assert commitment.value.data == {"where": "commitment"}


def test_what_a_box_is_bound_to_is_written_out_byte_for_byte() -> None:
    bound_to = boxes.info("identity", "B-1", "name", 3)

    assert bound_to == (b"\0\0\0\x03SL1\0\0\0\x08identity\0\0\0\x03B-1\0\0\0\x04name\0\0\0\x08\0\0\0\0\0\0\0\x03")


@given(st.lists(st.text(max_size=4), max_size=5), st.lists(st.text(max_size=4), max_size=5))
def test_two_tuples_never_prefix_to_the_same_bytes(one: list[str], other: list[str]) -> None:
    assert (boxes.length_prefixed(*one) == boxes.length_prefixed(*other)) == (one == other)
