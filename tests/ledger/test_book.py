import re
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.exc import StatementError
from sqlmodel import Session

from ledger import book
from ledger.books import accounts, funds
from ledger.money import BadCurrency
from tests.cast import BOOK_ID, FOUNDED_AT, nothing_written

FACTS: dict[str, Any] = {
    "book_id": BOOK_ID,
    "organisation": "Invented Fund",
    "functional_currency": "EUR",
    "jurisdiction": "by",
    "demo": False,
    "created_at": FOUNDED_AT,
}


def test_a_founded_book_has_its_chart_and_its_funds(session: Session) -> None:
    founded = book.found(session, **FACTS)
    session.commit()

    assert book.require(session) == founded
    assert len(accounts.listed(session)) > 40
    assert [fund.code for fund in funds.listed(session)] == ["detention", "fines", "general", "unassigned"]


def test_a_book_is_founded_once(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(book.BookExists):
        book.found(founded, **FACTS)


def test_without_a_book_there_is_none(session: Session) -> None:
    with pytest.raises(book.NoBook):
        book.require(session)


@pytest.mark.parametrize(
    ("where", "given"),
    [
        *(("book_id", text) for text in ("", "5", BOOK_ID.upper().replace("5", "A"), BOOK_ID + "0", BOOK_ID + "\n")),
        *(("organisation", text) for text in ("", "  ", "Invented\nFund", "Invented\x00Fund", "I" * 121)),
        *(("jurisdiction", text) for text in ("", "b", "by\n", "by!", "b" * 11)),
    ],
)
def test_what_cannot_be_a_book_is_refused(session: Session, where: str, given: str) -> None:
    with nothing_written(session), pytest.raises(book.BadBook) as refusal:
        book.found(session, **(FACTS | {where: given}))

    assert refusal.value.data == {"where": where}


def test_a_book_reports_in_a_real_currency(session: Session) -> None:
    with nothing_written(session), pytest.raises(BadCurrency):
        book.found(session, **(FACTS | {"functional_currency": "eur"}))


def test_a_book_is_founded_at_a_moment_with_its_zone(session: Session) -> None:
    naive = datetime.fromisoformat("2020-10-01T08:00:00")

    with pytest.raises(StatementError, match=re.escape("a moment needs its time zone")):
        book.found(session, **(FACTS | {"created_at": naive}))
