"""What a check is, what it finds, and how it walks through a table that no memory holds at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import ColumnElement
from sqlmodel import Session, SQLModel, col, select

from ledger import book
from ledger.books import imports

PAGE = 500
"""Rows that are held at a time."""

Fact = str | int | bool | None
Tell = Callable[[int, int], None]
"""Is told how many of how many things were looked at."""
Row = TypeVar("Row", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as promised: which check, what kind of thing, its alias, number or code, and the facts.

    The facts are codes, dates and amounts in minor units; never a name, a reference or a text that somebody typed.
    """

    check: str
    kind: str
    name: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One promise over the whole book, as one sentence, and what finds where it is broken."""

    name: str
    promise: str
    find: Callable[[Session, Tell], Iterable[Finding]]


def paged(session: Session, model: type[Row], key: Any, *where: ColumnElement[bool]) -> Iterator[list[Row]]:
    """The rows of a table in the order of its unique column `key`, page by page."""
    query = select(model).where(*where).order_by(col(key)).limit(PAGE)
    # A row that the session has read before must not hide what stands in the table now.
    page = list(session.exec(query.execution_options(populate_existing=True)))
    while page:
        yield page
        if len(page) < PAGE:
            return
        last = getattr(page[-1], key.key)
        page = list(session.exec(query.where(col(key) > last).execution_options(populate_existing=True)))


def booked_here(session: Session) -> ColumnElement[bool]:
    """Which entries were booked in this book: what others are about stands in the book from which they were imported.

    An addition has keys of its own; the entries of a copy were recorded before the book that holds it was founded.
    """
    entries = SQLModel.metadata.tables["entry"]
    addition = entries.c.source_key.startswith(imports.NAMESPACE, autoescape=True)
    return ~addition & (entries.c.recorded_at >= book.require(session).created_at)


def silent(_done: int, _total: int) -> None:
    """Tells nobody."""
