"""Bail: money that a court holds and may give back, less a fee, apply to a fine, or keep, in parts too.

Bail is asked for, approved and released like any aid. While it is approved the fund holds it, once posted it stands in
1300 until what became of all of it is known. A return is announced, with what the court keeps as its fee, and received
under a reference of ours; what is applied or forfeited is decided by a signed act.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import CheckConstraint, func
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import book, references
from ledger.aid import cases, disbursements, intake, obligations
from ledger.aid.bail_parts import BailPart, Fate
from ledger.aid.disbursements import Disbursement
from ledger.aid.obligations import Obligation, ObligationKind, State
from ledger.books import journal, recipes
from ledger.books.postings import Posting
from ledger.errors import BadInput, Conflict, Refused
from ledger.money import Money
from ledger.storage.columns import MinorUnits, whole_minor
from ledger.storage.locks import locked


class NotPosted(Conflict):
    """No bail, or not posted yet."""

    rule = "bail_not_posted"


class BadBailPart(BadInput):
    """A part of bail that cannot be; `where` tells what."""

    rule = "bad_bail_part"


class OverBail(Refused):
    """More than the court still holds and has not announced; amounts are in minor units."""

    rule = "over_bail"


class AnotherPersons(Refused):
    """Bail of one person is not applied to what another one owes: nobody has agreed to that."""

    rule = "another_persons"


class BailReturn(SQLModel, table=True):
    """Bail announced to come back: `minor` of it, less `fee_minor`. Received once the bank says so.

    Withdrawn, it sets nothing aside any more; should it come all the same, two people say what it is.
    """

    __tablename__ = "bail_return"
    reference: str = Field(primary_key=True, max_length=25)
    obligation_alias: str = Field(foreign_key="obligation.alias", max_length=20, index=True)
    minor: int = Field(sa_type=MinorUnits)
    fee_minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    announced_by: str = Field(max_length=20)
    announced_on: date
    received_on: date | None = None
    withdrawn_by: str | None = Field(default=None, max_length=20)
    withdrawn_on: date | None = None

    __table_args__ = (
        CheckConstraint("received_on IS NULL OR withdrawn_on IS NULL", name="received_or_withdrawn"),
        CheckConstraint("fee_minor >= 0 AND fee_minor < minor", name="fee_is_a_part"),
        *whole_minor("minor", "fee_minor"),
    )

    def amount(self) -> Money:
        """What the court gives back of the bail, its fee with it."""
        return Money(self.minor, self.currency)

    def fee(self) -> Money:
        """What the court keeps of that."""
        return Money(self.fee_minor, self.currency)

    def arrives(self) -> Money:
        """What is to arrive at the bank."""
        return self.amount() - self.fee()

    def is_waiting(self) -> bool:
        """Whether the bank has still to show it."""
        return self.received_on is None and self.withdrawn_on is None


_WAITING = (col(BailReturn.received_on).is_(None), col(BailReturn.withdrawn_on).is_(None))


def announce_return(session: Session, alias: str, *, amount: Money, fee: Money, by: str, on: date) -> BailReturn:
    """Draws the reference under which `amount` of the bail comes back, less the court's `fee`.

    Raises:
        UnknownObligation, NotPosted, OverBail: see there.
        BadBailPart: not in its currency, not above zero, or a fee that leaves nothing: that is forfeited.
    """
    bail, _ = require_posted(session, alias)
    _check_part(bail, amount)
    if fee.currency != bail.currency or not 0 <= fee.minor < amount.minor:
        raise BadBailPart("a fee is a part of what comes back, in its currency", where="fee")
    _require_left(session, bail, amount)
    announced = BailReturn(
        reference=references.draw(),
        obligation_alias=alias,
        minor=amount.minor,
        fee_minor=fee.minor,
        currency=amount.currency,
        announced_by=by,
        announced_on=on,
    )
    session.add(announced)
    session.flush()
    return announced


def withdraw_return(session: Session, announced: BailReturn, *, by: str, on: date) -> None:
    """Takes an announcement back: what was set aside may be announced, applied or forfeited again.

    Raises:
        NotPosted: it was received, or withdrawn before.
    """
    obligations.require(session, announced.obligation_alias, lock=True)
    if not announced.is_waiting():
        raise NotPosted("it was received, or withdrawn before", obligation=announced.obligation_alias)
    announced.withdrawn_by, announced.withdrawn_on = by, on
    session.add(announced)
    session.flush()


def receive(
    session: Session,
    announced: BailReturn,
    *,
    source_key: str,
    leaf: str,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
    came: Money | None = None,
    beside: Sequence[Posting] = (),
) -> journal.Posted:
    """Books what the bank's line says: bail came back less the fee; `beside` is what came beyond.

    `came` is what arrived, when that is another currency.

    Raises:
        NotPosted: it came back already, or the announcement was withdrawn.
    """
    bail = obligations.require(session, announced.obligation_alias, lock=True)
    if not announced.is_waiting():
        raise NotPosted("the bail came back already, or not so", obligation=bail.alias)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="bail_returned",
        postings=[
            *recipes.bail_returned(
                leaf=leaf,
                amount=announced.amount(),
                fee=announced.fee(),
                fund=bail.fund_code or "",
                obligation=bail.alias,
                case=bail.case_alias,
                came=came,
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
    return posted


def apply(
    session: Session, alias: str, *, fine: str, amount: Money, by: str, on: date, recorded_at: datetime
) -> BailPart:
    """The court keeps a part of the bail as the payment of a recognised obligation of the same person, or of a part.

    Payments that were asked for and not released are cancelled when not enough is left of the obligation beside them.

    Raises:
        UnknownObligation, NotPosted, OverBail: see there. ObligationNotReady: it is not recognised, or wholly paid.
        AnotherPersons: see there. OverObligation: more than is left of it. DisbursementNotReady: so much is left only
            beside payments that were released. BadBailPart: not above zero, another currency, or bail itself.
    """
    first, second = sorted((alias, fine))
    for one in (first, second):  # as everybody locks obligations
        obligations.require(session, one, lock=True)
    bail, disbursement = require_posted(session, alias)
    owed = obligations.require(session, fine)
    if owed.kind is ObligationKind.BAIL:
        raise BadBailPart("bail pays no bail", where="fine")
    _check_part(bail, amount)
    _require_left(session, bail, amount)
    if owed.state not in obligations.BOOKED:
        raise obligations.ObligationNotReady(
            "nothing of it is recognised and unpaid", obligation=fine, state=owed.state
        )
    if owed.currency != amount.currency:
        raise BadBailPart("a part is in the currency of what it pays", where="fine")
    book.require(session, lock=True)  # what is said of persons takes turns with it
    _require_same_person(session, bail, owed)
    _make_room(session, owed, amount, on=on)
    part = _keep(session, bail, Fate.APPLIED, amount, fine=fine, by=by, on=on)
    obligations.mark_paid(session, owed, paid=disbursements.paid(session, owed))
    _book(
        session,
        part,
        recipes.bail_applied(
            leaf=disbursement.account_code,
            amount=amount,
            bail_fund=bail.fund_code or "",
            bail=alias,
            fund=owed.fund_code or "",
            obligation=fine,
            case=owed.case_alias,
        ),
        recorded_at=recorded_at,
    )
    obligations.follow(session, cases.require(session, owed.case_alias, lock=True), on=on)
    return part


def forfeit(session: Session, alias: str, *, amount: Money, by: str, on: date, recorded_at: datetime) -> BailPart:
    """The court keeps a part of the bail, or all of it, for good.

    Raises:
        UnknownObligation, NotPosted, OverBail, BadBailPart: see there.
    """
    bail, _ = require_posted(session, alias)
    _check_part(bail, amount)
    _require_left(session, bail, amount)
    part = _keep(session, bail, Fate.FORFEITED, amount, fine=None, by=by, on=on)
    postings = recipes.bail_forfeited(amount=amount, fund=bail.fund_code or "", obligation=alias, case=bail.case_alias)
    _book(session, part, postings, recorded_at=recorded_at)
    return part


def outstanding(session: Session, bail: Obligation) -> Money:
    """What the court still holds of posted bail: what stands in 1300."""
    returned = select(func.sum(BailReturn.minor)).where(
        BailReturn.obligation_alias == bail.alias, col(BailReturn.received_on).is_not(None)
    )
    kept = select(func.sum(BailPart.minor)).where(BailPart.obligation_alias == bail.alias)
    gone = int(session.exec(returned).one() or 0) + int(session.exec(kept).one() or 0)
    return Money(bail.minor - gone, bail.currency)


def is_held(session: Session, obligation: Obligation) -> bool:
    """Whether an obligation is bail of which a court still holds a part."""
    is_posted = obligation.kind is ObligationKind.BAIL and obligation.state is State.PAID
    return is_posted and outstanding(session, obligation).minor > 0


def announced_of(session: Session, bail: Obligation) -> Money:
    """What is announced to come back and has not been seen."""
    query = select(func.sum(BailReturn.minor)).where(BailReturn.obligation_alias == bail.alias, *_WAITING)
    return Money(int(session.exec(query).one() or 0), bail.currency)


def waiting_returns(session: Session, alias: str) -> list[BailReturn]:
    """The returns of a bail that the bank has not shown, oldest first."""
    query = select(BailReturn).where(BailReturn.obligation_alias == alias, *_WAITING)
    return sorted(session.exec(query), key=lambda one: (one.announced_on, one.reference))


def steps(session: Session, alias: str) -> int:
    """How many parts and returns a bail has had, and how many of these were withdrawn: the version of an act."""
    parts = select(func.count()).select_from(BailPart).where(BailPart.obligation_alias == alias)
    returned = select(func.count()).select_from(BailReturn).where(BailReturn.obligation_alias == alias)
    withdrawn = returned.where(col(BailReturn.withdrawn_on).is_not(None))
    return sum(session.exec(counted).one() for counted in (parts, returned, withdrawn))


def by_reference(session: Session, reference: str) -> BailReturn | None:
    """The return that carries this reference, or None; locked."""
    return session.exec(locked(select(BailReturn).where(BailReturn.reference == reference))).one_or_none()


def require_posted(session: Session, alias: str) -> tuple[Obligation, Disbursement]:
    """Bail that was posted, locked, and the disbursement that did it.

    Raises:
        UnknownObligation, NotPosted: see there.
    """
    bail = obligations.require(session, alias, lock=True)
    paid = [one for one in disbursements.standing(session, [alias]) if one.state is disbursements.State.PAID]
    if bail.kind is not ObligationKind.BAIL or bail.state is not State.PAID or not paid:
        raise NotPosted("this is no bail that was posted", obligation=alias, state=bail.state)
    return bail, paid[0]


def is_same_person(session: Session, bail: Obligation, owed: Obligation) -> bool:
    """Whether two obligations are of cases of one person: one beneficiary, signed to be one, or by the tokens.

    Who carries the same name and was told apart is another.
    """
    posted, fined = (cases.require(session, one.case_alias) for one in (bail, owed))
    same = posted.beneficiary_alias == fined.beneficiary_alias
    return same or fined.alias in intake.same_person(session, posted.alias)


def _require_same_person(session: Session, bail: Obligation, owed: Obligation) -> None:
    if not is_same_person(session, bail, owed):
        raise AnotherPersons("bail pays what the same person owes", obligation=bail.alias, fine=owed.alias)


def _make_room(session: Session, owed: Obligation, amount: Money, *, on: date) -> None:
    """Cancels what was asked for of an obligation and not released, when bail is to pay more than is left beside it."""
    if amount <= disbursements.left(session, owed):
        return
    waiting = {disbursements.State.REQUESTED, disbursements.State.APPROVED}
    standing = disbursements.standing(session, [owed.alias], lock=True)
    for paying in standing:
        if paying.state in waiting:
            disbursements.cancel(session, paying, on=on)
    left = disbursements.left(session, owed)
    if amount > left:
        for paying in standing:
            if paying.state is disbursements.State.RELEASED:
                raise disbursements.DisbursementNotReady("it was released", disbursement=paying.alias)
        raise disbursements.OverObligation("more than is left to pay", obligation=owed.alias, left_minor=left.minor)


def _check_part(bail: Obligation, amount: Money) -> None:
    if amount.currency != bail.currency or amount.minor <= 0:
        raise BadBailPart("a part is above zero, in the currency of the bail", where="amount")


def _require_left(session: Session, bail: Obligation, amount: Money) -> None:
    left = outstanding(session, bail) - announced_of(session, bail)
    if amount.minor > left.minor:
        raise OverBail("the court holds less", obligation=bail.alias, left_minor=left.minor, currency=left.currency)


def _keep(
    session: Session, bail: Obligation, fate: Fate, amount: Money, *, fine: str | None, by: str, on: date
) -> BailPart:
    number = select(func.count()).select_from(BailPart).where(BailPart.obligation_alias == bail.alias)
    part = BailPart(
        obligation_alias=bail.alias,
        number=session.exec(number).one() + 1,
        fate=fate,
        minor=amount.minor,
        fine_alias=fine,
        decided_by=by,
        decided_on=on,
    )
    session.add(part)
    session.flush()
    return part


def _book(session: Session, part: BailPart, postings: list[Posting], *, recorded_at: datetime) -> None:
    journal.post(
        session,
        source_key=f"bail:{part.obligation_alias}:{part.number}:{part.fate}",
        kind=f"bail_{part.fate}",
        postings=postings,
        happened_on=part.decided_on,
        recorded_at=recorded_at,
        recorded_by=part.decided_by,
    )
