"""What a bank says, in one form for every file format. Amounts have the account holder's sign: money in is positive.

Names, accounts and references are no part of a `repr`, so that none comes into a log with one.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from ledger.errors import BadInput
from ledger.money import Money

Status = Literal["booked", "pending", "info"]


class UnknownFormat(BadInput):
    """No reader knows this file, or it is of another format than the one asked for."""

    rule = "unknown_format"


class AmbiguousFormat(BadInput):
    """Several profiles read the file, each differently; `candidates` names their formats, of which to name one."""

    rule = "ambiguous_format"


class UnreadableFile(BadInput):
    """The file cannot be read exactly, so nothing of it is taken.

    `where` is the first such place; where a reader goes on to find more, `places` lists the first ten with their
    reasons and `count` says how many there are.
    """

    rule = "unreadable_file"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person should look at; it changes no line. Holds positions, codes and amounts, no text."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One of the transactions behind an entry. It tells who and why; the money is the entry's.

    `amount` may be in another currency than the entry; `fee` is negative where it costs, and in the entry's currency.
    `text` goes into a sealed box and nowhere else. Its keys, where known: `counterparty`, `counterparty_account`,
    `counterparty_ultimate`, `remittance`, `creditor_reference`, `additional`; several lines are joined by a newline.
    """

    amount: Money | None = None
    end_to_end_id: str | None = field(default=None, repr=False)
    return_reason: str | None = None
    fee: Money | None = None
    text: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the account. Two that are equal are two. Only `booked` ones moved money.

    `reference` is the bank's own; `text` has the keys of `Detail.text`, for what stands on the entry itself.
    """

    amount: Money
    status: Status
    booked_on: date | None = None
    value_on: date | None = None
    reference: str | None = field(default=None, repr=False)
    reversal: bool = False
    details: tuple[Detail, ...] = ()
    text: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """One account over some time. `opened_on` and `closed_on` are the days written on the two balances.

    `opening` and `closing` are None where the bank gives none. For `adds_up` see the function of that name. `number` is
    the bank's count of its statements, with the page where it has one, in digits.
    """

    account: str | None = field(repr=False)
    identification: str | None = field(repr=False)
    currency: str | None
    opening: Money | None
    closing: Money | None
    opened_on: date | None
    closed_on: date | None
    adds_up: bool | None
    entries: tuple[Entry, ...]
    number: str | None = None


@dataclass(frozen=True, slots=True)
class StatementFile:
    """All that one file says. `version` is the format's full name where the file tells it (`camt.053.001.08`)."""

    format: str
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    version: str | None = None


def adds_up(*, opening: Money | None, closing: Money | None, entries: tuple[Entry, ...]) -> bool | None:
    """Whether opening + booked entries = closing.

    None where it cannot be told: a balance is missing, or a booked entry is in another currency than the balances.
    Balances in two currencies contradict each other: False.
    """
    if opening is None or closing is None:
        return None
    if opening.currency != closing.currency:
        return False
    booked = [entry.amount for entry in entries if entry.status == "booked"]
    if any(amount.currency != opening.currency for amount in booked):
        return None
    return opening.minor + sum(amount.minor for amount in booked) == closing.minor


def as_json(file: StatementFile) -> dict[str, object]:
    """The form that `statements read --json` prints: amounts as signed decimals, days in ISO 8601, no sealed text.

    A detail's amount in another currency than its entry's is null: the form has no place for a currency there.
    """
    return {
        "format": file.format,
        "statements": [_statement(statement) for statement in file.statements],
        "problems": [{"where": problem.where, "what": problem.what} for problem in file.problems],
    }


def _statement(statement: Statement) -> dict[str, object]:
    return {
        "account": statement.account,
        "currency": statement.currency,
        "opening": _decimal(statement.opening),
        "closing": _decimal(statement.closing),
        "adds_up": statement.adds_up,
        "entries": [_entry(entry) for entry in statement.entries],
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "amount": entry.amount.decimal(),
        "currency": entry.amount.currency,
        "status": entry.status,
        "booked_on": entry.booked_on.isoformat() if entry.booked_on else None,
        "value_on": entry.value_on.isoformat() if entry.value_on else None,
        "reference": entry.reference,
        "reversal": entry.reversal,
        "details": [_detail(detail, currency=entry.amount.currency) for detail in entry.details],
    }


def _detail(detail: Detail, *, currency: str) -> dict[str, object]:
    amount = detail.amount if detail.amount and detail.amount.currency == currency else None
    return {
        "amount": _decimal(amount),
        "end_to_end_id": detail.end_to_end_id,
        "return_reason": detail.return_reason,
        "fee": _decimal(detail.fee),
    }


def _decimal(money: Money | None) -> str | None:
    return money.decimal() if money is not None else None
