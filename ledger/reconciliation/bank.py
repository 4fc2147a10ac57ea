"""The bank reconciliation: each line is booked once by what it answers; what stays is a difference with an amount."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, select

from ledger import exceptions, overdrafts
from ledger.books import balances
from ledger.exceptions import Difference, OpenException
from ledger.giving import cash_deposits, donations
from ledger.giving.cash_deposits import CashDeposit
from ledger.giving.payouts import Payout, TopUp
from ledger.money import Money
from ledger.reconciliation import (
    account_numbers,
    arrivals,
    chain,
    clearings,
    collectives,
    issued,
    open_entries,
    retellings,
    statements,
    tellings,
    transit,
)
from ledger.reconciliation.issued import Issued
from ledger.reconciliation.proposals import WINDOW
from ledger.reconciliation.statements import NewStatement, Statement, StatementLine
from ledger.reconciliation.transit import InTransit
from ledger.treasury import conversion_sides
from ledger.treasury.conversions import Conversion


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A leaf on the day its newest statement closes.

    `per_bank`, and what came (`coming`) and went (`going`) in the books alone, less the lines `not_booked`, is
    `per_books` and the `difference`, which nothing in transit explains.
    """

    account: str
    currency: str
    on: date
    per_bank: Money
    coming: Money
    going: Money
    not_booked: Money
    per_books: Money
    difference: Money


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement led to: how many lines were new, how many of these an entry answers."""

    statement: Statement
    fresh: int
    booked: int


def receive(session: Session, new: NewStatement, *, received_at: datetime, received_by: str) -> Outcome:
    """Stores a statement, books what its new lines say, and opens an exception for every difference.

    Raises:
        BadStatement, ContentConflict and what else `statements` raises. OtherAccountNumber: see there.
        BadEntry: a line of the future, or before 1990.
        Nothing was written.
    """
    standing = statements.by_content(session, new)
    if standing is not None:
        return Outcome(standing, fresh=0, booked=0)
    account_numbers.require_own(session, new)
    with session.begin_nested(), overdrafts.noted(session, on=received_at.date()):  # the whole statement, or nothing
        statement, fresh = tellings.receive(session, new, received_at=received_at, received_by=received_by)
        held = _find_held(session, statement, new, fresh)
        booked = sum(
            _book(session, line, held=held.get(line.source_key), recorded_at=received_at, recorded_by=received_by)
            for line in fresh
        )
        booked += _book_early_returns(session, fresh, recorded_at=received_at, recorded_by=received_by)
        arrivals.look_again(session, recorded_at=received_at, recorded_by=received_by)
        _check_arithmetic(session, statement, new, on=received_at.date())
        chain.check(session, statement.account_code, on=received_at.date())
        chain.close_wrong_openings(session, statement.account_code, on=received_at.date())
        _check_balance(session, statement, on=received_at.date())
        arrivals.tell_overdue(session, on=received_at.date())
    return Outcome(statement, fresh=len(fresh), booked=booked)


def look_again(session: Session, *, recorded_at: datetime, recorded_by: str) -> int:
    """Books the lines that waited for the processor's side; gives how many."""
    with session.begin_nested(), overdrafts.noted(session, on=recorded_at.date()):
        return arrivals.look_again(session, recorded_at=recorded_at, recorded_by=recorded_by)


def tell_overdue(session: Session, *, on: date) -> None:
    """Tells, of every leaf that the bank has told of, which entries it should have shown: see `transit.tell`."""
    for account in session.exec(select(Statement.account_code).distinct().order_by(Statement.account_code)).all():
        newest = chain.newest_with_balance(session, account)
        if newest is not None and newest.closed_on is not None:
            awaited = transit.entries(session, account, currency=newest.currency, on=newest.closed_on)
            transit.tell(session, account, awaited=awaited, shown_until=newest.closed_on, on=on)


def reconcile(session: Session, account: str) -> Reconciliation | None:
    """The leaf as of its newest statement with a closing balance, or None when there is none."""
    found = _reconciled(session, account)
    return found[0] if found else None


def _reconciled(session: Session, account: str) -> tuple[Reconciliation, list[InTransit]] | None:
    """As `reconcile`, with the entries that the bank has not shown by its day."""
    newest = chain.newest_with_balance(session, account)
    if newest is None:
        return None
    on = newest.closed_on or date.min
    per_bank = Money(newest.closing_minor or 0, newest.currency)
    per_books = balances.balance(session, account, currency=newest.currency, on=on)
    not_booked = Money(sum(line.minor for line in transit.lines(session, account, on=on)), newest.currency)
    awaited = transit.entries(session, account, currency=newest.currency, on=on)
    moved = [one.amount.minor for one in awaited]
    coming = Money(sum(minor for minor in moved if minor > 0), newest.currency)
    going = Money(-sum(minor for minor in moved if minor < 0), newest.currency)
    reconciliation = Reconciliation(
        account=account,
        currency=newest.currency,
        on=on,
        per_bank=per_bank,
        coming=coming,
        going=going,
        not_booked=not_booked,
        per_books=per_books,
        difference=per_bank + coming - going - not_booked - per_books,
    )
    return reconciliation, awaited


