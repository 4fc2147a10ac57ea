"""The card processor: each of its balance transactions is one movement, and each movement is booked once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from sqlmodel import Session, SQLModel

from ledger.aliases import Kind, draw
from ledger.books import journal, recipes
from ledger.books.postings import Posting
from ledger.giving import disputes, donations, movements, payouts, purposes
from ledger.giving.donations import Donation, Source, State
from ledger.giving.leaves import IN_TRANSIT, PROCESSOR, require_leaf
from ledger.giving.movements import Category, Movement
from ledger.giving.payouts import Payout
from ledger.money import Money

RECIPES = {
    Category.CHARGE: "card_gift",
    Category.REFUND: "gift_refunded",
    Category.DISPUTE: "gift_disputed",
    Category.PAYOUT: "payout_created",
    Category.FEE: "processor_fee",
}
"""By which recipe each category is booked; also the kind of its entry."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of a movement.

    `about` is the alias of the donation or of the dispute, or the processor's id of the payout; a fee is about nothing.
    `fund` is the gift's; a payout is of several.
    """

    movement: Movement
    about: str | None
    fund: str | None
    replayed: bool

    @property
    def recipe(self) -> str:
        """By which recipe it is booked."""
        return RECIPES[self.movement.category]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a movement will be booked: its entry's postings, and the row that goes with them."""

    about: str | None
    fund: str | None
    postings: list[Posting]
    row: SQLModel | None = None


def book(session: Session, received: Sequence[Movement], *, recorded_at: datetime, recorded_by: str) -> list[Booked]:
    """Books movements in the order given, all or none of them; those that were booked before book nothing new.

    Raises:
        UnknownMovement: no recipe stands for one, or its parts do not tie.
        NoLeaf: the chart has no leaf in its currency at the processor, or in transit for a payout.
        SourceKeyConflict, BookedElsewhere: the balance transaction, or its source, came before with another content.
        UnknownCharge: a refund or a dispute of a charge that was never seen. OverRefunded: more than was given.
        `movement` in the data is the number of the one that is refused, from 1. Nothing was written.
    """
    leaf_of = cache(partial(_processor_leaf, session))
    booked = []
    with session.begin_nested():
        for number, movement in enumerate(received, start=1):
            with movements.numbered(number):
                movements.check(movement)
        new = movements.keep(session, received, leaf_of=leaf_of)
        for number, (movement, is_new) in enumerate(zip(received, new, strict=True), start=1):
            with movements.numbered(number):
                if is_new:
                    plan = _PLANS[movement.category](session, movement, leaf_of(movement.net.currency))
                    _post(session, movement, plan, recorded_at=recorded_at, recorded_by=recorded_by)
                    about, fund = plan.about, plan.fund
                else:
                    about, fund = _find(session, movement)
                booked.append(Booked(movement, about=about, fund=fund, replayed=not is_new))
        session.flush()
    return booked


def _processor_leaf(session: Session, currency: str) -> str:
    return require_leaf(session, PROCESSOR, currency=currency)


