"""Orders that the bank never carried out, from the operator's side: told and signed by one, agreed to by another."""

from typing import Any

from api.client import amounts
from api.client.desk import Desk
from ledger.aid.order_failures import NoOrderFailure, Reason
from ledger.approvals import Verb


def tell(desk: Desk, alias: str, *, because: Reason) -> dict[str, Any]:
    """Tells and signs that a payment, an advance or a repayment was never carried out: the first signature."""
    order = desk.api.get(f"/v1/order-failures/{alias}")
    agreed = _sign(desk, "tell_unexecuted", order, because)
    body = {"order": alias, "because": because.value, "agreed": agreed}
    key = f"unexecuted:{agreed['act']['nonce']}"
    answer: dict[str, Any] = desk.api.post("/v1/order-failures", body, key=key)
    return answer


def listed(desk: Desk) -> list[dict[str, Any]]:
    """What was told of each order last, oldest first."""
    found: list[dict[str, Any]] = desk.api.get("/v1/order-failures")["failures"]
    return found


def waiting(desk: Desk, alias: str) -> dict[str, Any]:
    """What was told of an order, and waits for a second person.

    Raises:
        NoOrderFailure: the API shows none.
    """
    for one in listed(desk):
        if one["order"] == alias and one["agreed_by"] is None:
            return one
    raise NoOrderFailure("nobody told that this order was not carried out", order=alias)


def agree(desk: Desk, told: dict[str, Any]) -> dict[str, Any]:
    """Agrees that it was never carried out: the second signature, by which the order has failed."""
    alias, version = told["order"], told["version"]
    agreed = _sign(desk, "agree_unexecuted", told, Reason(told["because"]))
    body = {"verb": "agree_unexecuted", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"unexecuted:{alias}:{version}")
    return answer


def _sign(desk: Desk, verb: Verb, order: dict[str, Any], because: Reason) -> dict[str, Any]:
    agreed: dict[str, Any] = desk.agree(
        verb,
        order["order"],
        version=order["version"],
        detail=because,
        amount=amounts.read(order["amount"]),
        payee_commitment=order["commitment"],
    )
    return agreed
