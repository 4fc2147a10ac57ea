"""Proposals: which open lines of a bank are which open entries of its leaf, by amount and day; nothing is written here.

One line may be several entries, several lines one entry, and a reversal cancels the line it takes back. Sums are sought
among few and near candidates, and only as long as `MOST_TRIED` lasts: so time is bounded whatever a bank tells.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations

from ledger.reconciliation.statements import REVERSAL_WINDOW

WINDOW = timedelta(days=10)
"""How many days may lie between the bank's day and the books'."""
NEAR = timedelta(days=3)
MOST_PARTS = 4
"""Of how many items a sum is made at most."""
MOST_CANDIDATES = 12
"""Among how many of the nearest items it is sought."""
MOST_LOOKED_AT = 100
"""Among how many items by their days these nearest ones are chosen."""
MOST_TRIED = 100_000
"""How many sums are tried in one run; what is left waits for the next, or for a person."""
AUTOMATIC_FROM = 90
"""The score from which a proposal that is exact and unique is matched without a person."""


class Reason(StrEnum):
    """What speaks for a proposal; each has its weight. The counterparty's text is read on treasurers' devices only."""

    SAME_AMOUNT = "same_amount"
    SAME_SUM = "same_sum"
    SAME_DAY = "same_day"
    DAYS_NEAR = "days_near"
    ONLY_ONE = "only_one"
    TAKES_BACK = "takes_back"
    SAME_END_TO_END_ID = "same_end_to_end_id"
    COUNTERPARTY_TEXT = "counterparty_text"


WEIGHTS = {
    Reason.SAME_AMOUNT: 50,
    Reason.SAME_SUM: 30,
    Reason.SAME_DAY: 20,
    Reason.DAYS_NEAR: 10,
    Reason.ONLY_ONE: 30,
    Reason.TAKES_BACK: 40,
    Reason.SAME_END_TO_END_ID: 40,
    Reason.COUNTERPARTY_TEXT: 30,
}
"""Scores are sums of these, at most `MOST_SCORE`. An exact amount that is the only one within three days reaches 90."""
MOST_SCORE = 100


@dataclass(frozen=True, slots=True)
class Item:
    """An open line of the bank by its key, or an open entry by its number: what it moves in minor units, and when.

    `trace` is a token of a line's end-to-end id: what takes a payment back has the payment's.
    """

    key: str
    minor: int
    on: date
    reversal: bool = False
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines and entries of one sum; of a line that is taken back there are two lines of no sum, and no entry."""

    lines: tuple[str, ...]
    entries: tuple[str, ...]
    reasons: tuple[Reason, ...]

    @property
    def score(self) -> int:
        """The sum of the reasons' weights."""
        return score_of(self.reasons)

    @property
    def is_automatic(self) -> bool:
        """Whether it is exact and unique, one line and one entry."""
        alone = len(self.lines) == len(self.entries) == 1 and Reason.ONLY_ONE in self.reasons
        return alone and self.score >= AUTOMATIC_FROM


def score_of(reasons: Iterable[Reason]) -> int:
    """The sum of reasons' weights, at most `MOST_SCORE`."""
    return min(sum(WEIGHTS[one] for one in reasons), MOST_SCORE)


@dataclass(slots=True)
class _Tries:
    left: int = MOST_TRIED


