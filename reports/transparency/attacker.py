"""What somebody who holds the whole public list of rulings could conclude from one published group."""

import math
from collections import Counter
from collections.abc import Sequence

_CERTAIN = 1.0
_STEPS = 80
_CLOSE = 1e-9
_FLAT = 1e-14


def highest_posterior(rulings: Sequence[int], *, persons: int, sum_minor: int) -> float:
    """The probability with which the most exposed ruling on a public list is one of those that were paid.

    The attacker holds every subset of `persons` rulings for equally likely until the sum is published. Given count
    and sum, ruling i was paid with probability p(i) = 1 / (1 + exp(-(u + v * amount(i)))), where u and v make the
    expected count and sum equal to the published ones: the distribution of greatest entropy, to which counting
    the subsets that fit comes close as they become many (Jaynes 1957). A list that cannot explain the figures, or
    only at the very edge, answers 1.0.

    Args:
        rulings: the amounts on the list, minor units.
        persons: how many were paid; between 1 and `len(rulings)`.
        sum_minor: what was paid to them altogether.
    """
    if not 0 < persons < len(rulings):
        return _CERTAIN
    mean = sum(rulings) / len(rulings)
    width = math.sqrt(sum((amount - mean) ** 2 for amount in rulings) / len(rulings))
    if width == 0:
        return persons / len(rulings) if sum_minor == persons * rulings[0] else _CERTAIN
    scaled = [((amount - mean) / width, float(count)) for amount, count in Counter(rulings).items()]
    target = (sum_minor - persons * mean) / width
    tilt = _tilt(scaled, persons=persons, target=target)
    if tilt is None:
        return _CERTAIN
    level, slope = tilt
    edges = (min(scaled)[0], max(scaled)[0])  # p is monotone in the amount
    return max(_logistic(level + slope * edge) for edge in edges)


def _tilt(scaled: Sequence[tuple[float, float]], *, persons: int, target: float) -> tuple[float, float] | None:
    """(u, v) by Newton's method on the convex dual, halving steps that do not descend; None when it runs away."""
    size = sum(count for _, count in scaled)
    level, slope = math.log(persons / (size - persons)), 0.0

    def height(level: float, slope: float) -> float:
        return sum(count * _softplus(level + slope * z) for z, count in scaled) - level * persons - slope * target

    reached = height(level, slope)
    for _ in range(_STEPS):
        chances = [(z, count, _logistic(level + slope * z)) for z, count in scaled]
        by_level = sum(count * p for _, count, p in chances) - persons
        by_slope = sum(count * p * z for z, count, p in chances) - target
        if max(abs(by_level), abs(by_slope)) <= _CLOSE * size:
            return level, slope
        weights = [(z, count * p * (1 - p)) for z, count, p in chances]
        a = sum(weight for _, weight in weights)
        b = sum(weight * z for z, weight in weights)
        c = sum(weight * z * z for z, weight in weights)
        determinant = a * c - b * b
        if determinant <= _FLAT * size * size:
            return None
        step_level = (c * by_level - b * by_slope) / determinant
        step_slope = (a * by_slope - b * by_level) / determinant
        share = 1.0
        while (found := height(level - share * step_level, slope - share * step_slope)) > reached:
            share /= 2
            if share < _CLOSE:
                return None
        level, slope, reached = level - share * step_level, slope - share * step_slope, found
    return None


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
