"""Retention of evidence: content that is due is dropped by a second person, and what was agreed to stays provable."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from ledger import approvals, checks
from ledger.aid import file_retention, retention
from ledger.aid.cases import Case
from ledger.aid.eligibility import Rejection
from ledger.aid.file_retention import DueFile
from ledger.aid.retention import NotDue
from ledger.approvals import ActDiffers, Agreed, NotInRole, SamePerson
from ledger.errors import LedgerError
from ledger.identities import evidence
from ledger.identities.erasure_list import FILE_NAME, ErasureList
from ledger.identities.evidence import EvidenceChunk, EvidenceFile, UnknownEvidence
from tests.cast import NOW, House, Person, agreed_by, nothing_written
from tests.erasing import erase
from tests.filing import bring

ENDED = date(2020, 10, 31)
FAR = date(2090, 1, 1)


def a_case_that_is_over(house: House) -> Case:
    return house.a_case(rejection=Rejection.ILLEGIBLE)


def dropped_by(person: Person, file: EvidenceFile, *, commitment: str | None = None) -> Agreed:
    commitments = (commitment or file.commitment,)
    return agreed_by(person, "drop_evidence", object=file.alias, version=file.version, evidence_commitments=commitments)


def drop(house: House, file: EvidenceFile, *, by: Person | None = None, commitment: str | None = None) -> EvidenceFile:
    agreed = dropped_by(by or house.fund.boris, file, commitment=commitment)
    return file_retention.drop(house.session, file.alias, file.version, agreed=agreed)


def due(house: House, *, on: date = FAR) -> list[DueFile]:
    return file_retention.due(house.session, on=on)


def test_a_file_is_due_after_the_month_that_its_bringer_signed(house: House) -> None:
    file = bring(house, a_case_that_is_over(house), keep_until=ENDED)

    assert due(house, on=ENDED) == []
    assert due(house, on=ENDED + timedelta(days=1)) == [DueFile(file, ENDED + timedelta(days=1))]


def test_a_file_without_a_retention_is_due_when_the_packs_time_for_the_person_has_gone_by(house: House) -> None:
    case = a_case_that_is_over(house)
    file = bring(house, case)
    (person,) = retention.due(house.session, on=FAR)

    assert due(house, on=person.since - timedelta(days=1)) == []
    assert due(house, on=person.since) == [DueFile(file, person.since)]


@pytest.mark.parametrize("keep_until", [ENDED, None])
def test_no_file_of_a_case_under_way_is_due(house: House, keep_until: date | None) -> None:
    file = bring(house, house.a_case(), keep_until=keep_until)

    assert due(house) == []
    with nothing_written(house.session), pytest.raises(NotDue):
        drop(house, file)


def test_the_files_of_somebody_erased_are_due_at_once_and_all_their_versions(house: House, tmp_path: Path) -> None:
    case = house.a_case()
    first = bring(house, case)
    second = bring(house, case, alias=first.alias, version=2)
    erase(house, case, ErasureList(tmp_path / FILE_NAME))

    assert due(house, on=NOW.date()) == [DueFile(first, NOW.date()), DueFile(second, NOW.date())]


def test_due_files_come_in_pages_of_items(house: House) -> None:
    items = sorted(bring(house, a_case_that_is_over(house), keep_until=ENDED).alias for _ in range(3))

    first = file_retention.due(house.session, on=FAR, limit=2)
    rest = file_retention.due(house.session, on=FAR, after=first[-1].file.alias, limit=2)

    assert [[one.file.alias for one in page] for page in (first, rest)] == [items[:2], items[2:]]


def test_the_content_goes_and_acts_commitments_and_books_stay_valid(house: House) -> None:
    case = a_case_that_is_over(house)
    file, kept = bring(house, case, keep_until=ENDED), bring(house, case)
    before = file.commitment

    dropped = drop(house, file)

    chunks = house.session.exec(select(EvidenceChunk.alias)).all()
    assert chunks == [kept.alias]
    assert (dropped.dropped_on, dropped.commitment) == (NOW.date(), before)
    assert [act.verb for act in approvals.of_object(house.session, file.alias)] == ["drop_evidence"]
    assert [one for one in checks.findings(house.session) if one.check != "settings"] == []  # tests need no fsync
    with pytest.raises(UnknownEvidence):
        evidence.require(house.session, file.alias, file.version)


@pytest.mark.parametrize(
    ("refusal", "act"),
    [
        (ActDiffers, lambda house, file: drop(house, file, commitment="ab" * 32)),
        (NotInRole, lambda house, file: drop(house, file, by=house.fund.clara)),
    ],
)
def test_what_does_not_hold_drops_nothing(
    house: House, refusal: type[LedgerError], act: Callable[[House, EvidenceFile], object]
) -> None:
    file = bring(house, a_case_that_is_over(house), keep_until=ENDED)

    with nothing_written(house.session), pytest.raises(refusal):
        act(house, file)


def test_who_brought_a_file_does_not_drop_it(house: House) -> None:
    file = bring(house, a_case_that_is_over(house), keep_until=ENDED, by=house.fund.boris)

    with nothing_written(house.session), pytest.raises(SamePerson):
        drop(house, file)


def test_a_version_that_does_not_exist_is_not_dropped(house: House) -> None:
    file = bring(house, a_case_that_is_over(house), keep_until=ENDED)
    agreed = dropped_by(house.fund.boris, file)

    with nothing_written(house.session), pytest.raises(UnknownEvidence):
        file_retention.drop(house.session, file.alias, 2, agreed=agreed)


def test_content_is_dropped_once(house: House) -> None:
    file = bring(house, a_case_that_is_over(house), keep_until=ENDED)
    drop(house, file)

    with nothing_written(house.session), pytest.raises(UnknownEvidence):
        drop(house, file)


def test_content_that_somebody_dropped_past_the_ledger_is_found(house: House) -> None:
    file = bring(house, house.a_case(), keep_until=ENDED)
    for statement in ("DELETE FROM evidence_chunk", "UPDATE evidence_file SET dropped_on = '2020-11-20'"):
        house.session.connection().execute(text(statement))
    house.session.expire_all()

    found = {(one.check, one.name, one.facts.get("where")) for one in checks.findings(house.session)}

    assert ("files", file.alias, "dropped_on") in found
