"""Orders that two people signed are carried out at the invented processor, each once."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from api import refunding
from api.refunding import AnotherAccount
from api.stripe_link import TRIES, ProcessorKeyRefused, ProcessorUnavailable
from examples.card_processor.server import Processor, Trouble
from ledger.books import accounts
from ledger.books.balances import balance
from ledger.giving import refund_orders
from ledger.giving.donations import Donation
from ledger.giving.refund_orders import RefundOrder, State
from tests.bookkeeping import CARD_LEAF
from tests.cast import NOW, House, engine_of, eur, nothing_written
from tests.giving_back import agree, ask
from tests.processors import PULL_KEY, REFUND_KEY, a_processor, linked, pull


@pytest.fixture
def processor() -> Processor:
    made = a_processor()
    made.account.charge(10_000, "eur", description="FINES")
    return made


@pytest.fixture
def approved(house: House, processor: Processor) -> RefundOrder:
    """10.00 of a gift of 100.00 that was pulled."""
    accounts.add_leaf(house.session, CARD_LEAF, name="A leaf", currency="EUR")
    house.session.commit()
    with linked(processor) as link:
        pull(house.session, link)
    return agree(house, ask(house, house.session.exec(select(Donation)).one()))


def carry_out(
    session: Session, processor: Processor, *, key: str = REFUND_KEY, later: timedelta = timedelta()
) -> list[tuple[str, str | None]]:
    engine = engine_of(session)
    with linked(processor, key=key) as link:
        outcomes = refunding.carry_out(engine, link, now=NOW + later)
    session.expire_all()
    return [(one.state, one.rule) for one in outcomes]


def state_of(session: Session, order: RefundOrder) -> State:
    session.expire_all()
    return refund_orders.require(session, order.alias).state


def test_an_approved_order_is_carried_out_once_and_booked_from_what_moved(
    house: House, processor: Processor, approved: RefundOrder
) -> None:
    first, again = carry_out(house.session, processor), carry_out(house.session, processor)

    assert (first, again) == ([("succeeded", None)], [])
    assert [one["amount"] for one in processor.account.refunds.values()] == [1_000]
    with linked(processor) as link:
        pull(house.session, link)
    house.session.expire_all()
    assert house.session.exec(select(Donation.refunded_minor)).one() == 1_000
    assert balance(house.session, CARD_LEAF, currency="EUR").minor == processor.account.balance["eur"]
    assert refund_orders.require(house.session, approved.alias).refund == "re_Invented000001"


def test_what_is_not_approved_stays(house: House, processor: Processor, approved: RefundOrder) -> None:
    refund_orders.withdraw(house.session, approved.alias, on=NOW.date())
    asked = ask(house, house.session.exec(select(Donation)).one())

    assert (carry_out(house.session, processor), processor.account.refunds) == ([], {})
    assert state_of(house.session, asked) is State.REQUESTED


def test_an_order_whose_answer_never_came_is_carried_out_once(
    house: House, processor: Processor, approved: RefundOrder
) -> None:
    processor.troubles.extend([Trouble.NONE, Trouble.LOST] + [Trouble.CUT] * (TRIES - 1))
    with pytest.raises(ProcessorUnavailable):
        carry_out(house.session, processor)
    assert (len(processor.account.refunds), state_of(house.session, approved)) == (1, State.SENDING)
    processor.answered.clear()  # more than a day later

    assert carry_out(house.session, processor) == [("succeeded", None)]
    assert len(processor.account.refunds) == 1


def test_the_key_that_pulls_cannot_refund(house: House, processor: Processor, approved: RefundOrder) -> None:
    with pytest.raises(ProcessorKeyRefused):
        carry_out(house.session, processor, key=PULL_KEY)

    assert processor.account.refunds == {}
    assert state_of(house.session, approved) is State.SENDING


def test_what_the_processor_refuses_is_over_and_does_not_hold_up_the_others(
    house: House, processor: Processor, approved: RefundOrder
) -> None:
    processor.account.refund("ch_Invented000001", 9_001)  # in the dashboard, and not pulled yet
    small = agree(house, ask(house, house.session.exec(select(Donation)).one(), eur("9.99")))

    told = carry_out(house.session, processor)

    assert sorted(told, key=str) == [("refused", "processor_refused"), ("succeeded", None)]
    assert (state_of(house.session, approved), state_of(house.session, small)) == (State.REFUSED, State.SUCCEEDED)


def test_a_refund_that_fails_later_is_seen(house: House, processor: Processor, approved: RefundOrder) -> None:
    carry_out(house.session, processor)
    processor.account.undo_refund("re_Invented000001")

    assert carry_out(house.session, processor) == [("failed", None)]
    with nothing_written(house.session):
        assert carry_out(house.session, processor) == []
    assert state_of(house.session, approved) is State.FAILED


def test_a_key_of_another_account_stops_the_run_and_refuses_no_order(
    house: House, processor: Processor, approved: RefundOrder
) -> None:
    other = a_processor()

    with pytest.raises(AnotherAccount):
        carry_out(house.session, other)

    assert state_of(house.session, approved) is State.SENDING
    assert carry_out(house.session, processor) == [("succeeded", None)]


def test_a_refund_for_which_its_giver_must_do_something_is_under_way(
    house: House, processor: Processor, approved: RefundOrder
) -> None:
    carry_out(house.session, processor)
    processor.account.refunds["re_Invented000001"]["status"] = "requires_action"

    assert carry_out(house.session, processor) == [("pending", None)]
    assert state_of(house.session, approved) is State.PENDING


@pytest.mark.parametrize(("days", "seen"), [(60, [("failed", None)]), (61, [])])
def test_a_refund_is_looked_after_for_sixty_days(
    house: House, processor: Processor, approved: RefundOrder, *, days: int, seen: list[tuple[str, None]]
) -> None:
    carry_out(house.session, processor)
    processor.account.undo_refund("re_Invented000001")

    assert approved.state is not State.FAILED
    assert carry_out(house.session, processor, later=timedelta(days=days)) == seen
