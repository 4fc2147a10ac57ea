"""Gifts by card that go back: what two people sign, on the ledger's own level and in the office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.client import refund_orders as client
from ledger.aliases import Kind, draw
from ledger.giving import refund_orders
from ledger.money import Money
from tests.cast import House, Person, agreed_by, eur

if TYPE_CHECKING:
    from ledger.approvals import Agreed, Verb
    from ledger.giving.donations import Donation
    from ledger.giving.refund_orders import RefundOrder
    from tests.office import Office  # whose path through all routes leads through here


def on_order(verb: Verb, alias: str, *, gift: str, of: Money, by: Person, version: int = 1, **other: Any) -> Agreed:
    """What a client signs about a gift that goes back."""
    stated: dict[str, Any] = {
        "object": alias,
        "version": version,
        "amount": of.decimal(),
        "currency": of.currency,
        "payee_commitment": refund_orders.commitment(gift),
    }
    return agreed_by(by, verb, **(stated | other))


def ask(house: House, gift: Donation, amount: Money | None = None, *, by: Person | None = None) -> RefundOrder:
    """Clara asks for 10.00 of a gift to go back."""
    alias, of = draw(Kind.REFUND_ORDER), amount or eur("10.00")
    agreed = on_order("request_refund", alias, gift=gift.alias, of=of, by=by or house.fund.clara)
    order = refund_orders.request(house.session, alias, donation=gift.alias, amount=of, agreed=agreed)
    house.session.commit()
    return order


def agree(house: House, order: RefundOrder, *, by: Person | None = None) -> RefundOrder:
    """Boris agrees."""
    agreed = on_order(
        "approve_refund",
        order.alias,
        gift=order.donation_alias,
        of=order.amount(),
        by=by or house.fund.boris,
        version=order.version,
    )
    approved = refund_orders.approve(house.session, order.alias, agreed)
    house.session.commit()
    return approved


def give_back(office: Office) -> None:
    """Every route of refund orders that writes, once."""
    anna, boris = office.desk("anna"), office.desk("boris")
    gifts = [one for one in anna.api.get("/v1/donations")["donations"] if one["source"] == "card"]
    asked = client.request(anna, donation=gifts[0]["alias"], amount=eur("1.00"))
    client.approve(boris, asked)
    client.withdraw(anna, asked["alias"])
