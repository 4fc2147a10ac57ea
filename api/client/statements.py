"""Bank statements from the treasurer's side: parsed here, sealed here, sent as bare numbers."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from api.client import sealing, shelves, statement_lines
from api.client.bank_files import detection
from api.client.bank_files.lines import Statement, StatementFile, UnreadableFile
from api.client.bank_files.profiles import Profile
from api.client.desk import Desk
from ledger.aliases import Kind, draw
from ledger.errors import BadInput
from ledger.reconciliation.account_numbers import NumberNotSaid

VAULT = "money"


class NotThisAccount(BadInput):
    """No statement of a file is in the currency of its account, or of that account; or one is in two currencies."""

    rule = "not_this_account"


def send(
    desk: Desk,
    data: bytes,
    *,
    account: str,
    format: str | None = None,  # noqa: A002 - the command line's word
    profile: Profile | None = None,
    currency: str | None = None,
    number: str | None = None,
    must_say_first: bool = False,
) -> list[dict[str, Any]]:
    """Reads a bank's file and sends each of its statements for the leaf `account`; again, it sends the same bytes.

    `format`, `profile` and `currency` are those of `detection.read`. `number` says the account's number as the file has
    it; where several accounts are in the file, it chooses, else the numbers that the leaf's files had before. Only the
    leaf's currency is sent; for each statement of another account or currency the answers end with `left_out`, its
    currency, and `lines`, how many. Unless they `must_say_first`, who calls says with the first file of a leaf that its
    account is the leaf's: as a program may that has asked, or that knows whose file it is.

    What is odd in the file comes behind these, as `problem` and `where`; a statement's own answer tells with `at_zero`
    how many booked lines of it, where there are such, moved nothing and so were not sent.

    Raises:
        UnknownFormat, AmbiguousFormat, UnreadableFile, NotThisAccount: nothing is sent.
        NumberNotSaid: with `must_say_first`; nothing is sent. ApiRefusal, ApiUnreachable: see there.
    """
    file = detection.read(data, format=format, profile=profile, currency=currency)
    token_keys = [sealing.token_key(vault) for vault in desk.vaults(VAULT)]
    currencies = _currencies(desk)
    if account not in currencies:
        raise NotThisAccount("no bank account of the chart has this code", where="account")
    numbers = desk.api.get("/v1/statements/numbers")["numbers"]
    known = set(numbers.get(account, []))
    own = _own_numbers(file, account=account, said=number, known=known, token_keys=token_keys)
    statements, others = _choose(file, currency=currencies[account], account=account, numbers=own)
    if must_say_first and own and number is None and not known:
        raise NumberNotSaid("the first file of this leaf: say its account's number with --number", account=account)
    # One account may hold several currencies, a leaf for each.
    alike = [leaf for leaf in numbers if currencies.get(leaf) == currencies[account]]
    elsewhere = {token for leaf in alike for token in numbers[leaf]}
    is_first = not known and all(elsewhere.isdisjoint(_number_tokens(one, token_keys)) for one in own)
    is_said = number is not None or is_first
    answers = [
        _send(desk, statement, account=account, format=file.format, token_keys=token_keys, is_said=is_said)
        for statement in statements
    ]
    answers += [{"left_out": other.currency, "lines": len(other.entries)} for other in others]
    return answers + [{"problem": problem.what, "where": problem.where} for problem in file.problems]


def _own_numbers(
    file: StatementFile, *, account: str, said: str | None, known: set[str], token_keys: Sequence[bytes]
) -> set[str]:
    """Of the numbers of accounts in a file those that are the leaf's: said, or its only one, or known before.

    Raises:
        NotThisAccount: none is what was said, or there are several, and none is known.
    """
    numbers = {_plain(statement.account) for statement in file.statements if statement.account}
    if not numbers:
        return numbers
    if said is not None:
        if _plain(said) not in numbers:
            raise NotThisAccount("no statement of an account of this number", where="the whole file", account=account)
        return {_plain(said)}
    if len(numbers) == 1:
        return numbers
    own = {number for number in numbers if not known.isdisjoint(_number_tokens(number, token_keys))}
    if not own:
        raise NotThisAccount(
            "statements of several accounts in one file: say which with --number",
            where="the whole file",
            account=account,
        )
    return own


def _choose(
    file: StatementFile, *, currency: str, account: str, numbers: set[str]
) -> tuple[list[Statement], list[Statement]]:
    """What is of this leaf, and what is of others: of other accounts, or of other currencies of this one."""
    chosen: list[Statement] = []
    others: list[Statement] = []
    for nth, statement in enumerate(file.statements, 1):
        is_of_account = not statement.account or _plain(statement.account) in numbers
        if not is_of_account or statement.currency != currency:
            others.append(statement)
            continue
        if any(entry.amount.currency != currency for entry in statement.entries):
            raise NotThisAccount("not in the currency of the account", where=f"statement {nth}", account=account)
        if any(entry.status == "booked" and entry.booked_on is None for entry in statement.entries):
            raise UnreadableFile("a booked line without a booking day", where="the whole file")
        chosen.append(statement)
    if not chosen:
        raise NotThisAccount("no statement in the currency of the account", where="the whole file", account=account)
    return chosen, others


def _send(
    desk: Desk,
    statement: Statement,
    *,
    account: str,
    format: str,  # noqa: A002 - the reader's word
    token_keys: Sequence[bytes],
    is_said: bool,
) -> dict[str, Any]:
    booked = [entry for entry in statement.entries if entry.status == "booked"]
    rest = _rest(statement)
    of_leaf = [sealing.token(key, field="statement", value=f"{account} {rest}") for key in token_keys]
    # Two accounts may have statements without lines that are the same to the letter; with lines they are one.
    content = [sealing.token(key, field="statement", value=rest) for key in token_keys] if statement.entries else []
    content_token, *older = [*content, *of_leaf]
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
        "number_tokens": _number_tokens(_plain(statement.account), token_keys) if statement.account else [],
        "number_said": is_said,
        "lines": [
            statement_lines.on_wire(entry, account=account, token_keys=token_keys)
            for entry in booked
            if entry.amount.minor
        ],
        "shelf": shelves.shelf_on_wire(shelf),
        "rest": shelves.seal_json(shelf.public, json.loads(rest), kind="statement", alias=alias, field="rest"),
    }
    answer: dict[str, Any] = desk.api.post("/v1/statements", body, key=f"statement:{of_leaf[0]}")
    at_zero = sum(not entry.amount.minor for entry in booked)
    return answer | {"at_zero": at_zero} if at_zero else answer


def _rest(statement: Statement) -> str:
    """All that was read of it. One without a number says nothing of numbers: so its content is known as before."""
    told = asdict(statement)
    if statement.number is None:
        del told["number"]
    return json.dumps(told, default=str, sort_keys=True)


def _plain(number: str) -> str:
    """A number of an account without its spaces, which are set as everybody likes."""
    return "".join(number.split()).upper()


def _number_tokens(number: str, token_keys: Sequence[bytes]) -> list[str]:
    return [sealing.token(key, field="account_number", value=number) for key in token_keys]


def _name_format(format: str, *, token_key: bytes) -> str:  # noqa: A002 - the reader's word
    """The format by its name; a table's profile names a bank, and is told by a token only."""
    kind, _, profile = format.partition(".")
    if kind not in {"csv", "xlsx"}:
        return format
    return f"{kind}.{sealing.token(token_key, field='format', value=profile)[:8]}"


def _currencies(desk: Desk) -> dict[str, str]:
    """By the code of each account of the chart that has one: its currency."""
    return {one["code"]: one["currency"] for one in desk.api.get("/v1/accounts")["accounts"] if one["currency"]}


def _iso(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())
