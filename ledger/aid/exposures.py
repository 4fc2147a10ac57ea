"""What the fund has at stake with each agent, without a name: cash, lines, courts, ages, and cases that they know."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from ledger.aid import advances, agents, agents_lists, purse_movements, results
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import BatchLine, Receipt
from ledger.aid.batches import Batch
from ledger.aid.disbursements import Disbursement
from ledger.aid.disbursements import State as PaymentState
from ledger.books import balances
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Exposure:
    """One agent as of a day. `worth` is all their open cash in the currency of the cap, as it was advanced.

    `courts` is how many their open lists tell of, None when they are not counted; ages are days since the
    end of the week of payment (the day itself where the jurisdiction's grain is a day), or since money or a list went
    to them.
    """

    agent: str
    state: agents.State
    cap: Money
    worth: Money
    holds: list[Money]
    on_the_way: Money
    owed_to_them: list[Money]
    open_lines: int
    courts: int | None
    open_lists: int
    oldest_days: int | None
    rejected_receipts: int
    rejected_days: int | None
    missing_receipts: int
    missing_days: int | None
    waiting_movements: int


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case that stood on a list of the agent; open while they have not accounted for it."""

    case: str
    batch: str
    open: bool


def find(session: Session, agent: Agent, *, on: date) -> Exposure:
    """What is at stake with one agent on the day `on`."""
    lines = _open_lines(session, agent)
    currencies = sorted({*advances.received(session, agent)})
    ageing = results.ageing(session, agent.alias)
    since = {kind: [one.paid_by for one in ageing if one.receipt is kind] for kind in Receipt}
    waiting = purse_movements.listed(session, agent=agent.alias, state=purse_movements.State.REQUESTED)
    courts = {line.court_token for line, _ in lines if line.court_token is not None}
    return Exposure(
        agent=agent.alias,
        state=agent.state,
        cap=agent.cap(),
        worth=advances.exposure(session, agent),
        holds=_standing(agents.balance(session, agent, currency=currency) for currency in currencies),
        on_the_way=balances.balance(session, agent.transit(), currency=agent.currency),
        owed_to_them=_owed(session, agent, currencies),
        open_lines=len(lines),
        courts=None if agent.cap_courts is None else len(courts),
        open_lists=sum(
            kept.removed_on is None and on <= kept.expires_on for kept in agents_lists.of_agent(session, agent.alias)
        ),
        oldest_days=_oldest([*_money_since(session, agent), *(day for _, day in lines)], on=on),
        rejected_receipts=len(since[Receipt.REJECTED]),
        rejected_days=_oldest(since[Receipt.REJECTED], on=on),
        missing_receipts=len(since[Receipt.MISSING]),
        missing_days=_oldest(since[Receipt.MISSING], on=on),
        waiting_movements=len(waiting),
    )


def listed(session: Session, *, on: date) -> list[Exposure]:
    """All agents, by alias; closed ones only when money came back to them since."""
    found = [find(session, agent, on=on) for agent in agents.listed(session)]
    return [one for one in found if one.state is not agents.State.CLOSED or one.holds]


def cases_known(session: Session, agent: Agent) -> list[KnownCase]:
    """The cases of every list that an agent was given, open ones first: who takes the agent may know them all."""
    query = (
        select(Disbursement.case_alias, BatchLine.batch_alias, Disbursement.state)
        .join(BatchLine, col(BatchLine.disbursement_alias) == Disbursement.alias)
        .join(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .where(Batch.agent_alias == agent.alias, col(Batch.released_on).is_not(None))
    )
    found = [KnownCase(case, batch, state is PaymentState.RELEASED) for case, batch, state in session.exec(query)]
    return sorted(found, key=lambda known: (not known.open, known.case, known.batch))


def _open_lines(session: Session, agent: Agent) -> list[tuple[BatchLine, date]]:
    """The lines they work on, each with the day of its release."""
    query = (
        select(BatchLine, Batch)
        .join(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
        .where(Batch.agent_alias == agent.alias, Disbursement.state == PaymentState.RELEASED)
    )
    return [(line, batch.released_on) for line, batch in session.exec(query) if batch.released_on is not None]


def _money_since(session: Session, agent: Agent) -> list[date]:
    """The days on which money went to them that is not all accounted for."""
    open_states = {advances.State.SENT, *advances.RECEIVED}
    given = advances.listed(session, agent=agent.alias)
    return [one.sent_on for one in given if one.state in open_states and one.sent_on is not None]


def _owed(session: Session, agent: Agent, currencies: list[str]) -> list[Money]:
    sums = {currency: sum(agents.owed_by_fund(session, agent, currency=currency).values()) for currency in currencies}
    return _standing(Money(minor, currency) for currency, minor in sums.items())


def _standing(amounts: Iterable[Money]) -> list[Money]:
    return [money for money in amounts if money.minor]


def _oldest(days: list[date], *, on: date) -> int | None:
    return (on - min(days)).days if days else None
