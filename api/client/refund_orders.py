"""Refund orders from the operator's side: asked for by one signature, agreed to by another, or withdrawn."""

from typing import Any

from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.giving import refund_orders
from ledger.money import Money


def request(desk: Desk, *, donation: str, amount: Money, account: str | None = None) -> dict[str, Any]:
    """Asks for `amount` of a gift by card to go back: the first signature.

    From the bank leaf `account`, if it is told, goes what could not go back by card.
    """
    alias = draw(Kind.REFUND_ORDER)
    commitment = refund_orders.commitment(donation, by_bank=account is not None, account=account)
    body = {
        "alias": alias,
        "donation": donation,
        "amount": {"amount": amount.decimal(), "currency": amount.currency},
        "agreed": desk.agree("request_refund", alias, version=1, amount=amount, payee_commitment=commitment),
        "account": account,
    }
    answer: dict[str, Any] = desk.api.post("/v1/refund-orders", body, key=f"refund:{alias}")
    return answer


def listed(desk: Desk, *, state: str | None = None) -> list[dict[str, Any]]:
    """Refund orders, in one state unless None."""
    found = desk.api.get("/v1/refund-orders")["refund_orders"]
    return [one for one in found if state in {None, one["state"]}]


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One order.

    Raises:
        UnknownRefundOrder: the API shows none.
    """
    for order in listed(desk):
        if order["alias"] == alias:
            return order
    raise refund_orders.UnknownRefundOrder("no refund order has this alias")


def approve(desk: Desk, order: dict[str, Any]) -> dict[str, Any]:
    """Agrees to what of which gift goes back: the second signature.

    Raises:
        EvidenceDiffers: the API's commitment is not to what it shows; nothing is signed.
    """
    alias, version = order["alias"], order["version"]
    commitment = refund_orders.commitment(order["donation"], by_bank=order["by_bank"], account=order["account"])
    if commitment != order["commitment"]:
        raise EvidenceDiffers("the gift is not what the commitment is to", refund_order=alias, field="commitment")
    amount = Money.parse(order["amount"]["amount"], order["amount"]["currency"])
    agreed = desk.agree("approve_refund", alias, version=version, amount=amount, payee_commitment=commitment)
    body = {"verb": "approve_refund", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def withdraw(desk: Desk, alias: str) -> dict[str, Any]:
    """Gives up an order that was not sent."""
    answer: dict[str, Any] = desk.api.post(f"/v1/refund-orders/{alias}/withdraw", {}, key=f"withdraw:{alias}")
    return answer
