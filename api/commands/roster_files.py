"""The file of a signed roster, as officers hand it to each other and to the server."""

import json
from pathlib import Path
from typing import Any

from ledger.errors import BadInput


class BadRosterFile(BadInput):
    """Not the file that `solidarity operators propose` wrote."""

    rule = "bad_roster_file"


def read_roster_file(path: Path) -> dict[str, Any]:
    """The file of a roster: canonical document, signatures by alias, vault wraps.

    Raises:
        BadRosterFile: it is none.
    """
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise BadRosterFile("the file cannot be read", where="roster") from None
    if not isinstance(told, dict) or set(told) != {"document", "signatures", "wraps"}:
        raise BadRosterFile("not a roster file", where="roster")
    return told
