from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ledger import approvals
from ledger.aid import acts, cases, disbursements, obligations, rulings
from ledger.aid.acts import EvidenceNotOpened, PossibleDuplicate
from ledger.aid.cases import CaseNotReady, State, UnknownCase
from ledger.aid.disbursements import DisbursementNotReady, UnknownDisbursement
from ledger.aid.eligibility import NotEligible, Rejection
from ledger.approvals import ActDiffers, NotInRole
from ledger.books import spending
from ledger.books.spending import WouldOverdraw
from ledger.identities import shelves
from ledger.identities.shelves import Shelf
from tests.bookcheck import found, owning, told_after
from tests.cast import NOW, House, Person, a_row, byn, engine_of, give, nothing_written, one_after_the_other, sealed

pytestmark = pytest.mark.place("requested_payments")


@pytest.fixture
def anton(house: House) -> Person:
    """Of the intake too: he verifies what Ana enters."""
    return house.fund.anton


# --- verification


def test_a_verified_case_keeps_who_verified_it_and_what_they_signed(house: House, anton: Person) -> None:
    case = house.a_case()
    house.open(case, by=anton)
    agreed = house.on_case("verify_case", case, by=anton)

    acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case))

    (kept,) = approvals.of_object(house.session, case.alias)
    assert (case.state, case.version, case.verified_by) == (State.VERIFIED, 2, anton.alias)
    assert (kept.nonce, kept.document) == (agreed.act.nonce, agreed.act.canonical().decode())


def test_an_act_about_a_case_restates_what_is_owed_and_the_evidence(house: House) -> None:
    row = a_row(house.fund, amount=byn("1350.00"))
    case = house.receive(row)

    assert acts.owed(house.session, case) == byn("1350.00")
    assert acts.evidence_of(house.session, case) == sorted(box.commitment for box in row.boxes)


def test_who_has_not_opened_the_evidence_does_not_verify(house: House, anton: Person) -> None:
    case = house.a_case()

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        acts.verify_case(
            house.session, case.alias, house.on_case("verify_case", case, by=anton), assessment=house.assessed(case)
        )


def test_what_changed_since_it_was_opened_is_opened_again(house: House, anton: Person) -> None:
    case = house.a_case()
    house.open(case, by=anton)
    (ruling,) = rulings.of_case(house.session, case.alias)
    key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
    newer = sealed(key, kind="ruling", alias=ruling.alias, field="details", content="corrected", version=2)
    stale = house.on_case("verify_case", case, by=anton)
    shelves.keep(house.session, [newer], shelf=case.beneficiary_alias)

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        acts.verify_case(house.session, case.alias, stale, assessment=house.assessed(case))
    house.open(case, by=anton)
    with nothing_written(house.session), pytest.raises(ActDiffers):
        acts.verify_case(house.session, case.alias, stale, assessment=house.assessed(case))

    acts.verify_case(
        house.session, case.alias, house.on_case("verify_case", case, by=anton), assessment=house.assessed(case)
    )
    assert case.state is State.VERIFIED


def test_a_possible_duplicate_is_verified_only_by_naming_the_others(house: House, anton: Person) -> None:
    case, *others = [house.a_case(ruling_number="5-77") for _ in range(3)]
    house.open(case, by=anton)
    agreed = house.on_case("verify_case", case, by=anton)
    names = [other.alias for other in others]

    for named in ([], names[:1], [case.alias]):
        with nothing_written(house.session), pytest.raises(PossibleDuplicate) as refusal:
            acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case), not_duplicates=named)
        assert refusal.value.data == {"case": case.alias, "others": 2}

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):  # named, and not looked at
        acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case), not_duplicates=names)
    for other in others:
        house.open(other, by=anton)
    with nothing_written(house.session), pytest.raises(ActDiffers):  # named, and not in what was signed
        acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case), not_duplicates=names)
    agreed = house.on_case("verify_case", case, by=anton, detail="+".join(sorted(names)))
    acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case), not_duplicates=names)
    assert case.state is State.VERIFIED


@pytest.mark.parametrize("name", ["boris", "clara", "dina", "olga", "oleg"])
def test_who_is_not_of_the_intake_neither_verifies_nor_rejects(house: House, name: str) -> None:
    person: Person = getattr(house.fund, name)
    case = house.a_case()
    house.open(case, by=person)

    with nothing_written(house.session), pytest.raises(NotInRole):
        acts.verify_case(
            house.session, case.alias, house.on_case("verify_case", case, by=person), assessment=house.assessed(case)
        )
    with nothing_written(house.session), pytest.raises(NotInRole):
        acts.reject_case(
            house.session,
            case.alias,
            house.on_case("reject_case", case, by=person, detail="illegible"),
            because=Rejection.ILLEGIBLE,
        )


