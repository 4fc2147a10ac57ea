"""Canaries: words that must not come out, and every spelling in which somebody would look for them."""

import base64
import html
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import quote, quote_plus

import pikepdf

LATIN = {
    "passport": "g zh kh ts ch sh shch ie e i e iu ia",
    "bgn": "g zh kh ts ch sh shch - yo y e yu ya",
    "iso 9": "g ž h c č š ŝ - ë j è û â",
    "scholarly": "g ž x c č š šč - ë j è ju ja",
    "belarusian": "h ž ch c č š šč - io j e iu ia",
    "plain": "h zh h c ch sh sch - jo j e ju ja",
}
"""How the usual ways of writing Russian and Belarusian names in Latin letters write what they write differently."""
_VARYING = "гжхцчшщъёйэюя"
_COMMON = dict(zip("абвдезиклмнопрстуфыіў", "abvdeziklmnoprstufyiu", strict=True)) | {"ь": "", "'": ""}


def in_latin(word: str) -> set[str]:
    """The word as each scheme writes it, and without its accents; nothing where no letter is Cyrillic."""
    if not any("\u0400" <= letter <= "\u052f" for letter in word):
        return set()
    schemes = [dict(zip(_VARYING, scheme.replace("-", " - ").split(), strict=True)) for scheme in LATIN.values()]
    tables = [_COMMON | {letter: latin.strip("-") for letter, latin in scheme.items()} for scheme in schemes]
    written = {"".join(table.get(letter, letter) for letter in word.lower()) for table in tables}
    bare = {unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() for text in written}
    return {text.title() for text in written | bare if len(text) > SHORTEST}


SHORTEST = 4
"""A shorter word stands in random bytes by chance."""


@cache
def spellings(word: str) -> frozenset[bytes]:
    """The word in each of its forms and encodings, as somebody might plant it.

    Forms: as it is, in small and in capital letters, decomposed, in Latin letters. Encodings: UTF-8 and UTF-16, as
    hexadecimal digits, in base64 at each alignment, and escaped for the web and for JSON.
    """
    found: set[bytes] = set()
    for form in _forms(word):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            plain = form.encode(encoding)
            found |= {plain, plain.hex().encode(), plain.hex().upper().encode(), *_in_base64(plain)}
        escaped = {quote(form), quote_plus(form), html.escape(form), json.dumps(form)[1:-1]}
        escaped |= {text.lower() for text in escaped if "%" in text}
        escaped |= {_in_entities(form, "&#{};"), _in_entities(form, "&#x{:x};")}
        found |= {text.encode() for text in escaped}
    return frozenset(found)


def sightings(words: Iterable[str], haystack: bytes) -> list[str]:
    """The words that stand in the haystack, in any spelling, and in any mixture of small and capital letters."""
    texts = [haystack.decode("utf-8", "replace").casefold()]
    for shift in (0, 1):
        texts += [haystack[shift:].decode(kind, "replace").casefold() for kind in ("utf-16-le", "utf-16-be")]
    coded = b"\n".join(_CODED.findall(haystack))
    return [word for word in words if _is_in(word, texts=texts, coded=coded, haystack=haystack)]


_CODED = re.compile(rb"[A-Za-z0-9+/=_%&#;\\-]{8,}")
"""What may be bytes in an encoding of text."""


def _is_in(word: str, *, texts: list[str], coded: bytes, haystack: bytes) -> bool:
    if any(form in text for form in _folded(word) for text in texts):
        return True
    in_code, bare = _by_alphabet(word)
    return any(spelling in coded for spelling in in_code) or any(spelling in haystack for spelling in bare)


@cache
def _folded(word: str) -> frozenset[str]:
    return frozenset(form.casefold() for form in _forms(word))


@cache
def _by_alphabet(word: str) -> tuple[list[bytes], list[bytes]]:
    """The spellings in the letters that encoded bytes have, and the others."""
    in_code = [spelling for spelling in spellings(word) if _CODED.fullmatch(spelling)]
    return in_code, [spelling for spelling in spellings(word) if not _CODED.fullmatch(spelling)]


def _forms(word: str) -> set[str]:
    written = {word, *in_latin(word)}
    cased = {text for form in written for text in (form, form.lower(), form.upper())}
    return {unicodedata.normalize(kind, form) for form in cased for kind in ("NFC", "NFD")}


def _in_entities(word: str, form: str) -> str:
    return "".join(form.format(ord(letter)) if ord(letter) > 126 else letter for letter in word)


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
