"""How long it takes to release what a busy fund published in 36 months: every block anew, and with the attacker."""

from collections.abc import Iterator
from datetime import date
from functools import partial

from bench.databases import Books
from bench.rows import Row, seconds
from reports.transparency import months
from reports.transparency.blocks import Block
from reports.transparency.disclosure import Register, Ruling, Settings, release
from reports.transparency.safety import Item

KINDS = ("fine", "detention", "court_fee", "lawyer", "bail", "parcel")
AMOUNTS = (2_700, 5_400, 27_000, 40_500, 54_000, 67_500, 81_000)
FIRST_MONTH, LAST_MONTH = "2020-08", "2023-07"
PERSONS = 40
"""Paid in each month for each kind: 5 in each of 8 regions, which the rule does not divide by."""
KNOWN_FOR_EACH = 4
"""Rulings that the public knows for each person paid."""
_RULE = Settings(kinds=KINDS, first_month=FIRST_MONTH, currency="BYN", base_value_minor=2_700)
_LATER = date(2030, 1, 1)


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """All blocks of 36 months, one after the other, without a register of rulings and with one."""
    last = months.shift(FIRST_MONTH, months=5) if quick else LAST_MONTH
    span = months.span(FIRST_MONTH, last=last)
    items = [
        Item(f"{month}{kind}{nth}", AMOUNTS[nth % len(AMOUNTS)], kind, month)
        for month in span
        for kind in KINDS
        for nth in range(PERSONS)
    ]
    known = tuple(Ruling(item.month, item.kind, item.minor) for item in items for _ in range(KNOWN_FOR_EACH))
    register = Register(frozenset(KINDS), known)
    size = f"{len(span)} months of {len(KINDS)} kinds, {len(items):,} payments"
    for what, told, at_most in (
        (f"release {size}", None, 1),
        (f"the same with the attacker, {len(known):,} rulings", register, 10),
    ):
        yield Row(what, None, seconds(partial(_release_all, items, told, last)), "s", at_most=at_most)


def _release_all(items: list[Item], register: Register | None, last: str) -> None:
    history: list[Block] = []
    while not history or history[-1].last_month < last:
        history.append(release(items, history=history, register=register, settings=_RULE, on=_LATER))
    if not all(block.atoms for block in history):
        raise AssertionError("a block stayed silent, so not everything was measured")
