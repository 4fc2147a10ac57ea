"""The typefaces of every PDF, embedded from the installed packages; and the refusal of what they cannot show."""

import unicodedata
from functools import cache
from importlib import resources
from typing import Any

from reportlab import rl_config

from ledger.errors import BadInput

SANS, SEMIBOLD, SERIF = "SourceSansPro", "SourceSansPro-Semibold", "SourceSerifPro-Semibold"
_FILES = {
    SANS: ("font_source_sans_pro", "SourceSansPro-Regular.ttf"),
    SEMIBOLD: ("font_source_sans_pro", "SourceSansPro-Semibold.ttf"),
    SERIF: ("font_source_serif_pro", "SourceSerifPro-Semibold.ttf"),
}

# Before the rest of reportlab is imported: some of it copies these, and would then name Helvetica in every file.
rl_config.canvas_basefontname = rl_config.defaultGraphicsFontName = SANS
rl_config.invariant = 1
rl_config.useA85 = 0

from reportlab.pdfbase import pdfmetrics  # noqa: E402 - only after rl_config is set
from reportlab.pdfbase.ttfonts import TTFont  # noqa: E402 - only after rl_config is set


class MissingGlyph(BadInput):
    """The typeface cannot show a character; a box in its place would hide what was written."""

    rule = "missing_glyph"


def compose(text: str, *, font: str, where: str) -> str:
    """`text` in composed Unicode (NFC), every character of which `font` has.

    Raises:
        MissingGlyph: it lacks one; control characters too. `where` tells the place, `code_point` which.
    """
    composed = unicodedata.normalize("NFC", text)
    known = _load(font).face.charToGlyph
    for character in composed:
        if ord(character) not in known:
            code_point = f"U+{ord(character):04X}"
            raise MissingGlyph(f"the typeface has no {code_point}", where=where, code_point=code_point)
    return composed


def measure(text: str, *, font: str, size: float) -> float:
    """How wide `text` is, in points."""
    return float(_load(font).stringWidth(text, size))


def load_all() -> None:
    """Makes every typeface known to reportlab by its name."""
    for font in _FILES:
        _load(font)


@cache
def _load(font: str) -> Any:
    package, file = _FILES[font]
    with resources.as_file(resources.files(package) / "files" / file) as path:
        loaded = TTFont(font, str(path))
    pdfmetrics.registerFont(loaded)
    return loaded
