"""Encodings of lists: bytes to text, one encoding for the whole file, or a refusal that names the line."""

import codecs

from api.client.list_files.faults import BadList

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LEGACY = "cp1251"


def decode(data: bytes) -> str:
    """UTF-8 with or without BOM, UTF-16 with BOM, or windows-1251.

    Raises:
        BadList: none of these, or lines in two of them: a row that somebody pasted in would get another name.
    """
    if data.startswith(_UTF_16):
        return _decode(data, "utf-16", "UTF-16")
    if b"\0" in data:
        raise BadList("the file holds a NUL character; UTF-16 needs its byte-order mark", where=_line_of(data, b"\0"))
    if data.startswith(codecs.BOM_UTF8):
        return _decode(data, "utf-8-sig", "UTF-8")
    try:
        return data.decode()
    except UnicodeDecodeError:
        _refuse_a_mixture(data)
        return _decode(data, _LEGACY, "windows-1251, nor in UTF-8")


def _decode(data: bytes, encoding: str, called: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, errors="ignore")
        raise BadList(f"the line is not in {called}", where=f"line {before.count(chr(10)) + 1}") from None
    if "\0" in text:
        raise BadList("the file holds a NUL character", where=f"line {text[: text.index(chr(0))].count(chr(10)) + 1}")
    return text


def _refuse_a_mixture(data: bytes) -> None:
    """Words in windows-1251 are never UTF-8 by chance, so a line that is UTF-8 among others that are not is foreign."""
    first: bool | None = None
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.isascii():
            continue
        is_utf8 = _is_utf8(line)
        first = is_utf8 if first is None else first
        if is_utf8 is not first:
            raise BadList("the line is in another encoding than the lines before it", where=f"line {number}")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _line_of(data: bytes, mark: bytes) -> str:
    line = data.count(b"\n", 0, data.index(mark)) + 1
    return f"line {line}"
