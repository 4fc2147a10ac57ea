"""Balances over a million entries; the floor is what the database needs to add up the lines: the recomputed figure."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any

from sqlalchemy import Engine, func, select

from bench.databases import Books
from bench.filling import FIRST_DAY, YEARS_DAYS, leaf
from bench.rows import Row, seconds
from ledger.books import balances
from ledger.books.journal import Line
from ledger.storage.engine import transaction

DAYS = [FIRST_DAY + timedelta(days=days) for days in (40, YEARS_DAYS // 2 + 17, YEARS_DAYS - 2)]
_LINES: Any = Line.__dict__["__table__"]
_ACCOUNT_MS, _TRIAL_MS = 5, 50


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """One account on a date and at last, and a trial balance on a date; equal to the recomputed one, or it fails."""
    entries = 20_000 if quick else 1_000_000
    for engine in books.filled(entries).values():
        yield from _measure(engine, size=f"{entries:,} entries")


def _measure(engine: Engine, *, size: str) -> Iterator[Row]:
    by_account = select(func.sum(_LINES.c.minor)).where(_LINES.c.account_code == leaf(0), _LINES.c.currency == "EUR")
    by_cell = select(func.sum(_LINES.c.minor)).group_by(_LINES.c.account_code, _LINES.c.fund_code, _LINES.c.currency)
    name = engine.dialect.name
    turns = cycle(DAYS)
    with transaction(engine, write=False) as session:
        for day in DAYS:
            if balances.trial_balance(session, on=day) != balances.recomputed(session, on=day):
                raise AssertionError("the roll-ups differ from the lines")
        connection = session.connection()
        account_floor = seconds(lambda: connection.execute(by_account).all(), repeats=3)
        trial_floor = seconds(lambda: connection.execute(by_cell).all(), repeats=3)
        one = seconds(lambda: balances.balance(session, leaf(0), currency="EUR", on=next(turns)), repeats=15)
        latest = seconds(lambda: balances.balance(session, leaf(0), currency="EUR"), repeats=15)
        trial = seconds(lambda: balances.trial_balance(session, on=next(turns)), repeats=15)
    for what, floor, ours, at_most in (
        ("balance on a date", account_floor, one, _ACCOUNT_MS),
        ("latest balance", account_floor, latest, _ACCOUNT_MS),
        ("trial balance on a date", trial_floor, trial, _TRIAL_MS),
    ):
        yield Row(f"{what}, {size}, {name}", floor * 1_000, ours * 1_000, "ms", at_most=at_most)
