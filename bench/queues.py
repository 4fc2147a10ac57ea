"""How long a page of the queue takes, and its counts, at 100,000 cases, on both databases.

In time of the processor, of the program and of the database together: others may be at work on the same machine.
"""

from collections.abc import Callable, Iterator
from functools import partial

from sqlmodel import Session

from bench import queue_fillings
from bench.databases import DAY, Books, processor_clock
from bench.linkages import fill
from bench.rows import Row, seconds
from ledger import queue
from ledger.people import Role
from ledger.storage.engine import transaction

ROLES = tuple(Role)
OPERATOR = "OP-0000-0000-0009"
_AT_MOST_MS = 50
_COUNTS_AT_MOST_MS = 500
"""All sections of all roles at once, each counted anew: 60,000 things here. A page is what is promised."""


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """The slowest first or second page of fifty, and all counts."""
    many = 5_000 if quick else 100_000
    for name, engine in books.empty.items():
        fill(engine, many)
        queue_fillings.fill(engine, many)
        with transaction(engine, write=False) as session:
            clock = processor_clock(session)
            spent = {section.name: _pages(session, section.name, clock) for section in queue.SECTIONS}
            count = partial(queue.counts, session, roles=ROLES, operator=OPERATOR, on=DAY)
            counted = seconds(count, repeats=5, clock=clock)
            if not all(count().values()):
                raise AssertionError("nothing waits in a section, so it was not measured")
        size = f"{many:,} cases, {name}"
        slowest = max(spent, key=lambda name: spent[name])
        yield Row(
            f"slowest page of the queue ({slowest}), {size}", None, spent[slowest] * 1000, "ms", at_most=_AT_MOST_MS
        )
        yield Row(f"counts of the queue, {size}", None, counted * 1000, "ms", at_most=_COUNTS_AT_MOST_MS)


def _pages(session: Session, name: str, clock: Callable[[], float]) -> float:
    read = partial(queue.page, session, name, roles=ROLES, operator=OPERATOR, on=DAY, limit=50)
    first = read(after=None)
    spent = seconds(partial(read, after=None), repeats=5, clock=clock)
    if first:
        place = (first[-1].deadline, first[-1].object)
        spent = max(spent, seconds(partial(read, after=place), repeats=5, clock=clock))
    return spent
