"""A ruling that leads to several sums: each has its box and its alias, and nothing takes the first of them."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from ledger import checks
from ledger.aid import acts, cases, corrections, disbursements, obligations, quashing, ruling_acts, rulings
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.cases import Case, CaseNotReady
from ledger.aid.corrections import Amended, Further
from ledger.aid.disbursements import Payee
from ledger.aid.intake import BadRow
from ledger.aid.obligations import BadReduction, Obligation, ObligationKind, ObligationNotReady, UnknownObligation
from ledger.aid.ruling_acts import BadDetails
from ledger.aliases import AliasTaken, Kind, draw
from ledger.approvals import ActDiffers, SamePerson
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.identities.boxes import NotASealedBox
from ledger.identities.shelves import NewBox, Shelf
from ledger.money import Money
from tests.cast import LEAF, NOW, TODAY, House, Person, a_row, byn, eur, give, nothing_written, race, sealed

FEE, FINE = ObligationKind.COURT_FEE, ObligationKind.FINE


def details(house: House, case: Case, obligation: str, *, version: int = 1, **place: str) -> NewBox:
    key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
    told = {"kind": "obligation", "alias": obligation, "field": "details"} | place
    return sealed(key, content="An invented fee", version=version, **told)


def a_fee(house: House, case: Case, *, amount: Money | None = None, kind: ObligationKind = FEE) -> Further:
    alias = draw(Kind.OBLIGATION)
    return Further(alias, kind, amount or byn("54.00"), details(house, case, alias))


def add(house: House, case: Case, further: Further, *, by: Person | None = None) -> Obligation:
    who = (by or house.fund.ana).alias
    return corrections.add_obligation(house.session, case.alias, further, version=case.version, by=who, on=TODAY)


def amend(house: House, case: Case, right: Further, *, version: int | None = None) -> Obligation:
    """Olga puts right what Ana has added."""
    told: dict[str, Any] = {"version": version or case.version, "by": house.fund.olga.alias, "on": TODAY}
    return corrections.correct_obligation(house.session, case.alias, right, **told)


def of_kind(house: House, case: Case, kind: ObligationKind) -> Obligation:
    (found,) = [one for one in obligations.of_case(house.session, case.alias) if one.kind is kind]
    return found


def a_case_with_a_fee(house: House) -> Case:
    """Verified by Anton: a fine of 810.00 and a fee of 54.00; the fines' fund has enough for both."""
    give(house.session, byn("2000.00"))
    case = house.a_case()
    add(house, case, a_fee(house, case))
    return house.verify(case, by=house.fund.anton)


def paid(house: House, obligation: Obligation) -> None:
    """From the request to the bank's line."""
    payment = disbursements.request(
        house.session,
        draw(Kind.DISBURSEMENT),
        obligation=obligation,
        payee=Payee.AUTHORITY,
        payee_commitment="0" * 64,
        fund="fines",
        account=LEAF,
        requested_by=house.fund.clara.alias,
    )
    disbursements.approve(house.session, payment, by=house.fund.boris.alias, on=TODAY)
    house.tell(payment)
    disbursements.release(house.session, payment, by=house.fund.clara.alias, on=TODAY, recorded_at=NOW)
    said: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": "test"}
    disbursements.pay(house.session, payment, source_key=f"bank:{payment.alias}", **said)


# --- added


def test_a_sum_is_added_and_every_act_about_the_case_restates_it(house: House) -> None:
    case = house.a_case()
    before = acts.evidence_of(house.session, case)
    further = a_fee(house, case)

    added = add(house, case, further)

    assert (added.minor, added.kind, added.state) == (5400, FEE, obligations.State.DUE)
    assert added.ruling_alias == of_kind(house, case, FINE).ruling_alias
    assert (case.version, acts.owed(house.session, case)) == (2, byn("864.00"))
    assert set(acts.evidence_of(house.session, case)) == {*before, further.details.commitment}


