"""The attacker's best guess, against counting every choice of rulings by hand."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.transparency import attacker
from reports.transparency.attacker import BadRuling, highest_posterior
from reports.transparency.rounding import Rounding

ROUNDING = Rounding(sum_step_minor=100)


def count_by_hand(rulings: list[int], *, persons: tuple[int, int], sums: tuple[int, int]) -> float:
    """Every choice, weighed so that each number of people is equally likely."""
    explained, with_ruling = 0.0, [0.0] * len(rulings)
    for size in range(persons[0], min(persons[1], len(rulings)) + 1):
        for chosen in combinations(range(len(rulings)), size):
            if sums[0] <= sum(rulings[at] for at in chosen) <= sums[1]:
                weight = 1 / math.comb(len(rulings), size)
                explained += weight
                for at in chosen:
                    with_ruling[at] += weight
    return max(with_ruling) / explained if explained else 1.0


@given(
    rulings=st.lists(st.sampled_from([27, 54, 81, 135, 270, 405]), min_size=4, max_size=10),
    paid=st.integers(min_value=1, max_value=4),
)
def test_the_guess_is_what_counting_every_choice_gives(rulings: list[int], paid: int) -> None:
    persons = (paid, paid + 2)
    sums = ROUNDING.sums_behind(sum(rulings[:paid]))

    guess = highest_posterior(rulings, persons=persons, sums=sums)

    assert guess == pytest.approx(count_by_hand(rulings, persons=persons, sums=sums))


@pytest.mark.parametrize(("size", "paid"), [(100, 30), (200, 40)])
def test_for_large_groups_entropy_comes_close_to_counting(
    size: int, paid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    amounts = [27, 54, 270, 405, 540, 810]
    rulings = [amounts[at * at % 6] for at in range(size)]
    window = {"persons": (paid - 2, paid + 2), "sums": ROUNDING.sums_behind(sum(rulings[::3][:paid]))}

    monkeypatch.setattr(attacker, "_AFFORDABLE", 10**12)
    counted = highest_posterior(rulings, **window)
    monkeypatch.setattr(attacker, "_AFFORDABLE", 0)
    estimated = highest_posterior(rulings, **window)

    assert estimated == pytest.approx(counted, abs=0.03)
    assert counted != estimated


@pytest.mark.parametrize("affordable", [0, 10**12])
def test_a_sum_at_the_edge_of_the_list_makes_the_attacker_certain(
    affordable: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attacker, "_AFFORDABLE", affordable)
    rulings = [100] * 40 + [100_000] * 10

    guess = highest_posterior(rulings, persons=(10, 10), sums=(1_000_000, 1_000_000))

    assert guess == pytest.approx(1.0, abs=1e-6)


def test_equal_amounts_leave_the_base_rate() -> None:
    assert highest_posterior([81_000] * 40, persons=(10, 10), sums=(810_000, 810_000)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("persons", "sums"),
    [((41, 43), (0, 10**9)), ((0, 2), (0, 10**9)), ((10, 12), (1, 2)), ((10, 12), (-500, -1))],
    ids=["more people than rulings", "nobody", "too small a sum", "a negative sum"],
)
def test_figures_that_the_list_cannot_explain_count_as_certain(persons: tuple[int, int], sums: tuple[int, int]) -> None:
    assert highest_posterior([81_000] * 40, persons=persons, sums=sums) == 1.0


def test_a_list_with_an_amount_of_nothing_is_refused() -> None:
    with pytest.raises(BadRuling):
        highest_posterior([81_000] * 30 + [0], persons=(10, 12), sums=(810_000, 810_000))
