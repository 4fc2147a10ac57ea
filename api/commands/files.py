"""Files that commands read: whole, or an error that names no content."""

from pathlib import Path

from ledger.errors import BadInput

LARGEST_FILE = 256 * 1024 * 1024


class UnreadableFile(BadInput):
    """The file is missing, too large, or may not be read."""

    rule = "unreadable_file"


def read_file(path: Path) -> bytes:
    """The bytes of a file of at most 256 MiB.

    Raises:
        UnreadableFile: see there.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UnreadableFile("the file is larger than 256 MiB", where="file")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile("the file cannot be read", where="file", reason=error.strerror) from None
