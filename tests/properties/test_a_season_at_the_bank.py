"""A season of statements in which something is wrong: it is told once, by its amount, and no money comes or goes."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import balances
from ledger.exceptions import Difference
from ledger.money import Money
from ledger.reconciliation import bank, matchings, statements
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookcheck import found
from tests.cast import LEAF, NOW, House

START = date(2020, 10, 5)
DAYS = 12
Day = dict[str, Any]


def byn_minor(minor: int) -> Money:
    return Money(minor, "BYN")


def a_season(random: Random) -> list[Day]:
    """Each day's opening, gifts and closing, as they were."""
    days, balance = [], 0
    for nth in range(DAYS):
        gifts = [random.choice([500, 500, 700, 1_200, 4_999]) for _ in range(random.randint(1, 4))]
        days.append({"on": START + timedelta(days=nth), "opening": balance, "gifts": gifts})
        balance += sum(gifts)
        days[-1]["closing"] = balance
    return days


def injected(what: str, day: Day, random: Random) -> tuple[Difference, int]:
    """Falsifies a day's file; gives the difference that must be told, and its amount."""
    gifts = day["gifts"]
    at = random.randrange(len(gifts))
    amount = gifts[at]
    if what == "a missing line":
        del gifts[at]
        return Difference.STATEMENT_DOES_NOT_ADD_UP, amount
    if what == "a doubled line":
        gifts.append(amount)
        return Difference.STATEMENT_DOES_NOT_ADD_UP, -amount
    if what == "a wrong amount":
        gifts[at] += 9
        return Difference.STATEMENT_DOES_NOT_ADD_UP, -9
    if what == "a swapped sign":
        gifts[at] = -amount
        return Difference.STATEMENT_DOES_NOT_ADD_UP, 2 * amount
    day["opening"] += 31
    return Difference.STATEMENT_DOES_NOT_FOLLOW, 31


def tell(house: House, day: Day) -> None:
    lines = [NewLine(day["on"], None, byn_minor(gift), None, reversal=False) for gift in day["gifts"]]
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    balances_told = byn_minor(day["opening"]), byn_minor(day["closing"])
    new = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", day["on"], day["on"], *balances_told, token, lines)
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def told(house: House) -> list[tuple[Difference, int | None]]:
    """The differences that are about no line."""
    waiting = {one.source_key for one in statements.unmatched(house.session, LEAF)}
    listed = exceptions.listed(house.session)
    return [(one.difference, one.minor) for one in listed if one.about.partition(":")[2] not in waiting]


WRONGS = ("a missing line", "a doubled line", "a wrong amount", "a swapped sign", "an altered opening")


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("what", WRONGS)
def test_what_is_wrong_in_a_season_is_one_difference_of_its_amount(house: House, what: str, seed: int) -> None:
    random = Random(f"{what} {seed}")  # noqa: S311  # a season, no secret
    season = a_season(random)
    expected = injected(what, random.choice(season[1:]), random)
    if seed % 2:
        random.shuffle(season)
    for day in season:
        tell(house, day)
    matchings.match_unique(house.session, at=NOW)

    assert told(house) == [expected]
    gifts = sum(gift for day in season for gift in day["gifts"] if gift > 0)
    assert balances.balance(house.session, LEAF, currency="BYN") == byn_minor(gifts)
    assert [one.minor for one in statements.unmatched(house.session, LEAF)] == [
        gift for day in season for gift in day["gifts"] if gift < 0
    ]
    assert found(house.session, by={"statements", "statement-lines", "exceptions", "pairings"}) == []


def test_a_line_that_comes_a_day_late_is_told_as_long_as_it_is_missing_and_booked_once(house: House) -> None:
    random = Random("late")  # noqa: S311  # a season, no secret
    season = a_season(random)
    early, late = season[4], season[5]
    moved = early["gifts"].pop()
    early["closing"] -= moved
    late["opening"] -= moved
    late["gifts"].append(moved)
    for day in season:
        tell(house, day)

    assert told(house) == []
    assert balances.balance(house.session, LEAF, currency="BYN") == byn_minor(season[-1]["closing"])
