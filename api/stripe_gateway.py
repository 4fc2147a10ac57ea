"""The card processor's answers: the only module that knows its own objects. It returns movements and nothing else.

Descriptors, names and references of givers end here: of a description only our own purpose code passes.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api import json_texts
from ledger.errors import BadInput, LedgerError
from ledger.giving import unread
from ledger.giving.movements import Category, Movement
from ledger.giving.strays import Unreadable
from ledger.giving.unread import Told
from ledger.money import BadAmount, BadCurrency, Money, exponent

_PURPOSE = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
_ID = re.compile(r"[a-z]{2,5}_[A-Za-z0-9]{4,58}", re.ASCII)
_STATE = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_CATEGORY = re.compile(r"[a-z_]{1,40}", re.ASCII)
_CODE = re.compile(r"[A-Z][A-Z0-9]{2,9}", re.ASCII)
"""What can be the code of a currency that we do not know."""
_TOLD_IN_HUNDREDTHS = {"ISK", "UGX"}
_TOLD_IN_WHOLE = {"MGA"}
"""Currencies whose decimals at the processor, by its documentation, are two and none, and by ISO 4217 none and two."""
_OBJECTS: dict[str, str] = {
    Category.CHARGE: "charge",
    Category.REFUND: "refund",
    Category.PARTIAL_CAPTURE: "refund",
    Category.CHARGE_FAILURE: "refund",
    Category.REFUND_FAILURE: "refund",
    Category.DISPUTE: "dispute",
    Category.DISPUTE_REVERSAL: "dispute",
    Category.PAYOUT: "payout",
    Category.PAYOUT_REVERSAL: "payout",
    Category.TOP_UP: "topup",
    Category.TOP_UP_REVERSAL: "topup",
}
"""What an expanded source of each category calls itself."""
_UNDER_WAY = {"pending", "requires_action"}
"""States in which a refund has neither failed nor been called off."""
UNREADABLE = "unreadable"
"""What stands for a reporting category that is none."""


_OF_A_CHARGE_OR_A_REFUND = {Category.PARTIAL_CAPTURE, Category.CHARGE_FAILURE}


class BadMovements(BadInput):
    """The file is no list of balance transactions; `where` is the first that cannot be read, nothing is booked."""

    rule = "bad_movements"


class NotYetTold(BadMovements):
    """A refund came back, and the processor does not say yet whether it failed or was called off."""


class BadBalance(BadInput):
    """The file is not the processor's balance."""

    rule = "bad_balance"


@dataclass(frozen=True, slots=True)
class RefundTold:
    """A refund as the processor tells it, with its state (pending, requires_action, succeeded, failed, canceled)."""

    id: str
    state: str


@dataclass(frozen=True, slots=True)
class PayoutTold:
    """A payout as the processor tells it: whether it made it by itself, and what comes to the bank, in minor units.

    Of one that takes from the bank, nothing comes there. `is_complete` tells that all it pays out can be listed; of one
    that somebody asked for nothing ever is.
    """

    is_automatic: bool
    is_complete: bool
    arriving: int | None
    currency: str


def read_movements(data: bytes) -> list[Movement | Told]:
    """The balance transactions of a list as the processor's API answers it with `expand[]=data.source`, oldest first.

    Of one second, charges come first and payouts last: what is given back was given before. One of a category for which
    no recipe stands is read like any other, without its source: it will wait. So will one in a currency that we do not
    know, which stays as it is told.

    Raises:
        BadMovements: not such a list, or one of them cannot be read exactly.
    """
    answer = _read(data, BadMovements)
    if answer.get("object") != "list" or not isinstance(answer.get("data"), list):
        raise BadMovements("not a list of the processor's API", where="file")
    return [movement for _, movement in in_order(answer["data"])]


def in_order(items: list[Any]) -> list[tuple[int, Movement | Told]]:
    """What `read_movements` reads, of items that are read already; each movement with the second it was made in."""
    return _sorted([_moved(item, f"item {number}") for number, item in enumerate(items, start=1)])


def sort_out(items: list[Any]) -> tuple[list[tuple[int, Movement | Told]], list[Unreadable]]:
    """As `in_order`, and nothing holds anything up: what cannot be read is handed back by itself.

    One whose money can be read and little else is a movement without a source: it will wait for a person.
    """
    moved, unreadable = [], []
    for number, item in enumerate(items, start=1):
        try:
            moved.append(_moved_as_far_as_told(item, f"item {number}"))
        except BadMovements:
            unreadable.append(as_unreadable(item))
    return _sorted(moved), unreadable


def as_unreadable(item: Any) -> Unreadable:
    """What can be told of an item that cannot be read, or asked for: its id and its net."""
    facts = item if isinstance(item, dict) else {}
    name, net = facts.get("id"), facts.get("net")
    if not isinstance(name, str) or not _is_id(name, "txn_"):
        return Unreadable(hashlib.sha256(repr(item).encode()).hexdigest())
    try:
        currency = _currency(facts.get("currency"), "currency", BadMovements)
        code, (minor,) = as_we_count(net if type(net) is int else 0, currency=currency)
        return Unreadable(name, Money(minor, code) if type(net) is int else None)
    except (BadMovements, BadCurrency, BadAmount):
        return Unreadable(name)


