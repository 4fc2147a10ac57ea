"""Agents, advances and batches on the ledger's own level: what a house does with them, one verb at a time."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from ledger.aid import (
    advances,
    agent_acts,
    agents,
    batch_acts,
    batch_lines,
    batches,
    cases,
    outlays,
    results,
)
from ledger.aid.advances import Advance
from ledger.aid.agents import Agent
from ledger.aid.batch_lines import Item, Outcome, Receipt
from ledger.aid.batches import Batch, NewLine
from ledger.aid.cases import Case
from ledger.aid.disbursements import Payee
from ledger.aid.obligations import ObligationKind
from ledger.aid.outlays import Repayment
from ledger.aid.purse_movements import NewMovement, PurseMovement
from ledger.aid.results import Result
from ledger.aliases import Kind, draw
from ledger.approvals import Agreed, Verb
from ledger.books import accounts, journal
from ledger.books.postings import credit, debit
from ledger.identities import shelves
from ledger.money import Money
from tests.cast import NOW, TODAY, House, Person, agreed_by, eur, give, sealed

EUR_LEAF = "1000:eur-main"
SENT_ON, RECEIVED_ON = date(2020, 11, 16), date(2020, 11, 17)
PAID_BY = date(2020, 11, 15)
VERIFIED_ON = date(2020, 11, 14)
"""A Saturday; NOW is the Friday after."""
LATER = datetime(2020, 11, 23, 9, 0, tzinfo=UTC)
FUNDS = {ObligationKind.FINE: "fines", ObligationKind.DETENTION: "detention"}


def give_euros(house: House, amount: str = "10000.00") -> None:
    """A leaf in euros, and a gift for fines on it."""
    accounts.add_leaf(house.session, EUR_LEAF, name="Current account", currency="EUR")
    give(house.session, eur(amount), leaf=EUR_LEAF)


def give_to_general(house: House, gift: Money, *, leaf: str = EUR_LEAF) -> None:
    """A gift without a purpose arrives."""
    postings = [debit(leaf, gift, "general"), credit("4000", gift, "general", subject=draw(Kind.DONATION))]
    journal.post(
        house.session,
        source_key=f"test:{draw(Kind.DONATION)}",
        kind="test",
        postings=postings,
        happened_on=date(2020, 10, 5),
        recorded_at=NOW,
        recorded_by="test",
    )
    house.session.commit()


def a_vetted_agent(
    house: House, *, cap: Money | None = None, cap_lines: int = 100, by: Person | None = None, **more: Any
) -> Agent:
    agent = agents.add(
        house.session,
        draw(Kind.AGENT),
        cap=cap or eur("5000.00"),
        cap_lines=cap_lines,
        added_by=(by or house.fund.clara).alias,
        **more,
    )
    house.session.commit()
    return agent


def an_agent(house: House, **caps: Any) -> Agent:
    """Clara enters an agent, Boris activates them."""
    agent = a_vetted_agent(house, **caps)
    agent_acts.activate_agent(house.session, agent.alias, on_agent(agent, by=house.fund.boris))
    house.session.commit()
    return agent


def on_agent(agent: Agent, *, by: Person, **other: Any) -> Agreed:
    seen: dict[str, Any] = {
        "object": agent.alias,
        "version": agent.version,
        "amount": agent.cap().decimal(),
        "currency": agent.currency,
        "payee_commitment": agents.commitment_of(agent),
    }
    return agreed_by(by, "activate_agent", **(seen | other))


def a_requested_advance(house: House, agent: Agent, **shares: Money) -> Advance:
    """Clara asks; 1,000.00 EUR of the fines' fund unless told."""
    advance = advances.request(
        house.session,
        draw(Kind.ADVANCE),
        agent=agent.alias,
        account=EUR_LEAF,
        shares=shares or {"fines": eur("1000.00")},
        requested_by=house.fund.clara.alias,
    )
    house.session.commit()
    return advance


