"""Quashing: a ruling falls away or becomes less, or stands. What was not paid is not owed any more; what was, is back.

An appeal ends in one of three ways; only a quash ends the ruling's life.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, select

from ledger.aid import cases, disbursements, obligations, refunds, unwinding
from ledger.aid.obligations import Obligation, State
from ledger.aid.refunds import Debtor
from ledger.aid.rulings import Ruling
from ledger.errors import Conflict
from ledger.money import Money
from ledger.storage.columns import MinorUnits, enumeration, whole_minor


class AlreadyQuashed(Conflict):
    """The ruling was quashed before."""

    rule = "already_quashed"


class Outcome(StrEnum):
    """How an appeal ended that did not quash the ruling."""

    UPHELD = "upheld"
    REDUCED = "reduced"


class Quashing(SQLModel, table=True):
    """That a ruling was quashed, who says so, and when that was recorded."""

    ruling_alias: str = Field(foreign_key="ruling.alias", primary_key=True, max_length=20)
    quashed_by: str = Field(max_length=20)
    recorded_on: date


class Appeal(SQLModel, table=True):
    """An appeal that left the ruling in force, by number from 1; `minor` is what is owed after a reduction."""

    ruling_alias: str = Field(foreign_key="ruling.alias", primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    outcome: Outcome = Field(sa_type=enumeration(Outcome))
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    recorded_by: str = Field(max_length=20)
    recorded_on: date

    __table_args__ = whole_minor("minor")

    def amount(self) -> Money:
        """What is owed by the ruling after it."""
        return Money(self.minor, self.currency)


def quash(session: Session, ruling: Ruling, *, by: str, on: date, recorded_at: datetime) -> list[Obligation]:
    """Takes back what the ruling's obligations had led to, on the day `on`; a payment not released yet is cancelled.

    Of one that is paid in part the rest is not owed any more, and the authority owes the part back.

    Raises:
        AlreadyQuashed: see there. MoneyUnderWay: a payment was released and neither paid nor failed. Nothing was done.
    """
    found = _obligations_of(session, ruling)
    owed = unwinding.stop_payments(session, found, on=on)
    require_standing(session, ruling.alias)
    for obligation in owed:
        key = f"obligation:{obligation.alias}:quashed"
        if obligation.state in obligations.OPEN:
            paid = disbursements.paid(session, obligation)
            _forgo(
                session,
                obligation,
                obligation.payable() - paid,
                stays_sealed=True,
                source_key=f"{key}:unpaid" if paid.minor else key,
                on=on,
                recorded_at=recorded_at,
                recorded_by=by,
            )
        if obligation.state is State.QUASHED:
            continue
        if (rest := refunds.left(session, obligation)).minor and obligation.state is not State.REFUNDED:
            refunds.expect(
                session,
                obligation,
                rest,
                debtor=Debtor.AUTHORITY,
                source_key=key,
                on=on,
                recorded_at=recorded_at,
                recorded_by=by,
            )
    session.add(Quashing(ruling_alias=ruling.alias, quashed_by=by, recorded_on=on))
    session.flush()
    obligations.follow(session, cases.require(session, ruling.case_alias, lock=True), on=on)
    return owed


def reduce(
    session: Session,
    ruling: Ruling,
    to: Money,
    *,
    by: str,
    on: date,
    recorded_at: datetime,
    alias: str | None = None,
) -> Obligation:
    """Notes that an appeal left less of one obligation, `alias`, or of the ruling's only one: `to`. Others stay.

    Of what is not paid the rest is not owed any more, and a payment that was asked for is cancelled: another is asked
    for. Of what is paid, and is more than is left, the authority owes the difference back.

    Raises:
        AlreadyQuashed, MoneyUnderWay: see there. BadReduction: not less, or nothing. ObligationNotReady: several
            obligations rest on the ruling and none is named, or it all came back. UnknownObligation: not of this one.
    """
    of_ruling = _obligations_of(session, ruling)
    if alias is None and len(of_ruling) != 1:
        raise obligations.ObligationNotReady("it is told which obligation is reduced", obligations=len(of_ruling))
    if alias is not None and alias not in of_ruling:
        raise obligations.UnknownObligation("no obligation of this ruling has this alias")
    (obligation,) = unwinding.stop_payments(session, [alias or of_ruling[0]], on=on)
    require_standing(session, ruling.alias)
    number = _next_number(session, ruling)
    key = f"obligation:{obligation.alias}:reduced:{number}"
    standing = refunds.left(session, obligation)
    if to.currency != standing.currency or not 0 < to.minor < standing.minor:
        raise obligations.BadReduction("a reduction leaves less than before, above zero", where="amount")
    less = standing - to
    if obligation.state in obligations.OPEN:
        gone = min(less, obligation.payable() - disbursements.paid(session, obligation), key=lambda one: one.minor)
        less -= gone
        _forgo(
            session,
            obligation,
            gone,
            stays_sealed=less.minor > 0 or obligation.forgone_minor > 0,
            source_key=f"{key}:unpaid" if less.minor else key,
            on=on,
            recorded_at=recorded_at,
            recorded_by=by,
        )
    if less.minor:
        refunds.expect(
            session,
            obligation,
            less,
            debtor=Debtor.AUTHORITY,
            source_key=key,
            on=on,
            recorded_at=recorded_at,
            recorded_by=by,
        )
    others = [obligations.require(session, one) for one in of_ruling if one != obligation.alias]
    total = sum((refunds.left(session, one) for one in others), to)
    _note(session, ruling, Outcome.REDUCED, total, number=number, by=by, on=on)
    case = cases.require(session, ruling.case_alias, lock=True)
    cases.touch(session, case)
    obligations.follow(session, case, on=on)
    return obligation


def uphold(session: Session, ruling: Ruling, *, by: str, on: date) -> None:
    """Notes that an appeal left the ruling as it was.

    Raises:
        AlreadyQuashed: see there.
    """
    require_standing(session, ruling.alias)
    owed = [obligations.require(session, alias) for alias in _obligations_of(session, ruling)]
    total = Money(sum(refunds.left(session, one).minor for one in owed), owed[0].currency)
    _note(session, ruling, Outcome.UPHELD, total, number=_next_number(session, ruling), by=by, on=on)


def require_standing(session: Session, ruling: str) -> None:
    """Refuses what is only done to a ruling that stands.

    Raises:
        AlreadyQuashed: see there.
    """
    if is_quashed(session, ruling):
        raise AlreadyQuashed("the ruling was quashed before", ruling=ruling)


def is_quashed(session: Session, ruling: str) -> bool:
    """Whether a ruling has fallen."""
    return session.get(Quashing, ruling) is not None


def appeals_of(session: Session, ruling: str) -> list[Appeal]:
    """The appeals against a ruling that left it in force, in their order."""
    found = session.exec(select(Appeal).where(Appeal.ruling_alias == ruling)).all()
    return sorted(found, key=lambda appeal: appeal.number)


def _forgo(
    session: Session,
    obligation: Obligation,
    gone: Money,
    *,
    stays_sealed: bool,
    source_key: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> None:
    """Notes, and books if it was recognised, that `gone` of what is not paid is not owed any more.

    The ruling's sealed details say so from now on, unless what they say stays as it is.
    """
    if obligation.state in obligations.BOOKED:
        unwinding.take_back(
            session, obligation, gone, source_key=source_key, on=on, recorded_at=recorded_at, recorded_by=recorded_by
        )
    paid = disbursements.paid(session, obligation)
    if stays_sealed and gone < obligation.payable():
        obligations.forgo(session, obligation, gone, paid=paid)
    elif stays_sealed:
        obligations.quash(session, obligation)
    else:
        obligations.reduce(session, obligation, to=obligation.amount() - gone, paid=paid)


def _note(session: Session, ruling: Ruling, outcome: Outcome, amount: Money, *, number: int, by: str, on: date) -> None:
    session.add(
        Appeal(
            ruling_alias=ruling.alias,
            number=number,
            outcome=outcome,
            minor=amount.minor,
            currency=amount.currency,
            recorded_by=by,
            recorded_on=on,
        )
    )
    session.flush()


def _next_number(session: Session, ruling: Ruling) -> int:
    return len(appeals_of(session, ruling.alias)) + 1


def _obligations_of(session: Session, ruling: Ruling) -> list[str]:
    return list(session.exec(select(Obligation.alias).where(Obligation.ruling_alias == ruling.alias)))
