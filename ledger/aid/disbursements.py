"""Disbursements: money leaving for one obligation, asked by one person, approved by another, released, paid."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import references
from ledger.aid import bail_parts, cases, jurisdictions, obligations
from ledger.aid.agents import Agent
from ledger.aid.cases import Case
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts, funds, holds, journal, recipes, spending
from ledger.books.holds import NewHold, Reserve
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.identities.boxes import check_commitment
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked

BANK = "1000"
"""The account whose leaves a bank keeps."""


class Payee(StrEnum):
    """Who receives the money: the authority that imposed it, or the beneficiary who paid it."""

    AUTHORITY = "authority"
    BENEFICIARY = "beneficiary"


class State(StrEnum):
    """Where a disbursement stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    RELEASED = "released"
    PAID = "paid"
    RETURNED = "returned"
    FAILED = "failed"
    CANCELLED = "cancelled"


GONE = (State.FAILED, State.CANCELLED, State.RETURNED)
"""States after which what it was to pay may be asked for again. The database's guard has the same words."""
STANDING = tuple(state for state in State if state not in GONE)
"""The others: what is asked for, under way or paid."""


class UnknownDisbursement(NotFound):
    """No disbursement has this alias."""

    rule = "unknown_disbursement"


class DisbursementNotReady(Conflict):
    """The disbursement is not in the state the verb needs."""

    rule = "disbursement_not_ready"


class AlreadyRequested(Conflict):
    """The whole obligation is asked for or paid: it is paid once."""

    rule = "already_requested"


class OverObligation(Refused):
    """More than is owed and not asked for or paid yet; amounts are in minor units."""

    rule = "over_obligation"


class BadPart(BadInput):
    """A part of an obligation that cannot be; `where` tells what."""

    rule = "bad_part"


class NoBankLeaf(BadInput):
    """Not a leaf of the bank's account."""

    rule = "no_bank_leaf"


class Disbursement(SQLModel, table=True):
    """`reference` (ISO 11649) is what the bank carries back; `payee_commitment` is to the sealed payee.

    `receipt_on` is the day on which its receipt was found right, `due_by` the deadline of its case. `returned_key` is
    the source key of the entry by which the bank gave it back.
    """

    alias: str = Field(primary_key=True, max_length=20)
    obligation_alias: str = Field(foreign_key="obligation.alias", max_length=20)
    case_alias: str = Field(foreign_key="aid_case.alias", max_length=20)
    state: State = Field(sa_type=enumeration(State))
    version: int
    payee: Payee = Field(sa_type=enumeration(Payee))
    payee_commitment: str = Field(max_length=64)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    account_code: str = Field(foreign_key="account.code", max_length=45, index=True)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    reference: str = Field(max_length=25, unique=True)
    requested_by: str = Field(max_length=20)
    approved_by: str | None = Field(default=None, max_length=20)
    released_by: str | None = Field(default=None, max_length=20)
    released_on: date | None = None
    paid_on: date | None = None
    paid_recorded_on: date | None = None
    receipt_on: date | None = None
    returned_on: date | None = None
    returned_recorded_on: date | None = None
    returned_key: str | None = Field(default=None, max_length=200, unique=True, index=True)
    due_by: date

    __table_args__ = (
        Index("disbursements_by_deadline", "state", "due_by", "alias"),
        Index("disbursements_by_state", "state", "obligation_alias", "case_alias"),  # what is asked for, from it alone
        Index("disbursements_of_obligation", "obligation_alias", "state"),
        Index("disbursements_of_case", "case_alias", "state"),
        *whole_minor("minor"),
    )

    def amount(self) -> Money:
        """What leaves."""
        return Money(self.minor, self.currency)


