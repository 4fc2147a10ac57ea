"""Batches: disbursements that are agreed to and released together, by the bank or through an agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, tuple_
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import references
from ledger.aid import agents, cases, disbursements, obligations
from ledger.aid.agents import OverCap
from ledger.aid.bail_parts import BailPart
from ledger.aid.batch_lines import BatchLine, Item, digest, draw_codes, items
from ledger.aid.cases import Case
from ledger.aid.disbursements import BANK, Disbursement, Payee
from ledger.aid.obligations import NotToldYet, Obligation, ObligationKind, ObligationNotReady
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts, funds
from ledger.errors import BadInput, Conflict, LedgerError, NotFound, Tampered
from ledger.identities.boxes import check_commitment, check_token
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

MOST_LINES = 1_000
"""The most lines of one batch."""


class State(StrEnum):
    """Where a batch stands: locked, its lines are agreed to as they are or not at all."""

    DRAFT = "draft"
    LOCKED = "locked"
    APPROVED = "approved"
    RELEASED = "released"
    RECONCILED = "reconciled"
    CANCELLED = "cancelled"


class UnknownBatch(NotFound):
    """No batch has this alias."""

    rule = "unknown_batch"


class BadBatch(BadInput):
    """A batch that cannot be; `where` tells the part."""

    rule = "bad_batch"


class BatchNotReady(Conflict):
    """The batch, or what one of its lines pays, is not in the state the verb needs."""

    rule = "batch_not_ready"


class BatchAltered(Tampered):
    """The lines are not those that were locked."""

    rule = "batch_altered"


class Batch(SQLModel, table=True):
    """`agent_alias` is None when the bank pays. `digest` is over the lines, once they are locked."""

    alias: str = Field(primary_key=True, max_length=20)
    agent_alias: str | None = Field(default=None, foreign_key="agent.alias", max_length=20, index=True)
    account_code: str = Field(foreign_key="account.code", max_length=45)
    state: State = Field(sa_type=enumeration(State), index=True)
    version: int
    digest: str | None = Field(default=None, max_length=64)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    requested_by: str = Field(max_length=20)
    approved_by: str | None = Field(default=None, max_length=20)
    released_by: str | None = Field(default=None, max_length=20)
    released_on: date | None = None

    __table_args__ = whole_minor("minor")

    def amount(self) -> Money:
        """The sum of the lines."""
        return Money(self.minor, self.currency)


@dataclass(frozen=True, slots=True)
class NewLine:
    """One line as the client sends it; who is paid lies sealed on the beneficiary's shelf.

    Without an `amount` it pays all that is left of the obligation.

    `court_token` is told of an agent's line: a keyed hash of the court, made for this list alone.
    """

    disbursement: str
    obligation: str
    payee: Payee
    payee_commitment: str
    court_token: str | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Untold:
    """A line whose beneficiary cannot have been told, and why."""

    item: Item
    refusal: NotToldYet | ObligationNotReady


_READY = (cases.State.VERIFIED, cases.State.APPROVED)
PROMISED = (disbursements.State.APPROVED, disbursements.State.RELEASED)
"""While a line is an agent's, or is about to be."""


