"""Small worlds, enumerated whole: what somebody who knows the program can conclude from what it publishes.

A world says how many people each cell (window, kind) has. Worlds that publish the same are the attacker's
uncertainty; over them every set of cells has a smallest and a largest count. The leaky releases at the end are
mistakes that were really tried: the same oracle has to find them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.transparency.blocks import Block, block_as_bytes
from reports.transparency.disclosure import Register, Ruling, Settings, next_window, release
from reports.transparency.safety import Item, Limits

K = 3
MUCH_LATER = date(2099, 1, 1)

Cell = tuple[int, str]
World = tuple[int, ...]
Group = tuple[tuple[str, ...], int]  # kinds, persons
Output = tuple[tuple[Group, ...], ...]  # one tuple of groups a window
Worlds = dict[Output, list[World]]


def small_settings(kinds: tuple[str, ...], *, persons_step: int) -> Settings:
    return Settings(
        kinds=kinds,
        first_month="2020-01",
        currency="EUR",
        persons_step=persons_step,
        limits=Limits(fewest_persons=K),
    )


def released(rule: Settings, *, windows: int) -> Callable[[World], tuple[Block, ...]]:
    """The real release over all windows, everybody getting 100.00 in the last month of their window."""
    width = len(rule.kinds)

    @cache
    def close(history: tuple[Block, ...], counts: World) -> Block:
        _, last = next_window(history, settings=rule)
        ends = [*(block.last_month for block in history), last]
        items = [
            Item(f"{window}{kind}{nth}", 10_000, kind, ends[window])
            for (window, kind), count in zip(product(range(len(ends)), rule.kinds), counts, strict=True)
            for nth in range(count)
        ]
        return release(items, history=history, register=None, settings=rule, on=MUCH_LATER)

    def publish(world: World) -> tuple[Block, ...]:
        history: tuple[Block, ...] = ()
        for window in range(windows):
            history = (*history, close(history, world[: (window + 1) * width]))
        return history

    return publish


def figures(blocks: tuple[Block, ...]) -> Output:
    return tuple(tuple((atom.kinds, atom.persons) for atom in block.atoms) for block in blocks)


def group_worlds(publish: Callable[[World], Output], *, cells: Sequence[Cell], top: int) -> Worlds:
    """All worlds with up to `top` people a cell, by output; without groups that the limit itself would narrow."""
    groups: Worlds = defaultdict(list)
    for world in product(range(top + 1), repeat=len(cells)):
        groups[publish(world)].append(world)
    return {output: worlds for output, worlds in groups.items() if max(map(max, worlds)) < top}


def bounds(worlds: Sequence[World], *, cells: Sequence[Cell]) -> Iterator[tuple[frozenset[Cell], int, int]]:
    """Every set of cells with the smallest and largest number of people it can have."""
    for size in range(1, len(cells) + 1):
        for chosen in combinations(range(len(cells)), size):
            counts = [sum(world[at] for at in chosen) for world in worlds]
            yield frozenset(cells[at] for at in chosen), min(counts), max(counts)


def find_leaks(groups: Mapping[Output, list[World]], *, cells: Sequence[Cell]) -> list[str]:
    """Sets of cells that are exactly known or provably not empty although fewer than k people need be in them."""
    return [
        f"{output}: {sorted(chosen)} between {low} and {high}"
        for output, worlds in groups.items()
        for chosen, low, high in bounds(worlds, cells=cells)
        if low < K and (low > 0 or low == high)
    ]


def find_narrowed(groups: Mapping[Output, list[World]], *, cells: Sequence[Cell], persons_step: int) -> list[str]:
    """Where fully published outputs tell more of a set of cells than the intervals of their atoms do."""
    half = persons_step // 2
    found = []
    for output, worlds in groups.items():
        if not all(output):
            continue
        atoms = [
            ({(window, kind) for kind in kinds}, max(K, persons - half), persons + half)
            for window, block in enumerate(output)
            for kinds, persons in block
        ]
        for chosen, low, high in bounds(worlds, cells=cells):
            inside = sum(fewest for members, fewest, _ in atoms if members <= chosen)
            touched = sum(most for members, _, most in atoms if members & chosen)
            if (low, high) != (inside, touched):
                found.append(f"{output}: {sorted(chosen)} {low}..{high} instead of {inside}..{touched}")
    return found


@pytest.mark.parametrize("persons_step", [1, 3])
@pytest.mark.parametrize(("kinds", "windows", "top"), [(("a", "b"), 2, 7), (("a", "b", "c"), 1, 9), (("a",), 4, 6)])
def test_no_set_of_cells_below_k_becomes_exactly_known_or_provably_positive(
    kinds: tuple[str, ...], windows: int, top: int, persons_step: int
) -> None:
    cells = list(product(range(windows), kinds))
    publish = released(small_settings(kinds, persons_step=persons_step), windows=windows)

    groups = group_worlds(lambda world: figures(publish(world)), cells=cells, top=top)

    assert len(groups) > 5
    assert any(all(output) for output in groups)
    assert any(not output[0] for output in groups)
    assert find_leaks(groups, cells=cells) == []


@pytest.mark.parametrize("persons_step", [1, 3])
@pytest.mark.parametrize(("kinds", "windows", "top"), [(("a", "b"), 2, 7), (("a", "b", "c"), 1, 9)])
def test_without_carry_nothing_is_known_beyond_the_atoms(
    kinds: tuple[str, ...], windows: int, top: int, persons_step: int
) -> None:
    cells = list(product(range(windows), kinds))
    publish = released(small_settings(kinds, persons_step=persons_step), windows=windows)

    groups = group_worlds(lambda world: figures(publish(world)), cells=cells, top=top)

    assert any(all(output) for output in groups)
    assert find_narrowed(groups, cells=cells, persons_step=persons_step) == []


def test_sums_of_two_amounts_do_not_tell_of_a_group_inside_an_atom() -> None:
    rule = small_settings(("a", "b"), persons_step=1)
    sizes = list(product("ab", (1, 3)))  # the amounts are 100.00 and 300.00, the step of sums
    groups: dict[bytes, list[World]] = defaultdict(list)
    for world in product(range(7), repeat=4):
        items = [
            Item(f"{kind}{amount}{nth}", amount * 10_000, kind, "2020-01")
            for (kind, amount), count in zip(sizes, world, strict=True)
            for nth in range(count)
        ]
        block = release(items, history=(), register=None, settings=rule, on=MUCH_LATER)
        if block.persons < 6:
            groups[block_as_bytes(block)].append(world)

    assert len(groups) > 10
    for worlds in groups.values():
        for cells in ((0, 1), (2, 3)):  # all of kind a, all of kind b
            counts = {sum(world[at] for at in cells) for world in worlds}
            sums = {sum(world[at] * sizes[at][1] for at in cells) for world in worlds}

            assert min(counts) == 0 or min(counts) >= K
            assert min(sums) == 0 or min(counts) >= K
            assert len(counts) > 1 or min(counts) >= K


def payments_by_output(amounts: list[int]) -> list[list[frozenset[int]]]:
    """Every choice of rulings that a fund may have paid, in groups that publish the same beside the public list."""
    rule = small_settings(("fine",), persons_step=3)
    register = Register(frozenset({"fine"}), tuple(Ruling("2020-01", "fine", amount * 100) for amount in amounts))
    groups: dict[bytes, list[frozenset[int]]] = defaultdict(list)
    for size in range(len(amounts) + 1):
        for paid in combinations(range(len(amounts)), size):
            items = [Item(f"p{at}", amounts[at] * 100, "fine", "2020-01") for at in paid]
            block = release(items, history=(), register=register, settings=rule, on=MUCH_LATER)
            groups[block_as_bytes(block)].append(frozenset(paid))
    return list(groups.values())


def largest_provable_share(worlds: list[frozenset[int]], *, rulings: int) -> Fraction:
    """Of any set of rulings, the largest part that was paid in every world of the group."""
    chosen = [frozenset(one) for size in range(1, rulings + 1) for one in combinations(range(rulings), size)]
    return max(Fraction(min(len(world & some) for world in worlds), len(some)) for some in chosen)


@pytest.mark.parametrize("rulings", [6, 7, 8, 9])
def test_counts_alone_never_prove_that_more_than_half_of_any_set_of_rulings_was_paid(rulings: int) -> None:
    groups = payments_by_output([810] * rulings)

    assert len(groups) > 1 or rulings < 7
    assert all(largest_provable_share(worlds, rulings=rulings) <= Fraction(1, 2) for worlds in groups)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([621, 675, 702, 810]), min_size=6, max_size=9))
def test_with_every_amount_known_nobody_is_certain(amounts: list[int]) -> None:
    # Alike amounts, so that no choice of three is dominated: see the limit that `attacker` states.
    groups = payments_by_output(amounts)

    assert all(not frozenset.intersection(*worlds) for worlds in groups)
    assert all(largest_provable_share(worlds, rulings=len(amounts)) <= Fraction(6, 10) for worlds in groups)


# Negative controls: releases that leak, and the oracle that has to see it.


def test_the_oracle_sees_through_plain_carry() -> None:
    def publish(world: World) -> Output:
        waiting, output = 0, []
        for fresh in world:
            passes = waiting + fresh >= K and fresh >= 1  # "at least one in the last month"
            output.append(((("a",), waiting + fresh),) if passes else ())
            waiting = 0 if passes else waiting + fresh
        return tuple(output)

    cells = [(0, "a"), (1, "a")]

    leaks = find_leaks(group_worlds(publish, cells=cells, top=8), cells=cells)

    assert leaks


def test_the_oracle_sees_through_greedy_merging_into_rest() -> None:
    def publish(world: World) -> Output:
        sizes = dict(zip("abc", world, strict=True))
        alone = {kind: size for kind, size in sizes.items() if size >= K}
        rest = [kind for kind in sizes if kind not in alone]
        if 0 < sum(sizes[kind] for kind in rest) < K and alone:
            smallest = min(alone, key=lambda kind: (alone[kind], kind))
            rest.append(smallest)
            del alone[smallest]
        groups: list[Group] = [((kind,), size) for kind, size in alone.items()]
        if sum(sizes[kind] for kind in rest) >= K:
            groups.append((tuple(sorted(rest)), sum(sizes[kind] for kind in rest)))
        return (tuple(groups),)

    cells = [(0, kind) for kind in "abc"]

    leaks = find_leaks(group_worlds(publish, cells=cells, top=8), cells=cells)

    assert leaks


def test_the_oracle_sees_through_trying_another_dimension_when_one_fails() -> None:
    def publish(world: World) -> Output:
        total = sum(world)
        if total < K:
            return ((),)
        for kind, size in zip("abc", world, strict=True):
            if min(size, total - size) >= K:
                return ((((kind,), size), (tuple(other for other in "abc" if other != kind), total - size)),)
        return (((("a", "b", "c"), total),),)

    cells = [(0, kind) for kind in "abc"]

    leaks = find_leaks(group_worlds(publish, cells=cells, top=8), cells=cells)

    assert leaks


@pytest.mark.parametrize("margin", [lambda total: (total + 1) // 3 * 3, lambda total: total], ids=["rounded", "exact"])
def test_the_oracle_sees_through_a_margin_that_is_not_the_sum_of_atoms(margin: Callable[[int], int]) -> None:
    cells = [(0, "a"), (0, "b")]
    publish = released(small_settings(("a", "b"), persons_step=3), windows=1)
    totals: dict[World, int] = {}

    def with_margin(world: World) -> Output:
        totals[world] = margin(sum(world))
        return figures(publish(world))

    groups = group_worlds(with_margin, cells=cells, top=9)
    by_margin: dict[tuple[Output, int], list[World]] = defaultdict(list)
    for output, worlds in groups.items():
        for world in worlds:
            by_margin[output, totals[world]].append(world)

    narrowed = [
        found
        for (output, _), worlds in by_margin.items()
        for found in find_narrowed({output: worlds}, cells=cells, persons_step=3)
    ]

    assert find_narrowed(groups, cells=cells, persons_step=3) == []
    assert narrowed


def test_the_oracle_sees_through_exact_totals_of_all_time() -> None:
    cells = [(0, "a"), (1, "a")]
    publish = released(small_settings(("a",), persons_step=3), windows=2)

    def with_totals(world: World) -> Output:
        totals = tuple((("all",), sum(world[: window + 1])) for window in range(2))
        return (*figures(publish(world)), totals)

    leaks = find_leaks(group_worlds(with_totals, cells=cells, top=8), cells=cells)

    assert leaks


def test_the_oracle_sees_through_months_published_again_with_late_payments() -> None:
    cells = [(0, "a"), (1, "a")]  # what was known at first, what came late

    def publish(world: World) -> Output:
        sums = (world[0], world[0] + world[1])
        return tuple(((("a",), size),) if size >= K else () for size in sums)

    leaks = find_leaks(group_worlds(publish, cells=cells, top=8), cells=cells)

    assert leaks
