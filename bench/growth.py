"""Growth: one `post` in a long journal beside the same in a short one."""

from collections.abc import Iterator
from functools import partial

from bench.databases import Books
from bench.posting import post_one
from bench.rows import Row, side_by_side


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """One `post` and commit at a million entries by the same at 10,000, in turn; both books filled in the same way."""
    short, long = (1_000, 20_000) if quick else (10_000, 1_000_000)
    for name, engine in books.filled(short).items():
        floor, ours = side_by_side(
            partial(post_one, engine, prefix="grown"),
            partial(post_one, books.filled(long)[name], prefix="grown"),
            rounds=10 if quick else 100,
            block=20,
        )
        yield Row(f"post at {long:,} by at {short:,}, {name}", floor, ours, "entries/s", 1 / 1.1)
