"""Quashed rulings from the operator's side: signed with the case's evidence opened; refunds with their references."""

from typing import Any

from api.client import case_evidence
from api.client.desk import Desk
from ledger.money import Money


def quash(desk: Desk, alias: str) -> dict[str, Any]:
    """Signs that the ruling of a case was quashed; the answer tells where its obligations stand now.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    evidence = case_evidence.check_evidence(desk, case, reason="verification")
    (ruling,) = case["rulings"]
    agreed = desk.agree(
        "quash_ruling",
        ruling["alias"],
        version=case["version"],
        amount=Money.parse(case["owed"]["amount"], case["owed"]["currency"]),
        evidence=evidence.commitments,
    )
    path = f"/v1/rulings/{ruling['alias']}/quash"
    answer: dict[str, Any] = desk.api.post(path, {"agreed": agreed}, key=f"quash:{ruling['alias']}")
    return answer


def refunds(desk: Desk) -> list[dict[str, Any]]:
    """What authorities owe back or have paid back, each with the reference that their payment is to carry."""
    found: list[dict[str, Any]] = desk.api.get("/v1/refunds")["refunds"]
    return found
