"""What a reconciliation sheet says: both sides of a comparison on a day, what explains them, and what stays open."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

import rfc8785
from sqlmodel import Session

from ledger import book, checks, exceptions
from ledger.aid import agents
from ledger.books import balances, holds
from ledger.books.accounts import Account, UnknownAccount
from ledger.checks import control, figures
from ledger.checks.entries import ENTRY_CHECKS
from ledger.errors import NotFound
from ledger.giving import bookings, sightings
from ledger.giving.leaves import PROCESSOR
from ledger.money import Money
from ledger.reconciliation import advances, bank, processor, transit
from ledger.reconciliation.sheets import With
from ledger.reconciliation.statements import BANK

OWN_CHECKS = (*ENTRY_CHECKS, *control.CHECKS, *figures.CHECKS)
"""The checks by which the ledger is compared with itself: entries, sub-ledgers against control accounts, roll-ups."""


class NothingToCompare(NotFound):
    """No statement, movement or advance has been told of this account."""

    rule = "nothing_to_compare"


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount by its name; below zero it is on the side that the account does not usually have."""

    name: str
    amount: str
    currency: str

    @classmethod
    def of(cls, name: str, money: Money) -> "Figure":
        """Money as a sheet writes it."""
        return cls(name, money.decimal(), money.currency)


@dataclass(frozen=True, slots=True)
class Item:
    """What stands on one side only: `shown_not_booked` by them, or `in_transit`: booked here and not shown by them.

    What is `on_its_way` was ordered, or has left the processor, and is in neither balance. `side` is the bank's: money
    comes `in` or goes `out`. `about` is an alias, a source key, a reason or the number of an entry.
    """

    where: str
    side: str
    about: str
    amount: str
    currency: str
    since: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sheet's content. `differences` are what nothing explains: each zero, when both sides agree."""

    compared: str
    book: str
    organisation: str
    account: str | None
    on: str
    figures: tuple[Figure, ...]
    items: tuple[Item, ...]
    differences: tuple[Figure, ...]
    checks: tuple[str, ...] = ()
    failed_checks: tuple[str, ...] = ()

    def canonical(self) -> str:
        """JSON by RFC 8785: what is kept and signed."""
        return rfc8785.dumps(asdict(self)).decode()


def compare(session: Session, compared: With, account: str | None, *, on: date) -> Comparison:
    """The comparison as the books give it now; `on` is today, and a bank's is of its newest statement's last day.

    Raises:
        NothingToCompare: nothing was told of this account. UnknownAccount: there is none, or of another kind.
    """
    if compared is With.LEDGER:
        return _of_ledger(session, on=on)
    if account is None:
        raise NothingToCompare("an account is compared with somebody", where="account")
    parent = {With.BANK: BANK, With.PROCESSOR: PROCESSOR, With.AGENT: agents.PURSES}[compared]
    found = session.get(Account, account)
    if found is None or found.parent_code != parent:
        raise UnknownAccount("this is no account of that kind", where="account")
    if compared is With.BANK:
        return _of_bank(session, account)
    return _of_processor(session, account) if compared is With.PROCESSOR else _of_agent(session, account, on=on)


def _of_bank(session: Session, leaf: str) -> Comparison:
    found = bank.reconcile(session, leaf)
    if found is None:
        raise NothingToCompare("no statement with a closing balance is of this account", where="account")
    exception_of = {
        one.about.partition(":")[2]: one.alias for one in exceptions.listed(session) if one.account_code == leaf
    }
    seen = [
        _item("shown_not_booked", line.amount(), exception_of.get(line.source_key, line.source_key), line.booked_on)
        for line in transit.lines(session, leaf, on=found.on)
    ]
    booked = [
        _item("in_transit", one.amount, str(one.entry_id), one.happened_on)
        for one in transit.entries(session, leaf, currency=found.currency, on=found.on)
    ]
    shown = (
        Figure.of("per_bank", found.per_bank),
        Figure.of("coming", found.coming),
        Figure.of("going", found.going),
        Figure.of("not_booked", found.not_booked),
        Figure.of("per_books", found.per_books),
    )
    items = [*seen, *booked, *_on_its_way(session, leaf, currency=found.currency, on=found.on)]
    return _comparison(session, With.BANK, leaf, on=found.on, shown=shown, differences=[found.difference], items=items)


