"""Money as the API tells and takes it: `{"amount": "810.00", "currency": "BYN"}`."""

from collections.abc import Mapping

from ledger.money import Money


def read(amount: Mapping[str, str]) -> Money:
    """Money from the wire."""
    return Money.parse(amount["amount"], amount["currency"])


def on_wire(money: Money) -> dict[str, str]:
    """Money for the wire."""
    return {"amount": money.decimal(), "currency": money.currency}
