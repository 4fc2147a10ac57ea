"""Returns: unspent money of an agent, announced by the treasurer, and seen at the bank under its own reference."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import and_, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import references
from ledger.aid import advances, agents
from ledger.aid.advances import Advance, AdvanceNotReady, BadAdvance
from ledger.aid.agents import Agent
from ledger.books import journal, recipes
from ledger.books.postings import Posting
from ledger.books.recipes import apportion
from ledger.errors import Refused
from ledger.money import Money
from ledger.storage.columns import MinorUnits, whole_minor
from ledger.storage.locks import locked


class OverReturn(Refused):
    """More would come back than the agent has unspent of these funds; amounts are in minor units."""

    rule = "over_return"


class Return(SQLModel, table=True):
    """Unspent money announced to come back: `minor` of the purse's currency. Received when the bank has seen it.

    Withdrawn, it sets nothing aside any more; should it come all the same, two people book it. Out of transit: what
    left under the advance's reference and was no advance, which the agent gives back without ever having it to spend.
    """

    __tablename__ = "advance_return"
    reference: str = Field(primary_key=True, max_length=25)
    advance_alias: str = Field(foreign_key="advance.alias", max_length=20, index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    announced_by: str = Field(max_length=20)
    announced_on: date
    received_on: date | None = None
    withdrawn_by: str | None = Field(default=None, max_length=20)
    withdrawn_on: date | None = None
    out_of_transit: bool = False

    __table_args__ = whole_minor("minor")

    def amount(self) -> Money:
        """What leaves the agent's purse."""
        return Money(self.minor, self.currency)


class ReturnShare(SQLModel, table=True):
    """What one fund has of a return; `own_minor` of it was not in the purse: the agent's own, and owed to them."""

    __tablename__ = "advance_return_share"
    reference: str = Field(foreign_key="advance_return.reference", primary_key=True, max_length=25)
    fund_code: str = Field(foreign_key="fund.code", primary_key=True, max_length=30)
    minor: int = Field(sa_type=MinorUnits)
    own_minor: int | None = Field(default=None, sa_type=MinorUnits)

    __table_args__ = whole_minor("minor")


_GIVEN = {*advances.RECEIVED, advances.State.SETTLED, advances.State.SEIZED, advances.State.LOST}
"""States of an advance whose money is in a purse, or may be again: what was seized may have come back."""


def announce(session: Session, advance: Advance, *, stands_for: Money, by: str, on: date) -> Return:
    """Draws the reference under which unspent money comes back to the bank, and sets that much of the purse aside.

    Raises:
        AdvanceNotReady: the agent does not have it. BadAdvance: not above zero, or not what the agent received.
        OverReturn: the agent has less unspent of the advance's funds.
    """
    if advance.state not in _GIVEN:
        raise AdvanceNotReady("the advance is not in the state this needs", advance=advance.alias, state=advance.state)
    if stands_for.minor <= 0 or stands_for.currency != (advance.local_currency or advance.currency):
        raise BadAdvance("a return is above zero, in the currency that the agent received", where="stands_for")
    agent = agents.require(session, advance.agent_alias, lock=True)
    unspent = unspent_by_fund(session, agent, currency=stands_for.currency)
    own = {fund: unspent.get(fund, 0) for fund in advances.shares_of(session, advance)}
    if stands_for.minor > sum(own.values()):
        raise OverReturn(
            "the agent has less unspent", advance=advance.alias, unspent_minor=sum(own.values()), agent=agent.alias
        )
    return _draw(session, advance, stands_for, by_fund=own, by=by, on=on)


