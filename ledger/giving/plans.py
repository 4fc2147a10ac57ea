"""Plans: by which recipe a movement of the processor is booked, and what it has to wait for."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlmodel import Session, SQLModel

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import recipes
from ledger.books.postings import Posting
from ledger.errors import Conflict
from ledger.exceptions import Difference
from ledger.giving import (
    disputes,
    donations,
    payout_items,
    payouts,
    purpose_versions,
    purposes,
    refund_orders,
    top_up_reversals,
)
from ledger.giving.bookings import Reason
from ledger.giving.donations import Donation, Source
from ledger.giving.forms import has_recipe
from ledger.giving.leaves import IN_TRANSIT, PROCESSOR, find_leaf
from ledger.giving.movements import Category, Movement
from ledger.giving.new_gifts import NewGift
from ledger.giving.payouts import Payout, TopUp
from ledger.money import Money
from ledger.storage.engine import looked_up

Sources = Collection[tuple[str, str]]
"""Which of the processor's objects are booked, with their categories."""


class MustWait(Conflict):
    """The movement cannot be booked yet: `reason`, and what it `awaits`, None when only a person can say."""

    rule = "must_wait"

    def __init__(self, reason: Reason, awaits: str | None = None) -> None:
        super().__init__("the movement waits", reason=reason)
        self.reason = reason
        self.awaits = awaits


@dataclass(frozen=True, slots=True)
class Plan:
    """How a movement is booked: its recipe and postings, what it is about, and the row that goes with them."""

    recipe: str
    leaf: str
    postings: list[Posting]
    about: str | None = None
    fund: str | None = None
    row: SQLModel | NewGift | None = None


def plan(session: Session, movement: Movement, *, booked: Sources, waited: bool) -> Plan:
    """How to book a movement that is not booked; the gift, dispute, payout or top-up that it is about is changed too.

    `booked` tells of the movement's source; `waited`, whether it is one that waited.

    Raises:
        MustWait: it cannot be booked yet; nothing was changed.
    """
    if movement.category not in _PLANS:
        raise MustWait(Reason.UNKNOWN_CATEGORY, f"category:{movement.category}")
    if not has_recipe(movement):
        raise MustWait(Reason.NO_RECIPE)
    if movement.category in _ONCE and (movement.category, movement.source) in booked:
        raise MustWait(Reason.TWICE)
    if movement.category == Category.REFUND_FAILURE and (Category.REFUND, movement.source) not in booked:
        raise MustWait(Reason.CAUSE_MISSING, movement.source)
    leaf = require_leaf(session, PROCESSOR, currency=movement.net.currency)
    if waited and movement.category == Category.CHARGE:
        return _plan_pending_charge(session, movement, leaf)
    return _PLANS[movement.category](session, movement, leaf)


def is_known(category: str) -> bool:
    """Whether a recipe stands for a category."""
    return category in _PLANS


def gift_of(session: Session, movement: Movement, *, state: donations.State) -> NewGift:
    """The gift that a charge is, for the fund of its purpose."""
    purpose = purposes.by_code(session, movement.purpose) if movement.purpose else None
    terms = purpose_versions.terms_on(session, purpose, on=movement.created_on) if purpose else None
    return NewGift(
        alias=draw(Kind.DONATION),
        source=Source.CARD,
        state=state,
        source_key=movement.source_key,
        fund_code=terms.fund if terms else recipes.UNASSIGNED,
        purpose_code=purpose.code if purpose else None,
        purpose_version=terms.number if terms else None,
        minor=movement.gross.minor,
        fee_minor=movement.fee.minor,
        currency=movement.gross.currency,
        received_on=movement.created_on,
        charge=movement.charge,
    )


def _plan_charge(session: Session, movement: Movement, leaf: str) -> Plan:
    return _plan_gift(session, movement, leaf, gift_of(session, movement, state=donations.State.RECEIVED))


