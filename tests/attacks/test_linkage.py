"""Row 36: the join of a seized database with a state's register of rulings, and what the grain of dates does to it.

Row 1, the link by amount, date and city, is the same join.
"""

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from api.client import registers
from api.client.registers import BadRegister
from ledger.aid import eligibility, jurisdictions, linkage
from ledger.aid.linkage import Fit, Grain, RegisterRow
from ledger.money import Money
from tests.cast import House, a_row, byn, nothing_written

MONDAY = date(2020, 9, 14)


def a_line(
    amount: str = "810.00", on: date = MONDAY, article: str = "23.34", region: str = "minsk_city"
) -> RegisterRow:
    return RegisterRow(byn(amount), on, article, region)


def k_of(house: House, register: list[RegisterRow]) -> dict[Grain, int]:
    (fit,) = linkage.measure(house.session, register)
    return fit.k


def test_every_line_that_fits_is_counted_and_no_other(house: House) -> None:
    house.receive(a_row(house.fund, issued_on=MONDAY, in_force_on=date(2020, 9, 30)))
    others = [
        a_line("810.01"),
        a_line(article="24.23"),
        a_line(region="brest"),
        a_line(on=MONDAY - timedelta(days=1)),
        a_line(on=MONDAY + timedelta(days=7)),
        RegisterRow(Money(81_000, "EUR"), MONDAY, "23.34", "minsk_city"),
    ]
    same = [a_line(), a_line(on=MONDAY + timedelta(days=6)), a_line(on=MONDAY + timedelta(days=6))]

    k = k_of(house, others + same)

    assert k == {Grain.DAY: 1, Grain.WEEK: 3, Grain.KEPT: 3, Grain.MONTH: 5}
    assert k_of(house, others[:3]) == dict.fromkeys(Grain, 0)


@pytest.mark.parametrize("weekday", range(7))
def test_a_presumed_force_tells_no_more_than_the_week(house: House, weekday: int) -> None:
    day = MONDAY + timedelta(days=weekday)
    house.receive(a_row(house.fund, issued_on=day, is_force_presumed=True))
    pack = jurisdictions.load("by")
    assert eligibility.bounds(pack, kind="fine", issued_on=day, in_force_on=None) == eligibility.bounds(
        pack, kind="fine", issued_on=MONDAY, in_force_on=None
    )

    k = k_of(house, [a_line(on=MONDAY + timedelta(days=offset)) for offset in range(-1, 8)])

    assert (k[Grain.KEPT], k[Grain.WEEK]) == (7, 7)


def test_a_row_of_before_whose_bounds_followed_the_exact_day_is_still_measured_as_it_leaks(house: House) -> None:
    """The control: ten days after a Monday end another week than ten days after a Friday."""
    friday = MONDAY + timedelta(days=4)
    house.receive(a_row(house.fund, issued_on=friday, is_force_presumed=True))
    house.session.execute(text("UPDATE ruling SET payable_from = '2020-10-04', due_by = '2020-10-26'"))

    k = k_of(house, [a_line(), a_line(), a_line(on=friday)])

    assert (k[Grain.KEPT], k[Grain.WEEK]) == (1, 3)


def test_the_join_is_the_one_that_trying_everything_gives(house: House) -> None:
    chance = random.Random(7)  # noqa: S311  # figures of a test
    amounts, days = ["405.00", "810.00"], [MONDAY + timedelta(days=offset) for offset in range(-20, 40)]
    register = [a_line(chance.choice(amounts), on=chance.choice(days)) for _ in range(400)]
    drawn = [(chance.choice(amounts), chance.choice(days)) for _ in range(12)]
    for amount, day in drawn:
        house.receive(a_row(house.fund, amount=byn(amount), issued_on=day, in_force_on=date(2021, 1, 1)))

    fits = linkage.measure(house.session, register)

    expected = sorted(
        sum(
            line.amount == byn(amount) and line.issued_on.isocalendar()[:2] == day.isocalendar()[:2]
            for line in register
        )
        for amount, day in drawn
    )
    assert sorted(fit.k[Grain.WEEK] for fit in fits) == sorted(fit.k[Grain.KEPT] for fit in fits) == expected
    for fit in fits:
        assert fit.k[Grain.DAY] <= fit.k[Grain.WEEK] <= fit.k[Grain.MONTH] + fit.k[Grain.WEEK]


def test_the_spread_counts_entries_and_cases_by_their_smallest_k() -> None:
    ks = {"C-1": [0, 3], "C-2": [1, 40], "C-3": [0, 0], "C-4": [12]}
    fits = [
        Fit(f"O-{case}-{n}", case, dict.fromkeys(Grain, k)) for case, found in ks.items() for n, k in enumerate(found)
    ]

    entries, cases = linkage.spread(fits, Grain.KEPT), linkage.spread_of_cases(fits, Grain.KEPT)

    assert (entries.absent, entries.unique, entries.few, entries.crowd) == (3, 1, 2, 2)
    assert (entries.smallest, entries.middle, entries.by_k) == (1, 7.5, {1: 1, 3: 1, 12: 1, 40: 1})
    assert (cases.absent, cases.unique, cases.few, cases.crowd) == (1, 1, 2, 1)
    assert linkage.spread([], Grain.DAY).middle is None


def test_measuring_writes_nothing(house: House) -> None:
    house.receive(a_row(house.fund, issued_on=MONDAY))

    with nothing_written(house.session):
        linkage.measure(house.session, [a_line()])


# --- the register's file


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_register_is_read_by_its_columns_and_names_in_it_are_not(separator: str) -> None:
    head = ["name", "date", "region", "article", "amount"]
    row = ["Invented Person", "2020-09-14", "minsk_city", "23.34", "810.00"]
    file = "\ufeff" + "".join(separator.join(cells) + "\r\n" for cells in (head, row))

    assert registers.read(file.encode(), currency="BYN") == [a_line()]


@pytest.mark.parametrize(
    ("file", "where"),
    [
        (b"\xff\xfe", "register"),
        (b"", "line 1"),
        (b"amount,date,article\n", "line 1"),
        (b"amount,date,article,region\n810.00,2020-09-14,a,b\nKanarejka,2020-09-14,a,b\n", "line 3, column amount"),
        (b"amount,date,article,region\n810.00,Kanarejka,a,b\n", "line 2, column date"),
        (b"amount,date,article,region\n810.00\n", "line 2, column date"),
        (b"amount,date,article,region\n810.00,2020-09-14,a," + b"x" * 20_000, "line 1"),
    ],
)
def test_a_register_that_cannot_be_read_is_refused_without_what_stands_there(file: bytes, where: str) -> None:
    with pytest.raises(BadRegister) as refusal:
        registers.read(file, currency="BYN")

    assert refusal.value.data == {"where": where}
    assert "Kanarejka" not in str(refusal.value)