def _on_its_way(session: Session, leaf: str, *, currency: str, on: date) -> list[Item]:
    """What the bank was told to pay, and payouts and top-ups that it had not shown at the end of a day."""
    leaving = [
        _item("on_its_way", -left, hold.held_for, hold.placed_on)
        for hold, left in holds.left_on_leaf(session, leaf, currency=currency, on=on)
    ]
    coming = [
        _item("on_its_way", payout.arriving(), payout.id, payout.created_on)
        for payout in sightings.on_their_way(session, currency=currency, on=on)
    ]
    sent = [
        _item("on_its_way", -top_up.amount(), top_up.id, top_up.arrived_on)
        for top_up in sightings.top_ups_on_their_way(session, currency=currency, on=on)
    ]
    return [*leaving, *coming, *sent]


def _of_processor(session: Session, leaf: str) -> Comparison:
    found = processor.reconcile(session, leaf)
    if found is None:
        raise NothingToCompare("no movement of the processor is of this account", where="account")
    waiting = [
        _item("shown_not_booked", Money(moved.net_minor, moved.currency), str(booking.reason), moved.created_on)
        for booking, moved in bookings.listed(session, waiting_only=True)
        if moved.currency == found.currency
    ]
    shown = (
        Figure.of("per_processor", found.per_processor),
        Figure.of("not_booked", found.not_booked),
        Figure.of("per_books", found.per_books),
    )
    return _comparison(
        session, With.PROCESSOR, leaf, on=found.on, shown=shown, differences=[found.difference], items=waiting
    )


def _of_agent(session: Session, purse: str, *, on: date) -> Comparison:
    (agent,) = [one for one in agents.listed(session) if one.purse() == purse]
    found = advances.reconcile(session, agent, on=on)
    if not found:
        raise NothingToCompare("the agent has received no advance", where="account")
    shown = [
        Figure.of(name, money)
        for one in found
        for name, money in (
            ("advanced", one.advanced),
            ("moved", one.moved),
            ("claimed", one.claimed),
            ("returned", one.returned),
            ("per_advances", one.per_advances),
            ("per_books", one.per_books),
        )
    ]
    return _comparison(session, With.AGENT, purse, on=on, shown=shown, differences=[one.difference for one in found])


def _of_ledger(session: Session, *, on: date) -> Comparison:
    rolled_up = balances.trial_balance(session)
    totals: dict[str, list[int]] = {}
    for one in balances.recomputed(session):
        total = totals.setdefault(one.currency, [0, 0])
        total[one.minor < 0] += abs(one.minor)
    of_rollups = {
        currency: sum(one.minor for one in rolled_up if one.currency == currency and one.minor > 0)
        for currency in totals
    }
    shown = [
        Figure.of(name, Money(minor, currency))
        for currency, (debit, credit) in sorted(totals.items())
        for name, minor in (("debit", debit), ("credit", credit), ("debit_by_roll_ups", of_rollups[currency]))
    ]
    differences = [
        Money(minor, currency)
        for currency, (debit, credit) in sorted(totals.items())
        for minor in (debit - credit, debit - of_rollups[currency])
    ]
    outcomes = checks.run(session, checks=OWN_CHECKS)
    return _comparison(session, With.LEDGER, None, on=on, shown=shown, differences=differences, outcomes=outcomes)


def _comparison(
    session: Session,
    compared: With,
    account: str | None,
    *,
    on: date,
    shown: Sequence[Figure],
    differences: Sequence[Money],
    items: Sequence[Item] = (),
    outcomes: Sequence[checks.Outcome] = (),
) -> Comparison:
    of_book = book.require(session)
    return Comparison(
        compared=compared,
        book=of_book.book_id,
        organisation=of_book.organisation,
        account=account,
        on=on.isoformat(),
        figures=tuple(shown),
        items=tuple(sorted(items, key=lambda one: (one.where, one.since or "", one.about, one.amount))),
        differences=tuple(Figure.of("difference", one) for one in differences),
        checks=tuple(one.check.name for one in outcomes),
        failed_checks=tuple(one.check.name for one in outcomes if one.findings),
    )


def _item(where: str, moved: Money, about: str, since: date | None) -> Item:
    shown = Money(abs(moved.minor), moved.currency)
    return Item(
        where=where,
        side="in" if moved.minor > 0 else "out",
        about=about,
        amount=shown.decimal(),
        currency=shown.currency,
        since=since.isoformat() if since else None,
    )
