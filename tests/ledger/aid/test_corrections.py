from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger.aid import acts, cases, corrections, intake, rulings
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.cases import Case, CaseNotReady
from ledger.aid.corrections import Amended
from ledger.aid.intake import BadRow
from ledger.aliases import AliasTaken
from ledger.approvals import ActDiffers, SamePerson
from ledger.identities.shelves import Shelf
from tests.cast import NOW, TODAY, House, Person, a_row, byn, give, nothing_written, one_after_the_other, sealed


def amended(house: House, case: Case, **other: Any) -> Amended:
    """The same case with half the amount and an earlier ruling, whose details are sealed anew."""
    row = a_row(house.fund, amount=byn("405.00"), issued_on=date(2020, 9, 21))
    (ruling,) = rulings.of_case(house.session, case.alias)
    key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
    facts = Amended(
        article=row.article,
        region="brest",
        kind=row.kind,
        amount=row.amount,
        bounds=row.bounds,
        boxes=[sealed(key, kind="ruling", alias=ruling.alias, field="details", content="right", version=2)],
        tokens=[token for token in row.tokens if token[1] != "row"],
    )
    return replace(facts, **other)


def correct(house: House, case: Case, facts: Amended, *, by: Person | None = None, version: int | None = None) -> Case:
    done = corrections.correct(
        house.session,
        case.alias,
        facts,
        version=version or case.version,
        by=(by or house.fund.anton).alias,
        on=TODAY,
    )
    house.session.commit()
    return done


def test_an_intake_is_amended_and_its_version_counted(house: House) -> None:
    case = house.a_case()
    before = acts.evidence_of(house.session, case)

    correct(house, case, amended(house, case))

    (ruling,) = rulings.of_case(house.session, case.alias)
    assert (case.version, acts.owed(house.session, case), ruling.region) == (2, byn("405.00"), "brest")
    assert case.due_by == ruling.due_by
    assert acts.evidence_of(house.session, case) != before


def test_what_was_signed_before_does_not_cover_it(house: House, ana: Person) -> None:
    case = house.a_case()
    house.open(case, by=ana)
    stale = house.on_case("verify_case", case, by=ana)
    correct(house, case, amended(house, case))

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        acts.verify_case(house.session, case.alias, stale, assessment=house.assessed(case))
    house.open(case, by=ana)
    with nothing_written(house.session), pytest.raises(ActDiffers):
        acts.verify_case(house.session, case.alias, stale, assessment=house.assessed(case))
    assert house.verify(case, by=ana).state is cases.State.VERIFIED


def test_after_the_verification_nothing_is_amended(house: House) -> None:
    case = house.a_verified_case()

    with nothing_written(house.session), pytest.raises(CaseNotReady):
        correct(house, case, amended(house, case))


def test_of_two_who_amend_at_once_one_looks_again(house: House) -> None:
    case = house.a_case()
    facts = [amended(house, case, region=region) for region in ("brest", "minsk_city")]

    answers = one_after_the_other(
        house.session,
        lambda own: corrections.correct(own, case.alias, facts[0], version=1, by="test", on=TODAY),
        look=lambda own: cases.require(own, case.alias),
        then=lambda own: corrections.correct(own, case.alias, facts[1], version=1, by="test", on=TODAY),
    )

    assert isinstance(answers[1], CaseNotReady)


def test_who_amended_does_not_approve(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    case = house.a_case()
    correct(house, case, amended(house, case), by=boris)  # whoever they are: the book remembers
    disbursement = house.a_requested_payment(of=house.verify(case, by=house.fund.ana))

    with nothing_written(house.session), pytest.raises(SamePerson):
        acts.approve_disbursement(
            house.session, disbursement.alias, house.on_payment("approve_disbursement", disbursement, by=boris)
        )


def test_a_corrected_number_makes_a_duplicate_seen(house: House) -> None:
    other, case = house.a_case(ruling_number="5-77"), house.a_case(ruling_number="5-78")
    right = a_row(house.fund, ruling_number="5-77")

    correct(house, case, amended(house, case, tokens=[one for one in right.tokens if one[1] != "row"]))

    assert intake.possible_duplicates(house.session, case.alias) == [other.alias]
    assert cases.require(house.session, other.alias, lock=True).is_suspect


def test_what_does_not_fit_is_refused_whole(house: House) -> None:
    case, other = house.a_case(), house.a_case()
    good = amended(house, case)
    (box,) = good.boxes
    key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
    of_other = sealed(key, kind="beneficiary", alias=other.beneficiary_alias, field="identity", content="x", version=2)
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"amount": byn("0.00")}, BadRow),
        ({"boxes": [of_other]}, BadRow),
        ({"boxes": [replace(box, version=1)]}, BadRow),
        ({"boxes": [box, box]}, AliasTaken),
        ({"tokens": []}, BadRow),
    ]

    for facts, refusal in wrong:
        with nothing_written(house.session), pytest.raises(refusal):
            correct(house, case, replace(good, **facts))
    with nothing_written(house.session), pytest.raises(cases.UnknownCase):
        corrections.correct(house.session, "C-0000-0000-0001", good, version=1, by="test", on=NOW.date())
