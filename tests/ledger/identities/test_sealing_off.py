"""The emergency: sealed off in an instant, opened with recovered keys, or shredded by two officers."""

import secrets
import shutil
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from api.client import keyring
from ledger import bearer_keys, emergency, people
from ledger.aliases import Kind, draw
from ledger.bearer_keys import KeyRefused
from ledger.emergency import BadShredOrder, NotSealed, ShredNotSigned, ShredOrder, ShredOrderExpired, Step
from ledger.errors import LedgerError
from ledger.identities import sealing_off
from ledger.identities.person_keys import (
    ShredKeyMissing,
    ShredKeys,
    ShredKeysRemain,
    ShredKeyUnsafe,
    write_secret,
)
from ledger.identities.sealing_off import NotTheShredKey
from ledger.identities.shelves import Box, PersonKey, VaultWrap
from ledger.people import Role
from ledger.storage.engine import transaction
from tests.cast import BOOK_ID, NOW, House, Person, engine_of, nothing_written

BEARER = "sl_invented"


def admit_a_key(house: House) -> None:
    bearer_keys.admit(
        house.session,
        alias=draw(Kind.KEY),
        operator=house.fund.ana.alias,
        roles=frozenset({Role.INTAKE}),
        key_digest=sha256(BEARER.encode()).hexdigest(),
        expires_on=NOW.date(),
        created_at=NOW,
    )
    house.session.commit()


def a_copy_of(keys: ShredKeys, folder: Path) -> ShredKeys:
    shutil.copytree(keys.directory, folder)
    return ShredKeys(folder)


def seal_off(house: House) -> int:
    return sealing_off.seal_off(engine_of(house.session), shred_keys=house.shred_keys, at=NOW)


def an_order(house: House, *, at: datetime = NOW, **other: Any) -> bytes:
    told = {"book": BOOK_ID, "roster": people.digest(people.current(house.session))}
    return ShredOrder(format="solidarity-shred-1", at=at, nonce=secrets.token_hex(16), **(told | other)).canonical()


def signatures(order: bytes, *signers: Person) -> dict[str, str]:
    return {who.alias: keyring.sign(who.device, emergency.SHRED_DOMAIN + order) for who in signers}


def test_sealing_off_destroys_every_shred_key_and_refuses_every_bearer_key(house: House) -> None:
    case = house.a_case()
    admit_a_key(house)
    house.shred_keys.create("money")
    assert bearer_keys.authenticate(house.session, BEARER, now=NOW).operator.alias == house.fund.ana.alias

    assert seal_off(house) == 2

    assert list(house.shred_keys.directory.glob("*.key")) == []
    with pytest.raises(KeyRefused):
        bearer_keys.authenticate(house.session, BEARER, now=NOW)
    with pytest.raises(ShredKeyMissing):
        house.open(case, by=house.fund.boris)


def test_sealing_off_twice_is_one_emergency(house: House) -> None:
    assert (seal_off(house), seal_off(house)) == (1, 0)

    assert [one.step for one in emergency.steps(house.session)] == [Step.SEALED]


def test_a_shred_key_is_overwritten_before_it_is_removed(house: House, tmp_path: Path) -> None:
    (file,) = house.shred_keys.directory.glob("*.key")
    before = file.read_bytes()
    (tmp_path / "same file").hardlink_to(file)

    seal_off(house)

    assert (tmp_path / "same file").read_bytes() != before
    assert len((tmp_path / "same file").read_bytes()) == len(before)


def test_bearer_keys_are_suspended_though_a_file_cannot_be_removed(house: House) -> None:
    admit_a_key(house)
    (house.shred_keys.directory / "stuck.key").mkdir()

    with pytest.raises(ShredKeysRemain) as refusal:
        seal_off(house)

    assert refusal.value.data == {"remaining": 1, "removed": 1}
    with pytest.raises(KeyRefused):
        bearer_keys.authenticate(house.session, BEARER, now=NOW)


def test_recovered_keys_open_the_fund_again(house: House, tmp_path: Path) -> None:
    case = house.a_case()
    admit_a_key(house)
    recovered = a_copy_of(house.shred_keys, tmp_path / "recovered")
    seal_off(house)

    vaults = sealing_off.put_back(house.session, recovered=recovered, into=house.shred_keys, at=NOW)

    assert vaults == ["people"]
    assert bearer_keys.authenticate(house.session, BEARER, now=NOW).roles == {Role.INTAKE}
    assert house.open(case, by=house.fund.boris).boxes
    assert [one.step for one in emergency.steps(house.session)] == [Step.SEALED, Step.LIFTED]


