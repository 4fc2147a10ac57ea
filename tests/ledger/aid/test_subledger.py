from datetime import timedelta

import pytest

from ledger.aid import disbursements, quashing, rulings, subledger
from ledger.aid.beneficiaries import UnknownBeneficiary
from ledger.aid.cases import UnknownCase
from ledger.aid.disbursements import Disbursement
from ledger.aid.subledger import Row, Way
from ledger.aliases import Kind, draw
from ledger.books import balances, journal
from ledger.books.journal import Because
from tests.cast import LEAF, NOW, TODAY, House, byn, give
from tests.purses import a_released_batch, an_advance, an_agent, enter, give_euros, items, verified

pytestmark = pytest.mark.place("verified_cases")

PAID_ON = TODAY


def a_paid_case(house: House) -> Disbursement:
    """A fine of 810.00 roubles, recognised and paid from the bank."""
    give(house.session, byn("5000.00"))
    paid = house.a_released_payment()
    disbursements.pay(
        house.session,
        paid,
        source_key=f"bank:{LEAF}:{paid.alias}",
        on=PAID_ON,
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    )
    house.session.commit()
    return paid


def told(row: Row) -> tuple[str, str, str, str]:
    return row.kind, row.account, row.amount.decimal(), row.balance.decimal()


def test_what_is_recognised_is_owed_and_what_is_paid_is_not_owed_any_more(house: House) -> None:
    paid = a_paid_case(house)

    rows = subledger.of_case(house.session, paid.case_alias)

    assert [told(row) for row in rows] == [
        ("aid_recognised", "2100", "-810.00", "-810.00"),
        ("aid_paid", "2100", "810.00", "0.00"),
    ]
    assert [row.against for row in rows] == [("5000",), (LEAF,)]
    recognised, settled = rows
    assert recognised.payment is None
    assert settled.payment == subledger.Payment(
        disbursement=paid.alias, way=Way.AUTHORITY, agent=None, batch=None, released_by=house.fund.clara.alias
    )


def test_what_an_agent_paid_names_agent_and_list(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    an_advance(house, agent, received=byn("1000.00"))
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    batch = a_released_batch(house, agent, LEAF, [case])
    enter(house, batch, verified(items(house, batch)[0]))

    (row,) = [one for one in subledger.of_case(house.session, case.alias) if one.kind == "aid_paid_by_agent"]

    assert row.payment is not None
    assert (row.payment.way, row.payment.agent, row.payment.batch) == (Way.AGENT, agent.alias, batch.alias)
    assert row.against == (agent.purse(),)
    assert row.amount == byn("810.00")


def test_a_quashed_fine_that_was_paid_is_owed_back(house: House) -> None:
    paid = a_paid_case(house)
    (ruling,) = rulings.of_case(house.session, paid.case_alias)
    quashing.quash(house.session, ruling, by=house.fund.ana.alias, on=TODAY, recorded_at=NOW)

    *_, row = subledger.of_case(house.session, paid.case_alias)

    assert told(row) == ("refund_due", "1350", "810.00", "810.00")


def test_a_reversal_is_a_row_that_names_its_original(house: House) -> None:
    paid = a_paid_case(house)
    settled = subledger.of_case(house.session, paid.case_alias)[-1]
    journal.reverse(
        house.session,
        settled.entry,
        source_key="test:reversal",
        because=Because.BOOKED_TWICE,
        on=TODAY,
        recorded_at=NOW,
        recorded_by="test",
    )

    *_, row = subledger.of_case(house.session, paid.case_alias)

    assert (row.reverses, row.amount, row.balance) == (settled.entry, byn("-810.00"), byn("-810.00"))


def test_a_beneficiarys_ledger_is_their_cases_and_nobody_elses_and_agrees_with_the_control_account(
    house: House,
) -> None:
    first, second = a_paid_case(house), a_paid_case(house)
    beneficiary = house.case_of(first).beneficiary_alias

    rows = subledger.of_beneficiary(house.session, beneficiary)

    assert {row.case for row in rows} == {first.case_alias}
    everybody = [*rows, *subledger.of_case(house.session, second.case_alias)]
    control = balances.balance(house.session, "2100", currency="BYN")
    assert sum((row.amount for row in everybody), byn("0.00")) == control


def test_what_was_recorded_later_is_not_known_yet(house: House) -> None:
    paid = a_paid_case(house)

    assert subledger.of_case(house.session, paid.case_alias, as_known_at=NOW - timedelta(seconds=1)) == []
    assert len(subledger.of_case(house.session, paid.case_alias, as_known_at=NOW)) == 2


def test_a_case_without_money_has_an_empty_ledger(house: House) -> None:
    case = house.a_case()

    assert subledger.of_case(house.session, case.alias) == []
    assert subledger.of_beneficiary(house.session, case.beneficiary_alias) == []


def test_what_is_not_there_is_refused(house: House) -> None:
    with pytest.raises(UnknownCase):
        subledger.of_case(house.session, draw(Kind.CASE))
    with pytest.raises(UnknownBeneficiary):
        subledger.of_beneficiary(house.session, draw(Kind.BENEFICIARY))