def _plan_pending_charge(session: Session, movement: Movement, leaf: str) -> Plan:
    donation = donations.by_source(session, movement.source_key)
    if donation is None:
        return _plan_charge(session, movement, leaf)
    return _plan_gift(session, movement, leaf, donations.receive(session, donation))


def _plan_gift(session: Session, movement: Movement, leaf: str, donation: Donation | NewGift) -> Plan:
    purpose = purposes.by_code(session, donation.purpose_code) if donation.purpose_code else None
    terms = purpose_versions.terms_of(session, purpose, donation.purpose_version or 0) if purpose else None
    postings = recipes.card_gift(
        leaf=leaf,
        gift=movement.gross,
        fee=movement.fee,
        fund=donation.fund_code,
        donation=donation.alias,
        net_of_costs=terms.net_of_costs if terms else False,
    )
    return Plan("card_gift", leaf, postings, donation.alias, donation.fund_code, donation)


def _plan_refund(session: Session, movement: Movement, leaf: str) -> Plan:
    """A refund; what was reserved of a charge and not captured; a payment that its giver's bank did not make."""
    donation = _require_gift(session, movement)
    excess = donations.refund(session, donation, -movement.gross)
    refund_orders.note_booked(session, movement.source or "", on=movement.created_on)
    if excess.minor:
        exceptions.open_once(
            session,
            difference=Difference.OVER_REFUNDED,
            account=leaf,
            about=movement.source_key,
            amount=excess,
            on=movement.created_on,
        )
    postings = recipes.gift_refunded(
        leaf=leaf, refund=-movement.gross, fund=donation.fund_code, donation=donation.alias
    )
    return Plan("gift_refunded", leaf, [*postings, *_fee(leaf, movement)], donation.alias, donation.fund_code)


def _plan_refund_failure(session: Session, movement: Movement, leaf: str) -> Plan:
    """A refund that was called off leaves the gift as it was; one that did not reach its giver is owed."""
    donation = _require_gift(session, movement)
    fund, about = donation.fund_code, donation.alias
    if not movement.cancelled:
        postings = recipes.refund_failed(leaf=leaf, refund=movement.gross, fund=fund, donation=about)
        return Plan("refund_failed", leaf, [*postings, *_fee(leaf, movement)], about, fund)
    if donation.refunded_minor < movement.gross.minor:
        raise MustWait(Reason.NO_RECIPE)
    donations.call_off_refund(session, donation, movement.gross, becomes=payouts.state_of_gift(session, donation))
    postings = recipes.refund_cancelled(leaf=leaf, refund=movement.gross, fund=fund, donation=about)
    return Plan("refund_cancelled", leaf, [*postings, *_fee(leaf, movement)], about, fund)


def _plan_dispute(session: Session, movement: Movement, leaf: str) -> Plan:
    """A dispute withdraws once, and again when it was won in between."""
    donation = _require_gift(session, movement)
    dispute = disputes.find(session, movement.source or "")
    if dispute is not None and dispute.state is not disputes.State.WON:
        raise MustWait(Reason.TWICE, movement.source)
    facts = {"withdrawn": -movement.gross, "fee": movement.fee}
    if dispute is None:
        dispute = disputes.begin(session, movement.source or "", donation=donation, on=movement.created_on, **facts)
    else:
        disputes.begin_again(session, dispute, donation=donation, **facts)
    postings = recipes.gift_disputed(leaf=leaf, fund=donation.fund_code, dispute=dispute.alias, **facts)
    return Plan("gift_disputed", leaf, postings, dispute.alias, donation.fund_code)


