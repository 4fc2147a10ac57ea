"""Outlays repaid: what a fund owes an agent for money of their own, sent from a bank leaf by two people's decision.

Approved, the money is held on its leaf, and that much of what is owed is promised; what the bank shows is booked.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import rfc8785
from sqlalchemy import CheckConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import references
from ledger.aid import agents
from ledger.aid.agents import Agent
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts, funds, holds, journal, recipes, spending
from ledger.books.holds import NewHold, Reserve
from ledger.books.journal import Entry, Line
from ledger.books.postings import LARGEST_POSTING_MINOR, Posting
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.identities.boxes import check_commitment
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

BANK = "1000"


class State(StrEnum):
    """Where a repayment stands. Approved: the bank may be told. Paid: it has shown that the money left.

    Returned: it has given all of it back. Failed: it was never carried out, as two people said.
    """

    REQUESTED = "requested"
    APPROVED = "approved"
    PAID = "paid"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    FAILED = "failed"


class UnknownRepayment(NotFound):
    """No repayment has this alias."""

    rule = "unknown_repayment"


class BadRepayment(BadInput):
    """A repayment that cannot be; `where` tells the part."""

    rule = "bad_repayment"


class RepaymentNotReady(Conflict):
    """The repayment is not in the state the verb needs."""

    rule = "repayment_not_ready"


class OverOwed(Refused):
    """More than the fund owes the agent beside what it has promised to repay; amounts are in minor units."""

    rule = "over_owed"


class Repayment(SQLModel, table=True):
    """`minor` of `currency` leaves the leaf for `settles_minor` of what the fund owes; `reference` is told the bank.

    `returned_minor` of what it settled is owed again: the bank gave it back. `payee_commitment` is to the sealed payee:
    without one it is told to the bank by hand. `cancelled_on` is the day on which it was given up, or failed.
    """

    __tablename__ = "outlay_repayment"
    alias: str = Field(primary_key=True, max_length=20)
    agent_alias: str = Field(foreign_key="agent.alias", max_length=20, index=True)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    state: State = Field(sa_type=enumeration(State))
    version: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    settles_minor: int = Field(sa_type=MinorUnits)
    settles_currency: str = Field(max_length=3)
    reference: str = Field(max_length=25, unique=True)
    requested_by: str = Field(max_length=20)
    approved_by: str | None = Field(default=None, max_length=20)
    paid_on: date | None = None
    cancelled_on: date | None = None
    returned_minor: int = Field(default=0, sa_type=MinorUnits)
    payee_commitment: str | None = Field(default=None, max_length=64)

    __table_args__ = (
        CheckConstraint("minor > 0 AND settles_minor > 0", name="repayment_is_above_zero"),
        CheckConstraint("approved_by <> requested_by", name="repayment_is_of_two_people"),
        CheckConstraint("(state IN ('paid', 'returned')) = (paid_on IS NOT NULL)", name="repayment_is_paid_on_a_day"),
        CheckConstraint("returned_minor BETWEEN 0 AND settles_minor", name="returned_is_a_part"),
        CheckConstraint("(state = 'returned') = (returned_minor = settles_minor)", name="returned_is_all"),
        *whole_minor("minor", "settles_minor", "returned_minor"),
    )

    def amount(self) -> Money:
        """What leaves the bank."""
        return Money(self.minor, self.currency)

    def settles(self) -> Money:
        """What is owed no more by it."""
        return Money(self.settles_minor, self.settles_currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRepayment:
    """What is asked for; `amount` leaves the leaf for `settles`, the same where both are in one currency."""

    alias: str
    agent: str
    fund: str
    account: str
    amount: Money
    settles: Money
    payee_commitment: str | None = None


def request(session: Session, new: NewRepayment, *, by: str) -> Repayment:
    """Asks for an agent's outlay to be repaid from a bank leaf.

    Raises:
        AliasTaken, BadAlias, UnknownAgent, AgentNotActive, UnknownFund, UnknownAccount, NotPostable: see there.
        BadRepayment: no bank leaf, not above zero, or two amounts of one currency. OverOwed: the fund owes less.
    """
    check(new.alias, Kind.OUTLAY)
    if new.payee_commitment is not None:
        check_commitment(new.payee_commitment)
    agent = agents.require_active(session, new.agent)
    funds.require(session, new.fund)
    if accounts.postable(session, new.account, currency=new.amount.currency).parent_code != BANK:
        raise BadRepayment("a repayment leaves from a bank leaf", where="account")
    if not all(0 < money.minor <= LARGEST_POSTING_MINOR for money in (new.amount, new.settles)):
        raise BadRepayment("an amount is above zero", where="amount")
    if new.amount.currency == new.settles.currency and new.amount != new.settles:
        raise BadRepayment("in one currency what is owed is repaid whole", where="settles")
    _require_owed(session, agent, new.fund, new.settles)
    if session.get(Repayment, new.alias) is not None:
        raise AliasTaken("the alias is taken")
    repayment = Repayment(
        alias=new.alias,
        agent_alias=new.agent,
        fund_code=new.fund,
        account_code=new.account,
        state=State.REQUESTED,
        version=1,
        minor=new.amount.minor,
        currency=new.amount.currency,
        settles_minor=new.settles.minor,
        settles_currency=new.settles.currency,
        reference=references.draw(),
        requested_by=by,
        payee_commitment=new.payee_commitment,
    )
    session.add(repayment)
    session.flush()
    return repayment


def approve(session: Session, repayment: Repayment, *, by: str, on: date) -> None:
    """Approves what the fund still owes: the money on the leaf is held until the bank shows that it left.

    Raises:
        RepaymentNotReady: it is not newly requested. AgentNotActive, OverOwed: see there.
        WouldOverdraw: the leaf has not enough.
    """
    _require_state(repayment, State.REQUESTED)
    agent = agents.require_active(session, repayment.agent_alias)
    _require_owed(session, agent, repayment.fund_code, repayment.settles())
    spending.reserve(session, [_order(repayment)], on=on)
    repayment.approved_by = by
    _move(session, repayment, State.APPROVED)


def cancel(session: Session, repayment: Repayment, *, on: date) -> None:
    """Gives up a repayment that the bank has not shown; should it come all the same, its line opens an exception.

    Raises:
        RepaymentNotReady: it was paid, or cancelled before.
    """
    _require_state(repayment, State.REQUESTED, State.APPROVED)
    holds.void_for(session, repayment.alias, on=on)
    repayment.cancelled_on = on
    _move(session, repayment, State.CANCELLED)


def fail(session: Session, repayment: Repayment, *, on: date) -> None:
    """The bank never carried it out, as is known on the day `on`: it is owed again, and its leaf holds nothing for it.

    Raises:
        RepaymentNotReady: it was not approved, or the bank has shown it.
    """
    _require_state(repayment, State.APPROVED)
    holds.void_for(session, repayment.alias, on=on)
    repayment.cancelled_on = on
    _move(session, repayment, State.FAILED)


def take_up(session: Session, repayment: Repayment) -> None:
    """What failed was carried out all the same: it is as approved, without a hold, for who books it in the same step.

    Raises:
        RepaymentNotReady: it has not failed. OverOwed: it was asked for again, or is not owed any more.
    """
    _require_state(repayment, State.FAILED)
    agent = agents.require(session, repayment.agent_alias, lock=True)
    _require_owed(session, agent, repayment.fund_code, repayment.settles())
    repayment.cancelled_on = None
    _move(session, repayment, State.APPROVED)


def pay(
    session: Session, repayment: Repayment, *, source_key: str, on: date, recorded_at: datetime, recorded_by: str
) -> journal.Posted:
    """Books what the bank's line says: an approved repayment left on the day `on`.

    Raises:
        RepaymentNotReady: it was not approved, or is paid.
    """
    _require_state(repayment, State.APPROVED)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="outlay_repaid",
        postings=recipes.outlay_repaid(
            leaf=repayment.account_code,
            amount=repayment.settles(),
            fund=repayment.fund_code,
            agent=repayment.agent_alias,
            spent=repayment.amount(),
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    order = _order(repayment)
    holds.capture(session, order.source_key, order.amount, source_key=source_key, on=on)
    repayment.paid_on = on
    _move(session, repayment, State.PAID)
    return posted


def give_back(
    session: Session,
    repayment: Repayment,
    *,
    source_key: str,
    leaf: str,
    settles: Money,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
    came: Money | None = None,
    beside: Sequence[Posting] = (),
) -> journal.Posted:
    """Books what the bank's line says: it gave back what left, or a part: `settles` of it. That is owed again.

    `came` is what the line brought, when that is another currency; `beside` is what else it says: a fee that a bank
    took, or what came beyond.

    Raises:
        RepaymentNotReady: it was not paid, or all of it came back. BadRepayment: it settles nothing or more than left,
            or a part of what left in another currency than was owed.
    """
    _require_state(repayment, State.PAID)
    left = repayment.amount()
    if left.currency == repayment.settles_currency:
        left -= Money(repayment.returned_minor, left.currency)
        again = settles
    else:
        again = repayment.settles() if settles == left else Money(0, repayment.settles_currency)
    if settles.currency != left.currency or not 0 < settles.minor <= left.minor or not again.minor:
        raise BadRepayment(
            "what comes back is what left, or a part of it in the currency that was owed", where="settles"
        )
    agents.require(session, repayment.agent_alias, lock=True)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="outlay_repayment_returned",
        postings=[
            *recipes.outlay_repayment_returned(
                leaf=leaf, amount=again, fund=repayment.fund_code, agent=repayment.agent_alias, came=came or settles
            ),
            *beside,
        ],
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    repayment.returned_minor += again.minor
    _move(session, repayment, State.RETURNED if repayment.returned_minor == repayment.settles_minor else State.PAID)
    return posted


def owed_on(session: Session, repayment: Repayment, *, on: date) -> int:
    """What the books say of the end of a day that the fund owed the agent, in minor units of what is settled."""
    query = select(func.sum(Line.minor)).join(Entry, col(Entry.id) == Line.entry_id)
    query = query.where(
        Line.account_code == agents.OWED,
        Line.subject == repayment.agent_alias,
        Line.fund_code == repayment.fund_code,
        Line.currency == repayment.settles_currency,
        col(Entry.effective_on) <= on,
    )
    return -int(session.exec(query).one() or 0)


def owed_by_fund(session: Session, agent: Agent, *, currency: str) -> dict[str, int]:
    """What the funds owe an agent and have not promised to repay, in minor units, by fund.

    While the caller holds the agent's row, what is repaid and what is set off stay within what is owed.
    """
    # Promises first: one that is paid between the two looks counts twice then, never not at all.
    promised = dict(
        session.exec(
            select(Repayment.fund_code, func.sum(Repayment.settles_minor))
            .where(Repayment.agent_alias == agent.alias, Repayment.settles_currency == currency)
            .where(Repayment.state == State.APPROVED)
            .group_by(Repayment.fund_code)
        ).all()
    )
    owed = agents.owed_by_fund(session, agent, currency=currency)
    return {fund: minor - int(promised.get(fund, 0)) for fund, minor in owed.items()}


def repaid_by_cell(session: Session, agent: str) -> dict[tuple[str, str], int]:
    """What was repaid to an agent and did not come back, in minor units by fund and currency of what was owed."""
    query = (
        select(
            Repayment.fund_code,
            Repayment.settles_currency,
            func.sum(Repayment.settles_minor - Repayment.returned_minor),
        )
        .where(Repayment.agent_alias == agent, Repayment.state == State.PAID)
        .group_by(Repayment.fund_code, Repayment.settles_currency)
    )
    return {(fund, currency): int(minor) for fund, currency, minor in session.exec(query)}


def commitment(*, agent: str, fund: str, account: str, settles: Money, payee: str | None = None) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of agent, fund, leaf and what is settled.

    With the commitment to the sealed payee, where there is one.
    """
    told = [agent, fund, account, settles.decimal(), settles.currency, *([payee] if payee is not None else [])]
    return hashlib.sha256(rfc8785.dumps(told)).hexdigest()


