"""Two approvers press the button in the same second, one on the single payment, one on the batch beside it."""

from collections.abc import Callable

from sqlmodel import Session, select

from ledger.aid import acts, batch_acts, disbursements
from ledger.approvals import SignedAct
from ledger.books import balances, spending
from ledger.books.spending import WouldOverdraw
from tests.bookcheck import assert_it_holds
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, give, race
from tests.proofs import ledger_of, shown
from tests.purses import a_locked_batch, on_batch


def test_two_approvers_at_once_promise_the_money_that_is_there_and_no_more(house: House) -> None:
    session, boris, bella = house.session, house.fund.boris, house.fund.bella
    give(session, byn("1000.00"))
    single = house.a_requested_payment()
    batch = a_locked_batch(house, None, LEAF, [house.a_verified_case()])
    for_one = house.on_payment("approve_disbursement", single, by=boris)
    for_many = on_batch(house, "approve_batch", batch, by=bella)

    # there is enough for one of the two fines
    verbs: list[Callable[[Session], object]] = [
        lambda own: acts.approve_disbursement(own, single.alias, for_one),
        lambda own: batch_acts.approve_batch(own, batch.alias, for_many),
    ]
    answers = race(session, *verbs)
    assert [isinstance(answer, WouldOverdraw) for answer in answers].count(True) == 1
    session.expire_all()
    assert sorted([single.state, batch.state]) in (["approved", "locked"], ["approved", "requested"])
    assert spending.spendable(session, "fines")["BYN"] == byn("190.00")

    # the next gift is enough for the other, and the refused act was used up by nothing: it is handed in again
    give(session, byn("1000.00"))
    again = next(verb for verb, answer in zip(verbs, answers, strict=True) if isinstance(answer, WouldOverdraw))
    again(session)
    session.commit()
    assert (single.state, batch.state) == ("approved", "approved")
    assert {act.signer for act in session.exec(select(SignedAct).where(SignedAct.verb == "approve_batch"))} == {
        bella.alias
    }

    # both are told and the single one is released and paid
    house.tell(single)
    agreed = house.on_payment("release_disbursement", single, by=house.fund.clara)
    acts.release_disbursement(session, single.alias, agreed)
    disbursements.pay(session, single, source_key="test:1", on=TODAY, recorded_at=NOW, recorded_by="test")
    session.commit()
    assert balances.balance(session, LEAF, currency="BYN") == byn("1190.00")
    assert spending.spendable(session, "fines")["BYN"] == byn("380.00")
    told = {"Ruling", "Eligibility", "Approval", "Recognition", "Release", "Payment"}
    assert shown(session, single.case_alias) == {"established": told, "not established": {"Receipt"}}
    assert ledger_of(session, single.case_alias) == {}
    assert_it_holds(engine_of(session))
