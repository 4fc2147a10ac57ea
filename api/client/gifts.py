"""Single gifts from the treasurer's side: those without a purpose, the decision that gives them one, histories."""

from typing import Any

from api.client.desk import Desk
from ledger.money import Money
from ledger.treasury import gift_assignments
from ledger.treasury.gift_assignments import UnknownGift


def unassigned(desk: Desk) -> list[dict[str, Any]]:
    """The gifts whose purpose nobody has said yet, oldest first."""
    found: list[dict[str, Any]] = desk.api.get("/v1/donations/unassigned")["donations"]
    return found


def assign(desk: Desk, alias: str, *, purpose: str, account: str) -> dict[str, Any]:
    """Says, signed, what a gift was given for; `account` is the leaf where its money is now.

    Raises:
        UnknownGift: it does not wait for a purpose. ApiRefusal, ApiUnreachable: see there.
    """
    waiting = next((one for one in unassigned(desk) if one["alias"] == alias), None)
    if waiting is None:
        raise UnknownGift("no gift of this alias waits for a purpose")
    given, refunded = (
        Money.parse(waiting[name]["amount"], waiting[name]["currency"]) for name in ("amount", "refunded")
    )
    agreed = desk.agree(
        "assign_gift",
        alias,
        version=1,
        amount=given - refunded,
        payee_commitment=gift_assignments.commitment(purpose=purpose, account=account),
    )
    body = {"purpose": purpose, "account": account, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post(f"/v1/donations/{alias}/assign", body, key=f"assign:{alias}:{purpose}")
    return answer


def history(desk: Desk, alias: str) -> dict[str, Any]:
    """What became of a gift."""
    answer: dict[str, Any] = desk.api.get(f"/v1/donations/{alias}/history")
    return answer
