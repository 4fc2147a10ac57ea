"""Posting, one by one and many at a time, on both databases."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Engine

from bench.bare import writer
from bench.databases import DAY, NOW, RECORDER, Books, a_gift, gifts
from bench.rows import Row, side_by_side
from ledger.books import bulk, journal
from ledger.storage.engine import transaction

ONE_BY_ONE = {"sqlite": 0.6, "postgresql": 0.75}
MANY = {"sqlite": 0.5, "postgresql": 0.7}


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """`post` and commit; `post_many` of 1,000 and commit."""
    for name, engine in books.empty.items():
        floor, ours = side_by_side(
            writer(engine, many=1), partial(post_one, engine), rounds=10 if quick else 100, block=20
        )
        yield Row(f"post one by one, {name}", floor, ours, "entries/s", ONE_BY_ONE[name])
    for name, engine in books.empty.items():
        many = 200 if quick else 1_000
        floor, ours = side_by_side(
            writer(engine, many=many),
            partial(_post_many, engine, many),
            rounds=3 if quick else 10,
            block=1,
            things=many,
        )
        yield Row(f"post_many of {many:,}, {name}", floor, ours, "entries/s", MANY[name])


def post_one(engine: Engine, nth: int, *, prefix: str = "one") -> None:
    """One gift in a transaction of its own."""
    with transaction(engine) as session:
        journal.post(
            session,
            source_key=f"{prefix}:{nth}",
            kind="bank_gift",
            postings=a_gift(),
            happened_on=DAY,
            recorded_at=NOW,
            recorded_by=RECORDER,
        )


def _post_many(engine: Engine, many: int, nth: int) -> None:
    with transaction(engine) as session:
        bulk.post_many(session, gifts(f"many:{nth}", many), recorded_at=NOW, recorded_by=RECORDER)
