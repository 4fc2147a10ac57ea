"""Ageing: how old an open exception is, how grave, and what is done next. Rules, and no opinions."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from sqlmodel import Session

from ledger import exceptions
from ledger.exceptions import Difference, OpenException
from ledger.reconciliation import suggestions
from ledger.reconciliation.suggestions import NoPosting, Suggested

GROWS_AFTER = (7, 30)
"""Days after which an open exception is one step graver, and one more."""
GROWS_BEFORE = (14, 7)
"""Days before its last day from which on what expires is one step graver, and one more: its age tells nothing."""


class Severity(IntEnum):
    """How grave, in three steps."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


_AT_FIRST = {
    Difference.CHECK_FAILED: Severity.HIGH,
    Difference.NOT_RELEASED: Severity.HIGH,
    Difference.BALANCE_DIFFERS: Severity.HIGH,
    Difference.PROCESSOR_DIFFERS: Severity.HIGH,
    Difference.BELOW_ZERO: Severity.HIGH,
    Difference.TOO_MANY_READINGS: Severity.HIGH,
    Difference.OVER_REFUNDED: Severity.HIGH,
    Difference.PERIOD_OPEN: Severity.LOW,
    Difference.RATE_MISSING: Severity.LOW,
    Difference.MOVEMENT_WAITS: Severity.LOW,
    Difference.UNKNOWN_CURRENCY: Severity.HIGH,
    Difference.AMBIGUOUS_PAYOUT: Severity.LOW,
    Difference.ACCESS_EXPIRES: Severity.LOW,
    Difference.OFFICERS_EXPIRE: Severity.HIGH,
    Difference.PAID_BEFORE_FORCE: Severity.HIGH,
    Difference.PAID_BEFORE_RELEASE: Severity.HIGH,
    Difference.PAID_AFTER_STOP: Severity.HIGH,
}
"""How grave a difference is on its first day; the others are in the middle."""


@dataclass(frozen=True, slots=True)
class Aged:
    """An open exception: its days since it was opened, how grave it is, what is done next, and what is suggested."""

    opened: OpenException
    age_days: int
    severity: Severity
    next: str
    suggested: Suggested | NoPosting


def aged(session: Session, *, on: date) -> list[Aged]:
    """The open exceptions on a day: the gravest first, and of these the oldest."""
    found = [_aged(session, opened, on=on) for opened in exceptions.listed(session)]
    return sorted(found, key=lambda one: (-one.severity, -one.age_days, one.opened.alias))


def severity(difference: Difference, *, age_days: int, days_left: int | None = None) -> Severity:
    """How grave: by kind at first, and a step more after 7 days, and after 30; or 14 days before a last day, and 7."""
    at_first = _AT_FIRST.get(difference, Severity.MEDIUM)
    steps = sum(age_days >= days for days in GROWS_AFTER)
    if days_left is not None:
        steps = sum(days_left <= days for days in GROWS_BEFORE)
    return Severity(min(at_first + steps, Severity.HIGH))


def _aged(session: Session, opened: OpenException, *, on: date) -> Aged:
    age_days = max((on - opened.opened_on).days, 0)
    last_day = opened.last_day()
    days_left = None if last_day is None else (last_day - on).days
    grave = severity(opened.difference, age_days=age_days, days_left=days_left)
    way, suggested = suggestions.of(session, opened)
    return Aged(opened, age_days, grave, way.next, suggested)
