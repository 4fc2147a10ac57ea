"""Differences that come to nothing: dismissed by two people, or lines of the bank that cancel each other."""

from datetime import date
from typing import Any

from api.client import exceptions, matching, matching_rules, statements
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.exceptions import OpenException
from ledger.reconciliation import clearings
from ledger.reconciliation.clearings import Because, NewClearing
from ledger.reconciliation.pairings import Undone
from tests.cast import House, agreed_by, byn
from tests.papers import BankLine, a_camt_file


def clear(house: House, opened: OpenException) -> None:
    """Clara says that she has looked into what is not about money, and Boris agrees."""
    new = NewClearing(alias=draw(Kind.CLEARING), exception=opened.alias, because=Because.LOOKED_INTO)
    restated: dict[str, Any] = {
        "object": new.alias,
        "payee_commitment": clearings.commitment(exception=opened.alias, because=new.because, entry_id=None),
    }
    said = agreed_by(house.fund.clara, "clear_exception", detail=new.because, **restated)
    clearings.request(house.session, new, said)
    agreed = agreed_by(house.fund.boris, "agree_clearing", detail=new.because, **restated)
    clearings.agree(house.session, new.alias, agreed, exception=opened.alias)
    house.session.commit()


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
