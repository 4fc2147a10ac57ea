"""One movement that cannot be read, kept or booked waits by itself: everything else is booked as without it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from api import pulling, stripe_gateway
from ledger import exceptions
from ledger.books import journal
from ledger.books.balances import balance
from ledger.exceptions import Difference
from ledger.giving import bookings, donations, processor, strays
from ledger.giving.bookings import Reason, State
from ledger.giving.movements import Movement
from tests.bookcheck import found
from tests.bookkeeping import CARD_LEAF, RECORDER
from tests.cards import a_charge, a_dispute, a_dispute_won, a_fee, a_refund, book, changed, transaction
from tests.cast import NOW, eur, nothing_written

CHARGE = a_charge(eur("100.00"), fee=eur("3.20"))
TOMORROW = a_charge(eur("7.00"), nth=7, on=NOW.date() + timedelta(days=9))


def take(session: Session, items: list[Any]) -> None:
    """Books what the processor lists, as a pull does."""
    moved, unreadable = stripe_gateway.sort_out(items)
    strays.tell(session, unreadable, on=NOW.date())
    pulling.book(session, moved, balances=None, now=NOW)


def told(session: Session) -> list[tuple[Difference, str, str | None]]:
    """What waits: its kind, what it is about, and its amount."""
    return [
        (one.difference, one.about.partition(":")[2], str(one.amount()) if one.amount() else None)
        for one in exceptions.listed(session)
        if one.difference is not Difference.BELOW_ZERO  # general bears fees before it has anything
    ]


def test_a_movement_of_a_day_to_come_waits_for_it_and_holds_nothing_up(card_book: Session) -> None:
    late = a_charge(eur("1.00"), nth=2)
    first = book(card_book, CHARGE, TOMORROW, late)
    with nothing_written(card_book):
        processor.refresh(card_book, recorded_at=NOW, recorded_by=RECORDER)

    assert [(one.state, one.reason) for one in first] == [
        (State.BOOKED, None),
        (State.WAITING, Reason.REFUSED),
        (State.BOOKED, None),
    ]
    assert told(card_book) == [(Difference.MOVEMENT_WAITS, TOMORROW.source_key, "7.00 EUR")]
    assert [one.awaits for one, _ in bookings.listed(card_book, waiting_only=True)] == ["again:bad_entry"]
    assert found(card_book) == []

    processor.refresh(card_book, recorded_at=NOW + timedelta(days=9), recorded_by=RECORDER)

    assert (told(card_book), bookings.listed(card_book, waiting_only=True)) == ([], [])
    assert balance(card_book, CARD_LEAF, currency="EUR") == eur("104.80")
    assert found(card_book) == []


def test_what_is_told_otherwise_than_before_is_an_exception_once_and_the_first_word_stands(card_book: Session) -> None:
    take(card_book, [transaction(CHARGE)])
    otherwise = transaction(CHARGE) | {"description": None}
    other_fee = transaction(CHARGE) | {"fee": 0, "net": 10_000}
    late = transaction(a_charge(eur("1.00"), nth=2))

    take(card_book, [otherwise, other_fee, late])
    with nothing_written(card_book):
        take(card_book, [otherwise, other_fee, late])

    about = {(difference, key.rpartition(":")[0], amount) for difference, key, amount in told(card_book)}
    assert about == {
        (Difference.TOLD_OTHERWISE, f"{CHARGE.source_key}:purpose", "96.80 EUR"),
        (Difference.TOLD_OTHERWISE, f"{CHARGE.source_key}:fee_minor+net_minor", "100.00 EUR"),
    }
    assert balance(card_book, CARD_LEAF, currency="EUR") == eur("97.80")
    assert found(card_book) == []


def test_of_two_contents_in_one_list_the_first_stands(card_book: Session) -> None:
    strange = transaction(a_charge(eur("5.00"), nth=3)) | {"currency": "zzz"}

    take(card_book, [transaction(CHARGE), transaction(CHARGE) | {"fee": 0, "net": 10_000}])
    take(card_book, [strange, strange | {"fee": 1, "net": 499}])
    take(card_book, [strange | {"fee": 2, "net": 498}])

    assert [difference for difference, _, _ in told(card_book)].count(Difference.TOLD_OTHERWISE) == 3
    assert [difference for difference, _, _ in told(card_book)].count(Difference.UNKNOWN_CURRENCY) == 1
    assert journal.count(card_book) == 1


def test_what_could_not_be_read_and_can_be_now_is_booked_and_its_exception_closed(card_book: Session) -> None:
    take(card_book, [transaction(CHARGE) | {"net": 1}, "kanarejka"])
    unreadable = told(card_book)
    assert strays.waiting(card_book) == [CHARGE.balance_transaction]

    take(card_book, [transaction(CHARGE)])

    assert (Difference.UNREADABLE, CHARGE.balance_transaction, "0.01 EUR") in unreadable
    assert [(difference, amount) for difference, _, amount in told(card_book)] == [(Difference.UNREADABLE, None)]
    assert (journal.count(card_book), strays.waiting(card_book)) == (1, [])
    assert found(card_book) == []


def test_an_exception_of_what_nobody_could_read_that_is_closed_and_nothing_was_kept_is_found(
    card_book: Session,
) -> None:
    take(card_book, [transaction(CHARGE) | {"net": 1}])
    (opened,) = exceptions.listed(card_book)

    exceptions.resolve(card_book, opened, on=NOW.date())

    assert [(one.check, one.name) for one in found(card_book)] == [("exceptions", opened.alias)]


def of_no_category(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"id": "txn_Broken0001", "reporting_category": "Kanarejka-1"}


def without_a_source(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"id": "txn_Broken0001", "reporting_category": "dispute", "source": None, "description": None}


def that_does_not_tie(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"id": "txn_Broken0001", "net": item["net"] + 1}


def of_a_day_to_come(item: dict[str, Any]) -> dict[str, Any]:
    fee = {"reporting_category": "fee", "amount": -5, "fee": 0, "net": -5, "source": None}
    return item | fee | {"id": "txn_Broken0001", "created": item["created"] + 10**9}


def told_twice(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"fee": item["fee"] + 1, "net": item["net"] - 1}


def without_an_id(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"id": 7}


def of_nothing(item: dict[str, Any]) -> dict[str, Any]:
    return {"kanarejka": item["id"]}


BROKEN = [
    of_no_category,
    without_a_source,
    that_does_not_tie,
    of_a_day_to_come,
    told_twice,
    without_an_id,
    of_nothing,
]


@st.composite
def seasons(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Gifts, of which some go back, are called back, are won; and fees: as the processor lists them."""
    moved: list[Movement] = []
    for nth in range(1, draw(st.integers(2, 5))):
        charge = a_charge(eur("50.00"), fee=eur("1.00"), nth=nth, purpose=draw(st.sampled_from(["FINES", None])))
        refund, dispute = a_refund(charge, eur("20.00"), nth=nth), a_dispute(charge, eur("30.00"), nth=nth)
        fates = [[], [refund], [dispute], [dispute, a_dispute_won(dispute, nth=nth)], [refund, dispute]]
        moved += [charge, *draw(st.sampled_from(fates)), a_fee(eur("0.50"), nth=nth)]
    return [transaction(one, second=second) for second, one in enumerate(moved)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=5, deadline=None)
