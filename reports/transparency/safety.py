"""Point 4 of the release rule: whether a group may be spoken of at all."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ledger.errors import BadInput
from reports.transparency import months
from reports.transparency.attacker import highest_posterior
from reports.transparency.rounding import ROUNDING, Rounding

Series = Literal["main", "large"]


class BadItem(BadInput):
    """A payment that says nothing: of zero, without a kind or a person, or in an unknown series."""

    rule = "bad_item"


@dataclass(frozen=True, slots=True)
class Item:
    """One payment (or gift) in the block's currency; negative when it corrects an earlier one.

    `person` is an alias and never leaves this computation. `month` is the month it was *recorded* in (point 2);
    `list_of` the agent on whose list the person stands, if any.
    """

    person: str
    minor: int
    kind: str
    month: str
    list_of: str | None = None
    series: Series = "main"

    def __post_init__(self) -> None:
        months.check(self.month)
        if self.minor == 0 or not self.kind or not self.person or self.series not in ("main", "large"):
            raise BadItem("an item needs a person, a kind, a series and an amount other than zero", where="item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The constants of point 4; smaller ones are for tests only."""

    fewest_persons: int = 10
    dominance_percent: int = 90
    p_percent: int = 10
    highest_posterior: float = 0.6


LIMITS = Limits()


def safe(
    items: Sequence[Item], rulings: Sequence[int] | None, *, limits: Limits = LIMITS, rounding: Rounding = ROUNDING
) -> bool:
    """Point 4, whole: whether the count and the sum of `items` may be published.

    A person counts when what they got is more than what was taken back from them (point 8). Amounts are looked at
    twice, of those people alone and of everybody including corrections by their absolute size, so that neither a
    payment nor a correction stands out. An empty set is unsafe.

    Args:
        items: of one series, one currency.
        rulings: amounts in minor units of the known rulings these payments could belong to; None for a signed
            "no register".
        limits: the constants.
        rounding: how the figures would be published, which is what the holder of the list sees.
    """
    paid = _net_by_person(items)
    return (
        len(paid) >= limits.fewest_persons
        and _is_spread(paid.values(), limits=limits)
        and _is_spread(_moved_by_person(items).values(), limits=limits)
        and _survives_a_seized_list(items, paid=paid, limits=limits)
        and (rulings is None or not is_exposed(items, rulings, limits=limits, rounding=rounding))
    )


def is_exposed(
    items: Sequence[Item], rulings: Sequence[int], *, limits: Limits = LIMITS, rounding: Rounding = ROUNDING
) -> bool:
    """The end of point 4: whether a public list of `rulings` says too much about who these people are.

    That is so when they are more than half of the list (saturation), or when, by count and sum, some ruling on it
    was more likely paid than `limits.highest_posterior`. Nobody is exposed by no payment.
    """
    paid = _net_by_person(items)
    if not paid:
        return False
    if 2 * len(paid) > len(rulings):
        return True
    guess = highest_posterior(
        rulings,
        persons=rounding.persons_behind(len(paid), fewest=min(len(paid), limits.fewest_persons)),
        sums=rounding.sums_behind(sum(paid.values())),
    )
    return guess > limits.highest_posterior


def count_persons(items: Iterable[Item]) -> int:
    """How many people got more than was taken back from them: the count that `safe` looks at and atoms publish."""
    return len(_net_by_person(items))


def _net_by_person(items: Iterable[Item]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for item in items:
        sums[item.person] += item.minor
    return {person: minor for person, minor in sums.items() if minor > 0}


def _moved_by_person(items: Iterable[Item]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for item in items:
        sums[item.person] += abs(item.minor)
    return sums


def _is_spread(amounts: Iterable[int], *, limits: Limits) -> bool:
    """Dominance (two largest), the p % rule and the outlier rule, in whole numbers.

    The outlier rule (x1 - m)^2 <= max(sum of (xi - m)^2, (n - 1)(m / 4)^2), with m the mean of the others, is
    multiplied by 16 (n - 1)^2.
    """
    ordered = sorted(amounts, reverse=True)
    if len(ordered) < 2:  # noqa: PLR2004 - nobody can be compared with nobody
        return False
    largest, second, total = ordered[0], ordered[1], sum(ordered)
    count, others = len(ordered) - 1, total - largest
    deviation = sum((count * amount - others) ** 2 for amount in ordered[1:])
    return (
        100 * (largest + second) <= limits.dominance_percent * total
        and 100 * (others - second) >= limits.p_percent * largest
        and 16 * (count * largest - others) ** 2 <= max(16 * deviation, count * others**2)
    )


def _survives_a_seized_list(items: Sequence[Item], *, paid: dict[str, int], limits: Limits) -> bool:
    """Without any one agent's list, nobody or at least k people remain: who holds it meets no smaller group."""
    agents = {item.list_of for item in items} - {None}
    for agent in agents:
        remaining = {item.person for item in items if item.list_of != agent and item.minor > 0} & paid.keys()
        if 0 < len(remaining) < limits.fewest_persons:
            return False
    return True
