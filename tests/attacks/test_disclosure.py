"""Attacks 1 to 9 on what is published: the attacker knows the rulings, the program and every earlier release."""

from datetime import date
from itertools import product
from operator import mul

from reports.transparency.blocks import Block
from reports.transparency.disclosure import Register, Ruling, Settings, release
from reports.transparency.safety import Item

KINDS = ("fine", "detention", "court_fee")
RULE = Settings(kinds=KINDS, first_month="2020-08", currency="BYN", base_value_minor=2_700)
LATER = date(2030, 1, 1)
FINES = [2_700, 5_400, 40_500, 54_000, 67_500, 81_000]


def close(items: list[Item], *history: Block, register: Register | None = None) -> Block:
    return release(items, history=history, register=register, settings=RULE, on=LATER)


def people(count: int, *, month: str, prefix: str = "B", kind: str = "fine") -> list[Item]:
    return [Item(f"{prefix}-{nth}", FINES[3 + nth % 3], kind, month) for nth in range(count)]


def test_one_fine_publishes_nothing() -> None:
    assert close([Item("B-1", 81_000, "fine", "2020-09")]).atoms == ()


def test_one_person_with_twelve_payments_publishes_nothing() -> None:
    payments = [Item("B-1", 81_000, "fine", "2020-09") for _ in range(12)]

    assert close(payments).atoms == ()


def test_nine_people_with_hundreds_of_payments_publish_nothing() -> None:
    payments = [Item(f"B-{nth % 9}", 81_000, KINDS[nth % 3], "2020-09") for nth in range(300)]

    assert close(payments).atoms == ()


def test_one_dominant_payment_is_not_published_with_the_small_ones_around_it() -> None:
    small = [Item(f"B-{nth}", 2_700, "fine", "2020-09") for nth in range(30)]

    assert close([*small, Item("X-1", 300_000, "fine", "2020-09")]).atoms == ()
    assert close(small).atoms != ()


def test_saturation_publishes_nothing_where_most_known_rulings_were_paid() -> None:
    rulings = tuple(Ruling("2020-09", "fine", 81_000) for _ in range(40))
    register = Register(frozenset({"fine"}), rulings)
    paid = [Item(f"B-{nth}", 81_000, "fine", "2020-09") for nth in range(21)]

    assert close(paid, register=register).atoms == ()
    assert close(paid[:15], register=register).atoms != ()


def test_a_unique_amount_on_the_public_list_cannot_be_named_from_the_sum() -> None:
    # one ruling of 1,350.00 among sixty of 270.00; the fund paid ten and that one
    rulings = tuple(Ruling("2020-09", "fine", minor) for minor in [27_000] * 60 + [135_000])
    register = Register(frozenset({"fine"}), rulings)
    paid = [Item(f"B-{nth}", 27_000, "fine", "2020-09") for nth in range(40)]

    assert close([*paid[:10], Item("X-1", 135_000, "fine", "2020-09")], register=register).atoms == ()


def test_a_subset_sum_on_a_published_atom_fits_with_and_without_everybody() -> None:
    # attack 2: whichever ruling of the list is looked at, some choice without it rounds to the same figures
    amounts = [40_500, 54_000, 67_500, 81_000]
    register = Register(frozenset({"fine"}), tuple(Ruling("2020-09", "fine", minor) for minor in amounts * 6))
    paid = [Item(f"B-{nth}", amounts[nth % 4], "fine", "2020-09") for nth in range(10)]

    (atom,) = close(paid, register=register).atoms
    fitting = [
        counts
        for counts in product(range(7), repeat=4)
        if sum(counts) >= 10
        and RULE.rounding.of_persons(sum(counts)) == atom.persons
        and RULE.rounding.of_sum(sum(map(mul, counts, amounts))) == atom.sum_minor
    ]

    assert len(fitting) > 10
    assert all(min(counts[at] for counts in fitting) < 6 for at in range(4))


def test_no_subtraction_of_published_figures_gives_a_figure_below_ten_people() -> None:
    # attacks 3 to 5: atoms are disjoint and every margin is their sum, so differences are sums of atoms again
    items = [
        *people(60, month="2020-08"),
        *people(15, month="2020-09", prefix="D", kind="detention"),
        *people(3, month="2020-10", prefix="C", kind="court_fee"),
        *people(4, month="2020-11", prefix="E"),
        *people(31, month="2020-12", prefix="F"),
        *people(2, month="2021-01", prefix="G", kind="detention"),
    ]
    history: tuple[Block, ...] = ()
    while len(history) < 3:
        history = (*history, close(items, *history))

    figures = [atom.persons for block in history for atom in block.atoms]
    everything = sum(figures)

    assert figures
    assert all(figure >= 10 for figure in figures)
    assert everything - sum(figures[1:]) == figures[0]


def test_a_late_payment_cannot_be_found_by_comparing_two_releases() -> None:
    # attack 4: the block that was open when the payment happened is published already
    items = people(40, month="2020-08")
    before = close(items)
    late = Item("X-1", 54_000, "fine", "2020-11")

    after = close([*items, late])

    assert after == before
    assert close([*items, late], before).atoms == ()


def test_amounts_converted_at_one_rate_do_not_survive_rounding() -> None:
    # attack 9: 13.50 at any rate from 2.50 to 3.50 gives the same published sum for ten people with one such bill
    sums = {
        close(
            [Item(f"B-{nth}", 1_350 * 100 // rate, "detention", "2020-09") for nth in range(12)],
        ).sum_minor
        for rate in range(250, 350)
    }

    assert len(sums) <= 2
