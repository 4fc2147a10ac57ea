"""Bail from the operator's side: what courts hold, hearings, and what becomes of it, signed with the case opened."""

from datetime import date
from typing import Any

from api.client import amounts, case_evidence, cases
from api.client.case_evidence import Evidence, EvidenceDiffers
from api.client.desk import Desk
from ledger.aid import bail_acts, eligibility, jurisdictions
from ledger.aid.bail import NotPosted
from ledger.approvals import Verb
from ledger.money import Money


def listed(desk: Desk) -> list[dict[str, Any]]:
    """What courts hold of posted bail, the oldest first; returns that were announced, with their references."""
    found: list[dict[str, Any]] = desk.api.get("/v1/bail")["bail"]
    return found


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One bail that a court holds.

    Raises:
        NotPosted: the API shows none.
    """
    for one in listed(desk):
        if one["obligation"] == alias:
            return one
    raise NotPosted("no court holds such bail", obligation=alias)


def note_hearing(desk: Desk, alias: str, *, on: date) -> dict[str, Any]:
    """Notes a hearing: told to the server at the grain of the case's pack, which is all it is to know."""
    case = desk.api.get(f"/v1/cases/{find(desk, alias)['case']}")
    held_by = eligibility.end_of_grain(jurisdictions.load(case["jurisdiction"]), on).isoformat()
    answer: dict[str, Any] = desk.api.post(
        f"/v1/bail/{alias}/hearings", {"on": held_by}, key=f"hearing:{alias}:{held_by}"
    )
    return answer


def announce_return(desk: Desk, alias: str, *, amount: str, fee: str = "0") -> dict[str, Any]:
    """Announces that `amount` comes back less the court's `fee`; the answer has the reference for the court."""
    posted = find(desk, alias)
    currency = posted["outstanding"]["currency"]
    body = {name: amounts.on_wire(Money.parse(told, currency)) for name, told in (("amount", amount), ("fee", fee))}
    key = f"bail-return:{alias}:{posted['version']}"
    answer: dict[str, Any] = desk.api.post(f"/v1/bail/{alias}/returns", body, key=key)
    return answer


def withdraw_return(desk: Desk, alias: str, reference: str) -> dict[str, Any]:
    """Takes an announcement back: the court sends nothing so."""
    key = f"withdraw-bail-return:{reference}"
    answer: dict[str, Any] = desk.api.post(f"/v1/bail/{alias}/withdraw-return", {"reference": reference}, key=key)
    return answer


def apply(
    desk: Desk, alias: str, *, to: str, amount: str | None = None, obligation: str | None = None
) -> dict[str, Any]:
    """Opens both cases and signs that the court counts bail as the payment of what the case `to` owes.

    `amount` is a part of it, all that is not paid unless told; `obligation` tells which one of several sums.

    Raises:
        EvidenceDiffers: the boxes and the books disagree, or the cases are of two people; nothing is signed.
        WhichObligation: see there.
    """
    fined = desk.api.get(f"/v1/cases/{to}")
    owing = case_evidence.check_evidence(desk, fined, reason="approval")
    fine = cases.chosen(fined, obligation)
    currency = fine["amount"]["currency"]
    owed, paid = (Money.parse(fine[name]["amount"], currency) for name in ("amount", "paid"))
    counted = owed - paid if amount is None else Money.parse(amount, currency)
    return _keep(
        desk,
        "apply_bail",
        alias,
        amount=counted,
        payee_commitment=bail_acts.commitment(fine["alias"]),
        told={"fine": fine["alias"], "amount": amounts.on_wire(counted)},
        of=owing,
    )


def forfeit(desk: Desk, alias: str, *, amount: str) -> dict[str, Any]:
    """Opens the case and signs that the court keeps a part of the bail for good, or all of it.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed.
    """
    money = Money.parse(amount, find(desk, alias)["outstanding"]["currency"])
    return _keep(
        desk, "forfeit_bail", alias, amount=money, payee_commitment=None, told={"amount": amounts.on_wire(money)}
    )


def _keep(
    desk: Desk,
    verb: Verb,
    alias: str,
    *,
    amount: Money,
    payee_commitment: str | None,
    told: dict[str, Any],
    of: Evidence | None = None,
) -> dict[str, Any]:
    posted = find(desk, alias)
    case = desk.api.get(f"/v1/cases/{posted['case']}")
    evidence = case_evidence.check_evidence(desk, case, reason="approval")
    if of is not None and of.identity["name"] != evidence.identity["name"]:
        raise EvidenceDiffers("bail pays what the same person owes", case=case["alias"], field="name")
    agreed = desk.agree(
        verb,
        alias,
        version=posted["version"],
        amount=amount,
        payee_commitment=payee_commitment,
        evidence=evidence.commitments,
    )
    path, key = f"/v1/bail/{alias}/{verb.removesuffix('_bail')}", f"{verb}:{alias}:{posted['version']}"
    answer: dict[str, Any] = desk.api.post(path, {"agreed": agreed, **told}, key=key)
    return answer
