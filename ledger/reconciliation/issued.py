"""What answers to the references that we issued: payments, advances, returns, conversions, refunds, gifts, cash."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlmodel import Session

from ledger import approvals
from ledger.aid import advances, bail, bank_returns, batch_lines, batches, disbursements, outlays, refunds, returns
from ledger.aid.advances import Advance
from ledger.aid.bail import BailReturn
from ledger.aid.disbursements import Disbursement
from ledger.aid.outlays import Repayment
from ledger.aid.refunds import Refund
from ledger.aid.returns import Return
from ledger.books import exchange
from ledger.books.journal import Posted
from ledger.exceptions import Difference
from ledger.giving import cash_deposits, gift_returns
from ledger.giving.cash_deposits import CashDeposit
from ledger.giving.gift_returns import GiftReturn
from ledger.money import Money
from ledger.treasury import conversion_sides, conversions
from ledger.treasury.conversions import Conversion

WEST = timedelta(days=1)
"""By how much a bank's day may lie before ours, which is of UTC: a line of an earlier day left before its release."""
Issued = Disbursement | Advance | Repayment | Return | Refund | BailReturn | Conversion | GiftReturn | CashDeposit


def find(session: Session, reference: str) -> Issued | None:
    """What waits for a bank's line with this reference, or had one before, or None; locked."""
    return (
        disbursements.by_reference(session, reference)
        or advances.by_reference(session, reference)
        or outlays.by_reference(session, reference)
        or returns.by_reference(session, reference)
        or bail.by_reference(session, reference)
        or refunds.by_reference(session, reference)
        or conversions.by_reference(session, reference)
        or gift_returns.by_reference(session, reference)
        or cash_deposits.by_reference(session, reference)
    )


def difference(session: Session, found: Issued, *, account: str, moved: Money, on: date) -> Difference | None:
    """Why what the bank says `moved` on a leaf is not what was expected, or None; above zero it came in.

    Money that left on a day before its release was not released. A return that was withdrawn, or came in another
    currency far from the rate of the day, waits for a second person.
    """
    if isinstance(found, Conversion):
        return conversion_sides.difference(found, account=account, moved=moved)
    if isinstance(found, GiftReturn | CashDeposit):
        return _difference_of_giving(found, account=account, moved=moved, on=on)
    if isinstance(found, Disbursement | Advance | Repayment):
        return _difference_of_order(session, found, account=account, moved=moved, on=on)
    return _difference_of_arrival(session, found, moved=moved, on=on)


def book(
    session: Session,
    found: Issued,
    *,
    source_key: str,
    account: str,
    moved: Money,
    on: date,
    recorded_at: datetime,
    recorded_by: str,
) -> Posted:
    """Books a bank's line that is what was expected."""
    fact: dict[str, Any] = {"source_key": source_key, "on": on, "recorded_at": recorded_at, "recorded_by": recorded_by}
    if isinstance(found, Conversion):
        return conversion_sides.book(session, found, moved=moved, **fact)
    if isinstance(found, GiftReturn | CashDeposit):
        return _book_giving(session, found, moved=moved, **fact)
    if isinstance(found, Return):
        return returns.receive(session, found, leaf=account, came=moved, **fact)
    if isinstance(found, BailReturn | Refund):
        return _book_refund(session, found, leaf=account, **fact)
    if isinstance(found, Disbursement) and moved.minor > 0:
        return bank_returns.receive(session, found, **fact)
    return _book_order(session, found, **fact)


def _book_order(session: Session, found: Disbursement | Advance | Repayment, **fact: Any) -> Posted:
    """Books that what the bank was told to pay has left."""
    if isinstance(found, Advance):
        return advances.send(session, found, **fact)
    if isinstance(found, Repayment):
        return outlays.pay(session, found, **fact)
    posted = disbursements.pay(session, found, **fact)
    batch = batch_lines.batch_of(session, found.alias)
    if batch is not None:
        batches.note_finished(session, batch)
    return posted


def _book_refund(session: Session, found: BailReturn | Refund, **fact: Any) -> Posted:
    return (
        bail.receive(session, found, **fact)
        if isinstance(found, BailReturn)
        else refunds.receive(session, found, **fact)
    )


