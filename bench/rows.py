"""Rows: what one line of the table holds, and how one way of doing something, or two side by side, are timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """`floor` and `ours` in `unit`; the floor is None where nothing barer does the same.

    A row with `at_most` is a time: less is better, and `ours` should not pass it. Any other row is a rate: more is
    better, and `target` is what `ratio` should reach, None where the figure is only told.
    """

    name: str
    floor: float | None
    ours: float
    unit: str
    target: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the floor: below 1 is slower, of a rate as of a time."""
        if self.floor is None:
            return None
        return self.ours / self.floor if self.at_most is None else self.floor / self.ours

    @property
    def reached(self) -> bool:
        """Whether the target is; a row without one always is."""
        if self.at_most is not None:
            return self.ours <= self.at_most
        return self.target is None or (self.ratio is not None and self.ratio >= self.target)


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


def seconds(run: Callable[[], object], *, repeats: int = 1, clock: Callable[[], float] = time.perf_counter) -> float:
    """The median of some runs, by the clock on the wall or another one."""
    times = []
    for _ in range(repeats):
        started = clock()
        run()
        times.append(clock() - started)
    return median(times)


def rate(run: Callable[[], object], repeated: float) -> float:
    """Runs per second, repeated for so many seconds."""
    started, times = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < repeated:
        run()
        times += 1
    return times / passed
