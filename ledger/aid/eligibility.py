"""Eligibility: after, not before. Exact dates are tested in the client, bounds here; the rules stand beside.

The client knows the day of the ruling and of its legal force, tests them and signs the answer. The server keeps the
end of those weeks only, so that its rows cannot be joined with a register of rulings, and tests what it has: it is
never earlier than the truth.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from ledger.aid.jurisdictions import Pack
from ledger.books.periods import months_later
from ledger.errors import Refused

SUNDAY = 6
SERVED = "detention"
"""The one kind of obligation that is payable from its service: no appeal against a ruling defers a bill."""


class Rejection(StrEnum):
    """Why a case gets no aid."""

    NOT_ASSEMBLY_RELATED = "not_assembly_related"
    CRIMINAL_CHARGE = "criminal_charge"
    NO_RULING = "no_ruling"
    NOT_IN_FORCE = "not_in_force"
    ALREADY_PAID = "already_paid"
    DUPLICATE = "duplicate"
    OVER_CAP = "over_cap"
    ILLEGIBLE = "illegible"
    ARITHMETIC_MISMATCH = "arithmetic_mismatch"
    UNSAFE_CHANNEL = "unsafe_channel"


class NotEligible(Refused):
    """A rule forbids aid; `because` is the rejection code, `rule_name` the rule that says so."""

    rule = "not_eligible"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the server keeps of a ruling's dates: never before the true day, so that aid never comes too early."""

    ruled_by: date
    payable_from: date
    due_by: date
    force_presumed: bool


def bounds(
    pack: Pack, *, kind: str, issued_on: date, in_force_on: date | None, served_on: date | None = None
) -> Bounds:
    """The bounds of a ruling's exact dates, at the pack's grain, for the kind of obligation that its details tell of.

    Without a date of legal force it is presumed to be the day of issue plus the days of appeal. A detention bill is
    payable from the day it was served; of any other kind that day says nothing: a fine is served before it is in
    force. Where the grain is the week, `payable_from` is never before and `due_by` never
    after the true day, and all days of a week give the same bounds: what is presumed is reckoned from the last day on
    which the ruling can have been issued, at most six days late; the deadline from the first day of its week.
    """
    deadlines = pack.deadlines_on(issued_on)
    force = in_force_on or issued_on + timedelta(days=deadlines.appeal_days)
    service = served_on if kind == SERVED else None
    payable = service or force
    is_presumed = in_force_on is None
    if pack.grain == "day":
        return Bounds(issued_on, payable, months_later(payable, deadlines.payment_months), force_presumed=is_presumed)
    ruled_by = _week_end(issued_on)
    if service or in_force_on:
        earliest, payable_from = _week_start(payable), _week_end(payable)
    else:
        payable_from = _presumed_force(pack, ruled_by)
        earliest = payable_from - timedelta(days=SUNDAY)
    due_by = _week_start(months_later(earliest, deadlines.payment_months))
    return Bounds(ruled_by, payable_from, due_by, force_presumed=is_presumed)


def payable_from(pack: Pack, kept: Bounds, *, kind: str) -> date:
    """The first day on which a sum of this kind is payable for certain, whatever bounds a client sent.

    Where nobody knows the day of legal force it is not before the days of appeal; a bill is served before that.
    """
    if kind == SERVED or not kept.force_presumed:
        return kept.payable_from
    return max(kept.payable_from, _presumed_force(pack, kept.ruled_by))


def at_grain(pack: Pack, kept: Bounds) -> bool:
    """Whether bounds tell no more than the pack's grain admits: exact dates of a weekly pack stay with the client."""
    if pack.grain == "day":
        return True
    follows = kept.force_presumed and kept.payable_from == _presumed_force(pack, kept.ruled_by)
    ends = kept.ruled_by == _week_end(kept.ruled_by) and (follows or kept.payable_from == _week_end(kept.payable_from))
    return ends and kept.due_by == _week_start(kept.due_by)


def end_of_grain(pack: Pack, day: date) -> date:
    """The day under which the books keep `day`: the end of its week, or itself where the pack's grain is the day."""
    return day if pack.grain == "day" else _week_end(day)


def require_payable(*, payable_from: date, on: date) -> None:
    """The server's test at recognition and release: in force, or served, for certain.

    Raises:
        NotEligible: not yet.
    """
    if payable_from > on:
        raise NotEligible(
            "the ruling is not certainly in force yet",
            because=Rejection.NOT_IN_FORCE,
            rule_name="in_force_at_payment",
            payable_from=payable_from.isoformat(),
        )


def _presumed_force(pack: Pack, ruled_by: date) -> date:
    return ruled_by + timedelta(days=pack.deadlines_on(ruled_by).appeal_days)


def _week_end(day: date) -> date:
    return day + timedelta(days=SUNDAY - day.weekday())


def _week_start(day: date) -> date:
    return day - timedelta(days=day.weekday())
