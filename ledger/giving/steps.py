"""Steps: what became of a gift after it was booked. Each is one entry, and what stands on an account is their sum.

A gift starts on the account that its receipt was booked on; a step takes from one account and brings to another.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from ledger.books import journal, recipes
from ledger.books.journal import Entry, Posted
from ledger.books.postings import Posting, Side
from ledger.errors import Refused
from ledger.giving.donations import Donation, Source, State, keep
from ledger.money import Money
from ledger.storage.columns import WITHOUT_ROWID, MinorUnits, enumeration, whole_minor

NAMESPACE = "gift:"
"""Source keys of steps that people decide; those that the bank shows have the key of its line."""


class Step(StrEnum):
    """What became of a gift, or of a part of it.

    Conditional: it goes back unless its condition is met. Came back: the bank did not take what was sent back. Taken
    back: the giver's bank has called it back. Payout: it was none, but a payout that the bank showed first. Unbooked:
    it was none, and its entry is reversed.
    """

    MATCHED = "matched"
    UNCLAIMED = "unclaimed"
    CONDITIONAL = "conditional"
    MET = "met"
    SENT_BACK = "sent_back"
    CAME_BACK = "came_back"
    TAKEN_BACK = "taken_back"
    PAYOUT = "payout"
    UNBOOKED = "unbooked"


class NothingLeft(Refused):
    """Of the gift less is left on the account that the step takes from; amounts in minor units."""

    rule = "nothing_left"


class GiftStep(SQLModel, table=True):
    """`minor` of a gift leaves the account `debit_code` for `credit_code`; None stands for a place where money is.

    `about` is the purpose, the payout, or what was sent back. Numbered from 1; the number is what an act restates as
    version.
    """

    __tablename__ = "gift_step"
    donation_alias: str = Field(foreign_key="donation.alias", primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    step: Step = Field(sa_type=enumeration(Step))
    debit_code: str | None = Field(default=None, foreign_key="account.code", max_length=45)
    credit_code: str | None = Field(default=None, foreign_key="account.code", max_length=45)
    fund_code: str = Field(foreign_key="fund.code", max_length=30)
    minor: int = Field(sa_type=MinorUnits)
    currency: str = Field(max_length=3)
    about: str | None = Field(default=None, max_length=64)
    source_key: str = Field(max_length=200, unique=True)
    taken_by: str = Field(max_length=20)
    taken_on: date

    __table_args__ = (
        CheckConstraint("minor > 0", name="gift_step_is_above_zero"),
        CheckConstraint("debit_code IS NOT NULL OR credit_code IS NOT NULL", name="gift_step_moves_something"),
        *whole_minor("minor"),
        WITHOUT_ROWID,
    )

    def amount(self) -> Money:
        """How much of the gift it is about."""
        return Money(self.minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step that is to be taken, with the postings of its entry; without a `source_key` it gets one of its own.

    Or it `reverses` an entry, for a reason.
    """

    step: Step
    amount: Money
    fund: str
    postings: Sequence[Posting] = ()
    reverses: tuple[int, journal.Because] | None = None
    debit: str | None = None
    credit: str | None = None
    about: str | None = None
    source_key: str | None = None


def take(
    session: Session, gift: Donation, new: NewStep, *, on: date, recorded_at: datetime, recorded_by: str
) -> Posted:
    """Books a step of a gift whose row the caller has locked, and notes where the gift stands then.

    Raises:
        NothingLeft: less is left on the account that it takes from.
    """
    if new.debit in _OWED and left(session, gift, new.debit) < new.amount:
        raise NothingLeft(
            "of the gift less is left",
            donation=gift.alias,
            account=new.debit,
            left_minor=left(session, gift, new.debit).minor,
            currency=gift.currency,
        )
    number = next_number(session, gift)
    key = new.source_key or f"{NAMESPACE}{gift.alias}:{number}"
    posted = _book(session, new, key, on=on, recorded_at=recorded_at, recorded_by=recorded_by)
    step = GiftStep(
        donation_alias=gift.alias,
        number=number,
        step=new.step,
        debit_code=new.debit,
        credit_code=new.credit,
        fund_code=new.fund,
        minor=new.amount.minor,
        currency=new.amount.currency,
        about=new.about,
        source_key=key,
        taken_by=recorded_by,
        taken_on=on,
    )
    session.add(step)
    session.flush()
    _note_state(session, gift)
    return posted


