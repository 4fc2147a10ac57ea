"""How fast everybody is shredded, and what it left in files is cleared. It leaves the books empty."""

import secrets
from collections.abc import Iterator
from functools import partial

from sqlalchemy import Engine, insert

from bench.databases import Books
from bench.rows import Row, seconds
from ledger.aliases import Kind, draw
from ledger.identities import erasure
from ledger.identities.erasure import KEYRING
from ledger.identities.shelves import PersonKey, Shelf
from ledger.storage import residue
from ledger.storage.engine import transaction

LOCKED_BYTES = 1198
"""What a locked wrap takes."""


def rows(books: Books, *, quick: bool) -> Iterator[Row]:
    """The keys of 100,000 people deleted; their shred keys, without which none opens, are gone before that."""
    people = 2_000 if quick else 100_000
    for name, engine in books.empty.items():
        _fill(engine, people)
        yield Row(f"shred {people:,} people, {name}", None, seconds(partial(_shred, engine)), "s", at_most=1.0)
        cleared = seconds(partial(residue.clear, engine, tables=KEYRING))
        yield Row(f"clear what it left in files, {name}", None, cleared, "s")


def _fill(engine: Engine, people: int) -> None:
    aliases = [draw(Kind.BENEFICIARY) for _ in range(people)]
    shelf = {"vault": "people", "epoch": 1, "sealing_key": b"", "signature": "", "signer": ""}
    with transaction(engine) as session:
        session.connection().execute(insert(Shelf), [shelf | {"alias": alias} for alias in aliases])
        keys = [{"alias": alias, "epoch": 1, "locked": secrets.token_bytes(LOCKED_BYTES)} for alias in aliases]
        session.connection().execute(insert(PersonKey), keys)


def _shred(engine: Engine) -> None:
    with transaction(engine) as session:
        erasure.delete_all_keys(session)
