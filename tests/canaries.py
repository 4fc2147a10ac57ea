"""Canaries: words that must not come out, and every spelling in which somebody would look for them."""

import base64
import html
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

import pikepdf


def spellings(word: str) -> set[bytes]:
    """The word in UTF-8 and UTF-16, as hexadecimal digits, in base64 at each alignment, and escaped for the web.

    Case is kept but for hexadecimal digits: search `haystack.lower()` with `word.lower()` too where it may change.
    """
    found: set[bytes] = set()
    for form in {word, unicodedata.normalize("NFD", word)}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            plain = form.encode(encoding)
            found |= {plain, plain.hex().encode(), plain.hex().upper().encode(), *_in_base64(plain)}
        escaped = {quote(form), quote_plus(form), html.escape(form), json.dumps(form)[1:-1]}
        escaped |= {text.lower() for text in escaped if "%" in text}
        escaped.add("".join(f"&#{ord(letter)};" if ord(letter) > 126 else letter for letter in form))
        found |= {text.encode() for text in escaped}
    return found


def sightings(words: Iterable[str], haystack: bytes) -> list[str]:
    """The words that stand in the haystack, in any spelling."""
    return [word for word in words if any(spelling in haystack for spelling in spellings(word))]


def text_of_pdf(pdf: bytes) -> bytes:
    """What is written on the pages, by the fonts' ToUnicode maps, and everything else in the file, unpacked."""
    found: list[bytes] = [pdf]
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        found.append(str(opened.docinfo).encode())
        found += [thing.read_bytes() for thing in opened.objects if isinstance(thing, pikepdf.Stream)]
        for page in opened.pages:
            found.append("".join(_strings_on(page)).encode())
    return b"\n".join(found)


def _strings_on(page: pikepdf.Page) -> Iterator[str]:
    fonts = {name: _unicode_map(font) for name, font in page.Resources.Font.items()}
    font = ""
    for instruction in pikepdf.parse_content_stream(page):
        if str(instruction.operator) == "Tf":
            font = str(instruction.operands[0])
        elif str(instruction.operator) == "Tj":
            yield "".join(fonts[font].get(byte, "") for byte in bytes(instruction.operands[0]))


def _unicode_map(font: pikepdf.Object) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-F]{2})> <([0-9A-F]{4})>", font.ToUnicode.read_bytes())
    return {int(code, 16): chr(int(point, 16)) for code, point in pairs}


def _in_base64(plain: bytes) -> set[bytes]:
    """What stands of the bytes in base64, whatever stands before and after them."""
    shifted = {base64.b64encode(bytes(shift) + plain)[-(-shift * 4 // 3) : -4] for shift in range(3)}
    return shifted | {text.replace(b"+", b"-").replace(b"/", b"_") for text in shifted}
