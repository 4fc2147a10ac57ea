"""A statement's two balances, held against each other and against what lies between."""

from collections.abc import Iterator

from api.client.bank_files.lines import Statement
from ledger.money import Money


def compare_balances(statement: Statement) -> Iterator[str]:
    """What does not fit: a balance in another currency than the statement, a sum that is not the closing balance."""
    opening, closing = statement.opening, statement.closing
    for name, balance in (("opening", opening), ("closing", closing)):
        if balance is not None and balance.currency != statement.currency:
            yield f"the {name} balance is in {balance.currency}, the statement in {statement.currency}"
    if statement.adds_up is False and opening and closing and opening.currency == closing.currency:
        booked = sum(entry.amount.minor for entry in statement.entries if entry.status == "booked")
        booked_sum = Money(booked, opening.currency)
        yield f"it does not add up: opening {opening}, booked {booked_sum}, closing {closing}"
