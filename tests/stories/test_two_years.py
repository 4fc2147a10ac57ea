"""Two years of a fund: every event that the table of postings knows how to book, one after the other."""

from collections import Counter

from sqlmodel import Session

from ledger.books import balances, journal
from tests import two_years
from tests.two_years_events import EVENTS


def test_two_years_leave_nothing_with_agents_in_transit_or_owed(session: Session) -> None:
    two_years.load(session)

    assert journal.count(session) == 74
    left = {one.account.code for one in balances.trial_balance(session) if one.minor}
    assert not {code for code in left if code[:4] in {"1050", "1150", "1200", "1210", "1300", "1350", "1380", "1390"}}
    assert not {code for code in left if code[0] == "2"}


def test_two_years_balance_in_each_currency_of_each_fund(session: Session) -> None:
    two_years.load(session)

    sums: Counter[tuple[str, str]] = Counter()
    for one in balances.trial_balance(session):
        sums[one.fund, one.currency] += one.minor
    assert len(sums) > 8
    assert not any(sums.values())


def test_the_same_two_years_again_change_nothing(session: Session) -> None:
    posted = two_years.load(session)
    before = balances.trial_balance(session)

    again = {event.number: two_years.post(session, event, posted) for event in EVENTS}

    assert all(one.replayed for one in again.values())
    assert {number: one.entry_id for number, one in again.items()} == {
        number: one.entry_id for number, one in posted.items()
    }
    assert balances.trial_balance(session) == before
