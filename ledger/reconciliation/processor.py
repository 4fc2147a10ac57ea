"""The processor's reconciliation: our leaf in each currency equals the sum of everything the processor moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from ledger import exceptions, overdrafts
from ledger.books import balances
from ledger.books.accounts import Account
from ledger.exceptions import Difference
from ledger.giving import bookings, early_payouts, movements, processor
from ledger.giving.explanations import What
from ledger.giving.leaves import PROCESSOR, find_leaf
from ledger.giving.movements import Movement
from ledger.giving.processor import Booked
from ledger.giving.unread import Told
from ledger.money import Money
from ledger.reconciliation import arrivals


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A leaf after its newest movement.

    `per_processor` (the sum of the nets of all received in its currency) less `not_booked` (those that wait) less
    `per_books` is the difference.
    """

    account: str
    currency: str
    on: date
    per_processor: Money
    per_books: Money
    not_booked: Money
    difference: Money


def receive(
    session: Session,
    received: Sequence[Movement],
    *,
    told: Sequence[Told] = (),
    reported: Sequence[Money] = (),
    received_at: datetime,
    received_by: str,
) -> list[Booked]:
    """Keeps movements, all or none, books what can be booked, and opens an exception for every difference.

    `told` are those in a currency that this version does not know. `reported` are the balances that the processor
    itself tells after these movements, one a currency. An exception is opened for each movement that waits, for a
    payout that the bank should have shown by now, where a leaf differs from the sum of its movements, where that sum
    differs from what is reported, and where a leaf or a fund falls below zero. Lines of the bank that waited for a
    payout or a top-up are booked with it; what was booked as a gift that nobody could place, and was a payout, is
    corrected.

    Raises:
        What `giving.processor` raises. Nothing was written.
    """
    today = received_at.date()
    with session.begin_nested(), overdrafts.noted(session, on=today):
        facts: dict[str, Any] = {"recorded_at": received_at, "recorded_by": received_by}
        booked = processor.book(session, received, told=told, **facts)
        arrivals.look_again(session, **facts)
        early_payouts.look_again(session, **facts)
        arrivals.tell_overdue(session, on=today)
        balances_told = {money.currency: money for money in reported}
        moved = {one.movement.net.currency for one in booked if not one.replayed}
        for currency in sorted(moved | balances_told.keys()):
            _check(session, currency, reported=balances_told.get(currency), on=today)
    return booked


def explain(
    session: Session,
    balance_transaction: str,
    *,
    gross: Money,
    what: What,
    gift: str | None = None,
    counted: Money | None = None,
    explained_at: datetime,
    explained_by: str,
) -> Booked:
    """Books a movement that waits as what a person says it was; a line of the bank that waited for it is booked too.

    Raises:
        What `giving.processor.explain` raises. Nothing was written.
    """
    facts: dict[str, Any] = {"recorded_at": explained_at, "recorded_by": explained_by}
    with session.begin_nested(), overdrafts.noted(session, on=explained_at.date()):
        booked = processor.explain(
            session, balance_transaction, gross=gross, what=what, gift=gift, counted=counted, **facts
        )
        arrivals.look_again(session, **facts)
        _check(session, gross.currency, reported=None, on=explained_at.date())
    return booked


def reconcile(session: Session, leaf: str) -> Reconciliation | None:
    """A leaf of the processor against the movements received, or None when there are none."""
    currency = session.get_one(Account, leaf).currency
    on = movements.newest_on(session, currency=currency) if currency else None
    if on is None or currency is None or leaf != find_leaf(session, PROCESSOR, currency=currency):
        return None
    per_processor = movements.total(session, currency=currency)
    not_booked = bookings.waiting_total(session, currency=currency)
    per_books = balances.balance(session, leaf, currency=currency)
    return Reconciliation(
        account=leaf,
        currency=currency,
        on=on,
        per_processor=per_processor,
        per_books=per_books,
        not_booked=not_booked,
        difference=per_processor - not_booked - per_books,
    )


def _check(session: Session, currency: str, *, reported: Money | None, on: date) -> None:
    leaf = find_leaf(session, PROCESSOR, currency=currency)
    found = reconcile(session, leaf) if leaf else None
    if found is not None:
        _note(session, Difference.BALANCE_DIFFERS, found.account, found.difference, on=on)
    if reported is not None:
        difference = reported - movements.total(session, currency=currency)
        _note(session, Difference.PROCESSOR_DIFFERS, leaf or PROCESSOR, difference, on=on)


def _note(session: Session, difference: Difference, leaf: str, amount: Money, *, on: date) -> None:
    """Tells of a difference once a day for the same amount; what agrees again waits no more."""
    if not amount.minor:
        exceptions.settle_leaf(session, difference, account=leaf, currency=amount.currency, on=on)
        return
    about = f"{leaf}:{on}:{amount.minor}" if ":" in leaf else f"{leaf}:{amount.currency}:{on}:{amount.minor}"
    exceptions.open_once(session, difference=difference, account=leaf, about=about, amount=amount, on=on)