def _post(session: Session, movement: Movement, plan: _Plan, *, recorded_at: datetime, recorded_by: str) -> None:
    """Posts the entry; the row is written with those of the other movements."""
    journal.post(
        session,
        source_key=movement.source_key,
        kind=RECIPES[movement.category],
        postings=plan.postings,
        happened_on=movement.created_on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    if plan.row is not None:
        session.add(plan.row)


def _plan_charge(session: Session, movement: Movement, leaf: str) -> _Plan:
    purpose = purposes.by_code(session, movement.purpose) if movement.purpose else None
    donation = Donation(
        alias=draw(Kind.DONATION),
        source=Source.CARD,
        state=State.RECEIVED,
        source_key=movement.source_key,
        fund_code=purpose.fund_code if purpose else recipes.UNASSIGNED,
        purpose_code=purpose.code if purpose else None,
        minor=movement.gross.minor,
        fee_minor=movement.fee.minor,
        currency=movement.gross.currency,
        received_on=movement.created_on,
        charge=movement.charge,
    )
    postings = recipes.card_gift(
        leaf=leaf,
        gift=movement.gross,
        fee=movement.fee,
        fund=donation.fund_code,
        donation=donation.alias,
        net_of_costs=purpose.net_of_costs if purpose else False,
    )
    return _Plan(donation.alias, donation.fund_code, postings, donation)


def _plan_refund(session: Session, movement: Movement, leaf: str) -> _Plan:
    donation = _gift(session, movement)
    donations.refund(session, donation, -movement.gross)
    postings = recipes.gift_refunded(
        leaf=leaf, refund=-movement.gross, fund=donation.fund_code, donation=donation.alias
    )
    return _Plan(donation.alias, donation.fund_code, [*postings, *_plan_fee(leaf, movement.fee)])


def _plan_dispute(session: Session, movement: Movement, leaf: str) -> _Plan:
    donation = donations.dispute(session, _gift(session, movement))
    dispute = disputes.begin(
        session,
        movement.source or "",
        donation=donation,
        withdrawn=-movement.gross,
        fee=movement.fee,
        on=movement.created_on,
    )
    postings = recipes.gift_disputed(
        leaf=leaf, withdrawn=-movement.gross, fee=movement.fee, fund=donation.fund_code, dispute=dispute.alias
    )
    return _Plan(dispute.alias, donation.fund_code, postings)


def _plan_payout(session: Session, movement: Movement, leaf: str) -> _Plan:
    amount = -movement.gross
    payout = Payout(
        id=movement.source or "",
        source_key=movement.source_key,
        account_code=leaf,
        transit_code=require_leaf(session, IN_TRANSIT, currency=amount.currency),
        state=payouts.State.CREATED,
        minor=amount.minor,
        currency=amount.currency,
        created_on=movement.created_on,
    )
    standing = payouts.shares_of_leaf(session, leaf, currency=amount.currency)
    shares = payouts.split(amount, standing)
    postings = recipes.payout_created(leaf=leaf, transit=payout.transit_code, shares=shares)
    return _Plan(payout.id, None, [*postings, *_plan_fee(leaf, movement.fee)], payout)


def _plan_stand_alone_fee(_session: Session, movement: Movement, leaf: str) -> _Plan:
    return _Plan(None, recipes.GENERAL, _plan_fee(leaf, -movement.gross))


_PLANS: dict[Category, Callable[[Session, Movement, str], _Plan]] = {
    Category.CHARGE: _plan_charge,
    Category.REFUND: _plan_refund,
    Category.DISPUTE: _plan_dispute,
    Category.PAYOUT: _plan_payout,
    Category.FEE: _plan_stand_alone_fee,
}


def _plan_fee(leaf: str, fee: Money) -> list[Posting]:
    """The postings of a fee, which may be zero, or below zero when it comes back."""
    if fee.minor < 0:
        return recipes.processor_fee_returned(leaf=leaf, fee=-fee)
    return recipes.processor_fee(leaf=leaf, fee=fee) if fee.minor else []


def _gift(session: Session, movement: Movement) -> Donation:
    return donations.of_charge(session, movement.charge or "", currency=movement.gross.currency)


def _find(session: Session, movement: Movement) -> tuple[str | None, str | None]:
    """What a movement that was booked before is about, and its fund."""
    if movement.category is Category.FEE:
        return None, recipes.GENERAL
    if movement.category is Category.PAYOUT:
        return movement.source, None
    if movement.category is Category.CHARGE:
        donation = donations.by_source(session, movement.source_key)
        return (donation.alias, donation.fund_code) if donation else (None, None)
    donation = _gift(session, movement)
    if movement.category is Category.REFUND:
        return donation.alias, donation.fund_code
    return disputes.by_source(session, movement.source or "").alias, donation.fund_code
