"""The card processor of the tests: movements of an invented account, and as its API lists them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session

from api import stripe_gateway
from ledger.books import accounts
from ledger.giving import processor, purposes
from ledger.giving.movements import Category, Movement
from ledger.giving.processor import Booked
from ledger.money import Money
from tests.bookkeeping import RECORDER
from tests.cast import NOW

DAY = date(2020, 9, 14)
USD_CARD_LEAF, TRANSIT, USD_TRANSIT = "1100:usd", "1050:eur", "1050:usd"
_TYPES: dict[str, str] = {Category.DISPUTE: "adjustment", Category.FEE: "stripe_fee"}


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def furnish(session: Session) -> Session:
    """Adds to a founded book what the processor needs: leaves in EUR and USD, and three purposes."""
    for leaf, currency in ((USD_CARD_LEAF, "USD"), (TRANSIT, "EUR"), (USD_TRANSIT, "USD")):
        accounts.add_leaf(session, leaf, name="A leaf", currency=currency)
    for code, fund, net_of_costs in (
        ("FINES", "fines", False),
        ("DETENTION", "detention", True),
        ("ALL", "general", False),
    ):
        purposes.add(session, code, fund=fund, text=f"For {fund}.", net_of_costs=net_of_costs)
    session.commit()
    return session


def a_charge(
    of: Money, *, fee: Money | None = None, nth: int = 1, purpose: str | None = "FINES", on: date = DAY
) -> Movement:
    """A gift by card."""
    fee = fee or Money(0, of.currency)
    charge = f"ch_Invented{nth:04d}"
    return Movement(f"txn_Charge{nth:04d}", Category.CHARGE, of, fee, of - fee, on, purpose, charge, charge)


def a_refund(of: Movement, amount: Money, *, nth: int = 1, on: date = DAY) -> Movement:
    """A gift, or a part of it, given back."""
    nothing = Money(0, amount.currency)
    source = f"re_Invented{nth:04d}"
    return Movement(f"txn_Refund{nth:04d}", Category.REFUND, -amount, nothing, -amount, on, None, source, of.charge)


def a_dispute(of: Movement, amount: Money, *, fee: Money | None = None, nth: int = 1, on: date = DAY) -> Movement:
    """A gift that its giver's bank calls back."""
    fee = fee or Money(1500, amount.currency)
    source = f"dp_Invented{nth:04d}"
    return Movement(f"txn_Dispute{nth:04d}", Category.DISPUTE, -amount, fee, -amount - fee, on, None, source, of.charge)


def a_payout(amount: Money, *, nth: int = 1, on: date = DAY) -> Movement:
    """Money on its way to the bank."""
    nothing = Money(0, amount.currency)
    return Movement(
        f"txn_Payout{nth:04d}", Category.PAYOUT, -amount, nothing, -amount, on, None, f"po_Invented{nth:04d}"
    )


def a_fee(amount: Money, *, nth: int = 1, on: date = DAY) -> Movement:
    """A fee that the processor takes by itself."""
    return Movement(f"txn_Fee{nth:04d}", Category.FEE, -amount, Money(0, amount.currency), -amount, on)


def a_refund_failure(of: Movement, *, nth: int = 1, cancelled: bool = False, on: date = DAY) -> Movement:
    """A refund that comes back: its giver's bank did not take it, or it was called off."""
    facts = (Money(0, of.gross.currency), -of.gross, on, None, of.source, of.charge, cancelled)
    return Movement(f"txn_RefundFailure{nth:04d}", Category.REFUND_FAILURE, -of.gross, *facts)


def a_dispute_won(of: Movement, *, fee: Money | None = None, nth: int = 1, on: date = DAY) -> Movement:
    """A dispute that was decided for the fund; `fee` comes back with it."""
    back = fee or Money(0, of.gross.currency)
    facts = (-back, -of.gross + back, on, None, of.source, of.charge)
    return Movement(f"txn_DisputeWon{nth:04d}", Category.DISPUTE_REVERSAL, -of.gross, *facts)


