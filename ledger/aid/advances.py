"""Advances: the fund's money on its way to an agent and in their hands, and what became of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

import rfc8785
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import book, exceptions, overdrafts, references
from ledger.aid import agents, jurisdictions, purse_changes
from ledger.aid.agents import Agent, OverCap
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts, exchange, funds, holds, journal, recipes, spending
from ledger.books.holds import NewHold, Reserve
from ledger.books.postings import Posting
from ledger.books.recipes import apportion
from ledger.errors import BadInput, Conflict, NotFound
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

BANK = "1000"
FARTHEST = Fraction(1, 20)
"""By which part of the stored rate what an agent received may differ and nobody need ask."""


class State(StrEnum):
    """Where an advance stands. Released: the bank is told. Accounted: a part is. Settled: all of it is.

    Seized or lost: what was left of it, with the agent or on its way. Cancelled: given up before the bank was told.
    Failed: the bank never carried it out. Returned: it gave it back before the agent had it.
    """

    REQUESTED = "requested"
    APPROVED = "approved"
    RELEASED = "released"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ACCOUNTED = "accounted"
    SETTLED = "settled"
    SEIZED = "seized"
    LOST = "lost"
    CANCELLED = "cancelled"
    FAILED = "failed"
    RETURNED = "returned"


class UnknownAdvance(NotFound):
    """No advance has this alias."""

    rule = "unknown_advance"


class BadAdvance(BadInput):
    """An advance, or what is said about one, that cannot be; `where` tells the part."""

    rule = "bad_advance"


class AdvanceNotReady(Conflict):
    """The advance is not in the state the verb needs."""

    rule = "advance_not_ready"


class Advance(SQLModel, table=True):
    """`reference` (ISO 11649) is what the bank carries; `local_minor` what the agent really received of it."""

    alias: str = Field(primary_key=True, max_length=20)
    agent_alias: str = Field(foreign_key="agent.alias", max_length=20, index=True)
    account_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    state: State = Field(sa_type=enumeration(State))
    version: int
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    reference: str = Field(max_length=25, unique=True)
    requested_by: str = Field(max_length=20)
    approved_by: str | None = Field(default=None, max_length=20)
    released_by: str | None = Field(default=None, max_length=20)
    sent_on: date | None = None
    acknowledged_on: date | None = None
    local_minor: int | None = Field(default=None, sa_type=MinorUnits)
    local_currency: str | None = Field(default=None, max_length=3)

    __table_args__ = whole_minor("minor")

    def amount(self) -> Money:
        """What leaves the bank."""
        return Money(self.minor, self.currency)


class Share(SQLModel, table=True):
    """What one fund has of an advance, and of what the agent received."""

    __tablename__ = "advance_share"
    advance_alias: str = Field(foreign_key="advance.alias", primary_key=True, max_length=20)
    fund_code: str = Field(foreign_key="fund.code", primary_key=True, max_length=30)
    minor: int = Field(sa_type=MinorUnits)
    local_minor: int | None = Field(default=None, sa_type=MinorUnits)

    __table_args__ = whole_minor("minor")


UNDER_WAY = (State.APPROVED, State.RELEASED, State.SENT)
"""While the agent is to have it and does not have it yet."""
RECEIVED = (State.ACKNOWLEDGED, State.ACCOUNTED)
"""While the agent has it, or a part of it."""


def request(
    session: Session, alias: str, *, agent: str, account: str, shares: Mapping[str, Money], requested_by: str
) -> Advance:
    """Asks for money to be sent from a bank leaf to an agent, split by fund.

    Raises:
        AliasTaken, BadAlias, UnknownAgent, AgentNotActive, UnknownFund, UnknownAccount, NotPostable: see there.
        BadAdvance: no bank leaf, no share or one not above zero, or not in the currency of the agent's cap.
    """
    check(alias, Kind.ADVANCE)
    receiver = agents.require_active(session, agent)
    if not shares or any(share.minor <= 0 or share.currency != receiver.currency for share in shares.values()):
        raise BadAdvance("shares are above zero, in the currency of the agent's cap", where="shares")
    if accounts.postable(session, account, currency=receiver.currency).parent_code != BANK:
        raise BadAdvance("an advance leaves from a bank leaf", where="account")
    for fund in shares:
        funds.require(session, fund)
    if session.get(Advance, alias) is not None:
        raise AliasTaken("the alias is taken")
    advance = Advance(
        alias=alias,
        agent_alias=agent,
        account_code=account,
        state=State.REQUESTED,
        version=1,
        minor=sum(share.minor for share in shares.values()),
        currency=receiver.currency,
        reference=references.draw(),
        requested_by=requested_by,
    )
    session.add(advance)
    session.flush()
    session.add_all(Share(advance_alias=alias, fund_code=fund, minor=share.minor) for fund, share in shares.items())
    session.flush()
    return advance


def commitment(*, agent: str, account: str, shares: Mapping[str, Money]) -> str:
    """What an act restates as payee: SHA-256 over the canonical JSON of agent, leaf and shares by fund."""
    split = [[fund, shares[fund].decimal(), shares[fund].currency] for fund in sorted(shares)]
    return hashlib.sha256(rfc8785.dumps([agent, account, split])).hexdigest()


def commitment_of(session: Session, advance: Advance) -> str:
    """The commitment of an advance as it stands."""
    return commitment(agent=advance.agent_alias, account=advance.account_code, shares=shares_of(session, advance))


def approve(session: Session, advance: Advance, *, by: str, on: date) -> None:
    """Approves, within the agent's cap, what each fund has in hand beside what it has promised to agents before.

    Raises:
        AdvanceNotReady: it is not newly requested. AgentNotActive, OverCap: see there.
        WouldOverdraw: a fund has not enough. NoRate: it cannot be told without a rate.
    """
    _require_state(advance, State.REQUESTED)
    _require_within_cap(session, advance)
    until = jurisdictions.load(book.require(session).jurisdiction).approved_until(on)
    promises = [replace(one, expires_on=until) for one in _promises(session, advance)]
    spending.reserve(session, promises, on=on)
    advance.approved_by = by
    _move(session, advance, State.APPROVED)


def release(session: Session, advance: Advance, *, by: str, on: date) -> None:
    """Releases to the bank: the money on the leaf is held.

    Raises:
        AdvanceNotReady: it is not approved. AgentNotActive, OverCap: see there. WouldOverdraw: the leaf has not enough.
    """
    _require_state(advance, State.APPROVED)
    _require_within_cap(session, advance)
    spending.reserve(session, [_order(advance)], on=on)
    advance.released_by = by
    _move(session, advance, State.RELEASED)


def cancel(session: Session, advance: Advance, *, on: date) -> None:
    """Gives up an advance of which the bank was not told: what the funds had promised is free again.

    Raises:
        AdvanceNotReady: it was released, or cancelled before.
    """
    if advance.state not in {State.REQUESTED, State.APPROVED}:
        raise AdvanceNotReady("the bank was told, or it was cancelled", advance=advance.alias, state=advance.state)
    holds.void_for(session, advance.alias, on=on)
    _move(session, advance, State.CANCELLED)


def fail(session: Session, advance: Advance, *, on: date) -> None:
    """The bank never carried it out, as is known on the day `on`: leaf and funds hold nothing for it any more.

    Raises:
        AdvanceNotReady: it was not released, or the bank has shown it.
    """
    _require_state(advance, State.RELEASED)
    holds.void_for(session, advance.alias, on=on)
    _move(session, advance, State.FAILED)


def take_up(session: Session, advance: Advance) -> None:
    """What failed was carried out all the same: it is as released, without a hold, for who books it in the same step.

    Raises:
        AdvanceNotReady: it has not failed.
    """
    _require_state(advance, State.FAILED)
    _move(session, advance, State.RELEASED)


def lapse(session: Session, advance: Advance) -> None:
    """Gives up an approved advance whose promises have expired: nobody released it in time.

    Raises:
        AdvanceNotReady: it is not approved.
    """
    _require_state(advance, State.APPROVED)
    _move(session, advance, State.CANCELLED)


def send(
    session: Session, advance: Advance, *, source_key: str, on: date, recorded_at: datetime, recorded_by: str
) -> journal.Posted:
    """Books what the bank's line says: a released advance left on the day `on`.

    Raises:
        AdvanceNotReady: it was not released.
    """
    _require_state(advance, State.RELEASED)
    agent = agents.require(session, advance.agent_alias)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="advance_sent",
        postings=recipes.advance_sent(
            leaf=advance.account_code,
            transit=agent.transit(),
            shares=shares_of(session, advance),
            advance=advance.alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    for held in (_order(advance), *_promises(session, advance)):
        part = f"{source_key}:{held.fund}" if held.fund else source_key
        holds.capture(session, held.source_key, held.amount, source_key=part, on=on)
    advance.sent_on = on
    _move(session, advance, State.SENT)
    return posted


def give_back(
    session: Session,
    advance: Advance,
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
    """Books what the bank's line says: it gave back, whole, what had left and the agent does not have.

    The funds have it again as they had shared it. `came` is what the line brought, when that is another currency;
    `beside` is what else it says: a fee that a bank took, or what came beyond.

    Raises:
        AdvanceNotReady: it was not sent, or the agent has it: then they give it back. BadAdvance: it is not the whole.
    """
    _require_state(advance, State.SENT)
    if settles != advance.amount():
        raise BadAdvance("the bank gives an advance back whole", where="settles")
    agent = agents.require(session, advance.agent_alias, lock=True)
    shares = shares_of(session, advance)
    back = apportion((came or settles).minor, by={fund: share.minor for fund, share in shares.items()})
    posted = journal.post(
        session,
        source_key=source_key,
        kind="advance_given_back",
        postings=[
            *recipes.advance_returned(
                leaf=leaf,
                purse=agent.transit(),
                came={fund: Money(minor, (came or settles).currency) for fund, minor in back.items()},
                stood_for=shares,
                advance=advance.alias,
            ),
            *beside,
        ],
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    _move(session, advance, State.RETURNED)
    return posted


def acknowledge(
    session: Session, advance: Advance, *, received: Money, on: date, recorded_at: datetime, recorded_by: str
) -> None:
    """Books what the agent really received, shared by the funds as they had shared what was sent.

    When it is worth more, or less, than what was sent by more than `FARTHEST` at the stored rates, an exception opens.

    Raises:
        AdvanceNotReady: it was not sent, or later than `on`.
        BadAdvance: nothing was received, or another amount of the same currency.
    """
    _require_state(advance, State.SENT)
    if advance.sent_on is None or on < advance.sent_on:
        raise AdvanceNotReady("nothing is received before it is sent", advance=advance.alias)
    if received.minor <= 0 or (received.currency == advance.currency and received != advance.amount()):
        raise BadAdvance("in its own currency an advance arrives whole", where="received")
    agent = agents.require(session, advance.agent_alias, lock=True)
    rows = _rows_of(session, advance)
    local = apportion(received.minor, by={row.fund_code: row.minor for row in rows})
    with overdrafts.noted(session, on=recorded_at.date()):  # what arrives may be worth less than what was sent
        journal.post(
            session,
            source_key=f"advance:{advance.alias}:acknowledged",
            kind="advance_acknowledged",
            postings=recipes.advance_acknowledged(
                transit=agent.transit(),
                purse=agent.purse(),
                sent=shares_of(session, advance),
                received={fund: Money(minor, received.currency) for fund, minor in local.items()},
                advance=advance.alias,
            ),
            happened_on=on,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )
    for row in rows:
        row.local_minor = local[row.fund_code]
        session.add(row)
    if _is_far_off(session, advance.amount(), received, on=on):
        exceptions.open_once(
            session,
            difference=Difference.AMOUNT_DIFFERS,
            account=agent.purse(),
            about=f"advance:{advance.alias}:acknowledged",
            amount=received,
            on=recorded_at.date(),
        )
    advance.local_minor, advance.local_currency = received.minor, received.currency
    advance.acknowledged_on = on
    _move(session, advance, State.ACKNOWLEDGED)


def settle(session: Session, agent: Agent, *, ended: State = State.SETTLED) -> None:
    """Settles the advances that are all claimed or returned, the oldest first, fund by fund; a part makes accounted.

    `ended` is what the last of an advance led to: seized, or lost, when it was.
    """
    rows = session.exec(
        select(Advance, Share)
        .join(Share, col(Share.advance_alias) == Advance.alias)
        .where(Advance.agent_alias == agent.alias, col(Advance.local_minor).is_not(None))
    ).all()
    ordered = sorted(rows, key=lambda pair: (pair[0].acknowledged_on or date.min, pair[0].alias))
    whole: set[str] = {advance.alias for advance, _ in rows}
    spent = set(whole)
    for currency in {advance.local_currency or "" for advance, _ in rows}:
        held = agents.held_by_fund(session, agent, currency=currency)
        # From the newest back: what is in the purse is of the newest advances.
        for advance, share in reversed(ordered):
            if advance.local_currency == currency and share.local_minor:
                left = min(max(held.get(share.fund_code, 0), 0), share.local_minor)
                held[share.fund_code] = held.get(share.fund_code, 0) - left
                if left:
                    spent.discard(advance.alias)
                if left < share.local_minor:
                    whole.discard(advance.alias)
    for advance in {advance.alias: advance for advance, _ in rows}.values():
        if advance.state in RECEIVED and advance.alias in spent:
            _move(session, advance, ended)
        elif advance.state is State.ACKNOWLEDGED and advance.alias not in whole:
            _move(session, advance, State.ACCOUNTED)


def lose(session: Session, advance: Advance, *, ended: State) -> None:
    """Marks an advance as seized or lost on its way to the agent.

    Raises:
        AdvanceNotReady: it is not on its way.
    """
    _require_state(advance, State.SENT)
    _move(session, advance, ended)


def exposure(session: Session, agent: Agent) -> Money:
    """The money an agent holds or is about to hold, in the currency of their cap.

    What is in their purse is valued as it was advanced: the unspent part of what was received, of what was sent for it,
    rounded up.
    """
    found = session.exec(select(Advance).where(Advance.agent_alias == agent.alias)).all()
    open_minor = sum(one.minor for one in found if one.state in UNDER_WAY)
    for currency in received(session, agent):
        open_minor += worth(session, agent, agents.balance(session, agent, currency=currency))
    return Money(open_minor, agent.currency)


def worth(session: Session, agent: Agent, money: Money) -> int:
    """What money in a purse is worth as it was advanced, in minor units of the cap's currency, rounded up.

    Raises:
        AdvanceNotReady: the agent never had money of this currency.
    """
    sent, local = received(session, agent).get(money.currency, (0, 0))
    if not local:
        raise AdvanceNotReady("the agent never had money of this currency", agent=agent.alias, currency=money.currency)
    return -(-sent * max(money.minor, 0) // local)


def received(session: Session, agent: Agent) -> dict[str, tuple[int, int]]:
    """By currency: all that ever came into the purse, as (its worth as advanced, its minor units)."""
    found = purse_changes.brought(session, agent.alias)
    for one in session.exec(select(Advance).where(Advance.agent_alias == agent.alias)):
        if one.local_currency is not None:
            sent, local = found.get(one.local_currency, (0, 0))
            found[one.local_currency] = (sent + one.minor, local + (one.local_minor or 0))
    return found


def require(session: Session, alias: str, *, lock: bool = False) -> Advance:
    """The advance; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownAdvance: there is none.
    """
    query = select(Advance).where(Advance.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownAdvance("no advance has this alias")
    return found


def by_reference(session: Session, reference: str) -> Advance | None:
    """The advance whose payment carries this reference, or None; locked."""
    return session.exec(locked(select(Advance).where(Advance.reference == reference))).one_or_none()


def listed(session: Session, *, agent: str | None = None) -> list[Advance]:
    """All advances, or those of one agent, in the order of their aliases."""
    query = select(Advance) if agent is None else select(Advance).where(Advance.agent_alias == agent)
    return sorted(session.exec(query), key=lambda advance: advance.alias)


def shares_of(session: Session, advance: Advance) -> dict[str, Money]:
    """What each fund has of it."""
    return {row.fund_code: Money(row.minor, advance.currency) for row in _rows_of(session, advance)}


def _promises(session: Session, advance: Advance) -> list[NewHold]:
    """What each fund holds in hand from the approval to the bank's line."""
    return [
        NewHold(
            source_key=f"advance:{advance.alias}:{fund}",
            reserves=Reserve.IN_HAND,
            amount=share,
            held_for=advance.alias,
            fund=fund,
        )
        for fund, share in sorted(shares_of(session, advance).items())
    ]


