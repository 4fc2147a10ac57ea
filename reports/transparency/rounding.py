"""Point 7: how figures are rounded, and what somebody who sees the rounded figure knows of the real one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """Steps for people and for sums in minor units. The step for people is odd, so that nothing lies halfway."""

    persons_step: int = 5
    sum_step_minor: int = 10_000

    def of_persons(self, count: int) -> int:
        """`count` to the nearest step."""
        return _nearest(count, step=self.persons_step)

    def of_sum(self, minor: int) -> int:
        """`minor` to the nearest step; halves go up."""
        return _nearest(minor, step=self.sum_step_minor)

    def persons_behind(self, count: int, *, fewest: int) -> tuple[int, int]:
        """The fewest and most people that publish the same figure as `count`, when fewer than `fewest` are silent."""
        shown, half = self.of_persons(count), self.persons_step // 2
        return max(fewest, shown - half), shown + half

    def sums_behind(self, minor: int) -> tuple[int, int]:
        """The smallest and largest sum that publish the same figure as `minor`."""
        shown, half = self.of_sum(minor), self.sum_step_minor // 2
        return shown - half, shown - half + self.sum_step_minor - 1


ROUNDING = Rounding()
"""To the nearest 5 people and the nearest 100 units of a currency with two decimals."""


def _nearest(value: int, *, step: int) -> int:
    return (2 * value + step) // (2 * step) * step