def create(
    session: Session,
    alias: str,
    *,
    agent: str | None,
    account: str,
    fund_of: Mapping[ObligationKind, str],
    lines: Sequence[NewLine],
    requested_by: str,
) -> Batch:
    """Asks for many obligations to be paid: from a bank leaf, or by an agent from their purse.

    Raises:
        BadAlias, AliasTaken, BadDigest, UnknownFund, UnknownAccount, NotPostable, AgentNotActive: see there.
        BadBatch: no lines or too many, the same thing twice, a kind without a fund, several currencies, not the purse
            of the agent or a leaf of the bank, or a court that is not counted.
        UnknownObligation, AlreadyRequested, OverObligation, BadPart, BatchNotReady: `line` tells.
    """
    _check(session, alias, lines)
    owed = _owed(session, lines, fund_of)
    parts = _parts(session, lines, owed)
    if agent is not None and any(obligation.kind is ObligationKind.BAIL for obligation in owed.values()):
        raise BadBatch("bail is posted from the bank", where="lines")
    currencies = {obligation.currency for obligation in owed.values()}
    if len(currencies) != 1:
        raise BadBatch("a batch has one currency", where="lines")
    _check_account(session, agent, account, currency=min(currencies))
    _check_courts(session, agent, lines)
    for fund in {_fund(fund_of, obligation) for obligation in owed.values()}:
        funds.require(session, fund)
    total = sum(part.minor for part in parts.values())
    batch = Batch(
        alias=alias,
        agent_alias=agent,
        account_code=account,
        state=State.DRAFT,
        version=1,
        minor=total,
        currency=min(currencies),
        requested_by=requested_by,
    )
    session.add(batch)
    of = {obligation.case_alias for obligation in owed.values()}
    due_by = {case.alias: case.due_by for case in session.exec(select(Case).where(col(Case.alias).in_(of)))}
    session.add_all(
        Disbursement(
            alias=line.disbursement,
            obligation_alias=line.obligation,
            case_alias=owed[line.obligation].case_alias,
            state=disbursements.State.REQUESTED,
            version=1,
            payee=line.payee,
            payee_commitment=line.payee_commitment,
            fund_code=_fund(fund_of, owed[line.obligation]),
            account_code=account,
            minor=parts[line.obligation].minor,
            currency=batch.currency,
            reference=references.draw(),
            requested_by=requested_by,
            due_by=due_by[owed[line.obligation].case_alias],
        )
        for line in lines
    )
    session.flush()
    session.add_all(
        BatchLine(
            batch_alias=alias,
            number=number,
            disbursement_alias=line.disbursement,
            court_token=line.court_token if agent else None,
        )
        for number, line in enumerate(lines, start=1)
    )
    session.flush()
    return batch


def lock(session: Session, batch: Batch) -> None:
    """Fixes the lines: what is agreed to from now on is their digest. Those that fell away are noted as left out.

    Raises:
        BatchNotReady: it is no draft, or all its lines fell away.
    """
    _require_state(batch, State.DRAFT)
    found = items(session, batch.alias, lock=True)
    _require_some(batch, [item for item in found if item.disbursement.state not in disbursements.GONE])
    batch.digest = _digest(batch, found)
    for item in found:
        if item.disbursement.state in disbursements.GONE:
            item.line.excluded = item.left_out()
            session.add(item.line)
    _move(session, batch, State.LOCKED)


def require_unaltered(batch: Batch, found: Sequence[Item]) -> None:
    """Refuses lines that do not give the digest any more.

    Raises:
        BatchNotReady: it is not locked. BatchAltered: agent, leaf, lines, amounts, funds, payees or sum are others than
            were locked.
    """
    if batch.digest is None:
        raise BatchNotReady("the batch is not locked", batch=batch.alias, state=batch.state)
    same = all(
        (item.disbursement.account_code, item.disbursement.currency) == (batch.account_code, batch.currency)
        and item.obligation.currency == batch.currency
        and (item.disbursement.minor <= item.obligation.minor or item.disbursement.state in disbursements.GONE)
        for item in found
    )
    total = sum(item.disbursement.minor for item in found)
    if not same or total != batch.minor or _digest(batch, found) != batch.digest:
        raise BatchAltered("the lines are not those that were locked", batch=batch.alias)


def approve(session: Session, batch: Batch, found: Sequence[Item], *, by: str, on: date) -> None:
    """Approves every line, or none: see `disbursements.approve_all`.

    Raises:
        BatchNotReady: it is not locked. AgentNotActive, OverCap, and what `disbursements.approve_all` raises.
    """
    _require_state(batch, State.LOCKED)
    _require_room(session, batch, found)
    disbursements.approve_all(session, [item.disbursement for item in found], by=by, on=on)
    batch.approved_by = by
    _move(session, batch, State.APPROVED)


