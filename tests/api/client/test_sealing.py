import base64
import hashlib
import hmac
import json
import secrets
import unicodedata
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from api.client import keyring, sealing
from api.client.sealing import (
    BadSignature,
    CannotOpen,
    NothingToCompare,
    Opening,
    Shelf,
    VaultSeed,
    WrongCommitment,
    WrongKey,
)
from ledger.identities import boxes
from ledger.identities.boxes import BoxTooLarge
from ledger.identities.envelopes import BadPublicKey

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "sealing-1.json").read_text("utf-8"))
ALIAS = "B-0000-0000-0001"
SEED = secrets.token_bytes(32)
PUBLIC = sealing.public_of(SEED)

seal_name = partial(sealing.seal, PUBLIC, kind="identity", alias=ALIAS, field="name")
open_name = partial(sealing.open_box, SEED, kind="identity", alias=ALIAS, field="name")
open_name_with_salt = partial(sealing.open_with_salt, SEED, kind="identity", alias=ALIAS, field="name")
verify_name = partial(sealing.verify_commitment, kind="identity", alias=ALIAS, field="name")


@pytest.fixture
def vault() -> VaultSeed:
    return keyring.create_vault("people-zz")


@pytest.fixture
def olga() -> keyring.Device:
    return keyring.create("OP-0000-0000-0001")


@pytest.fixture
def shelf(vault: VaultSeed, olga: keyring.Device) -> Shelf:
    return sealing.draw_shelf(vault.public(), alias=ALIAS, signer=partial(keyring.sign, olga))


def ed25519_of(device: keyring.Device) -> bytes:
    return bytes.fromhex(keyring.card(device)["ed25519"])


# --- boxes


@given(st.binary(max_size=5000))
def test_what_was_sealed_opens_and_the_server_accepts_it(plaintext: bytes) -> None:
    box = seal_name(plaintext)

    boxes.check_sealed(box.data)
    boxes.check_commitment(box.commitment)
    assert open_name(box.data) == plaintext


def test_the_same_content_sealed_twice_shows_neither_in_bytes_nor_in_commitments() -> None:
    first, second = seal_name(b"Invented Person"), seal_name(b"Invented Person")

    assert first.data != second.data
    assert first.commitment != second.commitment


def test_the_largest_content_fills_four_mebibytes_and_one_byte_more_is_refused() -> None:
    largest = bytes(boxes.LARGEST_PADDED - 36)
    box = seal_name(largest)

    boxes.check_sealed(box.data)
    assert open_name(box.data) == largest
    with pytest.raises(BoxTooLarge):
        seal_name(largest + b"\0")


@pytest.mark.parametrize("position", [0, 1, 1087, 1089, 1120, 1121, 1700, -1])
def test_one_altered_bit_does_not_open(position: int) -> None:
    data = bytearray(seal_name(b"Invented Person").data)
    data[position] ^= 1

    with pytest.raises(CannotOpen):
        open_name(bytes(data))


def test_a_seed_of_another_size_opens_nothing() -> None:
    data = seal_name(b"Invented Person").data

    with pytest.raises(CannotOpen):
        sealing.open_box(SEED[:31], data, kind="identity", alias=ALIAS, field="name")


@pytest.mark.parametrize("public", [b"", PUBLIC[:-1], PUBLIC + b"\0", b"\xff" * 1216])
def test_nothing_is_sealed_to_what_is_no_public_key(public: bytes) -> None:
    with pytest.raises(BadPublicKey):
        sealing.seal(public, b"Invented Person", kind="identity", alias=ALIAS, field="name")


@pytest.mark.parametrize(
    "content",
    [
        b"short",
        bytes(32) + (5000).to_bytes(4, "big") + bytes(988),
        bytes(32) + (5).to_bytes(4, "big") + b"told!" + b"hidden in padding".ljust(983, b"\0"),
        bytes(32) + (5).to_bytes(4, "big") + b"told!" + bytes(2048 - 41),
    ],
    ids=["no head", "longer than the box", "padding that is not zero", "a class too large"],
)
def test_a_content_that_sealing_cannot_have_made_does_not_open(content: bytes) -> None:
    place = boxes.info("identity", ALIAS, "name", 1)
    forged = sealing.wrap_seed(content, PUBLIC, bound_to=place)

    with pytest.raises(CannotOpen):
        open_name(forged)


