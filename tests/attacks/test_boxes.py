"""Attacks on sealed boxes: rows 10, 17, 20 and 21 of the list, on the side of the cryptography."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client import keyring, sealing
from api.client.outbox import Outbox, Request
from api.client.sealing import CannotOpen, WrongKey
from ledger.identities import boxes
from ledger.identities.boxes import NotASealedBox

CANARY = "Kanareika Invented-Person \u041a\u0430\u043d\u0430\u0440\u0435\u0439\u043a\u0430 MP1234567"
PLACE: dict[str, Any] = {"kind": "identity", "alias": "B-0000-0000-0001", "field": "name", "version": 1}
SEED = bytes(range(32))
PUBLIC = sealing.public_of(SEED)


def spellings(canary: str) -> set[bytes]:
    """The canary as somebody searching a seized disk would look for it; base64 at each of its three alignments."""
    found = set()
    for word in [canary, *canary.split()]:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            plain = word.encode(encoding)
            shifted = [base64.b64encode(bytes(shift) + plain)[-(-shift * 4 // 3) : -4] for shift in range(3)]
            found |= {plain, plain.hex().encode(), plain.hex().upper().encode(), *shifted}
        found |= {quote(word).encode(), json.dumps(word)[1:-1].encode()}
    return found


def tree(directory: Path) -> bytes:
    """File names and contents of a directory, as one haystack."""
    return b"\n".join(file.name.encode() + b"\n" + file.read_bytes() for file in sorted(directory.iterdir()))


# --- 20: a box belongs to its row


@pytest.mark.parametrize(
    "elsewhere",
    [{"alias": "B-0000-0000-0002"}, {"field": "document"}, {"version": 2}, {"kind": "ruling"}],
    ids=["row", "field", "version", "kind"],
)
def test_a_box_moved_elsewhere_does_not_open(elsewhere: dict[str, Any]) -> None:
    data = sealing.seal(PUBLIC, CANARY.encode(), **PLACE).data
    assert sealing.open_box(SEED, data, **PLACE) == CANARY.encode()

    with pytest.raises(CannotOpen):
        sealing.open_box(SEED, data, **(PLACE | elsewhere))


def test_a_place_cannot_be_shifted_between_its_parts() -> None:
    data = sealing.seal(PUBLIC, CANARY.encode(), kind="identity", alias="B-0000-0000-0001", field="name").data

    with pytest.raises(CannotOpen):
        sealing.open_box(SEED, data, kind="identityB", alias="-0000-0000-0001", field="name")


def test_a_box_does_not_open_with_another_key() -> None:
    data = sealing.seal(PUBLIC, CANARY.encode(), **PLACE).data

    with pytest.raises(CannotOpen):
        sealing.open_box(bytes(32), data, **PLACE)


@pytest.mark.parametrize("size", [0, 1, 2, 1120, 1121, 1136, 1137, 2160])
def test_a_truncated_box_does_not_open(size: int) -> None:
    data = sealing.seal(PUBLIC, CANARY.encode(), **PLACE).data

    with pytest.raises(CannotOpen):
        sealing.open_box(SEED, data[:size], **PLACE)


def test_a_box_with_something_appended_does_not_open() -> None:
    data = sealing.seal(PUBLIC, CANARY.encode(), **PLACE).data

    with pytest.raises(CannotOpen):
        sealing.open_box(SEED, data + b"\0", **PLACE)


def test_a_server_that_offers_a_shelf_of_its_own_is_found_out() -> None:
    vault = keyring.create_vault("people-zz")
    signer = partial(keyring.sign, keyring.create("OP-0000-0000-0001"))
    honest = sealing.draw_shelf(vault.public(), alias="B-0000-0000-0001", signer=signer)
    planted = sealing.draw_shelf(vault.public(), alias="B-0000-0000-0001", signer=signer)

    with pytest.raises(WrongKey):
        sealing.open_wrap(vault, planted.wrap, alias="B-0000-0000-0001", public=honest.public)


# --- plain text dressed up as a box


def fill(unit: bytes, size: int) -> bytes:
    return (unit * (size // len(unit) + 1))[:size]


CHINESE = "".join(chr(0x4E00 + 97 * at % 20_000) for at in range(2000))
DISGUISES: dict[str, Callable[[int], bytes]] = {
    "utf-8": lambda size: fill(CANARY.encode(), size),
    "utf-16-le": lambda size: fill(CANARY.encode("utf-16-le"), size),
    "utf-16-be": lambda size: fill(CANARY.encode("utf-16-be"), size),
    "utf-16 of a large script": lambda size: fill(CHINESE.encode("utf-16-le"), size),
    "utf-8 of a large script": lambda size: fill(CHINESE.encode(), size),
    "windows-1251": lambda size: fill(CANARY.encode("cp1251"), size),
    "base64": lambda size: fill(base64.b64encode(CANARY.encode()), size),
    "base64 of random bytes": lambda size: fill(base64.b64encode(sealing.seal(PUBLIC, b"", **PLACE).data), size),
    "hexadecimal": lambda size: fill(CANARY.encode().hex().encode(), size),
    "padded with zeros": lambda size: CANARY.encode().ljust(size, b"\0"),
    "padded with spaces": lambda size: json.dumps({"name": CANARY}).encode().ljust(size),
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("padded", [1024, 2048, 73_728])
def test_plain_text_at_an_admitted_length_is_refused(disguise: str, padded: int) -> None:
    box = b"\x01" + DISGUISES[disguise](1120 + padded + 16)

    with pytest.raises(NotASealedBox) as refusal:
        boxes.check_sealed(box)

    assert refusal.value.data["why"] in {"text", "not_random"}
    assert not any(word in f"{refusal.value} {refusal.value.data}" for word in CANARY.split())


# UTF-16 of a large script shows almost as many different bytes as random ones: told as a whole (above), not in part.
@pytest.mark.parametrize("disguise", sorted(set(DISGUISES) - {"utf-16 of a large script"}))
@pytest.mark.parametrize("padded", [1024, 2048, 73_728])
def test_plain_text_behind_an_honest_encapsulation_is_refused(disguise: str, padded: int) -> None:
    honest = sealing.seal(PUBLIC, bytes(padded - 36), **PLACE).data
    boxes.check_sealed(honest)
    box = honest[:1121] + DISGUISES[disguise](padded) + honest[-16:]
    assert len(box) == len(honest)

    with pytest.raises(NotASealedBox) as refusal:
        boxes.check_sealed(box)

    assert refusal.value.data["why"] == "not_random"


# --- 21: lengths


@given(st.integers(0, 988), st.integers(0, 988))
def test_two_contents_of_one_class_have_boxes_of_one_length(one: int, other: int) -> None:
    short = sealing.seal(PUBLIC, b"x" * one, **PLACE)
    long = sealing.seal(PUBLIC, b"x" * other, **PLACE)

    assert len(short.data) == len(long.data) == 1 + 1120 + 1024 + 16
    assert len(short.commitment) == len(long.commitment)


@pytest.mark.parametrize("length", [0, 988, 989, 2012, 2013, 65_500, 65_501, 73_692, 73_693, 200_000])
def test_the_length_of_a_box_tells_the_padding_class_only(length: int) -> None:
    data = sealing.seal(PUBLIC, bytes(length), **PLACE).data

    assert len(data) == 1 + 1120 + boxes.padded_length(length + 36) + 16


def test_neither_box_nor_commitment_nor_token_shows_the_canary() -> None:
    box = sealing.seal(PUBLIC, CANARY.encode(), **PLACE)
    token = sealing.token(bytes(32), field="name", value=CANARY)
    sent = base64.b64encode(box.data) + box.data + box.commitment.encode() + token.encode()

    assert sealing.open_box(SEED, box.data, **PLACE).decode() == CANARY
    assert not [spelling for spelling in spellings(CANARY) if spelling in sent]


# --- 10, 17: the outbox of a seized device


def test_the_canary_is_in_no_name_and_no_content_of_the_outbox(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", keyring.outbox_key(keyring.create("OP-0000-0000-0001")))
    told = [CANARY.encode(), CANARY.encode("utf-16"), base64.b64encode(CANARY.encode())]
    for at, body in enumerate(told):
        key = f"import:{CANARY}:{at}"
        outbox.remember(key, Request("POST", f"/v1/cases/{quote(CANARY)}", body, f"text/plain; name={CANARY}"))
    outbox.answered(f"import:{CANARY}:0", 422, CANARY.encode())

    assert [request.body for _, request in outbox.pending()] == told[1:]
    assert outbox.answer(f"import:{CANARY}:0") == (422, CANARY.encode())
    assert len(list((tmp_path / "outbox").iterdir())) == 4
    assert not [spelling for spelling in spellings(CANARY) if spelling in tree(tmp_path / "outbox")]


@pytest.mark.parametrize(
    "planted",
    [
        CANARY.encode(),
        CANARY.encode("utf-16-le"),
        CANARY.encode("utf-16-be"),
        base64.b64encode(CANARY.encode()),
        base64.b64encode(b"x" + CANARY.encode()),
        base64.b64encode(b"xy" + CANARY.encode()),
        CANARY.encode().hex().encode(),
        quote(CANARY).encode(),
        json.dumps(CANARY).encode(),
    ],
)
def test_the_search_finds_the_canary_where_it_is_planted(tmp_path: Path, planted: bytes) -> None:
    (tmp_path / "plain").write_bytes(b"before" + planted + b"after")

    assert [spelling for spelling in spellings(CANARY) if spelling in tree(tmp_path)]


def test_the_search_finds_the_canary_in_a_file_name(tmp_path: Path) -> None:
    (tmp_path / CANARY[:9]).write_bytes(b"")

    assert [spelling for spelling in spellings(CANARY) if spelling in tree(tmp_path)]


# --- the server cannot open anything


def test_what_the_server_imports_brings_nothing_that_opens_a_box() -> None:
    told = (
        "import sys, ledger.identities.boxes, ledger.identities.rewrapping, ledger.identities.vaults\n"
        "opens = ('api', 'pyrage', 'shamir_mnemonic')\n"
        "print([name for name in sys.modules if name.startswith(opens)])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )

    assert answer.stdout.strip() == "[]"


def test_the_ledger_knows_no_private_key() -> None:
    """It seals the shred keys to recovery, and could open that as little as anything else."""
    sources = sorted((Path(__file__).parents[2] / "ledger").rglob("*.py"))

    assert [path.name for path in sources if "PrivateKey" in path.read_text("utf-8")] == []
    assert "envelopes.py" in {path.name for path in sources if "hpke" in path.read_text("utf-8")}
