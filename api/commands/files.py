"""Files that commands read: whole, or an error that names no content."""

from pathlib import Path

from ledger.errors import BadInput

LARGEST_FILE = 256 * 1024 * 1024


class UnreadableFile(BadInput):
    """The file is missing, too large, or may not be read."""

    rule = "unreadable_file"


def read_file(path: Path, *, at_most: int = LARGEST_FILE) -> bytes:
    """The bytes of a file of at most 256 MiB, or as many as told.

    Raises:
        UnreadableFile: see there.
    """
    try:
        if path.stat().st_size > at_most:
            raise UnreadableFile(f"the file is larger than {at_most // 2**20} MiB", where="file")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile("the file cannot be read", where="file", reason=error.strerror) from None
