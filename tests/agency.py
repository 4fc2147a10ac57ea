"""What an office does with agents: activates one, sends them money, gives them a list, and enters what comes back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyrage

from api.client import (
    advances,
    agents,
    agents_lists,
    batches,
    lists,
    order_failures,
    outlays,
    purses,
    quashing,
    results,
    statements,
    verifications,
)
from ledger.aid.line_failures import Reason
from ledger.aid.order_failures import Reason as Unexecuted
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, EUR_LEAF
from tests.cast import byn, eur
from tests.papers import BankLine, a_camt_file

if TYPE_CHECKING:
    from tests.office import Office  # whose path through all routes leads through here

INTAKE_DAY = datetime(2020, 10, 2, 9, tzinfo=UTC)
DECISION_DAY = datetime(2020, 10, 5, 9, tzinfo=UTC)
RELEASE_DAY = datetime(2020, 10, 6, 9, tzinfo=UTC)
SENT_ON, RECEIVED_ON = date(2020, 10, 6), date(2020, 10, 7)
PAID_ON, VERIFIED_ON = date(2020, 10, 8), date(2020, 10, 10)
LIST_IDENTITY = pyrage.x25519.Identity.generate()
"""What an agent keeps, and no operator sees."""
LIST_KEY = str(LIST_IDENTITY.to_public())
RESULTS_DAY = datetime(2020, 10, 12, 9, tzinfo=UTC)
"""A Monday: the week in which the agent paid and the receipts were verified is over."""
WEEK_END = date(2020, 10, 11)


def receive_euros(office: Office, amount: str = "10000.00", *, purpose: str = "FINES") -> None:
    """A gift in euros arrives at the bank in September, with its purpose's reference."""
    office.set_clock(INTAKE_DAY)
    anna = office.desk("anna")
    (reference,) = [p["reference"] for p in anna.api.get("/v1/purposes")["purposes"] if p["code"] == purpose]
    line = BankLine(eur(amount), date(2020, 9, 11), reference=reference)
    standing = office.balance(EUR_LEAF, "EUR")
    file = a_camt_file([line], opening=standing, first=date(2020, 9, 1), last=date(2020, 9, 30))
    statements.send(anna, file, account=EUR_LEAF)


def bank_line(office: Office, amount: Money, *, reference: str, leaf: str = EUR_LEAF, on: date) -> list[dict[str, Any]]:
    """The bank tells of one movement on a day, and everything on the leaf agrees."""
    standing = office.balance(leaf, amount.currency)
    file = a_camt_file([BankLine(amount, on, reference=reference)], opening=standing, first=on, last=on)
    return statements.send(office.desk("anna"), file, account=leaf)


def an_active_agent(
    office: Office, *, cap: str = "9000.00", cap_lines: int = 500, cap_courts: int = 20
) -> dict[str, Any]:
    """Anna enters an agent with their key, Boris agrees."""
    office.set_clock(DECISION_DAY)
    added = agents.add(office.desk("anna"), cap=eur(cap), cap_lines=cap_lines, cap_courts=cap_courts, list_key=LIST_KEY)
    agents.activate(office.desk("boris"), added)
    return agents.find(office.desk("anna"), added["alias"])


def a_requested_advance(office: Office, agent: dict[str, Any], **shares: Money) -> dict[str, Any]:
    """Anna asks for an advance; 1,000.00 EUR of the fines' fund unless told."""
    split = shares or {"fines": eur("1000.00")}
    return advances.request(office.desk("anna"), agent=agent["alias"], account=EUR_LEAF, shares=split)


def a_released_advance(office: Office, agent: dict[str, Any], **shares: Money) -> dict[str, Any]:
    """Boris agrees, Anna releases."""
    requested = a_requested_advance(office, agent, **shares)
    advances.approve(office.desk("boris"), requested)
    return advances.release(office.desk("anna"), advances.find(office.desk("anna"), requested["alias"]))


def a_sent_advance(office: Office, agent: dict[str, Any], **shares: Money) -> dict[str, Any]:
    """The bank sends it."""
    released = a_released_advance(office, agent, **shares)
    office.set_clock(noon(SENT_ON))
    bank_line(office, -money(released["amount"]), reference=released["reference"], on=SENT_ON)
    return advances.find(office.desk("anna"), released["alias"])


def an_advance(office: Office, agent: dict[str, Any], *, received: str = "3000.00", **shares: Money) -> dict[str, Any]:
    """The agent has received it in roubles."""
    sent = a_sent_advance(office, agent, **shares)
    office.set_clock(noon(RECEIVED_ON))
    return advances.acknowledge(office.desk("anna"), sent["alias"], received=byn(received), on=RECEIVED_ON)


def verified_cases(office: Office, *rows: lists.ListRow) -> list[str]:
    """Anna takes in a list and verifies every case of it."""
    aliases = office.take_in(*rows)
    for alias in aliases:
        assert verifications.verify(office.desk("anna"), alias) is None
    return aliases


