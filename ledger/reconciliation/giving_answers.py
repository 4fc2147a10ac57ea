"""Answers about gifts, the processor and conversions: the books' side of what is said of a line, or of a movement."""

from collections.abc import Callable

from sqlmodel import Session, select

from ledger import approvals
from ledger.errors import Refused
from ledger.giving import bank_refunds, cash_deposits, disputes, donations, gift_returns
from ledger.giving.early_payouts import NotThisPayout, UnknownPayout
from ledger.giving.explanations import What
from ledger.giving.payouts import LONGEST_WAY, Payout
from ledger.reconciliation import arrivals, issued, processor, retellings
from ledger.reconciliation.answers import Answer, Question, magnitude
from ledger.reconciliation.waits import BadResolution
from ledger.storage.locks import locked
from ledger.treasury import conversion_sides, conversions


class LineDiffers(Refused):
    """The bank's line is not what it is said to be."""

    rule = "line_differs"


def _gift(session: Session, asked: Question) -> int:
    """Nobody knows what for. Under a reference of ours, or as a reversal, two people say that it is nothing else.

    A line that was unbooked as a gift is none: its key is asked, and not that under which it would be booked again.
    """
    line = asked.line
    if asked.settles != line.amount():
        raise BadResolution("it is all that came", where="settles")
    if asked.answer is Answer.GIFT and (line.reversal or line.reference):
        raise LineDiffers("a gift is a credit without a reference of ours", exception=asked.about)
    fact = asked.fact() | {"source_key": line.source_key}
    _, posted = donations.receive_at_bank(session, leaf=line.account_code, gift=line.amount(), reference=None, **fact)
    return posted.entry_id


def _conversion(session: Session, asked: Question) -> int:
    """What arrives may differ from what was expected by 5 %; what leaves is exact."""
    line, moved = asked.line, asked.line.amount()
    conversion = conversions.require(session, asked.of, lock=True)
    difference = issued.difference(session, conversion, account=line.account_code, moved=moved, on=line.booked_on)
    near = asked.settles == magnitude(moved) and conversion_sides.is_near(conversion, moved)
    if line.reversal or difference is not None or not near:
        raise LineDiffers("the line is not what the conversion waits for", conversion=asked.of, difference=difference)
    return conversion_sides.book(session, conversion, moved=moved, **asked.fact()).entry_id


def _payout(session: Session, asked: Question) -> int:
    """In the payout's currency the line has its amount; in another one the bank's figure holds, whatever was told."""
    line = asked.line
    payout = session.exec(locked(select(Payout).where(Payout.id == asked.of))).one_or_none()
    if payout is None:
        raise UnknownPayout("no payout that waits for the bank has this id")
    amount = line.amount()
    if asked.settles != (payout.amount() if asked.crosses else magnitude(amount)):
        raise NotThisPayout("the payout is another amount", payout=payout.id, where="settles")
    if payout not in arrivals.candidates(session, line):
        _require_plausible(payout, asked)
    if amount.currency != payout.arriving().currency or asked.crosses:
        payout.arriving_minor, payout.arriving_currency = amount.minor, amount.currency
    posted = arrivals.book(session, payout, line, recorded_at=asked.recorded_at, recorded_by=asked.recorded_by)
    return posted.entry_id


def _require_plausible(payout: Payout, asked: Question) -> None:
    line = asked.line
    if line.minor <= 0 or line.reversal:
        raise NotThisPayout("a payout comes in", payout=payout.id, where="direction")
    if payout.paid_on is not None:
        raise NotThisPayout("the payout was seen", payout=payout.id, where="payout")
    if not payout.created_on <= line.booked_on <= payout.created_on + 3 * LONGEST_WAY:
        raise NotThisPayout("the payout left at another time", payout=payout.id, where="day")
    if asked.settles not in {payout.amount(), payout.arriving()}:
        raise NotThisPayout("the payout is another amount", payout=payout.id, where="amount")


