"""What a deletion leaves behind in files: free pages, dead rows, the write-ahead log; and how it is cleared away.

On PostgreSQL the write-ahead log holds every row that was ever written until its segments are removed. Segments that
are recycled keep their bytes under a new name, so the server runs with `wal_recycle = off`; archives and standbys keep
theirs for as long as their owner says. On SSDs and copying file systems old blocks outlive all this: disk encryption.
"""

import time
from collections.abc import Sequence

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from ledger.errors import Conflict

PATIENCE_SECONDS = 5.0
"""How long the clearing waits for readers to end."""
_OLDER_READERS = text(
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    "          AND age(backend_xmin) >= age(CAST(:horizon AS xid)))"
    "     + (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())"
    "     + (SELECT count(*) FROM pg_replication_slots WHERE xmin IS NOT NULL)"
)
_OLD_SEGMENTS = text(
    "SELECT count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND substr(name, 9) <= substr(:newest, 9)"
)


class ResidueRemains(Conflict):
    """What was deleted can still be read from a file; `why` tells what is in the way. Try again when it is gone.

    readers: somebody still reads what was there before. wal: the server recycles segments, a standby or an archive
    holds them, or this role may not look.
    """

    rule = "residue_remains"


def clear(engine: Engine, *, tables: Sequence[str], patience: float = PATIENCE_SECONDS) -> None:
    """Rewrites what held deleted rows of `tables` and empties the write-ahead log, and checks that both are done.

    Returns only when neither the database's files nor its write-ahead log hold a row that was deleted before the call.
    SQLite needs as much free disk space as the book takes; PostgreSQL locks the tables while it rewrites them.

    Raises:
        ResidueRemains: see there; the call may be repeated.
    """
    if engine.dialect.name == "sqlite":
        _clear_sqlite(engine, patience=patience)
    else:
        _clear_postgresql(engine, tables=tables, patience=patience)


def _clear_sqlite(engine: Engine, *, patience: float) -> None:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        try:
            # `secure_delete` blanks what we delete; what another program deleted without it goes with the old pages.
            cursor.execute("VACUUM")
        except engine.dialect.dbapi.OperationalError:  # type: ignore[union-attr]  # the dialect has a driver
            raise ResidueRemains("somebody reads or writes the book", why="readers") from None
        (busy, _, _) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise ResidueRemains("somebody reads or writes the book", why="readers")
    finally:
        raw.invalidate()  # its busy_timeout is another one


def _clear_postgresql(engine: Engine, *, tables: Sequence[str], patience: float) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        horizon = connection.scalar(text("SELECT pg_current_xact_id()::xid::text"))
        deadline = time.monotonic() + patience
        while connection.scalar(_OLDER_READERS, {"horizon": horizon}):
            if time.monotonic() > deadline:
                raise ResidueRemains("somebody reads what was there before", why="readers")
            time.sleep(0.05)
        try:
            for table in tables:
                connection.exec_driver_sql(f'VACUUM (FULL) "{table}"')
        except OperationalError:  # lock_timeout
            raise ResidueRemains("somebody holds the table", why="readers") from None
        newest = connection.scalar(text("SELECT pg_walfile_name(pg_switch_wal())"))
        connection.exec_driver_sql("CHECKPOINT")
        recycles = connection.scalar(text("SHOW wal_recycle")) == "on"
        if recycles or connection.scalar(_OLD_SEGMENTS, {"newest": newest}):
            raise ResidueRemains("the write-ahead log still holds what was deleted", why="wal")