def request(
    session: Session,
    alias: str,
    *,
    obligation: Obligation,
    payee: Payee,
    payee_commitment: str,
    fund: str,
    account: str,
    requested_by: str,
    amount: Money | None = None,
) -> Disbursement:
    """Asks for a part of an obligation, or without an `amount` for all that is left, to be paid from a bank leaf.

    Raises:
        AliasTaken, BadAlias, BadDigest: see there. AlreadyRequested: nothing is left to be asked for.
        BadPart, OverObligation: see `fit`.
        UnknownFund, UnknownAccount, NotPostable: see there. NoBankLeaf: no bank will ever see it paid from there.
        OnHold: the case is. DisbursementNotReady: the case is not verified. ObligationNotReady: its ruling was quashed,
            or another fund has recognised it.
    """
    check(alias, Kind.DISBURSEMENT)
    check_commitment(payee_commitment)
    funds.require(session, fund)
    if accounts.postable(session, account, currency=obligation.currency).parent_code != BANK:
        raise NoBankLeaf("aid is paid from a bank leaf", account=account)
    obligation = obligations.require(session, obligation.alias, lock=True)  # two requests for it take turns
    case = cases.require(session, obligation.case_alias)
    cases.require_going(case)
    if case.state not in {cases.State.VERIFIED, cases.State.APPROVED}:
        raise DisbursementNotReady("the case is not verified", case=obligation.case_alias)
    if session.get(Disbursement, alias) is not None:
        raise AliasTaken("the alias is taken")
    asked = fit(obligation, amount, left=left(session, obligation))
    if not obligations.is_owed(obligation, by=fund):
        raise obligations.ObligationNotReady(
            "this fund owes nothing, or nothing any more", obligation=obligation.alias, state=obligation.state
        )
    disbursement = Disbursement(
        alias=alias,
        obligation_alias=obligation.alias,
        case_alias=obligation.case_alias,
        state=State.REQUESTED,
        version=1,
        payee=payee,
        payee_commitment=payee_commitment,
        fund_code=fund,
        account_code=account,
        minor=asked.minor,
        currency=asked.currency,
        reference=references.draw(),
        requested_by=requested_by,
        due_by=case.due_by,
    )
    session.add(disbursement)
    session.flush()
    return disbursement


def fit(obligation: Obligation, amount: Money | None, *, left: Money) -> Money:
    """The part that is asked for of an obligation of which so much is `left` to ask for: all of that, by default.

    Raises:
        AlreadyRequested: nothing is left. BadPart: another currency, not above zero, or a part of bail, which a court
            takes in one sum. OverObligation: more than is left.
    """
    if left.minor <= 0:
        raise AlreadyRequested("the obligation is asked for or paid", obligation=obligation.alias)
    asked = left if amount is None else amount
    if asked.currency != obligation.currency or asked.minor <= 0:
        raise BadPart("a part is above zero, in the currency of the obligation", where="amount")
    if asked.minor > left.minor:
        raise OverObligation("more than is left to pay", obligation=obligation.alias, left_minor=left.minor)
    if obligation.kind is ObligationKind.BAIL and asked != obligation.amount():
        raise BadPart("bail is posted in one sum", where="amount")
    return asked


def approve(session: Session, disbursement: Disbursement, *, by: str, on: date) -> None:
    """Approves one: see `approve_all`."""
    approve_all(session, [disbursement], by=by, on=on)


def approve_all(session: Session, chosen: Sequence[Disbursement], *, by: str, on: date) -> None:
    """Approves, all or none: the funds take the obligations on, and hold all of each until it is recognised.

    Who approves the first part takes on the whole, see docs/decisions/0050: of its further parts nothing more is held.

    Raises:
        DisbursementNotReady: one is not newly requested. WouldOverdraw: a fund has not enough for all of them.
        NoRate: whether it has enough cannot be told without a rate.
        ObligationNotReady: one is not due any more. OnHold: a case is. CaseNotReady: a case was rejected.
    """
    for disbursement in chosen:
        _require_state(disbursement, State.REQUESTED)
    owed = {one.alias: one for one in obligations.lock_all(session, {one.obligation_alias for one in chosen})}
    first = {one.obligation_alias: one for one in sorted(chosen, key=lambda one: one.alias, reverse=True)}
    new = [one for alias, one in sorted(first.items()) if owed[alias].state is obligations.State.DUE]
    until = _approved_until(session, new, on=on)
    with session.begin_nested():  # all of them, or none
        promises = [replace(_promise(one, owed[one.obligation_alias]), expires_on=until[one.case_alias]) for one in new]
        spending.reserve(session, promises, on=on)
        cases.approve_all(session, cases.lock_all(session, {one.case_alias for one in chosen}), on=on)
        obligations.approve_all(session, [(owed[one.obligation_alias], one.fund_code) for one in chosen])
        for disbursement in chosen:
            disbursement.approved_by = by
            _step(session, disbursement, State.APPROVED)
        session.flush()