def _find_held(
    session: Session, statement: Statement, new: NewStatement, fresh: Sequence[StatementLine]
) -> dict[str, Difference]:
    """The new lines that stand in the books perhaps: another line told them, or somebody has entered them by hand."""
    found = dict.fromkeys(retellings.find_doubtful(session, statement, new, fresh), Difference.PERHAPS_TOLD_TWICE)
    unknown = [line for line in fresh if line.minor > 0 and not line.reference and not line.parts]
    entered = defaultdict(list)
    for entry in open_entries.find(session, statement.account_code) if unknown else []:
        entered[entry.minor].append(entry.on)
    for line in unknown:
        if any(abs(on - line.booked_on) <= WINDOW for on in entered[line.minor]):
            found.setdefault(line.source_key, Difference.PERHAPS_BOOKED)
    return found


def _book(
    session: Session,
    line: StatementLine,
    *,
    held: Difference | None = None,
    recorded_at: datetime,
    recorded_by: str,
) -> bool:
    """Books a line by what it answers, or opens an exception; True when booked."""
    if line.parts and held is None:
        return _book_parts(session, line, recorded_at=recorded_at, recorded_by=recorded_by)
    expected = issued.find(session, line.reference) if line.reference else _awaited(session, line)
    arriving = arrivals.candidates(session, line)
    difference = _difference(session, line, expected, arriving)
    if held is Difference.PERHAPS_TOLD_TWICE or (difference is None and expected is None and not arriving):
        difference = held or difference
    if difference is not None:
        exceptions.open_once(
            session,
            difference=difference,
            account=line.account_code,
            about=line.source_key,
            amount=line.amount(),
            on=recorded_at.date(),
        )
        return False
    if expected is not None:
        posted = issued.book(
            session,
            expected,
            source_key=line.source_key,
            account=line.account_code,
            moved=line.amount(),
            on=line.booked_on,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )
    elif arriving:
        posted = arrivals.book(session, arriving[0], line, recorded_at=recorded_at, recorded_by=recorded_by)
    else:
        _, posted = donations.receive_at_bank(
            session,
            source_key=line.source_key,
            leaf=line.account_code,
            gift=line.amount(),
            reference=line.reference,
            on=line.booked_on,
            recorded_at=recorded_at,
            recorded_by=recorded_by,
        )
    statements.answer(session, line, entry_id=posted.entry_id)
    return True


def _book_parts(session: Session, line: StatementLine, *, recorded_at: datetime, recorded_by: str) -> bool:
    """Books what stands behind a line of several payments. The exception is kept for when that is undone."""
    opened = exceptions.open_once(
        session,
        difference=Difference.SEVERAL_PAYMENTS,
        account=line.account_code,
        about=line.source_key,
        amount=line.amount(),
        on=recorded_at.date(),
    )
    booked = collectives.book(session, line, recorded_at=recorded_at, recorded_by=recorded_by)
    if booked:
        exceptions.resolve(session, opened, on=recorded_at.date())
    return booked


def _book_early_returns(
    session: Session, fresh: Sequence[StatementLine], *, recorded_at: datetime, recorded_by: str
) -> int:
    """Books returns that were told before the payments among the new lines, and closes the differences they were.

    Gives how many of the new lines are booked by that.
    """
    paid = {line.reference: -line.minor for line in fresh if line.reference and line.minor < 0}
    booked = 0
    for early in statements.waiting_with(session, paid):
        is_booked = (
            early.reference is not None
            and early.minor == paid[early.reference]
            and not retellings.is_held(session, early.source_key)
            and _book(session, early, recorded_at=recorded_at, recorded_by=recorded_by)
        )
        if is_booked:
            exceptions.settle(session, Difference.PAYMENT_RETURNED, about=early.source_key, on=recorded_at.date())
            booked += early in fresh
    return booked


def _awaited(session: Session, line: StatementLine) -> Conversion | CashDeposit | None:
    """The one conversion or cash on its way that a line without a reference of ours is, by its exact amount."""
    found = _candidates(session, line, exactly=True)
    return found[0] if len(found) == 1 else None


def _candidates(session: Session, line: StatementLine, *, exactly: bool) -> list[Conversion | CashDeposit]:
    account, moved, on = line.account_code, line.amount(), line.booked_on
    return [
        *conversion_sides.candidates(session, account=account, moved=moved, on=on, exactly=exactly),
        *cash_deposits.candidates(session, account=account, came=moved, on=on, exactly=exactly),
    ]


