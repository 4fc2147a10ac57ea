"""The release rule: one fixed tree, strict splits, rounding. Pure: items and history in, the next block out.

The points named here are those of the rule's design: 1 series, 2 dating, 3 closing date, 4 safety (in `safety`),
5 root with carry, 6 division, 7 atoms, 8 corrections (in `safety`). Regions are not built: a single kind stays whole.
The income side uses the same functions with channels as kinds and the donor's alias as person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from ledger.errors import BadInput, Conflict
from ledger.money import exponent
from reports.transparency import months
from reports.transparency.attacker import BadRuling
from reports.transparency.blocks import Atom, Block
from reports.transparency.rounding import Rounding
from reports.transparency.safety import LIMITS, BadItem, Item, Limits, Series, count_persons, is_exposed, safe

_BUSY_PERSONS_A_MONTH = 30
_QUIET_PERSONS_A_MONTH = 8
_MONTH, _QUARTER, _HALF_YEAR, _YEAR = 1, 3, 6, 12
_SUM_STEP_MAJOR = {"main": 100, "large": 1000}


class BadSettings(BadInput):
    """Settings that publish nothing or round nothing."""

    rule = "bad_settings"


class BrokenHistory(BadInput):
    """Published blocks that are not one another's continuation in this series and currency."""

    rule = "broken_history"


