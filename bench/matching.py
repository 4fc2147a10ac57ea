"""How long it takes to match 10,000 lines of a bank against 10,000 open entries, on both databases."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine

from bench.databases import DAY, NOW, RECORDER, Books
from bench.rows import Row, seconds
from ledger.books import accounts, bulk
from ledger.books.entries import NewEntry
from ledger.books.postings import credit, debit
from ledger.money import Money
from ledger.reconciliation import matchings
from ledger.reconciliation.statements import Statement, StatementLine
from ledger.storage.engine import transaction

_AT_MOST_SECONDS = 5.0
_LEAF = "1000:eur-matching"
_STATEMENT = "S-0000-0000-0001"


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """All lines of one leaf, each the only one of its amount."""
    many = 500 if quick else 10_000
    for name, engine in books.empty.items():
        _fill(engine, many)
        with transaction(engine) as session:
            spent = seconds(partial(matchings.match_unique, session, at=NOW), repeats=1)
        yield Row(f"{many:,} lines matched, {name}", None, spent, "s", at_most=_AT_MOST_SECONDS)


def _fill(engine: Engine, many: int) -> None:
    """Fees that were booked by hand, and the bank's lines of a day later."""
    with transaction(engine) as session:
        accounts.add_leaf(session, _LEAF, name="Current account", currency="EUR")
        fees = [Money(100 + nth, "EUR") for nth in range(many)]
        entries = [
            NewEntry(
                f"bench:{fee.minor}", "manual", [debit("6020", fee, "general"), credit(_LEAF, fee, "general")], DAY
            )
            for fee in fees
        ]
        bulk.post_many(session, entries, recorded_at=NOW, recorded_by=RECORDER)
        session.add(
            Statement(
                alias=_STATEMENT,
                account_code=_LEAF,
                currency="EUR",
                content_token="0" * 64,
                received_at=NOW,
                received_by=RECORDER,
            )
        )
        session.flush()
        session.add_all(_line(fee) for fee in fees)


def _line(fee: Money) -> StatementLine:
    day = DAY + timedelta(days=1)
    return StatementLine(
        source_key=f"bank:{_LEAF}:{day}:{-fee.minor}:1",
        statement_alias=_STATEMENT,
        account_code=_LEAF,
        booked_on=day,
        minor=-fee.minor,
        currency="EUR",
        reversal=False,
    )