@dataclass(slots=True)
class _Shelf:
    """Items of one amount, by their days."""

    items: list[Item] = field(default_factory=list)

    def near(self, on: date) -> list[Item]:
        """The items within the window, at most so many."""
        start, end = self._span(on)
        middle = bisect_left(self.items, on, lo=start, hi=end, key=lambda one: one.on)
        first = max(start, min(middle - MOST_CANDIDATES // 2, end - MOST_CANDIDATES))
        return self.items[first : min(first + MOST_CANDIDATES, end)]

    def count(self, on: date) -> int:
        """How many items are within the window."""
        start, end = self._span(on)
        return end - start

    def _span(self, on: date) -> tuple[int, int]:
        start = bisect_left(self.items, on - WINDOW, key=lambda one: one.on)
        return start, bisect_right(self.items, on + WINDOW, key=lambda one: one.on)


def propose(lines: Sequence[Item], entries: Sequence[Item]) -> list[Proposal]:
    """Proposals for open lines and open entries of one leaf, the best first; an item may stand in several."""
    of_lines, of_entries = _shelves(lines), _shelves(entries)
    found = list(_taken_back(lines))
    for line in lines:
        found += _one_to_one(line, of_lines[None, line.minor], of_entries.get((None, line.minor)))
    known = {key for one in found for key in (*one.lines, *(f"entry:{entry}" for entry in one.entries))}
    tries = _Tries()
    lone_lines = sorted((one for one in lines if one.key not in known), key=lambda one: one.on)
    lone_entries = sorted((one for one in entries if f"entry:{one.key}" not in known), key=lambda one: one.on)
    for line in lone_lines:
        sums = _sums(line, lone_entries, tries)
        found += [Proposal((line.key,), keys, _of_sum(days)) for keys, days in sums]
    for entry in lone_entries:
        found += [Proposal(keys, (entry.key,), _of_sum(days)) for keys, days in _sums(entry, lone_lines, tries)]
    return sorted(found, key=lambda one: (-one.score, one.lines, one.entries))


def _shelves(items: Sequence[Item], *, by_trace: bool = False) -> Mapping[tuple[str | None, int], _Shelf]:
    shelves: dict[tuple[str | None, int], _Shelf] = defaultdict(_Shelf)
    for item in sorted(items, key=lambda one: (one.on, one.key)):
        shelves[item.trace if by_trace else None, item.minor].items.append(item)
    return shelves


def _one_to_one(line: Item, alike: _Shelf, shelf: _Shelf | None) -> Iterator[Proposal]:
    candidates = shelf.near(line.on) if shelf is not None else []
    for entry in candidates:
        reasons = [Reason.SAME_AMOUNT, *_by_day(abs(entry.on - line.on))]
        if shelf is not None and shelf.count(line.on) == 1 and alike.count(entry.on) == 1:
            reasons.append(Reason.ONLY_ONE)
        yield Proposal((line.key,), (entry.key,), tuple(reasons))


def _taken_back(lines: Sequence[Item]) -> Iterator[Proposal]:
    """Each reversal against the last line before it that it takes back, of its end-to-end id if there is one.

    A line that a bank does not call a reversal is one by the end-to-end id alone.
    """
    originals = [one for one in lines if not one.reversal]
    shelves, traced = _shelves(originals), _shelves([one for one in originals if one.trace], by_trace=True)
    for taken in lines:
        same = _last_before(taken, traced.get((taken.trace, -taken.minor))) if taken.trace else None
        if same is not None:
            reasons = (Reason.TAKES_BACK, Reason.SAME_END_TO_END_ID, *_by_day(taken.on - same.on))
            yield Proposal((same.key, taken.key), (), reasons)
            continue
        last = _last_before(taken, shelves.get((None, -taken.minor))) if taken.reversal else None
        if last is not None:
            yield Proposal((last.key, taken.key), (), (Reason.TAKES_BACK, *_by_day(taken.on - last.on)))


def _last_before(taken: Item, shelf: _Shelf | None) -> Item | None:
    """The last item up to the day of one that takes it back; of that day any, when the bank calls that a reversal."""
    if shelf is None:
        return None
    until = (
        bisect_right(shelf.items, taken.on, key=lambda one: one.on)
        if taken.reversal
        else bisect_left(shelf.items, (taken.on, taken.key), key=lambda one: (one.on, one.key))
    )
    last = shelf.items[until - 1] if until else None
    return last if last is not None and taken.on - last.on <= REVERSAL_WINDOW else None


def _sums(whole: Item, parts: Sequence[Item], tries: _Tries) -> Iterator[tuple[tuple[str, ...], timedelta]]:
    """The smallest sums of near parts that go the same way, and how far the farthest part is; at most three."""
    if tries.left <= 0:
        return
    middle = bisect_left(parts, whole.on, key=lambda one: one.on)
    around = parts[max(middle - MOST_LOOKED_AT // 2, 0) : middle + MOST_LOOKED_AT // 2]
    near = [one for one in around if _is_part(one, whole)]
    near = sorted(near, key=lambda one: (abs(one.on - whole.on), one.key))[:MOST_CANDIDATES]
    told = 0
    for size in range(2, MOST_PARTS + 1):
        for chosen in combinations(near, size):
            tries.left -= 1
            if sum(one.minor for one in chosen) == whole.minor:
                told += 1
                yield tuple(sorted(one.key for one in chosen)), max(abs(one.on - whole.on) for one in chosen)
            if told == 3 or tries.left <= 0:  # noqa: PLR2004  # as promised
                return


def _is_part(one: Item, whole: Item) -> bool:
    same_way = (one.minor > 0) == (whole.minor > 0)
    return same_way and abs(one.minor) < abs(whole.minor) and abs(one.on - whole.on) <= WINDOW


def _of_sum(farthest: timedelta) -> tuple[Reason, ...]:
    return (Reason.SAME_SUM, *_by_day(farthest))


def _by_day(apart: timedelta) -> list[Reason]:
    if not apart:
        return [Reason.SAME_DAY]
    return [Reason.DAYS_NEAR] if apart <= NEAR else []
