from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from api.client import keyring, sealing
from api.client.sealing import WrongKey
from ledger import people
from ledger.aliases import AliasTaken, Kind, draw
from ledger.identities import boxes, readings, shelves, vaults
from ledger.identities.boxes import BadDigest, NotASealedBox
from ledger.identities.person_keys import ShredKeyMissing, WrapDoesNotUnlock
from ledger.identities.shelves import (
    NewBox,
    NewShelf,
    PersonKey,
    Reason,
    Shelf,
    ShelfNotSigned,
    UnknownShelf,
    UnknownVault,
)
from ledger.identities.vaults import NewWrap
from tests.cast import NOW, House, Person, a_shelf, everything, nothing_written, sealed

CANARY = "Kanareika Invented-Person"


@pytest.fixture
def alias() -> str:
    return draw(Kind.BENEFICIARY)


def a_new_shelf(house: House, alias: str, *, by: Person | None = None) -> NewShelf:
    """What Ana's client sends to put up a shelf."""
    drawn = a_shelf(house.fund, alias, by=by or house.fund.ana)
    return NewShelf(drawn.alias, drawn.vault, drawn.epoch, drawn.public, drawn.signature, drawn.wrap)


def put_up(house: House, new: NewShelf, *, signer: Person | None = None) -> Shelf:
    by = (signer or house.fund.ana).operator
    return shelves.put_up(house.session, new, signer=by, shred_keys=house.shred_keys)


def open_(house: House, alias: str, *, by: Person | None = None, reason: Reason = Reason.APPROVAL) -> shelves.Opened:
    operator = (by or house.fund.boris).alias
    return shelves.open_shelf(
        house.session, alias, operator=operator, reason=reason, at=NOW, shred_keys=house.shred_keys
    )


def identity(shelf: Shelf, *, version: int = 1, content: str = CANARY) -> NewBox:
    return sealed(
        shelf.sealing_key,
        kind="beneficiary",
        alias=shelf.alias,
        field="identity",
        content=content,
        version=version,
    )


# --- putting up


def test_what_is_sealed_to_a_shelf_opens_with_its_vault_and_nothing_shows_it(house: House, alias: str) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    shelves.keep(house.session, [identity(shelf)], shelf=alias)

    opened = open_(house, alias)
    seed = sealing.open_wrap(house.fund.vault, opened.wrap, alias=alias, public=opened.shelf.sealing_key)
    (box,) = opened.boxes
    told = sealing.open_with_salt(seed, box.data, kind=box.kind, alias=box.alias, field=box.field)

    assert told.plaintext.decode() == CANARY
    sealing.verify_commitment(box.commitment, told, kind=box.kind, alias=box.alias, field=box.field)
    assert not [word for word in CANARY.split() if word in repr(everything(house.session))]


def test_the_stored_wrap_is_worth_nothing_without_the_servers_key(house: House, alias: str) -> None:
    new = a_new_shelf(house, alias)
    put_up(house, new)

    stored = house.session.get_one(PersonKey, (alias, 1)).locked

    assert new.wrap not in stored
    assert house.shred_keys.unlock(stored, vault="people", alias=alias, epoch=1) == new.wrap


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"public": b"\0" * 1216}, NotASealedBox),
        ({"public": b""}, NotASealedBox),
        ({"wrap": b"\1" + b"\0" * 1168}, NotASealedBox),
        ({"wrap": b""}, NotASealedBox),
        ({"vault": "money"}, UnknownVault),
        ({"epoch": 2}, UnknownVault),
        ({"signature": "0" * 128}, ShelfNotSigned),
        ({"signature": ""}, ShelfNotSigned),
        ({"alias": "B-0000-0000-0001"}, ShelfNotSigned),
    ],
)
def test_a_shelf_that_is_not_as_its_bringer_signed_it_is_refused(
    house: House, alias: str, change: dict[str, Any], refusal: type[Exception]
) -> None:
    with nothing_written(house.session), pytest.raises(refusal):
        put_up(house, replace(a_new_shelf(house, alias), **change))


def test_a_shelf_with_another_key_than_the_signed_one_is_refused(house: House, alias: str) -> None:
    honest, planted = a_new_shelf(house, alias), a_new_shelf(house, alias)

    with nothing_written(house.session), pytest.raises(ShelfNotSigned):
        put_up(house, replace(honest, public=planted.public))


def test_a_shelf_signed_by_somebody_else_is_refused(house: House, alias: str, boris: Person) -> None:
    with nothing_written(house.session), pytest.raises(ShelfNotSigned):
        put_up(house, a_new_shelf(house, alias, by=boris))


def test_an_alias_has_one_shelf(house: House, alias: str) -> None:
    put_up(house, a_new_shelf(house, alias))

    with nothing_written(house.session), pytest.raises(AliasTaken):
        put_up(house, a_new_shelf(house, alias))


def test_without_the_vaults_shred_key_no_shelf_is_put_up(house: House, alias: str) -> None:
    (house.shred_keys.directory / "people.key").unlink()

    with nothing_written(house.session), pytest.raises(ShredKeyMissing):
        put_up(house, a_new_shelf(house, alias))


