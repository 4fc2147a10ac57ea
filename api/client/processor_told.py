"""What the treasurer tells about the card processor: what moved, what a line of the bank is, a dispute that is lost."""

from typing import Any

from api.client.desk import Desk
from ledger.giving.explanations import What
from ledger.money import Money


def explain(
    desk: Desk,
    balance_transaction: str,
    *,
    amount: Money,
    what: What,
    gift: str | None = None,
    counted: Money | None = None,
) -> dict[str, Any]:
    """Says what a movement that waits was; it is booked so."""
    body = {"amount": _amount(amount), "what": what, "gift": gift, "counted": _amount(counted) if counted else None}
    path = f"/v1/movements/{balance_transaction}/explain"
    answer: dict[str, Any] = desk.api.post(path, body, key=f"explain:{balance_transaction}:{amount.minor}")
    return answer


def lose_dispute(desk: Desk, alias: str, *, on: str) -> dict[str, Any]:
    """Says that a dispute is decided for the giver."""
    answer: dict[str, Any] = desk.api.post(f"/v1/disputes/{alias}/lose", {"on": on}, key=f"lose:{alias}")
    return answer


def answer_with_payout(desk: Desk, payout: str, *, exception: str) -> dict[str, Any]:
    """Says that a line of the bank is this payout."""
    return _answer(desk, f"/v1/payouts/{payout}/answer", exception=exception)


def answer_with_refund(desk: Desk, order: str, *, exception: str) -> dict[str, Any]:
    """Says that a line of the bank is the payment of this refund by bank."""
    return _answer(desk, f"/v1/refund-orders/{order}/answer", exception=exception)


def _answer(desk: Desk, path: str, *, exception: str) -> dict[str, Any]:
    answer: dict[str, Any] = desk.api.post(path, {"exception": exception}, key=f"answer:{exception}:{path[-30:]}")
    return answer


def _amount(money: Money) -> dict[str, str]:
    return {"amount": money.decimal(), "currency": money.currency}
