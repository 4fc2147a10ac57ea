"""A small, tolerant reader of hledger's and beancount's journals: what it cannot read exactly, it names and leaves."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ledger.errors import BadInput
from ledger.money import Money

SYMBOLS = {"$": "USD", "£": "GBP"}
"""What the journals mean by a sign."""
Cells = Counter[tuple[str, str]]

_HEAD = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:\s|$)", re.ASCII)
_DIRECTIVE = re.compile(
    r"\d{4}-\d\d-\d\d (?:open|close|balance|price|pad|commodity|event|note|document|query|custom)\b"
)
_PAD = re.compile(r"\d{4}-\d\d-\d\d pad\s+(\S+)\s+(\S+)")
_AMOUNT = re.compile(
    r"(?P<sign>-?)(?P<symbol>[$£]?)(?P<sign2>-?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<code>[A-Z]{3})?(?:\s*==?\*?\s.*)?",
    re.ASCII,
)


class Left(Exception):
    """Why a transaction is left out."""


@dataclass
class Transaction:
    """One transaction: its day and its raw lines, each an account and what stands after it."""

    on: date
    raw: list[tuple[str, str]] = field(default_factory=list)

    def moves(self) -> list[tuple[str, Money]]:
        """Every account with its amount, a debit above zero, the one that is left out inferred; zeros dropped.

        Raises:
            Left: costs, lots, virtual lines, balance assignments, no currency of ISO 4217, or it does not balance.
        """
        known, missing = [], []
        for account, text in self.raw:
            if account.startswith(("(", "[")):
                raise Left("virtual lines")
            if text:
                known.append((account, read_amount(text)))
            else:
                missing.append(account)
        sums: Counter[str] = Counter()
        for _, money in known:
            sums[money.currency] += money.minor
        if missing:
            known += [(missing[0], Money(-minor, currency)) for currency, minor in sums.items() if minor]
        if len(missing) > 1 or (not missing and any(sums.values())):
            raise Left("does not balance in each currency")
        moves = [(account, money) for account, money in known if money.minor]
        if len(moves) < 2:
            raise Left("nothing moves")
        return moves


@dataclass
class Journal:
    """What a file holds; `foreign` are accounts that something else than transactions moves (pads)."""

    transactions: list[Transaction] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)


def read_amount(text: str) -> Money:
    if "@" in text or "{" in text:
        raise Left("costs or lots")
    if text.startswith("="):
        raise Left("balance assignments")
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise Left("not an amount of one currency of ISO 4217")
    currency = SYMBOLS.get(match["symbol"]) or match["code"]
    if not currency:
        raise Left("no currency")
    try:
        money = Money.parse(match["number"], currency)
    except BadInput:
        raise Left("not an amount of one currency of ISO 4217") from None
    return -money if match["sign"] or match["sign2"] else money


def read_journal(path: Path) -> Journal:
    journal = Journal()
    open_one: Transaction | None = None
    for line in _without_comments(path.read_text("utf-8").splitlines()):
        head = _HEAD.match(line)
        if pad := _PAD.match(line):
            journal.foreign |= {pad[1], pad[2]}
        if head and not _DIRECTIVE.match(line):
            open_one = Transaction(date(int(head[1]), int(head[2]), int(head[3])))
            journal.transactions.append(open_one)
        elif not line.startswith((" ", "\t")):
            if line.startswith(("= ", "~ ")):
                raise Left("automatic or periodic transactions")
            open_one = None
        elif open_one is not None and line.strip() and not re.match(r"\s+[a-z][\w-]*:\s", line):
            account, _, amount = re.sub(r"\t|  +", "\t", line.strip()).partition("\t")
            open_one.raw.append((account.removeprefix("! ").strip(), amount.replace("\t", " ").strip()))
    return journal


def read_reference(path: Path) -> Cells:
    """The balances of a reference, in minor units by account and currency; other commodities are left out."""
    balances: Cells = Counter()
    _, *rows = csv.reader(io.StringIO(path.read_text("utf-8")))
    for account, told in rows:
        for text in told.split(","):
            try:
                money = read_amount(text.strip())
            except Left:
                continue
            balances[account, money.currency] += money.minor
    return Counter({cell: minor for cell, minor in balances.items() if minor and cell[0] != "total"})


def _without_comments(lines: list[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        if line.strip() in {"comment", "end comment"}:
            inside = line.strip() == "comment"
        elif not inside and line[:1] not in {";", "#", "*", "%", "|"}:
            yield re.sub(r";.*", "", line)
