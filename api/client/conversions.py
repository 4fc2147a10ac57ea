"""Conversions from the operator's side: asked for by fund, agreed to, released, and told from what the bank shows."""

from collections.abc import Mapping
from typing import Any

from api.client import amounts
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.money import Money
from ledger.treasury import conversions


def request(desk: Desk, *, source: str, target: str, shares: Mapping[str, Money], expected: Money) -> dict[str, Any]:
    """Asks for money on the bank leaf `source`, split by fund, to be changed into what is `expected` on `target`."""
    alias = draw(Kind.CONVERSION)
    split = [{"fund": fund, "amount": amounts.on_wire(share)} for fund, share in sorted(shares.items())]
    body = {"alias": alias, "source": source, "target": target, "shares": split, "expected": amounts.on_wire(expected)}
    answer: dict[str, Any] = desk.api.post("/v1/conversions", body, key=f"conversion:{alias}")
    return answer


def listed(desk: Desk, *, state: str | None = None) -> list[dict[str, Any]]:
    """Conversions, in one state unless None."""
    found = desk.api.get("/v1/conversions")["conversions"]
    return [one for one in found if state in {None, one["state"]}]


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One conversion.

    Raises:
        UnknownConversion: the API shows none.
    """
    for conversion in listed(desk):
        if conversion["alias"] == alias:
            return conversion
    raise conversions.UnknownConversion("no conversion has this alias")


def approve(desk: Desk, conversion: dict[str, Any]) -> dict[str, Any]:
    """Agrees to what leaves of which fund's money and what is to arrive; far from the stored rate two people do.

    Raises:
        EvidenceDiffers: the API's commitment is not to what it shows; nothing is signed.
    """
    alias, version = conversion["alias"], conversion["version"]
    agreed = _agree(desk, "approve_conversion", conversion)
    body = {"verb": "approve_conversion", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def release(desk: Desk, conversion: dict[str, Any]) -> dict[str, Any]:
    """Releases an approved conversion to the bank; the answer's reference is all that the bank is told."""
    alias, version = conversion["alias"], conversion["version"]
    body = {"agreed": _agree(desk, "release_conversion", conversion)}
    answer: dict[str, Any] = desk.api.post(f"/v1/conversions/{alias}/release", body, key=f"release:{alias}:{version}")
    return answer


def cancel(desk: Desk, alias: str) -> dict[str, Any]:
    """Gives up a conversion of which the bank has shown nothing."""
    answer: dict[str, Any] = desk.api.post(f"/v1/conversions/{alias}/cancel", {}, key=f"cancel:{alias}")
    return answer


def _agree(desk: Desk, verb: Verb, conversion: dict[str, Any]) -> dict[str, Any]:
    shares = {share["fund"]: amounts.read(share["amount"]) for share in conversion["shares"]}
    amount, expected = amounts.read(conversion["amount"]), amounts.read(conversion["expected"])
    commitment = conversions.commitment(
        source=conversion["source"], target=conversion["target"], shares=shares, expected=expected
    )
    if commitment != conversion["commitment"] or sum(share.minor for share in shares.values()) != amount.minor:
        raise EvidenceDiffers(
            "the shares are not what the commitment is to", conversion=conversion["alias"], field="shares"
        )
    return desk.agree(
        verb, conversion["alias"], version=conversion["version"], amount=amount, payee_commitment=commitment
    )
