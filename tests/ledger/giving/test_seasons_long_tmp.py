"""Random seasons at the processor, in any order and any number of times: the books equal the processor's own count."""

from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from ledger import checks, exceptions
from ledger.books import journal
from ledger.books.balances import balance, trial_balance
from ledger.exceptions import Difference
from ledger.giving import bookings, donations, payouts, unread
from ledger.giving.bookings import State
from ledger.giving.movements import Category, Movement
from ledger.giving.unread import Told
from ledger.money import Money
from ledger.reconciliation import processor
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import (
    TRANSIT,
    USD_CARD_LEAF,
    USD_TRANSIT,
    a_charge,
    a_dispute,
    a_dispute_won,
    a_fee,
    a_move,
    a_payout,
    a_payout_failure,
    a_refund,
    a_refund_failure,
    a_top_up,
    changed,
    paying_out,
)
from tests.cast import NOW

LEAVES = {"EUR": (CARD_LEAF, TRANSIT), "USD": (USD_CARD_LEAF, USD_TRANSIT)}
FATES = [
    "stays",
    "refunded",
    "refunded in part",
    "refund failed",
    "refund called off",
    "disputed",
    "won",
    "won in vain",
]
OF_GIVING = [
    check
    for check in checks.CHECKS
    if check.name
    in {
        *("movements", "payouts", "sources", "gift-entries", "gifts", "gifts-given-back", "disputes"),
        *("donor-refunds", "in-transit", "reserved", "lost-disputes", "unread"),
    }
]
CENTS = st.integers(2, 50_000)


@dataclass
class Season:
    """What the processor did, and what by its own count became of it."""

    movements: list[Movement] = field(default_factory=list)
    at_first: list[Movement] = field(default_factory=list)
    """What arrives of them the first time: some of it not at all, payouts perhaps before they are put together."""
    told: list[Told] = field(default_factory=list)
    in_transit: Counter[str] = field(default_factory=Counter)
    refunded: Counter[str | None] = field(default_factory=Counter)
    states: dict[str | None, donations.State] = field(default_factory=dict)

    def happen(self, *moved: Movement) -> None:
        self.movements += moved

    def not_paid_out(self) -> list[Movement]:
        """What gifts moved and no automatic payout has among its items."""
        paid_out = {item for one in self.movements for item in one.transactions or ()}
        return [one for one in self.movements if one.category in GIFTS and one.balance_transaction not in paid_out]


def give(season: Season, charge: Movement, fate: str, nth: int) -> None:
    """A gift and what becomes of it."""
    season.happen(charge)
    refund = a_refund(charge, charge.gross if fate != "refunded in part" else half_of(charge.gross), nth=nth)
    dispute = a_dispute(charge, charge.gross, nth=nth)
    again = changed(dispute, balance_transaction=f"txn_DisputeAgain{nth:04d}")
    failure = a_refund_failure(refund, cancelled=fate == "refund called off", nth=nth)
    became = {
        "stays": ([], donations.State.RECEIVED),
        "refunded": ([refund], donations.State.REFUNDED),
        "refunded in part": ([refund], donations.State.REFUNDED),
        "refund failed": ([refund, failure], donations.State.REFUNDED),
        "refund called off": ([refund, failure], donations.State.RECEIVED),
        "disputed": ([dispute], donations.State.DISPUTED),
        "won": ([dispute, a_dispute_won(dispute, fee=dispute.fee, nth=nth)], donations.State.WON),
        "won in vain": ([dispute, a_dispute_won(dispute, nth=nth), again], donations.State.DISPUTED),
    }
    moved, season.states[charge.charge] = became[fate]
    season.happen(*moved)
    if refund in moved and fate != "refund called off":
        season.refunded[charge.charge] -= refund.gross.minor


