"""The processor's movements from the treasurer's side: sent in parts, in their order, without anything about givers."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from api import stripe_gateway
from api.client import amounts
from api.client.desk import Desk
from api.client.http import ApiRefusal
from ledger.giving.movements import Movement
from ledger.giving.unread import Told

PART = 200
"""How many movements one request carries; each request is booked as a whole or not at all."""


def send(desk: Desk, data: bytes, *, balance: bytes | None = None) -> list[dict[str, Any]]:
    """Reads the processor's balance transactions and books each; again, it books nothing new.

    A description that is none of our purposes stays here, however much it looks like one: it may be a name.
    `balance` is the processor's own balance after these; where it differs from them, an exception is opened.

    Raises:
        BadMovements, BadBalance: nothing is sent. ApiUnreachable: see there.
        ApiRefusal: the parts before are booked; `balance_transaction` in the data is the one that is refused.
    """
    movements = stripe_gateway.read_movements(data)
    balances = [] if balance is None else [amounts.on_wire(money) for money in stripe_gateway.read_balance(balance)]
    purposes = {purpose["code"] for purpose in desk.api.get("/v1/purposes")["purposes"]}
    answers = []
    for start in range(0, max(len(movements), 1), PART):
        part = movements[start : start + PART]
        is_last = start + PART >= len(movements)
        body = {
            "movements": [_movement(one, purposes) for one in part if isinstance(one, Movement)],
            "told": [_told(one, purposes) for one in part if isinstance(one, Told)],
            "balances": balances if is_last else [],
        }
        answers += _post(desk, body, part)
    return answers


def _post(desk: Desk, body: dict[str, Any], part: list[Movement | Told]) -> list[dict[str, Any]]:
    """The same part has the same key; a refusal tells its movement by name, to those who have the file anyway."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    try:
        answer = desk.api.post("/v1/donations", body, key=f"donations:{digest[:40]}")
    except ApiRefusal as refusal:
        read = [one for one in part if isinstance(one, Movement)]
        number = refusal.data.get("movement")
        if isinstance(number, int) and 0 < number <= len(read):
            refusal.data["balance_transaction"] = read[number - 1].balance_transaction
        raise
    booked: list[dict[str, Any]] = answer["booked"]
    return booked


def _movement(movement: Movement, purposes: set[str]) -> dict[str, Any]:
    return {
        "balance_transaction": movement.balance_transaction,
        "category": movement.category,
        "gross": amounts.on_wire(movement.gross),
        "fee": amounts.on_wire(movement.fee),
        "net": amounts.on_wire(movement.net),
        "created_on": movement.created_on.isoformat(),
        "purpose": movement.purpose if movement.purpose in purposes else None,
        "source": movement.source,
        "charge": movement.charge,
        "cancelled": movement.cancelled,
        "arriving": amounts.on_wire(movement.arriving) if movement.arriving else None,
        "transactions": None if movement.transactions is None else list(movement.transactions),
    }


def _told(told: Told, purposes: set[str]) -> dict[str, Any]:
    facts = asdict(told) | {"created_on": told.created_on.isoformat()}
    return facts | {"purpose": told.purpose if told.purpose in purposes else None}