def _plan_dispute_reversal(session: Session, movement: Movement, leaf: str) -> Plan:
    """What was withdrawn comes back, or a part of it; also when somebody had said that it was lost."""
    donation = _require_gift(session, movement)
    dispute = disputes.find(session, movement.source or "")
    if dispute is None:
        raise MustWait(Reason.CAUSE_MISSING, movement.source)
    if dispute.state is disputes.State.WON:
        raise MustWait(Reason.TWICE, movement.source)
    if dispute.outstanding() < movement.gross:
        raise MustWait(Reason.NO_RECIPE)
    was_lost = dispute.state is disputes.State.LOST
    disputes.reinstate(session, dispute, donation=donation, returned=movement.gross)
    postings = recipes.dispute_won(
        leaf=leaf,
        returned=movement.gross,
        fee_returned=-movement.fee,
        fund=donation.fund_code,
        dispute=dispute.alias,
        was_lost=was_lost,
    )
    return Plan("dispute_won", leaf, postings, dispute.alias, donation.fund_code)


def _plan_payout(session: Session, movement: Movement, leaf: str) -> Plan:
    """One that failed may be paid again under its id, also half a year later: that is another payout.

    Told the other way round, it is booked as well: the failure in between is still to come. One below zero takes from
    the bank.
    """
    if movement.gross.minor > 0:
        return _plan_bank_debit(session, movement, leaf)
    amount = -movement.gross
    transit = require_leaf(session, IN_TRANSIT, currency=amount.currency)
    under = payouts.under(session, movement.source or "")
    before = [one for one in under if one.created_on <= movement.created_on]
    if any(one.state is not payouts.State.FAILED for one in before):
        raise MustWait(Reason.TWICE, movement.source)
    shares = payouts.split(amount, _weights(session, movement, leaf))
    payout = Payout(
        id=under[-1].next_id() if under else movement.source or "",
        source_key=movement.source_key,
        account_code=leaf,
        transit_code=transit,
        state=payouts.State.CREATED,
        minor=amount.minor,
        currency=amount.currency,
        arriving_minor=movement.arriving.minor if movement.arriving else None,
        arriving_currency=movement.arriving.currency if movement.arriving else None,
        items_of=movement.balance_transaction if movement.transactions is not None else None,
        created_on=movement.created_on,
    )
    postings = recipes.payout_created(leaf=leaf, transit=transit, shares=shares)
    return Plan("payout_created", leaf, [*postings, *_fee(leaf, movement)], payout.id, None, payout)


def _plan_bank_debit(session: Session, movement: Movement, leaf: str) -> Plan:
    """What refunds and fees took below zero comes from the bank, each fund with what its own took: a top-up."""
    came = movement.gross
    transit = require_leaf(session, IN_TRANSIT, currency=came.currency)
    if session.get(TopUp, movement.source) is not None:
        raise MustWait(Reason.TWICE, movement.source)
    weights = {fund: -minor for fund, minor in _weights(session, movement, leaf).items()}
    row = TopUp(
        id=movement.source or "",
        transit_code=transit,
        minor=came.minor,
        currency=came.currency,
        arrived_on=movement.created_on,
    )
    postings = recipes.top_up_arrived(leaf=leaf, transit=transit, shares=payouts.split(came, weights))
    return Plan(payouts.BANK_DEBITED, leaf, [*postings, *_fee(leaf, movement)], row.id, None, row)


def _weights(session: Session, movement: Movement, leaf: str) -> dict[str, int]:
    """By what a payout is split by fund: by what it pays out, or by what each has on the leaf."""
    amount = -movement.gross
    if movement.transactions is None:
        return payouts.shares_of_leaf(session, leaf, currency=amount.currency)
    if not payout_items.are_told(session, movement.balance_transaction):
        raise MustWait(Reason.ITEMS_NOT_TOLD, f"{payout_items.AWAITED}{movement.source}")
    missing = payout_items.find_missing(session, movement.balance_transaction)
    if missing is not None:
        raise MustWait(Reason.CAUSE_MISSING, missing)
    weights = payout_items.shares_of(session, movement.balance_transaction, leaf=leaf)
    own = sum(weights.values()) - payouts.paid_elsewhere(
        session, movement.balance_transaction, source=movement.source or ""
    )
    _tell_difference(session, movement, amount - Money(own, amount.currency), leaf)
    return weights


