"""Lines of text from bytes: the encoding proven or declared, every line with its number, long ones refused."""

import codecs
import re
from collections.abc import Iterator
from io import BytesIO

from api.client.bank_files.lines import UnreadableFile

LARGEST_FILE = 64 * 2**20
"""Bytes. A year of a busy account is a tenth of it."""
LONGEST_LINE = 2**16
"""Characters. No bank writes a tenth of it."""

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LINES = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_CHUNK = 2**16
_HEAD = 2**18


def choose_encoding(data: bytes, *, otherwise: str) -> str:
    """UTF-8 where all of it is, UTF-16 or UTF-8 with their marks, else the encoding `otherwise`.

    Raises:
        UnreadableFile: the file is too large.
    """
    if len(data) > LARGEST_FILE:
        raise UnreadableFile(f"a file of more than {LARGEST_FILE} bytes", where="the whole file")
    marked = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), None)
    return marked or ("utf-8" if _is_utf8(data) else otherwise)


def read_lines(data: bytes, *, encoding: str) -> Iterator[tuple[int, str]]:
    """Each line with its number from one, with the end that it has; a lone carriage return ends one too.

    Raises:
        UnreadableFile: a line is not in that encoding, holds a NUL, or is longer than LONGEST_LINE.
    """
    if encoding == "utf-16":
        try:
            data, encoding = data.decode("utf-16").encode(), "utf-8"
        except UnicodeError:
            raise UnreadableFile("bytes that are not in UTF-16", where="the whole file") from None
    number = 0
    for block in BytesIO(data):
        text = _decode(block, encoding=encoding, where=f"line {number + 1}")
        for line in _LINES.findall(text):  # str.splitlines ends lines at more characters than banks do
            number += 1
            yield number, line
        encoding = "utf-8" if encoding == "utf-8-sig" else encoding


def read_text(data: bytes, *, encoding: str) -> str:
    """All of it in one, every line ended by a newline only.

    Raises:
        UnreadableFile: something in it is not in that encoding, or is a NUL.
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"bytes that are not in {encoding}", where=f"line {line}") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableFile("a NUL character", where=f"line {line}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_head(data: bytes) -> str:
    """The first quarter of a mebibyte as text, however garbled: to recognise a format by, and for nothing else."""
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "latin-1")
    return data[:_HEAD].decode(encoding, errors="replace")


def _decode(block: bytes, *, encoding: str, where: str) -> str:
    if len(block) > 4 * LONGEST_LINE:
        raise UnreadableFile(f"a line of more than {LONGEST_LINE} characters", where=where)
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableFile(f"bytes that are not in {encoding}", where=where) from None
    if "\0" in text:
        raise UnreadableFile("a NUL character", where=where)
    if len(text) > LONGEST_LINE:
        raise UnreadableFile(f"a line of more than {LONGEST_LINE} characters", where=where)
    return text


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(view[start : start + _CHUNK], final=start + _CHUNK >= len(data))
    except UnicodeDecodeError:
        return False
    return True