def test_what_was_signed_or_looked_at_before_does_not_cover_it(house: House) -> None:
    case, anton = house.a_case(), house.fund.anton
    house.open(case, by=anton)
    before = house.on_case("verify_case", case, by=anton)
    add(house, case, a_fee(house, case))

    with pytest.raises(EvidenceNotOpened):
        acts.verify_case(house.session, case.alias, before, assessment=house.assessed(case))
    house.open(case, by=anton)
    with pytest.raises(ActDiffers):
        acts.verify_case(house.session, case.alias, before, assessment=house.assessed(case))


def test_who_added_it_approves_nothing_of_the_case(house: House) -> None:
    give(house.session, byn("2000.00"))
    case = house.a_case()
    add(house, case, a_fee(house, case), by=house.fund.boris)
    house.verify(case, by=house.fund.anton)
    payment = disbursements.request(
        house.session,
        draw(Kind.DISBURSEMENT),
        obligation=of_kind(house, case, FINE),
        payee=Payee.AUTHORITY,
        payee_commitment="0" * 64,
        fund="fines",
        account=LEAF,
        requested_by=house.fund.clara.alias,
    )
    agreed = house.on_payment("approve_disbursement", payment, by=house.fund.boris)

    with nothing_written(house.session), pytest.raises(SamePerson):
        acts.approve_disbursement(house.session, payment.alias, agreed)


@pytest.mark.parametrize(
    ("kind", "amount", "error"),
    [
        (FINE, byn("54.00"), BadRow),
        (ObligationKind.BAIL, byn("54.00"), BadRow),
        (FEE, byn("0.00"), BadRow),
        (FEE, eur("54.00"), BadRow),
    ],
)
def test_a_sum_that_does_not_go_with_the_ruling_is_refused(
    house: House, kind: ObligationKind, amount: Money, error: type[LedgerError]
) -> None:
    case = house.a_case()
    further = a_fee(house, case, kind=kind, amount=amount)

    with nothing_written(house.session), pytest.raises(error):
        add(house, case, further)


def test_nothing_rests_on_the_days_of_a_bill_that_came_first(house: House) -> None:
    case = house.a_case(kind=ObligationKind.DETENTION)
    fine = a_fee(house, case, kind=FINE)

    with nothing_written(house.session), pytest.raises(BadRow):
        add(house, case, fine)


def test_a_box_of_another_place_is_refused(house: House) -> None:
    case = house.a_case()
    further = a_fee(house, case)
    places: list[dict[str, Any]] = [{"kind": "ruling"}, {"field": "payee"}, {"alias": case.alias}, {"version": 2}]
    for place in places:
        box = details(house, case, place.pop("alias", further.obligation), **place)
        with nothing_written(house.session), pytest.raises(BadRow):
            add(house, case, replace(further, details=box))
    bare = replace(further.details, data=b"An invented fee")
    with nothing_written(house.session), pytest.raises(NotASealedBox):
        add(house, case, replace(further, details=bare))


def test_a_case_that_went_on_or_was_changed_takes_no_further_sum(house: House) -> None:
    case = house.a_case()
    further = a_fee(house, case)
    with nothing_written(house.session), pytest.raises(CaseNotReady):
        corrections.add_obligation(house.session, case.alias, further, version=2, by=house.fund.ana.alias, on=TODAY)
    taken = replace(
        further, obligation=(alias := of_kind(house, case, FINE).alias), details=details(house, case, alias)
    )
    with nothing_written(house.session), pytest.raises(AliasTaken):
        add(house, case, taken)
    house.verify(case, by=house.fund.anton)

    with nothing_written(house.session), pytest.raises(CaseNotReady):
        add(house, case, further)


