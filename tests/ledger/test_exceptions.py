from datetime import date

import pytest

from ledger import exceptions
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from tests.cast import LEAF, House, byn, nothing_written

DAY = date(2020, 11, 20)


def differ(
    house: House,
    about: str,
    *,
    difference: Difference = Difference.UNMATCHED_DEBIT,
    amount: Money | None = None,
    on: date = DAY,
) -> OpenException:
    return exceptions.open_once(
        house.session, difference=difference, account=LEAF, about=about, amount=amount or byn("-5.00"), on=on
    )


def test_a_difference_opens_with_its_amount(house: House) -> None:
    opened = differ(house, "bank:1")

    assert (opened.account_code, opened.minor, opened.currency) == (LEAF, -500, "BYN")
    assert (opened.opened_on, opened.resolved_on) == (DAY, None)
    assert exceptions.listed(house.session) == [opened]


def test_the_same_difference_opens_once(house: House) -> None:
    opened = differ(house, "bank:1")

    with nothing_written(house.session):
        again = differ(house, "bank:1", amount=byn("-6.00"), on=date(2020, 11, 21))

    assert again == opened


def test_a_resolved_difference_does_not_open_again(house: House) -> None:
    opened = differ(house, "bank:1")
    opened.resolved_on = DAY
    house.session.add(opened)

    assert differ(house, "bank:1") == opened
    assert exceptions.listed(house.session) == []
    assert exceptions.listed(house.session, open_only=False) == [opened]


def test_two_kinds_of_difference_about_one_thing_are_two(house: House) -> None:
    differ(house, "S-1", difference=Difference.BALANCE_DIFFERS)
    differ(house, "S-1", difference=Difference.BELOW_ZERO)

    assert len(exceptions.listed(house.session)) == 2


def test_differences_are_told_oldest_first(house: House) -> None:
    newer = differ(house, "bank:1", on=date(2020, 11, 21))
    older = differ(house, "bank:2", on=DAY)

    assert exceptions.listed(house.session) == [older, newer]


@pytest.mark.parametrize("difference", list(Difference))
def test_every_kind_of_difference_is_kept(house: House, difference: Difference) -> None:
    assert differ(house, "bank:1", difference=difference).difference is difference