def _deposit(session: Session, asked: Question) -> int:
    """Who took the cash does not say what the bank counted; nor do they agree to it."""
    line, deposit = asked.line, cash_deposits.require(session, asked.of, lock=True)
    approvals.require_other(asked.recorded_by, than={deposit.taken_by})
    where = (line.account_code, line.currency) == (deposit.target_code, deposit.currency)
    if line.reversal or not where or asked.settles != deposit.amount():
        raise LineDiffers("the line is not what the cash brings", deposit=asked.of)
    return cash_deposits.book(session, deposit, came=line.amount(), **asked.fact()).entry_id


def _refund_order(session: Session, asked: Question) -> int:
    line = asked.line
    order, posted = bank_refunds.pay(session, asked.of, bank=line.account_code, spent=-line.amount(), **asked.fact())
    if asked.settles != order.amount():
        raise BadResolution("the order is another amount", where="settles")
    return posted.entry_id


def _taken_back(session: Session, asked: Question) -> int:
    """A gift that its giver's bank calls back: a debit that the bank calls a reversal."""
    line, gift = asked.line, donations.require(session, asked.of)
    if not line.reversal or asked.settles != -line.amount() or line.currency != gift.currency:
        raise LineDiffers("a gift is called back by a debit that is a reversal", donation=asked.of)
    return gift_returns.take_back(session, gift, asked.settles, leaf=line.account_code, **asked.fact()).entry_id


def _told_twice(session: Session, asked: Question) -> int:
    """Another line told of the same: nothing is booked."""
    if asked.settles != magnitude(asked.line.amount()):
        raise BadResolution("it is all that the line tells", where="settles")
    retellings.keep(session, asked.line, told_by=asked.recorded_by, told_at=asked.recorded_at)
    return 0


def _movement(session: Session, asked: Question) -> int:
    """A refund of a gift may settle another currency: it is counted in the gift's."""
    moved = asked.waiting.moved
    if asked.settles != magnitude(moved) and not (asked.crosses and asked.answer is Answer.CARD_REFUND):
        raise BadResolution("it is all that moved", where="settles")
    processor.explain(
        session,
        asked.waiting.of or "",
        gross=moved,
        what=What(asked.answer.value),
        gift=asked.of or None,
        counted=asked.settles if asked.crosses else None,
        explained_at=asked.recorded_at,
        explained_by=asked.recorded_by,
    )
    return 0


def _lost(session: Session, asked: Question) -> int:
    if asked.settles != asked.waiting.moved:
        raise BadResolution("it is all that was withdrawn", where="settles")
    _, posted = disputes.lose(
        session,
        asked.about,
        on=asked.waiting.on,
        recorded_at=asked.recorded_at,
        recorded_by=asked.recorded_by,
    )
    return posted.entry_id


BOOKS: dict[Answer, Callable[[Session, Question], int]] = {
    Answer.GIFT: _gift,
    Answer.UNIDENTIFIED: _gift,
    Answer.DEPOSIT: _deposit,
    Answer.CONVERSION: _conversion,
    Answer.PAYOUT: _payout,
    Answer.REFUND_ORDER: _refund_order,
    Answer.TAKEN_BACK: _taken_back,
    Answer.TOLD_TWICE: _told_twice,
    Answer.CARD_GIFT: _movement,
    Answer.CARD_REFUND: _movement,
    Answer.COST: _movement,
    Answer.LOSS: _movement,
    Answer.RESERVE: _movement,
    Answer.OTHER_INCOME: _movement,
    Answer.TRANSFER: _movement,
    Answer.LOST: _lost,
}
"""What each answer books: the number of the entry that answers the line, or 0 where there is none.

Raises:
    LineDiffers, NotThisPayout, UnknownPayout, BadResolution: see there. SamePerson: they took the cash. And what the
    verbs raise that book it.
"""