def on_advance(house: House, verb: Verb, advance: Advance, *, by: Person, **other: Any) -> Agreed:
    seen: dict[str, Any] = {
        "object": advance.alias,
        "version": advance.version,
        "amount": advance.amount().decimal(),
        "currency": advance.currency,
        "payee_commitment": advances.commitment_of(house.session, advance),
    }
    return agreed_by(by, verb, **(seen | other))


def approve_advance(house: House, advance: Advance, *, by: Person | None = None) -> Advance:
    agreed = on_advance(house, "approve_advance", advance, by=by or house.fund.boris)
    agent_acts.approve_advance(house.session, advance.alias, agreed)
    house.session.commit()
    return advance


def release_advance(house: House, advance: Advance, *, by: Person | None = None) -> Advance:
    agreed = on_advance(house, "release_advance", advance, by=by or house.fund.clara)
    agent_acts.release_advance(house.session, advance.alias, agreed)
    house.session.commit()
    return advance


def a_sent_advance(house: House, agent: Agent, **shares: Money) -> Advance:
    advance = release_advance(house, approve_advance(house, a_requested_advance(house, agent, **shares)))
    advances.send(
        house.session,
        advance,
        source_key=f"bank:{advance.alias}",
        on=SENT_ON,
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    )
    house.session.commit()
    return advance


def acknowledge(house: House, advance: Advance, received: Money, *, on: date = RECEIVED_ON) -> Advance:
    advances.acknowledge(
        house.session, advance, received=received, on=on, recorded_at=NOW, recorded_by=house.fund.clara.alias
    )
    house.session.commit()
    return advance


def an_advance(house: House, agent: Agent, *, received: Money, **shares: Money) -> Advance:
    """Sent, and received in the agent's currency."""
    return acknowledge(house, a_sent_advance(house, agent, **shares), received)


def on_outlay(repayment: Repayment, *, by: Person, **other: Any) -> Agreed:
    seen: dict[str, Any] = {
        "object": repayment.alias,
        "version": repayment.version,
        "amount": repayment.amount().decimal(),
        "currency": repayment.currency,
        "payee_commitment": outlays.commitment_of(repayment),
    }
    return agreed_by(by, "approve_outlay", **(seen | other))


def on_told(house: House, new: NewMovement, *, by: Person, **other: Any) -> Agreed:
    """An act on a movement that is told; of an advance on its way the whole amount."""
    amount = new.amount
    if amount is None and new.advance is not None:
        amount = advances.require(house.session, new.advance).amount()
    seen: dict[str, Any] = {
        "object": new.alias,
        "amount": amount.decimal() if amount else None,
        "currency": amount.currency if amount else None,
        "payee_commitment": new.commitment(),
    }
    return agreed_by(by, "tell_movement", **(seen | other))


def tell_movement(house: House, new: NewMovement, *, at: datetime = NOW) -> PurseMovement:
    """Clara tells, and signs it."""
    return agent_acts.tell_movement(house.session, new, on_told(house, new, by=house.fund.clara, now=at))


# --- batches


def lines_for(house: House, found: Sequence[Case], *, courts: Sequence[str | None] = ()) -> list[NewLine]:
    """A line for each case, the payee sealed to the beneficiary's shelf, with the tokens of their courts."""
    lines = []
    for number, case in enumerate(found):
        alias = draw(Kind.DISBURSEMENT)
        key = house.session.get_one(shelves.Shelf, case.beneficiary_alias).sealing_key
        payee = sealed(key, kind="disbursement", alias=alias, field="payee", content="Invented authority")
        shelves.keep(house.session, [payee], shelf=case.beneficiary_alias)
        lines.append(
            NewLine(
                alias,
                house.obligation_of(case).alias,
                Payee.AUTHORITY,
                payee.commitment,
                courts[number] if courts else None,
            )
        )
    return lines


