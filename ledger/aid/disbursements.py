"""Disbursements: money leaving for one obligation, asked by one person, approved by another, released, paid."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Field, Session, SQLModel, select

from ledger import references
from ledger.aid import cases, obligations, spending
from ledger.aid.obligations import Obligation
from ledger.aid.spending import WouldOverdraw
from ledger.aliases import AliasTaken, Kind, check
from ledger.books import accounts, balances, funds, journal, recipes
from ledger.books.accounts import Account
from ledger.errors import BadInput, Conflict, NotFound
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


class UnknownDisbursement(NotFound):
    """No disbursement has this alias."""

    rule = "unknown_disbursement"


class DisbursementNotReady(Conflict):
    """The disbursement is not in the state the verb needs."""

    rule = "disbursement_not_ready"


class AlreadyRequested(Conflict):
    """The obligation has a disbursement: it is paid once."""

    rule = "already_requested"


class NoBankLeaf(BadInput):
    """Not a leaf of the bank's account."""

    rule = "no_bank_leaf"


class Disbursement(SQLModel, table=True):
    """`reference` (ISO 11649) is what the bank carries back; `payee_commitment` is to the sealed payee."""

    alias: str = Field(primary_key=True, max_length=20)
    obligation_alias: str = Field(foreign_key="obligation.alias", max_length=20, unique=True)
    case_alias: str = Field(foreign_key="aid_case.alias", max_length=20, index=True)
    state: State = Field(sa_type=enumeration(State), index=True)
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

    __table_args__ = whole_minor("minor")

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
) -> Disbursement:
    """Asks for the whole of an obligation to be paid from a bank leaf, for a fund.

    Raises:
        AliasTaken, BadAlias, BadDigest: see there. AlreadyRequested: the obligation has a disbursement.
        UnknownFund, UnknownAccount, NotPostable: see there. NoBankLeaf: no bank will ever see it paid from there.
        DisbursementNotReady: the case is not verified.
    """
    check(alias, Kind.DISBURSEMENT)
    check_commitment(payee_commitment)
    funds.require(session, fund)
    if accounts.postable(session, account, currency=obligation.currency).parent_code != BANK:
        raise NoBankLeaf("aid is paid from a bank leaf", account=account)
    obligation = obligations.require(session, obligation.alias, lock=True)  # two requests for it take turns
    if cases.require(session, obligation.case_alias).state not in {cases.State.VERIFIED, cases.State.APPROVED}:
        raise DisbursementNotReady("the case is not verified", case=obligation.case_alias)
    if session.get(Disbursement, alias) is not None:
        raise AliasTaken("the alias is taken")
    standing = select(Disbursement.alias).where(Disbursement.obligation_alias == obligation.alias)
    if session.exec(standing).first() is not None:
        raise AlreadyRequested("the obligation has a disbursement", obligation=obligation.alias)
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
        minor=obligation.minor,
        currency=obligation.currency,
        reference=references.draw(),
        requested_by=requested_by,
    )
    session.add(disbursement)
    session.flush()
    return disbursement


def approve(session: Session, disbursement: Disbursement, *, by: str, on: date) -> None:
    """Approves: the fund takes the obligation on, and holds its amount until it is recognised.

    Raises:
        DisbursementNotReady: it is not newly requested. WouldOverdraw: the fund has not enough.
        NoRate: whether it has enough cannot be told without a rate.
        CaseNotReady: the case was rejected.
    """
    _require_state(disbursement, State.REQUESTED)
    funds.require(session, disbursement.fund_code, lock=True)
    spending.require_spendable(session, disbursement.fund_code, disbursement.amount(), on=on)
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    cases.approve(session, cases.require(session, disbursement.case_alias, lock=True))
    obligations.approve(session, obligation, fund=disbursement.fund_code)
    disbursement.approved_by = by
    _move(session, disbursement, State.APPROVED)


def release(session: Session, disbursement: Disbursement, *, by: str, on: date, recorded_at: datetime) -> None:
    """Releases: the obligation is recognised if it was not, and the money on the leaf is held for the bank.

    Raises:
        DisbursementNotReady: it is not approved. ObligationNotReady: the beneficiary was not told.
        NotEligible: the ruling is not certainly in force. WouldOverdraw: the leaf has not enough.
    """
    _require_state(disbursement, State.APPROVED)
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    _lock_leaf(session, disbursement.account_code)
    free = available(session, disbursement.account_code, currency=disbursement.currency)
    if free.minor < disbursement.minor:
        raise WouldOverdraw(
            "the account has not enough",
            account=disbursement.account_code,
            free_minor=free.minor,
            currency=free.currency,
        )
    obligations.recognise(session, obligation, on=on, recorded_at=recorded_at, recorded_by=by)
    disbursement.released_by = by
    disbursement.released_on = on
    _move(session, disbursement, State.RELEASED)


def pay(
    session: Session, disbursement: Disbursement, *, source_key: str, on: date, recorded_at: datetime, recorded_by: str
) -> journal.Posted:
    """Books what the bank's line says: the released disbursement was paid on the day `on`.

    Raises:
        DisbursementNotReady: it was not released.
    """
    _require_state(disbursement, State.RELEASED)
    obligation = obligations.require(session, disbursement.obligation_alias, lock=True)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="aid_paid",
        postings=recipes.aid_paid(
            leaf=disbursement.account_code,
            amount=disbursement.amount(),
            fund=disbursement.fund_code,
            obligation=obligation.alias,
            case=obligation.case_alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    obligations.mark_paid(session, obligation)
    disbursement.paid_on = on
    disbursement.paid_recorded_on = recorded_at.date()
    _move(session, disbursement, State.PAID)
    case = cases.require(session, obligation.case_alias, lock=True)  # first, or two last payments miss each other
    if obligations.all_paid(session, case.alias):
        cases.mark_paid(session, case)
    return posted


def available(session: Session, account: str, *, currency: str) -> Money:
    """What a leaf may still pay: its balance less what is released and not yet seen at the bank."""
    # Held first: what the bank's line pays between the two looks counts twice then, never not at all.
    held = session.exec(
        select(func.sum(Disbursement.minor)).where(
            Disbursement.account_code == account,
            Disbursement.currency == currency,
            Disbursement.state == State.RELEASED,
        )
    ).one()
    return balances.balance(session, account, currency=currency) - Money(int(held or 0), currency)


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


def _lock_leaf(session: Session, code: str) -> None:
    session.exec(locked(select(Account).where(Account.code == code))).one()


def _require_state(disbursement: Disbursement, state: State) -> None:
    if disbursement.state is not state:
        raise DisbursementNotReady(
            "the disbursement is not in the state this needs", disbursement=disbursement.alias, state=disbursement.state
        )


def _move(session: Session, disbursement: Disbursement, to: State) -> None:
    disbursement.state = to
    disbursement.version += 1
    session.add(disbursement)
    session.flush()
