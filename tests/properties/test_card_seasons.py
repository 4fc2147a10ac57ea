"""Random seasons at the invented processor: whatever becomes of notices and pulls, the books equal its own balance.

The same seasons are played each time. With `SOLIDARITY_LONG_GAMES=20` these are twenty others, of up to
a hundred steps.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from ledger.books import journal
from ledger.books.balances import balance
from ledger.exceptions import Difference, OpenException
from ledger.giving import bookings, donations, payout_items, payouts
from ledger.giving.notices import Notice
from ledger.giving.payouts import TopUp
from tests import conftest
from tests.bookcheck import BELOW_THE_ACTS, assert_it_holds
from tests.card_seasons import COINS, STEPS, STRANGE, Season, a_season, furnish
from tests.cast import engine_of
from tests.processors import pull

LONG_GAMES = int(os.environ.get("SOLIDARITY_LONG_GAMES", "0"))
BOUNDED = settings(
    max_examples=LONG_GAMES or 4,
    deadline=None,
    database=None,
    derandomize=not LONG_GAMES,
    phases=[Phase.explicit, Phase.generate] + [Phase.shrink] * (LONG_GAMES > 0),
    suppress_health_check=list(HealthCheck),
)
PAID_AGAIN = ["charge", "automatic", "payout", "bank", "payout_failure", "half_a_year", "pay_again", "automatic"]
GIVEN_BACK = ["charge", "renew", "refund", "refund_failure", "charge", "dispute", "dispute_reversal", "fee", "strange"]


def test_whatever_happens_to_notices_and_pulls_the_books_equal_the_processors_own(
    fresh: Callable[[], Engine], tmp_path: Path
) -> None:
    @BOUNDED
    @given(
        steps=st.lists(st.sampled_from(STEPS), min_size=10, max_size=100 if LONG_GAMES else 40),
        chance=st.randoms(use_true_random=False),
        lost=st.sampled_from([0, 40, 100]),
        thin=st.booleans(),
    )
    @example(steps=PAID_AGAIN * 2, chance=random.Random(1), lost=100, thin=False)  # noqa: S311  # draws no secrets
    @example(steps=GIVEN_BACK * 2, chance=random.Random(2), lost=0, thin=True)  # noqa: S311  # draws no secrets
    def play(*, steps: list[str], chance: random.Random, lost: int, thin: bool) -> None:
        with (
            a_book(fresh(), tmp_path) as session,
            a_book(fresh(), tmp_path) as twin,
            a_season(session, chance, lost=lost, thin=thin) as season,
        ):
            for step in steps:
                season.play(step)
            season.reconcile()
            season.pull()
            assert season.pull() == []
            pull(furnish(twin), season.link, now=season.now())
            check_notices(season, lost=lost)
            assert became(session) == became(twin)
            check_books(season)
            check_the_bank(season)
            assert_it_holds(engine_of(session), but=BELOW_THE_ACTS)

    play()


@contextmanager
def a_book(engine: Engine, folder: Path) -> Iterator[Session]:
    """A founded book; its database is let go also when a season is broken off, as hypothesis does with long ones."""
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        conftest.found_with_leaves(engine, folder)
        yield stack.enter_context(Session(engine, expire_on_commit=False))


def became(session: Session) -> dict[tuple[str, int], tuple[str, str | None]]:
    """By movement, whether and by which recipe it is booked."""
    return {one.key: (one.state, one.recipe) for one, _ in bookings.listed(session)}


def check_notices(season: Season, *, lost: int) -> None:
    kept = len(season.session.exec(select(Notice)).all())
    assert (kept == 0) if lost == 100 else (kept == len(set(season.mail.taken)))


def check_books(season: Season) -> None:
    """What no recipe knows waits for a person; then all is booked, once, and each payout is what it pays out."""
    session, account = season.session, season.account
    waiting = bookings.listed(session, waiting_only=True)
    assert {booking.reason for booking, _ in waiting} <= STRANGE
    assert season.explain_all() == len(waiting)
    moved = {(one["id"], one["amount"]) for one in account.transactions if one["amount"]}
    assert {one.key for one, _ in bookings.listed(session) if one.entry_id is not None} == moved
    for coin in COINS:
        assert balance(session, f"1100:{coin}", currency=coin.upper()).minor == account.balance[coin], coin
    left = Counter(one["source"] for one in account.transactions if one["reporting_category"] == "payout")
    booked = [one for one in payouts.listed(session) if one.id.startswith("po_")]
    assert Counter(one.source for one in booked) == left
    standing = Counter(one.source for one in booked if one.state is not payouts.State.FAILED)
    assert standing == Counter(name for name, one in account.payouts.items() if one["status"] != "failed")
    for one in booked:
        of_theirs = account.payouts[one.source]
        assert (one.arriving().minor, one.arriving().currency.lower()) == (of_theirs["amount"], of_theirs["currency"])
        assert sum(share.minor for share in payouts.shares_of(session, one).values()) == one.minor
        if one.items_of is not None:
            assert sum(payout_items.shares_of(session, one.items_of, leaf=one.account_code).values()) == one.minor
    assert {gift.source for gift in donations.listed(session)} <= {donations.Source.CARD}


def check_the_bank(season: Season) -> None:
    """When the bank has shown all that came and went, nothing is in transit but what it sent for top-ups."""
    session = season.session
    season.bank()
    season.take_back()
    assert {one.state for one in payouts.listed(session)} <= {payouts.State.PAID, payouts.State.FAILED}
    for coin in COINS:
        sent = [
            one.minor for one in session.exec(select(TopUp)) if (one.currency, one.reversed_on) == (coin.upper(), None)
        ]
        assert balance(session, f"1050:{coin}", currency=coin.upper()).minor == -sum(sent), coin
    differences = {one.difference for one in session.exec(select(OpenException)) if one.resolved_on is None}
    assert not differences - {Difference.BELOW_ZERO, Difference.OVER_REFUNDED}
    assert journal.count(session) >= len(season.account.transactions)