# --- the construction, against the standards


@pytest.mark.parametrize(
    ("vector", "public_sha256"),
    [
        (1, "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb"),
        (2, "c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916"),
        (3, "6b080d6b84f095342092fa7a22423e58bd681397ad0ef00eac92bd254db4fa95"),
    ],
)
def test_the_seeds_of_the_drafts_test_vectors_give_its_public_keys(vector: int, public_sha256: str) -> None:
    # Appendix C of draft-connolly-cfrg-xwing-kem: seed (32) and eseed (64) are read, three times, off SHAKE128("").
    seed = hashlib.shake_128(b"").digest(288)[96 * (vector - 1) :][:32]

    assert hashlib.sha256(sealing.public_of(seed)).hexdigest() == public_sha256


def test_a_box_put_together_from_the_standards_opens() -> None:
    # X-Wing's combiner and RFC 9180's base-mode key schedule, written out: the format is theirs, not a library's.
    place = boxes.info("identity", ALIAS, "name", 1)
    content = (bytes(32) + (15).to_bytes(4, "big") + b"Invented Person").ljust(1024, b"\0")
    mlkem_secret, mlkem_ciphertext = MLKEM768PublicKey.from_public_bytes(PUBLIC[:1184]).encapsulate()
    ephemeral = X25519PrivateKey.generate()
    x25519_ciphertext = ephemeral.public_key().public_bytes_raw()
    x25519_secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(PUBLIC[1184:]))
    shared = hashlib.sha3_256(mlkem_secret + x25519_secret + x25519_ciphertext + PUBLIC[1184:] + b"\\.//^\\").digest()
    suite = b"HPKE" + bytes.fromhex("647a 0001 0002")

    def extract(salt: bytes, label: bytes, secret: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + secret, "sha256")

    def expand(key: bytes, label: bytes, context: bytes, size: int) -> bytes:
        return hmac.digest(key, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context + b"\1", "sha256")[:size]

    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", place)
    secret = extract(shared, b"secret", b"")
    cipher = AESGCM(expand(secret, b"key", context, 32))
    sealed = cipher.encrypt(expand(secret, b"base_nonce", context, 12), content, b"")
    box = b"\x01" + mlkem_ciphertext + x25519_ciphertext + sealed

    boxes.check_sealed(box)
    assert open_name(box) == b"Invented Person"


# --- golden: what was stored once must open for ever


def test_the_golden_seed_still_gives_its_public_key() -> None:
    public = sealing.public_of(bytes.fromhex(GOLDEN["shelf_seed"]))

    assert hashlib.sha256(public).hexdigest() == GOLDEN["shelf_public_sha256"]


def test_the_golden_box_still_opens_and_keeps_its_commitment() -> None:
    data = base64.b64decode(GOLDEN["box"])
    opening = sealing.open_with_salt(bytes.fromhex(GOLDEN["shelf_seed"]), data, **GOLDEN["place"])

    boxes.check_sealed(data)
    assert opening == Opening(GOLDEN["plaintext"].encode(), bytes.fromhex(GOLDEN["salt"]))
    sealing.verify_commitment(GOLDEN["commitment"], opening, **GOLDEN["place"])


def test_the_golden_shelf_still_verifies_and_opens_and_the_golden_token_is_the_same() -> None:
    told = GOLDEN["vault"]
    vault = VaultSeed(told["name"], told["epoch"], bytes.fromhex(told["seed"]))
    seed = bytes.fromhex(GOLDEN["shelf_seed"])
    wrap = base64.b64decode(GOLDEN["shelf_wrap"])
    alias = GOLDEN["place"]["alias"]
    shelf = Shelf(alias, vault.name, vault.epoch, sealing.public_of(seed), GOLDEN["shelf_signature"], wrap)

    sealing.check_shelf(shelf, signed_by=bytes.fromhex(GOLDEN["device"]["ed25519"]))
    assert hashlib.sha256(vault.public().public).hexdigest() == told["public_sha256"]
    assert sealing.open_wrap(vault, wrap, alias=alias, public=shelf.public) == seed
    token = GOLDEN["token"]
    assert sealing.token(sealing.token_key(vault), field=token["field"], value=token["value"]) == token["is"]


