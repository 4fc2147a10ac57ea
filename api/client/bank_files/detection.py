"""Which format a bank's file has, by its content: never by its name, which people change."""

from api.client.bank_files import camt, mt940, ofx
from api.client.bank_files.lines import StatementFile, UnknownFormat

_READERS = (
    (ofx.recognise, ofx.read),
    (mt940.recognise, mt940.read),
    (camt.recognise, camt.read),
)
"""For each format: what tells its name, or None for a file of another; and what reads it."""


def read(data: bytes, *, format: str | None = None) -> StatementFile:  # noqa: A002 - the command line's word
    """The statements in a bank's file. `format`, where given, must be the one found: `camt.053`, or `camt` for any.

    Raises:
        UnknownFormat: no reader knows the file, or it has another format than `format`.
        UnreadableFile: something in it cannot be read exactly; nothing of it is taken.
    """
    for recognise, read_format in _READERS:
        found = recognise(data)
        if found is None:
            continue
        if format not in {None, found, found.partition(".")[0]}:
            raise UnknownFormat(f"the file is {found}, another format was asked for", where="the whole file")
        return read_format(data)
    raise UnknownFormat("no reader knows this file", where="the whole file")
