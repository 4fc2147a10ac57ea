"""The reconciliation of agents: what they were advanced less what was claimed and returned is in their purse."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, select

from ledger.aid import agents, results, returns
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """An agent's purse in one currency, on the day `on`. `difference` is `per_advances` less `per_books`."""

    account: str
    currency: str
    on: date
    advanced: Money
    claimed: Money
    returned: Money
    per_advances: Money
    per_books: Money
    difference: Money


def reconcile(session: Session, agent: Agent, *, on: date) -> list[Reconciliation]:
    """One for each currency that the agent has received, in the order of currencies.

    The left side is counted from advances, results and returns; the right side is what the journal says.
    """
    received: dict[str, int] = {}
    for advance in session.exec(select(Advance).where(Advance.agent_alias == agent.alias)):
        if advance.local_currency is not None:
            received[advance.local_currency] = received.get(advance.local_currency, 0) + (advance.local_minor or 0)
    return [_reconcile(session, agent, Money(minor, currency), on=on) for currency, minor in sorted(received.items())]


def _reconcile(session: Session, agent: Agent, advanced: Money, *, on: date) -> Reconciliation:
    currency = advanced.currency
    claimed = Money(sum(results.charged_by_fund(session, agent.alias, currency=currency).values()), currency)
    returned = Money(sum(returns.received_by_fund(session, agent, currency=currency).values()), currency)
    per_books = agents.balance(session, agent, currency=currency)
    left = advanced - claimed - returned
    return Reconciliation(
        account=agent.purse(),
        currency=currency,
        on=on,
        advanced=advanced,
        claimed=claimed,
        returned=returned,
        per_advances=left,
        per_books=per_books,
        difference=left - per_books,
    )
