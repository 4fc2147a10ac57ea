"""The book itself: one row that says whose it is, in which currency it reports, and whether it is a demonstration."""

import re
from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, select

from ledger.books import accounts, funds
from ledger.errors import BadInput, Conflict, NotFound
from ledger.money import exponent
from ledger.storage.columns import UtcDateTime
from ledger.storage.locks import locked

LONGEST_ORGANISATION = 120
"""How many characters the organisation's name has at most."""

_BOOK_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_JURISDICTION = re.compile(r"[A-Za-z0-9_-]{2,10}", re.ASCII)


class BookExists(Conflict):
    """The database holds a book already."""

    rule = "book_exists"


class NoBook(NotFound):
    """The database holds no book yet: run `solidarity init`."""

    rule = "no_book"


class BadBook(BadInput):
    """The book's own data cannot be."""

    rule = "bad_book"


class Book(SQLModel, table=True):
    """The one row. `book_id` (32 hex digits) stands in every signed act, so that none is valid in two books."""

    id: int = Field(default=1, primary_key=True)
    book_id: str = Field(max_length=32)
    organisation: str = Field(max_length=LONGEST_ORGANISATION)
    functional_currency: str = Field(max_length=3)
    jurisdiction: str = Field(max_length=10)
    demo: bool
    created_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (CheckConstraint("id = 1", name="one_book"),)


def found(
    session: Session,
    *,
    book_id: str,
    organisation: str,
    functional_currency: str,
    jurisdiction: str,
    demo: bool,
    created_at: datetime,
) -> Book:
    """Founds the book with the default chart and funds.

    Raises:
        BookExists: there is one.
        BadBook: `book_id` is not 32 hex digits, the organisation has no name or a too long one, or the jurisdiction is
            no code. BadCurrency: see `money.exponent`.
    """
    if session.get(Book, 1) is not None:
        raise BookExists("the database holds a book already")
    if not _BOOK_ID.fullmatch(book_id):
        raise BadBook("a book's id is 32 hex digits", where="book_id")
    if not (organisation.strip() and organisation.isprintable() and len(organisation) <= LONGEST_ORGANISATION):
        raise BadBook(f"a name is 1 to {LONGEST_ORGANISATION} printable characters", where="organisation")
    if not _JURISDICTION.fullmatch(jurisdiction):
        raise BadBook("a jurisdiction is 2 to 10 letters, digits or hyphens", where="jurisdiction")
    exponent(functional_currency)
    book = Book(
        book_id=book_id,
        organisation=organisation,
        functional_currency=functional_currency,
        jurisdiction=jurisdiction,
        demo=demo,
        created_at=created_at,
    )
    session.add(book)
    accounts.load_default_chart(session)
    funds.load_defaults(session)
    session.flush()
    return book


def require(session: Session, *, lock: bool = False) -> Book:
    """The book; with `lock`, what is decided over the book as a whole takes turns until the transaction ends.

    Raises:
        NoBook: there is none yet.
    """
    query = select(Book).where(Book.id == 1)
    book = session.exec(locked(query)).one_or_none() if lock else session.get(Book, 1)
    if book is None:
        raise NoBook("the database holds no book yet; run `solidarity init`")
    return book
