from datetime import UTC, datetime
from typing import Any

import pytest

from ledger import checks
from ledger.aid import acts, cases, disbursements, obligations, quashing, refunds, ruling_acts, rulings
from ledger.aid.acts import EvidenceNotOpened
from ledger.aid.cases import Case
from ledger.aid.disbursements import DisbursementNotReady
from ledger.aid.obligations import ObligationNotReady
from ledger.aid.quashing import AlreadyQuashed
from ledger.aid.refunds import Refund
from ledger.aid.rulings import UnknownRuling
from ledger.aid.unwinding import MoneyUnderWay
from ledger.aliases import Kind, draw
from ledger.approvals import ActDiffers, Agreed, NotInRole
from ledger.books import balances
from ledger.checks import acts as trust
from ledger.checks import aid, control
from ledger.identities.shelves import Shelf
from ledger.money import Money
from tests.cast import LEAF, NOW, TODAY, House, Person, byn, give, nothing_written, sealed
from tests.purses import a_locked_batch, a_released_batch, an_agent, approve, enter, failed, items, verified

pytestmark = pytest.mark.place("verified_cases")

NEXT_YEAR = datetime(2021, 1, 11, 9, tzinfo=UTC)


def quash(house: House, case: Case, *, at: datetime = NOW, by: Person | None = None, **other: Any) -> Case:
    """Ana has the new decision in her hands."""
    person = by or house.fund.ana
    house.open(case, by=person, at=at)
    agreed = on_ruling(house, case, by=person, at=at, **other)
    done = acts.quash_ruling(house.session, agreed.act.object, agreed)
    house.session.commit()
    return done


def on_ruling(house: House, case: Case, *, by: Person, at: datetime = NOW, **other: Any) -> Agreed:
    told = {"object": house.obligation_of(case).ruling_alias} | other
    return house.on_case("quash_ruling", case, by=by, now=at, **told)


def a_paid_case(house: House) -> Case:
    """Paid by the bank on the day of NOW."""
    give(house.session, byn("1000.00"))
    case = house.a_verified_case()
    disbursement = house.a_released_payment(of=case)
    disbursements.pay(house.session, disbursement, source_key="bank:1", on=TODAY, recorded_at=NOW, recorded_by="test")
    house.session.commit()
    return case


def refund_of(house: House, case: Case) -> Refund:
    ((refund, owed),) = refunds.listed(house.session)
    assert owed == house.obligation_of(case)
    return refund


def receive(house: House, refund: Refund, *, key: str = "bank:2") -> None:
    refunds.receive(house.session, refund, source_key=key, leaf=LEAF, on=TODAY, recorded_at=NOW, recorded_by="test")
    house.session.commit()


def balance(house: House, account: str) -> Money:
    return balances.balance(house.session, account, currency="BYN", fund="fines")


def test_what_nobody_had_taken_on_is_simply_not_owed_any_more(house: House) -> None:
    case = house.a_verified_case()

    quash(house, case)

    assert house.obligation_of(case).state is obligations.State.QUASHED
    assert balances.trial_balance(house.session) == []


