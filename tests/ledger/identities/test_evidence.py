from datetime import date

import pytest
from sqlalchemy import text
from sqlmodel import col, delete, select

from ledger.aid.cases import Case
from ledger.checks import findings
from ledger.checks.files import CHECKS
from ledger.identities import boxes, evidence
from ledger.identities.evidence import (
    BadEvidence,
    EvidenceChunk,
    EvidenceFile,
    TooManyFiles,
    UnknownEvidence,
    VersionTaken,
)
from ledger.identities.shelves import Access, PersonKey, Reason, UnknownShelf
from tests.cast import NOW, House, nothing_written, race
from tests.filing import bring, declare, put


def current(house: House, case: Case) -> list[EvidenceFile]:
    return evidence.current(house.session, [case.alias])[case.alias]


def test_a_file_counts_once_its_last_chunk_has_come_in_any_order(house: House) -> None:
    case = house.a_case()
    file, chunks = declare(house, case, content=bytes(boxes.CHUNK_BYTES + 1))

    put(house.session, file, 2, chunks[1])
    assert current(house, case) == []
    put(house.session, file, 1, chunks[0])

    assert current(house, case) == [file]
    assert [evidence.chunk(house.session, file.alias, 1, number) for number in (1, 2, 3)] == [*chunks, None]


def test_the_newest_version_replaces_the_older_and_both_stay(house: House) -> None:
    case = house.a_case()
    first = bring(house, case)
    unfinished, _ = declare(house, case, alias=first.alias, version=2)
    assert current(house, case) == [first]

    second = bring(house, case, alias=first.alias, version=2)

    assert unfinished.commitment != second.commitment
    assert current(house, case) == [second]
    assert evidence.of_subject(house.session, case.alias) == [first, second]


@pytest.mark.parametrize("version", [1, 3])
def test_versions_follow_each_other(house: House, version: int) -> None:
    case = house.a_case()
    first = bring(house, case)

    with nothing_written(house.session), pytest.raises(VersionTaken):
        declare(house, case, alias=first.alias, version=version)


def test_an_item_stays_with_its_case(house: House) -> None:
    first = bring(house, house.a_case())
    other = house.a_case()

    with nothing_written(house.session), pytest.raises(VersionTaken):
        declare(house, other, alias=first.alias, version=2)


def test_a_case_has_only_so_many_files(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST_FILES", 1)
    case = house.a_case()
    bring(house, case)

    with nothing_written(house.session), pytest.raises(TooManyFiles):
        declare(house, case)


def test_nothing_is_brought_or_handed_out_once_the_key_is_erased(house: House) -> None:
    case = house.a_case()
    file = bring(house, case)
    house.session.exec(delete(PersonKey).where(col(PersonKey.alias) == case.beneficiary_alias))

    with nothing_written(house.session), pytest.raises(UnknownShelf):
        declare(house, case)
    with nothing_written(house.session), pytest.raises(UnknownEvidence):
        hand_out(house, file)


def hand_out(house: House, file: EvidenceFile) -> EvidenceFile:
    return evidence.hand_out(
        house.session, file.alias, file.version, operator=house.fund.boris.alias, reason=Reason.APPROVAL, at=NOW
    )


def test_handing_out_is_logged_with_who_why_when_and_what(house: House) -> None:
    case = house.a_case()
    file = bring(house, case)

    hand_out(house, file)

    (access,) = house.session.exec(select(Access).where(Access.boxes == file.commitment)).all()
    assert (access.operator, access.shelf_alias) == (house.fund.boris.alias, case.beneficiary_alias)
    assert (access.reason, access.at) == (Reason.APPROVAL, NOW)


def test_a_retention_ends_with_a_month_and_then_the_file_is_due_until_it_is_dropped(house: House) -> None:
    case = house.a_case()
    with nothing_written(house.session), pytest.raises(BadEvidence):
        declare(house, case, keep_until=date(2025, 12, 30))
    file = bring(house, case, keep_until=date(2025, 12, 31))
    kept = bring(house, case)
    assert evidence.overdue(house.session, on=date(2025, 12, 31)) == []
    assert evidence.overdue(house.session, on=date(2026, 1, 1)) == [file]

    evidence.drop(house.session, file, on=date(2026, 1, 2))

    assert evidence.overdue(house.session, on=date(2026, 2, 1)) == []
    assert current(house, case) == [kept]
    assert house.session.exec(select(EvidenceChunk).where(EvidenceChunk.alias == file.alias)).all() == []
    assert file in evidence.of_subject(house.session, case.alias)
    with pytest.raises(UnknownEvidence):
        hand_out(house, file)


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("DELETE FROM evidence_chunk WHERE number = 2", "chunks"),
        ("UPDATE evidence_chunk SET data = (SELECT data FROM evidence_chunk WHERE number = 1)", "chunks"),
        ("UPDATE evidence_file SET size = 1024", "signature"),
        ("UPDATE evidence_file SET commitment = alias", "signature"),
        ("UPDATE evidence_file SET keep_until = '2021-01-31'", "signature"),
    ],
    ids=["a chunk gone", "a chunk copied", "another size", "another commitment", "another retention"],
)
def test_what_somebody_changes_past_the_ledger_is_found(house: House, statement: str, where: str) -> None:
    case = house.a_case()
    file = bring(house, case, content=bytes(boxes.CHUNK_BYTES + 1))
    assert findings(house.session, checks=CHECKS) == []

    house.session.connection().execute(text(statement))
    house.session.expire_all()

    assert ("files", "evidence", file.alias, where) in {
        (one.check, one.kind, one.name, one.facts["where"]) for one in findings(house.session, checks=CHECKS)
    }


def test_two_last_chunks_at_once_finish_the_file(house: House) -> None:
    case = house.a_case()
    file, chunks = declare(house, case, content=bytes(boxes.CHUNK_BYTES + 1))

    race(
        house.session,
        lambda own: put(own, file, 1, chunks[0]),
        lambda own: put(own, file, 2, chunks[1]),
    )

    house.session.expire_all()
    assert [one.alias for one in current(house, case)] == [file.alias]