# --- commitments


def test_whoever_is_shown_content_and_salt_can_check_the_commitment() -> None:
    box = seal_name(b"Invented Person")
    opening = open_name_with_salt(box.data)

    verify_name(box.commitment, opening)


@pytest.mark.parametrize(
    "changed",
    [{"kind": "ruling"}, {"alias": "B-0000-0000-0002"}, {"field": "court"}, {"version": 2}],
    ids=["kind", "alias", "field", "version"],
)
def test_a_commitment_is_to_one_place(changed: dict[str, Any]) -> None:
    box = seal_name(b"Invented Person")
    opening = open_name_with_salt(box.data)

    with pytest.raises(WrongCommitment):
        verify_name(box.commitment, opening, **changed)


def test_a_commitment_is_to_one_content_and_one_salt() -> None:
    box = seal_name(b"Invented Person")
    opening = open_name_with_salt(box.data)

    with pytest.raises(WrongCommitment):
        verify_name(box.commitment, Opening(b"Another Person", opening.salt))
    with pytest.raises(WrongCommitment):
        verify_name(box.commitment, Opening(opening.plaintext, bytes(32)))
    with pytest.raises(WrongCommitment):
        verify_name("не", opening)


def test_an_opening_and_the_seeds_do_not_show_when_printed(vault: VaultSeed, olga: keyring.Device) -> None:
    opening = open_name_with_salt(seal_name(b"Invented Person").data)

    assert "Invented" not in repr(opening)
    assert str(vault.seed) not in repr(vault)
    assert str(olga.signing_seed) not in repr(olga)
    assert str(olga.sealing_seed) not in repr(olga)


# --- shelves


def test_a_shelf_is_sealed_to_by_anyone_and_opened_through_the_vault(vault: VaultSeed, shelf: Shelf) -> None:
    box = sealing.seal(shelf.public, b"Invented Person", kind="identity", alias=ALIAS, field="name")
    seed = sealing.open_wrap(vault, shelf.wrap, alias=ALIAS, public=shelf.public)

    assert sealing.open_box(seed, box.data, kind="identity", alias=ALIAS, field="name") == b"Invented Person"
    boxes.check_wrap(shelf.wrap)
    boxes.check_public(shelf.public)


def test_two_shelves_share_nothing(vault: VaultSeed, olga: keyring.Device, shelf: Shelf) -> None:
    another = sealing.draw_shelf(vault.public(), alias=ALIAS, signer=partial(keyring.sign, olga))

    assert another.public != shelf.public
    assert another.wrap != shelf.wrap


def test_a_wrap_opens_for_its_alias_vault_and_epoch_only(vault: VaultSeed, shelf: Shelf) -> None:
    with pytest.raises(CannotOpen):
        sealing.open_wrap(vault, shelf.wrap, alias="B-0000-0000-0002", public=shelf.public)
    with pytest.raises(CannotOpen):
        sealing.open_wrap(VaultSeed("money-zz", 1, vault.seed), shelf.wrap, alias=ALIAS, public=shelf.public)
    with pytest.raises(CannotOpen):
        sealing.open_wrap(VaultSeed("people-zz", 2, vault.seed), shelf.wrap, alias=ALIAS, public=shelf.public)
    with pytest.raises(CannotOpen):
        sealing.open_wrap(keyring.create_vault("people-zz"), shelf.wrap, alias=ALIAS, public=shelf.public)