def a_payout_failure(of: Movement, *, nth: int = 1, on: date = DAY) -> Movement:
    """A payout that the processor takes back."""
    facts = (Money(0, of.gross.currency), -of.gross, on, None, of.source)
    return Movement(f"txn_PayoutFailure{nth:04d}", Category.PAYOUT_REVERSAL, -of.gross, *facts)


def a_top_up(amount: Money, *, nth: int = 1, on: date = DAY) -> Movement:
    """Money that came from the bank."""
    nothing = Money(0, amount.currency)
    return Movement(f"txn_TopUp{nth:04d}", Category.TOP_UP, amount, nothing, amount, on, None, f"tu_Invented{nth:04d}")


def a_top_up_reversal(of: Movement, *, nth: int = 1, on: date = DAY) -> Movement:
    """A top-up that the processor gives back."""
    facts = (Money(0, of.gross.currency), -of.gross, on, None, of.source)
    return Movement(f"txn_TopUpReversal{nth:04d}", Category.TOP_UP_REVERSAL, -of.gross, *facts)


def a_move(category: str, amount: Money, *, nth: int = 1, on: date = DAY) -> Movement:
    """A movement of any category, without a source: a reserve, a tax, something never heard of."""
    return Movement(f"txn_Move{category}{nth:04d}", category, amount, Money(0, amount.currency), amount, on)


def paying_out(*paid: Movement, nth: int = 1, on: date = DAY) -> Movement:
    """The automatic payout of these movements."""
    first, *others = (one.net for one in paid)
    payout = a_payout(sum(others, first), nth=nth, on=on)
    return replace(payout, transactions=tuple(one.balance_transaction for one in paid))


def book(session: Session, *received: Movement) -> list[Booked]:
    """Books movements, all or none."""
    return processor.book(session, received, recorded_at=NOW, recorded_by=RECORDER)


def changed(movement: Movement, **facts: Any) -> Movement:
    return replace(movement, **facts)


def listed(movements: Sequence[Movement], **facts: Any) -> bytes:
    """The movements as the processor's API lists them with their sources expanded; `facts` are told of each."""
    return listing([transaction(movement) | facts for movement in movements])


def read(data: bytes) -> list[Movement]:
    """What the gateway reads, all of it in currencies that are known."""
    found = stripe_gateway.read_movements(data)
    movements = [one for one in found if isinstance(one, Movement)]
    assert movements == found
    return movements


def listing(items: Sequence[Any]) -> bytes:
    """A list as the processor's API answers it."""
    return json.dumps({"object": "list", "data": list(items), "has_more": False}).encode()


def transaction(movement: Movement, *, second: int = 0) -> dict[str, Any]:
    """A balance transaction, made so many seconds after noon."""
    noon = datetime.combine(movement.created_on, time(12), UTC)
    return {
        "id": movement.balance_transaction,
        "object": "balance_transaction",
        "amount": movement.gross.minor,
        "created": int(noon.timestamp()) + second,
        "currency": movement.gross.currency.lower(),
        "description": movement.purpose,
        "fee": movement.fee.minor,
        "net": movement.net.minor,
        "reporting_category": str(movement.category),
        "source": _source(movement),
        "type": _TYPES.get(movement.category, str(movement.category)),
    }


def _source(movement: Movement) -> Any:
    told = {
        Category.REFUND: "refund",
        Category.PARTIAL_CAPTURE: "refund",
        Category.CHARGE_FAILURE: "refund",
        Category.REFUND_FAILURE: "refund",
        Category.DISPUTE: "dispute",
        Category.DISPUTE_REVERSAL: "dispute",
    }.get(Category(movement.category))
    if told and (movement.source or "").startswith(("ch_", "py_")):
        return movement.source
    if told:
        return {"id": movement.source, "object": told, "charge": movement.charge}
    return movement.source