def create(house: House, lines: Sequence[NewLine], **other: Any) -> Batch:
    said: dict[str, Any] = {"agent": None, "fund_of": FUNDS, "requested_by": house.fund.clara.alias} | other
    return batches.create(house.session, said.pop("alias", None) or draw(Kind.BATCH), lines=lines, **said)


def a_locked_batch(
    house: House, agent: Agent | None, account: str, found: Sequence[Case], *, courts: Sequence[str | None] = ()
) -> Batch:
    """Clara asks and locks; both approvers open everything."""
    batch = create(
        house,
        lines_for(house, found, courts=courts),
        agent=agent.alias if agent else None,
        account=agent.purse() if agent else account,
    )
    batches.lock(house.session, batch)
    for case in found:
        house.open(case, by=house.fund.boris)
        house.open(case, by=house.fund.bella)
    house.session.commit()
    return batch


def on_batch(house: House, verb: Verb, batch: Batch, *, by: Person, **other: Any) -> Agreed:
    found = items(house, batch)
    evidence = batch_acts.evidence_of(house.session, [item.case for item in found])
    seen: dict[str, Any] = {
        "object": batch.alias,
        "version": batch.version,
        "amount": batch.amount().decimal(),
        "currency": batch.currency,
        "payee_commitment": batch_lines.digest(
            (item.disbursement for item in found), agent=batch.agent_alias, account=batch.account_code
        ),
        "evidence_commitments": tuple(sorted(one for commitments in evidence.values() for one in commitments)),
    }
    return agreed_by(by, verb, **(seen | other))


def approve(house: House, batch: Batch, *, by: Person | None = None) -> Batch:
    agreed = on_batch(house, "approve_batch", batch, by=by or house.fund.boris)
    batch_acts.approve_batch(house.session, batch.alias, agreed)
    house.session.commit()
    return batch


def tell(house: House, batch: Batch) -> None:
    batches.tell(house.session, batch, told_on=TODAY, today=TODAY, recorded_at=NOW, recorded_by=house.fund.ana.alias)
    house.session.commit()


def release(house: House, batch: Batch, *, by: Person | None = None) -> Batch:
    agreed = on_batch(house, "release_batch", batch, by=by or house.fund.clara)
    batch_acts.release_batch(house.session, batch.alias, agreed)
    house.session.commit()
    return batch


def an_approved_batch(house: House, agent: Agent | None, account: str, found: Sequence[Case]) -> Batch:
    batch = approve(house, a_locked_batch(house, agent, account, found))
    tell(house, batch)
    return batch


def a_released_batch(house: House, agent: Agent | None, account: str, found: Sequence[Case]) -> Batch:
    return release(house, an_approved_batch(house, agent, account, found))


def items(house: House, batch: Batch) -> list[Item]:
    return batch_lines.items(house.session, batch.alias)


def verified(item: Item, **other: Any) -> Result:
    """The agent paid in the week before, and the receipt was found right in it."""
    said = {"paid_by": PAID_BY, "verified_on": VERIFIED_ON} | other
    return Result(item.line.code or "", Outcome.PAID, Receipt.VERIFIED, **said)


def unproven(item: Item, receipt: Receipt = Receipt.REJECTED, **other: Any) -> Result:
    return Result(item.line.code or "", Outcome.PAID, receipt, **({"paid_by": PAID_BY} | other))


def failed(item: Item) -> Result:
    return Result(item.line.code or "", Outcome.FAILED, Receipt.MISSING)


def enter(house: House, batch: Batch, *found: Result, at: datetime = NOW) -> Batch:
    entered = results.enter(house.session, batch.alias, found, recorded_at=at, recorded_by=house.fund.clara.alias)
    house.session.commit()
    return entered


def state_of(house: House, item: Item) -> tuple[str, str, str]:
    """Where a line's disbursement, obligation and case stand."""
    case = cases.require(house.session, item.case.alias)
    return (item.disbursement.state, house.obligation_of(case).state, case.state)
