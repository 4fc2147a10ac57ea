"""What exchange rates did to each fund over a span of days, and the proof of it from three causes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from ledger.books.valuation import STANDING, Cell, Movement, Valuation, is_exchange

_GRAIN = 10**9
"""Proofs add billionths of a minor unit: the exact sum over thousands of rates is a fraction of thousands of digits."""
_SLACK = Fraction(1, 1000)
"""How far apart two sums of such billionths may lie, in minor units."""


@dataclass(frozen=True, slots=True)
class ExchangeResult:
    """What rates did to a fund, in minor units of the functional currency; a gain is above zero.

    `reported_minor` is the change of net assets less what flowed, from rounded cells, and `exact` from unrounded ones.
    The causes are found without either: `revaluation` of what was held while rates moved, `dealing` at another rate
    than the day's, and `back_valued` lines, whose rate date is not the day they were booked on.
    """

    reported_minor: int
    exact: Fraction
    revaluation: Fraction
    dealing: Fraction
    back_valued: Fraction
    rounded_cells: int

    @property
    def rounding(self) -> Fraction:
        """What is left of the reported result after its causes."""
        return self.reported_minor - self.revaluation - self.dealing - self.back_valued

    @property
    def is_proved(self) -> bool:
        """Whether the causes make the exact result, and rounding no more than half a minor unit a cell."""
        off = self.exact - self.revaluation - self.dealing - self.back_valued
        return abs(off) <= _SLACK and abs(self.rounding) <= Fraction(self.rounded_cells, 2) + _SLACK


def find(valued: Valuation) -> dict[str, ExchangeResult]:
    """The exchange result of every fund that stood or moved in the span, by its code.

    Raises:
        NoRate: the proof needs the rate of a day on which a currency moved, and there is none.
    """
    return explain(
        valued,
        opening=valued.opening,
        movements=[one for one in valued.movements if one.account.account_class in STANDING],
        gained=[replace(cell, minor=-cell.minor, worth=-cell.worth) for cell in valued.flows],
        closing=valued.closing,
        dealings=[
            Cell(one.account, one.fund, one.currency, one.on, one.on, -one.minor, worth)
            for one in valued.movements
            if is_exchange(one.account)
            for worth in [-valued.rates.worth(one.minor, one.currency, on=one.on)]
        ],
    )


def explain(
    valued: Valuation,
    *,
    opening: Sequence[Cell],
    movements: Sequence[Movement],
    gained: Sequence[Cell],
    closing: Sequence[Cell],
    dealings: Sequence[Cell],
) -> dict[str, ExchangeResult]:
    """Why the balances `opening`, by their `movements`, came to `closing`, when `gained` is all that came in.

    What was gained and given in exchange is above zero when it adds to the balances. Raises `NoRate`: see `find`.
    """
    reported, exact, rounded = Counter[str](), Counter[str](), Counter[str]()
    for cells, sign in ((closing, 1), (opening, -1), (gained, -1)):
        for cell in cells:
            reported[cell.fund] += sign * cell.worth_minor
            exact[cell.fund] += sign * _billionths(cell.worth)
            rounded[cell.fund] += cell.currency != valued.rates.into
    revaluations = _revaluations(valued, opening=opening, movements=movements)
    dealt, back_valued = Counter[str](), Counter[str]()
    for cell in dealings:
        dealt[cell.fund] += _billionths(cell.worth)
    for cell in gained:
        if cell.rate_on != cell.on:
            on_its_day = valued.rates.worth(cell.minor, cell.currency, on=cell.on)
            back_valued[cell.fund] += _billionths(on_its_day - cell.worth)
    return {
        fund: ExchangeResult(
            reported_minor=reported[fund],
            exact=Fraction(exact[fund], _GRAIN),
            revaluation=Fraction(revaluations[fund], _GRAIN),
            dealing=Fraction(dealt[fund], _GRAIN),
            back_valued=Fraction(back_valued[fund], _GRAIN),
            rounded_cells=rounded[fund],
        )
        for fund in sorted({*reported, *revaluations, *dealt})
    }


def _revaluations(valued: Valuation, *, opening: Iterable[Cell], movements: Iterable[Movement]) -> Counter[str]:
    """By fund, in billionths: Σ net position of each day times the change of its rate.

    Between two movements a position gains the difference of their days' rates, whatever the rates did in between.
    """
    positions: Counter[tuple[str, str]] = Counter()
    changes: dict[tuple[str, str], Counter[date]] = {}
    for cell in opening:
        positions[cell.fund, cell.currency] += cell.minor
    for one in movements:
        changes.setdefault((one.fund, one.currency), Counter())[one.on] += one.minor
    gains: Counter[str] = Counter()
    for fund, currency in sorted({*positions, *changes}):
        gains[fund] += _revaluation(
            positions[fund, currency], changes.get((fund, currency), {}), currency=currency, valued=valued
        )
    return gains


def _revaluation(position: int, changes: Mapping[date, int], *, currency: str, valued: Valuation) -> int:
    gain, last = 0, valued.before
    for day in (*sorted(changes), valued.until):
        worth = valued.rates.worth(position, currency, on=day) - valued.rates.worth(position, currency, on=last)
        gain += _billionths(worth)
        position += changes.get(day, 0)
        last = day
    return gain


def _billionths(worth: Fraction) -> int:
    return round(worth * _GRAIN)