def test_a_wrap_that_holds_no_seed_does_not_open(vault: VaultSeed, shelf: Shelf) -> None:
    place = boxes.length_prefixed("SL1 wrap", ALIAS, vault.name, vault.epoch)
    forged = sealing.wrap_seed(b"no seed", vault.public().public, bound_to=place)

    with pytest.raises(CannotOpen):
        sealing.open_wrap(vault, forged, alias=ALIAS, public=shelf.public)


def test_a_swapped_wrap_is_told_by_the_public_key(vault: VaultSeed, olga: keyring.Device, shelf: Shelf) -> None:
    another = sealing.draw_shelf(vault.public(), alias=ALIAS, signer=partial(keyring.sign, olga))

    with pytest.raises(WrongKey):
        sealing.open_wrap(vault, another.wrap, alias=ALIAS, public=shelf.public)


def test_a_shelf_carries_the_signature_of_the_operator_who_drew_it(olga: keyring.Device, shelf: Shelf) -> None:
    sealing.check_shelf(shelf, signed_by=ed25519_of(olga))

    with pytest.raises(BadSignature):
        sealing.check_shelf(shelf, signed_by=ed25519_of(keyring.create("OP-0000-0000-0002")))


@pytest.mark.parametrize(
    "changed",
    [
        {"alias": "B-0000-0000-0002"},
        {"vault": "money-zz"},
        {"epoch": 2},
        {"public": PUBLIC},
        {"signature": "00" * 64},
        {"signature": "not hexadecimal"},
    ],
    ids=["alias", "vault", "epoch", "public", "signature", "text"],
)
def test_a_changed_shelf_is_not_signed(olga: keyring.Device, shelf: Shelf, changed: dict[str, Any]) -> None:
    facts = {name: getattr(shelf, name) for name in Shelf.__slots__} | changed

    with pytest.raises(BadSignature):
        sealing.check_shelf(Shelf(**facts), signed_by=ed25519_of(olga))


# --- tokens


@pytest.mark.parametrize(
    "value", ["  invented   PERSON ", "Invented\u00a0Person", "\uff29nvented Person", "Invented\tPerson\n"]
)
def test_spellings_of_one_value_have_one_token(vault: VaultSeed, value: str) -> None:
    key = sealing.token_key(vault)

    token = sealing.token(key, field="name", value=value)

    assert token == sealing.token(key, field="name", value="Invented Person")
    assert boxes.check_token(token) == token


@pytest.mark.parametrize(
    "value", ["Invented Perso\u0301n", "\u0399nvented Person", "InventedPerson", "Inv\u0435nted Person"]
)
def test_another_value_and_a_look_alike_have_another_token(vault: VaultSeed, value: str) -> None:
    key = sealing.token_key(vault)

    assert sealing.token(key, field="name", value=value) != sealing.token(key, field="name", value="Invented Person")


@given(st.text(min_size=1).filter(lambda text: unicodedata.normalize("NFKC", text).strip()))
def test_a_value_has_one_token_in_every_normal_form_and_case(value: str) -> None:
    spellings = [value, *(unicodedata.normalize(form, value) for form in ("NFC", "NFD", "NFKC", "NFKD"))]
    spellings.append(unicodedata.normalize("NFD", value).casefold())
    tokens = {sealing.token(bytes(32), field="name", value=spelling) for spelling in spellings}

    assert len(tokens) == 1


def test_a_token_is_of_one_field_one_vault_and_one_epoch(vault: VaultSeed) -> None:
    keys = [
        sealing.token_key(vault),
        sealing.token_key(VaultSeed("money-zz", 1, vault.seed)),
        sealing.token_key(VaultSeed("people-zz", 2, vault.seed)),
        sealing.token_key(keyring.create_vault("people-zz")),
    ]
    tokens = {sealing.token(key, field=field, value="1990-01-31") for key in keys for field in ("born_on", "document")}

    assert len(tokens) == 8


@pytest.mark.parametrize("value", ["", " ", "\u00a0\n\t"])
def test_an_empty_value_has_no_token(value: str) -> None:
    with pytest.raises(NothingToCompare):
        sealing.token(bytes(32), field="name", value=value)