def _plan_payout_reversal(session: Session, movement: Movement, leaf: str) -> Plan:
    """Of what left under its id before it, and came back by no other, it takes the newest back.

    What the processor took from the bank it gives back.
    """
    if movement.gross.minor < 0:
        return _plan_top_up_reversal(session, movement, leaf)
    under = payouts.under(session, movement.source or "")
    standing = [one for one in under if one.state is not payouts.State.FAILED]
    if under and not standing:
        raise MustWait(Reason.TWICE, movement.source)
    left = [one for one in standing if one.created_on <= movement.created_on]
    if not left:
        raise MustWait(Reason.CAUSE_MISSING, movement.source)
    payout = max(left, key=lambda one: one.created_on)
    if movement.gross != payout.amount() or leaf != payout.account_code:
        raise MustWait(Reason.NO_RECIPE)
    shares = payouts.shares_of(session, payout)
    payouts.fail(session, payout, on=movement.created_on)
    postings = recipes.payout_failed(leaf=leaf, transit=payout.transit_code, shares=shares)
    return Plan("payout_failed", leaf, [*postings, *_fee(leaf, movement)], payout.id)


def _plan_top_up(session: Session, movement: Movement, leaf: str) -> Plan:
    """Nobody says which fund's money it is: `general` lends it to the pool, as it bears what the pool lacks."""
    transit = require_leaf(session, IN_TRANSIT, currency=movement.gross.currency)
    row = TopUp(
        id=movement.source or "",
        transit_code=transit,
        minor=movement.gross.minor,
        currency=movement.gross.currency,
        arrived_on=movement.created_on,
    )
    shares = {recipes.GENERAL: movement.gross}
    postings = recipes.top_up_arrived(leaf=leaf, transit=transit, shares=shares)
    return Plan("top_up_arrived", leaf, [*postings, *_fee(leaf, movement)], row.id, recipes.GENERAL, row)


def _plan_top_up_reversal(session: Session, movement: Movement, leaf: str) -> Plan:
    """What a top-up brought, or was taken from the bank, goes back the way it came."""
    row = session.get(TopUp, movement.source)
    if row is None:
        raise MustWait(Reason.CAUSE_MISSING, movement.source)
    if row.reversed_on is not None:
        raise MustWait(Reason.TWICE, movement.source)
    if -movement.gross != row.amount():
        raise MustWait(Reason.NO_RECIPE)
    shares = payouts.shares_of_top_up(session, row)
    top_up_reversals.reverse(session, row, on=movement.created_on)
    postings = recipes.top_up_reversed(leaf=leaf, transit=row.transit_code, shares=shares)
    return Plan("top_up_reversed", leaf, [*postings, *_fee(leaf, movement)], row.id, recipes.GENERAL)


def plan_reserve(session: Session, movement: Movement, leaf: str) -> Plan:
    """What is set aside is every fund's, as much as it has there; so is what comes back. Without the fee."""
    currency = movement.gross.currency
    reserve = find_leaf(session, recipes.RESERVED, currency=currency) or recipes.RESERVED
    amount = movement.gross if movement.gross.minor > 0 else -movement.gross
    if not amount.minor:
        raise MustWait(Reason.NO_RECIPE)
    if movement.gross.minor > 0:
        shares = payouts.split(amount, payouts.shares_of_leaf(session, reserve, currency=currency))
        postings = recipes.reserve_returned(leaf=leaf, shares=shares, reserve=reserve)
        return Plan("reserve_returned", leaf, postings)
    shares = payouts.split(amount, payouts.shares_of_leaf(session, leaf, currency=currency))
    postings = recipes.reserve_taken(leaf=leaf, shares=shares, reserve=reserve)
    return Plan("reserve_taken", leaf, postings)


