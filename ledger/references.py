"""Creditor references (ISO 11649): what we ask payers and banks to carry back. Random, so they tell nothing."""

import re
import secrets

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_FORM = re.compile(r"RF(?!00|01|99)\d{2}[0-9A-Z]{1,21}", re.ASCII)  # 98 less a remainder below 97: 02 to 98
_RANDOM_LENGTH = 16


def draw() -> str:
    """A fresh reference such as `RF18` and 16 random characters (81 bits)."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return f"RF{98 - _remainder(body + 'RF00'):02d}{body}"


def is_reference(text: str) -> bool:
    """Whether `text`, without blanks, is a reference with right check digits (ISO 7064 MOD 97-10)."""
    return bool(_FORM.fullmatch(text)) and _remainder(text[4:] + text[:4]) == 1


def found_in(text: str) -> str | None:
    """The one valid reference in a free text, also when a bank has cut it into groups; None when none or several."""
    squeezed = re.sub(r"[\s/]+", "", text.upper())
    starts = [match.start() for match in re.finditer("RF", squeezed)]
    length = len("RF00") + _RANDOM_LENGTH
    candidates = {squeezed[start : start + length] for start in starts}
    valid = {candidate for candidate in candidates if len(candidate) == length and is_reference(candidate)}
    return valid.pop() if len(valid) == 1 else None


def _remainder(text: str) -> int:
    return int("".join(str(int(char, 36)) for char in text)) % 97
