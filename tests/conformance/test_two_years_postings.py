"""Two worked years, posted and added up, against a reference that was made and confirmed elsewhere."""

import re
from collections import Counter
from datetime import date

import pytest
from sqlmodel import Session

from ledger.books import balances
from ledger.books.accounts import AccountClass
from ledger.money import Money
from tests import two_years

pytestmark = pytest.mark.skipif(
    not two_years.REFERENCE.is_dir(), reason="../shared/reference, the worked example, is not here"
)
PRIOR_RESULTS = "3100 prior results"
RESULTS = {AccountClass.INCOME, AccountClass.EXPENSE}
_BALANCE = re.compile(r" +(\d{4}(?: prior results)?) +([A-Z]{3}) +(-?[\d,]+\.\d\d)")


@pytest.fixture
def posted(session: Session) -> Session:
    """The book with both years."""
    two_years.load(session)
    return session


@pytest.mark.parametrize("year_end", two_years.YEAR_ENDS)
def test_the_trial_balance_is_met_to_the_cent(posted: Session, year_end: date) -> None:
    found = trial_balance(posted, year_end)

    assert found == expected_trial_balance(year_end)
    assert len(found) > 20


def trial_balance(session: Session, year_end: date) -> dict[tuple[str, str], int]:
    """By main account and currency, without zeros; what income and expense held before is prior results.

    The net assets' own accounts stay as they stand: so the reference shows them.
    """
    sums: Counter[tuple[str, str]] = Counter()
    opening = date(year_end.year - 1, 12, 31)
    before = {
        (one.account.code, one.fund, one.currency): one.minor for one in balances.trial_balance(session, on=opening)
    }
    for one in balances.trial_balance(session, on=year_end):
        code = one.account.code.partition(":")[0]
        prior = before.get((one.account.code, one.fund, one.currency), 0)
        if one.account.account_class in RESULTS:
            sums[PRIOR_RESULTS, one.currency] += prior
            sums[code, one.currency] += one.minor - prior
        else:
            sums[code, one.currency] += one.minor
    return {place: minor for place, minor in sums.items() if minor}


def expected_trial_balance(year_end: date) -> dict[tuple[str, str], int]:
    text = (two_years.REFERENCE / "expected.txt").read_text("utf-8")
    _, _, period = text.partition(f"-> {year_end}")
    table, _, _ = period.partition("sum per currency")
    return {
        (account, currency): Money.parse(amount.replace(",", ""), currency).minor
        for account, currency, amount in _BALANCE.findall(table)
    }