def half_of(amount: Money) -> Money:
    return Money(amount.minor // 2, amount.currency)


def pay_out(season: Season, payout: Movement, ending: str, nth: int) -> None:
    """A payout that comes to its end, fails, or fails and is paid under its name half a year later."""
    season.happen(payout)
    if ending != "stays":
        season.happen(a_payout_failure(payout, nth=nth))
    if ending == "paid again":
        season.happen(changed(payout, balance_transaction=f"txn_PaidAgain{nth:04d}"))
    if ending != "failed":
        season.in_transit[payout.gross.currency] -= payout.gross.minor


@st.composite
def seasons(draw: st.DrawFn) -> Season:
    season = Season()
    currencies = st.sampled_from(["EUR", "USD"])
    purposes = st.sampled_from(["FINES", "DETENTION", "ALL", None])
    for nth in range(draw(st.integers(1, 4))):
        currency = draw(currencies)
        fee = Money(draw(st.integers(0, 400)), currency)
        charge = a_charge(Money(draw(CENTS), currency), fee=fee, purpose=draw(purposes), nth=nth)
        give(season, charge, draw(st.sampled_from(FATES)), nth)
    for nth, category in enumerate(
        draw(st.lists(st.sampled_from(["fee", "tax", "reserve", "new", "yen"]), max_size=4))
    ):
        amount = Money(-draw(CENTS), draw(currencies))
        season.happen(
            {
                "fee": a_fee(-amount, nth=nth),
                "tax": a_move("tax", amount, nth=nth),
                "reserve": a_move("risk_reserved_funds", amount if nth % 2 else -amount, nth=nth),
                "new": a_move("climate_contribution", amount, nth=nth),
                "yen": a_fee(Money(-amount.minor, "JPY"), nth=nth),
            }[category]
        )
    for nth in range(draw(st.integers(0, 1))):
        top_up = a_top_up(Money(draw(CENTS), draw(currencies)), nth=nth)
        season.happen(top_up)
        season.in_transit[top_up.gross.currency] -= top_up.gross.minor
    endings = st.sampled_from(["stays", "failed", "paid again"])
    for nth in range(draw(st.integers(0, 2))):
        payout = a_payout(Money(draw(CENTS), draw(currencies)), nth=nth)
        if draw(st.booleans()):
            payout = automatic_or(payout, season.not_paid_out(), nth)
        pay_out(season, payout, draw(endings), nth)
    strange = st.builds(a_strange_one, CENTS, st.sampled_from(["ZZZ", "USDC"]))
    season.told = draw(st.lists(strange, max_size=2, unique_by=lambda one: one.gross))
    twice = draw(st.lists(st.sampled_from(season.movements), max_size=4))
    season.movements = draw(st.permutations(season.movements + twice))
    arrives = draw(st.lists(st.booleans(), min_size=len(season.movements), max_size=len(season.movements)))
    season.at_first = [
        one if one.transactions is None or draw(st.booleans()) else changed(one, transactions=())
        for one, is_there in zip(draw(st.permutations(season.movements)), arrives, strict=True)
        if is_there
    ]
    return season


def a_strange_one(minor: int, currency: str) -> Told:
    """A gift in a currency that nobody knows."""
    return replace(Told.of(a_charge(Money(minor, "EUR"), nth=9_000 + minor)), currency=currency)


GIFTS = {Category.CHARGE, Category.REFUND, Category.DISPUTE}


def automatic_or(payout: Movement, settled: list[Movement], nth: int) -> Movement:
    """The automatic payout of what moved in its currency, when that is above zero; else the one somebody asked for."""
    own = [one for one in settled if one.net.currency == payout.gross.currency]
    if sum(one.net.minor for one in own) <= 0:
        return payout
    return paying_out(*own, nth=nth)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(season=seasons(), part=st.integers(1, 8))
def test_whatever_comes_in_whatever_order_the_books_equal_the_processors_count(
    card_book: Session, season: Season, part: int
) -> None:
    savepoint = card_book.begin_nested()
    try:
        for start in range(0, len(season.at_first), part):
            receive(card_book, season.at_first[start : start + part])
        processor.receive(card_book, [], told=season.told, received_at=NOW, received_by=RECORDER)
        for start in range(0, len(season.movements), part):
            receive(card_book, season.movements[start : start + part])
        check_books(card_book, season)
        entries = journal.count(card_book)
        receive(card_book, season.movements)
        assert journal.count(card_book) == entries
        assert checks.findings(card_book, checks=OF_GIVING) == []
    finally:
        savepoint.rollback()


def receive(session: Session, some: list[Movement]) -> None:
    processor.receive(session, some, received_at=NOW, received_by=RECORDER)


def check_books(session: Session, season: Season) -> None:
    moved = {one.key: one for one in season.movements}
    known = [one for one in moved.values() if one.category in set(Category) and one.net.currency in LEAVES]
    assert journal.count(session) == len(known)
    for currency, (leaf, transit) in LEAVES.items():
        own = [one.net.minor for one in known if one.net.currency == currency]
        assert balance(session, leaf, currency=currency).minor == sum(own)
        assert balance(session, transit, currency=currency).minor == season.in_transit[currency]
        reconciled = processor.reconcile(session, leaf)
        assert reconciled is None or reconciled.difference.minor == 0
    waiting = {booking.key for booking, _ in bookings.listed(session, waiting_only=True)}
    assert waiting == {key for key, one in moved.items() if one not in known}
    told = Counter(one.difference for one in exceptions.listed(session))
    assert told[Difference.MOVEMENT_WAITS] == len(waiting)
    assert told[Difference.UNKNOWN_CURRENCY] == len(season.told) == len(unread.listed(session))
    assert not {Difference.BALANCE_DIFFERS, Difference.PAYOUT_DIFFERS, Difference.OVER_REFUNDED} & told.keys()
    by_cell: Counter[tuple[str, str]] = Counter()
    for one in trial_balance(session):
        by_cell[one.fund, one.currency] += one.minor
    assert set(by_cell.values()) <= {0}
    assert {one.state for one, _ in bookings.listed(session)} <= {State.BOOKED, State.WAITING}
    check_gifts(session, season)


def check_gifts(session: Session, season: Season) -> None:
    for gift in donations.listed(session):
        assert (gift.state, gift.refunded_minor) == (season.states[gift.charge], season.refunded[gift.charge])
    for payout in payouts.listed(session):
        assert sum(share.minor for share in payouts.shares_of(session, payout).values()) == payout.minor
