"""Transfers between funds from the operator's side: asked for by one signature, booked by another."""

from typing import Any

from api.client import contents, sealing, shelves
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.identities.shelves import Reason
from ledger.money import Money
from ledger.treasury import transfers

VAULT = "money"


def request(
    desk: Desk,
    *,
    giver: str,
    taker: str,
    account: str,
    amount: Money,
    consent: str | None = None,
    evidence: str | None = None,
) -> dict[str, Any]:
    """Asks for `amount` of the fund `giver` on a bank leaf to become the fund `taker`'s: the first signature.

    `consent` is the gift to a restricted fund whose giver agreed, `evidence` the words in which they did: those are
    sealed to the vault of money before they leave this device.
    """
    alias = draw(Kind.TRANSFER)
    sealed = _seal(desk, alias, evidence) if evidence else {}
    committed = [box["commitment"]] if (box := sealed.get("evidence")) else []
    commitment = transfers.commitment(giver=giver, taker=taker, account=account, consent=consent)
    body = {
        "alias": alias,
        "giver": giver,
        "taker": taker,
        "account": account,
        "amount": {"amount": amount.decimal(), "currency": amount.currency},
        "consent": consent,
        "agreed": desk.agree(
            "request_transfer", alias, version=1, amount=amount, payee_commitment=commitment, evidence=committed
        ),
    }
    body |= sealed
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
    committed = [transfer["consent_commitment"]] if transfer["consent_commitment"] else []
    agreed = desk.agree(
        "approve_transfer", alias, version=version, amount=amount, payee_commitment=commitment, evidence=committed
    )
    body = {"verb": "approve_transfer", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def read_consent(desk: Desk, transfer: dict[str, Any]) -> str:
    """The words in which the giver agreed, opened on this device; that they were fetched is logged.

    Raises:
        EvidenceDiffers: the transfer rests on no consent, or what is sealed is not what its acts restate.
        CannotOpen, WrongCommitment, BadSignature: the box is another one.
    """
    alias = transfer["alias"]
    opened = desk.api.get(f"/v1/boxes/{alias}", reason=Reason.APPROVAL) if transfer["consent_commitment"] else {}
    for box in opened.get("boxes", ()):
        _, seed = shelves.open_shelf(desk, opened, alias=alias)
        if box["commitment"] != transfer["consent_commitment"]:
            break
        place: dict[str, Any] = {"kind": "transfer", "alias": alias, "field": "consent"}
        return contents.read(contents.Consent, sealing.open_committed(seed, box, **place)).consent
    raise EvidenceDiffers("no sealed consent is what the transfer rests on", transfer=alias, field="consent")


def _seal(desk: Desk, alias: str, evidence: str) -> dict[str, Any]:
    """A shelf of the transfer's own, and the consent in a box on it."""
    shelf = desk.draw_shelf(VAULT, alias=alias)
    box = shelves.seal_json(shelf.public, {"consent": evidence}, kind="transfer", alias=alias, field="consent")
    return {"shelf": shelves.shelf_on_wire(shelf), "evidence": box}
