"""Linkage: how many of our entries whoever has the database and a register of rulings could tie to a line of it.

What the attacker joins on is what the books keep of a ruling: amount, article, region and the bounds of its dates. For
each obligation k is how many lines of the register fit: with k = 1 the person is found, with k = 0 the register does
not hold them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cache, partial
from statistics import median

from sqlmodel import Session, col, select

from ledger.aid import eligibility, jurisdictions, likenesses
from ledger.aid.cases import Case
from ledger.aid.eligibility import Bounds
from ledger.aid.jurisdictions import Pack
from ledger.aid.obligations import Obligation
from ledger.aid.rulings import Ruling
from ledger.books.periods import months_later
from ledger.money import Money

CROWD = 10
"""Among so many a person is taken for hidden, as in what is published."""


class Grain(StrEnum):
    """What would be kept of the day of a ruling; `KEPT` is what the bounds of this book's rulings leave open."""

    DAY = "day"
    KEPT = "kept"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One line of a state's register of rulings, as far as it can be joined on."""

    amount: Money
    issued_on: date
    article: str
    region: str


@dataclass(frozen=True, slots=True)
class Fit:
    """How many lines of the register fit one obligation, by grain."""

    obligation: str
    case: str
    k: dict[Grain, int]


@dataclass(frozen=True, slots=True)
class Spread:
    """What one grain gives away, of entries or of cases: `absent` k = 0, `unique` k = 1, `few` 1 ≤ k < 10.

    `smallest` and `middle` (the median) are of those with k ≥ 1, None without any; `by_k` counts them by their k.
    """

    absent: int
    unique: int
    few: int
    crowd: int
    smallest: int | None
    middle: float | None
    by_k: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database tells of an obligation."""

    obligation: str
    case: str
    what: tuple[int, str, str, str]
    jurisdiction: str
    bounds: Bounds


def measure(session: Session, register: Iterable[RegisterRow]) -> list[Fit]:
    """Finds k of every obligation in the books, rejected cases too, by alias; seconds for 100,000 of each.

    A grain coarser or finer than what is kept is told at its worst: the smallest group of a day, or of a month, that
    the ruling may have fallen on and that fits at all.
    """
    lines = [((r.amount.minor, r.amount.currency, r.article, r.region), r.issued_on) for r in register]
    counted = {grain: Counter((what, start(day)) for what, day in lines) for grain, start in _STARTS.items()}
    fits = []
    for known in _known(session):
        days = _days_of_week(known.jurisdiction, known.bounds.ruled_by)
        k = {}
        for grain, start in _STARTS.items():
            groups = [counted[grain][known.what, first] for first in {start(day) for day in days}]
            k[grain] = min((count for count in groups if count), default=0)
        left = _days_left(known.jurisdiction, known.bounds)
        k[Grain.KEPT] = sum(counted[Grain.DAY][known.what, day] for day in left)
        fits.append(Fit(known.obligation, known.case, k))
    return fits


def spread(fits: Iterable[Fit], grain: Grain) -> Spread:
    """The entries by their k."""
    return _spread(fit.k[grain] for fit in fits)


def spread_of_cases(fits: Iterable[Fit], grain: Grain) -> Spread:
    """The cases by the smallest k ≥ 1 of their obligations: one that is found finds the person."""
    smallest: dict[str, int] = {}
    for fit in fits:
        k, before = fit.k[grain], smallest.get(fit.case, 0)
        smallest[fit.case] = min(k, before) if k and before else k or before
    return _spread(smallest.values())


def spread_of_people(fits: Iterable[Fit], grain: Grain, *, person_of: Mapping[str, str]) -> Spread:
    """As `spread_of_cases`, with `person_of` each case: whoever is found by one entry is found with all."""
    return spread_of_cases((replace(fit, case=person_of[fit.case]) for fit in fits), grain)


def people(session: Session) -> dict[str, str]:
    """By case: whose it is, as far as signed words and tokens of names tell whoever has the database."""
    roots = likenesses.roots(session)
    return {case: roots.get(of, of) for case, of in session.exec(select(Case.alias, Case.beneficiary_alias))}


def _spread(found: Iterable[int]) -> Spread:
    by_k = Counter(found)
    absent = by_k.pop(0, 0)
    few = sum(count for k, count in by_k.items() if k < CROWD)
    every = sorted(by_k.elements())
    return Spread(
        absent=absent,
        unique=by_k[1],
        few=few,
        crowd=len(every) - few,
        smallest=every[0] if every else None,
        middle=float(median(every)) if every else None,
        by_k={k: by_k[k] for k in sorted(set(every))},
    )


def _known(session: Session) -> Iterable[_Known]:
    columns = (
        col(Obligation.alias),
        col(Obligation.case_alias),
        col(Obligation.minor),
        col(Obligation.currency),
        col(Ruling.article),
        col(Ruling.region),
        col(Case.jurisdiction),
        col(Ruling.ruled_by),
        col(Ruling.payable_from),
        col(Ruling.due_by),
        col(Ruling.force_presumed),
    )
    query = (
        select(*columns)  # type: ignore[call-overload]  # sqlmodel's overloads end at four columns
        .join(Ruling, col(Ruling.alias) == col(Obligation.ruling_alias))
        .join(Case, col(Case.alias) == col(Obligation.case_alias))
        .order_by(col(Obligation.alias))
    )
    for alias, case, minor, currency, article, region, jurisdiction, *bounds in session.exec(query):
        ruled_by, payable_from, due_by, presumed = bounds
        kept = Bounds(ruled_by, payable_from, due_by, force_presumed=presumed)
        yield _Known(alias, case, (minor, currency, article, region), jurisdiction, kept)


@cache
def _days_of_week(jurisdiction: str, ruled_by: date) -> tuple[date, ...]:
    """The days on which a ruling of this bound may have been issued."""
    if jurisdictions.load(jurisdiction).grain == "day":
        return (ruled_by,)
    return tuple(ruled_by - timedelta(days=back) for back in range(7))


@cache
def _days_left(jurisdiction: str, kept: Bounds) -> tuple[date, ...]:
    """Those of them that all bounds together leave open: all, but in rows of before (see `_bounds_of_before`).

    Where they follow from days that the register does not have (of service, of force), all days of the week are left.
    """
    pack = jurisdictions.load(jurisdiction)
    days = _days_of_week(jurisdiction, kept.ruled_by)
    if not kept.force_presumed:
        return days
    reckonings = (partial(eligibility.bounds, kind="fine", in_force_on=None), _bounds_of_before)
    fitting = tuple(d for d in days if any(reckon(pack, issued_on=d) == kept for reckon in reckonings))
    return fitting or days


def _bounds_of_before(pack: Pack, *, issued_on: date) -> Bounds:
    """What was once kept of a presumed force: reckoned from the exact day, it narrows that day inside its week."""
    deadlines = pack.deadlines_on(issued_on)
    force = issued_on + timedelta(days=deadlines.appeal_days)
    due = months_later(force, deadlines.payment_months)
    ruled_by, payable_from = (eligibility.end_of_grain(pack, day) for day in (issued_on, force))
    return Bounds(ruled_by, payable_from, _monday(due), force_presumed=True)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


_STARTS: dict[Grain, Callable[[date], date]] = {
    Grain.DAY: lambda day: day,
    Grain.WEEK: _monday,
    Grain.MONTH: _first_of_month,
}
"""The first day of the group a day falls in."""
