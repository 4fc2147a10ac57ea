"""Transfers between funds from the operator's side: asked for by one signature, booked by another."""

from typing import Any

from api.client.cases import EvidenceDiffers
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.money import Money
from ledger.treasury import transfers


def request(
    desk: Desk, *, giver: str, taker: str, account: str, amount: Money, consent: str | None = None
) -> dict[str, Any]:
    """Asks for `amount` of the fund `giver` on a bank leaf to become the fund `taker`'s: the first signature.

    `consent` is the gift to a restricted fund whose giver agreed.
    """
    alias = draw(Kind.TRANSFER)
    commitment = transfers.commitment(giver=giver, taker=taker, account=account, consent=consent)
    body = {
        "alias": alias,
        "giver": giver,
        "taker": taker,
        "account": account,
        "amount": {"amount": amount.decimal(), "currency": amount.currency},
        "consent": consent,
        "agreed": desk.agree("request_transfer", alias, version=1, amount=amount, payee_commitment=commitment),
    }
    answer: dict[str, Any] = desk.api.post("/v1/transfers", body, key=f"transfer:{alias}")
    return answer


def listed(desk: Desk, *, state: str | None = None) -> list[dict[str, Any]]:
    """Transfers, in one state unless None."""
    found = desk.api.get("/v1/transfers")["transfers"]
    return [one for one in found if state in {None, one["state"]}]


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One transfer.

    Raises:
        UnknownTransfer: the API shows none.
    """
    for transfer in listed(desk):
        if transfer["alias"] == alias:
            return transfer
    raise transfers.UnknownTransfer("no transfer has this alias")


def approve(desk: Desk, transfer: dict[str, Any]) -> dict[str, Any]:
    """Agrees to what moves from which fund to which, and books it: the second signature.

    Raises:
        EvidenceDiffers: the API's commitment is not to what it shows; nothing is signed.
    """
    alias, version = transfer["alias"], transfer["version"]
    stated = {name: transfer[name] for name in ("giver", "taker", "account", "consent")}
    commitment = transfers.commitment(**stated)
    if commitment != transfer["commitment"]:
        raise EvidenceDiffers("the funds are not what the commitment is to", transfer=alias, field="commitment")
    amount = Money.parse(transfer["amount"]["amount"], transfer["amount"]["currency"])
    agreed = desk.agree("approve_transfer", alias, version=version, amount=amount, payee_commitment=commitment)
    body = {"verb": "approve_transfer", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer
