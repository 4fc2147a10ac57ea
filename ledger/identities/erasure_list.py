"""The list of erasures, outside database and backups: a backup that is older than an erasure must not undo it.

Each line is one erasure: alias, moment, reason, who asked, who agreed. None of it tells who the person was.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from ledger.errors import NotFound, Tampered
from ledger.identities.person_keys import sync_directory

FILE_NAME = "erasures.list"
"""How the list is called in the directory of the shred keys."""
_LINE = re.compile(
    r"([A-Z]{1,2}(?:-[0-9A-Z]{4}){3}) (\S{20,32}) ([a-z]{1,20}) (OP(?:-[0-9A-Z]{4}){3}) (OP(?:-[0-9A-Z]{4}){3})"
)


class Reason(StrEnum):
    """Why somebody is erased. Their own wish and danger need no closed case; retention does."""

    WISH = "wish"
    DANGER = "danger"
    RETENTION = "retention"
    MISTAKE = "mistake"


class ErasureListMissing(NotFound):
    """There is no list of erasures here; without it a restore could bring back who was erased."""

    rule = "erasure_list_missing"


class ErasureListDamaged(Tampered):
    """A line is none of ours; `line` tells which."""

    rule = "erasure_list_damaged"


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was erased, known by the alias of their shelf, when and why, who asked and who agreed."""

    shelf: str
    at: datetime
    reason: Reason
    requested_by: str
    agreed_by: str


@dataclass(frozen=True, slots=True)
class ErasureList:
    """An append-only file."""

    path: Path

    def append(self, erased: Erased) -> None:
        """Adds a line, on disk when this returns. A line that a loss of power cut in two is taken away first."""
        words = (erased.shelf, erased.at.isoformat(), erased.reason, erased.requested_by, erased.agreed_by)
        line = " ".join(words) + "\n"
        if not _LINE.fullmatch(line[:-1]):
            raise ErasureListDamaged("what is to be listed is no erasure", line=0)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.ftruncate(descriptor, _length_of_whole_lines(descriptor))
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(self.path.parent)

    def read(self) -> list[Erased]:
        """Every erasure, in the order of the list; a last line that was cut in two was never agreed, and is left out.

        Raises:
            ErasureListMissing: there is no file. ErasureListDamaged: a line is none of ours.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            raise ErasureListMissing("there is no list of erasures") from None
        return list(_parse(content))


def _parse(content: bytes) -> Iterator[Erased]:
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        found = _LINE.fullmatch(line.decode("ascii", errors="replace"))
        if found is None:
            raise ErasureListDamaged("the line is no erasure", line=number)
        try:
            yield Erased(found[1], datetime.fromisoformat(found[2]), Reason(found[3]), found[4], found[5])
        except ValueError:
            raise ErasureListDamaged("the line is no erasure", line=number) from None


def _length_of_whole_lines(descriptor: int) -> int:
    size = os.fstat(descriptor).st_size
    content = os.pread(descriptor, size, 0)
    return content.rfind(b"\n") + 1
