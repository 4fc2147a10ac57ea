"""Run by the peers' own Python: entries of two lines posted and committed by python-accounting for so many seconds.

On a file of SQLite that is as durable as ours. Prints the entries per second.
"""

import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from python_accounting.database.session import get_session
from python_accounting.models import Account, Base, Currency, Entity, LineItem
from python_accounting.transactions import JournalEntry
from sqlalchemy import create_engine, event


def main(lasting: float) -> None:
    """Posts for `lasting` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'peer.db'}")
        event.listen(engine, "connect", _make_durable)
        Base.metadata.create_all(engine)
        with get_session(engine) as session:
            book = _found(session)
            _post(session, *book)  # caches
            started, posted = time.perf_counter(), 0
            while time.perf_counter() - started < lasting:
                _post(session, *book)
                posted += 1
            sys.stdout.write(f"{posted / (time.perf_counter() - started)}\n")


def _make_durable(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _found(session: Any) -> tuple[int, int, int]:
    entity = Entity(name="Invented Fund")
    session.add(entity)
    session.commit()
    currency = Currency(name="Euro", code="EUR", entity_id=entity.id)
    session.add(currency)
    session.commit()
    kinds = Account.AccountType.BANK, Account.AccountType.OPERATING_REVENUE
    accounts = [
        Account(name=kind.name, account_type=kind, currency_id=currency.id, entity_id=entity.id) for kind in kinds
    ]
    session.add_all(accounts)
    session.commit()
    return entity.id, accounts[0].id, accounts[1].id


def _post(session: Any, entity: int, bank: int, gifts: int) -> None:
    """In the steps that its documentation names."""
    entry = JournalEntry(
        narration="A gift", transaction_date=datetime.now(UTC).replace(tzinfo=None), account_id=bank, entity_id=entity
    )
    session.add(entry)
    session.flush()
    line = LineItem(narration="A gift", account_id=gifts, amount=20, entity_id=entity)
    session.add(line)
    session.flush()
    entry.line_items.add(line)
    session.add(entry)
    entry.post(session)
    session.commit()


if __name__ == "__main__":
    main(float(sys.argv[1]))
