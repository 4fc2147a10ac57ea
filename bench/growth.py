"""Growth: one `post` in a long journal beside the same in a short one. Fills books of its own."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Engine

from bench.databases import NOW, RECORDER, databases, gifts
from bench.posting import post_one
from bench.rows import Row, side_by_side
from ledger.books import bulk, journal
from ledger.storage.engine import transaction

AT_ONCE = 10_000


def rows(engines: dict[str, Engine], *, quick: bool) -> Iterator[Row]:
    """One `post` and commit at a million entries by the same at 10,000, in turn.

    Balances and trial balances of a million entries have their place here, too.
    """
    short, long = (1_000, 20_000) if quick else (10_000, 1_000_000)
    with databases() as grown:
        for name, engine in engines.items():
            _fill(engine, short)
            _fill(grown[name], long)
            floor, ours = side_by_side(
                partial(post_one, engine, prefix="grown"),
                partial(post_one, grown[name], prefix="grown"),
                rounds=10 if quick else 100,
                block=20,
            )
            yield Row(f"post at {long:,} by at {short:,}, {name}", floor, ours, "entries/s", 1 / 1.1)


def _fill(engine: Engine, until: int) -> None:
    while True:
        with transaction(engine) as session:
            standing = journal.count(session)
            if standing >= until:
                return
            many = min(AT_ONCE, until - standing)
            bulk.post_many(session, gifts(f"fill:{standing}", many), recorded_at=NOW, recorded_by=RECORDER)
