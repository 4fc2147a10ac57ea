"""Agents' purses from the operator's side: what moved in them, what two people decide, and lines that have failed."""

from datetime import date
from typing import Any

from api.client import advances, amounts
from api.client.case_evidence import EvidenceDiffers
from api.client.desk import Desk
from ledger.aid import line_failures, purse_movements
from ledger.aid.line_failures import Reason
from ledger.aid.purse_movements import NewMovement, What
from ledger.aliases import Kind, draw
from ledger.money import Money
from ledger.reconciliation import confirmations

_TOLD = ("agent", "what", "taker", "advance", "loss", "fund", "happened_on")


def seize(
    desk: Desk, agent: str, *, on: date, amount: Money | None = None, advance: str | None = None, what: str = "seized"
) -> dict[str, Any]:
    """Tells and signs what was seized or lost: so much of the purse, or an advance on its way, whole.

    A seizure freezes the agent: one signature suffices.

    Raises:
        UnknownAdvance: the API shows none.
    """
    alias = draw(Kind.PURSE_MOVEMENT)
    new = NewMovement(alias=alias, agent=agent, what=What(what), amount=amount, happened_on=on, advance=advance)
    whole = amounts.read(advances.find(desk, advance)["amount"]) if advance is not None else None
    body = {"amount": _wire(amount), "advance": advance}
    return _tell(desk, f"/v1/agents/{agent}/seizure", new, body, amount=amount or whole)


def move(desk: Desk, agent: str, *, what: str, amount: Money, on: date, **more: Any) -> dict[str, Any]:
    """Tells and signs what else moved, or is to move: `more` is bought (money), taker, loss or fund, as it needs."""
    alias = draw(Kind.PURSE_MOVEMENT)
    new = NewMovement(alias=alias, agent=agent, what=What(what), amount=amount, happened_on=on, **more)
    body = {"amount": _wire(amount), **more, "bought": _wire(new.bought)}
    return _tell(desk, f"/v1/agents/{agent}/movements", new, body, amount=amount)


def listed(desk: Desk, agent: str) -> list[dict[str, Any]]:
    """What moved in an agent's purse, oldest first."""
    found: list[dict[str, Any]] = desk.api.get(f"/v1/agents/{agent}/movements")["movements"]
    return found


def find(desk: Desk, agent: str, alias: str) -> dict[str, Any]:
    """One movement of an agent's purse.

    Raises:
        UnknownMovement: the API shows none.
    """
    for movement in listed(desk, agent):
        if movement["alias"] == alias:
            return movement
    raise purse_movements.UnknownMovement("no movement of this purse has this alias")


def approve(desk: Desk, movement: dict[str, Any]) -> dict[str, Any]:
    """Agrees to a movement: the second signature.

    Raises:
        EvidenceDiffers: the API's commitment is not to what it shows; nothing is signed.
    """
    bought = movement["bought"]
    told = {name: movement[name] for name in _TOLD}
    told["bought"] = f"{bought['amount']} {bought['currency']}" if bought else None
    commitment = purse_movements.commitment(told)
    alias, version = movement["alias"], movement["version"]
    if commitment != movement["commitment"]:
        raise EvidenceDiffers("the movement is not what the commitment is to", movement=alias, field="commitment")
    amount = amounts.read(movement["amount"])
    agreed = desk.agree("approve_purse_movement", alias, version=version, amount=amount, payee_commitment=commitment)
    body = {"verb": "approve_purse_movement", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{version}")
    return answer


def withdraw(desk: Desk, movement: dict[str, Any]) -> dict[str, Any]:
    """Takes back what waits for a second person."""
    alias = movement["alias"]
    path = f"/v1/agents/{movement['agent']}/movements/{alias}/withdraw"
    answer: dict[str, Any] = desk.api.post(path, {}, key=f"withdraw:{alias}")
    return answer


def tell_failure(desk: Desk, batch: str, *, code: str, because: Reason) -> dict[str, Any]:
    """Tells that a paid line without a receipt that holds has failed."""
    body = {"code": code, "because": because.value}
    key = f"failure:{batch}:{code}:{because.value}"
    answer: dict[str, Any] = desk.api.post(f"/v1/batches/{batch}/failures", body, key=key)
    return answer


def failures(desk: Desk, batch: str) -> list[dict[str, Any]]:
    """What was told of a batch's lines."""
    found: list[dict[str, Any]] = desk.api.get(f"/v1/batches/{batch}/failures")["failures"]
    return found


def agree_failure(desk: Desk, failure: dict[str, Any]) -> dict[str, Any]:
    """Agrees that a line has failed: the second signature."""
    alias = failure["disbursement"]
    paid = _disbursement(desk, alias)
    agreed = desk.agree(
        "agree_failure",
        alias,
        version=paid["version"],
        amount=amounts.read(paid["amount"]),
        payee_commitment=line_failures.commitment(Reason(failure["because"])),
    )
    body = {"verb": "agree_failure", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"failed:{alias}:{paid['version']}")
    return answer


def waiting_returns(desk: Desk) -> list[dict[str, Any]]:
    """Returns that came far from the rate of the day, or after they were withdrawn."""
    found: list[dict[str, Any]] = desk.api.get("/v1/returns/waiting")["returns"]
    return found


def confirm_return(desk: Desk, waiting: dict[str, Any]) -> dict[str, Any]:
    """Agrees that what came is the return: the second signature."""
    alias = waiting["exception"]
    commitment = confirmations.commitment(advance=waiting["advance"], stands_for=amounts.read(waiting["stands_for"]))
    agreed = desk.agree(
        "confirm_return", alias, version=1, amount=amounts.read(waiting["came"]), payee_commitment=commitment
    )
    body = {"verb": "confirm_return", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"confirm:{alias}")
    return answer


def _disbursement(desk: Desk, alias: str) -> dict[str, Any]:
    cursor: str | None = None
    while True:
        page = desk.api.get("/v1/disbursements", cursor=cursor)
        for one in page["disbursements"]:
            if one["alias"] == alias:
                found: dict[str, Any] = one
                return found
        cursor = page["next"]
        if cursor is None:
            raise EvidenceDiffers("the server shows no such payment", disbursement=alias, field="disbursement")


def _tell(desk: Desk, path: str, new: NewMovement, body: dict[str, Any], *, amount: Money | None) -> dict[str, Any]:
    told = {"alias": new.alias, "what": new.what.value, "on": new.happened_on.isoformat(), **body}
    commitment = new.commitment()
    told["agreed"] = desk.agree("tell_movement", new.alias, version=1, amount=amount, payee_commitment=commitment)
    answer: dict[str, Any] = desk.api.post(path, told, key=f"movement:{new.alias}")
    return answer


def _wire(money: Money | None) -> dict[str, str] | None:
    return {"amount": money.decimal(), "currency": money.currency} if money is not None else None