def _difference(
    session: Session, line: StatementLine, expected: Issued | None, arriving: list[Payout | TopUp]
) -> Difference | None:
    """Why a line is not booked by itself, or None. A reversal is no gift, a payout no guess.

    A payment that the bank has given back is one, whether it calls that a reversal or not.
    """
    if line.reversal and not issued.is_return(expected, moved=line.amount()):
        return None if len(arriving) == 1 and expected is None else Difference.REVERSAL
    if expected is not None and arriving:
        return Difference.AMBIGUOUS_PAYOUT
    if expected is not None:
        return issued.difference(session, expected, account=line.account_code, moved=line.amount(), on=line.booked_on)
    if line.minor < 0:
        return None if len(arriving) == 1 else Difference.UNMATCHED_DEBIT
    if arriving:
        return Difference.AMBIGUOUS_PAYOUT if len(arriving) > 1 else None
    return _why_no_gift(session, line)


def _why_no_gift(session: Session, line: StatementLine) -> Difference | None:
    """Why a credit that is no payout which was told is no gift by itself either, or None."""
    if not line.reference and _candidates(session, line, exactly=False):
        return Difference.AMOUNT_DIFFERS  # no gift, perhaps: a treasurer tells: see `answers`
    if not line.reference and statements.takes_back(session, line):
        return Difference.REVERSAL  # what had left comes back, though the bank does not call it so
    # Told and not booked yet, it is booked by `arrivals.look_again` when the payout is.
    return Difference.AMBIGUOUS_PAYOUT if arrivals.is_told_of(session, line) else None


def _check_arithmetic(session: Session, statement: Statement, new: NewStatement, *, on: date) -> None:
    """The bank's own opening and lines must give its closing."""
    if new.opening is None or new.closing is None:
        return
    moved = sum((line.amount for line in new.lines), new.opening)
    if moved != new.closing:
        residual = new.closing - moved
        exceptions.open_once(
            session,
            difference=Difference.STATEMENT_DOES_NOT_ADD_UP,
            account=new.account,
            about=statement.alias,
            amount=residual,
            on=on,
        )


def _check_balance(session: Session, statement: Statement, *, on: date) -> None:
    """Books and bank must agree but for what has an exception of its own: a difference is told once, not every day."""
    leaf = statement.account_code
    reconciled = _reconciled(session, leaf)
    if reconciled is None:
        return
    found, awaited = reconciled
    transit.tell(session, leaf, awaited=awaited, shown_until=found.on, on=on)
    standing = [one for one in known(session, leaf) if one.difference is Difference.BALANCE_DIFFERS]
    waiting = [one for one in standing if one.resolved_on is None]
    rest = unexplained(session, found)
    if rest == -sum(one.minor or 0 for one in waiting):  # what waited has come meanwhile, such as a missing statement
        for one in waiting:
            exceptions.resolve(session, one, on=on)
    elif rest:
        exceptions.open_once(
            session,
            difference=Difference.BALANCE_DIFFERS,
            account=leaf,
            about=statement.alias,
            amount=Money(rest, found.currency),
            on=on,
        )


def explained(session: Session, found: Reconciliation) -> Money:
    """How much of a difference is told by exceptions that wait or were dismissed.

    They are of the balance, of statements that do not add up, and of a broken chain. A statement of which nothing but
    the opening is wrong breaks the chain, and has no balance to explain.
    """
    openings = chain.wrong_openings(session, found.account)
    total = 0
    for one in known(session, found.account):
        is_break = one.difference in chain.BREAKS and one.about.rpartition(":")[2] not in openings
        if is_break or one.difference in _OF_BALANCE:
            total += one.minor or 0
    return Money(total, found.currency)


def unexplained(session: Session, found: Reconciliation) -> int:
    """What of a difference no exception tells, in minor units.

    A line that was told twice, perhaps, moved nothing, perhaps: what such lines come to is told by them.
    """
    rest = (found.difference - explained(session, found)).minor
    return 0 if rest and -rest in retellings.sums_held(session, found.account, until=found.on) else rest


def known(session: Session, account: str) -> list[OpenException]:
    """The exceptions of a leaf that wait or were dismissed: what they tell still differs."""
    dismissed = clearings.dismissed(session)
    of_leaf = [one for one in exceptions.listed(session, open_only=False) if one.account_code == account]
    return [one for one in of_leaf if one.resolved_on is None or one.alias in dismissed]


_OF_BALANCE = (Difference.BALANCE_DIFFERS, Difference.STATEMENT_DOES_NOT_ADD_UP)
