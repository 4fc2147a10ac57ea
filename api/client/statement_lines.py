"""Lines of a statement as they leave the treasurer's device: bare numbers, references of ours, and tokens."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from api.client import sealing
from api.client.bank_files.lines import Detail, Entry
from ledger import references
from ledger.errors import BadInput
from ledger.giving import payouts
from ledger.money import Money

_PAYOUT = re.compile(r"\bpo_[A-Za-z0-9]{14,60}\b", re.ASCII)
"""A payout's id as the card processor forms it; the random part is too long to be guessed from its digest."""
_SHORTEST_OWN = 8
"""A shorter reference of a bank's own is often a mere count, which the next statement has again."""
MOST_PARTS = 500
"""Of how many payments behind a line the references are told."""


def on_wire(entry: Entry, *, account: str, token_keys: Sequence[bytes]) -> dict[str, Any]:
    """A booked line: nothing else of it leaves the device unsealed. The newest token stands first.

    Raises:
        BadInput: it has no booking day.
    """
    own = find_own_reference(entry)
    if entry.booked_on is None:
        raise BadInput("a booked line has a booking day", where="booked_on")
    return {
        "booked_on": entry.booked_on.isoformat(),
        "value_on": entry.value_on.isoformat() if entry.value_on else None,
        "amount": amount_on_wire(entry.amount),
        "reference": own,
        "reversal": entry.reversal,
        "traces": [] if own else _traces(entry, account=account, token_keys=token_keys),
        "payout": _payout(entry),
        "marks": _marks(entry, account=account, token_keys=token_keys),
        "parts": [] if own else _parts(entry),
    }


def find_own_reference(entry: Entry) -> str | None:
    """The one reference of our form that stands anywhere in the line; two different ones are none.

    A line of several payments has one when each of these has it: what came without it came for something else.
    """
    if len(entry.details) > 1:
        of_details = {_one_reference(_texts_of(detail)) for detail in entry.details}
        found = _references(_texts_of_entry(entry)) | of_details
        return found.pop() if len(found) == 1 else None
    return _one_reference([text for texts in _all_texts(entry) for text in texts])


def amount_on_wire(money: Money | None) -> dict[str, str] | None:
    """An amount as the server reads it."""
    return None if money is None else {"amount": money.decimal(), "currency": money.currency}


def _parts(entry: Entry) -> list[dict[str, Any]]:
    """The payments behind a line of several, when one of them has a reference of ours and each an amount."""
    amounts = [detail.amount for detail in entry.details]
    told = [_one_reference(_texts_of(detail)) for detail in entry.details]
    if not 1 < len(told) <= MOST_PARTS or not any(told):
        return []
    if any(amount is None or not amount.minor or amount.currency != entry.amount.currency for amount in amounts):
        return []
    return [
        {"amount": amount_on_wire(amount), "reference": reference}
        for amount, reference in zip(amounts, told, strict=True)
    ]


def _traces(entry: Entry, *, account: str, token_keys: Sequence[bytes]) -> list[str]:
    """Tokens of the one end-to-end id of a line: what takes the payment back has the same. An id may name somebody."""
    found = {detail.end_to_end_id for detail in entry.details}
    known = found.pop() if len(found) == 1 else None
    return [sealing.token(key, field="end_to_end", value=f"{account} {known}") for key in token_keys] if known else []


def _marks(entry: Entry, *, account: str, token_keys: Sequence[bytes]) -> list[str]:
    """Tokens of the bank's own reference of a line, by which another file of the bank tells the same."""
    own = entry.reference
    if own is None or len(own) < _SHORTEST_OWN:
        return []
    return [sealing.token(key, field="bank_reference", value=f"{account} {own}") for key in token_keys]


def _payout(entry: Entry) -> str | None:
    """The digest of the one payout's id that stands anywhere in the line."""
    found = {payout for texts in _all_texts(entry) for text in texts for payout in _PAYOUT.findall(text)}
    return payouts.digest(found.pop()) if len(found) == 1 else None


def _one_reference(texts: Iterable[str]) -> str | None:
    found = _references(texts)
    return found.pop() if len(found) == 1 else None


def _references(texts: Iterable[str]) -> set[str | None]:
    return {reference for reference in map(references.found_in, texts) if reference}


def _all_texts(entry: Entry) -> list[list[str]]:
    return [_texts_of_entry(entry), *(_texts_of(detail) for detail in entry.details)]


def _texts_of_entry(entry: Entry) -> list[str]:
    return [*entry.text.values(), entry.reference or ""]


def _texts_of(detail: Detail) -> list[str]:
    return [*detail.text.values(), detail.end_to_end_id or ""]
