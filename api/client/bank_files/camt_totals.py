"""The bank's own totals in a CAMT message (`TxsSummry`), held against its entries."""

import re
from collections.abc import Iterator

from api.client.bank_files import amounts
from api.client.bank_files.lines import Entry
from api.client.bank_files.markup import Node
from ledger.errors import BadInput
from ledger.money import Money

_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_KINDS = {"TtlNtries": "", "TtlCdtNtries": "credit ", "TtlDbtNtries": "debit "}


def compare_totals(summary: Node | None, *, entries: tuple[Entry, ...], currency: str | None) -> Iterator[str]:
    """What the bank says of its entries and is not so. A total may count all entries or only the booked ones.

    Sums are compared where every entry is in `currency`. A zero amount is a credit, as the standard has it.
    """
    if summary is None:
        return
    for element, kind in _KINDS.items():
        total = summary.one(element)
        if total is None:
            continue
        chosen = [entry for entry in entries if _belongs(entry, element)]
        booked = [entry for entry in chosen if entry.status == "booked"]
        yield from compare_count(
            total.one("NbOfNtries"), things=f"{kind}entries", there=len(chosen), or_else=len(booked)
        )
        said = total.text_at("Sum")
        if said is not None and currency and all(entry.amount.currency == currency for entry in chosen):
            yield from _compare_sum(said, sums=(_sum(chosen), _sum(booked)), kind=kind, currency=currency)


def compare_count(said: Node | None, *, things: str, there: int, or_else: int | None = None) -> Iterator[str]:
    """What is wrong with the bank's number of `things`, if it gives one: `there` would be right, `or_else` too."""
    if said is None:
        return
    text = said.text() or ""
    if not _COUNT.fullmatch(text):
        yield f"the bank's number of {things} cannot be read"
    elif int(text) not in {there, or_else}:
        yield f"the bank counts {int(text)} {things}, {there} are there"


def _compare_sum(said: str, *, sums: tuple[int, int], kind: str, currency: str) -> Iterator[str]:
    try:
        total = amounts.read_unsigned(said, currency=currency)
    except BadInput:
        yield f"the bank's sum of {kind}entries cannot be read"
        return
    if total.minor not in sums:
        yield f"the bank's sum of {kind}entries is {total}, that of the entries {Money(sums[0], currency)}"


def _belongs(entry: Entry, element: str) -> bool:
    return element == "TtlNtries" or (entry.amount.minor < 0) == (element == "TtlDbtNtries")


def _sum(entries: list[Entry]) -> int:
    return sum(abs(entry.amount.minor) for entry in entries)