def expect_back(
    session: Session,
    advance: Advance,
    amount: Money,
    *,
    leaf: str,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books money that left a leaf for an advance and was none, whole or not: it is in transit until it comes back.

    The funds share it as they share the advance, which stays where it stands.
    """
    agent = agents.require(session, advance.agent_alias, lock=True)
    shares = {fund: share.minor for fund, share in advances.shares_of(session, advance).items()}
    announced = _draw(
        session, advance, amount, by_fund=shares, by=recorded_by, on=recorded_at.date(), out_of_transit=True
    )
    return journal.post(
        session,
        source_key=source_key,
        kind="advance_left_in_error",
        postings=recipes.advance_sent(
            leaf=leaf, transit=agent.transit(), shares=_shared(session, announced), advance=advance.alias
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )


def withdraw(session: Session, announced: Return, *, by: str, on: date) -> None:
    """Takes an announcement back: what was set aside may be claimed, or announced, again.

    Raises:
        AdvanceNotReady: it was received, or withdrawn before, or it is money that was no advance.
    """
    if announced.received_on is not None or announced.withdrawn_on is not None or announced.out_of_transit:
        raise AdvanceNotReady("the return was received, or withdrawn before", advance=announced.advance_alias)
    announced.withdrawn_by, announced.withdrawn_on = by, on
    session.add(announced)
    session.flush()


def receive(
    session: Session,
    announced: Return,
    *,
    source_key: str,
    leaf: str,
    came: Money,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
    beside: Sequence[Posting] = (),
) -> journal.Posted:
    """Books what the bank's line says: unspent money came back, in the bank's currency.

    What the purse has not, as after a withdrawal, was the agent's own: it is owed to them. `beside` is what else two
    people said that the line says: a fee that a bank took, or what came beyond.

    Raises:
        AdvanceNotReady: it came back already.
    """
    advance = advances.require(session, announced.advance_alias)
    if announced.received_on is not None:
        raise AdvanceNotReady("the return was received already", advance=advance.alias)
    agent = agents.require(session, advance.agent_alias, lock=True)
    rows = session.exec(select(ReturnShare).where(ReturnShare.reference == announced.reference)).all()
    stood_for = {row.fund_code: row.minor for row in rows}
    own = dict.fromkeys(stood_for, 0)
    if not announced.out_of_transit:
        held = agents.held_by_fund(session, agent, currency=announced.currency)
        own = {fund: max(minor - max(held.get(fund, 0), 0), 0) for fund, minor in stood_for.items()}
    for row in rows:
        row.own_minor = own[row.fund_code] or None
        session.add(row)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="advance_given_back" if beside else "advance_returned",
        postings=[
            *recipes.advance_returned(
                leaf=leaf,
                purse=agent.transit() if announced.out_of_transit else agent.purse(),
                came={fund: Money(minor, came.currency) for fund, minor in apportion(came.minor, by=stood_for).items()},
                stood_for={fund: Money(minor, announced.currency) for fund, minor in stood_for.items()},
                own={fund: Money(minor, announced.currency) for fund, minor in own.items()},
                advance=advance.alias,
                agent=agent.alias,
            ),
            *beside,
        ],
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    announced.received_on = on
    session.add(announced)
    session.flush()
    advances.settle(session, agent)
    return posted


def in_transit(session: Session, of: Collection[str]) -> dict[str, dict[tuple[str, str], int]]:
    """By advance: what left for it, was none and has not come back, in minor units by fund and currency."""
    query = (
        select(Return.advance_alias, ReturnShare.fund_code, Return.currency, func.sum(ReturnShare.minor))
        .join(ReturnShare, col(ReturnShare.reference) == Return.reference)
        .where(col(Return.advance_alias).in_(of), Return.out_of_transit, col(Return.received_on).is_(None))
        .group_by(Return.advance_alias, ReturnShare.fund_code, Return.currency)
    )
    found: dict[str, dict[tuple[str, str], int]] = {}
    for advance, fund, currency, minor in session.exec(query):
        found.setdefault(advance, {})[fund, currency] = int(minor)
    return found


def unspent_by_fund(session: Session, agent: Agent, *, currency: str) -> dict[str, int]:
    """What may still be charged or returned, in minor units by fund: the purse less what is announced to come back.

    While the caller holds the agent's row, claims and returns stay within what was advanced, per fund.
    """
    held = agents.held_by_fund(session, agent, currency=currency)
    announced = _shares(session, agent, currency, received=False)
    return {fund: max(minor - announced.get(fund, 0), 0) for fund, minor in held.items()}


def received_by_fund(session: Session, agent: Agent, *, currency: str) -> dict[str, int]:
    """What came back to the bank out of the purse, in minor units of its currency, by fund."""
    return _shares(session, agent, currency, received=True)


def own_by_cell(session: Session, agent: str) -> dict[tuple[str, str], int]:
    """What an agent gave back of their own, in minor units by fund and currency: it is owed to them."""
    query = (
        select(ReturnShare.fund_code, Return.currency, func.sum(ReturnShare.own_minor))
        .join(Return, col(Return.reference) == ReturnShare.reference)
        .join(Advance, col(Advance.alias) == Return.advance_alias)
        .where(Advance.agent_alias == agent, col(ReturnShare.own_minor).is_not(None))
        .group_by(ReturnShare.fund_code, Return.currency)
    )
    return {(fund, currency): int(minor or 0) for fund, currency, minor in session.exec(query)}


def by_reference(session: Session, reference: str) -> Return | None:
    """The return that comes back under this reference, or None; locked."""
    return session.exec(locked(select(Return).where(Return.reference == reference))).one_or_none()


def listed(session: Session, advance: str) -> list[Return]:
    """The returns of an advance, oldest first."""
    found = session.exec(select(Return).where(Return.advance_alias == advance)).all()
    return sorted(found, key=lambda one: (one.announced_on, one.reference))


def _draw(
    session: Session,
    advance: Advance,
    amount: Money,
    *,
    by_fund: Mapping[str, int],
    by: str,
    on: date,
    out_of_transit: bool = False,
) -> Return:
    announced = Return(
        reference=references.draw(),
        advance_alias=advance.alias,
        minor=amount.minor,
        currency=amount.currency,
        announced_by=by,
        announced_on=on,
        out_of_transit=out_of_transit,
    )
    session.add(announced)
    session.flush()
    session.add_all(
        ReturnShare(reference=announced.reference, fund_code=fund, minor=minor)
        for fund, minor in apportion(amount.minor, by=by_fund).items()
    )
    session.flush()
    return announced


def _shared(session: Session, announced: Return) -> dict[str, Money]:
    rows = session.exec(select(ReturnShare).where(ReturnShare.reference == announced.reference))
    return {row.fund_code: Money(row.minor, announced.currency) for row in rows}


def _shares(session: Session, agent: Agent, currency: str, *, received: bool) -> dict[str, int]:
    seen = col(Return.received_on)
    query = (
        select(ReturnShare.fund_code, func.sum(ReturnShare.minor - func.coalesce(ReturnShare.own_minor, 0)))
        .join(Return, col(Return.reference) == ReturnShare.reference)
        .join(Advance, col(Advance.alias) == Return.advance_alias)
        .where(Advance.agent_alias == agent.alias, Return.currency == currency, ~col(Return.out_of_transit))
        .where(seen.is_not(None) if received else and_(seen.is_(None), col(Return.withdrawn_on).is_(None)))
        .group_by(ReturnShare.fund_code)
    )
    return {fund: int(minor) for fund, minor in session.exec(query)}
