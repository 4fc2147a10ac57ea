from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.aid import acts, batch_acts
from ledger.aid.rules import EvidenceMissing
from ledger.identities.evidence import EvidenceKind
from tests.cast import LEAF, House, byn, give, nothing_written
from tests.filing import bring
from tests.packs import belarus_with, needed_files
from tests.purses import a_locked_batch, on_batch


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[None]:
    with belarus_with(tmp_path, needed_files("fine", "ruling")):
        yield


@pytest.mark.usefixtures("strict")
def test_a_fine_without_its_ruling_is_not_verified(house: House) -> None:
    case = house.a_case()
    house.open(case, by=house.fund.anton)
    bring(house, case, kind=EvidenceKind.BILL, by=house.fund.anton)
    agreed = house.on_case("verify_case", case, by=house.fund.anton)

    with nothing_written(house.session), pytest.raises(EvidenceMissing) as refusal:
        acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case))

    assert refusal.value.data == {"kind": "fine", "files": "ruling"}


@pytest.mark.usefixtures("strict")
def test_a_fine_with_its_ruling_is_verified(house: House) -> None:
    case = house.a_case()
    bring(house, case, by=house.fund.anton)

    assert house.verify(case, by=house.fund.anton).state == "verified"


def test_what_was_verified_before_the_pack_asked_for_it_is_not_approved_without(house: House, tmp_path: Path) -> None:
    give(house.session, byn("9000.00"))
    single = house.a_requested_payment()
    batch = a_locked_batch(house, None, LEAF, [house.a_verified_case()])
    on_single = house.on_payment("approve_disbursement", single, by=house.fund.boris)
    on_many = on_batch(house, "approve_batch", batch, by=house.fund.boris)

    with belarus_with(tmp_path, needed_files("fine", "ruling")), nothing_written(house.session):
        with pytest.raises(EvidenceMissing):
            acts.approve_disbursement(house.session, single.alias, on_single)
        with pytest.raises(EvidenceMissing):
            batch_acts.approve_batch(house.session, batch.alias, on_many)

    acts.approve_disbursement(house.session, single.alias, on_single)