def test_a_verified_case_is_not_verified_again(house: House) -> None:
    case = house.a_verified_case()
    house.open(case, by=house.fund.ana)
    agreed = house.on_case("verify_case", case, by=house.fund.ana)

    with nothing_written(house.session), pytest.raises(CaseNotReady):
        acts.verify_case(house.session, case.alias, agreed, assessment=house.assessed(case))


def test_an_unknown_case_is_not_verified(house: House, anton: Person) -> None:
    case = house.a_case()
    agreed = house.on_case("verify_case", case, by=anton)

    with nothing_written(house.session), pytest.raises(UnknownCase):
        acts.verify_case(house.session, "C-0000-0000-0001", agreed, assessment=house.assessed(case))
    with nothing_written(house.session), pytest.raises(UnknownCase):
        acts.reject_case(house.session, "C-0000-0000-0001", agreed, because=Rejection.ILLEGIBLE)


def test_a_signature_to_verify_does_not_reject(house: House, anton: Person) -> None:
    case = house.a_case()

    with nothing_written(house.session), pytest.raises(ActDiffers):
        acts.reject_case(
            house.session,
            case.alias,
            house.on_case("verify_case", case, by=anton),
            because=Rejection.ILLEGIBLE,
        )


def test_one_verifies_while_another_rejects_and_one_of_them_wins(house: House, anton: Person, ana: Person) -> None:
    case = house.a_case()
    house.open(case, by=anton)
    assessment = house.assessed(case)
    yes, no = (
        house.on_case("verify_case", case, by=anton),
        house.on_case("reject_case", case, by=ana, detail="duplicate"),
    )

    answers = one_after_the_other(
        house.session,
        lambda own: acts.reject_case(own, case.alias, no, because=Rejection.DUPLICATE),
        look=lambda own: cases.require(own, case.alias),
        then=lambda own: acts.verify_case(own, case.alias, yes, assessment=assessment),
    )

    assert isinstance(answers[1], ActDiffers)
    assert cases.require(house.session, case.alias, lock=True).state is State.REJECTED


# --- rejection


def test_a_rejected_case_keeps_its_code_and_is_never_paid(house: House, anton: Person) -> None:
    case = house.a_verified_case()
    agreed = house.on_case("reject_case", case, by=anton, detail="already_paid")

    with nothing_written(house.session), pytest.raises(ActDiffers):  # the code is what is signed
        acts.reject_case(house.session, case.alias, agreed, because=Rejection.ILLEGIBLE)
    acts.reject_case(house.session, case.alias, agreed, because=Rejection.ALREADY_PAID)

    assert (case.state, case.rejection, case.version) == (State.REJECTED, Rejection.ALREADY_PAID, 3)
    with nothing_written(house.session), pytest.raises(disbursements.DisbursementNotReady):
        house.a_requested_payment(of=case)


# --- approval and release


def test_an_act_that_cannot_be_done_is_not_kept(house: House, boris: Person) -> None:
    disbursement = house.a_requested_payment()
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(WouldOverdraw):
        acts.approve_disbursement(house.session, disbursement.alias, agreed)

    give(house.session, byn("810.00"))
    acts.approve_disbursement(house.session, disbursement.alias, agreed)
    assert disbursement.approved_by == boris.alias


