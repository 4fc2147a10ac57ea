"""Payment files on the treasurer's device: payees opened here, held against what was agreed to, written, and noted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from api.client import case_evidence, credit_transfers, outlays, payments, private_files, shelves
from api.client.case_evidence import Evidence, EvidenceDiffers
from api.client.credit_transfers import Debtor, Form, Order
from api.client.desk import Desk
from ledger import references
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.errors import Conflict, Tampered
from ledger.money import Money

VAULT = "money"


class NothingReleased(Conflict):
    """No payment waits for a file: none is released from this leaf, or all of them stand in one."""

    rule = "nothing_released"


@dataclass(frozen=True, slots=True)
class Collected:
    """What can be ordered. `left_out` tells by alias why the boxes of a payment do not hold: a person looks at it."""

    orders: list[Order]
    left_out: dict[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """Where a file lies, and what the server has noted of it."""

    path: Path
    noted: dict[str, Any]


def collect(desk: Desk, *, account: str, only: Sequence[str] | None = None) -> Collected:
    """The released payments from a bank leaf that stand in no file, or those with these aliases; openings are logged.

    Repayments to agents that were approved with their payee are among them.

    Raises:
        NothingReleased: see there. BadOrder: a payee that no bank could take. EvidenceDiffers: the payee of each is
            not the one that was agreed to. CannotOpen, WrongCommitment, WrongKey, BadSignature: each was altered or
            swapped.
    """
    waiting = [one for one in payments.listed(desk, state="released", but_filed=not only) if one["account"] == account]
    chosen = [one for one in waiting if not only or one["alias"] in only]
    owed = [one for one in _repayments(desk, account, but_filed=not only) if not only or one["alias"] in only]
    if not chosen and not owed:
        raise NothingReleased("no payment is released from this leaf and waits for a file", account=account)
    found = [desk.api.get(f"/v1/cases/{alias}") for alias in dict.fromkeys(one["case"] for one in chosen)]
    opened = dict(case_evidence.look_at_many(desk, found, reason="payment"))
    orders: list[Order] = []
    refused: dict[str, Tampered] = {}
    for one in (*chosen, *owed):
        try:
            orders.append(_order(one, opened[one["case"]]) if "case" in one else _order_of_repayment(desk, one))
        except Tampered as error:
            refused[one["alias"]] = error
    if not orders:
        raise next(iter(refused.values()))
    return Collected(list(credit_transfers.check(orders)), {alias: error.rule for alias, error in refused.items()})


def write(
    desk: Desk, orders: Sequence[Order], *, account: str, debtor: Debtor, on: date, form: Form, folder: Path
) -> Written:
    """Makes the file, has the server note it as what was released, and writes it for its owner alone.

    Noted first: a file that lies in the folder is one that stands. When writing fails, it is withdrawn by two people.

    Raises:
        FolderNotPrivate, BadOrder, AgainstSchema, NoSchema: nothing was noted nor written. ApiRefusal: the file is not
            what was released, or a payment stands in another one. FileStands: it is noted, and was not written.
    """
    private_files.require_private(folder)
    message_id = references.draw()
    content = credit_transfers.render(
        orders, debtor=debtor, message_id=message_id, on=on, made_at=desk.now(), form=form
    )
    alias = draw(Kind.PAYMENT_FILE)
    shelf = desk.draw_shelf(VAULT, alias=alias)
    digest = hashlib.sha256(content).hexdigest()
    total = credit_transfers.control_sum(orders)
    body = {
        "alias": alias,
        "message_id": message_id,
        "account": account,
        "references": [order.reference for order in orders],
        "control_sum": {"amount": total.decimal(), "currency": total.currency},
        "shelf": shelves.shelf_on_wire(shelf),
        "seal": shelves.seal_json(
            shelf.public, {"sha256": digest, "form": form}, kind="payment_file", alias=alias, field="seal"
        ),
    }
    noted: dict[str, Any] = desk.api.post("/v1/payment-files", body, key=f"payment-file:{alias}")
    path = folder / f"{alias}.{'csv' if form is Form.CSV else 'xml'}"
    private_files.write(path, content)
    return Written(path, noted)


def listed(desk: Desk) -> list[dict[str, Any]]:
    """All files, oldest first."""
    found: list[dict[str, Any]] = desk.api.get("/v1/payment-files")["files"]
    return found


def withdraw(desk: Desk, alias: str) -> dict[str, Any]:
    """Asks that a file counts no more: the bank never took it."""
    return _agree(desk, "request_withdrawal", alias, path="withdraw")


def agree(desk: Desk, alias: str) -> dict[str, Any]:
    """Agrees, as another person than who asked."""
    return _agree(desk, "agree_withdrawal", alias, path="agree")


def _order(disbursement: dict[str, Any], evidence: Evidence | Tampered) -> Order:
    """What the bank is told of a payment, once its payee is the one that was agreed to."""
    if isinstance(evidence, Tampered):
        raise evidence
    alias = disbursement["alias"]
    payee = evidence.payees.get(alias)
    same = evidence.payee_commitments.get(alias) == disbursement["payee_commitment"]
    if payee is None or not same or payee != payments.payee_of(evidence, disbursement["payee"]):
        raise EvidenceDiffers("the payee is not the one that was agreed to", disbursement=alias, field="payee")
    return Order(
        reference=disbursement["reference"],
        amount=Money.parse(disbursement["amount"]["amount"], disbursement["amount"]["currency"]),
        payee=payee.get("court") or payee["name"],
        account=payee["account"],
    )


def _repayments(desk: Desk, account: str, *, but_filed: bool) -> list[dict[str, Any]]:
    known = [agent["alias"] for agent in desk.api.get("/v1/agents")["agents"] if agent["state"] == "active"]
    return [
        one
        for agent in known
        for one in outlays.listed(desk, agent, but_filed=but_filed)
        if one["state"] == "approved" and one["account"] == account and one["payee_commitment"] is not None
    ]


def _order_of_repayment(desk: Desk, repayment: dict[str, Any]) -> Order:
    """What the bank is told of a repayment, once its payee is the one that was agreed to."""
    payee = outlays.open_payee(desk, repayment, reason="payment")
    amount = Money.parse(repayment["amount"]["amount"], repayment["amount"]["currency"])
    return Order(reference=repayment["reference"], amount=amount, payee=payee.name, account=payee.account)


def _agree(desk: Desk, verb: Verb, alias: str, *, path: str) -> dict[str, Any]:
    (file,) = [one for one in listed(desk) if one["alias"] == alias]
    agreed = desk.agree(
        verb,
        alias,
        version=file["version"],
        amount=Money.parse(file["control_sum"]["amount"], file["control_sum"]["currency"]),
        payee_commitment=file["commitment"],
    )
    answer: dict[str, Any] = desk.api.post(
        f"/v1/payment-files/{alias}/{path}", {"agreed": agreed}, key=f"{verb}:{alias}:{file['version']}"
    )
    return answer
