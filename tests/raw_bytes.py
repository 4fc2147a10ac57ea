"""The bytes in which somebody with the disk would look: every file of a database, as it lies there."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Engine, text


def files_of(engine: Engine) -> Iterator[Path]:
    """SQLite's file with its companions; of PostgreSQL the whole data directory, write-ahead log and all."""
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        yield from (path for path in file.parent.glob(file.name + "*") if path.is_file())
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")  # what is in memory only is no residue, and no control either
        folder = Path(str(connection.scalar(text("SHOW data_directory"))))
    yield from (path for path in folder.rglob("*") if path.is_file())


def holds(files: Iterable[Path], secret: bytes) -> bool:
    """Whether a file holds the secret, or one of four pieces of it: pages may be torn and rows cut."""
    step = len(secret) // 4
    pieces = [secret[start : start + 40] for start in range(0, step * 4, step)]
    for path in files:
        content = path.read_bytes()
        if any(piece in content for piece in pieces):
            return True
    return False
