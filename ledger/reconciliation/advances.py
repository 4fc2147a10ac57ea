"""The reconciliation of agents: what they were advanced less claims and returns, with its movements, is in a purse."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, select

from ledger.aid import agents, purse_changes, results, returns
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.aid.purse_changes import Place
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """An agent's purse in one currency, on the day `on`; `moved` is what its movements brought less what they took.

    `difference` is `per_advances` less `per_books`.
    """

    account: str
    currency: str
    on: date
    advanced: Money
    claimed: Money
    returned: Money
    moved: Money
    per_advances: Money
    per_books: Money
    difference: Money


def reconcile(session: Session, agent: Agent, *, on: date) -> list[Reconciliation]:
    """One for each currency that the agent has received, in the order of currencies.

    The left side is counted from advances, results, returns and movements; the right side is what the journal says.
    """
    received: dict[str, int] = {}
    for advance in session.exec(select(Advance).where(Advance.agent_alias == agent.alias)):
        if advance.local_currency is not None:
            received[advance.local_currency] = received.get(advance.local_currency, 0) + (advance.local_minor or 0)
    moved = Counter[str]()
    for (_, currency), minor in purse_changes.by_cell(session, agent.alias, place=Place.PURSE).items():
        moved[currency] += minor
    return [
        _reconcile(session, agent, Money(received.get(currency, 0), currency), Money(moved[currency], currency), on=on)
        for currency in sorted({*received, *moved})
    ]


def _reconcile(session: Session, agent: Agent, advanced: Money, moved: Money, *, on: date) -> Reconciliation:
    currency = advanced.currency
    claimed = Money(sum(results.charged_by_fund(session, agent.alias, currency=currency).values()), currency)
    returned = Money(sum(returns.received_by_fund(session, agent, currency=currency).values()), currency)
    per_books = agents.balance(session, agent, currency=currency)
    left = advanced - claimed - returned + moved
    return Reconciliation(
        account=agent.purse(),
        currency=currency,
        on=on,
        advanced=advanced,
        claimed=claimed,
        returned=returned,
        moved=moved,
        per_advances=left,
        per_books=per_books,
        difference=left - per_books,
    )
