"""Outlays from the operator's side: what an agent laid out of their own is asked to be repaid, and agreed to."""

from dataclasses import dataclass, field
from typing import Any

from api.client import amounts, contents, sealing, shelves
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aid import outlays
from ledger.aliases import Kind, draw
from ledger.money import Money

VAULT = "people"


@dataclass(frozen=True, slots=True)
class Payee:
    """To whom a bank is to send it: a name and an account, which only members of the vault ever see."""

    name: str = field(repr=False)
    account: str = field(repr=False)


def request(
    desk: Desk,
    agent: str,
    *,
    fund: str,
    account: str,
    amount: Money,
    settles: Money | None = None,
    payee: Payee | None = None,
) -> dict[str, Any]:
    """Asks for `amount` to leave a bank leaf; it `settles` what is owed in another currency, or else the same.

    With a `payee`, who is sealed here, it can stand in a payment file.
    """
    alias = draw(Kind.OUTLAY)
    body: dict[str, Any] = {
        "alias": alias,
        "fund": fund,
        "account": account,
        "amount": amounts.on_wire(amount),
        "settles": amounts.on_wire(settles or amount),
    }
    if payee is not None:
        shelf = desk.draw_shelf(VAULT, alias=alias)
        content = {"name": payee.name, "account": payee.account}
        body["shelf"] = shelves.shelf_on_wire(shelf)
        body["payee_box"] = shelves.seal_json(shelf.public, content, kind="repayment", alias=alias, field="payee")
    answer: dict[str, Any] = desk.api.post(f"/v1/agents/{agent}/outlays", body, key=f"outlay:{alias}")
    return answer


def listed(desk: Desk, agent: str, *, but_filed: bool = False) -> list[dict[str, Any]]:
    """The repayments to an agent; without those that stand in a payment file, if told."""
    answer = desk.api.get(f"/v1/agents/{agent}/outlays")
    return [one for one in answer["repayments"] if not (but_filed and one["alias"] in answer["filed"])]


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
        CannotOpen, WrongCommitment, WrongKey, BadSignature: the payee was altered or swapped.
    """
    alias, version = repayment["alias"], repayment["version"]
    if repayment["payee_commitment"] is not None:
        open_payee(desk, repayment, reason="approval")
    commitment = outlays.commitment(
        agent=repayment["agent"],
        fund=repayment["fund"],
        account=repayment["account"],
        settles=amounts.read(repayment["settles"]),
        payee=repayment["payee_commitment"],
    )
    if commitment != repayment["commitment"]:
        raise EvidenceDiffers("the repayment is not what the commitment is to", repayment=alias, field="commitment")
    amount = amounts.read(repayment["amount"])
    agreed = desk.agree("approve_outlay", alias, version=version, amount=amount, payee_commitment=commitment)
    body = {"verb": "approve_outlay", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def open_payee(desk: Desk, repayment: dict[str, Any], *, reason: str) -> Payee:
    """Fetches (which is logged) and opens who is paid, as the repayment's commitment has it.

    Raises:
        EvidenceDiffers: another payee is kept. CannotOpen, WrongCommitment, WrongKey, BadSignature: altered or swapped.
    """
    alias = repayment["alias"]
    kept = desk.api.get(f"/v1/boxes/{alias}", reason=reason)
    _, seed = shelves.open_shelf(desk, kept, alias=alias)
    place: dict[str, Any] = {"kind": "repayment", "alias": alias, "field": "payee", "version": 1}
    found = [box for box in kept["boxes"] if box["commitment"] == repayment["payee_commitment"]]
    if len(found) != 1:
        raise EvidenceDiffers("the payee is not the one that was asked for", repayment=alias, field="payee")
    told = contents.read(contents.Repaid, sealing.open_committed(seed, found[0], **place))
    return Payee(told.name, told.account)


def cancel(desk: Desk, repayment: dict[str, Any]) -> dict[str, Any]:
    """Gives up a repayment that the bank has not shown."""
    alias = repayment["alias"]
    path = f"/v1/agents/{repayment['agent']}/outlays/{alias}/cancel"
    answer: dict[str, Any] = desk.api.post(path, {}, key=f"cancel:{alias}")
    return answer