def tell(
    session: Session, batch: Batch, *, told_on: date, today: date, recorded_at: datetime, recorded_by: str
) -> list[Untold]:
    """Notes that everybody in the batch was told that the fund pays; who was told before stays as they are.

    The lines of which nobody can have been told on that day are left as they are, and given with the reason.

    Raises:
        BatchNotReady: it is not approved. NotToldYet: the day is in the future.
    """
    if batch.state not in {State.APPROVED, State.RELEASED}:
        raise BatchNotReady("the batch is not approved", batch=batch.alias, state=batch.state)
    if told_on > today:
        raise NotToldYet("nobody was told in the future", batch=batch.alias)
    untold = []
    for item in sorted(items(session, batch.alias, lock=True), key=lambda item: item.obligation.alias):
        if item.obligation.told_on is None and item.disbursement.state not in disbursements.GONE:
            try:
                obligations.tell(
                    session,
                    item.obligation,
                    told_on=told_on,
                    today=today,
                    recorded_at=recorded_at,
                    recorded_by=recorded_by,
                )
            except (NotToldYet, ObligationNotReady) as refusal:  # before anything of the line is written
                untold.append(Untold(item, refusal))
    return untold


def release(session: Session, batch: Batch, found: Sequence[Item], *, by: str, on: date, recorded_at: datetime) -> None:
    """Releases every line, or none: see `disbursements.release_all`. An agent's lines get the codes of their list.

    Raises:
        BatchNotReady: it is not approved. AgentNotActive, OverCap, and what `disbursements.release_all` raises.
    """
    _require_state(batch, State.APPROVED)
    _require_room(session, batch, found)
    chosen = [item.disbursement for item in found]
    disbursements.release_all(session, chosen, by=by, on=on, recorded_at=recorded_at)
    if batch.agent_alias is not None:
        for item, code in zip(found, draw_codes(len(found)), strict=True):
            item.line.code = code
            session.add(item.line)
    batch.released_by = by
    batch.released_on = on
    _move(session, batch, State.RELEASED)


def leave_out(session: Session, batch: Batch, found: Sequence[Item], *, on: date) -> list[Item]:
    """Takes the lines out, on the day `on`, whose cases are on hold or left, or whose rulings fell; gives the others.

    What is agreed to and released then is less than the digest covers, never more, and each line keeps the reason. The
    payment of one on hold is cancelled: once the case goes on, another is asked for. The others' were cancelled before.

    Raises:
        BatchNotReady: no line would be left.
    """
    if batch.state not in {State.LOCKED, State.APPROVED}:
        return [item for item in found if item.line.excluded is None]
    for item in sorted(found, key=lambda item: item.obligation.alias):
        if item.line.excluded is None and (reason := item.left_out()) is not None:
            item.line.excluded = reason
            session.add(item.line)
            disbursements.cancel(session, item.disbursement, on=on)
    going = [item for item in found if item.line.excluded is None]
    _require_some(batch, going)
    return going


def cancel(session: Session, batch: Batch, *, on: date) -> None:
    """Withdraws, on the day `on`, a batch that was not released: its obligations may be asked for again.

    Raises:
        BatchNotReady: it was released, or cancelled before.
    """
    if batch.state not in {State.DRAFT, State.LOCKED, State.APPROVED}:
        raise BatchNotReady("the batch was released", batch=batch.alias, state=batch.state)
    for item in sorted(items(session, batch.alias, lock=True), key=lambda item: item.obligation.alias):
        disbursements.cancel(session, item.disbursement, on=on)
    _move(session, batch, State.CANCELLED)


def note_finished(session: Session, alias: str) -> None:
    """Marks a released batch as reconciled when none of its lines waits for the bank or for the agent any more."""
    batch = require(session, alias, lock=True)
    waiting = (
        select(BatchLine.number)
        .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
        .where(BatchLine.batch_alias == alias, Disbursement.state == disbursements.State.RELEASED)
    )
    if batch.state is State.RELEASED and session.exec(waiting.limit(1)).first() is None:
        _move(session, batch, State.RECONCILED)


