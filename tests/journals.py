"""A generated journal with everything an entry can have, and an entries file written by hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from ledger import book
from ledger.books import accounts, exports, funds, imports, journal, records
from ledger.books.imports import Imported
from ledger.books.journal import Because
from ledger.books.postings import Posting, credit, debit
from ledger.money import Money
from tests.bookkeeping import BYN_LEAF, CASE, DONATION, EUR_LEAF, OBLIGATION, post
from tests.cast import BOOK_ID, FOUNDED_AT, NOW

FUNDS = ("general", "fines", "detention", "books_2")
JPY_LEAF, KWD_LEAF, AGENT_LEAF = "1000:jpy_cash", "1000:Kwd", "1200:A-0000-0000-0001"
LEAVES = {"EUR": EUR_LEAF, "BYN": BYN_LEAF, "JPY": JPY_LEAF, "KWD": KWD_LEAF}
ADVANCE = "V-0000-0000-0001"


def furnish(session: Session) -> None:
    """Leaves of four currencies with two, none and three decimals, names that need care, a fund more."""
    accounts.add_leaf(session, JPY_LEAF, name='The "yen", type:L; \\ Kassa Їжак', currency="JPY")
    accounts.add_leaf(session, KWD_LEAF, name="=1+1", currency="KWD")
    accounts.add_leaf(session, "1000:kwd", name="Differs by a capital only", currency="KWD")
    accounts.add_leaf(session, AGENT_LEAF, name="An agent")
    funds.add(session, "books_2", name="Books", restricted=True)


def keep_books(session: Session, *, entries: int = 60, seed: int = 1) -> None:
    """That many entries, some of several funds and currencies, some reversed, one moved out of nothing: committed."""
    furnish(session)
    dice = Random(seed)  # noqa: S311  # a test's journal, not a secret
    for number in range(entries):
        day = date(2020, 9, 1) + timedelta(days=dice.randrange(60))
        posted = post(
            session,
            [posting for _ in range(dice.randint(1, 3)) for posting in _a_pair(dice)],
            source_key=f"test:{number}",
            kind=dice.choice(["gift", "aid", "payout_2"]),
            happened_on=day - timedelta(days=dice.randrange(3)),
            effective_on=day,
            recorded_at=NOW + timedelta(microseconds=number * 250_000),
        )
        if dice.random() < 0.2:
            journal.reverse(
                session,
                posted.entry_id,
                source_key=f"test:{number}:reversed",
                because=dice.choice(list(Because)),
                on=day + timedelta(days=1),
                recorded_at=NOW + timedelta(hours=1),
                recorded_by="OP-0000-0000-0002",
            )
    session.commit()


def _a_pair(dice: Random) -> list[Posting]:
    fund, currency = dice.choice(FUNDS), dice.choice(list(LEAVES))
    money = Money(dice.choice([1, 99, 100, 123_456, dice.randint(1, 10**7), 10**15]), currency)
    leaf = LEAVES[currency]
    return dice.choice(
        [
            [debit(leaf, money, fund), credit("4000", money, fund, subject=DONATION)],
            [
                debit("5000", money, fund, subject=OBLIGATION, case=CASE, rate_on=date(2020, 9, 30)),
                credit("2100", money, fund, subject=OBLIGATION, case=CASE),
            ],
            [debit(AGENT_LEAF, money, fund, subject=ADVANCE), credit(leaf, money, fund)],
            [debit("3900", money, fund), credit(leaf, money, fund)],
        ]
    )


@contextmanager
def an_empty_book(engine: Engine, *, leaves: bool = False, founded_at: datetime = FOUNDED_AT) -> Iterator[Session]:
    """A book with the default chart and funds only; `leaves` adds those that the fixture `founded` has."""
    with Session(engine, expire_on_commit=False) as session:
        book.found(
            session,
            book_id=BOOK_ID,
            organisation="Invented Fund",
            functional_currency="EUR",
            jurisdiction="by",
            demo=False,
            created_at=founded_at,
        )
        if leaves:
            accounts.add_leaf(session, EUR_LEAF, name="Current account", currency="EUR")
        session.commit()
        yield session


def exported(session: Session) -> list[bytes]:
    """The book as the lines of an entries file."""
    return [records.write(record) for record in exports.records(session)]


def take(session: Session, lines: list[bytes], **facts: Any) -> Imported:
    """Imports the lines on the day of the tests."""
    return imports.book(session, lines, **({"at": NOW + timedelta(days=1)} | facts))


# --- an entries file by hand

HEAD: dict[str, Any] = {"record": "book", "format": "solidarity-entries", "version": 1, "functional_currency": "EUR"}
LEAF: dict[str, Any] = {
    "record": "account",
    "code": EUR_LEAF,
    "name": "Current account",
    "class": "asset",
    "currency": "EUR",
    "closed": False,
}


def a_line(side: str = "debit", account: str = EUR_LEAF, **changes: Any) -> dict[str, Any]:
    told = {"side": side, "account": account, "amount": "20.00", "currency": "EUR", "fund": "fines"}
    return _changed(told, changes)


def an_entry(**changes: Any) -> dict[str, Any]:
    """A gift of 20 EUR; a change to None leaves the field out."""
    told = {
        "record": "entry",
        "source_key": "import:1",
        "kind": "gift",
        "happened_on": "2020-11-01",
        "effective_on": "2020-11-02",
        "lines": [a_line(), a_line("credit", "4000", subject=DONATION)],
    }
    return _changed(told, changes)


def a_file(*told: dict[str, Any], entries: int | None = None) -> list[bytes]:
    """Head, one leaf, the objects told, and the end."""
    counted = sum(one["record"] == "entry" for one in told) if entries is None else entries
    return [as_line(one) for one in (HEAD, LEAF, *told, {"record": "end", "entries": counted})]


def as_line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


def _changed(told: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (told | changes).items() if value is not None}


BAD_AMOUNT = an_entry(source_key="import:2", lines=[a_line(amount="1e3"), a_line("credit", "4000", subject=DONATION)])
"""An entry whose first amount cannot be read."""
