"""Four clients of PostgreSQL at once, all on one account and each on its own: money coming in never waits."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

from bench.databases import DAY, LEAVES, NOW, RECORDER, Books, a_gift
from bench.rows import Row
from ledger.books import journal
from ledger.storage.engine import open_database, transaction


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """In turn, so that a busy moment hits both alike."""
    url = books.empty["postgresql"].url.render_as_string(hide_password=False)
    each, rounds = (30, 2) if quick else (250, 6)
    spent = {"spread": 0.0, "hot": 0.0}
    with ProcessPoolExecutor(len(LEAVES), mp_context=get_context("spawn")) as clients:
        list(clients.map(_post, repeat(url), LEAVES, [f"warm:{leaf}" for leaf in LEAVES], repeat(5)))
        for turn in range(rounds):
            for way, leaves in (("spread", LEAVES), ("hot", LEAVES[:1] * len(LEAVES))):
                prefixes = [f"{way}:{turn}:{client}" for client in range(len(LEAVES))]
                started = time.perf_counter()
                list(clients.map(_post, repeat(url), leaves, prefixes, repeat(each)))
                spent[way] += time.perf_counter() - started
    posted = len(LEAVES) * each * rounds
    yield Row("4 clients: one hot account by spread", posted / spent["spread"], posted / spent["hot"], "entries/s", 0.9)


def _post(url: str, leaf: str, prefix: str, many: int) -> None:
    engine = open_database(url)
    for nth in range(many):
        with transaction(engine) as session:
            journal.post(
                session,
                source_key=f"{prefix}:{nth}",
                kind="bank_gift",
                postings=a_gift(leaf),
                happened_on=DAY,
                recorded_at=NOW,
                recorded_by=RECORDER,
            )
    engine.dispose()