def test_a_sum_that_was_added_wrongly_is_amended_before_anybody_verifies_it(house: House) -> None:
    case = house.a_case()
    added = add(house, case, a_fee(house, case))
    house.open(case, by=house.fund.anton)
    stale = house.on_case("verify_case", case, by=house.fund.anton)
    right = Further(added.alias, FEE, byn("45.00"), details(house, case, added.alias, version=2))

    for wrong, error in (
        (replace(right, amount=byn("0.00")), BadRow),
        (replace(right, amount=eur("45.00")), BadRow),
        (replace(right, kind=FINE), BadRow),
        (replace(right, obligation=of_kind(house, case, FINE).alias), BadRow),
        (replace(right, details=details(house, case, added.alias)), BadRow),
        (replace(right, details=details(house, case, added.alias, version=3)), AliasTaken),
        (replace(right, details=details(house, case, draw(Kind.OBLIGATION), version=2)), BadRow),
    ):
        with nothing_written(house.session), pytest.raises(error):
            amend(house, case, wrong)
    with nothing_written(house.session), pytest.raises(CaseNotReady):
        amend(house, case, right, version=1)
    amend(house, case, right)

    assert (added.minor, case.version, acts.owed(house.session, case)) == (4500, 3, byn("855.00"))
    with nothing_written(house.session), pytest.raises(EvidenceNotOpened):
        acts.verify_case(house.session, case.alias, stale, assessment=house.assessed(case))
    assert house.fund.olga.alias in corrections.authors_of(house.session, [case])[case.alias]
    house.verify(case, by=house.fund.anton)
    again = replace(right, details=details(house, case, added.alias, version=3))
    with nothing_written(house.session), pytest.raises(CaseNotReady):
        amend(house, case, again)


def test_two_who_add_the_same_fee_at_once_add_it_once(house: House) -> None:
    case = house.a_case()
    fees = [a_fee(house, case), a_fee(house, case)]
    house.session.commit()
    alias, version, by = case.alias, case.version, house.fund.ana.alias

    def run(session: Session, further: Further) -> str:
        return corrections.add_obligation(session, alias, further, version=version, by=by, on=TODAY).alias

    answers = race(house.session, *(partial(run, further=fee) for fee in fees))

    assert sum(isinstance(one, CaseNotReady) for one in answers) == 1


def test_two_who_amend_the_same_sum_at_once_amend_it_once(house: House) -> None:
    case = house.a_case()
    added = add(house, case, a_fee(house, case))
    alias, version, by = case.alias, case.version, house.fund.olga.alias
    boxes = [details(house, case, added.alias, version=2) for _ in range(2)]
    rights = [
        Further(added.alias, FEE, byn(amount), box) for amount, box in zip(("45.00", "46.00"), boxes, strict=True)
    ]
    house.session.commit()

    def run(session: Session, right: Further) -> str:
        told: dict[str, Any] = {"version": version, "by": by, "on": TODAY}
        return corrections.correct_obligation(session, alias, right, **told).alias

    answers = race(house.session, *(partial(run, right=right) for right in (rights[0], *rights)))

    assert sorted(isinstance(one, CaseNotReady) for one in answers) == [False, True, True]
    for right in rights:
        with nothing_written(house.session), pytest.raises(CaseNotReady):
            run(house.session, right)


def test_a_correction_amends_what_the_ruling_tells_and_leaves_the_further_sum(house: House) -> None:
    case = house.a_case()
    fee = add(house, case, a_fee(house, case))
    row = a_row(house.fund, amount=byn("405.00"))
    facts = Amended(
        row.article,
        row.region,
        row.kind,
        row.amount,
        row.bounds,
        boxes=[],
        tokens=[t for t in row.tokens if t[1] != "row"],
    )
    said: dict[str, Any] = {"by": house.fund.ana.alias, "on": TODAY}
    with nothing_written(house.session), pytest.raises(BadRow):
        corrections.correct(house.session, case.alias, replace(facts, kind=FEE), version=case.version, **said)

    corrections.correct(house.session, case.alias, facts, version=case.version, **said)

    assert (of_kind(house, case, FINE).minor, fee.minor) == (40_500, 5_400)


# --- paid, each by itself


def test_one_is_paid_while_the_other_is_due_and_the_case_waits_for_both(house: House) -> None:
    case = a_case_with_a_fee(house)
    fine, fee = of_kind(house, case, FINE), of_kind(house, case, FEE)

    paid(house, fine)
    assert (fine.state, fee.state, case.state) == (obligations.State.PAID, obligations.State.DUE, cases.State.APPROVED)
    paid(house, fee)

    assert (fee.state, case.state) == (obligations.State.PAID, cases.State.PAID)
    assert checks.findings(house.session, checks=checks.aid.CHECKS) == []


