"""Payments from the operator's side: asked for with a sealed payee, approved after opening, released."""

from collections.abc import Iterator
from typing import Any

from api.client import amounts, case_evidence, cases, shelves
from api.client.case_evidence import Evidence, EvidenceDiffers
from api.client.desk import Desk
from ledger.aid import obligations
from ledger.aliases import Kind, draw
from ledger.approvals import Verb

FUND_OF = {"fine": "fines", "detention": "detention", "court_fee": "general", "bail": "general"}
"""Which default fund pays which kind."""


def request(
    desk: Desk,
    alias: str,
    *,
    account: str,
    to: str = "authority",
    amount: str | None = None,
    obligation: str | None = None,
) -> dict[str, Any]:
    """Asks for an obligation of a verified case, by its alias unless it is the only one, to be paid from `account`.

    `amount` is a part of it, in its currency; all that is left unless told.
    `to` is `authority`, or `beneficiary` where they have paid it themselves and are reimbursed.

    Raises:
        WhichObligation: the case owes several sums.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    owed = cases.chosen(case, obligation)
    opened = case_evidence.open_case(desk, case, reason="payment")
    disbursement = draw(Kind.DISBURSEMENT)
    body = {
        "alias": disbursement,
        "obligation": owed["alias"],
        "payee": to,
        "payee_box": shelves.seal_json(
            opened.shelf_public, payee_of(opened, to), kind="disbursement", alias=disbursement, field="payee"
        ),
        "fund": FUND_OF[owed["kind"]],
        "account": account,
        "amount": None if amount is None else {"amount": amount, "currency": owed["amount"]["currency"]},
    }
    # By its own alias: what failed or came back is asked for again, and the server refuses what stands already.
    answer: dict[str, Any] = desk.api.post("/v1/disbursements", body, key=f"request:{disbursement}")
    return answer


def owed(desk: Desk, alias: str) -> list[str]:
    """The obligations of a case of which something may be paid, by their aliases."""
    case = desk.api.get(f"/v1/cases/{alias}")
    return [one["alias"] for one in case["obligations"] if one["state"] in obligations.OPEN]


def payee_of(evidence: Evidence, to: str) -> dict[str, Any]:
    """What is sealed of a payee: the authority by its court, the beneficiary by name, either with the account."""
    who = {"court": evidence.ruling["court"]} if to == "authority" else {"name": evidence.identity["name"]}
    return {"to": to, "account": evidence.identity["payee_account"], **who}


def listed(desk: Desk, *, state: str, but_filed: bool = False) -> Iterator[dict[str, Any]]:
    """All disbursements in a state, page by page; without those that stand in a payment file, if told."""
    cursor: str | None = None
    while True:
        page = desk.api.get("/v1/disbursements", state=state, cursor=cursor)
        yield from (one for one in page["disbursements"] if not (but_filed and one["alias"] in page["filed"]))
        cursor = page["next"]
        if cursor is None:
            return


def approve(desk: Desk, disbursement: dict[str, Any]) -> dict[str, Any]:
    """Opens the evidence, holds it against the books, and gives the second signature.

    Raises:
        EvidenceDiffers: boxes and books, or payee and evidence, disagree; nothing is signed.
    """
    case = desk.api.get(f"/v1/cases/{disbursement['case']}")
    evidence = case_evidence.check_evidence(desk, case, reason="approval")
    alias, version = disbursement["alias"], disbursement["version"]
    agreed_payee = evidence.payee_commitments.get(alias) == disbursement["payee_commitment"]
    if not agreed_payee or evidence.payees.get(alias) != payee_of(evidence, disbursement["payee"]):
        raise EvidenceDiffers("the payee is not the one of the case", case=case["alias"], field="payee")
    owed = [amounts.read(one["amount"]) for one in case["obligations"] if one["alias"] == disbursement["obligation"]]
    asked = amounts.read(disbursement["amount"])
    if not owed or asked.currency != owed[0].currency or not asked <= owed[0]:
        raise EvidenceDiffers("the payment is not what the case owes", case=case["alias"], field="amount")
    payee = disbursement["payee"]
    agreed = _agree(desk, "approve_disbursement", disbursement, evidence.commitments, detail=payee)
    body = {"verb": "approve_disbursement", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def release(desk: Desk, disbursement: dict[str, Any]) -> dict[str, Any]:
    """Releases an approved disbursement; the answer's reference is all that the bank is told."""
    case = desk.api.get(f"/v1/cases/{disbursement['case']}")
    alias, version = disbursement["alias"], disbursement["version"]
    agreed = _agree(desk, "release_disbursement", disbursement, case["evidence_commitments"])
    answer: dict[str, Any] = desk.api.post(
        f"/v1/disbursements/{alias}/release", {"agreed": agreed}, key=f"release:{alias}:{version}"
    )
    return answer


def cancel(desk: Desk, disbursement: dict[str, Any]) -> dict[str, Any]:
    """Withdraws a disbursement that was not released: its obligation may be asked for again."""
    alias, version = disbursement["alias"], disbursement["version"]
    answer: dict[str, Any] = desk.api.post(f"/v1/disbursements/{alias}/cancel", {}, key=f"cancel:{alias}:{version}")
    return answer


def _agree(
    desk: Desk, verb: Verb, disbursement: dict[str, Any], evidence: list[str], *, detail: str | None = None
) -> dict[str, Any]:
    return desk.agree(
        verb,
        disbursement["alias"],
        version=disbursement["version"],
        detail=detail,
        amount=amounts.read(disbursement["amount"]),
        payee_commitment=disbursement["payee_commitment"],
        evidence=evidence,
    )