def a_draft(office: Office, agent: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Anna asks for everything that waits to be paid: by the agent, or from the roubles' leaf."""
    anna = office.desk("anna")
    chosen = list(batches.candidates(anna))
    account = agent["purse"] if agent else BYN_LEAF
    return batches.create(anna, chosen, account=account, agent=agent["alias"] if agent else None, **more)


def an_approved_batch(office: Office, agent: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Anna locks it, Boris agrees, everybody is told."""
    office.set_clock(DECISION_DAY)
    draft = a_draft(office, agent, **more)
    batches.lock(office.desk("anna"), draft["alias"])
    batches.approve(office.desk("boris"), draft["alias"])
    batches.tell(office.desk("anna"), draft["alias"], told_on=DECISION_DAY.date())
    return batches.find(office.desk("anna"), draft["alias"])


def a_released_batch(office: Office, agent: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Anna releases it."""
    approved = an_approved_batch(office, agent, **more)
    office.set_clock(RELEASE_DAY)
    batches.release(office.desk("anna"), approved["alias"])
    return batches.find(office.desk("anna"), approved["alias"])


def results_file(*rows: tuple[str, ...], columns: str = "code;outcome;receipt;verified_on;paid_on") -> bytes:
    """What the courier brings: rows of cells, in the order of the columns."""
    return "\n".join([columns, *(";".join(row) for row in rows)]).encode()


def verified(code: str) -> tuple[str, ...]:
    return (code, "paid", "verified", VERIFIED_ON.isoformat(), PAID_ON.isoformat())


def without_receipt(code: str, receipt: str) -> tuple[str, ...]:
    return (code, "paid", receipt, "", PAID_ON.isoformat())


def failed(code: str) -> tuple[str, ...]:
    return (code, "failed", "missing", "", "")


def enter(office: Office, batch: dict[str, Any], *rows: tuple[str, ...], at: datetime = RESULTS_DAY) -> dict[str, Any]:
    """Anna enters results on the day they are brought."""
    office.set_clock(at)
    return batches.enter_results(office.desk("anna"), batch["alias"], results.read(results_file(*rows)))


def codes_of(batch: dict[str, Any]) -> list[str]:
    """The codes of an agent's list, in the order of the batch."""
    return [line["code"] for line in batch["lines"]]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def money(amount: dict[str, str]) -> Money:
    return Money.parse(amount["amount"], amount["currency"])


def an_agent_who_is_owed(office: Office) -> dict[str, Any]:
    """An agent who had 800.00 of the fines' fund and paid a fine of 810.00; the fund has euros."""
    agent = an_active_agent(office)
    an_advance(office, agent, received="800.00")
    verified_cases(office)
    batch = a_released_batch(office, agent)
    enter(office, batch, *map(verified, codes_of(batch)))
    return agent


def walk_with_an_agent(office: Office) -> None:
    """Every route that writes about agents, advances, batches and quashed rulings, once."""
    anna = office.desk("anna")
    receive_euros(office)
    agent = an_active_agent(office)
    an_advance(office, agent, received="800.00")  # less than the list: the rest is the agent's own
    verified_cases(office)
    office.set_clock(DECISION_DAY)
    batches.cancel(anna, a_draft(office, agent)["alias"])
    batch = a_released_batch(office, agent)
    agents_lists.put(anna, batch["alias"], expires_on=date(2020, 10, 20))
    agents_lists.fetch(anna, batch["alias"])
    code, *others = codes_of(batch)
    enter(office, batch, without_receipt(code, "missing"))
    purses.tell_failure(anna, batch["alias"], code=code, because=Reason.MONEY_KEPT)
    enter(office, batch, *map(verified, [code, *others]))
    walk_with_an_outlay(office, agent)
    office.set_clock(DECISION_DAY)
    given = an_advance(office, agent, fines=eur("900.00"))
    office.set_clock(RESULTS_DAY)
    walk_with_a_purse(office, agent, given)
    quashing.quash(anna, batch["lines"][0]["case"]["alias"])
    other = agents.add(anna, cap=eur("1.00"), cap_lines=1)
    agents.freeze(anna, other)
    agents.close(anna, agents.find(anna, other["alias"]))


def walk_with_an_outlay(office: Office, agent: dict[str, Any]) -> None:
    """What the agent laid out is asked to be repaid, agreed to, told to have never reached the bank, and given up."""
    anna = office.desk("anna")
    payee = outlays.Payee("Invented Payee", "INVENTED-ACCOUNT-9")
    asked = outlays.request(anna, agent["alias"], fund="fines", account=BYN_LEAF, amount=byn("10.00"), payee=payee)
    outlays.approve(office.desk("boris"), asked)
    order_failures.tell(anna, asked["alias"], because=Unexecuted.NOT_HANDED_IN)
    outlays.cancel(anna, outlays.find(anna, agent["alias"], asked["alias"]))


def walk_with_a_purse(office: Office, agent: dict[str, Any], given: dict[str, Any]) -> None:
    """An announced return that is withdrawn, movements, an advance that is given up, and the end of an agent."""
    anna = office.desk("anna")
    (back,) = advances.give_back(anna, given, stands_for=byn("10.00"))["returns"]
    advances.withdraw_return(anna, given["alias"], reference=back["reference"])
    fee = purses.move(anna, agent["alias"], what="fee", amount=byn("1.00"), on=VERIFIED_ON, fund="fines")
    purses.withdraw(anna, fee)
    advances.cancel(anna, a_requested_advance(office, agent)["alias"])
    purses.seize(anna, agent["alias"], amount=byn("1.00"), on=VERIFIED_ON)
    agents.compromise(anna, agents.find(anna, agent["alias"]))
