"""Reconciliations, statements, exceptions and pairings that whoever owns the database changes: each change is found."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.aliases import Kind, draw
from ledger.books import journal
from ledger.books.journal import Because
from ledger.exceptions import Difference
from ledger.reconciliation import matchings, statements
from ledger.reconciliation.matchings import UnknownPairing
from ledger.reconciliation.sheets import SheetAltered
from tests.bookcheck import assert_it_holds, found, told_after
from tests.cast import LEAF, NOW, House, engine_of
from tests.ledger.reconciliation.test_matchings import DAY, book, match, tell, unmatch, waiting
from tests.reconciling import prepare, reconcile, review


@pytest.fixture
def reconciled(house: House) -> House:
    return reconcile(house)


def test_before_an_attack_nothing_is_found(reconciled: House) -> None:
    assert_it_holds(engine_of(reconciled.session))


def update(table: str, change: str, where: str = "1 = 1") -> str:
    return f"UPDATE {table} SET {change} WHERE {where}"  # noqa: S608  # the words of this file


LATER = "'2020-12-01 00:00:00'"
ON_SHEETS = {
    "a content": (update("reconciliation_sheet", "content = replace(content, 'Invented', 'Other')"), "sheets"),
    "an account": (update("reconciliation_sheet", "account = NULL"), "sheets"),
    "with whom": (update("reconciliation_sheet", "compared = 'ledger'"), "sheets"),
    "a digest": (update("reconciliation_sheet", f"digest = '{'0' * 64}'"), "signed"),
    "a moment": (update("reconciliation_sheet", f"prepared_at = {LATER}"), "signed"),
    "a preparer": (update("reconciliation_sheet", "prepared_by = 'OP-0000-0000-0001'"), "signed"),
    "a reviewer": (update("reconciliation_review", "reviewed_by = 'OP-0000-0000-0001'"), "signed"),
    "a review's moment": (update("reconciliation_review", f"reviewed_at = {LATER}"), "signed"),
    "a review less": ("DELETE FROM reconciliation_review", "idle-acts"),
    "a sheet less": (
        "DELETE FROM reconciliation_sheet WHERE alias NOT IN (SELECT sheet FROM reconciliation_review)",
        "idle-acts",
    ),
    "sheet and review less": (
        "DELETE FROM reconciliation_sheet; DELETE FROM reconciliation_review",
        "idle-acts",
    ),
}
ON_STATEMENTS = (
    {
        f"a statement's {column}": (update("statement", f"{column} = {value}"), "statements-as-told")
        for column, value in {
            "opening_minor": "opening_minor + 1",
            "closing_minor": "closing_minor + 1",
            "opened_on": "'2020-11-01'",
            "closed_on": "'2020-11-19'",
            "currency": "'EUR'",
            "received_by": "'OP-0000-0000-0001'",
            "received_at": LATER,
            "fingerprint": "''",
        }.items()
    }
    | {
        f"a line's {column}": (update("statement_line", f"{column} = {value}"), "statements-as-told")
        for column, value in {
            "booked_on": "'2020-11-17'",
            "value_on": "'2020-11-01'",
            "minor": "minor - 1",
            "reference": "'RF00'",
            "reversal": "NOT reversal",
            "trace": "'00'",
            "payout": "'00'",
        }.items()
    }
    | {
        "a line less": ("DELETE FROM statement_line WHERE minor = -700", "statements-as-told"),
        "a statement less": ("DELETE FROM statement WHERE opening_minor = 9900", "statements-as-told"),
    }
)
ON_EXCEPTIONS = {
    "a day of opening": (update("exception", "opened_on = '2021-01-01'"), "exceptions-dated"),
    "a day of closing": (update("exception", "resolved_on = '2021-01-01'"), "exceptions-dated"),
    "a kind": (update("exception", "difference = 'reversal'"), "exceptions-dated"),
    "an amount": (update("exception", "minor = minor + 1", "minor = -700"), "exceptions-dated"),
    "a dismissal forgotten": (
        update("exception", "resolved_on = NULL", "difference = 'statement_does_not_add_up'"),
        "exceptions-dated",
    ),
    "a matched line that waits": (update("exception", "resolved_on = NULL", "minor = -500"), "exceptions-dated"),
    "a cleared one less": ("DELETE FROM exception WHERE difference = 'statement_does_not_add_up'", "clearings"),
    "a clearing less": ("DELETE FROM clearing_agreement; DELETE FROM clearing", "idle-acts"),
    "an agreement less": ("DELETE FROM clearing_agreement", "idle-acts"),
    "a note": (update("clearing", f"note_commitment = '{'ab' * 32}'"), "signed"),
    "a dismissal's moment": (update("clearing", f"asked_at = {LATER}"), "signed"),
    "an agreement's moment": (update("clearing_agreement", f"agreed_at = {LATER}"), "signed"),
}
ON_PAIRINGS = {
    "a line less": ("DELETE FROM statement_line WHERE minor = -500", "pairings"),
    "an undoing less": ("DELETE FROM pairing_undone", "idle-acts"),
    "a reason": (update("pairing_undone", "because = 'wrong_line'"), "signed"),
    "an undoing's moment": (update("pairing_undone", f"undone_at = {LATER}"), "signed"),
    "a moment": (update("pairing", f"paired_at = {LATER}"), "signed"),
    "all of it": ("DELETE FROM pairing_undone; DELETE FROM pairing_part; DELETE FROM pairing", "idle-acts"),
    "its parts": ("DELETE FROM pairing_part", "pairings"),
}


ATTACKS = {
    f"{of}: {name}": attack
    for of, attacks in (
        ("sheets", ON_SHEETS),
        ("statements", ON_STATEMENTS),
        ("exceptions", ON_EXCEPTIONS),
        ("pairings", ON_PAIRINGS),
    )
    for name, attack in attacks.items()
}


def test_what_was_changed_is_found(reconciled: House) -> None:
    told = told_after(engine_of(reconciled.session), ATTACKS)

    assert told == {name: {check} for name, (_, check) in ATTACKS.items()}


def test_a_statement_stays_as_it_came(reconciled: House) -> None:
    for statement in (
        update("statement", "opening_minor = 1"),
        update("statement", "received_by = 'OP-0000-0000-0001'"),
        update("statement", "fingerprint = ''"),
        "DELETE FROM statement",
    ):
        savepoint = reconciled.session.begin_nested()
        with pytest.raises(DBAPIError, match="guard: a statement stays as it came"):
            reconciled.session.connection().execute(text(statement))
        savepoint.rollback()


def test_a_sheet_that_was_altered_is_reviewed_by_nobody(reconciled: House) -> None:
    sheet = prepare(reconciled)
    sheet.content = sheet.content.replace("Invented", "Other")

    with reconciled.session.no_autoflush, pytest.raises(SheetAltered):
        review(reconciled, sheet)


def reverse(house: House, entry: int) -> None:
    journal.reverse(
        house.session,
        entry,
        source_key=f"test:{draw(Kind.EXCEPTION)}",
        because=Because.BOOKED_TWICE,
        on=DAY,
        recorded_at=NOW + timedelta(days=1),
        recorded_by=house.fund.clara.alias,
    )


def test_the_line_of_an_entry_that_is_reversed_waits_again(house: House) -> None:
    entry = book(house, "5.00")
    lines = tell(house, "-5.00")
    made = match(house, lines, entry)

    reverse(house, entry)

    assert [one.source_key for one in statements.unmatched(house.session, LEAF)] == lines
    assert {one.check for one in found(house.session, by={"exceptions", "pairings"})} == {"exceptions"}
    with pytest.raises(UnknownPairing):
        unmatch(house, made)
    assert matchings.match_unique(house.session, at=NOW) == 0
    assert waiting(house) == [Difference.UNMATCHED_DEBIT]
    assert found(house.session, by={"exceptions", "pairings", "exceptions-dated", "idle-acts", "signed"}) == []
    match(house, lines, book(house, "5.00"))
    assert waiting(house) == []
    assert found(house.session, by={"exceptions", "pairings", "exceptions-dated", "idle-acts", "signed"}) == []


def test_a_line_that_is_matched_anew_waits_no_more_whatever_fell_before(house: House) -> None:
    entry = book(house, "5.00")
    match(house, tell(house, "-5.00"), entry)
    reverse(house, entry)
    book(house, "5.00")

    matched = matchings.match_unique(house.session, at=NOW)

    assert matched == 1
    assert waiting(house) == []
    assert found(house.session, by={"exceptions", "pairings", "exceptions-dated"}) == []
