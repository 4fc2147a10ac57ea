import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.transparency.months import BadMonth
from reports.transparency.safety import BadItem, Item, Limits, count_persons, is_exposed, safe

MONTH = "2020-08"


def fines(*amounts: int, list_of: str | None = None, prefix: str = "B") -> list[Item]:
    """One fine a person, amounts in minor units."""
    return [Item(f"{prefix}-{nth}", minor, "fine", MONTH, list_of) for nth, minor in enumerate(amounts)]


def test_ten_people_with_like_fines_are_safe() -> None:
    assert safe(fines(*[81_000] * 10), None)


def test_nobody_is_unsafe() -> None:
    assert not safe([], None)


def test_nine_people_are_unsafe() -> None:
    assert not safe(fines(*[81_000] * 9), None)


def test_two_people_with_more_than_nine_tenths_are_unsafe() -> None:
    # 2 * 460 is 92 % of 1,000; nothing else is wrong: the others spread as widely
    amounts = [46_000, 46_000, *[1_000] * 8]

    assert not safe(fines(*amounts), None)


@pytest.mark.parametrize(("small", "expected"), [(1_250, True), (1_249, False)])
def test_the_second_largest_cannot_know_the_largest_within_a_tenth(small: int, expected: bool) -> None:
    # with dominance at nine tenths this follows from it; it is looked at by itself
    amounts = [100_000, 100_000, *[small] * 8]

    assert safe(fines(*amounts), None, limits=Limits(dominance_percent=100)) is expected


@pytest.mark.parametrize(("largest", "expected"), [(17_500, True), (17_600, False)])
def test_an_outlier_stands_out_from_the_others_by_their_whole_spread(largest: int, expected: bool) -> None:
    # nine others of 100.00: m = 10,000 and (x - m)^2 <= 9 * 2,500^2 up to x = 17,500
    assert safe(fines(largest, *[10_000] * 9), None) is expected


@pytest.mark.parametrize(("others", "expected"), [(10, True), (9, False), (1, False), (0, True)])
def test_without_one_agents_list_nobody_or_at_least_ten_remain(others: int, expected: bool) -> None:
    listed = fines(*[5_000] * 12, list_of="OP-1")
    direct = fines(*[5_000] * others, prefix="D")

    assert safe([*listed, *direct], None) is expected


def test_a_person_on_two_lists_remains_when_one_is_seized() -> None:
    listed = fines(*[5_000] * 12, list_of="OP-1")
    again = fines(*[5_000] * 10, list_of="OP-2")  # the same people
    stranger = fines(5_000, list_of="OP-2", prefix="D")

    assert safe([*listed, *again], None)
    assert safe([*listed, *again, *stranger], None)
    assert not safe([*listed, *stranger], None)


@pytest.mark.parametrize(("rulings", "expected"), [(24, True), (20, True), (19, False)])
def test_people_are_at_most_half_of_the_known_rulings(rulings: int, expected: bool) -> None:
    items = fines(*[81_000] * 10)

    assert safe(items, [81_000] * rulings) is expected
    assert is_exposed(items, [81_000] * rulings) is not expected


def test_a_sum_that_singles_out_rulings_on_a_public_list_is_unsafe() -> None:
    # 30 rulings of 27.00 and 12 of 810.00: ten payments with the sum 8,100.00 can only be the large ones
    rulings = [2_700] * 30 + [81_000] * 12
    items = fines(*[81_000] * 10)

    assert safe(items, None)
    assert not safe(items, rulings)


def test_a_list_that_does_not_explain_the_sum_counts_as_exposed() -> None:
    assert is_exposed(fines(*[81_000] * 10), [2_700] * 100)


def test_nobody_is_exposed_by_no_payment() -> None:
    assert not is_exposed([], [])


def test_a_person_who_gave_everything_back_does_not_count() -> None:
    items = fines(*[81_000] * 10)
    returned = Item("B-0", -81_000, "fine", MONTH)

    assert count_persons([*items, returned]) == 9
    assert not safe([*items, returned], None)


def test_people_of_corrections_do_not_count() -> None:
    corrections = fines(*[-81_000] * 5, prefix="Q")

    assert count_persons(corrections) == 0
    assert not safe([*fines(*[81_000] * 9), *corrections], None)


def test_one_large_correction_stands_out_as_a_payment_would() -> None:
    items = fines(*[81_000] * 12)

    assert safe([*items, Item("Q-1", -81_000, "fine", MONTH)], None)
    assert not safe([*items, Item("Q-1", -810_000, "fine", MONTH)], None)


def test_many_corrections_do_not_hide_a_dominant_payment() -> None:
    items = fines(1_000_000, *[1_000] * 11)
    corrections = fines(*[-500_000] * 30, prefix="Q")

    assert not safe([*items, *corrections], None)


@given(st.permutations(fines(1_000, 2_000, 3_000, *[2_500] * 8, list_of="OP-1")))
def test_the_order_of_items_decides_nothing(items: list[Item]) -> None:
    assert safe(items, None)
    assert safe(items, [1_000, 2_000, 2_500, 3_000] * 20)


@given(st.lists(st.integers(min_value=1, max_value=10**9), max_size=9))
def test_nothing_makes_fewer_than_ten_people_safe(amounts: list[int]) -> None:
    assert not safe(fines(*amounts), None)


@pytest.mark.parametrize(("person", "minor", "kind"), [("", 1, "fine"), ("B-1", 0, "fine"), ("B-1", 1, "")])
def test_an_item_that_says_nothing_is_refused(person: str, minor: int, kind: str) -> None:
    with pytest.raises(BadItem) as refusal:
        Item(person, minor, kind, MONTH)

    assert refusal.value.data == {"where": "item"}


@pytest.mark.parametrize("month", ["2020-13", "2020-8", "20-08", "2020-08-01", "\uff12020-08", "2020-\u0661\u0662", ""])
def test_a_month_is_written_in_one_way(month: str) -> None:
    with pytest.raises(BadMonth):
        Item("B-1", 1, "fine", month)
