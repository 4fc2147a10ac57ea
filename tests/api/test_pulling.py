"""Pulling from the invented processor into a real book, on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from api import pulling
from api.stripe_link import TRIES, ProcessorUnavailable
from examples.card_processor.account import DAY
from examples.card_processor.server import Processor, Trouble
from ledger.books import journal
from ledger.books.balances import balance
from ledger.exceptions import Difference, OpenException
from ledger.giving import bookings, cursors, donations, notices, payouts, unread
from ledger.giving.bookings import Reason
from ledger.giving.cursors import OVERLAP_SECONDS, PullCursor
from tests.bookcheck import assert_it_holds, found
from tests.bookkeeping import CARD_LEAF
from tests.cast import NOW, engine_of, eur, nothing_written, race
from tests.processors import BEGAN, a_processor, linked, pull


@pytest.fixture
def processor() -> Processor:
    """Two gifts, of which one came with a name instead of a purpose."""
    made = a_processor()
    made.account.charge(10_000, "eur", description="FINES")
    made.account.now += DAY
    made.account.charge(2_000, "eur", description="KANAREJKA")
    return made


def cursor(session: Session) -> PullCursor:
    session.rollback()
    session.expire_all()
    return session.get_one(PullCursor, cursors.STRIPE)


def test_a_pull_books_what_moved_and_the_next_one_nothing_again(till: Session, processor: Processor) -> None:
    with linked(processor) as link:
        new = pull(till, link)
        again = pull(till, link)

    assert ([one.fund for one in new], again) == (["fines", "unassigned"], [])
    assert {gift.purpose_code for gift in donations.listed(till)} == {"FINES", None}
    assert balance(till, CARD_LEAF, currency="EUR").minor == processor.account.balance["eur"]
    assert (cursor(till).second, cursor(till).looked_at) == (processor.account.now, NOW)
    assert_it_holds(engine_of(till))


def test_the_next_pull_begins_a_little_before_the_last_one_ended(till: Session, processor: Processor) -> None:
    """What the processor lists late, with a second before others that are booked, is found all the same."""
    with linked(processor) as link:
        processor.account.now += OVERLAP_SECONDS + DAY
        processor.account.charge(500, "eur")
        pull(till, link)
        assert cursors.find_start(till) == processor.account.now - OVERLAP_SECONDS
        processor.account.charge(700, "eur")
        processor.account.transactions[-1]["created"] -= OVERLAP_SECONDS - 1

        new = pull(till, link)

    assert [one.movement.gross for one in new] == [eur("7.00")]


def test_after_a_crash_between_two_parts_the_next_pull_goes_on(
    till: Session, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.pulling.PART", 1)

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    with linked(processor) as link:
        with pytest.raises(KeyboardInterrupt):
            pull(till, link, reached=crash)
        assert (journal.count(till), cursor(till).second, cursor(till).looked_at) == (1, BEGAN, None)
        pull(till, link)

    assert journal.count(till) == 2
    assert balance(till, CARD_LEAF, currency="EUR").minor == processor.account.balance["eur"]
    assert_it_holds(engine_of(till))


def test_an_outage_writes_nothing_and_the_next_pull_finds_everything(till: Session, processor: Processor) -> None:
    processor.troubles.extend([Trouble.NONE] + [Trouble.BUSY] * TRIES)

    with linked(processor) as link:
        with nothing_written(till), pytest.raises(ProcessorUnavailable):
            pull(till, link)
        new = pull(till, link)

    assert len(new) == 2


def in_yen(processor: Processor) -> None:
    processor.account.charge(300, "jpy", fee=0)


def of_no_known_category(processor: Processor) -> None:
    processor.account.take_fee(300, "eur")
    processor.account.transactions[-1]["reporting_category"] = "kanarejka"


@pytest.mark.parametrize(("happens", "minor"), [(in_yen, 300), (of_no_known_category, -300)])
def test_what_has_no_leaf_or_no_recipe_waits_with_its_amount(
    till: Session, processor: Processor, happens: Callable[[Processor], None], minor: int
) -> None:
    happens(processor)

    with linked(processor) as link:
        new = pull(till, link)

    assert [one.recipe for one in new].count(None) == 1
    waiting = select(OpenException.minor).where(OpenException.difference == Difference.MOVEMENT_WAITS)
    assert till.exec(waiting).all() == [minor]


def test_a_currency_that_nobody_knows_holds_nothing_up(till: Session, processor: Processor) -> None:
    account = processor.account
    strange = account.charge(300, "zzz", fee=7, description="KANAREJKA")
    crossing = account.pay_out(500, "eur", arriving=(900, "zzz"))

    with linked(processor) as link:
        new = pull(till, link)
        with nothing_written(till):
            pull(till, link)

    left = {(one.source, one.gross, one.fee, one.currency, one.purpose) for one in unread.listed(till)}
    assert left == {(strange, 300, 7, "ZZZ", None), (crossing, -500, 0, "EUR", None)}
    assert [one.recipe for one in new] == ["card_gift", "card_gift"]
    told = select(OpenException.about).where(OpenException.difference == Difference.UNKNOWN_CURRENCY)
    assert len(till.exec(told).all()) == 2


def test_a_payout_tells_what_it_pays_out_unless_somebody_asked_for_it(till: Session, processor: Processor) -> None:
    account = processor.account
    account.now += 3 * DAY
    automatic = account.pay_out_automatically("eur")
    account.charge(1_000, "eur")
    by_hand = account.pay_out(100, "eur")

    with linked(processor) as link:
        pull(till, link)

    told = {one.id: one.items_of is not None for one in payouts.listed(till)}
    assert told == {automatic: True, by_hand: False}
    assert_it_holds(engine_of(till))


def test_a_payout_waits_until_the_processor_has_put_it_together_however_long_that_takes(
    till: Session, processor: Processor
) -> None:
    account = processor.account
    account.now += 3 * DAY
    payout = str(account.pay_out_automatically("eur", complete=False))

    with linked(processor) as link:
        pull(till, link)
        (waiting,) = bookings.listed(till, waiting_only=True)
        account.now += 2 * OVERLAP_SECONDS
        account.charge(100, "eur")
        pull(till, link)
        assert (waiting[0].reason, payouts.listed(till)) == (Reason.ITEMS_NOT_TOLD, [])
        account.reconcile(payout)
        pull(till, link)

    (booked,) = payouts.listed(till)
    assert payouts.shares_of(till, booked) == {
        "fines": eur("100.00"),
        "general": eur("-4.08"),
        "unassigned": eur("20.00"),
    }
    assert bookings.listed(till, waiting_only=True) == []
    assert_it_holds(engine_of(till))


def test_a_balance_that_the_movements_do_not_come_to_is_an_exception(till: Session, processor: Processor) -> None:
    processor.account.transactions.pop()  # it moved, and is not listed

    with linked(processor) as link:
        pull(till, link)

    differing = select(OpenException.minor).where(OpenException.difference == Difference.PROCESSOR_DIFFERS)
    assert till.exec(differing).all() == [1_912]


def test_two_pulls_at_once_book_once(till: Session, processor: Processor) -> None:
    with linked(processor) as link, linked(processor) as other:
        told: list[Any] = race(
            till,
            lambda own: pull(own, link),
            lambda own: pull(own, other),
        )

    assert sum(len(one) for one in told) == 2
    assert journal.count(till) == 2


def test_a_place_moved_ahead_by_hand_is_found(till: Session, processor: Processor) -> None:
    """Whoever moves it on lets the next pull pass over what moved."""
    with linked(processor) as link:
        pull(till, link)
    till.connection().execute(text("UPDATE pull_cursor SET second = second + 172800"))
    till.commit()

    assert [(one.check, one.name) for one in found(till)] == [("pulled", "stripe")]


def test_the_place_never_moves_back(till: Session) -> None:
    cursors.advance(till, 500, looked_at=NOW)

    cursors.advance(till, 300, looked_at=NOW - timedelta(days=1))

    assert (cursor_in(till).second, cursor_in(till).looked_at) == (500, NOW)


def cursor_in(session: Session) -> PullCursor:
    return session.get_one(PullCursor, cursors.STRIPE)


def test_a_notice_of_what_nobody_has_seen_only_says_that_it_is_time(till: Session, processor: Processor) -> None:
    notices.take(
        till, "evt_Invented0001", kind="charge.succeeded", about="ch_Never0001", received_at=NOW - notices.QUIET
    )
    till.commit()
    assert notices.is_time_to_look(till, now=NOW)
    with linked(processor) as link:
        new = pull(till, link)

    assert len(new) == len(processor.account.transactions)
    assert "ch_Never0001" not in {gift.charge for gift in donations.listed(till)}
    assert not notices.is_time_to_look(till, now=NOW)


def test_a_future_second_moves_the_place_no_further_than_now(till: Session, processor: Processor) -> None:
    """Else nothing that moves before that second would ever be found."""
    account = processor.account
    account.charge(100, "eur", fee=0)
    account.transactions[-1]["created"] += 400 * DAY

    with linked(processor) as link:
        pull(till, link)
        account.now += DAY
        account.charge(500, "eur", fee=0)
        (new,) = pull(till, link)

    assert (new.movement.gross, new.recipe) == (eur("5.00"), "card_gift")
    assert cursor(till).second <= NOW.timestamp()
    assert [one.reason for one, _ in bookings.listed(till, waiting_only=True)] == [Reason.REFUSED]
    assert_it_holds(engine_of(till))


def test_what_the_processor_takes_from_the_bank_holds_nothing_up(till: Session, processor: Processor) -> None:
    account = processor.account
    account.refund("ch_Invented000001")
    facts = {"automatic": True, "arrival_date": account.now, "reconciliation_status": "completed"}
    taken = account._keep(account.payouts, "po", "payout", status="in_transit", amount=-500, currency="eur", **facts)  # noqa: SLF001  # no story of the account makes one
    account._move("payout", taken, 500, "eur")  # noqa: SLF001  # as above
    account.charge(700, "eur", description="FINES", fee=0)
    account.paid_out_by |= {
        one["id"]: taken["id"] for one in account.transactions if one["reporting_category"] == "refund"
    }

    with linked(processor) as link:
        new = pull(till, link)

    assert {"bank_debited", "gift_refunded", "card_gift"} == {one.recipe for one in new}
    assert balance(till, CARD_LEAF, currency="EUR").minor == account.balance["eur"]


def test_what_cannot_be_read_is_asked_for_until_it_can_and_nothing_waits_for_it(
    till: Session, processor: Processor
) -> None:
    account = processor.account
    strange = account.transactions[0]
    net, strange["net"] = strange["net"], 1

    with linked(processor) as link:
        first = pull(till, link)
        account.now += 2 * OVERLAP_SECONDS
        account.charge(700, "eur", fee=0)
        pull(till, link)
        strange["net"] = net
        (late,) = pull(till, link)

    assert (len(first), late.movement.balance_transaction) == (1, strange["id"])
    told = till.exec(select(OpenException).where(OpenException.difference == Difference.UNREADABLE)).all()
    assert [(one.about, one.resolved_on) for one in told] == [(f"unreadable:{strange['id']}", NOW.date())]
    assert balance(till, CARD_LEAF, currency="EUR").minor == account.balance["eur"]
    assert_it_holds(engine_of(till))


def test_what_is_listed_later_than_that_is_found_by_the_first_pull_of_a_day_while_the_balance_differs(
    till: Session, processor: Processor
) -> None:
    account = processor.account
    late = account.transactions.pop(0)  # it moved, and is not listed
    tomorrow = NOW + timedelta(days=1)
    with linked(processor) as link:
        account.now += 20 * DAY
        account.charge(700, "eur", fee=0)
        pull(till, link)
        account.transactions.insert(0, late)
        assert pull(till, link) == []

        (found_late,) = pulling.pull(engine_of(till), link, now=tomorrow)

    assert found_late.movement.balance_transaction == late["id"]
    till.rollback()
    differing = select(OpenException).where(OpenException.difference == Difference.PROCESSOR_DIFFERS)
    assert [one.resolved_on for one in till.exec(differing)] == [tomorrow.date()]


def test_a_pull_may_begin_on_any_day(till: Session, processor: Processor) -> None:
    account = processor.account
    late = account.transactions.pop(0)
    with linked(processor) as link:
        account.now += 20 * DAY
        account.charge(700, "eur", fee=0)
        pull(till, link)
        account.transactions.insert(0, late)
        day = datetime.fromtimestamp(late["created"], UTC).date()
        assert pull(till, link, since=day + timedelta(days=1)) == []

        (found_late,) = pull(till, link, since=day)

    assert found_late.movement.balance_transaction == late["id"]
    assert cursor(till).second == account.now


@pytest.mark.parametrize(("status", "recipe"), [("canceled", "refund_cancelled"), ("failed", "refund_failed")])
def test_a_refund_that_came_back_is_booked_when_it_is_told_whether_it_failed_or_was_called_off(
    till: Session, processor: Processor, status: str, recipe: str
) -> None:
    account = processor.account
    refund = account.refund("ch_Invented000001", 1_000)
    account.undo_refund(refund, status="pending")
    with linked(processor) as link:
        pull(till, link)
        differing = [one for one in till.exec(select(OpenException)) if one.difference is Difference.UNREADABLE]
        account.refunds[refund]["status"] = status

        (came_back,) = pull(till, link)

    assert (came_back.recipe, [one.minor for one in differing]) == (recipe, [1_000])
    assert balance(till, CARD_LEAF, currency="EUR").minor == account.balance["eur"]
    assert_it_holds(engine_of(till))


@pytest.mark.parametrize(("first", "then", "owed"), [("failed", "canceled", 1_000), ("canceled", "failed", 0)])
def test_what_became_of_a_refund_is_booked_as_it_was_first_told_and_what_is_told_later_waits_for_a_person(
    till: Session, processor: Processor, first: str, then: str, owed: int
) -> None:
    account = processor.account
    refund = account.refund("ch_Invented000001", 1_000)
    account.undo_refund(refund, status=first)
    with linked(processor) as link:
        pull(till, link)
        account.refunds[refund]["status"] = then

        assert pull(till, link) == pull(till, link) == []

    waiting = [one for one in till.exec(select(OpenException)) if one.difference is Difference.TOLD_OTHERWISE]
    assert [(one.minor, "cancelled" in one.about) for one in waiting] == [(1_000, True)]
    assert balance(till, CARD_LEAF, currency="EUR").minor == account.balance["eur"]
    assert -balance(till, "2050", currency="EUR").minor == owed
    assert found(till, by={"bookings", "donor-refunds", "movements", "processor"}) == []
