"""Suggestions: what is done next about each kind of exception, and the posting that would close it, or why none would.

A posting is one that an accountant would make if nothing better is known: a debit of the bank is its fee, a credit that
is no gift its interest. Whatever an answer books (see `answers`) is booked by that answer.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, select

from ledger.aliases import Kind, kind_of
from ledger.books import journal
from ledger.books.recipes import codes
from ledger.exceptions import Difference, OpenException
from ledger.giving.leaves import IN_TRANSIT, PROCESSOR, find_leaf
from ledger.giving.payouts import Payout
from ledger.money import Money
from ledger.reconciliation import aid_answers, statements
from ledger.reconciliation.statements import StatementLine
from ledger.reconciliation.waits import OF_LINES


class NoPosting(StrEnum):
    """Why no posting is suggested."""

    NO_MONEY = "no_money"
    """It is about people, machines or months."""
    NOT_OURS = "not_ours"
    """The bank's own file is wrong or missing: books are not adjusted to it."""
    BOOKED_ALREADY = "booked_already"
    """What moved is booked; somebody looks at it."""
    ANSWER_BOOKS = "answer_books"
    """What it is decides by what it is booked, and nobody knows that but who looks at it."""
    DECISION = "decision"
    """Whose money covers it is decided by two people."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A posting that would close it, if nothing better is known of it."""

    debit: str
    credit: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Way:
    """What is done next: words of the `solidarity` command. `came` and `went` are accounts opposite to the leaf.

    Where no posting is suggested, `why_none` tells why; one that `takes_back` undoes what stands on the leaf.
    """

    next: str
    came: str | None = None
    went: str | None = None
    takes_back: bool = False
    why_none: NoPosting | None = None


_LOOKED_INTO = "exceptions resolve --because looked_into"

WAYS: dict[Difference, Way] = {
    # Lines of the bank: what they are is said by an answer, or by the entry that they are.
    Difference.UNMATCHED_DEBIT: Way("matches proposals", went=codes.BANK_FEES),
    Difference.AMOUNT_DIFFERS: Way("resolutions say", came=codes.UNIDENTIFIED, went=codes.RECOVERABLE),
    Difference.NOT_RELEASED: Way("resolutions say", came=codes.UNIDENTIFIED, went=codes.RECOVERABLE),
    Difference.PAYMENT_RETURNED: Way("resolutions say", came=codes.UNIDENTIFIED, went=codes.RECOVERABLE),
    Difference.REVERSAL: Way("matches proposals", came=codes.UNIDENTIFIED, went=codes.DONATION_REFUNDS),
    Difference.AMBIGUOUS_PAYOUT: Way("resolutions say", came=IN_TRANSIT, went=IN_TRANSIT),
    Difference.UNBOOKED: Way("resolutions say", came=codes.INTEREST),
    Difference.PERHAPS_TOLD_TWICE: Way("resolutions say", why_none=NoPosting.ANSWER_BOOKS),
    Difference.PERHAPS_BOOKED: Way("matches proposals", why_none=NoPosting.ANSWER_BOOKS),
    Difference.SEVERAL_PAYMENTS: Way("resolutions say", why_none=NoPosting.ANSWER_BOOKS),
    # Balances.
    Difference.BALANCE_DIFFERS: Way("exceptions resolve --because booked", came=codes.INTEREST, went=codes.BANK_FEES),
    Difference.PROCESSOR_DIFFERS: Way("donations pull", came=codes.INTEREST, went=codes.PROCESSING_FEES),
    Difference.PAYOUT_DIFFERS: Way("donations pull", came=codes.INTEREST, went=codes.PROCESSING_FEES),
    Difference.PAYOUT_NOT_SEEN: Way("statements import", came=PROCESSOR, takes_back=True),
    Difference.ENTRY_NOT_SEEN: Way("matches proposals", takes_back=True),
    # Statements: the bank is asked for the right ones.
    Difference.STATEMENT_DOES_NOT_ADD_UP: Way("statements import", why_none=NoPosting.NOT_OURS),
    Difference.STATEMENT_DOES_NOT_FOLLOW: Way("statements import", why_none=NoPosting.NOT_OURS),
    Difference.STATEMENT_MISSING: Way("statements import", why_none=NoPosting.NOT_OURS),
    Difference.STATEMENTS_OVERLAP: Way("statements import", why_none=NoPosting.NOT_OURS),
    # What is decided or answered by two.
    Difference.BELOW_ZERO: Way("transfers request", why_none=NoPosting.DECISION),
    Difference.MOVEMENT_WAITS: Way("resolutions say", why_none=NoPosting.ANSWER_BOOKS),
    Difference.OVER_REFUNDED: Way(_LOOKED_INTO, why_none=NoPosting.BOOKED_ALREADY),
    Difference.UNREADABLE: Way("donations pull", why_none=NoPosting.ANSWER_BOOKS),
    Difference.TOLD_OTHERWISE: Way(_LOOKED_INTO, why_none=NoPosting.BOOKED_ALREADY),
    Difference.PAID_AFTER_STOP: Way(_LOOKED_INTO, why_none=NoPosting.BOOKED_ALREADY),
    # Without an amount.
    Difference.PAID_BEFORE_FORCE: Way(_LOOKED_INTO, why_none=NoPosting.BOOKED_ALREADY),
    Difference.PAID_BEFORE_RELEASE: Way(_LOOKED_INTO, why_none=NoPosting.BOOKED_ALREADY),
    Difference.UNKNOWN_CURRENCY: Way("donations pull", why_none=NoPosting.NO_MONEY),
    Difference.TOO_MANY_READINGS: Way("accesses", why_none=NoPosting.NO_MONEY),
    Difference.LATE_RESULT: Way(_LOOKED_INTO, why_none=NoPosting.NO_MONEY),
    Difference.CLOCK_DIFFERS: Way("jobs list", why_none=NoPosting.NO_MONEY),
    Difference.JOB_FAILED: Way("jobs run", why_none=NoPosting.NO_MONEY),
    Difference.CHECK_FAILED: Way("verify books", why_none=NoPosting.NO_MONEY),
    Difference.PERIOD_OPEN: Way("periods close", why_none=NoPosting.NO_MONEY),
    Difference.RATE_MISSING: Way("rates import", why_none=NoPosting.NO_MONEY),
    Difference.ACCESS_EXPIRES: Way("keys create", why_none=NoPosting.NO_MONEY),
    Difference.OFFICERS_EXPIRE: Way("operators amend", why_none=NoPosting.NO_MONEY),
}
"""Each difference has a row."""