def read_balance(data: bytes) -> list[Money]:
    """The processor's own balance, in each currency that we know what is available and what is pending together.

    Raises:
        BadBalance: not the balance as the processor's API answers it.
    """
    return sum_up(_read(data, BadBalance))


def sum_up(answer: dict[str, Any]) -> list[Money]:
    """What `read_balance` reads, of an answer that is read already."""
    if answer.get("object") != "balance":
        raise BadBalance("not a balance of the processor's API", where="file")
    told: Counter[str] = Counter()
    for part in ("available", "pending"):
        rows = answer.get(part)
        if not isinstance(rows, list):
            raise BadBalance("a field is missing", where=part)
        for number, row in enumerate(rows, start=1):
            where = f"{part} {number}"
            if not isinstance(row, dict) or type(row.get("amount")) is not int:
                raise BadBalance("a field is of another form", where=where)
            told[_currency(row.get("currency"), where, BadBalance)] += row["amount"]
    sums = [as_we_count(units, currency=currency) for currency, units in sorted(told.items())]
    return [Money(minor, currency) for currency, (minor,) in sums if _is_known(currency)]


def as_we_count(*units: int, currency: str) -> tuple[str, tuple[int, ...]]:
    """The currency and its minor units, of units as the processor counts them.

    Hundredths of what has none (such as gifts of before 2023 in ISK) are nobody's money yet: they stay as they are
    told, in hundredths, which is a currency that nobody knows (`ISK100`).
    """
    if currency in _TOLD_IN_WHOLE:
        return currency, tuple(number * 100 for number in units)
    if currency not in _TOLD_IN_HUNDREDTHS:
        return currency, units
    if any(number % 100 for number in units):
        return f"{currency}100", units
    return currency, tuple(number // 100 for number in units)


def as_they_count(amount: Money) -> int:
    """An amount in the units of the processor.

    Raises:
        BadAmount: it has decimals that the processor does not take.
    """
    if amount.currency in _TOLD_IN_HUNDREDTHS:
        return amount.minor * 100
    if amount.currency in _TOLD_IN_WHOLE:
        if amount.minor % 100:
            raise BadAmount("the processor takes this currency without decimals", where="amount")
        return amount.minor // 100
    return amount.minor


def read_payout(payout: dict[str, Any]) -> PayoutTold:
    """A payout, of an answer that is read already.

    Raises:
        BadMovements: it does not tell.
    """
    _named(payout, "po_", where="payout")
    automatic, minor = payout.get("automatic"), payout.get("amount")
    currency = _currency(payout.get("currency"), "payout", BadMovements)
    if not isinstance(automatic, bool) or type(minor) is not int or not minor:
        raise BadMovements("a field is missing or of another form", where="payout")
    currency, (arriving,) = as_we_count(minor, currency=currency)
    reconciled = payout.get("reconciliation_status")  # versions of the API before 2023 do not tell it
    return PayoutTold(
        is_automatic=automatic and reconciled != "not_applicable",
        is_complete=reconciled in {None, "completed"},
        arriving=arriving if arriving > 0 else None,
        currency=currency,
    )


def read_refund(told: dict[str, Any]) -> RefundTold:
    """A refund of an answer that is read already; raises as `read_payout`."""
    return RefundTold(*_named(told, "", where="refund"))


def _named(told: dict[str, Any], prefix: str, *, where: str) -> tuple[str, str]:
    """Id and state."""
    name, state = told.get("id"), told.get("status")
    if not _is_id(name, prefix) or not isinstance(state, str) or not _STATE.fullmatch(state):
        raise BadMovements("a field is missing or of another form", where=where)
    return str(name), state


def _read(data: bytes, refusal: type[BadInput]) -> dict[str, Any]:
    try:
        answer = json_texts.read(data)
    except json_texts.NotJson:
        raise refusal("not JSON", where="file") from None
    if not isinstance(answer, dict):
        raise refusal("not an answer of the processor's API", where="file")
    return answer


def _sorted(moved: list[tuple[int, Movement | Told]]) -> list[tuple[int, Movement | Told]]:
    order = [str(category) for category in Category]
    return sorted(moved, key=lambda one: (one[0], _place(order, one[1].category), one[1].balance_transaction))


def _moved_as_far_as_told(item: Any, where: str) -> tuple[int, Movement | Told]:
    try:
        return _moved(item, where)
    except NotYetTold:
        raise
    except BadMovements:
        if not isinstance(item, dict):
            raise
        reported = item.get("reporting_category")
        is_category = isinstance(reported, str) and _CATEGORY.fullmatch(reported)
        return _moved(item | {"reporting_category": reported if is_category else UNREADABLE}, where, bare=True)


def _moved(item: Any, where: str, *, bare: bool = False) -> tuple[int, Movement | Told]:
    """A movement with the second in which it was made; `bare`, without what it is about."""
    import stripe  # noqa: PLC0415  # takes half a second: whoever books no cards does not wait for it

    if not isinstance(item, dict) or item.get("object") != "balance_transaction":
        raise BadMovements("not a balance transaction", where=where)
    transaction = stripe.BalanceTransaction.construct_from(item, None)
    told = _told(transaction, where, bare=bare)
    try:
        unread.check(told)
    except LedgerError as refusal:
        raise BadMovements(refusal.message, where=f"{where}, {refusal.data.get('where')}") from None
    return transaction.created, as_far_as_known(told)


def as_far_as_known(told: Told) -> Movement | Told:
    """The movement, or, when it is in a currency that we do not know, what was told."""
    try:
        return told.movement()
    except BadCurrency:
        return told


def _told(transaction: Any, where: str, *, bare: bool) -> Told:
    try:
        amounts = (transaction.amount, transaction.fee, transaction.net)
        created, reported = transaction.created, transaction.reporting_category
        identifier, currency = transaction.id, transaction.currency
        description = getattr(transaction, "description", None)
    except AttributeError:
        raise BadMovements("a field is missing", where=where) from None
    if not all(type(number) is int for number in (*amounts, created)) or not _is_id(identifier, "txn_"):
        raise BadMovements("a field is of another form", where=where)
    category = _category(reported, where)
    try:
        created_on = datetime.fromtimestamp(created, UTC).date()
    except (ValueError, OverflowError, OSError):
        raise BadMovements("a field is of another form", where=where) from None
    is_purpose = (
        category == Category.CHARGE and not bare and isinstance(description, str) and _PURPOSE.fullmatch(description)
    )
    if category == Category.REFUND_FAILURE and _status(transaction) in _UNDER_WAY:
        raise NotYetTold("it is not told what became of the refund", where=where)
    source, charge = (None, None) if bare else _references(transaction, category, where)
    arriving = _arriving(transaction, where) if category == Category.PAYOUT and not bare else (None, None)
    code, (gross, fee, net) = as_we_count(*amounts, currency=_currency(currency, where, BadMovements))
    return Told(
        identifier,
        category,
        gross,
        fee,
        net,
        code,
        created_on,
        purpose=description if is_purpose else None,
        source=source,
        charge=charge,
        arriving=arriving[0],
        arriving_currency=arriving[1],
        cancelled=category == Category.REFUND_FAILURE and not bare and _status(transaction) == "canceled",
    )


def _arriving(transaction: Any, where: str) -> tuple[int, str] | tuple[None, None]:
    """Of an expanded payout: what comes to the bank, in the bank's currency."""
    payout = getattr(transaction, "source", None)
    minor = getattr(payout, "amount", None)
    if type(minor) is not int or minor <= 0:
        return None, None
    currency, (arriving,) = as_we_count(
        minor, currency=_currency(getattr(payout, "currency", None), where, BadMovements)
    )
    return arriving, currency


def _status(transaction: Any) -> Any:
    """Of an expanded source: it tells whether a refund failed or was called off."""
    return getattr(getattr(transaction, "source", None), "status", None)


def _place(order: list[str], category: str) -> int:
    return order.index(category) if category in order else 0


def _category(reported: Any, where: str) -> str:
    if not isinstance(reported, str) or not _CATEGORY.fullmatch(reported):
        raise BadMovements("the reporting category is missing, or of another form", where=where)
    return reported


def _currency(told: Any, where: str, refusal: type[BadInput]) -> str:
    """The code as we write it, of a currency that we may not know."""
    currency = told.upper() if isinstance(told, str) else ""
    if not _CODE.fullmatch(currency):
        raise refusal("no code of a currency", where=where)
    return currency


def _is_known(currency: str) -> bool:
    try:
        exponent(currency)
    except BadCurrency:
        return False
    return True


def _references(transaction: Any, category: str, where: str) -> tuple[str | None, str | None]:
    """The ids of the source and of the charge that it is about. A fee's source is none of the givers' movements."""
    if category not in _OBJECTS:
        return None, None
    given = getattr(transaction, "source", None)
    source = _id(given)
    expected = "charge" if _is_charge(source) and category in _OF_A_CHARGE_OR_A_REFUND else _OBJECTS[category]
    if source is None or getattr(given, "object", expected) != expected:
        raise BadMovements("the source is missing, or not of this category", where=where)
    if category in {Category.PAYOUT, Category.PAYOUT_REVERSAL, Category.TOP_UP, Category.TOP_UP_REVERSAL}:
        return source, None
    if expected == "charge":
        return source, source
    charge = _id(getattr(given, "charge", None))
    if charge is None:
        raise BadMovements("the source is not expanded: it does not tell its charge", where=where)
    return source, charge


def _is_charge(source: str | None) -> bool:
    return source is not None and source.startswith(("ch_", "py_"))


def _id(given: Any) -> str | None:
    """An id, which stands there by itself or in the expanded object."""
    identifier = given if isinstance(given, str) else getattr(given, "id", None)
    return identifier if _is_id(identifier) else None


def _is_id(identifier: Any, prefix: str = "") -> bool:
    return isinstance(identifier, str) and identifier.startswith(prefix) and _ID.fullmatch(identifier) is not None
