"""Outlays from the operator's side: what an agent laid out of their own is asked to be repaid, and agreed to."""

from typing import Any

from api.client.cases import EvidenceDiffers
from api.client.desk import Desk
from ledger.aid import outlays
from ledger.aliases import Kind, draw
from ledger.money import Money


def request(
    desk: Desk, agent: str, *, fund: str, account: str, amount: Money, settles: Money | None = None
) -> dict[str, Any]:
    """Asks for `amount` to leave a bank leaf; it `settles` what is owed in another currency, or else the same."""
    alias = draw(Kind.OUTLAY)
    body = {
        "alias": alias,
        "fund": fund,
        "account": account,
        "amount": _wire(amount),
        "settles": _wire(settles or amount),
    }
    answer: dict[str, Any] = desk.api.post(f"/v1/agents/{agent}/outlays", body, key=f"outlay:{alias}")
    return answer


def listed(desk: Desk, agent: str) -> list[dict[str, Any]]:
    """The repayments to an agent."""
    found: list[dict[str, Any]] = desk.api.get(f"/v1/agents/{agent}/outlays")["repayments"]
    return found


def find(desk: Desk, agent: str, alias: str) -> dict[str, Any]:
    """One repayment to an agent.

    Raises:
        UnknownRepayment: the API shows none.
    """
    for one in listed(desk, agent):
        if one["alias"] == alias:
            return one
    raise outlays.UnknownRepayment("no repayment has this alias")


def approve(desk: Desk, repayment: dict[str, Any]) -> dict[str, Any]:
    """Agrees to a repayment: the second signature, after which the bank may be told.

    Raises:
        EvidenceDiffers: the API's commitment is not to what it shows; nothing is signed.
    """
    alias, version = repayment["alias"], repayment["version"]
    commitment = outlays.commitment(
        agent=repayment["agent"],
        fund=repayment["fund"],
        account=repayment["account"],
        settles=_money(repayment["settles"]),
    )
    if commitment != repayment["commitment"]:
        raise EvidenceDiffers("the repayment is not what the commitment is to", repayment=alias, field="commitment")
    amount = _money(repayment["amount"])
    agreed = desk.agree("approve_outlay", alias, version=version, amount=amount, payee_commitment=commitment)
    body = {"verb": "approve_outlay", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def cancel(desk: Desk, repayment: dict[str, Any]) -> dict[str, Any]:
    """Gives up a repayment that the bank has not shown."""
    alias = repayment["alias"]
    path = f"/v1/agents/{repayment['agent']}/outlays/{alias}/cancel"
    answer: dict[str, Any] = desk.api.post(path, {}, key=f"cancel:{alias}")
    return answer


def _money(amount: dict[str, str]) -> Money:
    return Money.parse(amount["amount"], amount["currency"])


def _wire(money: Money) -> dict[str, str]:
    return {"amount": money.decimal(), "currency": money.currency}
