"""Reminders: what machines look at every night, and tell people of by an exception that waits until it is put right."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from sqlmodel import Session

from ledger import checks, exceptions, expiries
from ledger.books import balances, exchange, periods
from ledger.books.accounts import AccountClass
from ledger.exceptions import Difference

CLOSED_WITHIN = timedelta(days=10)
"""After a month's last day: until then it should be closed softly. The bank's statements are there by then."""

Progress = Callable[[str, int, int], None]


def failed_checks(session: Session, *, progress: Progress | None = None) -> list[str]:
    """Runs every check over the book, which is only read; names those that found something."""
    return [one.check.name for one in checks.run(session, progress=progress) if one.findings]


def tell_of_checks(session: Session, failed: Sequence[str], *, on: date) -> dict[str, int]:
    """Has an exception wait for each check that found something. A person closes it.

    A check that holds again closes nothing: somebody should know what happened in between.
    """
    for name in failed:
        exceptions.open_anew(session, Difference.CHECK_FAILED, about=name, on=on)
    return {"checks": len(checks.CHECKS), "failed": len(failed)}


def tell_of_open_months(session: Session, *, on: date) -> dict[str, int]:
    """Has one exception wait for the months that should be closed: `2020-09..2020-11:3`, from the oldest, how many.

    It keeps its age while the span changes, and closes with the last of them.
    """
    due = [
        one.month
        for one in periods.listed(session, today=on)
        if one.state == "open" and periods.last_day_of(one.month) + CLOSED_WITHIN < on
    ]
    span = f"{min(due)}..{max(due)}:{len(due)}" if due else None
    exceptions.tell_one(session, Difference.PERIOD_OPEN, about=span, on=on)
    return {"open_months": len(due)}


def tell_of_missing_rates(session: Session, *, on: date) -> dict[str, int]:
    """Has an exception wait for each currency in which something is held or owed, and for which no rate counts."""
    held = {
        one.currency
        for one in balances.trial_balance(session, on=on)
        if one.minor and one.account.account_class in {AccountClass.ASSET, AccountClass.LIABILITY}
    }
    due = {currency: not _has_rate(session, currency, on=on) for currency in sorted(held)}
    return {"currencies": len(due), "missing_rates": _tell(session, Difference.RATE_MISSING, due, on=on)}


def tell_of_expiries(session: Session, *, on: date) -> dict[str, int]:
    """Has one exception wait for what ends soon of roster and bearer keys: `2020-12-20:3`, the earliest, how many.

    Another waits while so few officers outlast the month that nobody could sign a roster any more: the last day on
    which two can, and how many officers the roster has. Both close when the roster and the keys are put right.
    """
    found = expiries.find(session, on=on)
    days, until = found.days(), found.amended_until()
    access = f"{days[0]}:{len(days)}" if days else None
    officers = f"{until}:{len(found.officers)}" if until else None
    exceptions.tell_one(session, Difference.ACCESS_EXPIRES, about=access, on=on)
    exceptions.tell_one(session, Difference.OFFICERS_EXPIRE, about=officers, on=on)
    return {"entries_expiring": len(found.entries), "keys_expiring": len(found.keys)}


def _tell(session: Session, difference: Difference, due: dict[str, bool], *, on: date) -> int:
    """Opens or closes the exception about each thing; how many wait."""
    for about, is_due in due.items():
        if is_due:
            exceptions.open_anew(session, difference, about=about, on=on)
        else:
            exceptions.close_anew(session, difference, about=about, on=on)
    return sum(due.values())


def _has_rate(session: Session, currency: str, *, on: date) -> bool:
    try:
        exchange.rate(session, currency, on=on)
    except exchange.NoRate:
        return False
    return True
