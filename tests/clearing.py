"""Differences that come to nothing: dismissed by two people, or lines of the bank that cancel each other."""

from datetime import date
from typing import Any

from api.client import exceptions, matching, matching_rules, statements
from api.client.desk import Desk
from ledger.reconciliation.clearings import Because
from ledger.reconciliation.pairings import Undone
from tests.cast import byn
from tests.papers import BankLine, a_camt_file


def walk_with_exceptions(anna: Desk, boris: Desk, *, leaf: str) -> None:
    """A debit that the bank takes back is matched with that; what the statement opens with besides is looked into."""
    days = date(2020, 10, 29), date(2020, 10, 30)
    same: dict[str, Any] = {"end_to_end_id": "INVENTED-E2E-1"}
    lines = [BankLine(byn("-12.51"), days[0], **same), BankLine(byn("12.51"), days[1], reversal=True, **same)]
    file = a_camt_file(lines, opening=byn("0.77"), first=days[0], last=days[1])
    statements.send(anna, file, account=leaf)
    (proposed,) = matching.listed(anna)["proposals"]
    rule = matching_rules.add(anna, words="an invented counterparty", account="6020")
    matching_rules.withdraw(anna, rule["alias"])
    made = matching.match(anna, lines=proposed["lines"], entries=[])
    matching.unmatch(anna, made["alias"], because=Undone.LOOKED_AGAIN)
    opened = next(one for one in exceptions.listed(anna)["exceptions"] if one["clearable"])
    exceptions.resolve(anna, opened["alias"], because=Because.LOOKED_INTO, note="It was looked into.")
    exceptions.agree(boris, opened["alias"])
