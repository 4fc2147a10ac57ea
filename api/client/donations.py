"""Card gifts from the treasurer's side: the processor's movements sent one by one, without anything about givers."""

from typing import Any

from api import stripe_gateway
from api.client.desk import Desk
from ledger.money import Money


def send(desk: Desk, data: bytes) -> list[dict[str, Any]]:
    """Reads the processor's balance transactions and books each; again, it books nothing new.

    Raises:
        BadMovements: nothing is sent. ApiRefusal, ApiUnreachable: see there.
    """
    answers = []
    for movement in stripe_gateway.read_movements(data):
        body = {
            "balance_transaction": movement.balance_transaction,
            "category": movement.category,
            "gross": _amount(movement.gross),
            "fee": _amount(movement.fee),
            "net": _amount(movement.net),
            "created_on": movement.created_on.isoformat(),
            "purpose": movement.purpose,
        }
        answers.append(desk.api.post("/v1/donations", body, key=f"donation:{movement.balance_transaction}"))
    return answers


def _amount(money: Money) -> dict[str, str]:
    return {"amount": money.decimal(), "currency": money.currency}
