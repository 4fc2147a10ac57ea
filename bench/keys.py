"""How fast shelves are drawn, boxes sealed and opened, and wraps renewed: `python bench/keys.py`."""

import json
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

from api.client import keyring, sealing

SECONDS = 1.0
"""How long each is repeated."""
PLACE: dict[str, Any] = {"kind": "beneficiary", "alias": "B-0000-0000-0001", "field": "identity", "version": 1}


def measure(*, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Rows of name, floor, ours, ratio and unit; the floor is one X-Wing encapsulation to the same key."""
    device, vault = keyring.create("OP-0000-0000-0001"), keyring.create_vault("people")
    newer = keyring.create_vault("people", 2)
    shelf = sealing.draw_shelf(
        vault.public(), alias=PLACE["alias"], signer=lambda message: keyring.sign(device, message)
    )
    seed = sealing.open_wrap(vault, shelf.wrap, alias=shelf.alias, public=shelf.public)
    content = secrets.token_bytes(900)
    box = sealing.seal(shelf.public, content, **PLACE).data

    def rewrap() -> None:
        opened = sealing.open_wrap(vault, shelf.wrap, alias=shelf.alias, public=shelf.public)
        sealing.rewrap(newer.public(), opened, alias=shelf.alias)

    floor = _rate(lambda: sealing.wrap_seed(seed, shelf.public, bound_to=b""), seconds)
    done: dict[str, Callable[[], object]] = {
        "seal a box": lambda: sealing.seal(shelf.public, content, **PLACE),
        "open a box": lambda: sealing.open_box(seed, box, **PLACE),
        "open a wrap": lambda: sealing.open_wrap(vault, shelf.wrap, alias=shelf.alias, public=shelf.public),
        "re-wrap a shelf": rewrap,
    }
    return [_row(name, floor, _rate(what, seconds)) for name, what in done.items()]


def _row(name: str, floor: float, ours: float) -> dict[str, Any]:
    return {"name": name, "floor": round(floor), "ours": round(ours), "ratio": round(ours / floor, 2), "unit": "1/s"}


def _rate(what: Callable[[], object], seconds: float) -> float:
    started, times = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        what()
        times += 1
    return times / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(), indent=2) + "\n")