def release(session: Session, disbursement: Disbursement, *, by: str, on: date, recorded_at: datetime) -> None:
    """Releases one: see `release_all`."""
    release_all(session, [disbursement], by=by, on=on, recorded_at=recorded_at)


def release_all(session: Session, chosen: Sequence[Disbursement], *, by: str, on: date, recorded_at: datetime) -> None:
    """Releases, all or none: the obligations are recognised if they were not, and what a bank leaf pays is held on it.

    An agent may pay more than their purse holds: the rest is owed to them.

    Raises:
        DisbursementNotReady: one is not approved. ObligationNotReady: a beneficiary was not told. OnHold: a case is.
        NotEligible: a ruling is not certainly in force. WouldOverdraw: the leaf has not enough for all of them.
    """
    for disbursement in chosen:
        _require_state(disbursement, State.APPROVED)
    owed = obligations.lock_all(session, {one.obligation_alias for one in chosen})
    for case in cases.lock_all(session, {one.case_alias for one in chosen}):
        cases.require_going(case)  # whoever holds it now was first, or waits
    with session.begin_nested():  # all of them, or none
        spending.reserve(session, [_order(one) for one in chosen if _from_bank(one)], on=on)
        for obligation in owed:
            obligations.recognise(session, obligation, on=on, recorded_at=recorded_at, recorded_by=by)
        for disbursement in chosen:
            disbursement.released_by = by
            disbursement.released_on = on
            _step(session, disbursement, State.RELEASED)
        session.flush()


