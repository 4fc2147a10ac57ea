from datetime import timedelta

import pytest

from ledger import exceptions
from ledger.exceptions import Difference
from ledger.reconciliation import ageing
from ledger.reconciliation.ageing import Severity
from tests.cast import LEAF, TODAY, House, byn


@pytest.mark.parametrize(
    ("difference", "days", "severity"),
    [
        (Difference.RATE_MISSING, 0, Severity.LOW),
        (Difference.RATE_MISSING, 6, Severity.LOW),
        (Difference.RATE_MISSING, 7, Severity.MEDIUM),
        (Difference.RATE_MISSING, 30, Severity.HIGH),
        (Difference.UNMATCHED_DEBIT, 0, Severity.MEDIUM),
        (Difference.UNMATCHED_DEBIT, 7, Severity.HIGH),
        (Difference.BALANCE_DIFFERS, 0, Severity.HIGH),
        (Difference.BALANCE_DIFFERS, 90, Severity.HIGH),
    ],
)
def test_a_difference_grows_graver_with_its_days(difference: Difference, days: int, severity: Severity) -> None:
    assert ageing.severity(difference, age_days=days) is severity


def test_the_gravest_come_first_and_of_these_the_oldest(house: House) -> None:
    for about, difference, days in (
        ("new", Difference.AMOUNT_DIFFERS, 1),
        ("old", Difference.UNMATCHED_DEBIT, 40),
        ("grave", Difference.BALANCE_DIFFERS, 2),
    ):
        exceptions.open_once(
            house.session,
            difference=difference,
            about=about,
            on=TODAY - timedelta(days=days),
            account=LEAF,
            amount=byn("-5.00"),
        )

    told = ageing.aged(house.session, on=TODAY)

    assert [one.opened.about.partition(":")[2] for one in told] == ["old", "grave", "new"]
    assert [one.age_days for one in told] == [40, 2, 1]
