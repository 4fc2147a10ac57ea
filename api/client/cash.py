"""Cash from the operators' side: counted by one, witnessed by another, taken to the bank; and gifts in kind."""

from datetime import date
from typing import Any

from api.client import amounts
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.giving import cash, cash_deposits
from ledger.money import Money


def count(desk: Desk, *, account: str, purpose: str, amount: Money, on: date) -> dict[str, Any]:
    """Notes what was counted: the first of two signatures."""
    alias = draw(Kind.DONATION)
    commitment = cash.commitment(account=account, purpose=purpose, on=on)
    body = {
        "alias": alias,
        "account": account,
        "purpose": purpose,
        "amount": amounts.on_wire(amount),
        "counted_on": on.isoformat(),
        "agreed": desk.agree("count_cash", alias, version=1, amount=amount, payee_commitment=commitment),
    }
    answer: dict[str, Any] = desk.api.post("/v1/cash-counts", body, key=f"count:{alias}")
    return answer


def counts(desk: Desk, *, state: str | None = None) -> list[dict[str, Any]]:
    """Counts of cash, in one state unless None."""
    found = desk.api.get("/v1/cash-counts")["cash_counts"]
    return [one for one in found if state in {None, one["state"]}]


def witness(desk: Desk, alias: str, *, amount: Money) -> dict[str, Any]:
    """Signs that this operator has counted `amount` too, at the same place for the same purpose.

    Raises:
        UnknownCount: the API shows none. EvidenceDiffers: the other counted something else; nothing is signed.
    """
    found = next((one for one in counts(desk) if one["alias"] == alias), None)
    if found is None:
        raise cash.UnknownCount("no count of cash has this alias")
    on = date.fromisoformat(found["counted_on"])
    commitment = cash.commitment(account=found["account"], purpose=found["purpose"], on=on)
    if commitment != found["commitment"] or amount != amounts.read(found["amount"]):
        raise EvidenceDiffers("the other has counted something else", donation=alias, field="amount")
    agreed = desk.agree("witness_cash", alias, version=1, amount=amount, payee_commitment=commitment)
    answer: dict[str, Any] = desk.api.post(f"/v1/cash-counts/{alias}/witness", {"agreed": agreed}, key=f"see:{alias}")
    return answer


def withdraw_count(desk: Desk, alias: str) -> dict[str, Any]:
    """Gives up a count that nobody has witnessed."""
    answer: dict[str, Any] = desk.api.post(f"/v1/cash-counts/{alias}/withdraw", {}, key=f"withdraw:{alias}")
    return answer


def take_to_bank(desk: Desk, *, source: str, target: str, amount: Money) -> dict[str, Any]:
    """Takes cash to a bank leaf; the answer's reference is what to write on the bank's slip."""
    alias = draw(Kind.CASH_DEPOSIT)
    commitment = cash_deposits.commitment(source=source, target=target)
    body = {
        "alias": alias,
        "source": source,
        "target": target,
        "amount": amounts.on_wire(amount),
        "agreed": desk.agree("bank_cash", alias, version=1, amount=amount, payee_commitment=commitment),
    }
    answer: dict[str, Any] = desk.api.post("/v1/cash-deposits", body, key=f"deposit:{alias}")
    return answer


def deposits(desk: Desk) -> list[dict[str, Any]]:
    """Cash that was taken to the bank."""
    found: list[dict[str, Any]] = desk.api.get("/v1/cash-deposits")["cash_deposits"]
    return found


def bring_back(desk: Desk, alias: str) -> dict[str, Any]:
    """Brings cash back that the bank has not shown."""
    answer: dict[str, Any] = desk.api.post(f"/v1/cash-deposits/{alias}/cancel", {}, key=f"cancel:{alias}")
    return answer
