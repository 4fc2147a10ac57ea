"""Bank statements from the treasurer's side: parsed here, sealed here, sent as bare numbers."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from api.client import cases, sealing, statement_lines
from api.client.bank_files import detection
from api.client.bank_files.lines import Statement, StatementFile, UnreadableFile
from api.client.bank_files.profiles import Profile
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.errors import BadInput

VAULT = "money"


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

    What is odd in the file comes behind these, as `problem` and `where`; a statement's own answer tells with `at_zero`
    how many booked lines of it moved nothing and so were not sent.

    Raises:
        UnknownFormat, AmbiguousFormat, UnreadableFile, NotThisAccount: nothing is sent.
        ApiRefusal, ApiUnreachable: see there.
    """
    file = detection.read(data, format=format, profile=profile, currency=currency)
    statements, others = _choose(file, currency=_currency(desk, account), account=account)
    token_keys = [sealing.token_key(vault) for vault in desk.vaults(VAULT)]
    answers = [
        _send(desk, statement, account=account, format=file.format, token_keys=token_keys) for statement in statements
    ]
    answers += [{"left_out": other.currency, "lines": len(other.entries)} for other in others]
    return answers + [{"problem": problem.what, "where": problem.where} for problem in file.problems]


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


def _send(
    desk: Desk,
    statement: Statement,
    *,
    account: str,
    format: str,  # noqa: A002 - the reader's word
    token_keys: Sequence[bytes],
) -> dict[str, Any]:
    booked = [entry for entry in statement.entries if entry.status == "booked"]
    rest = _rest(statement)
    content_token, *older = (sealing.token(key, field="statement", value=f"{account} {rest}") for key in token_keys)
    alias = draw(Kind.STATEMENT)
    shelf = desk.draw_shelf(VAULT, alias=alias)
    body = {
        "alias": alias,
        "account": account,
        "currency": statement.currency,
        "opened_on": _iso(statement.opened_on),
        "closed_on": _iso(statement.closed_on),
        "opening": statement_lines.amount_on_wire(statement.opening),
        "closing": statement_lines.amount_on_wire(statement.closing),
        "format": _name_format(format, token_key=token_keys[0]),
        "number": statement.number,
        "content_token": content_token,
        "older_tokens": older,
        "lines": [
            statement_lines.on_wire(entry, account=account, token_keys=token_keys)
            for entry in booked
            if entry.amount.minor
        ],
        "shelf": cases.shelf_on_wire(shelf),
        "rest": cases.seal_json(shelf.public, json.loads(rest), kind="statement", alias=alias, field="rest"),
    }
    answer: dict[str, Any] = desk.api.post("/v1/statements", body, key=f"statement:{content_token}")
    return answer | {"at_zero": sum(not entry.amount.minor for entry in booked)}


def _rest(statement: Statement) -> str:
    """All that was read of it. One without a number says nothing of numbers: so its content is known as before."""
    told = asdict(statement)
    if statement.number is None:
        del told["number"]
    return json.dumps(told, default=str, sort_keys=True)


def _name_format(format: str, *, token_key: bytes) -> str:  # noqa: A002 - the reader's word
    """The format by its name; a table's profile names a bank, and is told by a token only."""
    kind, _, profile = format.partition(".")
    if kind not in {"csv", "xlsx"}:
        return format
    return f"{kind}.{sealing.token(token_key, field='format', value=profile)[:8]}"


def _currency(desk: Desk, account: str) -> str:
    for known in desk.api.get("/v1/accounts")["accounts"]:
        if known["code"] == account and known["currency"]:
            return str(known["currency"])
    raise NotThisAccount("no bank account of the chart has this code", where="account")


def _iso(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())
