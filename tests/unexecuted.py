"""Orders that the bank never carries out, ended by two people: Clara tells of them, Boris agrees."""

from datetime import datetime
from typing import Any

from ledger.aid import agent_acts, order_failures, outlays
from ledger.aid.advances import Advance
from ledger.aid.disbursements import Disbursement
from ledger.aid.order_failures import Order, OrderFailure, Reason
from ledger.aid.outlays import NewRepayment, Repayment
from ledger.aliases import Kind, draw
from ledger.approvals import Agreed, Verb
from tests import purses
from tests.cast import LEAF, NOW, House, Person, agreed_by, byn, give


def on_order(
    house: House,
    verb: Verb,
    order: Order,
    *,
    by: Person,
    because: Reason = Reason.NEVER_EXECUTED,
    now: datetime = NOW,
    **other: Any,
) -> Agreed:
    seen: dict[str, Any] = {
        "object": order.alias,
        "version": order.version,
        "amount": order.amount().decimal(),
        "currency": order.currency,
        "payee_commitment": order_failures.commitment_of(house.session, order),
    }
    return agreed_by(by, verb, now=now, detail=because, **(seen | other))


def tell(
    house: House,
    order: Order,
    *,
    by: Person | None = None,
    because: Reason = Reason.NEVER_EXECUTED,
    now: datetime = NOW,
) -> OrderFailure:
    agreed = on_order(house, "tell_unexecuted", order, by=by or house.fund.clara, because=because, now=now)
    return order_failures.tell(house.session, order.alias, because=because, agreed=agreed)


def agree(
    house: House,
    order: Order,
    *,
    by: Person | None = None,
    because: Reason = Reason.NEVER_EXECUTED,
    now: datetime = NOW,
    **other: Any,
) -> OrderFailure:
    agreed = on_order(house, "agree_unexecuted", order, by=by or house.fund.boris, because=because, now=now, **other)
    return order_failures.agree(house.session, order.alias, agreed)


def end(house: House, order: Order, *, because: Reason = Reason.NEVER_EXECUTED) -> OrderFailure:
    """Both of them, and it is done."""
    tell(house, order, because=because)
    failure = agree(house, order, because=because)
    house.session.commit()
    return failure


def a_payment(house: House) -> Disbursement:
    """810.00 BYN of 5,000.00, of which the bank is told."""
    give(house.session, byn("5000.00"))
    return house.a_released_payment()


def a_released_advance(house: House) -> Advance:
    """1,000.00 EUR of 10,000.00, of which the bank is told."""
    purses.give_euros(house)
    asked = purses.a_requested_advance(house, purses.an_agent(house))
    return purses.release_advance(house, purses.approve_advance(house, asked))


def an_approved_repayment(house: House) -> Repayment:
    """210.00 BYN of 5,000.00, which an agent has laid out."""
    purses.give_euros(house)
    give(house.session, byn("5000.00"))
    agent = purses.an_agent(house)
    purses.an_advance(house, agent, received=byn("600.00"))
    batch = purses.a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    purses.enter(house, batch, *(purses.verified(item) for item in purses.items(house, batch)))
    return approve_repayment(house, ask_for_repayment(house, agent.alias))


def approve_repayment(house: House, repayment: Repayment) -> Repayment:
    """Boris agrees."""
    agent_acts.approve_outlay(house.session, repayment.alias, purses.on_outlay(repayment, by=house.fund.boris))
    house.session.commit()
    return repayment


def ask_for_repayment(house: House, agent: str) -> Repayment:
    """Clara asks for the 210.00."""
    amount = byn("210.00")
    told = NewRepayment(alias=draw(Kind.OUTLAY), agent=agent, fund="fines", account=LEAF, amount=amount, settles=amount)
    return outlays.request(house.session, told, by=house.fund.clara.alias)
