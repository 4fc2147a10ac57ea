"""What of a row is compared with other rows: person, ruling and figures, as different hands and languages write them.

The server is told keyed hashes of these, for every epoch whose key the device holds. This is version 2 of the writing;
version 1, the fold alone, is sent beside it as epoch 0: it asks for what came before, and is not kept.
"""

import re
from collections.abc import Mapping
from typing import Any

from api.client import sealing
from api.client.list_files.marks import INVISIBLE
from api.client.lists import ListRow
from ledger.aid.intake import FIGURES, PERSON, RULING
from ledger.identities.shelves import OLDER_WRITING

_LETTERS = str.maketrans({"\u0451": "\u0435"})
"""Russian and Belarusian io is often written as ie, and stands for the same letter then."""
_APOSTROPHES = re.compile("['`\u00b4\u02b9\u02bc\u2018\u2019]")
_BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3000-\u303f]+")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_NUMBER_SIGN = re.compile(
    r"^(?:(?:\u0434\u0435\u043b\u043e|\u0441\u043f\u0440\u0430\u0432\u0430|case|"
    r"\u043d\u043e\u043c\u0435\u0440|\u043d\u0443\u043c\u0430\u0440|no|nr|n|#)[\s.:\u00ba\u00b0]*)+(?=\d)"
)


def tokens_of(row: ListRow, token_keys: Mapping[int, bytes]) -> list[dict[str, Any]]:
    """The tokens of person, ruling and figures for every epoch: cases with the same ones may be the same."""
    now = {PERSON: person(row.name), RULING: ruling(row), FIGURES: figures(row)}
    before = {PERSON: row.name, RULING: _as_written(row)}
    return [
        {
            "epoch": OLDER_WRITING if older else epoch,
            "field": field,
            "value": sealing.token(key, field=field, value=value),
        }
        for epoch, key in token_keys.items()
        for older, written in ((False, now), (True, before))
        for field, value in written.items()
    ]


def person(name: str) -> str:
    """A name without what is not seen, case, punctuation and the order of its parts."""
    parts = _BETWEEN_WORDS.split(_APOSTROPHES.sub("", _folded(name)))
    return " ".join(sorted(part for part in parts if part)) or _folded(name)


def ruling(row: ListRow) -> str:
    """What tells one ruling and obligation from another: two rows that agree in it may be one case."""
    court = " ".join(_BETWEEN_WORDS.split(_folded(row.court))).strip()
    return f"{court}\n{_number(row.ruling_number)}\n{row.issued_on}\n{row.kind}"


def figures(row: ListRow) -> str:
    """The digits of the number, the day and the sum: the same in every language, and of two rulings by chance."""
    digits = "".join(letter for letter in _number(row.ruling_number) if letter.isdecimal())
    told = digits or _number(row.ruling_number)
    return f"{told}\n{row.issued_on}\n{row.amount.decimal()} {row.amount.currency}"


def _folded(text: str) -> str:
    return INVISIBLE.sub("", sealing.fold(INVISIBLE.sub("", text))).translate(_LETTERS)


def _number(text: str) -> str:
    return re.sub(r"\s+", "", _NUMBER_SIGN.sub("", _DASHES.sub("-", _folded(text))))


def _as_written(row: ListRow) -> str:
    return f"{row.court}\n{row.ruling_number}\n{row.issued_on}\n{row.kind}"