# --- boxes


def test_plain_text_is_not_kept(house: House, alias: str) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    box = identity(shelf)

    with nothing_written(house.session), pytest.raises(NotASealedBox):
        shelves.keep(house.session, [replace(box, data=CANARY.encode().ljust(len(box.data)))], shelf=alias)
    with nothing_written(house.session), pytest.raises(BadDigest):
        shelves.keep(house.session, [replace(box, commitment=CANARY)], shelf=alias)


def test_a_box_does_not_replace_another(house: House, alias: str) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    shelves.keep(house.session, [identity(shelf)], shelf=alias)

    with nothing_written(house.session), pytest.raises(AliasTaken):
        shelves.keep(house.session, [identity(shelf)], shelf=alias)


def test_of_several_boxes_all_are_kept_or_none(house: House, alias: str) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    good, bad = identity(shelf), replace(identity(shelf, version=2), data=b"")

    with nothing_written(house.session), pytest.raises(NotASealedBox):
        shelves.keep(house.session, [good, bad], shelf=alias)
    with nothing_written(house.session), pytest.raises(AliasTaken):
        shelves.keep(house.session, [good, good], shelf=alias)


def test_commitments_are_those_of_the_newest_versions(house: House, alias: str) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    first, second = identity(shelf), identity(shelf, version=2, content="corrected")
    shelves.keep(house.session, [second, first], shelf=alias)

    assert shelves.commitments(house.session, [alias]) == [second.commitment]
    both = sorted([first.commitment, second.commitment])
    assert shelves.commitments(house.session, [alias], newest_only=False) == both
    assert shelves.commitments(house.session, ["B-0000-0000-0001"]) == []
    assert shelves.commitments(house.session, []) == []


# --- opening


def test_opening_is_logged_with_who_why_when_and_what(house: House, alias: str, boris: Person) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    box = identity(shelf)
    shelves.keep(house.session, [box], shelf=alias)

    open_(house, alias, reason=Reason.VERIFICATION)

    (access,) = readings.page(house.session, limit=10)
    assert (access.operator, access.shelf_alias, access.at) == (boris.alias, alias, NOW)
    assert (access.reason, access.boxes) == (Reason.VERIFICATION, box.commitment)


def test_the_newest_readings_come_first(house: House, alias: str) -> None:
    put_up(house, a_new_shelf(house, alias))
    for reason in (Reason.VERIFICATION, Reason.APPROVAL, Reason.PAYMENT):
        open_(house, alias, reason=reason)

    newest = readings.page(house.session, limit=2)

    assert [access.reason for access in newest] == [Reason.PAYMENT, Reason.APPROVAL]


def test_the_log_of_readings_is_never_changed(house: House, alias: str) -> None:
    put_up(house, a_new_shelf(house, alias))
    open_(house, alias)

    for statement in ("UPDATE access SET operator = 'x'", "DELETE FROM access"):
        refused = pytest.raises(DBAPIError, match="rows are only added")
        with nothing_written(house.session), refused, house.session.begin_nested():
            house.session.connection().execute(text(statement))


def test_an_unknown_shelf_and_an_erased_one_look_the_same(house: House, alias: str) -> None:
    put_up(house, a_new_shelf(house, alias))
    house.session.delete(house.session.get_one(PersonKey, (alias, 1)))
    told = []

    for wanted in (alias, "B-0000-0000-0001"):
        with nothing_written(house.session), pytest.raises(UnknownShelf) as refusal:
            open_(house, wanted)
        told.append((refusal.value.message, refusal.value.data))

    assert told[0] == told[1]


def test_a_wrap_swapped_in_the_database_does_not_unlock(house: House, alias: str) -> None:
    other = draw(Kind.BENEFICIARY)
    for each in (alias, other):
        put_up(house, a_new_shelf(house, each))
    house.session.get_one(PersonKey, (alias, 1)).locked = house.session.get_one(PersonKey, (other, 1)).locked

    with nothing_written(house.session), pytest.raises(WrapDoesNotUnlock):
        open_(house, alias)


def test_a_shelf_whose_key_was_swapped_in_the_database_is_found_out(house: House, alias: str) -> None:
    new, planted = a_new_shelf(house, alias), a_new_shelf(house, alias)
    shelf = put_up(house, new)
    shelf.sealing_key = planted.public

    opened = open_(house, alias)

    with pytest.raises(WrongKey):
        sealing.open_wrap(house.fund.vault, opened.wrap, alias=alias, public=opened.shelf.sealing_key)
    signed = boxes.shelf_message(alias, opened.shelf.sealing_key, opened.shelf.vault, opened.shelf.epoch)
    assert not people.holds(house.fund.ana.operator.signing_key, signed, opened.shelf.signature)


