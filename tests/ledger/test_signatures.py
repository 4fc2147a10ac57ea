"""What signed acts say of each other, and pairs of cases that somebody has signed to be two."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from ledger import approvals
from ledger.aid import acts, intake, quashing, ruling_acts, rulings
from ledger.aid.cases import Case, State
from ledger.checks import signatures
from ledger.checks.findings import silent
from ledger.storage import guards
from tests import filing
from tests.cast import NOW, TODAY, House, byn, give, nothing_written


def verify_beside(house: House, case: Case, *others: Case) -> None:
    anton, names = house.fund.anton, sorted(other.alias for other in others)
    for one in (case, *others):
        house.open(one, by=anton)
    agreed = house.on_case("verify_case", case, by=anton, detail="+".join(names) or None)
    acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case), not_duplicates=names)
    house.session.commit()


def test_a_pair_that_was_found_to_be_two_is_never_asked_about_again(house: House) -> None:
    first, second = (house.a_case(ruling_number="5-78") for _ in range(2))

    verify_beside(house, first, second)

    assert (first.is_suspect, second.is_suspect) == (False, False)
    assert intake.possible_duplicates(house.session, second.alias) == []
    verify_beside(house, second)  # from the other side nobody is named
    assert second.state is State.VERIFIED
    third = house.a_case(ruling_number="5-78")
    assert set(intake.possible_duplicates(house.session, third.alias)) == {first.alias, second.alias}
    assert third.is_suspect
    assert list(signatures.find_altered_pairs(house.session, silent)) == []


def test_a_case_that_is_like_no_other_is_not_called_no_duplicate(house: House) -> None:
    case, other = house.a_case(), house.a_case()
    for one in (case, other):
        house.open(one, by=house.fund.anton)
    named = house.on_case("verify_case", case, by=house.fund.anton, detail=other.alias)

    with nothing_written(house.session), pytest.raises(approvals.ActDiffers):
        acts.verify_case(
            house.session, case.alias, named, assessment=house.assessed(case), not_duplicates=[other.alias]
        )


def test_a_pair_stays_settled_when_one_of_them_is_compared_anew(house: House) -> None:
    first, second = (house.a_case(ruling_number="5-79") for _ in range(2))
    verify_beside(house, first, second)

    intake.note_suspects(house.session, second.alias)

    assert not second.is_suspect


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("DELETE FROM not_duplicate", "row"),
        ("UPDATE not_duplicate SET said_by = 'OP-NOBODY'", "act"),
    ],
)
def test_a_pair_that_somebody_changed_is_found(house: House, statement: str, where: str) -> None:
    verify_beside(house, *(house.a_case(ruling_number="5-80") for _ in range(2)))
    with pytest.raises(DatabaseError):
        house.session.connection().execute(text(statement))
    house.session.rollback()
    guards.remove(house.session.connection())
    house.session.connection().execute(text(statement))
    guards.install(house.session.connection())

    (found,) = signatures.find_altered_pairs(house.session, silent)

    assert (found.check, found.facts["where"]) == ("not-duplicates", where)


def test_a_release_by_who_had_signed_an_approval_is_found(house: House) -> None:
    give(house.session, byn("810.00"))
    payment = house.a_released_payment()
    assert list(signatures.find_approvers_who_released(house.session, silent)) == []
    first = house.on_payment("approve_disbursement", payment, by=house.fund.clara)
    keep_past_every_verb(house, first, payment.alias)

    (found,) = signatures.find_approvers_who_released(house.session, silent)

    facts = {"verb": "release_disbursement", "signer": house.fund.clara.alias}
    assert (found.name, found.facts) == (payment.alias, facts)


def test_an_approval_by_who_brought_a_file_is_found(house: House) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    payment = house.an_approved_payment(of=case)
    file = filing.bring(house, case, by=house.fund.anton)
    assert list(signatures.find_bringers_who_agreed(house.session, silent)) == []
    forged = house.on_payment("approve_disbursement", payment, by=house.fund.anton)
    assert file.commitment in forged.act.evidence_commitments
    keep_past_every_verb(house, forged, payment.alias)

    (found,) = signatures.find_bringers_who_agreed(house.session, silent)

    assert (found.name, found.facts["signer"]) == (payment.alias, house.fund.anton.alias)


def test_an_appeal_or_an_acknowledgement_that_nobody_signed_is_found(house: House) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    (ruling,) = rulings.of_case(house.session, case.alias)
    quashing.uphold(house.session, ruling, by=house.fund.anton.alias, on=TODAY)
    told = list(signatures.find_unsigned_appeals(house.session, silent))
    assert [(one.name, one.facts["verb"]) for one in told] == [(ruling.alias, "uphold_ruling")]

    house.open(case, by=house.fund.anton)
    agreed = house.on_case("uphold_ruling", case, by=house.fund.anton, object=ruling.alias)
    ruling_acts.uphold_ruling(house.session, ruling.alias, agreed)

    assert len(list(signatures.find_unsigned_appeals(house.session, silent))) == 1  # one act is not for two


def keep_past_every_verb(house: House, agreed: approvals.Agreed, of: str) -> None:
    """An act that its signer made, and no rule admitted: put beside the others by who owns the database."""
    act = agreed.act
    house.session.add(
        approvals.SignedAct(
            nonce=act.nonce,
            verb=act.verb,
            object=of,
            signer=act.signer,
            roster=1,
            document=act.canonical().decode(),
            signature=agreed.signature,
            recorded_at=NOW,
        )
    )
    house.session.commit()
