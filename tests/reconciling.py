"""A book whose bank was reconciled: sheets, a statement that does not add up, pairings, and what was dismissed."""

from typing import Any

from ledger import comparisons, exceptions
from ledger.aliases import Kind, draw
from ledger.exceptions import Difference
from ledger.reconciliation import bank, matchings, sheets
from ledger.reconciliation.sheets import With
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import LEAF, NOW, House, agreed_by, byn, give
from tests.ledger.reconciliation.test_clearings import agree, say
from tests.ledger.reconciliation.test_matchings import DAY, book, match, tell, unmatch


def reconcile(house: House) -> House:
    """Two sheets, one of them reviewed; a statement with its balances; pairings, one undone; a difference dismissed."""
    give(house.session, byn("50.00"))
    line = NewLine(DAY, DAY, byn("-7.00"), None, False, traces=("ab" * 32,))
    told = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", DAY, DAY, byn("99.00"), byn("93.00"), "cd" * 32, [line])
    bank.receive(house.session, told, received_at=NOW, received_by=house.fund.clara.alias)
    match(house, tell(house, "-5.00"), book(house, "5.00"))
    unmatch(house, match(house, tell(house, "-3.00"), book(house, "3.00"), moved="3.00"), moved="3.00")
    book(house, "2.00")
    tell(house, "-2.00")
    assert matchings.match_unique(house.session, at=NOW) == 2
    differences = {one.difference: one for one in exceptions.listed(house.session)}
    agree(house, say(house, differences[Difference.STATEMENT_DOES_NOT_ADD_UP]))
    review(house, prepare(house))
    prepare(house)
    house.session.commit()
    return house


def prepare(house: House) -> sheets.Sheet:
    content = comparisons.compare(house.session, With.BANK, LEAF, on=DAY).canonical()
    signed: dict[str, Any] = {"object": draw(Kind.RECONCILIATION), "evidence_commitments": (sheets.digest_of(content),)}
    agreed = agreed_by(house.fund.clara, "prepare_reconciliation", **signed)
    alias = agreed.act.object
    return sheets.prepare(house.session, alias, compared=With.BANK, account=LEAF, content=content, agreed=agreed)


def review(house: House, sheet: sheets.Sheet) -> None:
    signed: dict[str, Any] = {"object": sheet.alias, "evidence_commitments": (sheet.digest,)}
    sheets.review(house.session, sheet.alias, agreed=agreed_by(house.fund.boris, "review_reconciliation", **signed))
