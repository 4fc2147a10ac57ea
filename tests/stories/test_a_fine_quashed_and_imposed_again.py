"""Paid, quashed, refunded; fined again for the same event, and that paid and reduced: one chain, no rouble too many."""

from datetime import date
from typing import Any

from ledger.aid import acts, cases, disbursements, obligations, refunds, ruling_acts, rulings, sequels
from ledger.books import balances
from tests.bookcheck import found
from tests.cast import LEAF, NOW, TODAY, House, byn, give
from tests.proofs import ledger_of, shown
from tests.sequences import a_sequel


def test_a_fine_is_quashed_refunded_imposed_again_and_paid_again(house: House) -> None:
    session = house.session
    fact: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": house.fund.clara.alias}
    give(session, byn("1000.00"))
    first = house.a_verified_case()
    paid = house.a_released_payment(of=first)
    disbursements.pay(session, paid, source_key="test:1", **fact)

    (ruling,) = rulings.of_case(session, first.alias)
    ana = house.fund.ana
    house.open(first, by=ana)
    acts.quash_ruling(session, ruling.alias, house.on_case("quash_ruling", first, by=ana, object=ruling.alias))
    ((refund, owed),) = refunds.listed(session)
    assert (owed.state, refund.amount()) == (obligations.State.REFUND_DUE, byn("810.00"))
    refunds.receive(session, refund, source_key="test:2", leaf=LEAF, **fact)
    assert first.state is cases.State.CLOSED
    session.commit()

    sequel = a_sequel(house, first, issued_on=date(2020, 10, 5))
    second = sequels.receive(
        session, ruling.alias, sequel, of_case=first.alias, entered_by=house.fund.ana.alias, recorded_at=NOW
    )
    again = house.a_released_payment(of=house.verify(second, by=house.fund.anton))
    disbursements.pay(session, again, source_key="test:3", **fact)
    assert second.state is cases.State.PAID

    # an appeal leaves 300.00 of the second fine, and the authority gives back what was paid beyond
    (of_second,) = rulings.of_case(session, second.alias)
    house.open(second, by=ana)
    agreed = house.on_case("reduce_ruling", second, by=ana, object=of_second.alias, detail="300.00")
    ruling_acts.reduce_ruling(session, of_second.alias, agreed, to=byn("300.00"))
    waiting = next(one for one, _ in refunds.listed(session) if one.is_waiting())
    refunds.receive(session, waiting, source_key="test:4", leaf=LEAF, **fact)

    assert balances.balance(session, LEAF, currency="BYN") == byn("700.00")
    chain = [one.case_alias for one in sequels.chain_of(session, second.alias)]
    assert chain == [first.alias, second.alias]
    told = {"Ruling", "Eligibility", "Approval", "Recognition", "Release", "Payment", "Since"}
    assert shown(session, first.alias) == {"established": told | {"Afterwards"}, "not established": {"Receipt"}}
    assert shown(session, second.alias) == {"established": told | {"Appeal"}, "not established": {"Receipt"}}
    assert ledger_of(session, first.alias) == {}
    assert ledger_of(session, second.alias) == {}
    assert found(session) == []