def test_a_quash_ends_all_of_them(house: House) -> None:
    case = a_case_with_a_fee(house)
    paid(house, of_kind(house, case, FINE))
    (ruling,) = rulings.of_case(house.session, case.alias)
    said: dict[str, Any] = {"by": house.fund.anton.alias, "on": TODAY, "recorded_at": NOW}

    quashing.quash(house.session, ruling, **said)

    assert of_kind(house, case, FINE).state is obligations.State.REFUND_DUE
    assert of_kind(house, case, FEE).state is obligations.State.QUASHED


# --- reduced, one of them


def reduce(house: House, case: Case, to: str, *, of: str | None, detail: str, box: NewBox | None) -> None:
    (ruling,), anton = rulings.of_case(house.session, case.alias), house.fund.anton
    agreed = house.on_case("reduce_ruling", case, by=anton, object=ruling.alias, detail=detail)
    ruling_acts.reduce_ruling(house.session, ruling.alias, agreed, to=byn(to), details=box, of=of)


def test_the_act_says_which_one_is_reduced_by_how_much_and_the_other_stays(house: House) -> None:
    case = a_case_with_a_fee(house)
    fine, fee = of_kind(house, case, FINE), of_kind(house, case, FEE)
    (ruling,) = rulings.of_case(house.session, case.alias)
    paid(house, fine)

    box = details(house, case, fee.alias, version=2)
    reduce(house, case, "27.00", of=fee.alias, detail=f"{fee.alias}+27.00", box=box)

    assert (fee.minor, fine.minor, fine.state) == (2700, 81_000, obligations.State.PAID)
    assert [one.amount() for one in quashing.appeals_of(house.session, ruling.alias)] == [byn("837.00")]
    assert box.commitment in acts.evidence_of(house.session, case)


def test_the_payment_of_the_other_one_goes_on(house: House) -> None:
    case = a_case_with_a_fee(house)
    fee = of_kind(house, case, FEE)
    waiting = disbursements.request(
        house.session,
        draw(Kind.DISBURSEMENT),
        obligation=of_kind(house, case, FINE),
        payee=Payee.AUTHORITY,
        payee_commitment="0" * 64,
        fund="fines",
        account=LEAF,
        requested_by=house.fund.clara.alias,
    )

    box = details(house, case, fee.alias, version=2)
    reduce(house, case, "27.00", of=fee.alias, detail=f"{fee.alias}+27.00", box=box)

    assert waiting.state is disbursements.State.REQUESTED


@pytest.mark.parametrize("detail", ["27.00", "{fine}+27.00", "{fee}+54.00"])
def test_an_act_about_another_one_or_another_sum_does_not_reduce(house: House, detail: str) -> None:
    case = a_case_with_a_fee(house)
    fine, fee = of_kind(house, case, FINE), of_kind(house, case, FEE)
    said = detail.format(fine=fine.alias, fee=fee.alias)
    box = details(house, case, fee.alias, version=2)

    with nothing_written(house.session), pytest.raises(ActDiffers):
        reduce(house, case, "27.00", of=fee.alias, detail=said, box=box)


def test_a_reduction_that_names_none_or_one_of_another_case_is_refused(house: House) -> None:
    case, other = a_case_with_a_fee(house), house.a_verified_case()
    foreign = of_kind(house, other, FINE).alias

    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        reduce(house, case, "27.00", of=None, detail="27.00", box=None)
    with nothing_written(house.session), pytest.raises(UnknownObligation):
        reduce(house, case, "27.00", of=foreign, detail=f"{foreign}+27.00", box=None)


def test_a_reduction_to_more_or_with_the_box_of_the_other_one_is_refused(house: House) -> None:
    case = a_case_with_a_fee(house)
    fee = of_kind(house, case, FEE)
    (ruling,) = rulings.of_case(house.session, case.alias)
    wrong = details(house, case, ruling.alias, kind="ruling", version=2)

    with nothing_written(house.session), pytest.raises(BadReduction):
        reduce(house, case, "60.00", of=fee.alias, detail=f"{fee.alias}+60.00", box=wrong)
    with nothing_written(house.session), pytest.raises(BadDetails):
        reduce(house, case, "27.00", of=fee.alias, detail=f"{fee.alias}+27.00", box=wrong)
    assert shelves.commitments(house.session, [fee.alias]) != []
