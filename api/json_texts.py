"""JSON of others: of the processor, of central banks, in files. What two readers could read differently is refused."""

import json
from typing import Any, NoReturn

from ledger.errors import BadInput


class NotJson(BadInput):
    """Not JSON of RFC 8259, or JSON that does not say one thing: see `read`."""

    rule = "not_json"


def read(text: bytes | str, *, numbers_as_text: bool = False) -> Any:
    """What `text` says; with `numbers_as_text`, every number is the digits it is written with.

    Raises:
        NotJson: it is none (`NaN` and infinities are not), a name stands twice in an object, a number is so large
            that it would become infinite, a string has half a character (a surrogate alone), it is nested too deep.
    """
    try:
        written = text if isinstance(text, str) else text.decode(json.detect_encoding(text))
        written.encode()
        told = json.loads(
            written,
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_float=str if numbers_as_text else _finite,
            parse_int=str if numbers_as_text else int,
        )
        if "\\u" in written:  # only so can a half still come of a whole text
            json.dumps(told, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise NotJson("not JSON that says one thing", where="body") from None
    return told


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError
    return told


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise ValueError
    return number


def _refuse(_constant: str) -> NoReturn:
    raise ValueError