_BOOKED_WAYS = {
    # A payout on its way that some credit may have been: that one is an unidentified gift by now.
    Difference.AMBIGUOUS_PAYOUT: Way("donations payout", came=codes.UNIDENTIFIED, takes_back=True),
}
"""Of differences that may be about a line, and are about none that waits."""

_RETURNED = {
    Kind.DISBURSEMENT: codes.APPROVED_ASSISTANCE,
    Kind.ADVANCE: "1210",
    Kind.OUTLAY: codes.OWED_TO_AGENTS,
}
"""To what money goes back that had been sent under a reference of ours."""


def of(session: Session, opened: OpenException) -> tuple[Way, Suggested | NoPosting]:
    """What is done next about an open exception, and a posting, or why there is none."""
    way = WAYS[opened.difference]
    if way.why_none is not None:
        return way, way.why_none
    if not opened.minor:
        return way, NoPosting.NO_MONEY
    if opened.difference in OF_LINES and _line(session, opened) is None:
        way = _BOOKED_WAYS.get(opened.difference, Way(_LOOKED_INTO, why_none=NoPosting.BOOKED_ALREADY))
    return way, way.why_none or _posting(session, opened, way)


def _posting(session: Session, opened: OpenException, way: Way) -> Suggested | NoPosting:
    amount, leaf, opposite = opened.amount(), opened.account_code, _opposite(session, opened, way)
    if amount is None or leaf is None or opposite is None:
        return NoPosting.ANSWER_BOOKS
    whole = Money(abs(amount.minor), amount.currency)
    # What the books have and nobody shows is taken from the leaf again; all else is put there as it moved.
    is_put_there = (amount.minor > 0) != way.takes_back
    return Suggested(leaf, opposite, whole) if is_put_there else Suggested(opposite, leaf, whole)


def _opposite(session: Session, opened: OpenException, way: Way) -> str | None:
    """The account on the other side of the leaf, as far as one is known."""
    if opened.difference is Difference.ENTRY_NOT_SEEN:
        return _contra(session, opened)
    if opened.difference is Difference.PAYOUT_NOT_SEEN:
        query = select(Payout.account_code).where(Payout.source_key == _key(opened))
        return session.exec(query).first()
    if way.came == IN_TRANSIT:
        return find_leaf(session, IN_TRANSIT, currency=opened.currency or "")
    if opened.difference is Difference.PAYMENT_RETURNED:
        line = _line(session, opened)
        named = aid_answers.name_drawn_for(session, line.reference) if line is not None else None
        kind = kind_of(named) if named is not None else None
        return _RETURNED.get(kind, way.came) if kind is not None else way.came
    return way.came if (opened.minor or 0) > 0 else way.went


def _contra(session: Session, opened: OpenException) -> str | None:
    """The one other account that an entry moves; None when there are several."""
    entry_id = int(_key(opened).rpartition(":")[2])
    others = {one.account for one in journal.postings_of(session, entry_id)} - {opened.account_code}
    return others.pop() if len(others) == 1 else None


def _line(session: Session, opened: OpenException) -> StatementLine | None:
    """The line of the bank that an exception is about, if nothing answers it."""
    return statements.find_waiting(session, _key(opened), lock=False)


def _key(opened: OpenException) -> str:
    return opened.about.partition(":")[2]
