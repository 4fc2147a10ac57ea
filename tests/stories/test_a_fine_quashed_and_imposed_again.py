"""Paid, quashed, refunded; fined again for the same event, and that paid too: one chain, and no rouble too many."""

from datetime import date

from ledger.aid import acts, cases, disbursements, obligations, refunds, rulings, sequels
from ledger.books import balances
from tests.bookcheck import found
from tests.cast import LEAF, NOW, TODAY, House, byn, give
from tests.sequences import a_sequel


def test_a_fine_is_quashed_refunded_imposed_again_and_paid_again(house: House) -> None:
    session = house.session
    give(session, byn("1000.00"))
    first = house.a_verified_case()
    paid = house.a_released_payment(of=first)
    disbursements.pay(session, paid, source_key="test:1", on=TODAY, recorded_at=NOW, recorded_by="test")

    (ruling,) = rulings.of_case(session, first.alias)
    ana = house.fund.ana
    house.open(first, by=ana)
    acts.quash_ruling(session, ruling.alias, house.on_case("quash_ruling", first, by=ana, object=ruling.alias))
    ((refund, owed),) = refunds.listed(session)
    assert (owed.state, refund.amount()) == (obligations.State.REFUND_DUE, byn("810.00"))
    refunds.receive(session, refund, source_key="test:2", leaf=LEAF, on=TODAY, recorded_at=NOW, recorded_by="test")
    assert first.state is cases.State.CLOSED
    session.commit()

    sequel = a_sequel(house, first, issued_on=date(2020, 10, 5))
    second = sequels.receive(
        session, ruling.alias, sequel, of_case=first.alias, entered_by=house.fund.ana.alias, recorded_at=NOW
    )
    again = house.a_released_payment(of=house.verify(second, by=house.fund.anton))
    disbursements.pay(session, again, source_key="test:3", on=TODAY, recorded_at=NOW, recorded_by="test")

    assert second.state is cases.State.PAID
    assert balances.balance(session, LEAF, currency="BYN") == byn("595.00")
    chain = [one.case_alias for one in sequels.chain_of(session, second.alias)]
    assert chain == [first.alias, second.alias]
    assert found(session) == []
