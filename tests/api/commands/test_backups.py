"""Backups: books and keyring apart, brought back whole, without whoever was erased since."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from api.commands import backups
from api.commands.backups import Backup, CannotDecrypt, KeyringExpired, Lock, NoRecipient, OnePlace, OtherBackup, Unlock
from ledger.errors import LedgerError
from ledger.identities.shelves import UnknownShelf
from ledger.storage import guards
from ledger.storage.copies import CopyDamaged, NotEmpty
from ledger.storage.engine import open_database, transaction
from tests import donors as made
from tests import key_files
from tests.bookcheck import assert_it_holds
from tests.cast import NOW, House, byn, engine_of, everything, give


@cache
def the_identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def lock() -> Lock:
    return Lock(recipients=[str(the_identity().to_public())])


def unlocked(backup: Backup) -> bytes:
    return Unlock(identity=str(the_identity())).decrypt(backup.keyring.read_bytes())


def back_up(house: House, folder: Path) -> Backup:
    return backups.create(engine_of(house.session), books=folder / "b", keyring=folder / "k", lock=lock(), now=NOW)


def tables_of(engine: Engine) -> dict[str, list[str]]:
    with Session(engine) as session:
        return everything(session)


def test_books_and_keyring_come_back_row_for_row_under_their_guards(
    house: House, engine: Engine, empty_engine: Engine, tmp_path: Path
) -> None:
    give(house.session, byn("5000.00"))
    released = house.a_released_payment()
    backup = back_up(house, tmp_path)

    restored = backups.restore(empty_engine, books=backup.books, keyring=unlocked(backup), erased=[], now=NOW)

    assert tables_of(empty_engine) == tables_of(engine)
    assert (restored.keys, restored.erased_again) == (1 + 3, 0)  # the key, and the tokens of its one row
    with engine.begin() as one, empty_engine.begin() as other:
        assert {*guards.installed(one)} == {*guards.installed(other)}
    with pytest.raises(DBAPIError, match="guard"), empty_engine.begin() as connection:
        connection.execute(text("DELETE FROM line"))
    with transaction(empty_engine) as session:
        again = house.in_another(session)
        assert again.open(again.a_case(), by=house.fund.boris).boxes != []  # it goes on: numbers are not drawn twice
        again.a_released_payment()
        assert released.reference


def test_a_book_of_either_database_comes_back_in_a_file_of_sqlite(house: House, engine: Engine, tmp_path: Path) -> None:
    give(house.session, byn("5000.00"))
    house.a_released_payment()
    backup = back_up(house, tmp_path)
    other = open_database(f"sqlite:///{tmp_path / 'elsewhere.db'}")

    backups.restore(other, books=backup.books, keyring=unlocked(backup), erased=[], now=NOW)

    assert {name: len(rows) for name, rows in tables_of(other).items()} == {
        name: len(rows) for name, rows in tables_of(engine).items()
    }
    other.dispose()


def test_receipts_that_replace_one_another_come_back_in_any_order(
    house: House, engine: Engine, empty_engine: Engine, tmp_path: Path
) -> None:
    donor = made.a_donor(made.furnish(house))
    gift, replaced = made.a_gift(house, byn("10.00"), of=donor), None
    for _ in range(5):
        replaced = made.issue(house, made.a_new_receipt(house.session, donor, gift, replaces=replaced)).alias
    backup = back_up(house, tmp_path)

    backups.restore(empty_engine, books=backup.books, keyring=unlocked(backup), erased=[], now=NOW)

    assert tables_of(empty_engine)["receipt"] == tables_of(engine)["receipt"]
    assert_it_holds(empty_engine)


def test_books_without_the_keyring_open_no_box(house: House, empty_engine: Engine, tmp_path: Path) -> None:
    case = house.a_case()
    backup = back_up(house, tmp_path)

    restored = backups.restore(empty_engine, books=backup.books, keyring=None, erased=[], now=NOW)

    assert restored.keys == 0
    with transaction(empty_engine) as session, pytest.raises(UnknownShelf):
        house.in_another(session).open(case, by=house.fund.boris)


def test_both_parts_are_of_one_moment_and_readable_by_their_owner_only(house: House, tmp_path: Path) -> None:
    house.a_case()

    backup = back_up(house, tmp_path)

    manifest = json.loads(backup.manifest.read_bytes())
    assert (manifest["created_at"], manifest["expires_on"]) == (NOW.isoformat(), "2020-12-20")
    assert {path.stat().st_mode & 0o077 for path in (backup.books, backup.keyring, backup.manifest)} == {0}


def test_a_passphrase_locks_a_keyring_too() -> None:
    sealed = Lock(passphrase=" invented words\n").encrypt(b"keys")

    assert Unlock(passphrase="invented words").decrypt(sealed) == b"keys"
    with pytest.raises(CannotDecrypt):
        Unlock(passphrase="other words").decrypt(key_files.encrypt(b"keys"))


@pytest.mark.parametrize("wrong", [Lock(), Lock(passphrase=" "), Lock(recipients=["age1nobody"])])
def test_a_keyring_is_never_written_plain(house: House, tmp_path: Path, wrong: Lock) -> None:
    engine = engine_of(house.session)

    with pytest.raises(NoRecipient):
        backups.create(engine, books=tmp_path / "b", keyring=tmp_path / "k", lock=wrong, now=NOW)

    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("places", [("x", "x"), ("x", "x/y"), ("x/y", "x"), ("x", "x/../x/k")])
def test_books_and_keyring_never_lie_in_one_place(house: House, tmp_path: Path, places: tuple[str, str]) -> None:
    books, keyring = (tmp_path / place for place in places)

    with pytest.raises(OnePlace):
        backups.create(engine_of(house.session), books=books, keyring=keyring, lock=lock(), now=NOW)

    assert not (tmp_path / "x").exists()


def _cut(content: bytes) -> bytes:
    return content[: content.rindex(b'{"rows"')]


def _without_a_row(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:-2] + lines[-1:])


@pytest.mark.parametrize(
    "damage",
    [_cut, _without_a_row, lambda content: content.replace(b"81000", b"91000"), lambda _: b"", lambda _: b"no copy\n"],
)
def test_a_damaged_copy_is_refused_before_anything_is_written(
    house: House, empty_engine: Engine, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    house.a_case()
    backup = back_up(house, tmp_path)
    damaged = damage(backup.books.read_bytes())
    assert damaged != backup.books.read_bytes()
    backup.books.write_bytes(damaged)

    with pytest.raises(CopyDamaged):
        backups.restore(empty_engine, books=backup.books, keyring=None, erased=[], now=NOW)

    assert tables_of(empty_engine) == {}


def test_only_an_empty_database_is_restored_into(house: House, engine: Engine, tmp_path: Path) -> None:
    house.a_case()
    backup = back_up(house, tmp_path)
    before = tables_of(engine)

    with pytest.raises(NotEmpty):
        backups.restore(engine, books=backup.books, keyring=None, erased=[], now=NOW)

    assert tables_of(engine) == before
    with engine.begin() as connection:
        assert guards.installed(connection) != {}


def test_a_keyring_that_should_be_gone_and_one_that_is_no_books_are_refused(
    house: House, empty_engine: Engine, tmp_path: Path
) -> None:
    backup = back_up(house, tmp_path)
    plain = tmp_path / "plain"
    plain.write_bytes(unlocked(backup))
    too_late = NOW + timedelta(days=32)
    tried: list[tuple[type[LedgerError], Path, bytes, datetime]] = [
        (KeyringExpired, backup.books, unlocked(backup), too_late),
        (OtherBackup, plain, unlocked(backup), NOW),
        (OtherBackup, backup.books, backup.books.read_bytes(), NOW),
    ]

    for refusal, books, keyring, now in tried:
        with pytest.raises(refusal):
            backups.restore(empty_engine, books=books, keyring=keyring, erased=[], now=now)

    assert tables_of(empty_engine) == {}


def test_expired_keyrings_are_pruned_and_strange_ones_are_told(house: House, tmp_path: Path) -> None:
    backup = back_up(house, tmp_path)
    strange = backup.keyring.with_name("keyring-20200101T000000Z.age")
    strange.write_bytes(b"?")

    with pytest.raises(CopyDamaged):
        backups.prune(tmp_path / "k", on=backup.expires_on)
    assert backup.keyring.exists()
    strange.unlink()
    assert backups.prune(tmp_path / "k", on=backup.expires_on) == []
    assert backups.prune(tmp_path / "k", on=backup.expires_on + timedelta(days=1)) == [backup.keyring.name]
    assert list((tmp_path / "k").iterdir()) == []
