"""What a person tells of a line of the bank that waits: which payout it is, or which refund that is owed."""

from datetime import datetime

from sqlmodel import Session, select

from ledger import exceptions, overdrafts
from ledger.errors import NotFound, Refused
from ledger.exceptions import Difference, OpenException
from ledger.giving import bank_refunds, payouts
from ledger.giving.payouts import LONGEST_WAY, Payout
from ledger.giving.refund_orders import RefundOrder
from ledger.reconciliation import statements
from ledger.reconciliation.statements import StatementLine
from ledger.storage.locks import locked


class UnknownPayout(NotFound):
    """The processor has told of no payout with this id that was booked."""

    rule = "unknown_payout"


class NotThisPayout(Refused):
    """The line of the bank cannot be this payout: `where` tells what speaks against it."""

    rule = "not_this_payout"


def is_payout(session: Session, payout: str, *, exception: str, recorded_at: datetime, recorded_by: str) -> Payout:
    """Books the line that an exception is about as the payout that a person says it is, and resolves the exception.

    In the payout's currency the line has its amount. In another one the bank's figure holds, whatever the processor
    had told: the difference of the rates stays on 3900, in each fund as much as its share of the payout.

    Raises:
        UnknownPayout, UnknownException, UnknownLine: see there. NotThisPayout: the line says otherwise.
    """
    opened, line = _waiting(session, exception)
    found = session.exec(locked(select(Payout).where(Payout.id == payout))).one_or_none()
    if found is None:
        raise UnknownPayout("no payout has this id")
    _require_plausible(found, line)
    amount = line.amount()
    with session.begin_nested(), overdrafts.noted(session, on=recorded_at.date()):
        if amount.currency != found.currency:
            found.arriving_minor, found.arriving_currency = amount.minor, amount.currency
        posted = payouts.arrive(
            session,
            found,
            source_key=line.source_key,
            bank=line.account_code,
            on=line.booked_on,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )
        exceptions.settle(session, Difference.PAYOUT_NOT_SEEN, about=found.source_key, on=recorded_at.date())
        _settle(session, opened, line, entry_id=posted.entry_id, at=recorded_at)
    return found


def is_refund(session: Session, order: str, *, exception: str, recorded_at: datetime, recorded_by: str) -> RefundOrder:
    """Books the debit that an exception is about as the refund by bank that two people signed, and resolves it.

    Raises:
        UnknownException, UnknownLine, and what `bank_refunds.pay` raises. Nothing was written.
    """
    opened, line = _waiting(session, exception)
    with session.begin_nested(), overdrafts.noted(session, on=recorded_at.date()):
        paid, posted = bank_refunds.pay(
            session,
            order,
            source_key=line.source_key,
            bank=line.account_code,
            spent=-line.amount(),
            on=line.booked_on,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )
        _settle(session, opened, line, entry_id=posted.entry_id, at=recorded_at)
    return paid


def _require_plausible(payout: Payout, line: StatementLine) -> None:
    if line.minor <= 0 or line.reversal:
        raise NotThisPayout("a payout comes in", payout=payout.id, where="direction")
    if payout.paid_on is not None:
        raise NotThisPayout("the payout was seen", payout=payout.id, where="payout")
    if not payout.created_on <= line.booked_on <= payout.created_on + 3 * LONGEST_WAY:
        raise NotThisPayout("the payout left at another time", payout=payout.id, where="day")
    if line.currency == payout.currency and line.minor != payout.minor:
        raise NotThisPayout("the payout is another amount", payout=payout.id, where="amount")


def _waiting(session: Session, exception: str) -> tuple[OpenException, StatementLine]:
    opened = exceptions.require_open(session, exception)
    return opened, statements.require_waiting(session, opened.about.partition(":")[2])


def _settle(session: Session, opened: OpenException, line: StatementLine, *, entry_id: int, at: datetime) -> None:
    statements.answer(session, line, entry_id=entry_id)
    exceptions.resolve(session, opened, on=at.date())
