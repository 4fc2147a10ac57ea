from datetime import date, timedelta

from ledger.aid import acts, bail, cases, hearings, obligations
from ledger.aid.obligations import State
from ledger.books import balances, spending
from ledger.money import Money
from tests.bookcheck import assert_it_holds
from tests.cast import TODAY, House, engine_of
from tests.courts import (
    USD_LEAF,
    a_case,
    a_recognised_fine,
    apply,
    forfeit,
    open_dollars,
    posted_bail,
    see_at_the_bank,
    usd,
)
from tests.proofs import ledger_of, shown


def balance(house: House, account: str) -> Money:
    return balances.balance(house.session, account, currency="USD")


def test_bail_is_forfeited_in_part_and_the_rest_comes_back_less_a_fee(house: House) -> None:
    session, clara = house.session, house.fund.clara
    open_dollars(house, "2000.00")

    # Approved, bail is a hold on the fund and no entry.
    payment = house.an_approved_payment(of=a_case(house, "1500.00"), leaf=USD_LEAF)
    assert spending.spendable(session, "fines")["USD"] == usd("500.00")
    assert (balance(house, "1300"), balance(house, "2100")) == (usd("0.00"), usd("0.00"))
    house.tell(payment)
    assert balance(house, "2100") == usd("0.00")

    # Released and seen at the bank, it stands in 1300 until something becomes of it.
    agreed = house.on_payment("release_disbursement", payment, by=clara)
    acts.release_disbursement(session, payment.alias, agreed)
    session.commit()
    see_at_the_bank(house, usd("-1500.00"), reference=payment.reference)
    posted = obligations.require(session, payment.obligation_alias)
    assert posted.state is State.PAID
    assert (balance(house, "1300"), balance(house, USD_LEAF)) == (usd("1500.00"), usd("500.00"))
    assert spending.spendable(session, "fines")["USD"] == usd("500.00")

    # The hearing passes.
    hearings.note_hearing(session, posted.alias, on=TODAY + timedelta(days=20), by=clara.alias)
    (standing,) = hearings.age(session, on=TODAY + timedelta(days=40))
    assert (standing.age_days, standing.group, standing.outstanding) == (40, "31 to 90 days", usd("1500.00"))
    assert (standing.last_hearing, standing.next_hearing) == (TODAY + timedelta(days=20), None)

    # The court keeps 300.00; 1,200.00 come back less 36.00.
    forfeit(house, posted, usd("300.00"))
    returned = bail.announce_return(
        session, posted.alias, amount=usd("1200.00"), fee=usd("36.00"), by=clara.alias, on=TODAY
    )
    session.commit()
    outcome = see_at_the_bank(house, usd("1164.00"), reference=returned.reference, on=date(2020, 12, 10))

    assert outcome.booked == 1
    assert balance(house, "1300") == usd("0.00")
    assert (balance(house, "5300"), balance(house, "5400")) == (usd("300.00"), usd("36.00"))
    assert balance(house, USD_LEAF) == usd("1664.00")
    assert hearings.age(session, on=TODAY + timedelta(days=40)) == []
    told = {"Ruling", "Eligibility", "Approval", "Release", "Payment", "Since"}
    assert shown(session, posted.case_alias) == {"established": told, "not established": {"Receipt"}}
    assert ledger_of(session, posted.case_alias) == {}
    assert_it_holds(engine_of(session))


def test_bail_pays_a_part_of_a_fine_the_bank_the_rest_and_what_is_left_of_bail_is_forfeited(house: House) -> None:
    session, clara = house.session, house.fund.clara
    open_dollars(house)
    posted = posted_bail(house)
    fine, whole = a_recognised_fine(house)
    case = cases.require(session, fine.case_alias)
    assert balance(house, "2100") == usd("-400.00")

    # The court counts 150.00 of the bail: the payment of all of it is not made, another is asked for.
    apply(house, posted, fine, usd("150.00"))
    assert (fine.state, whole.state) == (State.PART_PAID, "cancelled")
    assert (balance(house, "1300"), balance(house, "2100")) == (usd("1350.00"), usd("-250.00"))
    rest = house.an_approved_payment(of=case, leaf=USD_LEAF)
    acts.release_disbursement(session, rest.alias, house.on_payment("release_disbursement", rest, by=clara))
    session.commit()
    assert see_at_the_bank(house, usd("-250.00"), reference=rest.reference).booked == 1
    assert (fine.state, case.state, balance(house, "2100")) == (State.PAID, "paid", usd("0.00"))

    # What is left of the bail it keeps.
    forfeit(house, posted, usd("1350.00"))

    told = {"Ruling", "Eligibility", "Approval", "Recognition", "Release", "Payment", "Paid by bail", "Paid in all"}
    assert shown(session, case.alias) == {
        "established": told,
        "recorded": {"Attempt"},
        "not established": {"Receipt"},
    }
    assert "Since" in shown(session, posted.case_alias)["established"]
    assert ledger_of(session, case.alias) == {"1300": -15_000}
    assert ledger_of(session, posted.case_alias) == {"1300": 15_000}  # as much as the other case has of it
    assert_it_holds(engine_of(session))
