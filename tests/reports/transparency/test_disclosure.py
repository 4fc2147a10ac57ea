"""The release rule, point by point."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ledger.errors import BadInput
from reports.transparency import months
from reports.transparency.blocks import Atom, Block, block_as_bytes
from reports.transparency.disclosure import (
    BadSettings,
    BrokenHistory,
    Register,
    Ruling,
    Settings,
    StillOpen,
    next_window,
    release,
)
from reports.transparency.safety import BadItem, Item, Series

KINDS = ("fine", "detention", "court_fee")
RULE = Settings(kinds=KINDS, first_month="2020-08", currency="BYN", base_value_minor=2_700)
LATER = date(2030, 1, 1)


def some(count: int, kind: str = "fine", *, month: str, minor: int = 81_000, series: Series = "main") -> list[Item]:
    """So many people, each with one obligation of that kind."""
    return [Item(f"{month}{kind}{nth}", minor, kind, month, None, series) for nth in range(count)]


def close(items: Iterable[Item], *history: Block, register: Register | None = None, rule: Settings = RULE) -> Block:
    return release(items, history=history, register=register, settings=rule, on=LATER)


def a_block(first: str, last: str, *, persons: int, carried: Sequence[str] = ()) -> Block:
    atoms = (Atom(KINDS, persons, 10_000),) if persons else ()
    return Block(
        series="main", first_month=first, last_month=last, currency="BYN", atoms=atoms, carried_months=tuple(carried)
    )


# Point 1: series


def test_the_large_series_is_one_figure_a_year_rounded_to_a_thousand() -> None:
    large = replace(RULE, series="large", kinds=("bail",))
    items = [
        *some(11, "bail", month="2020-09", minor=1_234_500, series="large"),
        *some(40, "fine", month="2020-09"),
    ]

    block = close(items, rule=large)

    assert (block.first_month, block.last_month) == ("2020-08", "2020-12")
    assert block.atoms == (Atom(("bail",), 10, 13_600_000),)  # 11 people, 135,795.00
    assert next_window([block], settings=large) == ("2021-01", "2021-12")


def test_the_large_series_is_never_divided_below_ten_people() -> None:
    large = replace(RULE, series="large", kinds=("bail", "fine"))

    block = close(some(9, "bail", month="2020-09", series="large"), rule=large)

    assert block.atoms == ()


# Point 2: dating


def test_a_payment_recorded_late_changes_nothing_published_and_belongs_to_the_next_block() -> None:
    august = some(12, month="2020-08")
    first = close(august)
    late = [Item("L-1", 81_000, "fine", "2020-11")]  # happened in August, recorded in November
    november = some(12, month="2020-11")

    again = close([*august, *late, *november])
    second = close([*august, *late, *november], first)

    assert block_as_bytes(again) == block_as_bytes(first)
    assert second.atoms[0].persons == 15
    assert second.carried_months == ()


def test_a_block_cannot_be_closed_before_its_last_month_is_over() -> None:
    items = some(12, month="2020-08")

    with pytest.raises(StillOpen) as refusal:
        release(items, history=(), register=None, settings=RULE, on=date(2020, 10, 31))

    assert refusal.value.data == {"first_month": "2020-08", "last_month": "2020-10"}
    assert release(items, history=(), register=None, settings=RULE, on=date(2020, 11, 1)).atoms


# Point 3: closing dates


def test_the_first_block_is_a_quarter() -> None:
    assert next_window([], settings=RULE) == ("2020-08", "2020-10")


@pytest.mark.parametrize(("persons", "last"), [(90, "2020-11"), (85, "2021-01"), (25, "2021-01"), (20, "2021-04")])
def test_the_next_block_is_a_month_a_quarter_or_a_half_year_by_the_last_ones_people(persons: int, last: str) -> None:
    history = [a_block("2020-08", "2020-10", persons=persons)]

    assert next_window(history, settings=RULE) == ("2020-11", last)


def test_carried_months_count_when_people_a_month_are_reckoned() -> None:
    silent = a_block("2020-08", "2020-10", persons=0)
    carrying = a_block("2020-11", "2021-01", persons=90, carried=silent.months)

    assert next_window([silent, carrying], settings=RULE) == ("2021-02", "2021-04")


def test_the_longer_the_silence_the_longer_the_next_block() -> None:
    history: list[Block] = []
    lengths = []
    for _ in range(5):
        first, last = next_window(history, settings=RULE)
        history.append(a_block(first, last, persons=0))
        lengths.append(len(months.span(first, last=last)))

    assert lengths == [3, 3, 6, 12, 12]


def test_a_busy_fund_that_falls_silent_slows_down_step_by_step() -> None:
    history = [a_block("2020-08", "2020-10", persons=300)]
    lengths = []
    for _ in range(6):
        first, last = next_window(history, settings=RULE)
        history.append(a_block(first, last, persons=0))
        lengths.append(len(months.span(first, last=last)))

    assert lengths == [1, 1, 1, 3, 6, 12]


@pytest.mark.parametrize(
    "wrong",
    [
        a_block("2020-09", "2020-10", persons=10),
        replace(a_block("2020-08", "2020-10", persons=10), currency="EUR"),
        replace(a_block("2020-08", "2020-10", persons=10), series="large"),
    ],
    ids=["a gap", "another currency", "another series"],
)
def test_a_history_that_is_not_this_series_own_is_refused(wrong: Block) -> None:
    with pytest.raises(BrokenHistory):
        next_window([wrong], settings=RULE)


# Point 5: carry


def test_what_is_not_safe_is_silent_and_waits() -> None:
    block = close(some(9, month="2020-08"))

    assert block.atoms == ()
    assert (block.first_month, block.last_month) == ("2020-08", "2020-10")
    assert not block.carried


def test_carried_months_join_a_block_that_is_safe_without_them() -> None:
    items = [*some(4, month="2020-08"), *some(13, month="2020-12")]
    silent = close(items)

    block = close(items, silent)

    assert block.atoms == (Atom(KINDS, 15, 1_380_000),)  # 17 people, 13,770.00
    assert block.carried_months == ("2020-08", "2020-09", "2020-10")


def test_fresh_months_below_ten_carry_everything_on_though_the_whole_would_pass() -> None:
    items = [*some(9, month="2020-08"), *some(9, month="2020-12")]
    silent = close(items)

    assert close(items, silent).atoms == ()


def test_ten_fresh_people_alone_do_not_tell_that_the_silent_months_were_empty() -> None:
    silent = close([])

    assert close(some(10, month="2020-12"), silent).atoms == ()
    assert close(some(11, month="2020-12"), silent).atoms != ()


def test_a_child_must_pass_without_the_carried_items_too() -> None:
    items = [
        *some(9, "detention", month="2020-08"),
        *some(20, "fine", month="2020-12"),
        *some(3, "detention", month="2020-12"),
    ]
    silent = close(items)

    assert [atom.kinds for atom in close(items, silent).atoms] == [KINDS]


def test_saturation_counts_only_rulings_of_the_fresh_months() -> None:
    items = [*some(4, month="2020-08"), *some(12, month="2020-12")]
    silent = close(items)
    old = tuple(Ruling("2020-08", "fine", 81_000) for _ in range(500))
    fresh = tuple(Ruling("2020-12", "fine", 81_000) for _ in range(24))
    enough = tuple(Ruling("2020-12", "fine", 81_000) for _ in range(40))

    assert not close(items, silent, register=Register(frozenset({"fine"}), old + fresh)).atoms
    assert close(items, silent, register=Register(frozenset({"fine"}), old + enough)).atoms


def test_kinds_that_the_register_does_not_cover_are_not_counted_against_it() -> None:
    items = [*some(12, "detention", month="2020-08"), *some(10, "fine", month="2020-08")]
    rulings = tuple(Ruling("2020-08", "fine", 81_000) for _ in range(40))

    block = close(items, register=Register(frozenset({"fine"}), rulings))

    assert [atom.kinds for atom in block.atoms] == [("fine",), ("detention", "court_fee")]


# Point 6: division


def test_a_kind_is_split_off_only_if_both_sides_pass() -> None:
    fine, detention, court_fee = (some(12, kind, month="2020-08") for kind in KINDS)

    assert [atom.kinds for atom in close([*fine, *detention, *court_fee]).atoms] == [(kind,) for kind in KINDS]
    assert [atom.kinds for atom in close([*fine, *detention, *court_fee[:9]]).atoms] == [("fine",), KINDS[1:]]
    assert [atom.kinds for atom in close([*fine[:9], *detention, *court_fee]).atoms] == [KINDS]


def test_a_block_with_fines_only_does_not_say_that_there_was_nothing_else() -> None:
    assert [atom.kinds for atom in close(some(200, month="2020-08")).atoms] == [KINDS]


# Point 7: atoms


def test_people_go_to_the_nearest_five_and_sums_to_the_nearest_hundred() -> None:
    block = close(some(13, month="2020-08", minor=81_234))

    assert block.atoms == (Atom(KINDS, 15, 1_060_000),)  # 10,560.42


@pytest.mark.parametrize(
    ("currency", "base_value_minor", "step"),
    [("BYN", 2_700, 10_000), ("BYN", 5_000, 10_000), ("BYN", 5_001, 20_000), ("JPY", 0, 100), ("KWD", 0, 100_000)],
)
def test_the_step_of_sums_is_a_hundred_or_the_next_multiple_above_two_base_values(
    currency: str, base_value_minor: int, step: int
) -> None:
    rule = replace(RULE, currency=currency, base_value_minor=base_value_minor)

    assert rule.rounding.sum_step_minor == step


def test_a_sum_that_rounds_to_nothing_waits() -> None:
    assert close(some(12, month="2020-08", minor=400)).atoms == ()
    assert close(some(13, month="2020-08", minor=400)).atoms == (Atom(KINDS, 15, 10_000),)


# Point 8: corrections


def test_a_correction_nets_into_the_block_it_is_recorded_in_without_a_head_to_count() -> None:
    items = some(20, month="2020-08")
    first = close(items)
    corrected = [*items, *some(15, month="2020-12"), Item("2020-08fine0", -81_000, "fine", "2020-12")]

    second = close(corrected, first)

    assert second.atoms == (Atom(KINDS, 15, 1_130_000),)  # 14 times 810.00


# What is refused, and what does not matter


def test_an_item_outside_the_tree_is_refused() -> None:
    with pytest.raises(BadItem):
        close(some(12, "bribe", month="2020-08"))


def test_an_item_from_before_the_first_month_is_refused() -> None:
    with pytest.raises(BadItem):
        close(some(12, month="2020-07"))


@pytest.mark.parametrize(
    "change", [{"kinds": ()}, {"kinds": ("a", "a")}, {"persons_step": 4}, {"base_value_minor": -1}]
)
def test_settings_that_cannot_round_or_divide_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadSettings):
        replace(RULE, **change)  # type: ignore[arg-type]  # the wrong value is the test


@pytest.mark.parametrize(("kind", "minor"), [("", 1), ("fine", 0), ("fine", -1)])
def test_a_ruling_without_kind_or_amount_is_refused(kind: str, minor: int) -> None:
    with pytest.raises(BadInput):
        Ruling("2020-08", kind, minor)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_order_of_items_and_rulings_leaves_the_bytes_identical(data: st.DataObject) -> None:
    kinds = st.sampled_from(KINDS)
    made = st.builds(
        Item,
        st.sampled_from([f"B-{nth}" for nth in range(40)]),
        st.sampled_from([1_350, 2_700, 81_000, -2_700]),
        kinds,
        st.sampled_from(["2020-08", "2020-09"]),
        st.sampled_from([None, "OP-1", "OP-2"]),
    )
    items = data.draw(st.lists(made, min_size=40, max_size=80))
    register = Register(frozenset({"fine"}), tuple(Ruling("2020-08", "fine", minor) for minor in (1_350, 2_700) * 60))
    shuffled = data.draw(st.permutations(items))
    backwards = Register(register.kinds, register.rulings[::-1])

    assert block_as_bytes(close(items)) == block_as_bytes(close(shuffled))
    assert block_as_bytes(close(items, register=register)) == block_as_bytes(close(shuffled, register=backwards))


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=60), min_size=24, max_size=24))
def test_over_two_years_every_atom_has_ten_people_and_every_month_stands_in_one_block(monthly: list[int]) -> None:
    year = months.span("2020-08", last="2022-07")
    items = [item for month, count in zip(year, monthly, strict=True) for item in some(count, month=month)]
    history: tuple[Block, ...] = ()
    while next_window(history, settings=RULE)[1] <= year[-1]:
        history = (*history, close(items, *history))

    assert all(atom.persons >= 10 and atom.sum_minor > 0 for block in history for atom in block.atoms)
    assert [month for block in history for month in block.months] == list(
        months.span("2020-08", last=history[-1].last_month)
    )
    carried = [month for block in history for month in block.carried_months]
    assert len(carried) == len(set(carried))
