"""Whatever becomes of gifts by bank and in cash, in any order: no money appears or is lost, and each step is once."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from ledger.books import balances
from ledger.errors import LedgerError
from ledger.giving import donations, gift_returns, steps
from ledger.money import Money
from tests import given as gifts
from tests.bookcheck import found
from tests.cast import LEAF, TODAY, House, byn
from tests.office import on_one_database

Verb = Callable[[House, int], object]


def _stray(house: House, nth: int) -> object:
    taken = len(donations.listed(house.session))  # one line of a day and an amount is known, and brings nothing again
    return gifts.a_stray_gift(house, Money(1_000 + taken, "BYN"), on=TODAY - timedelta(days=nth % 40))


def _of(house: House, nth: int) -> donations.Donation:
    found_ = donations.listed(house.session)
    return found_[nth % len(found_)]


def _bank_shows(house: House, nth: int, *, back: bool) -> object:
    waiting = [one for one in gift_returns.listed(house.session) if one.state == ("paid" if back else "approved")]
    one = waiting[nth % len(waiting)]
    return gifts.shown(house, one.amount() if back else -one.amount(), reference=one.reference)


VERBS: dict[str, Verb] = {
    "stray": _stray,
    "match": lambda house, nth: gifts.match(house, _of(house, nth)),
    "condition": lambda house, nth: gifts.place_conditional(house, _of(house, nth)),
    "meet": lambda house, nth: gifts.meet(house, _of(house, nth), Money(100 + nth, "BYN")),
    "back": lambda house, nth: gifts.agree_back(house, gifts.ask_back(house, _of(house, nth), Money(400, "BYN"))),
    "left": lambda house, nth: _bank_shows(house, nth, back=False),
    "returned": lambda house, nth: _bank_shows(house, nth, back=True),
    "cash": lambda house, _nth: gifts.witness(house, gifts.a_count(house, byn("5.00"))),
    "deposit": lambda house, _nth: gifts.take_to_bank(house, byn("5.00")),
}


@on_one_database
def test_money_is_conserved_in_any_season(house: House) -> None:
    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.tuples(st.sampled_from(sorted(VERBS)), st.integers(0, 60)), min_size=12, max_size=20))
    def season(moves: list[tuple[str, int]]) -> None:
        for verb, nth in moves:
            try:
                VERBS[verb](house, nth)
            except (LedgerError, ZeroDivisionError):
                house.session.rollback()

    for nth in range(4):
        _stray(house, nth)
    season()

    _assert_conserved(house)


def _assert_conserved(house: House) -> None:
    standing = steps.of(house.session, [one.alias for one in donations.listed(house.session)])
    by_account: dict[str, int] = {}
    for gift in donations.listed(house.session):
        for (code, _), minor in steps.standing_of(gift, standing[gift.alias]).items():
            by_account[code] = by_account.get(code, 0) + minor
    for code in ("2000", "2300", "4000", "4190"):
        assert balances.balance(house.session, code, currency="BYN").minor == by_account.get(code, 0)
    held = sum(balances.balance(house.session, code, currency="BYN").minor for code in (LEAF, "1020"))
    assert held == -sum(by_account.values())
    shown = house.session.connection().scalar(text("SELECT coalesce(sum(minor), 0) FROM statement_line"))
    assert balances.balance(house.session, LEAF, currency="BYN").minor == shown
    assert any(taken for taken in standing.values())
    assert not found(house.session)