def require(session: Session, alias: str, *, lock: bool = False) -> Batch:
    """The batch; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownBatch: there is none.
    """
    query = select(Batch).where(Batch.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownBatch("no batch has this alias")
    return found


def listed(session: Session, *, state: State | None = None) -> list[Batch]:
    """All batches, or those in a state, in the order of their aliases."""
    query = select(Batch) if state is None else select(Batch).where(Batch.state == state)
    return sorted(session.exec(query), key=lambda batch: batch.alias)


def candidates(
    session: Session,
    *,
    limit: int,
    after: tuple[date, str] | None = None,
    kind: ObligationKind | None = None,
    currency: str | None = None,
    jurisdiction: str | None = None,
) -> list[Obligation]:
    """Up to `limit` obligations that a batch can pay, by the deadlines of their cases, then by alias.

    Only of a kind, a currency, the cases of a jurisdiction, where told. `after` is a deadline with an alias.
    """
    asked = select(func.sum(Disbursement.minor)).where(
        Disbursement.obligation_alias == Obligation.alias, col(Disbursement.state).in_(disbursements.STANDING)
    )
    applied = select(func.coalesce(func.sum(BailPart.minor), 0)).where(BailPart.fine_alias == Obligation.alias)
    payable = col(Obligation.minor) - col(Obligation.forgone_minor)
    query = (
        select(Obligation)
        .join(Case, col(Case.alias) == Obligation.case_alias)
        .where(col(Obligation.state).in_(obligations.OPEN), col(Case.state).in_(_READY))
        .where(func.coalesce(asked.scalar_subquery(), 0) + applied.scalar_subquery() < payable)
        .order_by(col(Case.due_by), col(Obligation.alias))
        .limit(limit)
    )
    wanted = ((Obligation.kind, kind), (Obligation.currency, currency), (Case.jurisdiction, jurisdiction))
    for column, value in wanted:
        if value is not None:
            query = query.where(col(column) == value)
    if after is not None:
        query = query.where(tuple_(col(Case.due_by), col(Obligation.alias)) > after)
    return list(session.exec(query))


def open_lines(
    session: Session,
    agent: str,
    *,
    states: Sequence[disbursements.State] = (disbursements.State.RELEASED,),
    but: str = "",
) -> int:
    """How many lines of all batches but one an agent works on: released, and without a verified receipt."""
    return len(_courts_of_open_lines(session, agent, states=states, but=but))


def _courts_of_open_lines(
    session: Session, agent: str, *, states: Sequence[disbursements.State], but: str
) -> list[str | None]:
    """The token of the court of each open line of an agent's batches but one."""
    query = (
        select(BatchLine.court_token)
        .join(Batch, col(Batch.alias) == BatchLine.batch_alias)
        .join(Disbursement, col(Disbursement.alias) == BatchLine.disbursement_alias)
        .where(Batch.agent_alias == agent, Batch.alias != but, col(Disbursement.state).in_(states))
    )
    return list(session.exec(query))


def _digest(batch: Batch, found: Sequence[Item]) -> str:
    return digest((item.disbursement for item in found), agent=batch.agent_alias, account=batch.account_code)


def _check(session: Session, alias: str, lines: Sequence[NewLine]) -> None:
    check(alias, Kind.BATCH)
    if not 0 < len(lines) <= MOST_LINES:
        raise BadBatch(f"a batch has 1 to {MOST_LINES} lines", where="lines", lines=len(lines))
    drawn = [check(line.disbursement, Kind.DISBURSEMENT) for line in lines]
    for name, aliases in (("disbursement", drawn), ("obligation", [line.obligation for line in lines])):
        if len(set(aliases)) != len(aliases):
            raise BadBatch("the same thing stands in two lines", where=name)
    for line in lines:
        check_commitment(line.payee_commitment)
        if line.court_token is not None:
            check_token(line.court_token)
    taken = session.exec(select(Disbursement.alias).where(col(Disbursement.alias).in_(drawn))).first()
    if taken is not None or session.get(Batch, alias) is not None:
        raise AliasTaken("the alias is taken")


def _owed(session: Session, lines: Sequence[NewLine], fund_of: Mapping[ObligationKind, str]) -> dict[str, Obligation]:
    """What the lines pay, locked, by alias: owed, and of verified cases."""
    wanted = [line.obligation for line in lines]
    in_order = locked(select(Obligation).where(col(Obligation.alias).in_(wanted)).order_by(col(Obligation.alias)))
    owed = {obligation.alias: obligation for obligation in session.exec(in_order)}
    of = {obligation.case_alias for obligation in owed.values()}
    verified = set(session.exec(select(Case.alias).where(col(Case.alias).in_(of), col(Case.state).in_(_READY))))
    for number, alias in enumerate(wanted, start=1):
        if alias not in owed:
            raise obligations.UnknownObligation("no obligation has this alias", line=number)
        if owed[alias].case_alias not in verified:
            raise BatchNotReady("the case is not verified", line=number, case=owed[alias].case_alias)
        if not obligations.is_owed(owed[alias], by=_fund(fund_of, owed[alias])):
            raise BatchNotReady("this fund owes nothing, or nothing any more", line=number, state=owed[alias].state)
    return owed


def _parts(session: Session, lines: Sequence[NewLine], owed: Mapping[str, Obligation]) -> dict[str, Money]:
    """What each line pays of its obligation: see `disbursements.fit`."""
    asked, parts = disbursements.taken(session, owed), {}
    for number, line in enumerate(lines, start=1):
        obligation = owed[line.obligation]
        left = obligation.payable() - Money(asked[obligation.alias], obligation.currency)
        try:
            parts[obligation.alias] = disbursements.fit(obligation, line.amount, left=left)
        except LedgerError as refusal:
            refusal.data["line"] = number
            raise
    return parts


def _check_account(session: Session, agent: str | None, account: str, *, currency: str) -> None:
    parent = accounts.postable(session, account, currency=currency).parent_code
    if agent is None and parent != BANK:
        raise BadBatch("the bank pays from one of its leaves", where="account")
    if agent is not None and agents.require_active(session, agent).purse() != account:
        raise BadBatch("an agent pays from their own purse", where="account")


def _check_courts(session: Session, agent: str | None, lines: Sequence[NewLine]) -> None:
    counted = agent is not None and agents.require(session, agent).cap_courts is not None
    if counted and any(line.court_token is None for line in lines):
        raise BadBatch("the courts of this agent's list are counted: each line has its token", where="court_token")


def _fund(fund_of: Mapping[ObligationKind, str], obligation: Obligation) -> str:
    if obligation.kind not in fund_of:
        raise BadBatch("no fund is told for a kind", where="funds", kind=obligation.kind)
    return fund_of[obligation.kind]


def _require_room(session: Session, batch: Batch, found: Sequence[Item]) -> None:
    """An agent must be active, and have room for these lines beside those they have or are promised already.

    Their row is locked: two lists at once do not both find the same room.
    """
    if batch.agent_alias is None:
        return
    agent = agents.require_active(session, batch.agent_alias)
    beside = _courts_of_open_lines(session, agent.alias, states=PROMISED, but=batch.alias)
    lines, working_on = len(found), len(beside)
    courts = len({*beside, *(item.line.court_token for item in found)} - {None})
    if agent.cap_courts is not None and courts > agent.cap_courts:
        raise OverCap(
            "the agent's lists would tell of more courts than agreed",
            agent=agent.alias,
            cap_courts=agent.cap_courts,
            courts=courts,
        )
    if working_on + lines > agent.cap_lines:
        raise OverCap(
            "the agent would work on more lines than agreed",
            agent=agent.alias,
            cap_lines=agent.cap_lines,
            open_lines=working_on,
            lines=lines,
        )


def _require_some(batch: Batch, going: Sequence[Item]) -> None:
    if not going:
        raise BatchNotReady("every line is left out", batch=batch.alias, state=batch.state)


def _require_state(batch: Batch, state: State) -> None:
    if batch.state is not state:
        raise BatchNotReady("the batch is not in the state this needs", batch=batch.alias, state=batch.state)


def _move(session: Session, batch: Batch, to: State) -> None:
    batch.state = to
    batch.version += 1
    session.add(batch)
    session.flush()
