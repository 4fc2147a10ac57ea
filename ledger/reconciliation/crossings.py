"""Payouts that cross currencies: a credit that one of them may be is no gift until a person says so."""

from fractions import Fraction

from sqlmodel import Session, col, select

from ledger.books.exchange import NoRate
from ledger.giving import payouts
from ledger.giving.leaves import find_leaf
from ledger.giving.payouts import LONGEST_WAY, Payout
from ledger.reconciliation.statements import BANK, StatementLine
from ledger.treasury import conversions


def may_be(session: Session, line: StatementLine) -> bool:
    """Whether a credit may be a payout in another currency, of which the bank makes its own.

    It may where it is near what the processor said would arrive; or, where the processor said nothing and no leaf of
    the bank has the payout's currency, near what it is worth at the stored rates. Without a rate it may be any.
    """
    query = select(Payout).where(
        Payout.state == payouts.State.CREATED,
        Payout.currency != line.currency,
        col(Payout.paid_on).is_(None),
        col(Payout.created_on) <= line.booked_on,
        col(Payout.created_on) >= line.booked_on - LONGEST_WAY,
    )
    return any(_is_near(session, payout, line) for payout in session.exec(query))


def _is_near(session: Session, payout: Payout, line: StatementLine) -> bool:
    arriving = payout.arriving()
    if arriving.currency == line.currency:
        return not conversions.differs(Fraction(line.minor), Fraction(arriving.minor))
    if payout.arriving_minor is not None or find_leaf(session, BANK, currency=payout.currency) is not None:
        return False
    try:
        came, left = (conversions.worth(session, one, on=line.booked_on) for one in (line.amount(), payout.amount()))
    except NoRate:
        return True
    return not conversions.differs(came, left)
