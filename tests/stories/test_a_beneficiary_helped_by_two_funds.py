"""Two funds have paid the same fine: the other one owes its part, and repays; the second list is a duplicate."""

from ledger.aid import acts, case_acts, cases, disbursements, intake, obligations, refunds, ruling_acts, subledger
from ledger.books import balances
from tests.bookcheck import found
from tests.cast import LEAF, NOW, TODAY, House, byn, give
from tests.comparing import join
from tests.proofs import ledger_of, shown


def test_a_beneficiary_helped_by_two_funds_is_paid_for_once(house: House) -> None:
    session, ana, anton = house.session, house.fund.ana, house.fund.anton
    give(session, byn("2000.00"))
    case = house.verify(house.a_case(ruling_number="5-77"), by=anton)
    paid = house.a_released_payment(of=case)
    disbursements.pay(session, paid, source_key="test:1", on=TODAY, recorded_at=NOW, recorded_by="test")

    # the same ruling comes in again, on the other fund's list: who enters it is told nothing
    again = house.a_case(ruling_number="5-77")
    assert intake.possible_duplicates(session, again.alias) == [case.alias]
    for one in (case, again):
        house.open(one, by=anton)
    agreed = house.on_case("mark_duplicate", again, by=anton, detail=case.alias)
    case_acts.mark_duplicate(session, again.alias, agreed, of=case.alias)
    assert again.state is cases.State.DUPLICATE

    # the other fund had paid it as well, and repays ours
    obligation = house.obligation_of(case)
    house.open(case, by=ana)
    agreed = house.on_case("acknowledge_duplicate", case, by=ana, object=obligation.alias, detail="810.00")
    refund = ruling_acts.acknowledge_duplicate(session, obligation.alias, agreed, amount=byn("810.00"))
    assert balances.balance(session, "1380", currency="BYN") == byn("810.00")
    refunds.receive(session, refund, source_key="test:2", leaf=LEAF, on=TODAY, recorded_at=NOW, recorded_by="test")

    assert (obligation.state, case.state) == (obligations.State.REFUNDED, cases.State.CLOSED)
    assert balances.balance(session, LEAF, currency="BYN") == byn("2000.00")
    assert acts.owed(session, again) == byn("810.00")  # its boxes stay, and are read from the other
    assert [one.alias for one in cases.duplicates_of(session, case.alias)] == [again.alias]

    # a third list tells of another person under the same number: looked at, signed to be two, and paid
    other = house.a_case(ruling_number="5-77")
    alike = intake.possible_duplicates(session, other.alias)
    assert set(alike) == {case.alias, again.alias}
    for one in (case, again, other):
        house.open(one, by=anton)
    named = house.on_case("verify_case", other, by=anton, detail="+".join(sorted(alike)))
    acts.verify_case(session, other.alias, named, assessment=house.assessed(other), not_duplicates=alike)
    theirs = house.a_released_payment(of=other)
    disbursements.pay(session, theirs, source_key="test:3", on=TODAY, recorded_at=NOW, recorded_by="test")
    assert intake.possible_duplicates(session, other.alias) == []

    # the other fund's list has the first one's next fine too, under a name in other letters: a reviewer finds who it is
    third = house.verify(house.a_case(ruling_number="5-78"), by=anton)
    next_fine = house.a_released_payment(of=third)
    disbursements.pay(session, next_fine, source_key="test:4", on=TODAY, recorded_at=NOW, recorded_by="test")
    join(house, case, third)
    for alias in (case.beneficiary_alias, third.beneficiary_alias):
        rows = subledger.of_beneficiary(session, alias)
        assert {row.case for row in rows} == {case.alias, third.alias}
        sums = {
            account: sum(row.amount.minor for row in rows if row.account == account) for account in ("2100", "1380")
        }
        assert sums == {"2100": 0, "1380": 0}  # both fines are paid, and the other fund has repaid its part

    told = {"Ruling", "Eligibility", "Approval", "Recognition", "Release", "Payment"}
    assert shown(session, case.alias) == {"established": told | {"Since"}, "not established": {"Receipt"}}
    assert shown(session, other.alias) == {"established": told, "not established": {"Receipt"}}
    assert ledger_of(session, case.alias) == {}
    assert ledger_of(session, again.alias) == {}
    assert found(session) == []