def pay(
    session: Session, disbursement: Disbursement, *, source_key: str, on: date, recorded_at: datetime, recorded_by: str
) -> journal.Posted:
    """Books what the bank's line says: the released disbursement was paid on the day `on`.

    Raises:
        DisbursementNotReady: it was not released.
    """
    _require_state(disbursement, State.RELEASED)
    obligation = obligations.require(session, disbursement.obligation_alias)
    bail = obligation.kind is ObligationKind.BAIL
    recipe = recipes.bail_posted if bail else recipes.aid_paid
    posted = journal.post(
        session,
        source_key=source_key,
        kind="bail_posted" if bail else "aid_paid",
        postings=recipe(
            leaf=disbursement.account_code,
            amount=disbursement.amount(),
            fund=disbursement.fund_code,
            obligation=disbursement.obligation_alias,
            case=disbursement.case_alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    for held in holds.open_for(session, disbursement.alias):  # by which an entry is known to have paid it
        holds.capture(session, held.source_key, disbursement.amount(), source_key=source_key, on=on)
    if bail:  # what is posted is promised no more
        part = f"{source_key}:promise"
        holds.capture(
            session, _promise(disbursement, obligation).source_key, disbursement.amount(), source_key=part, on=on
        )
    _mark_paid(session, disbursement, on=on, recorded_on=recorded_at.date())
    return posted


def pay_by_agent(
    session: Session,
    disbursement: Disbursement,
    *,
    agent: Agent,
    from_purse: Money,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> journal.Posted:
    """Books what an agent's verified receipt says; what is not `from_purse` is owed to the agent.

    Raises:
        DisbursementNotReady: it was not released.
    """
    _require_state(disbursement, State.RELEASED)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="aid_paid_by_agent",
        postings=recipes.aid_paid_by_agent(
            purse=disbursement.account_code,
            amount=disbursement.amount(),
            from_purse=from_purse,
            fund=disbursement.fund_code,
            obligation=disbursement.obligation_alias,
            case=disbursement.case_alias,
            agent=agent.alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    disbursement.receipt_on = on
    _mark_paid(session, disbursement, on=on, recorded_on=recorded_at.date())
    return posted


def note_receipts(session: Session, case: Case, *, on: date) -> None:
    """Notes, on the day `on`, that every payment of a paid case has its receipt: the case is confirmed.

    Raises:
        CaseNotReady: the case is not paid.
    """
    cases.confirm(session, case, on=on)
    for disbursement in _paid(session, case):
        disbursement.receipt_on = disbursement.receipt_on or on
        session.add(disbursement)
    session.flush()


def confirm_if_proven(session: Session, case: Case, *, on: date) -> None:
    """Confirms a paid case, which the caller has locked, when every payment of it has its receipt; else nothing."""
    paid = _paid(session, case)
    if case.state is cases.State.PAID and paid and all(one.receipt_on for one in paid):
        cases.confirm(session, case, on=on)


def fail(session: Session, disbursement: Disbursement, *, on: date) -> None:
    """Nobody could be paid, as is known on the day `on`: what was recognised is still owed, and may be asked for again.

    Bail, which is not recognised, is simply due again.

    Raises:
        DisbursementNotReady: it was not released.
    """
    _require_state(disbursement, State.RELEASED)
    holds.void_for(session, disbursement.alias, on=on)
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    if obligation.kind is ObligationKind.BAIL:
        obligations.drop(session, obligation, on=on)
    _move(session, disbursement, State.FAILED)


def take_up(session: Session, disbursement: Disbursement, *, on: date) -> None:
    """What failed was carried out all the same: it is as released, for who books it in the same step.

    What left is held anew, whether there is any or not: it has left.

    Raises:
        DisbursementNotReady: it has not failed, or is bail, of which nothing is promised any more.
        AlreadyRequested, OverObligation: it was asked for again. ObligationNotReady: its fund does not owe it any more.
    """
    _require_state(disbursement, State.FAILED)
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    if obligation.kind is ObligationKind.BAIL:
        raise DisbursementNotReady("bail is posted anew", disbursement=disbursement.alias, state=disbursement.state)
    if obligation.state not in obligations.BOOKED or obligation.fund_code != disbursement.fund_code:
        raise obligations.ObligationNotReady(
            "this fund owes nothing, or nothing any more", obligation=obligation.alias, state=obligation.state
        )
    fit(obligation, disbursement.amount(), left=left(session, obligation))
    if _from_bank(disbursement):
        anew = replace(_order(disbursement), source_key=f"disbursement:{disbursement.alias}:carried_out")
        holds.place(session, anew, on=on)
    _move(session, disbursement, State.RELEASED)


def cancel(session: Session, disbursement: Disbursement, *, on: date) -> None:
    """Withdraws what was not released yet: an obligation that waits for it alone is due again. Gone: nothing happens.

    Raises:
        DisbursementNotReady: it was released.
    """
    if disbursement.state in GONE:
        return
    if disbursement.state not in {State.REQUESTED, State.APPROVED}:
        raise DisbursementNotReady("it was released", disbursement=disbursement.alias, state=disbursement.state)
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    _move(session, disbursement, State.CANCELLED)
    if obligation.state is obligations.State.APPROVED:
        others = standing(session, [obligation.alias])
        if not any(one.state is State.APPROVED for one in others):
            obligations.drop(session, obligation, on=on)


def require(session: Session, alias: str, *, lock: bool = False) -> Disbursement:
    """The disbursement; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownDisbursement: there is none.
    """
    query = select(Disbursement).where(Disbursement.alias == alias)
    found = session.exec(locked(query) if lock else query).one_or_none()
    if found is None:
        raise UnknownDisbursement("no disbursement has this alias")
    return found


def by_reference(session: Session, reference: str) -> Disbursement | None:
    """The disbursement whose payment carries this reference, or None; locked."""
    return session.exec(locked(select(Disbursement).where(Disbursement.reference == reference))).one_or_none()


def page(session: Session, *, state: State | None, after: str, limit: int) -> list[Disbursement]:
    """Up to `limit` disbursements in the order of their aliases, after the alias `after`."""
    query = select(Disbursement).where(Disbursement.alias > after).order_by(Disbursement.alias).limit(limit)
    if state is not None:
        query = query.where(Disbursement.state == state)
    return list(session.exec(query))


def left(session: Session, obligation: Obligation) -> Money:
    """What is owed and not asked for or paid yet, by whatever means."""
    return obligation.payable() - Money(taken(session, [obligation.alias])[obligation.alias], obligation.currency)


def paid(session: Session, obligation: Obligation) -> Money:
    """What payments that stand have paid of an obligation, and bail that was applied to it."""
    return Money(taken(session, [obligation.alias], states=(State.PAID,))[obligation.alias], obligation.currency)


def taken(session: Session, of: Collection[str], *, states: Collection[State] = STANDING) -> dict[str, int]:
    """By obligation: what its disbursements in these states pay of it, and what bail has paid; in minor units."""
    by_bail = bail_parts.applied(session, of)
    return {alias: minor + by_bail[alias] for alias, minor in asked(session, of, states=states).items()}


def asked(session: Session, of: Collection[str], *, states: Collection[State] = STANDING) -> dict[str, int]:
    """By obligation: the sum of its disbursements in these states, in minor units; by default of those that stand."""
    query = (
        select(Disbursement.obligation_alias, func.sum(Disbursement.minor))
        .where(col(Disbursement.obligation_alias).in_(of), col(Disbursement.state).in_(states))
        .group_by(col(Disbursement.obligation_alias))
    )
    return dict.fromkeys(of, 0) | {alias: int(minor) for alias, minor in session.exec(query)}


def standing(session: Session, obligation_aliases: Sequence[str], *, lock: bool = False) -> list[Disbursement]:
    """The disbursements of these obligations that have not failed, come back, or been cancelled."""
    query = (
        select(Disbursement)
        .where(col(Disbursement.obligation_alias).in_(obligation_aliases), col(Disbursement.state).not_in(GONE))
        .order_by(col(Disbursement.alias))
    )
    return list(session.exec(locked(query) if lock else query))


def _from_bank(disbursement: Disbursement) -> bool:
    return disbursement.account_code.partition(":")[0] == BANK


def _promise(disbursement: Disbursement, obligation: Obligation) -> NewHold:
    """What its fund holds of the whole obligation, from the approval of its first part to the recognition."""
    return NewHold(
        source_key=f"disbursement:{disbursement.alias}:approved",
        reserves=Reserve.SPENDABLE,
        amount=obligation.amount(),
        held_for=disbursement.obligation_alias,
        fund=disbursement.fund_code,
    )


def _approved_until(session: Session, chosen: Sequence[Disbursement], *, on: date) -> dict[str, date | None]:
    """By case: the last day on which an approval of the day `on` stands while nobody is told, by the case's pack."""
    columns = select(Case.alias, Case.jurisdiction).where(col(Case.alias).in_({one.case_alias for one in chosen}))
    return {alias: jurisdictions.load(jurisdiction).approved_until(on) for alias, jurisdiction in session.exec(columns)}


def _order(disbursement: Disbursement) -> NewHold:
    """What is held on its leaf from the release to the bank's line."""
    return NewHold(
        source_key=f"disbursement:{disbursement.alias}:released",
        reserves=Reserve.LEAF,
        amount=disbursement.amount(),
        held_for=disbursement.alias,
        fund=disbursement.fund_code,
        account=disbursement.account_code,
    )


def _mark_paid(session: Session, disbursement: Disbursement, *, on: date, recorded_on: date) -> None:
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    disbursement.paid_on = on
    disbursement.paid_recorded_on = recorded_on
    _move(session, disbursement, State.PAID)
    obligations.mark_paid(session, obligation, paid=paid(session, obligation))
    case = cases.require(session, obligation.case_alias, lock=True)  # first, or two last payments miss each other
    obligations.follow(session, case, on=recorded_on)
    confirm_if_proven(session, case, on=recorded_on)


def _paid(session: Session, case: Case) -> list[Disbursement]:
    query = select(Disbursement).where(Disbursement.case_alias == case.alias, Disbursement.state == State.PAID)
    return list(session.exec(query))


def _require_state(disbursement: Disbursement, state: State) -> None:
    if disbursement.state is not state:
        raise DisbursementNotReady(
            "the disbursement is not in the state this needs", disbursement=disbursement.alias, state=disbursement.state
        )


def _move(session: Session, disbursement: Disbursement, to: State) -> None:
    _step(session, disbursement, to)
    session.flush()


def _step(session: Session, disbursement: Disbursement, to: State) -> None:
    disbursement.state = to
    disbursement.version += 1
    session.add(disbursement)
