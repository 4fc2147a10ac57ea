"""Explanations: what a movement was that no recipe books by itself, as a person says it. None of them is a dead end."""

from collections.abc import Callable
from enum import StrEnum

from sqlmodel import Session

from ledger import exceptions
from ledger.books import recipes
from ledger.books.postings import Posting
from ledger.errors import BadInput, NotFound
from ledger.exceptions import Difference
from ledger.giving import donations, payouts, plans
from ledger.giving.donations import Donation
from ledger.giving.leaves import IN_TRANSIT, PROCESSOR
from ledger.giving.movements import Movement
from ledger.giving.payouts import Payout, TopUp
from ledger.giving.plans import Plan
from ledger.money import Money


class What(StrEnum):
    """What a movement may be said to be.

    A gift comes in, for the fund `unassigned`; a refund is of a gift that is named, or comes back to it; a cost, a loss
    and what is reserved go out, or come back; other income comes in; a transfer is on its way to the bank, or from it.
    """

    GIFT = "card_gift"
    REFUND = "card_refund"
    COST = "cost"
    LOSS = "loss"
    RESERVE = "reserve"
    OTHER_INCOME = "other_income"
    TRANSFER = "transfer"


class CannotBe(BadInput):
    """The movement cannot be what it is said to be: `where` tells what speaks against it."""

    rule = "cannot_be"


class UnknownGift(NotFound):
    """No gift that was booked has this alias."""

    rule = "unknown_donation"


def plan(session: Session, movement: Movement, what: What, *, gift: str | None, counted: Money | None) -> Plan:
    """How to book a movement as what it is said to be.

    `gift` is the alias of the gift that a refund is of; `counted` how much of it that is, where the refund is in
    another currency than the gift.

    Raises:
        CannotBe, UnknownGift: see there. MustWait: the chart has no leaf for it. OverRefunded: of the gift so much was
        not given back.
    """
    if (what is What.REFUND) != (gift is not None) or (counted is not None and gift is None):
        raise CannotBe("a refund names its gift, and nothing else does", where="gift")
    if not movement.gross.minor:
        raise CannotBe("only a fee moved", where="amount")
    if movement.gross.minor < 0 and what in {What.GIFT, What.OTHER_INCOME}:
        raise CannotBe("what went out is no income", where="amount")
    leaf = plans.require_leaf(session, PROCESSOR, currency=movement.net.currency)
    if gift is not None:
        planned = _plan_refund(session, movement, leaf, gift=gift, counted=counted)
    else:
        planned = _PLANS[what](session, movement, leaf)
    planned.postings.extend(plans.fee_postings(leaf, movement.fee))
    return planned


def _plan_gift(session: Session, movement: Movement, leaf: str) -> Plan:
    """A charge is named by one gift only: a second one of it is a gift of its own, without the charge."""
    standing = donations.by_source(session, movement.source_key)
    if standing is not None:
        donations.receive(session, standing)
    row = standing or plans.gift_of(session, movement, state=donations.State.RECEIVED)
    if standing is None and (row.charge is None or donations.of_charge(session, row.charge) is not None):
        row.charge = None
    nothing = Money(0, movement.gross.currency)
    postings = recipes.card_gift(
        leaf=leaf, gift=movement.gross, fee=nothing, fund=row.fund_code, donation=row.alias, net_of_costs=False
    )
    return Plan("card_gift", leaf, postings, row.alias, row.fund_code, row)


def _plan_refund(session: Session, movement: Movement, leaf: str, *, gift: str, counted: Money | None) -> Plan:
    row = donations.find(session, gift, lock=True)
    if row is None or row.state in {donations.State.PENDING, donations.State.UNIDENTIFIED}:
        raise UnknownGift("no gift that was booked has this alias")
    moved = movement.gross if movement.gross.minor > 0 else -movement.gross
    of_gift = counted or moved
    if of_gift.currency != row.currency or of_gift.minor <= 0 or (counted and moved.currency == row.currency):
        raise CannotBe("it is counted in the gift's currency, where that is another one", where="counted")
    facts = {"leaf": leaf, "fund": row.fund_code, "donation": row.alias}
    if movement.gross.minor > 0:
        donations.call_off_refund(session, row, of_gift, becomes=payouts.state_of_gift(session, row))
        postings = recipes.refund_cancelled(**facts, refund=of_gift, came=moved)
        return Plan("refund_cancelled", leaf, postings, row.alias, row.fund_code)
    excess = donations.refund(session, row, of_gift)
    if excess.minor:
        _tell_excess(session, movement, row, excess)
    postings = recipes.gift_refunded(**facts, refund=of_gift, spent=moved)
    return Plan("gift_refunded", leaf, postings, row.alias, row.fund_code)


def _tell_excess(session: Session, movement: Movement, gift: Donation, excess: Money) -> None:
    exceptions.open_once(
        session,
        difference=Difference.OVER_REFUNDED,
        account=plans.require_leaf(session, PROCESSOR, currency=gift.currency),
        about=movement.source_key,
        amount=excess,
        on=movement.created_on,
    )


def _plan_cost(_session: Session, movement: Movement, leaf: str) -> Plan:
    return _of_general("processor_fee", leaf, plans.fee_postings(leaf, -movement.gross))


def _plan_loss(_session: Session, movement: Movement, leaf: str) -> Plan:
    if movement.gross.minor > 0:
        return _of_general("loss_returned", leaf, recipes.processor_loss_returned(leaf=leaf, loss=movement.gross))
    return _of_general("lost_at_processor", leaf, recipes.lost_at_processor(leaf=leaf, loss=-movement.gross))


def _plan_other_income(_session: Session, movement: Movement, leaf: str) -> Plan:
    return _of_general("other_income", leaf, recipes.interest_received(leaf=leaf, interest=movement.gross))


def _plan_transfer(session: Session, movement: Movement, leaf: str) -> Plan:
    """Known by its balance transaction: the processor's own object may be on its way already."""
    name, currency = movement.balance_transaction, movement.gross.currency
    transit = plans.require_leaf(session, IN_TRANSIT, currency=currency)
    if movement.gross.minor > 0:
        arrived = TopUp(
            id=name,
            transit_code=transit,
            minor=movement.gross.minor,
            currency=currency,
            arrived_on=movement.created_on,
        )
        shares = {recipes.GENERAL: movement.gross}
        postings = recipes.top_up_arrived(leaf=leaf, transit=transit, shares=shares)
        return Plan("top_up_arrived", leaf, postings, name, recipes.GENERAL, arrived)
    amount = -movement.gross
    shares = payouts.split(amount, payouts.shares_of_leaf(session, leaf, currency=currency))
    payout = Payout(
        id=name,
        source_key=movement.source_key,
        account_code=leaf,
        transit_code=transit,
        state=payouts.State.CREATED,
        minor=amount.minor,
        currency=currency,
        created_on=movement.created_on,
    )
    return Plan(
        "payout_created", leaf, recipes.payout_created(leaf=leaf, transit=transit, shares=shares), name, None, payout
    )


def _of_general(recipe: str, leaf: str, postings: list[Posting]) -> Plan:
    return Plan(recipe, leaf, postings, None, recipes.GENERAL)


_PLANS: dict[What, Callable[[Session, Movement, str], Plan]] = {
    What.GIFT: _plan_gift,
    What.COST: _plan_cost,
    What.LOSS: _plan_loss,
    What.RESERVE: plans.plan_reserve,
    What.OTHER_INCOME: _plan_other_income,
    What.TRANSFER: _plan_transfer,
}