def _book_giving(session: Session, found: GiftReturn | CashDeposit, *, moved: Money, **fact: Any) -> Posted:
    if isinstance(found, CashDeposit):
        return cash_deposits.book(session, found, came=moved, **fact)
    return (gift_returns.pay if moved.minor < 0 else gift_returns.come_back)(session, found, **fact)


def is_return(found: Issued | None, *, moved: Money) -> bool:
    """Whether money came in under the reference of a payment that had left: the bank has given it back."""
    return isinstance(found, Disbursement | GiftReturn) and moved.minor > 0


def _difference_of_arrival(
    session: Session, found: Return | BailReturn | Refund, *, moved: Money, on: date
) -> Difference | None:
    if moved.minor < 0:
        return Difference.UNMATCHED_DEBIT
    if isinstance(found, Return):
        return _difference_of_return(session, found, moved=moved, on=on)
    if not found.is_waiting():
        return Difference.NOT_RELEASED
    expected = found.arrives() if isinstance(found, BailReturn) else found.amount()
    return None if moved == expected else Difference.AMOUNT_DIFFERS


def _difference_of_giving(
    found: GiftReturn | CashDeposit, *, account: str, moved: Money, on: date
) -> Difference | None:
    if isinstance(found, CashDeposit):
        return _difference_of_deposit(found, account=account, moved=moved)
    if moved.minor > 0:
        whole = found.state is gift_returns.State.PAID and (account, moved) == (found.account_code, found.amount())
        return None if whole else Difference.PAYMENT_RETURNED
    if (account, -moved) != (found.account_code, found.amount()):
        return Difference.AMOUNT_DIFFERS
    released = found.state is gift_returns.State.APPROVED
    too_early = found.approved_on is not None and on < found.approved_on - WEST
    return None if released and not too_early else Difference.NOT_RELEASED


def _difference_of_deposit(found: CashDeposit, *, account: str, moved: Money) -> Difference | None:
    if (account, moved) != (found.target_code, found.amount()):
        return Difference.UNMATCHED_DEBIT if moved.minor < 0 else Difference.AMOUNT_DIFFERS
    return None if found.state is cash_deposits.State.TAKEN else Difference.NOT_RELEASED


def _difference_of_order(
    session: Session, found: Disbursement | Advance | Repayment, *, account: str, moved: Money, on: date
) -> Difference | None:
    if moved.minor > 0:
        whole = isinstance(found, Disbursement) and bank_returns.is_whole(session, found, account=account, came=moved)
        return None if whole else Difference.PAYMENT_RETURNED
    if (account, -moved) != (found.account_code, found.amount()):
        return Difference.AMOUNT_DIFFERS
    if isinstance(found, Repayment):
        released, verb = found.state is outlays.State.APPROVED, "approve_outlay"
    else:
        released, verb = found.state in {disbursements.State.RELEASED, advances.State.RELEASED}, "release_advance"
    agreed_on = found.released_on if isinstance(found, Disbursement) else _signed_on(session, found.alias, verb)
    too_early = agreed_on is not None and on < agreed_on - WEST
    return None if released and not too_early else Difference.NOT_RELEASED


def _signed_on(session: Session, alias: str, verb: str) -> date | None:
    """The day of the last signature that let it go to the bank."""
    acts = approvals.of_object(session, alias)
    return max((act.recorded_at.date() for act in acts if act.verb == verb), default=None)


def _difference_of_return(session: Session, found: Return, *, moved: Money, on: date) -> Difference | None:
    if found.received_on is not None or found.withdrawn_on is not None:
        return Difference.NOT_RELEASED
    expected = found.amount()
    far_off = moved != expected if moved.currency == expected.currency else _is_far_off(session, found, moved, on=on)
    return Difference.AMOUNT_DIFFERS if far_off else None


def _is_far_off(session: Session, found: Return, moved: Money, *, on: date) -> bool:
    """Whether what came is worth more, or less, than what left the purse by more than 5 %.

    At the stored rates; where there are none, at the rate at which the agent had received the advance.
    """
    try:
        came, went = (conversions.worth(session, money, on=on) for money in (moved, found.amount()))
    except exchange.NoRate:
        advance = advances.require(session, found.advance_alias)
        if moved.currency != advance.currency or not advance.local_minor:
            return True
        came, went = Fraction(moved.minor), Fraction(found.minor * advance.minor, advance.local_minor)
    return conversions.differs(came, went)
