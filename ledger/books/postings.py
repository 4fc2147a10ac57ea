"""Postings: which side of which account, how much, for which fund. What the journal makes lines of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from ledger.aliases import Kind, kind_of
from ledger.books import accounts, funds
from ledger.errors import BadInput
from ledger.money import Money

LARGEST_POSTING_MINOR = 10**15
"""The largest amount of one posting: the sums of the longest entry, and of thousands of them, still fit in 64 bits.

A sum that does not fit would be an error of the database, on every later look at the account.
"""

SUBJECT_KINDS = {
    "obligation": Kind.OBLIGATION,
    "donation": Kind.DONATION,
    "agent": Kind.AGENT,
    "advance": Kind.ADVANCE,
    "dispute": Kind.DISPUTE,
}
"""Which aliases satisfy which `subject` of the chart."""


class Side(StrEnum):
    """Debit or credit."""

    DEBIT = "debit"
    CREDIT = "credit"


class UnbalancedEntry(BadInput):
    """Debits and credits differ in one currency of one fund; the data names it and the residual."""

    rule = "unbalanced_entry"


class BadPosting(BadInput):
    """A posting that cannot be a line: its number, from 1, is in the data."""

    rule = "bad_posting"


@dataclass(frozen=True, slots=True)
class Posting:
    """A value handed to `post`: which side of which account, how much (above zero), for which fund.

    `subject` is the alias of what the line is about, which the chart may require; `case` the alias of a case;
    `rate_on` the day whose rate values it when that is not the entry's effective date.
    """

    side: Side
    account: str
    money: Money
    fund: str
    subject: str | None = None
    case: str | None = None
    rate_on: date | None = None


def debit(account: str, money: Money, fund: str, **more: Any) -> Posting:
    """A debit posting; `more` are `subject`, `case`, `rate_on`."""
    return Posting(Side.DEBIT, account, money, fund, **more)


def credit(account: str, money: Money, fund: str, **more: Any) -> Posting:
    """A credit posting; `more` are `subject`, `case`, `rate_on`."""
    return Posting(Side.CREDIT, account, money, fund, **more)


def check_postings(
    postings: Sequence[Posting], *, chart: Mapping[str, accounts.Leaf | None], known_funds: Collection[str]
) -> None:
    """Refuses what cannot be an entry's lines; `chart` holds each of their accounts, or None where there is none.

    Raises:
        BadPosting, UnknownAccount, NotPostable, UnknownFund: one of them, by its number. UnbalancedEntry: all together.
    """
    for number, posting in enumerate(postings, start=1):
        money = posting.money
        if not 0 < money.minor <= LARGEST_POSTING_MINOR:
            raise BadPosting("an amount is above zero, the side tells its direction, and at most 10^15", line=number)
        try:
            account = accounts.admit(chart[posting.account], posting.account, currency=money.currency)
        except (accounts.UnknownAccount, accounts.NotPostable) as refusal:
            refusal.data["line"] = number
            raise
        if posting.fund not in known_funds:
            raise funds.UnknownFund("no fund has this code", line=number)
        if posting.case is not None and kind_of(posting.case) is not Kind.CASE:
            raise BadPosting("the case is not the alias of one", line=number)
        _check_subject(account, posting.subject, number=number)
    _check_balance(postings)


def mirrored(posting: Posting, *, rate_on: date) -> Posting:
    """The same on the other side; without a rate date of its own it keeps `rate_on`."""
    side = Side.CREDIT if posting.side is Side.DEBIT else Side.DEBIT
    return replace(posting, side=side, rate_on=posting.rate_on or rate_on)


def _check_subject(account: accounts.Leaf, subject: str | None, *, number: int) -> None:
    if subject is None:
        if account.subject:
            raise BadPosting(
                "the account requires a subject", line=number, account=account.code, subject=account.subject
            )
        return
    kind = kind_of(subject)
    if kind is None:
        raise BadPosting("a subject is an alias", line=number, account=account.code)
    if account.subject and kind not in _admitted(account.subject):
        raise BadPosting("the subject is of another kind", line=number, account=account.code, subject=account.subject)


@cache
def _admitted(subject: str) -> frozenset[Kind]:
    return frozenset(SUBJECT_KINDS[word] for word in subject.split(",") if word in SUBJECT_KINDS)


def _check_balance(postings: Sequence[Posting]) -> None:
    sums: dict[tuple[str, str], int] = {}
    for posting in postings:
        pair = posting.money.currency, posting.fund
        signed = posting.money.minor if posting.side is Side.DEBIT else -posting.money.minor
        sums[pair] = sums.get(pair, 0) + signed
    if not any(sums.values()):
        return
    for (currency, fund), residual in sorted(sums.items()):
        if residual:
            raise UnbalancedEntry("debits and credits differ", currency=currency, fund=fund, residual_minor=residual)
