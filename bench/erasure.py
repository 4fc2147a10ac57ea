"""How fast people are shredded: 100,000 keys deleted, on the database of an address.

python bench/erasure.py sqlite:///NEW-FILE | postgresql://…EMPTY-DATABASE
"""

import secrets
import sys
import time
from collections.abc import Callable

from sqlalchemy import insert

from ledger.aliases import Kind, draw
from ledger.identities import erasure
from ledger.identities.erasure import KEYRING
from ledger.identities.shelves import PersonKey, Shelf
from ledger.storage import residue, schema
from ledger.storage.engine import open_database, transaction

PEOPLE = 100_000
LOCKED_BYTES = 1198
"""What a locked wrap takes."""


def main(address: str) -> None:
    """Fills an empty database with invented people, shreds them, and clears the residue."""
    engine = open_database(address)
    schema.migrate(engine)
    aliases = [draw(Kind.BENEFICIARY) for _ in range(PEOPLE)]
    with transaction(engine) as session:
        shelf = {"vault": "people", "epoch": 1, "sealing_key": b"", "signature": "", "signer": ""}
        session.connection().execute(insert(Shelf), [shelf | {"alias": alias} for alias in aliases])
        keys = [{"alias": alias, "epoch": 1, "locked": secrets.token_bytes(LOCKED_BYTES)} for alias in aliases]
        session.connection().execute(insert(PersonKey), keys)

    def shred() -> None:
        with transaction(engine) as session:
            erasure.delete_all_keys(session)

    _time(f"shred {PEOPLE} people", shred)
    _time("clear the residue", lambda: residue.clear(engine, tables=KEYRING))
    engine.dispose()


def _time(what: str, run: Callable[[], object]) -> None:
    started = time.perf_counter()
    run()
    sys.stdout.write(f"{what}: {time.perf_counter() - started:.2f} s\n")


if __name__ == "__main__":
    main(sys.argv[1])
