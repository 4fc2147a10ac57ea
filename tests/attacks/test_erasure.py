"""Row 22: whoever takes the disk after an erasure finds no key in file, write-ahead log, free pages or a restore."""

import secrets
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from api.commands import backups
from api.commands.backups import Lock, Unlock
from ledger.aid import file_retention
from ledger.aid.beneficiaries import Beneficiary
from ledger.aid.cases import Case
from ledger.aid.eligibility import Rejection
from ledger.identities import erasure, evidence
from ledger.identities.erasure import KEYRING, Erasure
from ledger.identities.erasure_list import FILE_NAME, ErasureList
from ledger.identities.shelves import PersonKey, Token, UnknownShelf
from ledger.storage import residue
from ledger.storage.engine import open_database, transaction
from ledger.storage.residue import ResidueRemains
from tests.cast import NOW, House, agreed_by, engine_of
from tests.erasing import erase
from tests.filing import bring
from tests.raw_bytes import files_of, holds


@pytest.fixture
def listed(tmp_path: Path) -> ErasureList:
    return ErasureList(tmp_path / "shred" / FILE_NAME)


def key_of(house: House, case: Case) -> bytes:
    locked = house.session.get_one(PersonKey, (case.beneficiary_alias, 1)).locked
    house.session.rollback()
    return locked


@pytest.fixture
def reader(engine: Engine) -> Iterator[Session]:
    """Somebody who began to read and has not ended: on another connection."""
    other = open_database(engine.url.render_as_string(hide_password=False))
    with transaction(other, write=False) as session:
        session.exec(select(PersonKey)).all()
        yield session
    other.dispose()


def test_after_the_clearing_no_file_holds_the_key_of_somebody_erased(
    house: House, engine: Engine, listed: ErasureList
) -> None:
    case, other = house.a_case(), house.a_case()
    gone, kept = key_of(house, case), key_of(house, other)
    assert holds(files_of(engine), gone)
    erase(house, case, listed)
    before_clearing = holds(files_of(engine), gone)

    residue.clear(engine_of(house.session), tables=KEYRING)

    assert before_clearing  # it was there to be found: deletion alone is not erasure
    assert not holds(files_of(engine), gone)
    assert holds(files_of(engine), kept)
    assert house.open(other, by=house.fund.boris).boxes


def test_after_the_shredding_of_everybody_no_file_holds_a_key(house: House, engine: Engine) -> None:
    keys = [key_of(house, case) for case in (house.a_case(), house.a_case())]
    assert all(holds(files_of(engine), key) for key in keys)
    with transaction(engine_of(house.session)) as session:
        assert erasure.delete_all_keys(session) == len(keys)

    residue.clear(engine, tables=KEYRING)

    assert not any(holds(files_of(engine), key) for key in keys)


def test_after_the_clearing_no_file_holds_dropped_evidence(house: House, engine: Engine) -> None:
    case = house.a_case(rejection=Rejection.ILLEGIBLE)
    dropped, kept = (bring(house, case, keep_until=ended) for ended in (date(2020, 10, 31), None))
    gone, stays = (evidence.chunk(house.session, file.alias, 1, 1) or b"" for file in (dropped, kept))
    commitments = (dropped.commitment,)
    agreed = agreed_by(
        house.fund.boris, "drop_evidence", object=dropped.alias, version=1, evidence_commitments=commitments
    )
    file_retention.drop(house.session, dropped.alias, 1, agreed=agreed)
    house.session.commit()
    before_clearing = holds(files_of(engine), gone)

    residue.clear(engine_of(house.session), tables=["evidence_chunk"])

    assert before_clearing
    assert not holds(files_of(engine), gone)
    assert holds(files_of(engine), stays)


def test_nothing_is_called_cleared_while_somebody_still_reads(
    house: House, engine: Engine, listed: ErasureList, reader: Session
) -> None:
    case = house.a_case()
    erase(house, case, listed)
    reader.rollback()
    reader.exec(select(Erasure)).all()
    with transaction(engine) as session:
        session.add(Token(field="person", value=secrets.token_hex(32), alias="C-0000-0000-0001", epoch=1))

    with pytest.raises(ResidueRemains) as refusal:
        residue.clear(engine, tables=KEYRING, patience=0.3)

    assert refusal.value.data == {"why": "readers"}


def test_a_server_that_recycles_its_log_is_told_from_one_that_does_not(house: House, engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        residue.clear(engine_of(house.session), tables=KEYRING)
        log = Path(f"{engine.url.database}-wal")
        assert not log.exists() or not log.stat().st_size
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("on", "off"):
            connection.execute(text(f"ALTER SYSTEM SET wal_recycle = {setting}"))
            connection.execute(text("SELECT pg_reload_conf()"))
            if setting == "on":
                _wait_for_recycling(engine)
                with pytest.raises(ResidueRemains) as refusal:
                    residue.clear(engine_of(house.session), tables=KEYRING)
                assert refusal.value.data == {"why": "wal"}


def _wait_for_recycling(engine: Engine) -> None:
    for _ in range(100):
        with engine.connect() as connection:
            if connection.scalar(text("SELECT current_setting('wal_recycle')")) == "on":
                return
        engine.dispose()


def test_a_restored_backup_does_not_bring_an_erased_person_back(
    house: House, engine: Engine, empty_engine: Engine, listed: ErasureList, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    case, other = (house.a_case(name="Invented Twin") for _ in range(2))
    gone, kept = key_of(house, case), key_of(house, other)
    lock = Lock(recipients=[str(identity.to_public())])
    backup = backups.create(engine_of(house.session), books=tmp_path / "b", keyring=tmp_path / "k", lock=lock, now=NOW)
    erase(house, case, listed)
    plain = Unlock(identity=str(identity)).decrypt(backup.keyring.read_bytes())

    restored = backups.restore(empty_engine, books=backup.books, keyring=plain, erased=listed.read(), now=NOW)

    assert restored.erased_again == 1
    with transaction(empty_engine) as session:
        again = house.in_another(session)
        assert session.exec(select(PersonKey.alias)).all() == [other.beneficiary_alias]
        assert {token.alias for token in session.exec(select(Token))} == {other.alias}
        assert all(one.alike_since is None for one in session.exec(select(Beneficiary)))  # the other is not asked about
        assert erasure.standing(session.get_one(Erasure, case.beneficiary_alias), on=NOW.date()).until
        with pytest.raises(UnknownShelf):
            again.open(case, by=house.fund.boris)
        assert again.open(other, by=house.fund.boris).boxes
    if engine.dialect.name == "sqlite":  # PostgreSQL's files are those of both databases
        assert not holds(files_of(empty_engine), gone)
    assert holds(files_of(empty_engine), kept)


def test_the_same_restore_without_the_list_brings_the_person_back(
    house: House, empty_engine: Engine, listed: ErasureList, tmp_path: Path
) -> None:
    """The control: it is the list that keeps them erased, not the backup."""
    identity = pyrage.x25519.Identity.generate()
    case = house.a_case()
    lock = Lock(recipients=[str(identity.to_public())])
    backup = backups.create(engine_of(house.session), books=tmp_path / "b", keyring=tmp_path / "k", lock=lock, now=NOW)
    erase(house, case, listed)
    plain = Unlock(identity=str(identity)).decrypt(backup.keyring.read_bytes())

    backups.restore(empty_engine, books=backup.books, keyring=plain, erased=[], now=NOW)

    with transaction(empty_engine) as session:
        assert house.in_another(session).open(case, by=house.fund.boris).boxes