def _plan_reserve(session: Session, movement: Movement, leaf: str) -> Plan:
    planned = plan_reserve(session, movement, leaf)
    planned.postings.extend(_fee(leaf, movement))
    return planned


def _plan_stand_alone_fee(_session: Session, movement: Movement, leaf: str) -> Plan:
    return Plan("processor_fee", leaf, fee_postings(leaf, -movement.gross), None, recipes.GENERAL)


_PLANS: dict[str, Callable[[Session, Movement, str], Plan]] = {
    Category.CHARGE: _plan_charge,
    Category.REFUND: _plan_refund,
    Category.PARTIAL_CAPTURE: _plan_refund,
    Category.CHARGE_FAILURE: _plan_refund,
    Category.REFUND_FAILURE: _plan_refund_failure,
    Category.DISPUTE: _plan_dispute,
    Category.DISPUTE_REVERSAL: _plan_dispute_reversal,
    Category.PAYOUT: _plan_payout,
    Category.PAYOUT_REVERSAL: _plan_payout_reversal,
    Category.TOP_UP: _plan_top_up,
    Category.TOP_UP_REVERSAL: _plan_top_up_reversal,
    Category.RESERVE: _plan_reserve,
    Category.CONNECT_RESERVE: _plan_reserve,
    Category.MINIMUM_HELD: _plan_reserve,
    Category.MINIMUM_RELEASED: _plan_reserve,
    Category.FEE: _plan_stand_alone_fee,
    Category.TAX: _plan_stand_alone_fee,
    Category.NETWORK_COST: _plan_stand_alone_fee,
}
_ONCE = frozenset(
    {
        Category.CHARGE,
        Category.REFUND,
        Category.PARTIAL_CAPTURE,
        Category.CHARGE_FAILURE,
        Category.REFUND_FAILURE,
        Category.TOP_UP,
        Category.TOP_UP_REVERSAL,
    }
)
"""An object of these moves once, whatever the number of its balance transactions."""
BY_ITSELF = frozenset({Category.CHARGE, Category.FEE, Category.TAX, Category.NETWORK_COST})
"""What is planned without a look at what was booked before, unless it waited."""


def require_leaf(session: Session, account: str, *, currency: str) -> str:
    """The leaf, looked up once in a savepoint.

    Raises:
        MustWait: the chart has none.
    """
    known = looked_up(session, "processor_leaf")
    key = f"{account}:{currency}"
    if key not in known:
        leaf = find_leaf(session, account, currency=currency)
        if leaf is None:
            raise MustWait(Reason.NO_LEAF, f"leaf:{account}:{currency}")
        known[key] = leaf
    found: str = known[key]
    return found


def _require_gift(session: Session, movement: Movement) -> Donation:
    """The gift that a movement is about; nobody else changes it until the transaction ends."""
    donation = donations.of_charge(session, movement.charge or "")
    if donation is None or donation.state is donations.State.PENDING:
        raise MustWait(Reason.CAUSE_MISSING, movement.charge)
    if donation.currency != movement.gross.currency:
        raise MustWait(Reason.OTHER_CURRENCY)
    return donation


def _fee(leaf: str, movement: Movement) -> list[Posting]:
    return fee_postings(leaf, movement.fee)


def fee_postings(leaf: str, fee: Money) -> list[Posting]:
    """The postings of a fee, which may be zero, or below zero when it comes back."""
    if fee.minor < 0:
        return recipes.processor_fee_returned(leaf=leaf, fee=-fee)
    return recipes.processor_fee(leaf=leaf, fee=fee) if fee.minor else []


def _tell_difference(session: Session, movement: Movement, difference: Money, leaf: str) -> None:
    """A payout that is not what it pays out is booked all the same, and somebody is told by how much."""
    if difference.minor:
        exceptions.open_once(
            session,
            difference=Difference.PAYOUT_DIFFERS,
            account=leaf,
            about=movement.source_key,
            amount=difference,
            on=movement.created_on,
        )
