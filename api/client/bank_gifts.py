"""Gifts by bank from the operators' side: matched, conditional, claimed, a payout after all, or sent back."""

from typing import Any

from api.client import amounts
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.giving import conditional, early_payouts, gift_returns, unidentified
from ledger.giving.purpose_versions import UnknownPurpose
from ledger.money import Money


def steps_of(desk: Desk, alias: str) -> dict[str, Any]:
    """What became of a gift, and what an act about it restates."""
    found: dict[str, Any] = desk.api.get(f"/v1/donations/{alias}/steps")
    return found


def unclaimed(desk: Desk) -> list[dict[str, Any]]:
    """The unidentified gifts for whose givers nobody waits any longer."""
    found: list[dict[str, Any]] = desk.api.get("/v1/donations/unclaimed")["donations"]
    return found


def match(desk: Desk, alias: str, *, purpose: str, on_condition: bool = False) -> dict[str, Any]:
    """Says what is left of an unidentified gift is for, or with `on_condition` that it may go back.

    It is for the fund that the purpose's text named on the day on which the gift came.

    Raises:
        UnknownPurpose: the API shows no such purpose.
    """
    seen = steps_of(desk, alias)
    told = desk.api.get("/v1/purposes", on=seen["donation"]["received_on"])["purposes"]
    funds = {one["code"]: one["fund"] for one in told}
    if purpose not in funds:
        raise UnknownPurpose("no purpose has this code")
    agreed = desk.agree(
        "condition_gift" if on_condition else "match_gift",
        alias,
        version=seen["version"],
        amount=amounts.read(seen["unidentified"]),
        payee_commitment=unidentified.commitment(donation=alias, fund=funds[purpose], purpose=purpose),
    )
    body = {"purpose": purpose, "conditional": on_condition, "agreed": agreed}
    return _post(desk, alias, "match", body, seen)


def claim(desk: Desk, alias: str) -> dict[str, Any]:
    """Takes what is left of an unidentified gift whose giver did not say in time what it is for."""
    seen = steps_of(desk, alias)
    fund = seen["donation"]["fund"] if seen["donation"]["purpose"] else "general"
    agreed = desk.agree(
        "claim_gift",
        alias,
        version=seen["version"],
        amount=amounts.read(seen["unidentified"]),
        payee_commitment=unidentified.commitment(donation=alias, fund=fund, purpose=None),
    )
    return _post(desk, alias, "claim", {"agreed": agreed}, seen)


def meet(desk: Desk, alias: str, amount: Money | None = None) -> dict[str, Any]:
    """Says that the condition of `amount` of a gift is met, of all that is left when None: an approver's signature."""
    seen = steps_of(desk, alias)
    part = amount or amounts.read(seen["conditional"])
    agreed = desk.agree(
        "meet_condition",
        alias,
        version=seen["version"],
        amount=part,
        payee_commitment=conditional.commitment(donation=alias, fund=seen["donation"]["fund"]),
    )
    return _post(desk, alias, "meet", {"amount": amounts.on_wire(part), "agreed": agreed}, seen)


def tell_payout(desk: Desk, alias: str, *, payout: str) -> dict[str, Any]:
    """Says that an unidentified gift was a payout that the bank showed before the processor told of it."""
    seen = steps_of(desk, alias)
    agreed = desk.agree(
        "tell_payout",
        alias,
        version=seen["version"],
        amount=amounts.read(seen["donation"]["amount"]),
        payee_commitment=early_payouts.commitment(donation=alias, payout=payout),
    )
    return _post(desk, alias, "payout", {"payout": payout, "agreed": agreed}, seen)


def request_return(desk: Desk, *, donation: str, account: str, amount: Money) -> dict[str, Any]:
    """Asks for `amount` of a gift to go back from a bank leaf: the first signature."""
    alias = draw(Kind.GIFT_RETURN)
    owed = steps_of(desk, donation)["owed"] or ""
    commitment = gift_returns.commitment(donation=donation, account=account, owed=owed)
    body = {
        "alias": alias,
        "donation": donation,
        "account": account,
        "amount": amounts.on_wire(amount),
        "agreed": desk.agree("request_gift_return", alias, version=1, amount=amount, payee_commitment=commitment),
    }
    answer: dict[str, Any] = desk.api.post("/v1/gift-returns", body, key=f"gift-return:{alias}")
    return answer


def returns(desk: Desk, *, state: str | None = None) -> list[dict[str, Any]]:
    """What goes or went back, in one state unless None."""
    found = desk.api.get("/v1/gift-returns")["gift_returns"]
    return [one for one in found if state in {None, one["state"]}]


def find_return(desk: Desk, alias: str) -> dict[str, Any]:
    """One of them.

    Raises:
        UnknownGiftReturn: the API shows none.
    """
    for one in returns(desk):
        if one["alias"] == alias:
            return one
    raise gift_returns.UnknownGiftReturn("nothing that goes back has this alias")


def approve_return(desk: Desk, order: dict[str, Any]) -> dict[str, Any]:
    """Releases to the bank what goes back of which gift: the second signature.

    Raises:
        EvidenceDiffers: the API's commitment is not to what it shows; nothing is signed.
    """
    alias, version = order["alias"], order["version"]
    commitment = gift_returns.commitment(donation=order["donation"], account=order["account"], owed=order["owed"])
    if commitment != order["commitment"]:
        raise EvidenceDiffers("the gift is not what the commitment is to", gift_return=alias, field="commitment")
    amount = amounts.read(order["amount"])
    agreed = desk.agree("approve_gift_return", alias, version=version, amount=amount, payee_commitment=commitment)
    body = {"verb": "approve_gift_return", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def cancel_return(desk: Desk, alias: str) -> dict[str, Any]:
    """Gives up what the bank has not shown."""
    answer: dict[str, Any] = desk.api.post(f"/v1/gift-returns/{alias}/cancel", {}, key=f"cancel:{alias}")
    return answer


def _post(desk: Desk, alias: str, what: str, body: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = desk.api.post(
        f"/v1/donations/{alias}/{what}", body, key=f"{what}:{alias}:{seen['version']}"
    )
    return answer
