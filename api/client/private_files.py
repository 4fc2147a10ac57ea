"""Files that name people: written whole, for their owner alone, and never over another file."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ledger.errors import Conflict, Refused
from ledger.identities.person_keys import sync_directory

FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""The bits of a folder that let others than its owner look into it."""


class FileStands(Conflict):
    """A file stands where this one should go; it was not touched."""

    rule = "file_exists"


class FolderNotPrivate(Refused):
    """Others than its owner may look into the folder, or it is none: nothing was written."""

    rule = "folder_not_private"


def write(path: Path, content: bytes) -> None:
    """Writes a new file that its owner alone can read, into any folder.

    Raises:
        FileStands: see there.
    """
    with create(path) as file:
        file.write(content)
    sync_directory(path.parent)


@contextmanager
def create(path: Path) -> Iterator[BinaryIO]:
    """A new file that its owner alone can read; removed again when the block fails.

    Raises:
        FileStands: see there.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FileStands("a file of this name stands there", where="out") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        path.unlink()
        raise


def require_private(folder: Path) -> None:
    """Refuses a folder that others may look into.

    Raises:
        FolderNotPrivate: see there.
    """
    if not folder.is_dir() or folder.stat().st_mode & FOR_OTHERS:
        raise FolderNotPrivate("the folder is there and for its owner alone (chmod 700)", where="out")
