"""Bank statements from the treasurer's side: parsed here, sealed here, sent as bare numbers."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from api.client import cases, sealing
from api.client.bank_files import detection
from api.client.bank_files.lines import Entry, Statement, StatementFile, UnreadableFile
from api.client.bank_files.profiles import Profile
from api.client.desk import Desk
from ledger import references
from ledger.aliases import Kind, draw
from ledger.errors import BadInput
from ledger.giving import payouts

VAULT = "money"
_PAYOUT = re.compile(r"\bpo_[A-Za-z0-9]{14,60}\b", re.ASCII)
"""A payout's id as the card processor forms it; the random part is too long to be guessed from its digest."""


class NotThisAccount(BadInput):
    """A statement is in another currency than the account it is for, in none, or there are several accounts."""

    rule = "not_this_account"


def send(
    desk: Desk,
    data: bytes,
    *,
    account: str,
    format: str | None = None,  # noqa: A002 - the command line's word
    profile: Profile | None = None,
    currency: str | None = None,
) -> list[dict[str, Any]]:
    """Reads a bank's file and sends each of its statements for the leaf `account`; again, it sends the same bytes.

    `format`, `profile` and `currency` are those of `detection.read`. Of a table with several currencies only the leaf's
    is sent; for each other one the answers end with `left_out`, its currency, and `lines`, how many.

    Raises:
        UnknownFormat, AmbiguousFormat, UnreadableFile, NotThisAccount: nothing is sent.
        ApiRefusal, ApiUnreachable: see there.
    """
    file = detection.read(data, format=format, profile=profile, currency=currency)
    statements, others = _choose(file, currency=_currency(desk, account), account=account)
    token_keys = [sealing.token_key(vault) for vault in desk.vaults(VAULT)]
    answers = [_send(desk, statement, account=account, token_keys=token_keys) for statement in statements]
    return answers + [{"left_out": other.currency, "lines": len(other.entries)} for other in others]


def _choose(file: StatementFile, *, currency: str, account: str) -> tuple[list[Statement], list[Statement]]:
    """What is of this leaf, and what is of others. Only a table may hold currencies that are leaves of their own."""
    of_it = [
        {statement.currency, *(entry.amount.currency for entry in statement.entries)} == {currency}
        for statement in file.statements
    ]
    is_table = file.format.startswith(("csv.", "xlsx."))
    if not (any(of_it) if is_table else all(of_it)):
        where = f"statement {of_it.index(False) + 1}" if of_it else "the whole file"
        raise NotThisAccount("not in the currency of the account", where=where, account=account)
    chosen = [statement for statement, is_own in zip(file.statements, of_it, strict=True) if is_own]
    for statement in chosen:
        if any(entry.status == "booked" and entry.booked_on is None for entry in statement.entries):
            raise UnreadableFile("a booked line without a booking day", where="the whole file")
    if len({statement.account for statement in chosen if statement.account}) > 1:
        raise NotThisAccount("statements of several accounts in one file", where="the whole file", account=account)
    return chosen, [statement for statement, is_own in zip(file.statements, of_it, strict=True) if not is_own]


def _send(desk: Desk, statement: Statement, *, account: str, token_keys: Sequence[bytes]) -> dict[str, Any]:
    rest = json.dumps(asdict(statement), default=str, sort_keys=True)
    content_token, *older = (sealing.token(key, field="statement", value=f"{account} {rest}") for key in token_keys)
    alias = draw(Kind.STATEMENT)
    shelf = desk.draw_shelf(VAULT, alias=alias)
    body = {
        "alias": alias,
        "account": account,
        "currency": statement.currency,
        "opened_on": _iso(statement.opened_on),
        "closed_on": _iso(statement.closed_on),
        "opening": _amount(statement.opening),
        "closing": _amount(statement.closing),
        "content_token": content_token,
        "older_tokens": older,
        "lines": [
            _line(entry, account=account, token_keys=token_keys)
            for entry in statement.entries
            if entry.status == "booked"
        ],
        "shelf": cases.shelf_on_wire(shelf),
        "rest": cases.seal_json(shelf.public, json.loads(rest), kind="statement", alias=alias, field="rest"),
    }
    answer: dict[str, Any] = desk.api.post("/v1/statements", body, key=f"statement:{content_token}")
    return answer


def _line(entry: Entry, *, account: str, token_keys: Sequence[bytes]) -> dict[str, Any]:
    """Bare numbers, our own reference, and tokens: nothing else of a line leaves the device unsealed."""
    own = _own_reference(entry)
    if entry.booked_on is None:
        raise BadInput("a booked line has a booking day", where="booked_on")
    return {
        "booked_on": entry.booked_on.isoformat(),
        "value_on": _iso(entry.value_on),
        "amount": _amount(entry.amount),
        "reference": own,
        "reversal": entry.reversal,
        "traces": [] if own else _traces(entry, account=account, token_keys=token_keys),
        "payout": _payout(entry),
    }


def _own_reference(entry: Entry) -> str | None:
    """The one reference of our form that stands anywhere in the line; two different ones are none."""
    found = {reference for reference in map(references.found_in, _texts(entry)) if reference}
    return found.pop() if len(found) == 1 else None


def _traces(entry: Entry, *, account: str, token_keys: Sequence[bytes]) -> list[str]:
    """Tokens of the one end-to-end id of a line: what takes the payment back has the same. An id may name somebody."""
    found = {detail.end_to_end_id for detail in entry.details}
    known = found.pop() if len(found) == 1 else None
    return [sealing.token(key, field="end_to_end", value=f"{account} {known}") for key in token_keys] if known else []


def _payout(entry: Entry) -> str | None:
    """The digest of the one payout's id that stands anywhere in the line."""
    found = {payout for text in _texts(entry) for payout in _PAYOUT.findall(text)}
    return payouts.digest(found.pop()) if len(found) == 1 else None


def _texts(entry: Entry) -> list[str]:
    texts = [*entry.text.values(), entry.reference or ""]
    for detail in entry.details:
        texts += [*detail.text.values(), detail.end_to_end_id or ""]
    return texts


def _currency(desk: Desk, account: str) -> str:
    for known in desk.api.get("/v1/accounts")["accounts"]:
        if known["code"] == account and known["currency"]:
            return str(known["currency"])
    raise NotThisAccount("no bank account of the chart has this code", where="account")


def _amount(money: Any) -> dict[str, str] | None:
    return None if money is None else {"amount": money.decimal(), "currency": money.currency}


def _iso(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())
