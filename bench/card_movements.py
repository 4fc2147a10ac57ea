"""How long balance transactions of the card processor take to be booked: gifts, refunds, fees, automatic payouts.

In time of the processor, of the program and of the database together.
"""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Engine

from bench.databases import DAY, NOW, RECORDER, Books, processor_clock
from bench.rows import Row, seconds
from ledger.books import accounts
from ledger.giving.movements import Category, Movement
from ledger.money import Money
from ledger.reconciliation import processor
from ledger.storage.engine import transaction

_AT_MOST_SECONDS = 10
_PART = 500
"""How many movements come at once: as many as one request carries."""
_NOTHING = Money(0, "EUR")


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """10,000 in parts of 500, oldest first, on each database; the target is for SQLite."""
    many = 1_000 if quick else 10_000
    for name, engine in books.empty.items():
        with transaction(engine, write=True) as session:
            for leaf in ("1100:bench", "1050:bench"):
                accounts.add_leaf(session, leaf, name="A leaf", currency="EUR")
            clock = processor_clock(session)  # the pool has one connection, which it gives again
        took = seconds(partial(_book, engine, a_season(many)), clock=clock)
        at_most = _AT_MOST_SECONDS if name == "sqlite" else None
        yield Row(f"book {many:,} balance transactions, {name}", None, took, "s", at_most=at_most)


def a_season(many: int) -> list[Movement]:
    """Of each fifty: 46 gifts with fees, two refunds, a fee by itself, and the automatic payout of them all."""
    made: list[Movement] = []
    for week in range(many // 50):
        own: list[Movement] = []
        for nth in range(week * 50, week * 50 + 46):
            gift, fee = Money(2_000 + nth % 700, "EUR"), Money(60, "EUR")
            charge = f"ch_Invented{nth:06d}"
            facts = (gift, fee, gift - fee, DAY, None, charge, charge)
            own.append(Movement(f"txn_Charge{nth:06d}", Category.CHARGE, *facts))
        for nth, given in enumerate(own[:2], start=week * 2):
            about = (f"re_Invented{nth:06d}", given.charge)
            own.append(
                Movement(
                    f"txn_Refund{nth:06d}", Category.REFUND, -given.gross, _NOTHING, -given.gross, DAY, None, *about
                )
            )
        fee = Money(-100, "EUR")
        own.append(Movement(f"txn_Fee{week:06d}", Category.FEE, fee, _NOTHING, fee, DAY))
        paid = -sum((one.net for one in own), _NOTHING)
        made += own
        made.append(
            Movement(
                f"txn_Payout{week:06d}",
                Category.PAYOUT,
                paid,
                _NOTHING,
                paid,
                DAY,
                source=f"po_Invented{week:06d}",
                transactions=tuple(one.balance_transaction for one in own),
            )
        )
    return made


def _book(engine: Engine, season: list[Movement]) -> None:
    for start in range(0, len(season), _PART):
        with transaction(engine, write=True) as session:
            part = season[start : start + _PART]
            booked = processor.receive(session, part, received_at=NOW, received_by=RECORDER)
            if any(one.recipe is None for one in booked):
                raise AssertionError("a movement waits, so not everything was measured")
