"""Persons from the operator's side: two cases opened side by side, and the word whether they are of one person."""

from dataclasses import dataclass
from typing import Any

from api.client import case_evidence
from api.client.desk import Desk
from ledger.aid import persons
from ledger.approvals import Verb


@dataclass(frozen=True, slots=True)
class Side:
    """One of two cases that are compared: what the books say, and who it is. In memory, on the operator's device."""

    case: dict[str, Any]
    identity: dict[str, Any]
    commitment: str


def compare(desk: Desk, alias: str, other: str) -> tuple[Side, Side]:
    """Opens two cases, which is logged, for somebody to look at both.

    Raises:
        EvidenceDiffers: the boxes and the books disagree.
    """
    return _open(desk, alias), _open(desk, other)


def aliases_of(desk: Desk, beneficiary: str) -> list[str]:
    """All aliases of the person who goes by this one, itself among them."""
    found: list[str] = desk.api.get(f"/v1/beneficiaries/{beneficiary}/person")["beneficiaries"]
    return found


def say(desk: Desk, alias: str, other: str, *, is_one: bool) -> dict[str, Any]:
    """Opens two cases and signs that their people are one, or that they are two.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed. BadPair: they are of one beneficiary.
    """
    sides = compare(desk, alias, other)
    of = persons.pair(*(side.case["beneficiary"] for side in sides))
    words = desk.api.get(f"/v1/beneficiaries/{of[0]}/person")["words"]
    number = 1 + max((one["number"] for one in words if of[1] in {one["beneficiary"], one["other"]}), default=0)
    verb: Verb = "join_beneficiaries" if is_one else "tell_apart"
    agreed = desk.agree(verb, of[0], version=number, detail=of[1], evidence=sorted(side.commitment for side in sides))
    answer: dict[str, Any] = desk.api.post(
        f"/v1/beneficiaries/{of[0]}/person",
        {"agreed": agreed, "other": of[1], "is_one": is_one},
        key=f"person:{of[0]}:{of[1]}:{number}",
    )
    return answer


def _open(desk: Desk, alias: str) -> Side:
    case = desk.api.get(f"/v1/cases/{alias}")
    evidence = case_evidence.check_evidence(desk, case, reason="verification")
    return Side(case, evidence.identity, evidence.identity_commitment)
