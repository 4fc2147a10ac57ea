"""The card processor: the only module that knows the processor's own objects. It returns movements and nothing else.

Descriptors, names and references of givers end here: of a description only our own purpose code passes.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ledger.errors import BadInput
from ledger.giving.processor import Movement
from ledger.money import Money, exponent

_PURPOSE = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
_ID = re.compile(r"txn_[A-Za-z0-9]{4,60}", re.ASCII)


class BadMovements(BadInput):
    """The file is no list of balance transactions; `where` is the first that cannot be read, nothing is booked."""

    rule = "bad_movements"


def read_movements(data: bytes) -> list[Movement]:
    """The balance transactions of a list as the processor's API answers it, oldest first.

    Raises:
        BadMovements: not such a list, or one of them cannot be read exactly.
    """
    import stripe  # noqa: PLC0415  # takes half a second: whoever books no cards does not wait for it

    try:
        answer = json.loads(data)
    except ValueError:
        raise BadMovements("not JSON", where="file") from None
    if not isinstance(answer, dict) or answer.get("object") != "list" or not isinstance(answer.get("data"), list):
        raise BadMovements("not a list of the processor's API", where="file")
    movements = list(_movements(answer["data"], stripe))
    return sorted(movements, key=lambda movement: (movement.created_on, movement.balance_transaction))


def _movements(items: list[Any], stripe: Any) -> Iterator[Movement]:
    for number, item in enumerate(items, start=1):
        where = f"item {number}"
        if not isinstance(item, dict) or item.get("object") != "balance_transaction":
            raise BadMovements("not a balance transaction", where=where)
        yield _movement(stripe.BalanceTransaction.construct_from(item, None), where)


def _movement(transaction: Any, where: str) -> Movement:
    try:
        amounts = (transaction.amount, transaction.fee, transaction.net)
        currency = transaction.currency.upper()
        created = transaction.created
        category, identifier = transaction.reporting_category, transaction.id
        description = transaction.description or ""
    except AttributeError:
        raise BadMovements("a field is missing", where=where) from None
    whole = all(type(number) is int for number in (*amounts, created))
    if not whole or not _ID.fullmatch(identifier) or not isinstance(category, str):
        raise BadMovements("a field is of another form", where=where)
    try:
        exponent(currency)
    except BadInput:
        raise BadMovements("an unknown currency", where=where) from None
    gross, fee, net = (Money(minor, currency) for minor in amounts)
    return Movement(
        balance_transaction=identifier,
        category=category,
        gross=gross,
        fee=fee,
        net=net,
        created_on=datetime.fromtimestamp(created, UTC).date(),
        purpose=description if _PURPOSE.fullmatch(description) else None,
    )