def test_who_was_handed_every_needed_box_has_opened_it(house: House, alias: str, boris: Person) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    first, second = identity(shelf), identity(shelf, version=2)
    has_opened = partial(shelves.has_opened, house.session, shelf=alias)
    shelves.keep(house.session, [first], shelf=alias)
    open_(house, alias)
    shelves.keep(house.session, [second], shelf=alias)

    assert has_opened(operator=boris.alias, needed=[first.commitment])
    assert not has_opened(operator=boris.alias, needed=[first.commitment, second.commitment])
    assert not has_opened(operator=house.fund.bella.alias, needed=[first.commitment])
    open_(house, alias)
    assert has_opened(operator=boris.alias, needed=[first.commitment, second.commitment])


def test_having_opened_another_shelf_does_not_count(house: House, alias: str, boris: Person) -> None:
    shelf = put_up(house, a_new_shelf(house, alias))
    box = identity(shelf)
    shelves.keep(house.session, [box], shelf=alias)
    open_(house, alias)

    assert not shelves.has_opened(
        house.session, operator=boris.alias, shelf=draw(Kind.BENEFICIARY), needed=[box.commitment]
    )


# --- tokens


def test_things_that_share_a_token_find_each_other_and_nothing_else(house: House) -> None:
    for alias, value in (("C-1", "a"), ("C-2", "a"), ("C-3", "b")):
        shelves.note_tokens(house.session, [(1, "ruling", value * 64)], alias=alias)
    shelves.note_tokens(house.session, [(1, "person", "a" * 64)], alias="C-4")

    assert shelves.sharing_tokens(house.session, "C-1", field="ruling") == ["C-2"]
    assert shelves.sharing_tokens(house.session, "C-3", field="ruling") == []
    assert shelves.sharing_tokens(house.session, "C-4", field="ruling") == []
    assert shelves.aliases_with(house.session, field="ruling", value="a" * 64) == ["C-1", "C-2"]


def test_duplicates_are_found_across_epochs(house: House) -> None:
    shelves.note_tokens(house.session, [(1, "ruling", "a" * 64)], alias="C-1")
    shelves.note_tokens(house.session, [(1, "ruling", "a" * 64), (2, "ruling", "b" * 64)], alias="C-2")
    shelves.note_tokens(house.session, [(2, "ruling", "b" * 64)], alias="C-3")

    assert shelves.sharing_tokens(house.session, "C-2", field="ruling") == ["C-1", "C-3"]


@pytest.mark.parametrize("value", [CANARY, "", "a" * 63, "A" * 64])
def test_what_is_no_token_is_neither_kept_nor_looked_for(house: House, value: str) -> None:
    with nothing_written(house.session), pytest.raises(BadDigest):
        shelves.note_tokens(house.session, [(1, "person", value)], alias="C-1")
    with pytest.raises(BadDigest):
        shelves.aliases_with(house.session, field="person", value=value)


# --- vaults


def keep_wrap(session: Session, *, vault: str, epoch: int, member: str, wrap: bytes, at: datetime) -> None:
    vaults.keep_wrap(session, NewWrap(vault, epoch, member, wrap), at=at)


def test_a_member_gets_the_vault_back_out_of_the_servers_wrap(house: House, boris: Person) -> None:
    vault = house.fund.vault
    wrap = keyring.wrap_vault(vault, bytes.fromhex(boris.operator.sealing_key), member=boris.alias)

    vaults.keep_wrap(house.session, NewWrap("people", 1, boris.alias, wrap), at=NOW)

    (kept,) = shelves.vault_wraps(house.session, vault="people", member=boris.alias)
    assert keyring.unwrap_vault(boris.device, kept.wrap, vault=vault.public()) == vault
    assert shelves.vault_wraps(house.session, vault="people", member=house.fund.ana.alias) == []


def test_the_ledger_itself_keeps_no_wrap_for_strangers_nor_for_vaults_that_the_roster_does_not_name(
    house: House, boris: Person
) -> None:
    wrap = keyring.wrap_vault(house.fund.vault, bytes.fromhex(boris.operator.sealing_key), member=boris.alias)
    honest: dict[str, Any] = {"vault": "people", "epoch": 1, "member": boris.alias, "wrap": wrap, "at": NOW}
    lies: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"member": draw(Kind.OPERATOR)}, people.UnknownOperator),
        ({"at": NOW.replace(year=boris.operator.expires_on.year + 1)}, people.UnknownOperator),
        ({"epoch": 2}, shelves.UnknownVault),
        ({"vault": "donors"}, shelves.UnknownVault),
    ]

    for lie, error in lies:
        with nothing_written(house.session), pytest.raises(error):
            keep_wrap(house.session, **(honest | lie))


def test_a_members_wrap_is_kept_once_and_not_replaced(house: House, boris: Person) -> None:
    first, second = (
        keyring.wrap_vault(house.fund.vault, bytes.fromhex(boris.operator.sealing_key), member=boris.alias)
        for _ in range(2)
    )
    keep = partial(keep_wrap, house.session, vault="people", epoch=1, member=boris.alias, at=NOW)
    keep(wrap=first)

    with nothing_written(house.session):
        keep(wrap=first)
    with nothing_written(house.session), pytest.raises(AliasTaken):
        keep(wrap=second)
    with nothing_written(house.session), pytest.raises(NotASealedBox):
        keep(wrap=house.fund.vault.seed)