def _book(session: Session, new: NewStep, key: str, *, on: date, recorded_at: datetime, recorded_by: str) -> Posted:
    if new.reverses is not None:
        entry, because = new.reverses
        facts: dict[str, Any] = {"on": on, "recorded_at": recorded_at, "recorded_by": recorded_by}
        return journal.reverse(session, entry, source_key=key, because=because, **facts)
    return journal.post(
        session,
        source_key=key,
        kind=f"gift_{new.step}",
        postings=new.postings,
        happened_on=on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )


def left(session: Session, gift: Donation, account: str) -> Money:
    """What stands on an account for a gift by its receipt and its steps: above zero where it is owed or income."""
    standing = standing_of(gift, of(session, [gift.alias])[gift.alias])
    return Money(-sum(minor for (code, _), minor in standing.items() if code == account), gift.currency)


def standing_of(gift: Donation, steps: Sequence[GiftStep]) -> Counter[tuple[str, str]]:
    """By account and fund: what must stand there about a gift, in minor units, debits above zero."""
    standing: Counter[tuple[str, str]] = Counter()
    if gift.state is State.PENDING:
        return standing
    start = _started_on(gift, steps)
    standing[start, recipes.UNASSIGNED if start == recipes.UNIDENTIFIED else gift.fund_code] -= gift.minor
    for one in steps:
        for code, minor in ((one.debit_code, one.minor), (one.credit_code, -one.minor)):
            if code is not None:
                standing[code, _fund_of(gift, one, code)] += minor
    return standing


def _fund_of(gift: Donation, one: GiftStep, code: str) -> str:
    """In which fund a step stands on an account now: income of no fund got the gift's when that was assigned to one."""
    if code == recipes.UNIDENTIFIED:
        return recipes.UNASSIGNED
    return gift.fund_code if (code, one.fund_code) == (recipes.DONATIONS, recipes.UNASSIGNED) else one.fund_code


def of(session: Session, gifts: Iterable[str]) -> Mapping[str, list[GiftStep]]:
    """The steps of gifts, by their aliases, in their order."""
    found: dict[str, list[GiftStep]] = {alias: [] for alias in gifts}
    query = select(GiftStep).where(col(GiftStep.donation_alias).in_(found))
    for one in session.exec(query.order_by(col(GiftStep.donation_alias), col(GiftStep.number))):
        found[one.donation_alias].append(one)
    return found


def next_number(session: Session, gift: Donation) -> int:
    """The number of the next step of a gift: the version that an act about it restates."""
    return len(of(session, [gift.alias])[gift.alias]) + 1


def leaf_of(session: Session, gift: Donation) -> str:
    """Where the money of a gift came in: the leaf that its receipt was booked on."""
    entry_id = session.exec(select(Entry.id).where(Entry.source_key == gift.source_key)).one()
    came = [one for one in journal.postings_of(session, entry_id) if one.side is Side.DEBIT]
    return came[0].account


def _started_on(gift: Donation, steps: Sequence[GiftStep]) -> str:
    if gift.source is Source.IN_KIND:
        return recipes.GIFTS_IN_KIND
    first = steps[0].debit_code if steps else None
    unidentified = gift.state is State.UNIDENTIFIED or first == recipes.UNIDENTIFIED
    return recipes.UNIDENTIFIED if unidentified else recipes.DONATIONS


def _note_state(session: Session, gift: Donation) -> None:
    """Where a gift stands that came unidentified; what became of others their own verbs tell."""
    steps = of(session, [gift.alias])[gift.alias]
    if _started_on(gift, steps) != recipes.UNIDENTIFIED or gift.state is State.REFUNDED:
        return
    standing: Counter[str] = Counter()
    for (code, _), minor in standing_of(gift, steps).items():
        standing[code] -= minor
    if standing[recipes.UNIDENTIFIED] > 0:
        gift.state = State.UNIDENTIFIED
    elif standing[recipes.CONDITIONAL_GIFTS] > 0:
        gift.state = State.CONDITIONAL
    elif standing[recipes.DONATIONS] > 0:
        gift.state = State.MATCHED
    else:
        gift.state = State.NO_GIFT if steps[-1].step in _NO_GIFT else State.SENT_BACK
    keep(session, gift)


_NO_GIFT = (Step.PAYOUT, Step.UNBOOKED)
_OWED = (recipes.UNIDENTIFIED, recipes.CONDITIONAL_GIFTS)
"""The accounts from which a step takes no more than is left."""
