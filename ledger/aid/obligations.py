"""Obligations: one sum the beneficiary owes because of a ruling, and what the fund has taken on of it."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.aid import cases, eligibility, jurisdictions
from ledger.aid.cases import Case
from ledger.aid.rulings import Ruling
from ledger.aliases import Kind, check
from ledger.books import holds, journal, recipes
from ledger.books.holds import Reserve
from ledger.books.journal import Entry
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.money import Money
from ledger.storage import newcomers
from ledger.storage.columns import MinorUnits, enumeration, whole_minor
from ledger.storage.locks import locked


class ObligationKind(StrEnum):
    """What is owed. Bail, which comes back, is never recognised: it stays a hold until it is posted, see `bail`."""

    FINE = "fine"
    DETENTION = "detention"
    COURT_FEE = "court_fee"
    BAIL = "bail"


class State(StrEnum):
    """Where an obligation stands."""

    DUE = "due"
    APPROVED = "approved"
    RECOGNISED = "recognised"
    PART_PAID = "part_paid"
    PAID = "paid"
    QUASHED = "quashed"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


BOOKED = (State.RECOGNISED, State.PART_PAID)
"""While a liability stands for what is not paid of it."""
OPEN = (State.DUE, State.APPROVED, *BOOKED)
"""While something may still be paid, and payments may be asked for."""


class UnknownObligation(NotFound):
    """No obligation has this alias."""

    rule = "unknown_obligation"


class ObligationNotReady(Conflict):
    """The obligation is not in the state the verb needs."""

    rule = "obligation_not_ready"


class NotToldYet(Refused):
    """Nobody is told that a fund pays before there is a ruling and an approval; `earliest` is the first such day."""

    rule = "not_told_yet"


class BadReduction(BadInput):
    """A reduction to something that is not less; `where` tells the part."""

    rule = "bad_reduction"


class Obligation(SQLModel, table=True):
    """`told_on`: the day the beneficiary was told that the fund pays; with it and legal force it is recognised.

    `minor` is what the ruling's sealed details say. `forgone_minor` of it is not owed any more, though they still
    say so: the ruling fell, or became less than what was paid by then.
    """

    alias: str = Field(primary_key=True, max_length=20)
    case_alias: str = Field(foreign_key="aid_case.alias", max_length=20)
    ruling_alias: str = Field(foreign_key="ruling.alias", max_length=20, index=True)
    kind: ObligationKind = Field(sa_type=enumeration(ObligationKind))
    state: State = Field(sa_type=enumeration(State), index=True)
    minor: int = Field(sa_type=MinorUnits)
    forgone_minor: int = Field(default=0, sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    fund_code: str | None = Field(default=None, foreign_key="fund.code", max_length=30)
    told_on: date | None = None

    __table_args__ = (
        Index("one_sum_of_a_kind", "ruling_alias", "kind", unique=True),
        Index("obligations_of_case", "case_alias", "state", "alias"),
        *whole_minor("minor", "forgone_minor"),
    )

    def amount(self) -> Money:
        """What is owed by the ruling."""
        return Money(self.minor, self.currency)

    def payable(self) -> Money:
        """What of it is to be paid, or was: never more than this."""
        return Money(self.minor - self.forgone_minor, self.currency)


def add(session: Session, alias: str, *, case: str, ruling: str, kind: ObligationKind, amount: Money) -> Obligation:
    """Enters what is owed.

    Raises:
        BadAlias, AliasTaken: not an obligation's alias, or taken.
    """
    obligation = make(alias, case=case, ruling=ruling, kind=kind, amount=amount)
    newcomers.enter(session, [obligation])
    return obligation


def make(alias: str, *, case: str, ruling: str, kind: ObligationKind, amount: Money) -> Obligation:
    """What is owed, before it is entered: `newcomers.enter` takes many.

    Raises:
        BadAlias: not an obligation's alias.
    """
    return Obligation(
        alias=check(alias, Kind.OBLIGATION),
        case_alias=case,
        ruling_alias=ruling,
        kind=kind,
        state=State.DUE,
        minor=amount.minor,
        currency=amount.currency,
    )


def require(session: Session, alias: str, *, lock: bool = False) -> Obligation:
    """The obligation; with `lock`, as it stands now, and nobody else changes it until the transaction ends.

    Raises:
        UnknownObligation: there is none.
    """
    query = select(Obligation).where(Obligation.alias == alias)
    obligation = session.exec(locked(query) if lock else query).one_or_none()
    if obligation is None:
        raise UnknownObligation("no obligation has this alias")
    return obligation


def lock_all(session: Session, aliases: Collection[str]) -> list[Obligation]:
    """The obligations as they stand now, locked in the order of their aliases, as everybody does.

    Raises:
        UnknownObligation: one of them is none.
    """
    query = select(Obligation).where(col(Obligation.alias).in_(aliases)).order_by(Obligation.alias)
    found = list(session.exec(locked(query)))
    if len(found) < len(set(aliases)):
        raise UnknownObligation("no obligation has this alias")
    return found


def of_case(session: Session, case: str) -> list[Obligation]:
    """The obligations of a case in the order of their aliases."""
    found = session.exec(select(Obligation).where(Obligation.case_alias == case)).all()
    return sorted(found, key=lambda obligation: obligation.alias)


def follow(session: Session, case: Case, *, on: date) -> None:
    """The case follows its obligations, after a fact about one of them; the caller has it locked.

    Nothing is left of any of them: it is closed. None is open, and one was paid: it is paid. Something is owed back of
    what was closed: it is open again. A payment has come back: it is approved again, and is to be paid.
    """
    states = set(session.exec(select(Obligation.state).where(Obligation.case_alias == case.alias)))
    if case.state in cases.LEFT:
        return
    standing = case.resumes_as or case.state
    if states & set(OPEN):
        if standing in cases.SETTLED:
            cases.owe_again(session, case, on=on)
    elif states <= {State.QUASHED, State.REFUNDED}:
        if standing is not cases.State.CLOSED:
            cases.close(session, case, on=on)
    elif standing is cases.State.APPROVED:
        cases.mark_paid(session, case, on=on)
    elif State.REFUND_DUE in states and standing is cases.State.CLOSED:
        cases.reopen(session, case, on=on)


def ruling_of(session: Session, obligation: Obligation) -> Ruling:
    """The ruling an obligation rests on."""
    return session.get_one(Ruling, obligation.ruling_alias)


def payable_from(session: Session, obligation: Obligation) -> date:
    """The first day on which it is payable for certain: its ruling is in force, or the bill was served."""
    pack = jurisdictions.load(cases.require(session, obligation.case_alias).jurisdiction)
    return eligibility.payable_from(pack, ruling_of(session, obligation).bounds(), kind=obligation.kind)


def is_owed(obligation: Obligation, *, by: str) -> bool:
    """Whether a fund may be asked to pay it: what a fund has recognised stays with that fund."""
    return obligation.state in OPEN and obligation.fund_code in {None, by}


def approve(session: Session, obligation: Obligation, *, fund: str) -> None:
    """A fund, which holds the amount, takes the whole obligation on, once; for its further parts nothing changes.

    Raises:
        ObligationNotReady: nothing of it is to be paid any more, or another fund has taken it on.
    """
    approve_all(session, [(obligation, fund)])


def approve_all(session: Session, taken: Iterable[tuple[Obligation, str]]) -> None:
    """As `approve` for many, each with its fund: all, or none when the caller takes back what a refusal left."""
    for obligation, fund in taken:
        if obligation.state in {State.APPROVED, *BOOKED} and obligation.fund_code == fund:
            continue
        _require_state(obligation, State.DUE)
        obligation.state = State.APPROVED
        obligation.fund_code = fund
        session.add(obligation)
    session.flush()


def drop(session: Session, obligation: Obligation, *, on: date) -> None:
    """The fund lets go, on the day `on`, of an obligation that it took on and has not recognised: it is due again.

    Raises:
        ObligationNotReady: it is not approved.
    """
    _require_state(obligation, State.APPROVED)
    holds.void_for(session, obligation.alias, on=on)
    obligation.state = State.DUE
    obligation.fund_code = None
    session.add(obligation)
    session.flush()


def tell(
    session: Session, obligation: Obligation, *, told_on: date, today: date, recorded_at: datetime, recorded_by: str
) -> None:
    """Notes that the beneficiary was told, and recognises the obligation when its ruling is in force.

    Raises:
        ObligationNotReady: it is not approved, or was told already on another day.
        NotToldYet: the day is in the future, or before the ruling or its approval: nobody could be told of it.
    """
    obligation = require(session, obligation.alias, lock=True)
    if obligation.told_on == told_on:
        return
    _require_state(obligation, State.APPROVED)
    if obligation.told_on is not None:
        raise ObligationNotReady("told once", obligation=obligation.alias)
    earliest = earliest_told(session, obligation)
    if not earliest <= told_on <= today:
        raise NotToldYet(
            "a beneficiary is told after ruling and approval, and not in the future",
            obligation=obligation.alias,
            earliest=earliest.isoformat(),
        )
    obligation.told_on = told_on
    session.add(obligation)
    session.flush()
    if payable_from(session, obligation) <= today:
        recognise(session, obligation, on=today, recorded_at=recorded_at, recorded_by=recorded_by)


def earliest_told(session: Session, obligation: Obligation) -> date:
    """The first day on which somebody could be told that a fund pays it: its ruling stands, and a fund took it on."""
    ruled_by = ruling_of(session, obligation).ruled_by
    approved_on = holds.first_placed_on(session, obligation.alias, reserves=Reserve.SPENDABLE)
    return max(ruled_by, approved_on or ruled_by)


def recognise(session: Session, obligation: Obligation, *, on: date, recorded_at: datetime, recorded_by: str) -> None:
    """Books expense and liability of the whole, once, in place of the hold: approved, in force, told.

    Recognised already: nothing happens.

    Bail is tested in the same way, and books nothing: it stays a hold.

    Raises:
        ObligationNotReady: not approved, or the beneficiary was not told.
        NotEligible: the ruling is not certainly in force on the day `on`.
    """
    if obligation.state in BOOKED:
        return
    _require_state(obligation, State.APPROVED)
    if obligation.told_on is None or obligation.fund_code is None:
        raise ObligationNotReady("the beneficiary has not been told yet", obligation=obligation.alias)
    eligibility.require_payable(payable_from=payable_from(session, obligation), on=on)
    if obligation.kind is ObligationKind.BAIL:
        return
    journal.post(
        session,
        source_key=recognition_key(obligation.alias),
        kind="aid_recognised",
        postings=recipes.aid_recognised(
            kind=obligation.kind,
            amount=obligation.amount(),
            fund=obligation.fund_code,
            obligation=obligation.alias,
            case=obligation.case_alias,
        ),
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    holds.void_for(session, obligation.alias, on=on)
    obligation.state = State.RECOGNISED
    session.add(obligation)
    session.flush()


def mark_paid(session: Session, obligation: Obligation, *, paid: Money) -> None:
    """Marks a recognised obligation, of which `paid` is paid by now, as paid in part or in full; bail as posted.

    Raises:
        ObligationNotReady: it is not recognised, or no approved bail, or would be paid over.
    """
    standing = (State.APPROVED,) if obligation.kind is ObligationKind.BAIL else BOOKED
    if obligation.state not in standing or not 0 < paid.minor <= obligation.payable().minor:
        raise _not_ready(obligation)
    _move(session, obligation, State.PAID if paid == obligation.payable() else State.PART_PAID)


def mark_returned(
    session: Session, obligation: Obligation, *, paid: Money, void: Money, is_owed_back: bool = False
) -> None:
    """Marks an obligation, of which only `paid` is paid after all, as owed again; what is `void` of it never is.

    That the authority owed back of a payment that the bank has given back whole. What `is_owed_back` still is waited
    for where nothing is to be paid again.

    Raises:
        ObligationNotReady: it is not paid, nor a part of it, or no less of it is.
    """
    payable = obligation.payable() - void
    is_less = 0 <= paid.minor < obligation.payable().minor and paid.minor <= payable.minor
    if obligation.state not in {State.PAID, State.PART_PAID, State.REFUND_DUE} or not is_less:
        raise _not_ready(obligation)
    obligation.forgone_minor += void.minor
    if paid == payable:
        _move(session, obligation, State.REFUND_DUE if is_owed_back else State.PAID)
    else:
        _move(session, obligation, State.PART_PAID if paid.minor else State.RECOGNISED)


def unpost(session: Session, obligation: Obligation) -> None:
    """Notes that posted bail never reached its court: it is due again, and no fund's.

    Raises:
        ObligationNotReady: it is no bail that was posted.
    """
    if obligation.kind is not ObligationKind.BAIL:
        raise _not_ready(obligation)
    _require_state(obligation, State.PAID)
    obligation.fund_code = None
    _move(session, obligation, State.DUE)


def let_go(session: Session, obligation: Obligation) -> None:
    """The fund lets go of what it had recognised and has taken back: it is due again, and no fund's.

    Raises:
        ObligationNotReady: it is not recognised.
    """
    _require_state(obligation, State.RECOGNISED)
    obligation.fund_code = None
    _move(session, obligation, State.DUE)


def quash(session: Session, obligation: Obligation) -> None:
    """Notes that nothing is owed any more of what was not paid.

    Raises:
        ObligationNotReady: it was paid, if in part, or quashed before.
    """
    if obligation.state not in OPEN or obligation.state is State.PART_PAID:
        raise _not_ready(obligation)
    _move(session, obligation, State.QUASHED)


def reduce(session: Session, obligation: Obligation, *, to: Money, paid: Money) -> None:
    """Notes that less is owed, by no fund approved only, and not less than is `paid`: what is paid wholly then is paid.

    Raises:
        ObligationNotReady: it was paid, or a fund holds the whole of it. BadReduction: not less, nothing, or less than
            is paid.
    """
    if obligation.state not in {State.DUE, *BOOKED}:
        raise _not_ready(obligation)
    if to.currency != obligation.currency or not max(1, paid.minor) <= to.minor < obligation.minor:
        raise BadReduction("a reduction leaves less than before, above zero, in its currency", where="amount")
    obligation.minor = to.minor
    _move(session, obligation, State.PAID if paid == to else obligation.state)


def forgo(session: Session, obligation: Obligation, gone: Money, *, paid: Money) -> None:
    """Notes that `gone` of what is recognised and not paid is not owed any more; its sealed details stay as they are.

    Of which `paid` is all that is payable then, it is paid.

    Raises:
        ObligationNotReady: nothing is recognised and unpaid, or nothing would be left that was or is to be paid.
    """
    payable = obligation.payable() - gone
    if obligation.state not in BOOKED or not max(1, paid.minor) <= payable.minor:
        raise _not_ready(obligation)
    obligation.forgone_minor += gone.minor
    _move(session, obligation, State.PAID if paid == payable else obligation.state)


def owe_back(session: Session, obligation: Obligation) -> None:
    """Notes that something of what was paid is owed back.

    Raises:
        ObligationNotReady: it was not paid, or all came back.
    """
    if obligation.state not in {State.PAID, State.REFUND_DUE}:
        raise _not_ready(obligation)
    _move(session, obligation, State.REFUND_DUE)


def mark_refunded(session: Session, obligation: Obligation, *, wholly: bool) -> None:
    """Notes that all that was owed back has come: the whole of what was paid, or a part.

    Raises:
        ObligationNotReady: nothing is owed back.
    """
    _require_state(obligation, State.REFUND_DUE)
    _move(session, obligation, State.REFUNDED if wholly else State.PAID)


def fund_of(obligation: Obligation) -> str:
    """The fund that took it on.

    Raises:
        ObligationNotReady: none did.
    """
    if obligation.fund_code is None:
        raise ObligationNotReady("no fund took it on", obligation=obligation.alias)
    return obligation.fund_code


def recognised_on(session: Session, obligation: Obligation) -> date:
    """The day on which its expense is booked.

    Raises:
        ObligationNotReady: it was never recognised.
    """
    found = session.exec(
        select(col(Entry.effective_on)).where(Entry.source_key == recognition_key(obligation.alias))
    ).first()
    if found is None:
        raise ObligationNotReady("the obligation was never recognised", obligation=obligation.alias)
    return found


def recognition_key(alias: str) -> str:
    """The source key of the entry by which an obligation is recognised."""
    return f"obligation:{alias}:recognised"


def _move(session: Session, obligation: Obligation, to: State) -> None:
    obligation.state = to
    session.add(obligation)
    session.flush()


def _require_state(obligation: Obligation, state: State) -> None:
    if obligation.state is not state:
        raise _not_ready(obligation)


def _not_ready(obligation: Obligation) -> ObligationNotReady:
    return ObligationNotReady(
        "the obligation is not in the state this needs", obligation=obligation.alias, state=obligation.state
    )
