"""Advances from the operator's side: asked for by fund, agreed to, released, acknowledged, and unspent given back."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from api.client import amounts
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aid import advances
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.money import Money


def request(desk: Desk, *, agent: str, account: str, shares: Mapping[str, Money]) -> dict[str, Any]:
    """Asks for money to be sent to an agent from the bank leaf `account`, split by fund."""
    alias = draw(Kind.ADVANCE)
    split = [{"fund": fund, "amount": amounts.on_wire(share)} for fund, share in sorted(shares.items())]
    body = {"alias": alias, "agent": agent, "account": account, "shares": split}
    answer: dict[str, Any] = desk.api.post("/v1/advances", body, key=f"advance:{alias}")
    return answer


def listed(desk: Desk, *, agent: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
    """Advances, of one agent or in one state unless None."""
    found = desk.api.get("/v1/advances", agent=agent)["advances"]
    return [one for one in found if state in {None, one["state"]}]


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One advance.

    Raises:
        UnknownAdvance: the API shows none.
    """
    for advance in listed(desk):
        if advance["alias"] == alias:
            return advance
    raise advances.UnknownAdvance("no advance has this alias")


def approve(desk: Desk, advance: dict[str, Any]) -> dict[str, Any]:
    """Agrees to who gets how much of which fund's money: the second signature.

    Raises:
        EvidenceDiffers: the API's commitment is not to what it shows; nothing is signed.
    """
    alias, version = advance["alias"], advance["version"]
    body = {"verb": "approve_advance", "object": alias, "agreed": _agree(desk, "approve_advance", advance)}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def release(desk: Desk, advance: dict[str, Any]) -> dict[str, Any]:
    """Releases an approved advance to the bank; the answer's reference is all that the bank is told."""
    alias, version = advance["alias"], advance["version"]
    body = {"agreed": _agree(desk, "release_advance", advance)}
    answer: dict[str, Any] = desk.api.post(f"/v1/advances/{alias}/release", body, key=f"release:{alias}:{version}")
    return answer


def acknowledge(desk: Desk, alias: str, *, received: Money, on: date) -> dict[str, Any]:
    """Enters what the agent really received, in their own currency."""
    body = {"received": amounts.on_wire(received), "on": on.isoformat()}
    answer: dict[str, Any] = desk.api.post(f"/v1/advances/{alias}/acknowledge", body, key=f"acknowledge:{alias}")
    return answer


def give_back(desk: Desk, advance: dict[str, Any], *, stands_for: Money) -> dict[str, Any]:
    """Draws the reference under which unspent money comes back; `stands_for` is what leaves the agent's purse."""
    alias, before = advance["alias"], len(advance["returns"])
    body = {"stands_for": amounts.on_wire(stands_for)}
    answer: dict[str, Any] = desk.api.post(f"/v1/advances/{alias}/return", body, key=f"return:{alias}:{before}")
    return answer


def cancel(desk: Desk, alias: str) -> dict[str, Any]:
    """Gives up an advance of which the bank was not told."""
    answer: dict[str, Any] = desk.api.post(f"/v1/advances/{alias}/cancel", {}, key=f"cancel:{alias}")
    return answer


def withdraw_return(desk: Desk, alias: str, *, reference: str) -> dict[str, Any]:
    """Takes an announced return back."""
    body = {"reference": reference}
    path = f"/v1/advances/{alias}/withdraw-return"
    answer: dict[str, Any] = desk.api.post(path, body, key=f"withdraw-return:{reference}")
    return answer


def _agree(desk: Desk, verb: Verb, advance: dict[str, Any]) -> dict[str, Any]:
    shares = {share["fund"]: amounts.read(share["amount"]) for share in advance["shares"]}
    commitment = advances.commitment(agent=advance["agent"], account=advance["account"], shares=shares)
    amount = amounts.read(advance["amount"])
    if commitment != advance["commitment"] or sum(share.minor for share in shares.values()) != amount.minor:
        raise EvidenceDiffers("the shares are not what the commitment is to", advance=advance["alias"], field="shares")
    return desk.agree(verb, advance["alias"], version=advance["version"], amount=amount, payee_commitment=commitment)