class StillOpen(Conflict):
    """The block's last month is not over; its payments are not all recorded."""

    rule = "still_open"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One ruling that the public may know: the month it was issued in, the kind of obligation it makes, its amount."""

    month: str
    kind: str
    minor: int

    def __post_init__(self) -> None:
        months.check(self.month)
        if not self.kind or self.minor <= 0:
            raise BadRuling("a known ruling has a kind and an amount above zero", where="register")


@dataclass(frozen=True, slots=True)
class Register:
    """The publisher's register of known rulings. Kinds it does not cover have a signed "no register" instead."""

    kinds: frozenset[str]
    rulings: tuple[Ruling, ...]

    def during(self, own: frozenset[str]) -> "Register":
        """The rulings of those months only: saturation counts against the fresh months (point 5)."""
        return Register(self.kinds, tuple(ruling for ruling in self.rulings if ruling.month in own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is fixed in a data file before the first publication, and public.

    `kinds` are the tree, in the order in which they are split off; `base_value_minor` is the tariff's base value in
    the block's currency (0 where there is none): sums are rounded to at least twice as much.
    """

    kinds: tuple[str, ...]
    first_month: str
    currency: str
    series: Series = "main"
    base_value_minor: int = 0
    persons_step: int = 5
    limits: Limits = LIMITS

    def __post_init__(self) -> None:
        months.check(self.first_month, where="first_month")
        exponent(self.currency)
        if not self.kinds or len(set(self.kinds)) != len(self.kinds):
            raise BadSettings("the kinds are a list without repetition, and not empty", where="kinds")
        if self.base_value_minor < 0 or self.persons_step < 1 or self.persons_step % 2 == 0:
            raise BadSettings("the base value is not negative, the step for persons is odd", where="steps")

    @property
    def rounding(self) -> Rounding:
        """Point 7: 100 major units (1,000 in the large series), or the next multiple from twice the base value on."""
        step = int(_SUM_STEP_MAJOR[self.series] * 10 ** exponent(self.currency))
        coarser = max(1, -(-2 * self.base_value_minor // step))
        return Rounding(persons_step=self.persons_step, sum_step_minor=step * coarser)


def release(
    items: Iterable[Item],
    *,
    history: Sequence[Block],
    register: Register | None,
    settings: Settings,
    on: date,
) -> Block:
    """The next block after `history`, to be approved and published as it stands; without atoms when nothing is safe.

    Points 1, 2, 5, 6 and 7. Only items of the settings' series are looked at, each in the month of its recording.
    Months inside a published block are done with: an item recorded late has a later month and belongs to the next
    block. Months of silent blocks are carried. The order of `items` does not matter.

    Args:
        items: everything recorded, published or not, converted to the settings' currency at one rate for the block.
        history: all earlier blocks of this series, silent ones too, oldest first.
        register: known rulings; None for a signed "no register" for every kind.
        settings: the fixed choices.
        on: today; the block's last month must be over.

    Raises:
        StillOpen: the closing date has not come.
        BadItem: a kind outside the tree, or a month before the first one.
        BrokenHistory: see `next_window`.
    """
    first, last = next_window(history, settings=settings)
    if months.of(on) <= last:
        raise StillOpen("the block's last month is not over", first_month=first, last_month=last)
    waiting = _waiting_months(history)
    chosen = [item for item in items if item.series == settings.series]
    _check_items(chosen, settings=settings)
    own = frozenset(months.span(first, last=last))
    root = _Node(
        kinds=settings.kinds,
        carries=bool(waiting),
        fresh=tuple(item for item in chosen if item.month in own),
        carried=tuple(item for item in chosen if item.month in waiting),
    )
    known = register and register.during(own)
    passes = _passes(root, register=known, settings=settings)
    atoms = tuple(_divide(root, register=known, settings=settings)) if passes else ()
    return Block(
        series=settings.series,
        first_month=first,
        last_month=last,
        currency=settings.currency,
        atoms=atoms,
        carried_months=waiting if atoms else (),
    )


def next_window(history: Sequence[Block], *, settings: Settings) -> tuple[str, str]:
    """Point 3: the first and last month of the next block, from the calendar and published figures alone.

    The first block is a quarter. Then a month where the last published block had at least 30 persons a month,
    a half-year below 8, else a quarter; and never shorter than the longest of month, quarter, half-year and year that
    the silence before it has lasted. The large series closes with each calendar year.

    Raises:
        BrokenHistory: the blocks do not follow one another from the first month on, in this series and currency.
    """
    first = settings.first_month
    for block in history:
        if (block.series, block.currency, block.first_month) != (settings.series, settings.currency, first):
            raise BrokenHistory("a block does not continue the one before it", first_month=first)
        first = months.shift(block.last_month, months=1)
    if settings.series == "large":
        return first, f"{first[:4]}-12"
    silent = len(_waiting_months(history))
    patience = max(length for length in (0, _MONTH, _QUARTER, _HALF_YEAR, _YEAR) if length <= silent)
    return first, months.shift(first, months=max(_pace(history), patience) - 1)


def _pace(history: Sequence[Block]) -> int:
    """How many months the next block has, going by the rounded figures of the last one that had any."""
    last = next((block for block in reversed(history) if block.atoms), None)
    if last is None:
        return _QUARTER
    covered = len(last.months) + len(last.carried_months)
    if last.persons >= _BUSY_PERSONS_A_MONTH * covered:
        return _MONTH
    return _HALF_YEAR if last.persons < _QUIET_PERSONS_A_MONTH * covered else _QUARTER


def _waiting_months(history: Sequence[Block]) -> tuple[str, ...]:
    """The months of the silent blocks since the last one that published something."""
    waiting: tuple[str, ...] = ()
    for block in reversed(history):
        if block.atoms:
            break
        waiting = block.months + waiting
    return waiting


@dataclass(frozen=True, slots=True)
class _Node:
    """A place in the tree: all kinds it may hold, whether silent months are waiting, and what it does hold."""

    kinds: tuple[str, ...]
    carries: bool
    fresh: tuple[Item, ...]
    carried: tuple[Item, ...]

    def narrow(self, kinds: tuple[str, ...]) -> "_Node":
        return _Node(
            kinds,
            self.carries,
            tuple(item for item in self.fresh if item.kind in kinds),
            tuple(item for item in self.carried if item.kind in kinds),
        )


def _divide(node: _Node, *, register: Register | None, settings: Settings) -> list[Atom]:
    """Point 6: split off the first kind if both sides pass, then the rest in the same way; else stay whole.

    No other division is tried: which one was tried would tell why the others failed.
    """
    sides = node.narrow(node.kinds[:1]), node.narrow(node.kinds[1:])
    if all(_passes(side, register=register, settings=settings) for side in sides):
        split_off, rest = sides
        return [_atom(split_off, settings=settings), *_divide(rest, register=register, settings=settings)]
    return [_atom(node, settings=settings)]


def _passes(node: _Node, *, register: Register | None, settings: Settings) -> bool:
    """Point 5, for the root and for every child: safe with and without what is carried; and the sum is not nothing.

    One step beyond the design: where months are carried, exactly k people in all do not suffice. As k of them must
    be fresh, that figure (or a sum of equal fines) would tell that nobody at all was in the carried months.
    """
    everything = node.fresh + node.carried
    views = [node.fresh, everything] if node.carries else [node.fresh]
    return (
        not (node.carries and count_persons(everything) <= settings.limits.fewest_persons)
        and all(safe(view, None, limits=settings.limits) for view in views)
        and all(_is_unexposed(view, kinds=node.kinds, register=register, settings=settings) for view in views)
        and _atom(node, settings=settings).sum_minor > 0
    )


def _is_unexposed(
    items: Sequence[Item], *, kinds: tuple[str, ...], register: Register | None, settings: Settings
) -> bool:
    """The last two conditions of point 4, for the items whose kinds the register covers."""
    if register is None:
        return True
    covered = [item for item in items if item.kind in register.kinds]
    rulings = [ruling.minor for ruling in register.rulings if ruling.kind in kinds]
    return not is_exposed(covered, rulings, limits=settings.limits, rounding=settings.rounding)


def _atom(node: _Node, *, settings: Settings) -> Atom:
    """Point 7: people to the nearest 5, the sum to the nearest step; halves go up."""
    items = node.fresh + node.carried
    return Atom(
        node.kinds,
        settings.rounding.of_persons(count_persons(items)),
        settings.rounding.of_sum(sum(item.minor for item in items)),
    )


def _check_items(items: Sequence[Item], *, settings: Settings) -> None:
    if any(item.kind not in settings.kinds for item in items):
        raise BadItem("an item is of a kind that the tree does not have", where="kind")
    if any(item.month < settings.first_month for item in items):
        raise BadItem("an item was recorded before the first month", where="month", first_month=settings.first_month)
