"""What of the roster and its people's bearer keys ends soon is told in time, and until it is put right."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from sqlmodel import Session

from ledger import bearer_keys, exceptions, expiries, people, reminders
from ledger.aliases import Kind, draw
from ledger.bearer_keys import BearerKey
from ledger.checks.clearings import find_unexplained
from ledger.exceptions import Difference
from ledger.expiries import TOLD_BEFORE, Expiries
from ledger.people import Role
from ledger.reconciliation import ageing, clearings
from tests.cast import NOW, House, Person, enrol, the_next

ENDS = date(2021, 12, 31)
"""The last day of every entry in the roster of the cast, of which eight people are, two of them officers."""
LAST = date(2021, 6, 30)


def a_key(house: House, person: Person, *roles: Role, until: date = LAST) -> BearerKey:
    alias = draw(Kind.KEY)
    return bearer_keys.admit(
        house.session,
        alias=alias,
        operator=person.alias,
        roles=frozenset(roles or person.operator.roles),
        key_digest=hashlib.sha256(alias.encode()).hexdigest(),
        expires_on=until,
        created_at=NOW,
    )


def extend(house: House, *persons: Person, until: date = date(2023, 12, 31)) -> None:
    """The officers sign a roster in which the entries of some end later."""
    before = people.current(house.session)
    aliases = {person.alias for person in persons}
    operators = tuple(
        one.model_copy(update={"expires_on": until}) if one.alias in aliases else one for one in before.operators
    )
    enrol(house.session, the_next(before, operators=operators), house.fund.olga, house.fund.oleg)


def told(house: House, *, on: date) -> list[tuple[str, int]]:
    """What waits after the reminders of a day, and how grave it is."""
    reminders.tell_of_expiries(house.session, on=on)
    return [(one.opened.about.partition("@")[0], int(one.severity)) for one in ageing.aged(house.session, on=on)]


def test_a_key_is_told_of_from_thirty_days_before_its_last_day_and_grows_graver_until_then(house: House) -> None:
    a_key(house, house.fund.ana)
    a_key(house, house.fund.boris, until=LAST + timedelta(days=3))
    days = (31, 30, 27, 15, 14, 8, 7, 0, -1)

    waiting = [told(house, on=LAST - timedelta(days=left)) for left in days]

    one, both = f"access_expires:{LAST}:1", f"access_expires:{LAST}:2"
    severities = [[], 1, 1, 1, 2, 2, 3, 3, 3]
    assert waiting[:2] == [[], [(one, 1)]]
    assert waiting[2:] == [[(both, severity)] for severity in severities[2:]]
    assert len(exceptions.listed(house.session, open_only=False)) == 1


@pytest.mark.parametrize("late", [False, True])
def test_a_key_is_put_right_by_its_end_or_by_later_ones_with_its_roles(house: House, late: bool) -> None:
    session, olga = house.session, house.fund.olga
    on = LAST + timedelta(days=400 if late else -10)
    if late:
        extend(house, *house.fund.people())
    revoked, replaced = a_key(house, house.fund.ana), a_key(house, olga)
    assert told(house, on=on) == [(f"access_expires:{LAST}:2", 3 if late else 2)]

    bearer_keys.revoke(session, revoked.alias, at=NOW)
    assert expiries.find(session, on=on).keys == (replaced.expires_on,)
    a_key(house, olga, until=date(2023, 1, 31) if late else ENDS)

    assert told(house, on=on) == []
    assert [one.resolved_on for one in exceptions.listed(session, open_only=False)] == [on]
    assert list(find_unexplained(session, lambda _done, _all: None)) == []


def test_a_later_key_in_fewer_roles_replaces_none(house: House) -> None:
    everybody = people.current(house.session).operators
    ana = house.fund.ana
    wider = tuple(
        one.model_copy(update={"roles": (Role.INTAKE, Role.AUDITOR)}) if one.alias == ana.alias else one
        for one in everybody
    )
    enrol(house.session, the_next(people.current(house.session), operators=wider), house.fund.olga, house.fund.oleg)
    a_key(house, ana, Role.INTAKE, Role.AUDITOR)
    a_key(house, ana, Role.INTAKE, until=ENDS)

    assert expiries.find(house.session, on=LAST).keys == (LAST,)

    enrol(
        house.session, the_next(people.current(house.session), operators=everybody), house.fund.olga, house.fund.oleg
    )  # nobody needs the other role any more
    assert expiries.find(house.session, on=LAST).keys == ()


def test_keys_of_who_left_or_whose_entry_is_over_are_no_matter_of_theirs(house: House) -> None:
    ana = house.fund.ana
    a_key(house, ana)
    assert expiries.find(house.session, on=LAST).keys == (LAST,)

    over = expiries.find(house.session, on=ENDS + timedelta(days=1))
    without(house, ana)

    assert (over.keys, set(over.entries)) == ((), {ENDS})
    assert expiries.find(house.session, on=LAST).keys == ()


def without(house: House, person: Person) -> None:
    before = people.current(house.session)
    operators = tuple(one for one in before.operators if one.alias != person.alias)
    enrol(house.session, the_next(before, operators=operators), house.fund.olga, house.fund.oleg)


def test_a_fund_of_two_officers_does_not_lose_its_roster_silently(house: House) -> None:
    early, due = ENDS - TOLD_BEFORE - timedelta(days=1), ENDS - TOLD_BEFORE
    entries, officers = (f"access_expires:{ENDS}:8", 1), (f"officers_expire:{ENDS}:2", 3)
    assert told(house, on=early) == []
    assert told(house, on=due) == [officers, entries]

    extend(house, house.fund.olga)  # alone she signs nothing
    assert told(house, on=due) == [officers, (f"access_expires:{ENDS}:7", 1)]
    extend(house, house.fund.oleg)

    assert told(house, on=due) == [(f"access_expires:{ENDS}:6", 1)]


def last_days(*days: int) -> list[date]:
    return [ENDS + timedelta(days=day) for day in days]


@pytest.mark.parametrize(
    ("officers", "until"),
    [((0, 0, 0), 0), ((0, 5, 90), 5), ((5, 0, -40), 0), ((0, 90, 90), None), ((31, 31, 0), None), ((30, 31, 0), 30)],
)
def test_the_roster_can_be_amended_until_the_day_on_which_the_second_last_officer_goes(
    house: House, officers: Iterable[int], until: int | None
) -> None:
    fund = house.fund
    before = people.current(house.session)
    ends = dict(zip([fund.olga.alias, fund.oleg.alias, fund.dina.alias], last_days(*officers), strict=True))
    operators = tuple(
        one.model_copy(update={"officer": True, "expires_on": ends[one.alias]}) if one.alias in ends else one
        for one in before.operators
    )
    enrol(house.session, the_next(before, operators=operators), fund.olga, fund.oleg)

    found = expiries.find(house.session, on=ENDS)

    assert found.amended_until() == (None if until is None else ENDS + timedelta(days=until))


def test_a_book_without_people_has_nothing_that_expires(founded: Session) -> None:
    assert expiries.find(founded, on=LAST) == Expiries()
    assert reminders.tell_of_expiries(founded, on=LAST) == {"entries_expiring": 0, "keys_expiring": 0}
    assert exceptions.listed(founded, open_only=False) == []


def test_what_is_told_names_nobody_and_nobody_dismisses_it(house: House) -> None:
    key = a_key(house, house.fund.ana, until=ENDS)

    reminders.tell_of_expiries(house.session, on=ENDS)

    for one in exceptions.listed(house.session):
        assert not clearings.is_clearable(house.session, one)
        assert one.difference in {Difference.ACCESS_EXPIRES, Difference.OFFICERS_EXPIRE}
        assert not [alias for alias in (key.alias, house.fund.ana.alias, house.fund.olga.alias) if alias in one.about]
