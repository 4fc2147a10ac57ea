"""The closing of a month: a treasurer's signed act, kept together with what it did."""

from sqlmodel import Session

from ledger import approvals
from ledger.approvals import Agreed
from ledger.books import periods
from ledger.books.periods import ClosedMonth

VERSION = 1
"""A month is closed once: its act has no other version."""


def close(session: Session, month: str, agreed: Agreed) -> ClosedMonth:
    """Closes a month such as `2020-10`; the act's object is the month itself.

    Raises:
        BadMonth, AlreadyClosed, MonthNotOver, MonthOutOfOrder, and what `approvals.accept` raises: nothing was written.
    """
    periods.last_day_of(month)  # what is no month gets no act
    with session.begin_nested():  # act and effect, or neither
        approvals.accept(session, agreed, verb="close_period", object_alias=month, version=VERSION)
        return periods.close(session, month, by=agreed.signer.alias, at=agreed.now)