def test_a_case_rejected_meanwhile_is_not_approved(house: House, boris: Person, anton: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    case = cases.require(house.session, disbursement.case_alias)
    yes, no = (
        house.on_payment("approve_disbursement", disbursement, by=boris),
        house.on_case("reject_case", case, by=anton, detail="already_paid"),
    )

    answers = one_after_the_other(
        house.session,
        lambda own: acts.reject_case(own, case.alias, no, because=Rejection.ALREADY_PAID),
        look=lambda own: cases.require(own, case.alias),
        then=lambda own: acts.approve_disbursement(own, disbursement.alias, yes),
    )

    assert isinstance(answers[1], ActDiffers | DisbursementNotReady)
    assert spending.spendable(house.session, "fines")["BYN"] == byn("810.00")


def test_the_payee_is_evidence_that_an_approver_has_seen(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    house.open(case, by=boris)
    disbursement = disbursements.request(
        house.session,
        "D-0000-0000-0001",
        obligation=house.obligation_of(case),
        payee=disbursements.Payee.AUTHORITY,
        payee_commitment="0" * 64,
        fund="fines",
        account="1000:byn-main",
        requested_by=house.fund.clara.alias,
    )
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        acts.approve_disbursement(house.session, disbursement.alias, agreed)


@pytest.mark.parametrize(
    ("facts", "article", "rule_name"),
    [
        ({}, "19.11", "assembly_articles"),
        ({}, "24.23", "assembly_articles"),
        ({"issued_on": date(2020, 11, 23)}, None, "after_not_before"),
        ({"issued_on": date(2020, 11, 16)}, None, "after_not_before"),
    ],
)
def test_only_a_ruling_of_the_list_that_is_certainly_issued_is_approved(
    house: House, boris: Person, facts: dict[str, Any], article: str | None, rule_name: str
) -> None:
    give(house.session, byn("810.00"))
    case = house.a_case(**facts)
    house.verify(case, by=house.fund.anton)
    if article is not None:  # altered since: no case under it is verified
        with owning(engine_of(house.session)) as connection:
            connection.execute(text("UPDATE ruling SET article = :article"), {"article": article})
        house.session.expire_all()
    disbursement = house.a_requested_payment(of=case)
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris)

    with nothing_written(house.session), pytest.raises(NotEligible) as refusal:
        acts.approve_disbursement(house.session, disbursement.alias, agreed)

    assert refusal.value.data["rule_name"] == rule_name


def test_a_ruling_of_this_week_is_approved_when_the_week_is_over(house: House, boris: Person) -> None:
    give(house.session, byn("810.00"))
    case = house.a_case(issued_on=date(2020, 11, 16))
    house.verify(case, by=house.fund.anton)
    disbursement = house.a_requested_payment(of=case)
    sunday = NOW + timedelta(days=2)
    assert sunday.date() == date(2020, 11, 22)

    agreed = house.on_payment("approve_disbursement", disbursement, by=boris, now=sunday)
    acts.approve_disbursement(house.session, disbursement.alias, agreed)

    assert obligations.require(house.session, disbursement.obligation_alias).state is obligations.State.APPROVED


def test_who_receives_the_money_stands_in_the_approval_and_is_found_if_altered(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    lie = house.on_payment("approve_disbursement", disbursement, by=house.fund.boris, detail="beneficiary")
    with nothing_written(house.session), pytest.raises(ActDiffers):
        acts.approve_disbursement(house.session, disbursement.alias, lie)
    agreed = house.on_payment("approve_disbursement", disbursement, by=house.fund.boris)
    acts.approve_disbursement(house.session, disbursement.alias, agreed)
    house.session.commit()
    assert found(house.session, by={"payees"}) == []
    other = "UPDATE disbursement SET payee = 'beneficiary'"
    as_before = "UPDATE signed_act SET document = replace(document, '\\:authority', '')"

    told = told_after(
        engine_of(house.session), {"other": (other, "payees"), "an older act": (f"{as_before};{other}", "payees")}
    )

    assert told == {"other": {"payees"}, "an older act": set()}


def test_a_release_restates_amount_payee_and_evidence(house: House, clara: Person) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()
    house.tell(disbursement)
    lies: list[dict[str, Any]] = [
        {"amount": "81.00"},
        {"payee_commitment": "0" * 64},
        {"evidence_commitments": ()},
        {"version": 1},
        {"act": "approve_disbursement"},
    ]

    for lie in lies:
        agreed = house.on_payment("release_disbursement", disbursement, by=clara, **lie)
        with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
            acts.release_disbursement(house.session, disbursement.alias, agreed)
        assert [refusal.value.data["field"]] == list(lie)


def test_an_act_before_the_ruling_was_certainly_issued_is_refused_by_the_day_it_comes_in(
    house: House, boris: Person
) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.a_requested_payment()
    early = datetime(2020, 10, 3, 9, 0, tzinfo=NOW.tzinfo)
    agreed = house.on_payment("approve_disbursement", disbursement, by=boris, now=early)

    with nothing_written(house.session), pytest.raises(NotEligible):
        acts.approve_disbursement(house.session, disbursement.alias, agreed)

    late = replace(agreed, now=early + timedelta(days=1) - timedelta(minutes=1))
    acts.approve_disbursement(house.session, disbursement.alias, late)
    assert disbursement.version == 2


def test_an_unknown_disbursement_is_neither_approved_nor_released(house: House, boris: Person, clara: Person) -> None:
    disbursement = house.a_requested_payment()
    yes = house.on_payment("approve_disbursement", disbursement, by=boris)
    go = house.on_payment("release_disbursement", disbursement, by=clara)

    with nothing_written(house.session), pytest.raises(UnknownDisbursement):
        acts.approve_disbursement(house.session, "D-0000-0000-0001", yes)
    with nothing_written(house.session), pytest.raises(UnknownDisbursement):
        acts.release_disbursement(house.session, "D-0000-0000-0001", go)