@given(season=seasons(), make=st.sampled_from(BROKEN), place=st.integers(0, 20), part=st.integers(1, 30))
def test_one_broken_item_is_one_exception_and_all_others_are_booked_as_without_it(
    card_book: Session,
    season: list[dict[str, Any]],
    make: Callable[[dict[str, Any]], dict[str, Any]],
    place: int,
    part: int,
) -> None:
    at = place % len(season)
    broken = make(season[at])
    with_it = [*season[: at + 1], broken, *season[at + 1 :]]

    def outcome(items: list[dict[str, Any]]) -> tuple[list[object], int, int]:
        savepoint = card_book.begin_nested()
        try:
            for start in range(0, len(items), part):
                take(card_book, items[start : start + part])
            books = [
                (one.key, one.state, one.recipe) for one, _ in bookings.listed(card_book) if "Broken" not in str(one)
            ]
            gifts = sorted(str(facts_of(one)) for one in donations.listed(card_book))
            waits = len(told(card_book))
            return [*books, *gifts], journal.count(card_book), waits
        finally:
            savepoint.rollback()

    without, entries, waiting = outcome(season)
    assert outcome(with_it) == (without, entries, waiting + 1)


def facts_of(gift: donations.Donation) -> tuple[object, ...]:
    return gift.charge, gift.state, gift.fund_code, gift.minor, gift.fee_minor, gift.refunded_minor


def test_the_processor_may_tell_now_what_it_did_not_tell_before(card_book: Session) -> None:
    take(card_book, [transaction(changed(CHARGE, purpose=None))])

    with nothing_written(card_book):
        take(card_book, [transaction(CHARGE)])
