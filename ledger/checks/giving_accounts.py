"""Checks of giving's own control accounts: what is owed to donors, in transit, and set aside, per currency."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import and_, func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from ledger.books import recipes
from ledger.checks.findings import Check, Fact, Finding, Tell, booked_here
from ledger.giving import gift_returns, payouts, refund_orders
from ledger.giving.bookings import Booking
from ledger.giving.gift_returns import GiftReturn
from ledger.giving.leaves import IN_TRANSIT
from ledger.giving.movements import ReceivedMovement
from ledger.giving.payouts import Payout, TopUp
from ledger.giving.refund_orders import RefundOrder
from ledger.treasury.conversions import Conversion

_ENTRIES = SQLModel.metadata.tables["entry"]
_LINES = SQLModel.metadata.tables["line"]
Sums = Counter[tuple[str, str]]
"""By what it is about, or by leaf, and by currency: debits above zero, in minor units."""


def find_owed_to_donors(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Gifts of which 2050 holds something else than the refunds that failed, less what the bank has sent since."""
    expected = _by_recipe(session, "refund_failed")
    for order in session.exec(select_rows(RefundOrder).where(col(RefundOrder.by_bank))):
        if order.state is refund_orders.State.SUCCEEDED:
            expected[order.donation_alias, order.currency] += order.minor
    query = select_rows(GiftReturn).where(GiftReturn.owed_code == recipes.DONOR_REFUNDS_PAYABLE)
    for one in session.exec(query.where(GiftReturn.state == gift_returns.State.PAID)):
        expected[one.donation_alias, one.currency] += one.minor
    booked = _booked(session, recipes.DONOR_REFUNDS_PAYABLE, _LINES.c.subject)
    yield from _compared("donor-refunds", "donation", expected=expected, booked=booked)


def find_in_transit(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Leaves of 1050 that hold something else than payouts, top-ups and conversions under way."""
    expected: Sums = Counter()
    for payout in session.exec(select_rows(Payout)):
        sides = (payout.paid_on is None) - (payout.state is payouts.State.FAILED) + (payout.pulled_back_on is not None)
        expected[payout.transit_code, payout.currency] += sides * payout.minor
    for top_up in session.exec(select_rows(TopUp)):
        left, back = top_up.sent_on is not None, top_up.reversed_on is not None
        sides = left + back - 1 - (top_up.returned_on is not None)
        expected[top_up.transit_code, top_up.currency] += sides * top_up.minor
    for one in session.exec(select_rows(Conversion)):
        sides = (one.left_key is not None) - (one.arrived_key is not None)
        expected[one.transit_code, one.currency] += sides * one.minor
    booked = _booked(session, IN_TRANSIT, _LINES.c.account_code)
    yield from _compared("in-transit", "account", expected=expected, booked=booked)


def find_reserved(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Currencies in which 1110 holds something else than what the processor set aside and has not given back."""
    expected = _by_recipe(session, "reserve_taken", "reserve_returned")
    booked: Sums = Counter()
    for (_, currency), minor in _booked(session, recipes.RESERVED, _LINES.c.account_code).items():
        booked[recipes.RESERVED, currency] += minor
    yield from _compared("reserved", "account", expected=expected, booked=booked)


def _by_recipe(session: Session, *named: str) -> Sums:
    """What movements that were booked by these recipes moved, by what they are about (1110), with the other sign."""
    same = and_(
        col(Booking.balance_transaction) == ReceivedMovement.balance_transaction,
        col(Booking.gross_minor) == ReceivedMovement.gross_minor,
    )
    query = (
        select_rows(Booking.about, ReceivedMovement.currency, func.sum(ReceivedMovement.gross_minor))
        .join(ReceivedMovement, same)
        .where(col(Booking.recipe).in_(named))
        .group_by(col(Booking.about), col(ReceivedMovement.currency))
    )
    found: Sums = Counter()
    for subject, currency, minor in session.exec(query):
        found[subject or recipes.RESERVED, currency] -= int(minor)
    return found


def _booked(session: Session, account: str, key: object) -> Sums:
    """What this book's own entries moved on an account and its leaves."""
    code = _LINES.c.account_code
    query = (
        select(key, _LINES.c.currency, func.sum(_LINES.c.minor))  # type: ignore[call-overload]  # a column
        .join(_ENTRIES, _ENTRIES.c.id == _LINES.c.entry_id)
        .where((code == account) | code.startswith(f"{account}:"), booked_here(session))
        .group_by(key, _LINES.c.currency)
    )
    return Counter(
        {(name or "", currency): int(minor) for name, currency, minor in session.connection().execute(query)}
    )


def _compared(check: str, kind: str, *, expected: Sums, booked: Sums) -> Iterator[Finding]:
    for name, currency in sorted({*expected, *booked}):
        told, stands = expected[name, currency], booked[name, currency]
        if told != stands:
            facts: dict[str, Fact] = {"currency": currency, "expected_minor": told, "booked_minor": stands}
            yield Finding(check, kind, name, facts)


CHECKS = (
    Check("donor-refunds", "2050 holds the refunds that failed and the bank has not sent since", find_owed_to_donors),
    Check("in-transit", "1050 holds the payouts, top-ups and conversions under way", find_in_transit),
    Check("reserved", "1110 holds what the processor set aside and has not given back", find_reserved),
)
