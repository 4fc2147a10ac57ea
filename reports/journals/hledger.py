"""The journal as hledger and ledger read it. Funds are tags of the lines: `hledger bal tag:fund=fines`."""

from collections.abc import Iterable, Iterator

from ledger.books.accounts import AccountClass
from ledger.books.exports import Numbered
from ledger.books.postings import Posting, Side
from ledger.books.records import AccountRecord

ROOTS = {
    AccountClass.ASSET: "Assets",
    AccountClass.LIABILITY: "Liabilities",
    AccountClass.NET_ASSETS: "Equity",
    AccountClass.INCOME: "Income",
    AccountClass.EXPENSE: "Expenses",
}
"""The first part of an account's name, by its class."""


def render(accounts: Iterable[AccountRecord], entries: Iterable[Numbered]) -> Iterator[str]:
    """A journal file in pieces: the accounts' declarations, then each entry; debits are above zero.

    An account is its class and code, such as `Assets:1000:eur-main`. An entry is dated by its effective day, its code
    is its number, its description its kind; the day it happened on is a tag.
    """
    names = {}
    yield "decimal-mark .\n\n"
    for account in accounts:
        names[account.code] = f"{ROOTS[account.account_class]}:{account.code}"
        yield f"account {names[account.code]}  ; {_without_tags(account.name)}\n"
    for numbered in entries:
        yield "".join(_entry(numbered, names))


def _entry(numbered: Numbered, names: dict[str, str]) -> Iterator[str]:
    entry = numbered.entry
    tags = _tags(happened_on=entry.happened_on, reverses=numbered.reverses, because=entry.because)
    yield f"\n{entry.effective_on} ({numbered.number}) {entry.kind}{tags}\n"
    for posting in entry.postings:
        yield f"    {names[posting.account]}  {amount(posting)}{_tags_of(posting)}\n"


def amount(posting: Posting) -> str:
    """`20.00 EUR` for a debit, `-20.00 EUR` for a credit."""
    return f"{posting.money if posting.side is Side.DEBIT else -posting.money}"


def _tags_of(posting: Posting) -> str:
    return _tags(fund=posting.fund, subject=posting.subject, case=posting.case, rate_on=posting.rate_on)


def _tags(**facts: object) -> str:
    """What is told, as a comment; codes, aliases, days and numbers have neither colon nor comma in them."""
    told = ", ".join(f"{name}:{value}" for name, value in facts.items() if value is not None)
    return f"  ; {told}" if told else ""


def _without_tags(name: str) -> str:
    """An account's name as a comment in which nothing reads as a tag."""
    return name.replace(":", " ").replace(",", " ")