def commitment_of(repayment: Repayment) -> str:
    """The commitment of a repayment as it stands."""
    return commitment(
        agent=repayment.agent_alias,
        fund=repayment.fund_code,
        account=repayment.account_code,
        settles=repayment.settles(),
        payee=repayment.payee_commitment,
    )


def require(session: Session, alias: str, *, lock: bool = False) -> Repayment:
    """The repayment; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownRepayment: there is none.
    """
    query = select(Repayment).where(Repayment.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownRepayment("no repayment has this alias")
    return found


def by_reference(session: Session, reference: str) -> Repayment | None:
    """The repayment whose payment carries this reference, or None; locked."""
    return session.exec(locked(select(Repayment).where(Repayment.reference == reference))).one_or_none()


def listed(session: Session, *, agent: str) -> list[Repayment]:
    """The repayments to an agent in the order of their aliases."""
    found = session.exec(select(Repayment).where(col(Repayment.agent_alias) == agent))
    return sorted(found, key=lambda one: one.alias)


def _require_owed(session: Session, agent: Agent, fund: str, settles: Money) -> None:
    left = owed_by_fund(session, agent, currency=settles.currency).get(fund, 0)
    if settles.minor > left:
        raise OverOwed("the fund owes less", agent=agent.alias, fund=fund, owed_minor=left, currency=settles.currency)


def _order(repayment: Repayment) -> NewHold:
    """What is held on its leaf from the approval to the bank's line."""
    return NewHold(
        source_key=f"outlay:{repayment.alias}:approved",
        reserves=Reserve.LEAF,
        amount=repayment.amount(),
        held_for=repayment.alias,
        fund=repayment.fund_code,
        account=repayment.account_code,
    )


def _require_state(repayment: Repayment, *states: State) -> None:
    if repayment.state not in states:
        raise RepaymentNotReady(
            "the repayment is not in the state this needs", repayment=repayment.alias, state=repayment.state
        )


def _move(session: Session, repayment: Repayment, to: State) -> None:
    repayment.state = to
    repayment.version += 1
    session.add(repayment)
    session.flush()
