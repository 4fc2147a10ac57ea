"""A list of three: one fine paid and later quashed, one paid at the second receipt, one failed and paid by the bank."""

from datetime import date

from api.client import advances, agents, batches, quashing
from api.client.desk import Desk
from tests.agency import (
    a_released_batch,
    an_active_agent,
    an_advance,
    bank_line,
    codes_of,
    enter,
    failed,
    noon,
    receive_euros,
    verified,
    verified_cases,
    without_receipt,
)
from tests.bookkeeping import BYN_LEAF, EUR_LEAF
from tests.cast import byn, eur
from tests.office import Office
from tests.papers import a_list_row

TUESDAY, FRIDAY = date(2020, 10, 13), date(2020, 10, 16)


def test_a_list_goes_to_an_agent_and_every_line_of_it_ends(office: Office) -> None:
    office.furnish()
    office.receive_gift("5000.00")
    receive_euros(office)
    anna = office.desk("anna")

    # The agent receives 3,000.00 roubles for 1,000.00 euros, and a list of three fines.
    agent = an_active_agent(office)
    advance = an_advance(office, agent, received="3000.00")
    verified_cases(office, *(a_list_row(line=line) for line in (2, 3, 4)))
    batch = a_released_batch(office, agent)
    first, second, third = codes_of(batch)

    # One is paid; one receipt is illegible and the money stays with the agent; one could not be paid at all.
    enter(office, batch, verified(first), without_receipt(second, "rejected"), failed(third))
    assert office.balance(agent["purse"]) == byn("2190.00")
    (ageing,) = agents.find(anna, agent["alias"])["ageing"]
    assert (ageing["receipt"], ageing["amount"]["amount"]) == ("rejected", "810.00")

    # A better receipt is brought. The failed fine is asked for again, and this time the bank pays it.
    enter(office, batch, verified(second))
    assert batches.find(anna, batch["alias"])["state"] == "reconciled"
    again = a_released_batch(office)
    office.set_clock(noon(TUESDAY))
    bank_line(office, byn("-810.00"), reference=again["lines"][0]["reference"], leaf=BYN_LEAF, on=TUESDAY)
    assert office.balance("5000") == byn("2430.00")
    assert office.balance("2100") == byn("0.00")

    refunded(office, anna, batch["lines"][0]["case"]["alias"])
    settled(office, anna, agent["alias"], advance["alias"])
    assert {one["difference"]["amount"] for one in reconciliations(anna)} == {"0.00"}
    assert anna.api.get("/v1/exceptions")["exceptions"] == []


def refunded(office: Office, anna: Desk, case: str) -> None:
    # A court quashes the first ruling: the authority owes the fine back, and pays it under our reference.
    quashing.quash(anna, case)
    (refund,) = quashing.refunds(anna)
    office.set_clock(noon(FRIDAY))
    bank_line(office, byn("810.00"), reference=refund["reference"], leaf=BYN_LEAF, on=FRIDAY)
    assert office.balance("1350") == byn("0.00")
    assert office.balance(BYN_LEAF) == byn("5000.00")


def settled(office: Office, anna: Desk, agent: str, advance: str) -> None:
    # What the agent has left comes back in euros, the advance is settled, and their work ends.
    given = advances.give_back(anna, advances.find(anna, advance), stands_for=byn("1380.00"))
    (back,) = given["returns"]
    bank_line(office, eur("455.00"), reference=back["reference"], leaf=EUR_LEAF, on=FRIDAY)
    assert advances.find(anna, advance)["state"] == "settled"
    agents.close(anna, agents.find(anna, agent))
    assert agents.find(anna, agent)["state"] == "closed"


def reconciliations(anna: Desk) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = anna.api.get("/v1/reconciliations")["reconciliations"]
    return found
