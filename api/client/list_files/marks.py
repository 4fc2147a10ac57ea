"""Marks: what stands in a cell and is not seen, or changes how the rest is seen."""

import re
import unicodedata
from collections.abc import Iterator

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point: what is drawn as nothing, and NFKC_Casefold takes away."""
_JOINERS = "\u200c\u200d"
_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_DIRECTION = "a mark that changes the direction of writing"
_JOINING = frozenset(
    [
        "ARABIC",
        "SYRIAC",
        "MANDAIC",
        "NKO",
        "ADLAM",
        "MONGOLIAN",
        "DEVANAGARI",
        "BENGALI",
        "GURMUKHI",
        "GUJARATI",
        "ORIYA",
        "TAMIL",
        "TELUGU",
        "KANNADA",
        "MALAYALAM",
        "SINHALA",
        "TIBETAN",
        "MYANMAR",
        "KHMER",
    ]
)
"""Scripts in which a joiner between letters chooses how they are drawn, by the first word of their letters' names."""


def unseen(cell: str, *, is_name: bool) -> str | None:
    """Whether a cell holds what is not seen: two rulings that look the same would not be found to be.

    A name may hold what its script needs: joiners within scripts that join, and what chooses the form of an ideograph.
    """
    if "\N{REPLACEMENT CHARACTER}" in cell:
        return "a character that was lost before"
    for letter in () if cell.isprintable() else _unprintable(cell):
        category = unicodedata.category(letter)
        if category in {"Cc", "Cn", "Co", "Cs", "Zl", "Zp"}:
            return "a control character"
        if category == "Cf" and not (is_name and letter in _JOINERS):
            return _DIRECTION if letter in _OVERRIDES else "an invisible character"
    for match in INVISIBLE.finditer(cell):
        if not (is_name and _is_needed(match[0], after=cell[match.start() - 1 : match.start()])):
            return "an invisible character"
    return None


def _is_needed(mark: str, *, after: str) -> bool:
    script = unicodedata.name(after or " ", "").split(" ")[0]
    if mark in _JOINERS:
        return script in _JOINING
    return script == "CJK" and unicodedata.category(mark) == "Mn"


def _unprintable(cell: str) -> Iterator[str]:
    return (letter for letter in cell if not (letter.isprintable() or letter in "\t\n\r"))