def test_a_payment_that_was_not_released_is_cancelled_and_its_hold_is_free(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()
    case = cases.require(house.session, disbursement.case_alias)

    quash(house, case)

    assert (disbursement.state, case.state) == (disbursements.State.CANCELLED, cases.State.CLOSED)
    assert house.obligation_of(case).state is obligations.State.QUASHED
    house.an_approved_payment()  # the money is there for somebody else


@pytest.mark.parametrize(("at", "account"), [(NOW, "5000"), (NEXT_YEAR, "4200")], ids=["same year", "next year"])
def test_what_was_recognised_and_not_paid_is_taken_back(house: House, at: datetime, account: str) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()
    house.tell(disbursement)
    case = cases.require(house.session, disbursement.case_alias)

    quash(house, case, at=at)

    assert balance(house, "2100") == byn("0.00")
    assert balance(house, account) == (byn("0.00") if account == "5000" else byn("-810.00"))
    assert refunds.listed(house.session) == []


@pytest.mark.parametrize(("at", "account"), [(NOW, "5900:fine"), (NEXT_YEAR, "4200")], ids=["same year", "next year"])
def test_what_was_paid_the_authority_owes_back_and_pays_back_once(house: House, at: datetime, account: str) -> None:
    case = a_paid_case(house)

    quash(house, case, at=at)

    refund = refund_of(house, case)
    assert refund.amount() == byn("810.00")
    assert (balance(house, "1350"), balance(house, account)) == (byn("810.00"), byn("-810.00"))
    receive(house, refund)
    assert house.obligation_of(case).state is obligations.State.REFUNDED
    assert (balance(house, "1350"), balance(house, LEAF)) == (byn("0.00"), byn("1000.00"))
    with nothing_written(house.session), pytest.raises(refunds.NotWaiting):
        receive(house, refund, key="bank:3")


def test_what_an_agent_paid_is_refunded_to_the_fund(house: House) -> None:
    give(house.session, byn("810.00"))
    case, agent = house.a_verified_case(), an_agent(house)
    batch = a_released_batch(house, agent, LEAF, [case])
    enter(house, batch, verified(items(house, batch)[0]))

    quash(house, case)
    receive(house, refund_of(house, case))

    assert balance(house, LEAF) == byn("1620.00")
    assert balances.balance(house.session, "2150", currency="BYN") == byn("-810.00")


def test_a_released_payment_is_waited_for(house: House) -> None:
    give(house.session, byn("1620.00"))
    alone = cases.require(house.session, house.a_released_payment().case_alias)
    listed, agent = house.a_verified_case(), an_agent(house)
    batch = a_released_batch(house, agent, LEAF, [listed])

    for case in (alone, listed):
        house.open(case, by=house.fund.ana)
        agreed = on_ruling(house, case, by=house.fund.ana)
        with nothing_written(house.session), pytest.raises(MoneyUnderWay):
            acts.quash_ruling(house.session, agreed.act.object, agreed)
    enter(house, batch, failed(items(house, batch)[0]))
    quash(house, listed)

    assert house.obligation_of(listed).state is obligations.State.QUASHED


def test_a_ruling_is_quashed_once(house: House) -> None:
    case = a_paid_case(house)
    quash(house, case)
    agreed = on_ruling(house, case, by=house.fund.ana)

    with nothing_written(house.session), pytest.raises(AlreadyQuashed):
        acts.quash_ruling(house.session, agreed.act.object, agreed)
    ruling = rulings.require(house.session, agreed.act.object)
    said: dict[str, Any] = {"by": house.fund.ana.alias, "on": TODAY}
    with nothing_written(house.session), pytest.raises(AlreadyQuashed):
        quashing.reduce(house.session, ruling, byn("1.00"), recorded_at=NOW, **said)
    with nothing_written(house.session), pytest.raises(AlreadyQuashed):
        quashing.uphold(house.session, ruling, **said)

    assert balance(house, "1350") == byn("810.00")


def test_nothing_is_asked_for_once_the_ruling_is_gone(house: House) -> None:
    case = house.a_verified_case()
    quash(house, case)

    with pytest.raises(DisbursementNotReady):
        house.a_requested_payment(of=case)


def test_a_batch_goes_on_without_a_line_whose_ruling_was_quashed(house: House) -> None:
    give(house.session, byn("1620.00"))
    gone, stays = house.a_verified_case(), house.a_verified_case()
    batch = a_locked_batch(house, None, LEAF, [gone, stays])
    quash(house, gone)
    approve(house, batch)

    found = disbursements.standing(house.session, [house.obligation_of(case).alias for case in (gone, stays)])
    assert [(one.case_alias, one.state) for one in found] == [(stays.alias, disbursements.State.APPROVED)]


def test_who_quashes_has_the_role_has_looked_and_signs_what_is_owed(house: House, ana: Person, boris: Person) -> None:
    case = a_paid_case(house)
    said: list[tuple[Person, dict[str, Any], type[Exception]]] = [
        (ana, {}, EvidenceNotOpened),
        (boris, {}, NotInRole),
        (house.fund.anton, {"amount": "1.00"}, ActDiffers),
        (house.fund.anton, {"object": draw(Kind.RULING)}, UnknownRuling),
    ]

    for person, lie, error in said:
        agreed = on_ruling(house, case, by=person, **lie)
        with nothing_written(house.session), pytest.raises(error):
            acts.quash_ruling(house.session, agreed.act.object, agreed)


# --- less, or the same


def reduce(house: House, case: Case, to: str, *, with_details: bool = True, look: bool = True) -> Case:
    """Ana has a decision in her hands that leaves less; unpaid, she seals the details anew."""
    ana, ruling = house.fund.ana, house.obligation_of(case).ruling_alias
    if look:
        house.open(case, by=ana)
    agreed = house.on_case("reduce_ruling", case, by=ana, object=ruling, detail=to)
    details = None
    if with_details:
        key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
        details = sealed(key, kind="ruling", alias=ruling, field="details", content=f"less: {to}", version=2)
    done = ruling_acts.reduce_ruling(house.session, ruling, agreed, to=byn(to), details=details)
    house.session.commit()
    return done


def test_less_is_asked_for_of_what_was_not_paid(house: House) -> None:
    give(house.session, byn("810.00"))
    disbursement = house.an_approved_payment()
    house.tell(disbursement)
    case = cases.require(house.session, disbursement.case_alias)

    reduce(house, case, "300.00")

    owed = house.obligation_of(case)
    assert (owed.amount(), owed.state) == (byn("300.00"), obligations.State.RECOGNISED)
    assert (balance(house, "2100"), disbursement.state) == (byn("-300.00"), disbursements.State.CANCELLED)
    again = house.a_requested_payment(of=case)
    assert again.amount() == byn("300.00")
    assert holds_together(house)


def test_what_was_paid_too_much_is_owed_back_and_the_rest_stays_paid(house: House) -> None:
    case = a_paid_case(house)

    reduce(house, case, "300.00", with_details=False)
    refund = refund_of(house, case)
    due = (refund.amount(), balance(house, "1350"), house.obligation_of(case).state)
    receive(house, refund)

    assert due == (byn("510.00"), byn("510.00"), obligations.State.REFUND_DUE)
    assert (house.obligation_of(case).state, case.state) == (obligations.State.PAID, cases.State.PAID)
    assert holds_together(house)


def test_what_was_reduced_may_still_be_quashed_and_only_the_rest_comes_back(house: House) -> None:
    case = a_paid_case(house)
    reduce(house, case, "300.00", with_details=False)
    receive(house, refund_of(house, case))

    quash(house, case)
    (second,) = [one for one, _ in refunds.listed(house.session) if one.received_on is None]
    receive(house, second, key="bank:3")

    assert (second.amount(), balance(house, "1350")) == (byn("300.00"), byn("0.00"))
    assert (house.obligation_of(case).state, case.state) == (obligations.State.REFUNDED, cases.State.CLOSED)
    assert holds_together(house)


@pytest.mark.parametrize("to", ["810.00", "900.00", "0.00"])
def test_a_reduction_leaves_less_and_something(house: House, to: str) -> None:
    case = house.a_verified_case()
    house.open(case, by=house.fund.ana)

    with nothing_written(house.session), pytest.raises(obligations.BadReduction):
        reduce(house, case, to, look=False)


def test_an_unpaid_reduction_brings_its_details_and_a_paid_one_none(house: House) -> None:
    unpaid, paid = house.a_verified_case(), a_paid_case(house)
    for case in (unpaid, paid):
        house.open(case, by=house.fund.ana)

    for case, with_details in ((unpaid, False), (paid, True)):
        with nothing_written(house.session), pytest.raises(ruling_acts.BadDetails):
            reduce(house, case, "300.00", with_details=with_details, look=False)


def test_an_upheld_ruling_is_noted_and_changes_nothing(house: House, ana: Person) -> None:
    case = house.a_verified_case()
    house.open(case, by=ana)
    ruling = house.obligation_of(case).ruling_alias

    ruling_acts.uphold_ruling(house.session, ruling, house.on_case("uphold_ruling", case, by=ana, object=ruling))

    ((outcome, amount),) = [(one.outcome, one.amount()) for one in quashing.appeals_of(house.session, ruling)]
    assert (outcome, amount) == (quashing.Outcome.UPHELD, byn("810.00"))
    assert case.state is cases.State.VERIFIED


# --- somebody else had paid the same


def acknowledge(house: House, case: Case, amount: str, *, at: datetime = NOW, look: bool = True) -> Refund:
    ana, obligation = house.fund.ana, house.obligation_of(case).alias
    if look:
        house.open(case, by=ana, at=at)
    agreed = house.on_case("acknowledge_duplicate", case, by=ana, now=at, object=obligation, detail=amount)
    refund = ruling_acts.acknowledge_duplicate(house.session, obligation, agreed, amount=byn(amount))
    house.session.commit()
    return refund


@pytest.mark.parametrize(("at", "account"), [(NOW, "5900:fine"), (NEXT_YEAR, "4200")], ids=["same year", "next year"])
def test_what_another_organisation_paid_too_it_owes_and_repays(house: House, at: datetime, account: str) -> None:
    case = a_paid_case(house)

    refund = acknowledge(house, case, "810.00", at=at)
    due = (balance(house, "1380"), balance(house, account))
    receive(house, refund)

    assert due == (byn("810.00"), byn("-810.00"))
    assert (balance(house, "1380"), balance(house, LEAF)) == (byn("0.00"), byn("1000.00"))
    assert case.state is cases.State.CLOSED
    assert holds_together(house)


def test_no_more_comes_back_than_was_paid_from_all_together(house: House) -> None:
    case = a_paid_case(house)
    acknowledge(house, case, "500.00")
    house.open(case, by=house.fund.ana)

    with nothing_written(house.session), pytest.raises(refunds.OverRefund):
        acknowledge(house, case, "310.01", look=False)
    quash(house, case)

    assert (balance(house, "1380"), balance(house, "1350")) == (byn("500.00"), byn("310.00"))
    assert holds_together(house)


def test_nobody_owes_what_was_not_paid(house: House) -> None:
    case = house.a_verified_case()
    house.open(case, by=house.fund.ana)

    with nothing_written(house.session), pytest.raises(ObligationNotReady):
        acknowledge(house, case, "810.00", look=False)


def holds_together(house: House) -> bool:
    return not checks.findings(house.session, checks=(*aid.CHECKS, *control.CHECKS, *trust.CHECKS))