def _another(_: ShredKeys, folder: Path) -> ShredKeys:
    keys = ShredKeys(folder)
    keys.create("people")
    return keys


def _none(_: ShredKeys, folder: Path) -> ShredKeys:
    folder.mkdir()
    return ShredKeys(folder)


def _cut(_: ShredKeys, folder: Path) -> ShredKeys:
    folder.mkdir()
    write_secret(folder / "people.key", b"x" * 31)
    return ShredKeys(folder)


@pytest.mark.parametrize(
    ("made", "refusal"), [(_another, NotTheShredKey), (_none, NotTheShredKey), (_cut, ShredKeyUnsafe)]
)
def test_a_key_that_unlocks_nothing_does_not_end_an_emergency(
    house: House, tmp_path: Path, made: Any, refusal: type[LedgerError]
) -> None:
    house.a_case()
    wrong = made(house.shred_keys, tmp_path / "recovered")
    seal_off(house)

    with nothing_written(house.session), pytest.raises(refusal):
        sealing_off.put_back(house.session, recovered=wrong, into=house.shred_keys, at=NOW)

    assert house.shred_keys.vaults() == []


def test_without_an_emergency_there_is_nothing_to_lift(house: House, tmp_path: Path) -> None:
    recovered = a_copy_of(house.shred_keys, tmp_path / "recovered")

    with nothing_written(house.session), pytest.raises(NotSealed):
        sealing_off.put_back(house.session, recovered=recovered, into=house.shred_keys, at=NOW)


def test_two_officers_shred_everybody_and_the_boxes_stay_shut(house: House) -> None:
    house.a_case()
    house.session.add(VaultWrap(vault="people", epoch=1, member=house.fund.ana.alias, wrap=b"invented"))
    house.session.commit()
    boxes = len(house.session.exec(select(Box)).all())
    order = an_order(house)
    signed = signatures(order, house.fund.olga, house.fund.oleg)

    assert sealing_off.shred(house.session, order, signed, shred_keys=house.shred_keys, now=NOW) == 1
    house.session.commit()

    with transaction(engine_of(house.session), write=False) as session:
        assert session.exec(select(PersonKey)).all() == []
        assert session.exec(select(VaultWrap)).all() == []
        assert len(session.exec(select(Box)).all()) == boxes > 0
        assert emergency.is_sealed(session)
    assert house.shred_keys.vaults() == []


def _by(*names: str) -> Any:
    return lambda house, order: signatures(order, *(getattr(house.fund, name) for name in names))


def _of_another(house: House, _: bytes) -> dict[str, str]:
    return signatures(an_order(house), house.fund.olga, house.fund.oleg)


def _under_two_names(house: House, order: bytes) -> dict[str, str]:
    (signature,) = signatures(order, house.fund.olga).values()
    return {house.fund.olga.alias: signature, house.fund.oleg.alias: signature}


@pytest.mark.parametrize(
    "signed", [_by(), _by("olga"), _by("olga", "boris"), _by("boris", "bella", "ana"), _of_another, _under_two_names]
)
def test_less_than_two_officers_shred_nobody(house: House, signed: Any) -> None:
    house.a_case()
    order = an_order(house)

    with nothing_written(house.session), pytest.raises(ShredNotSigned):
        sealing_off.shred(house.session, order, signed(house, order), shred_keys=house.shred_keys, now=NOW)

    assert house.shred_keys.vaults() == ["people"]


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ({"book": "0" * 32}, BadShredOrder),
        ({"roster": "0" * 64}, BadShredOrder),
        ({"at": NOW - timedelta(hours=25)}, ShredOrderExpired),
        ({"at": NOW + timedelta(minutes=6)}, ShredOrderExpired),
    ],
)
def test_an_order_for_another_book_roster_or_day_shreds_nobody(
    house: House, other: dict[str, Any], refusal: type[LedgerError]
) -> None:
    house.a_case()
    order = an_order(house, **other)
    signed = signatures(order, house.fund.olga, house.fund.oleg)

    with nothing_written(house.session), pytest.raises(refusal):
        sealing_off.shred(house.session, order, signed, shred_keys=house.shred_keys, now=NOW)

    assert house.shred_keys.vaults() == ["people"]


@pytest.mark.parametrize("document", ["", "{}", "\ud800", '{"format": "solidarity-shred-1"}'])
def test_what_is_no_order_is_refused(document: str) -> None:
    with pytest.raises(BadShredOrder):
        emergency.read_order(document)


def test_an_order_in_another_spelling_is_refused(house: House) -> None:
    with pytest.raises(BadShredOrder):
        emergency.read_order(an_order(house) + b" ")
