"""Rows: what one line of the table holds, and how two ways of doing the same are timed side by side."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`floor` and `ours` in `unit`, more is better; `target` is what `ratio` should reach."""

    name: str
    floor: float
    ours: float
    unit: str
    target: float

    @property
    def ratio(self) -> float:
        """Ours by the floor."""
        return self.ours / self.floor

    @property
    def reached(self) -> bool:
        """Whether the target is."""
        return self.ratio >= self.target


def side_by_side(
    floor: Callable[[int], None], ours: Callable[[int], None], *, rounds: int, block: int, things: int = 1
) -> tuple[float, float]:
    """Things per second of both: `block` calls in turn, each told its number, so that a busy moment hits both alike."""
    spent = {floor: 0.0, ours: 0.0}
    for call in (floor, ours):
        call(-1)  # prepared statements, caches
    for turn in range(rounds):
        for call in (floor, ours):
            started = time.perf_counter()
            for nth in range(turn * block, (turn + 1) * block):
                call(nth)
            spent[call] += time.perf_counter() - started
    done = rounds * block * things
    return done / spent[floor], done / spent[ours]