def _order(advance: Advance) -> NewHold:
    """What is held on its leaf from the release to the bank's line; the funds hold it in hand already."""
    return NewHold(
        source_key=f"advance:{advance.alias}:released",
        reserves=Reserve.LEAF,
        amount=advance.amount(),
        held_for=advance.alias,
        account=advance.account_code,
    )


def _rows_of(session: Session, advance: Advance) -> list[Share]:
    return list(session.exec(select(Share).where(Share.advance_alias == advance.alias)))


def _require_within_cap(session: Session, advance: Advance) -> None:
    agent = agents.require_active(session, advance.agent_alias)
    counted = Money(0, advance.currency) if advance.state in UNDER_WAY else advance.amount()
    open_cash = exposure(session, agent) + counted
    if agent.cap() < open_cash:
        raise OverCap(
            "the agent would hold more than agreed",
            agent=agent.alias,
            cap_minor=agent.cap_minor,
            open_minor=open_cash.minor,
            currency=agent.currency,
        )


def _is_far_off(session: Session, sent: Money, received: Money, *, on: date) -> bool:
    """Whether the stored rates say something else; without a rate nobody can tell."""
    try:
        went, came = (
            exchange.translate(money, exchange.rate(session, money.currency, on=on)) for money in (sent, received)
        )
    except exchange.NoRate:
        return False
    return abs(came - went) > FARTHEST * went


def _require_state(advance: Advance, state: State) -> None:
    if advance.state is not state:
        raise AdvanceNotReady("the advance is not in the state this needs", advance=advance.alias, state=advance.state)


def _move(session: Session, advance: Advance, to: State) -> None:
    advance.state = to
    advance.version += 1
    session.add(advance)
    session.flush()
