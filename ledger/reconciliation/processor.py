"""The processor's reconciliation: our leaf in each currency equals the sum of everything the processor moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from ledger import exceptions, overdrafts
from ledger.books import balances
from ledger.books.accounts import Account
from ledger.exceptions import Difference
from ledger.giving import movements, processor
from ledger.giving.leaves import PROCESSOR, find_leaf, require_leaf
from ledger.giving.movements import Movement
from ledger.giving.processor import Booked
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A leaf after its newest movement: `per_processor` (the sum of the nets of all received) less `per_books`."""

    account: str
    currency: str
    on: date
    per_processor: Money
    per_books: Money
    difference: Money


def receive(
    session: Session,
    received: Sequence[Movement],
    *,
    reported: Sequence[Money] = (),
    received_at: datetime,
    received_by: str,
) -> list[Booked]:
    """Books movements, all or none, and opens an exception for every difference.

    `reported` are the balances that the processor itself tells after these movements, one a currency. An exception is
    opened where a leaf differs from the sum of its movements, where that sum differs from what is reported, and where
    a leaf or a fund falls below zero.

    Raises:
        NoLeaf: a balance is reported in a currency without a leaf. What `giving.processor` raises. Nothing was written.
    """
    with session.begin_nested(), overdrafts.noted(session, on=received_at.date()):
        booked = processor.book(session, received, recorded_at=received_at, recorded_by=received_by)
        told = {money.currency: money for money in reported}
        for currency in sorted({one.movement.net.currency for one in booked if not one.replayed} | told.keys()):
            _check(session, currency, reported=told.get(currency), on=received_at.date())
    return booked


def reconcile(session: Session, leaf: str) -> Reconciliation | None:
    """A leaf of the processor against the movements received, or None when there are none."""
    on = movements.newest_on(session, leaf)
    currency = session.get_one(Account, leaf).currency
    if on is None or currency is None:
        return None
    per_processor = movements.total(session, leaf, currency=currency)
    per_books = balances.balance(session, leaf, currency=currency)
    return Reconciliation(
        account=leaf,
        currency=currency,
        on=on,
        per_processor=per_processor,
        per_books=per_books,
        difference=per_processor - per_books,
    )


def _check(session: Session, currency: str, *, reported: Money | None, on: date) -> None:
    if reported is not None and not reported.minor and find_leaf(session, PROCESSOR, currency=currency) is None:
        return  # the processor tells zeros in currencies that were never used
    leaf = require_leaf(session, PROCESSOR, currency=currency)
    found = reconcile(session, leaf)
    if found is not None and found.difference.minor:
        _open(session, Difference.BALANCE_DIFFERS, leaf, found.difference, on=on)
    total = movements.total(session, leaf, currency=currency)
    if reported is not None and reported != total:
        _open(session, Difference.PROCESSOR_DIFFERS, leaf, reported - total, on=on)


def _open(session: Session, difference: Difference, leaf: str, amount: Money, *, on: date) -> None:
    """Once a day for the same amount."""
    about = f"{leaf}:{on}:{amount.minor}"
    exceptions.open_once(session, difference=difference, account=leaf, about=about, amount=amount, on=on)
